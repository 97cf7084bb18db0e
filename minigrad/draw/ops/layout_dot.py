"""Graphs without time: boxes and arrows that Graphviz' ``dot`` places.

Vocabulary
    hub     a leaf that many read; as chains of virtual nodes its arrows take ``dot``
            most of its time, so in large graphs hubs are added after all else

The scene is pure data all the same, only without coordinates: ``placed`` asks an engine
for them, once.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> scene = draw_items(items_of(mg.Graph(w * w + 1)))
>>> scene.placed, len(scene.nodes), len(scene.edges)
(False, 4, 4)
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from minigrad.draw.ops.items import Item, items_of
from minigrad.draw.ops.layout_ops import box
from minigrad.draw.page.curves import clipped
from minigrad.draw.page.scene import Edge, Node, Scene
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.render.dot import write
from minigrad.draw.render.engine import Engine, run
from minigrad.draw.render.theme import Style

__all__ = ["draw_items", "items_of", "placed"]

LARGE, HUB, SPAN = 400, 8, 20_000
BACK = "recurrence"  # the kind of an arrow that leads to another step of its loop


def draw_items(items: Sequence[Item], caption: str | None = None) -> Scene:
    """The scene of a graph without time; where things stand is left open."""
    words = {item.key: item.words or item.name for item in items}
    past = {item.key for item in items if item.past is not None}
    edges = []
    for item in items:
        for source in item.inputs:
            kind = BACK if source in past else "forward"
            title = f"{words[source]} → {item.words}"
            edges.append(Edge(source, item.key, kind=kind, title=title))
        if item.past is not None:
            title = f"{words[item.past]} → {item.name}"
            edges.append(Edge(item.past, item.key, head=False, kind=BACK, title=title))
    boxes = tuple(box(item, 0.0, 0.0) for item in items)
    return Scene(boxes, tuple(edges), placed=False, title=caption or "")


def large(scene: Scene) -> bool:
    """Whether ``dot`` would take too long with every arrow at once."""
    place = {node.id: i for i, node in enumerate(scene.nodes)}
    spans: Counter[str] = Counter()
    for edge in scene.edges:
        spans[edge.tail] += place[edge.tip] - place[edge.tail]
    return len(scene.nodes) > LARGE or max(spans.values(), default=0) > SPAN


def placed(scene: Scene, look: Style, engine: Engine) -> Scene:
    """The scene with coordinates: ``dot`` places the core, hubs stand at its side."""
    uses = Counter(edge.tail for edge in scene.edges)
    read = {edge.tip for edge in scene.edges}
    hubs = {key for key, count in uses.items() if count > HUB and key not in read}
    if not large(scene):
        hubs = set()
    core = replace(
        scene,
        nodes=tuple(n for n in scene.nodes if n.id not in hubs),
        edges=tuple(e for e in scene.edges if e.tail not in hubs),
    )
    asked = replace(core, edges=tuple(map(_upward, core.edges)))
    answer = json.loads(run(engine, "dot", "json", write(asked, look)))
    at: dict[str, tuple[float, float]] = {}
    for thing in answer.get("objects", []):
        if thing["name"].startswith("n") and "pos" in thing:
            x, y = thing["pos"].split(",")
            at[core.nodes[int(thing["name"][1:])].id] = (float(x), float(y))
    curves = [_curve(edge["pos"]) for edge in answer.get("edges", [])]
    left = min((x for x, _ in at.values()), default=0.0) - 120.0
    nodes: list[Node] = []
    for node in scene.nodes:
        x, y = at.get(node.id, (left, 0.0))
        if node.id in hubs:
            heights = [at[e.tip][1] for e in scene.edges if e.tail == node.id]
            y = sum(heights) / len(heights)
            x = left - 60.0 * (len(nodes) % 3)
        nodes.append(replace(node, x=x, y=y))
    stand = {node.id: node for node in nodes}
    edges = [
        replace(edge, points=points[::-1] if edge.kind == BACK else points)
        for edge, points in zip(core.edges, curves, strict=True)
    ]
    for edge in scene.edges:
        if edge.tail in hubs:
            line = clipped(stand[edge.tail], stand[edge.tip])
            edges.append(replace(edge, points=line, kind="muted"))
    sheet = Sheet({node.id: node for node in nodes}, edges)
    return sheet.scene(scene.title)


def _upward(edge: Edge) -> Edge:
    """An arrow back in time, turned round: ``dot`` makes the others lead upwards."""
    if edge.kind != BACK:
        return edge
    return replace(edge, tail=edge.tip, tip=edge.tail, head=False)


def _curve(pos: str) -> tuple[tuple[float, float], ...]:
    """The control points of an engine's edge, the arrow's tip as the last."""
    tip: list[tuple[float, float]] = []
    points: list[tuple[float, float]] = []
    for part in pos.split():
        into = tip if part.startswith("e,") else points
        x, y = part.removeprefix("e,").split(",")
        into.append((float(x), float(y)))
    return (*points[:-1], *(tip or points[-1:]))
