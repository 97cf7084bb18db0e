"""Parts of arrays and choices between them, as tokens, and the rules of all ops.

>>> from minigrad.equations.tree import Forest
>>> f, w = Forest(), Writer({}, (), "L", False, RULES)
>>> mask = f.make("less_equal", [f.number(2.0), f.number(0.0)], {}, ())
>>> e = f.make("where", [mask, f.number(0.0), f.number(3.0)], {}, ())
>>> "".join([token.text for token in w.write(e)])
'3 [2 > 0]'
"""

from minigrad.equations.names import name
from minigrad.equations.pieces import feature_ends
from minigrad.equations.tokens import (
    BESIDE,
    CLOSE,
    INFIX,
    LEFT,
    ODOT,
    OPEN,
    OPPOSITE,
    RIGHT,
    Token,
    Tokens,
    joined,
    sign,
)
from minigrad.equations.tree import Expr
from minigrad.equations.writing import ATOM, HADAMARD, PRODUCT, SUM, Rule, Writer


def _reshape(w: Writer, e: Expr) -> tuple[int, Tokens]:
    mine, theirs = ([n for n in s if n != 1] for s in (e.shape, e.args[0].shape))
    return w.open(e.args[0]) if mine == theirs else w.call(e)


def _broadcast_to(w: Writer, e: Expr) -> tuple[int, Tokens]:
    return w.open(e.args[0])


def _astype(w: Writer, e: Expr) -> tuple[int, Tokens]:
    floating = str(e.attrs.get("dtype")).startswith("float")
    return w.open(e.args[0]) if floating else w.call(e)


def _concatenate(w: Writer, e: Expr) -> tuple[int, Tokens]:
    last = 0 if w.columns else len(e.shape) - 1
    if e.attrs.get("axis", 0) % len(e.shape) != last or any(
        a.op == "each" for a in e.args
    ):
        return w.call(e)
    return ATOM, [LEFT, *joined([w.write(a) for a in e.args], sign("; ")), RIGHT]


def _unit(w: Writer, e: Expr) -> tuple[int, Tokens]:
    return w.below([sign("1", r"\mathbf{1}")], w.write(e.args[0]))


def _identity_like(w: Writer, e: Expr) -> tuple[int, Tokens]:
    return ATOM, [sign("I")]


def _cross_entropy(w: Writer, e: Expr) -> tuple[int, Tokens]:
    extra = e.attrs.get("reduction") != "none" or e.attrs.get("label_smoothing")
    if extra or len(e.args) > 2:
        return w.call(e)
    softmax = sign("softmax", r"\mathrm{softmax}")
    o, y = (w.write(a) for a in e.args)
    tokens = w.below([softmax, OPEN, *o, CLOSE], y)[1]
    return SUM, [sign("-log ", r"-\log "), *tokens]


def _where(w: Writer, e: Expr) -> tuple[int, Tokens]:
    """m ⊙ a + (1 - m) ⊙ b, without what is zero."""
    mask, terms, binds = e.args[0], [], SUM
    for x, yes in zip(e.args[1:], (True, False), strict=True):
        m = w.write(mask, HADAMARD) if yes else _complement(w, mask)
        if x.number is None:
            binds = HADAMARD
            terms.append([*m, ODOT, *w.write(x, HADAMARD)])
        elif x.number == 1 and not x.attrs["over"]:
            binds = ATOM if mask.op in INFIX else HADAMARD
            terms.append(m)
        elif x.number != 0:
            binds = PRODUCT
            terms.append([*w.write(x, ATOM), BESIDE, *m])
    binds = binds if len(terms) == 1 else SUM
    return binds, joined(terms, sign(" + ")) or [sign("0")]


def _complement(w: Writer, mask: Expr) -> Tokens:
    """1 where a mask is 0: of numbers a ≤ b is what a > b is not."""
    if mask.op in OPPOSITE:
        return _infix(w, mask, OPPOSITE[mask.op])[1]
    if mask.op == "logical_not":
        return w.write(mask.args[0], HADAMARD)
    return [OPEN, sign("1 - "), *w.write(mask, HADAMARD), CLOSE]


def _infix(w: Writer, e: Expr, op: str = "") -> tuple[int, Tokens]:
    """1 where it holds, 0 elsewhere: [a > b], [a > b ∧ c > d]."""
    if e.op == "logical_or" and _is_nan(e.args[1]):
        return w.open(e.args[0])
    parts = [w.write(a) for a in e.args]
    if e.op not in OPPOSITE:  # comparisons in one pair of brackets
        parts = [
            part[1:-1] if a.op in OPPOSITE else part
            for a, part in zip(e.args, parts, strict=True)
        ]
    return ATOM, [LEFT, *joined(parts, INFIX[op or e.op]), RIGHT]


def _getitem(w: Writer, e: Expr) -> tuple[int, Tokens]:
    x, key, rest = e.args[0], e.attrs["key"], iter(e.args[1:])
    parts = list(key) if isinstance(key, tuple) else [key]
    ends = feature_ends(key, x.shape)
    if ends is not None and len(x.shape) < 3 - w.columns:
        return w.below(w.write(x, ATOM), [sign(f"{ends[0] + 1}:{ends[1]}")])
    index = joined([w.part(p, rest) for p in parts], sign(", "))
    return w.below(w.write(x, ATOM), [sign("["), *index, sign("]")])


def _embedding(w: Writer, e: Expr) -> tuple[int, Tokens]:
    unit = e.args[0].op == "identity_like"
    table = [sign("1", r"\mathbf{1}")] if unit else w.write(e.args[0], ATOM)
    return w.below(table, w.write(e.args[1]))


def _function(w: Writer, e: Expr) -> tuple[int, Tokens]:
    """A function of the user's: f(s(t-1), x(t); θ)."""
    n = e.attrs["values"] + 1
    both = [
        joined([w.write(a) for a in part], sign(", "))
        for part in (e.args[1:n], e.args[n:])
    ]
    inner = joined([part for part in both if part], sign("; "))
    return ATOM, [
        Token(e.attrs["name"], name(e.attrs["name"])),
        OPEN,
        *inner,
        CLOSE,
    ]


def _is_nan(e: Expr) -> bool:
    """Whether this is x ≠ x, which no number is."""
    return e.op == "not_equal" and e.args[0] is e.args[1]


# What the writer itself knows: numbers, sums, products.
OPS = "value add each stack sum multiply matmul outer transpose square divide"
RULES: dict[str, Rule] = {
    **{op: getattr(Writer, f"_{op}") for op in OPS.split()},
    "number": Writer.number,
    **dict.fromkeys(["add_n", "subtract", "negative"], Writer._add),
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "astype": _astype,
    "concatenate": _concatenate,
    "unit": _unit,
    "identity_like": _identity_like,
    "cross_entropy": _cross_entropy,
    "where": _where,
    "getitem": _getitem,
    "embedding": _embedding,
    "function": _function,
    **dict.fromkeys(INFIX, _infix),
}
