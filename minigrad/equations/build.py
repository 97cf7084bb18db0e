"""From what was recorded to trees: the graph of a loss and its gradient, line by line.

The fold says which nodes are one line, and what each line reads: h some steps back, the
steps that a sum gathers, an initial state in the place of h(0). Every node of every
step gets its tree, in order of execution, so no step is taken to be like another one:
where two of a line's steps have one tree they are one equation, else each has its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from minigrad.equations.rules import RULES
from minigrad.equations.simplify import Simplifier
from minigrad.equations.symbols import Symbol, Symbols, is_number
from minigrad.equations.tree import Expr, Time, in_spans, step_of
from minigrad.fold.folding import Folding
from minigrad.fold.moving_index import Ahead, at_step
from minigrad.fold.roles import Operand, Role, Source
from minigrad.graph import Graph, Node, PerOperand
from minigrad.scope import LOOP

# These look at the shape of their last operand alone.
SHAPE_ONLY = frozenset(["reshape_like", "count", "identity_like"])


class Chunk(NamedTuple):
    """What an operand is at one step: about that step, or of ``step`` None."""

    step: int | None
    clock: int | None
    bodies: tuple[Expr, ...]
    entries: Any = None
    grown: Time | None = None  # the end of all steps so far, of which this is one


class Builder:
    """One graph: the trees of its symbols, each said about its own step."""

    def __init__(
        self, graph: Graph, symbols: Symbols, scopes: Mapping[str, str]
    ) -> None:
        self.folding = folding = Folding(graph)
        self.recurrence = folding.recurrence()
        self.roles, self.lengths = self.recurrence.roles, self.recurrence.lengths
        self.symbols, self.graph, self.scopes = symbols, graph, scopes
        self.forest = Simplifier(self.lengths, RULES)
        self.functions = self._named_functions()
        self.trees: dict[Node, Expr] = {}
        self.said: dict[Any, dict[Expr, Expr]] = {}
        self.nodes: dict[tuple[int, int | None], Node] = {}
        self.alike: dict[int, bool] = {}
        for symbol in symbols.by_key.values():
            symbol.trees, symbol.starts, symbol.roles = {}, {}, set()
        for node in graph.nodes:
            self._add(node)
        for node, symbol, index in symbols.also:
            e = self.trees[node]
            self._define(node, symbol, index, e if e.op == "number" else self.own(node))

    def _add(self, node: Node) -> None:
        """The tree of a node, which is kept in its symbol if it has one."""
        role = self.roles[self.folding.role_of[node]]
        t = self.folding.times[node] and node.t
        self.nodes[role.index, t] = node
        if not node.inputs:
            self.trees[node] = self._leaf(node, role, t)
            return
        self.forest.clock, self.forest.t = role.clock, t
        self.forest.said = said = self.said.setdefault((role.clock, t), {})
        self.trees[node] = e = self._tree(node, role, t)
        if node in self.symbols.of:
            symbol, index = self.symbols.of[node]
            self._define(node, symbol, index, self._outside(node, e))
            if symbol.kind == "step":
                self.forest.readers[e.args[0].attrs["symbol"], role.clock] = symbol.key
            elif index == t and not symbol.gradient and e.args and "getitem" in _ops(e):
                said[e] = self.own(node)

    def _define(self, node: Node, symbol: Symbol, index: int | None, e: Expr) -> None:
        """Make an expression about a node's step what a symbol is at a step."""
        role = self.roles[self.folding.role_of[node]]
        symbol.roles.add(role.index)
        if role.clock is not None and node.t is not None:
            if role.clock == symbol.clock and index is not None:
                e = self.forest.moved(e, node.t - index)
            else:
                e = self.forest.fixed(e, node.t, self.lengths[role.clock])
        symbol.trees[index] = e

    def _leaf(self, node: Node, role: Role, t: int | None) -> Expr:
        value = node.value
        if node.kind == "constant" and is_number(value):
            number = value if value.__class__ in (int, float) else value.flat[0].item()
            return self.forest.number(number, np.shape(value))
        if node.kind == "constant" and _is_unit(value):
            number = self.forest.number(0.0, np.shape(value))
            return self.forest.make(
                "identity_like", (number,), {"axis": -1}, value.shape
            )
        symbol = self.symbols.leaf(self.folding.members[role.index][0], role)
        symbol.roles.add(role.index)
        symbol.values[t] = value
        self.symbols.of[node] = symbol, t
        return self._value(symbol, t, t, np.shape(value))

    def _value(
        self, symbol: Symbol, index: int | None, t: int | None, shape: Any
    ) -> Expr:
        """A symbol at a step: said about t, or where that is None, of the step."""
        tree, time = symbol.trees.get(index), None
        if tree is not None and symbol.number:
            return tree
        if index is not None:
            length = self.lengths[symbol.clock or 0]
            time = step_of(index, length) if t is None else Time("t", index - t)
        attrs = {"symbol": symbol.key, "time": time}
        return self.forest.make("value", (), attrs, shape)

    # ------------------------------------------------------------------ what is read

    def own(self, node: Node) -> Expr:
        """A value as others read it, about its own step."""
        if node not in self.symbols.of:
            return self._outside(node, self.trees[node])
        symbol, index = self.symbols.of[node]
        clock = self.roles[self.folding.role_of[node]].clock
        t = node.t if clock is not None and clock == symbol.clock else None
        return self._value(symbol, index, t, np.shape(node.value))

    def _read(self, node: Node, source: Source, t: int | None) -> Chunk:
        """What one source is at step t of a node's line."""
        clock = self.roles[source.role].clock
        step = None
        if source.delay is not None:
            step = (t or 0) - source.delay
        elif source.at is not None and clock is not None:
            (step,) = source.at.steps(self.lengths[clock])
        read = self.nodes[source.role, step]
        inside = region_of(read, self.scopes) == region_of(node, self.scopes)
        inside = inside and read not in self.symbols.of
        e = self.trees[read] if inside else self.own(read)
        if source.delay is not None:
            return Chunk(None, None, (self.forest.moved(e, -source.delay),))
        return Chunk(step, clock, (e,))

    def _in_turn(self, sources: list[tuple[int, Source]], entry: Any) -> list[Chunk]:
        """Sources that are read in turn, step by step of their loop."""
        clocks = [self.roles[s.role].clock for _, s in sources]
        steps = [
            None if s.at is None else s.at.steps(self.lengths[c or 0])
            for (_, s), c in zip(sources, clocks, strict=True)
        ]
        one = next(k for k, found in enumerate(steps) if found is not None)
        said = tuple(
            entry[w] if isinstance(entry, tuple) else entry for w, _ in sources
        )
        chunks = []
        for i, first in enumerate(steps[one] or ()):
            bodies = []
            for (_, s), found in zip(sources, steps, strict=True):
                t = None if found is None else found[i]
                e = self.own(self.nodes[s.role, t])
                bodies.append(e if t is None else self.forest.moved(e, t - first))
            chunks.append(Chunk(first, clocks[one], tuple(bodies), said))
        return chunks

    def _operand(
        self, node: Node, operand: Operand, entry: Any, t: int | None, clock: int | None
    ) -> list[Chunk]:
        """What an operand is at step t of its line: one chunk, or one a step."""
        length = self.lengths[clock or 0] if self.lengths else 0
        here = [
            (w, s)
            for w, s in enumerate(operand)
            if t is None or (s.span is not None and t in s.span.steps(length))
        ]
        if any(s.kind == "gather" for _, s in here):
            (_, s), *_ = here
            if s.delay is None or t is None or s.at is None:
                return self._in_turn(here, entry)
            grown = range(s.at.first, t - s.delay + 1)
            bodies = [(k, self.own(self.nodes[s.role, k])) for k in grown]
            last = Time("t", -s.delay)
            found = [Chunk(k, clock, (e,), (entry,), last) for k, e in bodies]
            return found[::-1] if s.at.down else found
        chunks = [
            self._start(node, operand, s, t, self._read(node, s, t)) for _, s in here
        ]
        says = [entry[w] if t is None and entry is not None else entry for w, _ in here]
        return [c._replace(entries=(e,)) for c, e in zip(chunks, says, strict=True)]

    def _start(
        self, node: Node, operand: Operand, source: Source, t: int | None, read: Chunk
    ) -> Chunk:
        """h(0) in the place of an initial state that is read where h(t-1) is not."""
        for s in operand if t is not None and source.delay is None else ():
            symbol, _ = self.symbols.of.get(
                self.folding.members[s.role][0], (None, None)
            )
            if symbol is None or symbol.gradient or not s.delay or symbol.clock is None:
                continue
            index, e = (t or 0) - s.delay, read.bodies[0]
            outside = not 1 <= index <= self.lengths[symbol.clock]
            if read.step is not None and read.clock is not None:
                e = self.forest.fixed(e, read.step, self.lengths[read.clock])
            if outside and symbol.starts.setdefault(index, e) is e:
                attrs = {"symbol": symbol.key, "time": Time("t", -s.delay)}
                return Chunk(
                    None, None, (self.forest.make("value", (), attrs, e.shape),)
                )
        return read

    # -------------------------------------------------------------------- expressions

    def _tree(self, node: Node, role: Role, t: int | None) -> Expr:
        f, op, shape = self.forest, node.op.name, np.shape(node.value)
        said = {k: v for k, v in role.attrs.items() if isinstance(v, PerOperand)}
        entries = next(iter(said.values()), (None,) * len(role.operands))
        chunks = [
            c
            for operand, entry in zip(role.operands, entries, strict=True)
            for c in self._operand(node, operand, entry, t, role.clock)
        ]
        parts: Iterable[list[Chunk]] = [[c] for c in chunks]
        if node.op.variadic:
            parts = self._merged(chunks) if op == "add_n" else _in_a_row(chunks)
        args, keys = [], []
        for part in parts:
            for e, key in self._joined(part, len(part) == len(chunks)):
                args.append(e)
                keys.append(key)
        attrs = {k: v for k, v in role.attrs.items() if k not in said}
        if op == "step":
            loops = [p for p in node.scope.path if p[0] == LOOP]
            key = Ahead(-1) if len(loops) == 1 else loops[-1][2] - 1
            of_leaf = (
                node in self.symbols.of and self.symbols.of[node][0].kind == "step"
            )
            made = f.make if of_leaf else f.call  # that a loop reads it is not yet x(t)
            return made("getitem", args, {"key": key}, shape)
        if op == "scatter_n":
            args[0] = f.number(0.0, shape)
            return f.call(op, args, {"keys": PerOperand(keys)}, shape)
        if op in SHAPE_ONLY:
            args[-1] = f.number(0.0, args[-1].shape)
        if op in ("target_weights", "cross_entropy") and self._weighs_alike(node, role):
            return f.call(f"{op} alike", args, attrs, shape)
        return f.call(op, args, attrs, shape)

    def _weighs_alike(self, node: Node, role: Role) -> bool:
        """Whether no target of a loss of classes is ignored, at any step."""
        if role.index not in self.alike:
            k = int(node.op.name == "cross_entropy")
            ignored = role.attrs.get("ignore_index", -100)
            several = len(node.inputs) > 2 or role.attrs.get("label_smoothing")
            targets = [n.inputs[k].value for n in self.folding.members[role.index]]
            some = several or any(np.any(y == ignored) for y in targets)
            self.alike[role.index] = not some
        return self.alike[role.index]

    def _merged(self, chunks: list[Chunk]) -> Iterator[list[Chunk]]:
        """The terms of a sum: those of one form are one part, in order of the steps."""
        terms: dict[Any, list[Chunk]] = {}
        for i, c in enumerate(chunks):
            if c.step is not None and len(c.bodies) == 1 and c.bodies[0].op == "value":
                time = c.bodies[0].attrs["time"]
                if time is not None and time.of == "t" and c.step + time.k >= 1:
                    body = self.forest.moved(c.bodies[0], -time.k)
                    c = Chunk(c.step + time.k, c.clock, (body,))
            key = i if c.step is None else (*map(id, c.bodies), c.clock)
            terms.setdefault(key, []).append(c)
        for part in terms.values():
            while part:  # the same term may come more than once
                once = {c.step: c for c in part}
                yield from in_spans(sorted(once.values(), key=_step), _step)
                part = [c for c in part if c is not once[c.step]]

    def _joined(self, part: list[Chunk], all_: bool) -> Iterator[tuple[Expr, Any]]:
        """A part as one each, or as what it is at its one step."""
        c = part[0]
        said = c.entries or (None,) * len(c.bodies)
        if c.step is None or c.clock is None:
            yield from zip(c.bodies, said, strict=True)
            return
        length = self.lengths[c.clock]
        grown = c.grown if all_ else None
        if len(part) == 1 and grown is None:
            for e, entry in zip(c.bodies, said, strict=True):
                yield (
                    self.forest.fixed(e, c.step, length),
                    at_step(entry, c.step, length),
                )
            return
        steps = [d.step or 0 for d in part]
        gap = steps[1] - steps[0] if len(steps) > 1 else 1
        attrs = {
            "clock": c.clock,
            "first": step_of(min(steps), length),
            "last": grown or step_of(max(steps), length, len(steps) > 1),
            "every": abs(gap),
            "down": gap < 0,
            "entries": said,
        }
        yield self.forest.make("each", c.bodies, attrs, c.bodies[0].shape), None

    # ----------------------------------------------------------------------- functions

    def _named_functions(self) -> dict[int, str]:
        """The names of lines that are read outside of a scope: f, or f_1 and f_2."""
        reads = [(n, i) for n in self.graph.nodes for i in n.inputs]
        found: dict[str, set[int]] = {name: set() for name in self.scopes.values()}
        for reader, node in [(None, o) for o in self.graph.outputs] + reads:
            region = region_of(node, self.scopes)
            if region and (reader is None or region_of(reader, self.scopes) != region):
                name = self.scopes[region[0][-1][0]]
                found[name].add(self.folding.role_of[node])
        return {
            role: f"{name}_{k}" if len(roles) > 1 else name
            for name, roles in found.items()
            for k, role in enumerate(sorted(roles), 1)
        }

    def _outside(self, node: Node, e: Expr) -> Expr:
        """Outside of a function's scope: the function of what its nodes read."""
        region = region_of(node, self.scopes)
        if region is None or not node.inputs:
            return e
        found: dict[Expr, bool] = {}  # whether it is a parameter
        stack, seen = [node], {node}
        while stack:
            reader = stack.pop()
            role = self.roles[self.folding.role_of[reader]]
            inner = []
            for operand in role.operands:
                for c in self._operand(reader, operand, None, reader.t, role.clock):
                    for x in c.bodies:
                        if x.op == "value":
                            kind = self.symbols.by_key[x.attrs["symbol"]].kind
                            found.setdefault(x, kind == "parameter")
            for source in reader.inputs:
                inside = region_of(source, self.scopes) == region and source.inputs
                if inside and source not in seen and source not in self.symbols.of:
                    seen.add(source)
                    inner.append(source)
            stack += inner[::-1]
        values = [x for x, parameter in found.items() if not parameter]
        letters = [x for x, parameter in found.items() if parameter]
        name = self.functions[self.folding.role_of[node]]
        attrs = {"name": name, "values": len(values)}
        return self.forest.make("function", (e, *values, *letters), attrs, e.shape)


def _in_a_row(chunks: list[Chunk]) -> Iterator[list[Chunk]]:
    """Chunks of one form that follow one another, step by step."""
    for (*_, single), part in groupby(
        chunks, lambda c: (*map(id, c.bodies), repr(c.entries), c.clock, c.step is None)
    ):
        together = list(part)
        yield from [[c] for c in together] if single else in_spans(together, _step)


def _is_unit(value: Any) -> bool:
    """Whether an array is the unit matrix."""
    square = np.ndim(value) == 2 and value.shape[0] == value.shape[1]
    return bool(square and np.array_equal(value, np.eye(len(value))))


def _ops(e: Expr) -> set[str]:
    """The ops of a small expression: that of a gate is a slice of all gates."""
    return {e.op, *(a.op for a in e.args)}


def _step(chunk: Chunk) -> int:
    return chunk.step or 0


def region_of(node: Node, scopes: Mapping[str, str]) -> Any:
    """The entry of a scope that is written as a function, in which a node lies."""
    for i, (scope, *_) in enumerate(node.scope.path if scopes else ()):
        if scope in scopes:
            return node.scope.path[: i + 1], node.t
    return None
