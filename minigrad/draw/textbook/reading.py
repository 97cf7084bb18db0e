"""From a recurrence to a chart: which value is what, and what it is called.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(5):
...     h = mg.tanh(h @ W).named("h")
>>> [(symbol.key, symbol.kind) for symbol in read(mg.Graph(h)).symbols]
[('h0', 'initial'), ('h', 'hidden')]
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from minigrad.draw.page.latex import DOWN
from minigrad.draw.page.letters import indexed, letter
from minigrad.draw.page.scene import Line, Run
from minigrad.draw.textbook.aligned import aligned
from minigrad.draw.textbook.chart import ALL, Arrow, Chart, StandIn, Symbol, Weight
from minigrad.draw.textbook.kinds import Value, kinds_of
from minigrad.draw.textbook.recorded import Steps
from minigrad.fold import Edge, Recurrence, Role, contract, fold
from minigrad.graph import Graph, Node

START = re.compile(r"(.+?)_?(?:0|init)")


def read(graph: Graph, shapes: bool = False) -> Chart:
    """The chart of a recorded graph's named values, with their shapes if asked for."""
    return chart_of(fold(contract(graph)), graph, shapes)


def chart_of(
    recurrence: Recurrence, graph: Graph | None = None, shapes: bool = False
) -> Chart:
    """The chart of a folded graph; the recorded graph adds what titles say."""
    return aligned(_Reading(recurrence, graph, shapes).chart())


class Within(NamedTuple):
    """Where a value stands among the steps of loops within a step, as in a Symbol."""

    turn: tuple[float, ...] = ()
    loops: tuple[Any, ...] = ()
    line: str = ""
    begins: str = ""


