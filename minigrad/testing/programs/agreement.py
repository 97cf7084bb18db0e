"""What a random program is checked for: its meaning, not the next stage.

Every check takes a ``Trial``, a program with what it runs on, and raises a
``Disagreement`` that says which check failed and how, with code that shows it. What may
be refused (a program that runs eagerly after a warning) is noted in the trial.

>>> from minigrad.testing.programs.dag import draw_dag
>>> trial = Trial(draw_dag("dag/0/1"))
>>> trial.check(derivative)
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.grad import grad, grad_by_use, hvp, jvp, vjp
from minigrad.graph import Graph
from minigrad.tensor import Parameter, Tensor, tensor
from minigrad.testing.programs.listing import Call, Listing, build

Array = NDArray[Any]

LARGE = 1e6  # what is larger than this is not compared
LENGTHS = (8, 9)  # at which recurrences are folded, twice 3 and 2 at the least


class Disagreement(AssertionError):
    """Two things that must agree do not: which check, how, and code that shows it."""

    def __init__(self, check: str, how: str, said: str, code: str) -> None:
        super().__init__(f"{check}: {how}\n{said}")
        self.check = check
        self.how = how
        self.said = said
        self.code = code

    @property
    def key(self) -> tuple[str, str]:
        """What a smaller program must fail by, to fail in the same way."""
        return self.check, re.sub(r"[\d\W_]+", " ", self.how)[:60]


class Set(Exception):
    """The program is set aside: its numbers cannot be compared."""


@dataclass
class Trial:
    """A program, and what was seen while it was checked."""

    listing: Listing
    backend: str = "numpy"
    refusals: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = build(self.listing.source())

    def check(self, function: Callable[["Trial"], None]) -> None:
        """One check; what cannot be compared is noted."""
        try:
            with np.errstate(all="ignore"):
                function(self)
        except Set as reason:
            self.aside.append(f"{function.__name__}: {reason}")

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters, by their ids."""
        return [self.of(p.id) for p in self.listing.parameters]

    def of(self, value: str) -> Any:
        """What a leaf's variable holds."""
        return self.names[dict(self.listing.names).get(value, value)]

    def double(self, held: bool = False) -> dict[str, Any]:
        """The names of the same program in float64."""
        return build(doubled(self.listing).source(held))


def doubled(listing: Listing) -> Listing:
    """The same program in float64."""
    return replace(
        listing,
        parameters=tuple(p._replace(dtype="float64") for p in listing.parameters),
        arguments=tuple(a._replace(dtype="float64") for a in listing.arguments),
    )


def _tolerance(*arrays: Array) -> float:
    single = any(a.dtype == np.float32 for a in arrays)
    return 3e-4 if single else 1e-9


def _arrays(tensors: Sequence[Any]) -> list[Array]:
    return [np.array(t.data if isinstance(t, Tensor) else t) for t in tensors]


def _scale(arrays: Sequence[Array]) -> float:
    found = [float(np.abs(a).max()) for a in arrays if a.size]
    largest = max([1.0, *found])
    if not np.isfinite(largest) or largest > LARGE:
        raise Set("numbers too large")
    return largest


