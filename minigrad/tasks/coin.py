"""A coin that x does not show: y(t) = x(t) xor the coin, one for a whole sequence.

A network that says y from x alone (figure 10.3) cannot do better than ln 2 at every
step. One that is told y(t-1) (figure 10.10) must guess the first y alone.
"""

from collections.abc import Mapping

import numpy as np

from minigrad.data.generators import coins
from minigrad.models import Conditional, ManyToMany
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task

MODELS = ("conditional", "many-to-many")


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh sequences; test on 1,000 others, and on what it draws itself."""
    rng = np.random.default_rng(options.seed)
    length = options.length or 20
    name, n_hidden = options.model or MODELS[0], options.hidden or 8
    model: Conditional | ManyToMany
    if name == "conditional":
        model = made(Conditional, 1, n_hidden, 2, rng=rng)
    else:
        model = made(ManyToMany, 1, n_hidden, 2, rng=rng)
    valid, test = coins(rng, length, 200), coins(rng, length, 1000)

    def nats(xs: np.ndarray, ys: np.ndarray) -> float:
        return length * loss_of(model.loss, xs, ys)

    learn(
        "coin",
        options,
        model,
        model.loss,
        lambda: nats(*valid),
        batches=lambda: coins(rng, length, 32),
        lr=0.01,
        also={"rng": rng},
    )
    picture(options, model.loss(*coins(rng, 9, 1)))
    found = {
        "nats": nats(*test),
        "of one coin": float(_of_one_coin(model, test[0], rng).mean()),
    }
    report(
        f"coin, {length} steps",
        ["nats a sequence", "of one coin"],
        {
            f"this network ({name}), 1,000 unseen": list(found.values()),
            "a guess at every step": [length * np.log(2), 2.0 ** (1 - length)],
            "the best that there is": [np.log(2), 1.0],
        },
    )
    return found


def _of_one_coin(
    model: Conditional | ManyToMany, xs: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Of which sequences drawn from the model all steps agree with one coin."""
    drawn: list[np.ndarray] = []

    def say(o: np.ndarray) -> np.ndarray:
        # The largest of o + Gumbel noise is a draw from softmax o.
        drawn.append((o + rng.gumbel(size=o.shape)).argmax(-1))
        return drawn[-1]

    if isinstance(model, Conditional):
        model.continued(xs, say)
    else:
        for o in answer_of(model, xs):
            say(o)
    found = np.stack(drawn) != xs[..., 0]
    same: np.ndarray = (found == found[0]).all(0)
    return same


TASK = Task(
    name="coin",
    summary="say x or its opposite, the same all along (figures 10.3 and 10.10)",
    steps=1000,
    run=run,
    models=MODELS,
    takes=("hidden", "length"),
)
