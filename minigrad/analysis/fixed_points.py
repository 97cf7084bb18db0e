"""Where a recurrence stays where it is: fixed points, and whether they hold.

>>> import minigrad as mg
>>> h = mg.tensor([[0.5]], name="h0")
>>> for t in mg.steps(3):
...     h = mg.tanh(2 * h).named("h")
>>> found = fixed_points(mg.fold(h), {"h": [[-1.0], [0.1], [0.7]]}, {})
>>> found.points.round(3).tolist(), found.stable.tolist()
([[-0.958], [0.0], [0.958]], [True, False, True])
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.analysis.chart import blank, legend
from minigrad.analysis.steps import Array, Given, checked, flat, step, unflat
from minigrad.fold import Recurrence


@dataclass(frozen=True, eq=False)
class FixedPoints:
    """``points`` (k, n), and what a step does near each of them.

    ``speeds`` (k,) are the lengths ``|F(h) - h|``, ``eigenvalues`` (k, n) those of the
    Jacobian, the largest in magnitude first, and ``lost`` is the number of starts that
    led to no point. A state of several parts is one vector, in the order of ``names``.

    >>> import minigrad as mg
    >>> h = mg.tensor([[0.5]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = (0.5 * h).named("h")
    >>> found = fixed_points(mg.fold(h), {"h": [[1.0]]}, {})
    >>> isinstance(found, FixedPoints), found.plot().get_xlabel()
    (True, 'h₁')
    """

    names: tuple[str, ...]
    points: Array
    speeds: Array
    eigenvalues: Array
    lost: int

    @property
    def stable(self) -> Array:
        """Which points draw in all that is near: every ``|eigenvalue| < 1``."""
        return np.asarray(np.all(np.abs(self.eigenvalues) < 1, axis=1))

    def plot(self, axes: Any = None) -> Any:
        """The points in the plane where they differ most, filled where they are stable.

        Of two numbers it is their own plane, of more that of the first two principal
        components, of one the line of it. Returns matplotlib axes.
        """
        n = self.points.shape[1]
        plane, x, y = self.points, "h₁", "h₂"
        if n == 1:
            plane, y = np.column_stack([self.points, np.zeros(len(self.points))]), ""
        elif n > 2:
            centred = self.points - self.points.mean(axis=0)
            *_, directions = np.linalg.svd(centred, full_matrices=False)
            plane = centred @ np.pad(directions, ((0, 2), (0, 0)))[:2].T
            x, y = "first principal component", "second"
        axes = blank(axes, x, y)
        for name, chosen, fill in (
            ("stable", self.stable, "full"),
            ("not stable", ~self.stable, "none"),
        ):
            if chosen.any():
                marks = {"linestyle": "", "marker": "o", "fillstyle": fill}
                axes.plot(*plane[chosen].T, label=name, **marks)
        return legend(axes)


def fixed_points(
    recurrence: Recurrence,
    starts: Given,
    inputs: Given,
    parameters: Given | None = None,
    tolerance: float = 1e-9,
    apart: float = 1e-4,
    updates: int = 200,
) -> FixedPoints:
    """The fixed points of a step under constant input (Sussillo and Barak 2013).

    From each start ``|F(h) - h|²`` is made small with damped Gauss-Newton updates
    (Levenberg 1944; Marquardt 1963), which use the Jacobian of the step.

    Parameters
    ----------
    recurrence, parameters: as of ``jacobians``.
    starts: states (k, ...), by name: some that the net was in, with some noise.
    inputs: the input of every step, (1, ...) or (k, ...), by name.
    tolerance: the speed ``|F(h) - h|`` below which a point counts. A greater one lets
        slow points count too.
    apart: points that are nearer to each other are one.
    updates: of each start, at most.
    """
    state = checked(recurrence, starts)
    at = flat(state)
    damping = np.full(len(at), 1e-3)
    pull, J = _residual(recurrence, at, state, inputs, parameters)
    identity = np.eye(at.shape[1])
    for _ in range(updates):
        speed = np.linalg.norm(pull, axis=1)
        if np.all((speed <= tolerance) | (damping > 1e12)):
            break
        A = J - identity
        normal = np.swapaxes(A, 1, 2) @ A + damping[:, None, None] * identity
        move = np.linalg.solve(normal, np.einsum("bij,bi->bj", A, pull)[..., None])
        there = at - move[..., 0]
        new, new_J = _residual(recurrence, there, state, inputs, parameters)
        better = np.linalg.norm(new, axis=1) < speed
        at = np.where(better[:, None], there, at)
        pull = np.where(better[:, None], new, pull)
        J = np.where(better[:, None, None], new_J, J)
        damping = np.where(better, np.maximum(damping / 10, 1e-15), damping * 10)
    speed = np.linalg.norm(pull, axis=1)
    found = np.flatnonzero(speed <= tolerance)
    kept = _distinct(at, found[np.argsort(speed[found], kind="stable")], apart)
    kept = kept[np.lexsort(at[kept].round(6).T[::-1])]
    eigenvalues: Array = np.linalg.eigvals(J[kept])
    order = np.argsort(-np.abs(eigenvalues))
    eigenvalues = np.take_along_axis(eigenvalues, order, axis=1)
    lost = len(at) - len(found)
    names = tuple(recurrence.states)
    return FixedPoints(names, at[kept], speed[kept], eigenvalues, lost)


def _residual(
    recurrence: Recurrence,
    at: Array,
    like: dict[str, Array],
    inputs: Given,
    parameters: Given | None,
) -> tuple[Array, Array]:
    """F(h) - h of each point, and the Jacobian of F there."""
    after, J = step(recurrence, unflat(at, like), inputs, parameters)
    return flat(after) - at, J


def _distinct(at: Array, order: Array, apart: float) -> Array:
    """Of points in an order those that no earlier one is near."""
    kept: list[int] = []
    for i in order:
        if all(np.linalg.norm(at[i] - at[k]) > apart for k in kept):
            kept.append(i)
    return np.array(kept, int)
