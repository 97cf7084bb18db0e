"""Names: letter by letter, with an end; nats per letter beside n-grams.

Reads first names of the US census of 1990, or one name a line with ``--data``. 80 % are
for training, 10 % for validation, 10 % for the test, drawn by the seed.
"""

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np

from minigrad.data import Order, Vocabulary, first_names, loaders, one_hot, pad
from minigrad.models import ManyToMany
from minigrad.nn.recurrent import masks
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.ngrams import NGrams
from minigrad.tasks.session import learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tasks.text import sample
from minigrad.tensor import Tensor

END = "\n"


def run(options: Options) -> Mapping[str, float]:
    """Train, measure nats per letter, and make names up."""
    names = loaders.text(options.data).split(END) if options.data else first_names()
    names = [name for name in names if name]
    rng = np.random.default_rng(options.seed)
    shuffled = [names[i] for i in rng.permutation(len(names))]
    vocabulary = Vocabulary(END + "".join(names))
    vocabulary.encode(options.prompt)  # before the work: are these its letters?
    n = len(vocabulary)
    padded, lengths = pad([vocabulary.encode(END + s + END) for s in shuffled])
    lengths = lengths - 1
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    cell = options.cell or "gru"
    model = made(ManyToMany, n, options.hidden or 64, n, rng=rng, cell=cell)
    order = Order(first, options.batch or 64, rng)

    def batch(at: np.ndarray) -> tuple[np.ndarray, ...]:
        longest = int(lengths[at].max())
        xs, ys = padded[:longest, at], padded[1 : longest + 1, at]
        return one_hot(xs, n), ys, masks(lengths[at], longest)

    def loss(xs: Any, ys: Any, mask: Any) -> Tensor:
        return model.loss(xs, ys, lengths=mask)

    def measured(start: int, stop: int) -> float:
        return loss_of(loss, *batch(np.arange(start, stop)))

    learn(
        "names",
        options,
        model,
        loss,
        lambda: measured(first, second),
        batches=lambda: batch(order.next()),
        lr=cosine(0.005, options.steps, 0.0005),
        every=100,
        also={"rng": rng, "order": order},
        about={"vocabulary": vocabulary.symbols},
    )
    picture(options, loss(*batch(np.arange(1))))
    found = {"nats per letter": measured(second, len(names))}
    rows = {f"this network ({cell})": found["nats per letter"]}
    train, test = (END.join(part) for part in (shuffled[:first], shuffled[second:]))
    for k in range(1, 5):
        grams = NGrams(f"{END}{train}{END}", vocabulary.symbols, k)
        # One name at a time, the end counted and the start not.
        total = sum(
            len(f"{name}{END}") * _nats(grams, name) for name in test.split(END)
        )
        rows[f"{k}-gram, Witten-Bell"] = total / (len(test) + 1)
    rows["every symbol alike"] = log(n)
    report("names: letters and end, unseen names", "nats", rows)
    for _ in range(10):
        prompt = END + options.prompt
        said = sample(model, vocabulary, prompt, 20, options.temperature, rng)
        print(said[1:].split(END)[0])
    return found


def _nats(grams: NGrams, name: str) -> float:
    whole = f"{END}{name}{END}"
    back = grams.order - 1
    parts = [
        -log(grams.probability(whole[max(0, i - back) : i], whole[i]))
        for i in range(1, len(whole))
    ]
    return sum(parts) / len(parts)


TASK = Task(
    name="names",
    summary="make up first names letter by letter",
    steps=1500,
    run=run,
    takes=("cell", "hidden", "data", "prompt", "temperature", "batch"),
    reads="one name a line",
)
