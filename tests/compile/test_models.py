"""Every network of the chapter compiles, forward and gradient, for every length."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.nn.losses import mse
from minigrad.nn.recurrent import masks
from tests.engines import ENGINES, MARKS

from .test_program import same


@pytest.fixture(params=ENGINES)
def backend(request, quick):
    """Each engine that is there; C's compiler is asked for less."""
    return request.param


def build(name, **options):
    rng = np.random.default_rng(0)
    return getattr(models, name)(3, 4, 2, rng=rng, dtype=np.float64, **options)


def sequences(T, out=2, batch=5):
    rng = np.random.default_rng(T)
    return rng.normal(size=(T, batch, 3)), rng.normal(size=(T, batch, out))


CELLS = [
    {},
    {"cell": "lstm"},
    {"cell": "gru"},
    {"cell": "mingru"},
    {"layers": 2},
    {"layers": 2, "cell": "lstm"},
    {"U": "orthogonal"},
]


def check(backend, model, loss, arguments, lengths=(7, 9, 12), one=True):
    def step(*given):
        value = loss(*given)
        return value, mg.grad(value, model.parameters(), unreached="zeros")

    compiled = mg.compile(step, strict=True, backend=backend)
    for T in lengths:
        given = arguments(T)
        same(compiled(*given), step(*given))
    if one:
        assert len(compiled.traced) == 1
        assert compiled.recurrence is not None


@pytest.mark.parametrize("options", CELLS, ids=str)
def test_many_to_many(backend, options):
    model = build("ManyToMany", loss=mse, **options)
    check(backend, model, model.loss, sequences)


READS = ["last", "mean", "max", 3]
ONES = [("numpy", options, read) for options in CELLS for read in READS]
# Each cell and each reading once, since a compiler takes its time.
ONES += [
    pytest.param(name, options, READS[k % 4], marks=mark)
    for name, mark in MARKS.items()
    for k, options in enumerate(CELLS)
]


@pytest.mark.parametrize(("backend", "options", "read"), ONES, ids=str)
def test_many_to_one(backend, options, read):
    model = build("ManyToOne", loss=mse, read=read, **options)
    # Read at step 3, the graph ends there, whatever the sequence's length.
    data = lambda T: (sequences(T)[0], sequences(T)[1][0])  # noqa: E731
    check(backend, model, model.loss, data, one=read != 3)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_bidirectional(backend, cell):
    model = build("Bidirectional", loss=mse, cell=cell)
    check(backend, model, model.loss, sequences)


@pytest.mark.parametrize("feedback", ["teacher", "free"])
@pytest.mark.parametrize("fed", ["o", "softmax"])
def test_output_feedback(backend, feedback, fed):
    model = build("OutputFeedback", loss=mse, fed=fed)
    check(backend, model, lambda x, y: model.loss(x, y, feedback=feedback), sequences)


@pytest.mark.parametrize("given", ["bias", "start", "both"])
def test_one_to_many(backend, given):
    model = build("OneToMany", loss=mse, given=given)
    check(backend, model, model.loss, lambda T: (sequences(T)[0][0], sequences(T)[1]))


def test_conditional(backend):
    model = build("Conditional", loss=mse)
    check(backend, model, model.loss, sequences)


@pytest.mark.parametrize("skip", [False, True])
def test_deep_transition(backend, skip):
    model = build("DeepTransition", loss=mse, skip=skip)
    check(backend, model, model.loss, sequences)


@pytest.mark.parametrize("read", ["each", "last"])
def test_clockwork(backend, read):
    model = build("Clockwork", loss=mse, read=read, periods=(1, 2))

    def data(T):
        xs, ys = sequences(T)
        return xs, ys if read == "each" else ys[0]

    check(backend, model, model.loss, data, one=False)


@pytest.mark.parametrize("read", ["each", "last"])
@pytest.mark.parametrize("name", ["SelfAttention", "LinearRecurrence"])
def test_without_a_matrix_between_the_steps(backend, name, read):
    model = build(name, loss=mse, read=read)

    def data(T):
        xs, ys = sequences(T)
        return xs, ys if read == "each" else ys[0]

    # Which place a step has is made by the model, so each length has its own program.
    check(backend, model, model.loss, data, one=name == "LinearRecurrence")


def test_neural_turing_machine(backend):
    model = build("NeuralTuringMachine", places=5, width=3)
    check(backend, model, model.loss, lambda T: (sequences(T)[0], sequences(T)[1] > 0))


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_encoder_decoder(backend, attention, cell):
    model = build("EncoderDecoder", loss=mse, attention=attention, cell=cell)
    # Attention compares a step with all of the encoder's: its shape has their number.
    data = lambda T: (sequences(T)[0], sequences(T - 1)[1])  # noqa: E731
    check(backend, model, model.loss, data, one=not attention)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("name", ["ManyToMany", "ManyToOne", "Bidirectional"])
def test_unequal_lengths_come_as_a_mask(backend, name, cell):
    model = build(name, loss=mse, cell=cell)

    def data(T):
        xs, ys = sequences(T)
        return xs, ys[0] if name == "ManyToOne" else ys, masks([T, T - 2, 1, 3, T], T)

    check(backend, model, lambda x, y, mask: model.loss(x, y, lengths=mask), data)


@pytest.mark.parametrize("truncate", [1, 3])
def test_a_gradient_cut_every_so_many_steps(backend, truncate):
    model = build("ManyToMany", loss=mse)
    # Where the cuts lie is made by the model, so each length has its own program.
    loss = lambda x, y: model.loss(x, y, truncate=truncate)  # noqa: E731
    check(backend, model, loss, sequences, one=False)


def test_a_carried_state_goes_in_and_out(backend):
    model = build("ManyToMany", loss=mse, cell="lstm")

    def loss(x, y, h0, s0):
        return model.loss_and_state(x, y, (h0, s0))

    compiled = mg.compile(loss, strict=True, backend=backend)
    state = recorded = [np.zeros((5, 4))] * 2
    for T in (6, 8, 9):
        value, after = compiled(*sequences(T), *state)
        wanted, expected = loss(*sequences(T), *recorded)
        same((value, after), (wanted, expected))
        state, recorded = ([s.data for s in found] for found in (after, expected))
