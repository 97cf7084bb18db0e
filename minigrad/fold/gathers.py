"""Gathers: which inputs of a consumer are one value at step after step of a loop.

Vocabulary
    chunk   some inputs in a row that the next ones repeat, each one step further on:
            [h(1), x(2)] in h(1), x(2), h(2), x(3), ..
    column  what stands at one place of every chunk
    run     chunks that follow one another

>>> import minigrad as mg
>>> h, hs = mg.tensor(1.0, name="h0"), []
>>> for t in mg.steps(4):
...     h = mg.tanh(h)
...     hs.append(h.node)
>>> roles, every = dict.fromkeys(hs, 0), {0: 1}
>>> runs([*hs, hs[0]], roles, every)
[[[0], [1], [2], [3]], [[4]]]
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from minigrad.graph import Node

WIDEST = 64  # a chunk; a consumer reads no more of one step


def runs(
    inputs: Sequence[Node], role_of: Mapping[Node, int], every: Mapping[int, int]
) -> list[list[list[int]]]:
    """The positions of inputs, as the chunks of runs; most runs are one input.

    ``every`` is the gap between the steps of each role. A run goes up or down by that
    gap; one with another gap has at least three chunks.
    """
    found: list[list[list[int]]] = []
    times = [node.time for node in inputs]
    roles = [role_of[node] for node in inputs]
    i = 0
    while i < len(inputs):
        width, number = _run(inputs, times, roles, every, i)
        found.append([[i + width * c + k for k in range(width)] for c in range(number)])
        i += width * number
    return found


def _run(
    inputs: Sequence[Node],
    times: Sequence[tuple[object, int] | None],
    roles: Sequence[int],
    every: Mapping[int, int],
    i: int,
) -> tuple[int, int]:
    """The width of the chunks of the run that begins at i, and their number."""

    def repeats(width: int, number: int, gap: int) -> bool:
        """Whether the chunk behind ``number`` others is the first one, further on."""
        start = i + width * number
        if start + width > len(inputs):
            return False
        for k in range(width):
            a, b = times[i + k], times[start + k]
            if a is None or b is None:
                same = inputs[i + k] is inputs[start + k]
            else:
                same = a[0] is b[0] and b[1] - a[1] == gap * number
            if not same or roles[i + k] != roles[start + k]:
                return False
        return True

    first = times[i]
    if first is None:
        return 1, 1
    for j, time in islice(enumerate(times), i + 1, i + 1 + WIDEST):
        if roles[j] != roles[i] or time is None or time == first:
            continue
        gap, width = time[1] - first[1], j - i
        number = 1
        while repeats(width, number, gap):
            number += 1
        least = 2 if abs(gap) == every[roles[i]] else 3
        return (width, number) if number >= least else (1, 1)
    return 1, 1
