"""What ``draw`` may be asked for, and how it says no; how many steps fit a place."""

import re
import warnings

import pytest

from minigrad.draw import draw
from minigrad.draw.choices import Asked
from minigrad.draw.figure import Figure
from minigrad.draw.page.scene import Node, Run, Scene, Text
from minigrad.draw.sizes import FEWEST, LEAST, MOST, WIDTHS, fitting, printed
from tests.draw.corpus import recorded


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"view": "round"}, ValueError, "view is one of ('auto', "),
        ({"view": "a.png"}, ValueError, "to write a file, mg.draw(...).save('a.png')"),
        ({"index": "letters"}, ValueError, "index is one of ('number', 'symbolic')"),
        ({"params": "none"}, ValueError, "params is one of ('label', 'node', 'hide')"),
        ({"biases": 1}, TypeError, "biases is True or False, got 1"),
        ({"shapes": "yes"}, TypeError, "shapes is True or False, got 'yes'"),
        ({"values": None}, TypeError, "values is True or False, got None"),
        ({"caption": 3}, TypeError, "caption is text, got 3: caption=str(...)"),
        ({"steps": 0}, ValueError, "columns to draw: 1 or more; got 0"),
        ({"steps": True}, TypeError, "steps is a whole number, got True"),
        ({"steps": 2.0}, TypeError, "steps is a whole number, got 2.0"),
        ({"depth": -1}, ValueError, "depth counts scopes: 0 or more, or None; got -1"),
        ({"depth": "1"}, TypeError, "depth is a whole number, got '1'"),
        ({"index": "symbolic", "values": True}, ValueError, "are of single steps"),
        ({"index": "symbolic", "overlay": "grad"}, ValueError, "are of single steps"),
        ({"index": "symbolic", "view": "backward"}, ValueError, "are of single steps"),
        ({"view": "ops", "overlay": "grad"}, ValueError, "not view='ops'"),
        ({"view": "backward", "overlay": "grad"}, ValueError, "not view='backward'"),
        ({"view": "folded", "overlay": "grad"}, ValueError, "not view='folded'"),
    ],
)
def test_what_means_nothing_is_refused_by_name(options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        Asked(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 1, "depth": 0, "caption": ""},
        {"view": "textbook", "overlay": "grad"},
        {"view": "unfolded", "overlay": len, "values": True},
        {"index": "symbolic", "view": "folded"},
    ],
)
def test_what_goes_together_is_kept(options):
    asked = Asked(**options)
    assert {name: getattr(asked, name) for name in options} == options


def figure(width, size=11.0):
    """A figure that wide, with letters of that size and larger ones."""
    text = Text(0, 0, ((Run("a", size=size + 2), Run("b", size=size)),))
    node = Node("n", 0, 0, 9, 9, ((Run("c", size=size + 1),),))
    return Figure(Scene((node,), texts=(text,), width=width, height=40.0))


def test_letters_shrink_with_what_is_too_wide_alone():
    assert printed(figure(100.0), "column") == 11.0
    assert printed(figure(504.0), "column") == 5.5
    assert printed(figure(504.0), "page") == 11.0
    assert printed(Figure(Scene(width=504.0)), "column") == LEAST / 2


@pytest.mark.parametrize("place", WIDTHS)
@pytest.mark.parametrize("pitch", [9.0, 20.0, 49.0, 96.0, 150.0])
@pytest.mark.parametrize(
    ("first", "size"), [(150.0, 11.0), (251.0, 8.0), (390.0, 11.0)]
)
def test_as_many_steps_are_drawn_as_can_be_read(place, pitch, first, size):
    def drawn(n):
        return figure(first + pitch * (n - FEWEST), size)

    fit = [n for n in range(FEWEST, MOST + 1) if printed(drawn(n), place) >= LEAST]
    tried = []
    found = fitting(place, lambda n: tried.append(n) or drawn(n))
    assert found.size == drawn(max(fit)).size
    assert len(tried) <= 3  # where all columns are alike two figures tell the third


def test_where_columns_grow_fewer_steps_are_tried():
    def drawn(n):
        return figure(100.0 + (0, 0, 0, 0, 10, 200, 400, 500)[min(n, 7)])

    assert fitting("column", drawn).size == drawn(5).size
    assert fitting("page", lambda n: figure(90.0)).size[0] == 90.0


def test_what_no_place_has_room_for_is_said():
    asked = []
    with pytest.warns(
        UserWarning, match=r"in a column the letters are 5\.5 pt, less th"
    ):
        fitting("column", lambda n: asked.append(n) or figure(504.0))
    assert asked == [FEWEST]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitting("column", lambda n: figure(252.0 + 100 * (n > FEWEST), LEAST))
    with pytest.raises(ValueError, match='"column" or "page", got \'poster\''):
        fitting("poster", figure)


def test_a_place_has_the_columns_that_show_every_initial_value():
    graph = recorded("random 36")
    narrow = draw(graph, view="unfolded", steps=FEWEST).scene
    assert narrow.unread == ("g0",)
    assert "g0" not in {node.id for node in narrow.nodes}
    with pytest.warns(UserWarning, match="in a column the letters are"):
        scene = draw(graph, view="unfolded", steps="column").scene
    assert scene.unread == ()
    assert "g0" in {node.id for node in scene.nodes}
