"""TikZ: any label is text, and LaTeX makes of it what the scene says."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from minigrad.draw import Figure, draw
from minigrad.draw.page.curves import shaft_of
from minigrad.draw.page.letters import indexed, letter
from minigrad.draw.page.scene import Node, Run, arranged, line_width
from minigrad.draw.render.tikz import MATH, label, latex
from tests.draw import networks
from tests.draw.corpus import recorded

LATEX = pytest.mark.skipif(
    not shutil.which("pdflatex"),
    reason="LEFT OUT: no pdflatex, so no TikZ picture is compiled "
    "(apt-get install texlive-latex-extra texlive-pictures)",
)
HOSTILE = [
    r"\input{/etc/passwd}",
    "$x$ & 50 % #1 ~^_{}",
    "a`b'c\"d<e>f|g",
    "?` !` -- --- ''",
    "[x]{y},=",
    "ŷ ñ ü ß ø é ǎ Å Ǻ v\u20d7",
    "αβΓ∂‖−→×·…∞ℒ⁽ᵗ⁻¹⁾ ₜ",
    "日本語 שלום \u202eевил",
    "\x00\x07 \ud800 \n",
    "x" * 300,
]


def made(document, folder):
    """The PDF of a LaTeX document."""
    (folder / "a.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, "\n".join(re.findall("(?m)^(?:!|l\\.).*", log))
    return (folder / "a.pdf").read_bytes()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (indexed(letter("h", 1), "t-1"), r"$\boldsymbol{h}^{(t-1)}$"),
        (indexed(letter("h_enc", 1), "3"), r"$\boldsymbol{h}_{\mathit{enc}}^{(3)}$"),
        (letter("W1", 2, parameter=True), r"$\mathbf{W}_{1}$"),
        (letter("loss", 0), r"$\mathit{loss}$"),
        (letter("θ", 2, parameter=True), r"$\boldsymbol{\theta }$"),
        ((Run("24 more steps", "serif", 10),), "24 more steps"),
        ((Run("t = 1", "bold", 13),), r"\textbf{t = 1}"),
        ((Run("tanh → h⁽²⁾"),), r"\textsf{tanh $\to$ h${}^{(}$${}^{2}$${}^{)}$}"),
    ],
)
def test_letters_are_those_of_latex(line, shown):
    assert label(line) == shown


@pytest.mark.parametrize("math", [False, True])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_of_a_name_is_a_command(name, math):
    text = latex(name, math)
    for known in (r"\\[{}$&#%_]", r"\\char34\{\}", r"\\[`'^~=u.\"rv](?=\{)"):
        text = re.sub(known, "", text)
    commands = set(re.findall(r"\\([A-Za-z]+)", text))
    ours = {"text", "minigradsign", "dots", "ss", "o", "textbackslash", "textbar"}
    ours |= {"textasciicircum", "textasciitilde", "textasciigrave"}
    ours |= {"textless", "textgreater", "hat", "tilde", "ddot", "acute", "vec"}
    ours |= {"mathring", "check", "mathcal"} | {m[1:].strip() for m in MATH.values()}
    assert commands <= ours
    assert not re.search(r"[&#%~]", text)
    assert text.count("{") == text.count("}")


def test_what_stands_above_a_number_is_not_lowered_onto_it():
    text = draw(recorded("subscripts"), values=True, view="unfolded").tex()
    assert r"$\boldsymbol{y}_{\mathit{pred}}{}^{(1)}$" in text
    text = draw(recorded("subscripts"), view="unfolded").tex()
    assert r"$\boldsymbol{y}_{\mathit{pred}}^{(1)}$" in text


def test_what_is_long_is_no_wider_than_the_scene_says():
    figure = draw(networks.lstm(3))
    text = figure.tex(standalone=False)
    wide = [float(n) for n in re.findall(r"mg fit=([\d.]+)bp\] at .*mathbf", text)]
    lines = [t.lines[0] for t in figure.scene.texts if "," in t.words]
    assert np.allclose(wide, [line_width(line) for line in lines], atol=0.01)


@pytest.mark.parametrize("way", [{"view": "folded"}, {"overlay": "grad"}])
def test_what_is_hollow_has_no_colour(way):
    figure = draw(recorded("model bidirectional"), **way)
    assert any(node.fill == "none" for node in figure.scene.nodes)
    text = figure.tex()
    assert "fill=none" in text
    colours = re.findall(r"definecolor\{mg(.*?)\}\{HTML\}\{(.*?)\}", text)
    assert all(a == b and re.fullmatch("[0-9A-F]{6}", a) for a, b in colours)


def test_a_picture_holds_the_whole_scene():
    figure = draw(networks.many_to_many(4))
    text = figure.tex(standalone=False)
    assert text in figure.tex()
    outlines = [node for node in figure.scene.nodes if node.shape != "text"]
    assert len(re.findall(r"\\node.*minimum width", text)) == len(outlines)
    assert len(re.findall(r"\\path\[mg \w+ line", text)) == len(figure.scene.edges)
    assert len(re.findall("mg head=", text)) == sum(e.head for e in figure.scene.edges)
    assert text == draw(networks.many_to_many(4)).tex(standalone=False)
    for style in re.findall(r"\[(mg \w+(?: \w+)?)[,\]]", text):
        assert f"\n  {style}/.style=" in text


@pytest.mark.parametrize("view", ["textbook", "backward", "ops"])
def test_every_arrow_runs_where_the_scene_says(view):
    figure = draw(networks.many_to_many(4), view=view)
    scene, text = figure.scene, figure.tex()
    lines = re.findall(r"\\path\[(mg \w+ line.*?)\] (.*);", text)
    assert len(lines) == len(scene.edges)
    for edge, (options, path) in zip(scene.edges, lines, strict=True):
        at = [tuple(map(float, p.split(","))) for p in re.findall(r"\((.*?)\)", path)]
        assert at[0] == pytest.approx(edge.points[0], abs=0.01)
        assert at[-1] == pytest.approx(edge.points[-1], abs=0.01)
        shaft = shaft_of(edge.points, edge.thickness) if edge.head else edge.points
        pairs = [(*a, *b) for a, b in zip(shaft[1::3], shaft[2::3], strict=True)]
        for bent in re.findall(r"controls \((\S+),(\S+)\) and \((\S+),(\S+)\)", path):
            near = np.abs(np.array(pairs) - np.array(bent, float)).max(axis=1)
            assert near.min() < 0.01
        assert ("mg head=" in options) == edge.head
        assert ("mg dashed" in options) == edge.dashed
        assert f"mg {edge.kind} line" in options
        colour = figure.look.line(edge.kind)[1:]
        style = re.search(rf"mg {edge.kind} line/.style={{(.*)}}", text)[1]
        assert f"draw=mg{colour}" in style
    for node in scene.nodes:
        if node.shape != "text":
            at = rf"\({node.x:g},{node.y:g}\) {{}};"
            (options,) = re.findall(rf"\\node\[(mg {node.kind},.*)\] .*{at}", text)
            assert ("mg dashed" in options) == node.dashed
            assert ("ellipse" in options) == (node.shape in ("circle", "dot"))


@LATEX
@pytest.mark.parametrize(
    ("view", "look"), [("textbook", "color"), ("backward", "dark"), ("ops", "book")]
)
def test_it_compiles_to_a_page_of_its_size(view, look, tmp_path):
    figure = draw(networks.many_to_many(4), view=view, style=look)
    pdf = made(r"\pdfobjcompresslevel=0" + figure.tex(), tmp_path)
    box = re.search(rb"/MediaBox ?\[ ?0 0 (\S+) (\S+?) ?\]", pdf)
    assert [float(n) for n in box.groups()] == pytest.approx(figure.size, abs=0.1)


@LATEX
def test_hostile_names_compile(tmp_path):
    nodes = [
        Node(
            name, 0, 40 * k, 60, 30, ((Run(name, face, 18), Run(name, "serif", 9, 4)),)
        )
        for k, name in enumerate(HOSTILE)
        for face in ("bolditalic", "bold", "italic", "sans", "serif")
    ]
    made(Figure(arranged(nodes, [], [])).tex(), tmp_path)


@LATEX
def test_an_author_changes_the_styles(tmp_path):
    nodes = [Node("h", 0, 0, 46, 46, kind="hidden")]
    picture = Figure(arranged(nodes, [], [])).tex(standalone=False)
    document = r"""\documentclass{article}
\usepackage{amsmath,tikz}
\usetikzlibrary{arrows.meta,shapes.geometric}
\pdfcompresslevel=0
\tikzset{minigrad picture/.style={mg hidden/.append style={fill={rgb:red,1;blue,1}}}}
\begin{document}
%s
\end{document}
"""
    assert b"0.5 0 0.5 rg" in made(document % picture, tmp_path)
