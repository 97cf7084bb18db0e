"""A figure on axes of matplotlib, and PDF by it: as large as it is, fonts inside."""

import io
import re
import zlib

import numpy as np
import pytest
from matplotlib.figure import Figure as Page

from minigrad.draw import Figure, draw
from minigrad.draw.page.curves import head_of, shaft_of
from minigrad.draw.page.scene import Edge, Frame, Node, Run, arranged
from tests.draw import networks
from tests.draw.images import read_png


def page_of(figure, scale=1.0):
    """A page as large as the figure, with it on it."""
    page = Page(figsize=[scale * side / 72 for side in figure.size])
    figure.to_axes(page.add_axes((0, 0, 1, 1)))
    return page


def pixels(page, dpi):
    out = io.BytesIO()
    page.savefig(out, dpi=dpi)
    return read_png(out.getvalue())


@pytest.mark.parametrize(
    ("view", "look"), [("textbook", "color"), ("backward", "dark"), ("ops", "book")]
)
def test_it_looks_as_the_png_does(view, look):
    figure = draw(networks.many_to_many(3), view=view, style=look, engine="pure")
    ours, theirs = pixels(page_of(figure), 96), read_png(figure.png(dpi=96))
    high, wide = np.minimum(ours.shape, theirs.shape)[:2]
    assert np.abs(np.subtract(ours.shape, theirs.shape)).max() <= 1
    apart = np.abs(ours[:high, :wide] - theirs[:high, :wide]).sum(axis=-1) > 200
    assert apart.mean() < 0.03


@pytest.mark.parametrize("view", ["textbook", "backward", "ops"])
def test_heads_fills_and_borders_have_their_colours(view):
    figure = draw(networks.many_to_many(3), view=view)
    seen = pixels(page_of(figure), 288)

    def apart(x, y, colour):
        """How far the nearest pixel at a point is from a colour."""
        row, column = round((figure.size[1] - y) * 4), round(x * 4)
        window = seen[row - 2 : row + 3, column - 2 : column + 3]
        rgb = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        return np.abs(window - rgb).sum(axis=-1).min()

    for edge in figure.scene.edges:
        if edge.head:
            base, (x, y) = shaft_of(edge.points, edge.thickness)[-1], edge.points[-1]
            corners = head_of(base, (x, y))
            for corner in corners[1:]:
                x, y = np.average([corner, *corners], axis=0, weights=[5, 1, 1, 1])
                assert apart(x, y, figure.look.line(edge.kind)) < 60, edge.id
    for node in figure.scene.nodes:
        if node.shape != "text":
            paint = figure.look.outline(node)
            assert apart(node.x, node.y - node.height / 2 + 3, paint.fill) < 60
            borders = [
                apart(node.x + dx, node.y - node.height / 2, paint.border)
                for dx in (-2, 0, 2)
            ]
            assert min(borders) < 60, node.id


def test_letters_grow_with_the_axes():
    nodes = [Node("h", 0, 0, 46, 46, ((Run("h", "italic", 18),),), dashed=True)]
    edge = Edge("h", "", ((23, 0), (40, 0), (60, 9), (80, 9)), thickness=2)
    figure = Figure(arranged(nodes, [edge], [], [Frame((-30, -30, 90, 30))]))
    small, large = pixels(page_of(figure), 144), pixels(page_of(figure, 2), 72)
    assert small.shape == large.shape
    assert (np.abs(small - large).sum(axis=-1) > 60).mean() < 0.001


def test_a_pdf_has_its_size_and_its_fonts():
    figure = draw(networks.many_to_many(3))
    data = figure.pdf()
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", data)
    assert [float(side) for side in box.groups()] == pytest.approx(figure.size)
    assert data.count(b"/FontFile2") == data.count(b"/Type /FontDescriptor") >= 3
    assert data == figure.pdf()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    assert any(b" Tf" in zlib.decompress(s) for s in streams if s[:1] == b"x")


def test_any_name_is_text():
    inked = {}
    for name in ("x", "$x$", "$", r"\alpha_{", "a\nb", "\x00", "<&>"):
        node = Node("n", 0, 0, 90, 46, ((Run(name, "bold", 18),),), border="#FFFFFF")
        figure = Figure(arranged([node], [], []))
        assert figure.pdf().startswith(b"%PDF")
        inked[name] = (pixels(page_of(figure), 144) < 128).any(axis=(0, 2)).sum()
    assert inked["$x$"] > 2 * inked["x"]


def test_a_page_with_other_axes_holds_it():
    page = Page(figsize=(8, 3), layout="tight")
    left, right = page.subplots(1, 2)
    draw(networks.dynamical_system()).to_axes(left)
    right.plot([1, 2, 3])
    out = io.BytesIO()
    page.savefig(out, bbox_inches="tight")
    assert (read_png(out.getvalue()) < 128).any()
    assert not left.axison


@pytest.mark.parametrize("thickness", [0.5, 1.0, 3.0])
def test_dashes_are_as_long_on_a_thick_line_as_on_a_thin_one(thickness):
    points = ((0.0, 0.0), (40.0, 0.0), (80.0, 0.0), (120.0, 0.0))
    edge = Edge("", "", points, head=False, dashed=True, thickness=thickness)
    figure = Figure(arranged([], [edge], []))
    row = pixels(page_of(figure), 288)[round(figure.size[1] * 2)].sum(axis=1) < 400
    assert (np.diff(row.astype(int)) == 1).sum() == 120 / 8
