"""The places of nodes: scope path and slot, numbered alike in every recording.

A place says which line of the program made a node. It is the same at every step of a
loop, which is what lets a graph be folded, and the same in two recordings of one
program, which is what lets two graphs be compared.

>>> import minigrad as mg
>>> h = mg.tensor(1.0, name="h0")
>>> for t in mg.steps(3):
...     h = mg.tanh(h)
>>> graph = mg.Graph(h)
>>> len({place for node, place in number_places(graph.nodes).items() if node.inputs})
1
"""

from collections.abc import Iterable
from itertools import count
from typing import Any

from minigrad.scope import LOOP, Scope


def number_places(nodes: Iterable[Any]) -> dict[Any, Any]:
    """Places that do not depend on what else the process has recorded before.

    Outside of loops a scope's number and a slot count everything that ever ran, so
    there they are replaced by their rank in this graph; so are the numbers of gradient
    runs. Inside of a step both start anew and are kept.
    """
    nodes = list(nodes)
    runs: set[int] = {0}
    entries: dict[Any, set[int]] = {}
    bases: dict[Any, set[int]] = {}
    for path in {scope.path for scope in {node.scope for node in nodes}}:
        for i, (name, number, *_) in enumerate(path):
            if _is_free(path, i):
                entries.setdefault((path[:i], name), set()).add(number)
    for node in nodes:
        base = node.slot
        while base.__class__ is tuple:
            runs.add(base[3])
            base = base[0]
        if node.scope.time is None and node.inputs:
            bases.setdefault(node.scope.path, set()).add(base)
    rank_of_run = {run: k for k, run in enumerate(sorted(runs))}
    rank_of_entry = {
        (*where, number): k
        for where, numbers in entries.items()
        for k, number in enumerate(sorted(numbers))
    }
    rank_of_base = {
        (path, base): k
        for path, found in bases.items()
        for k, base in enumerate(sorted(found))
    }
    path_of: dict[Scope, Any] = {}

    def renumber(scope: Scope) -> Any:
        if scope not in path_of:
            path = scope.path
            path_of[scope] = tuple(
                (name, rank_of_entry.get((path[:i], name, number), number), *rest)
                for i, (name, number, *rest) in enumerate(path)
            )
        return path_of[scope]

    leaves = {"parameter": count(), "input": count(), "constant": count()}
    places: dict[Any, Any] = {}
    for node in nodes:
        if not node.inputs and node.time is None:
            places[node] = ((), (node.kind, next(leaves[node.kind])))
            continue
        scope, slot, tail = node.scope, node.slot, []
        while slot.__class__ is tuple:
            slot, argument, k, run = slot
            tail.append((argument, k, rank_of_run[run]))
        if scope.time is None:
            slot = rank_of_base[scope.path, slot]
        places[node] = (renumber(scope), (slot, *reversed(tail)))
    return places


def _is_free(path: Any, i: int) -> bool:
    """Whether entry i of a path lies outside of every step of a loop over time."""
    return all(part[0] != LOOP for part in path[:i])
