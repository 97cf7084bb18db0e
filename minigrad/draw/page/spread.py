"""Places side by side, each as near to where it wants to be as the others allow."""

from collections.abc import Sequence
from itertools import accumulate
from operator import add


def spread(
    wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]
) -> list[float]:
    """The places nearest to the wanted ones that keep order and gaps.

    >>> spread([0.0, 0.0, 9.0], [1.0, 1.0, 1.0], [4.0, 4.0])
    [-2.0, 2.0, 9.0]
    """
    offsets = [*accumulate(gaps, initial=0.0)]
    # Spots that touch: the sum of what they want, of their weights, their number.
    blocks: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        block = ((want - offset) * weight, weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] >= block[0] / block[1]:
            a, b, c = blocks.pop()
            block = (a + block[0], b + block[1], c + block[2])
        blocks.append(block)
    starts = [total / weight for total, weight, n in blocks for _ in range(n)]
    return [*map(add, starts, offsets)]
