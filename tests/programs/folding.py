"""Graphs of random programs: their text, their folds, their contractions.

Every check looks at the graph of the results and at that of the gradient. A fold may be
refused where the program says that it has holes: where values of some steps alone are
read. A graph that is unfolded to another length equals the one recorded there, or the
unfolding is refused.

>>> from tests.programs.recurrence import draw_recurrence
>>> trial = Trial(draw_recurrence("recurrence/0/0"))
>>> trial.check(folded)
"""

import zlib
from collections import Counter
from typing import Any

import numpy as np

from minigrad.grad import grad
from minigrad.graph import Graph
from minigrad.mode import Mode, TraceError, current_mode
from minigrad.tensor import Tensor, tensor
from tests.programs.agreement import DisagreementError, Trial, words_of
from tests.programs.listing import Listing

LENGTHS = (8, 9)  # at which recurrences are folded: 2 D + 2 for a delay of D = 3
SHORT = range(2, 6)

CODE = """
def recorded(T):
    given = []
    for k, a in enumerate(arguments(T, {batch}, 1)):
        if not isinstance(a, (bool, int, float)):
            a = np.asarray(a)
            a = mg.tensor(a, name=f"a{{k}}", requires_grad=a.dtype.kind == "f")
        given.append(a)
    loss, *also = forward(*given)
    return mg.Graph([loss, *also{gradients}])

{rest}"""

RESTS = {
    "text": """\
graph = recorded({long})
assert mg.Graph.from_json(graph.to_json()).same_as(graph)""",
    "folded": """\
graph = {view}(recorded({long}))
folded = mg.fold(graph)
print(folded.unfold(folded.lengths).difference(graph))""",
    "linear": """\
from tests.programs.one_step import why_not_linear
print(why_not_linear(recorded({long})))""",
    "stepped": """\
from tests.programs.one_step import why_not_stepped
print(why_not_stepped(recorded({long})))""",
    "longer": """\
graph, wanted = {view}(recorded({long})), {view}(recorded({other}))
unfolded = mg.fold(graph).unfold(list(wanted.clocks.values()))
print(unfolded.difference(wanted))""",
}


class Recorded:
    """The graph of a trial at a length, and how a check of it fails."""

    def __init__(self, trial: Trial, check: str, with_gradient: bool) -> None:
        self.trial = trial
        self.listing = trial.listing
        self.check = f"{check}, gradient" if with_gradient else check
        self.with_gradient = with_gradient
        self.batch = trial.listing.calls[0].batch

    def at(self, steps: int) -> Graph | None:
        """The recorded program: arguments are inputs with names.

        None where it has to be traced, and reads a value as it runs.
        """
        listing, trial = self.listing, self.trial
        given: list[Any] = []
        for k, a in enumerate(trial.names["arguments"](steps, self.batch, 1)):
            word = f"mg.tensor(${listing.arguments[k].id}"
            made = any(word in line.text for line in listing.lines)  # a leaf of its own
            if not isinstance(a, (bool, int, float)) and not made:
                value = np.asarray(a.data if isinstance(a, Tensor) else a)
                a = tensor(value, f"a{k}", requires_grad=value.dtype.kind == "f")
            given.append(a)
        before = current_mode.get()
        try:
            # What is detached is a constant of an eager run, and an op of a traced one.
            if "detached" in listing.marks:
                current_mode.set(Mode.TRACE)
            results = trial.names["forward"](*given)
            if self.with_gradient:
                wrt = listing.leaves(given, trial.names)
                results += grad(results[0], wrt, create_graph=True, unreached="zeros")
        except TraceError:
            trial.aside.append("recorded: it reads a value")
            return None
        finally:
            current_mode.set(before)
        return Graph(results)

    def fail(
        self,
        how: str,
        said: str,
        rest: str,
        long: int,
        other: int = 0,
        view: str = "",
    ) -> DisagreementError:
        """The failure with code that shows it."""
        listing = self.listing
        ids = [a.id for a in listing.arguments]
        wrt = ", ".join(
            f"given[{ids.index(w)}]" if w in ids else listing.word(w)
            for w in listing.wrt
        )
        more = f', *mg.grad(loss, [{wrt}], True, "zeros")' if self.with_gradient else ""
        code = CODE.format(
            batch=self.batch,
            gradients=more,
            rest=RESTS[rest].format(long=long, other=other, view=view),
        )
        return DisagreementError(self.check, how, said, code)


