"""SequenceModel and FullyConnected: P is a distribution, and drawn from it."""

from itertools import product

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import FullyConnected, SequenceModel
from minigrad.models.sequence_model import ENDS

N = 2


def model(end, longest=4):
    rng = np.random.default_rng(3)
    made = SequenceModel(N, 3, rng=rng, end=end, longest=longest, dtype=np.float64)
    for p in made.parameters():
        p.assign(rng.normal(size=p.shape))
    return made


def table(length=4):
    made = FullyConnected(N, length, rng=np.random.default_rng(0), dtype=np.float64)
    made.E.assign(np.random.default_rng(1).normal(size=made.E.shape))
    return made


def every(length):
    return [list(s) for s in product(range(N), repeat=length)]


def probability(network, sequences):
    with mg.no_grad():
        return np.exp(network.log_likelihood(*network.arrays(sequences)).data)


def test_the_table_is_a_distribution():
    ys = np.array(every(4)).T
    np.testing.assert_allclose(np.exp(table().log_likelihood(ys).data).sum(), 1)


def test_every_past_has_a_row_of_its_own():
    network = table()
    ys = mg.tensor(np.array(every(4)).T)
    rows = set()
    for t in range(1, 5):
        past = [mg.tensor(np.zeros(16, int)), *(ys[i] for i in range(t - 1))]
        found = {tuple(row) for row in network.output(t, past).data}
        assert len(found) == N ** (t - 1)
        rows |= found
    assert len(rows) == len(network.E) == 1 + 2 + 4 + 8


def test_with_a_length_all_sequences_up_to_the_longest_sum_to_one():
    network = model("length")
    total = sum(probability(network, every(n)).sum() for n in (1, 2, 3, 4))
    np.testing.assert_allclose(total, 1)


@pytest.mark.parametrize("end", ["symbol", "stop"])
def test_those_that_end_and_those_that_go_on_sum_to_one(end):
    network = model(end)
    ended = sum(probability(network, every(n)).sum() for n in range(4))
    # P(y(1) .. y(3) and no end before the fourth) is what of y(1) .. y(3) is not ended.
    longer = probability(network, [[*s, y] for s in every(3) for y in range(N)])
    begun = 0.0
    for s in every(3):
        o, stop = outputs(network, s)
        p = 1.0
        for t, y in enumerate([*s, None]):
            likely = np.exp(o[t] - o[t].max())
            likely /= likely.sum()
            go = 1 - stop[t] if end == "stop" else 1 - likely[-1]
            p *= go if y is None else likely[y] * (go if end == "stop" else 1)
        begun += p
    np.testing.assert_allclose(ended + begun, 1)
    assert longer.sum() < begun


def outputs(network, s):
    """o(t) and the probability to stop, by hand, at each step of one sequence."""
    p = {path: q.data for path, q in network.named_parameters()}
    n_out = len(p["c"])
    h, y, os, stops = np.zeros(3), np.zeros(n_out), [], []
    for symbol in [*s, 0]:
        h = np.tanh(p["b"] + h @ p["W"] + y @ p["U"])
        os.append(p["c"] + h @ p["V"])
        if "S" in p:
            stops.append(1 / (1 + np.exp(-(p["d"] + h @ p["S"])[0])))
        y = np.eye(n_out)[symbol]
    return os, stops


def test_padding_changes_nothing():
    for end in ENDS:
        network = model(end)
        together = probability(network, [[0, 1, 1, 0], [1], [0, 1]])
        alone = [probability(network, [s])[0] for s in ([0, 1, 1, 0], [1], [0, 1])]
        np.testing.assert_allclose(together, alone)


@pytest.mark.parametrize("end", ENDS)
def test_what_is_drawn_comes_as_often_as_it_is_likely(end):
    network = model(end, longest=4 if end == "length" else 12)
    drawn = network.drawn(20_000, np.random.default_rng(0))
    some = [[0], [1], [0, 1], [1, 1], [0, 0, 1]]
    expected = probability(network, some)
    found = [np.mean([d == s for d in drawn]) for s in some]
    np.testing.assert_allclose(found, expected, atol=0.012)


def test_the_table_draws_what_is_likely():
    network = table(3)
    ys = np.stack([y.data for y in network.ancestral(20_000, np.random.default_rng(0))])
    some = np.array(every(3)).T
    found = [(ys == s[:, None]).all(0).mean() for s in some.T]
    expected = np.exp(network.log_likelihood(some).data)
    np.testing.assert_allclose(found, expected, atol=0.012)


