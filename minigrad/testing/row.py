"""``check_op`` tests an op in one line; a ``Row`` keeps what it is given, in a table.

Vocabulary
    case        one call of the op: shapes to draw or arrays to take, and keywords
    domain      where operands are drawn: an interval (low, high) or a function of a
                random generator and a shape; a list has one per operand
    kink        where the derivative jumps: a number that an operand must keep away
                from, or a function of the operands that gives distances
    convention  a hard point and the gradients that the documentation promises there

>>> import minigrad as mg
>>> check_op(mg.log, domain=(0.5, 3.0))
>>> check_op(mg.sum, case((2, 3), axis=-1), case((), keepdims=True))
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.grad import vjp
from minigrad.mode import TraceError
from minigrad.op import Op, by_function
from minigrad.tensor import Tensor, tensor
from minigrad.testing.contract import check_contract
from minigrad.testing.gradient import check_grad, is_float
from minigrad.testing.products import check_jvp_vjp
from minigrad.testing.report import GradientError, compare, require

Array = NDArray[Any]
Domain = tuple[float, float] | Callable[[np.random.Generator, tuple[int, ...]], Array]

NEAR = 0.01  # differences reach 0.002 to each side
REDRAWS = 0.2


class Case(NamedTuple):
    """One call of an op: operands (a shape is drawn, the rest is taken), keywords."""

    operands: tuple[Any, ...]
    attrs: dict[str, Any]

    def __repr__(self) -> str:
        said = [a if _is_shape(a) else _brief(a) for a in self.operands]
        said += [f"{k}={_brief(v)}" for k, v in self.attrs.items()]
        return f"({', '.join(map(str, said))})"


def case(*operands: Any, **attrs: Any) -> Case:
    """A case: a tuple of ints is a shape to draw, anything else is taken as it is.

    >>> case((2, 3), 2.0, axis=1)
    ((2, 3), 2.0, axis=1)
    """
    return Case(operands, attrs)


class Convention(NamedTuple):
    """A hard point: at these operands, for a cotangent of ones, these gradients."""

    operands: tuple[Any, ...]
    gradients: tuple[Any, ...]
    attrs: dict[str, Any]


def at(*operands: Any, gives: Sequence[Any], **attrs: Any) -> Convention:
    """A convention: the gradients by each floating-point operand, in their order.

    >>> at([0.0], gives=[[0.0]]).gradients
    ([0.0],)
    """
    return Convention(operands, tuple(gives), attrs)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A domain without near ties, for ops that compare elements."""
    size = int(np.prod(shape))
    spread = (rng.permutation(size) - size / 2) * 0.25 + rng.uniform(-0.05, 0.05, size)
    return np.asarray(spread.reshape(shape))


def nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A domain of both signs that keeps away from zero: for divisors."""
    return np.asarray(rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


class Call:
    """An op with its keywords fixed: a function of the operands that can be printed."""

    def __init__(self, op: Op, attrs: Mapping[str, Any]) -> None:
        self.op, self.attrs = op, dict(attrs)

    def __call__(self, *operands: Any) -> Any:
        """The op at the operands."""
        if self.op.variadic:
            return self.op(list(operands), **self.attrs)
        return self.op(*operands, **self.attrs)

    def __repr__(self) -> str:
        args = "list(xs)" if self.op.variadic else "*xs"
        keywords = "".join(f", {k}={v!r}" for k, v in self.attrs.items())
        return f"lambda *xs: {self.op.name}({args}{keywords})"


class Row:
    """All that is needed to test one op; ``check_op`` makes one and runs it.

    Parameters
    ----------
    op, cases, domain, order, ref, kinks: as of ``check_op``.
    conventions: hard points with their promised gradients, from ``at``.
    skips: checks that do not apply, each with the reason.
    call: in place of the op, a function of the operands and keywords that uses it.
    """

    def __init__(
        self,
        op: Op,
        *cases: Case,
        domain: Domain | list[Domain] | None = None,
        order: int = 2,
        ref: Callable[..., Any] | None = None,
        kinks: Sequence[float | Callable[..., Any]] = (),
        conventions: Sequence[Convention] = (),
        skips: Mapping[str, str] | None = None,
        call: Callable[..., Any] | None = None,
    ) -> None:
        self.op = op
        self.cases = cases or default_cases(op)
        self.domain = domain or (-2.0, 2.0)
        self.order = order
        self.ref = ref or _numpy_of(op)
        self.kinks = kinks
        self.conventions = conventions
        self.skips = dict(skips or {})
        self.call = call
        unknown = self.skips.keys() - CHECKS.keys()
        if unknown:
            raise ValueError(f"skips names no check: {unknown}; there are {[*CHECKS]}")

    def __repr__(self) -> str:
        return f"<row of {self.op.name}: {len(self.cases)} cases>"

    def function(self, attrs: Mapping[str, Any]) -> Callable[..., Any]:
        """The op as a function of its operands alone."""
        if self.call is None:
            return Call(self.op, attrs)
        call = self.call
        return lambda *operands: call(*operands, **attrs)

    def samples(self, seed: int = 0) -> Iterator[tuple[Case, list[Any]]]:
        """Each case with its operands drawn away from the kinks."""
        redraws = 0
        for k, one in enumerate(self.cases):
            rng = np.random.default_rng([seed, k])
            operands = self._draw(one, rng)
            while self._near_kink(operands):
                redraws += 1
                if redraws > max(1, REDRAWS * len(self.cases)):
                    raise GradientError(
                        f"{self.op.name}: {redraws} draws for {len(self.cases)} cases "
                        "fell on a kink: its domain or its kinks are wrong"
                    )
                operands = self._draw(one, rng)
            yield one, operands

    def _draw(self, one: Case, rng: np.random.Generator) -> list[Any]:
        drawn = []
        for i, operand in enumerate(one.operands):
            domain = self.domain
            if isinstance(domain, list):
                domain = domain[min(i, len(domain) - 1)]
            if not _is_shape(operand):
                drawn.append(operand)
            elif callable(domain):
                drawn.append(domain(rng, operand))
            else:
                drawn.append(np.asarray(rng.uniform(*domain, operand)))
        return drawn

    def _near_kink(self, operands: list[Any]) -> bool:
        for kink in self.kinks:
            if callable(kink):
                gaps = [kink(*operands)]
            else:
                gaps = [x - kink for x in operands if is_float(x)]
            if any(np.any(np.abs(gap) < NEAR) for gap in gaps):
                return True
        return False

    def run(self, check: str, seed: int = 0) -> None:
        """One of the checks on every case; GradientError names the case that fails."""
        if check == "conventions":
            for convention in self.conventions:
                _check_convention(self, convention)
            return
        for k, (one, operands) in enumerate(self.samples(seed)):
            f = self.function(one.attrs)
            try:
                CHECKS[check](Sample(self, f, one, operands, seed + k))
            except Exception as error:
                where = f"op {self.op.name}, case {k} {one!r}, check {check!r}"
                if isinstance(error, GradientError):
                    raise GradientError(f"{where}\n{error}") from None
                error.add_note(where)
                raise


def check_op(
    op: Op,
    *cases: Case,
    domain: Domain | list[Domain] | None = None,
    order: int = 2,
    ref: Callable[..., Any] | None = None,
    kinks: Sequence[float | Callable[..., Any]] = (),
    **attrs: Any,
) -> None:
    """Test an op: values, contract, products, gradients up to ``order``, lowerings.

    Parameters
    ----------
    cases: from ``case``; without any, small shapes that broadcast, 0-d and empty ones.
    domain: where drawn operands lie, (-2, 2) unless given; a list has one per operand.
    ref: a function of arrays with the op's signature, to compare values with.
    kinks: where the derivative jumps; a sample near one is drawn again. More than a
        fifth of redraws is an error: the domain is wrong.
    attrs: keywords of the op, for every case that does not say its own.

    Raises GradientError at the first check that fails, the cheap ones first, and
    TypeError for what is no op.

    >>> import minigrad as mg
    >>> check_op(mg.relu, kinks=[0.0])
    >>> check_op(mg.sum, case((2, 3)), case((3, 1)), axis=-1, keepdims=True)
    """
    _require_op(op)
    cases = tuple(
        Case(one.operands, attrs | one.attrs) for one in cases or default_cases(op)
    )
    row = Row(op, *cases, domain=domain, order=order, ref=ref, kinks=kinks)
    for check in CHECKS:
        row.run(check)


def _require_op(given: object) -> None:
    if isinstance(given, Op):
        return
    known = by_function.get(given) if isinstance(given, Hashable) else None
    same = f"; of {known.__name__} it is mg.{known.__name__}" if known else ""
    raise TypeError(
        "check_op tests an op, which mg.Op(f, rule) or @mg.op(rule) declares: got "
        f"{type(given).__name__}{same}"
    )


def default_cases(op: Op) -> tuple[Case, ...]:
    """Shapes for an op that says nothing: equal, broadcast, size-1, 0-d and empty."""
    count = 2 if op.variadic else op.arity
    shapes: list[tuple[int, ...]] = [(3,), (2, 3), (1, 3), (), (0, 3)]
    cases = [case(*[shape] * count) for shape in shapes]
    if count == 2 and not op.variadic:
        pairs = [
            ((2, 3), (3,)),
            ((2, 1), (1, 3)),
            ((), (2, 2)),
            ((2, 2), ()),
            ((0, 1), (3,)),
        ]
        cases += [case(*pair) for pair in pairs]
    return tuple(cases)


class Sample(NamedTuple):
    """What a check looks at: a case of a row as a function of operands, and these."""

    row: Row
    f: Callable[..., Any]
    case: Case
    operands: list[Any]
    seed: int


Check = Callable[[Sample], None]


def _check_value(sample: Sample) -> None:
    row, f, one, operands, _ = sample
    recorded = f(*_tensors(operands))
    if not isinstance(recorded, Tensor):
        raise GradientError("given Tensors the op did not return a Tensor")
    if row.call is None:
        plain = f(*operands)
        require(compare("the value on Tensors", recorded.data, plain, 0, 0))
    if row.ref is not None:
        values = (list(operands),) if row.op.variadic else tuple(operands)
        expected = np.asarray(row.ref(*values, **one.attrs))
        require(compare("the value", recorded.data, expected, 1e-12, 1e-14))
        if recorded.dtype != expected.dtype:
            raise GradientError(f"the value is {recorded.dtype}, not {expected.dtype}")


def _check_float32(sample: Sample) -> None:
    _, f, _, operands, seed = sample
    if not any(map(is_float, operands)):
        return
    singles = [a.astype(np.float32) if is_float(a) else a for a in operands]
    y = f(*_tensors(singles))
    if y.dtype == np.float64:
        raise GradientError("float32 operands gave a float64 value")
    if y.dtype.kind == "f":
        check_grad(f, singles, order=0, seed=seed)


def _check_contract(sample: Sample) -> None:
    if any(map(is_float, sample.operands)):
        check_contract(sample.f, sample.operands, sample.seed)


def _check_products(sample: Sample) -> None:
    # Jv is a derivative of a gradient, so it is of order 2.
    if sample.row.order > 1 and _has_gradient(sample):
        check_jvp_vjp(sample.f, sample.operands, sample.seed)


def _check_gradient(sample: Sample) -> None:
    if _has_gradient(sample):
        check_grad(sample.f, sample.operands, sample.row.order, seed=sample.seed)


def _check_convention(row: Row, convention: Convention) -> None:
    f = row.function(convention.attrs)
    arrays = [np.asarray(a) for a in convention.operands]
    xs = [tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    wrt = [x for x in xs if x.dtype.kind == "f"]
    y = f(*xs)
    for record in (False, True):
        found = vjp(y, wrt, np.ones(y.shape), create_graph=record, unreached="zeros")
        for i, (d, e) in enumerate(zip(found, convention.gradients, strict=True)):
            what = (
                f"{row.op.name} at {convention.operands}, the gradient by operand {i}"
            )
            require(compare(what, d.data, np.asarray(e, float), 1e-12, 1e-14))


def _check_lowerings(sample: Sample) -> None:
    """A program with each gives what the op gives, in float32 for all devices.

    That for ONNX is written with ops, and gives it without a program.
    """
    from minigrad.compile import compile

    row, f, one, operands, _ = sample
    arrays = [a.astype(np.float32) if is_float(a) else np.asarray(a) for a in operands]
    parts = row.op.lowerings.get("onnx")
    if parts is not None:
        xs = _tensors(arrays)
        made = parts(xs, **one.attrs) if row.op.variadic else parts(*xs, **one.attrs)
        require(compare("the lowering for onnx", made.data, f(*xs).data, 1e-4, 1e-5))
    for engine in row.op.lowerings.keys() - {"onnx"}:
        try:
            compile(f, strict=True, backend=engine)(*arrays)
        except TraceError as error:
            raise GradientError(f"the lowering for {engine}: {error}") from None


CHECKS: dict[str, Check] = {
    "value": _check_value,
    "contract": _check_contract,
    "float32": _check_float32,
    "products": _check_products,
    "gradient": _check_gradient,
    "lowerings": _check_lowerings,
    "conventions": lambda *_: None,  # has points of its own: see Row.run
}


def _tensors(operands: list[Any]) -> list[Any]:
    return [tensor(a) if isinstance(a, np.ndarray) else a for a in operands]


def _has_gradient(sample: Sample) -> bool:
    floating = any(map(is_float, sample.operands))
    return floating and sample.f(*_tensors(sample.operands)).dtype.kind == "f"


def _is_shape(a: Any) -> bool:
    return isinstance(a, tuple) and all(isinstance(n, int) for n in a)


def _brief(a: Any) -> str:
    return f"array{a.shape}" if isinstance(a, np.ndarray) else repr(a)


def _numpy_of(op: Op) -> Callable[..., Any] | None:
    """The NumPy function that dispatches to the op, unless it is its forward itself."""
    for function, known in by_function.items():
        if known is op and function is not op.forward:
            return function  # type: ignore[no-any-return]
    return None
