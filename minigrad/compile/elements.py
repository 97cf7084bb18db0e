"""One element of an elementwise line as a scalar expression that numba compiles.

Vocabulary
    axis     how an array is indexed along one of its axes at the current element
    letters  the variables of the loops over the axes of a result, i j k ..

>>> axes = identity((2, 3), (2, 3))
>>> said(through((slice(None), slice(4, 7)), (2, 9), axes))
'i, j + 4'
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.compile.helpers import LETTERS
from minigrad.compile.line import Line, LoopProgram
from minigrad.compile.storage import is_basic

FLOATS = ("float32", "float64")

OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "greater": ">",
    "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==",
    "not_equal": "!=",
}  # fmt: skip
COMPARISONS = frozenset(
    ["greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]
)
CALLS = frozenset(
    [
        "exp", "log", "log1p", "expm1", "sqrt", "absolute", "sin", "cos", "sign",
        "maximum", "minimum", "power", "square", "reciprocal", "tan", "arcsin",
        "arccos", "arctan", "arctan2", "hypot", "sinh", "cosh", "arcsinh", "arccosh",
        "arctanh", "exp2", "log2", "log10", "logaddexp", "floor", "ceil", "rint",
    ]
)  # fmt: skip
UFUNCS = frozenset([*OPERATORS, *CALLS, "tanh", "negative", "positive"])
FUNCTIONS = frozenset(["sigmoid", "relu", "add_n", "where", "stop_gradient"])
# What a loop is not made slower by, where it is computed anew at each of its steps.
CHEAP = frozenset(["add", "subtract", "multiply", "negative"])
# What reads a row of a matrix for one number.
ROWS = frozenset(["max", "sum", "picked_losses"])


class Axis(NamedTuple):
    """An index ``step * variable + start`` of ``number`` values of the variable."""

    variable: str
    start: int
    step: int
    number: int

    def __str__(self) -> str:
        if not self.variable:
            return str(self.start)
        times = self.variable if self.step == 1 else f"{self.step} * {self.variable}"
        return f"{times} + {self.start}" if self.start else times

    def apart(self, other: "Axis") -> bool:
        """Whether no index of one is an index of the other, at any two elements."""
        ends = [
            sorted((a.start, a.start + a.step * (a.number - 1))) for a in (self, other)
        ]
        return ends[0][1] < ends[1][0] or ends[1][1] < ends[0][0]


Axes = tuple[Axis, ...]


def said(axes: Axes) -> str:
    """An index as source."""
    return ", ".join(map(str, axes))


def identity(shape: tuple[int, ...], like: tuple[int, ...]) -> Axes:
    """The axes of an array that broadcasts to the shape ``like`` of a result."""
    shift = len(like) - len(shape)
    return tuple(
        Axis("", 0, 1, 1) if n == 1 else Axis(LETTERS[shift + k], 0, 1, n)
        for k, n in enumerate(shape)
    )


def through(key: Any, shape: tuple[int, ...], axes: Axes) -> Axes:
    """The axes of an array at ``axes`` of its part ``array[key]``."""
    parts = list(key if isinstance(key, tuple) else (key,))
    if Ellipsis in parts:
        i = parts.index(Ellipsis)
        taken = sum(p is not None for p in parts) - 1
        parts[i : i + 1] = [slice(None)] * (len(shape) - taken)
    rest = iter(axes)
    found = []
    sizes = iter(shape)
    for part in parts:
        if part is None:
            next(rest)
        elif isinstance(part, slice):
            start, _, step = part.indices(next(sizes))
            a = next(rest)
            found.append(
                Axis(a.variable, start + step * a.start, step * a.step, a.number)
            )
        else:
            found.append(Axis("", part % next(sizes), 1, 1))
    return (*found, *rest)


def source_axes(line: Line, shape: tuple[int, ...]) -> Axes:
    """The axes of what a line reads, at the current element of the line."""
    axes = identity(line.shape, line.shape)
    if line.op in ROWS and len(shape) == 2:
        return (*identity(shape[:1], shape[:1]), Axis("", 0, 1, shape[1]))
    if line.op == "class_gradient" and len(shape) == 1:
        return axes[:1]
    if line.op == "getitem":
        return through(line.attrs["key"], shape, axes)
    if line.op in ("transpose", "swapaxes"):
        return tuple(axes[k] for k in np.argsort(_order(line, len(shape))))
    if line.op in ("expand_dims", "squeeze", "reshape"):
        rest = iter([a for a in axes if a.number > 1])
        return tuple(next(rest) if n > 1 else Axis("", 0, 1, 1) for n in shape)
    return identity(shape, line.shape)


def _order(line: Line, ndim: int) -> list[int]:
    """Which axis of its operand each axis of a transposed line is."""
    if line.op == "transpose":
        axes = line.attrs.get("axes") or tuple(reversed(range(ndim)))
        return [a % ndim for a in axes]
    order = list(range(ndim))
    a, b = line.attrs["axis1"] % ndim, line.attrs["axis2"] % ndim
    order[a], order[b] = order[b], order[a]
    return order


VIEWS: dict[str, Callable[[Line, tuple[int, ...]], bool]] = {
    "getitem": lambda line, shape: is_basic(line.attrs["key"]),
    "transpose": lambda line, shape: True,
    "swapaxes": lambda line, shape: True,
    "broadcast_to": lambda line, shape: True,
    **dict.fromkeys(
        ["expand_dims", "squeeze", "reshape"],
        lambda line, shape: (
            [n for n in line.shape if n != 1] == [n for n in shape if n != 1]
        ),
    ),
}


def is_product(program: LoopProgram, line: Line) -> bool:
    """Whether a line is a product of matrices that BLAS computes."""
    read = [program.lines[s.role] for s in line.sources()]
    return (
        line.op in ("dot", "matmul")
        and line.dtype in FLOATS
        and all(r.dtype == line.dtype and len(r.shape) == 2 for r in read)
    )


def is_elementwise(program: LoopProgram, line: Line) -> bool:
    """Whether each element of a line can be written as a scalar expression."""
    read = [program.lines[s.role] for s in line.sources()]
    if line.kind != "op" or len(line.shape) > len(LETTERS) or 0 in line.shape:
        return False
    if line.op in VIEWS:
        return line.dtype in FLOATS and all(
            r.dtype == line.dtype and VIEWS[line.op](line, r.shape) for r in read
        )
    if line.op == "join":
        return line.dtype in FLOATS and all(r.dtype == line.dtype for r in read)
    name, known = line.op, FUNCTIONS
    if isinstance(line.forward, np.ufunc):
        name, known = line.forward.__name__, UFUNCS
    if line.attrs or name not in known:
        return False
    condition: tuple[int, ...] = ()
    if name == "where":
        condition = tuple(s.role for s in line.reads[0])
        if any(program.lines[role].dtype != "bool" for role in condition):
            return False
    kinds = {r.dtype for r in read if not _is_number(r) and r.index not in condition}
    if name in COMPARISONS:
        return line.dtype == "bool" and len(kinds) == 1 and kinds <= set(FLOATS)
    return line.dtype in FLOATS and kinds <= {line.dtype}


def is_row(program: LoopProgram, line: Line) -> bool:
    """Whether a line of a softmax or its loss can be written, row by row."""
    read = [program.lines[s.role] for s in line.sources()]
    matrix = bool(read) and len(read[0].shape) == 2 and read[0].op != "getitem"
    matrix = matrix and read[0].shape[0] > 0 and read[0].shape[1] > 1
    if not matrix or line.dtype not in FLOATS or read[0].dtype != line.dtype:
        return False
    rows = read[0].shape[0]
    if line.op in ("max", "sum"):
        along = line.attrs.get("axis") in (1, -1, (1,), (-1,))
        return along and line.shape == (rows, 1)
    if line.op not in ("picked_losses", "class_gradient"):
        return False
    _, s, index, *weight = read
    return (
        s.shape == (rows, 1)
        and all(r.dtype == line.dtype for r in (s, *weight))
        and all(r.shape in ((), (rows, 1)) for r in weight)
        and index.shape == (rows,)
        and index.dtype.startswith("int")
    )


def _is_number(line: Line) -> bool:
    return line.kind == "constant" and isinstance(line.value, (bool, int, float))


def literal(value: Any, dtype: str) -> str:
    """A number as it meets values of a dtype: it takes theirs, as NumPy has it."""
    number = repr(value) if np.isfinite(value) else f'float("{value}")'
    return f"np.{dtype}({number})"


def expression(line: Line, values: list[str]) -> str:
    """The element of a line from those of its operands."""
    name = line.op
    if isinstance(line.forward, np.ufunc):
        name = line.forward.__name__
    if name in OPERATORS:
        return f" {OPERATORS[name]} ".join(values)
    if line.op == "class_gradient":
        e, s, y, weight = values
        return f"class_share({e}, {s}, {weight}, {y}, j, {line.attrs['ignore_index']})"
    if line.op in ("max", "sum"):
        return f"row_{line.op}({values[0]})"
    if line.op == "picked_losses":
        return f"picked_loss({', '.join(values)}, {line.attrs['ignore_index']})"
    if name == "exp" and line.dtype == "float32":
        return f"exp32({values[0]})"
    if name in CALLS:
        return f"np.{name}({', '.join(values)})"
    (x, *rest) = values
    if name == "tanh":
        return f"{'tanh32' if line.dtype == 'float32' else 'np.tanh'}({x})"
    if name == "sigmoid":
        exp = "exp32" if line.dtype == "float32" else "np.exp"
        return f"logistic({x}, {exp}(-np.abs({x})), {literal(1, line.dtype)})"
    if name == "negative":
        return f"-{x}"
    if name == "add_n":
        return " + ".join(values)
    if name == "where":
        return f"{rest[0]} if {x} else {rest[1]}"
    if name == "relu":
        return f"np.maximum({x}, {literal(0, line.dtype)})"
    return x
