"""Every view of many programs: what is drawn is what ran, or it is refused by name."""

import re
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.draw import draw
from minigrad.draw.textbook.chart import outside
from minigrad.draw.textbook.marks import said, way_home
from minigrad.draw.textbook.nested import in_circuit
from minigrad.draw.textbook.reading import read
from tests import programs
from tests.draw.corpus import recorded as net
from tests.draw.networks import NETWORKS, UNTIMED
from tests.draw.test_models import LOSSES, XS, YS, recorded
from tests.draw.test_nested import NETS as INNER
from tests.test_fold import NETS, STARTS, clockwork, remembering

VIEWS = [
    {"view": "textbook", "steps": 20},
    {"view": "unfolded", "steps": 3},
    {"view": "folded", "shapes": True},
    {"view": "textbook", "params": "node", "biases": True},
    {"view": "textbook", "values": True},
    {"view": "backward", "biases": True},
    {"view": "ops", "values": True},
    {"view": "ops", "depth": 0},
    {"index": "symbolic", "view": "textbook"},
    {"overlay": "grad"},
]


def parameter(name, *shape):
    return mg.parameter(np.full(shape, 0.25), name=name)


def attending(T):
    """A second loop that reads all states of the first at every step."""
    W, h, hs = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0"), []
    for _ in mg.steps(T):
        h = mg.tanh(h @ W).named("h")
        hs.append(h)
    s = h
    for _ in mg.steps(T + 1):
        s = mg.tanh(s @ W + mg.stack(hs).mean(axis=0)).named("s")
    return s


def started(T, start="parameter", delay=1):
    """A recurrence from a parameter, an array or something computed."""
    V, W = parameter("V", 2, 2), parameter("W", 2, 2)
    hs = [STARTS[start](np.ones((1, 2)), V)] * delay
    for _, x in mg.steps(x=np.ones((T, 1, 2))):
        hs.append(mg.tanh(hs[-delay] @ W + x).named("h"))
    return mg.stack(hs[delay:]).sum()


def learning(T):
    """A parameter that each step changes by a gradient."""
    w, x = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="x")
    for _ in mg.steps(T):
        (g,) = mg.grad(mg.tanh(x @ w).sum(), [w], create_graph=True)
        w = (w - 0.1 * g).named("w")
    return (x @ w).sum().named("L")


def once(T):
    """A value that is made at the first step and read at every step."""
    W, h = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0")
    for t in mg.steps(T):
        if t == 1:
            with mg.scope("once"):
                v = mg.tanh(h @ W)
        h = mg.tanh(h @ W + v).named("h")
    return h


def outer(T):
    """Three values from outside of the loop, two of them computed."""
    W, h = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0")
    S, a = (W + W.T).named("S"), mg.tensor(np.ones((1, 2)), name="a")
    d = (a @ W).named("d")
    for _ in mg.steps(T):
        h = mg.tanh(h @ S + a @ W + d).named("h")
    return h


def lagged(T):
    """An input that the next step reads."""
    W, h = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0")
    before = mg.tensor(np.ones((1, 2)), name="x0")
    for _, x in mg.steps(x=np.ones((T, 1, 2))):
        h, before = mg.tanh(h @ W + before).named("h"), x
    return h


def recalling(T):
    """A value that reads all states so far, and the next state that reads it."""
    W, hs = parameter("W", 2, 2), [mg.tensor(np.ones((1, 2)), name="h0")]
    c = mg.tensor(np.ones((1, 2)), name="c0")
    for _ in mg.steps(T):
        hs.append(mg.tanh(hs[-1] @ W + c).named("h"))
        c = mg.stack(hs[1:]).mean(axis=0).named("c")
    return c


def random(k, T):
    """A random recurrence, with its arguments as named inputs."""
    names = programs.listing.build(programs.draw("recurrence", 7, k).source())
    given = []
    for j, a in enumerate(names["arguments"](T, 2, 1)):
        if not isinstance(a, (bool, int, float)):
            value = np.asarray(getattr(a, "data", a))
            a = mg.tensor(value, f"a{j}", requires_grad=value.dtype.kind == "f")
        given.append(a)
    with np.errstate(all="ignore"):
        return names["forward"](*given)


