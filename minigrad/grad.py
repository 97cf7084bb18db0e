"""The family of gradients: grad, its products, Jacobian, Hessian, and shares.

Vocabulary
    wrt    the tensors that a gradient is taken by
    share  what arrives at a shared parameter over one of its uses (W(t), eq. 10.25)

All of them call the one loop of ``minigrad.pullback``.
With ``create_graph`` the rules see Tensors and record, so every order is available.

>>> import minigrad as mg
>>> x = mg.tensor(2.0, requires_grad=True)
>>> (dx,) = mg.grad(x**3, [x], create_graph=True)
>>> dx.item(), mg.grad(dx, [x])[0].item()
(12.0, 12.0)
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from minigrad.advice import taught
from minigrad.arrays import Array
from minigrad.assign import Change, set_at_once
from minigrad.collector import paused
from minigrad.graph import Leaf, Node, reachable
from minigrad.mode import TraceError, outlined, tracing
from minigrad.op import Scatter, registry
from minigrad.ops.indexing import scatter_into
from minigrad.ops.reduction import spread
from minigrad.pullback import pullback
from minigrad.scope import Call
from minigrad.tensor import Tensor, here


class Gradient(NamedTuple):
    """The op of a gradient that an outline has in the place of its graph."""

    name: str

    def computed(self, inputs: Sequence[Node], attrs: Any) -> Array:
        """Zeros, of the shape and dtype of the last input, by which it is taken."""
        return np.zeros_like(inputs[-1].value)

    def rules(self, count: int) -> tuple[None, ...]:
        """No gradient of it is ever computed."""
        return (None,) * count


GRADIENT = Gradient("gradient")


class Share(NamedTuple):
    """The gradient that arrives at a parameter over one use: W(t) of eq. 10.25.

    The gradient has the shape of the parameter.

    >>> import minigrad as mg
    >>> w = mg.parameter(2.0, name="w")
    >>> share, _ = mg.grad_by_use(w * w, w)
    >>> isinstance(share, Share), share.t, share.argument, share.gradient.item()
    (True, None, 0, 2.0)
    """

    t: int | None
    node: Node
    argument: int
    gradient: Tensor


@taught
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

    Raises ValueError where y is no scalar, TypeError for what is no Tensor of floating
    point.

    >>> import minigrad as mg
    >>> w = mg.parameter([3.0, 4.0], name="w")
    >>> mg.grad((w * w).sum(), [w])[0].data.tolist()
    [6.0, 8.0]
    """
    _require_scalar(y)
    return vjp(y, wrt, None, create_graph, unreached)


def _require_recorded(y: Any) -> None:
    if not isinstance(y, Tensor):
        raise TypeError(
            f"a gradient is that of a recorded Tensor, got {type(y).__name__}: pass "
            "the loss itself, not loss.item() or loss.data, nor a function"
        )


def _require_scalar(y: Any) -> None:
    _require_recorded(y)
    if y.size != 1:
        raise ValueError(
            f"the gradient of a tensor of shape {y.shape} is not defined: reduce it to "
            "one number first, y.sum() or y.mean(), or use mg.jacobian or mg.vjp"
        )


