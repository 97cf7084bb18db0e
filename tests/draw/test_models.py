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


def test_the_letters_are_those_of_the_book():
    scene = draw(recorded("ManyToMany")).scene
    assert {n.name for n in scene.nodes if n.part == "folded"} == {*"xhoLy", ""}
    assert {e.label for e in scene.edges} == {"U", "V", "W", ""}
