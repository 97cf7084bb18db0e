r"""The file around everything: shell, style, script, policy and data.

The policy allows this one script and this one style, by their hashes, and no request.

>>> print(escaped({"name": "</script><!--"}))
{"name":"\u003c/script>\u003c!--"}
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from minigrad.draw.html.frames import Items, Source, gather, shown, source_of
from minigrad.draw.html.numbers import told as told_numbers
from minigrad.draw.html.written import written
from minigrad.draw.page.scene import Edge, Scene, Text
from minigrad.draw.page.scene import Node as Circle
from minigrad.draw.page.words import translated
from minigrad.draw.render import svg, tikz
from minigrad.draw.render.theme import Style, style
from minigrad.draw.textbook.chart import Chart
from minigrad.fold import Recurrence
from minigrad.graph import Graph

# Kinds whose borders colour the terms of an equation: as dark as letters have to be.
TERMS = ("hidden", "scope", "output", "target")
SIGNS = '<ellipse rx="7" ry="7"/>', '<rect x="-5" y="-5" width="10" height="10"/>'
TURN = re.compile(r"(.+)\(\d+,([^()]*)\)")
PARTS = {"folded": "circuit", "unfolded": "columns"}


class Page(str):
    """The text of a page; a notebook shows it in a frame of its own."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self)}" width="100%" height="820" '
            'sandbox="allow-scripts allow-downloads" frameborder="0"></iframe>'
        )


