"""Gradients in other ways: forward in time, by example, by the Gauss-Newton matrix.

>>> import minigrad as mg
>>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
>>> losses = []
>>> for t in mg.steps(4):
...     h = (h @ W).named("h")
...     losses.append(h.sum().named("L"))
>>> found = rtrl(mg.fold(losses), {"h": [[1.0]]}, {}, steps=2)
>>> found.gradients["W"].tolist(), found.losses.tolist()  # of W + W²
([[2.0]], [0.5, 0.25])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.analysis.chart import bars, over_steps
from minigrad.analysis.steps import Array, Given, State, array_of, checked, each
from minigrad.fold import Recurrence
from minigrad.grad import hvp, jacobian, jvp, vjp
from minigrad.graph import Graph
from minigrad.tensor import Tensor, tensor


@dataclass(frozen=True, eq=False)
class ForwardGradient:
    """``gradients`` of the sum of ``losses`` (T,), by the names of the parameters.

    ``norms`` (T,) are the lengths of what each step's loss adds to the gradient.

    >>> import minigrad as mg
    >>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
    >>> losses = []
    >>> for t in mg.steps(4):
    ...     h = (h @ W).named("h")
    ...     losses.append(h.sum().named("L"))
    >>> found = rtrl(mg.fold(losses), {"h": [[1.0]]}, {}, steps=2)
    >>> isinstance(found, ForwardGradient), found.norms.tolist()
    (True, [1.0, 1.0])
    >>> found.plot().get_xlabel()
    't'
    """

    gradients: dict[str, Array]
    losses: Array
    norms: Array

    def plot(self, axes: Any = None) -> Any:
        """What each step adds to the gradient. Returns matplotlib axes."""
        return over_steps(axes, "length of the gradient of L(t)", self.norms)


def rtrl(
    recurrence: Recurrence,
    state: Given,
    inputs: Given,
    loss: str = "L",
    steps: int | None = None,
) -> ForwardGradient:
    """The exact gradient of Σ L(t), forward in time (RTRL; Williams and Zipser 1989).

        ∂h(t)/∂p = (∂h(t)/∂h(t-1)) ∂h(t-1)/∂p + ∂h(t)/∂p with h(t-1) kept

    It equals that of back-propagation through time and keeps no past: its memory is
    that of the Jacobians of the state by the parameters, whatever T. ``loss`` is the
    name of L(t) in the loop; one of several numbers, as one for each sequence, is
    summed, so against the gradient of a mean it is T times the batch larger. The first
    state is given, and does not depend on the parameters. Other arguments are those of
    ``jacobians``.

    Raises ValueError where a step has no such loss.
    """
    now = checked(recurrence, state)
    letters = _letters(recurrence)
    along: dict[str, dict[str, Array]] = {}  # ∂state/∂parameter
    total: dict[str, Array] = {}
    losses, norms = [], []
    for given in each(recurrence, now, inputs, steps):
        before = {n: tensor(a, name=n, requires_grad=True) for n, a in now.items()}
        made = recurrence.step(before, given, letters)
        if not isinstance(made.get(loss), Tensor):
            raise ValueError(
                f"this step makes {', '.join(made)}, and no {loss!r} that depends on "
                "the state: name the loss in the loop, L.named('L'), and give all that "
                "it reads as inputs"
            )
        L = made[loss].sum()
        along_now = {n: _carried(made[n], before, letters, along) for n in now}
        added = _carried(L, before, letters, along)
        for p, d in added.items():
            total[p] = total.get(p, 0.0) + d
        now = {n: array_of(made[n]) for n in now}
        along = along_now
        losses.append(L.item())
        norms.append(np.sqrt(sum(float(np.square(d).sum()) for d in added.values())))
    return ForwardGradient(total, np.array(losses), np.array(norms))


def _letters(recurrence: Recurrence) -> dict[str, Tensor]:
    """Leaves in float64 for the parameters of a recurrence that can be learnt."""
    found = {}
    for role in recurrence.roles:
        if role.kind == "parameter" and role.leaf is not None:
            value = np.asarray(role.leaf.value)
            if value.dtype.kind == "f":
                leaf = tensor(value.astype(float), name=role.label, requires_grad=True)
                found[role.label] = leaf
    return found


def _carried(
    value: Any,
    before: dict[str, Tensor],
    letters: dict[str, Tensor],
    along: dict[str, State],
) -> State:
    """The whole derivative of a value of the step, by each parameter that it reads."""
    if not isinstance(value, Tensor) or value.node.kind == "constant":
        return {}
    leaves = {n.node for n in (*before.values(), *letters.values())}
    read = leaves.intersection(Graph(value).nodes)
    states = {n: x for n, x in before.items() if x.node in read}
    mine = {p: x for p, x in letters.items() if x.node in read}
    blocks = [b.data for b in jacobian(value, [*states.values(), *mine.values()])]
    found = dict(zip(mine, blocks[len(states) :], strict=True))
    for (name, x), J in zip(states.items(), blocks, strict=False):
        for p, S in along.get(name, {}).items():
            found[p] = found.get(p, 0.0) + np.tensordot(J, S, axes=x.ndim)
    return found


@dataclass(frozen=True, eq=False)
class PerExample:
    """``gradients``, one array (examples, ...) for each tensor of ``wrt``.

    >>> import minigrad as mg
    >>> w = mg.parameter([2.0], name="w")
    >>> found = per_example(mg.tensor([1.0, 3.0]) * w, [w])
    >>> isinstance(found, PerExample), found.norms.tolist()
    (True, [1.0, 3.0])
    >>> found.plot().get_xlabel()
    'example'
    """

    gradients: list[Array]

    @property
    def norms(self) -> Array:
        """The length of the gradient of each example, (examples,)."""
        squares = [np.square(g).reshape(len(g), -1).sum(axis=1) for g in self.gradients]
        return np.asarray(np.sqrt(np.sum(squares, axis=0)))

    def plot(self, axes: Any = None) -> Any:
        """A bar for each example: the length of its gradient. Returns axes."""
        places = np.arange(len(self.norms))
        return bars(axes, "example", "length of its gradient", self.norms, places)


def per_example(losses: Tensor, wrt: Sequence[Tensor]) -> PerExample:
    """The gradient of each example's own loss, from one recorded batch.

    ``losses`` (examples,) has the loss of each; their sum's gradient is the sum.

    Raises ValueError for losses that are not (examples,).

    >>> import minigrad as mg
    >>> w = mg.parameter([2.0], name="w")
    >>> per_example(mg.tensor([1.0, 3.0]) * w, [w]).gradients[0].tolist()
    [[1.0], [3.0]]
    """
    if losses.ndim != 1:
        raise ValueError(
            f"one loss for each example is a Tensor (examples,), got {losses.shape}: "
            'take reduction="none", and the mean over the steps alone'
        )
    return PerExample([np.array(J.data) for J in jacobian(losses, wrt)])


@dataclass(frozen=True, eq=False)
class GaussNewton:
    """``products`` G v, one array for each tensor of ``wrt``, and ``curvature`` vᵀ G v.

    ``shares`` are the parts of the curvature that belong to each tensor.

    Each product has the shape of its tensor, ``shares`` is (tensors,).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0, 2.0], name="w")
    >>> o = w * w
    >>> found = gauss_newton((0.5 * o * o).sum(), [o], [w], [[1.0, 1.0]])
    >>> isinstance(found, GaussNewton), found.curvature
    (True, 20.0)
    >>> len(found.plot().patches)
    1
    """

    names: tuple[str, ...]
    products: list[Array]
    shares: Array

    @property
    def curvature(self) -> float:
        """vᵀ G v: not negative where the loss is convex in the outputs."""
        return float(self.shares.sum())

    def plot(self, axes: Any = None) -> Any:
        """The share of each tensor in the curvature. Returns matplotlib axes."""
        return bars(axes, "", "share of vᵀ G v", self.shares, self.names)


def gauss_newton(
    loss: Tensor, outputs: Sequence[Tensor], wrt: Sequence[Tensor], v: Sequence[Any]
) -> GaussNewton:
    """The product of the Gauss-Newton matrix with v (Schraudolph 2002; Martens 2010).

        G v = Jᵀ (∂²L/∂o²) J v,      J = ∂o/∂w

    The Hessian without what the curvature of the net adds: where the loss is convex in
    o, as cross-entropy and squared error are, G has no negative eigenvalue.

    Parameters
    ----------
    loss, outputs: L, and the o through which alone it depends on the parameters, one
        or one of each step. Raises ValueError where there is another way, and where an
        o depends on another one.
    wrt, v: the parameters, and an array of the shape of each.

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0, 2.0], name="w")
    >>> o = w * w
    >>> gauss_newton((0.5 * o * o).sum(), [o], [w], [[1.0, 1.0]]).products
    [array([ 4., 16.])]
    """
    _refuse_other_ways(loss, outputs, wrt)
    moved = [jvp(o, wrt, v) for o in outputs]
    bent = hvp(loss, outputs, [m.data for m in moved])
    parts = [vjp(o, wrt, b.data) for o, b in zip(outputs, bent, strict=True)]
    products = [np.sum([p[i].data for p in parts], axis=0) for i in range(len(wrt))]
    shares = [
        float(np.sum(np.asarray(a) * b)) for a, b in zip(v, products, strict=True)
    ]
    names = tuple(w.node.label for w in wrt)
    return GaussNewton(names, products, np.array(shares))


def _refuse_other_ways(
    loss: Tensor, outputs: Sequence[Tensor], wrt: Sequence[Tensor]
) -> None:
    """Raise where L depends on w beside the outputs, or an output on another one."""
    ends, seen = {o.node for o in outputs}, {loss.node}
    stack = list(seen - ends)
    while stack:
        new = set(stack.pop().inputs) - seen
        seen |= new
        stack += new - ends
    beside = [w.node.label for w in wrt if w.node in seen]
    if beside:
        raise ValueError(
            f"the loss depends on {', '.join(beside)} beside the outputs that were "
            "given: give all of them, and add what a penalty has apart from this"
        )
    below = Graph([source for node in ends for source in node.inputs])
    if ends.intersection(below.nodes):
        raise ValueError(
            "an output depends on another output, so ∂²L/∂o² is not that of the loss "
            "alone: outputs that feed one another have no Gauss-Newton matrix here"
        )
