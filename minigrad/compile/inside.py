"""How each op is written for one step: into a buffer that is given, where it can.

``batch`` uses it too, for what has no way of being written over all steps at once.
"""

import numpy as np

from minigrad.compile.line import Line
from minigrad.compile.storage import writes
from minigrad.compile.writer import Writer


def added(terms: list[str], out: str, prefix: str) -> list[str]:
    """A sum, whose terms may be what ``out`` holds already, even more than once."""
    rest = [term for term in terms if term != out]
    held = len(terms) - len(rest)
    if held > 1:
        lines = [f"{prefix}multiply({out}, {held}, {out})"]
    elif held:
        lines = []
    else:
        lines = [f"{prefix}add({rest[0]}, {rest[1]}, {out})"]
        rest = rest[2:]
    return lines + [f"{prefix}add({out}, {term}, {out})" for term in rest]


def step(e: Writer, line: Line, arguments: list[str], target: str | None) -> list[str]:
    """A line inside of a loop: into ``target``, or into a value of its own name."""
    out = target or line.name
    attrs = e.keywords(line.attrs, line)
    if line.op == "sigmoid":
        return [f"{e.call(line)}({arguments[0]}, {out})"]
    if line.op in ("matmul", "dot") and len(line.shape) == 2 and _plain(e, line):
        return [f"{arguments[0]}.dot({arguments[1]}, {out})"]
    if isinstance(line.forward, np.ufunc) and line.op != "matmul":
        name = line.forward.__name__
        e.ufuncs.add(name)
        return [f"{name}({', '.join(arguments)}, {e.out(name, out)})"]
    if line.op == "add_n" and len(arguments) > 1:
        e.ufuncs.update(("add", "multiply"))
        return added(arguments, out, "")
    if line.op == "step":
        code = f"{arguments[0]}[t - 1]"
    elif line.op == "getitem":
        code = f"{arguments[0]}[{e.filled(line.attrs['key'], arguments[1:], line)}]"
    elif line.op == "matmul":
        code = f"np.matmul({', '.join(arguments)})"
    elif line.variadic:
        code = f"{e.call(line)}([{', '.join(arguments)}]{attrs})"
    else:
        code = f"{e.call(line)}({', '.join(arguments)}{attrs})"
    # What has a buffer of its own for one step may be looked at by views of it.
    held = target is not None or writes(line)
    return [f"{out}[...] = {code}" if held else f"{line.name} = {code}"]


def _plain(e: Writer, line: Line) -> bool:
    """Whether a product can be written into its buffer by BLAS."""
    kinds = {e.lines[s.role].dtype for s in line.sources()}
    both = all(len(e.lines[o[0].role].shape) == 2 for o in line.reads)
    return kinds == {line.dtype} and both
