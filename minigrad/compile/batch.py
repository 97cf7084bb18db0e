"""How each op is written: over all steps at once, or inside of a loop.

Over all steps the time axis comes first. An op that is not in the tables here is still
compiled: over the steps it becomes a plain loop, in a loop a plain call.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.compile.line import Line, Steps

if TYPE_CHECKING:
    from minigrad.compile.emit import Emitter

# Ops whose NumPy function of the same name means the same.
NUMPY = frozenset("sum mean max min where clip".split())
ELEMENTWISE = frozenset("where clip sigmoid relu softplus astype add_n".split())
ALONG_AXIS = frozenset(
    "sum mean max min softmax log_softmax logsumexp prod var std cumsum cumprod".split()
)

REDUCTIONS = {
    "sum": ("add", False),
    "mean": ("add", True),
    "max": ("maximum", False),
    "min": ("minimum", False),
}

Argument = tuple[str, bool, int]


def emit(e: "Emitter", line: Line) -> None:
    """Write a line that runs once for all of its steps."""
    if line.reduces:
        _over_steps(e, line)
        return
    if line.op == "step":
        _window(e, line, 0)
        return
    if not all(e.storage.whole(operand, line) for operand in line.reads):
        _partial_sum(e, line)
        return
    arguments = [e.batched_operand(o, line) for o in line.reads]
    timed = [i for i, (_, has_time, _) in enumerate(arguments) if has_time]
    writer = _WRITERS.get(line.op)
    if isinstance(line.forward, np.ufunc) and line.op != "matmul" and timed:
        codes = ", ".join(_aligned(arguments, len(line.shape)))
        store = e.buffer(line, tuple(line.reads[i] for i in timed))
        name = line.forward.__name__
        out = _out(name, e.window(store, line.steps))  # type: ignore[arg-type]
        e.body.append(f"np.{name}({codes}, {out})")
    elif line.op in ELEMENTWISE and timed:
        _elementwise(e, line, arguments)
    elif writer is None or not writer(e, line, arguments):
        _step_by_step(e, line)


def _out(name: str, code: str) -> str:
    """The last argument of a ufunc; NumPy wants it by name where more could follow."""
    return f"out={code}" if name in ("maximum", "minimum") else code


def _aligned(arguments: list[Argument], ndim: int) -> list[str]:
    """Operands with axes put in behind the time axis, so that they broadcast."""
    return [
        f"{code}[:{', None' * (ndim - axes)}]" if has_time and axes < ndim else code
        for code, has_time, axes in arguments
    ]


def _count(e: "Emitter", line: Line) -> str:
    assert line.steps is not None
    return line.steps.count.code(e.length_name(line.clock))


def _whole(e: "Emitter", line: Line, shape: tuple[int, ...]) -> str:
    return f"({', '.join([_count(e, line), *map(str, shape)])},)"


def _elementwise(e: "Emitter", line: Line, arguments: list[Argument]) -> None:
    codes = _aligned(arguments, len(line.shape))
    reuse = tuple(line.reads[i] for i, a in enumerate(arguments) if a[1])
    if line.op == "add_n":
        # The first sum is written while the later terms are still to be read.
        later = {s.role for operand in line.reads[2:] for s in operand}
        reuse = tuple(o for o in reuse if not later & {s.role for s in o})
    if line.op == "sigmoid":
        store = e.buffer(line, reuse)
        assert line.steps is not None
        e.body += _sigmoid(codes[0], e.window(store, line.steps), "np.")
    elif line.op == "add_n" and len(codes) > 1:
        store = e.buffer(line, reuse)
        assert line.steps is not None
        out = e.window(store, line.steps)
        e.body.append(f"np.add({codes[0]}, {codes[1]}, {out})")
        e.body += [f"np.add({out}, {code}, {out})" for code in codes[2:]]
    elif line.op == "add_n":
        e.bind(line, codes[0])
    else:
        attrs = e.keywords(line.attrs, line)
        e.bind(line, f"{e.call(line)}({', '.join(codes)}{attrs})")


def _partial_sum(e: "Emitter", line: Line) -> None:
    """A sum that lacks some terms at its first or last steps."""
    assert line.op == "add_n" and line.steps is not None
    store = e.buffer(line)
    e.body.append(f"{store.name}[...] = 0")
    length = e.storage.length(line.clock)
    for operand in line.reads:
        for source in operand:
            steps = line.steps
            if source.span is not None:
                met = Steps.of(source.span).meet(line.steps, length)
                assert met is not None
                steps = met
            for piece in e.storage.pieces((source,), steps, line.clock):
                if piece.one:
                    code = e.piece(piece)
                else:
                    assert piece.store is not None and piece.window is not None
                    code = e.window(piece.store, piece.window)
                out = e.window(store, piece.steps)
                e.body.append(f"np.add({out}, {code}, {out})")


def _sigmoid(x: str, out: str, prefix: str) -> list[str]:
    return [
        f"{prefix}multiply({x}, 0.5, {out})",
        f"{prefix}tanh({out}, {out})",
        f"{prefix}multiply({out}, 0.5, {out})",
        f"{prefix}add({out}, 0.5, {out})",
    ]


def _window(e: "Emitter", line: Line, shift: int) -> None:
    """x(t) at all steps: a window of its sequence."""
    assert line.steps is not None
    (source,) = line.reads[0]
    sequence = e.untimed(e.lines[source.role])
    name = e.length_name(line.clock)
    a = (line.steps.first - 1 + shift).code(name)
    b = (line.steps.last + shift).code(name)
    e.bind(line, f"{sequence}[{a}:{b}]")


def _product(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    (a, a_timed, a_axes), (b, b_timed, b_axes) = arguments
    if a_axes < 2 or b_axes < 2 or (line.op == "dot" and (a_axes, b_axes) != (2, 2)):
        return False
    if a_timed and not b_timed and (a_axes, b_axes) == (2, 2):
        inner = e.lines[line.reads[1][-1].role].shape[0]
        store = e.buffer(line)
        assert line.steps is not None
        out = e.window(store, line.steps)
        e.body.append(
            f"np.dot({a}.reshape(-1, {inner}), {b}, "
            f"{out}.reshape(-1, {line.shape[-1]}))"
        )
        return True
    if a_axes == b_axes or not (a_timed and b_timed):
        store = e.buffer(line)
        assert line.steps is not None
        a, b = _aligned(
            [(a, a_timed, a_axes), (b, b_timed, b_axes)], max(a_axes, b_axes)
        )
        e.body.append(f"np.matmul({a}, {b}, {e.window(store, line.steps)})")
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


def _along_axis(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
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


def _transpose(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    axes = line.attrs.get("axes") or tuple(reversed(range(ndim)))
    order = ", ".join(str(a % ndim + 1) for a in axes)
    e.bind(line, f"{code}.transpose(0, {order})" if order else code)
    return timed


def _reshaped(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    code, timed, _ = arguments[0]
    if timed:
        e.bind(line, f"{code}.reshape({_whole(e, line, line.shape)})")
    return timed


def _swapped(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    if timed:
        a, b = (line.attrs[k] % ndim + 1 for k in ("axis1", "axis2"))
        e.bind(line, f"{code}.swapaxes({a}, {b})")
    return timed


def _spread(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
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
    opened_code = _whole(e, line, tuple(opened))
    e.bind(
        line,
        f"np.broadcast_to({code}.reshape({opened_code}), {_whole(e, line, line.shape)})",
    )
    return True


def _broadcast(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    (code,) = _aligned(arguments, len(line.shape))
    e.bind(line, f"np.broadcast_to({code}, {_whole(e, line, line.shape)})")
    return True


def _getitem(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    from minigrad.recurrence import Ahead

    code, timed, _ = arguments[0]
    key = line.attrs["key"]
    parts = key if isinstance(key, tuple) else (key,)
    basic = not any(
        isinstance(p, (np.ndarray, list, bool)) or p is Ellipsis for p in parts
    )
    if timed and basic and not any(isinstance(p, Ahead) for p in parts):
        inner = ", ".join(e.literal(p, line) for p in parts)
        e.bind(line, f"{code}[:, {inner}]" if inner else code)
        return True
    first = parts[0] if parts else None
    if timed or not basic or not isinstance(first, Ahead) or line.steps is None:
        return False
    if any(isinstance(p, Ahead) for p in parts[1:]):
        return False
    name = e.length_name(line.clock)
    if first.from_end:
        low = line.steps.last.__class__(1, first.k) - line.steps.last
        high = line.steps.last.__class__(1, first.k) - line.steps.first + 1
        window = f"{low.code(name)}:{high.code(name)}"
        turned = "[::-1]"
    else:
        low, high = line.steps.first + first.k, line.steps.last + first.k + 1
        window, turned = f"{low.code(name)}:{high.code(name)}", ""
    rest = "".join(f", {e.literal(p, line)}" for p in parts[1:])
    e.bind(line, f"{code}[{window}{rest}]{turned}")
    return True


def _joined(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
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


def _loss(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
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
        code = f"{code}.reshape({_count(e, line)}, -1).{reduction}(1)"
    e.bind(line, code)
    return True


def _rowwise(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    """Functions that treat leading axes alike."""
    if not all(timed for _, timed, _ in arguments):
        return False
    codes = ", ".join(code for code, _, _ in arguments)
    e.bind(line, f"{e.call(line)}({codes}{e.keywords(line.attrs, line)})")
    return True


def _minus_target(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    (p, p_timed, _), (index, index_timed, _) = arguments
    if not p_timed or not index_timed:
        return False
    store = e.buffer(line, (line.reads[0],))
    assert line.steps is not None
    attrs = e.keywords(line.attrs, line)
    out = e.window(store, line.steps)
    e.body.append(f"{e.call(line)}({p}, {index}{attrs}, out={out})")
    return True


def _per_kept(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    code, timed, ndim = arguments[0]
    attrs = line.attrs | {"axis": tuple(range(1, ndim + 1))}
    e.bind(line, f"{e.call(line)}({code}{e.keywords(attrs, line)})")
    return timed


def _target_weights(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    return line.attrs.get("reduction", "mean") != "mean" and _rowwise(
        e, line, arguments
    )


def _embedding(e: "Emitter", line: Line, arguments: list[Argument]) -> bool:
    (table, table_timed, _), (index, index_timed, _) = arguments
    if table_timed or not index_timed:
        return False
    e.bind(line, f"{table}[{index}]")
    return True


_WRITERS: dict[str, Callable[["Emitter", Line, list[Argument]], bool]] = {
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
    "stack": _joined,
    "concatenate": _joined,
    "mse_loss": _loss,
    "cross_entropy": _loss,
    "picked_losses": _rowwise,
    "minus_target": _minus_target,
    "target_weights": _target_weights,
    "per_kept": _per_kept,
    "embedding": _embedding,
    **dict.fromkeys(ALONG_AXIS, _along_axis),
}


def _step_by_step(e: "Emitter", line: Line) -> None:
    """The way that always works: the op once per step, into a buffer."""
    assert line.steps is not None
    store = e.buffer(line)
    lists: dict[str, str] = {}
    arguments = [
        e._step_operand(o, line, line.steps, lists, False, 1) for o in line.reads
    ]
    target = f"{line.name}_t"
    lists[target] = e._list(store, line.steps, 1)
    name = e.length_name(line.clock)
    a, b = line.steps.first.code(name), (line.steps.last + 1).code(name)
    lists["t"] = f"range({a}, {b})"
    e.body.append(f"for {', '.join(lists)} in zip({', '.join(lists.values())}):")
    e.body += [f"    {code}" for code in step(e, line, arguments, target)]


def _over_steps(e: "Emitter", line: Line) -> None:
    """A sum over the steps: one product, or one reduction."""
    arguments = [e.batched_operand(o, line) for o in line.reads]
    if line.op == "product_over_steps" and all(timed for _, timed, _ in arguments):
        (a, _, _), (d, _, _) = arguments
        rows, columns = line.shape
        e.body.append(
            f"{line.name} = np.dot({a}.reshape(-1, {rows}).T, "
            f"{d}.reshape(-1, {columns}))"
        )
        return
    if line.op == "product_over_steps":
        (a, a_timed, _), (d, d_timed, _) = arguments
        both = "abcd" if a_timed or d_timed else ""
        assert both
        left = "tbi" if a_timed else "bi"
        right = "tbj" if d_timed else "bj"
        e.body.append(f'{line.name} = np.einsum("{left},{right}->ij", {a}, {d})')
        return
    ((code, timed, _),) = arguments
    if not timed:
        e.body.append(f"{line.name} = {code} * {_count(e, line)}")
        return
    if line.op == "rows_over_steps":
        # A product with ones is several times faster than a sum over the first axis.
        rows = e.lines[line.reads[0][0].role].shape[0]
        ones = f"ones_{line.index}"
        assert line.steps is not None
        e.allocation.append(
            f"{ones} = np.ones(({_count(e, line)}) * {rows}, np.{line.dtype})"
        )
        e.buffers.append(ones)
        e.body.append(
            f"{line.name} = np.dot({ones}, {code}.reshape(-1, {line.shape[-1]}))"
        )
        return
    e.body.append(f"{line.name} = np.add.reduce({code})")


def writes(line: Line) -> bool:
    """Whether a step of this line is written into a buffer that is given to it."""
    return (
        isinstance(line.forward, np.ufunc)
        or line.op == "sigmoid"
        or (line.op == "add_n" and len(line.reads) > 1)
        or (line.op in ("matmul", "dot") and len(line.shape) == 2)
    )


def step(
    e: "Emitter", line: Line, arguments: list[str], target: str | None
) -> list[str]:
    """A line inside of a loop: into ``target``, or into a value of its own name."""
    out = target or line.name
    attrs = e.keywords(line.attrs, line)
    if line.op == "sigmoid":
        e.ufuncs.update(("multiply", "tanh", "add"))
        return _sigmoid(arguments[0], out, "")
    if line.op in ("matmul", "dot") and len(line.shape) == 2 and _plain(e, line):
        return [f"{arguments[0]}.dot({arguments[1]}, {out})"]
    if isinstance(line.forward, np.ufunc) and line.op != "matmul":
        name = line.forward.__name__
        e.ufuncs.add(name)
        return [f"{name}({', '.join(arguments)}, {_out(name, out)})"]
    if line.op == "add_n" and len(arguments) > 1:
        e.ufuncs.add("add")
        arguments = sorted(arguments, key=lambda a: a != out)
        first = f"add({arguments[0]}, {arguments[1]}, {out})"
        return [first, *(f"add({out}, {a}, {out})" for a in arguments[2:])]
    if line.op == "step":
        code = f"{arguments[0]}[t - 1]"
    elif line.op == "getitem":
        code = f"{arguments[0]}[{e.literal(line.attrs['key'], line)}]"
    elif line.op == "matmul":
        code = f"np.matmul({', '.join(arguments)})"
    elif line.variadic:
        code = f"{e.call(line)}([{', '.join(arguments)}]{attrs})"
    else:
        code = f"{e.call(line)}({', '.join(arguments)}{attrs})"
    return [f"{target}[...] = {code}" if target else f"{line.name} = {code}"]


def _plain(e: "Emitter", line: Line) -> bool:
    """Whether a product can be written into its buffer by BLAS."""
    kinds = {e.lines[s.role].dtype for s in line.sources()}
    both = all(len(e.lines[o[0].role].shape) == 2 for o in line.reads)
    return kinds == {line.dtype} and both
