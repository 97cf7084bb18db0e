"""``check_grad``: gradients of any order against differences, one function for all.

Vocabulary
    order     the order-k function maps all earlier arguments and one cotangent per
              output to the gradients: order 1 checks f itself in x, order 2 checks
              ``vjp(f(x), x, g)`` in x and in g, and so on
    cotangent random and signed: with ones, rules that ignore it would pass

>>> import numpy as np
>>> import minigrad as mg
>>> check_grad(mg.tanh, [np.array([0.1, -0.7])], order=3)
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.grad import vjp
from minigrad.tensor import Tensor, tensor
from minigrad.testing.numeric import numerical_jacobian
from minigrad.testing.report import (
    GradientError,
    compare,
    listing,
    pasteable,
    shrink,
    with_hint_of,
)

Array = NDArray[Any]

FLOAT32 = 2e-4  # float32 gradients agree with float64 to this, relative to the largest


class Program(NamedTuple):
    """A function of arrays and Tensors, and the positions that are differentiated."""

    f: Callable[..., Any]
    wrt: tuple[int, ...]

    def outputs(self, tensors: Sequence[Any]) -> list[Tensor]:
        """The results that have a gradient, as a list."""
        y = self.f(*tensors)
        ys = list(y) if isinstance(y, (list, tuple)) else [y]
        for value in ys:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"the function returned {type(value).__name__}, not a Tensor: it "
                    "computes with raw arrays, so nothing was recorded"
                )
        return [value for value in ys if value.dtype.kind == "f"]

    def lift(self, args: Sequence[Any]) -> list[Any]:
        """The arguments, those of wrt as differentiable leaves."""
        return [
            tensor(a, requires_grad=True, copy=False) if i in self.wrt else a
            for i, a in enumerate(args)
        ]

    def gradient(self, args: Sequence[Any], us: Sequence[Array]) -> list[Array]:
        """The gradient of ``sum(u * y)`` by wrt, computed with arrays."""
        xs = self.lift(args)
        seeds = [tensor(u, copy=False) for u in us]
        targets = [xs[i] for i in self.wrt]
        found = vjp(self.outputs(xs), targets, seeds, unreached="zeros")
        return [d.data for d in found]

    def derived(self, count: int, outputs: int) -> "Program":
        """The gradient as a program: of the ``count`` arguments and the cotangents."""

        def gradients(*zs: Any) -> list[Tensor]:
            xs, gs = zs[:count], zs[count:]
            ys = self.outputs(xs)
            targets = [xs[i] for i in self.wrt]
            # Without recording (arrays for all arguments) nothing could be asked for.
            return vjp(ys, targets, gs, create_graph=True, unreached="zeros")

        # The cotangents are arguments too.
        return Program(gradients, (*self.wrt, *range(count, count + outputs)))


def check_grad(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    wrt: Sequence[int] | None = None,
    scheme: str = "auto",
    rtol: float = 1e-8,
    atol: float = 1e-9,
    seed: int = 0,
) -> None:
    """Compare the gradients of a function with differences, up to an order.

    Parameters
    ----------
    f: takes Tensors where ``args`` has arrays; returns a Tensor or several.
    args: arrays and anything else. Floating-point arrays are differentiated, unless
        ``wrt`` lists the positions. A float32 argument is checked as float64, and then
        its float32 gradient is compared with that.
    order: the highest order; from order 2 on by the cotangent too.
    scheme: "richardson" ("auto" is that), "central" or "complex" (order 1 alone, and f
        must compute with complex arrays).
    seed: of the random cotangents.

    Raises GradientError with a sentence, the shrunk input as code, the worst entries, a
    hint, the seed and the graph.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> check_grad(lambda a, b: a @ b, [np.ones((2, 3)), np.ones(3)], order=2)
    """
    arrays = [_frozen(a) for a in args]
    chosen = _differentiable(arrays) if wrt is None else tuple(wrt)
    if not chosen:
        raise ValueError(
            "no argument is a floating-point array, so nothing has a gradient: write "
            "np.array(1.0) for 1.0 or pass wrt"
        )
    single = any(arrays[i].dtype != np.float64 for i in chosen)
    doubles = [
        _frozen(a, np.float64) if i in chosen else a for i, a in enumerate(arrays)
    ]

    def failure(candidate: list[Any]) -> str | None:
        return _first_failure(f, candidate, chosen, order, scheme, rtol, atol, seed)

    found = failure(doubles)
    if found is None and single:
        found = _float32_failure(f, arrays, doubles, chosen, seed)
        if found is not None:
            raise GradientError(f"{_called(f)}: {found}\n{_reproduce(arrays, seed)}")
    if found is None:
        return

    def fails(candidate: list[Any]) -> bool:
        try:
            return failure(candidate) is not None
        except Exception:
            return False  # this smaller input is not one that f takes

    small = [_frozen(a) for a in shrink(fails, doubles)]
    program = Program(f, chosen)
    raise GradientError(
        f"{_called(f)}: {with_hint_of(failure(small) or found, found)}\n"
        f"{_reproduce(small, seed)}\n"
        f"graph:\n{listing(program.outputs(program.lift(small)))}"
    )


def _first_failure(
    f: Callable[..., Any],
    args: list[Any],
    wrt: tuple[int, ...],
    order: int,
    scheme: str,
    rtol: float,
    atol: float,
    seed: int,
) -> str | None:
    rng = np.random.default_rng(seed)
    program, zs = Program(f, wrt), list(args)
    for k in range(1, order + 1):
        shapes = [y.shape for y in program.outputs(program.lift(zs))]
        us = [cotangent(rng, shape) for shape in shapes]
        analytic = program.gradient(zs, us)
        numeric = _by_differences(program, zs, us, scheme)
        for i, a, n in zip(program.wrt, analytic, numeric, strict=True):
            what = f"the order-{k} gradient by {_name(i, len(args))}"
            factor = us[0] if len(us) == 1 else 1.0
            said = compare(what, a, n, rtol, atol, factor)
            if said is not None and k > 1 and not a.any():
                said += (
                    "\nthe gradient itself is right and its derivative is zero: a rule "
                    "computes with raw arrays, which record nothing"
                )
            if said is not None:
                return said
        derived = program.derived(len(zs), len(us))
        gradients = derived.outputs([*program.lift(zs), *map(tensor, us)])
        for i, a, d in zip(program.wrt, analytic, gradients, strict=True):
            what = f"the recorded order-{k} gradient by {_name(i, len(args))}"
            said = compare(what, d.data, a, 1e-12, 1e-13)
            if said is not None:
                return f"{said}\n(expected: what the same rule gives on arrays)"
        program, zs = derived, [*zs, *us]
    return None


def _by_differences(
    program: Program, args: list[Any], us: Sequence[Array], scheme: str
) -> list[Array]:
    """The gradient of ``sum(u * y)`` from values alone."""

    def weighted(*zs: Any) -> Any:
        if scheme == "complex":
            y = program.f(*zs)
            ys = list(y) if isinstance(y, (list, tuple)) else [y]
        else:
            ys = [y.data for y in program.outputs(program.lift(zs))]
        total = np.zeros(())
        for u, y in zip(us, ys, strict=True):
            total = total + np.sum(u * y)
        return total

    name = "richardson" if scheme == "auto" else scheme
    return numerical_jacobian(weighted, args, program.wrt, name)


def _float32_failure(
    f: Callable[..., Any],
    singles: list[Any],
    doubles: list[Any],
    wrt: tuple[int, ...],
    seed: int,
) -> str | None:
    program = Program(f, wrt)
    rng = np.random.default_rng(seed)
    ys = program.outputs(program.lift(singles))
    us = [cotangent(rng, y.shape) for y in ys]
    found = program.gradient(
        singles, [u.astype(y.dtype) for u, y in zip(us, ys, strict=True)]
    )
    expected = program.gradient(doubles, us)
    for i, a, e in zip(wrt, found, expected, strict=True):
        if a.dtype != singles[i].dtype:
            return f"the gradient by argument {i} has dtype {a.dtype}, not that of it"
        scale = max(1.0, float(np.max(np.abs(e), initial=0.0)))
        said = compare(
            f"the {a.dtype} gradient by argument {i}", a, e, FLOAT32, FLOAT32 * scale
        )
        if said is not None:
            return f"{said}\n(expected: the float64 gradient)"
    return None


def cotangent(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Random and signed, of magnitude 0.5 to 1.5: nothing in it can hide a term."""
    signed = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    return np.asarray(signed)  # a 0-d product is a scalar


def is_float(a: Any) -> bool:
    """Whether a value is an array of floating point.

    >>> is_float(np.ones(2)), is_float(1.0)
    (True, False)
    """
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def _differentiable(args: Sequence[Any]) -> tuple[int, ...]:
    return tuple([i for i, a in enumerate(args) if is_float(a)])


def _frozen(a: Any, dtype: Any = None) -> Any:
    """A read-only copy of an array, in C order; anything else as it is."""
    if not isinstance(a, np.ndarray):
        return a
    copy = np.array(a, dtype=dtype, order="C")
    copy.setflags(write=False)
    return copy


def _name(i: int, count: int) -> str:
    return f"argument {i}" if i < count else f"cotangent {i - count}"


def _called(f: Any) -> str:
    return getattr(f, "__qualname__", None) or repr(f)


def _reproduce(args: Sequence[Any], seed: int) -> str:
    return f"seed {seed}; the input, shrunk:\n{pasteable(args)}"
