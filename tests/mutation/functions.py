"""Mutants of rules, engine, folding, programs, analysis, figures: do the tests bite?

    python tests/mutation/functions.py [MODULE ...] [--every N] [--list]

Each function of a module is changed in one place at a time, as ``operators.py`` says;
of ``minigrad/ops`` the gradient rules alone: the lambdas of each declaration and the
private functions that they use. The tests are collected once, and run once to learn
which of them enters which function. A mutant is a forked process in which the function
has its new code; the tests of its floor that enter it run, the quick ones first, until
one fails. One that changes nothing has to live: so it is the change that kills. A
mutant that is not listed in EQUIVALENT must die: 99 % of the gradient rules', of the
others what stands at their floor, and the exit code says so. All floors are to reach
95 %; those of figures over time and of pages stand at what a fresh sample has shown.
"""

import argparse
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.mutation.operators import ROOT, mutants


class Floor(NamedTuple):
    """Modules of one kind, the tests that are to bite their mutants, and how many."""

    modules: list[str]
    tests: list[str]
    goal: float


OPS = ["elementwise", "transcendental", "reduction", "shape", "linalg", "indexing"]
OPS += ["nn", "binary", "convolution"]
ENGINE = ["scope", "places", "graph", "graph_json", "op", "tensor", "pullback", "grad"]
ENGINE += ["likeness", "attributes", "assign", "protocol", "cotangent", "recorded"]
FOLDING = ["contract", "folding", "operands", "gathers", "moving_index", "recurrence"]
FOLDING += ["roles", "unfolding", "linear", "stepping"]
FOLDING = [f"fold.{room}" for room in FOLDING]
FILES = [
    "scope",
    "op",
    "eager",
    "tensor",
    "grad",
    "graph",
    "graph_json",
    "programs",
    "fold",
]
FILES += ["robust", "optim", "linear", "step"]
PROGRAMS = ["rules", "opening", "schedule", "looks", "memory", "lift", "reading"]
PROGRAMS += ["connected", "counts"]
PROGRAMS = [f"compile.{room}" for room in PROGRAMS]
ANALYSIS = ["steps", "jacobians", "fixed_points", "attribution", "gradients"]
ANALYSIS = [f"analysis.{room}" for room in ANALYSIS]

VIEW = ["items", "plan", "routes", "rows", "layout_ops", "frames", "repeats"]
VIEW = [f"draw.ops.{room}" for room in VIEW]
PAGE = ["curves", "fonts", "labels", "latex", "letters", "nearness", "scene", "sheet"]
PAGE = [f"draw.page.{room}" for room in [*PAGE, "words"]]
RENDER = ["audit", "axes", "dot", "engine", "svg", "theme", "tikz"]
RENDER = [f"draw.render.{room}" for room in RENDER]
BOOK = ["aligned", "between", "chart", "collapsed", "column", "columns", "cut"]
BOOK += ["drawing", "folded", "grid", "kinds", "lanes", "layout_backward"]
BOOK += ["layout_time", "loops", "marks", "nested", "nets", "overlay", "ports"]
BOOK += ["reading", "recorded", "steps", "symbolic", "unfolded", "ways", "weights"]
BOOK = [f"draw.textbook.{room}" for room in BOOK]
TOP = ["choices", "figure", "legend", "measure", "pictures", "sizes", "spacing"]
TOP = [f"draw.{room}" for room in [*TOP, "stretch", "views"]]
SITE = [f"draw.html.{room}" for room in ("frames", "numbers", "page", "written")]


def sources(modules: list[str]) -> list[str]:
    """The files of modules, for their doctests."""
    return [f"minigrad/{module.replace('.', '/')}.py" for module in modules]


def drawn(rooms: str) -> list[str]:
    """The tests of some rooms of figures."""
    return [f"tests/draw/test_{room}.py" for room in rooms.split()]


def some(room: str, tests: str) -> list[str]:
    """Some tests of a room of figures, by how their names begin."""
    named = filter(None, map(str.strip, tests.split(",")))
    return [f"tests/draw/test_{room}.py::test_{test}" for test in named]


