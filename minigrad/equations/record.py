"""``equations``: the symbols of a program, and the gradient that is recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.equations.build import Builder, region_of
from minigrad.equations.equations import Equations
from minigrad.equations.symbols import Symbols
from minigrad.fold.folding import Folding
from minigrad.fold.roles import Role
from minigrad.grad import grad
from minigrad.graph import Graph, Node
from minigrad.op import registry
from minigrad.scope import LOOP, Slot
from minigrad.tensor import Tensor

# What is read twice and has so many letters is computed once, under a letter; so is
# what has so many ops in a row.
LARGE, DEEP = 5, 40
# The gradient of these reads their value.
READ_AGAIN = frozenset(["tanh", "sigmoid", "exp", "softmax"])


def equations(
    loss: Any,
    wrt: Tensor | Iterable[Tensor] | None = None,
    functions: Mapping[str, str] | None = None,
) -> Equations:
    """The equations of what was recorded, and of its gradient, in the book's notation.

    Parameters
    ----------
    loss: a Tensor, a list of them, or a Graph. Of a single number the gradient is
        written too.
    wrt: what the gradient is taken by; None for all parameters, [] for no gradient.
    functions: scopes that are written as a function, by its name:
        ``{"f": "its scope"}``; then no gradient is, which is one of what is inside.

    Raises FoldError where the steps of a loop differ, and what ``mg.grad`` raises. The
    equations are those of the recorded number of steps, for which T stands.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = mg.tanh(h @ W).named("h")
    >>> equations(h.sum())
    h(t) = tanh(W h(t-1))
    L = h(T)
    ∇h(T) = 1
    ∇h(t) = Wᵀ diag(1 - (h(t+1))²) ∇h(t+1),   t = T-1, .., 1
    ∇W = Σ_t diag(1 - (h(t))²) ∇h(t) h(t-1)ᵀ
    """
    graph = loss if isinstance(loss, Graph) else Graph(loss)
    for node in graph.nodes:
        if node.op is not None and registry.get(node.op.name) is not node.op:
            raise TypeError(
                f"equations are those of recorded operations, and {node.label} is "
                "none: give the loss itself, not its contraction nor a graph that was "
                "read from text"
            )
    if not any(o.inputs for o in graph.outputs):
        raise ValueError("nothing was recorded: the output depends on nothing")
    scopes = {scope: name for name, scope in (functions or {}).items()}
    unknown = set(scopes).difference(p[0] for n in graph.nodes for p in n.scope.path)
    if unknown:
        raise ValueError(f"nothing was recorded in a scope named {', '.join(unknown)}")
    if scopes and wrt:
        raise ValueError(
            "a gradient is made of what a function hides: give wrt without functions"
        )
    targets = [] if scopes else _targets(graph, wrt)
    symbols = Symbols(graph)
    forward = Folding(graph)
    _name_lines(symbols, forward, forward.recurrence().roles, scopes)
    builder = Builder(graph, symbols, scopes)
    again = _name_shared(builder, bool(targets))
    whole = graph
    for node in targets:
        if node not in symbols.of:
            role = builder.folding.role_of[node]
            symbols.line(builder.folding, role, symbols.letter())
    if targets:
        (y,) = graph.outputs
        between = _between(graph, y, targets)
        by = [
            n for n in between if n in symbols.of and symbols.of[n][0].kind == "value"
        ]
        by = list(dict.fromkeys([*by, *targets]))
        found = grad(Tensor(y), [Tensor(n) for n in by], True, "zeros")
        for node, d in zip(by, found, strict=True):
            symbols.gradient(node, d.node)
        whole = Graph([*graph.outputs, *found])
    if again or targets:
        builder = Builder(whole, symbols, scopes)
    if targets:
        _name_shared(builder, False)
        for symbol in symbols.by_key.values():  # 1/T is written in its place
            trees = symbol.trees.values()
            symbol.number = bool(trees) and all(e.number is not None for e in trees)
        builder = Builder(whole, symbols, scopes)
    return Equations(builder, _has_columns(graph))


def _targets(graph: Graph, wrt: Tensor | Iterable[Tensor] | None) -> list[Node]:
    """What the gradient is taken by, with the errors of ``grad``."""
    if wrt is None:
        y, *others = graph.outputs
        number = not others and y.inputs and np.size(y.value) == 1
        floating = number and np.asarray(y.value).dtype.kind == "f"
        return list(graph.parameters) if floating else []
    given = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    if given and len(graph.outputs) > 1:
        raise ValueError("a gradient is that of one loss: give one Tensor, or wrt=[]")
    if given:
        grad(Tensor(graph.outputs[0]), given)
    return [w.node for w in given]


def _between(graph: Graph, y: Node, wrt: list[Node]) -> list[Node]:
    """What lies on a way from ``wrt`` to y along which a gradient comes back."""
    reached, stack = {y}, [y]
    while stack:
        node = stack.pop()
        rules = node.op.rules(len(node.inputs)) if node.inputs else ()
        for source, rule in zip(node.inputs, rules, strict=False):
            if rule is not None and source not in reached:
                reached.add(source)
                stack.append(source)
    depends = set(wrt)
    for node in graph.nodes:
        if not depends.isdisjoint(node.inputs):
            depends.add(node)
    return [
        n
        for n in graph.nodes
        if n in reached and n in depends and n is not y and n.value.dtype.kind == "f"
    ]


def _name_lines(
    symbols: Symbols,
    folding: Folding,
    roles: tuple[Role, ...],
    scopes: Mapping[str, str],
) -> None:
    """Symbols of what has a name, of states, and of the outputs."""
    sources = [s for role in roles for operand in role.operands for s in operand]
    crossing = {s.role for s in sources if s.delay and s.kind == "delay"}
    outside = {folding.role_of[o] for o in folding.graph.outputs}
    for node in folding.graph.nodes if scopes else ():
        for i in node.inputs:
            if region_of(i, scopes) != region_of(node, scopes):
                outside.add(folding.role_of[i])
    outputs = []
    for role in roles:
        first = folding.members[role.index][0]
        name = role.name or getattr(first, "letter", None)
        if role.op is None:
            if role.clock is None and role.kind != "constant":
                symbols.leaf(first, role)  # leaves have the first choice of names
        elif region_of(first, scopes) is not None and role.index not in outside:
            continue
        elif role.op.name == "step":
            loops = [p for p in first.scope.path if p[0] == LOOP]
            if not first.inputs[0].inputs and len(loops) == 1:
                symbols.line(folding, role.index, name or "x", "step")
            elif name:
                symbols.line(folding, role.index, name)
        elif name or role.index in crossing:
            recorded = first.slot.__class__ is Slot
            symbols.line(folding, role.index, name or ("δ" if recorded else "s"))
        elif first in folding.graph.outputs:
            outputs.append(role.index)
    for index in outputs:
        value = folding.members[index][0].value
        symbol = symbols.line(folding, index, "loss" if np.size(value) == 1 else "y")
        if symbol.key == "loss":
            taken = "L" in symbols.by_key and symbols.by_key["L"].clock is None
            symbol.name = "J" if taken else "L"


def _name_shared(builder: Builder, with_gradient: bool) -> bool:
    """Symbols of what is large and read more than once; whether there is any."""
    roles, members = builder.roles, builder.folding.members
    readers: dict[int, list[str]] = {}
    for role in roles:
        for operand in role.operands:
            for q in {s.role for s in operand}:
                readers.setdefault(q, []).append(role.op.name)
    size: dict[int, int] = {}
    depth: dict[int, int] = {}
    found = False
    for q, role in enumerate(roles):
        node = members[q][-1]
        e = builder.trees[node]
        below = {s.role for operand in role.operands for s in operand}
        size[q] = min(e.size, sum([size.get(i, 1) for i in below]))
        depth[q] = min(e.depth, 1 + max([depth.get(i, 0) for i in below], default=0))
        if node in builder.symbols.of or role.op is None:
            size[q], depth[q] = 1, 1
            continue
        read = readers.get(q, [])
        again = len(read) + (with_gradient and role.op.name in READ_AGAIN) > 1
        if (again and size[q] >= LARGE) or depth[q] > DEEP:
            if region_of(node, builder.scopes) is not None:
                continue
            gates = role.op.name == "sigmoid" and {*read} == {"getitem"}
            named = next(iter(below)) if gates and len(below) == 1 else q
            if members[named][-1] not in builder.symbols.of:
                letter = (
                    "δ" if node.slot.__class__ is Slot else builder.symbols.letter()
                )
                builder.symbols.line(builder.folding, named, letter)
                found = True
            size[q] = size[named] = depth[q] = 1
    return found


def _has_columns(graph: Graph) -> bool:
    """Whether the program multiplies by its parameters from the left: W @ h."""
    count = Counter(
        node.inputs[0].kind == "parameter"
        for node in graph.nodes
        if node.op is not None and node.op.name in ("matmul", "dot")
        and [i.kind for i in node.inputs].count("parameter") == 1
    )  # fmt: skip
    return count[True] > count[False]
