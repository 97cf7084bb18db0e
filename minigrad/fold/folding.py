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
>>> rec = fold(mg.contract(h))
>>> [str(edge) for edge in rec.edges]
['h0 -> h(1) by W', 'h(t-1) -> h(t) by W']
>>> rec.unfold(5).same_as(mg.contract(h))
True
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

from minigrad.fold.gathers import runs
from minigrad.fold.moving_index import at_step, moving
from minigrad.fold.operands import Operands, progression, terms_of
from minigrad.fold.recurrence import Recurrence
from minigrad.fold.roles import Operand, Role, Source, Span
from minigrad.graph import Graph, Node, PerOperand, Spec, StepIndex, same_value
from minigrad.scope import LOOP, line_of

SOMETIMES = 'lines that only some steps run belong into mg.scope("name")'


class FoldError(ValueError):
    """Two steps of a loop over time are not the same: says which, where and how.

    >>> import minigrad as mg
    >>> h = mg.tensor([1.0], name="h0")
    >>> for t in mg.steps(6):
    ...     h = mg.tanh(h) if t == 4 else h * 0.5
    >>> try:
    ...     mg.fold(h)
    ... except FoldError as error:
    ...     print(error)
    step 4 differs from step 1 at operation 1 of the loop at ...: op tanh instead ...
    """


def fold(graph: Any) -> Recurrence:
    """The recurrence that a graph unrolls.

    Takes a Graph, a Tensor or a list of them. Raises FoldError naming step, node and
    difference. Linear in the number of nodes.
    """
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    return Folding(graph).recurrence()