# Of files that take long only what is quick, or what no other test sees. Figures that
# are judged from outside tell what is missing, invented, touched, hidden or swapped.
JUDGED = """lstm_in_slices-textbook, residual-textbook, residual-symbolic,
    two_loops-textbook, two_loops-nodes, model encoder-decoder-textbook,
    model stacked lstm-folded, model attention-unfolded, random 15-unfolded,
    random 24-unfolded, random 33-symbolic, random 42-textbook, random 51-nodes,
    random 60-backward"""
NESTED = """turns_, what_, the_circuit, a_loop, one_start, loops_three, a_frame_has,
    a_frame_counts, a_gradient"""
for net in ("nested", "three_deep", "two_states"):
    NESTED += f", a_figure_of_loops_in_loops_is_true_and_clear[{net}-textbook]"
ROOMS = """chart column cut drawing folded grid kinds lanes layout_backward layout_time
    loops overlay ports steps symbolic ways"""
CHARTED = [
    *drawn(ROOMS),
    *some("collapsed", "states, more, networks, what"),
    *some("nested", NESTED),
    *some("stretch", "backward_in, the_figure_says"),
    *(
        f"tests/draw/test_figures.py::test_a_figure_is_true_and_clear[{figure.strip()}]"
        for figure in JUDGED.split(",")
    ),
    *some("figure", "golden_bytes"),
]
LEGENDS = """a_legend_has_what_the_figure_has_and_no_more[many, a_dashed, letters,
    a_legend_stands, a_legend_is"""
SAVED = """formats, open_files, a_resolution, a_notebook, a_figure_keeps, nothing,
    svg_titles, notebooks_get"""
ASKED = [
    *drawn("choices layout_backward measure spacing stretch words"),
    *some("legend", LEGENDS),
    *some("figure", SAVED),
    *some("layout_time", "shapes_values, a_folded_graph, another_parameter"),
]

SEEN = [
    *drawn("layout_ops frames rows kinds_of_faults"),
    *some("figure", "golden_bytes"),
]

WRITTEN = [
    *drawn("labels letters nearness words svg audit kinds_of_faults"),
    *some("figure", "golden_bytes"),
]
RULES = [f"ops.{room}" for room in OPS]
TIMED = ["ops.time", *ENGINE, *FOLDING]
FLOORS = [
    Floor(RULES, ["tests/ops/test_table.py", *sources(RULES)], 0.99),
    Floor(TIMED, [f"tests/test_{f}.py" for f in FILES] + sources(TIMED), 0.90),
    Floor(PROGRAMS, ["tests/compile", *sources(PROGRAMS)], 0.90),
    Floor(ANALYSIS, ["tests/analysis", *sources(ANALYSIS)], 0.90),
    Floor(VIEW, [*SEEN, *sources(VIEW)], 0.70),
    Floor(PAGE, [*WRITTEN, *sources(PAGE)], 0.60),
    Floor(RENDER, [*drawn("audit axes svg tikz theme"), *sources(RENDER)], 0.90),
    Floor(BOOK, [*CHARTED, *sources(BOOK)], 0.75),
    Floor(TOP, [*ASKED, *sources(TOP)], 0.85),
    Floor(SITE, ["tests/draw/html/test_page.py", *sources(SITE)], 0.60),
]
MODULES = [module for floor in FLOORS for module in floor.modules]
# Tests of growth and of Ctrl-C at every line, which take seconds.
QUICK = "not 10_000 and not ten_thousand and not 100_000 and not interrupt "
QUICK += "and not hash_seed"
SECONDS = 20  # of processor time
EXAMPLES = 12  # of a random test, unless it says how many
BYTES = 4 << 30

