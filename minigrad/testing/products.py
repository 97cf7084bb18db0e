"""Checks without step sizes: products that must agree, and two programs compared.

>>> import numpy as np
>>> import minigrad as mg
>>> check_jvp_vjp(mg.matmul, [np.ones((2, 3)), np.ones((3, 2))])
>>> check_against(mg.sigmoid, lambda x: 1 / (1 + mg.exp(-x)), [np.array([0.3])])
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.grad import jvp, vjp
from minigrad.testing.gradient import (
    Program,
    _called,
    _differentiable,
    _frozen,
    _name,
    _reproduce,
    cotangent,
)
from minigrad.testing.report import GradientError, compare


def check_jvp_vjp(
    f: Callable[..., Any], args: Sequence[Any], seed: int = 0, rtol: float = 1e-9
) -> None:
    """Check that <u, Jv> = <Jᵀu, v>, with Jv from a double vector-Jacobian product.

    No step size enters, so this holds to rounding at any scale of the arguments.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> check_jvp_vjp(mg.exp, [np.array([1.0, 300.0])])
    """
    frozen = [_frozen(a) for a in args]
    program = Program(f, _differentiable(frozen))
    rng = np.random.default_rng(seed)
    xs = program.lift(frozen)
    wrt = [xs[i] for i in program.wrt]
    vs = [cotangent(rng, x.shape) for x in wrt]
    for y in program.outputs(xs):
        u = cotangent(rng, y.shape)
        rows = vjp(y, wrt, u, unreached="zeros")
        left = np.sum(u * jvp(y, wrt, vs).data)
        terms = [np.sum(d.data * v) for d, v in zip(rows, vs, strict=True)]
        scale = float(
            sum(np.sum(np.abs(d.data * v)) for d, v in zip(rows, vs, strict=True))
        )
        said = compare("<u, Jv>", left, sum(terms), rtol, rtol * scale + 1e-13)
        if said is not None:
            raise GradientError(
                f"{_called(f)}: {said}\n(expected: <Jᵀu, v>; the rules for g and for "
                f"the arguments disagree)\n{_reproduce(frozen, seed)}"
            )


def check_against(
    f: Callable[..., Any],
    g: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    rtol: float = 1e-9,
    atol: float = 1e-11,
    seed: int = 0,
) -> None:
    """Check that two programs agree in values and gradients up to ``order``.

    For an op that fuses several ones: g is the same from single ops.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> check_against(mg.tanh, lambda x: mg.tanh(x) * 2, [np.ones(1)])
    Traceback (most recent call last):
    minigrad.testing.report.GradientError: ...: value 0 of f is wrong in 1 of 1 ...
    """
    zs = [_frozen(a) for a in args]
    wrt = _differentiable(zs)
    mine, other = Program(f, wrt), Program(g, wrt)
    rng = np.random.default_rng(seed)

    def require(said: str | None) -> None:
        if said is not None:
            raise GradientError(
                f"{_called(f)}: {said}\n(expected: what {_called(g)} gives)\n"
                f"{_reproduce([_frozen(a) for a in args], seed)}"
            )

    a, b = mine.outputs(mine.lift(zs)), other.outputs(other.lift(zs))
    if len(a) != len(b):
        raise GradientError(f"f returns {len(a)} Tensors, g {len(b)}")
    for i, (y, z) in enumerate(zip(a, b, strict=True)):
        require(compare(f"value {i} of f", y.data, z.data, rtol, atol))
    for k in range(1, order + 1):
        us = [cotangent(rng, y.shape) for y in mine.outputs(mine.lift(zs))]
        pairs = zip(mine.gradient(zs, us), other.gradient(zs, us), strict=True)
        for i, (d, e) in zip(mine.wrt, pairs, strict=True):
            what = f"the order-{k} gradient by {_name(i, len(args))}"
            require(compare(what, d, e, rtol, atol))
        mine, other = (p.derived(len(zs), len(us)) for p in (mine, other))
        zs = [*zs, *us]
