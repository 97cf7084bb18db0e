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
from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

from minigrad.draw.page.latex import DOWN
from minigrad.draw.page.letters import indexed, letter
from minigrad.draw.page.scene import Line, Run
from minigrad.draw.textbook.aligned import aligned
from minigrad.draw.textbook.chart import ALL, Arrow, Chart, StandIn, Symbol, Weight
from minigrad.draw.textbook.kinds import Value, kinds_of
from minigrad.fold import Recurrence, Role, contract, fold
from minigrad.graph import Graph, Node

START = re.compile(r"(.+?)_?(?:0|init)")


def read(graph: Graph, shapes: bool = False) -> Chart:
    """The chart of a recorded graph's named values, with their shapes if asked for."""
    return chart_of(fold(contract(graph)), graph, shapes)


def chart_of(
    recurrence: Recurrence, graph: Graph | None = None, shapes: bool = False
) -> Chart:
    """The chart of a folded graph; the recorded graph adds what titles say."""
    recurrence = _distinct(recurrence, graph)
    # A parameter that is an initial state is a value like any other.
    states = {e.source.index for e in recurrence.edges if e.source.kind == "parameter"}
    roles = [r for r in recurrence.roles if _shown(r, states)]
    same = _same_data(recurrence, graph)
    keys = _keys(recurrence, roles, same)
    roles = [r for r in roles if r.index not in same]
    edges = [
        e for e in recurrence.edges if e.source.kind != "constant" or e.source.name
    ]
    drawn = {e.source.index for e in edges} | {r.index for r in roles if r.operands}
    # Data that nothing shown reads is not drawn, unless there is nothing else.
    roles = [r for r in roles if r.index in drawn] or roles
    stand_ins, initial = _stand_ins(recurrence, keys)
    within = _within(recurrence, keys, stand_ins)
    found = dict.fromkeys(
        Arrow(
            keys[e.source.index],
            keys[e.target.index],
            "growing" if e.kind == "gather" and e.delay is not None else e.kind,
            e.delay or 0,
            e.span or ALL,
            e.at,
            e.labels,
            (e.source.index, e.target.index, e.span) in initial,
            _turns(*(within.get(keys[r.index]) for r in (e.source, e.target)))
            if e.kind == "delay" and not e.delay
            else 0,
        )
        for e in edges
    )
    arrows = tuple(found)
    kinds = kinds_of(
        [Value(keys[r.index], r.label, r.spec.shape, not r.operands) for r in roles],
        arrows,
        {*stand_ins, *(k for k, w in within.items() if w.begins or not w.loops)},
    )
    ops = _recorded(graph)
    symbols = []
    for role in roles:
        key = keys[role.index]
        begins = within[key].begins if key in within else ""
        symbols.append(
            Symbol(
                key,
                _letter(role, kinds[key], stand_ins, recurrence, keys, begins),
                kinds[key],
                role.clock,
                role.span or ALL,
                not role.operands,
                stand_ins.get(key),
                _title(role, ops),
                f"{role.spec.shape}" if shapes else "",
                role.label,
                *within.get(key, ()),
            )
        )
    weights = _weights(recurrence, keys, graph, states, shapes)
    by_role = tuple(keys[r.index] for r in recurrence.roles)
    return aligned(Chart(tuple(symbols), arrows, recurrence.lengths, weights, by_role))


class Within(NamedTuple):
    """Where a value stands among the steps of loops within a step, as in a Symbol."""

    turn: tuple[float, ...] = ()
    loops: tuple[Any, ...] = ()
    line: str = ""
    begins: str = ""


