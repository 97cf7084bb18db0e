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
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from minigrad.graph import Leaf, Node, ids, reachable
from minigrad.mode import Mode, current_mode
from minigrad.op import Product, Scatter, registry, require_finite
from minigrad.ops.indexing import scatter_into
from minigrad.scope import current
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
    recorded = _RecordedSums(next(ids)) if record else None
    arrays = _ArraySums()
    sums = recorded or arrays
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if node in live:
            sums.add(node, cotangent)
    wanted = set(wrt)
    watched = current_mode.get() is Mode.WATCH
    found: dict[Node, Any] = {}
    parts = sums.parts
    for node in reversed(order):
        inputs = node.inputs
        if not inputs:
            arrays.finish(node)
        g = parts.pop(node, None)
        if g is None:
            continue
        if recorded:
            g = recorded.total(node, g)
        if node in wanted:
            found[node] = g
        if not inputs:
            continue
        op = node.op
        if op.plain:
            attrs, rules = node.attrs, op.vjps
        else:
            attrs, rules = op.attributes(node), op.rules(len(inputs))
        y, xs = (
            recorded.operands(node)
            if recorded
            else (node.value, [source.value for source in inputs])
        )
        if op.variadic:
            xs = [xs]  # as one argument, or n rules would be handed n inputs each
        old = node.id < Leaf.changed
        try:
            for i, source in enumerate(inputs):
                if old and isinstance(source, Leaf) and source.version > node.id:
                    raise _stale(node, source)
                rule = rules[i]
                if rule is None or source not in live:
                    continue
                if recorded:
                    d = recorded.answer(node, source, i, (rule, g, y, xs, attrs))
                else:
                    d = rule(g, y, *xs, **attrs)
                if d is None:
                    continue
                if d.__class__ is Product:
                    if not source.inputs and not watched and shares is None:
                        arrays.collect(source, d)
                        continue
                    d = d.a.T.dot(d.g)
                if d.__class__ is not Scatter and not record:
                    x = source.value
                    if d.shape != x.shape or d.dtype is not x.dtype:
                        d = _fit(d, x, op)
                if watched:
                    _watch(d, node, i)
                if shares is not None and source in wanted:
                    shares.append((node, i, d))
                if record or source in parts or d.__class__ is Scatter:
                    sums.add(source, d)
                else:
                    parts[source] = d
        except Exception as error:
            where = op.describe(inputs, node.attrs, node.scope)
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

    def __init__(self) -> None:
        self.parts: dict[Node, Any] = {}
        self.owned: set[Node] = set()
        self.waiting: dict[Node, list[Product]] = {}

    def add(self, node: Node, d: Any) -> None:
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

    def collect(self, leaf: Node, product: Product) -> None:
        """One more cotangent of a leaf, as a product that may wait for others."""
        waiting = self.waiting.setdefault(leaf, [])
        waiting.append(product)
        if len(waiting) * len(product.g) >= ROWS:
            self.finish(leaf)

    def finish(self, leaf: Node) -> None:
        """Multiply what waits: the rows of all steps at once."""
        waiting = self.waiting.pop(leaf, None)
        if waiting:
            a, g = waiting[0]
            if len(waiting) > 1:
                a = np.concatenate([p.a for p in waiting])
                g = np.concatenate([p.g for p in waiting])
            self.add(leaf, _fit(a.T.dot(g), leaf.value, matmul))


class _RecordedSums:
    """Cotangents as Tensors; a fan-in becomes one add_n node, scatters one scatter_n.

    What a rule records lies where the forward node lies. Where that has no time but the
    operand has one (a sum or stack over the steps), it lies with the operand, so that
    each step keeps its own part of the backward graph.
    """

    def __init__(self, run: int) -> None:
        self.parts: dict[Node, list[Any]] = {}
        self.run = run
        self.gathered: dict[Node, count[int]] = {}

    def add(self, node: Node, d: Any) -> None:
        """One more cotangent of a node."""
        self.parts.setdefault(node, []).append(d)

    def total(self, node: Node, parts: list[Any]) -> Tensor:
        """The sum of a node's cotangents, recorded where the node lies."""
        if len(parts) == 1 and parts[0].__class__ is not Scatter:
            return parts[0]  # type: ignore[no-any-return]
        before = current.get()
        try:
            current.set(node.scope.rule(node.slot, "sum", self.run))
            dense = [p for p in parts if not isinstance(p, Scatter)]
            scattered = [p for p in parts if isinstance(p, Scatter)]
            if scattered:
                cotangents = [p.cotangent for p in scattered]
                indices = [index for p in scattered for index in p.indices]
                keys = tuple([p.key for p in scattered])
                dense.append(
                    scatter_n([Tensor(node), *cotangents, *indices], keys=keys)
                )
            total: Tensor = dense[0] if len(dense) == 1 else add_n(dense)
            return total
        finally:
            current.set(before)

    def operands(self, node: Node) -> tuple[Any, list[Any]]:
        """What the rules of a node are given as y and its inputs."""
        # A Python number stays one: as a Tensor it would widen float32 to float64.
        return Tensor(node), [
            i.value if i.value.__class__ in NUMBERS else Tensor(i) for i in node.inputs
        ]

    def answer(self, node: Node, source: Node, i: int, call: Any) -> Any:
        """What a rule says, recorded in the place that the class describes."""
        rule, g, y, xs, attrs = call
        if node.time is None and source.time is not None:
            use = next(self.gathered.setdefault(source, count()))
            scope = source.scope.rule(source.slot, f"use {use}", self.run)
        else:
            scope = node.scope.rule(node.slot, i, self.run)
        before = current.get()
        try:
            current.set(scope)
            d = rule(g, y, *xs, **attrs)
            if d is None or isinstance(d, Scatter):
                return d
            return _fit(d, source.value, node.op)
        finally:
            current.set(before)
