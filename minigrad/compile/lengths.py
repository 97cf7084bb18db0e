"""For which numbers of steps one program serves.

Two traces of different lengths that fold alike are one recurrence, and its program has
the number of steps free. Both have at least 2 D + 2 steps, D the largest delay, so that
no end reaches the other; in every loop the two differ.

Two lengths are no proof: a function may treat others in another way, by a branch on
``len(xs)``, a step in the middle, or a delay that is longer than both. So every other
length is compared once with the ``Outline`` of these, by its forward pass, before the
program serves it, and each axis must be as long there as the program says. The
gradient is not compared, for it follows: what it records at a step depends on the
forward pass within D steps, and two lengths show all there is at the ends and between
them. A length that is shorter than both is traced.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from minigrad.compile.arguments import Rebuild
from minigrad.compile.code import Code
from minigrad.compile.outline import Comparison, Outline
from minigrad.compile.spec import holds
from minigrad.fold import Recurrence
from minigrad.graph import Node, same_value


class Entry(NamedTuple):
    """A program, and how what it gives becomes what the function returns."""

    code: Code
    rebuild: Rebuild


@dataclass
class AnyLength:
    """A program whose numbers of steps are free, and what proves a length.

    ``said`` is the key of what the function returned.
    """

    entry: Entry
    said: Any
    outline: Outline | None  # None: no length but those that were traced is served
    shortest: tuple[int, ...]  # of each clock, that was traced

    def comparison(self, shapes: Any) -> Comparison | None:
        """What tells whether these shapes are served; None: they are not."""
        lengths = self.entry.code.lengths_of(shapes)
        if self.outline is None or lengths is None:
            return None
        short = any(n < least for n, least in zip(lengths, self.shortest, strict=True))
        if short or not holds(self.entry.code.program, lengths):
            return None
        return Comparison(self.outline, lengths)


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
    return recurrence == earlier and _same_leaves(recurrence, code, positions)


def largest_delay(recurrence: Recurrence) -> int:
    """How many steps an operand reads back, or ahead, at most."""
    read = [source for role in recurrence.roles for source in role.sources]
    return max([abs(source.delay or 0) for source in read], default=0)


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
