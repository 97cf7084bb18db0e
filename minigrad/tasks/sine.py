"""A sine, closed loop: a network must say all of its state, if that is all it hears.

OutputFeedback knows of the past only what it said. One number, sin, does not say
whether it rises or falls, so with one output it must fail. The pair (sin, cos) is the
whole state of a rotation, and with two outputs it holds.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from minigrad.data.generators import sine
from minigrad.models import ManyToMany, OutputFeedback
from minigrad.nn.losses import mse
from minigrad.optim import cosine
from minigrad.tasks.files import rms
from minigrad.tasks.networks import made
from minigrad.tasks.session import learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import tensor

KNOWN, FREE = 20, 100


def run(options: Options) -> Mapping[str, float]:
    """Train all three on a few periods, then let each run on for 100 steps."""
    n_hidden = options.hidden or 10
    rows = {}
    for outputs in (1, 2):
        rng = np.random.default_rng(options.seed)
        # The first value is where it starts; the network says those after it.
        first, *rest = sine(KNOWN + FREE + 1, outputs=outputs)
        start, series = tensor(first, name="o0"), np.stack(rest)
        xs = np.zeros((KNOWN + FREE, 1, 1), np.float32)  # nothing drives it
        model = made(OutputFeedback, 1, n_hidden, outputs, rng=rng, loss=mse)
        learn(
            f"sine, {outputs}",
            _within(options, f"output-feedback-{outputs}"),
            model,
            partial(model.loss, start=start),
            partial(loss_of, partial(model.loss, start=start), xs[:40], series[:40]),
            batches=(xs[:40], series[:40]),
            lr=cosine(0.01, options.steps, 0.0002),
        )
        said = model.continued(xs, known=series[:KNOWN], start=start)
        error = said[KNOWN:, 0, 0] - series[KNOWN:, 0, 0]
        rows[f"output feedback, {outputs} output{'s'[: outputs - 1]}"] = rms(error)
        picture(options, model.loss(xs[:9], series[:9], feedback="free"))
    rng = np.random.default_rng(options.seed)
    series = sine(KNOWN + FREE)
    net = made(ManyToMany, 1, n_hidden, 1, rng=rng, loss=mse)
    learn(
        "sine, hidden",
        _within(options, "many-to-many"),
        net,
        net.loss,
        lambda: loss_of(net.loss, series[:59], series[1:60]),
        batches=(series[:59], series[1:60]),
        lr=cosine(0.01, options.steps, 0.0002),
    )
    said = net.continued(series[:KNOWN], FREE - 1, lambda o: o)
    rows["recurrence between hidden units"] = rms(said[:, 0, 0] - series[KNOWN:, 0, 0])
    report(
        "sine: 100 steps closed loop",
        "RMSE",
        {**rows, "always 0": float(np.sqrt(0.5))},
    )
    return rows


def _within(options: Options, folder: str) -> Options:
    """The same options, with a folder for one network's files."""
    out = options.out / folder
    out.mkdir(exist_ok=True)
    return replace(options, out=out)


TASK = Task(
    name="sine",
    summary="go on with a sine by itself: one output fails, (sin, cos) holds",
    steps=3000,
    run=run,
    takes=("hidden",),
)
