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
from math import hypot

from minigrad.draw.page.curves import shaft_of
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import (
    Edge,
    Frame,
    Lines,
    Node,
    Scene,
    Text,
    placed_runs,
)
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
    for i, (x, y) in enumerate(corners):
        out.append(
            f'corner{i} [pos="{number(x)},{number(y)}" shape=box style=invis '
            f"width={inches(2 * inner)} height={inches(2 * inner)}];"
        )
    out += [line for i, f in enumerate(scene.frames) for line in _frame(i, f, look)]
    ids = {node.id: f"n{i}" for i, node in enumerate(scene.nodes)}
    for i, edge in enumerate(scene.edges):
        out += _edge(i, edge, ids, look)
    for node in scene.nodes:
        out += _node(ids[node.id], node, look)
    for i, text in enumerate(scene.texts):
        ink = text.ink or look.line(text.kind)
        if text.backed:
            out.append(_paper(i, text, look))
        out += _runs(f"t{i}", text.x, text.y, text.lines, ink, look)
    out.append("}\n")
    return "\n".join(out)


def _paper(i: int, text: Text, look: Style) -> str:
    """The patch that hides a line under a text."""
    x0, y0, x1, y1 = text.patch
    return (
        f't{i} [pos="{number(text.x)},{number(text.y)}" shape=box '
        f"width={inches(x1 - x0)} height={inches(y1 - y0)} "
        f'style=filled color="{look.background}" fillcolor="{look.background}"];'
    )


def _frame(i: int, frame: Frame, look: Style) -> list[str]:
    x0, y0, x1, y1 = frame.box
    fill = frame.fill or "none"
    at = f"{number((x0 + x1) / 2)},{number((y0 + y1) / 2)}"
    return [
        f'f{i} [id="f{i}" pos="{at}" shape=box '
        f"width={inches(x1 - x0)} height={inches(y1 - y0)} "
        f'style="{"filled" if frame.fill else "rounded"}" fillcolor="{fill}" '
        f'color="{look.rim(frame)}" penwidth={pen(frame)}];'
    ]


def _node(name: str, node: Node, look: Style) -> list[str]:
    paint = look.outline(node)
    ink = paint.ink
    if node.shape == "text":
        return _runs(name, node.x, node.y, node.lines, ink, look)
    styles = ["filled"]
    if node.shape == "rounded":
        styles.append("rounded")
    if node.dashed:
        styles.append("dashed")
    outline = (
        f'{name} [id="{name}" pos="{number(node.x)},{number(node.y)}" '
        f"shape={SHAPES.get(node.shape, node.shape)} "
        f"width={inches(node.width)} height={inches(node.height)} "
        f'style="{",".join(styles)}" fillcolor="{paint.fill}" '
        f'color="{paint.border}" penwidth={number(pen(node))}];'
    )
    return [outline, *_runs(name, node.x, node.y, node.lines, ink, look)]


def _runs(
    name: str, x: float, y: float, lines: Lines, ink: str, look: Style
) -> list[str]:
    out = []
    for k, (at_x, at_y, run) in enumerate(placed_runs(x, y, lines)):
        face, label = FACES[run.face], quoted(run.text)
        # Bold and italic letters come out right by markup in both engines, but only
        # ASCII is centred then; the rest names the typeface.
        chosen = look.font(run.face)
        if chosen is not None:
            face = f"{chosen} {WORDS.get(run.face, '')}".strip()
        elif run.face in MARKUP and PLAIN.fullmatch(run.text):
            face, label = FACES["serif"], f"<{MARKUP[run.face].format(run.text)}>"
        out.append(
            f'{name}_{k} [pos="{number(at_x)},{number(at_y)}" shape=none '
            f'fixedsize=true width=0.01 height=0.01 fontname="{face}" '
            f'fontsize={number(run.size)} fontcolor="{ink}" label={label}];'
        )
    return out


def _edge(i: int, edge: Edge, ids: dict[str, str], look: Style) -> list[str]:
    style = ' style="dashed"' if edge.dashed else ""
    common = f'color="{look.stroke(edge)}" penwidth={number(pen(edge))}{style}'
    ends = f"{ids.get(edge.tail, 'corner0')} -> {ids.get(edge.tip, 'corner1')}"
    if not edge.head:
        common += " arrowhead=none"
    points, tip = edge.points, ""
    if edge.head:
        # DOT wants the tip apart; the curve ends where the arrow head begins.
        points, (x, y) = shaft_of(points, edge.thickness), points[-1]
        size = hypot(x - points[-1][0], y - points[-1][1])
        common += f" arrowsize={number(size / 10)}"
        tip = f"e,{number(x)},{number(y)} "
    path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return [f'{ends} [id="e{i}" {common} pos="{tip}{path}"];']
