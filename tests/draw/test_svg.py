"""SVG by our own hand: against the scene, and against the pixels of Graphviz."""

import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure as Page

from minigrad.draw import Figure, draw
from minigrad.draw.page.scene import Edge, Frame, Node, Run, Text, arranged
from minigrad.draw.render.svg import SANS, SERIF, description
from minigrad.draw.render.theme import STYLES, style
from tests.draw import networks
from tests.draw.images import read_png

SVG = "{http://www.w3.org/2000/svg}"
VIEWS = ("textbook", "backward", "ops")
HOSTILE = ['<b>&"', "{a|b}", "]]>", "\x00\x07", "\ud800", "two\nlines", "שלום", "‮e"]


def elements(root, kind, **data):
    """The groups of a kind whose data say that."""
    return [
        group
        for group in root.iter(f"{SVG}g")
        if f"mg-{kind}" in group.get("class").split()
        and all(group.get(f"data-{name}") == said for name, said in data.items())
    ]


def numbers(text):
    return np.array([float(n) for n in re.findall(r"-?[\d.]+", text)]).reshape(-1, 2)


def curve(path):
    """Points along the path of an element, as (x, y) pairs."""
    points = numbers(path.get("d"))
    u = np.linspace(0, 1, 17)[:, None]
    pieces = []
    for k in range(0, len(points) - 1, 3):
        a, b, c, d = points[k : k + 4]
        v = 1 - u
        pieces.append(v**3 * a + 3 * v * v * u * b + 3 * v * u * u * c + u**3 * d)
    return np.concatenate(pieces)


def words(group):
    return "".join("".join(text.itertext()) for text in group.iter(f"{SVG}text"))


@pytest.mark.parametrize("look", STYLES)
@pytest.mark.parametrize("view", VIEWS)
def test_everything_in_the_scene_is_an_element(view, look):
    figure = draw(networks.many_to_many(3), view=view, style=look)
    scene, root = figure.scene, ET.fromstring(figure.svg())
    assert len(elements(root, "node")) == len(scene.nodes)
    assert len(elements(root, "edge")) == len(scene.edges)
    assert len(elements(root, "text")) == len(scene.texts)
    for node in scene.nodes:
        (group,) = elements(root, "node", node=node.id)
        assert words(group) == "".join(run.text for line in node.lines for run in line)
        paint = figure.look.outline(node)
        if node.shape == "circle":
            (circle,) = group.iter(f"{SVG}ellipse")
            at = [float(circle.get(name)) for name in ("cx", "cy", "rx", "ry")]
            size = (node.width / 2, node.height / 2)
            assert np.allclose(at, [node.x, scene.height - node.y, *size])
            assert (circle.get("fill"), circle.get("stroke")) == (
                paint.fill,
                paint.border,
            )
    for edge, group in zip(scene.edges, elements(root, "edge"), strict=True):
        assert group.get("data-edge", "") == edge.id
        path = group.find(f"{SVG}path")
        assert path.get("stroke") == figure.look.line(edge.kind)
        assert np.allclose(
            curve(path)[0], [edge.points[0][0], scene.height - edge.points[0][1]]
        )
        assert len(group.findall(f"{SVG}path")) == 1 + edge.head
        if edge.head:
            tip = numbers(group.findall(f"{SVG}path")[1].get("d"))[0]
            x, y = edge.points[-1]
            assert np.allclose(tip, [x, scene.height - y])
    for text in scene.texts:
        if text.edge:
            assert elements(root, "text", edge=text.edge)


@pytest.mark.parametrize("view", VIEWS)
def test_what_it_says_is_where_graphviz_has_ink(view):
    figure = draw(networks.many_to_many(3), view=view, engine="pure")
    pixels = read_png(figure.png(dpi=144))
    for group in elements(ET.fromstring(figure.svg()), "edge"):
        path = group.find(f"{SVG}path")
        colour = [int(path.get("stroke")[k : k + 2], 16) for k in (1, 3, 5)]
        near = []
        for x, y in np.rint(curve(path) * 2).astype(int):
            window = pixels[y - 1 : y + 2, x - 1 : x + 2]
            near.append(np.abs(window - colour).sum(axis=-1).min())
        # Between dashes there is none; a rim may be of another colour.
        allowed = 240 if path.get("stroke-dasharray") is None else 765
        assert np.mean(np.array(near) < 120) > 0.5, group.get("data-edge")
        assert max(near[1:-1]) < allowed, group.get("data-edge")


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="no rsvg-convert")
@pytest.mark.parametrize(("view", "look"), [*zip(VIEWS, STYLES, strict=True)])
def test_it_looks_as_the_png_does(view, look):
    figure = draw(networks.many_to_many(3), view=view, style=look, engine="pure")
    command = ["rsvg-convert", "-d", "96", "-p", "96"]
    done = subprocess.run(command, input=figure.svg().encode(), capture_output=True)
    ours, theirs = read_png(done.stdout), read_png(figure.png(dpi=96))
    assert np.abs(np.subtract(ours.shape, theirs.shape)).max() <= 1
    high, wide = np.minimum(ours.shape, theirs.shape)[:2]
    apart = np.abs(ours[:high, :wide] - theirs[:high, :wide]).sum(axis=-1) > 200
    assert apart.mean() < 0.03


