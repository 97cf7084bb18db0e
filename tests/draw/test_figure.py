"""Getting a figure out: PNG, SVG, notebooks, golden bytes (checks 17-21, 29)."""

import io
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from tests.draw import networks
from tests.draw.images import read_png, size_of
from tests.draw.networks import NETWORKS, UNTIMED

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
GOLDEN = Path(__file__).parent / "golden"
PICTURES = {
    "textbook": lambda: draw(networks.many_to_many(9), steps=4, engine="pure"),
    "feedback": lambda: draw(
        networks.output_feedback(3), style="dark", params="node", engine="pure"
    ),
    "book": lambda: draw(
        networks.many_to_one(9), style="book", index="symbolic", engine="pure"
    ),
    "ops": lambda: draw(networks.many_to_one(2), view="ops", engine="pure"),
}
# All that the figures write beside users' own names: a test of fonts looks at each.
ALLOWED = set(map(chr, range(32, 127))) | set("−…→×Σ∂‖·τθ⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹ᵗ⁻ŷ∞")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("look", ["color", "book", "dark"])
@pytest.mark.parametrize("view", ["textbook", "ops", "backward"])
def test_pixels(view, look, engine):
    figure = draw(networks.many_to_many(3), view=view, style=look, engine=engine)
    data = figure.png(dpi=60)
    wide, high = size_of(data)
    assert abs(wide - figure.scene.width * 60 / 72) <= 2
    assert abs(high - figure.scene.height * 60 / 72) <= 2
    pixels = read_png(data)
    paper = np.array([int(figure.look.background[k : k + 2], 16) for k in (1, 3, 5)])
    ink = np.abs(pixels - paper).sum(axis=-1) > 60
    assert ink.mean() > 0.01
    frame = ink.copy()
    frame[5:-5, 5:-5] = False
    assert not frame.any()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_delay_square_is_black(engine):
    figure = draw(networks.many_to_many(3), engine=engine)
    (square,) = [n for n in figure.scene.nodes if n.kind == "delay"]
    pixels = read_png(figure.png(dpi=144))
    x, y = round(square.x * 2), round((figure.scene.height - square.y) * 2)
    assert (pixels[y - 3 : y + 4, x - 3 : x + 4] < 20).all()


@pytest.mark.skipif(len(ENGINES) < 2, reason="the C Graphviz is not installed")
@pytest.mark.parametrize("name", NETWORKS)
def test_both_engines_give_the_same_size(name):
    sizes = [size_of(draw(NETWORKS[name](5), engine=e).png()) for e in ENGINES]
    assert np.abs(np.subtract(*sizes)).max() <= 3


@pytest.mark.parametrize("name", NETWORKS)
def test_every_letter_is_in_the_fonts(name):
    loss = NETWORKS[name](9)
    for way in ({"shapes": True, "values": True}, {"index": "symbolic"}):
        _check_letters(draw(loss, **way).scene)
    for view in ("ops", "backward"):
        _check_letters(draw(loss, view=view).scene)
    _check_letters(draw(loss, overlay="grad").scene)


def _check_letters(scene):
    lines = [line for n in scene.nodes for line in n.lines]
    lines += [line for t in scene.texts for line in t.lines]
    used = {c for line in lines for run in line for c in run.text}
    assert used <= ALLOWED, used - ALLOWED


@pytest.mark.parametrize("name", PICTURES)
def test_golden_bytes(name):
    data = PICTURES[name]().png(dpi=60)
    path = GOLDEN / f"{name}.png"
    if not path.exists():
        path.write_bytes(data)
        pytest.fail(f"{path} was missing and has been written: look at it")
    assert data == path.read_bytes()


def test_svg_titles_say_what_things_are():
    root = ET.fromstring(draw(networks.many_to_many(3)).svg())
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert "h: tanh, shape (2, 4) float64 · step 2" in titles
    assert "h(1) → h(2) by W" in titles
    ops = ET.fromstring(draw(networks.many_to_many(3), view="ops").svg())
    titles = [e.text for e in ops.iter() if e.tag.endswith("title")]
    assert "W: parameter, shape (4, 4) float64, 3 uses" in titles
    assert "h: tanh, step 2, shape (2, 4) float64" in titles


STARTS = {
    ".png": b"\x89PNG",
    ".jpg": b"\xff\xd8",
    ".svg": b"<svg",
    ".pdf": b"%PDF",
    ".tex": b"\\Req",
    ".dot": b"dig",
    ".gv": b"dig",
}


