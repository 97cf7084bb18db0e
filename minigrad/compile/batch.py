"""How each op is written: over all steps at once, or inside of a loop.

Over all steps the time axis comes first. An op that is not in the tables here is still
compiled: over the steps it becomes a plain loop, in a loop a plain call.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compile import inside, loops, sums
from minigrad.compile.line import Line
from minigrad.compile.storage import is_basic
from minigrad.compile.writer import Writer
from minigrad.fold.moving_index import Ahead
from minigrad.op import OPERAND

ELEMENTWISE = frozenset(
    ["where", "clip", "sigmoid", "relu", "softplus", "astype", "add_n"]
)
ALONG_AXIS = frozenset(
    [
        "sum", "mean", "max", "min", "softmax", "log_softmax", "logsumexp", "prod",
        "var", "std", "cumsum", "cumprod",
    ]
)  # fmt: skip

REDUCTIONS = {
    "sum": ("add", False),
    "mean": ("add", True),
    "max": ("maximum", False),
    "min": ("minimum", False),
}

Argument = tuple[str, bool, int]


def emit(e: Writer, line: Line) -> None:
    """Write a line that runs once for all of its steps."""
    if line.reduces:
        sums.over_steps(e, line)
        return
    if line.op == "step":
        _window(e, line, 0)
        return
    if not all(e.storage.whole(operand, line) for operand in line.reads):
        sums.partial(e, line)
        return
    arguments = [e.batched(o, line) for o in line.reads]
    timed = [i for i, (_, has_time, _) in enumerate(arguments) if has_time]
    writer = _WRITERS.get(line.op)
    if isinstance(line.forward, np.ufunc) and line.op != "matmul" and timed:
        codes = ", ".join(_aligned(arguments, len(line.shape)))
        store = e.buffer(line, tuple(line.reads[i] for i in timed))
        name = line.forward.__name__
        out = e.out(name, e.window(store, line.span))
        e.body.append(f"np.{name}({codes}, {out})")
    elif line.op in ELEMENTWISE and timed:
        _elementwise(e, line, arguments)
    elif writer is None or not writer(e, line, arguments):
        loops.once_per_step(e, line)


def _aligned(arguments: list[Argument], ndim: int) -> list[str]:
    """Operands with axes put in behind the time axis, so that they broadcast."""
    return [
        f"{code}[:{', None' * (ndim - axes)}]" if has_time and axes < ndim else code
        for code, has_time, axes in arguments
    ]


def _whole(e: Writer, line: Line, shape: tuple[int, ...]) -> str:
    return f"({', '.join([e.count(line), *map(str, shape)])},)"


def _elementwise(e: Writer, line: Line, arguments: list[Argument]) -> None:
    codes = _aligned(arguments, len(line.shape))
    reuse = tuple(line.reads[i] for i, a in enumerate(arguments) if a[1])
    if line.op == "sigmoid":
        store = e.buffer(line, reuse)
        e.body.append(f"{e.call(line)}({codes[0]}, {e.window(store, line.span)})")
    elif line.op == "add_n" and len(codes) > 1:
        store = e.buffer(line, reuse)
        out = e.window(store, line.span)
        e.body += inside.added(codes, out, "np.")
    elif line.op == "add_n":
        e.bind(line, codes[0])
    else:
        attrs = e.keywords(line.attrs, line)
        e.bind(line, f"{e.call(line)}({', '.join(codes)}{attrs})")


def _window(e: Writer, line: Line, shift: int) -> None:
    """x(t) at all steps: a window of its sequence."""
    (source,) = line.reads[0]
    sequence = e.untimed(e.lines[source.role])
    name = e.length_name(line.clock)
    a = (line.span.first - 1 + shift).code(name)
    b = (line.span.last + shift).code(name)
    e.bind(line, f"{sequence}[{a}:{b}]")


def _product(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    (a, a_timed, a_axes), (b, b_timed, b_axes) = arguments
    if a_axes < 2 or b_axes < 2 or (line.op == "dot" and (a_axes, b_axes) != (2, 2)):
        return False
    if a_timed and not b_timed and (a_axes, b_axes) == (2, 2):
        inner = e.lines[line.reads[1][-1].role].shape[0]
        out = e.rows(e.window(e.buffer(line), line.span), line.shape[-1])
        e.body.append(f"np.dot({e.rows(a, inner)}, {b}, {out})")
        return True
    if a_axes == b_axes or not (a_timed and b_timed):
        axes = max(a_axes, b_axes)
        a, b = _aligned([(a, a_timed, a_axes), (b, b_timed, b_axes)], axes)
        out = e.window(e.buffer(line), line.span)
        e.body.append(f"np.matmul({a}, {b}, {out})")
        return True
    return False


def _axes(line: Line, arguments: list[Argument]) -> Any:
    """The axes that an op works along, counted with the time axis in front."""
    axis = line.attrs.get("axis", -1 if "softmax" in line.op else None)
    ndim = arguments[0][2]
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple):
        return tuple(a % ndim + 1 for a in axis)
    return axis % ndim + 1


def _along_axis(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    if not timed or (ndim == 0) or ("cum" in line.op and "axis" not in line.attrs):
        return False
    attrs = dict(line.attrs) | {"axis": _axes(line, arguments)}
    if line.op in REDUCTIONS:
        # What NumPy's function of that name does, without its checks in Python.
        ufunc, counted = REDUCTIONS[line.op]
        size = int(np.prod(e.lines[line.reads[0][0].role].shape) / np.prod(line.shape))
        code = f"np.{ufunc}.reduce({code}{e.keywords(attrs, line)})"
        e.bind(line, f"{code} / {size}" if counted else code)
        return True
    e.bind(line, f"{e.call(line)}({code}{e.keywords(attrs, line)})")
    return True


def _transpose(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    axes = line.attrs.get("axes") or tuple(reversed(range(ndim)))
    order = ", ".join(str(a % ndim + 1) for a in axes)
    if timed:
        e.look(line, code, f"{code}.transpose(0, {order})" if order else code)
    return timed


def _reshaped(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, _ = arguments[0]
    if timed:
        # Only what lies in one piece is sure to be a view and not a copy.
        base = code if code in e.solid else ""
        e.look(line, base, f"{code}.reshape({_whole(e, line, line.shape)})")
    return timed


def _swapped(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    if timed:
        a, b = (line.attrs[k] % ndim + 1 for k in ("axis1", "axis2"))
        e.look(line, code, f"{code}.swapaxes({a}, {b})")
    return timed


def _spread(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, _ = arguments[0]
    if not timed:
        return False
    axis, ndim = line.attrs.get("axis"), len(line.shape)
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    opened = [
        1 if a in {x % ndim for x in axes} else n for a, n in enumerate(line.shape)
    ]
    if line.op == "spread_mean_to":
        size = int(np.prod(line.shape)) / (int(np.prod(opened)) or 1)
        code = f"({code} / {size})"
    column = f"{code}.reshape({_whole(e, line, tuple(opened))})"
    e.bind(line, f"np.broadcast_to({column}, {_whole(e, line, line.shape)})")
    return True


def _broadcast(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    (code,) = _aligned(arguments, len(line.shape))
    e.bind(line, f"np.broadcast_to({code}, {_whole(e, line, line.shape)})")
    return True


def _getitem(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, _ = arguments[0]
    key = line.attrs["key"]
    parts = key if isinstance(key, tuple) else (key,)
    index = e.lines[line.reads[1][0].role].dtype if key == OPERAND else ""
    if "int" in index and not timed and arguments[1][1]:  # a mask has each its shape
        e.bind(line, f"{code}[{arguments[1][0]}]")
        return True
    if timed and is_basic(key):
        look = f"{code}[:, {e.index(key, line)}]" if parts else code
        e.look(line, code, look)
        return True
    first = parts[0] if parts else None
    if timed or not isinstance(first, Ahead):
        return False
    if not is_basic(parts[1:]):
        return False
    name = e.length_name(line.clock)
    if first.from_end:
        low = line.span.last.__class__(1, first.k) - line.span.last
        high = line.span.last.__class__(1, first.k) - line.span.first + 1
        window = f"{low.code(name)}:{high.code(name)}"
        turned = "[::-1]"
    else:
        low, high = line.span.first + first.k, line.span.last + first.k + 1
        window, turned = f"{low.code(name)}:{high.code(name)}", ""
    rest = "".join(f", {e.literal(p, line)}" for p in parts[1:])
    e.bind(line, f"{code}[{window}{rest}]{turned}")
    return True


def _joined(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    ndim = arguments[0][2] + (line.op == "stack")
    axis = line.attrs.get("axis", 0) % ndim + 1
    codes = [
        code
        if timed
        else f"np.broadcast_to({code}, "
        f"{_whole(e, line, e.lines[operand[0].role].shape)})"
        for (code, timed, _), operand in zip(arguments, line.reads, strict=True)
    ]
    e.bind(line, f"np.{line.op}(({', '.join(codes)},), axis={axis})")
    return True


def _join(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    """Parts that were not written in their place are copied to it."""
    out = e.window(e.buffer(line), line.span)
    for operand, (code, _, _), key in zip(
        line.reads, arguments, line.attrs["keys"], strict=True
    ):
        if not e.in_place(operand, line, key):
            e.body.append(f"{out}[:, {e.index(key, line)}] = {code}")
    return True


def _loss(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    """A loss of each step, where it is the plain sum or mean of its elements."""
    if not all(timed for _, timed, _ in arguments):
        return False
    reduction = line.attrs.get("reduction", "mean")
    if line.op == "cross_entropy" and reduction == "mean":
        return False
    codes = ", ".join(code for code, _, _ in arguments)
    attrs = line.attrs | {"reduction": "none"}
    code = f"{e.call(line)}({codes}{e.keywords(attrs, line)})"
    if reduction != "none":
        code = f"{code}.reshape({e.count(line)}, -1).{reduction}(1)"
    e.bind(line, code)
    return True


def _rowwise(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    """Functions that treat leading axes alike."""
    if not all(timed for _, timed, _ in arguments):
        return False
    codes = ", ".join(code for code, _, _ in arguments)
    e.bind(line, f"{e.call(line)}({codes}{e.keywords(line.attrs, line)})")
    return True


def _class_gradient(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    weight = arguments[3]
    if not all(timed for _, timed, _ in arguments[:3]) or (weight[2] and not weight[1]):
        return False
    codes = [code for code, _, _ in arguments[:3]]
    codes += _aligned([weight], len(line.shape))
    store = e.buffer(line, (line.reads[0],))
    attrs = e.keywords(line.attrs, line)
    out = e.window(store, line.span)
    e.body.append(f"{e.call(line)}({', '.join(codes)}{attrs}, out={out})")
    return True


def _per_kept(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    attrs = line.attrs | {"axis": tuple(range(1, ndim + 1))}
    if timed:
        e.bind(line, f"{e.call(line)}({code}{e.keywords(attrs, line)})")
    return timed


def _target_weights(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    return line.attrs.get("reduction", "mean") != "mean" and _rowwise(
        e, line, arguments
    )


def _embedding(e: Writer, line: Line, arguments: list[Argument]) -> bool:
    (table, table_timed, _), (index, index_timed, _) = arguments
    if table_timed or not index_timed:
        return False
    e.bind(line, f"{table}[{index}]")
    return True


_WRITERS: dict[str, Callable[[Writer, Line, list[Argument]], bool]] = {
    "matmul": _product,
    "dot": _product,
    "transpose": _transpose,
    "reshape": _reshaped,
    "squeeze": _reshaped,
    "expand_dims": _reshaped,
    "swapaxes": _swapped,
    "spread_to": _spread,
    "spread_mean_to": _spread,
    "broadcast_to": _broadcast,
    "getitem": _getitem,
    "join": _join,
    "stack": _joined,
    "concatenate": _joined,
    "mse_loss": _loss,
    "binary_cross_entropy": _loss,
    "cross_entropy": _loss,
    "picked_losses": _rowwise,
    "class_gradient": _class_gradient,
    "target_weights": _target_weights,
    "per_kept": _per_kept,
    "embedding": _embedding,
    **dict.fromkeys(ALONG_AXIS, _along_axis),
}