def page(
    source: Graph | Recurrence | None, scene: Scene, look: Style, title: str = ""
) -> "Page":
    """The whole file as text: equal figures give equal text.

    Parameters
    ----------
    source: what was drawn; of None the page shows ``scene`` alone.
    look: the language, and the colours by day; "dark" gives those by night.
    """
    of = source_of(source, scene)
    for T, drawn in of.scenes.items():
        if drawn is not scene:  # which has its words in the language already
            of.scenes[T] = translated(drawn, look.language)
    room = files("minigrad.draw.html")
    table = json.loads(room.joinpath("words.json").read_text(encoding="utf-8"))
    say = {key: word[look.language] for key, word in table.items()}
    title = title or scene.title or say["title"]
    items = gather(of.scenes, of.recorded)
    data = _data(of, items, say) | {"title": title}
    data["tex"] = tikz.document(of.scenes[of.recorded], look)
    script = _packed(room.joinpath("page.js").read_text(encoding="utf-8"))
    css = _colours(look) + room.joinpath("page.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(css)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    forms = _forms(of, items, data)
    _choose(say, of, forms)
    parts = {f"say:{key}": escape(words) for key, words in say.items()}
    parts |= {
        "language": look.language,
        "title": escape(title),
        "policy": policy,
        "css": css,
        "script": script,
        "form": " ".join(forms),
        "last": str(len(of.scenes) - 1),
        "figure": _figure(items, of.recorded, look),
        "legend": _legend(items, say),
        "table": _table(data["numbers"], say),
        "data": escaped(data),
    }
    shell = room.joinpath("shell.html").read_text(encoding="utf-8")
    pieces = shell.replace("}}", "{{").split("{{")
    return Page("".join(parts[p] if i % 2 else p for i, p in enumerate(pieces)))


def _forms(of: Source, items: Items, data: Mapping[str, Any]) -> list[str]:
    """What the page has not: a loop, anything to play, a way back."""
    timed = len(of.scenes) > 1 or "delay" in {node.kind for node in items.nodes}
    numbers, order = data["numbers"], data["frames"][of.recorded]["order"]
    back = numbers is None or numbers["loss"] is not None
    return ["static"] * (not timed) + ["still"] * (not order) + ["forward"] * (not back)


def _choose(say: dict[str, str], of: Source, forms: list[str]) -> None:
    """The words that fit this page, in the place of those that fit most."""
    if not of.recorded:
        say["backward"] = say["return"]  # not in time
    if len(of.scenes) == 1:
        say["hint"] = say["hint0"]
    if "forward" in forms:
        say["shared"] = say["several"]
    else:
        say["noloss"] = ""


def escaped(data: Mapping[str, Any]) -> str:
    """JSON that ends no script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _packed(script: str) -> str:
    """A script without its comments, its indentation and the white around arrows."""
    lines = (line.split("  // ")[0].strip() for line in script.splitlines())
    lines = (line.replace(" => ", "=>") for line in lines)
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _data(of: Source, items: Items, say: dict[str, str]) -> dict[str, Any]:
    """Everything that the script knows."""
    T = of.recorded
    orders = {length: _order(of, items, length) for length in of.scenes}
    kinds: dict[str, list[Any]] = {"nodes": [], "edges": [], "texts": []}
    for id, item in items.all.items():
        kind, told = _told(id, item)
        told = {key: value for key, value in told.items() if value}
        kinds[kind].append({"id": id, **told, "at": items.places[id]})
    return kinds | {
        "version": 1,
        "recorded": T,
        "lengths": sorted(of.scenes),
        "frames": {
            length: {
                "view": view,
                "circuit": circuit,
                "order": orders[length],
                "cut": of.scenes[length].elided,
            }
            for length, (view, circuit) in items.windows.items()
        },
        "letters": _letters(of.charts.get(T)),
        "equations": written(of.graph, of.charts.get(T)),
        "numbers": told_numbers(of, items, orders[T]),
        "words": say,
    }


def _told(id: str, item: Circle | Edge | Text) -> tuple[str, dict[str, Any]]:
    """What the script knows of an item, besides its places, under the kind it is of.

    What has no part, as the arrow that says "Unfold", stands between both.
    """
    part = PARTS.get(item.part, "between")
    if isinstance(item, Text):
        return "texts", {"edge": item.edge, "part": part}
    if isinstance(item, Edge):
        ends = [item.tail, item.tip]
        by = [name.removesuffix("ᵀ") for name in item.parameters]
        pairs = (part == "columns" and item.covers) or [ends]
        told = {"tail": item.tail, "tip": item.tip, "by": by, "pairs": pairs}
        return "edges", told | {"part": part, "delay": item.delay}
    words = "".join(run.text for line in item.lines for run in line)
    turn = TURN.fullmatch(words) if item.t else None  # h(t,2) is one value of its own
    name = f"{turn[1]}(t,{turn[2]})" if turn else item.name
    found: dict[str, Any] = {"name": name, "role": item.role, "kind": item.kind}
    found |= {"home": item.home, "size": [item.width, item.height]}
    if item.t and part == "columns":
        found["t"] = int(id.rpartition("@")[2].partition("#")[0])
    return "nodes", found | {"part": part if item.part else "columns"}


def _letters(chart: Chart | None) -> dict[str, Any]:
    """Parameters by name: [text, face, "sub", "sup" or ""] of the letters.

    One that lies on no arrow has the lines that it enters as targets.
    """
    weights = [] if chart is None else sorted(chart.weights, key=lambda w: w.bias)
    return {
        weight.name: {
            "label": [
                [run.text, run.face, "sup" if run.rise > 0 else "sub" * (run.rise < 0)]
                for run in weight.label
            ],
            "targets": list(weight.targets) if weight.bias else [],
        }
        for weight in weights
    }


def _order(of: Source, items: Items, T: int) -> list[str]:
    """The circles of the columns that are computed, in the order of execution."""
    if T not in of.graphs:
        return []
    names = items.names[T]
    computed = {names.get(edge.tip) for edge in of.scenes[T].edges}
    order = dict.fromkeys(shown(of, items, T).values())
    return [id for id in order if id is not None and id in computed]


def _figure(items: Items, T: int, look: Style) -> str:
    """Every element of all frames; those of other lengths wait."""
    view = " ".join(map(str, items.windows[T][0]))
    now, later = (svg.elements(items.at(T, there), look) for there in (True, False))
    return (
        f'<svg id="figure" viewBox="{view}" text-anchor="middle" '
        f'xml:space="preserve" role="img">\n{now}\n'
        f'<g display="none">\n{later}\n</g></svg>'
    )


def _legend(items: Items, say: dict[str, str]) -> str:
    """What each kind of circle is."""
    return "".join(
        f'<li><svg viewBox="-8 -8 16 16" class="mg-{kind}">'
        f"{SIGNS[kind == 'delay']}</svg>{escape(say[kind])}</li>"
        for kind in dict.fromkeys(node.kind for node in items.nodes)
        if kind in say
    )


def _colours(look: Style) -> str:
    """The colours of all kinds by day and by night, as variables and rules."""
    night = style("dark")
    kinds = sorted({*look.paints, *night.paints})
    day, dark = _paints(look, kinds), _paints(night, kinds)
    return (
        f":root{{{day}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        + "".join(
            f".mg-{kind}>ellipse,.mg-{kind}>rect"
            f"{{fill:var(--{kind});stroke:var(--{kind}-line)}}"
            f".mg-{kind} text{{fill:var(--{kind}-ink)}}"
            for kind in kinds
        )
    )


def _paints(look: Style, kinds: list[str]) -> str:
    found = {"paper": look.background, "ink": look.ink}
    for kind in kinds:
        paint = look.paint(kind)
        found |= {
            kind: paint.fill,
            f"{kind}-line": paint.border,
            f"{kind}-ink": paint.ink,
        }
    terms = [look.buses[0], *(look.paint(kind).border for kind in TERMS)]
    found |= {f"term{k}": colour for k, colour in enumerate(terms)}
    return "".join(f"--{name}:{colour};" for name, colour in found.items())


def _table(numbers: dict[str, Any] | None, say: dict[str, str]) -> str:
    """The parameters, for readers without JavaScript."""
    if not numbers or not numbers["parameters"]:
        return ""
    heads = ("parameter", "shape", "uses", "norm", "gradient")
    top = "".join(f'<th scope="col">{escape(say[head])}</th>' for head in heads)
    body = ""
    for name, p in numbers["parameters"].items():
        shape, uses = " × ".join(map(str, p["shape"])), len(p["uses"])
        norms = (p["norm"], p.get("gradient", ""))
        cells = (name, shape, uses, *(str(v).replace(".", say["point"]) for v in norms))
        body += f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
    return f"<table><tr>{top}</tr>{body}</table>"
