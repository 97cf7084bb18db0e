"""Geometry checks on what an engine really drew (its ``-Tjson`` output).

Vocabulary
    fault   one thing that touches, hides or overlaps another by more than is allowed
    depth   by how many points

Allowed: 1 pt between nodes, 1.5 pt between a label and anything else, 2 pt of an arrow
in a node that it does not belong to, 0.5 pt of text outside of its own outline.

>>> from minigrad.draw.figure import Figure
>>> from minigrad.draw.page.scene import Node, arranged
>>> twice = [Node("a", 0, 0, 46, 46), Node("b", 30, 0, 46, 46)]
>>> [fault.what for fault in Figure(arranged(twice, [], [])).audit()]
['node on node']
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from math import hypot
from typing import Any

from minigrad.draw.page.curves import sample
from minigrad.draw.page.fonts import width
from minigrad.draw.page.scene import Point, Rectangle, Scene

NODE, LABEL, FOREIGN, OUTSIDE = 1.0, 1.5, 2.0, 0.5
CELL = 120.0
FACES = {0: "serif", 1: "bold", 2: "italic", 3: "bolditalic"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One violation: what, between which two things, by how many points."""

    what: str
    first: str
    second: str
    depth: float


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline or a text as drawn; ``owner`` is the node that a text belongs to.

    An oval is measured as the box around it.
    """

    name: str
    box: Rectangle
    round: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow as drawn, sampled into points."""

    name: str
    tail: str
    tip: str
    points: list[Point]


def faults(drawn: dict[str, Any], scene: Scene) -> list[Fault]:
    """All violations in an engine's ``-Tjson`` output of a scene."""
    shapes, texts, arrows = read(drawn, scene)
    found = []
    for a, b in near(shapes, shapes):
        # The delay square sits on an arrow, dots inside nothing: all outlines count.
        if a.name < b.name and (depth := overlap(a, b)) > NODE:
            found.append(Fault("node on node", a.name, b.name, round(depth, 2)))
    for text, shape in near(texts, shapes):
        if text.owner == shape.name:
            if (depth := sticking_out(text, shape)) > OUTSIDE:
                found.append(
                    Fault("text outside", text.name, shape.name, round(depth, 2))
                )
        elif (depth := overlap(text, shape)) > LABEL:
            found.append(Fault("label on node", text.name, shape.name, round(depth, 2)))
    for a, b in near(texts, texts):
        apart = a.owner != b.owner or not a.owner
        if a.name < b.name and apart and (depth := overlap(a, b)) > LABEL:
            found.append(Fault("label on label", a.name, b.name, round(depth, 2)))
    for arrow, targets, allowed, what in (
        *((arrow, texts, LABEL, "arrow on label") for arrow in arrows),
        *((arrow, shapes, FOREIGN, "arrow through node") for arrow in arrows),
    ):
        for target in crossed(arrow, targets):
            if target.name in (arrow.tail, arrow.tip):
                continue
            depth = max(inside(p, target) for p in arrow.points)
            if depth > allowed:
                found.append(Fault(what, arrow.name, target.name, round(depth, 2)))
    return found


def read(
    drawn: dict[str, Any], scene: Scene
) -> tuple[list[Shape], list[Shape], list[Arrow]]:
    """The outlines, texts and arrows of an engine's output."""
    keys = {f"n{i}": node.id for i, node in enumerate(scene.nodes)}
    shapes: list[Shape] = []
    texts: list[Shape] = []
    for thing in drawn.get("objects", []):
        name = thing["name"]
        index = name.split("_")[0]
        for op in thing.get("_draw_", []):
            if index in keys and op["op"] in "eE":
                x, y, rx, ry = op["rect"]
                box = (x - rx, y - ry, x + rx, y + ry)
                shapes.append(Shape(keys[index], box, abs(rx - ry) < 0.5))
                break
            if index in keys and op["op"] in "pPbB":
                shapes.append(Shape(keys[index], around(op["points"])))
                break
        owner = keys.get(index, "")
        texts += text_boxes(thing, owner or index, owner)
    arrows = []
    names = {thing["_gvid"]: thing["name"] for thing in drawn.get("objects", [])}
    for i, edge in enumerate(drawn.get("edges", [])):
        tail, tip = (keys.get(names[edge[end]], "") for end in ("tail", "head"))
        points: list[Point] = []
        for op in edge.get("_draw_", []):
            if op["op"] in "bB":
                points += sample(tuple(map(tuple, op["points"])))
        for op in edge.get("_hdraw_", []):
            if op["op"] in "pP":
                points += [tuple(p) for p in op["points"]]
        arrows.append(Arrow(f"{tail} -> {tip} ({i})", tail, tip, points))
    return shapes, texts, arrows


