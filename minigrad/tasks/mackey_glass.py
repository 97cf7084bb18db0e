"""Mackey-Glass, τ = 17: six steps ahead, from all the steps before.

The measure is the root mean square error over the series' deviation (NDEI). A linear
forecast from x(t), x(t-6), x(t-12), x(t-18) is the baseline. ``--model echo-state``
trains nothing but the read-out, by least squares, in one step.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigrad.data import standardise, streams
from minigrad.data.generators import mackey_glass
from minigrad.models import EchoState, ManyToMany
from minigrad.nn.losses import mse
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, picture, report, save_run
from minigrad.tasks.task import Options, Task

AHEAD, SETTLE = 6, 30
MODELS = ("many-to-many", "echo-state")


def run(options: Options) -> Mapping[str, float]:
    """Train on steps 1-1000, validate on 1001-1500, test on 1501-2500."""
    values, mean, deviation = standardise(mackey_glass(2500), slice(0, 1000))
    about = {"scaling": {"mean": mean, "deviation": deviation}, "ahead": AHEAD}
    s = values.astype(np.float32)
    rng = np.random.default_rng(options.seed)

    def error(model: Forecaster, first: int, last: int) -> float:
        o = answer_of(model, s[first : last - AHEAD, None, None])[SETTLE:, 0, 0]
        truth = s[first + AHEAD + SETTLE : last]
        return float(np.sqrt(np.square(o - truth).mean()) / truth.std())

    if options.model == "echo-state":
        if options.lr is not None:
            raise ValueError("echo-state is solved, not trained: it takes no --lr")
        name, model = _echo_state(options, s, rng, error, about)
    else:
        name, model = _trained(options, s, rng, error, about)
    found = {"NDEI": error(model, 1500, 2500)}
    report(
        "Mackey-Glass, six steps ahead",
        "NDEI",
        {
            f"this network ({name}), 1,000 unseen": found["NDEI"],
            "linear, 4 taps": _linear(values),
            "as it is now": _now(values),
            "published (Jang 1993): linear": 0.55,
            "published: back-propagation net": 0.02,
            "published: ANFIS": 0.007,
        },
    )
    return found


Forecaster = ManyToMany | EchoState
Error = Callable[[Forecaster, int, int], float]


def _trained(
    options: Options,
    s: np.ndarray,
    rng: np.random.Generator,
    error: Error,
    about: Mapping[str, Any],
) -> tuple[str, Forecaster]:
    cell = options.cell or "gru"
    model = made(ManyToMany, 1, options.hidden or 20, 1, rng=rng, loss=mse, cell=cell)
    # Ten pieces of a hundred, read side by side.
    x, y = (streams(part, 10)[..., None] for part in (s[: 1000 - AHEAD], s[AHEAD:1000]))
    learn(
        "mackey-glass",
        options,
        model,
        model.loss,
        lambda: error(model, 1000, 1500),
        batches=(x, y),
        lr=cosine(0.01, options.steps, 0.0005),
        about=about,
    )
    picture(options, model.loss(x[:9, :1], y[:9, :1]))
    return f"{MODELS[0]}, {cell}", model


def _echo_state(
    options: Options,
    s: np.ndarray,
    rng: np.random.Generator,
    error: Error,
    about: Mapping[str, Any],
) -> tuple[str, Forecaster]:
    """The best of three leaks and two radii on the validation steps."""
    best: list[tuple[float, EchoState]] = []
    n = options.hidden or 300
    for radius in (0.9, 1.1):
        for leak in (0.0, 0.3, 0.6):
            model = made(EchoState, 1, n, 1, rng=rng, radius=radius, leak=leak)
            x, y = s[: 1000 - AHEAD, None, None], s[AHEAD:1000, None, None]
            model.solve(x, y, settle=SETTLE)
            best.append((error(model, 1000, 1500), model))
    _, model = min(best, key=lambda pair: pair[0])
    save_run(options, model, {"task": "mackey-glass", **about})
    picture(options, model(s[:9, None, None]))
    return MODELS[1], model


def _linear(s: np.ndarray) -> float:
    taps = np.column_stack([s[18 - d : len(s) - AHEAD - d] for d in (0, 6, 12, 18)])
    taps = np.column_stack([taps, np.ones(len(taps))])
    y = s[18 + AHEAD :]
    weights = np.linalg.lstsq(taps[:900], y[:900], rcond=None)[0]
    truth = y[1500:]
    return float(np.sqrt(np.square(taps[1500:] @ weights - truth).mean()) / truth.std())


def _now(s: np.ndarray) -> float:
    truth = s[1500 + AHEAD :]
    return float(np.sqrt(np.square(s[1500:-AHEAD] - truth).mean()) / truth.std())


TASK = Task(
    name="mackey-glass",
    summary="a chaotic series, six steps ahead",
    steps=5000,
    run=run,
    models=MODELS,
    takes=("cell", "hidden"),
)
