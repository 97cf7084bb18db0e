"""Sequences that are made: the classic tasks, each from a NumPy generator.

Arrays are time-major. Inputs are float32, classes are whole numbers.

>>> rng = np.random.default_rng(0)
>>> xs, y = adding(rng, steps=50, batch=4)
>>> xs.shape, y.shape
((50, 4, 2), (4, 1))
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.limits import within

Array = NDArray[Any]
Rng = np.random.Generator
DNA = "acgt"
REBER = "BTPSXVE"
# From each state of the grammar: the symbols that may follow, and where they lead.
REBER_STATES: tuple[dict[str, int], ...] = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
    {},
)


def adding(rng: Rng, steps: int, batch: int) -> tuple[Array, Array]:
    """Numbers in [0, 1) and two marks, one per half; the target is the marked sum.

    (Hochreiter and Schmidhuber 1997.) Always answering 1 has a squared error of 1/6.

    >>> xs, y = adding(np.random.default_rng(0), steps=10, batch=3)
    >>> xs.shape, y.shape
    ((10, 3, 2), (3, 1))
    >>> bool(np.allclose(y[:, 0], (xs[..., 0] * xs[..., 1]).sum(axis=0)))
    True
    """
    values = rng.random((steps, batch))
    marks = np.zeros((steps, batch))
    each = np.arange(batch)
    first = rng.integers(0, steps // 2, batch)
    second = rng.integers(steps // 2, steps, batch)
    marks[first, each] = marks[second, each] = 1
    y = values[first, each] + values[second, each]
    xs = np.stack([values, marks], axis=-1).astype(np.float32)
    return xs, y[:, None].astype(np.float32)


def copying(rng: Rng, gap: int, batch: int, items: int = 5) -> tuple[Array, Array]:
    """``items`` of 8 symbols, ``gap`` blanks, a signal, and then the items again.

    (Arjovsky 2016.) Class numbers, inputs and targets (gap + 2 items, batch): 0..7 are
    the symbols, 8 is blank, 9 the signal. Without a memory the best mean loss is
    items ln 8 / (gap + 2 items).

    >>> xs, ys = copying(np.random.default_rng(0), gap=3, batch=1, items=2)
    >>> xs[:, 0].tolist()
    [6, 5, 8, 8, 9, 8, 8]
    >>> ys[:, 0].tolist()
    [8, 8, 8, 8, 8, 6, 5]
    """
    symbols = rng.integers(0, 8, (items, batch))
    xs = np.full((gap + 2 * items, batch), 8)
    ys = np.full((gap + 2 * items, batch), 8)
    xs[:items] = symbols
    xs[items + gap - 1] = 9
    ys[-items:] = symbols
    return xs, ys


def temporal_order(rng: Rng, steps: int, batch: int) -> tuple[Array, Array]:
    """Two marks, X or Y each, among four distractors: which two came, in which order.

    (Hochreiter and Schmidhuber 1997, experiment 6a, with the places of Pascanu 2013.)
    Unit vectors (steps, batch, 6), of a, b, c, d, X and Y, and one of four classes (XX,
    XY, YX, YY). The first mark is in the second tenth, the other one in the fifth.

    >>> xs, y = temporal_order(np.random.default_rng(0), steps=20, batch=4)
    >>> xs.shape, y.tolist()
    ((20, 4, 6), [3, 3, 1, 0])
    >>> xs[:, 0, 4:].sum(axis=0).tolist()  # marks X and marks Y
    [0.0, 2.0]
    """
    symbols = rng.integers(0, 4, (steps, batch))
    marks = rng.integers(0, 2, (2, batch))
    tenth, each = max(steps // 10, 1), np.arange(batch)
    for mark, first in zip(marks, (tenth, 4 * tenth), strict=True):
        symbols[rng.integers(first, first + tenth, batch), each] = 4 + mark
    return np.eye(6, dtype=np.float32)[symbols], 2 * marks[0] + marks[1]


def coins(rng: Rng, steps: int, batch: int) -> tuple[Array, Array]:
    """Bits x(t) (steps, batch, 1), and y(t) = x(t) xor a coin, one for each sequence.

    The coin is nowhere in x: given x alone each y(t) is a guess, ln 2 nats a step. Once
    y(1) is known all others are certain, so ln 2 for the whole sequence is enough.

    >>> xs, ys = coins(np.random.default_rng(0), steps=5, batch=2)
    >>> (xs[..., 0] != ys).T.tolist()  # a row for each sequence, one coin each
    [[True, True, True, True, True], [True, True, True, True, True]]
    """
    bits = rng.integers(0, 2, (steps, batch))
    return bits[..., None].astype(np.float32), bits ^ rng.integers(0, 2, batch)


def copying_bits(
    rng: Rng, items: int, batch: int, width: int = 6, steps: int | None = None
) -> tuple[Array, Array, Array]:
    """Random rows of bits, a signal, and then the same rows again (Graves 2014).

    Inputs (steps, batch, width + 1), the last feature being the signal, 1 once the rows
    are over: a row may be all zeros. Targets (steps, batch, width), and a mask (steps,
    batch), 1 where the rows are to be said. There are 2 items + 1 steps, or more where
    ``steps`` asks for them.

    >>> xs, ys, mask = copying_bits(np.random.default_rng(0), items=2, batch=1, width=3)
    >>> xs.shape, ys.shape, mask[:, 0].tolist()
    ((5, 1, 4), (5, 1, 3), [0.0, 0.0, 0.0, 1.0, 1.0])
    >>> bool((ys[3:] == xs[:2, :, :3]).all())
    True
    """
    steps = 2 * items + 1 if steps is None else steps
    bits = rng.integers(0, 2, (items, batch, width))
    xs = np.zeros((steps, batch, width + 1), np.float32)
    ys = np.zeros((steps, batch, width), np.float32)
    mask = np.zeros((steps, batch), np.float32)
    xs[:items, :, :width], xs[items:, :, width] = bits, 1
    ys[items + 1 : 2 * items + 1], mask[items + 1 : 2 * items + 1] = bits, 1
    return xs, ys, mask


def parity(rng: Rng, steps: int, batch: int) -> tuple[Array, Array]:
    """Bits (steps, batch, 1), and whether there were an odd number of ones so far.

    >>> xs, ys = parity(np.random.default_rng(0), steps=6, batch=1)
    >>> xs[:, 0, 0].tolist(), ys[:, 0].tolist()
    ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [1, 0, 1, 1, 1, 1])
    """
    bits = rng.integers(0, 2, (steps, batch))
    return bits[..., None].astype(np.float32), np.cumsum(bits, 0) % 2


def flip_flop(
    rng: Rng, steps: int, batch: int, bits: int = 2, rate: float = 0.2
) -> tuple[Array, Array]:
    """Pulses x(t) of -1 or 1, each bit's own, and y(t), the last pulse of each bit.

    (Sussillo and Barak 2013.) Inputs and targets (steps, batch, bits). Every bit has a
    pulse at the first step, and later ones with probability ``rate``, 0 between them.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> xs, ys = flip_flop(np.random.default_rng(1), steps=8, batch=1, bits=1)
    >>> xs[:, 0, 0].tolist()
    [-1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0]
    >>> ys[:, 0, 0].tolist()
    [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0]
    """
    rate = within("rate", rate, "[0, 1]")
    signs = rng.choice([-1, 1], (steps, batch, bits))
    pulses = np.where(rng.random(signs.shape) < rate, signs, 0)
    pulses[0] = signs[0]
    since = np.where(pulses != 0, np.arange(steps)[:, None, None], 0)
    last = np.maximum.accumulate(since, axis=0)
    held = np.take_along_axis(pulses, last, axis=0)
    return pulses.astype(np.float32), held.astype(np.float32)


def temporal_xor(rng: Rng, bits: int) -> Array:
    """b1, b2, b1 xor b2, b3, ...: every third bit follows from the two before.

    (Elman 1990.) Shape (bits,), a multiple of three.

    >>> bits = temporal_xor(np.random.default_rng(0), 9).reshape(3, 3)
    >>> bits.tolist()
    [[1, 1, 0], [1, 0, 1], [0, 0, 0]]
    """
    pairs = rng.integers(0, 2, (bits // 3, 2))
    return np.column_stack([pairs, pairs[:, 0] ^ pairs[:, 1]]).ravel()


# Consonant, vowel, interrupted, high, back, voiced (Elman 1990, table 1).
LETTERS = {
    "b": (1, 0, 1, 0, 0, 1),
    "d": (1, 0, 1, 1, 0, 1),
    "g": (1, 0, 1, 0, 1, 1),
    "a": (0, 1, 0, 0, 1, 1),
    "i": (0, 1, 0, 1, 0, 1),
    "u": (0, 1, 0, 1, 1, 1),
}


def letters(rng: Rng, consonants: int) -> tuple[str, Array]:
    """A random row of ba, dii and guuu: the text, and its features (letters, 6).

    (Elman 1990.) Which consonant comes is chance; all that follows it is certain.

    >>> text, features = letters(np.random.default_rng(0), 3)
    >>> text, features.shape
    ('guuudiidii', (10, 6))
    """
    text = "".join(rng.choice(["ba", "dii", "guuu"], consonants))
    return text, np.array([LETTERS[c] for c in text], np.float32)


def reber(rng: Rng) -> str:
    """A string of the Reber grammar, each branch with probability 1/2.

    >>> reber(np.random.default_rng(0))[0], legal("BTXSE"), legal("BTXPE")
    ('B', True, False)
    """
    state, text = 0, ""
    while REBER_STATES[state]:
        symbols = sorted(REBER_STATES[state])
        symbol = symbols[int(rng.integers(len(symbols)))]
        text, state = text + symbol, REBER_STATES[state][symbol]
    return text


def following(text: str) -> list[set[str]]:
    """After each symbol of a Reber string, those that may come next.

    Raises ValueError for any other text.

    >>> [sorted(s) for s in following("BT")]
    [['P', 'T'], ['S', 'X']]
    """
    state, found = 0, []
    for symbol in text:
        if symbol not in REBER_STATES[state]:
            raise ValueError(f"{text!r} is no string of the Reber grammar")
        state = REBER_STATES[state][symbol]
        found.append(set(REBER_STATES[state]))
    return found


def legal(text: str) -> bool:
    """Whether a text is a whole string of the Reber grammar.

    >>> legal('BTXSE'), legal('BTXS'), legal('')
    (True, False, False)
    """
    try:
        return bool(text) and not following(text)[-1]
    except ValueError:
        return False


def embedded_reber(rng: Rng) -> str:
    """B, T or P, a Reber string, the same T or P, E: the second symbol must be kept.

    >>> embedded_reber(np.random.default_rng(0))
    'BPBTXSEPE'
    """
    which = "TP"[int(rng.integers(2))]
    return f"B{which}{reber(rng)}{which}E"


def embedded_following(text: str) -> list[set[str]]:
    """After each symbol of an embedded Reber string, those that may come next.

    >>> [sorted(s) for s in embedded_following('BTBTXSETE')][-3:]
    [['T'], ['E'], []]
    """
    inner = following(text[2:-2])
    return [{"T", "P"}, {"B"}, *inner[:-1], {text[1]}, {"E"}, set()]


def sine(steps: int, period: float = 20.0, outputs: int = 1) -> Array:
    """sin, or sin and cos, of a regular rotation: (steps, 1, outputs) float32.

    >>> sine(5, period=4).round(3)[:, 0, 0].tolist()
    [0.0, 1.0, 0.0, -1.0, -0.0]
    >>> sine(5, outputs=2).shape
    (5, 1, 2)
    """
    angle = 2 * np.pi * np.arange(steps) / period
    both = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return both[:, None, :outputs].astype(np.float32)


def waveform(rng: Rng, steps: int) -> Array:
    """Sines of periods 7, 23 and 71, each with a phase of its own: (steps, 1, 1).

    Scaled to mean 0 and variance 1, so that saying 0 has a squared error of 1.

    >>> y = waveform(np.random.default_rng(0), 160)
    >>> y.shape, bool(abs(y.mean()) < 1e-6), bool(abs(y.var() - 1) < 1e-5)
    ((160, 1, 1), True, True)
    """
    t, periods = np.arange(steps)[:, None], np.array([7, 23, 71])
    y = np.sin(2 * np.pi * (t / periods + rng.random(3))).sum(-1)
    wave: Array = (y - y.mean()) / y.std()
    return wave.astype(np.float32)[:, None, None]


def mackey_glass(steps: int, tau: float = 17.0, start: float = 1.2) -> Array:
    """dx/dt = 0.2 x(t-τ) / (1 + x(t-τ)^10) - 0.1 x(t), sampled once a unit of time.

    (Mackey and Glass 1977.) Runge-Kutta of order 4 with dt = 0.1; x is 0 before 0.

    >>> mackey_glass(3).round(4).tolist()
    [1.2, 1.0858, 0.9825]
    """
    per, delay = 10, round(tau * 10)
    dt, x = 0.1, np.zeros(steps * per + 1)
    x[0] = start

    def slope(now: float, past: float) -> float:
        return 0.2 * past / (1 + past**10) - 0.1 * now

    for i in range(steps * per):
        a = x[i - delay] if i >= delay else 0.0
        b = x[i + 1 - delay] if i + 1 >= delay else 0.0
        mid = (a + b) / 2
        k1 = slope(x[i], a)
        k2 = slope(x[i] + dt / 2 * k1, mid)
        k3 = slope(x[i] + dt / 2 * k2, mid)
        k4 = slope(x[i] + dt * k3, b)
        x[i + 1] = x[i] + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[:-1:per]


def promoter_like(
    rng: Rng, count: int, kept: float = 0.8
) -> tuple[list[str], Array, Array]:
    """Random DNA of 57 letters; half of it has TTGACA and TATAAT, 17 letters apart.

    Every letter of the two planted motifs is kept with probability ``kept``, else drawn
    at random. Gives the sequences, the classes (1 planted, 0 not), and the log of the
    likelihood ratio that the process itself assigns to the class. Its sign is the best
    possible answer, so its error is the best that is to be had.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> strands, classes, ratio = promoter_like(np.random.default_rng(0), 4, kept=1.0)
    >>> [len(s) for s in strands], classes.tolist(), (ratio > 0).tolist()
    ([57, 57, 57, 57], [0, 1, 0, 1], [False, True, False, True])
    >>> ['ttgaca' in s and 'tataat' in s for s in strands]
    [False, True, False, True]
    """
    kept = within("kept", kept, "[0, 1]")
    boxes, at = ("ttgaca", "tataat"), (12, 35)
    letters = np.array(list(DNA))
    numbers = rng.integers(0, 4, (count, 57))
    classes = rng.integers(0, 2, count)
    shift = rng.integers(-2, 3, count)
    for i in np.flatnonzero(classes):
        for box, place in zip(boxes, at, strict=True):
            planted = np.array([DNA.index(c) for c in box])
            keep = rng.random(6) < kept
            where = slice(place + shift[i], place + shift[i] + 6)
            numbers[i, where] = np.where(keep, planted, numbers[i, where])
    # P(letter | planted) / (1/4), averaged over the five places it may have.
    hit, miss = 4 * (kept + (1 - kept) / 4), 1 - kept
    ratios = []
    for s in range(-2, 3):
        ratio = np.ones(count)
        for box, place in zip(boxes, at, strict=True):
            planted = np.array([DNA.index(c) for c in box])
            same = numbers[:, place + s : place + s + 6] == planted
            ratio *= np.where(same, hit, miss).prod(1)
        ratios.append(ratio)
    with np.errstate(divide="ignore"):  # -inf where kept = 1 rules the motifs out
        best = np.log(np.mean(ratios, axis=0))
    return ["".join(row) for row in letters[numbers]], classes, best