class Folding:
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
        # Ops before steps before operands: the first difference explains the others.
        for nodes in self.members:
            self.agree(nodes, "op", [_what(n) for n in nodes])
        self.ranges = [self._range(nodes) for nodes in self.members]
        self.every = {i: r.step if r else 1 for i, r in enumerate(self.ranges)}
        self.is_sum = [terms_of(nodes[0]) is not None for nodes in self.members]

    def recurrence(self) -> Recurrence:
        """The folded graph."""
        roles = tuple(self._role(i, nodes) for i, nodes in enumerate(self.members))
        outputs, _ = self._in_turn(self.graph.outputs, {})
        return Recurrence(roles, outputs, self.lengths)

    # ------------------------------------------------------------------------ roles

    def _role(self, index: int, nodes: list[Node]) -> Role:
        first = nodes[0]
        self.agree(nodes, "name", [n.name for n in nodes])
        constant = first.value if first.kind == "constant" else None
        if constant is not None:
            self.agree(nodes, "constant", [n.value for n in nodes])
        steps, time = self.ranges[index], first.time
        clock = span = terms = None
        values: tuple[Any, ...] = ()
        if steps is None or time is None:
            operands, attrs = self._in_turn(first.inputs, first.attrs)
        else:
            clock = self.clocks.index(time[0])
            span = self._span(steps, clock)
            in_order = sorted(nodes, key=self._step)
            operands, attrs, terms = Operands(self, in_order, clock, span).compared()
            if not first.inputs:
                values = tuple([n.value for n in in_order])
        path, slot = self.places[first]
        said = (index, first.kind, first.op, attrs, first.name, path, slot, clock, span)
        spec = Spec(getattr(first.value, "shape", ()), _dtype(first.value))
        leaf = first if clock is None and not first.inputs else None
        label = self.names.get(first) or f"{_what(first)}#{index}"
        rest = (constant, operands, spec, leaf, label, terms, values, _ragged(nodes))
        return Role(*said, *rest)

    def _step(self, node: Node) -> int:
        """The step of a node with time."""
        time = self.times[node]
        return time[1] if time else 0

    def _range(self, nodes: list[Node]) -> range | None:
        """The steps of a role: all from the first to the last, or every k-th."""
        if self.times[nodes[0]] is None:
            return None
        steps = sorted(map(self._step, nodes))
        found = progression(steps)
        if found is None:
            a, b = next((a, b) for a, b in pairwise(steps) if b != a + 1)
            name = nodes[0].name
            if a == b:
                what = f"step {a} has it twice"
            elif any(n.name == name is not None and n.t == a + 1 for n in self.role_of):
                what = f"step {a + 1} has it at another place of its loop; {SOMETIMES}"
            else:
                what = f"step {a + 1} lacks it"
                if len(steps) < 3:
                    what += "; of every k-th step three are needed to see a period"
            raise FoldError(
                f"{self.where(nodes[0])} ({_what(nodes[0])}) is at steps {a} and {b}, "
                f"but {what}"
            )
        return found

    def _span(self, steps: range, clock: int, down: bool = False) -> Span:
        """Ends counted from the nearer end; in the very middle each from its own."""
        length, every = self.lengths[clock], steps.step
        first, last = steps[0], steps[-1]
        if every > 1:  # as far as no further one would be
            first = max(first - every + 1, 1) if down else first
            last = last if down else min(last + every - 1, length)
        first = first if first - 1 <= length - first else first - length - 1
        last = last if last - 1 < length - last else last - length - 1
        return Span(first, last, down, every)

    def span_of(self, ts: list[int], clock: Any) -> Span:
        """The steps that are read in turn, upwards or down."""
        gap = abs(ts[1] - ts[0]) if len(ts) > 1 else 1
        steps = range(min(ts), max(ts) + 1, gap)
        return self._span(steps, self.clocks.index(clock), ts[0] > ts[-1])

    # ------------------------------------------------------------------- what is read

    def source(self, node: Node, clock: int, t: int) -> Source:
        """What a consumer at step t of a loop reads when it reads a node."""
        time, role = self.times[node], self.role_of[node]
        if time is None:
            return Source(role, "broadcast")
        if time[0] is self.clocks[clock]:
            return Source(role, "delay", t - time[1])
        return Source(role, "pick", None, self.span_of([time[1]], time[0]))

    def exists(self, source: Source, t: int) -> bool:
        """Whether a consumer at step t could read this."""
        if source.delay is None:
            return True
        return t - source.delay in (self.ranges[source.role] or ())

    def _in_turn(
        self, inputs: Sequence[Node], attrs: dict[str, Any]
    ) -> tuple[tuple[Operand, ...], dict[str, Any]]:
        """Operands of a consumer without time: runs over the steps become gathers."""
        entries: dict[str, list[Any]] = {
            k: [] for k, v in attrs.items() if isinstance(v, PerOperand)
        }
        operands: list[Operand] = []
        for run in self.runs(inputs):
            operand = []
            columns: dict[str, list[Any]] = {k: [] for k in entries}
            for read in zip(*run, strict=True):
                nodes = [inputs[i] for i in read]
                ts, time = [self._step(n) for n in nodes], self.times[nodes[0]]
                kind = (
                    "plain" if time is None else "pick" if len(run) == 1 else "gather"
                )
                at = None if time is None else self.span_of(ts, time[0])
                operand.append(Source(self.role_of[nodes[0]], kind, None, at))
                for name, found in columns.items():
                    values = [attrs[name][i] for i in read]
                    found.append(self.template(nodes, ts, values))
            operands.append(self._growing(operand))
            for name, found in columns.items():
                entries[name].append(tuple(found))
        return tuple(operands), attrs | {k: PerOperand(v) for k, v in entries.items()}

    def _growing(self, operand: list[Source]) -> Operand:
        """Columns read in turn: where one goes up to the end, all of them do."""
        spans = [s.at for s in operand if s.at is not None]
        ends = {at.first > 0 for at in spans} | {at.last > 0 for at in spans}
        if len(operand) < 2 or len(ends) < 2:
            return tuple(operand)
        found = []
        for source in operand:
            if source.at is not None:
                length = self.lengths[self.clocks.index(self._clock_of(source))]
                first, last = source.at.first, source.at.last
                first = first if first > 0 else first + length + 1
                last = last if last < 0 else last - length - 1
                source = source._replace(at=source.at._replace(first=first, last=last))
            found.append(source)
        return tuple(found)

    def _clock_of(self, source: Source) -> Any:
        time = self.times[self.members[source.role][0]]
        return time and time[0]

    def runs(self, inputs: Sequence[Node]) -> list[list[list[int]]]:
        """The positions of inputs, as the chunks of runs over the steps."""
        return runs(inputs, self.role_of, self.every)

    # ------------------------------------------------------------------- differences

    def template(
        self,
        nodes: Sequence[Node],
        steps: list[int],
        values: Any,
        what: str = "attributes",
    ) -> Any:
        """One value for all steps, with integers that advance with t written t + k."""
        first = values[0]
        if isinstance(first, StepIndex):
            return moving(first, steps[0], first, steps[0], 0)
        others = (
            i for i, v in enumerate(values) if (v or first) and not same_value(v, first)
        )
        other = next(others, None)
        if other is None:
            return first
        time = self.times[nodes[0]]
        length = self.lengths[self.clocks.index(time[0])] if time else 0
        template = moving(first, steps[0], values[other], steps[other], length)
        usual = [at_step(template, t, length) for t in steps]
        pairs = enumerate(zip(usual, values, strict=True))
        wrong = [i for i, (a, b) in pairs if not same_value(a, b)]
        if 2 * len(wrong) > len(steps):
            self.agree(nodes, what, values)
        for i in wrong:
            self.refuse(nodes[i], what, values[i], steps[0], usual[i])
        return template

    def agree(self, nodes: Sequence[Node], what: str, values: Sequence[Any]) -> None:
        """Raise for the step that has something else than most."""
        first = values[0]
        differ = [
            i
            for i, v in enumerate(values)
            if v is not first and not same_value(v, first)
        ]
        if differ:
            few = 2 * len(differ) <= len(values)
            odd, other = (differ[0], 0) if few else (0, differ[0])
            self.refuse(nodes[odd], what, values[odd], nodes[other].t, values[other])

    def refuse(
        self,
        node: Node,
        what: str,
        value: Any,
        step: int | None,
        usual: Any,
        hint: str = "",
    ) -> NoReturn:
        """Raise FoldError for a step that differs from another one."""
        if what in ("op", "number of operands"):
            hint = f"; {SOMETIMES}"
        if what == "name" and value and usual:
            hint = (
                "; after its loop a value is named as a new one: "
                f'(1 * {usual}).named("{value}")'
            )
        twins = self.members[self.role_of[node]]
        twin = next((n for n in twins if n.t == step), None)
        lines = [line_of(n.scope, n.slot) for n in (node, twin) if n is not None]
        if None in lines:
            hint += "; within `with mg.keep_lines():` this error names the lines"
        else:
            hint += f"; made at {' and '.join(dict.fromkeys(map(str, lines)))}"
        raise FoldError(
            f"step {node.t} differs from step {step} at {self.where(node)}: {what} "
            f"{value} instead of {usual}{_formula(node)}{hint}"
        )

    def where(self, node: Node) -> str:
        """A node in words."""
        if node.name:
            return node.name
        path, slot = self.places[node]
        inner = [repr(part[0]) for part in path if part[0] != LOOP]
        around = f"scope {'/'.join(inner)} in the loop" if inner else "the loop"
        file = f" at {node.scope.loop}" if node.scope.loop else ""
        made = any(len(part) == 3 for part in slot[1:])  # by a gradient rule
        what = f"{'the gradient of ' * made}operation {slot[0] + 1}"
        return f"{what} of {around}{file}"

    def label(self, source: Source | None) -> str:
        """A source in words."""
        if source is None:
            return "nothing"
        node = self.members[source.role][0]
        label = self.names.get(node) or _what(node)
        return label if source.kind == "broadcast" else f"{label}({source.steps})"


def _ragged(nodes: Sequence[Node]) -> int:
    """How many nodes there are up to the last with another shape than the last."""
    last = nodes[-1].shape
    return max((i for i, n in enumerate(nodes, 1) if n.shape != last), default=0)


def _what(node: Node) -> str:
    return node.op.name if node.op is not None else node.kind


def _formula(node: Node) -> str:
    made = f"{_what(node)}({', '.join(i.said for i in node.inputs)})"
    made = f"{node.said} = {made}" if node.name else made
    return f" (in {made})" if node.inputs else ""


def _dtype(value: Any) -> str:
    return str(getattr(value, "dtype", type(value).__name__))
