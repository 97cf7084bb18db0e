"""Long graphs in little memory: values are forgotten, and computed again when read.

Vocabulary
    held       a Tensor of the program still refers to the node: it may be used again
    range      nodes that are forgotten and computed again together: those of ``every``
               steps of a loop over time, or what lies outside of loops
    forgotten  a node that nobody held at the end of its range: all of it is there, and
               its value is computed from the nearest values that were kept

The graph is the same as without, node for node. What a thread computed again last, one
range and what led to it, is remembered; it belongs to the graph, and goes with it.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> with recompute(every=2):
...     for t in mg.steps(6):
...         h = mg.tanh(h @ W).named("h")
>>> [type(n).__name__ for n in mg.Graph(h).nodes if n.name == "h"]
['Forgotten', 'Node', 'Forgotten', 'Node', 'Forgotten', 'Node']
"""

import threading
from collections.abc import Callable, Generator
from functools import partial
from math import isqrt
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet, ref

import numpy as np

from minigrad.assign import set_at_once
from minigrad.graph import Leaf, Node, by_id
from minigrad.limits import whole
from minigrad.mode import forgetting, recorded
from minigrad.op import Op
from minigrad.scope import Block, Clock
from minigrad.tensor import Tensor


def recompute(every: int | None = None) -> Block:
    """Forget the values of a block, and compute them again for a gradient.

    The values that a Tensor still refers to are kept, so what you hold you can read. A
    loop over T time steps keeps what is held after each range of ``every`` steps, and a
    gradient computes one range at a time again: the memory is that of T / every states
    and of ``every`` whole steps, the time that of one more forward pass. Outside of
    loops the block is one range: decorate a part of a network to forget its inside.

    Graph, figures, folds and gradients are the same as without; a value read from the
    graph is computed again. Under ``no_grad`` and ``detect_anomaly``, and in a function
    that is compiled, nothing is forgotten. A block inside of another has ranges of its
    own, and what is held at their ends is kept.

    Parameters
    ----------
    every: steps in a range; None is the square root of T, without its fraction.

    Raises
    ------
    ValueError: ``every`` is less than 1, or an op gives another value when it runs
    again, since it draws numbers: draw them with NumPy and hand them in.
    TypeError: ``every`` is a function.
    RuntimeError: a forgotten value is needed of a parameter that was assigned since.

    Chen, Xu, Zhang, Guestrin: Training deep nets with sublinear memory cost (2016).

    >>> import minigrad as mg
    >>> import numpy as np
    >>> W = mg.parameter(np.eye(2) / 2, name="W")
    >>> h = mg.tensor(np.ones((1, 2)), name="h0")
    >>> with mg.recompute():
    ...     for t, x in mg.steps(np.ones((100, 1, 2))):
    ...         h = mg.tanh(x + h @ W)
    >>> mg.grad(h.sum(), [W])[0].shape
    (2, 2)

    As a decorator:

    >>> @mg.recompute()
    ... def layer(x):
    ...     return mg.tanh(x @ W) @ W
    >>> layer(h).shape
    (1, 2)
    """
    if callable(every):
        raise TypeError(
            "every is a number of steps, got a function: to forget the inside of a "
            "function f write mg.recompute()(f), or @mg.recompute() above it"
        )
    every = None if every is None else whole("every", every)
    return Block(partial(_recompute, every))


def _recompute(every: int | None) -> Generator[None, None, None]:
    with forgetting():
        before = recorded.get()
        block = _Ranges(every)
        try:
            recorded.set(block)
            yield
            block.close()
        finally:
            recorded.set(before)


class Range:
    """The values of one range that are remembered, by the ids of their nodes.

    It knows no node, so nodes and ranges make no cycle. Ranges of one ``key`` are of
    one time, and are remembered together.
    """

    __slots__ = ("__weakref__", "key", "values")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.values: dict[int, Any] = {}


class Gone(NamedTuple):
    """What a forgotten node has in place of its array."""

    range: Range
    shape: tuple[int, ...]


class Forgotten(Node):
    """A node whose value is computed again when it is read."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        """The array, remembered or computed again."""
        found = _gone(self).range.values.get(self.id)
        return _compute(self) if found is None else found

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value, which need not be computed for it."""
        return _gone(self).shape


# The place that the class above hides.
_gone: Callable[[Node], Gone] = vars(Node)["value"].__get__


