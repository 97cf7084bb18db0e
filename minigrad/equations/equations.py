"""``Equations``: the trees of all symbols, in order, written and computed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from minigrad.equations.build import Builder
from minigrad.equations.evaluate import Evaluation
from minigrad.equations.symbols import Symbol
from minigrad.equations.tree import Expr, in_spans, step_of
from minigrad.equations.writing import ACTIVATIONS, Reference, Token, Writer
from minigrad.pickles import NotPickled

LONGEST = 10**5  # signs of one equation
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
    said: tuple[Token, ...]

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

    def tokens(self) -> list[Token]:
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
        self.order = builder.order
        self.output = builder.symbols.of.get(builder.graph.outputs[0])
        loss = self.symbols.get("loss") or (self.output and self.output[0])
        only = self._only(loss)
        self.unsaid = [loss, self.symbols.get(f"∇{only.key}")] if only else []
        name = only.name if only else loss.name if loss else "L"
        self.writer = Writer(self.symbols, self.lengths, name, columns)
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
        run = Evaluation(self, values or {})
        found: dict[str, Any] = {}
        for key, symbol in self.symbols.items():
            if symbol.kind == "value" and symbol.trees:
                by_leaf = symbol.gradient and self._by(symbol).kind != "value"
                found[key[1:] if by_leaf else key] = run.whole(symbol)
        return found

    def unrolled(self, down_to: int = 1) -> Equation:
        """The output, written out through the steps as far as step ``down_to``.

        Raises ValueError where the output is at no step, or where it would be longer
        than 100,000 signs.
        """
        symbol, last = self.output or (None, None)
        if symbol is None or last is None:
            raise ValueError(
                "only a value of a loop is written out through its steps: give "
                "mg.equations the last state"
            )
        done: dict[str, str] = {}
        steps = sorted(t for t in symbol.trees if t and down_to < t < last)
        for t in [*steps, last]:
            e = self.forest.fixed(symbol.trees[t], t, FAR)
            text = ""
            for c in self.writer.line(e, None):
                of = self.writer.alone(c).of
                text += done.get(of.time, c) if of and of.key == symbol.key else c
            if len(text) > LONGEST:
                raise ValueError(
                    f"{symbol.name} written out to step {t} has more than {LONGEST} "
                    'signs: write a scope as a function, functions={"f": "its scope"}'
                )
            single = e.op in ("function", "value", *ACTIVATIONS)
            done[str(t)] = text if single else f"({text})"
        return self._said(symbol, e, (last,), text, "", str(last))

    # ---------------------------------------------------------------------- in order

    def _by(self, symbol: Symbol) -> Symbol:
        """What a gradient is taken by."""
        return self.symbols.get(symbol.key[1:], symbol)

    def _only(self, loss: Symbol | None) -> Symbol | None:
        """What an output without a name is equal to: it is not said twice."""
        tree = loss.trees.get(None) if loss and loss.key == "loss" else None
        while tree is not None and tree.op == "product" and len(tree.args) == 1:
            tree = (
                tree.args[0] if tree.attrs["number"] == 1 and tree.size == 1 else None
            )
        if tree is None or tree.op != "value" or tree.attrs["time"] is not None:
            return None
        return self.symbols[tree.attrs["symbol"]]

    def _in_order(self) -> list[Symbol]:
        """Values, gradients by values from the loss on, gradients by leaves."""

        def place(symbol: Symbol) -> tuple[bool, int]:
            last = symbol.gradient and self._by(symbol).kind != "value"
            return last, 0 if last else min(symbol.roles, default=0)

        return sorted(self.symbols.values(), key=place)

    def _name_start(self, symbol: Symbol) -> None:
        """A leaf named h0 that h starts from is h(0)."""
        for index, e in symbol.starts.items():
            leaf = self.symbols.get(e.attrs.get("symbol", ""))
            if leaf is None or leaf.name != f"{symbol.name}0" or leaf.kind == "value":
                continue
            if index in (0, self.lengths[symbol.clock or 0] + 1):
                for s in (leaf, self.symbols.get(f"∇{leaf.key}")):
                    if s is not None:
                        s.start_of = symbol, index

    def _of(self, symbol: Symbol) -> Iterator[Equation]:
        """The equations of a symbol: those of its starts, then one for each tree."""
        if symbol.kind == "constant":
            shape = " × ".join(map(str, np.shape(next(iter(symbol.values.values())))))
            when = "t" if symbol.clock is not None else ""
            text = self.writer.words(f"constant {shape}")
            yield self._said(symbol, None, None, text, "", when)
        if symbol.kind != "value" or symbol in self.unsaid:
            return
        for index, e in symbol.starts.items():
            leaf = self.symbols.get(e.attrs.get("symbol", ""))
            if leaf is None or leaf.start_of != (symbol, index):
                yield self._equation(symbol, e, (index,))
        # Steps of one text are one equation, whatever the shapes are: a sum over all
        # steps so far is of more at every step.
        texts: dict[Expr, str] = {}
        terms: dict[str, list[Any]] = {}
        for t in sorted(symbol.trees, key=lambda t: t or 0):
            e = symbol.trees[t]
            if e not in texts:
                tokens = self.writer.tokens(self.writer.line(e, "t" if t else None))
                texts[e] = "".join([x.latex for x in tokens])
            terms.setdefault(texts[e], []).append(t)
        found = [
            tuple(part)
            for steps in terms.values()
            for part in (in_spans(steps, int) if steps[0] else [[None]])
        ]
        back = any(self._reads_later(symbol, e) for e in texts)
        found.sort(key=lambda steps: steps[0] or 0, reverse=back)
        for steps in found:
            e = symbol.trees[steps[0]]
            yield self._equation(symbol, e, steps[::-1] if back else steps)

    def _reads_later(self, symbol: Symbol, e: Expr) -> bool:
        """Whether a symbol is computed from later steps of itself, or of a gradient."""
        time = e.attrs.get("time")
        if e.op == "value" and time is not None and time.of == "t" and time.k > 0:
            read = self.symbols[e.attrs["symbol"]]
            return read is symbol or (read.gradient and symbol.gradient)
        return e.op != "each" and any(self._reads_later(symbol, a) for a in e.args)

    def _equation(self, symbol: Symbol, e: Expr, steps: tuple[Any, ...]) -> Equation:
        """One equation, written."""
        if steps == (None,):
            return self._said(symbol, e, None, self.writer.line(e, None))
        length, clock = self.lengths[symbol.clock or 0], symbol.clock
        late = max(steps) if len(steps) > 1 else 0
        first, last = (step_of(t, length, t == late) for t in (steps[0], steps[-1]))
        when = self.writer.time(first, clock)
        if len(steps) == 1:
            text = self.writer.line(self.forest.fixed(e, steps[0], length), None)
            return self._said(symbol, e, steps, text, "", when)
        text, gap = self.writer.line(e, "t"), steps[1] - steps[0]
        if abs(gap) > 1:
            when += f", {self.writer.time(first._replace(k=first.k + gap), clock)}"
        far = len(steps) > 2 or first.of != last.of
        when += f"{', ..' if far else ''}, {self.writer.time(last, clock)}"
        everywhere = sorted(steps) == [*range(1, length + 1)]
        return self._said(symbol, e, steps, text, "" if everywhere else when, "t", 0)

    def _said(
        self, symbol: Symbol, e: Any, steps: Any, text: str, behind: str = "", *at: Any
    ) -> Equation:
        """An equation of a text; ``behind`` it are the steps at which it holds."""
        self.writer.term = -1  # what stands on the left is in no term
        left = self.writer.tokens(self.writer.symbol(symbol, *at))
        said = [*left, Token(" = ", " = "), *self.writer.tokens(text)]
        if behind:
            latex = rf",\quad t = {behind}".replace("..", r"\dots")
            said.append(Token(f",   t = {behind}", latex))
        return Equation(symbol, e, steps, tuple(said))
