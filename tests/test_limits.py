"""Settings that are numbers: what is in range, and what is said of the rest."""

import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad.data.generators import promoter_like
from minigrad.limits import whole, within
from minigrad.models import EchoState
from minigrad.nn import LayerNorm, init
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU, Stack, make_cell
from minigrad.optim import (
    SGD,
    Adam,
    AdamW,
    RMSProp,
    clip_by_element,
    clip_by_norm,
    cosine,
    exponential,
    warm_up,
)
from minigrad.train import Training, fit

INF, NAN = float("inf"), float("nan")
RNG = np.random.default_rng(0)
W = mg.parameter(np.ones((2, 2)), name="W")


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.5, np.float32(0.25)], [-1e-9, 1, 1.0, NAN, INF, -INF]),
        ("(0, inf)", [1e-300, 1e300], [0, -0.0, INF, NAN]),
        ("(0, inf]", [INF], [0, -INF, NAN]),
        ("[0, 1]", [0, 1, True], [1.0000001]),
    ],
)
def test_an_interval_has_its_ends_or_not(interval, inside, outside):
    for value in inside:
        assert within("x", value, interval) == value
        assert type(within("x", value, interval)) is float
    for value in outside:
        with pytest.raises(ValueError, match="x lies in ") as raised:
            within("x", value, interval)
        assert str(raised.value) == f"x lies in {interval}, got {value!r}"
    for text in ("fast", "0.5", b"1"):
        with pytest.raises(TypeError, match="x is a number"):
            within("x", text, interval)


def test_whole_numbers():
    assert whole("n", np.int64(3)) == 3
    assert whole("n", 0, 0) == 0
    for value in (0, -1, 1.0, NAN, "3", None):
        with pytest.raises(ValueError, match="n is a whole number from 1 on, got"):
            whole("n", value)


REFUSED = [
    ("lr", lambda: Adam([W], lr=-1)),
    ("lr", lambda: SGD([W], lr=NAN)),
    ("lr", lambda: RMSProp([W], lr=INF)),
    ("betas\\[1\\]", lambda: Adam([W], betas=(0.9, 1.0))),
    ("betas\\[0\\]", lambda: AdamW([W], betas=(-0.1, 0.9))),
    ("betas\\[0\\]", lambda: Adam([W], betas=(NAN, 0.9))),
    ("eps", lambda: Adam([W], eps=-1e-8)),
    ("eps", lambda: RMSProp([W], eps=0.0)),
    ("decay", lambda: RMSProp([W], decay=1.0)),
    ("weight_decay", lambda: AdamW([W], weight_decay=-0.1)),
    ("momentum", lambda: SGD([W], 0.1, momentum=1.0)),
    ("momentum", lambda: SGD([W], 0.1, momentum=-0.5)),
    ("limit", lambda: clip_by_norm([W], -1.0)),
    ("limit", lambda: clip_by_norm([W], NAN)),
    ("limit", lambda: clip_by_norm([W], 0)),
    ("limit", lambda: clip_by_element([W], -1.0)),
    ("lr", lambda: exponential(-1.0, 0.5)),
    ("factor", lambda: exponential(1.0, -0.5)),
    ("every", lambda: exponential(1.0, 0.5, every=0)),
    ("lr", lambda: cosine(NAN, 10)),
    ("last", lambda: cosine(1.0, 10, last=-1.0)),
    ("steps", lambda: cosine(1.0, 0)),
    ("lr", lambda: warm_up(-1.0, 10)),
    ("steps", lambda: warm_up(1.0, 0)),
    ("dropout", lambda: make_cell("elman", 2, 3, rng=RNG, dropout=1.0)),
    ("dropout", lambda: make_cell("lstm", 2, 3, rng=RNG, layers=2, dropout=NAN)),
    ("dropout", lambda: Stack([Elman(2, 3, rng=RNG)], dropout=-0.1)),
    ("leak", lambda: Elman(2, 3, rng=RNG, leak=2)),
    ("leak", lambda: Elman(2, 3, rng=RNG, leak=np.float32(-0.5))),
    ("leak", lambda: Elman(2, 3, rng=RNG, leak=NAN)),
    ("radius", lambda: Elman(2, 3, rng=RNG, W=-0.5)),
    ("radius", lambda: init.spectral_radius(NAN)),
    ("forget_bias", lambda: LSTM(2, 3, rng=RNG, forget_bias=NAN)),
    ("n_hidden", lambda: GRU(2, 0, rng=RNG)),
    ("n_in", lambda: LSTM(-1, 2, rng=RNG)),
    ("scale", lambda: EchoState(1, 3, 1, rng=RNG, scale=-1.0)),
    ("radius", lambda: EchoState(1, 3, 1, rng=RNG, radius=INF)),
    ("eps", lambda: LayerNorm(3, eps=0.0)),
    ("kept", lambda: promoter_like(RNG, 3, kept=1.5)),
    ("label_smoothing", lambda: mg.cross_entropy(W, [0, 1], label_smoothing=2.0)),
]


