"""Cotangents that are recorded: the backward graph, laid along the forward one.

Vocabulary
    term  what an operand of a sum is: what it is shaped as, a use, the index of a use
    use   the way over which a cotangent arrived; it has one number at every step

>>> import minigrad as mg
>>> x = mg.tensor(2.0, requires_grad=True)
>>> mg.grad(x * x, [x], create_graph=True)[0].node.op.name
'add_n'
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

from minigrad.cotangent import fit, watch
from minigrad.graph import Node, PerOperand
from minigrad.mode import Mode, current_mode
from minigrad.op import Op, Scatter, registry
from minigrad.scope import Run, Scope, Slot, current
from minigrad.tensor import Tensor

NUMBERS = frozenset({bool, int, float})
add_n, scatter_n = registry["add_n"], registry["scatter_n"]
# What a term of a sum is: what it is shaped as, a use, or the index of a use.
Term = tuple[int, ...]


class _Part(NamedTuple):
    """One cotangent of a node, and the use over which it arrived."""

    consumer: Node | None
    argument: int
    d: Any


class RecordedSums:
    """Cotangents as Tensors; a fan-in becomes one add_n node, scatters one scatter_n.

    What a rule records lies where the forward node lies. Where that has no time but the
    operand has one (a sum or stack over the steps), it lies with the operand, so that
    each step keeps its own part of the backward graph.
    """

    def __init__(self, order: Sequence[Node], live: set[Node]) -> None:
        self.order, self.live = order, live
        self.argument = 0  # the operand whose rule is asked
        self.steps: Counter[Any] = Counter()
        scope = current.get()
        self.run = Run(scope, next(scope.slots))
        self.parts: dict[Node, list[_Part]] = {}
        # Consumers without time of values in a loop, and how often each reads one.
        self.gathering: dict[Node, int] = {}
        self.gathered: dict[tuple[Node, Node], count[int]] = {}
        self.uses: dict[Any, int] = {}
        self.watched = current_mode.get() is Mode.WATCH

    def add(self, node: Node, consumer: Node | None, i: int, d: Any) -> None:
        """One more cotangent of a node."""
        self.parts.setdefault(node, []).append(_Part(consumer, i, d))

    def total(self, node: Node) -> Any:
        """The sum of a node's cotangents, recorded where the node lies."""
        parts = self.parts.pop(node, None)
        if parts is None:
            return None
        if len(parts) == 1 and parts[0].d.__class__ is not Scatter:
            return parts[0].d
        uses = self._uses(node, parts)
        dense, terms, scattered, at = [], [], [], []
        # In the order of the uses, which is the same at every step.
        for use, part in sorted(zip(uses, parts, strict=True), key=lambda p: p[0]):
            if part.d.__class__ is Scatter:
                scattered.append(part.d)
                at.append(use)
            else:
                dense.append(part.d)
                terms.append(use)
        if scattered:
            dense.append(self._scattered(node, scattered, at))
            terms.append(self._use("scattered"))
        if len(dense) == 1:
            return dense[0]
        return self._recorded(node, "sum", terms, add_n, dense)

    def _scattered(self, node: Node, scattered: list[Scatter], uses: list[Term]) -> Any:
        """The cotangents that belong at keys, in one node."""
        indices = [index for s in scattered for index in s.indices]
        behind = [
            (2, *use, j)
            for s, use in zip(scattered, uses, strict=True)
            for j in range(len(s.indices))
        ]
        keys = PerOperand([None, *(s.key for s in scattered), *(None for _ in indices)])
        terms: list[Term] = [(0,), *uses, *behind]
        operands = [Tensor(node), *(s.cotangent for s in scattered), *indices]
        return self._recorded(node, "scatter", terms, scatter_n, operands, keys=keys)

    def _recorded(
        self, node: Node, part: str, terms: list[Term], op: Op, xs: list[Any],
        **attrs: Any,
    ) -> Any:  # fmt: skip
        before = current.get()
        try:
            current.set(node.scope.rule(node.slot, part, self.run, tuple(terms)))
            return op(xs, **attrs)
        finally:
            current.set(before)

    def _use(self, use: Any) -> Term:
        return (1, self.uses.setdefault(use, len(self.uses)))

    def _uses(self, node: Node, parts: list[_Part]) -> list[Term]:
        """The number of the use that each part arrived over: the same at every step."""
        clock, t = node.time or (None, 0)
        seen: dict[Any, count[int]] = {}
        reads = Counter(
            (_line(p.consumer), p.argument) for p in parts if p.consumer is not None
        )
        numbers = []
        for consumer, i, _ in parts:
            if consumer is None:
                numbers.append(self._use(("given", i)))
                continue
            time, slot = consumer.time, consumer.slot
            slot = slot.key(time) if slot.__class__ is Slot else slot
            place = (consumer.scope.path, slot)
            if clock is not None and time is not None and time[0] is clock:
                # A line that reads this one value at every step of its loop is one use.
                line = _line(consumer)
                every = 1 < reads[line, i] == self._steps_of(line)
                numbers.append(self._use((place, i, "all" if every else time[1] - t)))
            else:  # arguments of one consumer may each be another step
                step = (place, time)
                k = next(seen.setdefault(step, count()))
                numbers.append(self._use((place, k)))
        return numbers

    def _steps_of(self, line: Any) -> int:
        """At how many steps a line of the program is."""
        if not self.steps:
            self.steps.update(map(_line, self.order))
        return self.steps[line]

    def pull(self, node: Node, g: Any) -> None:
        """Ask the rules of a node, and add what they answer to its inputs."""
        # A Python number stays one: as a Tensor it would widen float32 to float64.
        xs = [
            i.value if i.value.__class__ in NUMBERS else Tensor(i) for i in node.inputs
        ]
        op, y = node.op, Tensor(node)
        ys, attrs = [xs] if op.variadic else xs, op.attributes(node)
        rules = op.rules(len(xs))
        for i, (source, rule) in enumerate(zip(node.inputs, rules, strict=True)):
            if rule is None or source not in self.live:
                continue
            self.argument = i
            before = current.get()
            try:
                current.set(self._place(node, source, i))
                d = rule(g, y, *ys, **attrs)
                if d is not None and d.__class__ is not Scatter:
                    d = fit(d, source.value, op)
            finally:
                current.set(before)
            if d is not None:
                if self.watched:
                    watch(d, node, i)
                self.add(source, node, i, d)

    def _place(self, node: Node, source: Node, i: int) -> Scope:
        """Where a rule's answer is recorded, as the class describes."""
        if node.time is not None or source.time is None:
            return node.scope.rule(node.slot, i, self.run)
        consumer = self.gathering.setdefault(node, len(self.gathering))
        use = next(self.gathered.setdefault((source, node), count()))
        part = f"use {use} of {consumer}"
        return source.scope.rule(source.slot, part, self.run)


def _line(node: Node) -> Any:
    """The line of the program that made a node."""
    return node.scope.path, node.slot
