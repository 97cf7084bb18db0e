"""Kinds of things that figures have said and that were not true, one test for each."""

import re
import shutil
import warnings
from collections import Counter
from math import dist

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.curves import sample, shaft_of
from tests.draw.corpus import gates, loops, names, recorded, still
from tests.draw.corpus.making import P, X, zeros
from tests.draw.judge import back, circuit, symbols
from tests.draw.own import reads

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
TIMED = ["textbook", "unfolded", "folded", "backward"]


def shown(x, **way):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw(x, **way).scene


def circles(scene, part="unfolded"):
    return [n for n in scene.nodes if n.part == part and n.shape in ("circle", "oval")]


def words(node):
    return "".join(run.text for line in node.lines for run in line)


def ends(scene, **facts):
    return {
        (e.tail, e.tip)
        for e in scene.edges
        if all(getattr(e, k) == v for k, v in facts.items())
    }


def along(scene, tail, tip):
    """The letters on an arrow between two roles, in the circuit or the columns."""
    roles = {n.id: n.role for n in scene.nodes}
    return [
        e.parameters
        for e in scene.edges
        if e.head and (roles.get(e.tail), roles.get(e.tip)) == (tail, tip)
    ]


@pytest.mark.parametrize("view", TIMED)
def test_two_values_from_outside_of_a_loop_stand_apart(view):
    scene = shown(loops.two_from_outside(), view=view)
    for part in ("folded", "unfolded"):
        places = {n.name: (n.x, n.y) for n in circles(scene, part) if n.name in "ad"}
        if places:
            (ax, ay), (dx, dy) = places["a"], places["d"]
            assert np.hypot(ax - dx, ay - dy) > 46
    letters = {t.words for t in scene.texts if t.edge}
    assert view == "backward" or {"C", "D"} <= letters


@pytest.mark.parametrize("T", [2, 3, 9])
@pytest.mark.parametrize("make", [loops.many_to_many, loops.skips, loops.mutual])
def test_columns_in_letters_are_those_of_the_recurrence_at_any_length(make, T):
    # Of a delay that no step has reached nothing is known.
    length = T + 4 * (make is loops.skips)
    scene = shown(make(length), view="unfolded", index="symbolic")
    told = Counter(words(n) for n in circles(scene) if n.name == "h" and n.t)
    assert {*told} == {"h(t−1)", "h(t)", "h(t+1)"}
    assert "only" not in {t.word for t in scene.texts}
    assert [
        *symbols(mg.Graph(make(length)), draw(make(length), index="symbolic"))
    ] == []


def test_columns_in_letters_of_one_step_are_refused():
    with pytest.raises(ValueError, match="tells nothing of the step before"):
        shown(loops.many_to_many(1), index="symbolic")


@pytest.mark.parametrize(
    ("make", "way"),
    [
        (loops.language_model, ("x", "h")),
        (loops.taken, ("x", "e")),
        (gates.one_embedding, ("x", "e")),
    ],
)
def test_a_matrix_that_is_picked_from_is_on_an_arrow_and_has_its_gradient(make, way):
    for view in ("folded", "unfolded"):
        for letters in along(shown(make(), view=view), *way):
            assert "E" in letters
    figure = draw(make(), view="backward")
    assert "E" in figure.data
    assert any(n.kind == "gradient" and n.name == "E" for n in figure.scene.nodes)