def _within(
    recurrence: Recurrence, keys: dict[int, str], stand_ins: Collection[str]
) -> dict[str, Within]:
    """The places of all that loops within a step made, and of what these begin with."""
    found: dict[str, Within] = {}
    first: dict[Any, str] = {}
    runs: dict[Any, list[Role]] = defaultdict(list)
    for role in recurrence.roles:
        plain = tuple(part[:2] for part in role.path)
        at = [i for i, part in enumerate(role.path) if len(part) > 2]
        if at:
            key, turn = keys[role.index], tuple(role.path[i][2] for i in at)
            line = first.setdefault((plain, role.slot), key)
            found[key] = Within(turn, tuple(plain[: i + 1] for i in at), line)
            runs[line, turn[:-1]].append(role)
    for one, two in (run[:2] for run in runs.values() if len(run) > 1):
        turns = [found[keys[role.index]].turn for role in (one, two)]
        before = *turns[0][:-1], 2 * turns[0][-1] - turns[1][-1]
        for a, b in zip(one.operands, two.operands, strict=False):
            # What the second turn reads of the first is read of a start before that.
            start, state = (recurrence.roles[o[0].role] for o in (a, b))
            key, like = keys[start.index], keys[state.index]
            if state.path == one.path and not start.operands and key not in stand_ins:
                line, of = (found[k].line if k in found else "" for k in (key, like))
                # What was made before all loops stands where it was made.
                at = Within(before, found[like].loops, line, of)
                found[key] = Within() if start.clock is None else at
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
    recurrence: Recurrence, shown: list[Role], same: dict[int, int]
) -> dict[int, str]:
    """A key for each role: its label, with a number for the second of that label."""
    counts = Counter(r.label for r in shown if r.index not in same)
    keys, met = {}, Counter[str]()
    for role in recurrence.roles:
        if role.index not in same:
            met[role.label] += 1
        again = met[role.label] > 1 and counts[role.label] > 1
        keys[role.index] = f"{role.label}#{met[role.label]}" if again else role.label
    return keys | {index: keys[first] for index, first in same.items()}


def _shown(role: Role, states: set[int]) -> bool:
    return role.kind != "parameter" or role.index in states


def _distinct(recurrence: Recurrence, graph: Graph | None) -> Recurrence:
    """The recurrence with a label for each parameter that no other one has."""
    names = graph.names if graph is not None else {}
    taken: Counter[str] = Counter()
    roles = []
    for role in recurrence.roles:
        if role.kind == "parameter":
            taken[role.label] += 1
            number = taken[role.label]
            label = role.label if number == 1 else f"{role.label}{number}"
            if role.leaf in names:
                label = names[role.leaf]
            role = replace(role, label=label)
        roles.append(role)
    return replace(recurrence, roles=tuple(roles))


def _same_data(recurrence: Recurrence, graph: Graph | None) -> dict[int, int]:
    """Data that several loops read under one name: x(t) is drawn once."""
    if graph is None:
        return {}
    sequences: dict[tuple[str, int | None], set[Node]] = {}
    for node in graph.nodes:
        if node.name is not None and node.op is not None and node.op.name == "step":
            sequences.setdefault((node.name, node.t), set()).update(node.inputs)
    first: dict[Any, int] = {}
    same: dict[int, int] = {}
    for role in recurrence.roles:
        if role.name is None or role.operands or role.clock is None:
            continue
        at = role.span.steps(recurrence.lengths[role.clock])[0] if role.span else None
        if len(sequences.get((role.name, at), ())) != 1 or role.span != ALL:
            continue
        turn = tuple(part[2:] for part in role.path)
        index = first.setdefault((role.name, role.clock, turn), role.index)
        if index != role.index:
            same[role.index] = index
    return same


def _letter(
    role: Role,
    kind: str,
    stand_ins: dict[str, StandIn],
    recurrence: Recurrence,
    keys: dict[int, str],
    begins: str,
) -> Line:
    """The letter of a role; that of h(0) for what stands at a start as h0 or h."""
    name = role.name or role.label
    stand_in = stand_ins.get(keys[role.index])
    if stand_in is not None or begins:
        of = stand_in.state if stand_in else begins
        state = next(r for r in recurrence.roles if keys[r.index] == of)
        start = START.fullmatch(name)
        if start or name == state.label:
            line = letter(start[1] if start else name, _axes(state))
            if stand_in is None:  # its index is that of a turn before the first one
                return line
            t = stand_in.offset + 1
            if recurrence.lengths[state.clock or 0] == 1:
                t = min(stand_in.offset + 1, 0)
            elif stand_in.offset > 0:
                t = recurrence.lengths[state.clock or 0] + stand_in.offset
            return indexed(line, str(t).replace("-", "−"))
    # A loss is a scalar of the book even where the batch gives it an axis.
    return letter(name, 0 if kind == "loss" else _axes(role))


def _axes(role: Role) -> int:
    """0 for a scalar, 1 for a vector; a class number stands for a one-hot vector."""
    return 1 if role.spec.shape or role.spec.dtype.startswith("int") else 0


