"""What the colours, lines and letters of a figure mean, written below it.

It has only what the figure has. A look that several kinds have says nothing of them: in
black and white a legend has no kinds of circles.

>>> from minigrad.draw.page.scene import arranged
>>> x = Node("x", 0, 0, 46, 46, ((Run("x", "bolditalic", 18.0),),), kind="input")
>>> scene = with_legend(arranged([x], [], []), Style(language="es", legend=True))
>>> [text.words for text in scene.texts]
['entrada', 'x', 'vector']
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from minigrad.draw.page.curves import straight
from minigrad.draw.page.scene import (
    Edge,
    Frame,
    Line,
    Node,
    Rectangle,
    Run,
    Scene,
    Text,
    bounds,
    centred,
    line_width,
)
from minigrad.draw.page.words import LANGUAGES, LEGEND
from minigrad.draw.render.theme import Style

SAMPLE, ROW, SIZE, BETWEEN, LEAST = 28.0, 20.0, 11.0, 20.0, 240.0
FACES = {"bold": "matrix", "bolditalic": "vector", "italic": "scalar"}
Sample = Node | Edge | Frame | Run


def with_legend(scene: Scene, look: Style) -> Scene:
    """The scene with its legend between the figure and the caption."""
    samples = _samples(scene, look)
    captions = [t for t in scene.texts if t.kind == "caption"]
    texts = [t for t in scene.texts if t.kind != "caption"]
    left, low, right, _ = bounds(replace(scene, texts=tuple(texts)))
    nodes, edges, frames = [*scene.nodes], [*scene.edges], [*scene.frames]
    x, y = left, low - ROW
    for key, sample in samples.items():
        words = (Run(LEGEND[key][LANGUAGES.index(look.language)], "serif", SIZE),)
        wide = SAMPLE + line_width(words)
        if x > left and x + wide > max(right, left + LEAST):
            x, y = left, y - ROW
        drawn = _placed(sample, key, x + SAMPLE / 2 - 3, y)
        said = words[0].text
        nodes += [replace(d, title=said) for d in drawn if isinstance(d, Node)]
        edges += [d for d in drawn if isinstance(d, Edge)]
        frames += [d for d in drawn if isinstance(d, Frame)]
        texts += [d for d in drawn if isinstance(d, Text)]
        texts.append(_text(x + SAMPLE + line_width(words) / 2, y, words))
        x += wide + BETWEEN
    by = low - y + ROW / 2
    texts += [replace(t, y=t.y - by) for t in captions]
    things = replace(scene, nodes=(*nodes,), edges=(*edges,), texts=(*texts,))
    return centred(replace(things, frames=(*frames,)))


def _text(x: float, y: float, line: Line) -> Text:
    return Text(x, y, (line,), part="legend")


def _samples(scene: Scene, look: Style) -> dict[str, Sample]:
    """A thing of the figure for each entry, in the order of ``LEGEND``."""
    found: dict[str, Sample] = {}
    for key, sample in chain(_nodes(scene), _edges(scene), _letters(scene)):
        found.setdefault(key, sample)
    for frame in scene.frames:
        if not frame.fill:
            found["frame"] = frame
    looks: dict[object, list[str]] = {}
    for key, sample in found.items():
        if isinstance(sample, Node):
            seen = look.outline(sample), sample.shape, sample.dashed
            looks.setdefault(seen, []).append(key)
    alike = {key for keys in looks.values() if len(keys) > 1 for key in keys}
    return {key: found[key] for key in LEGEND if key in found and key not in alike}


def _nodes(scene: Scene) -> Iterator[tuple[str, Sample]]:
    for node in scene.nodes:
        if node.kind == "delay":
            yield ("ahead" if node.fill else "delay"), node
        elif node.kind == "initial" and "…" in _words(node):
            yield "rim", node
        elif node.shape == "rounded" and node.kind == "value":
            yield "operation", node
        elif node.shape != "text" and node.fill in (None, "none"):
            yield node.kind, node


def _words(node: Node) -> str:
    return "".join(run.text for line in node.lines for run in line)


def _edges(scene: Scene) -> Iterator[tuple[str, Sample]]:
    starts = {node.id for node in scene.nodes if node.kind == "initial"}
    for edge in scene.edges:
        if edge.kind.startswith("bus"):
            yield "bus", edge
        elif edge.kind == "gradient" and edge.head:
            yield "flow", edge
        elif edge.kind == "forward" and edge.dashed and edge.head:
            if not starts & {edge.tail, edge.tip}:
                yield "once", edge
        elif edge.head:
            yield edge.kind, edge


def _letters(scene: Scene) -> Iterator[tuple[str, Sample]]:
    labels = [node.lines for node in scene.nodes if node.shape in ("circle", "oval")]
    labels += [text.lines for text in scene.texts if text.edge]
    for lines in filter(None, labels):
        run = lines[0][0]
        if run.face in FACES:
            yield FACES[run.face], replace(run, text=run.text[0], size=16.0, rise=0.0)


def _placed(
    sample: Sample, key: str, x: float, y: float
) -> list[Node | Edge | Frame | Text]:
    """A sample in the middle of its place."""
    if isinstance(sample, Run):
        return [_text(x, y, (sample,))]
    if isinstance(sample, Frame):
        box: Rectangle = (x - 10, y - 6, x + 10, y + 6)
        return [replace(sample, box=box)]
    if isinstance(sample, Edge):
        ends = (x - 11, y), (x + 11, y)
        return [
            Edge(
                "",
                "",
                straight(*ends),
                kind=sample.kind,
                dashed=sample.dashed,
                part="legend",
            )
        ]
    small = min(1.0, 14.0 / sample.height)
    node = Node(
        f"legend {key}",
        x,
        y,
        min(sample.width * small, 22.0),
        sample.height * small,
        shape=sample.shape,
        kind=sample.kind,
        part="legend",
        dashed=sample.dashed,
        fill=sample.fill,
    )
    if sample.kind != "dot":
        return [node]
    return [replace(node, id=f"{node.id} {k}", x=x + 7 * k) for k in (-1, 0, 1)]
