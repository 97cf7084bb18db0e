"""Checks of what holds parameters: modules with a loss, and recurrent cells.

A module is whatever has ``named_parameters()``; a cell is called as
``state = cell(x, state)`` and has ``start(batch)`` and ``n_in``.

>>> import numpy as np
>>> from minigrad.nn import cells
>>> check_recurrent(cells.GRU(2, 3, rng=np.random.default_rng(0)))
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.fold import fold
from minigrad.grad import grad, grad_by_use
from minigrad.graph import Graph
from minigrad.ops.elementwise import add_n
from minigrad.ops.reduction import sum as total
from minigrad.ops.time import steps
from minigrad.tensor import Parameter, Tensor, tensor
from minigrad.testing.gradient import cotangent
from minigrad.testing.numeric import SCHEMES
from minigrad.testing.report import GradientError, compare, require

Array = NDArray[Any]


def check_module(
    model: Any,
    loss: Callable[[Any], Tensor],
    rtol: float = 1e-6,
    atol: float = 1e-8,
    entries: int = 10,
    seed: int = 0,
) -> None:
    """Compare the gradient of a loss by every parameter of a model with differences.

    Parameters
    ----------
    model: has ``named_parameters()``. For the time of the check its parameters are
        float64; afterwards they are what they were.
    loss: ``loss(model)`` gives a scalar, the same at every call.
    entries: how many elements of each parameter are checked, drawn by ``seed``.

    Raises GradientError, which names the parameter. One that the loss does not reach is
    an error too.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.nn import cells
    >>> cell = cells.Elman(2, 3, rng=np.random.default_rng(0))
    >>> check_module(cell, lambda cell: cell(np.ones((1, 2)), cell.start(1))[0].sum())
    """
    named = list(model.named_parameters())
    if not named:
        raise ValueError(f"{type(model).__name__} has no parameters to check")
    rng = np.random.default_rng(seed)
    with doubled([p for _, p in named]):
        y = loss(model)
        if loss(model).item() != y.item():
            raise GradientError("the loss has another value when computed again")
        for path, p in named:
            if p.node not in Graph(y).parameters:
                raise GradientError(f"the loss does not reach the parameter {path}")
            found = grad(y, p)[0].data.ravel()
            size = min(entries, p.size)
            chosen = np.sort(rng.choice(p.size, size, replace=False))
            expected = [_slope(lambda: loss(model), p, int(k)) for k in chosen]
            what = f"the gradient by {path} (its elements {chosen.tolist()})"
            said = compare(what, found[chosen], np.array(expected), rtol, atol)
            if said is not None:
                raise GradientError(f"{type(model).__name__}: {said}\nseed {seed}")


def _slope(value: Callable[[], Tensor], p: Parameter, k: int) -> Any:
    """The derivative of ``value()`` by the k-th element of p, from differences."""
    before = p.node.value

    def at(step: Any) -> Array:
        moved = before.copy()
        moved.reshape(-1)[k] += step
        p.node.value = moved
        return np.asarray(value().data)

    try:
        return SCHEMES["richardson"](at)
    finally:
        p.node.value = before


@contextmanager
def doubled(parameters: list[Parameter]) -> Iterator[None]:
    """The parameters in float64, where differences are accurate, for the block."""
    before = [p.node.value for p in parameters]
    try:
        for p in parameters:
            p.node.value = np.array(p.node.value, np.float64)
        yield
    finally:
        for p, value in zip(parameters, before, strict=True):
            p.node.value = value


def check_recurrent(cell: Any, length: int = 8, batch: int = 2, seed: int = 0) -> None:
    """Check what a recurrent cell promises, besides its gradient by differences.

    A loss over ``length`` steps folds, and folds alike for one step more; the shares of
    each parameter over the steps sum to its gradient; two halves with the state handed
    on compute what one run does; a row of the batch reaches no other row; a step
    reaches no earlier one.

    Raises GradientError, which says the promise that does not hold.
    """
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(length + 1, batch, cell.n_in))
    weights = cotangent(rng, np.shape(_last(cell, xs[:1])[0]))
    check_module(cell, lambda cell: total(weights * _last(cell, xs[:3])[0]), seed=seed)
    with doubled([p for _, p in cell.named_parameters()]):
        loss = _loss(cell, xs[:length], weights)
        _require_fold(loss, _loss(cell, xs, weights))
        for path, p in cell.named_parameters():
            shares = [share.gradient.data for share in grad_by_use(loss, p)]
            what = f"the sum of the shares of {path} over its uses"
            require(compare(what, sum(shares), grad(loss, p)[0].data, 1e-9, 1e-11))
        whole = _last(cell, xs)
        half = _last(cell, xs[: length // 2])
        halves = _last(cell, xs[length // 2 :], [tensor(s.data) for s in half])
        for a, b in zip(halves, whole, strict=True):
            require(compare("the state of two halves", a.data, b.data, 1e-12, 1e-13))
        _require_separate(cell, xs, weights)


def _states(cell: Any, xs: Any, state: Any = None) -> Iterator[Any]:
    sequence = xs if isinstance(xs, Tensor) else tensor(xs, name="xs")
    state = cell.start(sequence.shape[1]) if state is None else state
    for _, x in steps(x=sequence):
        state = cell(x, state)
        yield state


def _last(cell: Any, xs: Any, state: Any = None) -> Any:
    return list(_states(cell, xs, state))[-1]


def _loss(cell: Any, xs: Any, weights: Array) -> Tensor:
    # One named loss a step, summed after the loop: the shape of a many-to-many network.
    losses = []
    sequence = tensor(xs, name="xs")
    state = cell.start(sequence.shape[1])
    for _, x in steps(x=sequence):
        state = cell(x, state)
        losses.append(total(state[0] * weights).named("L"))
    return add_n(losses)  # type: ignore[no-any-return]


def _require_fold(loss: Tensor, longer: Tensor) -> None:
    graph = Graph(loss)
    folded = fold(graph)
    difference = folded.unfold(graph.steps).difference(graph)
    if difference is not None:
        raise GradientError(f"the folded loss unfolds to another graph: {difference}")
    if folded != fold(Graph(longer)):
        raise GradientError(
            f"{graph.steps} and {graph.steps + 1} steps do not fold alike: something "
            "in the cell depends on the number of steps"
        )


def _require_separate(cell: Any, xs: Array, weights: Array) -> None:
    middle = len(xs) // 2
    sequence = tensor(xs, name="xs")
    states = list(_states(cell, sequence))
    (over_time,) = grad(total(states[middle][0] * weights), sequence)
    if np.any(over_time.data[middle + 1 :]):
        raise GradientError(f"the state of step {middle + 1} depends on later inputs")
    (over_batch,) = grad(total((states[-1][0] * weights)[0]), sequence)
    if np.any(over_batch.data[:, 1:]):
        raise GradientError("a row of the batch depends on other rows")
