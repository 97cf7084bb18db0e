"""Expressions in the book's notation: one text, read by two alphabets.

An array h of rows is written as the matrix of its columns, so the order of factors is
turned around: ``h @ W`` is W h, ``x.T @ g`` is g xᵀ. In a program that has columns
itself, ``W @ h``, the order stays. Not shown are axes of length 1 that come and go,
broadcasting, and casts to floating point. What has no notation is a function by its
name, of arrays and axes as the program has them.

What is not a sign alone, a symbol or a number, stands in the text as one character of
its own, for which there is a token.

>>> from minigrad.equations.algebra import Algebra
>>> f, w = Algebra(()), Writer({}, (), "L", False)
>>> mask = f.make("less_equal", [f.number(2.0), f.number(0.0)], {}, ())
>>> e = f.make("where", [mask, f.number(0.0), f.number(3.0)], {}, ())
>>> [t.text for t in w.tokens(w.line(e, None))]
['3', ' [', '2', ' > ', '0', ']']
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from string import ascii_lowercase
from typing import Any, NamedTuple

from minigrad.equations.algebra import (
    ALL,
    ELEMENTWISE,
    Axes,
    feature_ends,
    front,
    parts,
)
from minigrad.equations.names import latex, name, readable
from minigrad.equations.symbols import Symbol
from minigrad.equations.tree import Expr, Time
from minigrad.fold.moving_index import Ahead

# How strongly a text holds together: a + b, Σ a, a ⊙ b, a b, a.
SUM, SIGMA, HADAMARD, PRODUCT, ATOM = range(5)
Said = tuple[int, str]
Factors = list[tuple[Expr, Axes]]
FIRST = 0xF0000  # the first of the characters that stand for a token
BESIDE = "\u2009"  # between factors; and two that are read in LaTeX alone
HERE, THERE = "\u2983", "\u2984"
SIGNS = {
    "⊙": r"\odot", "ᵀ": r"^{\top}", "²": "^{2}", "≥": r"\ge", "≤": r"\le", "≠": r"\ne",
    "∧": r"\wedge", "∨": r"\vee", "→": r"\to", "(": r"\left(", ")": r"\right)",
    "[": r"\left[", "]": r"\right]", BESIDE: r"\, ", HERE: "{", THERE: "}",
}  # fmt: skip
PLAIN = str.maketrans({BESIDE: " ", HERE: None, THERE: None})
LATEX = str.maketrans(SIGNS)
INFIX = {
    "greater": ">", "greater_equal": "≥", "less": "<", "less_equal": "≤",
    "equal": "=", "not_equal": "≠", "logical_and": "∧", "logical_or": "∨",
}  # fmt: skip
OPPOSITE = dict(
    zip([">", "≥", "<", "≤", "=", "≠"], ["≤", "<", "≥", ">", "≠", "="], strict=True)
)
KNOWN = frozenset(
    ["tanh", "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "max", "min"]
)  # by LaTeX
LATER = {"t": "k", "k": "j", "j": "i", "i": "i'"}
ONES = r"\mathbf{1}"
ACTIVATIONS = ("tanh", "sigmoid", "relu")


class Reference(NamedTuple):
    """What a token stands for: the symbol ``key``, at a step in words.

    ``delay`` says how many steps back that is, and ``term`` in which term of its
    equation the token is: b, W h(t-1) and U x(t) are three.
    """

    key: str
    kind: str  # value, parameter, input or constant
    gradient: bool
    time: str
    delay: int | None
    term: int


class Token(NamedTuple):
    """A piece of an equation, and what it refers to; None for a sign."""

    text: str
    latex: str
    of: Reference | None = None


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
        self.rows = False  # whether a row in each line is written as 𝟏 vᵀ
        self.atoms: list[Token] = []

    def atom(self, text: str, latex: str, of: Reference | None = None) -> str:
        """A token as a character."""
        self.atoms.append(Token(text, latex, of))
        return chr(FIRST + len(self.atoms) - 1)

    def words(self, text: str) -> str:
        """Text that is no letter, as a character."""
        return self.atom(text, "".join(map(latex, text)))

    def tokens(self, text: str) -> list[Token]:
        """A text as tokens, in both alphabets."""
        found = []
        for single, run in groupby(text, lambda c: ord(c) >= FIRST):
            if single:
                found += [self.atoms[ord(c) - FIRST] for c in run]
            else:
                signs = "".join(run)
                found.append(Token(signs.translate(PLAIN), signs.translate(LATEX)))
        return found

    def line(self, e: Expr, t: str | None) -> str:
        """The right side of an equation about the step of a letter, or about none."""
        self.t, self.term, self.inside = t, 0, False
        self.rows = t is None or e.op == "product"
        return self.open(e)[1]

    def write(self, e: Expr, least: int = SUM) -> str:
        """An expression, in brackets where it holds together less than it must."""
        return bracket(self.open(e), least)

    def open(self, e: Expr) -> Said:
        """An expression, and how strongly it holds together."""
        rule, before = WRITTEN.get(e.op, Writer.call), (self.inside, self.rows)
        self.inside = self.inside or e.op not in ("add", *ACTIVATIONS)
        self.rows = self.rows and e.op in ("add", "product")
        found = rule(self, _placed(e) if e.op in ELEMENTWISE else e)
        self.inside, self.rows = before
        return found

    # ---------------------------------------------------------------- symbols, numbers

    def time(self, time: Time, clock: int | None) -> str:
        """A step in words."""
        of = {"t": self.t or "t", "T": self.length(clock), "": ""}[time.of]
        return f"{of}{time.k:+d}" if of and time.k else of or str(time.k)

    def length(self, clock: int | None) -> str:
        """The last step of a loop: T, or of several loops one by its number."""
        return "T" if len(set(self.lengths)) < 2 else f"T_{(clock or 0) + 1}"

    def symbol(self, symbol: Symbol, when: str = "", delay: int | None = None) -> str:
        """A symbol at a step; an initial state is h(0)."""
        named = symbol
        if symbol.start_of is not None:
            named, index = symbol.start_of
            when = self.time(
                Time("", index) if index < 1 else Time("T", 1), named.clock
            )
        text, latex = readable(named.name), name(named.name)
        if when:
            text, latex = f"{text}({when})", f"{latex}^{{({when})}}"
        if symbol.gradient:
            text, latex = f"∇{text}", rf"\nabla_{{{latex}}} {name(self.loss)}"
        kind = symbol.kind.replace("step", "value")
        of = Reference(symbol.key, kind, symbol.gradient, when, delay, self.term)
        return self.atom(text, latex, of)

    def value(self, e: Expr) -> Said:
        """A symbol at the time of an expression."""
        symbol, time = self.symbols[e.attrs["symbol"]], e.attrs["time"]
        if time is None:
            return ATOM, self.symbol(symbol)
        delay = -time.k if time.of == "t" else None
        return ATOM, self.symbol(symbol, self.time(time, symbol.clock), delay)

    def number(self, e: Expr) -> Said:
        """A number, a fraction where it is one, divided by the T of its loops."""
        value, over = front(e)
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
        latex = re.sub(r"e([+-])0*(\d+)", r" \\cdot 10^{\1\2}", up)
        latex = latex.replace("∞", r"\infty")
        if low:
            up += f"/({down})" if len(low) > 1 else f"/{down}"
            latex = rf"\tfrac{{{latex}}}{{{down}}}"
        return SUM if minus else ATOM, self.atom(minus + up, minus + latex)

    # --------------------------------------------------------------------------- sums

    def add(self, e: Expr) -> Said:
        """A sum, of which each summand is a term."""
        if len(e.args) == 1:
            return self.each(e.args[0], False)
        text, top = "", not self.inside
        for a in e.args:
            minus, said = self.without_sign(a)
            sign = (" - " if minus else " + ") if text else "-" * minus
            text += sign + bracket(said, SIGMA)
            self.term += top
        return SUM, text

    def without_sign(self, e: Expr) -> tuple[bool, Said]:
        """A term without its sign, and whether that is a minus."""
        minus = front(e)[0] < 0
        before, self.inside = self.inside, True
        if minus:
            attrs = e.attrs | {"number": -e.attrs["number"]}
            e = Expr(e.op, e.args, attrs, e.shape, e.size, e.depth)
        found = self.open(e)
        self.inside = before
        return minus, found

    def each(self, e: Expr, listed: bool) -> Said:
        """A sum over steps, or their list."""
        a, before = e.attrs, self.t
        first, last = (self.time(a[k], a["clock"]) for k in ("first", "last"))
        if a["every"] > 1:
            second = a["first"]._replace(k=a["first"].k + a["every"])
            first += f",{self.time(second, a['clock'])},"
        length = self.length(a["clock"]) if self.lengths[a["clock"]] > 1 else "1"
        whole = (first, last) == ("1", length)
        first, last = (last, first) if a["down"] else (first, last)
        self.t = t = "t" if before is None else LATER[before]
        inside, self.inside = self.inside, True
        body = self.write(e.args[0], SUM if listed else SIGMA) + self.at(a["entry"])
        self.t, self.inside, span = before, inside, f"{t}={first}..{last}"
        if listed:
            end = rf"\right]_{{{t}={first}}}^{{{last}}}"
            return ATOM, f"[{body}{self.atom(f']_{{{span}}}', end)}"
        if whole:
            return SIGMA, self.atom(f"Σ_{t} ", rf"\sum_{{{t}}} ") + body
        sigma = rf"\sum_{{{t}={first}}}^{{{last}}} "
        return SIGMA, self.atom(f"Σ_{{{span}}} ", sigma) + body

    def at(self, key: Any) -> str:
        """Where a value is put in what is zero elsewhere; None is for no place."""
        if key is None:
            return ""
        index = [
            self.part(p, None) for p in (key if isinstance(key, tuple) else (key,))
        ]
        return f" → [{', '.join(index)}]"

    def stack(self, e: Expr) -> Said:
        """Steps one behind the other."""
        plain = len(e.args) == 1 and not e.attrs.get("axis", 0)
        listed = plain and e.args[0].op == "each"
        return self.each(e.args[0], True) if listed else self.call(e)

    # ----------------------------------------------------------------------- products

    def product(self, e: Expr) -> Said:
        """A number, and the factors; a term that is a row in each line is 𝟏 vᵀ."""
        number, over = front(e)
        found = [(x, self._shown(at)) for x, at in parts(e)]
        own = tuple(range(len(e.shape)))
        across = 1 if self.columns else 0
        matrix = len(own) == 2 and min(e.shape) > 1
        rows, self.rows = self.rows, False
        if rows and matrix and _present(e) == {across - 2}:
            row = self._raised(self.factors(found, (across,)), "ᵀ")
            said = PRODUCT, f"{self.atom('𝟏', ONES)}{BESIDE}{row}"
        else:
            said = self.factors(found, self._shown(own))
        if abs(number) == 1 and not over:
            return said if number > 0 else (SUM, f"-{bracket(said, SIGMA)}")
        binds = SUM if number < 0 else max(min(said[0], HADAMARD), SIGMA)
        return binds, f"{self.number(e)[1]}{BESIDE}{bracket(said, SIGMA)}"

    def _shown(self, at: Axes) -> Axes:
        """Axes as they are written: what runs down, what runs across, all others."""
        return at[-2:] + at[:-2] if self.columns else at[::-1]

    def factors(self, found: Factors, own: Axes, outer: Axes = ()) -> Said:
        """Factors as products of matrices, sums over axes and products by element.

        Of the ways to write them it is the shortest.
        """
        pairs = [
            p for x, at in found for p in zip(at, self._shown(x.shape), strict=True)
        ]
        widest = sorted(found, key=lambda f: len(f[1]))
        size, place = dict(pairs), {a: at.index(a) for _, at in widest for a in at}
        axes = own
        if outer:
            there = [a for a in (*own, *outer) if a in place]
            axes = tuple(sorted(there, key=lambda a: place[a]))
        inner = [a for a in size if a is not None and a not in axes]
        groups = _connected(found, inner)
        matrices = inner and len(groups) == 1
        if matrices and (two := self._two(found, axes, inner, outer)):
            said = self._matrices(*two)
        elif matrices:
            ways = [self.factors(found, own, (*outer, a)) for a in inner]
            return min(ways, key=lambda way: len(way[1]))
        elif not self._is_seen(found, groups, size, outer):
            return self._einsum(found, own)
        else:
            said = self._by_element([(g, _only(axes, g)) for g in groups], axes, size)
        over = sorted([place[a] for a in outer if size[a] > 1], reverse=True)
        if not over:
            return said
        # Features, sequences, and what is further in front.
        ours = self._by_sequence(max(found, key=lambda f: len(f[1]))[0], set())
        letters = "".join(["inkm"[i + ours] for i in over])
        sigma = self.atom(f"Σ_{letters} ", rf"\sum_{{{letters}}} ")
        return SIGMA, sigma + bracket(said, SIGMA)

    def _by_sequence(self, e: Expr, seen: set[Expr]) -> bool:
        """Whether the last axis of an array is that of sequences, not of features."""
        last = len(e.shape) - 1
        if last < 0 or e in seen or self.columns:
            return False
        seen.add(e)
        of = [(a, (*range(len(a.shape)),)) for a in e.args if len(a.shape) == last + 1]
        if e.op in ("stack", "each"):
            of = [(a, (last,)) for a in e.args]
        elif e.op == "value":
            trees = self.symbols[e.attrs["symbol"]].trees
            of = [(tree, (last,)) for tree in [*trees.values()][:1]]
        elif e.op == "product":
            of = [(x, at) for x, at in parts(e) if not self._is_parameter(x)]
        return e.op == "cross_entropy" or any(
            (e.op == "product" and last in at[:-1])
            or (at[-1:] == (last,) and self._by_sequence(x, seen))
            for x, at in of
        )

    def _is_parameter(self, e: Expr) -> bool:
        return e.op == "value" and self.symbols[e.attrs["symbol"]].kind == "parameter"

    def _is_seen(
        self, found: Factors, groups: list[Factors], size: Any, outer: Axes
    ) -> bool:
        """Whether a product by element shows along which axes.

        One group has all, and the others the first or the last of these; or it is a
        column and a row.
        """
        whole = [_along(g) for g in groups]
        there = [[a for a in at if size[a] > 1] for at in whole]
        given = any(self._is_parameter(x) and len(x.shape) > 2 for x, _ in found)
        if given or (outer and set().union(*whole) not in map(set, whole)):
            return False
        crossed = all(len(a) == 1 or not b for a, b in zip(whole, there, strict=True))
        return crossed or _at_ends(there, max(there, key=len))

    def _two(self, found: Factors, axes: Axes, inner: list[Any], outer: Axes) -> Any:
        """The two matrices of which this is the product, each with its axes."""
        for k in inner:
            there: dict[Axes, Factors] = {}
            for group in _connected(found, [a for a in inner if a != k]):
                there.setdefault(_only(axes, group), []).extend(group)
            between = all(any(k in at for _, at in g) for g in there.values())
            both = set.intersection(*map(set, there))
            own = [a for a in axes if a not in both]
            if len(there) == 2 and between and both <= {*outer} and own:
                (a, left), (b, right) = sorted(
                    there.items(), key=lambda g: own[0] not in g[0]
                )
                a, b = _only(tuple(own), left), _only(tuple(own), right)
                return left, (*a[:1], k, *a[1:], *both), right, (k, *b, *both)
        return None

    def _matrices(self, left: Factors, a: Axes, right: Factors, b: Axes) -> Said:
        """A product of matrices."""
        text, second = bracket(self.factors(left, a), PRODUCT), self.factors(right, b)
        of = self.alone(text[-1]).of
        if of and of.gradient:  # it is not that of the whole product
            start, end = self.atom("", r"\left("), self.atom("", r"\right)")
            text = f"{text[:-1]}{start}{text[-1]}{end}"
        return PRODUCT, f"{text}{BESIDE}{bracket(second, PRODUCT)}"

    def _by_element(self, items: list[Any], axes: Axes, size: Any) -> Said:
        """A product element by element, or of a column with a row."""

        def of(some: list[Any], axes: Axes = axes) -> Said:
            return self._by_element(some, axes, size)

        small = [g for g in items if all(size[a] == 1 for a in g[1])]
        if small and len(small) < len(items):
            texts = [bracket(self._item(*g), PRODUCT) for g in _powers(small)]
            rest = of([g for g in items if g not in small])
            text = BESIDE.join([*texts, bracket(rest, HADAMARD)])
            return min(PRODUCT, max(rest[0], HADAMARD)), text
        lines = sorted(
            {at for _, at in items}, key=lambda at: [axes.index(a) for a in at]
        )
        if len(lines) == 2 and all(len(at) == 1 for at in lines):
            down, across = (of([g for g in items if g[1] == at], at) for at in lines)
            row = self._raised(across, "ᵀ")
            return PRODUCT, f"{bracket(down, PRODUCT)}{BESIDE}{row}"
        wide = [(g, at) for g, at in items if len(g) == 1 and len(at) > 1]
        turned = [g for g, at in wide if _only(g[0][1], g) == _back(at)]
        if len(items) > 1 and turned and len(turned) == len(wide):
            back = [(g, _back(at)) for g, at in items]
            return ATOM, self._raised(of(back, _back(axes)), "ᵀ")
        counted = _powers(items)
        if len(counted) == 1:
            return self._item(*counted[0])
        slope = next((g for g in items if _is_slope(g[0])), None)
        vector = sum(size.get(a, 1) > 1 for a in axes) < 2
        if slope and vector and not self.columns:
            diag, inner = self.atom("diag", r"\mathrm{diag}"), self._item(*slope)[1]
            others = bracket(of([g for g in items if g is not slope]), PRODUCT)
            return PRODUCT, f"{diag}({inner}){BESIDE}{others}"
        said = [self._item(*g) for g in counted]
        if small:
            return PRODUCT, BESIDE.join([bracket(g, PRODUCT) for g in said])
        # Brackets that are not needed, but one need not think of them.
        texts = [bracket(g, ATOM if BESIDE in g[1] else HADAMARD) for g in said]
        return HADAMARD, " ⊙ ".join(texts)

    def _item(self, group: Factors, own: Axes, power: int = 1) -> Said:
        """One factor, transposed if its axes are the other way around."""
        x, there = group[0][0], _only(group[0][1], group)
        if len(group) > 1 or not {*there} <= {*own}:
            return self.factors(group, own)
        if there not in (own, _back(own)):
            return self._einsum(group, own)
        said = self.open(x)
        if there != own:
            said = (ATOM, self._raised(said, "ᵀ"))
        return said if power == 1 else (ATOM, self._raised(said, "²"))

    def _einsum(self, found: Factors, own: Axes) -> Said:
        """What has no notation, with a letter for each axis."""
        of = [*(at for _, at in found), own]
        axes = sorted({a for at in of for a in at} - {None})
        letter = {None: ""} | dict(zip(axes, ascii_lowercase, strict=False))
        names = ["".join([letter[a] for a in at]) for at in of]
        names = [n[2:] + n[:2] if self.columns else n[::-1] for n in names]
        inner = ", ".join([self.write(x) for x, _ in found])
        called = self.atom("einsum", r"\mathrm{einsum}")
        said = self.words(f"{','.join(names[:-1])}->{names[-1]}")
        return ATOM, f"{called}({inner}; {said})"

    def alone(self, text: str) -> Token:
        """The token that a text is, or one of nothing."""
        one = len(text) == 1 and ord(text) >= FIRST
        return self.atoms[ord(text) - FIRST] if one else Token("", "")

    def _raised(self, said: Said, sign: str) -> str:
        """A text with an exponent; LaTeX takes one, so h^{(t)\\top}."""
        text = bracket(said, ATOM)
        token = self.alone(text)
        timed, gradient = token.latex.endswith(")}"), token.of and token.of.gradient
        if timed and not gradient and sign == "ᵀ":
            return self.atom(token.text + sign, token.latex[:-1] + r"\top}", token.of)
        if timed or gradient:
            left, right = self.atom("", r"\left("), self.atom("", r"\right)")
            text = f"({text})" if sign == "²" else left + text + right
        return f"{HERE}{text}{THERE}{sign}"

    def divide(self, e: Expr) -> Said:
        """A fraction."""
        a, b = (self.open(x) for x in e.args)
        left = a[1] if a[0] >= PRODUCT else self._only_text(a[1])
        right = b[1] if b[0] == ATOM else self._only_text(b[1])
        start, bar, end = (
            self.atom("", r"\frac{"),
            self.atom(" / ", "}{"),
            self.atom("", "}"),
        )
        return SIGMA, f"{start}{left}{bar}{right}{end}"

    def _only_text(self, text: str) -> str:
        """Brackets that a fraction in LaTeX does not need."""
        return self.atom("(", "") + text + self.atom(")", "")

    # ------------------------------------------------------------- choices, and parts

    def where(self, e: Expr) -> Said:
        """m ⊙ a + (1 - m) ⊙ b, without what is zero."""
        mask, terms, binds = e.args[0], [], SUM
        for x, yes in zip(e.args[1:], (True, False), strict=True):
            m = self.write(mask, HADAMARD) if yes else self._complement(mask)
            if x.number is None:
                binds = HADAMARD
                terms.append(f"{m} ⊙ {self.write(x, HADAMARD)}")
            elif x.number == 1 and not x.attrs["over"]:
                binds = ATOM if mask.op in INFIX else HADAMARD
                terms.append(m)
            elif x.number != 0:
                binds = PRODUCT
                terms.append(f"{self.write(x, ATOM)}{BESIDE}{m}")
        text = " + ".join(terms) or self.words("0")
        return binds if len(terms) == 1 else SUM, text

    def _complement(self, mask: Expr) -> str:
        """1 where a mask is 0: of numbers a ≤ b is what a > b is not."""
        if INFIX.get(mask.op) in OPPOSITE:
            return self.infix(_placed(mask), OPPOSITE[INFIX[mask.op]])[1]
        if mask.op == "logical_not":
            return self.write(mask.args[0], HADAMARD)
        return f"(1 - {self.write(mask, HADAMARD)})"

    def infix(self, e: Expr, sign: str = "") -> Said:
        """1 where it holds, 0 elsewhere: [a > b], [a > b ∧ c > d]."""
        other = e.args[1]
        if e.op == "logical_or" and other.op == "not_equal" and len({*other.args}) == 1:
            return self.open(e.args[0])  # or x ≠ x, which no number is
        texts = [self.write(a) for a in e.args]
        sign = sign or INFIX[e.op]
        if sign not in OPPOSITE:  # comparisons in one pair of brackets
            inner = zip(e.args, texts, strict=True)
            texts = [t[1:-1] if INFIX.get(a.op) in OPPOSITE else t for a, t in inner]
        return ATOM, f"[{f' {sign} '.join(texts)}]"

    def getitem(self, e: Expr) -> Said:
        """Features a..b, or an index as in Python."""
        x, key, rest = e.args[0], e.attrs["key"], iter(e.args[1:])
        ends, base = feature_ends(key, x.shape), self.write(x, ATOM)
        if ends is not None and len(x.shape) < 3 - self.columns:
            return self.below(base, f"{ends[0] + 1}:{ends[1]}")
        index = [
            self.part(p, rest) for p in (key if isinstance(key, tuple) else (key,))
        ]
        return self.below(base, f"{self.words('[')}{', '.join(index)}{self.words(']')}")

    def below(self, base: str, index: str) -> Said:
        """An index below."""
        start, end = self.atom("_{", "}_{"), self.atom("}", "}")
        return ATOM, f"{HERE}{base}{start}{index}{end}"

    def part(self, part: Any, rest: Iterator[Expr] | None) -> str:
        """A part of a key; an index array is an operand."""
        if isinstance(part, slice):
            ends = [part.start, part.stop] + ([part.step] if part.step else [])
            return ":".join(["" if p is None else self.part(p, rest) for p in ends])
        if isinstance(part, str):
            return self.write(next(rest)) if rest else self.words("index")
        said = "..." if part is Ellipsis else repr(part)
        moved = isinstance(part, Ahead) and self.t
        return self.words(said.replace("t", self.t or "t") if moved else said)

    def embedding(self, e: Expr) -> Said:
        """A column of a table, or a unit vector."""
        unit = e.args[0].op == "identity_like"
        table = self.words("1") if unit else self.write(e.args[0], ATOM)
        return self.unit(e) if unit else self.below(table, self.write(e.args[1]))

    def unit(self, e: Expr) -> Said:
        """A unit vector."""
        return self.below(self.atom("1", ONES), self.write(e.args[-1]))

    def concatenate(self, e: Expr) -> Said:
        """Features side by side: in columns one below the other."""
        last = 0 if self.columns else len(e.shape) - 1
        each = any(a.op == "each" for a in e.args)
        if each or e.attrs.get("axis", 0) % len(e.shape) != last:
            return self.call(e)
        return ATOM, f"[{'; '.join([self.write(a) for a in e.args])}]"

    def cross_entropy(self, e: Expr) -> Said:
        """-log softmax(o)_y."""
        extra = e.attrs.get("reduction") != "none" or e.attrs.get("label_smoothing")
        if extra or len(e.args) > 2:
            return self.call(e)
        o, y = (self.write(a) for a in e.args)
        softmax = self.atom("softmax", r"\mathrm{softmax}")
        return SUM, self.atom("-log ", r"-\log ") + self.below(f"{softmax}({o})", y)[1]

    def astype(self, e: Expr) -> Said:
        """A cast to floating point is not shown."""
        same = str(e.attrs.get("dtype")).startswith("float")
        return self.open(e.args[0]) if same else self.call(e)

    def function(self, e: Expr) -> Said:
        """A function of the user's: f(s(t-1), x(t); θ)."""
        n = e.attrs["values"] + 1
        both = [", ".join(map(self.write, part)) for part in (e.args[1:n], e.args[n:])]
        called = self.atom(e.attrs["name"], name(e.attrs["name"]))
        return ATOM, f"{called}({'; '.join([part for part in both if part])})"

    def call(self, e: Expr) -> Said:
        """A function by its name, with the attributes that it was called with."""
        keys = e.attrs.get("keys", (None,) * len(e.args))
        inner = ", ".join(
            self.each(a, True)[1] if a.op == "each" else self.write(a) + self.at(k)
            for a, k in zip(e.args, keys, strict=True)
        )
        rows = not self.columns or len(e.shape) < 2
        said = []
        for k, v in e.attrs.items():
            v = v[0] if isinstance(v, tuple) and len(v) == 1 else v
            usual = (k, v) == ("axis", -1) and "softmax" in e.op and rows
            if v is not None and v is not False and k != "keys" and not usual:
                said.append(f"{k}={v!r}")
        inner += f"; {self.words(', '.join(said))}" if said else ""
        word = (
            rf"\{e.op}" if e.op in KNOWN else rf"\mathrm{{{''.join(map(latex, e.op))}}}"
        )
        text = ("σ", r"\sigma") if e.op == "sigmoid" else (e.op, word)
        return ATOM, f"{self.atom(*text)}({inner})"


