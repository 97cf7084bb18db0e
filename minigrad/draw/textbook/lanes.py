"""The places of circles within their rows: few crossings, straight ways, little width.

>>> from minigrad.draw.textbook.chart import Arrow
>>> places(["x", "f", "i", "c"], {"x": 0, "f": 1, "i": 1, "c": 2},
...     [Arrow("x", "f"), Arrow("x", "i"), Arrow("f", "c"), Arrow("i", "c")], [])
{'x': 0.0, 'f': -0.5, 'i': 0.5, 'c': 0.0}
"""

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
    rows: dict[int, list[str]] = {}
    for key in keys:
        rows.setdefault(level[key], []).append(key)
    read = {key: [a.target for a in now if a.source == key] for key in keys}
    if not later and _is_tree(read):
        return _tidy(keys, level, read)
    lane: dict[str, float] = {}
    order = {key: i for i, key in enumerate(keys)}
    for row, here in sorted(rows.items()):
        middle = {}
        for key in here:
            near = [lane[a.source] for a in now if a.target == key and a.source in lane]
            far = max((level[t] - row for t in read[key]), default=0)
            middle[key] = (sum(near) / len(near) if near else 0.0, far, order[key])
        here.sort(key=middle.__getitem__)
        for i, key in enumerate(here):
            lane[key] = i - (len(here) - 1) / 2
    if len(keys) <= MANY:
        _Search(lane, level, rows, order, now, later).run()
    return lane


class _Search:
    """Shifts and swaps, as long as they make the placement cheaper."""

    def __init__(
        self,
        lane: dict[str, float],
        level: Mapping[str, int],
        rows: dict[int, list[str]],
        order: Mapping[str, int],
        now: Sequence[Arrow],
        later: Sequence[Arrow],
    ) -> None:
        self.lane, self.level, self.rows = lane, level, rows
        self.now, self.later = now, later
        self.order = order
        self.alone = [here[0] for here in rows.values() if len(here) == 1]
        self.pairs = [
            (a, b)
            for a, b in combinations(now, 2)
            if not {a.source, a.target} & {b.source, b.target}
            and min(level[a.target], level[b.target])
            > max(level[a.source], level[b.source])
        ]

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
        for key, by in moves.items():
            self.lane[key] += by
        if self._apart(moves):
            cost = self.cost()
            if cost < best - 1e-9:
                return cost
        for key, by in moves.items():
            self.lane[key] -= by
        return best

    def _apart(self, moved: dict[str, float]) -> bool:
        """Whether neighbours in the rows of what moved are a lane apart."""
        for row in {self.level[key] for key in moved}:
            xs = sorted(self.lane[key] for key in self.rows[row])
            if any(b - a < 1 for a, b in pairwise(xs)):
                return False
        return True

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
            for end, way, price in (
                (a.source, side, LEAVING),
                (a.target, -side, ENTERING),
            ):
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
        x0, y0 = self.lane[arrow.source], self.level[arrow.source]
        dx, dy = self.lane[arrow.target] - x0, self.level[arrow.target] - y0
        length = dx * dx + dy * dy or 1.0
        low, high = sorted((y0, y0 + dy))
        for row in range(low, high + 1):
            for key in self.rows.get(row, ()):
                if key in (arrow.source, arrow.target):
                    continue
                x, y = self.lane[key] - x0, row - y0
                share = (x * dx + y * dy) / length
                if 0.02 < share < 0.98:
                    away = (share * dx - x) ** 2 + (share * dy - y) ** 2
                    if away < 0.2116:
                        return True
        return False

    def _cross(self, a: Arrow, b: Arrow) -> bool:
        p, q = self._at(a.source), self._at(a.target)
        u, v = self._at(b.source), self._at(b.target)
        return (
            _turn(p, q, u) * _turn(p, q, v) < -1e-9
            and _turn(u, v, p) * _turn(u, v, q) < -1e-9
        )

    def _at(self, key: str) -> tuple[float, float]:
        return self.lane[key], self.level[key]


def _turn(
    a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]
) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _is_tree(read: Mapping[str, Sequence[str]]) -> bool:
    """Whether each value is read once at most, and one of them by none."""
    roots = sum(not targets for targets in read.values())
    return len(read) > 4 and roots == 1 and max(map(len, read.values())) == 1


def _tidy(
    keys: Sequence[str], level: Mapping[str, int], read: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """A tree: leaves side by side in their order, a parent over its children."""
    below: dict[str, list[str]] = {key: [] for key in keys}
    above: dict[str, str] = {}
    for key in keys:
        for target in read[key]:
            if level[key] > level[target]:
                above[key] = target
            else:
                below[target].append(key)
    lane: dict[str, float] = {}
    leaves = 0.0
    root = next(key for key in keys if not read[key])
    stack = [(root, False)]
    while stack:
        key, done = stack.pop()
        if done:
            ends = below[key][0], below[key][-1]
            lane[key] = (lane[ends[0]] + lane[ends[1]]) / 2
        elif not below[key]:
            lane[key], leaves = leaves, leaves + 1
        else:
            stack.append((key, True))
            stack += [(k, False) for k in reversed(below[key])]
    lane |= {key: lane[target] for key, target in above.items() if target in lane}
    middle = lane[root]
    return {key: lane.get(key, middle) - middle for key in keys}