OWN = [attending, started, learning, once, outer, lagged, recalling, remembering, *NETS]
SLOW = [(k, r) for k in (2, 3) for r in ("before", "after")]
PROGRAMS = {
    **NETWORKS,
    **{make.__name__: make for make in OWN},
    **{f"start {s}": partial(started, start=s) for s in STARTS},
    **{f"start {s}, 2 back": partial(started, start=s, delay=2) for s in STARTS},
    **{f"clockwork {k} {r}": partial(clockwork, k=k, read=r) for k, r in SLOW},
    **{f"random {k}": partial(random, k) for k in range(12)},
}
MODELS = {
    **{name: partial(recorded, name) for name in LOSSES},
    "attention": partial(recorded, "EncoderDecoder", attention=True),
    "skip around z": partial(recorded, "DeepTransition", skip=True),
    "given at the start": partial(recorded, "OneToMany", given="start"),
    "given at both": partial(recorded, "OneToMany", given="both"),
    **UNTIMED,
    **{name: partial(net, name) for name in INNER},
}


def attended(**options):
    """Self-attention over time, at every step or at the last one."""
    model = models.SelfAttention(3, 4, 2, rng=np.random.default_rng(0), **options)
    ys = YS[0] if options else YS
    return model.loss(XS, ys)


def clockwork_net():
    model = models.Clockwork(3, 4, 2, rng=np.random.default_rng(0), periods=(1, 2))
    return model.loss(XS, YS)


def turing():
    model = models.NeuralTuringMachine(3, 4, 2, rng=np.random.default_rng(0), places=5)
    return model.loss(XS, XS[..., :2] > 0)


def drawn(end):
    """Symbols drawn one after the other, through h or from every past."""
    rng = np.random.default_rng(0)
    if end == "fully connected":
        return models.FullyConnected(2, 6, rng=rng).ancestral(1, rng)
    model = models.SequenceModel(3, 4, rng=rng, end=end)
    return model.ancestral(6, 2, rng, lengths=[6, 4])


MODELS |= {
    "self-attention": attended,
    "self-attention, last": partial(attended, read="last"),
    "clockwork": clockwork_net,
    "neural Turing machine": turing,
    **{f"drawn, {e}": partial(drawn, e) for e in ("symbol", "length")},
    "drawn, fully connected": partial(drawn, "fully connected"),
}


def arrows_of(graph):
    """What a contracted graph reads, letters left out, as pairs of (name, step)."""
    found = set()
    names = graph.names
    for node in graph.nodes:
        via = node.attrs.get("via", ())
        for source, letters in zip(node.inputs, via, strict=True):
            hidden = source.kind == "constant" and not source.name
            if letters is not None and not hidden:
                found.add(((names[source], source.t), (names[node], node.t)))
    return found


def covered(scene):
    """The recorded edges that the arrows of a scene stand for, each once."""
    shown = [edge for edge in scene.edges if edge.part != "folded"]
    # Each once, or by several arrows with letters of their own (attention's K and Q).
    covers = [(pair, edge.parameters) for edge in shown for pair in edge.covers]
    assert len(set(covers)) == len(covers)
    covers = [pair for pair, _ in covers]
    at = {n.id: n.t for n in scene.nodes}
    length = {n.role: n.t - n.last for n in scene.nodes if n.last is not None}

    def seat(id):
        role, _, t = id.partition("@")
        name = re.sub(r"#\d+$", "", role)
        if not t:
            return name, at[id] or None
        # Of a loop whose last step has no circle the scene tells how long it is.
        total = length.get(role) or scene.length[0]
        return name, int(t) if int(t) > 0 else total + 1 + int(t)

    return {(seat(tail), seat(tip)) for tail, tip in covers}


