"""What ops refuse, and what they say."""

import numpy as np
import pytest

import minigrad as mg

O = mg.tensor(np.zeros((2, 3)))  # noqa: E741  # the book's letter
X = mg.tensor(np.ones((1, 2, 4)))

REFUSED = {
    "one-hot targets": (
        lambda: mg.cross_entropy(O, np.eye(3, dtype=int)[:2]),
        r"cross_entropy: .* one-hot y becomes y\.argmax\(-1\)",
    ),
    "targets as floats": (
        lambda: mg.nll_loss(O, np.zeros(2)),
        r"nll_loss: .* got float64 .* write y\.astype\(int\)",
    ),
    "targets of another length": (
        lambda: mg.cross_entropy(O, np.zeros(3, int)),
        r"integers of shape \(2,\); got int64 of shape \(3,\)\n",
    ),
    "a class too many": (
        lambda: mg.cross_entropy(O, np.array([0, 3])),
        r"class numbers lie in 0\.\.2, got 0\.\.3",
    ),
    "a negative class": (
        lambda: mg.nll_loss(O, np.array([-1, 2])),
        r"class numbers lie in 0\.\.2, got -1\.\.2",
    ),
    "an unknown reduction": (
        lambda: mg.cross_entropy(O, np.array([0, 1]), reduction="average"),
        r"reduction is .* got 'average'",
    ),
    "an ignored class among probabilities": (
        lambda: mg.cross_entropy(O, np.eye(3)[:2], ignore_index=1),
        r"ignore_index is a class number, and this target holds probabilities",
    ),
    "an unknown reduction of probabilities": (
        lambda: mg.cross_entropy(O, np.eye(3)[:2], reduction="average"),
        r"reduction is .* got 'average'",
    ),
    "an unknown order of a norm": (
        lambda: mg.norm(X[0, 0], ord=3),
        r"norm has the orders None and 2 .* got 3; write another one with ops",
    ),
    "Frobenius by its name": (
        lambda: mg.norm(O, ord="fro"),
        r"got 'fro'",
    ),
    "a norm of a matrix": (
        lambda: np.linalg.norm(O, 2),
        r"over several axes NumPy takes a norm of matrices",
    ),
    "a norm of matrices": (
        lambda: mg.norm(X, ord=1, axis=(0, 1)),
        r"norm: with ord=1 over several axes",
    ),
    "losses of unlike shapes": (
        lambda: mg.mse_loss(O, np.zeros(2)),
        r"mse_loss: o has shape \(2, 3\) and y \(2,\)",
    ),
    "a kernel longer than x": (
        lambda: mg.conv1d(X, np.ones((1, 2, 3)), dilation=2),
        r"reaches over 5 elements, the padded x has 4",
    ),
    "the same length with strides": (
        lambda: mg.conv1d(X, np.ones((1, 2, 3)), stride=2, padding="same"),
        r'padding="same" needs stride 1',
    ),
    "channels that groups do not share": (
        lambda: mg.conv1d(X, np.ones((2, 2, 3)), groups=2),
        r"do not fit with 2 groups",
    ),
    "an unknown mode of padding": (
        lambda: mg.pad(X, 1, mode="maximum"),
        r"pad has the modes constant, .* got 'maximum'",
    ),
    "unequal parts": (
        lambda: mg.split(X, 3, axis=-1),
        r"4 elements along axis -1 do not make 3 equal parts",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_refused(mistake):
    call, said = REFUSED[mistake]
    with pytest.raises(ValueError, match=said):
        call()


def test_rows_are_picked_by_whole_numbers():
    with pytest.raises(IndexError, match="one-hot rows go to x @ W"):
        mg.embedding(mg.tensor(np.ones((3, 2))), np.eye(3))


@pytest.mark.parametrize(
    "call",
    [
        lambda: mg.einsum("ij->i", O, optimize=True),
        lambda: np.einsum("ij,kj", O, O, optimize="greedy"),
        lambda: mg.einsum(O, [0, 1], [1, 0]),
        lambda: np.einsum(O, [0, 1], [1, 0]),
        lambda: mg.einsum("ij->i"),
        mg.einsum,
    ],
)
def test_einsum_takes_subscripts_and_operands(call):
    with pytest.raises(TypeError, match="takes its subscripts first, as a str, then"):
        call()


def test_a_keyword_that_an_op_lacks_is_answered_by_those_it_has():
    with pytest.raises(TypeError, match=r"no keyword min .*are x, a_min, a_max"):
        mg.clip(X, min=0.0)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (mg.cross_entropy, np.zeros(0, int)),
        (mg.nll_loss, np.zeros(0, int)),
        (mg.cross_entropy, np.zeros((0, 3))),
        (mg.mse_loss, np.zeros((0, 3))),
        (mg.binary_cross_entropy, np.zeros((0, 3))),
    ],
)
def test_the_mean_of_no_loss_is_refused(loss, y):
    o = mg.tensor(np.zeros((0, 3)), requires_grad=True)
    with pytest.raises(ValueError, match=r"the batch is empty: .* shape \(0"):
        loss(o, y)
    assert loss(o, y, reduction="sum").item() == 0
    assert loss(o, y, reduction="none").shape[0] == 0
