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

from minigrad.scope import LOOP, Clock, Path, Run, Scope, Slot


def number_places(nodes: Iterable[Any]) -> dict[Any, Any]:
    """Places that do not depend on what else the process has recorded before.

    Outside of loops a scope's number, a slot and a run count everything that ever ran,
    so there they are replaced by their rank in this graph. Inside of a step all of them
    start anew and are kept.
    """
    nodes = list(nodes)
    places = _Places(nodes)
    leaves = {"parameter": count(), "input": count(), "constant": count()}
    found: dict[Any, Any] = {}
    for node in nodes:
        if not node.inputs and node.time is None:
            found[node] = ((), (node.kind, next(leaves[node.kind])))
        else:
            found[node] = (places.path(node.scope), places.slot(node))
    return found


class _Places:
    """The ranks of what is numbered outside of loops, and places made with them."""

    def __init__(self, nodes: list[Any]) -> None:
        self.clocks: dict[Clock, int] = {}
        entries: dict[Any, set[int]] = {}
        bases: dict[Path, set[int]] = {}
        self.runs: dict[Run, Any] = {}
        scopes = set()
        for node in nodes:
            slot = node.slot
            scopes.add(node.scope)
            if node.time is not None:
                self.clocks.setdefault(node.time[0], len(self.clocks))
            while slot.__class__ is not int:
                if slot.__class__ is Slot:
                    self.runs[slot.run] = None
                    slot = slot.base
                else:  # the constant that is an operand of ``slot[0]``
                    slot = slot[0]
            if node.scope.time is None and node.inputs:
                bases.setdefault(node.scope.path, set()).add(slot)
        runs: dict[Path, set[int]] = {}
        for run in self.runs:
            scopes.add(run.scope)
            if run.scope.time is not None:
                self.clocks.setdefault(run.scope.time[0], len(self.clocks))
            else:
                runs.setdefault(run.scope.path, set()).add(run.slot)
        for path in {scope.path for scope in scopes}:
            for i, (name, number, *_) in enumerate(path):
                if _is_free(path, i):
                    entries.setdefault((path[:i], name), set()).add(number)
        self.entry, self.base, self.run = _ranks(entries), _ranks(bases), _ranks(runs)
        self.paths: dict[Scope, Path] = {}
        for run in self.runs:
            number = self.run.get((run.scope.path, run.slot), run.slot)
            self.runs[run] = (self.path(run.scope), number)

    def path(self, scope: Scope) -> Path:
        """A scope's path, its numbers outside of loops as ranks."""
        path = self.paths.get(scope)
        if path is None:
            path = self.paths[scope] = tuple(
                (name, self.entry.get(((scope.path[:i], name), number), number), *rest)
                for i, (name, number, *rest) in enumerate(scope.path)
            )
        return path

    def slot(self, node: Any) -> Any:
        """A slot as (base, (part, k, run), ..), what a rule recorded last.

        A constant that is the i-th operand of a node has (i,) behind that node's.
        """
        slot, tail = node.slot, []
        while slot.__class__ is not int:
            if slot.__class__ is Slot:
                tail.append((slot.part, slot.k, self._run(slot.run, node.scope)))
                slot = slot.base
            else:
                tail.append(slot[1:])
                slot = slot[0]
        if node.scope.time is None:
            slot = self.base[node.scope.path, slot]
        return (slot, *reversed(tail))

    def _run(self, run: Run, scope: Scope) -> Any:
        """A run, and how many steps later than the node it was asked for."""
        if run.scope.time is None:
            return self.runs[run]
        clock, t = run.scope.time
        if scope.time is not None and scope.time[0] is clock:
            return (*self.runs[run], t - scope.time[1])
        return (*self.runs[run], ("at", self.clocks[clock], t))


def _ranks(numbers: dict[Any, set[int]]) -> dict[Any, int]:
    """(where, number) -> the rank of the number among those there."""
    return {
        (where, number): k
        for where, found in numbers.items()
        for k, number in enumerate(sorted(found))
    }


def _is_free(path: Path, i: int) -> bool:
    """Whether entry i of a path lies outside of every step of a loop over time."""
    return all(part[0] != LOOP for part in path[:i])
