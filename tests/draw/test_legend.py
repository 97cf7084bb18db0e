"""A legend says what the figure has, in the style's language, in every format."""

import io

import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.words import LANGUAGES, LEGEND, WORDS
from minigrad.draw.render.theme import STYLES
from tests.draw.corpus import recorded
from tests.draw.measure import VIEWS

NETS = ["many_to_one", "bidirectional", "nested"]


KINDS = {*STYLES["color"].paints} - {"delay"}


def drawn(net, view, **style):
    look = mg.Style(**style, legend=True)
    return draw(recorded(net), style=look, engine="pure", **VIEWS[view])


def entries(scene, language="en"):
    """The entries of a legend in the words of the table."""
    told = {says[LANGUAGES.index(language)]: key for key, says in LEGEND.items()}
    words = [t.words for t in scene.texts if t.part == "legend"]
    return {told[w] for w in words if w in told}


def plain(name, view, style):
    return draw(recorded(name), style=style, engine="pure", **VIEWS[view]).scene


@pytest.mark.parametrize("style", ["color", "book"])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", NETS)
def test_a_legend_has_what_the_figure_has_and_no_more(name, view, style):
    figure = drawn(name, view, name=style)
    assert figure.audit() == []
    found, scene = entries(figure.scene), plain(name, view, style)
    painted = {n for n in scene.nodes if n.fill not in (None, "none")}
    outlines = [n for n in scene.nodes if n.shape != "text" and n not in painted]
    ops = {n for n in outlines if n.shape == "rounded" and n.kind == "value"}
    rims = {n for n in outlines if n.lines and "…" in str(n.lines)}
    kinds = {n.kind for n in outlines if n not in ops | rims and n.kind != "delay"}
    if rims:
        # In letters for steps a start looks like a step before the first column.
        kinds = kinds - {"initial"} if "initial" in kinds else kinds | {"rim"}
    if view == "overlay" and {"target", "value"} <= kinds:
        kinds -= {"target", "value"}  # whose outlines are alike
    if style == "color":
        assert found & {*KINDS, "rim"} == kinds
        assert ("operation" in found) == bool(ops)
    elif view != "ops":  # of circles that look alike it says nothing
        assert not found & {"input", "hidden", "output", "loss", "target"}
    squares = {bool(n.fill) for n in scene.nodes if n.kind == "delay"}
    assert {k == "ahead" for k in found & {"delay", "ahead"}} == squares
    assert ("frame" in found) == any(not f.fill for f in scene.frames)
    arrows = {e.kind for e in scene.edges if e.head}
    assert ("flow" in found) == ("gradient" in arrows)
    assert ("bus" in found) == any(kind.startswith("bus") for kind in arrows)
    assert found & {"muted", "recurrence"} == arrows & {"muted", "recurrence"}


def test_a_dashed_arrow_of_some_steps_is_not_that_of_a_start():
    assert "once" in entries(drawn("many_to_one", "textbook").scene)
    assert "once" not in entries(drawn("many_to_many", "textbook").scene)


def test_letters_are_told_as_in_the_book():
    scene = drawn("many_to_many", "textbook").scene
    assert entries(scene) >= {"matrix", "vector", "scalar"}
    faces = {t.lines[0][0].face for t in scene.texts if t.part == "legend"}
    assert faces == {"bold", "bolditalic", "italic", "serif"}
    without = draw(recorded("many_to_many"), params="hide", style=mg.Style(legend=True))
    assert "matrix" not in entries(without.scene)


def test_a_legend_is_in_the_language_of_its_style():
    english = entries(drawn("bidirectional", "textbook").scene)
    scene = drawn("bidirectional", "textbook", language="es").scene
    assert entries(scene, "es") == english
    words = {t.words for t in scene.texts}
    assert {"entrada", "un paso de retardo", "pasos omitidos"} <= words
    assert tuple(WORDS["unfold"]) == LANGUAGES
    assert all(len(says) == len(LANGUAGES) for says in LEGEND.values())


def test_every_format_writes_the_legend():
    figure = drawn("many_to_one", "folded", name="dark")
    for text in (figure.svg(), figure.tex(), figure.dot):
        for words in ("hidden state", "one step of delay", "at some steps only"):
            assert words in text
    bare = draw(recorded("many_to_one"), view="folded", style="dark", engine="pure")
    for suffix in ("png", "pdf"):
        sizes = []
        for one in (figure, bare):
            file = io.BytesIO()
            one.save(file, format=suffix)
            sizes.append(len(file.getvalue()))
        assert sizes[0] > sizes[1]
    assert figure.size[1] > bare.size[1]


def test_a_legend_stands_between_the_figure_and_its_caption():
    style = mg.Style(legend=True)
    scene = draw(recorded("many_to_many"), caption="Three lines.", style=style).scene
    legend = [t.y for t in scene.texts if t.part == "legend"]
    (caption,) = [t.y for t in scene.texts if t.kind == "caption"]
    figure = [n.y - n.height / 2 for n in scene.nodes if n.part != "legend"]
    assert caption < min(legend) <= max(legend) < min(figure)


def test_a_legend_is_on_demand():
    assert not mg.Style().legend
    scene = draw(recorded("many_to_many")).scene
    assert "legend" not in {thing.part for thing in (*scene.nodes, *scene.texts)}
    with pytest.raises(TypeError, match="legend is True or False, got 'below'"):
        mg.Style(legend="below")


def test_a_legend_changes_nothing_of_the_figure():
    with_one, without = (
        drawn("gru", "textbook").scene,
        plain("gru", "textbook", "color"),
    )
    mine = [e for e in with_one.edges if e.part != "legend"]
    assert [e.id for e in mine] == [e.id for e in without.edges]
    assert (with_one.elided, with_one.length) == (without.elided, without.length)
    dx = with_one.nodes[0].x - without.nodes[0].x
    dy = with_one.nodes[0].y - without.nodes[0].y
    for a, b in zip(with_one.nodes, without.nodes, strict=False):
        assert (a.x - b.x, a.y - b.y) == pytest.approx((dx, dy))
