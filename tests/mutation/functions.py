"""Mutants of the engine, of folding and of the compiler's passes: do the tests bite?

    python tests/mutation/functions.py [MODULE ...] [--every N] [--list]

Each function of a module is changed in one place at a time: expressions as in
``run.py``, a condition negated or a part of it dropped, a statement left out. The tests
are collected once, and run once to learn which of them enters which function. A mutant
is a forked process in which the function has its new code; the tests that enter it run,
the quick ones first, until one fails: those of the compiler for its passes, the others
for the rest. At least 90 % of the mutants that are not listed
in EQUIVALENT must die; the exit code says so.
"""

import argparse
import ast
import copy
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from run import ROOT, Replace, body, mutations

ENGINE = ["scope", "places", "graph", "graph_json", "op", "tensor", "pullback", "grad"]
FOLDING = ["contract", "fold", "recurrence", "ahead"]
PASSES = [f"compile.{m}" for m in ("passes", "additions", "uniform", "losses")]
MODULES = [*ENGINE, *FOLDING, *PASSES]
FILES = ["scope", "op", "tensor", "grad", "graph", "graph_json", "programs", "fold"]
TESTS = [f"tests/test_{file}.py" for file in [*FILES, "robust", "optim"]]
TESTS += ["tests/compile", *(f"minigrad/{m.replace('.', '/')}.py" for m in MODULES)]
# Tests of growth and of Ctrl-C at every line, which take seconds.
QUICK = "not 10_000 and not ten_thousand and not 100_000 and not interrupt"
GOAL = 0.90
SECONDS = 20  # of processor time
EXAMPLES = 12  # of a random test, unless it says how many
BYTES = 4 << 30

# Mutants that compute the same: module, a part of the printed line, and why.
EQUIVALENT: list[tuple[str, str, str]] = []

Key = tuple[str, str, int]  # of a function: file, qualified name, first line


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What one node can be replaced by: as in run.py, conditions and statements."""
    yield from mutations(node)
    if isinstance(node, ast.BoolOp):
        for k in range(len(node.values)):
            left = node.values[:k] + node.values[k + 1 :]
            one = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
            yield f"condition {k} dropped", one
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", node.operand
    elif isinstance(node, ast.If):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield "condition negated", negated
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "statement dropped", ast.Pass()


def mutants(module: str) -> Iterator[tuple[str, CodeType]]:
    """Every mutant of a module: a description and the code of the whole."""
    path = ROOT / "minigrad" / f"{module.replace('.', '/')}.py"
    source = path.read_text()
    lines = source.splitlines()
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    wanted = {id(inner) for function in functions for inner in body(function)}
    # That two lengths agree is said to the reader.
    wanted -= {
        id(k.value)
        for k in ast.walk(tree)
        if isinstance(k, ast.keyword) and k.arg == "strict"
    }
    for place, node in enumerate(ast.walk(tree)):
        line = lines[getattr(node, "lineno", 1) - 1]
        # What a pass says of itself is for people.
        if id(node) not in wanted or "return f" in line:
            continue
        for name, _ in changes(node):
            fresh = ast.parse(source)
            old = list(ast.walk(fresh))[place]
            new = next(made for kind, made in changes(old) if kind == name)
            changed = ast.fix_missing_locations(Replace(old, new).visit(fresh))
            said = ast.unparse(node).splitlines()[0][:60]
            number = getattr(node, "lineno", 0)
            text = f"{module}:{number}: {name}: {line.strip()} [{said}]"
            yield text, compile(changed, str(path), "exec")


def codes(code: CodeType) -> Iterator[CodeType]:
    """All code within a code."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def key(code: CodeType) -> Key:
    """What tells a function from all others."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


class Runner:
    """A plugin of pytest: runs the collected tests once for each mutant."""

    def __init__(self, modules: list[str], every: int) -> None:
        self.modules, self.every = modules, every
        self.share = 0.0

    def pytest_runtestloop(self, session: Any) -> bool:
        """In place of pytest's own loop."""
        entered, seconds = self.learn(session)
        functions: dict[Key, list[FunctionType]] = {}
        for module in self.modules:
            importlib.import_module(f"minigrad.{module}")
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                functions.setdefault(key(thing.__code__), []).append(thing)
        gc.freeze()
        made = killed = excused = 0
        found = [(m, *mutant) for m in self.modules for mutant in mutants(m)]
        for module, text, whole in found[:: self.every]:
            changed = {
                f: code
                for code in codes(whole)
                for f in functions.get(key(code), ())
                if f.__code__ != code
            }
            new = set(map(key, changed.values()))
            items = [
                item
                for item in sorted(session.items, key=lambda i: seconds[i.nodeid])
                if new & entered[item.nodeid]
                and ("compile" in module) == ("compile" in item.nodeid)
            ]
            made += 1
            if not fork(lambda c=changed, i=items: mutated(c, session, i)):
                killed += 1
                continue
            known = [why for m, part, why in EQUIVALENT if m == module and part in text]
            excused += bool(known)
            print(f"{'equivalent' if known else 'SURVIVED'}: {text}", flush=True)
        self.share = killed / max(1, made - excused)
        print(
            f"{made} mutants, {killed} killed, {excused} equivalent: {self.share:.1%}",
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


def fork(run: Any) -> bool:
    """What a function returns in a process of its own; False if that dies."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
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
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-s", "--assert=plain"]
    pytest.main([*quiet, "-k", QUICK, *TESTS], plugins=[runner])
    return 0 if runner.share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
