"""How elementwise ops are written in C: one expression for one element.

The functions are those of ``functions.h``: ``exp_f`` for float32, ``exp_d`` for
float64.

>>> from minigrad.compile.kinds import O
>>> expression(O.tanh, ["x"], ["float32"], "float32")
'tanh_f(x)'
>>> expression(O.add, ["x", "1.0"], ["float64", "weak float"], "float64")
'x + 1.0'
"""

from ast import literal_eval
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compile.kinds import O
from minigrad.op import Op

# The C type of each dtype that C has words for, and how its functions end.
TYPES = {
    "float32": "float",
    "float64": "double",
    "int64": "int64_t",
    "int32": "int32_t",
    "bool": "_Bool",
}
FLOATS = {"float32": "f", "float64": "d"}
# Python numbers, which widen nothing; "bool" alone is an array's dtype.
WEAK = {"weak int": 0, "weak float": 0.0, "weak bool": False}

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/",
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=",
    "equal": "==", "not_equal": "!=",
}  # fmt: skip
_LOGICAL = {
    "logical_and": "{} && {}", "bitwise_and": "{} && {}",
    "logical_or": "{} || {}", "bitwise_or": "{} || {}",
    "bitwise_xor": "{} != {}", "logical_not": "!{}", "invert": "!{}",
}  # fmt: skip
_COMPARES = frozenset([*list(_INFIX)[4:], "isnan", "isinf", "isfinite"])
_OWN = frozenset(
    ["exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "relu", "sign",
     "maximum", "minimum", "sqrt"]
)  # fmt: skip
# Functions of the C library, which has another name for some.
_LIBRARY = {
    **{n: n for n in ("sin", "cos", "tan", "sinh", "cosh", "exp2", "log2", "log10")},
    **{n: n for n in ("hypot", "floor", "ceil", "rint")},
    "power": "pow", "absolute": "fabs", "arctan2": "atan2",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
FUNCTIONS = frozenset(_LIBRARY.values()) | {"exp", "log", "isnan", "isinf", "isfinite"}
_WRITTEN: dict[str, str] = {
    "negative": "-{}", "square": "{0} * {0}", "reciprocal": "1 / {}",
    "isnan": "{0} != {0}", "isinf": "isinf({})", "isfinite": "isfinite({})",
    "where": "{} ? {} : {}",
}  # fmt: skip


def common_dtype(dtypes: Sequence[str]) -> str:
    """The dtype in which NumPy computes with these; Python numbers widen nothing."""
    return str(np.result_type(*[WEAK.get(d, d) for d in dtypes]))


def is_sayable(op: Any, dtypes: Sequence[str], dtype: str) -> bool:
    """Whether C has words for an elementwise op with operands of these dtypes."""
    if not isinstance(op, Op) or dtype not in TYPES:
        return False
    if any(d not in TYPES and d not in WEAK for d in dtypes):
        return False
    name = op.name
    if name in _LOGICAL:
        logical = name.startswith("logical") or set(dtypes) == {"bool"}
        return logical and dtype == "bool"
    if name in ("where", "astype", "add_n", "clip", "detach"):
        return name in ("where", "astype") or dtype in FLOATS
    if name in _COMPARES:
        return True
    known = name in _INFIX or name in _OWN or name in _LIBRARY or name in _WRITTEN
    return known and dtype in FLOATS


def expression(op: Any, codes: Sequence[str], dtypes: Sequence[str], dtype: str) -> str:
    """The value of one element; ``codes`` are variables or numbers."""
    name = op.name
    kind = dtype
    if name in _COMPARES:
        kind = common_dtype(dtypes)
        if name.startswith("is") and kind not in FLOATS:
            kind = "float64"
    elif name in _LOGICAL:
        return _LOGICAL[name].format(*map(_truth, codes, dtypes))
    given = [cast(c, d, kind) for c, d in zip(codes, dtypes, strict=True)]
    if name == "where":
        return f"{_truth(codes[0], dtypes[0])} ? {given[1]} : {given[2]}"
    if name in ("astype", "detach"):
        return given[0]
    if name == "add_n":
        return " + ".join(given)
    if name in _INFIX:
        return f"{given[0]} {_INFIX[name]} {given[1]}"
    if name == "power" and codes[1] in _POWERS:
        return _POWERS[codes[1]](given[0], kind)
    end = FLOATS.get(kind, "d")
    if name == "clip":
        return f"minimum_{end}(maximum_{end}({given[0]}, {given[1]}), {given[2]})"
    if name in _OWN:
        return f"{name}_{end}({', '.join(given)})"
    if name in _LIBRARY:
        call = _LIBRARY[name] + ("f" if end == "f" else "")
        return f"{call}({', '.join(given)})"
    return _WRITTEN[name].format(*given)


_POWERS: dict[str, Callable[[str, str], str]] = {
    "2": lambda x, kind: f"{x} * {x}",
    "2.0": lambda x, kind: f"{x} * {x}",
    "0.5": lambda x, kind: f"sqrt_{FLOATS[kind]}({x})",
    "1": lambda x, kind: x,
    "1.0": lambda x, kind: x,
}


def cast(code: str, dtype: str, to: str) -> str:
    """A variable, or the text of a Python number, in another dtype."""
    if dtype in WEAK:
        return number(code, to)
    return code if dtype == to else f"({TYPES[to]}){code}"


def _truth(code: str, dtype: str) -> str:
    """An operand of which is asked whether it is zero."""
    return number(code, "float64") if dtype in WEAK else code


def number(code: str, dtype: str) -> str:
    """A Python number as a C constant of a dtype."""
    found = literal_eval(code) if code not in ("nan", "inf", "-inf") else float(code)
    if dtype not in FLOATS:
        return str(int(found))
    end = "f" if dtype == "float32" else ""
    with np.errstate(over="ignore"):
        value = float(np.float32(found) if end else found)
    if np.isfinite(value):
        text = repr(value) + end
        return f"({text})" if text.startswith("-") else text
    made = f'__builtin_nan{end}("")' if np.isnan(value) else f"__builtin_inf{end}()"
    return f"(-{made})" if value < 0 else made


assert all(hasattr(O, n) for n in (*_INFIX, *_LOGICAL, *_OWN, *_LIBRARY, *_WRITTEN))