def test_overlays_frames_and_dashes():
    W = networks.linear(0.5, 4)
    figure = draw(W, overlay="grad")
    root = ET.fromstring(figure.svg())
    for node in figure.scene.nodes:
        if node.fill:
            (group,) = elements(root, "node", node=node.id)
            assert group.find(f"{SVG}ellipse").get("fill") == node.fill
    swatches = [r for r in root.iter(f"{SVG}rect") if "mg-frame" in r.get("class", "")]
    assert [r.get("fill") for r in swatches] == [
        f.fill or "none" for f in figure.scene.frames
    ]
    nodes = [
        Node("a", 0, 0, 9, 9, shape="square", kind="delay"),
        Node("b", 60, 0, 4.5, 4.5, shape="dot", kind="dot"),
        Node("c", 120, 0, 46, 46, dashed=True, border="#D00000"),
    ]
    edge = Edge("a", "b", ((4, 0), (20, 0), (40, 0), (58, 0)), id="e", dashed=True)
    scene = arranged(nodes, [edge], [], [Frame((-9, -9, 9, 9))])
    root = ET.fromstring(Figure(scene).svg())
    (square,) = elements(root, "delay")[0].iter(f"{SVG}rect")
    assert (square.get("fill"), square.get("width")) == ("#000000", "9")
    (circle,) = elements(root, "node", node="c")[0].iter(f"{SVG}ellipse")
    assert circle.get("stroke") == "#D00000"
    assert circle.get("stroke-dasharray")
    assert elements(root, "edge")[0].find(f"{SVG}path").get("stroke-dasharray")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_text(name):
    node = Node(name, 0, 0, 46, 46, ((Run(name, "bold", 18),),), title=name, name=name)
    edge = Edge(name, name, ((0, 0), (9, 9), (20, 9), (40, 0)), title=name, id=name)
    edge = Edge(name, name, edge.points, parameters=(name, name), title=name, id=name)
    texts = [Text(0, 50, ((Run(name),),), edge=name, word=name)]
    text = Figure(arranged([node], [edge], texts, title=name)).svg()
    root = ET.fromstring(text)
    shown = re.sub(r"[\x00-\x1f\ud800-\udfff]", "?", name)
    assert words(elements(root, "node")[0]) == shown
    assert [t.text for t in root.iter(f"{SVG}title")] == [shown] * 3
    assert elements(root, "node")[0].get("data-node") == shown


def test_what_is_raised_stands_where_the_scene_says():
    line = (Run("h", "italic", 18), Run("(3)", "serif", 11, 4.5), Run("d", "serif", 10))
    text = Figure(arranged([Node("h", 0, 0, 46, 46, (line,))], [], [])).svg()
    (element,) = ET.fromstring(text).iter(f"{SVG}text")
    base, heights = float(element.get("y")), []
    for span in element:
        base += float(span.get("dy", 0))
        # The middle of the run, upwards from the middle of the line.
        heights.append(36 - (base - 0.28 * float(span.get("font-size"))))
    assert np.allclose(heights, [0, 4.5, 0], atol=0.02)


def test_a_backed_text_lies_on_paper():
    text = Text(0, 0, ((Run("W", "bold", 18),),), backed=True)
    edge = Edge("", "", ((-40, 0), (-20, 0), (20, 0), (40, 0)), head=False)
    figure = Figure(arranged([], [edge], [text]), engine="pure")
    (group,) = elements(ET.fromstring(figure.svg()), "text")
    assert [child.tag for child in group] == [f"{SVG}rect", f"{SVG}text"]
    assert group[0].get("fill") == figure.look.background
    assert figure.tex().count(r"\path[mg paper]") == 2
    out = io.BytesIO()
    page = Page(figsize=[side / 72 for side in figure.size])
    figure.to_axes(page.add_axes((0, 0, 1, 1)))
    page.savefig(out, dpi=144)
    for data in (out.getvalue(), figure.png(dpi=144)):
        pixels = read_png(data)
        # Beside the letter, on the patch, the line is not seen; farther off it is.
        y, x = pixels.shape[0] // 2, pixels.shape[1] // 2
        assert (pixels[y - 2 : y + 3, x - 19] > 200).all()
        assert (pixels[y - 2 : y + 3, x - 40] < 128).any()


def test_ids_of_two_pictures_do_not_meet():
    ids = []
    for length in (2, 3):
        root = ET.fromstring(draw(networks.many_to_many(length)).svg())
        ids += [element.get("id") for element in root.iter() if element.get("id")]
        assert root.get("aria-labelledby").split() == ids[-2:]
    assert len(set(ids)) == len(ids) == 4


def test_two_runs_give_equal_bytes_and_it_fits_a_page():
    first, second = (draw(networks.many_to_many(3), view="ops").svg() for _ in "ab")
    assert first == second
    assert 'style="max-width:100%;height:auto"' in first
    for family in (SERIF, SANS):
        assert f'font-family="{family}"' in first


def test_the_description_is_for_who_cannot_see_it():
    scene = draw(networks.many_to_many(9), steps=4).scene
    said = description(scene)
    # No square of delay is a value, no dot, and "Unfold" is no arrow of the network.
    halves = "Folded: 5 nodes (x, y, h, o, L), 5 arrows. Unfolded: 21 nodes ("
    assert said.startswith(f"{halves}x, y, h, o, L, h0), 21 arrows.")
    assert said.endswith(" 24 arrows of the graph are left out.")  # of 9 × 5
    said = description(scene, "es")
    assert said.startswith("Circuito plegado. Nodos: 5 (x, y, h, o, L); flechas: 5. ")
    assert "Columnas. Nodos: 21 (" in said
    alone = description(draw(networks.many_to_many(3), view="folded").scene)
    assert alone == "5 nodes (x, y, h, o, L), 5 arrows."
    assert style("color").name in Figure(scene).svg()[:200]
