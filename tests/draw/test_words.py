"""The words of figures in other languages, and how many steps a page has room for."""

import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.words import LANGUAGES, WORDS, phrased, say, written
from minigrad.draw.sizes import LEAST, printed
from tests.draw import networks


def words(figure):
    return [text.words for text in figure.scene.texts]


def test_every_word_has_every_language_in_as_many_forms():
    for forms in WORDS.values():
        assert set(forms) == set(LANGUAGES)
        assert len({len(each) for each in forms.values()}) == 1


def test_spanish():
    style = mg.Style(language="es")
    figure = draw(networks.many_to_one(20), style=style)
    assert {"Desplegar", "14 pasos más", "solo t = 20"} <= set(words(figure))
    assert "5 pasos más" in words(
        draw(networks.many_to_one(9), view="ops", steps=4, style=style)
    )
    one = draw(networks.many_to_many(7), view="unfolded", style=style)
    assert "1 paso más" in words(one)


@pytest.mark.parametrize(
    "asked",
    [
        {"view": "textbook"},
        {"view": "textbook", "overlay": "grad"},
        {"view": "backward"},
        {"view": "ops"},
    ],
    ids=lambda asked: " ".join(asked.values()),
)
def test_no_english_word_is_left(asked):
    loss = networks.many_to_one(9)
    english = draw(loss, steps=4, **asked)
    spanish = draw(loss, steps=4, style=mg.Style(language="es"), **asked)
    told = [text for text in english.scene.texts if text.word]
    assert told
    for one, other in zip(english.scene.texts, spanish.scene.texts, strict=True):
        plain = any(len(part) > 3 for part in one.words.split() if part.isalpha())
        number = re.fullmatch(r"[\d.e-]+", one.words)
        same = one.words.replace(".", ",") if number else one.words
        assert (same != other.words) == bool(one.word), one
        assert one.word or not plain, one


def test_a_figure_of_structure_alone_says_so_in_its_language():
    unfolded = mg.fold(mg.contract(networks.many_to_one(9))).unfold(12)
    spanish = draw(unfolded, style=mg.Style(language="es"))
    assert "solo la estructura: no se calculó nada" in words(spanish)
    assert "structure only: nothing was computed" in words(draw(unfolded))


def test_what_is_no_form_of_a_word_is_refused():
    with pytest.raises(ValueError, match="no form of the word 'only'"):
        say("es", "only", "never t = 3")


def test_a_style_differs_from_one_that_there_is():
    pink = ("#FFE0E0", "#800000", "#000000")
    style = mg.Style("book", paints={"hidden": pink}, serif="Palatino", sans="Inter")
    figure = draw(networks.many_to_many(3), style=style, engine="pure")
    assert "'Palatino'" in figure.svg()
    assert "#FFE0E0" in figure.svg()
    assert 'fontname="Palatino Bold Italic"' in figure.dot
    assert style.paint("input").fill == "#FFFFFF"
    assert "'Inter'" in draw(networks.mlp(), view="ops", style=style).svg()


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ({"name": "neon"}, "no style 'neon'.*color, book, dark"),
        ({"language": "fr"}, "no language 'fr'.*en, es"),
        ({"ink": "red"}, "#RRGGBB, got 'red'"),
        ({"serif": '"><script>'}, "a font is one name"),
    ],
)
def test_a_style_that_cannot_be(way, message):
    with pytest.raises(ValueError, match=message):
        mg.Style(**way)


def test_as_many_steps_as_can_be_read():
    loss = networks.dynamical_system(30)
    page = draw(loss, view="unfolded", steps="page")
    shown = sum(n.name == "s" for n in page.scene.nodes)
    assert 2 < shown < 12
    assert printed(page, "page") >= LEAST
    assert printed(draw(loss, view="unfolded", steps=shown + 1), "page") < LEAST
    circuit = draw(loss, view="folded", steps="column")
    assert printed(circuit, "column") >= LEAST


