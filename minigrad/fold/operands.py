"""The operands of one role: what each reads, compared over the role's steps.

Vocabulary
    key      what tells the operands of a node apart: their number, or of a sum of
             cotangents the use over which each arrived, or where a formula meets it
    claim    which of two sources is read where both exist

>>> progression([2, 4, 6]), progression([1, 2, 4]) is None
(range(2, 7, 2), True)
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from minigrad.fold.roles import Operand, Source, Span
from minigrad.graph import Node, PerOperand
from minigrad.scope import Slot

if TYPE_CHECKING:
    from minigrad.fold.folding import Folding


class Operands:
    """The operands of one role with time, each compared over the role's steps."""

    def __init__(
        self, folding: "Folding", nodes: list[Node], clock: int, span: Span
    ) -> None:
        self.folding, self.nodes, self.clock, self.span = folding, nodes, clock, span
        self.steps = [node.t or 0 for node in nodes]
        self.length = folding.lengths[clock]
        self.of_terms = any(_keys(n) is not None for n in nodes)
        # Every step reads the same of some steps of its own loop, as after that loop.
        self.fixed = len(nodes) > 1 and all(
            n.inputs == nodes[0].inputs for n in nodes[1:]
        )
        # What each operand, known by its key, reads at each step.
        self.reads: dict[Any, dict[int, Source]] = {}
        self.entries: dict[Any, dict[int, dict[str, Any]]] = {}

    def compared(
        self,
    ) -> tuple[tuple[Operand, ...], dict[str, Any], tuple[Any, ...] | None]:
        """Operands, attributes and terms of the role."""
        nodes, first = self.nodes, self.nodes[0]
        grows = not self.of_terms and self._grows()
        groups = [_grouped(node, grows) for node in nodes]
        # One that has several inputs at some step is a gather at every step.
        many = {key for g in groups for key, inputs in g.items() if len(inputs) > 1}
        for node, t, group in zip(nodes, self.steps, groups, strict=True):
            self._collect(node, t, group, many)
        # A sum has no order of its own: terms are listed as they were first used.
        keys = sorted(self.reads) if self.of_terms else list(self.reads)
        operands = tuple([self._operand(self.reads[key]) for key in keys])
        plain = [
            {k: v for k, v in n.attrs.items() if not isinstance(v, PerOperand)}
            for n in nodes
        ]
        attrs = dict(self.folding.template(nodes, self.steps, plain))
        for name, value in first.attrs.items():
            if isinstance(value, PerOperand):
                attrs[name] = PerOperand([self._entry(key, name) for key in keys])
        terms = tuple([key[0] for key in keys]) if terms_of(first) else None
        return operands, attrs, terms

    def _grows(self) -> bool:
        """Whether the operands are those of the steps that are gathered."""
        counts = [len(node.inputs) for node in self.nodes]
        variadic = getattr(self.nodes[0].op, "variadic", False)
        if len(set(counts)) == 1:
            return variadic and counts[0] > 1 and (self.fixed or self._elsewhere())
        if not variadic or any(b != a + 1 for a, b in pairwise(counts)):
            self.folding.agree(self.nodes, "number of operands", counts)
        return True

    def _elsewhere(self) -> bool:
        """Whether a value of one step reads the steps of other loops alone."""
        clock = self.folding.clocks[self.clock]
        times = [i.time for i in self.nodes[0].inputs]
        return len(self.nodes) == 1 and all(t and t[0] is not clock for t in times)

    def _collect(
        self, node: Node, t: int, groups: dict[Any, list[int]], many: set[Any]
    ) -> None:
        """What one node reads, by the keys of its operands."""
        inputs = node.inputs
        for key, group in groups.items():
            if key in many:
                found = list(self._gathered(inputs, group, t))
            else:
                found = [(self._source(inputs[group[0]], t), group[0])]
            for j, (source, i) in enumerate(found):
                self.reads.setdefault((key, j), {})[t] = source
                self.entries.setdefault((key, j), {})[t] = {
                    k: v[i] for k, v in node.attrs.items() if isinstance(v, PerOperand)
                }

    def _gathered(
        self, inputs: Sequence[Node], group: list[int], t: int
    ) -> Iterable[tuple[Source, int]]:
        """Several inputs that are one operand: runs over the steps of some loop."""
        folding = self.folding
        for run in folding.runs([inputs[i] for i in group]):
            if len(run[0]) > 1 and not self.of_terms:
                counts = [len(node.inputs) for node in self.nodes]
                folding.agree(self.nodes, "number of operands", counts)
            for column in zip(*run, strict=True):
                nodes = [inputs[group[k]] for k in column]
                time, ts = folding.times[nodes[0]], [node.t or 0 for node in nodes]
                role, i = folding.role_of[nodes[0]], group[column[0]]
                mine = time is not None and time[0] is folding.clocks[self.clock]
                if mine and not self.fixed:
                    at = Span(min(ts), -1, ts[0] > ts[-1])
                    yield Source(role, "gather", t - max(ts), at), i
                elif time is not None and len(nodes) > 1:
                    at = folding.span_of(ts, time[0])
                    yield Source(role, "gather", None, at), i
                else:
                    for node, k in zip(nodes, column, strict=True):
                        yield self._source(node, t), group[k]

    def _source(self, node: Node, t: int) -> Source:
        """What one input at step t is."""
        source = self.folding.source(node, self.clock, t)
        if source.kind == "delay" and self.fixed:
            time = node.time
            assert time is not None, "what is read with a delay has a time"
            at = self.folding.span_of([time[1]], time[0])
            return Source(source.role, "pick", None, at)
        return source

    def _entry(self, key: Any, name: str) -> Any:
        """The attribute of one operand, the same at every step that has it."""
        found = self.entries[key]
        nodes = [n for n, t in zip(self.nodes, self.steps, strict=True) if t in found]
        steps = [node.t or 0 for node in nodes]
        what = "path's parameters" if name == "via" else name
        values = [found[t][name] for t in steps]
        return self.folding.template(nodes, steps, values, what)

    # ------------------------------------------------------------------ one operand

    def _operand(self, reads: dict[int, Source]) -> Operand:
        """The sources of one operand, one per span.

        Where an operand reads something else than at the step before, one of both must
        not exist at the other's step: an initial state is read where h(t-1) is not.
        """
        steps, reads = self.steps, self._absolute(reads)
        if len(reads) == len(steps) and len(set(reads.values())) == 1:
            return (reads[steps[0]]._replace(span=self.span),)
        steps_of: dict[Source, list[int]] = {}
        for t in steps:
            if t in reads:
                steps_of.setdefault(reads[t], []).append(t)
        moves = [s for s in steps_of if s.delay]
        ends: dict[int, bool] = {}  # a step at which something begins: counted from T?
        for a, b in pairwise(steps):
            here, there = reads.get(a), reads.get(b)
            if here != there:
                cause = self._cause(here, there, a, b, moves)
                if cause is None:
                    self._refuse(reads, steps_of, a, b)
                ends[b] = (cause.delay or 0) < 0 if cause.delay else 2 * b > self.length
        operand: Operand = ()
        for source, found in steps_of.items():
            # As its own role is, or as what it reads: of that two steps show the gap.
            gaps = (self.span.every, self.folding.every[source.role])
            parts = [found]
            if all(progression(found, gap) is None for gap in gaps):
                parts = self._parts(found, reads, steps_of)
            operand += tuple(
                [source._replace(span=self._part(part, ends)) for part in parts]
            )
        return operand

    def _parts(
        self,
        found: list[int],
        reads: dict[int, Source],
        steps_of: dict[Source, list[int]],
    ) -> list[list[int]]:
        """Steps with holes in parts: a hole is where a sum of cotangents is instead."""
        steps, parts = self.steps, [found[:1]]
        for a, b in pairwise(found):
            i, j = steps.index(a), steps.index(b)
            between = [reads.get(t) for t in steps[i + 1 : j]]
            if any(s is None or self._claim(s) for s in between):
                self._refuse(reads, steps_of, a, steps[i + 1])
            if between:
                parts.append([])
            parts[-1].append(b)
        return parts

    def _absolute(self, reads: dict[int, Source]) -> dict[int, Source]:
        """What is read of one and the same step at several steps, as that step."""
        seen: dict[int, dict[int, int]] = {}
        for t, source in reads.items():
            if source.kind == "delay" and source.delay is not None:
                seen.setdefault(source.role, {})[t] = t - source.delay
        clock = self.folding.clocks[self.clock]
        found = dict(reads)
        for read in seen.values():
            if len(read) > 1 and len(set(read.values())) == 1:
                at = self.folding.span_of([*read.values()][:1], clock)
                for t in read:
                    found[t] = Source(reads[t].role, "pick", None, at)
        return found

    def _cause(
        self,
        here: Source | None,
        there: Source | None,
        a: int,
        b: int,
        moves: list[Source],
    ) -> Source | None:
        """Why an operand reads something else at step b than at a, or None.

        It is the source that does not exist on the other side. A sum of cotangents may
        lack what only some steps are read for. Before a recurrence begins each step may
        have a start of its own.
        """
        exists = self.folding.exists
        sides: list[tuple[Source, int]] = [
            (s, t) for s, t in ((there, a), (here, b)) if s is not None
        ]
        first = min(self._claim(s) for s, _ in sides)
        for source, t in sides:
            if self._claim(source) == first and not exists(source, t):
                return source
        if here is None or there is None:
            return sides[0][0] if self.of_terms else None
        for wrapper, inner, t in ((here, there, a), (there, here, b)):
            if self._wraps(wrapper, inner, t):
                return wrapper
        if here.kind == there.kind == "broadcast":
            return next(
                (s for s in moves if not exists(s, a) and not exists(s, b)), None
            )
        # A state that every step sets to one value begins as any other.
        start, later = (here, there) if a == 1 else (there, here)
        begins = 1 in (a, self.length - b + 1) and later.delay is None
        return start if begins and not start.delay else None

    def _wraps(self, wrapper: Source, inner: Source, t: int) -> bool:
        """Whether at step t a value is cast or summed before it is read, as an end may.

        A state that is broadcast, or of another dtype, asks for it at its step alone.
        """
        if wrapper.delay or inner.delay or wrapper.at or inner.at:
            return False
        node, read = (
            next((n for n in self.folding.members[s.role] if n.t in (t, None)), None)
            for s in (wrapper, inner)
        )
        for _ in range(2):  # it may be summed and cast
            if node is None or not node.inputs:
                return False
            node = node.inputs[0]
            if node is read:
                return True
        return False

    def _claim(self, source: Source) -> int:
        """Which of two sources is read where both exist: the one with less.

        It is a sum of cotangents before one of its terms, another step's value before
        one of this step, and that before a start.
        """
        if self.folding.is_sum[source.role]:
            return 0
        return 3 if source.delay is None else 2 - bool(source.delay)

    def _part(self, found: list[int], ends: dict[int, bool]) -> Span:
        """The span of some of the role's steps, its ends counted as they arise.

        It is a limit: of the role's own steps those within it, or every k-th of them.
        """
        every, steps, length = self.span.every, self.steps, self.length
        gap = found[1] - found[0] if len(found) > 1 else every
        end = self.span.last - (length + 1 if self.span.last > 0 else 0)
        first, last = self.span.first, self.span.last
        if found[0] != steps[0]:
            left = len(steps) - steps.index(found[0])
            first = end - left * every + 1 if ends[found[0]] else found[0]
        if gap > every:
            beyond = found[-1] + gap - 1
            last = last if beyond >= steps[-1] else beyond - length - 1
        elif found[-1] != steps[-1]:
            after = steps.index(found[-1]) + 1
            left = len(steps) - after
            last = end - left * every if ends[steps[after]] else found[-1]
        return Span(first, last, False, gap if gap > every else 1)

    def _refuse(
        self,
        reads: dict[int, Source],
        steps_of: dict[Source, list[int]],
        a: int,
        b: int,
    ) -> NoReturn:
        """Raise for the one of two steps that reads what fewer steps do."""

        def count(t: int) -> int:
            return len(steps_of.get(reads[t], ())) if t in reads else 0

        odd, usual = (a, b) if count(a) < count(b) else (b, a)
        node = self.nodes[self.steps.index(odd)]
        label: Callable[[Source | None], str] = self.folding.label
        what = label(reads.get(odd))
        told = what, usual, label(reads.get(usual))
        self.folding.refuse(node, "operand", *told, self._in_turn(reads, odd, usual))

    def _in_turn(self, reads: dict[int, Source], *steps: int) -> str:
        """How the steps of another loop are read, if one is read at each of these."""
        picks = {reads[t].role for t in steps if t in reads and reads[t].kind == "pick"}
        if len(picks) != 1 or self.fixed:
            return ""
        (node, *_) = self.folding.members[picks.pop()]
        name = node.name if node.name and node.name.isidentifier() else "value"
        over = f"for t, {name} in mg.steps({name}={name}s)"
        return f"; another loop's values are read in turn by a loop over them: {over}"