def bracket(said: Said, least: int) -> str:
    """A text, in brackets where it holds together less than it must."""
    return said[1] if said[0] >= least else f"({said[1]})"


def _present(e: Expr) -> frozenset[int]:
    """The axes, counted from the last one, along which it is written that e varies."""
    n = len(e.shape)
    there = {a for _, at in parts(e) for a in at if a is not None and a < n}
    return frozenset(a - n for a in there if e.shape[a] > 1)


def _at_ends(some: Iterable[Iterable[Any]], order: Sequence[Any]) -> bool:
    """Whether all of some axes are the first or the last ones of others."""
    ends = [{*order[:n]} for n in range(len(order) + 1)]
    ends += [{*order[n:]} for n in range(len(order))]
    return all({*at} in ends for at in some)


def _placed(e: Expr) -> Expr:
    """Arguments, with an index where their order does not say along which axes."""
    there = [_present(a) for a in e.args]
    axes = frozenset().union(*there)
    order = sorted(axes)
    if len(e.args) < 2 or (axes in there and _at_ends(there, order)):
        return e
    args = []
    for a, own in zip(e.args, there, strict=True):
        shown = [i for i in order if i >= min(own)] if own else []
        key = tuple([ALL if i in own else None for i in shown])
        args.append(_indexed(a, key) if None in key else a)
    return Expr(e.op, tuple(args), e.attrs, e.shape, e.size, e.depth)