def test_letters_that_would_be_too_small_are_told():
    with pytest.warns(UserWarning, match="letters are .* pt, less than 7"):
        draw(networks.lstm(6, layers=2), view="ops", steps="column")
    for view, advice in (
        ("textbook", 'draw view="folded" or view="unfolded" alone, or name fewer'),
        ("unfolded", 'draw view="folded", or name fewer values'),
        ("folded", "less than 7: name fewer values"),
    ):
        with pytest.warns(UserWarning, match=advice):
            draw(networks.lstm(6, layers=3), view=view, steps="column")
    with pytest.raises(ValueError, match='a number, "column" or "page"'):
        draw(networks.many_to_many(3), steps="poster")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw(networks.many_to_many(2), steps="page").size[0] < np.inf


ENGLISH = (
    "step steps later earlier shape use uses gradient share norm over by delay one"
)
ENGLISH += " ahead nodes arrows graph left operations turns only parameter input"


@pytest.mark.parametrize("view", ["textbook", "folded", "unfolded", "backward", "ops"])
def test_what_is_pointed_at_speaks_the_language_too(view):
    loss = networks.many_to_one(9)
    asked = {"view": view, "steps": 4, "style": mg.Style(language="es")}
    if view in ("textbook", "folded"):
        asked["index"] = "symbolic"
    svg = draw(loss, **asked).svg()
    said = re.findall(r"<(?:title|desc)[^>]*>([^<]*)<", svg)
    assert len(said) > 10
    found = set(re.findall(r"[a-z]+", " ".join(said))) & set(ENGLISH.split())
    assert found <= {"step"}  # the op that reads a value at its step


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("h → h, 3 steps later, by W", "h → h, 3 pasos después, por W"),
        ("gradient over h → all: norm 0.1", "gradiente por h → all: norma 0,1"),
        ("gradient by V: sum over t, norm 2", "gradiente por V: suma sobre t, norma 2"),
        ("share of U at step 1: norm 0.3", "parte de U en el paso 1: norma 0,3"),
        ("x: step, step 1, shape (1, 3) int", "x: step, paso 1, forma (1, 3) int"),
        ("by: add, shape () float64 · step 1", "by: add, forma () float64 · paso 1"),
        ("by → of by W", "by → of por W"),
        ("sum over t into V", "suma sobre t hacia V"),
        ("c: constant, shape (), 1 use", "c: constante, forma (), usos: 1"),
        ("h → h, 1, 2, …, 9 steps later", "h → h, 1, 2, …, 9 pasos después"),
        (
            "gradient over h(1,2) → s(1): norm 1.5e-3",
            "gradiente por h(1,2) → s(1): norma 1,5e-3",
        ),
    ],
)
def test_names_stay_as_they_are_where_it_is_said_what_a_thing_is(english, spanish):
    assert phrased("es", english) == spanish


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("0.62", "0,62"),
        ("-1.0", "-1,0"),
        ("−1.5e-12", "−1,5e-12"),
        ("‖·‖ 1.5", "‖·‖ 1,5"),
        # Python, names and whole numbers stay.
        (" axis=0, slope=0.1", " axis=0, slope=0.1"),
        ("layers.0.1.W", "layers.0.1.W"),
        ("12", "12"),
        ("nan", "nan"),
    ],
)
def test_numbers_have_the_decimal_comma_of_spanish(english, spanish):
    assert written("es", english) == spanish
    assert written("en", english) == english


@pytest.mark.parametrize(
    "asked",
    [
        {"view": "backward"},
        {"view": "unfolded", "overlay": "grad"},
        {"view": "unfolded", "values": True},
        {"view": "ops", "values": True},
    ],
)
def test_no_figure_in_spanish_mixes_points_and_commas(asked):
    look = mg.Style(language="es", legend=True)
    svg = draw(networks.many_to_one(4), style=look, **asked).svg()
    said = re.findall(r"<(?:title|desc|tspan)[^>]*>([^<]*)<", svg)
    assert any(re.search(r"\d,\d", words) for words in said)
    assert not [words for words in said if re.search(r"\d\.\d", words)]
    assert "pérdida" in said
    assert not {"hidden state", "operation", "input"} & {*said}
