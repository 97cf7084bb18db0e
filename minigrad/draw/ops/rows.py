"""Rows of boxes and places in them: a layered drawing of our own.

Vocabulary
    rank       the row: as close below its lowest consumer as it can be
    spot       a box in its row, or a passage of it: where an arrow from it runs through
               a higher row; all arrows from one box share their passages
    link       a piece of an arrow, between spots of neighbouring rows
    main       the operand that stands straight below its consumer: the longest path

The rows are ordered so that few links cross (barycentre, down and up in turn), and
operands stand in the order in which they are read. Within a row each spot goes to the
mean of what it is linked with, as near as the order allows; main paths are straight.

>>> layers = arrange({"x": 30.0, "a": 30.0, "b": 30.0}, {"a": ["x"], "b": ["a", "x"]})
>>> layers.ranks, layers.xs["a"] == layers.xs["b"], len(layers.passages)
({'x': 0, 'a': 1, 'b': 2}, True, 3)
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from minigrad.draw.page.spread import spread

BETWEEN, PASSAGE = 18.0, 12.0
SWEEPS, LARGE = 12, 4000
MAIN = 1e6  # the weight of a link of a main path

Place = Any


class Spot(NamedTuple):
    """A place in its own row, or a passage of it in a higher one."""

    place: Place
    rank: int


class Link(NamedTuple):
    """From a spot to one above it; ``aside`` is -0.5 for its first operand, to 0.5."""

    low: Spot
    high: Spot
    aside: float
    weight: float


@dataclass
class Layers:
    """The rank and x of every place, and the xs of the passages of long arrows."""

    ranks: dict[Place, int]
    xs: dict[Place, float] = field(default_factory=dict)
    passages: dict[tuple[Place, Place], list[float]] = field(default_factory=dict)
    width: float = 0.0
    mains: dict[Place, Place] = field(default_factory=dict)
    ends: list[tuple[Spot, Spot]] = field(default_factory=list)
    slants: dict[int, float] = field(default_factory=dict)

    def free(self, place: Place, side: int) -> bool:
        """Whether nothing stands beside a place in its row, on that side."""
        return bool(self.ends[self.ranks[place]][side > 0].place == place)


def arrange(
    widths: Mapping[Place, float],
    reads: Mapping[Place, Sequence[Place]],
    groups: Mapping[Place, Any] | None = None,
) -> Layers:
    """The layers of some places, given what each reads, from left to right.

    Places of one of the ``groups`` stand together.
    """
    ranks = _ranks(widths, reads, groups or {})
    layers = Layers(ranks, mains=_mains(ranks, reads))
    links = _links(layers, reads)
    rows = _ordered(_first(ranks, reads, links), links, groups or {})
    wide = {s: widths[s.place] if s.rank == ranks[s.place] else 0.0 for s in links}
    xs = _settled(rows, wide, links)
    left = min((xs[s] - wide[s] / 2 for s in wide), default=0.0)
    xs = {spot: round(x - left, 2) for spot, x in xs.items()}
    layers.width = max((xs[s] + wide[s] / 2 for s in wide), default=0.0)
    layers.xs = {place: xs[Spot(place, rank)] for place, rank in ranks.items()}
    layers.ends = [(row[0], row[-1]) for row in rows]
    for target, sources in reads.items():
        for source in dict.fromkeys(sources):
            way = range(ranks[source] + 1, ranks[target])
            layers.passages[source, target] = [xs[Spot(source, rank)] for rank in way]
    for low, high, *_ in (link for found in links.values() for link in found):
        reach = abs(xs[low] - xs[high])
        layers.slants[high.rank] = max(layers.slants.get(high.rank, 0.0), reach)
    return layers


def _links(
    layers: Layers, reads: Mapping[Place, Sequence[Place]]
) -> dict[Spot, list[Link]]:
    """The links at the upper end of each spot, none for what reads nothing."""
    ranks = layers.ranks
    found: dict[Spot, dict[Spot, Link]] = {Spot(p, r): {} for p, r in ranks.items()}
    for target, sources in reads.items():
        for k, source in enumerate(sources):
            low = Spot(source, ranks[source])
            main = layers.mains.get(target) == source
            for rank in range(ranks[source] + 1, ranks[target]):
                high = Spot(source, rank)
                weight = MAIN if main else 4.0
                old = found.setdefault(high, {}).get(low)
                if old is None or old.weight < weight:
                    found[high][low] = Link(low, high, 0.0, weight)
                low = high
            aside = k / (len(sources) - 1) - 0.5 if len(sources) > 1 else 0.0
            high = Spot(target, ranks[target])
            found[high].setdefault(low, Link(low, high, aside, MAIN if main else 1.0))
    return {spot: [*links.values()] for spot, links in found.items()}


def _mains(
    ranks: Mapping[Place, int], reads: Mapping[Place, Sequence[Place]]
) -> dict[Place, Place]:
    """The main operand of each place; a place is that of one consumer at most."""
    depth: dict[Place, int] = {}
    for place in sorted(ranks, key=ranks.__getitem__):
        depth[place] = max((depth[s] + 1 for s in reads.get(place, ())), default=0)
    mains: dict[Place, Place] = {}
    taken = set()
    for place in sorted(ranks, key=lambda p: (-depth[p], -ranks[p])):
        left = [s for s in reads.get(place, ()) if s not in taken]
        if left:
            mains[place] = max(left, key=depth.__getitem__)
            taken.add(mains[place])
    return mains


def _first(
    ranks: Mapping[Place, int],
    reads: Mapping[Place, Sequence[Place]],
    links: Mapping[Spot, Sequence[Link]],
) -> list[list[Spot]]:
    """The rows in the order in which a walk down from the outputs meets their spots."""
    read = {source for sources in reads.values() for source in sources}
    tops = [Spot(p, r) for p, r in ranks.items() if p not in read]
    rows: list[list[Spot]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    met: set[Spot] = set()
    stack = sorted(tops, key=lambda s: s.rank)
    while stack:
        spot = stack.pop()
        if spot not in met:
            met.add(spot)
            rows[spot.rank].append(spot)
            stack += [link.low for link in reversed(links[spot])]
    return rows


def _sweeps(
    rows: Sequence[Any], links: Mapping[Spot, Any], first: bool
) -> Iterator[tuple[bool, range]]:
    """The ranks, down and up in turn, with whether it goes down; ``first`` begins."""
    for sweep in range(SWEEPS if len(links) < LARGE else 2):
        down = first == (sweep % 2 == 0)
        yield down, range(len(rows))[:: -1 if down else 1]


def _above(links: Mapping[Spot, Sequence[Link]]) -> Mapping[Spot, Sequence[Link]]:
    """The links at the lower end of each spot."""
    found: dict[Spot, list[Link]] = {spot: [] for spot in links}
    for link in (link for ends in links.values() for link in ends):
        found[link.low].append(link)
    return found


def _ordered(
    rows: list[list[Spot]],
    links: Mapping[Spot, Sequence[Link]],
    groups: Mapping[Place, Any],
) -> list[list[Spot]]:
    """The rows in an order with few crossings, by sweeps down and up."""
    above = _above(links)
    at = {s: i - len(row) / 2 for row in rows for i, s in enumerate(row)}
    best, fewest = rows, _crossings(rows, links)
    for down, ranks in _sweeps(rows, links, first=True):
        rows = [*rows]
        for rank in ranks:
            wanted = {}
            for spot in rows[rank]:
                ends = (
                    [at[k.high] + k.aside for k in above[spot]]
                    if down
                    else [at[k.low] - k.aside for k in links[spot]]
                )
                wanted[spot] = sum(ends) / len(ends) if ends else at[spot]
            rows[rank] = _together(rows[rank], wanted, groups)
            at |= {s: i - len(rows[rank]) / 2 for i, s in enumerate(rows[rank])}
        count = _crossings(rows, links)
        if count < fewest:
            best, fewest = rows, count
    return best


def _together(
    row: Sequence[Spot], wanted: Mapping[Spot, float], groups: Mapping[Place, Any]
) -> list[Spot]:
    """A row by what its spots want, those of one group side by side."""
    members: dict[Any, list[float]] = defaultdict(list)
    group = {spot: groups.get(spot.place) or spot for spot in row}
    for spot in row:
        members[group[spot]].append(wanted[spot])
    middle = {name: sum(found) / len(found) for name, found in members.items()}
    number = {name: i for i, name in enumerate(middle)}
    return sorted(row, key=lambda s: (middle[group[s]], number[group[s]], wanted[s]))


def _crossings(
    rows: Sequence[Sequence[Spot]], links: Mapping[Spot, Sequence[Link]]
) -> float:
    """How many pairs of links cross, and a little for operands out of order."""
    count = 0.0
    for low, high in pairwise(rows):
        at = {spot: i for i, spot in enumerate(low)}
        met: list[int] = []
        for spot in high:
            ends = [at[link.low] for link in links[spot]]
            for end in ends:
                count += len(met) - bisect_right(met, end)
            count += 0.9 * sum(a > b for a, b in pairwise(ends))
            for end in ends:
                insort(met, end)
    return count


def _settled(
    rows: Sequence[Sequence[Spot]],
    wide: Mapping[Spot, float],
    links: Mapping[Spot, Sequence[Link]],
) -> dict[Spot, float]:
    """The x of each spot: near what it is linked with, main paths straight."""
    xs: dict[Spot, float] = {}
    gaps = [[_apart(wide[a], wide[b]) for a, b in pairwise(row)] for row in rows]
    for row, apart in zip(rows, gaps, strict=True):
        starts = accumulate(apart, initial=-sum(apart) / 2)
        xs |= dict(zip(row, starts, strict=True))
    below = {s: [(k.low, min(k.weight, 4.0)) for k in ks] for s, ks in links.items()}
    above = {
        # Whatever else reads it, the operand of a main path stands straight below.
        s: [(k.high, MAIN) for k in ks if k.weight == MAIN]
        or [(k.high, k.weight) for k in ks]
        for s, ks in _above(links).items()
    }
    for down, ranks in _sweeps(rows, links, first=False):
        near = above if down else below
        for rank in ranks:
            wanted, weights = [], []
            for spot in rows[rank]:
                total = sum(weight for _, weight in near[spot]) or 0.1
                mean = sum(xs[s] * weight for s, weight in near[spot]) / total
                wanted.append(mean if near[spot] else xs[spot])
                weights.append(total)
            places = spread(wanted, weights, gaps[rank])
            xs |= dict(zip(rows[rank], places, strict=True))
    return xs


def _apart(a: float, b: float) -> float:
    """The least distance of two neighbours of these widths; a passage has none."""
    return (a + b) / 2 + (BETWEEN if a and b else PASSAGE)


def _ranks(
    places: Iterable[Place],
    reads: Mapping[Place, Sequence[Place]],
    groups: Mapping[Place, Any],
) -> dict[Place, int]:
    """Longest paths from below, then everything with a consumer moved up to it."""
    below = {p: set(reads.get(p, ())) for p in places}
    after: dict[Place, list[Place]] = {p: [] for p in below}
    # Below a group is a row for its own leaves alone.
    roomy = set()
    for q, read in below.items():
        for p in read:
            after[p].append(q)
            if groups.get(q) and groups.get(p) == groups.get(q) and not below[p]:
                roomy.add(q)

    def apart(p: Place, q: Place) -> int:
        return 2 if q in roomy and groups.get(p) != groups.get(q) else 1

    try:
        order = [*TopologicalSorter(below).static_order()]
    except CycleError as error:
        raise ValueError(
            "the lines of a step depend on each other in a circle"
        ) from error
    ranks: dict[Place, int] = {}
    for q in order:
        ranks[q] = max((ranks[p] + apart(p, q) for p in below[q]), default=0)
    for p in reversed(order):
        if after[p]:
            ranks[p] = min(ranks[q] - apart(p, q) for q in after[p])
    lowest = min(ranks.values(), default=0)
    return {p: ranks[p] - lowest for p in below}
