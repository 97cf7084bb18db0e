"""The places of circles within their rows: few crossings, straight ways, little width.

>>> from minigrad.draw.textbook.chart import Arrow
>>> places(["x", "f", "i", "c"], {"x": 0, "f": 1, "i": 1, "c": 2},
...     [Arrow("x", "f"), Arrow("x", "i"), Arrow("f", "c"), Arrow("i", "c")], [])
{'x': 0.0, 'f': -0.5, 'i': 0.5, 'c': 0.0}
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

from minigrad.draw.textbook.chart import Arrow

# What one fault of a placement costs, in lanes of way.
BLOCKED, FLAT, CROSSING, WIDTH, SPINE, LEAVING, ENTERING, TURNED, BACK = (
    *(2.5, 1.0, 2.0, 0.7, 0.12, 1.5, 0.45, 0.06, 4.0),
)
MANY, ROUNDS = 36, 12


def places(
    keys: Sequence[str],
    level: Mapping[str, int],
    now: Sequence[Arrow],
    later: Sequence[Arrow],
) -> dict[str, float]:
    """The place of each key in its row, in lanes from the middle of the column."""
    read = {key: [a.target for a in now if a.source == key] for key in keys}
    over = Counter(t for key in keys for t in read[key] if level[key] > level[t])
    if not later and _is_tree(read) and max(over.values(), default=0) < 2:
        return _tidy(keys, level, read)
    search = _Search(keys, level, now, later)
    if len(keys) <= MANY:
        search.run()
    return search.lane


class _Search:
    """Shifts and swaps, as long as they make the placement cheaper."""

    def __init__(
        self,
        keys: Sequence[str],
        level: Mapping[str, int],
        now: Sequence[Arrow],
        later: Sequence[Arrow],
    ) -> None:
        self.level, self.now, self.later = level, now, later
        self.order = {key: i for i, key in enumerate(keys)}
        self.rows: dict[int, list[str]] = defaultdict(list)
        for key in keys:
            self.rows[level[key]].append(key)
        self.alone = [here[0] for here in self.rows.values() if len(here) == 1]
        self.pairs = [
            (a, b)
            for a, b in combinations(now, 2)
            if not {a.source, a.target} & {b.source, b.target}
            and min(level[a.target], level[b.target])
            > max(level[a.source], level[b.source])
        ]
        self.lane: dict[str, float] = {}
        for row in sorted(self.rows):
            self.rows[row].sort(key=self._wish)
            for i, key in enumerate(self.rows[row]):
                self.lane[key] = i - (len(self.rows[row]) - 1) / 2

    def _wish(self, key: str) -> tuple[float, int, int]:
        """Where a key stands in its row: over what it reads, what reaches up last."""
        read = (a.source for a in self.now if a.target == key)
        near = [self.lane[k] for k in read if k in self.lane]
        up = (self.level[a.target] for a in self.now if a.source == key)
        far = max(up, default=self.level[key]) - self.level[key]
        return sum(near) / len(near) if near else 0.0, far, self.order[key]

    def run(self, rounds: int = ROUNDS) -> None:
        """Change the places until nothing gets cheaper."""
        groups: list[list[str]] = [[key] for key in self.lane]
        groups += [here for here in self.rows.values() if len(here) > 1]
        groups += [[k for k in self.lane if self.level[k] >= row] for row in self.rows]
        best = self.cost()
        for _ in range(rounds):
            before = best
            for group in groups:
                for by in (-1.0, -0.5, 0.5, 1.0):
                    best = self._try(dict.fromkeys(group, by), best)
            for here in self.rows.values():
                for a, b in combinations(here, 2):
                    by = self.lane[b] - self.lane[a]
                    best = self._try({a: by, b: -by}, best)
            if best >= before - 1e-9:
                return

    def _try(self, moves: dict[str, float], best: float) -> float:
        before = dict(self.lane)
        for key, by in moves.items():
            self.lane[key] += by
        rows = {self.level[key] for key in moves}
        xs = (sorted(self.lane[key] for key in self.rows[row]) for row in rows)
        if all(b - a >= 1 for row in xs for a, b in pairwise(row)):
            cost = self.cost()
            if cost < best - 1e-9:
                return cost
        self.lane = before
        return best

    def cost(self) -> float:
        """What is wrong with the places as they are."""
        lane, level = self.lane, self.level
        total = 0.0
        for a in self.now:
            wide = abs(lane[a.source] - lane[a.target])
            high = abs(level[a.source] - level[a.target])
            total += wide + 0.02 * wide * wide
            if not high:
                total += BACK * (lane[a.source] > lane[a.target])
            elif high < 0.34 * wide:
                total += FLAT
            if self._blocked(a):
                total += BLOCKED + 0.3 * high
        total += CROSSING * sum(self._cross(a, b) for a, b in self.pairs)
        for a in self.later:
            side = 1 if a.delay > 0 else -1
            ends = (a.source, side, LEAVING), (a.target, -side, ENTERING)
            for end, way, price in ends:
                beside = self.rows[level[end]]
                total += price * sum((lane[k] - lane[end]) * way > 0 for k in beside)
        total += WIDTH * (max(lane.values()) - min(lane.values()))
        total += SPINE * sum(abs(lane[key]) for key in self.alone)
        for here in self.rows.values():
            for k, o in combinations(here, 2):
                turned = (lane[k] < lane[o]) != (self.order[k] < self.order[o])
                total += TURNED * turned
        return total

    def _blocked(self, arrow: Arrow) -> bool:
        """Whether a circle stands in the way of a straight arrow."""
        start, way = self._at(arrow.source), self._at(arrow.target)
        way -= start
        low, high = sorted((self.level[arrow.source], self.level[arrow.target]))
        rows = range(low, high + 1)
        for key in (key for row in rows for key in self.rows.get(row, ())):
            if key not in (arrow.source, arrow.target):
                share = (self._at(key) - start) / (way or 1.0)
                if 0.02 < share.real < 0.98 and abs(share.imag * way) < 0.46:
                    return True
        return False

    def _cross(self, a: Arrow, b: Arrow) -> bool:
        p, q, u, v = map(self._at, (a.source, a.target, b.source, b.target))
        return (
            _turn(p, q, u) * _turn(p, q, v) < -1e-9
            and _turn(u, v, p) * _turn(u, v, q) < -1e-9
        )

    def _at(self, key: str) -> complex:
        return complex(self.lane[key], self.level[key])


def _turn(a: complex, b: complex, c: complex) -> float:
    """Twice the area of a triangle, below 0 where it turns right."""
    return ((b - a).conjugate() * (c - a)).imag


def _is_tree(read: Mapping[str, Sequence[str]]) -> bool:
    """Whether each value is read once at most, and one of them by none."""
    roots = sum(not targets for targets in read.values())
    return len(read) > 4 and roots == 1 and max(map(len, read.values())) == 1


def _tidy(
    keys: Sequence[str], level: Mapping[str, int], read: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """A tree: leaves side by side in their order, a parent over its children."""
    below: dict[str, list[str]] = {key: [] for key in keys}
    over = [key for key in keys for t in read[key] if level[key] > level[t]]
    for key in keys:
        for target in read[key] if key not in over else ():
            below[target].append(key)
    leaves: dict[str, int] = {}
    for key in keys:  # what is read comes first
        leaves[key] = sum(leaves[k] for k in below[key]) or 1
    left = dict.fromkeys(keys, 0)
    for key in reversed(keys):
        start = left[key]
        for k in below[key]:
            left[k], start = start, start + leaves[k]
    lane: dict[str, float] = {}
    for key in keys:
        ends = [lane[k] for k in below[key]] or [left[key]]
        lane[key] = (ends[0] + ends[-1]) / 2
    lane |= {key: lane[read[key][0]] for key in over}
    middle = lane[next(key for key in keys if not read[key])]
    return {key: lane[key] - middle for key in keys}
