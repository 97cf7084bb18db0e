"""The one backward loop: cotangents of inputs from cotangents of outputs.

Vocabulary
    cotangent  the gradient of some scalar by a value, of that value's shape and dtype
    live       the nodes between outputs and ``wrt``; only they get a cotangent
    run        one call of the loop; what it records lies in the scope and time of the
               forward nodes, under their slots, so the backward graph folds too

The loop un-broadcasts and casts what a rule answers, adds up what arrives at a node,
and lets go of a cotangent as soon as it has been used. Given arrays the rules compute
arrays; given Tensors they record, and every order of gradient is available.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0], requires_grad=True)
>>> y = x * x
>>> pullback([y.node], [y.data], [x.node])[x.node].tolist()
[2.0, 16.0]
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from minigrad.graph import Leaf, Node, PerOperand, reachable
from minigrad.mode import Mode, current_mode
from minigrad.op import Op, Product, Rule, Scatter, registry, require_finite
from minigrad.ops.indexing import scatter_into
from minigrad.scope import Run, Slot, current
from minigrad.tensor import Tensor

NUMBERS = frozenset({bool, int, float})
# A leaf's products wait until they have so many rows together.
ROWS = 256
add_n = registry["add_n"]
matmul = registry["matmul"]
scatter_n = registry["scatter_n"]


def pullback(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    wrt: Sequence[Node],
    record: bool = False,
    shares: list[tuple[Node, int, Any]] | None = None,
) -> dict[Node, Any]:
    """The cotangents of ``wrt`` given those of ``outputs``: the one backward loop.

    Arrays in, arrays out; with ``record``, Tensors in, Tensors out. ``shares`` receives
    (consumer, argument, cotangent) of each use of the single node in ``wrt``.
    """
    order, live = _between(outputs, wrt)
    sums: _Sums = _RecordedSums(order) if record else _ArraySums(shares, set(wrt))
    for i, (node, cotangent) in enumerate(zip(outputs, cotangents, strict=True)):
        if node in live:
            sums.add(node, None, i, cotangent)
    wanted = set(wrt)
    found: dict[Node, Any] = {}
    for node in reversed(order):
        g = sums.total(node)
        if g is None:
            continue
        if node in wanted:
            found[node] = g
        if not node.inputs:
            continue
        old = node.id < Leaf.changed
        i = 0
        try:
            y, xs, attrs, rules = sums.call(node)
            for i, source in enumerate(node.inputs):
                if old and isinstance(source, Leaf) and source.version > node.id:
                    raise _stale(node, source)
                rule = rules[i]
                if rule is not None and source in live:
                    sums.pull(node, source, i, rule, g, y, xs, attrs)
        except Exception as error:
            where = node.op.describe(node.inputs, node.attrs, node.scope)
            error.add_note(f"gradient rule {i}, {where}")
            raise
    return found


def _between(
    outputs: Sequence[Node], wrt: Sequence[Node]
) -> tuple[list[Node], set[Node]]:
    """The nodes on a path from wrt to an output, in execution order and as a set."""
    reached = reachable(outputs, min((w.id for w in wrt), default=0))
    live = set(wrt).intersection(reached)
    order = []
    for node in reached:
        if node in live:
            order.append(node)
            continue
        inputs = node.inputs
        if not live.isdisjoint(inputs):
            op = node.op
            if op.smooth or any(
                rule is not None and source in live
                for source, rule in zip(inputs, op.rules(len(inputs)), strict=True)
            ):
                live.add(node)
                order.append(node)
    return order, live


def _watch(d: Any, node: Node, i: int) -> None:
    """Raise FloatingPointError if a rule's answer is not finite."""
    part = d.cotangent if isinstance(d, Scatter) else d
    where = node.op.describe(node.inputs, node.attrs, node.scope)
    value = part.node.value if isinstance(part, Tensor) else part
    require_finite(value, f"gradient rule {i}, ", where)


def _stale(node: Node, parameter: Node) -> RuntimeError:
    return RuntimeError(
        f"parameter {parameter.label} was changed by assign after {node!r} used "
        "it, so this gradient would mix two values: record the forward pass again, "
        "then ask for the gradient"
    )


def _fit(d: Any, x: Any, op: Any) -> Any:
    """A rule's answer summed over broadcast axes and cast to what its input x is."""
    if d.shape != x.shape:
        d = unbroadcast(d, x.shape, op)
    return d if d.dtype == x.dtype else d.astype(x.dtype)


def unbroadcast(d: Any, shape: tuple[int, ...], op: Any) -> Any:
    """Sum d over the axes along which an operand of ``shape`` was broadcast."""
    lead = d.ndim - len(shape)
    inner = d.shape[lead:]
    if lead < 0 or (
        inner != shape
        and any(n not in (1, m) for n, m in zip(shape, inner, strict=True))
    ):
        raise ValueError(
            f"a gradient rule of {op.name} gave shape {d.shape} for an input of "
            f"shape {shape}"
        )
    if lead:
        one = d.__class__ is np.ndarray and d.size == math.prod(inner)
        d = d.reshape(inner) if one else _sum(d, tuple(range(lead)), False)
    if inner == shape:
        return d
    return _sum(d, tuple(i for i, n in enumerate(shape) if n != inner[i]), True)


