"""Time: ``steps`` marks what a loop body makes with its step; ``step`` reads x(t).

>>> import minigrad as mg
>>> import numpy as np
>>> for t, x in mg.steps(np.arange(6.0).reshape(3, 2)):
...     print(t, x.node.label, x.data)
1 x(1) [0. 1.]
2 x(2) [2. 3.]
3 x(3) [4. 5.]
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.graph import Node
from minigrad.op import Op, Scatter
from minigrad.scope import LOOP, Clock, current
from minigrad.tensor import Tensor, tensor


class Step(Op):
    """x(t): the element of a sequence at the step that the node itself is in."""

    def _forward(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        t = current.get().t
        assert t is not None, "step is recorded by mg.steps alone"
        return self.forward(values[0], t)

    def attributes(self, node: Node) -> dict[str, Any]:
        """The step comes from where the node is, so that steps fold alike."""
        return {"t": node.scope.t}


def _at_step(xs: Any, t: int) -> Any:
    """xs(t), steps counted from 1."""
    return xs[t - 1]


step: Op = Step(_at_step, lambda g, y, xs, t=0: Scatter(g, t - 1), name="step")


def steps(*args: Any, reverse: bool = False, **sequences: Any) -> Iterator[Any]:
    """Loop over time; all that the body makes belongs to step t = 1 .. T.

    ``steps(xs)`` yields ``(t, x)``, ``steps(x=xs, y=ys)`` yields ``(t, x, y)`` with
    the values named by the keywords, and ``steps(T)`` yields t alone. A sequence is an
    array or Tensor with time as its first axis, or a list with one Tensor per step.
    With ``reverse=True`` the loop runs from T to 1.

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
    return _loop(length, clock, readers, reverse)


def _loop(
    length: int, clock: Clock, readers: list[tuple[str, Any]], reverse: bool
) -> Iterator[Any]:
    outer = current.get()
    number = outer.number(LOOP)
    body = outer
    try:
        for t in range(length, 0, -1) if reverse else range(1, length + 1):
            current.set(body := outer.step(number, clock, t))
            read = [_read(name, seq, t) for name, seq in readers]
            yield (t, *read) if read else t
    finally:
        # Leaving the loop by break or by an exception drops the generator, which
        # ends here: the step never leaks into what is recorded next. An exception keeps
        # the generator alive for longer; a scope around the loop has been left by then.
        if current.get() is body:
            current.set(outer)


def _read(name: str, sequence: Any, t: int) -> Tensor:
    if isinstance(sequence, Tensor):
        x: Tensor = step(sequence)
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
            f"sequence {name!r} is a single number; time must be its first axis, and a "
            "number of steps is an int"
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
