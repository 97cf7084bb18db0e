"""For which numbers of steps one program serves.

Two traces of different lengths that fold alike are one recurrence, and its program has
the number of steps free. Two lengths prove this within limits:

- Both have at least 2 D + 2 steps, D the largest delay, so that no end reaches the
  other. In every loop the two differ.
- A delay that is longer than both traces is not seen in them: there each step reads
  initial states alone. Such a state is read at every step and comes from outside of the
  loop, as a constant or a second input would. A program that reads such a value is
  **wary**: a call that is longer than every trace is traced again and confirmed.
- A step in the middle, ``hs[len(hs) // 2]``, has the same number in two lengths that
  are close. Where steps further than the largest delay from both ends are told apart,
  one length is at least twice the other, so that no part of it has the same number.
- A function may treat long sequences in another way. So beyond ``FAR`` times the
  longest trace a call is always traced again and confirmed.

What lies between the shortest and the longest trace is not looked at: a function treats
lengths between two that it treats alike as it treats these.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad.compile.arguments import Rebuild
from minigrad.compile.code import Code
from minigrad.compile.values import moves
from minigrad.fold import Recurrence
from minigrad.graph import Node, same_value

FAR = 4


class Entry(NamedTuple):
    """A program, and how what it gives becomes what the function returns."""

    code: Code
    rebuild: Rebuild


@dataclass
class AnyLength:
    """A program whose numbers of steps are free, and the lengths that prove it."""

    entry: Entry
    shortest: list[int]  # of each clock
    longest: list[int]
    doubted: bool = False  # a longer call was traced, and was another program

    def serves(self, shapes: Any) -> bool:
        """Whether the program is sure to be right for arguments of these shapes."""
        lengths = self.entry.code.lengths_of(shapes)
        far = 1 if self.doubted or wary(self.entry.code.recurrence) else FAR
        return lengths is not None and all(
            least <= n <= far * most
            for n, least, most in zip(lengths, self.shortest, self.longest, strict=True)
        )

    def confirm(self, lengths: Any) -> None:
        """Note lengths whose trace folds alike."""
        self.shortest = [*map(min, self.shortest, lengths)]
        self.longest = [*map(max, self.longest, lengths)]


def proves(recurrence: Recurrence, code: Code, positions: dict[Node, int]) -> bool:
    """Whether a trace and that of a program prove that all lengths are free."""
    earlier = code.recurrence
    if earlier is None or len(recurrence.lengths) != len(earlier.lengths):
        return False
    both = [*zip(recurrence.lengths, earlier.lengths, strict=True)]
    if not both or any(a == b for a, b in both):
        return False
    delay = largest_delay(recurrence)
    if min(map(min, both)) < 2 * delay + 2:
        return False
    # A gradient begins up to a step later than what it is of, and that is no middle.
    near = delay + 1 if min(map(min, both)) > 3 * (delay + 1) else max(delay, 1)
    if any(max(pair) < 2 * min(pair) for pair in both) and (
        _tells_apart(recurrence, near)
        or _is_cut(recurrence, code, positions, max(delay, 1))
    ):
        return False
    return recurrence == earlier and _same_leaves(recurrence, code, positions)


def _tells_apart(recurrence: Recurrence, far: int) -> bool:
    """Whether steps begin, end or are read further than this from the nearer end."""
    spans = [role.span for role in recurrence.roles]
    for role in recurrence.roles:
        spans += [source.at for operand in role.operands for source in operand]
    ends = [end for s in spans if s is not None for end in (s.first, s.last)]
    return any((end - 1 if end > 0 else -1 - end) > far for end in ends)


def _is_cut(
    recurrence: Recurrence, code: Code, positions: dict[Node, int], far: int
) -> bool:
    """Whether a loop is shorter, by more than this, than all that it may read."""
    assert code.recurrence is not None
    axes: list[tuple[int, int]] = []
    known = {given: leaf for leaf, given in code.positions.items()}
    for leaf, given in positions.items():
        if given in known:
            now, earlier = np.shape(leaf.value), np.shape(known[given].value)
            axes += [(a, b) for a, b in zip(now, earlier, strict=False) if a != b]
    lengths = zip(recurrence.lengths, code.recurrence.lengths, strict=True)
    return bool(axes) and not all(
        any(a - n == b - m and abs(a - n) <= far for a, b in axes) for n, m in lengths
    )


def largest_delay(recurrence: Recurrence) -> int:
    """How many steps an operand reads back, or ahead, at most."""
    return max(
        (
            abs(source.delay or 0)
            for role in recurrence.roles
            for operand in role.operands
            for source in operand
        ),
        default=0,
    )


def wary(recurrence: Recurrence | None) -> bool:
    """Whether a value from outside of a loop may be a state before its first step."""
    assert recurrence is not None
    return any(
        _reads_a_state(recurrence, role)
        for role in recurrence.roles
        if role.span is not None and role.op is not None and role.op.name != "step"
    )


def _reads_a_state(recurrence: Recurrence, role: Any) -> bool:
    """Whether an op in a loop reads, at all of its steps, what may be a state.

    A parameter meets a state in an op, and beside what moves with the steps it is
    itself; a whole number is one that a rule says, 1 - y * y.
    """
    still = []
    for operand in role.operands:
        read = recurrence.roles[operand[0].role] if operand else role
        if read.kind == "constant" and not (
            read.value.__class__ is int and read.value
        ):  # fmt: skip
            return True
        fixed = len(operand) == 1 and operand[0].kind in ("broadcast", "plain")
        if fixed and read.kind != "parameter" and not moves(role.attrs):
            return True
        still.append(fixed)
    return bool(still) and all(still) and role.op.name not in ("transpose", "getitem")


def _same_leaves(
    recurrence: Recurrence, code: Code, positions: dict[Node, int]
) -> bool:
    """Whether a second trace reads the same parameters and arguments."""
    assert code.recurrence is not None
    mine = [r.leaf for r in recurrence.roles if r.leaf is not None]
    theirs = [r.leaf for r in code.recurrence.roles if r.leaf is not None]
    given = code.positions
    for leaf, known in zip(mine, theirs, strict=True):
        if known.kind == "parameter":
            if leaf is not known:
                return False
            continue
        if known in given and positions.get(leaf) != given[known]:
            return False
        # An array that the function made itself is part of the program.
        if known not in given and (
            leaf in positions or not same_value(leaf.value, known.value)
        ):
            return False
    return True
