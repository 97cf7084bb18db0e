"""Mutants of the compiler's passes: a proof that their tests bite.

    python tests/mutation/passes.py [--every N] [--list]

As ``run.py`` for the gradient rules, and with conditions negated and their parts
dropped too. For each mutant a forked process runs tests/compile. At least 90 % must
die; the exit code says so. ``--every 5`` takes every fifth mutant.
"""

import argparse
import ast
import copy
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from run import ROOT, Replace, body, mutations

MODULES = ["passes", "additions", "uniform", "losses"]
TESTS = ["tests/compile/test_passes.py", "tests/compile/test_program.py"]
GOAL = 0.90
SECONDS = 30


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What one node can be replaced by: expressions as in run.py, and conditions."""
    yield from mutations(node)
    if isinstance(node, ast.BoolOp):
        for k in range(len(node.values)):
            other = copy.copy(node)
            other.values = node.values[:k] + node.values[k + 1 :]
            yield f"condition {k} dropped", other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", node.operand
    elif isinstance(node, ast.If):
        other = copy.copy(node)
        other.test = ast.UnaryOp(ast.Not(), node.test)
        yield "condition negated", other


def mutants(module: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a module: a description and the whole source."""
    source = (ROOT / "minigrad" / "compile" / f"{module}.py").read_text()
    lines = source.splitlines()
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    wanted = {id(inner) for function in functions for inner in body(function)}
    for place, node in enumerate(ast.walk(tree)):
        # What a pass says of itself is for people.
        if (
            id(node) not in wanted
            or "return f" in lines[getattr(node, "lineno", 1) - 1]
        ):
            continue
        for name, _ in changes(node):
            fresh = ast.parse(source)
            old = list(ast.walk(fresh))[place]
            new = next(made for kind, made in changes(old) if kind == name)
            changed = ast.fix_missing_locations(Replace(old, new).visit(fresh))
            line = getattr(node, "lineno", 1)
            text = f"{module}:{line}: {name}: {lines[line - 1].strip()}"
            yield f"{text} [{ast.unparse(node)[:60]}]", ast.unparse(changed)


def failing_once() -> str:
    """A profile of hypothesis: what fails is not made smaller, nor tried again."""
    from hypothesis import Phase, settings

    only = [Phase.explicit, Phase.generate]
    settings.register_profile("once", phases=only, derandomize=True, deadline=None)
    return "once"


def survives(module: str, source: str) -> bool:
    """Whether the tests pass in a process of its own."""
    import pytest

    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        signal.alarm(SECONDS)
        changed = importlib.import_module(f"minigrad.compile.{module}")
        exec(compile(source, f"<{module}>", "exec"), vars(changed))
        # The list of passes holds functions: it is made anew of the changed ones.
        passes = importlib.import_module("minigrad.compile.passes")
        if changed is not passes:
            text = Path(str(passes.__file__)).read_text()
            exec(compile(text, "<passes>", "exec"), vars(passes))
        quiet = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            code = int(pytest.main([*quiet, *TESTS]))
    finally:
        os._exit(code)


def main() -> int:
    """Run the mutants and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = failing_once()
    sys.path.insert(0, str(ROOT))
    import minigrad  # noqa: F401  # loaded once, not in every child

    found = [(m, *mutant) for m in options.modules for mutant in mutants(m)]
    made = killed = 0
    for module, text, source in found[:: options.every]:
        if options.list:
            print(text)
            continue
        made += 1
        if survives(module, source):
            print(f"SURVIVED: {text}", flush=True)
        else:
            killed += 1
    if options.list:
        return 0
    share = killed / max(1, made)
    print(f"{made} mutants, {killed} killed: {share:.1%}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