def _raises(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {first}"


# -- programs that are compiled

COMPILED = """
compiled = mg.compile(net, backend="{backend}")
for call in {calls}:
    expected, found = net(*arguments(*call)), compiled(*arguments(*call))
    for k in range(len(expected)):
        assert found[k].dtype == expected[k].dtype, (call, k)
        np.testing.assert_allclose(
            found[k].data, expected[k].data, rtol=0, atol={atol}, err_msg=str((call, k))
        )
    for p in [{parameters}]:
        p.assign(0.9 * p.data + 0.05)
"""


def compiled(trial: Trial) -> None:
    """Compiled values and gradients equal the eager ones, over calls that change."""
    from minigrad.compile import compile as compile_

    listing = trial.listing
    net, arguments = trial.names["net"], trial.names["arguments"]
    word = dict(listing.names)
    single = any(x.dtype == "float32" for x in (*listing.parameters, *listing.arguments))
    code = COMPILED.format(
        backend=trial.backend,
        calls=[tuple(c) for c in listing.calls],
        atol=3e-4 if single else 1e-9,
        parameters=", ".join(word.get(p.id, p.id) for p in listing.parameters),
    )

    def fail(how: str, said: str = "") -> Disagreement:
        return Disagreement(f"compiled, {trial.backend}", how, said, code)

    program = compile_(net, backend=trial.backend)
    first = [p.data for p in trial.parameters]
    results: list[tuple[list[Tensor], list[Array]]] = []
    try:
        for call in listing.calls:
            expected = _arrays(_quiet(lambda call=call: net(*arguments(*call)))[0])
            scale = _scale(expected)
            given = arguments(*call)
            before = _arrays(given)
            try:
                found, said = _quiet(lambda given=given: program(*given))
                again, _ = _quiet(lambda given=given: program(*given))
            except Exception as error:
                raise fail(_raises(error), f"at call {tuple(call)}") from error
            trial.refusals += said
            for k, (e, f, g) in enumerate(zip(expected, found, again, strict=True)):
                where = f"result {k} of {len(expected)} at call {tuple(call)}"
                what = "the gradient" if k > len(listing.also) else "a value"
                if f.dtype != e.dtype or f.shape != e.shape:
                    is_, must = (f.shape, f.dtype), (e.shape, e.dtype)
                    raise fail(f"{what} has another shape or dtype", f"{where}: {is_}, "
                               f"eager {must}")
                error_ = _gap(f.data, e)
                if error_ > _tolerance(*expected) * scale:
                    said_ = f"{where}: off by {error_:.3g}\n{f.data}\neager {e}"
                    raise fail(f"{what} differs", said_)
                if not np.array_equal(f.data, g.data, equal_nan=True):
                    raise fail(f"{what} has other bits when called again", where)
            for a, b in zip(_arrays(given), before, strict=True):
                if not np.array_equal(a, b):
                    raise fail("an argument was changed")
            for a in given:
                if isinstance(a, np.ndarray) and a.ndim:
                    a[...] = 0
            results.append((found, _arrays(found)))
            for kept, copy in results:
                if not all(
                    np.array_equal(a.data, b, equal_nan=True)
                    for a, b in zip(kept, copy, strict=True)
                ):
                    raise fail("a result was overwritten", f"after call {tuple(call)}")
            for p in trial.parameters:
                p.assign(0.9 * p.data + 0.05)
    finally:
        for p, value in zip(trial.parameters, first, strict=True):
            p.assign(value)


def _gap(a: Array, b: Array) -> float:
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    gap = np.where(same, 0.0, np.abs(np.asarray(a, float) - b))
    largest = float(np.max(gap, initial=0.0))
    return np.inf if np.isnan(largest) else largest


def _quiet(run: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What a function returns, and why it was not compiled."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = run()
    said = [str(w.message) for w in seen if "runs eagerly" in str(w.message)]
    return result, said


# -- meaning of the eager run

DERIVATIVE = """
# The derivative along one direction is {expected!r}; of the gradient {found!r}.
loss = forward(*arguments{call})[0]
print(mg.grad(loss, [{wrt}], unreached="zeros"))
"""


class Moved:
    """The program in float64 at points along a direction."""

    def __init__(self, trial: Trial) -> None:
        listing = trial.listing
        self.words = dict(listing.names)
        self.names = trial.double(held=True)
        self.call = listing.calls[0]
        self.tape: list[Any] = []
        self.place = 0
        self.names["held"] = self._held
        self.parameters = [
            self.names[self._word(p.id)]
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
            raise Set("nothing to differentiate by")

    def _word(self, value: str) -> str:
        return self.words.get(value, value)

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
        at = {k: f(k * h) for k in (-1, -0.5, 0, 0.5, 1)}
        wide, narrow = (at[1] - at[-1]) / (2 * h), (at[0.5] - at[-0.5]) / h
        bend = abs(at[0.5] - 2 * at[0] + at[-0.5]) / (0.5 * h)
        rough = abs(wide - narrow)
        if rough > 1e-4 * size or (rough > 1e-5 * size and bend > 1e-2 * size):
            raise Set("a kink")
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
    _scale([loss.data])
    found = grad(loss, wrt, unreached="zeros")
    _scale(_arrays(found))
    size = max(1.0, abs(loss.item()), _weight(moved.u, found))
    expected = moved.slope(lambda far: moved.at(far, moved.u)[0].item(), size)
    gap = abs(_dot(moved.u, found) - expected)
    if not gap <= 1e-6 * size:
        code = DERIVATIVE.format(
            expected=expected,
            found=_dot(moved.u, found),
            call=tuple(moved.call),
            wrt=", ".join(moved._word(w) for w in trial.listing.wrt),
        )
        raise Disagreement("derivative", "the gradient is wrong", f"{gap:.3g}", code)


def second_order(trial: Trial) -> None:
    """The Hessian is symmetric, and what differences of the gradient say."""
    moved = Moved(trial)
    u, v = moved.u, moved.v
    loss, wrt = moved.at(0.0, u)
    _scale([loss.data])
    hu, hv = hvp(loss, wrt, u), hvp(loss, wrt, v)
    size = max(1.0, _weight(v, hu), _weight(u, hv))
    _scale([np.array(size)])
    code = "# u H v and v H u differ" + DERIVATIVE.format(
        expected=_dot(v, hu), found=_dot(u, hv), call=tuple(moved.call), wrt="..."
    )
    if not abs(_dot(v, hu) - _dot(u, hv)) <= 1e-8 * size:
        raise Disagreement("second order", "the Hessian is not symmetric", "", code)

    def along(far: float) -> float:
        loss, wrt = moved.at(far, v)
        return _dot(u, grad(loss, wrt, unreached="zeros"))

    expected = moved.slope(along, size)
    if not abs(_dot(u, hv) - expected) <= 1e-5 * size:
        said = f"{_dot(u, hv)!r}, by differences {expected!r}"
        raise Disagreement("second order", "the Hessian is wrong", said, code)


def products(trial: Trial) -> None:
    """<u, J v> = <Jᵀ u, v> for each result, and the shares of a parameter sum up."""
    names = trial.double()
    call = trial.listing.calls[0]
    given = names["arguments"](*call)
    ys = names["forward"](*given)
    ids = [a.id for a in trial.listing.arguments]
    words = dict(trial.listing.names)
    wrt = [
        given[ids.index(w)] if w in ids else names[words.get(w, w)]
        for w in trial.listing.wrt
    ]
    if not wrt:
        raise Set("nothing to differentiate by")
    _scale(_arrays(ys))
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
            raise Disagreement("products", "jvp and vjp differ", said, code)
    for w, d in zip(wrt, grad(ys[0], wrt, unreached="zeros"), strict=True):
        if w.node in ys[0].node.inputs or not Graph(ys[0]).uses(w):
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
            raise Disagreement("products", "shares do not sum to the gradient", said, code)


def single(trial: Trial) -> None:
    """float32 results are those of the same program in float64, rounded."""
    leaves = (*trial.listing.parameters, *trial.listing.arguments)
    if all(leaf.dtype == "float64" for leaf in leaves):
        return
    call = trial.listing.calls[0]
    names = build(doubled(trial.listing).source())
    for p, q in zip(trial.listing.parameters, trial.parameters, strict=True):
        word = dict(trial.listing.names).get(p.id, p.id)
        names[word].assign(q.data)
    given = []
    for a in trial.names["arguments"](*call):
        value = np.asarray(a.data if isinstance(a, Tensor) else a)
        value = value.astype(float) if value.dtype.kind == "f" else value
        given.append(
            tensor(value, requires_grad=True) if isinstance(a, Tensor) else value
        )
    found = trial.names["net"](*trial.names["arguments"](*call))
    expected = names["net"](*given)
    scale = _scale(_arrays(expected))
    for k, (f, e) in enumerate(zip(found, expected, strict=True)):
        if _gap(f.data, e.data) > 1e-3 * scale:
            raise Disagreement(
                "float32", "differs from float64", f"result {k}: {f.data}, {e.data}",
                f"print(net(*arguments{tuple(call)}))",
            )


# -- graphs

FOLD = """
given = [mg.tensor(a, name=f"a{{k}}", requires_grad=a.dtype.kind == "f")
         for k, a in enumerate(map(np.asarray, arguments{call}))]
loss, *also = forward(*given)
graph = mg.Graph([loss, *also{gradients}])
{rest}"""


def folded(trial: Trial) -> None:
    """A fold unfolds to its graph, at its length and at another; text brings it back."""
    for with_gradient in (False, True):
        _folded(trial, with_gradient)


def _folded(trial: Trial, with_gradient: bool) -> None:
    from minigrad.fold import FoldError, contract, fold

    listing = trial.listing
    timed = listing.kind == "recurrence"
    lengths = LENGTHS if timed else (1,)
    call = Call(lengths[0], listing.calls[0].batch, 1)
    check = "folded gradient" if with_gradient else "folded"

    def fail(how: str, said: str, rest: str) -> Disagreement:
        wrt = [dict(listing.names).get(w, w) for w in listing.wrt]
        inputs = {dict(listing.names).get(a.id, a.id) for a in listing.arguments}
        known = ", ".join(w for w in wrt if w not in inputs)
        more = f", *mg.grad(loss, [{known}], True, 'zeros')" if with_gradient else ""
        code = FOLD.format(call=tuple(call), gradients=more, rest=rest)
        return Disagreement(check, how, said, code)

    graph = _graph(trial, call, with_gradient)
    if timed and not graph.clocks:
        return
    rest = "assert mg.Graph.from_json(graph.to_json()).same_as(graph)"
    try:
        if not Graph.from_json(graph.to_json()).same_as(graph):
            raise fail("JSON brings back another graph", "", rest)
    except (TypeError, ValueError, KeyError) as error:
        raise fail(_raises(error), "", rest) from error
    kinds: list[tuple[str, Callable[[Graph], Graph]]] = [("graph", lambda g: g)]
    if any(n.name and n.kind != "parameter" for n in graph.nodes):
        kinds.append(("mg.contract(graph)", contract))
    for name, view in kinds:
        rest = (
            f"g = {name}\n"
            "lengths = list(g.clocks.values())\n"
            "print(mg.fold(g).unfold(lengths).difference(g))\n"
        )
        try:
            seen = view(graph)
            recurrence = fold(seen)
            again = recurrence.unfold(recurrence.lengths)
            difference = again.difference(seen)
        except FoldError as error:
            raise fail(f"FoldError of {name}", str(error), rest) from error
        except Exception as error:
            raise fail(_raises(error), name, rest) from error
        if difference is not None:
            raise fail(f"{name} unfolds to another", difference, rest)
        if len(lengths) == 1 or "length" in listing.marks or not seen.clocks:
            continue
        other = view(_graph(trial, call._replace(steps=lengths[1]), with_gradient))
        wanted = tuple(other.clocks.values())
        try:
            unfolded = recurrence.unfold(wanted)
        except ValueError as error:
            trial.refusals.append(f"unfold: {error}")
            continue
        except Exception as error:
            raise fail(_raises(error), f"{name} at {wanted}", rest) from error
        difference = unfolded.difference(other)
        if difference is not None:
            raise fail(f"{name} unfolds wrongly to another length", difference, rest)


def _graph(trial: Trial, call: Call, with_gradient: bool) -> Graph:
    """The recorded program: arguments are inputs with names."""
    listing = trial.listing
    given = []
    for k, a in enumerate(trial.names["arguments"](*call)):
        value = np.asarray(a.data if isinstance(a, Tensor) else a)
        given.append(tensor(value, f"a{k}", requires_grad=value.dtype.kind == "f"))
    results = trial.names["forward"](*given)
    if with_gradient:
        ids = [a.id for a in listing.arguments]
        wrt = [
            given[ids.index(w)] if w in ids else trial.of(w) for w in listing.wrt
        ]
        results += grad(results[0], wrt, create_graph=True, unreached="zeros")
    return Graph(results)


CHEAP: tuple[Callable[[Trial], None], ...] = (derivative, compiled)
COSTLY: tuple[Callable[[Trial], None], ...] = (folded, products, second_order, single)
