"""DOT text: any label is text, in every format and engine."""

import re
import shutil
import warnings
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.draw import Figure, draw
from minigrad.draw.page.curves import polyline
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import Edge, Node, Run, arranged, line_width
from minigrad.draw.render.dot import quoted
from tests.draw.images import read_png
from tests.draw.networks import NETWORKS

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
HOSTILE = [
    '"',
    "<b>",
    "a\\",
    "\\N\\G\\l",
    "two\nlines",
    "]]>",
    "<script>alert(1)</script>",
    "</title>",
    "שלום",
    "‮evil",
    "&amp;",
    "{a|b}",
    "x" * 10_000,
    "%3",
    "\x00\x07",
    "\ud800",
    " h",
    "日本語",
    "-->",
]


def loop(name, length=3):
    W = mg.parameter(np.eye(2), name=name)
    h = mg.tensor(np.zeros((1, 2)), name=f"{name}0")
    for _, x in mg.steps(np.ones((length, 1, 2))):
        h = mg.tanh(h @ W + x).named(name)
    return h


def shown(svg):
    return ["".join(e.itertext()) for e in ET.fromstring(svg).iter() if "text" in e.tag]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name, engine):
    loss = loop(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for way in ({}, {"view": "ops"}, {"view": "backward"}, {"caption": name}):
            figure = draw(loss, **way, engine=engine)
            assert figure.png(dpi=40)[:4] == b"\x89PNG"
            svg = figure.svg()
            assert "<script" not in svg
            assert figure.audit() == []
    if len(name) < 4:
        words = clean(name).strip()
        assert any(words in text for text in shown(draw(loss, engine=engine).svg()))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.text(min_size=1, max_size=30).filter(str.strip))
def test_any_name_is_text(name):
    figure = draw(mg.tanh(mg.tensor(1.0, name=name)).named(name), engine="pure")
    figure.png(dpi=30)
    titles = [e.text for e in ET.fromstring(figure.svg()).iter() if "title" in e.tag]
    assert any(title.endswith("float64") for title in titles)
    timed = draw(loop(name), engine="pure")
    ET.fromstring(timed.svg())
    assert timed.png(dpi=30)[:4] == b"\x89PNG"


@given(text=st.text(max_size=40))
def test_quoting_leaves_no_way_out(text):
    inner = quoted(text)[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert "\\" not in inner
    assert "\n" not in inner


def test_nothing_that_an_engine_draws_wrong_is_written():
    for network in NETWORKS.values():
        for view in ("textbook", "ops", "backward"):
            text = draw(network(4), view=view).dot
            for banned in (
                "<sup",
                "<SUP",
                "<sub",
                "<SUB",
                "∇",
                "⊙",
                "⋯",
                "0x",
                'size="',
            ):
                assert banned not in text


@pytest.mark.parametrize("view", ["textbook", "ops", "backward"])
@pytest.mark.parametrize("name", ["many_to_many", "lstm", "bidirectional"])
def test_no_control_of_an_arrow_lies_in_its_head(name, view):
    # Cairo, which draws for the C Graphviz, leaves out a curve that has one there.
    for pos in re.findall(r'pos="e,(.*?)"', draw(NETWORKS[name](4), view=view).dot):
        tip, *points = np.array([p.split(",") for p in pos.split()], float)
        away = np.hypot(*(np.array(points) - tip).T)
        assert 0 < away[-1] <= 15.31
        assert (away[-3:-1] >= away[-1] - 0.02).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("length", [3, 6, 9, 12, 16, 22])
def test_short_drops_of_a_bus_are_seen(length, engine):
    top = 30.0 + length
    box = Node("b", 100, top + 10, 20, 20, shape="box")
    for way in (((10, 30), (100, 30), (100, top)), ((100, 30), (100, top))):
        edge = Edge("", "b", polyline(*way))
        figure = Figure(arranged([box], [edge], []), engine=engine)
        ((edge,), high) = figure.scene.edges, figure.scene.height
        pixels = read_png(figure.png(dpi=288))
        (x, low), (_, tip) = edge.points[-4], edge.points[-1]
        drop = pixels[
            round((high - tip + 0.5) * 4) : round((high - low - 0.5) * 4),
            round(x * 4) - 2 : round(x * 4) + 2,
        ]
        assert (drop.min(axis=(1, 2)) < 128).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("face", ["bold", "italic", "bolditalic"])
def test_letters_beyond_ascii_are_as_wide_as_the_scene_says(engine, face):
    line = (Run("Wdrückung", face, 18),)
    node = Node("n", 0, 0, 200, 40, (line,), shape="box")
    pixels = read_png(Figure(arranged([node], [], []), engine=engine).png(dpi=72))
    inner = pixels[12:-12, 12:-12].sum(axis=2) < 400
    (columns,) = np.nonzero(inner.any(axis=0))
    assert np.ptp(columns) == pytest.approx(line_width(line), abs=5.0)
