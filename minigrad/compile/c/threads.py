"""Several threads run one C function; each unit of it is split, or the first's alone.

Vocabulary
    unit   lines that threads need not wait for one another in: a nest, a product
    split  a unit whose outermost range is divided: a thread takes FROM(n) to TO(n)
    MEET   where each thread waits for all others

A result does not depend on the number of threads: no sum is divided.

>>> print("\\n".join(together([Unit(["a();"]), Unit(["b(FROM(8));"], True)], 2).lines))
if (!me) {
    a();
}
MEET
b(FROM(8));
MEET
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from math import prod
from threading import Lock
from typing import NamedTuple

from minigrad.compile.c.sizes import Size, size

# A unit is split from so many multiplications, or elements, on: 5 µs of one thread.
PRODUCTS, ELEMENTS = 200_000, 16_384
# How long a loop is taken to be whose length is free.
LENGTH = 64


class Unit(NamedTuple):
    """Lines of C, and whether threads divide them."""

    lines: list[str]
    split: bool = False


def worth(sizes: Sequence[Size], least: int) -> bool:
    """Whether so much is done that threads pay."""
    terms: list[int] = [
        sum(f * int(LENGTH ** len(names)) for names, f in n.terms.items())
        for n in sizes
    ]
    return prod(terms) >= least


def begin(n: Size) -> Size:
    """Where the range of a thread begins, of n."""
    return size(f"FROM({n})")


def end(n: Size) -> Size:
    """Where it ends."""
    return size(f"TO({n})")


def together(units: Sequence[Unit], threads: int) -> Unit:
    """Units one after the other, and a meeting after each that others may wait for."""
    if threads == 1 or not any(u.split for u in units):
        return Unit([line for u in units for line in u.lines])
    lines = []
    for split, found in groupby(units, lambda u: u.split):
        for unit in found if split else [together(list(found), 1)]:
            if split:
                lines += unit.lines
            else:
                lines += ["if (!me) {", *[f"    {x}" for x in unit.lines], "}"]
            lines.append("MEET")
    return Unit(lines, True)


# One team runs at a time: others that wait for their members would keep these from
# having theirs.
_lock = Lock()
_members: ThreadPoolExecutor | None = None


def _forget() -> None:
    """A forked process has none of the threads."""
    global _lock, _members
    _lock, _members = Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def run(function: Callable[..., int], threads: int, *given: int) -> int:
    """Run a C function in several threads; whether one of them found a fault."""
    global _members
    with _lock:
        if _members is None or _members._max_workers < threads - 1:
            _members = ThreadPoolExecutor(threads - 1, "minigrad")
        waiting = [
            _members.submit(function, *given, me, threads) for me in range(1, threads)
        ]
        wrong = function(*given, 0, threads)
        return max([wrong, *[w.result() for w in waiting]])
