"""Where the items of the ops view stand, and which way their arrows will take.

Vocabulary
    stage     what items share a grid: parameters and sequences ("bus"), what ran before
              the loops, the steps of one loop, what ran after
    slot      a column of the figure: a stage, or one step of it, or the gap
    grid      row and x of every place of a stage, the same for all its steps
    way       an arrow between two slots: out, along a track, in a channel, and in
    track     a height between two rows where arrows run level
    channel   an x before a slot where arrows run upright
    port      where on the lower side of a box an operand enters, from left to right

Arrows between slots run on tracks and in channels only, so none crosses a box.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.draw.ops.items import Item
from minigrad.draw.ops.rows import Layers, arrange
from minigrad.draw.textbook.columns import visible

GAP, TRACK, CHANNEL, LINE = 26.0, 9.0, 34.0, 7.0
HUB = 8  # uses of a leaf that get a bus of their own

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


class Plan:
    """The arrangement of all items: slots with their x, rows with their y."""

    def __init__(self, items: Sequence[Item], steps: int) -> None:
        self.items = {item.key: item for item in items}
        self.stage_of = stages(self.items)
        self.lifted = _lifted(items)
        self.scopes = _scopes(items)
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
        tops = {stage: max(g.ranks.values()) for stage, g in self.grids.items()}
        high = 1 + max(tops.values())
        if ("after", 0) in tops:  # what comes last stands at the top, as losses do
            self.grids["after", 0].lift(high - 1 - tops["after", 0])
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

    def grid(self, key: str) -> Layers:
        """The grid of an item."""
        return self.grids[self.stage_of[key]]

    def x(self, key: str) -> float:
        """The x of an item that is shown."""
        return self.left[self.slot(key)] + self.grid(key).xs[self.items[key].place]

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
                slant = max(g.slants.get(rank, 0.0) for g in self.grids.values())
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

    def ordered(self, key: str, argument: int) -> int | None:
        """The place of an operand where the order of operands means something."""
        item = self.items[key]
        free = item.commutative or not item.operation or len(item.inputs) < 2
        return None if free else argument

    def port(self, key: str, argument: int) -> float:
        """Where an operand enters, from the middle of its box.

        What stands straight below enters in the middle. Where the order means nothing,
        operands enter in the order of what they come from.
        """
        item, grid = self.items[key], self.grid(key)
        order = [*range(len(item.inputs))]
        here = self.slot(key)
        if item.commutative:
            order.sort(key=lambda k: self._from(here, item.inputs[k]))
        inside = [item.inputs[k] for k in order if self.slot(item.inputs[k]) == here]
        main = grid.mains.get(item.place)
        below = [k for k in order if self.items[item.inputs[k]].place == main]
        straight = below and item.inputs[below[0]] in inside
        middle = order.index(below[0]) if straight else (len(order) - 1) / 2
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


def stages(items: dict[str, Item]) -> dict[str, Any]:
    """The stage of every item; a leaf stands where it is used, or on a bus."""
    late: dict[str, bool] = {}
    used: dict[str, set[Any]] = {key: set() for key in items}
    found: dict[str, Any] = {}
    uses = Counter(source for item in items.values() for source in item.inputs)
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
        if item.past is not None:
            found[key] = found[item.past]
        elif item.leaf and item.column is None:
            alone = len(used[key]) == 1 and next(iter(used[key]))[0] != "step"
            alone = alone and uses[key] <= HUB
            found[key] = next(iter(used[key])) if alone else ("bus", 0)
    return found


def _scopes(items: Sequence[Item]) -> dict[str, Any]:
    """The scope of each item; what is only read in one is drawn in it too."""
    found = {item.key: item.scope for item in items}
    readers: dict[str, list[Any]] = {}
    for item in items:
        for source in item.inputs:
            readers.setdefault(source, []).append(item.scope or ())
    for item in items:
        paths = readers.get(item.key, [])
        if item.kind in ("parameter", "constant") and paths:
            alike = [len(set(parts)) == 1 for parts in zip(*paths, strict=False)]
            shared = alike.index(False) if False in alike else len(alike)
            found[item.key] = paths[0][:shared] or None
    return found


def _lifted(items: Sequence[Item]) -> set[str]:
    """The pasts that stand between their readers and the line that they are of.

    Any other, of a line that reads its own past, stands below its readers.
    """
    found = set()
    for item in items:
        if item.past is not None:
            later = {item.past}
            for other in items:
                if later.intersection(other.inputs):
                    later.add(other.key)
            readers = {other.key for other in items if item.key in other.inputs}
            found |= set() if readers & later else {item.key}
    return found


def grid_of(items: list[Item], plan: Plan) -> Layers:
    """The layers of one stage; for the steps of a loop, of all steps at once."""
    widths: dict[Any, float] = {}
    reads: dict[Any, dict[Any, None]] = {}
    groups: dict[Any, Any] = {}
    stage = plan.stage_of[items[0].key]
    for item in items:
        widths[item.place] = max(widths.get(item.place, 0.0), item.width)
        groups[item.place] = plan.scopes[item.key]
        mine = reads.setdefault(item.place, {})
        for source in item.inputs:
            other = plan.items[source]
            if source in plan.lifted:
                reads.setdefault(other.place, {})[item.place] = None
            elif plan.stage_of[source] == stage and other.column == item.column:
                mine[other.place] = None
        if item.key in plan.lifted and item.past is not None:
            reads.setdefault(plan.items[item.past].place, {})[item.place] = None
    early = {item.place for item in items if _reads_the_past(item, plan)}
    in_turn = {item.place for item in items if not item.commutative}
    return arrange(
        widths,
        {
            p: [*r] if p in in_turn else sorted(r, key=lambda q: q not in early)
            for p, r in reads.items()
        },
        groups,
    )


def _reads_the_past(item: Item, plan: Plan) -> bool:
    """Whether an item reads another step, which is better done at the left."""
    columns = [plan.items[source].column for source in item.inputs]
    return any(column not in (None, item.column) for column in columns)