class _Reading:
    """A recurrence, and what is told of its roles by their keys.

    ``stand_ins`` are the values from outside of a loop that replace a state before its
    first step, ``initial`` the source, target and span of every edge that reads one so.
    """

    def __init__(
        self, recurrence: Recurrence, graph: Graph | None, shapes: bool
    ) -> None:
        recurrence = _named(recurrence, graph)
        self.graph, self.shapes = graph, shapes
        self.roles, self.lengths = recurrence.roles, recurrence.lengths
        self.edges = [
            e for e in recurrence.edges if e.source.kind != "constant" or e.source.name
        ]
        # A parameter that is an initial state is a value like any other.
        self.states = {
            e.source.index for e in self.edges if e.source.kind == "parameter"
        }
        self.recorded: dict[str | None, Node] = {}
        for node in graph.nodes if graph else ():
            self.recorded.setdefault(node.name, node)
        self.spans: dict[int, Any] = {}  # of lines that are one: all their steps
        same = self._same_data() | self._same_lines()
        shown = [
            r for r in self.roles if r.kind != "parameter" or r.index in self.states
        ]
        shown = [r for r in shown if r.index not in same]
        self.keys = _keys(self.roles, shown, same)
        drawn = {e.source.index for e in self.edges}
        # Data that nothing shown reads is not drawn, unless there is nothing else.
        self.shown = [r for r in shown if r.operands or r.index in drawn] or shown
        self.stand_ins: dict[str, StandIn] = {}
        self.initial: set[tuple[int, int, Any]] = set()
        self._starts()
        self._starts_of_one_step()
        self.within = self._within()

    def chart(self) -> Chart:
        """The symbols, arrows and parameters."""
        keys, within = self.keys, self.within
        arrows = tuple(dict.fromkeys(map(self._arrow, self.edges)))
        before = {k for k, w in within.items() if w.begins or not w.loops}
        kinds = kinds_of(
            [
                Value(keys[r.index], r.label, r.spec.shape, not r.operands)
                for r in self.shown
            ],
            arrows,
            before | self.stand_ins.keys(),
        )
        symbols = tuple(
            self._symbol(role, kinds[keys[role.index]]) for role in self.shown
        )
        by_role = tuple(keys[r.index] for r in self.roles)
        return Chart(symbols, arrows, self.lengths, self._weights(), by_role)

    def _arrow(self, edge: Edge) -> Arrow:
        source, target = (self.keys[r.index] for r in (edge.source, edge.target))
        turns = 0
        if edge.kind == "delay" and not edge.delay:
            turns = _turns(self.within.get(source), self.within.get(target))
        growing = edge.kind == "gather" and edge.delay is not None
        return Arrow(
            source,
            target,
            "growing" if growing else edge.kind,
            edge.delay or 0,
            edge.span or ALL,
            edge.at,
            edge.labels,
            (edge.source.index, edge.target.index, edge.span) in self.initial,
            turns,
        )

    def _symbol(self, role: Role, kind: str) -> Symbol:
        key, node = self.keys[role.index], self.recorded.get(role.label)
        what = node.op.name if node is not None and node.op is not None else role.kind
        return Symbol(
            key,
            self._letter(role, kind),
            kind,
            role.clock,
            self.spans.get(role.index, role.span) or ALL,
            not role.operands,
            self.stand_ins.get(key),
            f"{role.label}: {what}, shape {role.spec.shape} {role.spec.dtype}",
            f"{role.spec.shape or '( )'}" if self.shapes else "",
            role.label,
            *self.within.get(key, ()),
        )

    def _same_data(self) -> dict[int, int]:
        """Data that several loops read under one name: x(t) is drawn once."""
        sequences: dict[tuple[str | None, int | None], set[Node]] = defaultdict(set)
        for node in self.graph.nodes if self.graph is not None else ():
            if node.op is not None and node.op.name == "step":
                sequences[node.name, node.t].update(node.inputs)
        first: dict[Any, int] = {}
        same: dict[int, int] = {}
        for role in self.roles:
            if role.name and not role.operands and role.clock is not None:
                turn = tuple(part[2:] for part in role.path)
                if role.span == ALL and len(sequences[role.name, 1]) == 1:
                    index = first.setdefault((role.name, role.clock, turn), role.index)
                    same |= {role.index: index} if index != role.index else {}
        return same

    def _same_lines(self) -> dict[int, int]:
        """Lines of one name that share no step, of steps that differ: one circle each.

        So h is one value, though at some steps a branch before it has made another one.
        """
        first: dict[Any, int] = {}
        same: dict[int, int] = {}
        for role in (r for r in self.roles if r.name and r.operands):
            here: Any = role.span
            if not isinstance(here, Steps):
                continue
            line = role.name, role.path, role.clock
            index = first.setdefault(line, role.index)
            steps = self.spans.setdefault(index, here)
            if index != role.index and {*steps}.isdisjoint(here):
                self.spans[index] = Steps(sorted((*steps, *here)))
                same[role.index] = index
        return same

    def _letter(self, role: Role, kind: str) -> Line:
        """The letter of a role; that of h(0) for what stands at a start as h0 or h."""
        name, key = role.name or role.label, self.keys[role.index]
        begins = self.within[key].begins if key in self.within else ""
        stand_in = self.stand_ins.get(key)
        if stand_in is not None or begins:
            of = stand_in.state if stand_in else begins
            state = next(r for r in self.roles if self.keys[r.index] == of)
            start = START.fullmatch(name)
            if start or name == state.label:
                line = letter(start[1] if start else name, _axes(state))
                if stand_in is None:  # its index is that of a turn before the first one
                    return line
                length = self.lengths[state.clock or 0]
                t = stand_in.offset + 1
                if length == 1:
                    t = min(t, 0)
                elif stand_in.offset > 0:
                    t = length + stand_in.offset
                return indexed(line, str(t).replace("-", "−"))
        # A loss is a scalar of the book even where the batch gives it an axis.
        return letter(name, 0 if kind == "loss" else _axes(role))

    def _starts(self) -> None:
        """What is read in the place of a state at the first steps, or the last."""
        for role in (r for r in self.roles if r.clock is not None):
            length = self.lengths[role.clock or 0]
            for operand in role.operands:
                states = [s for s in operand if s.kind == "delay" and s.delay]
                for source in operand if states else ():
                    if source.kind != "broadcast" or source.span is None:
                        continue
                    steps, delay = source.span.steps(length), states[0].delay or 0
                    offset = min(steps[-1] - delay, 0) - 1
                    if delay < 0:
                        offset = max(steps[0] - delay - length, 1)
                    start = StandIn(self.keys[states[0].role], offset)
                    self.stand_ins.setdefault(self.keys[source.role], start)
                    self.initial.add((source.role, role.index, source.span))

    def _starts_of_one_step(self) -> None:
        """In a loop of one step nothing but its name tells an initial state.

        States of which none reads the other stand side by side, their starts at both
        sides.
        """
        once = [r for r in self.roles if r.operands and r.clock is not None and r.span]
        once = [r for r in once if self.lengths[r.clock or 0] == 1]
        states = {r.label: r for r in once}
        served: dict[int, set[int]] = {}  # by the roles that a role reads, and itself
        first: set[int] = set()
        for role in once:
            read = (s.role for operand in role.operands for s in operand)
            served[role.index] = {role.index}.union(*(served.get(i, ()) for i in read))
        for role in once:
            for source in (s for o in role.operands for s in o):
                start = START.fullmatch(self.roles[source.role].label)
                state = states.get(start[1]) if start else None
                if state is None or (source.kind, state.clock) != (
                    "broadcast",
                    role.clock,
                ):
                    continue
                side = 1 if first and not first & served[state.index] else -1
                first = first or served[state.index]
                stand = StandIn(self.keys[state.index], side)
                self.stand_ins.setdefault(self.keys[source.role], stand)
                self.initial.add((source.role, role.index, source.span))

    def _weights(self) -> tuple[Weight, ...]:
        targets: dict[int, dict[str, None]] = defaultdict(dict)
        for role in self.roles:
            for source in (s for operand in role.operands for s in operand):
                if self.roles[source.role].kind == "parameter":
                    targets[source.role][self.keys[role.index]] = None
        on_arrows = {label.removesuffix("ᵀ") for e in self.edges for label in e.labels}
        weights = []
        for role in (
            self.roles[index] for index in targets if index not in self.states
        ):
            uses = len(self.graph.uses(role.leaf)) if self.graph and role.leaf else 0
            title = f"{role.label}: parameter, shape {role.spec.shape}"
            title += f", {uses} use{'s' if uses != 1 else ''}" if uses else ""
            label = letter(role.label, len(role.spec.shape), parameter=True)
            if self.shapes:
                size = "×".join(map(str, role.spec.shape))
                label = (*label, Run(size, "sans", 6.5, DOWN - 2))
            alone = role.label not in on_arrows
            weights.append(
                Weight(role.label, label, tuple(targets[role.index]), alone, title)
            )
        return tuple(weights)

    def _within(self) -> dict[str, Within]:
        """The places of all that loops within a step made, and their starts."""
        found: dict[str, Within] = {}
        first: dict[Any, str] = {}
        runs: dict[Any, list[Role]] = defaultdict(list)
        for role in self.roles:
            plain = tuple(part[:2] for part in role.path)
            at = [i for i, part in enumerate(role.path) if len(part) > 2]
            if at:
                key, turn = self.keys[role.index], tuple(role.path[i][2] for i in at)
                line = first.setdefault((plain, role.slot), key)
                found[key] = Within(turn, tuple(plain[: i + 1] for i in at), line)
                runs[line, turn[:-1]].append(role)
        for one, two in (run[:2] for run in runs.values() if len(run) > 1):
            turns = [found[self.keys[role.index]].turn for role in (one, two)]
            before = *turns[0][:-1], 2 * turns[0][-1] - turns[1][-1]
            for a, b in zip(one.operands, two.operands, strict=False):
                # What the second turn reads of the first is read of a start before.
                start, state = (self.roles[o[0].role] for o in (a, b))
                key, like = self.keys[start.index], self.keys[state.index]
                if state.path != one.path or start.operands or key in self.stand_ins:
                    continue
                line, of = (found[k].line if k in found else "" for k in (key, like))
                # What was made before all loops stands where it was made.
                timed = start.clock is not None
                found[key] = Within()
                if timed:
                    found[key] = Within(before, found[like].loops, line, of)
        return found


