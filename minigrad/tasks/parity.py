"""Running parity by a network that remembers only what it said (OutputFeedback).

y(t) = x(1) xor ... xor x(t) is a whole state: with y(t-1) and x(t), y(t) is known. So
teacher forcing is enough, no gradient runs along time, and what was learnt on length 20
holds closed loop at length 100.
"""

from collections.abc import Mapping

import numpy as np

from minigrad.data.generators import parity
from minigrad.models import OutputFeedback
from minigrad.tasks.session import learn, picture, table
from minigrad.tasks.task import Options, Task


def run(options: Options) -> Mapping[str, float]:
    """Train by teacher forcing, test closed loop on 500 sequences of 100 bits."""
    rng = np.random.default_rng(options.seed)
    length = options.length or 20
    model = OutputFeedback(1, options.hidden or 8, 2, rng=rng, fed="best")
    valid, test = parity(rng, length, 200), parity(rng, 100, 500)

    def wrong(xs: np.ndarray, ys: np.ndarray) -> float:
        return float((model.continued(xs).argmax(-1) != ys).mean())

    learn(
        "parity",
        options,
        model,
        model.loss,
        lambda: model.loss(*valid).item(),
        batch=lambda: parity(rng, length, 32),
        lr=0.02,
        also={"rng": rng},
    )
    picture(options, model.loss(*parity(rng, 9, 1)))
    found = {"accuracy": 1 - wrong(*test)}
    print(
        table(
            f"parity: right of 100 steps, closed loop, trained on {length}",
            "accuracy",
            {"this network, 500 unseen sequences": found["accuracy"], "chance": 0.5},
        )
    )
    return found


TASK = Task(
    name="parity",
    summary="say at each step whether the ones so far are odd (output feedback)",
    steps=500,
    run=run,
    takes=("hidden", "length"),
)
