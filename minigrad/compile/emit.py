"""From phases to NumPy source that a person can read.

The source is two functions: ``workspace(T)`` makes the buffers of a length, once, and
``run(w, ...)`` computes: batched lines over the stacked time axis, loops for what is
truly recurrent, single lines for what has no time.
"""

from textwrap import wrap

from minigrad.compile import batch, kernels, loops, once
from minigrad.compile.line import Line
from minigrad.compile.writer import Writer
from minigrad.fold.roles import Operand

# Lines without time that always make a new array.
FRESH = frozenset(["product_over_steps", "rows_over_steps", "sum_over_steps"])


def emit(e: Writer, arguments: list[Line]) -> str:
    """The program as source; ``arguments`` are the leaves that each call passes."""
    given = {line.index for line in arguments}
    for line in e.lines.values():
        if line.kind == "constant" and not line.timed:
            e.namespace[line.name] = line.value
        elif line.kind not in ("constant", "op") and line.index not in given:
            e.namespace[line.name] = line.leaf.value
    for p, phase in enumerate(e.phases):
        e.now = p
        line = phase.lines[0]
        if phase.direction:
            fits = e.backend == "numba" and kernels.fits(e.program, phase)
            (kernels if fits else loops).emit(e, phase)
        elif line.kind == "constant" and line.timed:  # read as a value of some steps
            shape = ", ".join([e.count(line), *map(str, line.shape)])
            code = e.literal(line.value, line)
            e.bind(line, f"np.broadcast_to({code}, ({shape},))")
        elif line.kind == "op" and (line.timed or line.reduces):
            batch.emit(e, line)
        elif line.kind == "op":
            once.emit(e, line)
    results = "".join(f"{_result(e, o)}, " for o in e.program.outputs).rstrip()
    lengths = [e.length_name(c) for c in range(len(e.program.lengths))]
    names = ", ".join(["w", *lengths, *(line.name for line in arguments)])
    buffers = _wrapped("".join(f"{name}, " for name in e.buffers).rstrip())
    ufuncs = sorted(e.ufuncs)
    body = list(e.body)
    if ufuncs:
        body.insert(0, f"{', '.join(ufuncs)} = {', '.join(f'np.{u}' for u in ufuncs)}")
    if buffers:
        body.insert(0, f"({buffers}) = w")
    return _function("workspace", ", ".join(lengths), e.allocation, buffers) + (
        "\n\n" + _function("run", names, body, results)
    )


def _wrapped(names: str) -> str:
    """A list of names that may be long, as lines that fit on a page."""
    lines = wrap(names, 80, break_long_words=False)
    if len(lines) < 2:
        return names
    return "".join(f"\n        {line}" for line in lines) + "\n    "


def _function(name: str, arguments: str, body: list[str], result: str) -> str:
    lines = "".join(f"    {line}\n" for line in body)
    return f"def {name}({arguments}):\n{lines}    return ({result})\n"


def _result(e: Writer, operand: Operand) -> str:
    """Outputs as fresh arrays, in the order in which the function returned them."""
    if len(operand) == 1 and operand[0].kind != "gather":
        line = e.lines[operand[0].role]
        code = e.outside(operand)[0]
        fresh = line.op in FRESH and not line.timed
        return code if fresh else f"np.array({code})"
    if operand[0].kind == "gather":
        return f"*[np.array(x) for x in {e.outside(operand)[0]}]"
    return ", ".join(_result(e, (source,)) for source in operand)
