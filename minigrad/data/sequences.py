"""Sequences as arrays: vocabularies, windows, batches, padding, random order.

Vocabulary
    time-major   (time, batch, features): the first axis is the one that is looped over
    vocabulary   the symbols of a text in a fixed order; a symbol's number is its place
    order        which sequences are drawn next: shuffled anew for every pass, with a
                 state that a checkpoint can hold

>>> letters = Vocabulary("abc")
>>> letters.encode("cab").tolist(), letters.decode([2, 0, 1])
([2, 0, 1], 'cab')
>>> one_hot(letters.encode("ca"), 3).tolist()
[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.limits import whole

Array = NDArray[Any]


class Vocabulary:
    """The distinct symbols of a text, sorted, and their numbers.

    >>> Vocabulary("hello").symbols
    'ehlo'
    """

    def __init__(self, text: Iterable[str]) -> None:
        self.symbols = "".join(sorted(set(text)))
        self.numbers = {symbol: i for i, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> NDArray[np.int64]:
        """The numbers of a text's symbols; an unknown one is an error that names it.

        Raises ValueError, and gives (n,) int64.
        """
        try:
            return np.array([self.numbers[symbol] for symbol in text], np.int64)
        except KeyError as error:
            raise ValueError(
                f"{error.args[0]!r} (at {text.index(error.args[0])}) is not among the "
                f"{len(self)} symbols {self.symbols!r}"
            ) from None

    def decode(self, numbers: ArrayLike) -> str:
        """The text of some numbers."""
        return "".join(self.symbols[int(i)] for i in np.ravel(np.asarray(numbers)))


def one_hot(numbers: ArrayLike, n: int, dtype: DTypeLike = np.float32) -> Array:
    """Class numbers of any shape as unit vectors along a new last axis.

    ``dtype`` is that of the vectors. Raises TypeError for numbers that are not whole
    and ValueError for those beyond 0 and n - 1.

    >>> one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    >>> one_hot(np.zeros((5, 4), int), 3).shape  # (time, batch, n)
    (5, 4, 3)
    """
    numbers = np.asarray(numbers)
    if numbers.size and numbers.dtype.kind not in "iu":
        raise TypeError(
            f"class numbers are whole, got {numbers.dtype}: write .astype(int)"
        )
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < n:
        raise ValueError(
            f"class numbers lie in 0..{n - 1}, got {numbers.min()}..{numbers.max()}"
        )
    return np.asarray(np.eye(n, dtype=dtype)[numbers])


def standardise(values: ArrayLike, training: slice) -> tuple[Array, float, float]:
    """Values with mean 0 and deviation 1 over the ``training`` span alone.

    Returns them with that mean and deviation; what lies outside of the span has no say.

    Raises ValueError for a span that is constant.

    >>> standardise([0.0, 2.0, 100.0], slice(0, 2))
    (array([-1.,  1., 99.]), 1.0, 1.0)
    """
    values = np.asarray(values, np.float64)
    mean, deviation = float(values[training].mean()), float(values[training].std())
    if deviation == 0:
        raise ValueError("the training span is constant: its deviation is 0")
    return (values - mean) / deviation, mean, deviation


def windows(values: ArrayLike, length: int, stride: int = 1) -> Array:
    """All windows of a series, time-major: (length, number of windows, ...).

    Raises ValueError for a length that the series does not have.

    >>> windows([1, 2, 3, 4], 3).T.tolist()
    [[1, 2, 3], [2, 3, 4]]
    """
    values = np.asarray(values)
    if not 1 <= length <= len(values):
        raise ValueError(f"no windows of {length} steps in a series of {len(values)}")
    starts = np.arange(0, len(values) - length + 1, stride)
    return np.asarray(values[starts + np.arange(length)[:, None]])


def streams(values: ArrayLike, batch: int) -> Array:
    """A long sequence as ``batch`` pieces, read side by side: (time, batch, ...).

    What does not fill the last step is left out.

    Raises ValueError for more pieces than values.

    >>> streams([1, 2, 3, 4, 5], 2).tolist()
    [[1, 3], [2, 4]]
    """
    values = np.asarray(values)
    length = len(values) // batch
    if length == 0:
        raise ValueError(f"{len(values)} values do not fill {batch} streams")
    return np.swapaxes(
        values[: length * batch].reshape(batch, length, *values.shape[1:]), 0, 1
    )


def pad(
    sequences: Sequence[ArrayLike], value: float = 0, multiple: int = 1
) -> tuple[Array, Array]:
    """Sequences of unequal length side by side, (time, batch, ...), and the lengths.

    The number of steps is rounded up to a ``multiple``: batches then have few shapes,
    for each of which an engine such as "jax" takes seconds to compile.

    Raises ValueError for a multiple below 1.

    >>> padded, lengths = pad([[1, 2, 3], [4]])
    >>> padded.tolist(), lengths.tolist()
    ([[1, 4], [2, 0], [3, 0]], [3, 1])
    >>> pad([[1, 2, 3], [4]], multiple=8)[0].shape
    (8, 2)
    """
    multiple = whole("multiple", multiple)
    arrays = [np.asarray(s) for s in sequences]
    if not arrays:
        raise ValueError("there is no sequence to pad")
    shapes = {a.shape[1:] for a in arrays}
    if len(shapes) > 1:
        found = ", ".join(str(("time", *shape)) for shape in sorted(shapes))
        raise ValueError(
            f"sequences differ in their number of steps alone, got {found}"
        )
    lengths = np.array([len(a) for a in arrays])
    steps = -(-int(lengths.max()) // multiple) * multiple
    shape = (steps, len(arrays), *arrays[0].shape[1:])
    padded = np.full(shape, value, arrays[0].dtype)
    for i, array in enumerate(arrays):
        padded[: len(array), i] = array
    return padded, lengths


class Order:
    """Batches of indices, every index once a pass, shuffled anew for each pass.

    Raises ValueError for a batch below 1.

    >>> order = Order(5, 2, np.random.default_rng(0))
    >>> sorted(int(i) for _ in range(3) for i in order.next())
    [0, 1, 2, 3, 4]
    >>> again = Order(5, 2, np.random.default_rng(1))
    >>> again.load_state_dict(order.state_dict())
    >>> again.indices.tolist() == order.indices.tolist()
    True
    """

    def __init__(self, size: int, batch: int, rng: np.random.Generator) -> None:
        if not batch >= 1:
            raise ValueError(f"a batch has at least one sequence, got {batch}")
        self.batch = min(batch, size)
        self.rng = rng
        self.indices = rng.permutation(size)
        self.position = 0

    def next(self) -> NDArray[np.int64]:
        """The next batch; the last of a pass may be shorter."""
        if self.position >= len(self.indices):
            self.indices = self.rng.permutation(len(self.indices))
            self.position = 0
        start, self.position = self.position, self.position + self.batch
        return self.indices[start : self.position]

    def state_dict(self) -> dict[str, Array]:
        """The order of this pass and the place in it; the generator is not in it."""
        return {"indices": self.indices, "position": np.array(self.position)}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from a state; a ValueError says that it is none."""
        indices, position = np.array(state["indices"]), int(state["position"])
        if position < 0 or not np.array_equal(
            np.sort(indices), np.arange(len(indices))
        ):
            raise ValueError(
                "this is no order of a batch: every index once and a place of at least "
                f"0, got {indices} and {position}"
            )
        self.indices, self.position = indices, position
