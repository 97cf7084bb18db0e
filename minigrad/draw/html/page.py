r"""The file around everything: shell, style, script, policy and data.

The policy allows this one script and this one style, by their hashes, and no request.

>>> print(escaped({"name": "</script><!--"}))
{"name":"\u003c/script>\u003c!--"}
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from minigrad.draw.html.frames import Items, Source, gather, shown, source_of
from minigrad.draw.html.numbers import told
from minigrad.draw.html.written import written
from minigrad.draw.page.scene import Edge, Node, Scene, Text
from minigrad.draw.page.words import translated
from minigrad.draw.render import svg, tikz
from minigrad.draw.render.theme import Style, style
from minigrad.draw.textbook.chart import Chart
from minigrad.fold import Recurrence
from minigrad.graph import Graph

# Kinds whose borders colour the terms of an equation: as dark as letters have to be.
TERMS = ("hidden", "scope", "output", "target")
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
    of.scenes = {T: translated(s, look.language) for T, s in of.scenes.items()}
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
    if not of.recorded:
        say["backward"] = say["return"]  # not in time
    timed = len(of.scenes) > 1 or "delay" in {n.kind for n in items.nodes.values()}
    parts = {f"say:{key}": escape(words) for key, words in say.items()}
    parts |= {
        "language": look.language,
        "title": escape(title),
        "policy": policy,
        "css": css,
        "script": script,
        "form": "timed" if timed else "static",
        "last": str(len(of.scenes) - 1),
        "figure": _figure(items, of.recorded, look),
        "table": _table(data["numbers"], say),
        "data": escaped(data),
    }
    shell = room.joinpath("shell.html").read_text(encoding="utf-8")
    pieces = shell.replace("}}", "{{").split("{{")
    return Page("".join(parts[p] if i % 2 else p for i, p in enumerate(pieces)))


def escaped(data: Mapping[str, Any]) -> str:
    """JSON that ends no script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _packed(script: str) -> str:
    """A script without its comments and its indentation."""
    lines = (line.split("  // ")[0].strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _data(of: Source, items: Items, say: dict[str, str]) -> dict[str, Any]:
    """Everything that the script knows."""
    T = of.recorded
    orders = {length: _order(of, items, length) for length in of.scenes}
    chart = of.charts.get(T)
    return {
        "version": 1,
        "recorded": T,
        "lengths": sorted(of.scenes),
        "nodes": _listed(items.nodes, items, _node),
        "edges": _listed(items.edges, items, _edge),
        "texts": _listed(items.texts, items, _text),
        "frames": {
            length: {
                "view": view,
                "circuit": circuit,
                "order": orders[length],
                "cut": of.scenes[length].elided,
            }
            for length, (view, circuit) in items.windows.items()
        },
        "letters": {} if chart is None else _letters(chart),
        "equations": written(of.graph, chart),
        "numbers": told(of, items, orders[T]),
        "words": say,
    }


def _listed(kind: dict[str, Any], items: Items, tell: Any) -> list[dict[str, Any]]:
    """What the script knows of each item, without what is empty."""
    found = []
    for id, item in kind.items():
        told = {key: value for key, value in tell(id, item).items() if value}
        found.append({"id": id, **told, "at": items.places[id]})
    return found


def _letters(chart: Chart) -> dict[str, Any]:
    """Parameters by name: [text, face, "sub", "sup" or ""] of the letters.

    One that lies on no arrow has the lines that it enters as targets.
    """
    found = {}
    for weight in sorted(chart.weights, key=lambda weight: weight.bias):
        places = [
            "sup" if r.rise > 0 else "sub" if r.rise else "" for r in weight.label
        ]
        label = [
            [run.text, run.face, place]
            for run, place in zip(weight.label, places, strict=True)
        ]
        targets = list(weight.targets) if weight.bias else []
        found[weight.name] = {"label": label, "targets": targets}
    return found


def _node(id: str, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"name": node.name, "role": node.role, "kind": node.kind}
    found |= {"part": PARTS.get(node.part, "columns"), "home": node.home}
    found["size"] = [node.width, node.height]
    if node.t and node.part == "unfolded":
        found["t"] = int(id.rpartition("@")[2])
    return found


def _edge(id: str, edge: Edge) -> dict[str, Any]:
    by = [name.removesuffix("ᵀ") for name in edge.parameters]
    found: dict[str, Any] = {"tail": edge.tail, "tip": edge.tip, "by": by}
    if edge.part == "unfolded" and edge.covers != ((edge.tail, edge.tip),):
        found["covers"] = edge.covers
    return found | {"part": _part(edge), "delay": edge.delay}


def _text(id: str, text: Text) -> dict[str, Any]:
    return {"edge": text.edge, "part": _part(text)}


def _part(item: Edge | Text) -> str:
    """What has no part, as the arrow that says "Unfold", stands between both."""
    return PARTS.get(item.part, "between")


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


def _colours(look: Style) -> str:
    """The colours of all kinds by day and by night, as variables and rules."""
    night = style("dark")
    kinds = {*look.paints, *night.paints}
    rules = "".join(
        f".mg-{kind}>ellipse,.mg-{kind}>rect"
        f"{{fill:var(--{kind});stroke:var(--{kind}-line)}}"
        f".mg-{kind} text{{fill:var(--{kind}-ink)}}"
        for kind in sorted(kinds)
    )
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_paints(night)}}}}}"
    return f":root{{{_paints(look)}}}{dark}{rules}"


def _paints(look: Style) -> str:
    found = f"--paper:{look.background};--ink:{look.ink};"
    for kind in sorted({*look.paints, *style("dark").paints}):
        paint = look.paint(kind)
        found += f"--{kind}:{paint.fill};--{kind}-line:{paint.border};"
        found += f"--{kind}-ink:{paint.ink};"
    terms = [look.buses[0], *(look.paint(kind).border for kind in TERMS)]
    for k, colour in enumerate(terms):
        found += f"--term{k}:{colour};"
    return found


def _table(numbers: dict[str, Any] | None, say: dict[str, str]) -> str:
    """The parameters, for readers without JavaScript."""
    heads = ("parameter", "shape", "uses", "norm", "gradient")
    rows = []
    for name, p in (numbers or {"parameters": {}})["parameters"].items():
        shape, uses = " × ".join(map(str, p["shape"])), len(p["uses"])
        rows.append((name, shape, uses, p["norm"], p.get("gradient", "")))
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{escape(say[head])}</th>' for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{top}</tr>{body}</table>"