def _indexed(e: Expr, key: Any) -> Expr:
    """An expression with an index below, behind its number."""
    plain, number, shape = {"number": 1, "over": ()}, {}, (1,) * len(key)
    if e.op == "product":
        number = {k: e.attrs[k] for k in plain}
        e = Expr(e.op, e.args, e.attrs | plain, e.shape, e.size, e.depth)
    made = Expr("getitem", (e,), {"key": key}, shape, e.size, e.depth)
    axes = {"axes": (tuple(range(len(shape))),)}
    return Expr("product", (made,), plain | number | axes, shape, e.size, e.depth)


def _connected(found: Factors, inner: Sequence[Any]) -> list[Factors]:
    """Factors in groups that share none of the axes that are summed over."""
    groups: list[Factors] = []
    for factor in found:
        axes = {*factor[1]}.intersection(inner)
        joined = [g for g in groups if any(axes.intersection(at) for _, at in g)]
        groups = [g for g in groups if g not in joined]
        groups.append([*(f for g in joined for f in g), factor])
    return groups


def _along(group: Factors) -> list[Any]:
    """The axes of a group, those of its widest factor first."""
    widest = sorted(group, key=lambda f: -len(f[1]))
    return [
        a for a in dict.fromkeys(a for _, at in widest for a in at) if a is not None
    ]


