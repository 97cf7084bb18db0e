"""``Equations``: the trees of all symbols, in order, written and computed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigrad.equations.build import Builder
from minigrad.equations.evaluate import Evaluation
from minigrad.equations.symbols import Symbol
from minigrad.equations.tokens import (
    CLOSE,
    OPEN,
    Reference,
    Token,
    Tokens,
    sign,
    words,
)
from minigrad.equations.tree import Expr, in_spans, step_of
from minigrad.equations.writing import Writer
from minigrad.pickles import NotPickled

LONGEST = 10**5  # tokens of one equation
FAR = 10**9  # a length that no step is counted from the end of


@dataclass(frozen=True, eq=False)
class Equation:
    """One equation: a symbol at some steps, and the tree that it is equal to.

    ``steps`` are those that it holds at, None without time; ``roles`` are the lines of
    the folded graph ``Equations.recurrence`` that its left side is.
    """

    symbol: Symbol
    tree: Expr | None
    steps: tuple[int, ...] | None
    said: Tokens

    @property
    def name(self) -> str:
        """The name of what is on the left."""
        return self.symbol.name

    @property
    def roles(self) -> tuple[int, ...]:
        """The numbers of the roles that the left side is."""
        return tuple(sorted(self.symbol.roles))

    @property
    def terms(self) -> list[tuple[Reference, ...]]:
        """What each term of the right side refers to: parameters, and values."""
        found: dict[int, list[Reference]] = {}
        for token in self.said[1:]:
            if token.of is not None:
                found.setdefault(token.of.term, []).append(token.of)
        return [tuple(term) for term in found.values()]

    def tokens(self) -> Tokens:
        """The equation in pieces, each with what it refers to."""
        return list(self.said)

    def text(self) -> str:
        """The equation in Unicode."""
        return "".join([token.text for token in self.said])

    def latex(self) -> str:
        """The equation in LaTeX."""
        return "".join([token.latex for token in self.said])

    def __repr__(self) -> str:
        return self.text()


class Equations(NotPickled):
    """The equations of what was recorded and of its gradient: an iterable of them."""

    _instead: ClassVar[str] = "save text() or latex(), and record the program again"

    def __init__(self, builder: Builder, columns: bool) -> None:
        self.recurrence, self.forest = builder.recurrence, builder.forest
        self.symbols, self.lengths = builder.symbols.by_key, builder.lengths
        self.unsaid: list[Symbol] = []
        found = [builder.symbols.of.get(o) for o in builder.graph.outputs]
        self.output = found[0]
        loss = self.output[0].name if self.output else "L"
        if alike := self._only(builder):
            loss = alike.name
        self.writer = Writer(self.symbols, self.lengths, loss, columns)
        for symbol in self.symbols.values():
            self._name_start(symbol)
        self.equations = [e for s in self._in_order() for e in self._of(s)]

    def __iter__(self) -> Iterator[Equation]:
        return iter(self.equations)

    def __len__(self) -> int:
        return len(self.equations)

    def __getitem__(self, name: str) -> list[Equation]:
        """The equations of a symbol: ``equations["h"]``, ``equations["∇h"]``."""
        if name not in self.symbols:
            raise KeyError(f"no symbol {name!r}; there is {', '.join(self.symbols)}")
        return [e for e in self.equations if e.symbol is self.symbols[name]]

    def text(self) -> str:
        """All equations in Unicode, one a line."""
        return "\n".join([e.text() for e in self.equations])

    def latex(self) -> str:
        """All equations in LaTeX, aligned; it needs amsmath, and math around it."""
        lines = [e.latex().replace(" = ", " &= ", 1) for e in self.equations]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    __repr__ = text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def evaluate(self, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every symbol, computed from the equations alone.

        A value by its name, the gradient by a parameter by the parameter's name, that
        by a value under ∇ and its name; arrays have minigrad's shapes, and what is at
        steps has them as first axis (a list where shapes differ). ``values`` are taken
        in the place of parameters and inputs, by name. Raises KeyError for a name that
        is no leaf, and ValueError for another shape.

        >>> import minigrad as mg
        >>> w = mg.parameter([3.0], name="w")
        >>> found = mg.equations((w * w).sum()).evaluate({"w": [5.0]})
        >>> float(found["loss"]), found["w"].tolist()
        (25.0, [10.0])
        """
        run = Evaluation(self.symbols, self.lengths, values or {})
        found: dict[str, Any] = {}
        for key, symbol in self.symbols.items():
            if symbol.kind == "value" and symbol.trees:
                if (
                    symbol.gradient
                    and self.symbols.get(key[1:], symbol).kind != "value"
                ):
                    key = key[1:]
                found[key] = run.whole(symbol)
        return found

    def unrolled(self, down_to: int = 1) -> Equation:
        """The output, written out through the steps as far as step ``down_to``.

        Raises ValueError where the output is at no step, or where it would be longer
        than 100,000 tokens.
        """
        symbol, last = self.output or (None, None)
        if symbol is None or last is None:
            raise ValueError(
                "only a value of a loop is written out through its steps: give "
                "mg.equations the last state"
            )
        done: dict[str, tuple[int, list[Any]]] = {}
        size, e = 0, symbol.trees[last]
        for t in [
            t for t in sorted(t for t in symbol.trees if t) if down_to < t < last
        ] + [last]:
            e = self.forest.fixed(symbol.trees[t], t, FAR)
            tokens = self.writer.line(e, None)[1]
            inner: list[Any] = []
            size = 0
            for token in tokens:
                known = (
                    done.get(token.of.time)
                    if token.of and token.of.key == symbol.key
                    else None
                )
                inner.append(known[1] if known else token)
                size += known[0] if known else 1
            if size > LONGEST:
                raise ValueError(
                    f"{symbol.name} written out to step {t} has more than {LONGEST} "
                    'signs: write a scope as a function, functions={"f": "its scope"}'
                )
            single = e.op in ("function", "value") or e.op in (
                "tanh",
                "sigmoid",
                "relu",
            )
            done[str(t)] = size, inner if single else [OPEN, *inner, CLOSE]
        left = self._left(symbol, str(last))
        return Equation(symbol, e, (last,), [left, sign(" = "), *_flat(inner)])

    # ---------------------------------------------------------------------- in order

    def _only(self, builder: Builder) -> Symbol | None:
        """What an output without a name is equal to: it is not said twice."""
        symbol = self.output[0] if self.output else None
        tree = symbol.trees.get(None) if symbol and symbol.key == "loss" else None
        while tree is not None and tree.op == "reshape":
            (tree,) = tree.args
        if tree is None or tree.op != "value" or tree.attrs["time"] is not None:
            return None
        found = self.symbols[tree.attrs["symbol"]]
        gradient = self.symbols.get(f"∇{found.key}")
        self.unsaid = [s for s in (symbol, gradient) if s]
        return found

    def _in_order(self) -> list[Symbol]:
        """Values, gradients by values from the loss on, gradients by leaves."""

        def place(symbol: Symbol) -> tuple[bool, int]:
            of = self.symbols.get(symbol.key[1:], symbol)
            last = symbol.gradient and of.kind != "value"
            return last, 0 if last else min(symbol.roles, default=0)

        return sorted(self.symbols.values(), key=place)

    def _left(self, symbol: Symbol, *at: Any) -> Token:
        """What stands on the left: it is in no term."""
        token = self.writer.symbol(symbol, *at)
        return token._replace(of=token.of and token.of._replace(term=-1))

    def _name_start(self, symbol: Symbol) -> None:
        """A leaf named h0 that h starts from is h(0)."""
        for index, e in symbol.starts.items():
            leaf = self.symbols.get(e.attrs.get("symbol", ""))
            if leaf is None or leaf.name != f"{symbol.name}0" or leaf.kind == "value":
                continue
            if index in (0, self.lengths[symbol.clock or 0] + 1):
                leaf.start_of = symbol, index
                if gradient := self.symbols.get(f"∇{leaf.key}"):
                    gradient.start_of = symbol, index

    def _of(self, symbol: Symbol) -> Iterator[Equation]:
        """The equations of a symbol: those of its starts, then one for each tree."""
        if symbol.kind == "constant":
            shape = " × ".join(map(str, np.shape(next(iter(symbol.values.values())))))
            left = self._left(symbol, "t" if symbol.clock is not None else "")
            said = [left, sign(" = "), words(f"constant {shape}")]
            yield Equation(symbol, None, None, said)
        if symbol.kind != "value" or symbol in self.unsaid:
            return
        for index, e in symbol.starts.items():
            leaf = self.symbols.get(e.attrs.get("symbol", ""))
            if leaf is None or leaf.start_of != (symbol, index):
                yield self._equation(symbol, e, (index,))
        # Steps of one text are one equation, whatever the shapes are: a sum over all
        # steps so far is of more at every step.
        terms: dict[str, list[Any]] = {}
        for t in sorted(symbol.trees, key=lambda t: t or 0):
            tokens = self.writer.line(symbol.trees[t], "t" if t else None)[1]
            terms.setdefault("".join([x.latex for x in tokens]), []).append(t)
        found = [
            tuple(part)
            for steps in terms.values()
            for part in (in_spans(steps, int) if steps[0] else [[None]])
        ]
        back = any(self._reads_later(symbol, e) for e in symbol.trees.values())
        found.sort(key=lambda steps: steps[0] or 0, reverse=back)
        for steps in found:
            e = symbol.trees[steps[0]]
            yield self._equation(symbol, e, steps[::-1] if back else steps)

    def _reads_later(self, symbol: Symbol, e: Expr) -> bool:
        """Whether a symbol is computed from later steps of itself, or of a gradient."""
        stack = [e]
        while stack:
            e = stack.pop()
            time = e.attrs.get("time")
            if e.op == "value" and time is not None and time.of == "t" and time.k > 0:
                read = self.symbols[e.attrs["symbol"]]
                if read is symbol or (read.gradient and symbol.gradient):
                    return True
            stack += e.args if e.op != "each" else ()
        return False

    def _equation(self, symbol: Symbol, e: Expr, steps: tuple[Any, ...]) -> Equation:
        """One equation, written."""
        if steps == (None,):
            left = self._left(symbol)
            tokens = self.writer.line(e, None)[1]
            return Equation(symbol, e, None, [left, sign(" = "), *tokens])
        length = self.lengths[symbol.clock or 0]
        late = max(steps) if len(steps) > 1 else 0
        when = [
            self.writer.time(step_of(t, length, t == late), symbol.clock) for t in steps
        ]
        behind = []
        if len(steps) == 1:
            left = self._left(symbol, when[0])
            tokens = self.writer.line(self.forest.fixed(e, steps[0], length), None)[1]
        else:
            left = self._left(symbol, "t", 0)
            tokens = self.writer.line(e, "t")[1]
            if sorted(steps) != [*range(1, length + 1)]:
                behind = _range(when, steps)
        return Equation(symbol, e, steps, [left, sign(" = "), *tokens, *behind])


def _range(when: list[str], steps: tuple[int, ...]) -> Tokens:
    """At which steps an equation holds."""
    far = abs(steps[1] - steps[0]) > 1
    when = [when[0], *when[1 : 1 + far], "..", when[-1]]
    text = ", ".join(when)
    return [sign(f",   t = {text}", rf",\quad t = {text}".replace("..", r"\dots"))]


def _flat(pieces: list[Any]) -> Iterator[Token]:
    """The tokens of nested lists, without recursion."""
    stack: list[Any] = [pieces]
    while stack:
        piece = stack.pop()
        if isinstance(piece, list):
            stack += piece[::-1]
        else:
            yield piece
