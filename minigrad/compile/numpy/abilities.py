"""What NumPy can do with an op: write it into an array, in place, over all steps."""

from minigrad.compile.kinds import (
    ALONG,
    PRODUCTS,
    ROWWISE,
    O,
    is_elementwise,
    is_ufunc,
)
from minigrad.compile.numpy import table
from minigrad.compile.values import Kernel, Time, Value


class Abilities:
    """What this engine can do with an op; see ``memory.Abilities``."""

    def writes(self, v: Value) -> bool:
        """Ufuncs and sums of elements, plain products, and what joins."""
        if v.op is Time.splice:
            return True
        if v.op in PRODUCTS:
            return self.writes_all(v) and all(len(i.shape) == 2 for i in v.inputs)
        if isinstance(v.op, Kernel):
            return "out" in v.op.keywords
        return is_ufunc(v.op) or v.op in (O.sigmoid, O.clip, O.concatenate)

    def writes_all(self, v: Value) -> bool:
        """What it writes at a step, and what is put together of parts."""
        if v.op is Time.splice:
            return True
        if isinstance(v.op, Time):
            return False
        if v.op in PRODUCTS:
            kinds = {i.dtype for i in v.inputs} | {v.dtype}
            return len(kinds) == 1 and all(len(i.shape) >= 2 for i in v.inputs)
        return self.writes(v)

    def fresh(self, v: Value) -> bool:
        """Elementwise, products and reductions make a new array."""
        if v.op is Time.splice:
            return True
        if v.op in ALONG or v.op in PRODUCTS or isinstance(v.op, Kernel):
            return v.op not in (O.softmax, O.log_softmax)
        return v.op in (Time.total, O.concatenate, O.stack) or is_elementwise(v.op)

    def in_place(self, v: Value) -> bool:
        """What computes each element from those at its place."""
        return is_ufunc(v.op) or v.op in table.ALIGNED


ABLE = Abilities()


def can_batch(v: Value) -> bool:
    """Whether one operation computes a timed value at all of its steps."""
    timed = [i.op is not Time.each for i in v.inputs]
    if v.op in PRODUCTS:
        a, b = (len(i.shape) for i in v.inputs)
        if min(a, b) < 2 or (v.op is O.dot and (a, b) != (2, 2)):
            return False
        return a == b or all(timed) or timed == [a > b, b > a] or (a, b) == (2, 2)
    if not any(timed):
        return False
    if v.op is O.embedding:
        return timed == [False, True]
    if (len(v.inputs) > 1 and v.op is O.getitem) or (
        len(v.inputs) > 2 and v.op in ROWWISE
    ):
        return False
    return table.over_steps(v, 1) is not None
