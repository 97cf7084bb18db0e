"""A recurrence run step by step, each step with its Jacobian.

Vocabulary
    state    an array for each name of ``recurrence.states``; the first axis is the
             batch, unless no state has more than one axis
    vector   the states of one sequence side by side: n numbers
    mixing   a step in which one sequence of the batch depends on another one

>>> import minigrad as mg
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(3):
...     h = (0.5 * h).named("h")
>>> found = list(walk(mg.fold(h), {"h": [[8.0]]}, {}, steps=2))
>>> [(t, after["h"].item(), J.item()) for t, after, J in found]
[(1, 4.0, 0.5), (2, 2.0, 0.5)]
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.fold import Recurrence
from minigrad.grad import vjp
from minigrad.tensor import Tensor, tensor

Array = NDArray[Any]
State = dict[str, Array]
Given = Mapping[str, Any]


def walk(
    recurrence: Recurrence,
    state: Given,
    inputs: Given,
    parameters: Given | None = None,
    steps: int | None = None,
) -> Iterator[tuple[int, State, Array]]:
    """t, the state after step t, and that step's Jacobian (batch, n, n).

    ``inputs`` are sequences, time first; ``steps`` says how many there are where the
    loop reads none. All is computed in float64.
    """
    now = checked(recurrence, state)
    for t, given in enumerate(each(recurrence, now, inputs, steps), 1):
        now, J = step(recurrence, now, given, parameters)
        yield t, now, J


def each(
    recurrence: Recurrence, state: State, inputs: Given, steps: int | None
) -> Iterator[dict[str, Any]]:
    """The inputs of each step.

    Raises ValueError where nothing says how many steps there are, or two things say it.

    >>> import minigrad as mg
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t, x in mg.steps(np.ones((3, 1, 1))):
    ...     h = (0.5 * h + x).named("h")
    >>> given = {"x": np.zeros((2, 1, 1))}
    >>> [x["x"].shape for x in each(mg.fold(h), {"h": np.ones((1, 1))}, given, None)]
    [(1, 1), (1, 1)]
    """
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    lengths = {name: len(value) for name, value in arrays.items()}
    if steps is None and not lengths:
        recurrence.step(state, {})  # which input it lacks is said first
        raise ValueError("nothing says how many steps there are: pass steps=")
    if len({*lengths.values(), steps} - {None}) > 1:
        raise ValueError(
            f"the inputs of a run are sequences of one length, got {lengths} and "
            f"steps={steps}"
        )
    for t in range(steps or next(iter(lengths.values()))):
        yield {name: value[t] for name, value in arrays.items()}


def checked(recurrence: Recurrence, state: Given) -> State:
    """The states as float64 arrays of one batch, in the recurrence's order.

    Raises TypeError for what is no recurrence, ValueError for a state that is missing
    and for batches that differ.

    >>> import minigrad as mg
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = (0.5 * h).named("h")
    >>> checked(mg.fold(h), {"h": [[8]]})
    {'h': array([[8.]])}
    """
    if not isinstance(recurrence, Recurrence):
        raise TypeError(
            "an analysis is that of a folded recurrence, got "
            f"{type(recurrence).__name__}: write mg.fold(loss)"
        )
    lacking = [name for name in recurrence.states if name not in state]
    if lacking or not recurrence.states:
        names = ", ".join(recurrence.states) or "none"
        raise ValueError(
            f"an analysis needs an array for each state ({names})"
            + (f", {', '.join(lacking)} is missing" if lacking else "")
        )
    arrays = {name: np.array(state[name], float) for name in recurrence.states}
    batches = {a.shape[0] for a in arrays.values() if a.ndim > 1}
    batched = all(a.ndim > 1 for a in arrays.values())
    if len(batches) > 1 or (batches and not batched):
        shapes = {name: a.shape for name, a in arrays.items()}
        raise ValueError(f"all states have the batch as first axis, got {shapes}")
    return arrays


def flat(state: State) -> Array:
    """The vectors (batch, n) of the sequences.

    >>> state = {"h": np.zeros((2, 3)), "s": np.ones((2, 1))}
    >>> flat(state)
    array([[0., 0., 0., 1.],
           [0., 0., 0., 1.]])
    >>> {name: a.shape for name, a in unflat(flat(state), state).items()}
    {'h': (2, 3), 's': (2, 1)}
    """
    batched = all(a.ndim > 1 for a in state.values())
    rows = len(next(iter(state.values()))) if batched else 1
    return np.concatenate([a.reshape(rows, -1) for a in state.values()], axis=1)


def unflat(vectors: Array, like: State) -> State:
    """The states that vectors are of, in the shapes of others."""
    found, start = {}, 0
    for name, a in like.items():
        size = a.size // len(vectors)
        found[name] = vectors[:, start : start + size].reshape(a.shape)
        start += size
    return found


def step(
    recurrence: Recurrence, state: State, given: Given, parameters: Given | None
) -> tuple[State, Array]:
    """The state after one step, and its Jacobian (batch, n, n) by the state before.

    Raises ValueError where the step makes another number of states, or mixes the
    sequences of the batch.

    >>> import minigrad as mg
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = (0.5 * h).named("h")
    >>> step(mg.fold(h), {"h": np.array([[8.0]])}, {}, None)
    ({'h': array([[4.]])}, array([[[0.5]]]))
    """
    leaves = {n: tensor(a, name=n, requires_grad=True) for n, a in state.items()}
    made = recurrence.step(leaves, given, parameters)
    after = {n: array_of(made[n]) for n in state}
    before, vectors = flat(state), flat(after)
    if before.shape != vectors.shape:
        raise ValueError(
            f"a step makes {vectors.shape} numbers of {before.shape}: give the state "
            "with the batch of the inputs"
        )
    J = np.zeros((*vectors.shape, before.shape[1]))
    for i in range(vectors.shape[1]):
        g = np.zeros(vectors.shape)
        g[:, i] = 1.0
        J[:, i] = _back(made, leaves, after, g)
    if len(vectors) > 1:
        _refuse_mixing(made, leaves, after, J)
    return after, J


def array_of(value: Any) -> Array:
    """An array of what a step made.

    >>> import minigrad as mg
    >>> array_of(mg.tensor([1, 2]))
    array([1., 2.])
    """
    return np.array(value.data if isinstance(value, Tensor) else value, float)


def _back(made: Given, leaves: dict[str, Tensor], after: State, g: Array) -> Array:
    """The vectors that cotangents of the vectors after a step come back as."""
    parts, total = unflat(g, after), np.zeros_like(g)
    targets = list(leaves.values())
    for name, part in parts.items():
        value = made[name]
        if isinstance(value, Tensor) and value.node.kind != "constant":
            rows = vjp(value, targets, part, unreached="zeros")
            found = {n: r.data for n, r in zip(leaves, rows, strict=True)}
            total = total + flat(found)
    return total


def _refuse_mixing(
    made: Given, leaves: dict[str, Tensor], after: State, J: Array
) -> None:
    """Raise where a sequence depends on another: the Jacobian of one is not its own."""
    g = np.random.default_rng(0).normal(size=J.shape[:2])
    one = np.einsum("bij,bi->bj", J, g)
    if not np.allclose(_back(made, leaves, after, g), one, rtol=1e-6, atol=1e-9):
        raise ValueError(
            "in this recurrence a sequence of the batch depends on others, so its "
            "state is that of the whole batch: analyse one sequence at a time"
        )
