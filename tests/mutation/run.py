"""Mutants of the gradient rules: a proof that the tests bite.

    python tests/mutation/run.py [ROOM ...] [--list]

Every gradient rule of ``minigrad/ops`` (the lambdas of each declaration and the private
functions that they use) is changed in one place at a time: an operator swapped, an
operand or a minus dropped, a number or a comparison changed, keepdims lost, an addition
at indices made an assignment, two arguments swapped. For each mutant a fresh process
runs the checks of the table's rows for that room. At least 99 % of the mutants that are
not listed in EQUIVALENT must die; the exit code says so.
"""

import argparse
import ast
import copy
import importlib
import importlib.util
import io
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPS = ROOT / "minigrad" / "ops"
ROOMS = ["elementwise", "reduction", "shape", "linalg", "indexing", "nn", "convolution"]
GOAL = 0.99
SECONDS = 60

# Mutants that compute the same: room, a part of the printed line, and why.
EQUIVALENT = [
    ("elementwise", "swapped: return np.logical_and(above", "`and` commutes"),
    ("elementwise", "return b - 1 if b else 0 [0]", "it is multiplied by b = 0"),
    (
        "elementwise",
        "if a else 0.0 [0.0]",
        "multiplied by y = 0; differs at 0.0**0 alone",
    ),
    ("nn", "first branch alone: g = g if reduction", "a scalar broadcasts as well"),
    ("nn", "np.where(kept, target, 0) [0]", "any class will do, its loss is dropped"),
    ("nn", "np.where(q == 0, 0.0, logp) * q, axis=-1) [0.0]", "multiplied by q = 0"),
    (
        "reduction",
        "swapped: return np.where(y == 0, 0.0, g /",
        "times 0: order 2 alone",
    ),
    ("reduction", "np.where(y == 0, 1.0, y))) [0.0]", "times a deviation of 0"),
    ("reduction", "np.where(y == 0, 1.0, y))) [1.0]", "divides what is not taken"),
    ("reduction", "np.where(y == -np.inf, 0.0, y) [0.0]", "exp(-inf) anyway"),
    ("reduction", "_delayed(np.flip(a, axis), axis, 0.0) [0.0]", "times s(0) = 0"),
    ("reduction", "keepdims lost: wins =", "compared, not differentiated"),
    # Two matrices have a faster path; the general one gives the same.
    ("linalg", "if a.ndim == 2 and b.ndim == 2: [a.ndim == 2]", "a faster path"),
    ("linalg", "if a.ndim == 2 and b.ndim == 2: [b.ndim == 2]", "a faster path"),
    ("linalg", "if a.ndim == 2 and b.ndim == 2: [2]", "a faster path"),
    ("linalg", "optimize=len(xs) > 2", "how it is computed, not what"),
    ("linalg", "second branch alone: single", "einsum copies what has no diagonal"),
    ("linalg", "second branch alone: return d if", "the same"),
    ("convolution", "if any(margins) else x", "padding by nothing copies"),
    ("convolution", "swapped: spread = filters.swapaxes(1, 2)", "swaps both ways"),
    ("convolution", "swapped: return (by_group @ columns", "swaps both ways"),
    ("convolution", "minus dropped: return (by_group @ columns", "2 is -2 of four"),
    ("indexing", "swapped: return np.clip(index, 0, n - 1)", "clips 0 by index: alike"),
]

SWAPS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Pow: ast.Mult,
}
COMPARISONS = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def rules(tree: ast.Module) -> Iterator[ast.AST]:
    """The parts of a module that are gradient rules."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                yield from lambdas(decorator)
            # A private function serves rules; a transposed map is one.
            if node.name.startswith(("_", "un", "conv1d_to")):
                yield node
        elif isinstance(node, ast.Assign):
            yield from lambdas(node.value)


def lambdas(node: ast.AST) -> Iterator[ast.AST]:
    """The bodies of the lambdas within a node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Lambda):
            yield inner