def _turns(source: Within | None, target: Within | None) -> int:
    """How many turns of a loop within a step lie between two values."""
    if source is None or target is None or source.loops != target.loops:
        return 0
    if source.begins or target.begins:
        return 0
    before, after = source.turn, target.turn
    by = [b - a for a, b in zip(before, after, strict=True)]
    if not any(by[:-1]):
        return int(by[-1])
    return 1 if after > before else -1


def _keys(
    roles: Sequence[Role], shown: list[Role], same: dict[int, int]
) -> dict[int, str]:
    """A key for each role: its label, with a number for the second of that label."""
    counts = Counter(r.label for r in shown)
    keys, met = {}, Counter[str]()
    for role in roles:
        met[role.label] += role.index not in same
        again = met[role.label] > 1 and counts[role.label] > 1
        keys[role.index] = f"{role.label}#{met[role.label]}" if again else role.label
    return keys | {index: keys[first] for index, first in same.items()}


def _named(recurrence: Recurrence, graph: Graph | None) -> Recurrence:
    """The recurrence whose parameters are called as in the recorded graph."""
    names = graph.names if graph is not None else {}
    roles = (
        replace(role, label=names.get(role.leaf, role.label))
        if role.kind == "parameter" and role.leaf is not None
        else role
        for role in recurrence.roles
    )
    return replace(recurrence, roles=tuple(roles))


def _axes(role: Role) -> int:
    """0 for a scalar, 1 for a vector; a class number stands for a one-hot vector."""
    return 1 if role.spec.shape or role.spec.dtype.startswith("int") else 0
