"""How much a step stretches a state: against the step of the fold, and by hand."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import jacobians
from minigrad.cli import main
from minigrad.draw import draw
from minigrad.draw.page.letters import short
from minigrad.models import Bidirectional, ManyToMany, OutputFeedback
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU
from minigrad.nn.losses import mse

T, B, N, H = 7, 2, 2, 3
RNG = np.random.default_rng(0)
XS = RNG.normal(size=(T, B, N))
YS = RNG.integers(2, size=(T, B))
CELLS = {
    "elman": Elman,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "leaky": partial(Elman, leak=0.5),
}


def model_of(make, **options):
    rng = np.random.default_rng(1)
    return ManyToMany(N, H, 2, rng=rng, cell=make, dtype=np.float64, **options)


def norms(found, name):
    """The largest norm of the batch at each step, of a state by itself."""
    k = found.names.index(name) * H
    own = found.matrices[:, :, k : k + H, k : k + H]
    return np.linalg.norm(own, 2, axis=(2, 3)).max(axis=1)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_the_numbers_are_those_of_the_step_of_the_fold(make, layers):
    loss = model_of(make, layers=layers).loss(XS, YS)
    recurrence = mg.fold(loss)
    state = {name: np.zeros((B, H)) for name in recurrence.states}
    found = jacobians(recurrence, state, {"x": XS})
    figure = draw(loss, overlay="jacobian")
    assert figure.data.keys() == set(recurrence.states)
    for name, numbers in figure.data.items():
        assert list(numbers) == list(range(1, T + 1))
        np.testing.assert_allclose(list(numbers.values()), norms(found, name))


def test_of_several_delays_it_is_the_nearest_and_the_others_stay():
    loss = model_of(partial(Elman, skips=(3,))).loss(XS, YS)
    recurrence = mg.fold(loss)
    state = {name: np.zeros((B, H)) for name in recurrence.states}
    found = jacobians(recurrence, state, {"x": XS})
    numbers = draw(loss, overlay="jacobian").data["h"]
    # At the first steps both delays read the one h(0).
    np.testing.assert_allclose(
        [numbers[t] for t in range(2, T + 1)], norms(found, "h")[1:]
    )


def test_backward_in_time_the_step_before_is_the_later_one():
    model = Bidirectional(N, H, 2, rng=np.random.default_rng(1), dtype=np.float64)
    figure = draw(model.loss(XS, YS), overlay="jacobian")
    for cell, name, xs in ((model.rnn, "h", XS), (model.back, "g", XS[::-1])):
        h, expected = np.zeros((B, H)), []
        for x in xs:
            h = np.tanh(cell.b.data + h @ cell.W.data + x @ cell.U.data)
            each = [np.diag(1 - row**2) @ cell.W.data.T for row in h]
            expected.append(max(np.linalg.norm(J, 2) for J in each))
        if name == "g":
            expected.reverse()
        np.testing.assert_allclose(list(figure.data[name].values()), expected)
    titles = {t.words for t in figure.scene.texts}
    assert any("t+1" in words for words in titles)


def test_what_goes_through_the_output_counts():
    rng = np.random.default_rng(1)
    model = OutputFeedback(N, H, 2, rng=rng, loss=mse, dtype=np.float64)
    ys = RNG.normal(size=(T, B, 2))
    loss = model.loss(XS, ys, feedback="free")
    numbers = draw(loss, overlay="jacobian").data["h"]
    hs = {n.t: n.value for n in mg.Graph(loss).nodes if n.name == "h"}
    way = model.V.data @ model.W.data
    for t in range(2, T + 1):
        each = [np.diag(1 - row**2) @ way.T for row in hs[t]]
        np.testing.assert_allclose(
            numbers[t], max(np.linalg.norm(J, 2) for J in each), rtol=1e-12
        )
    assert 1 not in numbers  # o(0) stands there, and no h(0)


def test_the_figure_says_the_numbers():
    figure = draw(model_of(Elman).loss(XS, YS), overlay="jacobian")
    words = [t.words for t in figure.scene.texts]
    assert short(figure.data["h"][1]) in words
    assert figure.audit() == []


def test_a_sequence_that_depends_on_others_is_refused():
    h = mg.tensor(RNG.normal(size=(2, 3)), name="h0")
    for _ in mg.steps(4):
        h = mg.tanh(h - h.mean(axis=0, keepdims=True)).named("h")
    with pytest.raises(ValueError, match=r"in h\(1\) a sequence of the batch depends"):
        draw(h, overlay="jacobian")


def test_a_state_without_a_batch_is_one_vector():
    W, h = mg.parameter([[0.0, 3.0], [1.0, 0.0]], name="W"), mg.tensor([1.0, 1.0])
    h = h.named("h0")
    for _ in mg.steps(4):
        h = mg.dot(h, W).named("h")
    assert draw(h, overlay="jacobian").data["h"] == dict.fromkeys(range(1, 5), 3.0)


def test_an_op_that_keeps_part_of_its_work_is_asked_too():
    h = mg.tensor([[0.5, -0.5]], name="h0")
    for _ in mg.steps(4):
        L = mg.cross_entropy(h, np.array([0]))
        h = (0.5 * h + L).named("h")
    (first, *_) = draw(h, overlay="jacobian").data["h"].values()
    p = np.exp([0.5, -0.5]) / np.exp([0.5, -0.5]).sum() - [1, 0]
    np.testing.assert_allclose(first, np.linalg.norm(np.eye(2) / 2 + [p, p], 2))


def test_a_parameter_that_has_changed_since_is_said():
    model = model_of(Elman)
    loss = model.loss(XS, YS)
    model.rnn.W.assign(2 * model.rnn.W.data)
    with pytest.raises(RuntimeError, match="changed by assign"):
        draw(loss, overlay="jacobian")


def test_the_command_draws_it(tmp_path, capsys):
    path = tmp_path / "a.svg"
    assert main(["draw", "lstm", "--overlay", "jacobian", "-o", str(path)]) == 0
    assert "log scale" in path.read_text(encoding="utf-8")
