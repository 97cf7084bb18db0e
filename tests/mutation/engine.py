"""Mutants of the engine and of folding: a proof that their tests bite.

    python tests/mutation/engine.py [MODULE ...] [--every N] [--list]

Each function of floors 1, 2, 3 and 5 is changed in one place at a time, as in
``passes.py``, and statements are dropped too: an order of execution, a sum of
cotangents, an un-broadcast, a switch that is put back, a proof of folding. For each
mutant a process of its own imports the engine and runs the tests of that module, the
quick ones. At least 90 % of the mutants that are not listed in EQUIVALENT must die; the
exit code says so.
"""

import argparse
import ast
import io
import linecache
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from passes import changes, failing_once
from run import ROOT, Mutated, Replace, body

GRADIENTS = ["test_grad", "test_robust", "test_programs"]
FOLDING = ["test_fold", "draw/test_models"]
TESTS = {
    "scope": ["test_scope", "test_robust", "test_fold"],
    "places": ["test_graph", "test_fold"],
    "graph": ["test_graph", "test_graph_json", "test_fold"],
    "graph_json": ["test_graph_json"],
    "op": ["test_op", "test_tensor", *GRADIENTS],
    "tensor": ["test_tensor", "test_op", *GRADIENTS],
    "pullback": [*GRADIENTS, "test_tensor", "test_op", "test_fold"],
    "grad": [*GRADIENTS, "compile/test_program"],
    "contract": FOLDING,
    "fold": FOLDING,
    "recurrence": FOLDING,
    "ahead": FOLDING,
}
# Tests of growth and of Ctrl-C at every line, which take seconds.
QUICK = "not 10_000 and not ten_thousand and not 100_000 and not interrupt"
GOAL = 0.90
SECONDS = 30
EQUIVALENT: list[tuple[str, str, str]] = []


def dropped(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A statement that is a call, left out."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "statement dropped", ast.Pass()


def mutants(module: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a module: a description and the whole source."""
    source = (ROOT / "minigrad" / f"{module}.py").read_text()
    lines = source.splitlines()
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    wanted = {id(inner) for function in functions for inner in body(function)}
    for place, node in enumerate(ast.walk(tree)):
        if id(node) not in wanted:
            continue
        for name, _ in [*changes(node), *dropped(node)]:
            fresh = ast.parse(source)
            old = list(ast.walk(fresh))[place]
            made = [*changes(old), *dropped(old)]
            new = next(new for kind, new in made if kind == name)
            changed = ast.fix_missing_locations(Replace(old, new).visit(fresh))
            line = getattr(node, "lineno", 1)
            text = f"{module}:{line}: {name}: {lines[line - 1].strip()}"
            yield f"{text} [{ast.unparse(node)[:60]}]", ast.unparse(changed)


def survives(module: str, source: str) -> bool:
    """Whether the tests pass in a process of its own."""
    import pytest

    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        signal.alarm(SECONDS)
        name = f"minigrad.{module}"
        sys.meta_path.insert(0, Mutated(name, source))
        # For tests that read the lines of what they trace.
        lines = source.splitlines(keepends=True)
        linecache.cache[f"<{name}>"] = (len(source), None, lines, f"<{name}>")
        quiet = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "-k", QUICK]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            files = [f"tests/{name}.py" for name in TESTS[module]]
            code = any(pytest.main([*quiet, file]) for file in files)
    finally:
        os._exit(code)


def main() -> int:
    """Run the mutants and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=list(TESTS), metavar="MODULE")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = failing_once()
    sys.path.insert(0, str(ROOT))
    import numpy  # noqa: F401  # loaded once, not in every child

    made = killed = excused = 0
    for module in () if options.list else options.modules:
        whole = (ROOT / "minigrad" / f"{module}.py").read_text()
        assert survives(module, whole), f"the tests of {module} fail as it is"
    found = [(m, *mutant) for m in options.modules for mutant in mutants(m)]
    for module, text, source in found[:: options.every]:
        if options.list:
            print(text)
            continue
        made += 1
        if not survives(module, source):
            killed += 1
            continue
        known = [why for m, part, why in EQUIVALENT if m == module and part in text]
        excused += bool(known)
        print(f"{'equivalent' if known else 'SURVIVED'}: {text}", flush=True)
    if options.list:
        return 0
    share = killed / max(1, made - excused)
    print(f"{made} mutants, {killed} killed, {excused} equivalent: {share:.1%}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
