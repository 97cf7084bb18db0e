"""Computing the trees with NumPy: what shows that the equations say what was recorded.

A symbol at a step is computed when another one needs it, from its equation alone.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.equations.symbols import Symbol
from minigrad.equations.tree import Expr
from minigrad.fold.moving_index import at_step
from minigrad.graph import PerOperand
from minigrad.op import Kept, registry
from minigrad.ops.indexing import scatter_n

Instance = tuple[str, int | None]


class _MissingError(Exception):
    """A symbol that another one needs first."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance


class Evaluation:
    """One evaluation; ``values`` stand in the place of leaves, by key."""

    def __init__(
        self,
        symbols: Mapping[str, Symbol],
        lengths: Sequence[int],
        values: Mapping[str, Any],
    ) -> None:
        self.symbols, self.lengths = symbols, lengths
        self.given = {k: self._as_leaf(k, v) for k, v in values.items()}
        self.known: dict[Instance, Any] = {}
        self.inner: dict[Any, Any] = {}

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
        symbol = leaves[key]
        found = np.asarray(value)
        wanted = np.shape(symbol.values[None])
        if found.shape != wanted:
            raise ValueError(
                f"{key} has shape {wanted} in these equations, got {found.shape}: for "
                "another number of steps or sequences, record them anew"
            )
        return found.astype(symbol.dtype)

    def of(self, key: str, index: int | None) -> Any:
        """A symbol at a step; what it needs is computed before it."""
        stack: list[Instance] = [(key, index)]
        while stack:
            try:
                self.known[stack[-1]] = self._symbol(*stack[-1])
                stack.pop()
            except _MissingError as missing:
                stack.append(missing.instance)
        return self.known[key, index]

    def _symbol(self, key: str, index: int | None) -> Any:
        """A symbol at a step, from its equation; a leaf has its value."""
        symbol = self.symbols[key]
        tree = symbol.trees.get(index)
        if tree is None and index is not None:
            tree = symbol.starts.get(index)
        if tree is None:
            return self.given[key] if key in self.given else symbol.values[index]
        value = self._value(tree, index, symbol.clock)
        return value if symbol.dtype is None else np.asarray(value, symbol.dtype)

    def whole(self, symbol: Symbol) -> Any:
        """A symbol, at all of its steps one behind the other."""
        if symbol.clock is None:
            return self.of(symbol.key, None)
        parts = [self.of(symbol.key, t) for t in sorted(t for t in symbol.trees if t)]
        return np.stack(parts) if len({np.shape(p) for p in parts}) == 1 else parts

    def _known(self, e: Expr, t: int | None) -> Any:
        """The symbol at the step that an expression names."""
        key, time = e.attrs["symbol"], e.attrs["time"]
        length = self.lengths[self.symbols[key].clock or 0] if time else 0
        instance = key, time and time.at(t or 0, length)
        if instance not in self.known:
            raise _MissingError(instance)
        return self.known[instance]

    def _steps(self, e: Expr, t: int | None) -> range:
        length = self.lengths[e.attrs["clock"]]
        first, last = (e.attrs[k].at(t or 0, length) for k in ("first", "last"))
        steps = range(first, last + 1, e.attrs["every"])
        return steps[::-1] if e.attrs["down"] else steps

    def _value(self, e: Expr, t: int | None, clock: int | None) -> Any:
        """An expression at step t; raises _MissingError for what is not known yet."""
        key = (e, t)
        if key not in self.inner:
            self.inner[key] = self._computed(e, t, clock)
        return self.inner[key]

    def _computed(self, e: Expr, t: int | None, clock: int | None) -> Any:
        if e.op == "value":
            return self._known(e, t)
        if e.op == "function":
            return self._value(e.args[0], t, clock)
        if e.op == "number":
            over, number = e.attrs["over"], e.attrs["number"]
            if over:
                number = number / math.prod([self.lengths[c] ** n for c, n in over])
            return np.full(e.shape, number) if e.shape else number
        attrs = at_step(
            e.attrs, t or 0, self.lengths[clock or 0] if self.lengths else 0
        )
        operands: list[Any] = []
        keys: list[Any] = []
        for i, a in enumerate(e.args):
            if a.op != "each":
                operands.append(self._value(a, t, clock))
                keys.append(attrs["keys"][i] if "keys" in attrs else None)
                continue
            inner = a.attrs["clock"]
            for s in self._steps(a, t):
                for body, key in zip(a.args, a.attrs["entries"], strict=True):
                    operands.append(self._value(body, s, inner))
                    keys.append(at_step(key, s, self.lengths[inner]))
        if "keys" in attrs:
            attrs["keys"] = PerOperand(keys)
        return _call(e.op, operands, attrs, e.shape)


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
    if name == "scatter_n":
        return scatter_n.forward(operands, **attrs)
    op = registry[name]
    if op.variadic or name == "add_n":
        operands = [np.asarray(x) for x in operands]
    value = op._forward(operands, attrs)
    return value.value if isinstance(value, Kept) else value
