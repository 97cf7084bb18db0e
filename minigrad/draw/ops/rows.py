"""Rows and sub-columns for the items of one step, the same at every step.

Vocabulary
    rank       the row: as close below its lowest consumer as it can be
    lane       the sub-column; chains stand straight above each other in lane 0
    passage    a free cell that an arrow over several rows runs through

>>> ranks, lanes, _ = arrange(["x", "a", "b"], {"a": ["x"], "b": ["a", "x"]}, set())
>>> ranks, lanes
({'x': 0, 'a': 1, 'b': 2}, {'b': 0, 'a': 0, 'x': -1})
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

Place = Any


def arrange(
    places: Sequence[Place],
    reads: Mapping[Place, Sequence[Place]],
    early: set[Place],
) -> tuple[dict[Place, int], dict[Place, int], dict[tuple[Place, Place], list[int]]]:
    """Rank and lane of every place, and the lanes of the passages of long arrows.

    ``reads`` are the edges within a step; ``early`` are the places that read an earlier
    step: they go to the left, where that comes from.
    """
    ranks = _ranks(places, reads)
    lanes: dict[Place, int] = {}
    taken: dict[tuple[int, int], Hashable] = {}
    number = {p: i for i, p in enumerate(places)}
    order = sorted(places, key=lambda p: (-ranks[p], -number[p]))
    for place in order:
        if place not in lanes:
            _settle(place, 0, ranks, lanes, taken)
        below = [p for p in dict.fromkeys(reads.get(place, ())) if p not in lanes]
        # The longest chain goes on straight below; what reads the past goes left.
        below.sort(key=lambda p: (p not in early, ranks[p] if reads.get(p) else -1))
        wanted = lanes[place]
        for p in reversed(below):
            _settle(p, wanted, ranks, lanes, taken)
            wanted = min(wanted, lanes[p]) - 1
    passages: dict[tuple[Place, Place], list[int]] = {}
    for target in order:
        for source in dict.fromkeys(reads.get(target, ())):
            between = range(ranks[source] + 1, ranks[target])
            if not between:
                continue
            found = []
            lane = lanes[source]
            for rank in between:
                lane = _free(rank, lane, taken)
                taken[rank, lane] = (source, target)
                found.append(lane)
            passages[source, target] = found
    return ranks, lanes, passages


def _settle(
    place: Place,
    wanted: int,
    ranks: Mapping[Place, int],
    lanes: dict[Place, int],
    taken: dict[tuple[int, int], Hashable],
) -> None:
    lane = _free(ranks[place], wanted, taken)
    lanes[place] = lane
    taken[ranks[place], lane] = place


def _free(rank: int, wanted: int, taken: Mapping[tuple[int, int], Hashable]) -> int:
    """The free lane nearest to the wanted one, to its left if both are as near."""
    away = 0
    while True:
        for lane in (wanted - away, wanted + away):
            if (rank, lane) not in taken:
                return lane
        away += 1


def _ranks(
    places: Iterable[Place], reads: Mapping[Place, Sequence[Place]]
) -> dict[Place, int]:
    """Longest paths from below, then everything with a consumer moved up to it."""
    number = {p: i for i, p in enumerate(places)}
    after: dict[Place, set[Place]] = {p: set() for p in number}
    waiting = {p: len(set(reads.get(p, ()))) for p in number}
    for p in number:
        for q in set(reads.get(p, ())):
            after[q].add(p)
    order = [p for p in number if not waiting[p]]
    ranks = dict.fromkeys(order, 0)
    for p in order:
        for q in sorted(after[p], key=number.__getitem__):
            ranks[q] = max(ranks.get(q, 0), ranks[p] + 1)
            waiting[q] -= 1
            if not waiting[q]:
                order.append(q)
    if len(order) < len(number):
        raise ValueError("the lines of a step depend on each other in a circle")
    for p in reversed(order):
        if after[p]:
            ranks[p] = min(ranks[q] for q in after[p]) - 1
    lowest = min(ranks.values(), default=0)
    return {p: rank - lowest for p, rank in ranks.items()}
