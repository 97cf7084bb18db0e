"""From what was recorded to trees: the graph of a loss and its gradient, line by line.

Every node of every step gets its tree, in order of execution, said about its own step:
what it reads is h some steps back, a sum over the steps of a loop, an initial state in
the place of h(0). So no step is taken to be like another one: where two of a line's
steps have one tree they are one equation, else each has its own. The fold proves that a
line is one, and says which of its attributes move with t.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np

from minigrad.equations.algebra import Algebra
from minigrad.equations.symbols import Symbol, Symbols
from minigrad.equations.tree import Expr, Time, in_spans, step_of
from minigrad.fold.folding import Folding
from minigrad.fold.moving_index import Ahead, at_step
from minigrad.fold.recurrence import Recurrence
from minigrad.fold.roles import Role
from minigrad.graph import Node, PerOperand, same_value
from minigrad.ops.indexing import places_in
from minigrad.scope import LOOP

# These look at the shape of their last operand alone.
SHAPE_ONLY = frozenset(["reshape_like", "count", "identity_like"])


class Read(NamedTuple):
    """What is read: about the reader's step, or of ``step`` of a loop; ``key``: where
    it is put. Of ``own`` loop it is all steps so far, of which this is one."""

    step: int | None
    clock: int | None
    body: Expr
    key: Any = None
    own: bool = False


class Builder:
    """One graph: the trees of its symbols, each said about its own step."""

    def __init__(
        self, folding: Folding, recurrence: Recurrence, symbols: Symbols, scopes: Any
    ) -> None:
        self.folding, self.recurrence, self.graph = folding, recurrence, folding.graph
        self.roles, self.lengths = recurrence.roles, recurrence.lengths
        self.symbols, self.scopes = symbols, scopes
        self.forest = Algebra(self.lengths)
        self.at = {n: time and time[1] for n, time in folding.times.items()}
        self.functions = self._named_functions()
        self.trees: dict[Node, Expr] = {}
        self.said: dict[Any, dict[Expr, Expr]] = {}
        self.order: list[tuple[Symbol, int | None]] = []
        self.made: dict[Any, Expr] = {}  # what is read alike makes the same
        self.alike: dict[int, bool] = {}
        self.reading = [_sources(role) for role in self.roles]
        for symbol in symbols.by_key.values():
            symbol.trees, symbol.starts, symbol.roles = {}, {}, set()
        for node in self.graph.nodes:
            self._add(node, self.role(node))
        for node, symbol, index in symbols.also:
            e = self.trees[node]
            self._define(node, symbol, index, e if e.op == "number" else self.own(node))

    def role(self, node: Node) -> Role:
        """The line of a node."""
        return self.roles[self.folding.role_of[node]]

    def _add(self, node: Node, role: Role) -> None:
        """The tree of a node, which is kept in its symbol if it has one."""
        t = self.at[node]
        if not node.inputs:
            self.trees[node] = self._leaf(node, role, t)
            return
        f = self.forest
        f.clock, f.t = role.clock, t
        f.said = said = self.said.setdefault((role.clock, t), {})
        self.trees[node] = e = self._tree(node, role, t)
        if node in self.symbols.of:
            symbol, index = self.symbols.of[node]
            self._define(node, symbol, index, self._outside(node, e))
            cut = "getitem" in (e.op, *(a.op for a in e.args))
            if symbol.kind == "step":
                f.readers[e.args[0].attrs["symbol"], role.clock] = symbol.key
            elif index == t and not symbol.gradient and e.args and cut:
                said[e] = self.own(node)  # that of a gate is a slice of all gates

    def _define(self, node: Node, symbol: Symbol, index: int | None, e: Expr) -> None:
        """Make an expression about a node's step what a symbol is at a step."""
        role = self.role(node)
        symbol.roles.add(role.index)
        t = self.at[node]
        if role.clock is not None and t is not None:
            if role.clock == symbol.clock and index is not None:
                e = self.forest.moved(e, t - index)
            else:
                e = self.forest.fixed(e, t, self.lengths[role.clock])
        symbol.trees[index] = e
        self.order.append((symbol, index))

    def _leaf(self, node: Node, role: Role, t: int | None) -> Expr:
        value, f = node.value, self.forest
        array = np.asarray(value)
        if node.kind == "constant" and array.size:
            # One number in all elements is written as that.
            same = array.dtype.kind == "f" and bool(np.all(array == array.flat[0]))
            if value.__class__ in (int, float) or same:
                return f.number(array.flat[0].item(), array.shape)
            if array.ndim == 2 and np.array_equal(array, np.eye(len(array))):
                unit = [f.number(0.0, array.shape)]
                return f.make("identity_like", unit, {"axis": -1}, array.shape)
        symbol = self.symbols.leaf(self.folding, role.index)
        symbol.roles.add(role.index)
        symbol.values[t] = value
        self.symbols.of[node] = symbol, t
        return self._value(symbol, t, t, array.shape)

    def _value(
        self, symbol: Symbol, index: int | None, t: int | None, shape: Any
    ) -> Expr:
        """A symbol at a step: said about t, or where that is None, of the step."""
        if symbol.number and index in symbol.trees:
            return symbol.trees[index]
        time = None
        if index is not None:
            length = self.lengths[symbol.clock or 0]
            time = step_of(index, length) if t is None else Time("t", index - t)
        return self.forest.value(symbol.key, time, shape)

    # ------------------------------------------------------------------ what is read

    def own(self, node: Node) -> Expr:
        """A value as others read it, about its own step."""
        if node not in self.symbols.of:
            return self._outside(node, self.trees[node])
        symbol, index = self.symbols.of[node]
        clock = self.role(node).clock
        t = self.at[node] if clock == symbol.clock else None
        return self._value(symbol, index, t, np.shape(node.value))

    def _reads(self, node: Node, role: Role) -> Iterator[Read]:
        """What a node reads, operand by operand."""
        keys = next((v for v in node.attrs.values() if isinstance(v, PerOperand)), None)
        grown, apart, moving = self.reading[role.index]
        region, now = region_of(node, self.scopes), self.at[node]
        for i, read in enumerate(node.inputs):
            clock, step = self.role(read).clock, self.at[read]
            inner = region and region_of(read, self.scopes) == region
            inside = inner and read not in self.symbols.of
            e = self.trees[read] if inside else self.own(read)
            index = self.folding.role_of[read]
            here = clock is not None and clock == role.clock and index not in apart
            t, of = (now, role.clock) if here or clock is None else (step, clock)
            key = keys and keys[i]
            n = self.lengths[of or 0] if t else 0
            key = next(
                (k for k in moving if same_value(at_step(k, t or 0, n), key)), key
            )
            if here:
                yield Read(
                    None, None, self.forest.moved(e, (step or 0) - (now or 0)), key
                )
            elif start := self._start(role, i, now, read, step, e):
                yield Read(None, None, start, key)
            else:
                yield Read(step, clock, e, key, index in grown and role.terms is None)

    def _start(
        self, role: Role, i: int, t: Any, read: Node, step: Any, e: Expr
    ) -> Expr | None:
        """h(0) in the place of an initial state that is read where h(t-1) is not."""
        usual = (
            role.operands[i] if role.terms is None and i < len(role.operands) else ()
        )
        for s in usual if role.clock is not None else ():
            symbol, _ = self.symbols.of.get(self.folding.members[s.role][0], (None, 0))
            if symbol is None or symbol.gradient or not s.delay or symbol.clock is None:
                continue
            index, clock = t - s.delay, self.role(read).clock
            if clock is not None:
                e = self.forest.fixed(e, step, self.lengths[clock])
            outside = not 1 <= index <= self.lengths[symbol.clock]
            if outside and symbol.starts.setdefault(index, e) is e:
                return self.forest.value(symbol.key, Time("t", -s.delay), e.shape)
        return None

    # -------------------------------------------------------------------- expressions

    def _tree(self, node: Node, role: Role, t: int | None) -> Expr:
        op, shape = node.op.name, np.shape(node.value)
        reads = tuple(self._reads(node, role))
        plain = all(r.step is None and r.key is None for r in reads)
        if not plain or op in ("step", "getitem"):  # of which each step has its own
            return self._made(node, role, t, reads)
        key = role.index, reads, shape
        if key not in self.made:
            self.made[key] = self._made(node, role, t, reads)
        return self.made[key]

    def _made(self, node: Node, role: Role, t: int | None, reads: Any) -> Expr:
        """What an op makes of what it reads."""
        f, op, shape = self.forest, node.op.name, np.shape(node.value)
        found: Any = [[r] for r in reads]
        if op == "add_n":
            runs = self._in_any_order([r] for r in reads)
            found = [[term for (term,) in run] for run in runs]
        elif op == "scatter_n":
            found = self._scattered(reads)
        elif node.op.variadic:
            found = _in_a_row(reads)
        args, keys = [], []
        for run in found:
            e, key = self._joined(run, t)
            args.append(e)
            keys.append(key)
        attrs = {k: v for k, v in role.attrs.items() if not isinstance(v, PerOperand)}
        if op == "step":
            loops = [p for p in node.scope.path if p[0] == LOOP]
            key = Ahead(-1) if len(loops) == 1 else loops[-1][2] - 1
            leaf = node in self.symbols.of and self.symbols.of[node][0].kind == "step"
            made = f.make if leaf else f.call  # that a loop reads it is not yet x(t)
            return made("getitem", args, {"key": key}, shape)
        if op == "scatter_n":
            args[0] = f.number(0.0, shape)
            return f.call(op, args, {"keys": PerOperand(keys)}, shape)
        if op in SHAPE_ONLY:
            args[-1] = f.number(0.0, args[-1].shape)
        if op in ("target_weights", "cross_entropy") and self._weighs_alike(node, role):
            op += " alike"
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

    def _in_any_order(self, terms: Iterable[list[Read]]) -> Iterator[list[list[Read]]]:
        """Terms, each with its indices: those of one form, in order of the steps."""
        forms: dict[Any, list[list[Read]]] = {}
        for i, term in enumerate(terms):
            own = [self._about_itself(r) for r in term]
            t = own[0].step
            form = [
                (r.body, repr(r.key), r.clock, r.step and r.step - (t or 0))
                for r in own
            ]
            forms.setdefault(i if t is None else tuple(form), []).append(own)
        for run in forms.values():
            while run:  # the same term may come more than once
                once = {_first_step(own): own for own in run}
                yield from in_spans(sorted(once.values(), key=_first_step), _first_step)
                run = [own for own in run if own is not once[_first_step(own)]]

    def _about_itself(self, r: Read) -> Read:
        """A read of h(t-1) at step t as that of h(t) at step t-1."""
        time = r.body.attrs.get("time")
        if r.step is None or not time or time.of != "t" or r.step + time.k < 1:
            return r
        body = self.forest.moved(r.body, -time.k)
        return r._replace(step=r.step + time.k, body=body)

    def _scattered(self, reads: Sequence[Read]) -> Iterator[list[Read]]:
        """What is scattered, and behind it the indices in the same order."""
        places = [places_in(r.key) for r in reads]
        number = len(reads) - sum(places)
        rest = iter(reads[number:])
        terms = zip(reads[:number], places[:number], strict=True)
        runs = [*self._in_any_order([r, *islice(rest, n)] for r, n in terms)]
        for run in runs:
            yield [own[0] for own in run]
        for run in runs:
            indices = [own[1:] for own in run]
            if len(indices[0]) == 1 and indices[0][0].step is not None:
                yield [index for (index,) in indices]
            else:
                yield from ([index] for own in indices for index in own)

    def _joined(self, run: list[Read], t: int | None) -> tuple[Expr, Any]:
        """Reads of one form as one each, or as what is read at the one step."""
        r = run[0]
        if r.step is None or r.clock is None:
            return r.body, r.key
        length, steps = self.lengths[r.clock], [_step(r) for r in run]
        if len(run) == 1 and not r.own:
            key = at_step(r.key, r.step, length)
            return self.forest.fixed(r.body, r.step, length), key
        gap = steps[1] - steps[0] if len(steps) > 1 else 1
        last = step_of(max(steps), length, len(steps) > 1)
        attrs = {
            "clock": r.clock,
            "first": step_of(min(steps), length) if not r.own else Time("", min(steps)),
            "last": Time("t", max(steps) - (t or 0)) if r.own else last,
            "every": abs(gap),
            "down": gap < 0,
            "entry": r.key,
        }
        return self.forest.make("each", (r.body,), attrs, r.body.shape), None

    # ----------------------------------------------------------------------- functions

    def _named_functions(self) -> dict[int, str]:
        """The names of lines that are read outside of a scope: f, or f_1 and f_2."""
        found: dict[str, dict[int, None]] = {}
        reads = [(n, i) for n in self.graph.nodes for i in n.inputs if self.scopes]
        for reader, node in [*reads, *((None, o) for o in self.graph.outputs)]:
            region = region_of(node, self.scopes)
            if region and (reader is None or region_of(reader, self.scopes) != region):
                name = self.scopes[region[0][-1][0]]
                found.setdefault(name, {})[self.folding.role_of[node]] = None
        return {
            role: f"{name}_{k}" if len(roles) > 1 else name
            for name, roles in found.items()
            for k, role in enumerate(sorted(roles), 1)
        }

    def _outside(self, node: Node, e: Expr) -> Expr:
        """Outside of a function's scope: the function of what it is made of."""
        if region_of(node, self.scopes) is None or not node.inputs:
            return e
        kinds = {x: self.symbols.by_key[x.attrs["symbol"]].kind for x in _values(e)}
        letters = [x for x, kind in kinds.items() if kind == "parameter"]
        values = [x for x in kinds if x not in letters]
        attrs = {"name": self.functions[self.role(node).index], "values": len(values)}
        return self.forest.make("function", (e, *values, *letters), attrs, e.shape)


