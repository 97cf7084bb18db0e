"""The one backward loop: cotangents of inputs from cotangents of outputs.

Vocabulary
    cotangent  the gradient of some scalar by a value, of that value's shape and dtype
    live       the nodes between outputs and ``wrt``; only they get a cotangent
    run        one call of the loop; what it records lies in the scope and time of the
               forward nodes, under their slots, so the backward graph folds too

The loop un-broadcasts and casts what a rule answers, adds up what arrives at a node,
and lets go of a cotangent as soon as it has been used. Given arrays the rules compute
arrays; given Tensors they record, and every order of gradient is available.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0], requires_grad=True)
>>> y = x * x
>>> pullback([y.node], [y.data], [x.node])[x.node].tolist()
[2.0, 16.0]
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.cotangent import fit, unbroadcast, watch
from minigrad.graph import Leaf, Node, reachable
from minigrad.mode import Mode, current_mode
from minigrad.op import Op, Rule, Scatter, registry
from minigrad.ops.indexing import scatter_into
from minigrad.ops.linalg import from_left, from_right
from minigrad.recorded import RecordedSums

# What waits for a leaf does so until it has so many rows together.
ROWS = 256
add, multiply = registry["add"], registry["multiply"]
matmul, tanh = registry["matmul"], registry["tanh"]
Inputs = tuple[Node, ...]


def pullback(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    wrt: Sequence[Node],
    record: bool = False,
    shares: list[tuple[Node, int, Any]] | None = None,
) -> dict[Node, Any]:
    """The cotangents of ``wrt`` given those of ``outputs``: the one backward loop.

    Arrays in, arrays out; with ``record``, Tensors in, Tensors out. ``shares`` receives
    (consumer, argument, cotangent) of each use of the single node in ``wrt``.
    """
    order, live = between(outputs, wrt)
    wanted = set(wrt)
    sums: _Sums = (
        RecordedSums(order, live) if record else _ArraySums(live, shares, wanted)
    )
    for i, (node, cotangent) in enumerate(zip(outputs, cotangents, strict=True)):
        if node in live:
            sums.add(node, None, i, cotangent)
    found: dict[Node, Any] = {}
    for node in reversed(order):
        g = sums.total(node)
        if g is None:
            continue
        if node in wanted:
            found[node] = g
        if node.inputs:
            try:
                if node.id < Leaf.changed:
                    require_current(node)
                sums.pull(node, g)
            except Exception as error:
                where = node.op.describe(node.inputs, node.attrs, node.scope)
                error.add_note(f"gradient rule {sums.argument}, {where}")
                raise
    return found


def between(
    outputs: Sequence[Node], wrt: Sequence[Node]
) -> tuple[list[Node], set[Node]]:
    """The nodes on a path from wrt to an output, in execution order and as a set."""
    reached = reachable(outputs, min((w.id for w in wrt), default=0))
    live = set(wrt).intersection(reached)
    order = []
    for node in reached:
        if node in live:
            order.append(node)
            continue
        inputs = node.inputs
        if not live.isdisjoint(inputs):
            op = node.op
            if op.smooth or any(
                rule is not None and source in live
                for source, rule in zip(inputs, op.rules(len(inputs)), strict=True)
            ):
                live.add(node)
                order.append(node)
    return order, live


def require_current(node: Node) -> None:
    """Raise RuntimeError if a parameter has another value than the node saw."""
    for source in node.inputs:
        if isinstance(source, Leaf) and source.version > node.id:
            raise RuntimeError(
                f"parameter {source.name or 'without a name'} was changed by assign "
                f"after {node.said} used it, so this gradient would mix two "
                "values: record the forward pass again, then ask for the gradient"
            )


class _Waiting(NamedTuple):
    """What waits for a leaf: the factors of products; None where g is to be summed."""

    a: list[Any]
    g: list[Any]


class _ArraySums:
    """Cotangents in arrays, summed as they arrive into buffers that belong to us.

    What arrives at a leaf as a product, or as rows to be summed, waits for what other
    steps send, and becomes one product or sum of all rows.
    """

    def __init__(
        self,
        live: set[Node],
        shares: list[tuple[Node, int, Any]] | None,
        wanted: set[Node],
    ) -> None:
        self.live = live
        self.parts: dict[Node, Any] = {}
        self.owned: set[Node] = set()
        self.argument = 0  # the operand whose rule is asked
        self.waiting: dict[Node, _Waiting] = {}
        self.turned: dict[Node, Any] = {}
        self.shares, self.wanted = shares, wanted
        self.watched = current_mode.get() is Mode.WATCH
        # Whether nobody looks at each cotangent on its own.
        self.alone = shares is None and not self.watched

    def add(self, node: Node, consumer: Node | None, i: int, d: Any) -> None:
        """One more cotangent of a node."""
        parts = self.parts
        if d.__class__ is Scatter:
            if node not in parts:
                parts[node] = np.zeros_like(node.value)
            elif node not in self.owned:
                parts[node] = parts[node].copy()
            self.owned.add(node)
            scatter_into(parts[node], d)
        elif node not in parts:
            parts[node] = d
        elif node in self.owned:
            np.add(parts[node], d, out=parts[node])
        else:
            parts[node] = np.asarray(parts[node] + d)
            self.owned.add(node)

    def total(self, node: Node) -> Any:
        """All that has arrived at a node."""
        if node in self.waiting:
            self._finish(node)
        return self.parts.pop(node, None)

    def pull(self, node: Node, g: Any) -> None:
        """Ask the rules of a node, and add what they answer to its inputs."""
        op, inputs, attrs = node.op, node.inputs, node.attrs
        if op in WRITTEN_OUT and self.alone:
            WRITTEN_OUT[op](self, inputs, node.value, g)
            return
        xs: Any = [source.value for source in inputs]
        if op.plain:
            rules: Sequence[Rule | None] = op.vjps
        else:
            attrs, rules = op.attributes(node), op.array_rules(node)
        ys = [xs] if op.variadic else xs
        for i, source in enumerate(inputs):
            rule = rules[i]
            if rule is None or source not in self.live:
                continue
            self.argument = i
            d = rule(g, node.value, *ys, **attrs)
            if d is None:
                continue
            if d.__class__ is not Scatter:
                if self.alone:
                    self._give(source, i, d, op)
                    continue
                d = fit(d, xs[i], op)
            if self.watched:
                watch(d, node, i)
            if self.shares is not None and source in self.wanted:
                self.shares.append((node, i, d))
            self.add(source, node, i, d)

    def _give(self, source: Node, i: int, d: Any, op: Op) -> None:
        """Add a cotangent that nobody looks at to what has arrived at a node."""
        x = source.value
        if d.shape != x.shape:
            if not source.inputs and d.shape[1:] == x.shape:
                self._wait(source, None, d)
                return
            d = unbroadcast(d, x.shape, op)
        if d.dtype is not x.dtype:
            d = d.astype(x.dtype, copy=False)
        if source in self.parts:
            self.add(source, None, i, d)
        else:
            self.parts[source] = d

    def _pull_add(self, inputs: Inputs, y: Any, g: Any) -> None:
        a, b = inputs
        if a in self.live:
            self._give(a, 0, g, add)
        if b in self.live:
            self._give(b, 1, g, add)

    def _pull_multiply(self, inputs: Inputs, y: Any, g: Any) -> None:
        a, b = inputs
        if a in self.live:
            self._give(a, 0, g * b.value, multiply)
        if b in self.live:
            self._give(b, 1, g * a.value, multiply)

    def _pull_tanh(self, inputs: Inputs, y: Any, g: Any) -> None:
        # The number as an array's element: NumPy takes as long as for the rest of it
        # to find out what a Python number becomes.
        self._give(inputs[0], 0, g * (y.dtype.type(1) - y * y), tanh)

    def _pull_matmul(self, inputs: Inputs, y: Any, g: Any) -> None:
        a, b = inputs
        matrices = a.value.ndim == b.value.ndim == 2
        if a in self.live:
            values = g, y, a.value, b.value
            d = g.dot(self._turned(b)) if matrices else from_left(*values)
            self._give(a, 0, d, matmul)
        if b in self.live:
            if matrices and not b.inputs:
                self._wait(b, a.value, g)
            else:
                self._give(b, 1, from_right(g, y, a.value, b.value), matmul)

    def _turned(self, matrix: Node) -> Any:
        """The transposed of a matrix: laid out anew if it is asked for again."""
        turned = self.turned.get(matrix)
        if turned is None:
            turned = matrix.value.T
            # BLAS multiplies by a view of this kind at up to half of its speed.
            self.turned[matrix] = (
                np.ascontiguousarray(turned) if matrix in self.turned else None
            )
        return turned

    def _wait(self, leaf: Node, a: Any, g: Any) -> None:
        """One more cotangent of a leaf: a.T @ g, or, where a is None, the sum of g."""
        waiting = self.waiting.get(leaf)
        if waiting is None:
            waiting = self.waiting[leaf] = _Waiting([], [])
        elif (waiting.a[0] is None) != (a is None):
            self._finish(leaf)
            waiting = self.waiting[leaf] = _Waiting([], [])
        waiting.a.append(a)
        waiting.g.append(g)
        if len(waiting.g) * len(g) >= ROWS:
            self._finish(leaf)

    def _finish(self, leaf: Node) -> None:
        """Multiply what waits: the rows of all steps at once."""
        lefts, rights = self.waiting.pop(leaf)
        g = rights[0] if len(rights) == 1 else np.concatenate(rights)
        if lefts[0] is None:
            d = np.add.reduce(g, 0)
        else:
            d = (lefts[0] if len(lefts) == 1 else np.concatenate(lefts)).T.dot(g)
        self.add(leaf, None, 0, np.asarray(d, leaf.value.dtype))


# The rules of what most programs are made of, for cotangents that nobody looks at.
WRITTEN_OUT = {
    add: _ArraySums._pull_add,
    multiply: _ArraySums._pull_multiply,
    tanh: _ArraySums._pull_tanh,
    matmul: _ArraySums._pull_matmul,
}
_Sums = _ArraySums | RecordedSums
