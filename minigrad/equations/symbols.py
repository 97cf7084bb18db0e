"""What an equation may name: leaves, named values, states, and gradients.

Vocabulary
    symbol  a letter with a value, or one at every step; ``key`` is its own among all
    start   what a recurrence reads of a symbol before its first step, or behind its
            last one

>>> Symbol("h", "h", clock=0), Symbol("∇h", "h", clock=0, gradient=True)
(h(t), ∇h(t))
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.equations.tree import Expr
from minigrad.fold.folding import Folding
from minigrad.graph import Node

# For what has no name, is computed once and used again: in a step, and in a gradient.
LETTERS = "azvrqkmpnw"


@dataclass(eq=False)
class Symbol:
    """A letter; ``trees`` are what it is equal to, by step (None without time).

    ``kind`` is "value"; "step" of x(t), which is read of a sequence and has no equation
    of its own; or that of a leaf, which has ``values`` by step.
    """

    key: str
    name: str
    clock: int | None = None
    gradient: bool = False
    kind: str = "value"
    dtype: Any = None
    roles: set[int] = field(default_factory=set)
    trees: dict[int | None, Expr] = field(default_factory=dict)
    starts: dict[int, Expr] = field(default_factory=dict)
    values: dict[int | None, Any] = field(default_factory=dict)
    number: bool = False  # at every step it is one
    start_of: "tuple[Symbol, int] | None" = None  # this is h(0)

    def __repr__(self) -> str:
        return self.key if self.clock is None else f"{self.key}(t)"


class Symbols:
    """All symbols by key, and which node is which symbol at which step."""

    def __init__(self) -> None:
        self.by_key: dict[str, Symbol] = {}
        self.of: dict[Node, tuple[Symbol, int | None]] = {}
        self.leaves: dict[Node, Symbol] = {}
        # What is another symbol too: the gradient of a in a + b is that of the sum, and
        # a loss may be the last of its running totals.
        self.also: list[tuple[Node, Symbol, int | None]] = []

    def new(self, name: str, **fields: Any) -> Symbol:
        """A symbol; where another one has its name, it gets a number behind it."""
        unique, k = name, 2
        while unique in self.by_key:
            unique, k = f"{name}_{k}", k + 1
        symbol = self.by_key[unique] = Symbol(unique, unique, **fields)
        return symbol

    def letter(self) -> str:
        """A letter that nothing has yet."""
        return next((c for c in LETTERS if c not in self.by_key), LETTERS[0])

    def leaf(self, folding: Folding, index: int) -> Symbol:
        """The symbol of a leaf, or of a line of leaves in a loop, by its first one."""
        first = folding.members[index][0]
        if first not in self.leaves:
            time = folding.times[first]
            name = first.name or "c"
            name = folding.names.get(first, name) if time is None else name
            self.leaves[first] = self.new(
                name,
                clock=time and folding.clocks.index(time[0]),
                kind=first.kind,
                dtype=np.asarray(first.value).dtype,
            )
        return self.leaves[first]

    def line(
        self, folding: Folding, index: int, name: str, kind: str = "value"
    ) -> Symbol:
        """The symbol of a line of the program: a role, at all of its steps.

        Lines of one name and one loop that share no step are one symbol. A step that
        is a symbol's already stays that: ∇h(T) is not δ(T).
        """
        nodes = folding.members[index]
        time = folding.times[nodes[0]]
        clock = None if time is None else folding.clocks.index(time[0])
        steps = [n.t if time else None for n in nodes]
        found = self.by_key.get(name)
        there = {t: n for n, (s, t) in self.of.items() if s is found}
        again = found is not None and (found.clock, found.kind) == (clock, kind)
        # One sequence may be read by several lines; each value has a line of its own.
        free = there.keys().isdisjoint(steps) or (
            kind == "step"
            and {n.inputs[0] for n in there.values()} == {*nodes[0].inputs}
        )
        if found is None or not again or clock is None or not free:
            dtype = np.asarray(nodes[0].value).dtype
            found = self.new(name, clock=clock, kind=kind, dtype=dtype)
        for node, t in zip(nodes, steps, strict=True):
            self.of.setdefault(node, (found, t))
        return found

    def gradient(self, node: Node, d: Node) -> None:
        """Make a node the gradient by another one."""
        symbol, t = self.of[node]
        key, dtype = f"∇{symbol.key}", symbol.dtype
        new = Symbol(key, symbol.name, symbol.clock, gradient=True, dtype=dtype)
        found = self.by_key.setdefault(key, new)
        if d in self.of or not d.inputs:
            self.also.append((d, found, t))
        else:
            self.of[d] = found, t