def vjp(
    y: Tensor | Sequence[Tensor],
    wrt: Tensor | Iterable[Tensor],
    g: Any,
    create_graph: bool = False,
    unreached: str = "raise",
) -> list[Tensor]:
    """Vector-Jacobian products gᵀ dy/dw, one per tensor of ``wrt``.

    ``g`` has the shape of y (None: ones); for a list of ys it is a list.

    Raises ValueError where y does not depend on a tensor, unless ``unreached`` is
    "zeros", and TypeError for what is no Tensor of floating point.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.vjp(x * x, [x], [1.0, 10.0])[0].data.tolist()
    [2.0, 40.0]
    """
    ys: list[Any] = list(y) if isinstance(y, (list, tuple)) else [y]
    for each in ys:
        _require_recorded(each)
    if g is None:
        g = None if isinstance(y, Tensor) else [None] * len(ys)
    gs = _vectors(g, y, len(ys), "y")
    targets = _targets(wrt)
    record = create_graph or tracing()
    cotangents = [_cotangent(a, b, record) for a, b in zip(ys, gs, strict=True)]
    if outline := outlined.get():
        of = [*(y.node for y in ys), *(c.node for c in cotangents)]
        found: dict[Node, Any] = {
            t.node: Tensor(outline(GRADIENT, (*of, t.node), {}, *here()))
            for t in targets
        }
    else:
        nodes = [t.node for t in targets]
        _require_whole(ys, nodes)
        with paused() if record else nullcontext():
            found = pullback([a.node for a in ys], cotangents, nodes, record=record)
    results = []
    for target in targets:
        d = found.get(target.node)
        if d is None:
            if unreached != "zeros":
                raise ValueError(
                    f"{_say(target)} is not reached: no differentiable path leads from "
                    "it to the output. Leave it out of wrt, and of the parameters of "
                    "an optimiser, or pass unreached='zeros'"
                )
            zero = np.zeros((), target.dtype)
            # Recorded, it has the shape of the target at every length.
            d = spread(zero, target) if record else np.zeros(target.shape, zero.dtype)
        if not isinstance(d, Tensor):
            # A cotangent may be part of another array, or be a result already, which
            # is read-only then.
            own = d.flags.owndata and d.flags.writeable
            d = _constant(d if own else np.array(d))
        elif not create_graph:
            d = registry["detach"](d)
        results.append(d)
    return results


def grad_by_use(y: Tensor, wrt: Tensor) -> list[Share]:
    """The gradient that arrives over each use of one tensor, in order of the steps.

    The shares of a shared parameter sum to its gradient; their norms over t show
    gradients vanish (the book's dummy copies W(t), eq. 10.25).

    Raises ValueError where y is no scalar or does not depend on the tensor, TraceError
    inside of a compiled function, and TypeError for what is no Tensor of floating
    point.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = h @ W
    >>> [(s.t, s.gradient.item()) for s in mg.grad_by_use(h.sum(), W)]
    [(1, 0.25), (2, 0.25), (3, 0.25)]
    """
    if tracing():
        raise TraceError("grad_by_use gives arrays")
    _require_scalar(y)
    (target,) = _targets(wrt)
    _require_whole([y], [target.node])
    shares: list[tuple[Node, int, Any]] = []
    found = pullback([y.node], [_ones(y)], [target.node], shares=shares)
    if target.node not in found:
        raise ValueError(f"{_say(target)} is not reached from the output")
    dense = []
    for node, i, d in reversed(shares):
        if isinstance(d, Scatter):
            buffer = np.zeros_like(target.data)
            scatter_into(buffer, d)
            d = buffer
        dense.append(Share(node.t, node, i, _constant(np.array(d))))
    return sorted(dense, key=lambda s: (s.t or 0, s.node.id, s.argument))


def value_and_grad(
    f: Callable[..., Tensor], wrt: Tensor | Iterable[Tensor]
) -> Callable[..., tuple[Tensor, list[Tensor]]]:
    """A function that returns f's scalar and its gradients by ``wrt``.

    Raises ValueError for a constant and where f gives no scalar, TypeError for what is
    no Tensor of floating point.

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

    Raises ValueError for another number of vectors, TypeError for what is no Tensor of
    floating point.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.jvp(x * x, x, [1.0, 10.0]).data.tolist()
    [2.0, 40.0]
    """
    _require_recorded(y)
    targets = _targets(wrt)
    vs = _vectors(v, wrt, len(targets), "wrt")
    u = Tensor(Leaf("input", np.zeros(y.shape, y.dtype), "u", *here()))
    rows = vjp(y, targets, u, create_graph=True, unreached="zeros")
    return vjp(rows, u, vs, create_graph=create_graph, unreached="zeros")[0]


def hvp(
    y: Tensor, wrt: Tensor | Iterable[Tensor], v: Any, create_graph: bool = False
) -> list[Tensor]:
    """Hessian-vector products of a scalar, one per tensor of ``wrt``.

    Raises ValueError for another number of vectors, TypeError for what is no Tensor of
    floating point.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.hvp((x**3).sum(), [x], [[1.0, 1.0]])[0].data.tolist()
    [6.0, 12.0]
    """
    _require_recorded(y)
    targets = _targets(wrt)
    vs = _vectors(v, wrt, len(targets), "wrt")
    first = grad(y, targets, create_graph=True, unreached="zeros")
    return vjp(first, targets, vs, create_graph=create_graph, unreached="zeros")


