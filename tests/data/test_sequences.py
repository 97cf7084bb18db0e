"""Vocabularies, windows, padding and the order of data."""

import numpy as np
import pytest

from minigrad.data import Order, Vocabulary, one_hot, pad, standardise, streams, windows


def test_a_vocabulary_names_the_symbol_it_does_not_know():
    with pytest.raises(ValueError, match=r"'x' \(at 1\) is not among the 2 symbols"):
        Vocabulary("ab").encode("axb")


def test_one_hot_of_any_shape():
    assert one_hot([[0, 1]], 3).shape == (1, 2, 3)
    with pytest.raises(ValueError, match=r"lie in 0\.\.2, got 0\.\.3"):
        one_hot([0, 3], 3)
    for wrong in ([0.0, 1.0], [True, False]):
        with pytest.raises(TypeError, match=r"got .*: write \.astype\(int\)"):
            one_hot(wrong, 3)


def test_standardising_does_not_look_at_the_test_span():
    values = np.arange(10.0)
    first, *scale = standardise(values, slice(0, 5))
    values[5:] = 1e6
    second, *again = standardise(values, slice(0, 5))
    assert scale == again
    np.testing.assert_array_equal(first[:5], second[:5])
    with pytest.raises(ValueError, match="constant"):
        standardise(np.ones(4), slice(0, 4))


def test_windows_with_a_stride():
    assert windows(np.arange(7), 3, stride=2).T.tolist() == [
        [0, 1, 2],
        [2, 3, 4],
        [4, 5, 6],
    ]
    with pytest.raises(ValueError, match="no windows of 8"):
        windows(np.arange(7), 8)


def test_streams_go_on_from_step_to_step():
    assert streams(np.arange(7), 3).tolist() == [[0, 2, 4], [1, 3, 5]]


def test_padding_keeps_the_features():
    padded, lengths = pad([np.ones((2, 3)), np.ones((1, 3))], value=9)
    assert padded.shape == (2, 2, 3)
    assert lengths.tolist() == [2, 1]
    assert padded[1, 1].tolist() == [9, 9, 9]


def test_what_cannot_stand_side_by_side():
    with pytest.raises(ValueError, match=r"alone, got \('time', 2\), \('time', 3\)"):
        pad([np.ones((2, 3)), np.ones((1, 2))])
    with pytest.raises(ValueError, match="no sequence to pad"):
        pad([])


def test_every_sequence_comes_once_a_pass():
    order = Order(10, 4, np.random.default_rng(0))
    first, second = ([order.next() for _ in range(3)] for _ in range(2))
    assert [len(b) for b in first] == [4, 4, 2]
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()


def test_an_order_goes_on_where_it_was():
    rng = np.random.default_rng(0)
    order = Order(10, 4, rng)
    order.next()
    state, generator = order.state_dict(), rng.bit_generator.state
    expected = [order.next().tolist() for _ in range(5)]
    other_rng = np.random.default_rng(1)
    other = Order(10, 4, other_rng)
    other.load_state_dict(state)
    other_rng.bit_generator.state = generator
    assert [other.next().tolist() for _ in range(5)] == expected
