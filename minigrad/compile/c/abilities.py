"""What C has words for, and so where the values of a program may be kept."""

from minigrad.compile import kernels
from minigrad.compile.c.elements import FLOATS, TYPES, WEAK, is_sayable
from minigrad.compile.c.gathers import picks_rows
from minigrad.compile.c.lines import REDUCES, SCRATCH, SOFT
from minigrad.compile.kinds import ALONG, PRODUCTS, O, is_elementwise, is_view
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Leaf, Time, Value, moves

JOINS = frozenset([O.concatenate, O.stack, O.flip])
LOSSES = frozenset([kernels.losses, kernels.gradient, kernels.number_kept])


class Abilities:
    """See ``memory.Abilities``; ``refused`` are parts that turned out unsayable."""

    def __init__(self) -> None:
        self.refused: set[Part] = set()
        self.said: set[Value] = set()

    def learn(self, parts: list[Part]) -> None:
        """Which values of a program C computes."""
        self.said = set()
        for part in parts:
            if self.says(part):
                self.said |= set(part.body if isinstance(part, Loop) else [part])

    def says(self, part: Part) -> bool:
        """Whether C has words for all of a part."""
        if part in self.refused:
            return False
        return all(map(is_said, part.body if isinstance(part, Loop) else (part,)))

    def writes(self, v: Value) -> bool:
        """Whatever C computes it writes where it is told."""
        return v in self.said or ABLE.writes(v)

    def writes_all(self, v: Value) -> bool:
        """The same for all steps at once."""
        return v in self.said or ABLE.writes_all(v)

    def fresh(self, v: Value) -> bool:
        """Whatever C computes has memory of its own; a view has not."""
        return not is_view(v) and (v in self.said or ABLE.fresh(v))

    def in_place(self, v: Value) -> bool:
        """What computes each element from those at its place."""
        if v in self.said:
            return is_elementwise(v.op) or v.op in (kernels.shift, kernels.gradient)
        return ABLE.in_place(v)


def is_said(v: Value) -> bool:
    """Whether C has words for an op on these operands."""
    if isinstance(v.op, Leaf):
        return False
    kinds = [_dtype(i) for i in v.inputs]
    known = v.dtype in TYPES and all(k in TYPES or k in WEAK for k in kinds)
    if (
        not known
        or moves(v.attrs)
        or 0 in v.shape
        or any(0 in i.shape for i in v.inputs)
    ):
        return False
    if isinstance(v.op, Time):
        if v.op is Time.total:
            return v.dtype in FLOATS and kinds == [v.dtype]
        return v.op is Time.splice or (v.op is Time.read and v.attrs["down"])
    if v.inputs and all(i.op is Time.each for i in v.inputs):
        # The same at every step: the rules leave none of these but in broadcasts.
        return is_elementwise(v.op) and is_sayable(v.op, kinds, v.dtype)
    if is_view(v) or v.op in JOINS:
        axis = v.attrs.get("axis", 0)
        return isinstance(axis, int) and (v.op in JOINS or set(kinds) == {v.dtype})
    if is_elementwise(v.op):
        return is_sayable(v.op, kinds, v.dtype)
    if v.op in LOSSES:
        return v.dtype in FLOATS
    if picks_rows(v):
        return v.op is not O.scatter_n or v.steps is None
    if v.op in SOFT and not _fits(v):
        return False
    return v.dtype in FLOATS and set(kinds) == {v.dtype} and (
        v.op in PRODUCTS or v.op in REDUCES or v.op in SOFT or v.op is O.min
        or v.op in (kernels.shift, kernels.share, kernels.column_sums)
    )  # fmt: skip


def _fits(v: Value) -> bool:
    """Whether the exponentials of a row have their place beside the result."""
    axis, shape = v.attrs.get("axis", ALONG[v.op]), v.inputs[0].shape
    if not isinstance(axis, int) or not shape:
        return False
    width = shape[axis]
    return v.op is O.softmax or (isinstance(width, int) and width <= SCRATCH)


def _dtype(i: Value) -> str:
    """The dtype of an operand, "weak" of a Python number."""
    source = i.inputs[0] if i.op is Time.each else i
    number = source.op is Leaf.constant and type(source.attrs["value"])
    return f"weak {i.dtype}" if number in (bool, int, float) else i.dtype
