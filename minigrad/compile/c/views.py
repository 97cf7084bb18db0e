"""Where the elements of an array are: a pointer, an offset, and strides in elements.

What is a view for NumPy costs nothing here: it is another ``View`` of the same memory,
a flipped or a broadcast axis too.

>>> x = view("x", "float32", (2, 3))
>>> x.transposed((1, 0)).strides, x.key((0, slice(None, None, -1))).element(["j"])
((1, 3), 'x[2 - j]')
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from minigrad.compile.c.sizes import AnySize, Size, product, size


class UnsayableError(Exception):
    """C has no words for this; NumPy computes the ``part``."""

    part: Any = None


@dataclass(frozen=True)
class View:
    """Element i, j, .. of an array is at offset + i strides[0] + j strides[1] .."""

    array: str
    dtype: str
    shape: tuple[Size, ...]
    strides: tuple[Size, ...]
    offset: Size

    def element(self, indices: Sequence[AnySize]) -> str:
        """The C expression of one element."""
        return f"{self.array}[{self.place(indices)}]"

    def place(self, indices: Sequence[AnySize]) -> Size:
        """Where an element is, counted from the pointer."""
        at = self.offset
        for i, stride in zip(indices, self.strides, strict=True):
            at = at + stride * i
        return at

    @property
    def pointer(self) -> str:
        """The C expression of the address of the first element."""
        return self.array if self.offset == 0 else f"{self.array} + {self.offset}"

    @property
    def is_whole(self) -> bool:
        """Whether elements lie one behind the other, in their order."""
        expected = size(1)
        for n, stride in zip(self.shape[::-1], self.strides[::-1], strict=True):
            if n != 1 and stride != expected:
                return False
            expected = expected * n
        return True

    def transposed(self, axes: Sequence[int]) -> "View":
        """These axes, in this order; of the others the first element."""
        return replace(
            self,
            shape=tuple([self.shape[a] for a in axes]),
            strides=tuple([self.strides[a] for a in axes]),
        )

    def widened(self, at: int, number: int = 1) -> "View":
        """With axes of one element put in before axis ``at``."""
        ones, zeros = [size(1)] * number, [size(0)] * number
        return replace(
            self,
            shape=(*self.shape[:at], *ones, *self.shape[at:]),
            strides=(*self.strides[:at], *zeros, *self.strides[at:]),
        )

    def broadcast(self, shape: Sequence[Size]) -> "View":
        """The same for every index of the axes that are new, or were 1."""
        missing = len(shape) - len(self.shape)
        strides = [size(0)] * missing
        for n, own, stride in zip(
            shape[missing:], self.shape, self.strides, strict=True
        ):
            strides.append(size(0) if own == 1 and n != 1 else stride)
        return replace(self, shape=tuple(shape), strides=tuple(strides))

    def reshaped(self, shape: Sequence[Size]) -> "View":
        """The same elements in another shape, where that needs no copy."""
        if self.is_whole:
            return replace(self, shape=tuple(shape), strides=row_major(shape))
        if not product(shape) or [n for n in shape if n != 1] != [
            n for n in self.shape if n != 1
        ]:
            raise UnsayableError("a reshape of what does not lie in one piece")
        rest = [s for n, s in zip(self.shape, self.strides, strict=True) if n != 1]
        strides = [size(0) if n == 1 else rest.pop(0) for n in shape]
        return replace(self, shape=tuple(shape), strides=tuple(strides))

    def key(self, key: Any) -> "View":
        """What an index of whole numbers, slices, None and ... leaves."""
        parts = list(key) if isinstance(key, tuple) else [key]
        taken = len([p for p in parts if p is not None and p is not Ellipsis])
        rest = [slice(None)] * (len(self.shape) - taken)
        where = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
        parts[where : where + 1] = rest
        axis, offset = 0, self.offset
        shape, strides = list[Size](), list[Size]()
        for part in parts:
            if part is None:
                shape.append(size(1))
                strides.append(size(0))
                continue
            n, stride = self.shape[axis], self.strides[axis]
            axis += 1
            if isinstance(part, int):
                offset = offset + stride * (n + part if part < 0 else size(part))
                continue
            start, number, step = _slice(part, n)
            offset = offset + stride * start
            shape.append(number)
            strides.append(stride * step)
        return replace(self, shape=tuple(shape), strides=tuple(strides), offset=offset)


def _slice(part: slice, n: Size) -> tuple[Size, Size, int]:
    """Start, number and step of a slice of an axis of n elements."""
    step = 1 if part.step is None else part.step
    if n.number is not None:
        start, stop, step = part.indices(n.number)
        return size(start), size(len(range(start, stop, step))), step
    if part == slice(None):
        return size(0), n, 1
    if part == slice(None, None, -1):
        return n - 1, n, -1
    # NumPy shortens a slice that reaches beyond the end: that depends on the length.
    raise UnsayableError("part of an axis whose length is free")


def row_major(shape: Sequence[Size]) -> tuple[Size, ...]:
    """The strides of an array in one piece."""
    strides, step = list[Size](), size(1)
    for n in shape[::-1]:
        strides.append(step)
        step = step * n
    return tuple(strides[::-1])


def view(array: str, dtype: str, shape: Sequence[AnySize]) -> View:
    """A whole array."""
    sizes = tuple([size(n) for n in shape])
    return View(array, dtype, sizes, row_major(sizes), size(0))


def nested(
    shape: Sequence[Size], views: Sequence[View]
) -> tuple[list[Size], list[list[Size]]]:
    """Axes, and of each view its strides, with axes joined that run as one."""
    sizes = list[Size]()
    strides = [list[Size]() for _ in views]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        here = [v.strides[axis] for v in views]
        if sizes and all(s[-1] == n * h for s, h in zip(strides, here, strict=True)):
            sizes[-1] = sizes[-1] * n
            for s, h in zip(strides, here, strict=True):
                s[-1] = h
        else:
            sizes.append(n)
            for s, h in zip(strides, here, strict=True):
                s.append(h)
    return sizes, strides