def test_formats_come_from_the_suffix(tmp_path):
    figure = draw(networks.dynamical_system(), engine="pure")
    for suffix, start in STARTS.items():
        path = figure.save(tmp_path / f"a{suffix}")
        assert path.read_bytes().startswith(start)
        file = io.BytesIO()
        assert figure.save(file, format=suffix[1:]) is None
        assert file.getvalue() == path.read_bytes()
    assert figure.save(tmp_path / "b", format="SVG").read_text() == figure.svg()
    with pytest.raises(ValueError, match=r"use \.png"):
        figure.save(tmp_path / "a.bmp")
    large = figure.save(tmp_path / "b.png", dpi=300).read_bytes()
    assert size_of(large)[0] > size_of((tmp_path / "a.png").read_bytes())[0]


def test_open_files_of_text_take_text():
    figure = draw(networks.dynamical_system())
    file = io.StringIO()
    figure.save(file, format="tex")
    assert file.getvalue() == figure.tex()
    with pytest.raises(TypeError, match=r'png is bytes: open the file with "wb"'):
        figure.save(file, format="png")
    with pytest.raises(ValueError, match=r"an open file: use \.png, .*\.tex"):
        figure.save(file)
    with pytest.raises(ValueError, match=r"no 'bmp': use \.png, .*\.tex"):
        figure.save("a.png", format="bmp")
    with pytest.raises(TypeError, match="a path or an open file, got 3"):
        figure.save(3)


@pytest.mark.parametrize("dpi", [0, -1, float("nan"), float("inf"), 1e6])
def test_a_resolution_that_is_none_is_refused_at_once(dpi, tmp_path):
    figure = draw(networks.dynamical_system(), engine="not-there")
    for way in (figure.png, lambda dpi: figure.save(tmp_path / "a.png", dpi=dpi)):
        with pytest.raises(ValueError, match="dpi lies in"):
            way(dpi)
    with pytest.raises(TypeError, match="dpi is a number"):
        figure.save(tmp_path / "a.svg", dpi="high")
    assert list(tmp_path.iterdir()) == []


WITHOUT = """
import os, sys
sys.modules["graphviz"] = sys.modules["graphviz_pure"] = None
os.environ["PATH"] = sys.executable = "/nowhere"
import minigrad as mg
from minigrad.draw import GraphvizNotFound
from minigrad.tasks.pictures import PICTURES
loss = PICTURES["many-to-many"](4)
for view in ("textbook", "folded", "unfolded", "ops", "backward"):
    figure = mg.draw(loss, view=view)
    for name in ("a.svg", "a.tex", "a.pdf", "a.dot"):
        figure.save(name)
assert set(figure._repr_mimebundle_()[0]) == {"text/plain", "image/svg+xml"}
try:
    figure.png()
except GraphvizNotFound as error:
    print("png:", error)
"""


def test_graphviz_is_asked_for_pixels_alone(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(mg.__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr
    assert "png: no Graphviz found: install one with" in done.stdout
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("name", [*NETWORKS, *UNTIMED])
def test_notebooks_get_a_picture(name):
    loss = {**NETWORKS, **UNTIMED}[name]()
    graph = mg.Graph(loss)
    bundle, metadata = graph._repr_mimebundle_()
    wide, _ = size_of(bundle["image/png"])
    assert bundle["image/svg+xml"].startswith("<svg")
    assert abs(metadata["image/png"]["width"] * 2 - wide) <= 4


def test_a_notebook_never_fails(monkeypatch):
    monkeypatch.setenv("MINIGRAD_DOT", "not-there")
    figure = draw(networks.many_to_many(3))
    bundle, _ = figure._repr_mimebundle_()
    assert "no Graphviz" in bundle["text/plain"]
    assert bundle["image/svg+xml"] == figure.svg()
    assert "image/png" not in bundle
    W, W2 = (mg.parameter(np.eye(2), name=name) for name in ("W", "W2"))
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for t in mg.steps(6):
        h = mg.tanh(h @ (W2 if t == 4 else W)).named("h")
    bundle, _ = mg.Graph(h)._repr_mimebundle_()  # steps that differ are drawn
    assert bundle["image/svg+xml"].count("<svg") == 1
    assert "not drawn" in mg.Graph([])._repr_mimebundle_()["text/plain"]


def test_a_figure_keeps_what_it_was_drawn_of_unless_it_shows_operations():
    graph = mg.Graph(networks.many_to_many(3))
    assert draw(graph).source is graph
    assert draw(graph, view="ops").source is None


def test_nothing_is_not_drawn():
    with pytest.raises(ValueError, match="nothing to draw"):
        mg.draw([])


@pytest.mark.parametrize("suffix", ["svg", "dot"])
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(
    suffix, tmp_path, monkeypatch
):
    path = tmp_path / f"rnn.{suffix}"
    path.write_text("old")

    def full(self, data, **_):
        with self.open("wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        draw(networks.many_to_one(2), engine="pure").save(path)
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"
