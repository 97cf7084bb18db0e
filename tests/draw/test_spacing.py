"""Figures that can be misread are laid out again, wider; what is left is told."""

import warnings
from dataclasses import replace

import pytest

from minigrad.draw.page.curves import straight
from minigrad.draw.page.scene import Edge, Node, Run, Scene, Text, arranged
from minigrad.draw.render.audit import faults
from minigrad.draw.spacing import MANY, clearest, warn_of_faults, with_asides

W = ((Run("W", "bold", 18.0),),)


def scene(wrong, backed=0, wide=0.0):
    """A scene with some letters in doubt, far from one another."""
    edges, texts = [], []
    for k in range(wrong + backed):
        edges.append(Edge("", "", straight((200 * k, 0), (200 * k + 60, 0)), id=f"{k}"))
        texts.append(Text(200.0 * k + 30, 0.0, W, edge=f"{k}", backed=k >= wrong))
    return Scene((), tuple(edges), tuple(texts), width=wide)


def laid_out(*counts):
    asked = []

    def lay_out(wider):
        asked.append(wider)
        return scene(*counts[len(asked) - 1], wide=wider)

    chosen, left = clearest(lay_out)
    assert left == faults(chosen)
    return chosen.width, asked


@pytest.mark.parametrize(
    ("counts", "chosen", "asked"),
    [
        ([(0,)], 0.0, [0.0]),
        ([(1,), (0,)], 10.0, [0.0, 10.0]),
        ([(0, 1), (0,)], 10.0, [0.0, 10.0]),
        ([(3,), (1,), (2,), (1,)], 10.0, [0.0, 10.0, 20.0, 30.0]),
        ([(1,), (0, 2), (0, 1), (0, 1)], 20.0, [0.0, 10.0, 20.0, 30.0]),
        ([(0, 1), (0, 1), (0,), (0,)], 0.0, [0.0, 10.0]),
        ([(0, 2), (0, 2), (0,), (0,)], 20.0, [0.0, 10.0, 20.0]),
        ([(0, 4), (0, 2), (0, 1), (0, 1)], 20.0, [0.0, 10.0, 20.0, 30.0]),
    ],
)
def test_the_best_layout_wins_and_the_first_clear_one_ends_the_search(
    counts, chosen, asked
):
    assert laid_out(*counts) == (chosen, asked)


def test_of_many_arrows_there_are_the_usual_layout_and_the_widest():
    asked = []

    def lay_out(wider):
        asked.append(wider)
        return scene(1, backed=MANY, wide=wider)

    clearest(lay_out)
    assert asked == [0.0, 30.0]


@pytest.mark.parametrize(
    ("left", "simple", "chosen", "tried"),
    [(7, 0, -1.0, 1), (7, 8, 0.0, 1), (2, 1, -1.0, 4), (2, 2, 0.0, 4), (0, 0, 0.0, 1)],
)
def test_what_no_room_helps_is_drawn_simpler_if_that_is_clearer(
    left, simple, chosen, tried
):
    asked = []

    def lay_out(wider):
        asked.append(wider)
        return scene(left, wide=wider)

    found, told = clearest(lay_out, lambda wider: scene(simple, wide=-1.0))
    assert told == faults(found)
    assert (found.width, len(asked)) == (chosen, tried)


def test_a_warning_names_what_is_left():
    with pytest.warns(
        UserWarning, match=r"at 4 places \(arrow on label: 0, text 0: W; "
    ):
        warn_of_faults(faults(scene(4)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_faults(faults(scene(0, 3)))


def test_letters_in_doubt_go_below_and_other_faults_stay():
    wrong = scene(2, 1)
    node = Node("n", 30.0, 40.0, 46.0, 46.0)
    edges = [replace(e, title=f"arrow {e.id} by W") for e in wrong.edges]
    whole = arranged((node, replace(node, id="m")), edges, wrong.texts)
    found, left = with_asides(whole, faults(whole))
    assert left == faults(found)
    assert {fault.what for fault in left} == {"node on node"}
    assert [t.words for t in found.texts] == ["W", "arrow 0 by W", "arrow 1 by W"]
    lowest = min(y for e in found.edges for _, y in e.points)
    assert all(t.box[3] < lowest for t in found.texts if t.word)
    assert found.height > whole.height
    assert with_asides(found, left) == (found, left)


def test_of_one_trunk_all_arrows_with_these_letters_are_told():
    found = scene(2)
    edges = [replace(e, title=e.id, net="h", parameters=("W",)) for e in found.edges]
    other = replace(edges[1], id="2", title="2", parameters=("V",))
    found = replace(found, edges=(*edges, other), texts=found.texts[:1])
    below, left = with_asides(found, faults(found))
    assert ([t.words for t in below.texts], left) == (["0", "1"], [])
