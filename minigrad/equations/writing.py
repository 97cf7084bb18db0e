"""Expressions as tokens, each in Unicode and in LaTeX, in the book's columns.

An array h of rows is written as the matrix of its columns, so the order of factors is
turned around: ``h @ W`` is W h, ``x.T @ g`` is g xᵀ. In a program that has columns
itself, ``W @ h``, the order stays. Not shown are axes of length 1 that come and go,
broadcasting, and casts to floating point. What has no notation is a function by its
name, of arrays and axes as the program has them.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from minigrad.equations.names import name, readable
from minigrad.equations.pieces import feature_ends
from minigrad.equations.symbols import Symbol
from minigrad.equations.tokens import (
    BESIDE,
    CLOSE,
    INFIX,
    KNOWN,
    LATER,
    LEFT,
    ODOT,
    OPEN,
    RIGHT,
    Reference,
    Token,
    Tokens,
    joined,
    sign,
    words,
)
from minigrad.equations.tree import Expr, Time
from minigrad.fold.moving_index import Ahead

# How strongly tokens hold together: a + b, Σ a, a ⊙ b, a b, a.
SUM, SIGMA, HADAMARD, PRODUCT, ATOM = range(5)


class Writer:
    """Writes the expressions of one program."""

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        lengths: Sequence[int],
        loss: str,
        columns: bool,
    ) -> None:
        self.symbols, self.lengths, self.loss = symbols, lengths, loss
        self.columns = columns  # the program itself has columns: W @ h
        self.t: str | None = None  # the letter of the step that an expression is about
        self.term, self.inside = 0, False

    def write(self, e: Expr, at_least: int = SUM) -> Tokens:
        """An expression, in brackets where it holds together less than it must."""
        binds, tokens = self.open(e)
        return tokens if binds >= at_least else [OPEN, *tokens, CLOSE]

    def open(self, e: Expr) -> tuple[int, Tokens]:
        """An expression, and how strongly it holds together."""
        rule = RULES.get(e.op, Writer._call)
        single = len(e.args) == 1 and e.op in ("tanh", "sigmoid", "relu", "sum")
        if self.inside or single or e.op in ("add", "subtract", "negative"):
            return rule(self, e)
        self.inside = True
        found = rule(self, e)
        self.inside, self.term = False, self.term + 1
        return found

    def line(self, e: Expr, t: str | None) -> tuple[int, Tokens]:
        """The right side of an equation about the step of a letter, or about none."""
        self.t, self.term, self.inside = t, 0, False
        return self.open(e)

    def time(self, time: Time, clock: int | None) -> str:
        """A step in words."""
        of = {"t": self.t or "t", "T": self.length(clock), "": ""}[time.of]
        return f"{of}{time.k:+d}" if of and time.k else of or str(time.k)

    def length(self, clock: int | None) -> str:
        """The last step of a loop: T, or of several loops one by its number."""
        return "T" if len(set(self.lengths)) < 2 else f"T_{(clock or 0) + 1}"

    def symbol(self, symbol: Symbol, when: str = "", delay: int | None = None) -> Token:
        """A symbol at a step; an initial state is h(0)."""
        text, latex = readable(symbol.name), name(symbol.name)
        if symbol.start_of is not None:
            of, index = symbol.start_of
            time = Time("", index) if index < 1 else Time("T", 1)
            text, latex, when = (
                readable(of.name),
                name(of.name),
                self.time(time, of.clock),
            )
        if when:
            text, latex = f"{text}({when})", f"{latex}^{{({when})}}"
        if symbol.gradient:
            text, latex = f"∇{text}", rf"\nabla_{{{latex}}} {name(self.loss)}"
        kind = symbol.kind.replace("step", "value")
        of_ = Reference(symbol.key, kind, symbol.gradient, when, delay, self.term)
        return Token(text, latex, of_)

    def _value(self, e: Expr) -> tuple[int, Tokens]:
        symbol, time = self.symbols[e.attrs["symbol"]], e.attrs["time"]
        if time is None:
            return ATOM, [self.symbol(symbol)]
        delay = -time.k if time.of == "t" else None
        return ATOM, [self.symbol(symbol, self.time(time, symbol.clock), delay)]

    def _number(self, e: Expr) -> tuple[int, Tokens]:
        value, over = e.attrs["number"], e.attrs["over"]
        low = [self.length(c) for c, n in over for _ in range(n)]
        high = [self.length(c) for c, n in over for _ in range(-n)]
        minus = "-" if value < 0 else ""
        size = Fraction(abs(value)) if math.isfinite(value) else Fraction(0)
        near = size.limit_denominator(999)
        exact = math.isfinite(value) and abs(near - size) <= size / 10**12
        if exact and (low or near.denominator % 5):  # 0.9 is better than 9/10
            high = [str(near.numerator)] * (near.numerator != 1 or not high) + high
            low = [str(near.denominator)] * (near.denominator != 1) + low
        else:
            high = [f"{abs(value):.6g}".replace("inf", "∞"), *high]
        up, down = " ".join(high), " ".join(low)
        latex = re.sub(r"e([+-])0*(\d+)", r" \\cdot 10^{\1\2}", up).replace(
            "∞", r"\infty"
        )
        if not low:
            return SUM if minus else ATOM, [sign(minus + up, minus + latex)]
        text = f"{minus}{up}/({down})" if len(low) > 1 else f"{minus}{up}/{down}"
        return SUM if minus else ATOM, [
            sign(text, rf"{minus}\tfrac{{{latex}}}{{{down}}}")
        ]

    # --------------------------------------------------------------------------- sums

    def _summands(self, e: Expr, minus: bool = False) -> Iterator[tuple[bool, Expr]]:
        """The terms of a sum; True in front of those that are subtracted."""
        if e.op not in ("add", "add_n", "subtract", "negative"):
            yield minus, e
        for i, a in enumerate(
            e.args if e.op in ("add", "add_n", "subtract", "negative") else ()
        ):
            turned = e.op == "negative" or (e.op == "subtract" and i == 1)
            yield from self._summands(a, minus ^ turned)

    def _add(self, e: Expr) -> tuple[int, Tokens]:
        found: Tokens = []
        if len(e.args) == 1 and e.args[0].op == "each":
            return self._each(e.args[0])
        for minus, a in self._summands(e):
            first = [sign("-")] if minus else []
            found += [sign(" - " if minus else " + ")] if found else first
            found += self.write(a, SIGMA)
        return SUM, found

    def _each(self, e: Expr, listed: bool = False) -> tuple[int, Tokens]:
        """A sum over steps, or their list."""
        a, before = e.attrs, self.t
        ends = [self.time(a[k], a["clock"]) for k in ("first", "last")]
        if a["every"] > 1:
            second = a["first"]._replace(k=a["first"].k + a["every"])
            ends[0] += f",{self.time(second, a['clock'])},"
        length = self.length(a["clock"]) if self.lengths[a["clock"]] > 1 else "1"
        whole = ends == ["1", length]
        ends = ends[::-1] if a["down"] else ends
        self.t = t = "t" if before is None else LATER[before]
        least = SUM if listed else SIGMA
        parts = [
            self.write(b, least) + self._at(k)
            for b, k in zip(e.args, a["entries"], strict=True)
        ]
        self.t = before
        tokens = joined(parts, sign(", "))
        below, above = f"{t}={ends[0]}", ends[1]
        if listed:
            end = sign(f"]_{{{below}..{above}}}", rf"\right]_{{{below}}}^{{{above}}}")
            return ATOM, [LEFT, *tokens, end]
        if whole:
            return SIGMA, [sign(f"Σ_{t} ", rf"\sum_{{{t}}} "), *tokens]
        over = sign(f"Σ_{{{below}..{above}}} ", rf"\sum_{{{below}}}^{{{above}}} ")
        return SIGMA, [over, *tokens]

    def _at(self, key: Any) -> Tokens:
        """Where a value is put in what is zero elsewhere; None is for no place."""
        if key is None:
            return []
        parts = [
            self._part(p, None) for p in (key if isinstance(key, tuple) else (key,))
        ]
        return [sign(" → ", r" \to "), sign("["), *joined(parts, sign(", ")), sign("]")]

    def _stack(self, e: Expr) -> tuple[int, Tokens]:
        plain = len(e.args) == 1 and not e.attrs.get("axis", 0)
        listed = plain and e.args[0].op == "each"
        return self._each(e.args[0], True) if listed else self._call(e)

    def _sum(self, e: Expr) -> tuple[int, Tokens]:
        """Over sequences (n), features (i), or both."""
        axis, ndim = e.attrs.get("axis"), len(e.args[0].shape)
        axes = (axis,) if isinstance(axis, int) else axis
        axes = range(ndim) if axes is None else sorted(a % ndim for a in axes)
        letters = "".join("ni"[a + 2 - ndim] for a in axes if ndim < 3)
        if not letters or (self.columns and ndim > 1):
            return self._call(e)
        shown = sign(f"Σ_{letters} ", rf"\sum_{{{letters}}} ")
        return SIGMA, [shown, *self.write(e.args[0], SIGMA)]

    # ----------------------------------------------------------------------- products

    def _multiply(self, e: Expr) -> tuple[int, Tokens]:
        a, b = e.args
        if a.number is not None and not a.shape:
            binds, rest = self.open(b)
            rest = rest if binds > SUM else [OPEN, *rest, CLOSE]
            return min(binds or HADAMARD, HADAMARD), [
                *self.write(a, ATOM),
                BESIDE,
                *rest,
            ]
        for x, slope in ((a, b), (b, a)):
            # The slope of tanh, 1 - h², is a diagonal matrix in the book.
            tanh = slope.op == "subtract" and slope.args[1].op == "square"
            column = len(x.shape) == 1 or (x.shape[:1] == (1,) and len(x.shape) == 2)
            if (
                tanh
                and column
                and not self.columns
                and x.shape == slope.shape == e.shape
            ):
                diag = [sign("diag", r"\mathrm{diag}"), OPEN, *self.write(slope), CLOSE]
                return PRODUCT, [*diag, BESIDE, *self._factor(x, True)]
        if 1 in (math.prod(a.shape), math.prod(b.shape)):
            return PRODUCT, [*self._factor(a), BESIDE, *self._factor(b, True)]
        # Brackets that are not needed, but one need not think of them.
        least = [ATOM if x.op in ("matmul", "outer") else HADAMARD for x in (a, b)]
        parts = [self.write(x, n) for x, n in zip((a, b), least, strict=True)]
        return HADAMARD, joined(parts, ODOT)

    def _factor(self, e: Expr, last: bool = False) -> Tokens:
        """A factor of a product; a gradient in front of others is in brackets."""
        tokens = self.write(e, PRODUCT)
        end = tokens[-1]
        if last or end.of is None or not end.of.gradient:
            return tokens
        return [*tokens[:-1], Token("", r"\left("), end, Token("", r"\right)")]

    def _matmul(self, e: Expr) -> tuple[int, Tokens]:
        a, b = e.args
        if len(a.shape) == len(b.shape) == 1:
            return PRODUCT, [*self._turned(a), BESIDE, *self._factor(b, True)]
        if len(a.shape) == 1 or len(b.shape) == 1:
            matrix, vector = (b, a) if len(a.shape) == 1 else (a, b)
            straight = self.columns == (matrix is a)
            left = self._factor(matrix) if straight else self._turned(matrix)
            return PRODUCT, [*left, BESIDE, *self._factor(vector, True)]
        a, b = (a, b) if self.columns else (b, a)
        return PRODUCT, [*self._factor(a), BESIDE, *self._factor(b, True)]

    def _outer(self, e: Expr) -> tuple[int, Tokens]:
        a, b = e.args if self.columns else e.args[::-1]
        return PRODUCT, [*self._factor(a), BESIDE, *self._turned(b)]

    def _turned(self, e: Expr) -> Tokens:
        """The transposed of an expression."""
        if e.op == "transpose" and not e.attrs:
            return self._factor(e.args[0])
        return self._raised(e, "ᵀ", r"\top")

    def _raised(self, e: Expr, text: str, latex: str) -> Tokens:
        """An expression with an exponent; LaTeX takes one, so h^{(t)\\top}."""
        tokens = self.write(e, ATOM)
        timed = len(tokens) == 1 and tokens[0].latex.endswith(")}")
        gradient = len(tokens) == 1 and tokens[0].of and tokens[0].of.gradient
        if timed and not gradient and text == "ᵀ":
            (token,) = tokens
            token = token._replace(text=token.text + text)
            return [token._replace(latex=token.latex[:-1] + latex + "}")]
        if timed or gradient:
            tokens = [OPEN if text != "ᵀ" else sign("", r"\left("), *tokens]
            tokens += [CLOSE if text != "ᵀ" else sign("", r"\right)")]
        return [sign("", "{"), *tokens, sign(text, rf"}}^{{{latex}}}")]

    def _transpose(self, e: Expr) -> tuple[int, Tokens]:
        n = len(e.shape)
        axes = tuple(e.attrs.get("axes", range(n)[::-1]))
        last_two = axes == (*range(n - 2), n - 1, n - 2)
        return (ATOM, self._turned(e.args[0])) if last_two else self._call(e)

    def _square(self, e: Expr) -> tuple[int, Tokens]:
        return ATOM, self._raised(e.args[0], "²", "2")

    def _divide(self, e: Expr) -> tuple[int, Tokens]:
        a, b = (self.open(x) for x in e.args)
        left = [OPEN, *a[1], CLOSE] if a[0] < PRODUCT else a[1]
        if a[0] < PRODUCT:
            left = [sign("(", ""), *a[1], sign(")", "")]
        right = b[1] if b[0] == ATOM else [sign("(", ""), *b[1], sign(")", "")]
        bar = sign(" / ", "}{")
        return SIGMA, [sign("", r"\frac{"), *left, bar, *right, sign("", "}")]

    # --------------------------------------------------------------- parts and choices

    def _reshape(self, e: Expr) -> tuple[int, Tokens]:
        mine, theirs = ([n for n in s if n != 1] for s in (e.shape, e.args[0].shape))
        return self.open(e.args[0]) if mine == theirs else self._call(e)

    def _broadcast_to(self, e: Expr) -> tuple[int, Tokens]:
        return self.open(e.args[0])

    def _astype(self, e: Expr) -> tuple[int, Tokens]:
        floating = str(e.attrs.get("dtype")).startswith("float")
        return self.open(e.args[0]) if floating else self._call(e)

    def _concatenate(self, e: Expr) -> tuple[int, Tokens]:
        last = 0 if self.columns else len(e.shape) - 1
        if e.attrs.get("axis", 0) % len(e.shape) != last or any(
            a.op == "each" for a in e.args
        ):
            return self._call(e)
        return ATOM, [LEFT, *joined([self.write(a) for a in e.args], sign("; ")), RIGHT]

    def _below(self, base: Tokens, index: Tokens) -> tuple[int, Tokens]:
        """An index below."""
        return ATOM, [sign("", "{"), *base, sign("_{", "}_{"), *index, sign("}")]

    def _unit(self, e: Expr) -> tuple[int, Tokens]:
        return self._below([sign("1", r"\mathbf{1}")], self.write(e.args[0]))

    def _identity_like(self, e: Expr) -> tuple[int, Tokens]:
        return ATOM, [sign("I")]

    def _cross_entropy(self, e: Expr) -> tuple[int, Tokens]:
        extra = e.attrs.get("reduction") != "none" or e.attrs.get("label_smoothing")
        if extra or len(e.args) > 2:
            return self._call(e)
        softmax = [
            sign("softmax", r"\mathrm{softmax}"),
            OPEN,
            *self.write(e.args[0]),
            CLOSE,
        ]
        tokens = self._below(softmax, self.write(e.args[1]))[1]
        return SUM, [sign("-log ", r"-\log "), *tokens]

    def _where(self, e: Expr) -> tuple[int, Tokens]:
        """m ⊙ a + (1 - m) ⊙ b, without what is zero."""
        mask, terms = e.args[0], []
        for x, yes in zip(e.args[1:], (True, False), strict=True):
            m = self.write(mask, HADAMARD)
            m = m if yes else [OPEN, sign("1 - "), *m, CLOSE]
            if x.number != 0:
                terms.append(
                    m if x.number == 1 else [*m, ODOT, *self.write(x, HADAMARD)]
                )
        return (HADAMARD if len(terms) == 1 else SUM), joined(terms, sign(" + ")) or [
            sign("0")
        ]

    def _infix(self, e: Expr) -> tuple[int, Tokens]:
        """1 where it holds, 0 elsewhere: [a > b]."""
        return ATOM, [
            LEFT,
            *joined([self.write(a) for a in e.args], INFIX[e.op]),
            RIGHT,
        ]

    def _getitem(self, e: Expr) -> tuple[int, Tokens]:
        x, key, rest = e.args[0], e.attrs["key"], iter(e.args[1:])
        parts = list(key) if isinstance(key, tuple) else [key]
        ends = feature_ends(key, x.shape)
        if ends is not None and len(x.shape) < 3 - self.columns:
            return self._below(self.write(x, ATOM), [sign(f"{ends[0] + 1}:{ends[1]}")])
        index = joined([self._part(p, rest) for p in parts], sign(", "))
        return self._below(self.write(x, ATOM), [sign("["), *index, sign("]")])

    def _part(self, part: Any, rest: Iterator[Expr] | None) -> Tokens:
        """A part of a key; an index array is an operand."""
        if isinstance(part, slice):
            ends = [part.start, part.stop] + ([part.step] if part.step else [])
            return joined(
                [[] if p is None else self._part(p, rest) for p in ends], sign(":")
            )
        if isinstance(part, str):
            return self.write(next(rest)) if rest else [words("index")]
        said = "..." if part is Ellipsis else repr(part)
        moved = isinstance(part, Ahead) and self.t
        return [words(said.replace("t", self.t or "t") if moved else said)]

    def _embedding(self, e: Expr) -> tuple[int, Tokens]:
        unit = e.args[0].op == "identity_like"
        table = [sign("1", r"\mathbf{1}")] if unit else self.write(e.args[0], ATOM)
        return self._below(table, self.write(e.args[1]))

    def _function(self, e: Expr) -> tuple[int, Tokens]:
        """A function of the user's: f(s(t-1), x(t); θ)."""
        n = e.attrs["values"] + 1
        both = [
            joined([self.write(a) for a in part], sign(", "))
            for part in (e.args[1:n], e.args[n:])
        ]
        inner = joined([part for part in both if part], sign("; "))
        return ATOM, [
            Token(e.attrs["name"], name(e.attrs["name"])),
            OPEN,
            *inner,
            CLOSE,
        ]

    def _call(self, e: Expr) -> tuple[int, Tokens]:
        """A function by its name, with the attributes that it was called with."""
        keys = e.attrs.get("keys", (None,) * len(e.args))
        parts = [
            self._each(a, True)[1] if a.op == "each" else self.write(a) + self._at(k)
            for a, k in zip(e.args, keys, strict=True)
        ]
        rows = not self.columns or len(e.shape) < 2
        said = []
        for k, v in e.attrs.items():
            v = v[0] if isinstance(v, tuple) and len(v) == 1 else v
            usual = (k, v) == ("axis", -1) and "softmax" in e.op and rows
            if v is not None and v is not False and k != "keys" and not usual:
                said.append(f"{k}={v!r}")
        inner = joined(parts, sign(", "))
        inner += [sign("; "), words(", ".join(said))] if said else []
        latex = rf"\{e.op}" if e.op in KNOWN else rf"\mathrm{{{words(e.op).latex}}}"
        called = sign("σ", r"\sigma") if e.op == "sigmoid" else Token(e.op, latex)
        return ATOM, [called, OPEN, *inner, CLOSE]


OPS = """
    value number add each stack sum multiply matmul outer transpose square divide
    reshape broadcast_to astype concatenate unit identity_like cross_entropy where
    getitem embedding function
"""
RULES: dict[str, Callable[[Writer, Expr], tuple[int, Tokens]]] = {
    op: getattr(Writer, f"_{op}") for op in OPS.split()
}
RULES |= dict.fromkeys(["add_n", "subtract", "negative"], Writer._add)
RULES |= dict.fromkeys(INFIX, Writer._infix)
