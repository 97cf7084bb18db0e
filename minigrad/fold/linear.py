"""In which of its states a recurrence is linear: structure alone decides.

Vocabulary
    loop    what a state depends on and what depends on it: all that it feeds back by
    form    what is known of an op: in which operands it is linear, and whether it
            leaves each element at its place

A loop is linear where each of its lines is, in what it reads of the loop; an op that
the table here does not name is not. "Linear" allows what does not depend on the state
beside it: s(t) = A(t) s(t-1) + b(t), with A and b free of the loop.

>>> import minigrad as mg
>>> a, h = mg.parameter([0.5, 0.9], name="a"), mg.tensor([[0.0, 0.0]], name="h0")
>>> for t, x in mg.steps([[[1.0, 2.0]]] * 3):
...     h = (a * h + mg.tanh(x)).named("h")
>>> mg.fold(h).linear
{'h': 'diagonal'}
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from minigrad.fold.roles import Role, Source

Linear = Literal["diagonal", "dense"] | None


class Form(NamedTuple):
    """What is known of an op; what is not ``linear`` must not read of the loop."""

    in_place: bool = False
    linear: slice = slice(None)
    alone: bool = False  # in each alone: a product, of which one factor may depend


FIRST = slice(1)
FORMS: dict[str, Form] = {
    **dict.fromkeys(
        ["add", "subtract", "negative", "add_n", "astype", "detach", "stop_gradient"],
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
    reads = [role.sources for role in roles]
    readers: list[list[int]] = [[] for _ in roles]
    for index, sources in enumerate(reads):
        for source in sources:
            readers[source.role].append(index)
    delayed = {s.role for sources in reads for s in sources if s.delay}
    found: dict[int, Linear] = {}
    for state in sorted(delayed):
        below = _reached(state, lambda i: [s.role for s in reads[i]])
        loop = below & _reached(state, lambda i: readers[i])
        if loop and state not in found:
            inner = [s for i in loop for s in reads[i] if s.role in loop]
            found |= _of_loop(roles, loop, inner)
    return dict(sorted(found.items()))


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
    """What the states of one loop are: as its lines are, of which they are made up."""
    states = {s.role for s in inner if s.delay}
    delays = {s.delay for s in inner if s.delay}
    lines = {_of_line(roles[i], loop, i in states) for i in loop}
    how: Linear = "diagonal"
    if None in lines or any(s.kind != "delay" for s in inner):  # or of all steps before
        how = None
    elif "dense" in lines or len(states) > 1 or delays not in ({1}, {-1}):
        how = "dense"
    return dict.fromkeys(states, how)


def _of_line(role: Role, loop: set[int], is_state: bool) -> Linear:
    """How one line depends on what it reads of its loop."""
    form = FORMS.get(role.op.name)
    if form is None or not role.spec.dtype.startswith("float"):
        return None
    depend = {
        i
        for i, operand in enumerate(role.operands)
        if any(source.role in loop for source in operand)
    }
    may = {*range(len(role.operands))[form.linear]}
    if depend - may or (form.alone and len(depend) > 1):
        return None
    # Where the shape grows on the way an element has no place of its own. What comes
    # before the first state may grow: a start that is broadcast.
    one_shape = role.ragged <= (not is_state)
    return "diagonal" if form.in_place and one_shape else "dense"