# Mutants that compute the same: module, a part of the printed line, and why.
EQUIVALENT = [
    ("ops.elementwise", "return b - 1 if b else 0 [0]", "it is multiplied by b = 0"),
    ("ops.elementwise", "b == 0), 0.0, b - 1) [0.0]", "it is multiplied by b = 0"),
    (
        "ops.elementwise",
        "if a else 0.0 [0.0]",
        "multiplied by y = 0; differs at 0.0**0 alone",
    ),
    ("ops.transcendental", "swapped: radius = _kept_apart(np.hypot", "alike both ways"),
    ("ops.transcendental", "swapped: lambda g, y, a, b: -g * _over", "a is said twice"),
    ("ops.transcendental", "swapped: lambda g, y, x: g / np.hypot", "alike both ways"),
    ("ops.transcendental", "np.where(y == 0, 1.0, y) [1.0]", "divides 0"),
    ("ops.transcendental", "y == -np.inf, 0.0, y)) [0.0]", "exp(-inf) anyway"),
    ("ops.nn", "(kept) == 0, 0.0, y)", "it is multiplied by counts of 0"),
    ("ops.nn", "first branch alone: g = g if reduction", "a scalar broadcasts as well"),
    ("ops.nn", "Mult to Div: loss = loss * np.nan", "nan both ways"),
    (
        "ops.nn",
        "np.where(kept, target, 0) [0]",
        "any class will do, its loss is dropped",
    ),
    (
        "ops.nn",
        "np.where(q == 0, 0.0, logp) * q, axis=-1) [0.0]",
        "multiplied by q = 0",
    ),
    (
        "ops.reduction",
        "swapped: return np.where(y == 0, 0.0, g /",
        "times 0: order 2 alone",
    ),
    ("ops.reduction", "np.where(y == 0, 1.0, y))) [0.0]", "times a deviation of 0"),
    ("ops.reduction", "np.where(y == 0, 1.0, y))) [1.0]", "divides what is not taken"),
    ("ops.reduction", "np.where(y == -np.inf, 0.0, y) [0.0]", "exp(-inf) anyway"),
    ("ops.reduction", "_delayed(np.flip(a, axis), axis, 0.0) [0.0]", "times s(0) = 0"),
    ("ops.reduction", "keepdims lost: wins =", "compared, not differentiated"),
    # Two matrices have a faster path; the general one gives the same.
    ("ops.linalg", "if a.ndim == 2 and b.ndim == 2: [a.ndim == 2]", "a faster path"),
    ("ops.linalg", "if a.ndim == 2 and b.ndim == 2: [b.ndim == 2]", "a faster path"),
    ("ops.linalg", "if a.ndim == 2 and b.ndim == 2: [2]", "a faster path"),
    ("ops.linalg", "optimize=len(xs) > 2", "how it is computed, not what"),
    ("ops.linalg", "second branch alone: single", "einsum copies what has no diagonal"),
    ("ops.linalg", "second branch alone: return d if", "the same"),
    ("ops.convolution", "if any(margins) else x", "padding by nothing copies"),
    ("ops.convolution", "swapped: spread = filters.swapaxes(1, 2)", "swaps both ways"),
    ("ops.convolution", "swapped: return (by_group @ columns", "swaps both ways"),
    (
        "ops.convolution",
        "minus dropped: return (by_group @ columns",
        "2 is -2 of four axes",
    ),
    ("ops.indexing", "second branch alone: Scatter(g, index)", "a faster path"),
    (
        "ops.indexing",
        "swapped: return np.clip(index, 0, n - 1)",
        "clips 0 by index: alike",
    ),
    ("pullback", "second branch alone: attrs = node.attrs if", "a faster path"),
    ("pullback", "condition 0 dropped: if old and", "a faster path"),
    ("pullback", "condition 0 dropped: inner != shape", "a faster path"),
    ("pullback", "not Scatter and not record: [d.__class__", "it fits already"),
    ("pullback", "Lt to LtE: old =", "no id is given twice"),
    ("pullback", "Gt to GtE: if old and", "no id is given twice"),
    ("pullback", "number plus 1: reached =", "ids begin at 1"),
    ("pullback", "swapped: np.add(parts[node], d", "a sum commutes"),
    (
        "pullback",
        "swapped: scope = source.scope.rule(",
        "a name of its own all the same",
    ),
    ("op", "second branch alone: k: v if v.__class__ in ATOMS", "a faster path"),
    ("op", 'number plus 1: return Leaf("constant", value', "any number does"),
    ("op", "first branch alone: bad =", "whole numbers are finite"),
    (
        "grad",
        "second branch alone: return _constant(g) if",
        "it becomes one at the end",
    ),
    (
        "grad",
        "second branch alone: d = _constant(d if own",
        "a copy that is not needed",
    ),
    ("tensor", "0 dropped: if isinstance(node, Leaf) and", "for the type checker"),
    ("tensor", "number plus 1: deque(starmap(", "there is nothing to keep"),
    ("graph", "number plus 1: self.version = 0", "no consumer has a lower id"),
    ("graph", "Gt to GtE: if time is not None and time[1]", "it sets what is there"),
    ("graph", "condition 0 dropped: return a is b or", "a faster path"),
    ("places", "number plus 1: runs", "a number below those of all runs"),
    ("fold.contract", "slot, self.untimed = self.untimed", "numbers of their own"),
    ("fold.contract", "number plus 1: place", "compared with each other alone"),
    ("fold.contract", "number plus 1: scope = Scope((*node.scope", "any number"),
    ("fold.folding", "first branch alone: length = self.len", "for the type checker"),
    ("fold.folding", "swapped: pairs = enumerate(zip(usual", "alike both ways"),
    ("fold.folding", "swapped: if (v or first) and not same", "alike both ways"),
    ("fold.operands", ".t or 0", "for the type checker"),
    ("fold.roles", "(e if e > 0", "an end is never 0"),
    ("fold.unfolding", "minus dropped: stack = wanted[::-1]", "only ids differ"),
    ("fold.unfolding", "condition 0 dropped: if role.span is None", "type checker"),
    ("fold.moving_index", "if isinstance(a, int) and not", "differs as number"),
    ("draw.textbook.collapsed", "run.rise > 0) [0]", "what is raised is so by more"),
    ("draw.textbook.drawing", "halves(own, cut)[:2][half] [2]", "half is 0 or 1"),
    ("draw.textbook.drawing", "in group.later), default=0) [0]", "then none is found"),
    (
        "draw.textbook.folded",
        "Gt to GtE: if (self.middle + column",
        "verticals are 13 apart",
    ),
    ("draw.textbook.steps", "Gt to GtE: [key for key, s in", "an offset is never 0"),
    (
        "draw.textbook.drawing",
        "Gt to GtE: if cut is not None and half",
        "nothing begins at the cut",
    ),
    ("draw.textbook.lanes", "Sub to Add: if best >= before", "more rounds, no change"),
    ("draw.textbook.lanes", "Sub to Add: far = max(up", "the same for all of a row"),
    ("draw.textbook.lanes", "condition 0 dropped: if not {a.source", "a faster path"),
    ("draw.textbook.loops", "found = 0.0 [0.0]", "lanes are wider anyway"),
    ("draw.sizes", "Gt to GtE: while steps", "the same figure is drawn again"),
    ("draw.pictures", "condition 1 dropped: if asked.values", "for the type checker"),
]

