"""Gradients: one loop, ``pullback``, and the family of functions that it serves.

Vocabulary
    cotangent  the gradient of some scalar by a value, of that value's shape and dtype
    live       the nodes between outputs and ``wrt``; only they get a cotangent
    run        one call of the loop; what it records lies in the scope and time of the
               forward nodes, under their slots, so the backward graph folds too
    share      what arrives at a shared parameter over one of its uses (eq. 10.26)

With ``create_graph`` the rules see Tensors and record, so every order is available.

>>> import minigrad as mg
>>> x = mg.tensor(2.0, requires_grad=True)
>>> (dx,) = mg.grad(x**3, [x], create_graph=True)
>>> dx.item(), mg.grad(dx, [x])[0].item()
(12.0, 12.0)
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from minigrad.graph import Leaf, Node, ids, reachable
from minigrad.op import (
    WATCHED,
    Scatter,
    Untraceable,
    recording,
    registry,
    require_finite,
    tracing,
)
from minigrad.ops.indexing import OPERAND, scatter_into
from minigrad.scope import current
from minigrad.tensor import Array, Tensor

NUMBERS = frozenset({bool, int, float})
add_n = registry["add_n"]
scatter_n = registry["scatter_n"]


class Share(NamedTuple):
    """The gradient that arrives at a parameter over one use: W(t) of eq. 10.26."""

    t: int | None
    node: Node
    argument: int
    gradient: Tensor


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
    sums: _ArraySums | _RecordedSums = (
        _RecordedSums(next(ids)) if record else _ArraySums()
    )
    for node, cotangent in zip(outputs, cotangents, strict=True):
        if node in live:
            sums.add(node, cotangent)
    wanted = set(wrt)
    watched = recording.get() is WATCHED
    found: dict[Node, Any] = {}
    for node in reversed(order):
        if node not in live:
            continue
        g = sums.pop(node)
        if g is None:
            continue
        if node in wanted:
            found[node] = g
        if not node.inputs:
            continue
        op = node.op
        attrs = op.attributes(node)
        y, xs = sums.operands(node)
        for i, source in enumerate(node.inputs):
            if isinstance(source, Leaf) and source.version > node.id:
                raise _stale(node, source)
            if source not in live:
                continue
            rule = partial(op.vjps[0], i) if op.variadic else op.vjps[i]
            if rule is None:
                continue
            with_scope = sums.enter(node, source, i)
            try:
                d = rule(g, y, *xs, **attrs)
                if d is None:
                    continue
                d = _fit(d, source.value, op)
            except Exception as error:
                where = op.describe(node.inputs, node.attrs, node.scope)
                error.add_note(f"gradient rule {i}, {where}")
                raise
            finally:
                if with_scope is not None:
                    current.reset(with_scope)
            if watched:
                part = d.cotangent if isinstance(d, Scatter) else d
                where = op.describe(node.inputs, node.attrs, node.scope)
                value = part.data if isinstance(part, Tensor) else part
                require_finite(value, f"gradient rule {i}, ", where)
            if shares is not None and source in wanted:
                shares.append((node, i, d))
            sums.add(source, d)
    return found


def _between(
    outputs: Sequence[Node], wrt: Sequence[Node]
) -> tuple[list[Node], set[Node]]:
    """Nodes in execution order, and those of them on a path from wrt to an output."""
    order = reachable(outputs, min((w.id for w in wrt), default=0))
    live = set(wrt).intersection(order)
    for node in order:
        if node.inputs and node not in live:
            vjps = node.op.vjps
            if node.op.variadic:
                vjps = vjps * len(node.inputs)
            for source, rule in zip(node.inputs, vjps, strict=True):
                if rule is not None and source in live:
                    live.add(node)
                    break
    return order, live


def _stale(node: Node, parameter: Node) -> RuntimeError:
    return RuntimeError(
        f"parameter {parameter.label} was changed by assign after {node!r} used "
        "it, so this gradient would mix two values: record the forward pass again, "
        "then ask for the gradient"
    )


def _fit(d: Any, x: Any, op: Any) -> Any:
    """A rule's answer summed over broadcast axes and cast to what its input x is."""
    if d.__class__ is Scatter:
        return d
    if d.shape != x.shape:
        d = unbroadcast(d, x.shape, op)
    return d if d.dtype == x.dtype else d.astype(x.dtype)


