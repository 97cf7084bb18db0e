"""Hypothesis strategies of programs: short ones, unrolled networks, those of ``draw``.

>>> from hypothesis import find
>>> program, arguments = find(programs(), lambda drawn: len(drawn[1]) == 2)
>>> len(program.lines), len(arguments)
(1, 2)
"""

from collections.abc import Callable, Collection
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minigrad.ops import elementwise, nn, reduction
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor
from minigrad.testing.strategies import LONGEST, Array, arrays
from tests.programs import draw
from tests.programs.features import features
from tests.programs.listing import Listing

STEPS: dict[str, Callable[..., Any]] = {
    "tanh": elementwise.tanh,
    "sin": elementwise.sin,
    "sigmoid": elementwise.sigmoid,
    "add": elementwise.add,
    "multiply": elementwise.multiply,
    "mean": lambda x: reduction.mean(x, axis=-1, keepdims=True),
    "logsumexp": lambda x: reduction.logsumexp(x, axis=-1, keepdims=True),
    "softmax": nn.softmax,
}


class Program:
    """A drawn program: each line names an op and the earlier values that it takes."""

    def __init__(self, lines: list[tuple[str, tuple[int, ...]]]) -> None:
        self.lines = lines

    def __call__(self, *args: Any) -> Any:
        """Run it on arrays or Tensors; the result is the sum of its last values."""
        values = list(args)
        for name, places in self.lines:
            operands = [values[k % len(values)] for k in places]
            values.append(STEPS[name](*operands))
        return elementwise.add(values[-1], values[len(values) // 2])

    def __repr__(self) -> str:
        return f"Program({self.lines})"


@st.composite
def programs(draw: st.DrawFn, longest: int = 8) -> tuple[Program, list[Array]]:
    """A program with sharing and fan-out, and arguments that it takes."""
    names = st.sampled_from(sorted(STEPS))
    lines = []
    for name in draw(st.lists(names, min_size=1, max_size=longest)):
        count = 2 if name in ("add", "multiply") else 1
        lines.append((name, tuple(draw(st.integers(0, 9)) for _ in range(count))))
    side = draw(st.integers(1, LONGEST))
    args = [draw(arrays((2, side))) for _ in range(draw(st.integers(1, 3)))]
    return Program(lines), args


@st.composite
def unrolls(draw: st.DrawFn) -> Callable[[int], Tensor]:
    """A random recurrent network: from a number of steps to its recorded loss.

    It has an input, a state, up to two skip connections over up to two steps, and a
    loss at every step or at the last one.
    """
    program, _ = draw(programs(longest=3))
    skips = draw(st.lists(st.integers(2, 3), max_size=2))
    gathered = draw(st.booleans())
    seed = draw(st.integers(0, 2**16))

    def run(length: int) -> Tensor:
        rng = np.random.default_rng(seed)
        W = parameter(rng.normal(size=(2, 2)), name="W")
        xs = rng.normal(size=(length, 1, 2))
        start = tensor(np.zeros((1, 2)), name="h0")
        states, losses = [start], []
        for _, x in steps(x=xs):
            h = states[-1] @ W + program(x, states[-1])
            for skip in skips:
                h = h + states[max(0, len(states) - skip)]
            states.append(elementwise.tanh(h).named("h"))
            losses.append(reduction.sum(states[-1] * states[-1]).named("L"))
        return elementwise.add_n(losses) if gathered else losses[-1]  # type: ignore[no-any-return]

    return run


def recurrences(without: Collection[str] = ()) -> st.SearchStrategy[Listing]:
    """Random recurrences as users write them, for ``tests.programs.examine``.

    ``without`` names features (``tests.programs.features``) that none of them has.
    What shrinks is the seed: ``tests.programs.smaller`` shrinks the program.
    """
    return _listings("recurrence", frozenset(without))


def dags(without: Collection[str] = ()) -> st.SearchStrategy[Listing]:
    """Random programs without time: sharing, fan-out, ops of many kinds."""
    return _listings("dag", frozenset(without))


def _listings(kind: str, without: frozenset[str]) -> st.SearchStrategy[Listing]:
    def at(seed: int) -> Listing:
        drawn = (draw(kind, seed, k) for k in count())
        return next(each for each in drawn if not features(each) & without)

    return st.integers(0, 2**16).map(at)