Key = tuple[str, str, int]  # of a function: file, qualified name, first line


def key(code: CodeType) -> Key:
    """What tells a function from all others."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


class Runner:
    """A plugin of pytest: runs the collected tests once for each mutant."""

    def __init__(self, modules: list[str], every: int) -> None:
        self.modules, self.every = modules, every
        self.under = 0

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """The tests of the floors alone, where they name some tests of a file."""
        floors = [f for f in FLOORS if {*f.modules} & {*self.modules}]
        tests = tuple(test for floor in floors for test in floor.tests)
        items[:] = [item for item in items if item.nodeid.startswith(tests)]

    def pytest_runtestloop(self, session: Any) -> bool:
        """In place of pytest's own loop."""
        entered, seconds = self.learn(session)
        functions: dict[CodeType, list[FunctionType]] = {}
        for module in self.modules:
            importlib.import_module(f"minigrad.{module}")
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                functions.setdefault(thing.__code__, []).append(thing)
        gc.freeze()
        for floor in FLOORS:
            found = [
                (module, *mutant)
                for module in floor.modules
                if module in self.modules
                for mutant in mutants(module, self.every)
            ]
            items = sorted(
                (i for i in session.items if i.nodeid.startswith((*floor.tests,))),
                key=lambda item: seconds[item.nodeid],
            )
            whole = sum(seconds[item.nodeid] for item in items)
            if found and not fork(lambda i=items: mutated({}, session, i), whole):
                raise AssertionError("where nothing is changed a test fails in a fork")
            killed = excused = 0
            for module, text, codes in found:
                new = {f: codes[c] for c in codes for f in functions.get(c, ())}
                keys = set(map(key, codes))
                own = [item for item in items if keys & entered[item.nodeid]]
                usual = sum(seconds[item.nodeid] for item in own)
                if not fork(lambda n=new, i=own: mutated(n, session, i), usual):
                    killed += 1
                    continue
                known = [why for m, s, why in EQUIVALENT if m == module and s in text]
                excused += bool(known)
                print(f"{'equivalent' if known else 'SURVIVED'}: {text}", flush=True)
            if found:
                share = killed / max(1, len(found) - excused)
                self.under += share < floor.goal
                print(
                    f"{len(found)} mutants, {killed} killed, {excused} equivalent: "
                    f"{share:.1%} (goal {floor.goal:.0%})",
                    flush=True,
                )
        return True

    def learn(self, session: Any) -> tuple[dict[str, set[Key]], dict[str, float]]:
        """Which functions each test enters, and how long it takes."""
        reading, writing = os.pipe()

        def measure() -> bool:
            entered: dict[str, set[Key]] = {}
            seconds = {}
            for item in session.items:
                found: set[CodeType] = set()
                sys.settrace(lambda frame, *_: found.add(frame.f_code))  # noqa: B023
                start = time.process_time()
                passed = passes(session, [item])
                seconds[item.nodeid] = time.process_time() - start
                sys.settrace(None)
                entered[item.nodeid] = set(map(key, found))
                if not passed:
                    raise AssertionError(f"{item.nodeid} fails as it is")
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump((entered, seconds), pipe)
            return True

        child = os.fork()
        if not child:
            os.close(reading)
            measure()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            learnt = pickle.load(pipe)
        os.waitpid(child, 0)
        return learnt


