"""Where the items of the ops view stand, and which way their arrows will take.

Vocabulary
    stage     what items share a grid: parameters and sequences ("bus"), what ran before
              the loops, the steps of one loop, what ran after
    slot      a column of the figure: a stage, or one step of it, or the gap
    grid      row and lane of every place of a stage, the same for all its steps
    way       an arrow between two slots: out, along a track, in a channel, and in
    track     a height between two rows where arrows run level
    channel   an x before a slot where arrows run upright

Arrows between slots run on tracks and in channels only, so none crosses a box.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from minigrad.draw.ops.items import Item
from minigrad.draw.ops.rows import arrange
from minigrad.draw.textbook.columns import visible

GAP, TRACK, BETWEEN, CHANNEL, LINE = 26.0, 9.0, 18.0, 34.0, 7.0

Slot = tuple[
    Any, Any
]  # ("bus", 0) ("before", 0) (clock, t) ("gap", clock) ("after", 0)


@dataclass(frozen=True, slots=True)
class Way:
    """An arrow from one slot to another; ``over`` are the tracks at its two ends."""

    source: str
    target: str
    argument: int
    out: tuple[int, Hashable] | None
    into: tuple[int, Hashable] | None
    channel: tuple[Slot, Hashable]
    stub: str = ""


@dataclass
class Grid:
    """Where the places of one stage stand."""

    ranks: dict[Any, int]
    lanes: dict[Any, int]
    passages: dict[tuple[Any, Any], list[int]]
    widths: dict[int, float] = field(default_factory=dict)

    @property
    def width(self) -> float:
        """The width of one of its slots."""
        return sum(self.widths.values()) + BETWEEN * max(len(self.widths) - 1, 0)

    def offset(self, lane: int) -> float:
        """The centre of a lane, from the slot's left side."""
        before = [w for k, w in self.widths.items() if k < lane]
        return sum(before) + BETWEEN * len(before) + self.widths[lane] / 2

    def free(self, place: Any, side: int) -> bool:
        """Whether nothing stands beside a place in its row, on that side."""
        rank, lane = self.ranks[place], self.lanes[place]
        row = [self.lanes[p] for p, r in self.ranks.items() if r == rank]
        for (source, _), lanes in self.passages.items():
            at = rank - self.ranks[source] - 1
            if 0 <= at < len(lanes):
                row.append(lanes[at])
        return not any((other - lane) * side > 0 for other in row)


