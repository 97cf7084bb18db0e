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
    MARGIN,
    Edge,
    Frame,
    Lines,
    Node,
    Scene,
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
MARKUP = {"bold": "<B>{}</B>", "italic": "<I>{}</I>", "bolditalic": "<B><I>{}</I></B>"}
SHAPES = {"box": "box", "rounded": "box", "square": "square", "text": "none"}
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
    """The DOT text of a scene; equal scenes give equal text.

    For a placed scene run it with ``neato -n2``, else with ``dot``.
    """
    out = [
        "digraph minigrad {",
        f'graph [bgcolor="{look.background}" {_layout(scene, look)} '
        "splines=true outputorder=edgesfirst];",
        'node [fontname="Times" label="" fixedsize=true];',
        "edge [arrowsize=1];",
    ]
    if scene.placed:
        # Two invisible corners hold the margin inside the bounding box; both engines
        # take a node of 2 pt as it is.
        inner = 1.0
        for i, (x, y) in enumerate(
            ((inner, inner), (scene.width - inner, scene.height - inner))
        ):
            out.append(
                f'corner{i} [pos="{number(x)},{number(y)}" shape=box style=invis '
                f"width={inches(2 * inner)} height={inches(2 * inner)}];"
            )
    out += [line for i, f in enumerate(scene.frames) for line in _frame(i, f, look)]
    ids = {node.id: f"n{i}" for i, node in enumerate(scene.nodes)}
    for i, edge in enumerate(scene.edges):
        out += _edge(i, edge, ids, look, scene.placed)
    for node in scene.nodes:
        out += _node(ids[node.id], node, look, scene.placed)
    for i, text in enumerate(scene.texts):
        ink = text.ink or look.line(text.kind)
        out += _runs(f"t{i}", text.x, text.y, text.lines, ink)
    out.append("}\n")
    return "\n".join(out)


def _layout(scene: Scene, look: Style) -> str:
    """Our coordinates, or what ``dot`` needs to find some."""
    if scene.placed:
        return "pad=0 margin=0 notranslate=true"
    wishes = f"pad={inches(MARGIN)} margin=0 rankdir=BT nodesep=0.25 ranksep=0.4"
    if len(scene.nodes) > 200:
        wishes += " nslimit=2 nslimit1=2 mclimit=0.5"
    if scene.title:
        wishes += f' label={quoted(scene.title)} fontname="Times" fontsize=13'
        wishes += f' fontcolor="{look.ink}"'
    return wishes


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


def _node(name: str, node: Node, look: Style, placed: bool) -> list[str]:
    paint = look.outline(node)
    ink = paint.ink
    if node.shape == "text":
        return _runs(name, node.x, node.y, node.lines, ink)
    styles = ["filled"]
    if node.shape == "rounded":
        styles.append("rounded")
    if node.dashed:
        styles.append("dashed")
    at = f'pos="{number(node.x)},{number(node.y)}" ' if placed else ""
    label = ""
    if not placed:
        label = f' fontname="{FACES["sans"]}" fontsize=11 fontcolor="{ink}" label=' + (
            "\\n".join(
                quoted("".join(run.text for run in line))[1:-1] for line in node.lines
            ).join('""')
        )
    outline = (
        f'{name} [id="{name}" {at}shape={SHAPES.get(node.shape, "circle")} '
        f"width={inches(node.width)} height={inches(node.height)} "
        f'style="{",".join(styles)}" fillcolor="{paint.fill}" '
        f'color="{paint.border}" penwidth={number(pen(node))}{label}];'
    )
    runs = _runs(name, node.x, node.y, node.lines, ink) if placed else []
    return [outline, *runs]


def _runs(name: str, x: float, y: float, lines: Lines, ink: str) -> list[str]:
    out = []
    for k, (at_x, at_y, run) in enumerate(placed_runs(x, y, lines)):
        face, label = FACES[run.face], quoted(run.text)
        # Bold and italic letters come out right by markup in both engines, but only
        # ASCII is centred then; the rest names the typeface.
        if run.face in MARKUP and PLAIN.fullmatch(run.text):
            face, label = FACES["serif"], f"<{MARKUP[run.face].format(run.text)}>"
        out.append(
            f'{name}_{k} [pos="{number(at_x)},{number(at_y)}" shape=none '
            f'fixedsize=true width=0.01 height=0.01 fontname="{face}" '
            f'fontsize={number(run.size)} fontcolor="{ink}" label={label}];'
        )
    return out


def _edge(
    i: int, edge: Edge, ids: dict[str, str], look: Style, placed: bool
) -> list[str]:
    style = ' style="dashed"' if edge.dashed else ""
    common = f'color="{look.stroke(edge)}" penwidth={number(pen(edge))}{style}'
    ends = f"{ids.get(edge.tail, 'corner0')} -> {ids.get(edge.tip, 'corner1')}"
    if not edge.head:
        common += " arrowhead=none"
    if not placed:
        return [f'{ends} [id="e{i}" {common}];']
    points, tip = edge.points, ""
    if edge.head:
        # DOT wants the tip apart; the curve ends where the arrow head begins.
        points, (x, y) = shaft_of(points, edge.thickness), points[-1]
        size = hypot(x - points[-1][0], y - points[-1][1])
        common += f" arrowsize={number(size / 10)}"
        tip = f"e,{number(x)},{number(y)} "
    path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return [f'{ends} [id="e{i}" {common} pos="{tip}{path}"];']
