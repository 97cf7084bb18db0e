"""``equations``: the symbols of a program, and the gradient that is recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.equations.build import Builder, region_of
from minigrad.equations.equations import Equations
from minigrad.equations.symbols import Symbol, Symbols
from minigrad.fold.folding import Folding
from minigrad.fold.recurrence import Recurrence
from minigrad.grad import grad
from minigrad.graph import Graph, Node
from minigrad.op import registry
from minigrad.pullback import between
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

    Raises FoldError where the steps of a loop differ, TypeError for a graph of other
    things than recorded operations, ValueError where nothing was recorded or for
    ``wrt`` beside functions, and what ``mg.grad`` raises. The equations are those of
    the recorded number of steps, for which T stands.

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
    scopes = {scope: name for name, scope in (functions or {}).items()}
    _require(graph, scopes)
    if scopes and wrt:
        raise ValueError(
            "a gradient is made of what a function hides: give wrt without functions"
        )
    targets = [] if scopes else _targets(graph, wrt)
    symbols = Symbols()
    folding = Folding(graph)
    said = folding, folding.recurrence(), symbols, scopes
    _name_lines(*said)
    builder = Builder(*said)
    again = _name_shared(builder, bool(targets))
    if targets:
        folding = Folding(_with_gradient(builder, targets))
        said = folding, folding.recurrence(), symbols, scopes
        builder = Builder(*said)
        again = _name_shared(builder, False)
        for symbol in symbols.by_key.values():  # 1/T is written in its place
            trees = symbol.trees.values()
            symbol.number = bool(trees) and all(e.number is not None for e in trees)
            again = again or symbol.number
    if again:
        builder = Builder(*said)
    return Equations(builder, _has_columns(graph))


def _require(graph: Graph, scopes: Mapping[str, str]) -> None:
    """Raise where a graph has no equations."""
    for node in graph.nodes:
        if node.op is not None and registry.get(node.op.name) is not node.op:
            raise TypeError(
                f"equations are those of recorded operations, and {node.label} is "
                "none: give the loss itself, not its contraction nor a graph that was "
                "read from text"
            )
    if not any(o.inputs for o in graph.outputs):
        raise ValueError("nothing was recorded: the output depends on nothing")
    unknown = set(scopes).difference(p[0] for n in graph.nodes for p in n.scope.path)
    if unknown:
        raise ValueError(f"nothing was recorded in a scope named {', '.join(unknown)}")


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


def _with_gradient(builder: Builder, targets: list[Node]) -> Graph:
    """The graph with the gradient by all that has a symbol, and is on the way."""
    symbols, folding = builder.symbols, builder.folding
    for node in targets:
        if node not in symbols.of:
            symbols.line(folding, folding.role_of[node], symbols.letter())
    (y,) = builder.graph.outputs
    _, live = between([y], targets)
    named = (
        n for n in builder.graph.nodes if n in live and n is not y and n in symbols.of
    )
    values = [n for n in named if symbols.of[n][0].kind == "value"]
    by = list(dict.fromkeys([*values, *targets]))
    found = grad(Tensor(y), [Tensor(n) for n in by], True, "zeros")
    for node, d in zip(by, found, strict=True):
        symbols.gradient(node, d.node)
    return Graph([y, *found])


def _name_lines(
    folding: Folding, recurrence: Recurrence, symbols: Symbols, scopes: Any
) -> None:
    """Symbols of what has a name, of states, and of the outputs."""
    graph, role_of = folding.graph, folding.role_of
    sources = [s for r in recurrence.roles for s in r.sources]
    crossing = {s.role for s in sources if s.delay and s.kind == "delay"}
    outside = {role_of[o] for o in graph.outputs}
    for node in graph.nodes if scopes else ():
        for i in node.inputs:
            if region_of(i, scopes) != region_of(node, scopes):
                outside.add(role_of[i])
    outputs = []
    for index, (first, *_) in enumerate(folding.members):
        name = first.name or getattr(first, "letter", None)
        if first.op is None:
            if folding.times[first] is None and first.kind != "constant":
                symbols.leaf(folding, index)  # leaves have the first choice of names
        elif region_of(first, scopes) is not None and index not in outside:
            continue
        elif first.op.name == "step":
            loops = [p for p in first.scope.path if p[0] == LOOP]
            if not first.inputs[0].inputs and len(loops) == 1:
                symbols.line(folding, index, name or "x", "step")
            elif name:
                symbols.line(folding, index, name)
        elif name or index in crossing:
            recorded = first.slot.__class__ is Slot
            symbols.line(folding, index, name or ("δ" if recorded else "s"))
        elif first in graph.outputs:
            outputs.append(index)
    for index in outputs:
        size = np.size(folding.members[index][0].value)
        _name_loss(symbols, symbols.line(folding, index, "loss" if size == 1 else "y"))
    y, *others = graph.outputs
    total = not others and not outputs and not y.name and np.size(y.value) == 1
    if total and y in symbols.of and symbols.of[y][1] is not None:
        symbol = symbols.new("loss", dtype=np.asarray(y.value).dtype)
        symbols.also.append((y, symbol, None))
        _name_loss(symbols, symbol)


def _name_loss(symbols: Symbols, symbol: Symbol) -> None:
    """The loss is L, or J beside an L of the program's."""
    if symbol.key == "loss":
        taken = "L" in symbols.by_key and symbols.by_key["L"].clock is None
        symbol.name = "J" if taken else "L"


def _name_shared(builder: Builder, with_gradient: bool) -> bool:
    """Symbols of what is large and read more than once; whether there is any."""
    roles, members, symbols = builder.roles, builder.folding.members, builder.symbols
    readers: dict[int, list[str]] = {}
    size: dict[int, int] = {}
    depth: dict[int, int] = {}
    below = [{s.role for s in r.sources} for r in roles]
    for role in roles:
        for operand in role.operands:
            for q in {s.role for s in operand}:
                readers.setdefault(q, []).append(role.op.name)
    found = False
    for q, role in enumerate(roles):
        node = members[q][-1]
        e = builder.trees[node]
        size[q] = min(e.size, sum([size.get(i, 1) for i in below[q]]))
        depth[q] = min(e.depth, 1 + max([depth.get(i, 0) for i in below[q]], default=0))
        if node in symbols.of or role.op is None:
            size[q], depth[q] = 1, 1
            continue
        read = readers.get(q, [])
        again = len(read) + (with_gradient and role.op.name in READ_AGAIN) > 1
        large = (again and size[q] >= LARGE) or depth[q] > DEEP
        if large and region_of(node, builder.scopes) is None:
            gates = role.op.name == "sigmoid" and {*read} == {"getitem"}
            named = next(iter(below[q])) if gates and len(below[q]) == 1 else q
            if members[named][-1] not in symbols.of:
                letter = "δ" if node.slot.__class__ is Slot else symbols.letter()
                symbols.line(builder.folding, named, letter)
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