def jacobian(y: Tensor, wrt: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """dy/dw of shape (*y.shape, *w.shape), one per tensor of ``wrt``.

    Raises TraceError inside of a compiled function, and ValueError for a constant,
    TypeError for what is no Tensor of floating point.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> mg.jacobian(x * x, [x])[0].data.tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    if tracing():
        raise TraceError("jacobian gives arrays")
    _require_recorded(y)
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

    Raises ValueError for a constant and where y is no scalar, TypeError for what is no
    Tensor of floating point.

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
    if tracing():
        raise TraceError("backward writes into parameters: return mg.grad(...) instead")
    _require_scalar(loss)
    _require_whole([loss], None)
    leaves = [n for n in reachable([loss.node]) if n.kind == "parameter"]
    if not leaves:
        raise ValueError(
            "no parameter leads to this tensor, so there is no grad to write: what is "
            "learnt is made with mg.parameter, and recorded outside of mg.no_grad()"
        )
    gradients = grad(loss, [Tensor(n) for n in leaves], unreached=unreached)
    changes: list[Change] = [(n, "used", False) for n in leaves]
    for node, gradient in zip(leaves, gradients, strict=True):
        array = gradient.node.value
        # A fresh array that nothing else refers to, so the caller may change it.
        array.setflags(write=True)
        changes.append((node, "grad", array))
    set_at_once(changes)


def _require_whole(ys: Sequence[Tensor], wrt: Sequence[Node] | None) -> None:
    """Raise where a graph ends at a compiled call that depends on a target.

    ``wrt`` is None for all parameters.
    """
    if not Call.made:
        return
    if Call not in {n.scope.__class__ for n in reachable([y.node for y in ys])}:
        return
    seen = {y.node for y in ys}
    stack = list(seen)
    while stack:
        node = stack.pop()
        if isinstance(node.scope, Call):
            behind = reachable(node.scope.reads)
            lost = [
                n
                for n in behind
                if (n.kind == "parameter" if wrt is None else n in wrt)
            ]
            if lost:
                raise ValueError(
                    f"the graph ends at the result of a compiled call, which depends "
                    f"on {lost[0].kind} {lost[0].said}: compile the whole step with "
                    "its mg.grad, or call program.eager; a result that the gradient "
                    "is to leave alone is result.detach()"
                )
        rules = node.op.rules(len(node.inputs)) if node.inputs else ()
        for source, rule in zip(node.inputs, rules, strict=False):
            if rule is not None and source not in seen:
                seen.add(source)
                stack.append(source)


def _targets(wrt: Tensor | Iterable[Tensor]) -> list[Tensor]:
    many = isinstance(wrt, Iterable) and not isinstance(wrt, Tensor)
    targets: list[Any] = [*wrt] if many else [wrt]
    for target in targets:
        if not isinstance(target, Tensor):
            raise TypeError(
                f"wrt holds Tensors, got {type(target).__name__}: pass the parameters "
                "themselves, not their names or arrays"
            )
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


def _vectors(v: Any, of: Any, count: int, name: str) -> list[Any]:
    """One vector for each tensor of a list, or one alone for one tensor."""
    if isinstance(of, Tensor):
        return [v]
    try:
        vectors = list(v)
    except TypeError:  # a number
        vectors = [v]
    if len(vectors) != count:
        raise ValueError(
            f"{name} is a list of {count} tensors and takes a list of as many vectors, "
            f"each of the shape of its tensor: got {len(vectors)}"
        )
    return vectors


def _say(target: Tensor) -> str:
    node = target.node
    if node.inputs:
        return f"tensor {node.said} of shape {target.shape}"
    return f"{node.kind} {node.name or 'without a name'} of shape {target.shape}"


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
    return Tensor(Leaf("constant", value, None, *here()))
