"""Where a frame around nodes lies, and where its name stands.

>>> around([Node("a", 0, 0, 40, 40), Node("b", 50, 0, 40, 40)], 5.0)
(-25.0, -25.0, 75.0, 25.0)
"""

from collections.abc import Iterator, Sequence

from minigrad.draw.page.scene import Node, Point, Rectangle


def around(nodes: Sequence[Node], pad: float) -> Rectangle:
    """The box around nodes, with room."""
    return (
        min(n.x - n.width / 2 for n in nodes) - pad,
        min(n.y - n.height / 2 for n in nodes) - pad,
        max(n.x + n.width / 2 for n in nodes) + pad,
        max(n.y + n.height / 2 for n in nodes) + pad,
    )


def clear(box: Rectangle, size: Point, edges: Sequence[Sequence[Point]]) -> Point:
    """Where the name stands: at a corner, outside, where no arrow runs."""
    places = list(_places(box, size))

    def struck(at: Point) -> int:
        wide, high = size[0] / 2 + 2, size[1] / 2
        return sum(
            abs(x - at[0]) < wide and abs(y - at[1]) < high
            for points in edges
            for x, y in points
        )

    return min(places, key=struck)


def _places(box: Rectangle, size: Point) -> Iterator[Point]:
    left, low, right, high = box
    half, up = size[0] / 2, size[1] / 2
    for x in (left + half, right - half):
        for y in (high + up, low - up):
            yield x, y
    for x in (left - half - 3, right + half + 3):
        for y in (high - up, low + up):
            yield x, y
