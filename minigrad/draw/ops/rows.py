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
from itertools import pairwise
from typing import Any, NamedTuple

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
    ends: dict[int, tuple[Spot, ...]] = field(default_factory=dict)
    slants: dict[int, float] = field(default_factory=dict)

    def free(self, place: Place, side: int) -> bool:
        """Whether nothing stands beside a place in its row, on that side."""
        return bool(self.ends[self.ranks[place]][side > 0].place == place)

    def lift(self, rows: int) -> None:
        """Move everything up by some rows."""
        self.ranks = {place: rank + rows for place, rank in self.ranks.items()}
        self.ends = {
            rank + rows: tuple(Spot(s.place, s.rank + rows) for s in ends)
            for rank, ends in self.ends.items()
        }
        self.slants = {rank + rows: far for rank, far in self.slants.items()}


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
    layers.ends = {rank: (row[0], row[-1]) for rank, row in enumerate(rows)}
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


def _ordered(
    rows: list[list[Spot]],
    links: Mapping[Spot, Sequence[Link]],
    groups: Mapping[Place, Any],
) -> list[list[Spot]]:
    """The rows in an order with few crossings, by sweeps down and up."""
    below = {spot: [(k.low, k.aside) for k in found] for spot, found in links.items()}
    above: dict[Spot, list[tuple[Spot, float]]] = defaultdict(list)
    for found in links.values():
        for link in found:
            above[link.low].append((link.high, link.aside))
    at = {s: i - len(row) / 2 for row in rows for i, s in enumerate(row)}
    best, fewest = rows, _crossings(rows, links)
    for sweep in range(SWEEPS if len(links) < LARGE else 2):
        down = sweep % 2 == 0
        rows = [*rows]
        for rank in range(len(rows))[:: -1 if down else 1]:
            near = above if down else below
            sign = 1 if down else -1
            wanted = {}
            for spot in rows[rank]:
                others = [at[other] + sign * aside for other, aside in near[spot]]
                wanted[spot] = sum(others) / len(others) if others else at[spot]
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
    gaps = []
    for row in rows:
        apart = [_apart(wide[a], wide[b]) for a, b in pairwise(row)]
        gaps.append(apart)
        x = -sum(apart) / 2
        for spot, gap in zip(row, [*apart, 0.0], strict=True):
            xs[spot] = x
            x += gap
    above: dict[Spot, list[tuple[Spot, float]]] = defaultdict(list)
    below = {s: [(k.low, min(k.weight, 4.0)) for k in ks] for s, ks in links.items()}
    for link in (link for found in links.values() for link in found):
        above[link.low].append((link.high, link.weight))
    for spot, ends in above.items():
        # Whatever else reads it, the operand of a main path stands straight below.
        above[spot] = [end for end in ends if end[1] == MAIN] or ends
    sweeps = SWEEPS if len(links) < LARGE else 2
    for down in [sweep % 2 > 0 for sweep in range(sweeps)]:
        near = above if down else below
        for rank in range(len(rows))[:: -1 if down else 1]:
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


def spread(
    wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[float]
) -> Iterator[float]:
    """The places nearest to the wanted ones that keep order and gaps.

    >>> [*spread([0.0, 0.0, 9.0], [1.0, 1.0, 1.0], [4.0, 4.0])]
    [-2.0, 2.0, 9.0]
    """
    offset = 0.0
    # Spots that touch: the sum of what they want, of their weights, their number.
    blocks: list[tuple[float, float, int]] = []
    for want, weight, gap in zip(wanted, weights, [0.0, *gaps], strict=True):
        offset += gap
        block = ((want - offset) * weight, weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] >= block[0] / block[1]:
            a, b, c = blocks.pop()
            block = (a + block[0], b + block[1], c + block[2])
        blocks.append(block)
    ends = [total / weight for total, weight, n in blocks for _ in range(n)]
    offset = 0.0
    for x, gap in zip(ends, [0.0, *gaps], strict=True):
        offset += gap
        yield x + offset


def _ranks(
    places: Iterable[Place],
    reads: Mapping[Place, Sequence[Place]],
    groups: Mapping[Place, Any],
) -> dict[Place, int]:
    """Longest paths from below, then everything with a consumer moved up to it."""
    number = {p: i for i, p in enumerate(places)}
    after: dict[Place, set[Place]] = {p: set() for p in number}
    waiting = {p: len(set(reads.get(p, ()))) for p in number}
    # Below a group is a row for its own leaves alone.
    roomy = set()
    for q in number:
        own = [p for p in reads.get(q, ()) if groups.get(p) == groups.get(q)]
        if groups.get(q) and not all(reads.get(p) for p in own):
            roomy.add(q)

    def apart(p: Place, q: Place) -> int:
        return 2 if q in roomy and groups.get(p) != groups.get(q) else 1

    for p in number:
        for q in set(reads.get(p, ())):
            after[q].add(p)
    order = [p for p in number if not waiting[p]]
    ranks = dict.fromkeys(order, 0)
    for p in order:
        for q in sorted(after[p], key=number.__getitem__):
            ranks[q] = max(ranks.get(q, 0), ranks[p] + apart(p, q))
            waiting[q] -= 1
            if not waiting[q]:
                order.append(q)
    if len(order) < len(number):
        raise ValueError("the lines of a step depend on each other in a circle")
    for p in reversed(order):
        if after[p]:
            ranks[p] = min(ranks[q] - apart(p, q) for q in after[p])
    lowest = min(ranks.values(), default=0)
    return {p: rank - lowest for p, rank in ranks.items()}