def terms_of(node: Node) -> Any:
    """Over which uses the operands of a sum of cotangents arrived, None for others."""
    slot = node.slot
    if slot.__class__ is Slot and slot.terms and len(slot.terms) == len(node.inputs):
        return slot.terms
    return None


def _keys(node: Node) -> Any:
    """What tells the operands of a sum or of a named value apart, None for others."""
    terms = terms_of(node)
    if terms is not None:
        return terms
    uses = node.attrs.get("uses")
    return uses if isinstance(uses, PerOperand) else None


def _grouped(node: Node, grows: bool) -> dict[Any, list[int]]:
    """The positions of a node's inputs, by the key of the operand that they are."""
    keys = _keys(node) or ([0] * len(node.inputs) if grows else range(len(node.inputs)))
    groups: dict[Any, list[int]] = {}
    for i, key in enumerate(keys):
        groups.setdefault(key, []).append(i)
    return groups


def progression(steps: list[int], every: int = 1) -> range | None:
    """Steps as a range: ``every`` further on each, or at least three, equally far."""
    gaps = {b - a for a, b in pairwise(steps)} or {every}
    if gaps == {every} or (len(gaps) == 1 and len(steps) > 2 and min(gaps) > 0):
        return range(steps[0], steps[-1] + 1, gaps.pop())
    return None
