"""The passes: program to program, each a small step that keeps every value.

``run_passes`` applies them in order and notes for each how many lines there were before
and after, and what it moved.

    detached     what lets no gradient past is read as what it is
    prune        drop what no output needs, and operands read for their shape alone
    additions    of a sum in a loop, what does not recur is added before it
    invariants   what does not depend on the step happens once
    joins        pieces scattered side by side are laid there
    share        equal lines become one
    uniform      arrays of one number are read as that number
    open_losses  softmax and cross-entropy of one o are opened into parts they share
    products     a sum over the steps of products becomes one product over all steps
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compile import forms
from minigrad.compile.additions import additions
from minigrad.compile.line import Line, LoopProgram, Steps, renamed
from minigrad.compile.losses import open_losses
from minigrad.compile.uniform import uniform
from minigrad.fold.moving_index import Ahead
from minigrad.fold.roles import Operand, Source
from minigrad.graph import same_value

Pass = Callable[[LoopProgram], str]


def run_passes(program: LoopProgram) -> None:
    """Apply every pass, in order, and note what it did."""
    for step in ORDER:
        before = len(program.lines)
        said = step(program)
        program.report.append((step.__name__, before, len(program.lines), said))


def prune(program: LoopProgram) -> str:
    """Drop the lines that no output needs."""
    needed: set[int] = set()
    stack = [s.role for operand in program.outputs for s in operand]
    while stack:
        index = stack.pop()
        if index not in needed:
            needed.add(index)
            stack += [s.role for s in program.lines[index].sources()]
    dropped = [i for i in program.lines if i not in needed]
    for i in dropped:
        del program.lines[i]
    return f"dropped {len(dropped)}" if dropped else "nothing to drop"


def static_shapes(program: LoopProgram) -> str:
    """Inside of the steps shapes are known: do not read a value for its shape."""
    known = []
    for line in program.lines.values():
        if not line.timed or line.op not in (
            "spread", "spread_mean", "reshape_like"
        ):  # fmt: skip
            continue
        known.append(line.name)
        line.reads = line.reads[:1]
        if line.op == "reshape_like":
            line.op, line.forward = "reshape", np.reshape
            line.attrs = {"shape": line.shape}
        else:
            line.forward = getattr(forms, f"{line.op}_to")
            line.op = f"{line.op}_to"
            line.attrs = line.attrs | {"shape": line.shape}
    return f"shapes known: {', '.join(known)}" if known else "none"


def detached(program: LoopProgram) -> str:
    """Read a value itself in place of one without gradient: gradients are recorded."""
    seen = []
    for line in list(program.lines.values()):
        if line.op not in ("detach", "stop_gradient") or len(line.reads[0]) != 1:
            continue
        (source,) = line.reads[0]
        read = program.lines[source.role]
        plain = not line.timed and not read.timed and source.kind == "plain"
        same_step = line.timed and source.delay == 0 and read.steps == line.steps
        if (plain or same_step) and read.dtype == line.dtype:
            program.replace(line.index, read.index)
            seen.append(line.name)
    return f"read as they are: {', '.join(seen)}" if seen else "none"


def joins(program: LoopProgram) -> str:
    """A scatter whose pieces tile an axis lays them side by side: no zeros, no sum."""
    joined = []
    for line in program.lines.values():
        if line.op != "scatter_n" or (program.lengths and line.clock is None):
            continue  # without time a folded operand has its keys by source
        parts, keys = line.reads[1:], line.attrs["keys"][1:]
        tiles = _tiles(keys, line.shape)
        if tiles is None:
            continue
        axis, order = tiles
        line.op, line.forward = "join", forms.join
        line.reads = [parts[i] for i in order]
        line.attrs = {"axis": axis, "keys": tuple(keys[i] for i in order)}
        joined.append(line.name)
    return f"side by side: {', '.join(joined)}" if joined else "none"


def _tiles(keys: Any, shape: tuple[int, ...]) -> tuple[int, list[int]] | None:
    """The axis that slices tile without gap or overlap, and their order along it."""
    ranges = []
    axes = set()
    for key in keys:
        parts = key if isinstance(key, tuple) else (key,)
        if len(parts) > len(shape) or not all(isinstance(p, slice) for p in parts):
            return None
        cut = [a for a, p in enumerate(parts) if p != slice(None)]
        if len(cut) != 1 or moves(parts[cut[0]]):
            return None
        axes.update(cut)
        start, stop, step = parts[cut[0]].indices(shape[cut[0]])
        if step != 1:
            return None
        ranges.append((start, stop))
    if len(axes) != 1:
        return None
    (axis,) = axes
    order = sorted(range(len(ranges)), key=lambda i: ranges[i])
    ends = [0, *(ranges[i][1] for i in order)]
    if [ranges[i][0] for i in order] != ends[:-1] or ends[-1] != shape[axis]:
        return None
    return axis, order


def invariants(program: LoopProgram) -> str:
    """Lines that are the same at every step happen once, before the loop."""
    moved: list[str] = []
    again = True
    while again:
        again = False
        for line in program.lines.values():
            if not line.timed or line.op == "step" or line.kind == "input":
                continue
            still = all(
                len(operand) == 1
                and not program.lines[operand[0].role].timed
                and operand[0].kind in ("broadcast", "plain")
                and _at_all_steps(operand[0], line)  # a sum may lack a term
                for operand in line.reads
            )
            gathered = any(
                s.role == line.index and s.kind in ("gather", "pick")
                for other in program.lines.values()
                for s in other.sources()
            )
            if still and not gathered and not moves(line.attrs):
                line.clock = line.steps = None
                line.reads = [(Source(o[0].role, "plain"),) for o in line.reads]
                if line.op == "scatter_n":
                    # Without time an operand has its keys by source.
                    keys = tuple([(key,) for key in line.attrs["keys"]])
                    line.attrs = line.attrs | {"keys": keys}
                _now_untimed(program, line)
                moved.append(line.name)
                again = True
    return f"out of the loop: {', '.join(moved)}" if moved else "none"


def _at_all_steps(source: Source, line: Line) -> bool:
    return source.span is None or Steps.of(source.span) == line.steps


def moves(attrs: Any) -> bool:
    """Whether an attribute differs from step to step."""
    if isinstance(attrs, dict):
        return any(map(moves, attrs.values()))
    if isinstance(attrs, (tuple, list)):
        return any(map(moves, attrs))
    if isinstance(attrs, slice):
        return any(map(moves, (attrs.start, attrs.stop, attrs.step)))
    return isinstance(attrs, Ahead)


def _now_untimed(program: LoopProgram, line: Line) -> None:
    """Consumers of a line that lost its time read it as they read a parameter."""

    def source(s: Source) -> Source:
        if s.role != line.index:
            return s
        return Source(s.role, "broadcast" if s.span else "plain", None, None, s.span)

    for other in program.lines.values():
        other.reads = [tuple(map(source, operand)) for operand in other.reads]


def share(program: LoopProgram) -> str:
    """Lines with the same op, attributes, operands and steps become one."""
    merged = 0
    again = True
    while again:
        new: dict[int, int] = {}
        seen: dict[Any, list[Line]] = {}
        for line in program.lines.values():
            if line.kind != "op":
                continue
            reads = tuple([renamed(operand, new) for operand in line.reads])
            key = (line.op, reads, line.clock, line.steps, line.reduces)
            twins = seen.setdefault(key, [])
            twin = next((x for x in twins if same_value(x.attrs, line.attrs)), None)
            if twin is None:
                twins.append(line)
            else:
                new[line.index] = twin.index
        program.replace_all(new)
        for index in new:
            del program.lines[index]
        merged, again = merged + len(new), bool(new)
    return f"{merged} lines were said twice"


def products(program: LoopProgram) -> str:
    """A sum over steps of aᵀ d, of row sums or of anything becomes one operation."""
    said = []
    for line in list(program.lines.values()):
        if line.op != "add_n" or line.clock is not None:
            continue
        reads: list[Operand] = []
        for operand in line.reads:
            for source in operand:
                if source.kind != "gather" and source.kind != "pick":
                    reads.append((source,))
                    continue
                term = program.lines[source.role]
                assert source.at is not None
                steps = Steps.of(source.at)
                whole = steps == term.steps
                op, forward, operands = "sum_over_steps", None, None
                if whole and term.op in ("dot", "matmul") and len(term.shape) == 2:
                    left = term.reads[0]
                    flip = program.lines[left[0].role]
                    if (
                        len(left) == 1 and flip.op == "transpose" and flip.timed
                        and flip.steps == term.steps and left[0].delay == 0
                        and not flip.attrs.get("axes") and len(flip.shape) == 2
                    ):  # fmt: skip
                        op, operands = (
                            "product_over_steps",
                            [flip.reads[0], term.reads[1]],
                        )
                elif whole and term.op == "sum" and _over_rows(term):
                    op, operands = "rows_over_steps", [term.reads[0]]
                if operands is None:
                    span = term_span(source)
                    operands = [(Source(term.index, "delay", 0, None, span),)]
                total = program.new(
                    line, op, op=op, forward=forward,
                    attrs={}, reads=operands, clock=term.clock, steps=steps,
                    reduces=True, shape=term.shape, kind="op", dtype=term.dtype,
                )  # fmt: skip
                said.append(total.name)
                reads.append((Source(total.index, "plain"),))
        line.reads = reads
        if len(reads) == 1:
            program.replace(line.index, reads[0][0].role)
    return f"one operation each: {', '.join(said)}" if said else "none"


def _over_rows(term: Line) -> bool:
    return term.attrs.get("axis") in (0, (0,)) and len(term.shape) == 1


def term_span(source: Source) -> Any:
    """The steps that a gather covers, upwards, as a span of a consumer."""
    assert source.at is not None
    return source.at._replace(down=False)


ORDER: tuple[Pass, ...] = (
    static_shapes,
    detached,
    joins,
    prune,
    additions,
    invariants,
    share,
    uniform,
    open_losses,
    share,
    prune,
    products,
    prune,
)
