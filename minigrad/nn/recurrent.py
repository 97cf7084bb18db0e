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

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.nn.cells import Cell, Stack, State
from minigrad.op import Op
from minigrad.ops.discrete import argmax
from minigrad.ops.elementwise import where
from minigrad.ops.indexing import embedding
from minigrad.ops.shape import expand_dims, stack
from minigrad.ops.time import Loop, steps
from minigrad.tensor import Tensor, tensor

# What tells models how long each sequence is; see ``mask_of``.
Lengths = ArrayLike | Tensor | None


def _same(x: Any) -> Any:
    return np.asarray(x)


def _unit_of_best(o: Any) -> Any:
    o = np.asarray(o)
    return np.eye(o.shape[-1], dtype=o.dtype)[o.argmax(-1)]


def _unit_in_jax(o: Any) -> Any:
    return (o.argmax(-1)[..., None] == np.arange(o.shape[-1])).astype(o.dtype)


def _unit_in_ops(o: Tensor) -> Tensor:
    found = expand_dims(argmax(o, axis=-1), -1) == np.arange(o.shape[-1])
    return found.astype(o.dtype)  # type: ignore[no-any-return]


stop_gradient = Op(
    _same,
    None,
    name="stop_gradient",
    lowerings={"jax": lambda x: x, "onnx": lambda x: x},
)
stop_gradient.__doc__ = "x, with no gradient into it."
best = Op(
    _unit_of_best,
    None,
    name="best",
    lowerings={"jax": _unit_in_jax, "onnx": _unit_in_ops},
)
best.__doc__ = "The unit vector of each row's largest element, with no gradient."


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
) -> Loop:
    """Run a cell over xs: a loop that yields ``(t, state, *values)`` at every step.

    Parameters
    ----------
    xs: (time, batch, n_in), an array, a Tensor, or a list with one Tensor a step.
    state: the state before the first step, Tensors or arrays; by default that of
        ``cell.start``.
    mask: (time, batch), true where a step is within its sequence, as ``masks`` makes
        it. Beyond its end a sequence keeps its state (with ``reverse``: has not left
        its start), so padding reaches nothing.
    truncate: the gradient is cut every so many steps, and the state carried on; 1 is
        Elman's own rule (1990), in which the last state is an input like any other.
    rng: draws the dropout masks of a ``Stack``; without it nothing is dropped.
    sequences: handed out along with the state, as by ``mg.steps``.

    The states are named after the cell's names: ``h``, or ``h1`` and ``h2`` of a stack.

    Raises TypeError for a cell without sizes, for what is no state of it, and for a
    sequence that is called ``x`` or
    ``cut``, ValueError for shapes that do not fit and for a ``truncate`` below 1.
    """
    if not hasattr(cell, "n_in"):
        raise TypeError(
            f"{type(cell).__name__} has no sizes: its __init__ begins with "
            "super().__init__(n_in, n_hidden, dtype)"
        )
    length, batch = extent(xs, cell.n_in)
    state = cell.start(batch) if state is None else _as_tensors(state, cell)
    taken = {"x", "cut"} & sequences.keys()
    if taken:
        raise TypeError(f"unroll has its own {', '.join(taken)}: choose another name")
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
    start = state

    def iterate(line: str) -> Iterator[Any]:
        loop = steps(**given, reverse=reverse)
        loop.line = line
        return _run(cell, loop, start, len(sequences), truncate is not None, masked)

    masked = mask is not None
    return Loop("unroll(...)", iterate)


def _run(
    cell: Cell,
    loop: Loop,
    state: State,
    handed: int,
    truncated: bool,
    masked: bool,
) -> Iterator[Any]:
    """The loop of ``unroll``; ``handed`` of the sequences are the caller's own."""
    for t, x, *values in loop:
        own, more = values[:handed], values[handed:]
        within = more.pop(0)[:, None] if masked else None
        before = state
        if truncated:
            cut = more.pop(0)
            before = tuple(where(cut, stop_gradient(s), s) for s in before)
        state = _checked(cell, cell(x, before, *more), before)
        if within is not None:
            pairs = zip(state, before, strict=True)
            state = tuple(where(within, new, old) for new, old in pairs)
        name_state(cell, state)
        yield (t, state, *own)


