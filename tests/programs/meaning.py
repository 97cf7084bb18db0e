"""What the eager run of a program means: derivatives, products, precision.

The witness of a gradient is a difference quotient of the program in float64, in which
what is detached keeps its first value.

>>> from tests.programs.dag import draw_dag
>>> trial = Trial(draw_dag("dag/0/1"))
>>> trial.check(derivative)
>>> trial.check(second_order)
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.grad import grad, grad_by_use, hvp, jvp, vjp
from minigrad.graph import Graph
from minigrad.tensor import Tensor, tensor
from tests.programs.agreement import (
    Array,
    DisagreementError,
    SetAsideError,
    Trial,
    arrays_of,
    doubled,
    gap_of,
    scale_of,
)
from tests.programs.listing import build

DERIVATIVE = """
# The derivative along one direction is {expected!r}; of the gradient {found!r}.
loss = forward(*arguments{call})[0]
print(mg.grad(loss, [{wrt}], unreached="zeros"))
"""


class Moved:
    """The program in float64 at points along a direction."""

    def __init__(self, trial: Trial) -> None:
        listing = trial.listing
        self.names = trial.double(held=True)
        self.call = listing.calls[0]
        self.tape: list[Any] = []
        self.place = 0
        self.names["held"] = self._held
        self.parameters = [
            self.names[listing.word(p.id)]
            for p in listing.parameters
            if p.id in listing.wrt
        ]
        ids = [a.id for a in listing.arguments]
        self.positions = [ids.index(a) for a in listing.wrt if a in ids]
        self.start = [p.data for p in self.parameters]
        self.given = self.names["arguments"](*self.call)
        rng = np.random.default_rng(0)
        self.shapes = [p.shape for p in self.parameters]
        self.shapes += [self.given[i].shape for i in self.positions]
        self.u = [rng.uniform(-1, 1, s) for s in self.shapes]
        self.v = [rng.uniform(-1, 1, s) for s in self.shapes]
        if not self.shapes:
            raise SetAsideError("nothing to differentiate by")

    def _held(self, value: Any) -> Any:
        if self.place == len(self.tape):
            self.tape.append(np.array(getattr(value, "data", value)))
        self.place += 1
        return tensor(self.tape[self.place - 1])

    def at(self, far: float, along: Sequence[Array]) -> tuple[Tensor, list[Tensor]]:
        """The loss at start + far * along, and the leaves that it depends on."""
        n = len(self.parameters)
        for p, x, d in zip(self.parameters, self.start, along[:n], strict=True):
            p.assign(x + far * d)
        given = list(self.given)
        for i, d in zip(self.positions, along[n:], strict=True):
            given[i] = tensor(given[i].data + far * d, requires_grad=True)
        self.place = 0
        loss = self.names["forward"](*given)[0]
        return loss, [*self.parameters, *(given[i] for i in self.positions)]

    def slope(self, f: Callable[[float], float], size: float) -> float:
        """A derivative by central differences; near a kink there is none."""
        h = 1e-3
        at = {k: f(k * h) for k in (-1, -0.5, -0.25, 0, 0.25, 0.5, 1)}
        wide, narrow, least = ((at[k] - at[-k]) / (2 * k * h) for k in (1, 0.5, 0.25))
        bend = abs(at[0.5] - 2 * at[0] + at[-0.5]) / (0.5 * h)
        rough = abs(wide - narrow)
        # The error of a smooth function falls to a quarter, at a kink to a half; beyond
        # a kink between narrow and wide, at once to almost nothing.
        falls = abs(narrow - least)
        uneven = rough > 1e-6 * size and not 0.1 * rough < falls < 0.4 * rough
        bent = rough > 1e-5 * size and bend > 1e-2 * size
        if rough > 1e-4 * size or bent or uneven:
            raise SetAsideError("a kink")
        return (4 * narrow - wide) / 3


def _dot(us: Sequence[Array], vs: Sequence[Any]) -> float:
    return float(
        sum(np.sum(u * np.asarray(v.data)) for u, v in zip(us, vs, strict=True))
    )


def _weight(us: Sequence[Array], vs: Sequence[Any]) -> float:
    return float(
        sum(np.abs(u * np.asarray(v.data)).sum() for u, v in zip(us, vs, strict=True))
    )


def derivative(trial: Trial) -> None:
    """The gradient along a direction is what differences of the loss say."""
    moved = Moved(trial)
    loss, wrt = moved.at(0.0, moved.u)
    scale_of([loss.data])
    found = grad(loss, wrt, unreached="zeros")
    scale_of(arrays_of(found))
    size = max(1.0, abs(loss.item()), _weight(moved.u, found))
    expected = moved.slope(lambda far: moved.at(far, moved.u)[0].item(), size)
    gap = abs(_dot(moved.u, found) - expected)
    if not gap <= 1e-6 * size:
        code = DERIVATIVE.format(
            expected=expected,
            found=_dot(moved.u, found),
            call=tuple(moved.call),
            wrt=", ".join(map(trial.listing.word, trial.listing.wrt)),
        )
        raise DisagreementError(
            "derivative", "the gradient is wrong", f"{gap:.3g}", code
        )


def second_order(trial: Trial) -> None:
    """The Hessian is symmetric, and what differences of the gradient say."""
    moved = Moved(trial)
    u, v = moved.u, moved.v
    loss, wrt = moved.at(0.0, u)
    scale_of([loss.data])
    hu, hv = hvp(loss, wrt, u), hvp(loss, wrt, v)
    size = max(1.0, _weight(v, hu), _weight(u, hv))
    scale_of([np.array(size)])
    code = "# u H v and v H u differ" + DERIVATIVE.format(
        expected=_dot(v, hu), found=_dot(u, hv), call=tuple(moved.call), wrt="..."
    )
    if not abs(_dot(v, hu) - _dot(u, hv)) <= 1e-8 * size:
        raise DisagreementError(
            "second order", "the Hessian is not symmetric", "", code
        )

    def along(far: float) -> float:
        loss, wrt = moved.at(far, v)
        return _dot(u, grad(loss, wrt, unreached="zeros"))

    expected = moved.slope(along, size)
    if not abs(_dot(u, hv) - expected) <= 1e-5 * size:
        said = f"{_dot(u, hv)!r}, by differences {expected!r}"
        raise DisagreementError("second order", "the Hessian is wrong", said, code)


def products(trial: Trial) -> None:
    """<u, J v> = <Jᵀ u, v> for each result, and the shares of a parameter sum up."""
    names = trial.double()
    call = trial.listing.calls[0]
    given = names["arguments"](*call)
    ys = names["forward"](*given)
    wrt = trial.listing.leaves(given, names)
    if not wrt:
        raise SetAsideError("nothing to differentiate by")
    scale_of(arrays_of(ys))
    rng = np.random.default_rng(1)
    vs = [rng.uniform(-1, 1, w.shape) for w in wrt]
    code = "# <u, J v> and <JT u, v>, or the shares of grad_by_use and grad"
    for y in ys[:2]:
        if y.node.kind == "constant" or not y.size:
            continue
        u = rng.uniform(-1, 1, y.shape)
        left = float(np.sum(u * jvp(y, wrt, vs).data))
        back = vjp(y, wrt, u, unreached="zeros")
        size = max(1.0, _weight(vs, back))
        if not abs(left - _dot(vs, back)) <= 1e-9 * size:
            said = f"{left!r} and {_dot(vs, back)!r}"
            raise DisagreementError("products", "jvp and vjp differ", said, code)
    read = {source for node in Graph(ys[0]).nodes for source in node.inputs}
    for w, d in zip(wrt, grad(ys[0], wrt, unreached="zeros"), strict=True):
        if w.node in ys[0].node.inputs or w.node not in read:
            continue
        try:
            shares = grad_by_use(ys[0], w)
        except ValueError as error:
            if "not reached" not in str(error):
                raise
            continue
        total = sum(s.gradient.data for s in shares)
        size = max(1.0, *(float(np.abs(s.gradient.data).max()) for s in shares))
        if not np.abs(total - d.data).max() <= 1e-9 * size:
            said = f"{total} and {d.data}"
            raise DisagreementError(
                "products", "shares do not sum to the gradient", said, code
            )


def single(trial: Trial) -> None:
    """float32 results are those of the same program in float64, rounded."""
    leaves = (*trial.listing.parameters, *trial.listing.arguments)
    if all(leaf.dtype == "float64" for leaf in leaves):
        return
    call = trial.listing.calls[0]
    names = build(doubled(trial.listing).source())
    for p, q in zip(trial.listing.parameters, trial.parameters, strict=True):
        names[trial.listing.word(p.id)].assign(q.data)
    given = [_doubled(a) for a in trial.names["arguments"](*call)]
    found = trial.names["net"](*trial.names["arguments"](*call))
    expected = names["net"](*given)
    scale = scale_of(arrays_of(expected))
    for k, (f, e) in enumerate(zip(found, expected, strict=True)):
        if gap_of(f.data, e.data) > 1e-3 * scale:
            raise DisagreementError(
                "float32",
                "differs from float64",
                f"result {k}: {f.data}, {e.data}",
                f"print(net(*arguments{tuple(call)}))",
            )


def _doubled(a: Any) -> Any:
    """An argument in float64."""
    if isinstance(a, Tensor):
        return tensor(a.data.astype(float), requires_grad=True)
    if isinstance(a, (bool, int, float)) or a.dtype.kind != "f":
        return a
    return np.asarray(a, float)
