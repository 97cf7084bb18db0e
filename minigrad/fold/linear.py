"""In which of its states a recurrence is linear: structure alone decides.

Vocabulary
    loop    what a state depends on and what depends on it: all that it feeds back by
    how     how a value depends on the states of a loop at other steps: not at all, each
            element on the element at its place, linearly, or not linearly
    form    what is known of an op: in which operands it is linear, and whether it
            leaves each element at its place

What no table here names is taken as not linear. "Linear" allows what does not depend on
the state beside it: s(t) = A(t) s(t-1) + b(t), with A and b free of the loop.

>>> import minigrad as mg
>>> a, h = mg.parameter([0.5, 0.9], name="a"), mg.tensor([[0.0, 0.0]], name="h0")
>>> for t, x in mg.steps([[[1.0, 2.0]]] * 3):
...     h = (a * h + mg.tanh(x)).named("h")
>>> mg.fold(h).linear
{'h': 'diagonal'}
"""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from graphlib import CycleError, TopologicalSorter
from typing import Literal, NamedTuple

from minigrad.fold.roles import Role, Source

Linear = Literal["diagonal", "dense"] | None


class How(IntEnum):
    """How a value depends on a loop's states, from the least to the most."""

    FREE = 0
    DIAGONAL = 1
    DENSE = 2
    NOT = 3


class Form(NamedTuple):
    """What is known of an op; the operands that are not ``linear`` must be free."""

    in_place: bool = False
    linear: slice = slice(None)
    alone: bool = False  # in each alone: a product, of which one factor may depend


FIRST = slice(1)
FORMS: dict[str, Form] = {
    **dict.fromkeys(
        ["add", "subtract", "negative", "add_n", "astype", "detach"],
        Form(in_place=True),
    ),
    "multiply": Form(in_place=True, alone=True),
    "divide": Form(True, FIRST),
    "where": Form(True, slice(1, 3)),
    **dict.fromkeys(
        ["matmul", "dot", "einsum", "tensordot", "outer", "conv1d"], Form(alone=True)
    ),
    **dict.fromkeys(
        ["reshape", "transpose", "swapaxes", "squeeze", "expand_dims", "broadcast_to",
         "concatenate", "stack", "flip", "roll", "tril", "triu", "diagonal", "trace",
         "sum", "mean", "cumsum", "pad", "scatter_n"],
        Form(),
    ),
    **dict.fromkeys(
        ["getitem", "take", "take_along_axis", "embedding", "reshape_like", "spread",
         "spread_mean", "unpad", "untake", "untake_along_axis", "undiagonal",
         "conv1d_to_w", "conv1d_to_x"],
        Form(linear=FIRST),
    ),
    "linear_recurrence": Form(linear=slice(1, 2)),
}  # fmt: skip


def linear(roles: Sequence[Role]) -> dict[int, Linear]:
    """For each role that feeds back into itself over time, what it is linear as."""
    reads = [_sources(role) for role in roles]
    readers: list[list[int]] = [[] for _ in roles]
    for index, sources in enumerate(reads):
        for source in sources:
            readers[source.role].append(index)
    delayed = dict.fromkeys(s.role for sources in reads for s in sources if s.delay)
    found: dict[int, Linear] = {}
    for state in sorted(delayed):
        below = _reached(state, lambda i: [s.role for s in reads[i]])
        loop = below & _reached(state, lambda i: readers[i])
        inner = [s for i in loop for s in reads[i] if s.role in loop]
        if state not in found and any(s.role == state and s.delay for s in inner):
            found |= _of_loop(roles, loop, inner)
    return dict(sorted(found.items()))


def _sources(role: Role) -> list[Source]:
    return [source for operand in role.operands for source in operand]


def _reached(start: int, following: Callable[[int], Iterable[int]]) -> set[int]:
    """All that can be reached from the followers of ``start``."""
    seen: set[int] = set()
    stack = [start]
    while stack:
        new = [i for i in following(stack.pop()) if i not in seen]
        seen.update(new)
        stack.extend(new)
    return seen


def _of_loop(
    roles: Sequence[Role], loop: set[int], inner: Sequence[Source]
) -> dict[int, Linear]:
    """What the states of one loop are."""
    states = {s.role for s in inner if s.delay}
    delays = {s.delay for s in inner if s.delay}
    if any(s.kind != "delay" for s in inner):
        return dict.fromkeys(states)  # it reads all steps before
    how = _how(roles, loop, states)
    if how is How.NOT:
        return dict.fromkeys(states)
    single = len(states) == 1 and delays in ({1}, {-1})
    diagonal = how is How.DIAGONAL and single
    return dict.fromkeys(states, "diagonal" if diagonal else "dense")


def _how(roles: Sequence[Role], loop: set[int], states: set[int]) -> How:
    """The most that a value of a loop depends on its states."""
    before = {
        i: {s.role for s in _sources(roles[i]) if s.role in loop and not s.delay}
        for i in loop
    }
    found: dict[int, How] = {}
    try:
        for i in TopologicalSorter(before).static_order():
            found[i] = _how_of(roles[i], loop, states, found)
    except CycleError:  # two lines read one another, each at some steps
        return How.NOT
    return max(found.values())


def _how_of(role: Role, loop: set[int], states: set[int], found: dict[int, How]) -> How:
    """How one role depends on the states, given how what it reads does."""
    hows = []
    for operand in role.operands:
        how = How.FREE
        for source in operand:
            if source.role in loop:
                how = max(how, How.DIAGONAL if source.delay else found[source.role])
        hows.append(how)
    form = FORMS.get(role.op.name)
    if form is None or not role.spec.dtype.startswith("float"):
        return How.NOT
    depend = [i for i, how in enumerate(hows) if how is not How.FREE]
    if not {*depend} <= {*range(len(hows))[form.linear]}:
        return How.NOT
    if form.alone and len(depend) > 1:
        return How.NOT
    # Where the shape grows on the way an element has no place of its own. What comes
    # before the first state may grow: a start that is broadcast.
    one_shape = role.ragged <= (role.index not in states)
    return max(hows) if form.in_place and one_shape else max(*hows, How.DENSE)
