"""Scene to DOT text, with every coordinate ours: the engine only rasterises.

A label is not left to the engine. Each run of text becomes a node without outline whose
centre we compute, because the engines disagree on everything else: raised text, the
width of letters beyond ASCII, tables. A centred text is right in both.

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> from minigrad.draw.render.theme import style
>>> scene = arranged([Node("h", 0, 0, 46, 46, ((Run('say "h"'),),))], [], [])
>>> print(write(scene, style("color")).splitlines()[-2])  # doctest: +ELLIPSIS
n0_0 [pos="36,36" shape=none fixedsize=true width=0.01 height=0.01 ...
"""

import re
from collections.abc import Iterator
from math import hypot

from minigrad.draw.page.curves import shaft_of
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import Edge, Node, Rectangle, Scene, Text, placed_runs
from minigrad.draw.render.theme import Style, pen

FACES = {
    "serif": "Times",
    "bold": "Times-Bold",
    "italic": "Times-Italic",
    "bolditalic": "Times-BoldItalic",
    "sans": "Arial",
}
WORDS = {"bold": "Bold", "italic": "Italic", "bolditalic": "Bold Italic"}
MARKUP = {"bold": "<B>{}</B>", "italic": "<I>{}</I>", "bolditalic": "<B><I>{}</I></B>"}
SHAPES = {"rounded": "box", "oval": "ellipse", "text": "none", "dot": "circle"}
PLAIN = re.compile(r"[A-Za-z0-9 ()+\-.,_=/]+")


def quoted(text: str) -> str:
    """A DOT string that shows exactly ``text``.

    A backslash would start an escape, and an entity would be decoded.

    >>> quoted('say "hi" \\\\N &amp;')
    '"say \\\\"hi\\\\" \\\\\\\\N &amp;amp;"'
    """
    text = clean(text).replace("&", "&amp;").replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'


def number(value: float) -> str:
    """At most two decimals, no trailing zeros, no minus zero."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def inches(points: float) -> str:
    """A length for DOT's width and height."""
    return f"{points / 72:.4f}".rstrip("0").rstrip(".")


def write(scene: Scene, look: Style) -> str:
    """The DOT text of a scene, for ``neato -n2``; equal scenes give equal text."""
    out = [
        "digraph minigrad {",
        f'graph [bgcolor="{look.background}" pad=0 margin=0 notranslate=true '
        "splines=true outputorder=edgesfirst];",
        'node [fontname="Times" label="" fixedsize=true];',
        "edge [arrowsize=1];",
    ]
    # Two invisible corners hold the margin inside the bounding box; both engines take a
    # node of 2 pt as it is.
    inner = 1.0
    corners = ((inner, inner), (scene.width - inner, scene.height - inner))
    for i, at in enumerate(corners):
        side = inches(2 * inner)
        size = f"width={side} height={side}"
        out.append(f'corner{i} [pos="{_at(*at)}" shape=box style=invis {size}];')
    for i, frame in enumerate(scene.frames):
        style, rim = "filled" if frame.fill else "rounded", look.rim(frame)
        paint = (frame.fill or "none", rim, pen(frame))
        out.append(_outline(f"f{i}", frame.box, "box", style, *paint))
    ids = {node.id: f"n{i}" for i, node in enumerate(scene.nodes)}
    out += [_edge(i, edge, ids, look) for i, edge in enumerate(scene.edges)]
    for node in scene.nodes:
        name = ids[node.id]
        if node.shape != "text":
            out.append(_node(name, node, look))
        out += _runs(name, node, look.outline(node).ink, look)
    paper = ("filled", look.background, look.background, 1.0)
    for i, text in enumerate(scene.texts):
        if text.backed:
            out.append(_outline(f"t{i}", text.patch, "box", *paper))
        out += _runs(f"t{i}", text, look.line(text.kind), look)
    return "\n".join([*out, "}\n"])


def for_pango(source: str) -> str:
    """The DOT text with faces called as the C Graphviz finds them.

    >>> for_pango('[fontname="Times-BoldItalic" label="Times-Bold"]')
    '[fontname="Times Bold Italic" label="Times-Bold"]'
    """
    for face, words in WORDS.items():
        source = source.replace(f'name="{FACES[face]}"', f'name="Times {words}"')
    return source


def _at(x: float, y: float) -> str:
    return f"{number(x)},{number(y)}"


def _outline(
    name: str, box: Rectangle, shape: str, style: str, fill: str, rim: str, width: float
) -> str:
    x0, y0, x1, y1 = box
    return (
        f'{name} [id="{name}" pos="{_at((x0 + x1) / 2, (y0 + y1) / 2)}" shape={shape} '
        f"width={inches(x1 - x0)} height={inches(y1 - y0)} "
        f'style="{style}" fillcolor="{fill}" color="{rim}" penwidth={number(width)}];'
    )


def _node(name: str, node: Node, look: Style) -> str:
    paint, shape = look.outline(node), SHAPES.get(node.shape, node.shape)
    style = "filled" + ",rounded" * (node.shape == "rounded") + ",dashed" * node.dashed
    colours = (paint.fill, paint.border)
    return _outline(name, node.box, shape, style, *colours, pen(node))


def _runs(name: str, thing: Node | Text, ink: str, look: Style) -> Iterator[str]:
    for k, (x, y, run) in enumerate(placed_runs(thing.x, thing.y, thing.lines)):
        face, label = FACES[run.face], quoted(run.text)
        # Bold and italic letters come out right by markup in both engines, but only
        # ASCII is centred then; the rest names the typeface.
        chosen = look.font(run.face)
        if chosen is not None:
            face = f"{chosen} {WORDS.get(run.face, '')}".strip()
        elif run.face in MARKUP and PLAIN.fullmatch(run.text):
            face, label = FACES["serif"], f"<{MARKUP[run.face].format(run.text)}>"
        yield (
            f'{name}_{k} [pos="{_at(x, y)}" shape=none '
            f'fixedsize=true width=0.01 height=0.01 fontname="{face}" '
            f'fontsize={number(run.size)} fontcolor="{ink}" label={label}];'
        )


def _edge(i: int, edge: Edge, ids: dict[str, str], look: Style) -> str:
    how = f'color="{look.line(edge.kind)}" penwidth={number(pen(edge))}'
    how += ' style="dashed"' * edge.dashed
    ends = f"{ids.get(edge.tail, 'corner0')} -> {ids.get(edge.tip, 'corner1')}"
    points, tip = edge.points, ""
    if edge.head:
        # DOT wants the tip apart; the curve ends where the arrow head begins.
        points, (x, y) = shaft_of(points, edge.thickness), points[-1]
        size = hypot(x - points[-1][0], y - points[-1][1])
        how += f" arrowsize={number(size / 10)}"
        tip = f"e,{_at(x, y)} "
    else:
        how += " arrowhead=none"
    path = " ".join(_at(*point) for point in points)
    return f'{ends} [id="e{i}" {how} pos="{tip}{path}"];'