def text(trial: Trial) -> None:
    """A graph comes back from its text."""
    steps = LENGTHS[0]
    for with_gradient in (False, True):
        recorded = Recorded(trial, "text", with_gradient)
        graph = recorded.at(steps)
        if graph is None:
            continue
        try:
            same = Graph.from_json(graph.to_json()).same_as(graph)
        except Exception as error:
            raise recorded.fail(words_of(error), "", "text", steps) from error
        if not same:
            raise recorded.fail("another graph comes back", "", "text", steps)


def folded(trial: Trial) -> None:
    """A fold unfolds to its graph."""
    _folded(trial, "folded", "")


def contracted(trial: Trial) -> None:
    """The fold of the named values unfolds to their graph."""
    _folded(trial, "contracted", "mg.contract")


def _folded(trial: Trial, check: str, name: str) -> None:
    from minigrad.fold import FoldError, fold

    steps = LENGTHS[0]
    for with_gradient in (False, True):
        recorded = Recorded(trial, check, with_gradient)
        whole = recorded.at(steps)
        graph = whole and _viewed(whole, name)
        if graph is None:
            continue
        try:
            recurrence = fold(graph)
            difference = recurrence.unfold(recurrence.lengths).difference(graph)
        except Exception as error:
            if isinstance(error, FoldError) and "holes" in trial.listing.marks:
                trial.refusals.append(f"fold: {error}")
                continue
            how = words_of(error)
            raise recorded.fail(how, "", "folded", steps, view=name) from error
        if difference is not None:
            how = "it unfolds to another graph"
            raise recorded.fail(how, difference, "folded", steps, view=name)


def longer(trial: Trial) -> None:
    """A fold unfolds to the graph recorded at a greater length, or is refused."""
    listing = trial.listing
    if listing.kind != "recurrence" or "length" in listing.marks:
        return
    for with_gradient in (False, True):
        recorded = Recorded(trial, "longer", with_gradient)
        other = recorded.at(LENGTHS[1])
        for steps in (LENGTHS[0], _short(listing)):
            graph = recorded.at(steps)
            if graph is None or other is None:
                continue
            if _outside(other) != _outside(graph):
                trial.aside.append("longer: its length shows outside of the loops")
                continue
            # What a gradient's contraction lists depends on what it meets first.
            for name in ("",) if with_gradient else ("", "mg.contract"):
                _longer(recorded, graph, other, steps, name)


def _longer(
    recorded: Recorded, graph: Graph, other: Graph, steps: int, name: str
) -> None:
    from minigrad.fold import FoldError, fold

    start, wanted = _viewed(graph, name), _viewed(other, name)
    if start is None or wanted is None:
        return
    kind = f"{name} of {'few' if steps in SHORT else 'many'} steps".strip()
    try:
        unfolded = fold(start).unfold(tuple(wanted.clocks.values()))
        difference = unfolded.difference(wanted)
    except (FoldError, ValueError) as error:
        recorded.trial.refusals.append(f"unfold, {kind}: {error}")
        return
    except Exception as error:
        how = f"{kind}: {words_of(error)}"
        raise recorded.fail(how, "", "longer", steps, LENGTHS[1], name) from error
    if difference is not None:
        how = f"{kind}: it unfolds to another graph"
        raise recorded.fail(how, difference, "longer", steps, LENGTHS[1], name)


def _viewed(graph: Graph, name: str) -> Graph | None:
    """The graph, or that of its named values where there are some."""
    from minigrad.fold import contract

    if not name:
        return graph
    named = any(n.name and n.kind != "parameter" for n in graph.nodes)
    return contract(graph) if named else None


def _short(listing: Listing) -> int:
    """A length of 2 to 5 steps, the same for the same program."""
    return SHORT[zlib.crc32(listing.origin.encode()) % len(SHORT)]


def _outside(graph: Graph) -> Counter[Any]:
    """What stands outside of the loops: ops, and how many operands have no time."""
    return Counter(
        (n.op and n.op.name, sum(i.time is None for i in n.inputs))
        for n in graph.nodes
        if n.time is None
    )
