"""Where the items of the ops view stand, and which way their arrows will take.

Vocabulary
    stage     what items share a grid: parameters and sequences ("bus"), what ran before
              the loops, the steps of one loop, what ran after
    slot      a column of the figure: a stage, or one step of it, or the gap
    grid      row and x of every place of a stage, the same for all its steps
    track     a height between two rows where arrows run level
    channel   an x before a slot where arrows run upright
    port      where on the lower side of a box an operand enters, from left to right

Arrows between slots run on tracks and in channels only, so none crosses a box.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from minigrad.draw.ops.items import Item
from minigrad.draw.ops.rows import Layers, arrange
from minigrad.draw.textbook.columns import visible

GAP, TRACK, CHANNEL, LINE = 26.0, 9.0, 34.0, 7.0
HUB = 8  # uses of a leaf that get a bus of their own

# ("bus", 0) ("before", 0) (clock, t) ("gap", clock) ("after", 0)
Slot = tuple[Any, Any]
Track = tuple[int, Hashable]
Channel = tuple[Slot, Hashable]
BUS, BEFORE, AFTER = ("bus", 0), ("before", 0), ("after", 0)


class Plan:
    """The arrangement of all items: slots with their x, rows with their y."""

    def __init__(self, items: Sequence[Item], steps: int) -> None:
        self.items = {item.key: item for item in items}
        self.stage_of = stages(self.items)
        self.lifted = {item.key for item in items if _is_lifted(item, items)}
        self.scopes = _scopes(items)
        self.lengths: dict[int, int] = {}
        for clock, t in sorted(item.column for item in items if item.column):
            self.lengths[clock] = t
        members: dict[Any, list[Item]] = defaultdict(list)
        for item in items:
            members[self.stage_of[item.key]].append(item)
        self.slots: list[Slot] = [s for s in (BUS, BEFORE) if s in members]
        for clock, length in self.lengths.items():
            shown = visible(length, steps)
            self.slots += [("gap", clock) if t is None else (clock, t) for t in shown]
        self.slots += [AFTER] if AFTER in members else []
        self.order = {slot: i for i, slot in enumerate(self.slots)}
        on_buses = members.pop(BUS, [])
        self.buses_width = max((item.width for item in on_buses), default=0.0)
        self.grids = {stage: self._grid(own) for stage, own in members.items()}
        tops = {stage: max(g.ranks.values()) for stage, g in self.grids.items()}
        high = 1 + max(tops.values())
        self.lowest = dict.fromkeys(tops, 0)
        if AFTER in tops:  # what comes last stands at the top, as losses do
            self.lowest[AFTER] = high - 1 - tops[AFTER]
        self.heights = [22.0] * high
        for item in (item for own in members.values() for item in own):
            rank = self.rank(item.key)
            self.heights[rank] = max(self.heights[rank], item.height)
        self.tracks: list[list[Hashable]] = [[] for _ in range(high + 1)]
        self.channels: dict[Slot, list[Hashable]] = {slot: [] for slot in self.slots}
        self.rows: list[float] = []
        self.left: dict[Slot, float] = {}

    def _grid(self, items: list[Item]) -> Layers:
        """The layers of one stage; for the steps of a loop, of all steps at once."""
        widths: dict[Any, float] = {}
        reads: dict[Any, dict[Any, None]] = defaultdict(dict)
        groups: dict[Any, Any] = {}
        early, in_turn = set(), set()
        for item in items:
            widths[item.place] = max(widths.get(item.place, 0.0), item.width)
            groups[item.place] = self.scopes[item.key]
            mine = reads[item.place]
            for source in item.inputs:
                other = self.items[source]
                if source in self.lifted:
                    reads[other.place][item.place] = None
                elif other.column != item.column:
                    # What reads another step is better done at the left.
                    early |= {item.place} if other.column else set()
                elif self.stage_of[source] == self.stage_of[item.key]:
                    mine[other.place] = None
            if item.key in self.lifted and item.past is not None:
                reads[self.items[item.past].place][item.place] = None
            in_turn |= set() if item.commutative else {item.place}
        turned = {
            p: [*r] if p in in_turn else sorted(r, key=lambda q: q not in early)
            for p, r in reads.items()
        }
        return arrange(widths, turned, groups)

    def slot(self, key: str) -> Slot:
        """The slot of an item, shown or not."""
        return self.items[key].column or self.stage_of[key]

    def grid(self, key: str) -> Layers:
        """The grid of an item."""
        return self.grids[self.stage_of[key]]

    def x(self, key: str) -> float:
        """The x of an item that is shown."""
        return self.left[self.slot(key)] + self.grid(key).xs[self.items[key].place]

    def rank(self, key: str) -> int:
        """The row of an item."""
        lowest = self.lowest[self.stage_of[key]]
        return lowest + self.grid(key).ranks[self.items[key].place]

    def claim(self, gap: int, user: Hashable) -> Track:
        """A track below row ``gap`` for a user."""
        if user not in self.tracks[gap]:
            self.tracks[gap].append(user)
        return gap, user

    def channel(self, slot: Slot, user: Hashable) -> Channel:
        """A channel before a slot for a user."""
        if user not in self.channels[slot]:
            self.channels[slot].append(user)
        return slot, user

    def settle(self) -> None:
        """Give rows their y and slots their x, once tracks and channels are claimed."""
        y = 0.0
        for rank, height in enumerate(self.heights):
            if rank:
                slant = max(
                    grid.slants.get(rank - self.lowest[stage], 0.0)
                    for stage, grid in self.grids.items()
                )
                y += GAP + TRACK * len(self.tracks[rank]) + min(0.08 * slant, 40.0)
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
        if slot == BUS:
            return self.buses_width
        return self.grids[slot if isinstance(slot[0], str) else ("step", slot[0])].width

    def track_y(self, track: Track) -> float:
        """The y of a track: the first claimed lies highest."""
        gap, user = track
        users = self.tracks[gap]
        if gap < len(self.rows):
            top = self.rows[gap] - self.heights[gap] / 2
        else:
            top = self.rows[-1] + self.heights[-1] / 2 + GAP + TRACK * len(users)
        return top - GAP / 2 - TRACK * users.index(user)

    def channel_x(self, channel: Channel) -> float:
        """The x of a channel."""
        slot, user = channel
        users = self.channels[slot]
        after = len(users) - 1 - users.index(user)
        return self.left[slot] - CHANNEL / 2 - LINE * after

    def ordered(self, key: str, argument: int) -> int | None:
        """The place of an operand where the order of operands means something."""
        item = self.items[key]
        free = item.commutative or not item.operation or len(item.inputs) < 2
        above = item.inputs[argument] in self.lifted
        return None if free or above else argument

    def port(self, key: str, argument: int) -> float:
        """Where an operand enters, from the middle of its box.

        What stands straight below enters in the middle. Where the order means nothing,
        operands enter in the order of what they come from.
        """
        item, here = self.items[key], self.slot(key)
        order = [*range(len(item.inputs))]
        if item.commutative:
            order.sort(key=lambda k: self._from(here, item.inputs[k]))
        main = self.grid(key).mains.get(item.place)
        below = [
            i for i, k in enumerate(order) if self.items[item.inputs[k]].place == main
        ]
        straight = below and self.slot(item.inputs[order[below[0]]]) == here
        middle = below[0] if straight else (len(order) - 1) / 2
        most = max(middle, len(order) - 1 - middle, 1.0)
        apart = min(14.0, (item.width / 2 - 6.0) / most)
        return (order.index(argument) - middle) * apart

    def _from(self, here: Slot, source: str) -> tuple[float, float]:
        """What tells from how far left something comes into a slot."""
        there = self.slot(source)
        if there == here:
            return 0.0, self.grid(source).xs[self.items[source].place]
        before = self.order.get(there, -1) < self.order.get(here, 0)
        return (-1.0 if before else 1.0), 0.0


def stages(items: Mapping[str, Item]) -> dict[str, Any]:
    """The stage of every item; a leaf stands where it is used, or on a bus."""
    late: dict[str, bool] = {}
    used: dict[str, set[Any]] = {key: set() for key in items}
    found: dict[str, Any] = {}
    uses = Counter(source for item in items.values() for source in item.inputs)
    for key, item in items.items():
        # The box of a scope may read a leaf that was made after its first operation.
        late[key] = any(items[i].column or late.get(i, False) for i in item.inputs)
        if item.column is not None:
            found[key] = ("step", item.column[0])
        else:
            found[key] = AFTER if late[key] else BEFORE
        for source in item.inputs:
            used[source].add(found[key])
    for key, item in items.items():
        if item.past is not None:
            found[key] = found[item.past]
        elif item.leaf and item.column is None:
            alone = uses[key] <= HUB and used[key] in ({BEFORE}, {AFTER})
            found[key] = used[key].pop() if alone else BUS
    return found


def _scopes(items: Sequence[Item]) -> dict[str, Any]:
    """The scope of each item; what is only read in one is drawn in it too."""
    found = {item.key: item.scope for item in items}
    readers: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        for source in item.inputs:
            readers[source].append(item.scope or ())
    for item in items:
        if item.kind in ("parameter", "constant"):
            shared: tuple[Any, ...] = ()
            for parts in zip(*readers[item.key], strict=False):
                if len(set(parts)) > 1:
                    break
                shared += parts[:1]
            found[item.key] = shared or None
    return found


def _is_lifted(item: Item, items: Sequence[Item]) -> bool:
    """Whether a past stands between its readers and the line that it is of.

    Any other, of a line that reads its own past, stands below its readers.
    """
    if item.past is None:
        return False
    later = {item.past}
    for other in items:
        if later.intersection(other.inputs):
            later.add(other.key)
    return not any(other.key in later and item.key in other.inputs for other in items)