def mutations(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What one node can be replaced by, with a name."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in SWAPS:
            other = copy.copy(node)
            other.op = SWAPS[type(node.op)]()
            yield f"{type(node.op).__name__} to {type(other.op).__name__}", other
        yield "left operand alone", node.left
        yield "right operand alone", node.right
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus dropped", node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in COMPARISONS.get(type(node.ops[0]), ()):
            other = copy.copy(node)
            other.ops = [kind()]
            yield f"{type(node.ops[0]).__name__} to {kind.__name__}", other
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "bool flipped", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield "number plus 1", ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield "first branch alone", node.body
        yield "second branch alone", node.orelse
    elif isinstance(node, ast.Call):
        yield from call_mutations(node)
    elif isinstance(node, ast.AugAssign):
        yield "augmented to plain", ast.Assign([node.target], node.value)


def call_mutations(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    """Calls: an argument dropped, two swapped, np.add.at to an assignment."""
    for k, keyword in enumerate(node.keywords):
        if keyword.arg in ("keepdims", "axis", "offset", "axis1", "axis2", "reduction"):
            other = copy.copy(node)
            other.keywords = node.keywords[:k] + node.keywords[k + 1 :]
            yield f"{keyword.arg} lost", other
    if len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        other = copy.copy(node)
        other.args = [node.args[1], node.args[0], *node.args[2:]]
        yield "first two arguments swapped", other
    if ast.unparse(node.func) == "np.add.at":
        place, index, value = node.args
        target = f"({ast.unparse(place)}).__setitem__"
        call = ast.parse(f"{target}(({ast.unparse(index)}), {ast.unparse(value)})")
        yield "add.at to assignment", call.body[0].value  # type: ignore[attr-defined]


class Replace(ast.NodeTransformer):
    """Put a node in the place of another one."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The replacement where the node is the one."""
        return self.new if node is self.old else self.generic_visit(node)


def mutants(room: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a room: a description and the whole source."""
    source = (OPS / f"{room}.py").read_text()
    tree = ast.parse(source)
    lines = source.splitlines()
    numbered = list(ast.walk(tree))
    wanted = {id(inner) for rule in rules(tree) for inner in body(rule)}
    for place, node in enumerate(numbered):
        if id(node) not in wanted:
            continue
        for name, _ in mutations(node):
            fresh = ast.parse(source)
            old = list(ast.walk(fresh))[place]
            new = next(made for kind, made in mutations(old) if kind == name)
            changed = ast.fix_missing_locations(Replace(old, new).visit(fresh))
            line = getattr(node, "lineno", 0)
            text = f"{room}:{line}: {name}: {lines[line - 1].strip()}"
            yield f"{text} [{ast.unparse(node)}]", ast.unparse(changed)


def body(rule: ast.AST) -> Iterator[ast.AST]:
    """What may be changed of a rule: not its defaults, annotations and messages."""
    parts = [rule.body] if isinstance(rule, ast.Lambda) else rule.body  # type: ignore[attr-defined]
    stack = list(parts)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Raise, ast.JoinedStr)):
            continue
        yield node
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reshape":
            stack.append(node.func)  # NumPy takes any negative length for -1
            continue
        stack += [
            child
            for name, value in ast.iter_fields(node)
            if name not in ("annotation", "returns", "decorator_list", "args")
            or isinstance(node, ast.Call)
            for child in (value if isinstance(value, list) else [value])
            if isinstance(child, ast.AST)
        ]


class Mutated:
    """An import hook that hands out one module with another source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        """The spec of the one module; the loader below runs the given source."""
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: object) -> None:
        """As usual."""

    def exec_module(self, module: object) -> None:
        """Run the mutant's source."""
        exec(compile(self.source, f"<{self.name}>", "exec"), vars(module))


def survives(room: str, source: str) -> bool:
    """Whether all checks pass in a process of its own."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        signal.alarm(SECONDS)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("error")
            sys.meta_path.insert(0, Mutated(f"minigrad.ops.{room}", source))
            checks(room)
        code = 0
    finally:
        os._exit(code)


def checks(room: str) -> None:
    """All rows of the table, the room's own first: other rules use its functions."""
    from minigrad.testing import table
    from minigrad.testing.row import CHECKS

    own = importlib.import_module(f"minigrad.testing.table.{room}").ROWS
    for row in [*own, *(row for row in table.ROWS if row not in own)]:
        for check in CHECKS:
            if check not in row.skips:
                row.run(check)


def main() -> int:
    """Run the mutants of the rooms and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", default=ROOMS, metavar="ROOM")
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    import hypothesis  # noqa: F401  # loaded once, not in every child
    import numpy  # noqa: F401

    sys.path.insert(0, str(ROOT))
    made = killed = excused = 0
    for room in options.rooms:
        for text, source in mutants(room):
            if options.list:
                print(text)
                continue
            made += 1
            if not survives(room, source):
                killed += 1
                continue
            reason = next(
                (why for r, part, why in EQUIVALENT if r == room and part in text), None
            )
            excused += reason is not None
            print(f"{'equivalent' if reason else 'SURVIVED'}: {text}", flush=True)
    if options.list:
        return 0
    share = killed / max(1, made - excused)
    print(f"{made} mutants, {killed} killed, {excused} equivalent: {share:.1%}")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
