"""Computing the trees with NumPy: what shows that the equations say what was recorded.

Symbols are computed in the order in which their values were recorded, each from its
equation alone.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.equations.algebra import front, parts
from minigrad.equations.symbols import Symbol
from minigrad.equations.tree import Expr
from minigrad.fold.moving_index import at_step
from minigrad.graph import PerOperand
from minigrad.op import registry
from minigrad.ops.indexing import scatter_n


class Evaluation:
    """One evaluation of equations; ``values`` stand in the place of leaves, by key."""

    def __init__(self, equations: Any, values: Mapping[str, Any]) -> None:
        self.symbols: Mapping[str, Symbol] = equations.symbols
        self.lengths: Sequence[int] = equations.lengths
        self.given = {k: self._as_leaf(k, v) for k, v in values.items()}
        self.known: dict[tuple[str, int | None], Any] = {}
        self.inner: dict[Any, Any] = {}
        for symbol, index in equations.order:
            value = self.value(symbol.trees[index], index, symbol.clock)
            self.known[symbol.key, index] = np.asarray(value, symbol.dtype)

    def _as_leaf(self, key: str, value: Any) -> Any:
        leaves = {
            k: s
            for k, s in self.symbols.items()
            if s.kind not in ("value", "step") and s.clock is None
        }
        if key not in leaves:
            raise KeyError(
                f"{key!r} is no leaf of these equations; there is {', '.join(leaves)}"
            )
        found, wanted = np.asarray(value), np.shape(leaves[key].values[None])
        if found.shape != wanted:
            raise ValueError(
                f"{key} has shape {wanted} in these equations, got {found.shape}: for "
                "another number of steps or sequences, record them anew"
            )
        return found.astype(leaves[key].dtype)

    def whole(self, symbol: Symbol) -> Any:
        """A symbol, at all of its steps one behind the other."""
        if symbol.clock is None:
            return self.known[symbol.key, None]
        found = [
            self.known[symbol.key, t] for t in sorted(t for t in symbol.trees if t)
        ]
        return np.stack(found) if len({np.shape(p) for p in found}) == 1 else found

    def symbol(self, e: Expr, t: int | None) -> Any:
        """The symbol at the step that an expression names; a leaf has its value."""
        symbol, time = self.symbols[e.attrs["symbol"]], e.attrs["time"]
        index = time and time.at(t or 0, self.lengths[symbol.clock or 0])
        if (symbol.key, index) in self.known:
            return self.known[symbol.key, index]
        if index in symbol.starts:
            return self.value(symbol.starts[index], index, symbol.clock)
        given = self.given
        return given[symbol.key] if symbol.key in given else symbol.values[index]

    def value(self, e: Expr, t: int | None, clock: int | None) -> Any:
        """An expression at step t of a loop."""
        if (e, t) not in self.inner:
            self.inner[e, t] = self._computed(e, t, clock)
        return self.inner[e, t]

    def _computed(self, e: Expr, t: int | None, clock: int | None) -> Any:
        if e.op == "value":
            return self.symbol(e, t)
        if e.op == "function":
            return self.value(e.args[0], t, clock)
        number, over = front(e)
        if over:
            number = number / math.prod([self.lengths[c] ** n for c, n in over])
        if e.op == "number":
            return np.full(e.shape, number) if e.shape else number
        attrs = at_step(
            e.attrs, t or 0, self.lengths[clock or 0] if self.lengths else 0
        )
        operands: list[Any] = []
        keys: list[Any] = []
        for i, a in enumerate(e.args):
            if a.op != "each":
                operands.append(self.value(a, t, clock))
                keys.append(attrs["keys"][i] if "keys" in attrs else None)
                continue
            inner, length = a.attrs["clock"], self.lengths[a.attrs["clock"]]
            first, last = (a.attrs[k].at(t or 0, length) for k in ("first", "last"))
            steps = range(first, last + 1, a.attrs["every"])
            for s in steps[::-1] if a.attrs["down"] else steps:
                operands.append(self.value(a.args[0], s, inner))
                keys.append(at_step(a.attrs["entry"], s, length))
        if "keys" in attrs:
            attrs["keys"] = PerOperand(keys)
        if e.op == "product":
            return _product(e, number, operands)
        return _call(e.op, operands, attrs, e.shape)


def _product(e: Expr, number: Any, operands: list[Any]) -> Any:
    """The factors multiplied, and summed over the axes that are not the product's."""
    kind = np.result_type(*[np.asarray(x) for x in operands], number)
    given: list[Any] = []
    own = range(len(e.shape))
    for x, (_, axes) in zip(operands, parts(e), strict=True):
        shape = [n for n, a in zip(np.shape(x), axes, strict=True) if a is not None]
        given += [np.reshape(x, shape).astype(kind), [a for a in axes if a is not None]]
    there = [a for a in own if any(a in axes for axes in given[1::2])]
    found = np.asarray(np.einsum(*given, there, optimize=len(operands) > 2) * number)
    wide = [n if a in there else 1 for a, n in zip(own, e.shape, strict=True)]
    return np.broadcast_to(found.reshape(wide), e.shape)


def _call(name: str, operands: list[Any], attrs: dict[str, Any], shape: Any) -> Any:
    """What an op makes of arrays."""
    if name == "unit":
        (target,) = operands
        if np.any(target == attrs["ignored"]):
            raise ValueError(
                f"a target is {attrs['ignored']}, which is ignored: these equations "
                "are those of targets of which none is; record them anew"
            )
        return (np.expand_dims(target, -1) == np.arange(shape[-1])).astype(float)
    if name == "add":
        return sum(operands[1:], operands[0])
    if name == "scatter_n":
        return scatter_n.forward(operands, **attrs)
    op = registry[name]
    return op.on([np.asarray(x) for x in operands] if op.variadic else operands, attrs)