def _only(axes: Axes, group: Factors) -> Axes:
    """Those of the axes that a group has."""
    there = {a for _, at in group for a in at} - {None}
    return tuple([a for a in axes if a in there])


def _back(axes: Axes) -> Axes:
    """Axes with the first two the other way around."""
    return (*axes[1::-1], *axes[2:])


def _powers(items: list[Any]) -> list[Any]:
    """Items, each with a power: equal ones in pairs."""
    found: list[Any] = []
    for item in items:
        if (*item, 1) in found:
            found[found.index((*item, 1))] = (*item, 2)
        else:
            found.append((*item, 1))
    return found


def _is_slope(group: Factors) -> bool:
    """The slope of tanh, 1 - h², is a diagonal matrix in the book."""
    x = group[0][0]
    square = x.op == "add" and len(x.args) == 2 and x.args[0].number == 1
    return (
        square
        and x.args[1].op == "product"
        and x.args[1].args[:1] * 2 == x.args[1].args
    )


OPS = (
    "value number add stack product divide where getitem embedding unit concatenate "
    "cross_entropy function astype"
)
WRITTEN: dict[str, Callable[[Writer, Expr], Said]] = {
    **{op: getattr(Writer, op) for op in OPS.split()},
    "each": lambda w, e: w.each(e, False),
    "identity_like": lambda w, e: (ATOM, w.words("I")),
    **dict.fromkeys(INFIX, Writer.infix),
}
