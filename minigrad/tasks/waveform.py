"""Say a given wave by heart, from a single pulse at its start (Koutník 2014).

The wave is a sum of fast and slow sines. It is one wave, and the error is that on it:
what is asked is whether a network can hold it, and there is no other one to test on.
The networks have about as many parameters as each other.
"""

from collections.abc import Mapping

import numpy as np

from minigrad.data.generators import waveform
from minigrad.models import Clockwork, ManyToMany
from minigrad.nn.losses import mse
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.session import learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task

MODELS = ("clockwork", "many-to-many")
PERIODS = (1, 2, 4, 8, 16)


def run(options: Options) -> Mapping[str, float]:
    """Train on the wave and report the error on it."""
    rng = np.random.default_rng(options.seed)
    length, name = options.length or 160, options.model or MODELS[0]
    model: Clockwork | ManyToMany
    if name == "clockwork":
        n_group = options.hidden or 8
        model = made(Clockwork, 1, n_group, 1, rng=rng, periods=PERIODS, loss=mse)
    else:
        cell = options.cell or "elman"
        n_hidden = options.hidden or {"lstm": 15, "gru": 17}.get(cell, 31)
        model = made(ManyToMany, 1, n_hidden, 1, rng=rng, loss=mse, cell=cell)
        name = f"{name}, {cell}"
    y = waveform(rng, length)
    pulse = np.zeros_like(y)
    pulse[0] = 1

    learn(
        "waveform",
        options,
        model,
        model.loss,
        lambda: loss_of(model.loss, pulse, y),
        batches=(pulse, y),
        lr=cosine(0.005, options.steps, 0.0003),
        every=20,
    )
    # The circuit of two groups, which is the same in small: five are 8,000 pixels wide.
    drawn = model
    if isinstance(model, Clockwork):
        drawn = Clockwork(1, 3, 1, rng=rng, periods=PERIODS[:2], loss=mse)
    silence = np.zeros((9, 1, 1), np.float32)
    picture(options, drawn.loss(silence, silence))
    found = {
        "error": loss_of(model.loss, pulse, y),
        "parameters": sum(p.size for p in model.parameters()),
    }
    report(
        f"a wave of {length} steps, by heart",
        ["squared error", "parameters"],
        {
            f"this network ({name})": [found["error"], str(found["parameters"])],
            "always 0": 1.0,
        },
    )
    return found


TASK = Task(
    name="waveform",
    summary="say a wave of fast and slow sines by heart (Koutník 2014)",
    steps=1000,
    run=run,
    models=MODELS,
    takes=("cell", "hidden", "length"),
)
