"""Running parity by a network that remembers only what it said (OutputFeedback).

y(t) = x(1) xor ... xor x(t) is a whole state: with y(t-1) and x(t), y(t) is known. So
teacher forcing is enough, no gradient runs along time, and what was learnt on length 20
holds closed loop at length 100. ``--model many-to-many`` keeps the state in h(t), and
``linear-recurrence`` cannot: its state only fades.
"""

from collections.abc import Mapping

import numpy as np

from minigrad.data.generators import parity
from minigrad.models import LinearRecurrence, ManyToMany, OutputFeedback
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task

MODELS = ("output-feedback", "many-to-many", "linear-recurrence")


def run(options: Options) -> Mapping[str, float]:
    """Train, by teacher forcing where o feeds back; test on 500 times 100 bits."""
    rng = np.random.default_rng(options.seed)
    length = options.length or 20
    name, n_hidden = options.model or MODELS[0], options.hidden or 8
    model: ManyToMany | OutputFeedback | LinearRecurrence
    if name == "many-to-many":
        model = made(ManyToMany, 1, n_hidden, 2, rng=rng)
    elif name == "linear-recurrence":
        model = made(LinearRecurrence, 1, n_hidden, 2, rng=rng)
    else:
        model = made(OutputFeedback, 1, n_hidden, 2, rng=rng, fed="best")
    valid, test = parity(rng, length, 200), parity(rng, 100, 500)

    def wrong(xs: np.ndarray, ys: np.ndarray) -> float:
        return float((answer_of(model, xs).argmax(-1) != ys).mean())

    learn(
        "parity",
        options,
        model,
        model.loss,
        lambda: loss_of(model.loss, *valid),
        batches=lambda: parity(rng, length, 32),
        lr=0.02,
        also={"rng": rng},
    )
    picture(options, model.loss(*parity(rng, 9, 1)))
    found = {"accuracy": 1 - wrong(*test)}
    report(
        f"parity: right of 100 steps, trained on {length}",
        "accuracy",
        {
            f"this network ({name}), 500 unseen sequences": found["accuracy"],
            "chance": 0.5,
        },
    )
    return found


TASK = Task(
    name="parity",
    summary="say at each step whether the ones so far are odd (output feedback)",
    steps=500,
    run=run,
    models=MODELS,
    takes=("hidden", "length"),
)