def _stand_ins(
    recurrence: Recurrence, keys: dict[int, str]
) -> tuple[dict[str, StandIn], set[tuple[int, int, Any]]]:
    """The values from outside of a loop that replace a state before its first step.

    Also the source, target and span of every edge that reads one so.
    """
    found: dict[str, StandIn] = {}
    initial: set[tuple[int, int, Any]] = set()
    for role in recurrence.roles:
        for operand in role.operands:
            states = [s for s in operand if s.kind == "delay" and s.delay]
            if not states or role.clock is None:
                continue
            state = states[0]
            for source in operand:
                if source.kind != "broadcast" or source.span is None:
                    continue
                steps = source.span.steps(recurrence.lengths[role.clock])
                if (state.delay or 0) > 0:
                    offset = min(steps[-1] - (state.delay or 0), 0) - 1
                else:
                    past = steps[0] - (state.delay or 0)
                    offset = max(past - recurrence.lengths[role.clock], 1)
                found.setdefault(keys[source.role], StandIn(keys[state.role], offset))
                initial.add((source.role, role.index, source.span))
    _starts_of_one_step(recurrence, keys, found, initial)
    return found, initial


def _starts_of_one_step(
    recurrence: Recurrence,
    keys: dict[int, str],
    found: dict[str, StandIn],
    initial: set[tuple[int, int, Any]],
) -> None:
    """In a loop of one step nothing but its name tells an initial state.

    States of which none reads the other stand side by side, their starts at both sides.
    """
    once = [
        r for r in recurrence.roles if r.operands and r.clock is not None and r.span
    ]
    once = [r for r in once if recurrence.lengths[r.clock or 0] == 1]
    states = {r.label: r for r in once}
    served: dict[int, set[int]] = {}  # by the roles that a role reads, and itself
    for role in once:
        served[role.index] = {role.index}
        for source in (s for operand in role.operands for s in operand):
            served[role.index] |= served.get(source.role, set())
    first: int | None = None
    for role in once:
        for source in (s for o in role.operands for s in o if s.kind == "broadcast"):
            start = START.fullmatch(recurrence.roles[source.role].label)
            state = states.get(start[1]) if start else None
            if state is not None and state.clock == role.clock:
                apart = first is not None and not served[first] & served[state.index]
                first = state.index if first is None else first
                start_of = StandIn(keys[state.index], 1 if apart else -1)
                found.setdefault(keys[source.role], start_of)
                initial.add((source.role, role.index, source.span))


def _weights(
    recurrence: Recurrence,
    keys: dict[int, str],
    graph: Graph | None,
    states: set[int],
    shapes: bool,
) -> tuple[Weight, ...]:
    targets: dict[int, list[str]] = {}
    multiplied: set[str] = set()
    for role in recurrence.roles:
        for operand in role.operands:
            for source in operand:
                read = recurrence.roles[source.role]
                if read.kind == "parameter" and read.index not in states:
                    met = targets.setdefault(source.role, [])
                    met += [] if keys[role.index] in met else [keys[role.index]]
    for edge in recurrence.edges:
        multiplied.update(label.removesuffix("ᵀ") for label in edge.labels)
    weights = []
    for index, met in targets.items():
        role = recurrence.roles[index]
        uses = len(graph.uses(role.leaf)) if graph and role.leaf else 0
        title = f"{role.label}: parameter, shape {role.spec.shape}"
        title += f", {uses} use{'s' if uses != 1 else ''}" if uses else ""
        label = letter(role.label, len(role.spec.shape), parameter=True)
        if shapes:
            size = "×".join(map(str, role.spec.shape))
            label = (*label, Run(size, "sans", 6.5, DOWN - 2))
        weights.append(
            Weight(
                role.label,
                label,
                tuple(met),
                role.label not in multiplied,
                title,
            )
        )
    return tuple(weights)


def _recorded(graph: Graph | None) -> dict[str, Node]:
    """One recorded node of each name."""
    found: dict[str, Node] = {}
    for node in graph.nodes if graph else ():
        if node.name is not None:
            found.setdefault(node.name, node)
    return found


def _title(role: Role, recorded: dict[str, Node]) -> str:
    """A value in words: its name, op, shape and type."""
    node = recorded.get(role.label)
    what = node.op.name if node is not None and node.op is not None else role.kind
    return f"{role.label}: {what}, shape {role.spec.shape} {role.spec.dtype}"