def unbroadcast(d: Any, shape: tuple[int, ...], op: Any) -> Any:
    """Sum d over the axes along which an operand of ``shape`` was broadcast."""
    lead = d.ndim - len(shape)
    inner = d.shape[lead:] if lead > 0 else d.shape
    if lead < 0 or (
        inner != shape
        and any(n not in (1, m) for n, m in zip(shape, inner, strict=True))
    ):
        raise ValueError(
            f"a gradient rule of {op.name} gave shape {d.shape} for an input of "
            f"shape {shape}"
        )
    if lead:
        d = _sum(d, tuple(range(lead)), False)
    if inner == shape:
        return d
    return _sum(d, tuple(i for i, n in enumerate(shape) if n != inner[i]), True)


def _sum(d: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """d.sum(axes), for an array without the layers of Python around it."""
    if isinstance(d, Tensor):
        return d.sum(axis=axes, keepdims=keepdims)
    return np.add.reduce(d, axes, keepdims=keepdims)


class _ArraySums:
    """Cotangents in arrays, summed as they arrive into buffers that belong to us."""

    def __init__(self) -> None:
        self.parts: dict[Node, Any] = {}
        self.owned: set[Node] = set()

    def add(self, node: Node, d: Any) -> None:
        parts = self.parts
        if d.__class__ is Scatter:
            if node not in parts:
                parts[node] = np.zeros_like(node.value)
            elif node not in self.owned:
                parts[node] = parts[node].copy()
            self.owned.add(node)
            scatter_into(parts[node], d.key, d.cotangent)
        elif node not in parts:
            parts[node] = d
        elif node in self.owned:
            np.add(parts[node], d, out=parts[node])
        else:
            parts[node] = np.asarray(parts[node] + d)
            self.owned.add(node)

    def pop(self, node: Node) -> Any:
        return self.parts.pop(node, None)

    def operands(self, node: Node) -> tuple[Any, list[Any]]:
        return node.value, [i.value for i in node.inputs]

    def enter(self, node: Node, source: Node, i: int) -> None:
        return None


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
        self.parts.setdefault(node, []).append(d)

    def pop(self, node: Node) -> Any:
        parts = self.parts.pop(node, None)
        if parts is None:
            return None
        token = current.set(node.scope.rule(node.slot, "sum", self.run))
        try:
            dense = [p for p in parts if not isinstance(p, Scatter)]
            scattered = [p for p in parts if isinstance(p, Scatter)]
            if scattered:
                indices = [p.key for p in scattered if isinstance(p.key, Tensor)]
                keys = [
                    OPERAND if isinstance(p.key, Tensor) else p.key for p in scattered
                ]
                cotangents = [p.cotangent for p in scattered]
                dense.append(
                    scatter_n([Tensor(node), *cotangents, *indices], keys=tuple(keys))
                )
            return dense[0] if len(dense) == 1 else add_n(dense)
        finally:
            current.reset(token)

    def operands(self, node: Node) -> tuple[Any, list[Any]]:
        # A Python number stays one: as a Tensor it would widen float32 to float64.
        return Tensor(node), [
            i.value if i.value.__class__ in NUMBERS else Tensor(i) for i in node.inputs
        ]

    def enter(self, node: Node, source: Node, i: int) -> Any:
        if node.time is None and source.time is not None:
            use = next(self.gathered.setdefault(source, count()))
            scope = source.scope.rule(source.slot, f"use {use}", self.run)
        else:
            scope = node.scope.rule(node.slot, i, self.run)
        return current.set(scope)


def grad(
    y: Tensor,
    wrt: Tensor | Iterable[Tensor],
    create_graph: bool = False,
    unreached: str = "raise",
) -> list[Tensor]:
    """The gradients of a scalar by recorded tensors; always a list, in their order.

    Parameters
    ----------
    y: a Tensor of one element.
    wrt: parameters, named inputs, leaves made with ``requires_grad=True``, or any
        recorded intermediate value.
    create_graph: record the gradient as graph, to differentiate or draw it.
    unreached: "raise", or "zeros" for tensors that y does not depend on.

    >>> import minigrad as mg
    >>> w = mg.parameter([3.0, 4.0], name="w")
    >>> mg.grad((w * w).sum(), [w])[0].data.tolist()
    [6.0, 8.0]
    """
    if y.size != 1:
        raise ValueError(
            f"the gradient of a tensor of shape {y.shape} is not defined: reduce it to "
            "one number first, y.sum() or y.mean(), or use mg.jacobian or mg.vjp"
        )
    return vjp(y, wrt, None, create_graph, unreached)


def vjp(
    y: Tensor | Sequence[Tensor],
    wrt: Tensor | Iterable[Tensor],
    g: Any,
    create_graph: bool = False,
    unreached: str = "raise",
) -> list[Tensor]:
    """Vector-Jacobian products gᵀ dy/dw, one per tensor of ``wrt``.

    ``g`` has the shape of y (None: ones); for a list of ys it is a list.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.vjp(x * x, [x], [1.0, 10.0])[0].data.tolist()
    [2.0, 40.0]
    """
    ys = [y] if isinstance(y, Tensor) else list(y)
    gs = [g] if isinstance(y, Tensor) or g is None else list(g)
    gs = gs if len(gs) == len(ys) else gs * len(ys)
    targets = _targets(wrt)
    create_graph = create_graph or tracing.get()
    cotangents = [_cotangent(a, b, create_graph) for a, b in zip(ys, gs, strict=True)]
    nodes = [t.node for t in targets]
    found = pullback([a.node for a in ys], cotangents, nodes, record=create_graph)
    results, seen = [], set()
    for target in targets:
        d = found.get(target.node)
        if d is None:
            if unreached != "zeros":
                raise ValueError(
                    f"{_say(target)} is not reached: no differentiable path leads from "
                    "it to the output. Drop it from wrt, or pass unreached='zeros'"
                )
            d = np.zeros(target.shape, target.dtype)
        if not isinstance(d, Tensor):
            # A cotangent may be shared with another one, or be the caller's own.
            d = (
                d
                if d.flags.owndata and d.flags.writeable and id(d) not in seen
                else (np.array(d))
            )
            seen.add(id(d))
            d = _constant(d)
        results.append(d)
    return results


def grad_by_use(y: Tensor, wrt: Tensor) -> list[Share]:
    """The gradient that arrives over each use of one tensor, in order of the steps.

    The shares of a shared parameter sum to its gradient; their norms over t show
    gradients vanish (the book's dummy copies W(t), eq. 10.26).

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = h @ W
    >>> [(s.t, s.gradient.item()) for s in mg.grad_by_use(h.sum(), W)]
    [(1, 0.25), (2, 0.25), (3, 0.25)]
    """
    if tracing.get():
        raise Untraceable("grad_by_use gives arrays")
    if y.size != 1:
        raise ValueError(f"y must be a scalar, got shape {y.shape}")
    (target,) = _targets(wrt)
    shares: list[tuple[Node, int, Any]] = []
    found = pullback([y.node], [_ones(y)], [target.node], shares=shares)
    if target.node not in found:
        raise ValueError(f"{_say(target)} is not reached from the output")
    dense = []
    for node, i, d in reversed(shares):
        if isinstance(d, Scatter):
            buffer = np.zeros_like(target.data)
            scatter_into(buffer, d.key, d.cotangent)
            d = buffer
        dense.append(Share(node.t, node, i, _constant(np.array(d))))
    return sorted(dense, key=lambda s: (s.t or 0, s.node.id, s.argument))


def value_and_grad(
    f: Callable[..., Tensor], wrt: Tensor | Iterable[Tensor]
) -> Callable[..., tuple[Tensor, list[Tensor]]]:
    """A function that returns f's scalar and its gradients by ``wrt``.

    >>> import minigrad as mg
    >>> w = mg.parameter(3.0, name="w")
    >>> value, (dw,) = mg.value_and_grad(lambda x: w * x, [w])(2.0)
    >>> value.item(), dw.item()
    (6.0, 2.0)
    """
    targets = _targets(wrt)

    def both(*args: Any, **kwargs: Any) -> tuple[Tensor, list[Tensor]]:
        value = f(*args, **kwargs)
        return value, grad(value, targets)

    return both


def jvp(
    y: Tensor, wrt: Tensor | Iterable[Tensor], v: Any, create_graph: bool = False
) -> Tensor:
    """The Jacobian-vector product dy/dw v, summed over ``wrt``: the shape of y.

    Computed as the derivative of a vector-Jacobian product by its vector, so no second
    set of rules exists.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.jvp(x * x, x, [1.0, 10.0]).data.tolist()
    [2.0, 40.0]
    """
    targets = _targets(wrt)
    vs = [v] if isinstance(wrt, Tensor) else list(v)
    u = Tensor(Leaf("input", np.zeros(y.shape, y.dtype), "u", *_place()))
    rows = vjp(y, targets, u, create_graph=True, unreached="zeros")
    return vjp(rows, u, vs, create_graph=create_graph, unreached="zeros")[0]


def hvp(
    y: Tensor, wrt: Tensor | Iterable[Tensor], v: Any, create_graph: bool = False
) -> list[Tensor]:
    """Hessian-vector products of a scalar, one per tensor of ``wrt``.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.hvp((x**3).sum(), [x], [[1.0, 1.0]])[0].data.tolist()
    [6.0, 12.0]
    """
    targets = _targets(wrt)
    vs = [v] if isinstance(wrt, Tensor) else list(v)
    first = grad(y, targets, create_graph=True, unreached="zeros")
    return vjp(first, targets, vs, create_graph=create_graph, unreached="zeros")


def jacobian(y: Tensor, wrt: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """dy/dw of shape (*y.shape, *w.shape), one per tensor of ``wrt``.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.jacobian(x * x, [x])[0].data.tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    if tracing.get():
        raise Untraceable("jacobian gives arrays")
    targets = _targets(wrt)
    blocks = [np.zeros((y.size, *w.shape), w.dtype) for w in targets]
    for i in range(y.size):
        g = np.zeros(y.size, y.dtype)
        g[i] = 1
        rows = vjp(y, targets, g.reshape(y.shape), unreached="zeros")
        for block, row in zip(blocks, rows, strict=True):
            block[i] = row.data
    return [
        _constant(b.reshape((*y.shape, *w.shape)))
        for b, w in zip(blocks, targets, strict=True)
    ]


def hessian(y: Tensor, wrt: Tensor | Iterable[Tensor]) -> list[list[Tensor]]:
    """Second derivatives of a scalar: block [i][j] has shape (*w_i.shape, *w_j.shape).

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.hessian((x**3).sum(), [x])[0][0].data.tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    targets = _targets(wrt)
    first = grad(y, targets, create_graph=True, unreached="zeros")
    return [jacobian(d, targets) for d in first]


def backward(loss: Tensor, unreached: str = "raise") -> None:
    """Write the gradient of a scalar into ``grad`` of each parameter it depends on."""
    if tracing.get():
        raise Untraceable(
            "backward writes into parameters: return mg.grad(...) instead"
        )
    leaves = [n for n in reachable([loss.node]) if n.kind == "parameter"]
    gradients = grad(loss, [Tensor(n) for n in leaves], unreached=unreached)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        # Fresh arrays that nothing else refers to, so the caller may change them.
        gradient.data.setflags(write=True)
        leaf.grad = gradient.data  # type: ignore[attr-defined]


def _targets(wrt: Tensor | Iterable[Tensor]) -> list[Tensor]:
    targets = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    for target in targets:
        if not isinstance(target, Tensor):
            raise TypeError(f"wrt holds Tensors, got {type(target).__name__}")
        if target.dtype.kind != "f":
            raise TypeError(
                f"{_say(target)} has dtype {target.dtype}; a gradient needs floating "
                "point: make it with 1.0 for 1, or dtype=float"
            )
        if target.node.kind == "constant":
            raise ValueError(
                "a constant has no gradient: make the tensor with a name, with "
                "requires_grad=True, or with mg.parameter"
            )
    return targets


def _say(target: Tensor) -> str:
    kind = target.node.kind
    what = "tensor" if kind == "op" else kind
    return f"{what} {target.node.label} of shape {target.shape}"


def _cotangent(y: Tensor, g: Any, record: bool) -> Any:
    if g is None:
        g = _ones(y)
    elif isinstance(g, Tensor):
        if g.shape != y.shape:
            raise ValueError(f"the cotangent has shape {g.shape}, y has {y.shape}")
        return g if record else g.data
    else:
        g = np.array(g, dtype=y.dtype)
        if g.shape != y.shape:
            raise ValueError(f"the cotangent has shape {g.shape}, y has {y.shape}")
    return _constant(g) if record else g


def _ones(y: Tensor) -> Array:
    return np.ones(y.shape, y.dtype)


def _constant(value: Array) -> Tensor:
    value.setflags(write=False)
    return Tensor(Leaf("constant", value, None, *_place()))


def _place() -> tuple[Any, Any]:
    scope = current.get()
    return scope, next(scope.slots)
