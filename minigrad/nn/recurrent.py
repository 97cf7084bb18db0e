"""Recurrence: a cell run over time, with what real sequences ask of it.

``unroll`` is the one loop. Sequences of unequal length, the cut of a truncated gradient
and dropout come as masks, which are inputs of the graph: every step then does the same,
and the graph folds.

>>> import minigrad as mg
>>> from minigrad.nn.cells import Elman
>>> cell = Elman(2, 3, rng=np.random.default_rng(0))
>>> xs = np.ones((4, 1, 2), np.float32)
>>> for t, (h,) in unroll(cell, xs):
...     last = h
>>> [str(edge) for edge in mg.fold(mg.contract(last)).edges]
['h0 -> h(1) by W', 'h(t-1) -> h(t) by W', 'x(t) -> h(t) by U']
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minigrad.nn.cells import Cell, Stack, State
from minigrad.op import Op
from minigrad.ops.elementwise import where
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, tensor

__all__ = ["detached", "extent", "masks", "stop_gradient", "unroll"]


def _same(x: Any) -> Any:
    return np.asarray(x)


stop_gradient = Op(_same, None, name="stop_gradient")
stop_gradient.__doc__ = "x, with no gradient into it."


def unroll(
    cell: Cell,
    xs: Any,
    state: State | None = None,
    *,
    mask: Any = None,
    truncate: int | None = None,
    rng: np.random.Generator | None = None,
    reverse: bool = False,
    **sequences: Any,
) -> Iterator[Any]:
    """Run a cell over xs: yields ``(t, state, *values)`` at every step.

    Parameters
    ----------
    xs: (time, batch, n_in), an array, a Tensor, or a list with one Tensor a step.
    state: the state before the first step; ``cell.start`` by default.
    mask: (time, batch), true where a step is within its sequence, as ``masks`` makes
        it. Beyond its end a sequence keeps its state (with ``reverse``: has not left
        its start), so padding reaches nothing.
    truncate: the gradient is cut every so many steps, and the state carried on; 1 is
        Elman's own rule (1990), in which the last state is an input like any other.
    rng: draws the dropout masks of a ``Stack``; without it nothing is dropped.
    sequences: handed out along with the state, as by ``mg.steps``.

    The states are named after the cell's names: ``h``, or ``h1`` and ``h2`` of a stack.
    """
    length, batch = extent(xs)
    state = cell.start(batch) if state is None else state
    given: dict[str, Any] = {"x": xs, **sequences}
    if mask is not None:
        given["mask"] = mask
    if truncate is not None:
        if truncate < 1:
            raise ValueError(f"truncate is a number of steps, got {truncate}")
        cuts = np.arange(length) % truncate == 0
        cuts[0] = False  # the state before the first step may be learnt
        given["cut"] = tensor(cuts, name="cuts")
    if rng is not None and isinstance(cell, Stack):
        given |= cell.noise(length, batch, rng)
    ours = 1 + len(sequences)
    for t, x, *values in steps(**given, reverse=reverse):
        own, more = values[: ours - 1], values[ours - 1 :]
        within = None if mask is None else more.pop(0)[:, None]
        before = state
        if truncate is not None:
            cut = more.pop(0)
            before = tuple(where(cut, stop_gradient(s), s) for s in before)
        state = cell(x, before, *more)
        if within is not None:
            pairs = zip(state, before, strict=True)
            state = tuple(where(within, new, old) for new, old in pairs)
        for name, s in zip(cell.names, state, strict=True):
            if s.name is None:
                s.named(name)
        yield (t, state, *own)


def detached(state: State) -> State:
    """A state's values as new inputs: the next piece starts here, without gradient."""
    found: dict[int, Tensor] = {}
    for s in state:
        name = (s.name or "h").rstrip("0") + "0"
        found.setdefault(id(s), tensor(s.data, name=name))
    return tuple(found[id(s)] for s in state)


def masks(lengths: ArrayLike, steps: int) -> NDArray[np.bool_]:
    """True where a step is within its sequence: (steps, batch).

    >>> masks([1, 3], 3).astype(int).tolist()
    [[1, 1], [0, 1], [0, 1]]
    """
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1:
        raise ValueError(
            f"lengths are whole numbers of shape (batch,), got {lengths.dtype} "
            f"{lengths.shape}"
        )
    if lengths.size and not 1 <= lengths.min() <= lengths.max() <= steps:
        raise ValueError(
            f"lengths lie in 1..{steps}, the steps there are, got "
            f"{lengths.min()}..{lengths.max()}"
        )
    return np.arange(steps)[:, None] < lengths


def extent(xs: Any) -> tuple[int, int]:
    """Steps and batch size of a sequence."""
    if isinstance(xs, Sequence):
        return len(xs), xs[0].shape[0]
    shape = np.shape(xs)
    if len(shape) < 2:
        raise ValueError(f"a sequence is (time, batch, ...), got shape {shape}")
    return shape[0], shape[1]
