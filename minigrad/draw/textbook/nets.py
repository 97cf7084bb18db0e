"""Nets: arrows of one value that share a trunk.

>>> net = Net("h", 1, [Arrow("h", "c", delay=1)])
>>> net.entry = dict.fromkeys(net.arrows, "drop")
>>> len(net.drops({"c": 1}, 1))
1
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from minigrad.draw.textbook.chart import Arrow


@dataclass(eq=False)
class Net:
    """Arrows with one trunk. ``delay`` is 0 for a fan and for what crosses groups."""

    source: str
    delay: int
    arrows: list[Arrow]
    kind: str = "time"
    entry: dict[Arrow, str] = field(default_factory=dict)

    def drops(self, level: Mapping[str, int], row: int) -> list[Arrow]:
        """The arrows that drop into a row."""
        return [
            a
            for a in self.arrows
            if self.entry.get(a) == "drop" and level[a.target] == row
        ]