def test_figure_10_7_has_an_arrow_from_every_y_to_every_later_one():
    ys = table(6).ancestral(1, np.random.default_rng(0))
    edges = mg.fold(mg.contract(ys)).edges
    between = {str(e) for e in edges if {e.source.name, e.target.name} <= {"y", "o"}}
    assert between == {"y(1..t-1) -> o(2..T) by E", "o(t) -> y(t)"}


@pytest.mark.parametrize("end", ["symbol", "stop"])
def test_in_figure_10_8_all_of_them_pass_through_h(end):
    ys = model(end).ancestral(6, 1, np.random.default_rng(0))
    edges = {str(e) for e in mg.fold(mg.contract(ys)).edges}
    assert {e for e in edges if e.startswith("y(")} == {"y(t-1) -> h(t) by U"}
    assert {"h(t-1) -> h(t) by W", "h(t) -> o(t) by V", "o(t) -> y(t)"} <= edges


def test_the_state_is_told_how_much_is_left():
    network = model("length")
    loss = network.loss(*network.arrays([[0, 1, 1, 0], [1, 0]]))
    assert "r(t) -> h(t) by R" in {str(e) for e in mg.fold(mg.contract(loss)).edges}
    r = [n.value[:, 0].tolist() for n in mg.Graph(loss).nodes if n.name == "r"]
    assert r[:2] == [[1.0, 0.5], [0.75, 0.25]]


@pytest.mark.parametrize("end", ENDS)
def test_it_folds_compiles_and_its_gradient_is_right(end):
    network = model(end)
    given = network.arrays([[0, 1, 1, 0], [1], [0, 1]])
    loss = network.loss(*given)
    for graph in (mg.Graph(loss), mg.contract(loss)):
        assert mg.fold(graph).unfold(mg.fold(graph).lengths).same_as(graph)
    wrt = network.parameters()
    gradient = mg.grad(loss, wrt)
    compiled = mg.compile(lambda *a: mg.grad(network.loss(*a), wrt), strict=True)
    for a, b in zip(compiled(*given), gradient, strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-12)
    for p, g in zip(wrt, gradient, strict=True):
        before, eps = p.data, 1e-6
        norm = np.sqrt(np.square(g.data).sum())
        moved = []
        for sign in (1, -1):
            p.assign(before + sign * eps * g.data / norm)
            moved.append(network.loss(*given).item())
        p.assign(before)
        np.testing.assert_allclose((moved[0] - moved[1]) / 2 / eps, norm, rtol=1e-6)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="end is one of symbol, stop, length"):
        SequenceModel(2, 3, rng=np.random.default_rng(0), end="eos")
    with pytest.raises(
        ValueError, match='1 to 4 symbols with end="length", got 0 to 5'
    ):
        model("length").arrays([[], [0] * 5])
    with pytest.raises(ValueError, match="symbols are numbers 0 to 1"):
        model("stop").arrays([[0, 2]])
    for wrong in ([], [0, 1], [[[0]]]):
        with pytest.raises(ValueError, match="a batch is at least one sequence"):
            model("stop").arrays(wrong)
    with pytest.raises(ValueError, match=r"ys is \(length, batch\), got shape \(4,\)"):
        table().loss(np.zeros(4, int))
    with pytest.raises(ValueError, match="would have 33,554,431 rows"):
        FullyConnected(2, 25, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="of 3 symbols; the table is one for 4"):
        table().log_likelihood(np.zeros((3, 1), int))


def test_the_table_folds_alike_at_two_lengths_and_compiles():
    ys = np.array([[0, 1, 1, 0, 1, 0, 0, 1, 0]] * 2).T
    first, second = table(8), table(9)
    pair = (mg.Graph(first.loss(ys[:8])), mg.Graph(second.loss(ys)))
    for graph in pair:
        assert mg.fold(graph).unfold(mg.fold(graph).lengths).same_as(graph)
    edges = [[str(e) for e in mg.fold(mg.contract(g)).edges] for g in pair]
    assert edges[0] == edges[1]
    wrt = first.parameters()
    compiled = mg.compile(lambda y: mg.grad(first.loss(y), wrt), strict=True)
    (found,), (expected,) = compiled(ys[:8]), mg.grad(first.loss(ys[:8]), wrt)
    np.testing.assert_allclose(found.data, expected.data)
