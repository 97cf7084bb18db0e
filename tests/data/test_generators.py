"""The made sequences are what their definitions say."""

import numpy as np
import pytest

from minigrad.data import generators as g


def rng():
    return np.random.default_rng(0)


def test_adding():
    xs, y = g.adding(rng(), 20, 500)
    assert (xs[..., 1].sum(0) == 2).all()
    assert (xs[:10, :, 1].sum(0) == 1).all()
    np.testing.assert_allclose((xs[..., 0] * xs[..., 1]).sum(0), y[:, 0], rtol=1e-6)
    np.testing.assert_allclose(np.square(y - 1).mean(), 1 / 6, atol=0.02)


def test_copying():
    xs, ys = g.copying(rng(), gap=4, batch=3)
    assert xs.shape == ys.shape == (14, 3)
    np.testing.assert_array_equal(xs[:5], ys[-5:])
    assert (xs[5:8] == 8).all()
    assert (xs[8] == 9).all()
    assert (ys[:9] == 8).all()


def test_parity():
    xs, ys = g.parity(rng(), 10, 4)
    assert ys[-1].tolist() == (xs[..., 0].sum(0) % 2).tolist()


def test_flip_flop():
    xs, ys = g.flip_flop(rng(), 30, 50, bits=3, rate=0.3)
    assert xs.shape == ys.shape == (30, 50, 3)
    held = np.zeros((50, 3))
    for x, y in zip(xs, ys, strict=True):
        held = np.where(x != 0, x, held)
        np.testing.assert_array_equal(y, held)
    np.testing.assert_allclose((xs[1:] != 0).mean(), 0.3, atol=0.02)
    assert set(np.unique(ys)) == {-1, 1}


def test_temporal_xor():
    bits = g.temporal_xor(rng(), 300).reshape(-1, 3)
    assert (bits[:, 0] ^ bits[:, 1] == bits[:, 2]).all()


def test_letters():
    text, features = g.letters(rng(), 50)
    assert len(text) == len(features)
    for part in ("ba", "dii", "guuu"):
        text = text.replace(part, "")
    assert text == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTSSXXTVVE", True),
        ("BPVVE", True),
        ("BTSSPXSE", False),
        ("BT", False),
        ("", 0),
    ],
)
def test_the_reber_grammar(text, expected):
    assert g.legal(text) is bool(expected)


def test_reber_strings_are_legal_and_start_evenly():
    source = rng()
    texts = [g.reber(source) for _ in range(2000)]
    assert all(map(g.legal, texts))
    assert 0.45 < np.mean([t[1] == "T" for t in texts]) < 0.55


def test_embedded_reber():
    text = g.embedded_reber(rng())
    assert text[1] == text[-2]
    assert g.legal(text[2:-2])
    found = g.embedded_following(text)
    assert len(found) == len(text)
    assert all(s in options for s, options in zip(text[1:], found, strict=False))


def test_sine_and_cosine():
    both = g.sine(41, outputs=2)
    np.testing.assert_allclose(np.square(both).sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(both[:21], both[20:], atol=1e-6)


def test_mackey_glass_is_the_series_of_the_literature():
    x = g.mackey_glass(1200)
    assert x[0] == 1.2
    np.testing.assert_allclose([x[500:].min(), x[500:].max()], [0.42, 1.31], atol=0.03)
    assert 0.2 < x[500:].std() < 0.25


def test_the_best_answer_of_the_dna():
    sequences, classes, best = g.promoter_like(rng(), 4000)
    assert {len(s) for s in sequences} == {57}
    assert set("".join(sequences)) == set("acgt")
    wrong = np.mean((best > 0) != classes)
    assert 0.0 < wrong < 0.06
    # The log ratio is calibrated: exp(best) is the odds.
    likely = np.abs(best) < 2
    expected = (1 / (1 + np.exp(-best[likely]))).mean()
    np.testing.assert_allclose(classes[likely].mean(), expected, atol=0.08)


def test_the_motifs_stand_at_their_places():
    """As in E. coli: TTGACA, 17 letters, TATAAT (Hawley and McClure 1983)."""
    sequences, classes, _ = g.promoter_like(rng(), 400, kept=1.0)
    places = set()
    for s in np.array(sequences)[classes == 1]:
        at = [k for k in range(10, 15) if s[k : k + 6] == "ttgaca"]
        assert any(s[k + 23 : k + 29] == "tataat" for k in at)
        places.update(at)
    assert places == {10, 11, 12, 13, 14}


@pytest.mark.parametrize(
    "make",
    [
        lambda r: g.adding(r, 10, 3)[0],
        lambda r: g.copying(r, 3, 3)[0],
        lambda r: g.parity(r, 10, 3)[0],
        lambda r: g.flip_flop(r, 10, 3)[0],
        lambda r: g.temporal_xor(r, 30),
        lambda r: g.letters(r, 30)[1],
        lambda r: g.reber(r),
        lambda r: g.promoter_like(r, 3)[0],
    ],
)
def test_a_seed_gives_the_same_again(make):
    assert np.array_equal(make(rng()), make(rng()))


def test_two_marks_in_noise_and_the_class_of_their_order():
    xs, y = g.temporal_order(rng(), 50, 200)
    assert xs.shape == (50, 200, 6)
    assert xs.dtype == np.float32
    np.testing.assert_array_equal(xs.sum(-1), 1)
    symbols = xs.argmax(-1)
    _, at = np.nonzero(symbols.T >= 4)
    places = at.reshape(200, 2)
    assert (places[:, 0] // 5 == 1).all()
    assert (places[:, 1] // 5 == 4).all()
    marks = symbols[places, np.arange(200)[:, None]] - 4
    np.testing.assert_array_equal(y, 2 * marks[:, 0] + marks[:, 1])
    assert set(y) == {0, 1, 2, 3}


def test_a_coin_turns_all_bits_or_none():
    xs, ys = g.coins(rng(), 30, 100)
    turned = ys != xs[..., 0]
    assert (turned == turned[0]).all()
    assert 0.3 < turned[0].mean() < 0.7
    assert 0.4 < xs.mean() < 0.6


def test_a_wave_has_mean_zero_variance_one_and_its_three_periods():
    y = g.waveform(rng(), 7 * 23 * 71)[:, 0, 0]
    np.testing.assert_allclose([y.mean(), y.var()], [0, 1], atol=1e-5)
    size = np.abs(np.fft.rfft(y))
    assert {*np.argsort(size)[-3:]} == {23 * 71, 7 * 71, 7 * 23}


def test_rows_of_bits_come_again_after_the_signal():
    xs, ys, mask = g.copying_bits(rng(), 3, 4, width=5, steps=10)
    assert (xs.shape, ys.shape, mask.shape) == ((10, 4, 6), (10, 4, 5), (10, 4))
    np.testing.assert_array_equal(xs[:3, :, :5], ys[4:7])
    assert xs[..., 5].argmax(0).tolist() == [3] * 4
    np.testing.assert_array_equal(mask.argmax(0), 4)
    np.testing.assert_array_equal(mask.sum(0), 3)
    assert len(g.copying_bits(rng(), 3, 4)[0]) == 7