def in_order(graph, scene):
    """Of each op whose operands do not commute, how far right each one enters."""
    index = {node: f"i{k}" for k, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op and node.op.name in ("subtract", "divide", "matmul", "power"):
            a, b = (index[i] for i in node.inputs)
            tips = {
                e.tail: e.points[-1][0] for e in scene.edges if e.tip == index[node]
            }
            if a != b and a in tips and b in tips:
                yield node, tips[a], tips[b]


@pytest.mark.parametrize(
    "make",
    [still.expression, still.web, still.perceptron, still.attention_block],
)
def test_operands_enter_from_left_to_right_as_they_are_written(make):
    graph = mg.Graph(make())
    found = [*in_order(graph, shown(graph, view="ops", steps=30))]
    assert found
    assert [str(node) for node, a, b in found if a >= b] == []


@pytest.mark.parametrize(
    "make",
    [
        names.minus,
        still.hessian_vector_product,
        still.gradient,
        loops.many_to_one,
        gates.gru,
    ],
)
def test_operands_at_several_steps_enter_in_order(make):
    figure = draw(make(), view="ops", steps=30)
    assert {e.place for e in figure.scene.edges} >= {0, 1}
    assert [f for f in figure.audit() if f.what == "operands swapped"] == []


def test_a_negation_is_no_subtraction():
    x = mg.tensor(1.0, name="x")
    (minus,) = [n for n in shown(-x, view="ops").nodes if "negative" in n.title]
    (less,) = [n for n in shown(x - 2.0, view="ops").nodes if "subtract" in n.title]
    assert words(minus) != words(less)


def test_where_nothing_is_named_no_circle_floats():
    scene = shown(names.without_names())
    met = {i for e in scene.edges for i in (e.tail, e.tip)}
    assert {n.id for n in scene.nodes if n.shape not in ("text", "dot")} <= met
    assert "unfold" not in {t.word for t in scene.texts}


@pytest.mark.parametrize(
    ("make", "letter"), [(names.objective, "J"), (loops.two_losses, "J")]
)
def test_an_objective_is_called_by_its_name(make, letter):
    scene = shown(make(), view="backward")
    boxes = {words(n) for n in scene.nodes if n.kind == "gradient"}
    assert boxes
    assert all(w.startswith(f"∂{letter}/") for w in boxes)


def test_a_program_shows_the_way_back():
    step = mg.compile(lambda xs: loop(xs))
    U, W = P("U 3 4, W 4 4")

    def loop(xs):
        h = zeros("h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x @ U + h @ W).named("h")
        return h

    step(X(5))
    scene = shown(step)
    assert any(e.delay == 1 for e in scene.edges) or any(
        n.kind == "delay" for n in scene.nodes
    )


def test_a_gradient_flows_between_two_values_of_one_name():
    back = ends(shown(names.repeated(), view="backward"), kind="gradient")
    assert {("h#2@1", "h@1"), ("h@2", "h#2@1"), ("L@-1", "h#2@-1")} <= back


@pytest.mark.parametrize("make", [loops.memory, loops.narx, gates.attention])
def test_a_gradient_flows_through_every_column_that_is_shown(make):
    graph = mg.Graph(make())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert [*back(graph, draw(graph, view="backward"))] == []


def test_a_loop_in_a_loop_has_a_circle_for_each_of_its_steps():
    scene = shown(gates.nested(), view="unfolded", steps=40)
    inner = [n for n in circles(scene) if n.name == "h" and n.kind != "initial"]
    assert len(inner) == 9
    assert len({words(n) for n in inner}) == 9


@pytest.mark.parametrize("cell", ["elman", "lstm"])
@pytest.mark.parametrize("name", ["ManyToMany", "ManyToOne", "Bidirectional"])
def test_with_lengths_nothing_floats_and_no_state_skips_a_step(name, cell):
    graph = recorded(f"model lengths, {name} {cell}")
    for view in TIMED:
        scene = shown(graph, view=view)
        met = {i for e in scene.edges for i in (e.tail, e.tip)}
        loose = [n.name for n in circles(scene) if n.id not in met and n.part]
        assert loose == []


@pytest.mark.parametrize(
    "make", [still.perceptron, still.residual_block, still.tree, still.attention_block]
)
@pytest.mark.parametrize("view", ["textbook", "folded", "unfolded", "backward"])
def test_a_graph_without_time_has_nothing_to_unfold(make, view):
    scene = shown(make(), view=view)
    places = [(round(n.x), round(n.y)) for n in circles(scene)]
    assert len(places) == len({*places}) > 2
    assert "unfold" not in {t.word for t in scene.texts}


def test_what_a_start_is_computed_from_stands_beside_it():
    scene = shown(loops.computed_start(), view="unfolded")
    at = {n.id: n for n in circles(scene)}
    assert at["x"].x < at["h@1"].x
    assert at["h0"].x < at["h@1"].x


@pytest.mark.parametrize("view", ["unfolded", "backward", "ops"])
@pytest.mark.parametrize(
    "make", [gates.truncated, gates.losses_at_even_steps, gates.clockwork]
)
def test_steps_that_differ_are_drawn_as_they_are(make, view):
    scene = shown(make(), view=view, steps=40)
    if make is gates.truncated and view != "ops":
        assert ("h@3", "h@-3") not in ends(scene, kind="forward")
        assert ("h@1", "h@2") in {(e.tail, e.tip) for e in scene.edges}
    if make is gates.losses_at_even_steps and view != "ops":
        assert sorted(n.t for n in circles(scene) if n.name == "L") == [2, 4, 6]


def test_a_value_that_is_kept_for_some_steps_is_read_by_one_arrow_of_the_circuit():
    graph = recorded("model clockwork, of 9")
    figure = draw(graph, view="folded", style=mg.Style(language="es"))
    assert figure.audit() == []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all columns leave no room for letters
        assert [*circuit(graph, figure)] == []
    later = [e for e in figure.scene.edges if e.id.startswith("h3@t>h1@t/") and e.head]
    assert [e.parameters for e in later] == [("W13",)]
    read = {way for way in later[0].covers if way[1] == "h1@4"}
    assert read == {("h3@1", "h1@4")}
    assert "1, …, 3 pasos" in {text.words for text in figure.scene.texts}
    both = shown(graph, view="textbook")
    homes = {e.home for e in both.edges if e.part == "unfolded" and e.tail == "h3@1"}
    assert homes <= {e.home for e in both.edges if e.part == "folded"}


def test_a_kind_has_one_colour_whatever_the_network():
    kinds = {
        make: {n.name: n.kind for n in circles(shown(make()))}
        for make in (loops.many_to_many, loops.teacher_forcing, loops.jordan_elman)
    }
    assert {k["h"] for k in kinds.values()} == {"hidden"}
    (start,) = [n for n in circles(shown(loops.many_to_many(1))) if n.name == "h0"]
    assert (start.kind, start.dashed) == ("initial", True)


def test_initial_states_are_written_alike():
    told = {
        words(n)
        for start in ("o0", "o_0", "o_init")
        for n in circles(shown(names.called(*"UWVxyoqL", start, 3)))
        if n.kind == "initial"
    }
    assert told == {"o(0)"}


def test_a_transposed_use_says_so():
    scene = shown(loops.tied(), view="folded")
    assert along(scene, "x", "h") == [("U",)]
    assert along(scene, "h", "o") == [("Uᵀ",)]
    assert {t.words for t in scene.texts if t.edge} >= {"U", "UT"}


@pytest.mark.parametrize("make", [names.latex, names.long_names, names.greek])
def test_names_are_written_as_in_a_book_and_whole(make):
    scene = shown(make())
    told = [words(n) for n in circles(scene)] + [t.words for t in scene.texts]
    assert not [w for w in told if re.search(r"[\\{}$…]", w)]


def test_letters_of_every_way_are_on_the_arrow():
    graph = mg.Graph(gates.gru_with_one_name())
    (right,) = {p for (a, _), p in reads(graph).items() if a.name == "x"}
    (letters,) = {frozenset(p) for p in along(shown(graph, view="folded"), "x", "h")}
    assert letters == right == {"U_z", "U_r", "U", "W"}


def test_gates_stand_side_by_side():
    scene = shown(gates.lstm(), view="folded")
    heights = {n.name: round(n.y) for n in circles(scene, "folded")}
    assert len({heights[g] for g in ("f", "i", "g")}) == 1


@pytest.mark.parametrize("name", ["skips, T = 30", "narx", "many_to_many, T = 30"])
def test_arrows_end_at_dots_where_steps_are_left_out(name):
    scene = shown(recorded(name), view="unfolded")
    dots = [(n.x, n.y) for n in scene.nodes if n.kind == "dot"]
    ids = {n.id for n in scene.nodes}
    for edge in scene.edges:
        if (
            edge.points
            and not edge.tip
            and not ids.issuperset(b for _, b in edge.covers)
        ):
            x, y = edge.points[-1]
            assert min(np.hypot(x - a, y - b) for a, b in dots) < 40, edge.id


def test_the_main_path_of_layers_is_straight():
    at = {n.name: n for n in circles(shown(still.perceptron(), view="textbook"))}
    assert len({round(at[k].x) for k in ("x", "h1", "h2", "o", "L")}) == 1


def test_a_scope_is_framed_with_its_name():
    scene = shown(still.attention_block(), view="ops")
    assert len(scene.frames) >= 2
    assert {"attention", "mlp"} <= {t.words for t in scene.texts}


def test_an_index_says_what_it_takes():
    told = [words(n) for n in shown(gates.lstm_in_slices(3), view="ops").nodes]
    assert not [w for w in told if "getitem" in w]
    assert [w for w in told if "0:4" in w or ":4" in w]


@pytest.mark.parametrize("view", ["textbook", "unfolded", "backward"])
@pytest.mark.parametrize(
    "make", [loops.swapped, gates.lstm, loops.narx, gates.gru, gates.attention]
)
def test_no_letter_is_at_a_foreign_arrow_or_struck_by_one(make, view):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = draw(make(), view=view)
    assert view == "backward" or any(text.edge for text in figure.scene.texts)
    told = {"letters at another arrow", "arrow on label", "letters of no arrow"}
    assert [f for f in figure.audit() if f.what in told] == []


def test_a_bus_between_loops_has_its_letters_once():
    scene = shown(gates.attention(), view="unfolded")
    rails = {e.id: e.net for e in scene.edges if e.net and e.net.endswith(" rail")}
    told = Counter(rails[t.edge] for t in scene.texts if t.edge in rails)
    assert told
    assert {*told.values()} == {1}


@pytest.mark.parametrize("T", [2, 6])
@pytest.mark.parametrize("make", [loops.many_to_many, loops.mutual])
def test_columns_in_letters_say_of_no_arrow_that_it_is_at_one_step(make, T):
    scene = shown(make(T), index="symbolic")
    assert [e.title for e in scene.edges if "only" in e.title] == []


def test_states_of_one_name_that_cross_a_step_have_numbers():
    found = draw(names.repeated(), overlay="grad").data
    assert any(min(series.values()) > 0 for series in found.values())


def test_a_refused_circuit_says_where_its_steps_differ_and_what_to_draw():
    with mg.keep_lines():
        U, W, W2 = P("U 3 4, W 4 4, W2 4 4")
        h = zeros("h0")
        for t, x in mg.steps(x=X(5)):
            h = mg.tanh(x @ U + h @ (W2 if t == 3 else W)).named("h")
    lines = r"step 3 .* W2 instead of W .* made at \S+test_kinds_of_faults\.py:\d+"
    with pytest.raises(mg.FoldError, match=lines) as error:
        draw(h, view="textbook")
    assert any('view="unfolded"' in note for note in error.value.__notes__)
    letters = {e.parameters for e in shown(h).edges if e.tip == "h@3"}
    assert letters == {("U",), ("W2",)}


@pytest.mark.parametrize(
    "make", [loops.mutual, loops.lattice, loops.narx, gates.hierarchy, gates.lstm]
)
def test_heads_that_meet_one_circle_stand_apart(make):
    for view in ("folded", "unfolded"):
        tips = [e for e in shown(make(), view=view).edges if e.head and e.tip]
        for i, a in enumerate(tips):
            for b in tips[:i]:
                alike = a.tip != b.tip or (a.net and a.net == b.net)
                (ax, ay), (bx, by) = a.points[-1], b.points[-1]
                assert alike or np.hypot(ax - bx, ay - by) > 5, (a.id, b.id)


@pytest.mark.parametrize("make", [loops.many_to_many, loops.deep, gates.bidirectional])
def test_an_arrow_into_the_steps_left_out_has_the_form_of_its_sisters(make):
    scene = shown(make(30), view="unfolded")
    roles = {n.id: n.role for n in scene.nodes}
    forms: dict[object, set[bool]] = {}
    halves = 0
    for e in (e for e in scene.edges if e.delay and e.tail in roles):
        heights = [y for _, y in e.points]
        level = max(heights) - min(heights) < 0.01
        forms.setdefault((roles[e.tail], e.home), set()).add(level)
        halves += not e.tip
    assert halves
    assert {len(found) for found in forms.values()} == {1}


def recurrent(T, starts=1, gated=False, penalty=False):
    """h of its last steps, and a loss; ``starts`` of them have names of their own."""
    U, W, S = P("U 2 2, W 2 2, S 2 2")
    past = [zeros(f"h_{{{-k}}}", 2) for k in range(starts)]
    for _, x in mg.steps(x=X(T, 2)):
        a = x @ U + past[0] @ W + past[-1] @ S
        past = [mg.tanh(a).named("h"), *past[:-1]]
    loss = (past[0] ** 2).sum()
    if penalty:
        return (loss + (W**2).sum().named("Ω")).named("J")
    return loss.named("L")


def clean(x, **way):
    figure = draw(x, **way)
    assert figure.audit() == [], way
    return figure.scene


@pytest.mark.parametrize("view", ["textbook", "unfolded", "backward"])
@pytest.mark.parametrize("starts", [1, 3])
def test_one_column_alone_comes_after_the_steps_left_out(view, starts):
    scene = clean(mg.Graph(recurrent(7, starts)), view=view, steps=1)
    here = [n for n in circles(scene) if n.t]
    assert {n.t for n in here} == {7}
    dots = [n for n in scene.nodes if n.shape == "dot"]
    assert max(n.x for n in dots) < min(n.x for n in here)
    assert {p for e in scene.edges for p in e.parameters} == {"U", "W", "S"}
    assert "6 more steps" in {t.words for t in scene.texts}
    assert not [n for n in scene.nodes if n.kind == "initial"]


def test_two_loops_of_one_column_stand_apart():
    A, B, M = P("A 2 2, B 2 2, M 2 2")
    u, v = zeros("u0", 2), zeros("v0", 2)
    for _, a in mg.steps(a=X(5, 2)):
        u = mg.tanh(a + u @ A).named("u")
    for _, b in mg.steps(b=X(5, 2)):
        v = mg.tanh(b + v @ B).named("v")
    loss = ((u @ M) * v).sum().named("L")
    for view in ("textbook", "backward"):
        scene = clean(loss, view=view, steps=1)
        assert [t.words for t in scene.texts].count("4 more steps") == 2


@pytest.mark.parametrize("steps", [1, 2])
def test_few_turns_of_a_loop_within_a_step_are_drawn(steps):
    graph = recorded("nested")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene = draw(graph, view="unfolded", steps=steps).scene
    turns = {words(n) for n in circles(scene) if n.name == "h" and n.t == 3}
    assert turns == {"h(3,1)", "h(3,3)"} if steps > 1 else {"h(3,3)"}


def test_starts_of_earlier_steps_stand_in_columns_of_their_own():
    scene = clean(recurrent(6, 3), view="textbook")
    starts = sorted(n.x for n in scene.nodes if n.kind == "initial")
    first, second = sorted(n.x for n in circles(scene) if n.name == "h" and n.t)[:2]
    assert np.allclose(np.diff(starts), second - first)
    (arrow,) = [e for e in scene.edges if e.tail == "h_{-2}"]
    assert arrow.tip == "h@1"
    assert max(y for _, y in arrow.points) > scene.nodes[0].y


def test_at_one_step_a_start_goes_around_what_stands_between():
    V, W, U = P("V 2 2, W 2 2, U 2 2")
    h, y = zeros("h0", 2), zeros("y0", 2)
    for _, e in mg.steps(e=X(1, 2)):
        h = mg.tanh(h @ W + y @ U).named("h")
        o = (h @ V).named("o")
        y = (o + e).named("y")
    scene = clean(y, view="textbook")
    assert ("y0", "h@1") in ends(scene)


@pytest.mark.parametrize("view", ["textbook", "backward"])
def test_a_value_of_parameters_alone_shows_them(view):
    scene = clean(recurrent(4, penalty=True), view=view)
    assert ("[W]", "Ω") in ends(scene)
    assert not [e for e in scene.edges if e.tail == "[W]" and e.tip != "Ω"]
    hidden = draw(recurrent(4, penalty=True), view=view, params="hide").scene
    assert not [n for n in hidden.nodes if n.id == "[W]"]


def test_squares_of_a_delay_lie_off_the_arrows_that_cross_it():
    clean(recorded("random 68"), view="folded")


def test_the_circuit_says_at_which_steps_a_value_is():
    V, h, total = P("V 4 4"), zeros("h0"), mg.tensor(0.0)
    for t, x in mg.steps(x=X(8, 4)):
        h = mg.tanh(x + h).named("h")
        if t % 2 == 0:
            total = (total + (h @ V).sum().named("s")).named("J")
    said = {n.name: words(n) for n in clean(total, view="folded").nodes}
    assert said["s"] == "st = 2, 4, …"
    assert said["h"] == "h"


def test_an_arrow_over_more_columns_than_there_are_ends_at_dots():
    scene = clean(recurrent(9, 3), view="textbook", steps=2)
    skips = [e for e in scene.edges if e.part == "unfolded" and e.parameters == ("S",)]
    assert {(e.tail, e.tip) for e in skips} == {
        ("h_{-2}", "h@1"), ("h@1", ""), ("", "h@-1"),
    }  # fmt: skip
    assert {n.id for n in scene.nodes if n.kind == "initial"} == {"h_{0}", "h_{-2}"}


def test_in_letters_an_arrow_into_the_steps_left_out_ends_at_dots():
    scene = clean(recurrent(9, 3), view="textbook", index="symbolic")
    skips = [e for e in scene.edges if e.part == "unfolded" and e.parameters == ("S",)]
    assert sorted(e.tail == "" for e in skips) == [False] * 4 + [True]
    assert all(e.head == bool(e.tip) for e in skips)


@pytest.mark.parametrize("name", ["random 21", "random 29", "random 39", "random 76"])
def test_letters_have_room_in_wider_columns(name):
    # Between lanes, among crossing arrows, beside starts, along the bow of an arc.
    scene = clean(recorded(name), view="unfolded", steps=40)
    assert "aside" not in {t.word for t in scene.texts}


def test_letters_between_three_level_arrows_have_room():
    scene = clean(recorded("model clockwork, of 9"), view="unfolded", steps=40)
    assert "aside" not in {t.word for t in scene.texts}


def test_letters_without_room_stand_below_in_words():
    graph, way = recorded("random 40"), {"view": "unfolded", "steps": 40}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(graph, caption="Below all.", **way)
    below = {t.words: t for t in figure.scene.texts if t.word == "aside"}
    assert [*below] == ["g(0) → g(1) by Wgg2, Wgg3"]
    arrow = figure.scene.edge("g0>g@1")
    assert arrow.parameters == ("Wgg2", "Wgg3")
    assert arrow.id not in {t.edge for t in figure.scene.texts}
    (caption,) = (t for t in figure.scene.texts if t.kind == "caption")
    assert caption.box[3] < below["g(0) → g(1) by Wgg2, Wgg3"].box[1]
    spanish = draw(graph, style=mg.Style(language="es"), **way)
    told = {t.words for t in spanish.scene.texts if t.word == "aside"}
    assert told == {"g(0) → g(1) por Wgg2, Wgg3"}


def test_a_circuit_of_many_delays_says_what_it_cannot_letter():
    scene = clean(recorded("model clockwork, of four groups"), view="textbook")
    told = [t.words for t in scene.texts if t.word == "aside"]
    assert told
    assert all(" by W" in words and "step" in words for words in told)


def test_a_start_is_read_by_a_step_that_is_shown():
    U, W, h = *P("U 4 4, W 4 4"), zeros("h0")
    for t, x in mg.steps(x=X(30, 4)):
        if t % 4 == 0:
            h = mg.tanh(x @ U + h @ W).named("h")
    scene = clean(h, view="textbook")
    assert ("h0", "h@4") in ends(scene)
    assert len({n.t for n in circles(scene) if n.t}) == 2  # of h alone
    # Who asks for fewer steps leaves out what those left out read.
    assert not [n for n in clean(h, view="textbook", steps=4).nodes if n.dashed]


def test_the_name_of_a_frame_may_stand_inside_of_it():
    clean(recorded("model one to many, start"), view="ops")


def test_a_sum_that_is_named_after_its_loop_has_that_name_at_every_step():
    figure = draw(names.named_after_its_loop(), view="textbook")
    kinds = {n.name: n.kind for n in circles(figure.scene)}
    assert kinds["J"] == kinds["L"] == "loss"
    assert {n.t for n in circles(figure.scene) if n.name == "J"} == {1, 2, 4, 5}


def test_another_name_for_the_last_step_is_refused_and_says_what_to_write():
    U, W, h = *P("U 3 4, W 4 4"), zeros("h0")
    for _, x in mg.steps(x=X(4)):
        h = mg.tanh(x @ U + h @ W).named("h")
    with pytest.raises(mg.FoldError, match=r'\(1 \* h\)\.named\("code"\)'):
        draw(h.named("code"), view="textbook")
    h.named("h")
    assert "code" in {n.name for n in circles(clean((1 * h).named("code")))}


def test_sums_of_losses_are_objectives_and_scalar_states_are_not():
    w, s, J = mg.parameter(0.5, name="w"), zeros("s0", 1)[0, 0], mg.tensor(0.0)
    for _, x in mg.steps(x=X(4, 1)[:, 0, 0]):
        s = mg.tanh(w * s + x).named("s")
        J = (J + (s**2).named("L")).named("total")
    kinds = {n.name: n.kind for n in circles(shown((0.1 * J + w**2).named("J")))}
    assert kinds["s"] == "hidden"
    assert kinds["L"] == kinds["total"] == kinds["J"] == "loss"


def test_turns_are_counted_by_a_letter_that_nothing_is_called():
    texts = {t.words for t in clean(recorded("called_as_turns_are")).texts}
    assert "l = 1, …, 3" in texts
    assert "k = 1, …, 3" in {t.words for t in clean(recorded("carried")).texts}


def test_a_box_does_not_show_what_nobody_wrote():
    scene = shown(recorded("model one to many, start"), view="ops")
    assert not [n for n in scene.nodes if "ignore_index" in words(n)]
    o, y = mg.tensor(np.zeros((1, 3)), name="o"), mg.tensor([1], name="y")
    told = shown(mg.cross_entropy(o, y, ignore_index=2), view="ops").nodes
    assert any("ignore_index=2" in words(n) for n in told)


@pytest.mark.parametrize("make", [still.heads, still.heads_of_one_target])
def test_many_arrows_that_meet_at_a_sum_can_be_told_apart(make):
    scene = clean(make(), view="textbook")
    heads = [e.points[-1] for e in scene.edges if e.tip == "J"]
    assert len(heads) == 8
    apart = [np.hypot(*np.subtract(a, b)) for a in heads for b in heads if a != b]
    assert min(apart) > 8.5
    seats = {n.name: n.y for n in circles(scene)}
    assert seats["L0"] < seats["J"] < seats["y0"]
    # None goes around: each leaves straight up.
    assert min(e.points[0][1] for e in scene.edges if e.tip == "J") > seats["L0"]


def test_a_value_that_a_branch_moved_in_its_step_stands_in_one_row():
    graph = recorded("every_other_step")
    scene = draw(graph, view="unfolded", steps=40).scene
    for name in ("h", "o", "L", "x", "y"):
        ys = {n.y for n in scene.nodes if n.name == name and n.t}
        assert len(ys) == 1, name
    assert {n.t for n in scene.nodes if n.name == "s" and n.t} == {1, 3, 5, 7}
    titles = {e.title for e in scene.edges}
    assert {"s(1) → h(1) by C", "s(1) → h(2) by C", "s(1) → s(3) by Q"} <= titles


def test_the_loop_of_a_state_between_two_loops_is_beside_what_leads_on():
    figure = draw(recorded("three_loops"), view="folded")
    assert figure.audit() == []
    (square,) = (n for n in figure.scene.nodes if n.id.startswith("s@t>s@t"))
    (on,) = (e for e in figure.scene.edges if (e.tail, e.tip) == ("s@t", "q@t"))
    assert abs(square.y - on.points[0][1]) > square.height
    loop = [e for e in figure.scene.edges if square.id in (e.tail, e.tip)]
    assert min(y for e in loop for _, y in sample(e.points)) > on.points[0][1]


def test_a_short_end_of_an_arrow_has_a_whole_head():
    scene = draw(recorded("read_each_other"), view="folded").scene
    assert [e for e in scene.edges if e.head]
    for edge in (e for e in scene.edges if e.head):
        assert dist(shaft_of(edge.points)[-1], edge.points[-1]) > 6.5


def test_a_name_is_not_broken_before_its_last_letter_or_its_index():
    scene = draw(recorded("primes"), view="unfolded").scene
    lines = {
        n.name: ["".join(r.text for r in line) for line in n.lines]
        for n in scene.nodes
        if n.t == 2
    }
    assert lines["loss_1"] == ["loss_1(2)"]
    assert lines["None_"] == ["None_(2)"]
    assert (lines["h'"], lines["h''"]) == (["h′(2)"], ["h′′(2)"])


def test_boxes_of_operations_say_which_turn_of_a_loop_within_a_step():
    nodes = draw(recorded("nested"), view="ops").scene.nodes
    words = ["".join(run.text for line in n.lines for run in line) for n in nodes]
    assert {"tanh → h(1,1)", "tanh → h(2,3)", "x(1,2)", "tanh → s(1)"} <= {*words}
    assert "h: tanh, step 2,3, shape (1, 4) float64" in {n.title for n in nodes}


def test_how_many_steps_are_left_out_is_beside_the_tracks_of_shares():
    figure = draw(recorded("with_peepholes"), view="backward")
    assert any(t.word == "more steps" for t in figure.scene.texts)
    assert not [f for f in figure.audit() if "more step" in f.second]