def text_boxes(thing: dict[str, Any], name: str, owner: str) -> Iterator[Shape]:
    """The boxes of a thing's texts, by our own widths: an engine's are estimates."""
    size, face, markup = 14.0, "Times", 0
    for op in thing.get("_ldraw_", []):
        if op["op"] == "F":
            size, face = op["size"], op["face"]
        elif op["op"] == "t":
            markup = op["fontchar"]
        elif op["op"] == "T":
            # graphviz-pure doubles the backslash in JSON, though not in the picture.
            words = op["text"].replace("\\\\", "\\")
            wide = width(words, face_of(face, markup), size)
            x, y = op["pt"]
            left = x if op["align"] == "l" else x - wide / 2
            low = 0.2 if re.search(r"[gjpqy(),]", op["text"]) else 0.0
            box = (left, y - low * size, left + wide, y + 0.68 * size)
            yield Shape(f"{name}: {op['text']}", box, owner=owner)


def face_of(face: str, markup: int) -> str:
    """Our name for an engine's typeface."""
    if face.startswith("Arial"):
        return "sans"
    markup |= ("Bold" in face) | (("Italic" in face) << 1)
    return FACES[markup & 3]


def around(points: Iterable[Any]) -> Rectangle:
    """The box around points."""
    xs, ys = zip(*points, strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


def overlap(a: Shape, b: Shape) -> float:
    """How deep two shapes reach into each other; 0 if they do not touch."""
    if a.round and b.round:
        (ax, ay, ar), (bx, by, br) = disc(a), disc(b)
        return max(0.0, ar + br - hypot(ax - bx, ay - by))
    if a.round or b.round:
        (x, y, r), box = (disc(a), b.box) if a.round else (disc(b), a.box)
        dx = max(box[0] - x, 0.0, x - box[2])
        dy = max(box[1] - y, 0.0, y - box[3])
        return max(0.0, r - hypot(dx, dy))
    wide = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return max(0.0, min(wide, high))


def disc(shape: Shape) -> tuple[float, float, float]:
    """Centre and radius of a circle."""
    x0, y0, x1, y1 = shape.box
    return (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2


def sticking_out(text: Shape, shape: Shape) -> float:
    """How far a text reaches over its own outline."""
    x0, y0, x1, y1 = text.box
    if shape.round:
        x, y, r = disc(shape)
        corners = ((x0, y0), (x0, y1), (x1, y0), (x1, y1))
        return max(hypot(cx - x, cy - y) for cx, cy in corners) - r
    b = shape.box
    return max(b[0] - x0, x1 - b[2], b[1] - y0, y1 - b[3])


def inside(p: Point, shape: Shape) -> float:
    """How deep a point lies in a shape; negative outside."""
    if shape.round:
        x, y, r = disc(shape)
        return r - hypot(p[0] - x, p[1] - y)
    b = shape.box
    return min(p[0] - b[0], b[2] - p[0], p[1] - b[1], b[3] - p[1])


def near(first: list[Shape], second: list[Shape]) -> Iterator[tuple[Shape, Shape]]:
    """Pairs from both lists that share a cell of a coarse grid, each once."""
    grid = defaultdict(list)
    for i, shape in enumerate(second):
        for cell in cells(shape.box):
            grid[cell].append(i)
    for shape in first:
        close = {i for cell in cells(shape.box) for i in grid.get(cell, ())}
        for i in sorted(close):
            yield shape, second[i]


def cells(box: Rectangle) -> Iterator[Hashable]:
    """The grid cells that a box touches."""
    for i in range(int(box[0] // CELL), int(box[2] // CELL) + 1):
        for j in range(int(box[1] // CELL), int(box[3] // CELL) + 1):
            yield i, j


def crossed(arrow: Arrow, targets: list[Shape]) -> list[Shape]:
    """The shapes whose boxes meet the box of an arrow."""
    if not arrow.points:
        return []
    x0, y0, x1, y1 = around(arrow.points)
    return [
        s
        for s in targets
        if s.box[0] < x1 and s.box[2] > x0 and s.box[1] < y1 and s.box[3] > y0
    ]
