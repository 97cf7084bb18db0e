"""Time: ``steps`` marks what a loop body makes with its step; ``step`` reads x(t).

>>> import minigrad as mg
>>> import numpy as np
>>> for t, x in mg.steps(np.arange(6.0).reshape(3, 2)):
...     print(t, x.node.label, x.data)
1 x(1) [0. 1.]
2 x(2) [2. 3.]
3 x(3) [4. 5.]
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np

from minigrad.graph import Node, StepIndex
from minigrad.op import Op, Scatter
from minigrad.pickles import NotPickled
from minigrad.scope import LOOP, Clock, Scope, current, user_line
from minigrad.tensor import Tensor, tensor


class Step(Op):
    """x(t): the element of a sequence at the step that the node itself is in.

    >>> import minigrad as mg
    >>> for t, x in steps(np.ones((2, 3))):
    ...     pass
    >>> isinstance(x.node.op, Step), x.shape
    (True, (3,))
    """

    def _forward(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        t = current.get().t
        assert t is not None, "step is recorded by mg.steps alone"
        return values[0][t - 1]

    def attributes(self, node: Node) -> dict[str, Any]:
        """The step comes from where the node is, so that steps fold alike."""
        return {"t": node.scope.t}


def _at_step(xs: Any, t: int) -> Any:
    """xs(t), steps counted from 1.

    Its shape is that of xs without the first axis.
    """
    return xs[t - 1]


step: Op = Step(
    _at_step, lambda g, y, xs, t=0: Scatter(g, StepIndex(t - 1)), name="step"
)


class Loop(NotPickled):
    """What ``steps`` and ``unroll`` return: a ``for`` over it makes the iterator.

    So a break or an exception frees the iterator, and with it the step, even where the
    loop itself is kept.

    >>> loop = steps(3)
    >>> isinstance(loop, Loop), list(loop), list(loop)
    (True, [1, 2, 3], [1, 2, 3])
    """

    _instead: ClassVar[str] = "it is a loop over time; make it where it runs"

    def __init__(self, call: str, iterate: Callable[[str], Iterator[Any]]) -> None:
        self.call, self.iterate = call, iterate
        self.line = user_line()

    def __iter__(self) -> Iterator[Any]:
        return self.iterate(self.line)

    def __next__(self) -> NoReturn:
        raise TypeError(
            f"{self.call} is a loop and no iterator: what is recorded after next(...) "
            f"would belong to a step that nobody ends. Write for t, x in {self.call}; "
            "to look at the first value, index the sequence: xs[0]"
        )

    def __repr__(self) -> str:
        return f"<loop {self.call} made at {self.line}>"


def steps(*args: Any, reverse: bool = False, **sequences: Any) -> Loop:
    """Loop over time; all that the body makes belongs to step t = 1 .. T.

    ``steps(xs)`` yields ``(t, x)``, ``steps(x=xs, y=ys)`` yields ``(t, x, y)`` with
    the values named by the keywords, and ``steps(T)`` yields t alone. A sequence is an
    array or Tensor with time as its first axis, or a list with one Tensor per step.
    With ``reverse=True`` the loop runs from T to 1.

    Raises ValueError for less than one step and for sequences of unequal length,
    TypeError for nothing to go over and for several sequences without names.

    >>> [t for t in steps(3, reverse=True)]
    [3, 2, 1]
    """
    if len(args) == 1 and not sequences and isinstance(args[0], (int, np.integer)):
        length, clock, readers = int(args[0]), Clock(int(args[0])), []
        if length < 1:
            raise ValueError(f"a loop over time has at least one step, got {length}")
    else:
        if len(args) > 1:
            raise TypeError("name several sequences: mg.steps(x=xs, y=ys)")
        named = ({"x": args[0]} if args else {}) | sequences
        if not named:
            raise TypeError("mg.steps takes a number of steps or sequences")
        found = {name: _sequence(name, given) for name, given in named.items()}
        lengths = {name: len(seq) for name, seq in found.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                "the sequences of one loop must have the same number of steps "
                f"(time is the first axis), got {lengths}"
            )
        length = next(iter(lengths.values()))
        clock = _shared_clock(found.values(), length)
        readers = list(found.items())
    given = ", ".join(f"{name}=..." for name, _ in readers) or str(length)
    order = range(length, 0, -1) if reverse else range(1, length + 1)
    return Loop(
        f"mg.steps({given})", lambda line: _iterate(order, clock, readers, line)
    )


def _iterate(
    order: range, clock: Clock, readers: list[tuple[str, Any]], line: str
) -> Iterator[Any]:
    outer = current.get()
    number = outer.number(LOOP)
    body = outer
    try:
        for t in order:
            if current.get() is not body:
                _refuse(outer, body, line)
            current.set(body := outer.step(number, clock, t, line))
            if readers:
                yield (t, *[_read(name, seq, t, body) for name, seq in readers])
            else:
                yield t
        if current.get() is not body:
            _refuse(outer, body, line)
    finally:
        # Leaving the loop by break or by an exception drops the generator, which
        # ends here: the step never leaks into what is recorded next. An exception keeps
        # the generator alive for longer; a scope around the loop has been left by then.
        if current.get() is body:
            current.set(outer)


def _refuse(outer: Scope, body: Scope, line: str) -> NoReturn:
    """Raise where a loop goes on while its step is not the innermost open one."""
    now = current.get()
    if not body.holds(now):
        raise RuntimeError(
            f"the loop over time made at {line} goes on in another thread or context "
            "than the one that its step was opened in: run each loop in one of them"
        )
    current.set(outer)  # nothing that is recorded from here on belongs to a step
    inside = [name for name, *_ in now.path[len(body.path) :]]
    loop = f"the loop made at {now.loop}"
    what = loop if LOOP in inside else f"scope {inside[-1]!r}"
    raise RuntimeError(
        f"the loop over time made at {line} goes on to its next step while a step of "
        f"{what} is open inside of it. Two loops that take turns, as in "
        "zip(mg.steps(x=xs), mg.steps(y=ys)), would lie in one another: write one "
        "loop, for t, x, y in mg.steps(x=xs, y=ys), and call both cells in its body"
    )


def _read(name: str, sequence: Any, t: int, body: Scope) -> Tensor:
    if isinstance(sequence, Tensor):
        x: Tensor = step.made((sequence.node,), {}, body, next(body.slots))
        x.node.name = name
        return x
    return sequence[t - 1]  # type: ignore[no-any-return]


def _sequence(name: str, given: Any) -> Tensor | Sequence[Tensor]:
    if isinstance(given, (list, tuple)) and any(isinstance(g, Tensor) for g in given):
        if all(isinstance(g, Tensor) for g in given):
            return given
        raise TypeError(f"sequence {name!r} mixes Tensors with other things")
    result = given if isinstance(given, Tensor) else tensor(given, name=f"{name}s")
    if not result.shape:
        raise ValueError(
            "a number of steps is an int, and of a sequence time must be its first axis"
            f": {name!r} is a single number, {given!r}"
        )
    if not len(result):
        raise ValueError(f"sequence {name!r} has no steps: shape {result.shape}")
    return result


def _shared_clock(sequences: Any, length: int) -> Clock:
    """The clock of an earlier loop over one of these sequences, or a new one."""
    nodes = [s.node for s in sequences if isinstance(s, Tensor)]
    known = [n.clock for n in nodes if hasattr(n, "clock")]
    for sequence in sequences:
        if not isinstance(sequence, Tensor):
            times = [s.node.time for s in sequence]
            first = times[0]
            if first and times == [(first[0], t) for t in range(1, length + 1)]:
                known.append(first[0])
    clock = known[0] if known else Clock(length)
    for node in nodes:
        node.clock = clock
    return clock