def fork(run: Any, usual: float) -> bool:
    """What a function returns in a process of its own; False if that dies.

    It has 20 seconds more than ``usual``: what is slow is not dead.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS + usual)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        code = 0 if run() else 1
    finally:
        os._exit(code)


def mutated(changed: dict[FunctionType, CodeType], session: Any, items: Any) -> bool:
    """Whether the tests pass with the new code in the functions."""
    for function, code in changed.items():
        if function.__code__.co_freevars == code.co_freevars:
            function.__code__ = code
    return passes(session, items)


def passes(session: Any, items: list[Any]) -> bool:
    """Run tests until one fails."""
    for item, after in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.testsfailed:
            return False
    return True


def main() -> int:
    """Run the mutants and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    if options.list:
        for module in options.modules:
            for text, _ in mutants(module):
                print(text)
        return 0
    os.chdir(ROOT)
    import pytest
    from hypothesis import Phase, settings

    # What fails is not made smaller, nor tried again.
    only = [Phase.explicit, Phase.generate]
    settings.register_profile(
        "once",
        max_examples=EXAMPLES,
        phases=only,
        derandomize=True,
        deadline=None,
        database=None,
    )
    os.environ["HYPOTHESIS_PROFILE"] = "once"
    runner = Runner(options.modules, options.every)
    floors = [f for f in FLOORS if {*f.modules} & {*options.modules}]
    found = (test.partition("::")[0] for floor in floors for test in floor.tests)
    tests = dict.fromkeys(found)
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-s", "--assert=plain"]
    code = pytest.main([*quiet, "-k", QUICK, *tests], plugins=[runner])
    return 1 if code or runner.under else 0


if __name__ == "__main__":
    sys.exit(main())