def _checked(cell: Cell, state: Any, before: State) -> State:
    """The state that a cell gave; a TypeError or ValueError that it is none."""
    kind, names = type(cell).__name__, ", ".join(cell.names)
    given = state if isinstance(state, tuple) else (state,)
    tensors = all(isinstance(s, Tensor) for s in given)
    if given is not state or not tensors or len(state) != len(cell.names):
        raise TypeError(
            f"{kind}.forward gives the new state, a tuple of Tensors, one for each of "
            f"its names ({names}): got {type(state).__name__}"
            + (f" of {len(state)}" if isinstance(state, tuple) else "")
        )
    for name, new, old in zip(cell.names, state, before, strict=True):
        if new.shape != old.shape:
            raise ValueError(
                f"{kind}.forward makes {name} of shape {new.shape} from one of "
                f"{old.shape}: a state keeps its shape, (batch, n_hidden)"
            )
    return state


def name_state(cell: Cell, state: State) -> None:
    """Name the parts of a state that have no name yet after the cell's names.

    Shapes are those of the cell's state, (batch, n_hidden).

    >>> from minigrad.nn.cells import LSTM
    >>> cell = LSTM(2, 3, rng=np.random.default_rng(0))
    >>> state = cell(np.ones((1, 2), np.float32), cell.start(batch=1))
    >>> name_state(cell, state)
    >>> [s.name for s in state]
    ['h', 's']
    """
    for name, s in zip(cell.names, state, strict=True):
        if s.name is None:
            s.named(name)


def _as_tensors(state: Any, cell: Cell) -> State:
    cell.require(state)
    return tuple(
        s if isinstance(s, Tensor) else tensor(s, name=f"{name}0")
        for s, name in zip(state, cell.names, strict=True)
    )


def detached(state: State) -> State:
    """A state's values as new inputs: the next piece starts here, without gradient.

    Shapes and dtypes stay.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]])
    >>> (h0,) = detached(((mg.tensor([[1.0]]) @ W).named("h"),))
    >>> h0.name, h0.item(), mg.Graph(h0).parameters
    ('h0', 0.5, ())
    """
    found: dict[int, Tensor] = {}
    for s in state:
        name = (s.name or "h").rstrip("0") + "0"
        found.setdefault(id(s), tensor(s.data, name=name))
    return tuple(found[id(s)] for s in state)


def read_out(hs: list[Tensor], read: str | int, mask: Tensor | None = None) -> Tensor:
    """One h of all h(t), (batch, n_hidden): "last", "mean", "max", or that of a step.

    A step is counted from 1, or from the end as -1, -2, ... With a mask the mean and
    the maximum are over the steps within each sequence; the last state is that of its
    own last step already, since ``unroll`` keeps it.

    Raises ValueError for another ``read`` and for a step that there is not.

    >>> hs = [tensor([[1.0]]), tensor([[5.0]]), tensor([[3.0]])]
    >>> [read_out(hs, read).item() for read in ("last", "mean", "max", 1)]
    [3.0, 3.0, 5.0, 1.0]
    """
    if isinstance(read, int):
        if not 1 <= abs(read) <= len(hs):
            raise ValueError(f"no step {read} among {len(hs)} (the first is 1)")
        if mask is not None and read < -1:
            raise ValueError(
                f"read={read} counts from the end of the longest sequence, so with "
                'lengths it is another step of each: write read="last" or a step from 1'
            )
        return hs[read - 1 if read > 0 else read]
    if read == "last":
        return hs[-1]
    every = stack(hs)
    within = None if mask is None else expand_dims(mask, -1)
    if read == "mean":
        if within is None:
            return every.mean(axis=0)  # type: ignore[no-any-return]
        weights = within.astype(every.dtype)
        return (every * weights).sum(axis=0) / weights.sum(axis=0)  # type: ignore[no-any-return]
    if read == "max":
        if within is not None:
            every = where(within, every, -np.inf)
        return every.max(axis=0)  # type: ignore[no-any-return]
    raise ValueError(f'read is "last", "mean", "max" or a step, got {read!r}')


def sequence(xs: Any, name: str = "xs") -> Any:
    """xs as one node, for several loops over the same steps; a list stays a list.

    >>> xs = sequence(np.ones((4, 1, 2)))
    >>> xs.name, xs.shape
    ('xs', (4, 1, 2))
    """
    return xs if isinstance(xs, (Tensor, list, tuple)) else tensor(xs, name=name)


