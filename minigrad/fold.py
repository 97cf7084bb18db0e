"""Folding: forget the time of a graph, after proving that its steps are the same.

``fold`` gives each line of the program one role, or raises a FoldError that names the
step which differs; ``Recurrence.unfold`` is its inverse. ``fold(contract(graph))`` is
the same at the level of the named values.

A role may exist on part of the steps, and an operand may read something else where
what it usually reads does not exist: an initial state before the first step, a
gradient's message beyond the last. Whatever can be read must be read, on a span without
hole. An op, a name, a parameter, a constant or an attribute may never differ; an
integer attribute may advance with t.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(5):
...     h = mg.tanh(h @ W).named("h")
>>> rec = fold(contract(h))
>>> [str(edge) for edge in rec.edges]
['h0 -> h(1) by W', 'h(t-1) -> h(t) by W']
>>> rec.unfold(5).same_as(contract(h))
True
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

from minigrad.ahead import at_step, moving
from minigrad.contract import NAMED, contract
from minigrad.graph import Graph, Node, Spec, same_value
from minigrad.recurrence import (
    ALIGNED,
    Edge,
    Operand,
    Recurrence,
    Role,
    Source,
    Span,
)
from minigrad.scope import Clock

__all__ = [
    "Edge",
    "FoldError",
    "Recurrence",
    "Role",
    "Source",
    "Span",
    "contract",
    "fold",
]


class FoldError(ValueError):
    """Two steps of a loop over time are not the same: says which, where and how."""


def fold(graph: Any) -> Recurrence:
    """The recurrence that a graph unrolls.

    Takes a Graph, a Tensor or a list of them. Raises FoldError naming step, node and
    difference. Linear in the number of nodes.
    """
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    return _Folding(graph).recurrence()


class _Folding:
    """The proof for one graph: nodes are sorted into roles, roles are compared."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.places = graph.places
        self.names = graph.names
        self.clocks = list(graph.clocks)
        self.lengths = tuple(graph.clocks.values())
        self.times = {node: node.time for node in graph.nodes}
        self.members: list[list[Node]] = []
        self.role_of: dict[Node, int] = {}
        by_place: dict[Any, int] = {}
        for node in graph.nodes:
            role = by_place.setdefault(self.places[node], len(by_place))
            if role == len(self.members):
                self.members.append([])
            self.members[role].append(node)
            self.role_of[node] = role
        # Ops before spans before operands: the first difference explains the others.
        for nodes in self.members:
            self._agree(nodes, "op", [_what(n) for n in nodes])
        self.ranges = [self._range(nodes) for nodes in self.members]

    def recurrence(self) -> Recurrence:
        roles = tuple(self._role(i, nodes) for i, nodes in enumerate(self.members))
        outputs, _ = self._in_turn(self.graph.outputs, {})
        return Recurrence(roles, outputs, self.lengths)

    def _role(self, index: int, nodes: list[Node]) -> Role:
        first = nodes[0]
        self._agree(nodes, "name", [n.name for n in nodes])
        constant = first.value if first.kind == "constant" else None
        if constant is not None:
            self._agree(nodes, "constant", [n.value for n in nodes])
        steps = self.ranges[index]
        clock = span = None
        if steps is None or first.time is None:
            operands, attrs = self._in_turn(first.inputs, first.attrs)
        else:
            clock = self.clocks.index(first.time[0])
            span = self._span(steps[0], steps[-1], clock)
            operands, attrs = self._operands(nodes, clock)
        path, slot = self.places[first]
        return Role(
            index,
            first.kind,
            first.op,
            attrs,
            first.name,
            path,
            slot,
            clock,
            span,
            constant,
            operands,
            Spec(getattr(first.value, "shape", ()), _dtype(first.value)),
            first if clock is None and not first.inputs else None,
            self.names.get(first) or f"{_what(first)}#{index}",
        )

    def _range(self, nodes: list[Node]) -> range | None:
        """The steps of a role, all of them consecutive."""
        if self.times[nodes[0]] is None:
            return None
        steps = sorted(self._steps(nodes))
        for a, b in pairwise(steps):
            if b != a + 1:
                what = f"step {a} has it twice" if a == b else f"step {a + 1} lacks it"
                raise FoldError(
                    f"{self._where(nodes[0])} ({_what(nodes[0])}) is at steps {a} and "
                    f"{b}, but {what}"
                )
        return range(steps[0], steps[-1] + 1)

    def _span(self, first: int, last: int, clock: int, down: bool = False) -> Span:
        """Ends counted from the nearer end; in the very middle each from its own."""
        length = self.lengths[clock]
        first = first if first - 1 <= length - first else first - length - 1
        last = last if last - 1 < length - last else last - length - 1
        return Span(first, last, down)

    def _span_of(self, ts: list[int], clock: Clock) -> Span:
        """The steps that are read in turn, upwards or down."""
        down = ts[0] > ts[-1]
        return self._span(min(ts), max(ts), self.clocks.index(clock), down)

    def _operands(
        self, nodes: list[Node], clock: int
    ) -> tuple[tuple[Operand, ...], dict[str, Any]]:
        """Operands and attributes of a role with time, compared over its steps."""
        first = nodes[0]
        steps = self._steps(nodes)
        if first.op is None or first.op.name not in (NAMED.name, "add_n"):
            self._agree(nodes, "number of operands", [len(n.inputs) for n in nodes])
            columns = zip(*[n.inputs for n in nodes], strict=True)
            found = [self._reads(column, steps, clock) for column in columns]
            attrs = self._template(nodes, steps, [n.attrs for n in nodes])
            return tuple(self._operand(nodes, read, clock) for read in found), attrs
        aligned = [k for k in ALIGNED if k in first.attrs and first.op == NAMED]
        reads: dict[Any, dict[int, Any]] = {}
        owners: dict[Any, dict[str, Any]] = {}
        for node in nodes:
            for i, (key, read) in enumerate(self._keyed(node, clock)):
                reads.setdefault(key, {})[node.t or 0] = read
                owner = {k: node.attrs[k][i] for k in aligned}
                if owners.setdefault(key, owner) != owner:
                    both = [owners[key], owner]
                    self._agree([first, node], "path's parameters", both)
        if first.op != NAMED:
            self._pair(nodes, reads)
        keys = sorted(reads) if first.op == NAMED else list(reads)
        attrs = {k: tuple(owners[key][k] for key in keys) for k in aligned}
        return tuple(self._operand(nodes, reads[key], clock) for key in keys), attrs

    def _pair(self, nodes: list[Node], reads: dict[Any, dict[int, Any]]) -> None:
        """Join the terms of a sum that stand for one another.

        Where a sum of cotangents is passed on into another sum, the latter reads the
        former's only term at the steps where the former does not exist.
        """
        steps = self._steps(nodes)
        for key, read in list(reads.items()):
            usual = next(iter(read.values()))
            if len(read) == sum(self._exists(usual, t) for t in steps):
                continue
            for other, whole in reads.items():
                first = next(iter(whole.values()))
                if (
                    self._rank(first) == 0
                    and not read.keys() & whole.keys()
                    and not any(self._exists(first, t) for t in read)
                ):
                    reads[other] = whole | read
                    del reads[key]
                    break

    def _steps(self, nodes: list[Node]) -> list[int]:
        """The step of each of some nodes with time."""
        return [time[1] for node in nodes if (time := self.times[node])]

    def _reads(
        self, sources: Sequence[Node], steps: list[int], clock: int
    ) -> dict[int, Any]:
        """What one operand reads at each step: (role, kind, delay, at).

        A gather, which only a sum has, reads several roles in turn, step by step.
        """
        mine, times, role_of = self.clocks[clock], self.times, self.role_of
        reads: dict[int, Any] = {}
        for source, t in zip(sources, steps, strict=True):
            time = times[source]
            if time is None:
                reads[t] = (role_of[source], "broadcast", None, None)
            elif time[0] is mine:
                reads[t] = (role_of[source], "delay", t - time[1], None)
            else:
                at = self._span(time[1], time[1], self.clocks.index(time[0]))
                reads[t] = (role_of[source], "pick", None, at)
        return reads

    def _keyed(self, node: Node, clock: int) -> list[tuple[Any, Any]]:
        """What a named value or a sum reads, each with what tells it from the others.

        Of a sum of cotangents, which lacks the terms from beyond the last step, it is
        what is read.
        """
        step = [node.t or 0]
        if node.op == NAMED:
            reads = [self._reads([s], step, clock)[step[0]] for s in node.inputs]
            return list(zip(node.attrs["places"], reads, strict=True))
        reads = []
        for run in self._runs(node.inputs):
            time = self.times[node.inputs[run[0][0]]]
            if time and time[0] is not self.clocks[clock] and len(run) > 1:
                ts = [node.inputs[chunk[0]].t or 0 for chunk in run]
                at = self._span_of(ts, time[0])
                roles = tuple([self.role_of[node.inputs[i]] for i in run[0]])
                reads.append((roles, "gather", None, at))
            else:
                sources = [node.inputs[i] for chunk in run for i in chunk]
                reads += [self._reads([s], step, clock)[step[0]] for s in sources]
        if not self._is_sum(node):
            return list(enumerate(reads))
        seen: Counter[Any] = Counter()
        found: list[tuple[Any, Any]] = []
        for read in reads:
            found.append(((read, seen[read]), read))
            seen[read] += 1
        return found

    def _operand(self, nodes: list[Node], reads: dict[int, Any], clock: int) -> Operand:
        """The sources of one operand, one per span, each proved to be legal."""
        usual = next(iter(reads.values()))
        if len(reads) == len(nodes) and all(r == usual for r in reads.values()):
            return self._sources(usual, sorted(reads), clock)
        steps_of: dict[Any, list[int]] = {}
        for t in sorted(reads):
            steps_of.setdefault(reads[t], []).append(t)
        # Wherever it exists must be read: first a sum of cotangents, then what comes
        # from another step, from this step, from no step; among equals in any order.
        left = sorted(n.t or 0 for n in nodes)
        if len(steps_of) == 1 and self._rank(usual) == 3 and self._is_sum(nodes[0]):
            left = steps_of[usual]  # what a read-out of certain steps sends back
        waiting = sorted(steps_of, key=lambda r: (self._rank(r), -len(steps_of[r])))
        recurs = any(self._rank(read) < 2 for read in steps_of)
        while waiting:
            if recurs and self._rank(waiting[0]) == 3:
                break  # before a recurrence begins, each step may have its own start
            for read in waiting:
                if self._rank(read) == self._rank(waiting[0]) and (
                    [t for t in left if self._exists(read, t)] == steps_of[read]
                ):
                    left = [t for t in left if reads.get(t) != read]
                    waiting.remove(read)
                    break
            else:
                self._refuse(nodes, reads, waiting[0], left, steps_of[waiting[0]][0])
        sources: Operand = ()
        for read, steps in steps_of.items():
            if steps[-1] - steps[0] + 1 != len(steps):
                gap = [t for t in range(steps[0], steps[-1]) if t not in steps]
                self._refuse(nodes, reads, read, gap, steps[0])
            sources += self._sources(read, steps, clock)
        return sources

    def _sources(self, read: Any, steps: list[int], clock: int) -> Operand:
        """What is read at these steps of a clock, by a gather several roles in turn."""
        roles, kind, delay, at = read
        span = self._span(steps[0], steps[-1], clock)
        roles = roles if kind == "gather" else (roles,)
        return tuple([Source(role, kind, delay, at, span) for role in roles])

    def _refuse(
        self, nodes: list[Node], reads: Any, usual: Any, steps: list[int], seen: int
    ) -> NoReturn:
        """Raise for the first of ``steps`` that could read the usual and does not."""
        odd = next(t for t in steps if reads.get(t) != usual and self._exists(usual, t))
        node = next(n for n in nodes if n.t == odd)
        read = self._say(reads.get(odd))
        self._raise(node, "operand", read, seen, self._say(usual))

    def _is_sum(self, node: Node) -> bool:
        """Whether a node adds up the cotangents of another."""
        slot = self.places[node][1]
        return isinstance(slot[-1], tuple) and slot[-1][0] == "sum"

    def _rank(self, read: Any) -> int:
        role, kind, delay, _ = read
        if kind != "gather" and self._is_sum(self.members[role][0]):
            return 0
        return 3 if kind != "delay" else 2 if delay == 0 else 1

    def _exists(self, read: Any, t: int) -> bool:
        """Whether a consumer at step t could read this."""
        role, kind, delay, _ = read
        return kind != "delay" or t - delay in (self.ranges[role] or ())

    def _template(self, nodes: list[Node], steps: list[int], values: list[Any]) -> Any:
        """One value for all steps, with integers that advance with t written t + k."""
        first = values[0]
        other = next(
            (
                i
                for i, v in enumerate(values)
                if (v or first) and not same_value(v, first)
            ),
            None,
        )
        if other is None:
            return first
        time = nodes[0].time
        length = self.lengths[self.clocks.index(time[0])] if time else 0
        template = moving(first, steps[0], values[other], steps[other], length)
        usual = [at_step(template, t, length) for t in steps]
        pairs = enumerate(zip(usual, values, strict=True))
        wrong = [i for i, (a, b) in pairs if not same_value(a, b)]
        if 2 * len(wrong) > len(steps):
            self._agree(nodes, "attributes", values)
        for i in wrong:
            self._raise(nodes[i], "attributes", values[i], steps[0], usual[i])
        return template

    def _in_turn(
        self, inputs: Sequence[Node], attrs: dict[str, Any]
    ) -> tuple[tuple[Operand, ...], dict[str, Any]]:
        """Operands of a consumer without time: runs over the steps become gathers."""
        per_input = {k: attrs[k] for k in ALIGNED if k in attrs}
        aligned: dict[str, list[Any]] = {k: [] for k in per_input}
        operands: list[Operand] = []
        for run in self._runs(inputs):
            ts = [inputs[chunk[0]].t or 0 for chunk in run]
            operand = []
            columns: dict[str, list[Any]] = {k: [] for k in per_input}
            for column, i in enumerate(run[0]):
                node = inputs[i]
                if node.time is None:
                    operand.append(Source(self.role_of[node], "plain"))
                else:
                    at = self._span_of(ts, node.time[0])
                    kind = "pick" if len(run) == 1 else "gather"
                    operand.append(Source(self.role_of[node], kind, None, at))
                for name, values in per_input.items():
                    found = [
                        values[p] if 0 <= p < len(values) else None
                        for p in (chunk[column] - ALIGNED[name] for chunk in run)
                    ]
                    nodes = [inputs[chunk[column]] for chunk in run]
                    columns[name].append(self._template(nodes, ts, found))
            operands.append(tuple(operand))
            for name, found in columns.items():
                aligned[name].append(tuple(found))
        return tuple(operands), attrs | {k: tuple(v) for k, v in aligned.items()}

    def _runs(self, inputs: Sequence[Node]) -> list[list[list[int]]]:
        """Positions of inputs: chunks of one step, in runs of consecutive steps."""
        chunks: list[list[int]] = []
        for i, node in enumerate(inputs):
            if (
                node.time is not None
                and chunks
                and (inputs[chunks[-1][0]].time == node.time)
            ):
                chunks[-1].append(i)
            else:
                chunks.append([i])
        runs: list[list[list[int]]] = []
        for chunk in chunks:
            if (
                runs
                and self._continues(
                    [inputs[c[0]].t for c in runs[-1][-2:]], inputs[chunk[0]].t
                )
                and (
                    [self.role_of[inputs[i]] for i in chunk]
                    == [self.role_of[inputs[i]] for i in runs[-1][-1]]
                )
            ):
                runs[-1].append(chunk)
            else:
                runs.append([chunk])
        return runs

    @staticmethod
    def _continues(before: list[int | None], t: int | None) -> bool:
        """Whether t goes on from the one or two steps before it, up or down."""
        if t is None or before[-1] is None or abs(t - before[-1]) != 1:
            return False
        return len(before) == 1 or before[0] == 2 * before[-1] - t

    def _agree(self, nodes: list[Node], what: str, said: list[Any]) -> None:
        """Raise for the step that says something else than most do."""
        first = said[0]
        differ = [
            i for i, s in enumerate(said) if s is not first and not same_value(s, first)
        ]
        if not differ:
            return
        odd, other = (differ[0], 0) if 2 * len(differ) <= len(said) else (0, differ[0])
        self._raise(nodes[odd], what, said[odd], nodes[other].t, said[other])

    def _raise(
        self, node: Node, what: str, said: Any, step: int | None, usual: Any
    ) -> NoReturn:
        raise FoldError(
            f"step {node.t} differs from step {step} at {self._where(node)}: {what} "
            f"{said} instead of {usual} (in {_formula(node)})"
        )

    def _where(self, node: Node) -> str:
        path, slot = self.places[node]
        scope = "/".join(str(part[0]) for part in path)
        return node.name or f"line {slot[0]} of {scope}"

    def _say(self, read: Any) -> str:
        if read is None:
            return "nothing"
        role, kind, delay, at = read
        source = self.members[role[0] if kind == "gather" else role][0]
        label = self.names.get(source) or _what(source)
        if kind == "delay":
            return f"{label}(t{-delay:+d})" if delay else f"{label}(t)"
        return label if at is None else f"{label}({at})"


def _what(node: Node) -> str:
    return node.op.name if node.op is not None else node.kind


def _formula(node: Node) -> str:
    operands = ", ".join(i.label for i in node.inputs)
    return f"{node.label} = {_what(node)}({operands})"


def _dtype(value: Any) -> str:
    return str(getattr(value, "dtype", type(value).__name__))
