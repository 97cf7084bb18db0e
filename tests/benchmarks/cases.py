"""What is raced: four recurrent networks, five sizes, and how far an answer may be off.

A case is one training step, the loss and the gradients of all parameters. The letters
are those of minigrad's models; ``problem`` makes the same arrays for every contender.
"""

import numpy as np

SIZES = {  # batch, T, n_in, n_hidden, n_out
    "tiny": (1, 25, 65, 100, 65),
    "small": (16, 50, 32, 64, 32),
    "medium": (32, 100, 64, 128, 64),
    "large": (64, 100, 128, 512, 128),
    "long": (8, 1000, 16, 64, 16),
}
GROWTH = {f"T={T}": (8, T, 16, 64, 16) for T in (10, 100, 1000, 10_000)} | {
    f"h={h}": (16, 50, 32, h, 32) for h in (64, 256, 1024)
}
WIDE = {f"wide T={T}": (64, T, 16, 128, 16) for T in (1000, 10_000)}

# Many-to-many with a loss per step, as minigrad's models write it, and with one loss
# over all outputs stacked, as other libraries' users do: the same numbers.
CASES = (
    "many-to-many, a loss per step",
    "many-to-many, one loss",
    "many-to-one",
    "output feedback",
    "LSTM",
)
NAMES = ("U", "W", "V", "b", "c")
ALLOWED = {"float32": 1e-3, "float64": 1e-8}  # of an array's largest element


def gates(case):
    """How many blocks of columns U, W and b have."""
    return 4 if case == "LSTM" else 1


def every_step(case):
    """Whether there is a target at every step."""
    return case not in ("many-to-one", "LSTM")


def problem(case, size, dtype="float32"):
    """xs (T, batch, n_in), ys (T, batch) or (batch,), and U, W, V, b, c."""
    B, T, n_in, n_hidden, n_out = size
    rng = np.random.default_rng(0)

    def matrix(*shape):
        # Not larger: a chaotic network would amplify the rounding that we compare.
        return (rng.normal(size=shape) * 0.5 / shape[0] ** 0.5).astype(dtype)

    # Drawn in their dtype: another peak before the step would hide a part of its own.
    xs = rng.standard_normal((T, B, n_in), np.dtype(dtype))
    ys = rng.integers(n_out, size=(T, B) if every_step(case) else B)
    k = gates(case) * n_hidden
    fed = n_out if case == "output feedback" else n_hidden
    shapes = (n_in, k), (fed, k), (n_hidden, n_out), (k,), (n_out,)
    return xs, ys, [matrix(*shape) for shape in shapes]


def multiply_adds(case, size):
    """Those of the products of a step; each is done once forward and twice backward.

    Nobody asks for the gradient of xs, so the product with U has one backward.
    """
    B, T, n_in, n_hidden, n_out = size
    k = gates(case) * n_hidden
    fed = n_out if case == "output feedback" else n_hidden
    read = T * B if every_step(case) else B
    return T * B * k * (2 * n_in + 3 * fed) + read * 3 * n_hidden * n_out


def error(found, wanted):
    """The largest difference of two lists of arrays, as a share of an array's largest.

    Infinite where their shapes differ or a number is missing.
    """
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        if np.shape(a) != np.shape(b):
            return float("inf")
        off = np.abs(np.asarray(a, np.float64) - b).max() / (np.abs(b).max() + 1e-8)
        worst = max(worst, off if np.isfinite(off) else float("inf"))
    return worst