def unit_vectors(n: int, dtype: DTypeLike) -> Callable[[Tensor], Tensor]:
    """A function that makes class numbers (batch,) unit vectors, named e, (batch, n).

    Numbers that are not whole are vectors already, and come back as they are.

    The vectors are of this dtype.

    >>> unit_vectors(3, np.float32)(tensor([2, 0])).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    eye = tensor(np.eye(n, dtype=dtype))

    def vector(y: Tensor) -> Tensor:
        if y.dtype.kind not in "iu":
            return y
        return embedding(eye, y).named("e")  # type: ignore[no-any-return]

    return vector


def answer(say: Callable[[NDArray[Any]], ArrayLike], o: Tensor) -> Tensor:
    """y(t) as ``say`` makes it of o(t) (batch, n): class numbers (batch,), or vectors.

    Raises ValueError for another shape.

    >>> import minigrad as mg
    >>> answer(lambda o: o.argmax(-1), mg.tensor([[1.0, 0.0], [0.0, 1.0]])).data
    array([0, 1])
    """
    y = tensor(say(o.data))
    if y.shape not in (o.shape[:1], o.shape):
        raise ValueError(
            f"say gives class numbers {o.shape[:1]} or vectors {o.shape} for o(t), got "
            f"shape {y.shape}"
        )
    return y


def masks(lengths: ArrayLike, steps: int) -> NDArray[np.bool_]:
    """True where a step is within its sequence: (steps, batch).

    Raises ValueError for lengths that are not whole numbers (batch,) from 1 to
    ``steps``.

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


def mask_of(lengths: Lengths, xs: Any, name: str = "masks") -> Tensor | None:
    """The mask of sequences xs with these lengths, as ``unroll`` takes it.

    ``lengths`` are whole numbers (batch,), or the mask (time, batch) that ``masks``
    makes of them: a compiled step takes that as an argument. None is for no mask.

    Raises TypeError for lengths as a Tensor, ValueError for lengths or a mask of
    another batch.

    >>> mask_of([1, 3], np.ones((3, 2, 5))).shape
    (3, 2)
    """
    if lengths is None:
        return None
    if isinstance(lengths, Tensor):
        mask = lengths
        if mask.dtype.kind in "iu":
            raise TypeError(
                "lengths are an array or a list, and no Tensor, since their mask is "
                "made before anything is recorded: write lengths=t.data, or lengths="
                "minigrad.nn.recurrent.masks(array, steps), which a compiled step "
                "takes as an argument"
            )
    else:
        given = np.asarray(lengths)
        steps, batch = extent(xs)
        if given.ndim == 1 and len(given) != batch:
            raise ValueError(
                f"lengths has one number for each sequence of the batch: got "
                f"{len(given)} for {batch}"
            )
        boolean = given.dtype == bool
        mask = tensor(given if boolean else masks(given, steps), name=name)
    if mask.dtype != bool or mask.shape != extent(xs):
        raise ValueError(
            f"a mask of these sequences is bool {extent(xs)}, got {mask.dtype} "
            f"{mask.shape}; lengths are whole numbers (batch,)"
        )
    return mask


def extent(xs: Any, n_in: int | None = None) -> tuple[int, int]:
    """Steps and batch size of a sequence (time, batch, n_in).

    >>> extent(np.zeros((20, 4)), n_in=1)
    Traceback (most recent call last):
    ValueError: a sequence is (time, batch, features), got shape (20, 4); for one \
feature write xs[:, :, None]
    """
    if isinstance(xs, Sequence) and xs:
        shape = (len(xs), *np.shape(xs[0]))
    else:
        shape = np.shape(xs)
    if len(shape) < 2 or (n_in is not None and len(shape) != 3):
        raise ValueError(
            f"a sequence is (time, batch, features), got shape {shape}"
            + _missing_axis(shape, n_in)
        )
    if n_in not in (None, shape[-1]):
        raise ValueError(
            f"this network reads n_in = {n_in} features at each step, got {shape[-1]}: "
            f"the shape is {shape}, and a sequence is (time, batch, features)"
        )
    return shape[0], shape[1]


def _missing_axis(shape: tuple[int, ...], n_in: int | None) -> str:
    """How to write what was probably meant."""
    if len(shape) == 1:
        return "; for one sequence of one feature write xs[:, None, None]"
    if len(shape) != 2 or n_in is None:
        return ""
    if n_in == 1:
        return "; for one feature write xs[:, :, None]"
    if n_in == shape[1]:
        return "; for one sequence write xs[:, None]"
    return f"; for class numbers write minigrad.data.one_hot(xs, {n_in})"
