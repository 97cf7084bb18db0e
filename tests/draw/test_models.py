"""The project's own networks, drawn by code that does not know them."""

import numpy as np
import pytest

from minigrad import models
from minigrad.draw import draw

RNG = np.random.default_rng(0)
XS = RNG.normal(size=(7, 2, 3)).astype(np.float32)
YS = RNG.integers(0, 2, size=(7, 2))
LOSSES = {
    "ManyToMany": lambda model: model.loss(XS, YS),
    "ManyToOne": lambda model: model.loss(XS, YS[0]),
    "OutputFeedback": lambda model: model.loss(XS, YS),
    "Bidirectional": lambda model: model.loss(XS, YS),
    "OneToMany": lambda model: model.loss(XS[0], YS),
    "EncoderDecoder": lambda model: model.loss(XS, YS[:4]),
    "Conditional": lambda model: model.loss(XS, YS),
    "LinearRecurrence": lambda model: model.loss(XS, YS),
    "DeepTransition": lambda model: model.loss(XS, YS),
}


def recorded(name, **options):
    return LOSSES[name](getattr(models, name)(3, 4, 2, rng=RNG, **options))


@pytest.mark.parametrize("way", [{}, {"view": "ops"}, {"overlay": "grad"}], ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_nothing_touches_what_it_should_not(name, way):
    assert draw(recorded(name), **way, engine="pure").audit() == []


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", ["ManyToMany", "ManyToOne", "Bidirectional"])
def test_other_cells(name, cell):
    assert draw(recorded(name, cell=cell), engine="pure").audit() == []


@pytest.mark.parametrize("depth", [0, 1, None])
def test_layers_at_every_depth(depth):
    loss = recorded("ManyToMany", layers=2)
    assert draw(loss, view="ops", depth=depth, steps=4, engine="pure").audit() == []


@pytest.mark.parametrize("way", [{}, {"view": "ops"}], ids=str)
@pytest.mark.parametrize("read", ["each", "last"])
def test_what_every_step_reads_runs_on_a_line(read, way):
    model = models.SelfAttention(3, 4, 2, rng=RNG, read=read)
    loss = model.loss(XS, YS if read == "each" else YS[0])
    assert draw(loss, **way, engine="pure").audit() == []
    with pytest.raises(ValueError, match="an overlay needs a state"):
        draw(loss, overlay="grad")


@pytest.mark.parametrize("way", [{}, {"view": "ops"}, {"overlay": "grad"}], ids=str)
def test_groups_of_several_periods(way):
    model = models.Clockwork(3, 4, 2, rng=RNG, periods=(1, 2))
    assert draw(model.loss(XS, YS), **way, engine="pure").audit() == []


def test_the_letters_are_those_of_the_book():
    scene = draw(recorded("ManyToMany")).scene
    assert {n.name for n in scene.nodes if n.part == "folded"} == {*"xhoLy", ""}
    assert {e.parameters for e in scene.edges} == {("U",), ("V",), ("W",), ()}


WAYS = [{}, {"view": "backward"}, {"overlay": "grad"}]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("read", ["mean", "max", "ends"])
def test_a_read_out_of_several_steps_stands_in_a_column_of_its_own(read, way):
    name = "Bidirectional" if read == "ends" else "ManyToOne"
    model = getattr(models, name)(3, 4, 2, rng=RNG, read=read)
    figure = draw(model.loss(XS, YS[0]), **way, engine="pure")
    assert figure.audit() == []
    beside = {n.name: n for n in figure.scene.nodes if n.part == "unfolded"}
    o, loss, y = (beside[name] for name in "oLy")
    assert o.x == loss.x == y.x > max(n.x for n in beside.values() if n.name == "h")
    assert beside["h"].y < o.y < loss.y < y.y


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_attention_runs_on_one_line_above_the_columns(way):
    model = models.EncoderDecoder(3, 4, 2, rng=RNG, attention=True)
    figure = draw(model.loss(XS, YS[:4]), **way, engine="pure")
    assert figure.audit() == []


@pytest.mark.parametrize("name", ["Bidirectional", "EncoderDecoder"])
def test_the_inner_states_of_two_lstms_have_names_of_their_own(name):
    scene = draw(recorded(name, cell="lstm"), overlay="value").scene
    states = {n.name for n in scene.nodes if n.kind == "hidden"}
    inner = {"Bidirectional": {"s", "s_g"}, "EncoderDecoder": {"s_h", "s_s"}}
    assert states >= inner[name]
