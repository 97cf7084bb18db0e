"""What a mutant is: a function of the project, changed in one place.

An operator swapped, an operand or a minus dropped, a number or a comparison changed,
keepdims lost, an addition at indices made an assignment, two arguments swapped; in what
is no gradient rule also a condition negated or a part of it dropped, a statement left
out. A number gets 1 more; but outside of gradient rules a float of 2.0 or more is
doubled: in figures it is a length, and a point more or less of a gap of 16 is taste,
which no test should hold on to, while twice the gap is a fault that one has to see.
"""

import ast
import copy
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[2]
FUNCTIONS = (ast.FunctionDef, ast.Lambda)

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
COMMUTE = ("min", "max", "np.logical_and", "np.logical_or")
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
    commutes = ast.unparse(node.func) in COMMUTE
    starred = any(isinstance(a, ast.Starred) for a in node.args)
    differ = len({ast.dump(a) for a in node.args[:2]}) == 2
    if differ and not starred and not commutes:
        other = copy.copy(node)
        other.args = [node.args[1], node.args[0], *node.args[2:]]
        yield "first two arguments swapped", other
    if ast.unparse(node.func) == "np.add.at":
        place, index, value = node.args
        target = f"({ast.unparse(place)}).__setitem__"
        call = ast.parse(f"{target}(({ast.unparse(index)}), {ast.unparse(value)})")
        yield "add.at to assignment", call.body[0].value  # type: ignore[attr-defined]


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What one node of any function can be replaced by: conditions, statements too."""
    number = node.value if isinstance(node, ast.Constant) else None
    if isinstance(number, float) and number >= 2:
        yield "number doubled", ast.Constant(2 * number)
        return
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


class Replace(ast.NodeTransformer):
    """Put a node in the place of another one."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The replacement where the node is the one."""
        return self.new if node is self.old else self.generic_visit(node)


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


def mutants(
    module: str, every: int = 1
) -> Iterator[tuple[str, dict[CodeType, CodeType]]]:
    """The mutants of a module: a description, and for each old code the new one.

    Of ``minigrad/ops`` the gradient rules are changed, elsewhere all functions.
    """
    path = ROOT / "minigrad" / f"{module.replace('.', '/')}.py"
    source = path.read_text()
    lines = source.splitlines()
    tree = ast.parse(source)
    old = compile(tree, str(path), "exec")
    ruled = module.startswith("ops.") and module != "ops.time"
    change = mutations if ruled else changes
    found = rules(tree) if ruled else ast.walk(tree)
    wanted = {id(n) for f in found if isinstance(f, FUNCTIONS) for n in body(f)}
    # That two lengths agree is said to the reader.
    wanted -= {
        id(k.value)
        for k in ast.walk(tree)
        if isinstance(k, ast.keyword) and k.arg == "strict"
    }
    places = [
        (place, node, name)
        for place, node in enumerate(ast.walk(tree))
        # What a pass says of itself is for people.
        if id(node) in wanted and "return f" not in lines[_line(node) - 1]
        for name, _ in change(node)
    ]
    for place, node, name in places[::every]:
        fresh = ast.parse(source)
        was = list(ast.walk(fresh))[place]
        new = next(made for kind, made in change(was) if kind == name)
        whole = ast.fix_missing_locations(Replace(was, new).visit(fresh))
        said = ast.unparse(node).splitlines()[0][:100]
        line = lines[_line(node) - 1].strip()
        text = f"{module}:{_line(node)}: {name}: {line} [{said}]"
        yield text, dict(changed(old, compile(whole, str(path), "exec")))


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 1)


def changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The functions of a module that differ, each old one with its new one."""
    pair = [
        [c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new)
    ]
    if len(pair[0]) == len(pair[1]):
        for a, b in zip(*pair, strict=True):
            if a != b:
                yield a, b
                yield from changed(a, b)
