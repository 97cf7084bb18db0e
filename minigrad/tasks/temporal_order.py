"""Temporal order: two marks far back in noise, and which came first (Hochreiter 1997).

The marks lie in the second and the fifth tenth of the sequence, so the answer at its
end needs what was read half a sequence ago and more. On this task the designs for
long-term dependencies stand beside each other (``--model``). ``--flow`` adds the term
of eq. 10.52, which keeps the gradient of a recurrent network from vanishing.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from minigrad.data.generators import temporal_order
from minigrad.models import Clockwork, LinearRecurrence, ManyToOne, SelfAttention
from minigrad.optim import cosine
from minigrad.tasks.networks import TRANSITIONS, made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor
from minigrad.train import information_flow

SYMBOLS, CLASSES = 6, 4
PERIODS = (1, 2, 4, 8)


def _deep(n_hidden: int, rng: np.random.Generator, name: str) -> ManyToOne:
    cell = TRANSITIONS[name]
    return made(ManyToOne, SYMBOLS, n_hidden, CLASSES, rng=rng, cell=cell)


def _clockwork(n_hidden: int, rng: np.random.Generator) -> Clockwork:
    n_group = -(-n_hidden // len(PERIODS))
    return made(
        Clockwork, SYMBOLS, n_group, CLASSES, rng=rng, periods=PERIODS, read="last"
    )


def _linear(n_hidden: int, rng: np.random.Generator) -> LinearRecurrence:
    return made(LinearRecurrence, SYMBOLS, n_hidden, CLASSES, rng=rng, read="last")


def _attention(n_hidden: int, rng: np.random.Generator, order: bool) -> SelfAttention:
    return made(
        SelfAttention, SYMBOLS, n_hidden, CLASSES, rng=rng, order=order, read="last"
    )


Network = ManyToOne | Clockwork | SelfAttention | LinearRecurrence
MODELS: dict[str, Callable[[int, np.random.Generator], Network]] = {
    "many-to-one": lambda n, rng: made(ManyToOne, SYMBOLS, n, CLASSES, rng=rng),
    "deep-transition": partial(_deep, name="deep-transition"),
    "deep-transition-skip": partial(_deep, name="deep-transition-skip"),
    "clockwork": _clockwork,
    "linear-recurrence": _linear,
    "self-attention": partial(_attention, order=True),
    "self-attention-no-order": partial(_attention, order=False),
}


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh sequences, test on 1,000 others."""
    rng = np.random.default_rng(options.seed)
    length, name = options.length or 50, options.model or "many-to-one"
    valid, test = temporal_order(rng, length, 500), temporal_order(rng, length, 1000)
    n_hidden = options.hidden or 32
    if options.cell is not None and name == "many-to-one":
        name = cell = options.cell
        model: Network = made(ManyToOne, SYMBOLS, n_hidden, CLASSES, rng=rng, cell=cell)
    else:
        model = MODELS[name](n_hidden, rng)

    def taught(xs: np.ndarray, y: np.ndarray) -> Tensor:
        value: Tensor = model.loss(xs, y)
        return value + options.flow * information_flow(value) if options.flow else value

    history = learn(
        "temporal-order",
        options,
        model,
        taught,
        lambda: loss_of(model.loss, *valid),
        batches=lambda: temporal_order(rng, length, 32),
        lr=cosine(0.003, options.steps, 0.0003),
        every=100,
        also={"rng": rng},
    )
    # Of every 8th step three are needed to see a period.
    picture(options, model.loss(*temporal_order(rng, max(length, 20), 1)))
    said = answer_of(model, test[0]).argmax(-1)
    found = {"wrong": float((said != test[1]).mean())}
    report(
        f"temporal order, T = {length}, {32 * history.best_step:,} sequences",
        "wrong",
        {
            f"this network ({name}), 1,000 unseen sequences": found["wrong"],
            "chance": 0.75,
            "one of both marks known": 0.5,
        },
    )
    return found


TASK = Task(
    name="temporal-order",
    summary="which two marks came, and in which order (Hochreiter 1997, 6a)",
    steps=2000,
    run=run,
    models=tuple(MODELS),
    takes=("cell", "hidden", "length", "flow"),
)