class _Ranges:
    """What was recorded in one block since its last range ended."""

    def __init__(self, every: int | None) -> None:
        self.every = every
        # Two blocks have no range in common. Keys know no block, which knows nodes.
        self.name = object()
        self.key: Any = None
        # Neither a graph nor a value lives longer because of it.
        self.made: WeakKeyDictionary[Node, ref[Tensor]] = WeakKeyDictionary()

    def __call__(self, tensor: Tensor) -> None:
        """One more Tensor: the first one of the next range ends the one before."""
        node = tensor.node
        time = node.scope.time
        key = None if time is None else (self.name, time[0], self._number(*time))
        if key != self.key:
            self.close()
            self.key = key
        self.made[node] = ref(tensor)

    def _number(self, clock: Clock, t: int) -> int:
        return (t - 1) // (self.every or max(1, isqrt(clock.length)))

    def close(self) -> None:
        """Forget what nobody holds: all of it, or at an error or Ctrl-C nothing."""
        made, self.made = self.made, WeakKeyDictionary()
        its = Range(self.key or object())
        gone: dict[tuple[int, ...], Gone] = {}
        changes: list[tuple[Any, str, Any]] = []
        for node, held in made.items():
            if held() is None and _assigned(node) is None:
                _require_same(node)
                shape = node.value.shape
                instead = gone.setdefault(shape, Gone(its, shape))
                changes += [(node, "value", instead), (node, "__class__", Forgotten)]
                if hasattr(node, "kept"):  # what its rules would have used
                    changes.append((node, "kept", None))
        set_at_once(changes)


class _Remembered(threading.local):
    """The ranges of one time whose values a thread has computed again."""

    def __init__(self) -> None:
        self.key: Any = None
        self.ranges: WeakSet[Range] = WeakSet()

    def turn_to(self, key: Any) -> None:
        """Let go of what belongs to another time."""
        if self.key != key:
            for each in self.ranges:
                each.values = {}
            self.ranges.clear()
            self.key = key


_remembered = _Remembered()
# The ops that gave the same value when they ran again.
_known: WeakSet[Op] = WeakSet()


def _compute(node: Node) -> Any:
    """The value of a forgotten node, from the nearest values that there are."""
    _remembered.turn_to(_gone(node).range.key)
    found: dict[Node, Any] = {}
    for each in _missing(node):
        values = [found.get(x) for x in each.inputs]
        values = [
            x.value if value is None else value
            for x, value in zip(each.inputs, values, strict=True)
        ]
        found[each] = _run(each, values)
    for each, value in found.items():
        its = _gone(each).range
        _remembered.ranges.add(its)
        its.values[each.id] = value
    return found[node]


def _missing(node: Node) -> list[Node]:
    """The nodes that must be computed for a node, in execution order."""
    seen = {node}
    stack = [node]
    while stack:
        for source in stack.pop().inputs:
            if (
                isinstance(source, Forgotten)
                and source not in seen
                and source.id not in _gone(source).range.values
            ):
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=by_id)


def _run(node: Node, values: list[Any]) -> Any:
    """What the op of a node makes of values, as when it was recorded."""
    parameter = _assigned(node)
    if parameter is not None:
        raise RuntimeError(
            f"parameter {parameter.name or 'without a name'} was changed by assign "
            f"after {node.said} used it, and that value was forgotten and cannot be "
            "computed again: take gradients and read values before you assign, or "
            "record the forward pass again"
        )
    op: Op = node.op
    operands = [values] if op.variadic else values
    try:
        value = np.asarray(op.forward(*operands, **op.attributes(node)))
    except Exception as error:
        where = op.describe(node.inputs, node.attrs, node.scope)
        error.add_note(f"computed again, {where}")
        raise
    value.setflags(write=False)
    return value


def _assigned(node: Node) -> Leaf | None:
    """A parameter that was assigned since a node used it."""
    if node.id < Leaf.changed:
        for source in node.inputs:
            if isinstance(source, Leaf) and source.version > node.id:
                return source
    return None


def _require_same(node: Node) -> None:
    """Raise where an op gives another value when it runs again; asked once of each op.

    A sum may round differently where its operands lie differently in memory.
    """
    if node.op in _known or not node.value.size:
        return
    again = _run(node, [x.value for x in node.inputs])
    if again.shape != node.value.shape or not np.allclose(
        again, node.value, rtol=1e-2, equal_nan=True
    ):
        where = node.op.describe(node.inputs, node.attrs, node.scope)
        raise ValueError(
            f"{where}: run again the op gives another value, so its values cannot be "
            "forgotten. Draw random numbers with NumPy and hand them in as an operand"
        )
    _known.add(node.op)