class Plan:
    """The arrangement of all items: slots with their x, rows with their y."""

    def __init__(self, items: Sequence[Item], steps: int) -> None:
        self.items = {item.key: item for item in items}
        self.stage_of = stages(self.items)
        lengths: dict[int, int] = {}
        for item in items:
            if item.column is not None:
                clock, t = item.column
                lengths[clock] = max(t, lengths.get(clock, 0))
        self.lengths = dict(sorted(lengths.items()))
        found = dict.fromkeys(self.stage_of.values())
        self.slots: list[Slot] = [s for s in (("bus", 0), ("before", 0)) if s in found]
        for clock, length in self.lengths.items():
            shown = visible(length, steps)
            self.slots += [("gap", clock) if t is None else (clock, t) for t in shown]
        self.slots += [("after", 0)] if ("after", 0) in found else []
        self.order = {slot: i for i, slot in enumerate(self.slots)}
        self.grids = {
            stage: grid_of([i for i in items if self.stage_of[i.key] == stage], self)
            for stage in found
            if stage != ("bus", 0)
        }
        high = 1 + max(max(g.ranks.values()) for g in self.grids.values())
        self.heights = [22.0] * high
        for key, item in self.items.items():
            if self.stage_of[key] != ("bus", 0):
                rank = self.rank(key)
                self.heights[rank] = max(self.heights[rank], item.height)
        self.tracks: list[list[Hashable]] = [[] for _ in range(high + 1)]
        self.channels: dict[Slot, list[Hashable]] = {slot: [] for slot in self.slots}
        self.rows: list[float] = []
        self.left: dict[Slot, float] = {}

    def slot(self, key: str) -> Slot:
        """The slot of an item, shown or not."""
        return self.items[key].column or self.stage_of[key]

    def grid(self, key: str) -> Grid:
        """The grid of an item."""
        return self.grids[self.stage_of[key]]

    def rank(self, key: str) -> int:
        """The row of an item."""
        return self.grid(key).ranks[self.items[key].place]

    def claim(self, gap: int, user: Hashable) -> tuple[int, Hashable]:
        """A track below row ``gap`` for a user."""
        if user not in self.tracks[gap]:
            self.tracks[gap].append(user)
        return gap, user

    def channel(self, slot: Slot, user: Hashable) -> tuple[Slot, Hashable]:
        """A channel before a slot for a user."""
        if user not in self.channels[slot]:
            self.channels[slot].append(user)
        return slot, user

    def settle(self) -> None:
        """Give rows their y and slots their x, once tracks and channels are claimed."""
        y = 0.0
        for rank, height in enumerate(self.heights):
            if rank:
                y += GAP + TRACK * len(self.tracks[rank])
            self.rows.append(y + height / 2)
            y += height
        x = 0.0
        for i, slot in enumerate(self.slots):
            if i:
                x += CHANNEL + LINE * len(self.channels[slot])
            self.left[slot] = x
            x += self.width(slot)

    def width(self, slot: Slot) -> float:
        """The width of a slot."""
        if slot[0] == "gap":
            return 30.0
        if slot[0] == "bus":
            keys = [k for k, stage in self.stage_of.items() if stage == slot]
            return max(self.items[k].width for k in keys)
        return self.grids[slot if isinstance(slot[0], str) else ("step", slot[0])].width

    def track_y(self, track: tuple[int, Hashable]) -> float:
        """The y of a track: the first claimed lies highest."""
        gap, user = track
        users = self.tracks[gap]
        if gap < len(self.rows):
            top = self.rows[gap] - self.heights[gap] / 2
        else:
            top = self.rows[-1] + self.heights[-1] / 2 + GAP + TRACK * len(users)
        return top - GAP / 2 - TRACK * users.index(user)

    def channel_x(self, channel: tuple[Slot, Hashable]) -> float:
        """The x of a channel."""
        slot, user = channel
        users = self.channels[slot]
        return (
            self.left[slot] - CHANNEL / 2 - LINE * (len(users) - 1 - users.index(user))
        )

    def passage(self, key: str, rank: int, lane: int) -> tuple[float, float]:
        """The point where a long arrow passes a row of its slot."""
        return self.left[self.slot(key)] + self.grid(key).offset(lane), self.rows[rank]


def stages(items: dict[str, Item]) -> dict[str, Any]:
    """The stage of every item; a leaf stands where it is used, or on a bus."""
    late: dict[str, bool] = {}
    used: dict[str, set[Any]] = {key: set() for key in items}
    found: dict[str, Any] = {}
    for key, item in items.items():
        # The box of a scope may read a leaf that was made after its first operation.
        late[key] = any(
            items[i].column is not None or late.get(i, False) for i in item.inputs
        )
        if item.column is not None:
            found[key] = ("step", item.column[0])
        else:
            found[key] = ("after", 0) if late[key] else ("before", 0)
        for source in item.inputs:
            used[source].add(found[key])
    for key, item in items.items():
        if item.leaf and item.column is None:
            alone = len(used[key]) == 1 and next(iter(used[key]))[0] != "step"
            found[key] = next(iter(used[key])) if alone else ("bus", 0)
    return found


def grid_of(items: list[Item], plan: Plan) -> Grid:
    """Rows and lanes of one stage; for the steps of a loop, of all steps at once."""
    places: dict[Any, float] = {}
    reads: dict[Any, dict[Any, None]] = {}
    early = set()
    stage = plan.stage_of[items[0].key]
    for item in items:
        places[item.place] = max(places.get(item.place, 0.0), item.width)
        for source in item.inputs:
            other = plan.items[source]
            if plan.stage_of[source] == stage and other.column == item.column:
                reads.setdefault(item.place, {})[other.place] = None
            elif other.column is not None:
                early.add(item.place)
    grid = Grid(*arrange([*places], {p: [*r] for p, r in reads.items()}, early))
    for place, lane in grid.lanes.items():
        grid.widths[lane] = max(grid.widths.get(lane, 0.0), places[place])
    for passed in grid.passages.values():
        for lane in passed:
            grid.widths.setdefault(lane, 12.0)
    return grid