def _values(e: Expr) -> list[Expr]:
    """The values that an expression reads, in their order."""
    found: dict[Expr, None] = {}
    stack = [e]
    while stack:
        e = stack.pop()
        if e not in found:
            found[e] = None
            stack += e.args[::-1]
    return [x for x in found if x.op == "value"]


def _in_a_row(reads: list[Read]) -> Iterator[list[Read]]:
    """Reads of one form that follow one another, step by step."""
    for (*_, single), run in groupby(
        reads, lambda r: (r.body, repr(r.key), r.clock, r.step is None)
    ):
        together = list(run)
        yield from [[r] for r in together] if single else in_spans(together, _step)


def _sources(role: Role) -> tuple[set[int], set[int], list[Any]]:
    """Lines that are read up to a step, those that are at steps of their own, and keys.

    A key of an operand without time is a tuple with one for each source.
    """
    said = [v for v in role.attrs.values() if isinstance(v, PerOperand)]
    keys = [
        k
        for e in (said[0] if said else ())
        for k in (e, *(e if type(e) is tuple else ()))
    ]
    sources = role.sources
    grown = {s.role for s in sources if s.kind == "gather" and s.delay is not None}
    return grown, grown.union(s.role for s in sources if s.delay is None), keys


def _step(read: Read) -> int:
    return read.step or 0


def _first_step(term: list[Read]) -> int:
    return _step(term[0])


def region_of(node: Node, scopes: Mapping[str, str]) -> Any:
    """The entry of a scope that is written as a function, in which a node lies."""
    for i, (scope, *_) in enumerate(node.scope.path if scopes else ()):
        if scope in scopes:
            return node.scope.path[: i + 1], node.t
    return None
