"""``check_contract``: what every gradient rule promises besides the right numbers.

Vocabulary
    rule promises    given read-only arrays a rule edits nothing, is linear in g, gives
                     zero for zero g and the same bits twice, and keeps float32
    result promises  gradients have the shape and dtype of their inputs and share memory
                     with nothing; memory layout, one tensor on two places and an unused
                     result change nothing

These find what differences cannot: in-place edits, aliases, wrong dtypes.

>>> import numpy as np
>>> import minigrad as mg
>>> check_contract(mg.multiply, [np.ones((2, 1)), np.arange(3.0)])
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.grad import vjp
from minigrad.graph import Graph, Node
from minigrad.op import Scatter
from minigrad.ops.indexing import scatter_into
from minigrad.testing.gradient import (
    Program,
    _called,
    _differentiable,
    _frozen,
    _reproduce,
    cotangent,
    is_float,
)
from minigrad.testing.report import GradientError, compare

Array = NDArray[Any]


def check_contract(f: Callable[..., Any], args: Sequence[Any], seed: int = 0) -> None:
    """Check the promises of this module for f and for each op that it records.

    Parameters
    ----------
    f, args, seed: as of ``check_grad``.

    Raises GradientError, which names the op, the rule and the promise.

    >>> import numpy as np
    >>> from minigrad import Op
    >>> def edit(g, y, x):
    ...     g *= 2
    ...     return g
    >>> check_contract(Op(lambda x: 2 * x, edit, name="doc_edit"), [np.ones(2)])
    Traceback (most recent call last):
    minigrad.testing.report.GradientError: rule 0 of doc_edit edits an array...
    """
    frozen = [_frozen(a) for a in args]
    program = Program(f, _differentiable(frozen))
    rng = np.random.default_rng(seed)
    xs = program.lift(frozen)
    ys = program.outputs(xs)
    us = [_frozen(cotangent(rng, y.shape).astype(y.dtype)) for y in ys]

    def promises() -> Iterator[str | None]:
        for node in Graph(ys).nodes:
            if node.inputs and node.value.dtype.kind == "f":
                yield from _rule_promises(node, rng)
        before = [np.array(a) for a in (*frozen, *us)]
        gradients = program.gradient(frozen, us)
        yield from _result_promises(program, frozen, us, gradients)
        for old, new in zip(before, (*frozen, *us), strict=True):
            if old.tobytes() != np.array(new).tobytes():
                yield "an argument or a cotangent was changed"
        yield from _layout_promises(program, frozen, us)
        yield from _sharing_promises(program, frozen, us, gradients)

    said = next((s for s in promises() if s is not None), None)
    if said is not None:
        raise GradientError(f"{said}\nin {_called(f)}\n{_reproduce(frozen, seed)}")


def _rule_promises(node: Node, rng: np.random.Generator) -> Iterator[str | None]:
    op, attrs = node.op, node.op.attributes(node)
    y, xs = _frozen(node.value), [_frozen(i.value) for i in node.inputs]
    g, h = (_frozen(cotangent(rng, y.shape).astype(y.dtype)) for _ in range(2))
    for i, x in enumerate(xs):
        rule = partial(op.vjps[0], i) if op.variadic else op.vjps[i]
        if rule is None or np.asarray(x).dtype.kind != "f":
            continue
        where = f"rule {i} of {op.name}"

        def answer(
            g: Array, y: Any = y, xs: Any = xs, x: Any = x, rule: Any = rule
        ) -> Any:
            d = rule(g, y, *([xs] if op.variadic else xs), **attrs)
            if not isinstance(d, Scatter):
                return d
            dense = np.zeros_like(x, dtype=d.cotangent.dtype)
            scatter_into(dense, d)
            return dense

        try:
            first, second = answer(g), answer(h)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            yield f"{where} edits an array in place ({error})"
            return
        if first is None:
            continue
        if np.asarray(answer(g)).tobytes() != np.asarray(first).tobytes():
            yield f"{where} gives other bits when called again with the same arrays"
        if np.any(first) and np.array_equal(first, second):
            yield f"{where} is not linear in g: it does not use g"
            continue
        mixed = answer(_frozen(np.asarray(g + h)))
        tolerance = 1e-10 if g.dtype == np.float64 else 1e-3
        what = f"{where} is not linear in g: its answer to g + h"
        yield compare(what, mixed, np.add(first, second), tolerance, tolerance)
        if np.any(answer(_frozen(np.zeros_like(g)))):
            yield f"{where} gives a gradient for the cotangent zero"
        single = answer(*map(_single, (g, y, xs)))
        if g.dtype == np.float64 and single.dtype != np.float32:
            yield (
                f"{where} answers float32 arrays with {single.dtype}: a number that is "
                "not a Python float has entered"
            )


def _single(a: Any) -> Any:
    if isinstance(a, list):
        return [_single(x) for x in a]
    return _frozen(a, np.float32) if is_float(a) else a


def _result_promises(
    program: Program, args: list[Any], us: list[Array], gradients: list[Array]
) -> Iterator[str | None]:
    for i, d in zip(program.wrt, gradients, strict=True):
        if (d.shape, d.dtype) != (args[i].shape, args[i].dtype):
            yield (
                f"the gradient by argument {i} is {d.dtype} of shape {d.shape}, the "
                f"argument {args[i].dtype} of shape {args[i].shape}"
            )
        for other in (*us, *(a for a in args if isinstance(a, np.ndarray))):
            if np.shares_memory(d, other):
                yield f"the gradient by argument {i} is a view of an argument or of g"
    for (i, a), (j, b) in combinations(zip(program.wrt, gradients, strict=True), 2):
        if np.shares_memory(a, b):
            yield f"the gradients by arguments {i} and {j} share their memory"
    again = program.gradient(args, us)
    for i, a, b in zip(program.wrt, gradients, again, strict=True):
        if a.tobytes() != b.tobytes():
            yield f"the gradient by argument {i} has other bits when computed again"


def layouts(a: Array) -> dict[str, Array]:
    """The values of an array in other memory layouts, and a 0-stride array like it.

    >>> import numpy as np
    >>> list(layouts(np.ones((2, 3))))
    ['Fortran', 'strided', 'negative strides', '0-stride']
    """
    if not a.ndim:
        return {}
    wide = np.zeros([2 * n for n in a.shape], a.dtype)
    every_other = wide[(slice(None, None, 2),) * a.ndim]
    every_other[...] = a
    backwards = (slice(None, None, -1),) * a.ndim
    found = {
        "Fortran": np.array(a, order="F"),
        "strided": every_other,
        "negative strides": a[backwards].copy()[backwards],
    }
    if a.size:
        found["0-stride"] = np.broadcast_to(a[..., :1], a.shape)
    return found


def _layout_promises(
    program: Program, args: list[Any], us: list[Array]
) -> Iterator[str | None]:
    for i in program.wrt:
        for name, laid in layouts(args[i]).items():
            moved, plain = list(args), list(args)
            moved[i], plain[i] = laid, _frozen(laid)
            found = program.gradient(moved, us)
            expected = program.gradient(plain, us)
            for j, a, e in zip(program.wrt, found, expected, strict=True):
                what = f"with argument {i} {name}, the gradient by argument {j}"
                yield compare(what, a, e, 1e-10, 1e-10)


def _sharing_promises(
    program: Program, args: list[Any], us: list[Array], gradients: list[Array]
) -> Iterator[str | None]:
    for (p, i), (q, j) in combinations(enumerate(program.wrt), 2):
        if (args[i].shape, args[i].dtype) != (args[j].shape, args[j].dtype):
            continue
        same = list(args)
        same[j] = same[i]
        apart = program.gradient(same, us)
        xs = program.lift(same)
        xs[j] = xs[i]
        ys = program.outputs(xs)
        (joint,) = vjp(ys, [xs[i]], us, unreached="zeros")
        what = f"f(x, x): the gradient by x on places {i} and {j}"
        yield compare(what, joint.data, apart[p] + apart[q], 1e-10, 1e-10)
    xs = program.lift(args)
    unused = program.outputs(xs)  # recorded first, so that ids and slots move
    ys = program.outputs(xs)
    found = vjp(ys, [xs[i] for i in program.wrt], us, unreached="zeros")
    del unused
    for i, d, e in zip(program.wrt, found, gradients, strict=True):
        yield compare(
            f"beside an unused f(x), the gradient by argument {i}", d.data, e, 0, 0
        )