@pytest.mark.parametrize(("name", "make"), REFUSED)
def test_a_setting_out_of_range_is_named_with_its_range(name, make):
    said = rf"{name} (lies in [\[(].*[\])]|is a (whole number|probability) .*), got "
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("clip", -1.0),
        ("clip", NAN),
        ("every", 0),
        ("patience", 0),
        ("steps", -1),
    ],
)
def test_settings_of_a_training(name, setting):
    settings = {"steps": 1, name: setting}
    clip = settings.pop("clip", INF)
    with pytest.raises(ValueError, match=f"{name} (lies|is)"):
        fit(Training(LayerNorm(2), SGD([W], 0.1), W.sum, clip=clip), **settings)


def test_a_schedule_is_looked_at_at_every_step():
    p = mg.parameter([1.0, 2.0], name="p")
    optimiser = SGD([p], lambda step: 0.1 if step < 2 else NAN)
    p.grad = np.ones(2)
    optimiser.step()
    before = p.data
    with pytest.raises(ValueError, match=r"lr at step 2 lies in \[0, inf\), got nan"):
        optimiser.step()
    assert p.data is before
    assert optimiser.steps == 1


# What programs rely on that say nothing: each with its source.
DEFAULTS = [
    (SGD, {"momentum": 0.0}),
    (RMSProp, {"lr": 1e-3, "decay": 0.9, "eps": 1e-8}),  # Hinton's lecture 6e
    (Adam, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}),  # Kingma, Ba: alg. 1
    (AdamW, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}),
    (exponential, {"every": 1}),
    (cosine, {"last": 0.0}),
    (fit, {"every": 1, "patience": None, "validation": None}),
    (Training, {"clip": INF, "eager": False}),
    (Elman, {"U": "trained", "W": "orthogonal", "activation": "tanh", "leak": None}),
    (LSTM, {"forget_bias": 1.0, "candidate": "tanh"}),  # Jozefowicz 2015
    (GRU, {"candidate": "tanh", "reset_after": False}),  # Cho 2014
    (Stack, {"dropout": 0.0}),
    (EchoState, {"radius": 0.9, "scale": 0.5, "leak": 0.0}),
    (EchoState.solve, {"settle": 0, "ridge": 1e-8}),
    (LayerNorm, {"eps": 1e-5}),  # PyTorch
    (mg.layer_norm, {"eps": 1e-5, "axis": -1}),
    (mg.var, {"ddof": 0}),  # NumPy
    (
        mg.cross_entropy,
        {"ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0},
    ),  # PyTorch
    (promoter_like, {"kept": 0.8}),
]


@pytest.mark.parametrize(("thing", "expected"), DEFAULTS)
def test_defaults(thing, expected):
    taken = inspect.signature(thing).parameters
    assert {name: taken[name].default for name in expected} == expected


@pytest.mark.parametrize(
    "make", [Elman, LSTM, GRU, MinGRU, init.glorot, init.orthogonal]
)
def test_parameters_start_in_float32(make):
    assert inspect.signature(make).parameters["dtype"].default is np.float32