def _sum(d: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """d.sum(axes), for an array without the layers of Python around it."""
    if isinstance(d, Tensor):
        return d.sum(axis=axes, keepdims=keepdims)
    return np.add.reduce(d, axis=axes, keepdims=keepdims)  # type: ignore[call-overload]


class _ArraySums:
    """Cotangents in arrays, summed as they arrive into buffers that belong to us."""

    def __init__(
        self, shares: list[tuple[Node, int, Any]] | None, wanted: set[Node]
    ) -> None:
        self.parts: dict[Node, Any] = {}
        self.owned: set[Node] = set()
        self.waiting: dict[Node, list[Product]] = {}
        self.shares, self.wanted = shares, wanted
        self.watched = current_mode.get() is Mode.WATCH

    def add(self, node: Node, consumer: Node | None, i: int, d: Any) -> None:
        """One more cotangent of a node."""
        parts = self.parts
        if d.__class__ is Scatter:
            if node not in parts:
                parts[node] = np.zeros_like(node.value)
            elif node not in self.owned:
                parts[node] = parts[node].copy()
            self.owned.add(node)
            scatter_into(parts[node], d)
        elif node not in parts:
            parts[node] = d
        elif node in self.owned:
            np.add(parts[node], d, out=parts[node])
        else:
            parts[node] = np.asarray(parts[node] + d)
            self.owned.add(node)

    def total(self, node: Node) -> Any:
        """All that has arrived at a node."""
        if not node.inputs:
            self._finish(node)
        return self.parts.pop(node, None)

    def call(self, node: Node) -> tuple[Any, list[Any], Any, Sequence[Rule | None]]:
        """What the rules of a node are given besides g, and the rules."""
        op, xs = node.op, [source.value for source in node.inputs]
        if op.plain:
            return node.value, xs, node.attrs, op.vjps
        return (
            node.value,
            [xs] if op.variadic else xs,
            op.attributes(node),
            op.rules(len(xs)),
        )

    def pull(
        self, node: Node, source: Node, i: int, rule: Rule, g: Any, y: Any, xs: Any,
        attrs: Any,
    ) -> None:  # fmt: skip
        """Ask one rule, and add what it answers."""
        d = rule(g, y, *xs, **attrs)
        if d is None:
            return
        kind = d.__class__
        if kind is Product:
            if not source.inputs and not self.watched and self.shares is None:
                self._collect(source, d)
                return
            d = d.a.T.dot(d.g)
        if kind is not Scatter:
            x = source.value
            if d.shape != x.shape or d.dtype is not x.dtype:
                d = _fit(d, x, node.op)
        if self.watched:
            _watch(d, node, i)
        if self.shares is not None and source in self.wanted:
            self.shares.append((node, i, d))
        if kind is Scatter or source in self.parts:
            self.add(source, node, i, d)
        else:
            self.parts[source] = d

    def _collect(self, leaf: Node, product: Product) -> None:
        """One more cotangent of a leaf, as a product that may wait for others."""
        waiting = self.waiting.setdefault(leaf, [])
        waiting.append(product)
        if len(waiting) * len(product.g) >= ROWS:
            self._finish(leaf)

    def _finish(self, leaf: Node) -> None:
        """Multiply what waits: the rows of all steps at once."""
        waiting = self.waiting.pop(leaf, None)
        if waiting:
            a, g = waiting[0]
            if len(waiting) > 1:
                a = np.concatenate([p.a for p in waiting])
                g = np.concatenate([p.g for p in waiting])
            self.add(leaf, None, 0, _fit(a.T.dot(g), leaf.value, matmul))


# What a term of a sum is: what it is shaped as, a use, or the index of a use.
Term = tuple[int, ...]


class _Part(NamedTuple):
    """One cotangent of a node, and the use over which it arrived."""

    consumer: Node | None
    argument: int
    d: Any


class _RecordedSums:
    """Cotangents as Tensors; a fan-in becomes one add_n node, scatters one scatter_n.

    What a rule records lies where the forward node lies. Where that has no time but the
    operand has one (a sum or stack over the steps), it lies with the operand, so that
    each step keeps its own part of the backward graph.
    """

    def __init__(self, order: Sequence[Node]) -> None:
        self.order = order
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

    def call(self, node: Node) -> tuple[Any, list[Any], Any, Sequence[Rule | None]]:
        """What the rules of a node are given besides g, and the rules."""
        # A Python number stays one: as a Tensor it would widen float32 to float64.
        xs = [
            i.value if i.value.__class__ in NUMBERS else Tensor(i) for i in node.inputs
        ]
        op = node.op
        return (
            Tensor(node),
            [xs] if op.variadic else xs,
            op.attributes(node),
            op.rules(len(xs)),
        )

    def pull(
        self, node: Node, source: Node, i: int, rule: Rule, g: Any, y: Any, xs: Any,
        attrs: Any,
    ) -> None:  # fmt: skip
        """Ask one rule, recorded in the place that the class describes, and add it."""
        if node.time is None and source.time is not None:
            consumer = self.gathering.setdefault(node, len(self.gathering))
            use = next(self.gathered.setdefault((source, node), count()))
            part = f"use {use} of {consumer}"
            scope = source.scope.rule(source.slot, part, self.run)
        else:
            scope = node.scope.rule(node.slot, i, self.run)
        before = current.get()
        try:
            current.set(scope)
            d = rule(g, y, *xs, **attrs)
            if d is not None and d.__class__ is not Scatter:
                d = _fit(d, source.value, node.op)
        finally:
            current.set(before)
        if d is not None:
            if self.watched:
                _watch(d, node, i)
            self.add(source, node, i, d)


def _line(node: Node) -> Any:
    """The line of the program that made a node."""
    return node.scope.path, node.slot


_Sums = _ArraySums | _RecordedSums