def drawn_or_refused(graph, way):
    """The scene, or None where a ValueError (as FoldError is) says why not.

    That a figure is crowded, which its warning says, is another test's question.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the figure can be misread")
            return draw(graph, **way).scene
    except ValueError as error:
        if not re.search(r"step|column|overlay|has a name", str(error)):
            raise
        return None


def check(outputs):
    graph = outputs if isinstance(outputs, mg.Graph) else mg.Graph(outputs)
    for way in VIEWS:
        scene = drawn_or_refused(graph, way)
        if scene is None:
            continue
        places = [(n.x, n.y) for n in scene.nodes if n.shape != "text"]
        assert len(set(places)) == len(places), way
        if way.get("view") in ("ops", "folded") or "index" in way:
            continue
        recorded, drawn = arrows_of(mg.contract(graph)), covered(scene)
        assert drawn <= recorded, way
        if "steps" in way and way["steps"] == 20:
            assert drawn == recorded
            assert scene.elided == 0
            check_folded(scene, graph)


def check_folded(scene, graph):
    chart = read(graph)
    if max(chart.lengths, default=0) < 2:  # of one step there are the columns alone
        assert all(e.part == "unfolded" for e in scene.edges if e.tail)
        return
    starts = {s.key: s.stands_for.state for s in chart.symbols if s.stands_for}
    once = {  # of a loop of one step beside longer ones the start is in the circuit
        k for k, h in starts.items() if chart.lengths[chart.symbol(h).clock] == 1
    }
    arrows = tuple(
        replace(a, initial=a.initial and a.source not in once) for a in chart.arrows
    )
    start = outside(replace(chart, arrows=arrows)) | (starts.keys() - once)
    folded = [e for e in scene.edges if e.part == "folded"]
    # A parameter leads by a bus to what is made of parameters alone.
    titles = [e.title for e in folded if not e.kind.startswith("bus")]
    told = {words for title in titles for words in title.split("; ")}
    alike = {}  # turns of a loop within a step are told together
    line = {s.key: s.line or s.key for s in chart.symbols}
    for a in (a for a in chart.arrows if not start & {a.source, a.target}):
        one = (
            way_home(in_circuit(a, line))
            if any(chart.symbol(k).turn for k in (a.source, a.target))
            else len(alike)
        )
        alike.setdefault(one, []).append(a)
    assert told == {
        w for some in alike.values() for w in said(chart, *some).split("; ")
    }


@pytest.mark.parametrize("T", [1, 2, 3, 6])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_view_shows_what_ran(name, T):
    check(PROGRAMS[name](T))


@pytest.mark.parametrize("name", MODELS)
def test_every_view_of_a_model_shows_what_ran(name):
    check(MODELS[name]())


@pytest.mark.parametrize("view", ["textbook", "backward"])
@pytest.mark.parametrize("make", [started, attending, learning, once, outer, lagged])
def test_nothing_touches_what_it_should_not(make, view):
    assert draw(make(4), view=view, engine="pure").audit() == []


def test_a_learned_initial_state_stands_where_any_other_does():
    learned, given = (draw(started(4, start)).scene for start in ("parameter", "input"))
    assert learned.edges == given.edges
    (node,) = [n for n in learned.nodes if n.id == "h0"]
    assert (node.kind, node.dashed, node.shape) == ("initial", True, "circle")
    biases = draw(started(4), params="node", biases=True).scene
    assert {n.name for n in biases.nodes if n.kind == "parameter"} == {"W"}


def test_what_a_start_is_computed_from_stands_before_it():
    scene = draw(started(4, "computed"), params="node").scene
    at = {n.name: n for n in scene.nodes if n.part == "unfolded"}
    assert at["c"].x < at["h0"].x < scene.node("h@1").x
    assert not any(
        n.name in ("c", "h0", "V") for n in scene.nodes if n.part == "folded"
    )
    assert any((e.tail, e.tip) == ("[V]", "h0") for e in scene.edges)


def test_attention_is_one_arrow_of_the_circuit_and_all_of_the_columns():
    scene = draw(attending(12), steps=20).scene
    (circuit,) = [e for e in scene.edges if (e.tail, e.tip) == ("h@t", "s@t")]
    assert not circuit.dashed
    assert "only t = 1" not in [t.words for t in scene.texts]
    # A drop of the rail that carries all states covers an arrow from each.
    into = {pair for e in scene.edges if e.tip == "s@2" for pair in e.covers}
    assert len(into) == 12 + 1


def test_a_read_in_has_its_gradient_beside_the_start():
    scene = draw(started(3, "computed"), view="backward").scene
    (box,) = [n for n in scene.nodes if n.id == "∂V"]
    assert any((e.tail, e.tip) == ("h0", box.id) for e in scene.edges)


def test_a_graph_without_time_is_one_column_that_nothing_unfolds():
    for view in ("textbook", "folded", "unfolded", "backward"):
        scene = draw(UNTIMED["mlp"](), view=view, params="node", biases=True).scene
        circles = {n.name: n for n in scene.nodes if n.shape == "circle"}
        assert len({n.x for n in circles.values()}) == 1
        heights = [circles[name].y for name in "xhoLy"]
        assert heights == sorted(heights)
        assert "Unfold" not in [t.words for t in scene.texts]
        boxes = {n.name for n in scene.nodes if n.shape == "box"}
        assert boxes == {"W1", "b1", "W2", "b2"}


def test_letters_for_steps_are_those_of_the_middle():
    scene = draw(lagged(6), index="symbolic").scene
    pairs = {(e.tail.partition("@")[0], e.tip) for e in scene.edges if "@" in e.tip}
    (h,) = [n.id for n in scene.nodes if n.name == "h" and n.title.endswith("step t")]
    assert {source for source, tip in pairs if tip == h} == {"h", "x"}
    for make, T, words in (
        (started, 1, "a loop of 1 step"),
        (remembering, 6, r"h → c, of 1\.\.t"),
        (clockwork, 9, "g is there every 2 steps"),
        (once, 6, "s is at steps 1 alone"),
    ):
        with pytest.raises(ValueError, match=words + '.*index="number"'):
            draw(make(T), index="symbolic")
    with pytest.raises(ValueError, match="of single steps"):
        draw(started(6), index="symbolic", values=True)


def test_a_graph_without_values_is_drawn_without_them():
    graph = mg.Graph(NETWORKS["many_to_many"](6))
    unfolded = mg.fold(mg.contract(graph)).unfold(6)
    text = mg.Graph.from_json(graph.to_json())
    for bare in (unfolded, text):
        ends = [(e.tail, e.tip) for e in draw(bare).scene.edges]
        assert ends == [(e.tail, e.tip) for e in draw(graph).scene.edges]
        assert draw(bare, view="ops", shapes=True).scene.nodes
        for way in ({"values": True}, {"overlay": "value"}, {"view": "backward"}):
            with pytest.raises(ValueError, match="has a shape and no value"):
                draw(bare, **way)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_constant_of_a_graph_that_was_read_is_a_number(dtype):
    y = mg.tensor(1.0, name="x") + np.ones((), dtype)
    back = mg.Graph.from_json(mg.Graph(y).to_json())
    assert {n.lines for n in draw(back).scene.nodes} == {
        n.lines for n in draw(y).scene.nodes
    }


@pytest.mark.parametrize(
    ("way", "error"),
    [
        ({"caption": 5}, TypeError),
        ({"biases": "x"}, TypeError),
        ({"shapes": 1}, TypeError),
        ({"values": None}, TypeError),
        ({"steps": 2.5}, TypeError),
        ({"steps": 0}, ValueError),
        ({"depth": "a"}, TypeError),
        ({"depth": -1}, ValueError),
        ({"overlay": ("grad", "h")}, ValueError),
        ({"view": "sideways"}, ValueError),
    ],
    ids=str,
)
def test_an_option_that_means_nothing_is_named(way, error):
    (name,) = way
    with pytest.raises(error, match=name):
        draw(NETWORKS["many_to_many"](3), **way)


def test_where_nothing_that_was_computed_has_a_name_every_operation_is_drawn():
    W, h = mg.parameter(np.eye(2)), mg.tensor(np.zeros((1, 2)))
    for _, x in mg.steps(x=np.ones((8, 1, 2))):
        h = mg.tanh(h @ W + x)
    scene = draw(h).scene
    assert "Unfold" not in [t.words for t in scene.texts]
    assert any("matmul" in n.title for n in scene.nodes)


@pytest.mark.parametrize("start", sorted(STARTS))
def test_a_gradient_flows_back_into_the_start_that_was_computed_or_is_learned(start):
    scene = draw(started(3, start), view="backward").scene
    back = {(e.tail, e.tip) for e in scene.edges if e.kind == "gradient"}
    assert (("h@1", "h0") in back) == (start in ("parameter", "computed", "named"))


def test_what_flows_back_is_called_after_the_output():
    def words(output):
        scene = draw(output, view="backward").scene
        return {"".join(r.text for r in n.lines[0]) for n in scene.nodes if n.lines}

    assert "∂J/∂W" in words(started(3).named("J"))
    assert "∂L/∂W" in words(started(3) * 1.0)
    assert "∂Σs/∂W" in words(attending(3))


def test_a_gradient_flows_back_between_two_values_of_one_name():
    W, h = parameter("W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(3):
        h = mg.relu(mg.tanh(h @ W).named("h")).named("h")
    scene = draw(h.sum().named("L"), view="backward").scene
    back = {(e.tail, e.tip) for e in scene.edges if e.kind == "gradient"}
    there = {(e.tip, e.tail) for e in scene.edges if e.kind == "muted"}
    assert {pair for pair in there if pair[1] != "h0"} == back & there
