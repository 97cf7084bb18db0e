"""What editors and type checkers are told of ops: ``python tests/typing/stubs.py``.

An op is an object that was made by a call, so nothing in the source says what it takes.
The op itself knows. Its parameters and its docstring are written as a function here: in
``minigrad/__init__.pyi`` for the names in ``mg``, in ``minigrad/methods.pyi`` for the
methods of a Tensor. Both are part of the project, and a test keeps them current.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike

import minigrad as mg
from minigrad.methods import Methods
from minigrad.op import Op, registry

HERE = Path(mg.__file__).parent
ON_USE: dict[str, str] = vars(mg)["_ON_USE"]
MADE = "# Made by tests/typing/stubs.py from the ops themselves.\n"
OPERAND = "Tensor | ArrayLike"
FACE_IMPORTS = """
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, overload

from numpy.typing import ArrayLike, DTypeLike

"""
METHODS_IMPORTS = """
from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from minigrad.tensor import Tensor

class Methods:
"""
FACE = """
_P = ParamSpec("_P")

class Op(_Declared):
{Op}    @overload
    def __call__(
        self, x: Tensor | Sequence[Tensor], /, *more: Any, **attrs: Any
    ) -> Tensor: ...
    @overload
    def __call__(self, x: Any, y: Tensor, /, *more: Any, **attrs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, **attrs: Any) -> Any: ...

def op(
    *vjps: Callable[..., Any] | None, **options: Any
) -> Callable[[Callable[..., Any]], Op]:
{op}
class _Op(Op, Generic[_P]):
    def __call__(  # type: ignore[override]
        self, *args: _P.args, **attrs: _P.kwargs
    ) -> Tensor: ...

def _op(forward: Callable[_P, Tensor]) -> _Op[_P]: ...

__version__: str
"""
# What functions of arrays say that they give, and what they give for Tensors.
RESULTS: dict[Any, str] = {Any: "Tensor", list[Any]: "list[Tensor]"}
# Python's names of the operators, with the number of operands.
UNARY = ("neg", "abs", "invert")
BINARY = ("add", "sub", "mul", "truediv", "pow", "matmul")
MASKS = ("lt", "le", "gt", "ge", "and", "or")


def face() -> str:
    """The text of ``minigrad/__init__.pyi``."""
    source = (HERE / "__init__.py").read_text(encoding="utf-8")
    imports = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            node.names = [
                alias
                for alias in node.names
                if not isinstance(getattr(mg, alias.name), mg.Op)
                and not composed(getattr(mg, alias.name))
            ]
            imports += [f"{ast.unparse(node)}\n"] if node.names else []
    imports += [f"from {room} import {name}\n" for name, room in ON_USE.items()]
    declared = "from minigrad.op import Op, op\n"
    imports[imports.index(declared)] = declared.replace("Op, op", "Op as _Declared")
    ops = [
        f"@_op\n{function(name, getattr(mg, name))}"
        for name in mg.__all__
        if isinstance(getattr(mg, name), mg.Op)
    ]
    ops += [
        of_tensors(name, getattr(mg, name))
        for name in mg.__all__
        if composed(getattr(mg, name))
    ]
    named = "".join(f"    {name!r},\n" for name in mg.__all__).replace("'", '"')
    told = FACE
    for name in ("Op", "op"):
        told = told.replace(f"{{{name}}}", said(getattr(mg, name).__doc__))
    head = [f'"""{mg.__doc__}"""\n', MADE, FACE_IMPORTS, *imports, told]
    return "".join([*head, *ops, f"\n__all__ = [\n{named}]\n"])


def methods() -> str:
    """The text of ``minigrad/methods.pyi``."""
    lines = [MADE, METHODS_IMPORTS]
    for name in vars(Methods):
        if not name.startswith("_"):
            lines.append(indented(function(name, registry[name], method=True)))
    for name in UNARY:
        lines.append(f"    def __{name}__(self) -> Tensor: ...\n")
    for name in BINARY:
        for side in ("", "r"):
            lines.append(operator(side + name))
    lines += [operator(name) for name in MASKS]
    ignored = "  # type: ignore[override]"
    lines += [operator(name, ignored) for name in ("eq", "ne")]
    lines.append("    def __getitem__(self, key: Any) -> Tensor: ...\n")
    lines.append("    def __hash__(self) -> int: ...\n")
    return "".join([*lines, "\ndef install() -> None: ...\n"])


def operator(name: str, comment: str = "") -> str:
    return f"    def __{name}__(self, other: {OPERAND}) -> Tensor: ...{comment}\n"


def said(doc: str | None) -> str:
    """A docstring as it stands below a class or a function."""
    text = inspect.cleandoc(doc or "")
    end = "\n" if "\n" in text else ""
    return indented(f'"""{text}{end}"""\n')


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def function(name: str, op: Op, method: bool = False) -> str:
    """A declaration of the op, with its docstring."""
    taken = list(parameters(op))
    if method:
        taken[0] = "self"
    line = f"def {name}({', '.join(taken)}) -> Tensor:\n"
    if len(line) > 80:
        line = f"def {name}(\n    {f',{chr(10)}    '.join(taken)},\n) -> Tensor:\n"
    return line + said(op.__doc__)


def composed(thing: Any) -> bool:
    """Whether a function is made of ops and, like them, gives arrays for arrays."""
    if not inspect.isfunction(thing):
        return False
    given = inspect.signature(thing).return_annotation
    return thing.__module__.startswith("minigrad.ops.") and given in RESULTS


def of_tensors(name: str, function: Any) -> str:
    """A declaration of a function that is made of ops, with its docstring."""
    signature = inspect.signature(function)
    taken = []
    for p in signature.parameters.values():
        kind = f"Sequence[{OPERAND}]" if p.annotation == Sequence[Any] else OPERAND
        if p.annotation not in (Any, Sequence[Any]):
            kind = written(p.annotation)
        elif p.default is None:
            kind += " | None"
        default = "" if p.default is p.empty else f" = {p.default!r}"
        taken.append(f"{p.name}: {kind}{default}")
    result = RESULTS[signature.return_annotation]
    line = f"def {name}(\n    {f',{chr(10)}    '.join(taken)},\n) -> {result}:\n"
    return line + said(function.__doc__)


def parameters(op: Op) -> Iterator[str]:
    """Each parameter with its type and default."""
    for p in op.__signature__.parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            kind = OPERAND
        elif p.name not in op.operands or p.annotation is str:
            kind = written(p.annotation)
        else:
            kind = f"Sequence[{OPERAND}]" if op.variadic else OPERAND
            kind += " | None" if p.default is None else ""
        bare = p.replace(annotation=p.empty, default=p.empty)
        default = "" if p.default is p.empty else f" = {p.default!r}"
        yield f"{bare}: {kind}{default}".replace("'", '"')


def written(annotation: Any) -> str:
    """A type as it stands in source."""
    if annotation in (Any, inspect.Parameter.empty):
        return "Any"
    if annotation == DTypeLike:
        return "DTypeLike"
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return str(annotation).replace("collections.abc.", "")


STUBS = {"__init__.pyi": face, "methods.pyi": methods}

if __name__ == "__main__":
    for name, text in STUBS.items():
        (HERE / name).write_text(text(), encoding="utf-8")
