"""In which order C runs the parts of a program, so that memory is passed over seldom.

sunk       what acts on each element alone, and only a loop reads, runs in that loop
clustered  parts that visit the same elements stand one after the other
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from minigrad.compile import kernels
from minigrad.compile.c.lines import ROW_OPS, is_flat
from minigrad.compile.counts import Shape, Steps
from minigrad.compile.schedule import Loop, Part, in_order
from minigrad.compile.values import Leaf, Program, Time, Value

Says = Callable[[Part], bool]


def sunk(program: Program, parts: list[Part], says: Says) -> list[Part]:
    """Parts, without those that have moved into the loop that alone reads them."""
    readers: dict[Value, list[Value]] = {}
    for v in program.values:
        for i in v.inputs:
            readers.setdefault(i, []).append(v)
    kept = {*program.outputs, *program.states.values()}
    loops = [p for p in parts if isinstance(p, Loop)]
    moved: dict[Value, None] = {}
    for part in parts[::-1]:
        if isinstance(part, Loop) or part.steps is None or part in kept:
            continue
        if not is_flat(part.op) or not says(part) or part not in readers:
            continue
        changed = _with(part, readers[part], loops, says)
        if changed is not None:
            loops, moved[part] = changed, None
    left = iter(loops)
    return [next(left) if isinstance(p, Loop) else p for p in parts if p not in moved]


def _with(
    v: Value, readers: list[Value], loops: list[Loop], says: Says
) -> list[Loop] | None:
    """The loops with one more line, where only lines of one of them read it."""
    owners = [p for p in loops if any(r in p.body for r in readers)]
    if not owners or not all(map(says, owners)):
        return None
    whole = owners[0].whole
    if any(p.whole is not whole for p in owners) or not set(readers) <= whole:
        return None
    for p in owners:
        if any(r in p.body and v not in p.operands(r) for r in readers):
            return None
    if not all(any(r in p.body for p in owners) for r in readers):
        return None
    more = whole | {v}
    return [
        p if p.whole is not whole
        else replace(p, body=_before(v, readers, p.body), whole=more)
        for p in loops
    ]  # fmt: skip


def _before(
    v: Value, readers: list[Value], body: tuple[Value, ...]
) -> tuple[Value, ...]:
    """A body with one more line, before the first that reads it."""
    first = next((k for k, r in enumerate(body) if r in readers), None)
    return body if first is None else (*body[:first], v, *body[first:])


def clustered(program: Program, parts: list[Part]) -> list[Part]:
    """Parts after what they read; next comes what visits the elements just visited."""
    light = _light(parts)
    rank = [(part not in light, i) for i, part in enumerate(parts)]
    order: list[Part] = []
    here: Space | None = None

    def joins(i: int) -> bool:
        return _joins(parts[i], here)

    for i in in_order(_needs(program, parts), rank, joins):
        here = _next_space(parts[i], here)
        order.append(parts[i])
    return order


Space = tuple[Steps | None, Shape]


def _needs(program: Program, parts: list[Part]) -> list[set[int]]:
    """Of each part, those that it reads from."""
    made: dict[Value, int] = {}
    needs: list[set[int]] = []
    for i, part in enumerate(parts):
        reads = set[int]()
        for v in _values(part):
            reads |= {made[r] for r in program.reads(v) if r in made}
        needs.append(reads - {i})
        for v in _values(part):
            if v in made and isinstance(part, Loop):
                needs[i].add(made[v])  # a range after the one before
            made[v] = i
    return needs


def _values(part: Part) -> Iterator[Value]:
    return iter(part.whole if isinstance(part, Loop) else (part,))


def _space(v: Value) -> Space | None:
    """The elements that a line visits; None where it runs in no nest."""
    if v.op in ROW_OPS:
        return v.steps, v.inputs[0].shape
    return (v.steps, v.shape) if is_flat(v.op) else None


def _joins(part: Part, here: Space | None) -> bool:
    """Whether a part may run in the nest that visits these elements."""
    if isinstance(part, Loop) or here is None:
        return False
    space = _space(part)
    if space is None:
        return _runs_nothing(part)
    steps, shape = here
    if part.op in ROW_OPS:
        return space == here
    one_a_row = (shape[:-1], (*shape[:-1], 1)) if shape else ()
    return space[0] == steps and (space[1] == shape or space[1] in one_a_row)


def _runs_nothing(v: Value) -> bool:
    """Whether a value is only another look at what is there."""
    return isinstance(v.op, Time | Leaf) and v.op is not Time.total


def _next_space(part: Part, here: Space | None) -> Space | None:
    if isinstance(part, Loop):
        return None
    if _runs_nothing(part):
        return here
    return here if _joins(part, here) else _space(part)


def _light(parts: list[Part]) -> set[Part]:
    """Numbers that are known from the targets alone: they come first."""
    found = set[Part]()
    for part in parts:
        if isinstance(part, Loop):
            continue
        numbers = all(
            i in found
            or (not i.shape and isinstance(_root(i).op, Leaf))
            or (_root(i) in found)
            for i in part.inputs
        )
        if (
            part.op is kernels.number_kept
            or (
                numbers
                and not part.shape
                and (is_flat(part.op) or part.op is Time.each)
            )
            or part.op is Time.read
            or isinstance(part.op, Leaf)
        ):
            found.add(part)
    return found


def _root(i: Value) -> Value:
    return i.inputs[0] if i.op is Time.each else i
