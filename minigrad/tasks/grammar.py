"""How likely is a Reber string: an exact log-likelihood, and strings drawn from it.

The networks are distributions over strings, and so is the grammar: how many nats a
string has by the grammar itself is known, and no distribution has fewer on average. The
first three models are ways to end a string. The last two are asked for its first five
symbols alone, which every string has: by a table of every past, and through h.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.data.generators import REBER, REBER_STATES, legal, reber
from minigrad.mode import no_grad
from minigrad.models import FullyConnected, SequenceModel
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.session import learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task

MODELS = ("symbol", "stop", "length", "fully-connected", "through-h")
TAUGHT, LONGEST, CUT = 200, 40, 5


def run(options: Options) -> Mapping[str, float]:
    """Train on 200 strings, test on 1,000 others; draw 1,000 from the network."""
    rng = np.random.default_rng(options.seed)
    name = options.model or MODELS[0]
    cut = CUT if name in MODELS[3:] else None
    model = _made(name, cut, options.hidden or 16, rng)
    taught, valid, test = (_strings(rng, n, cut) for n in (TAUGHT, 200, 1000))

    def given(strings: list[str]) -> tuple[Any, ...]:
        numbers = [[REBER.index(c) for c in s] for s in strings]
        if isinstance(model, FullyConnected):
            return (np.array(numbers).T,)
        return model.arrays(numbers)

    def nats(strings: list[str]) -> float:
        return loss_of(model.loss, *given(strings))

    batch = given(taught)
    learn(
        "grammar",
        options,
        model,
        model.loss,
        lambda: nats(valid),
        batches=batch,
        lr=cosine(0.02, options.steps, 0.002),
        every=20,
        about={"vocabulary": REBER},
    )
    drawn = _drawn(model, rng)
    right = [legal(s) if cut is None else _begins(s) for s in drawn]
    if isinstance(model, FullyConnected):
        ys = model.ancestral(1, rng)
    else:
        ys = model.ancestral(CUT, 1, rng, lengths=[CUT])
    picture(options, ys)
    found = {
        "nats": nats(test),
        "legal": float(np.mean(right)),
        "parameters": float(sum(p.size for p in model.parameters())),
    }
    columns = ["nats a string", "legal drawn", "parameters"]
    exact = float(np.mean([_nats(s) for s in test]))
    report(
        f"Reber strings, {TAUGHT} taught" + (f", {cut} symbols of each" if cut else ""),
        columns,
        {
            f"this network ({name}), 1,000 unseen": [
                *list(found.values())[:2],
                f"{found['parameters']:.0f}",
            ],
            "the grammar itself": [exact, 1.0, ""],
        },
    )
    print("drawn:", " ".join(drawn[:6]))
    return found


def _made(
    name: str, cut: int | None, n_hidden: int, rng: np.random.Generator
) -> SequenceModel | FullyConnected:
    if name == "fully-connected":
        return made(FullyConnected, len(REBER), CUT, rng=rng)
    end, longest = ("length", cut) if cut else (name, LONGEST)
    return made(SequenceModel, len(REBER), n_hidden, rng=rng, end=end, longest=longest)


def _strings(rng: np.random.Generator, count: int, cut: int | None) -> list[str]:
    """Strings of at most ``LONGEST`` symbols, or the first symbols of them."""
    found: list[str] = []
    while len(found) < count:
        string = reber(rng)
        if len(string) <= LONGEST:
            found.append(string[:cut])
    return found


def _nats(string: str) -> float:
    """-log of how likely the grammar makes a string, or the beginning of one."""
    state, nats = 0, 0.0
    for symbol in string:
        nats += float(np.log(len(REBER_STATES[state])))
        state = REBER_STATES[state][symbol]
    return nats


def _begins(string: str) -> bool:
    """Whether the grammar has strings that begin so."""
    state: int | None = 0
    for symbol in string:
        state = None if state is None else REBER_STATES[state].get(symbol)
    return state is not None


def _drawn(
    model: SequenceModel | FullyConnected, rng: np.random.Generator
) -> list[str]:
    """A thousand strings that the model draws."""
    if isinstance(model, FullyConnected):
        with no_grad():
            columns = np.stack([y.data for y in model.ancestral(1000, rng)]).T
        return ["".join(REBER[k] for k in column) for column in columns]
    return ["".join(REBER[k] for k in s) for s in model.drawn(1000, rng)]


TASK = Task(
    name="grammar",
    summary="how likely is a Reber string, and draw some (figures 10.7 and 10.8)",
    steps=400,
    run=run,
    models=MODELS,
    takes=("hidden",),
)
