"""What each op is in ONNX: one node of the same meaning, or a few.

A twin is a function (w, v, xs): the writer, the call, and the names of its operands in
the dtypes in which NumPy computes. It gives the name of the result.

>>> NAMES["tanh"], has_twin(O.getitem), has_twin(O.scatter_n)
('Tanh', True, False)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from minigrad.compile.kinds import O, is_ufunc
from minigrad.exchange.onnx.nodes import LEAST, MOST, Body, Nodes, info
from minigrad.exchange.onnx.traces import ExportError, Size
from minigrad.fold.moving_index import Ahead
from minigrad.op import Op
from minigrad.ops.reduction import axes_of
from minigrad.ops.shape import pad_of_axis

WEAK = {"int": int, "float": float}  # Python's numbers widen nothing


@dataclass(frozen=True)
class Call:
    """A call of an op: shapes and dtypes are those of the first recording."""

    op: Op
    attrs: dict[str, Any]
    shape: tuple[int, ...]
    dtype: str
    shapes: list[tuple[int, ...]]  # of the operands
    dtypes: list[str]
    where: str

    def refusal(self, what: str) -> ExportError:
        """An error that names the call."""
        return ExportError(f"{self.op.name} ({self.where}): {what}")


class Writer(Protocol):
    """What twins write with."""

    n: Nodes

    def number(self, n: Any) -> str:
        """A whole number, which may move with the steps."""


Twin = Callable[[Writer, Call, list[str]], str]

NAMES = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div",
    "negative": "Neg", "power": "Pow", "exp": "Exp", "log": "Log", "sqrt": "Sqrt",
    "absolute": "Abs", "sin": "Sin", "cos": "Cos", "tan": "Tan", "tanh": "Tanh",
    "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh",
    "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
    "maximum": "Max", "minimum": "Min", "sign": "Sign", "floor": "Floor",
    "ceil": "Ceil", "rint": "Round", "isnan": "IsNaN", "isinf": "IsInf",
    "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less",
    "less_equal": "LessOrEqual", "equal": "Equal", "logical_and": "And",
    "logical_or": "Or", "logical_not": "Not", "bitwise_and": "BitwiseAnd",
    "bitwise_or": "BitwiseOr", "bitwise_xor": "BitwiseXor", "invert": "BitwiseNot",
    "sigmoid": "Sigmoid", "relu": "Relu", "softplus": "Softplus",
    "detach": "Identity", "matmul": "MatMul", "add_n": "Sum",
}  # fmt: skip
OF_BOOL = {
    "bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor", "invert": "Not"
}  # fmt: skip
# Operands that are whole numbers, by their place; int64 and bool stay as they are.
INDICES = {"embedding": 1, "take": 1, "take_along_axis": 1}


def has_twin(op: Op) -> bool:
    """Whether an op is one node of ONNX, or a few."""
    return op.name in NAMES or op.name in TWINS or op is O.step


def written(w: Writer, v: Call, xs: Sequence[Any]) -> str:
    """A call as nodes; the name of its result."""
    cast, result = _cast(w, v, list(xs))
    name, before = v.op.name, len(w.n.nodes)
    if name in TWINS:
        made = TWINS[name](w, v, cast)
    else:
        of_bool = v.dtype == "bool" and name in OF_BOOL
        made = w.n.add(OF_BOOL[name] if of_bool else NAMES[name], *cast)
    made = made if result == v.dtype else w.n.cast(made, v.dtype)
    w.n.calls += [(node, f"{name} ({v.where})") for node in w.n.nodes[before:]]
    return made


def _cast(w: Writer, v: Call, xs: list[Any]) -> tuple[list[str], str]:
    """Operands in the dtypes in which NumPy computes, and the dtype that it gives."""
    kinds, wanted, result = v.dtypes, [v.dtype] * len(xs), v.dtype
    if v.op.name in ("logical_and", "logical_or", "logical_not"):
        wanted = ["bool"] * len(xs)
    elif is_ufunc(v.op) or v.op is O.matmul:
        ufunc: Any = np.matmul if v.op is O.matmul else v.op.forward
        weak = all(k in WEAK for k in kinds)
        given = [WEAK[k] if k in WEAK and not weak else np.dtype(k) for k in kinds]
        loop = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
        wanted, result = [str(d) for d in loop[: len(xs)]], str(loop[-1])
    elif v.op is O.where:
        wanted[0] = "bool"
    elif v.op.name in OWN:
        wanted = [k if k not in WEAK else v.dtype for k in kinds]
    if v.op.name in INDICES:
        wanted[INDICES[v.op.name]] = "int64"
    if v.op is O.getitem:
        wanted[1:] = ["int64"] * (len(xs) - 1)
    if wanted[0] == "bool" and v.op.name in ("greater", "less", "maximum", "minimum"):
        raise v.refusal("ONNX compares no truth values: write x.astype(int)")
    pairs = zip(xs, kinds, wanted, strict=True)
    found = []
    for x, kind, dtype in pairs:
        if not isinstance(x, str):  # a Python number
            x = w.n.constant(np.asarray(x, dtype))
        elif kind != dtype:
            x = w.n.cast(x, dtype)
        found.append(x)
    return found, result


def _axes(w: Writer, v: Call) -> str:
    return w.n.integers(*axes_of(v.attrs.get("axis"), len(v.shapes[0])))


def _reduce(name: str) -> Twin:
    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        keep = int(v.attrs.get("keepdims", False))
        return w.n.add(name, xs[0], _axes(w, v), keepdims=keep, noop_with_empty_axes=1)

    return twin


def _along(name: str) -> Twin:
    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        return w.n.add(name, *xs, axis=v.attrs.get("axis", -1))

    return twin


def _argument(name: str) -> Twin:
    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        whole = v.attrs.get("axis") is None
        x, axis = _flat(w, xs[0], v.attrs.get("axis"))
        keep = int(v.attrs.get("keepdims", False) and not whole)
        found = w.n.add(name, x, axis=axis, keepdims=keep)
        ones = w.n.integers(*[1] * len(v.shape))
        return w.n.add("Reshape", found, ones) if whole else found

    return twin


def _sorted(output: int) -> Twin:
    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        axis = v.attrs.get("axis", -1) % len(v.shape)
        number = w.n.add("Shape", xs[0], start=axis, end=axis + 1)
        both = [w.n.fresh(f"{stem}_{v.op.name}") for stem in ("values", "places")]
        w.n.add_several("TopK", [xs[0], number], both, axis=axis, largest=0)
        return both[output]

    return twin


def _flat(w: Writer, x: str, axis: int | None) -> tuple[str, int]:
    """What an op runs along: an axis, or all elements in a row."""
    if axis is None:
        return w.n.add("Reshape", x, w.n.integers(-1)), 0
    return x, axis


def _cumulative(w: Writer, v: Call, xs: list[str]) -> str:
    x, axis = _flat(w, xs[0], v.attrs.get("axis"))
    return w.n.add("CumSum", x, w.n.number(axis))


def _shape(w: Writer, v: Call, xs: list[str]) -> str:
    shape = v.attrs["shape"]
    is_one = isinstance(shape, (int, Size))
    dims = w.n.vector([shape] if is_one else list(shape))
    return w.n.add("Reshape" if v.op is O.reshape else "Expand", xs[0], dims)


def _transpose(w: Writer, v: Call, xs: list[str]) -> str:
    rank = len(v.shape)
    if rank < 2:
        return w.n.add("Identity", xs[0])
    axes = [a % rank for a in v.attrs.get("axes") or range(rank)[::-1]]
    return w.n.add("Transpose", xs[0], perm=axes)


def _expand_dims(w: Writer, v: Call, xs: list[str]) -> str:
    axes = [a % len(v.shape) for a in np.atleast_1d(v.attrs["axis"])]
    return w.n.add("Unsqueeze", xs[0], w.n.integers(*axes))


def _squeeze(w: Writer, v: Call, xs: list[str]) -> str:
    axis = v.attrs.get("axis")
    ones = [k for k, n in enumerate(v.shapes[0]) if n == 1]
    axes = ones if axis is None else axes_of(axis, len(v.shapes[0]))
    return w.n.add("Squeeze", xs[0], w.n.integers(*axes))


def _stack(w: Writer, v: Call, xs: list[str]) -> str:
    axis = w.n.integers(v.attrs.get("axis", 0))
    rows = [w.n.add("Unsqueeze", x, axis) for x in xs]
    return w.n.add("Concat", *rows, axis=v.attrs.get("axis", 0))


def _concatenate(w: Writer, v: Call, xs: list[str]) -> str:
    given = [_flat(w, x, v.attrs.get("axis", 0)) for x in xs]
    return w.n.add("Concat", *[x for x, _ in given], axis=given[0][1])


def _triangle(upper: int) -> Twin:
    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        if len(v.shapes[0]) < 2:
            raise v.refusal("ONNX has it of matrices: write mg.broadcast_to first")
        return w.n.add("Trilu", xs[0], w.number(v.attrs.get("k", 0)), upper=upper)

    return twin


def _pad(w: Writer, v: Call, xs: list[str]) -> str:
    mode, rank = v.attrs.get("mode", "constant"), len(v.shape)
    if mode not in ("constant", "edge", "reflect", "wrap"):
        raise v.refusal(f"ONNX has no mode {mode!r}: write mg.concatenate")
    widths = [pad_of_axis(v.attrs["pad_width"], k, rank) for k in range(rank)]
    if not widths:
        return w.n.add("Identity", xs[0])
    pads = w.n.vector([a for a, _ in widths] + [b for _, b in widths])
    value = v.attrs.get("constant_values", 0)
    if np.ndim(value):
        raise v.refusal("ONNX pads with one value: write mg.concatenate")
    own = xs[1] if len(xs) > 1 else w.n.constant(np.asarray(value, v.dtype))
    return w.n.add("Pad", xs[0], pads, *[own] * (mode == "constant"), mode=mode)


def _count(w: Writer, v: Call, xs: list[str]) -> str:
    sizes = w.n.add("Gather", w.n.add("Shape", xs[0]), _axes(w, v))
    return w.n.cast(w.n.add("ReduceProd", sizes, keepdims=0), v.dtype)


def _take(w: Writer, v: Call, xs: list[str]) -> str:
    if v.attrs.get("mode", "raise") != "raise":
        raise v.refusal('ONNX has mode="raise": write mg.clip(index, 0, n - 1)')
    x, axis = _flat(w, xs[0], v.attrs.get("axis"))
    return w.n.add("Gather", x, xs[1], axis=axis)


def _take_along(w: Writer, v: Call, xs: list[str]) -> str:
    axis, (x, index) = v.attrs.get("axis", -1), v.shapes
    rest = [k for k in range(len(x)) if k != axis % len(x)]
    if any(x[k] != index[k] for k in rest):
        raise v.refusal("ONNX broadcasts no index here: write mg.broadcast_to")
    return w.n.add("GatherElements", *xs, axis=axis % len(x))


def _identity_like(w: Writer, v: Call, xs: list[str]) -> str:
    axis = v.attrs.get("axis", -1) % len(v.shapes[0])
    n = w.n.add("Shape", xs[0], start=axis, end=axis + 1)
    zeros = w.n.add(
        "Expand", w.n.constant(np.zeros((), v.dtype)), w.n.add("Concat", n, n, axis=0)
    )
    return w.n.add("EyeLike", zeros)


def _conv1d(w: Writer, v: Call, xs: list[str]) -> str:
    attrs, (x, kernel) = v.attrs, v.shapes
    stride, dilation = attrs.get("stride", 1), attrs.get("dilation", 1)
    padding = attrs.get("padding", 0)
    total = dilation * (kernel[-1] - 1) if padding == "same" else 0
    pads = [total // 2, total - total // 2]
    if not isinstance(padding, str):
        pads = [padding, padding]
    row = w.n.add("Shape", xs[0], start=len(x) - 2)
    shape = w.n.add("Concat", w.n.integers(-1), row, axis=0)
    rows = w.n.add("Reshape", xs[0], shape)
    y = w.n.add(
        "Conv", rows, xs[1], strides=[stride], dilations=[dilation], pads=pads,
        group=attrs.get("groups", 1),
    )  # fmt: skip
    lead = w.n.add("Shape", xs[0], end=len(x) - 2)
    ends = w.n.add("Shape", y, start=1)
    return w.n.add("Reshape", y, w.n.add("Concat", lead, ends, axis=0))


def _getitem(w: Writer, v: Call, xs: list[str]) -> str:
    """Slices at once, then numbers and index arrays, then new axes."""
    x, *indices = xs
    rank = len(v.shapes[0])
    key = v.attrs["key"]
    parts = [*key] if isinstance(key, tuple) else [key]
    if "bool" in v.dtypes[1:]:
        raise v.refusal("a mask as index gives a shape that values decide: mg.where")
    if any(isinstance(p, (bool, np.bool_)) for p in parts):
        raise v.refusal("a truth value as index is no number: write x[None]")
    named = sum(p is not None and p is not Ellipsis for p in parts)
    if Ellipsis in parts:
        k = parts.index(Ellipsis)
        parts[k : k + 1] = [slice(None)] * (rank - named)
    own, new, place = [], [], 0
    for part in parts:
        if part is None:
            new.append(place)
        else:
            own.append(part)
        place += part is None or isinstance(part, (slice, str))
    x = _sliced(w, x, {k: p for k, p in enumerate(own) if isinstance(p, slice)})
    arrays = [k for k, p in enumerate(own) if isinstance(p, str)]
    if arrays:
        arrays = [k for k, p in enumerate(own) if not isinstance(p, slice)]
        if arrays != [*range(arrays[0], arrays[-1] + 1)] or (new and len(arrays) > 1):
            raise v.refusal("index arrays that are not side by side: index in turn")
        left = iter(indices)
        found = [next(left) if isinstance(own[k], str) else w.number(own[k])
                 for k in arrays]  # fmt: skip
        if new:
            new = [a + (a > arrays[0]) * (len(v.shapes[1]) - 1) for a in new]
        x = _gathered(w, x, arrays[0], found)
    else:
        for k in [k for k, p in enumerate(own) if not isinstance(p, slice)][::-1]:
            x = w.n.add("Gather", x, w.number(own[k]), axis=k)
    return w.n.add("Unsqueeze", x, w.n.integers(*new)) if new else x


def _sliced(w: Writer, x: str, slices: dict[int, slice]) -> str:
    """Slices of some axes."""
    slices = {k: s for k, s in slices.items() if s != slice(None)}
    if not slices:
        return x
    ends: list[list[Any]] = [[], [], []]
    for s in slices.values():
        back = s.step is not None and s.step < 0
        ends[0].append((MOST if back else 0) if s.start is None else s.start)
        ends[1].append((LEAST if back else MOST) if s.stop is None else s.stop)
        ends[2].append(s.step or 1)
    start, stop, step = (_vector(w, numbers) for numbers in ends)
    return w.n.add("Slice", x, start, stop, w.n.integers(*slices), step)


def _vector(w: Writer, numbers: list[Any]) -> str:
    """Whole numbers, some of which may move with the steps."""
    if not any(isinstance(n, Ahead) for n in numbers):
        return w.n.vector(numbers)
    axis = w.n.integers(0)
    parts = [w.n.add("Unsqueeze", w.number(n), axis) for n in numbers]
    return w.n.add("Concat", *parts, axis=0)


def _gathered(w: Writer, x: str, axis: int, indices: list[str]) -> str:
    """x at index arrays of axes that stand side by side, from ``axis`` on."""
    if len(indices) == 1:
        return w.n.add("Gather", x, indices[0], axis=axis)
    last = axis + len(indices)
    flat = ""
    for k, index in enumerate(indices):  # as one axis, with a number for each pair
        size = w.n.add("Shape", x, start=axis + k, end=axis + k + 1)
        from_end = w.n.add("Less", index, w.n.number(0))
        index = w.n.add("Where", from_end, w.n.add("Add", index, size), index)
        row = w.n.add("Mul", flat, size) if flat else ""
        flat = w.n.add("Add", row, index) if flat else index
    shape = [w.n.add("Shape", x, end=axis), w.n.integers(-1)]
    shape.append(w.n.add("Shape", x, start=last))
    rows = w.n.add("Reshape", x, w.n.add("Concat", *shape, axis=0))
    return w.n.add("Gather", rows, flat, axis=axis)


def _running(first: float) -> Twin:
    """A loop along an axis: s = a s, or with two operands s = a s + b."""

    def twin(w: Writer, v: Call, xs: list[str]) -> str:
        axis = v.attrs.get("axis", None if len(xs) == 1 else -1)
        if axis is None:
            xs = [w.n.add("Reshape", xs[0], w.n.integers(-1))]
        rank = len(v.shape) - 1
        first_axis = [*range(rank + 1)]
        first_axis.insert(0, first_axis.pop(axis or 0))
        back = [int(k) for k in np.argsort(first_axis)]
        shape = w.n.add("Shape", xs[-1])
        xs = [w.n.add("Expand", x, shape) for x in xs]
        xs = [w.n.add("Transpose", x, perm=first_axis) for x in xs]
        one = w.n.constant(np.asarray(first, v.dtype))
        start = w.n.add("Expand", one, w.n.add("Shape", xs[0], start=1))
        body = Body(w.n.fresh(f"{v.op.name}_loop"))
        names = [w.n.fresh(stem) for stem in ("before", "a", "b")[: 1 + len(xs)]]
        body.inputs = [info(x, v.dtype, [None] * rank) for x in names]
        body.sequences = dict(zip(xs, names[1:], strict=True))
        with w.n.at(body.nodes):
            now = w.n.add("Mul", *names[:2])
            now = w.n.add("Add", now, names[2]) if len(xs) > 1 else now
            both = [now, w.n.add("Identity", now)]
        body.outputs = [info(x, v.dtype, [None] * rank) for x in both]
        made = w.n.fresh("every")
        w.n.scan(body, [start], [w.n.fresh("last"), made])
        return w.n.add("Transpose", made, perm=back)

    return twin


TWINS: dict[str, Twin] = {
    "not_equal": lambda w, v, xs: w.n.add("Not", w.n.add("Equal", *xs)),
    "where": lambda w, v, xs: w.n.add("Where", *xs),
    "astype": lambda w, v, xs: w.n.cast(xs[0], v.dtype),
    "sum": _reduce("ReduceSum"),
    "mean": _reduce("ReduceMean"),
    "max": _reduce("ReduceMax"),
    "min": _reduce("ReduceMin"),
    "prod": _reduce("ReduceProd"),
    "softmax": _along("Softmax"),
    "log_softmax": _along("LogSoftmax"),
    "argmax": _argument("ArgMax"),
    "argmin": _argument("ArgMin"),
    "sort": _sorted(0),
    "argsort": _sorted(1),
    "cumsum": _cumulative,
    "cumprod": _running(1.0),
    "linear_recurrence": _running(0.0),
    "reshape": _shape,
    "broadcast_to": _shape,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "stack": _stack,
    "concatenate": _concatenate,
    "tril": _triangle(0),
    "triu": _triangle(1),
    "pad": _pad,
    "count": _count,
    "embedding": lambda w, v, xs: w.n.add("Gather", *xs),
    "take": _take,
    "take_along_axis": _take_along,
    "identity_like": _identity_like,
    "einsum": lambda w, v, xs: w.n.add("Einsum", *xs, equation=v.attrs["subscripts"]),
    "conv1d": _conv1d,
    "getitem": _getitem,
}
# Twins whose operands are not of the result's dtype.
OWN = frozenset(["argmax", "argmin", "argsort", "astype", "count"])
