"""Nested expressions, ((0|1)^(1&0)): what they come to, by trees and by texts.

Trained on expressions of up to four operations deep, tested on unseen ones up to twice
as deep. The recursive network is given the tree and needs one rule for one node. A
network that reads the text from left to right must find and remember the nesting.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from minigrad.data import one_hot
from minigrad.data.expressions import SYMBOLS, expression, tokens
from minigrad.fold import contract
from minigrad.models import ManyToOne, Recursive
from minigrad.models.recursive import forest
from minigrad.nn.losses import cross_entropy
from minigrad.nn.recurrent import masks
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import tensor

MODELS = ("recursive", "many-to-one")
TAUGHT, DEEPEST = 4, 8
# The longest text of a taught depth: 2^4 values, 2^4 - 1 operations, as many pairs.
LONGEST = 4 * 2**TAUGHT - 3


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh expressions, test on 500 others of every depth."""
    rng = np.random.default_rng(options.seed)
    name, model = _made(options, rng)

    def given(trees: list[Any], steps: int | None = None) -> tuple[Any, ...]:
        if isinstance(model, Recursive):
            return (forest(trees),)
        return _texts(trees, steps)

    def batch(count: int) -> tuple[Any, ...]:
        trees, ys = _expressions(rng, range(1, TAUGHT + 1), count)
        return (*given(trees, LONGEST), ys)

    def loss(*batch: Any) -> Any:
        if isinstance(model, Recursive):
            return model.loss(*batch)
        xs, mask, ys = batch
        return model.loss(xs, ys, lengths=mask)

    valid = batch(500)
    learn(
        "expressions",
        # Each batch of trees has levels of its own sizes: a program would serve one.
        replace(options, eager=options.eager or isinstance(model, Recursive)),
        model,
        loss,
        lambda: loss_of(loss, *valid),
        batches=partial(batch, 64),
        lr=cosine(0.003, options.steps, 0.0003),
        every=100,
        also={"rng": rng},
        about={"vocabulary": SYMBOLS},
    )
    found = {}
    for depth in range(1, DEEPEST + 1):
        trees, ys = _expressions(rng, [depth], 500)
        xs, *mask = given(trees)
        o = answer_of(model, xs, **({"lengths": mask[0]} if mask else {}))
        found[f"depth {depth}"] = float((o.argmax(-1) == ys).mean())
    _picture(options, model)
    deeper = [found[f"depth {d}"] for d in range(TAUGHT + 1, DEEPEST + 1)]
    found |= {"deeper": float(np.mean(deeper))}
    report(
        f"expressions, taught to depth {TAUGHT}: right of 500 unseen",
        [str(d) for d in range(1, DEEPEST + 1)],
        {
            f"this network ({name})": [found[f"depth {d + 1}"] for d in range(8)],
            "chance": [0.5] * 8,
        },
    )
    return found


def _made(
    options: Options, rng: np.random.Generator
) -> tuple[str, Recursive | ManyToOne]:
    """The network and what the report calls it."""
    name, n_hidden = options.model or MODELS[0], options.hidden or 48
    if name == "recursive":
        return name, made(Recursive, 5, n_hidden, 2, rng=rng)
    cell = options.cell or "gru"
    reader = made(ManyToOne, len(SYMBOLS), n_hidden, 2, rng=rng, cell=cell)
    return f"{name}, {cell}", reader


def _expressions(
    rng: np.random.Generator, depths: Any, count: int
) -> tuple[list[Any], np.ndarray]:
    pairs = [expression(rng, int(d)) for d in rng.choice(list(depths), count)]
    return [tree for tree, _ in pairs], np.array([value for _, value in pairs])


def _texts(trees: list[Any], steps: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (steps, batch, 7) and their mask, for a network that reads texts."""
    texts = [tokens(tree) for tree in trees]
    lengths = [len(t) for t in texts]
    steps = steps or max(lengths)
    numbers = np.zeros((steps, len(texts)), int)
    for i, t in enumerate(texts):
        numbers[: len(t), i] = t
    return one_hot(numbers, len(SYMBOLS)), masks(lengths, steps)


def _picture(options: Options, model: Recursive | ManyToOne) -> None:
    tree = ((4, ((3, 0), 1)), 1)
    if isinstance(model, Recursive):
        y = tensor([0], name="y")
        loss = contract(cross_entropy(model.of_tree(tree), y).named("L"))
        picture(options, loss, "ops")
    else:
        xs, _ = _texts([tree], None)
        picture(options, model.loss(xs, np.array([0])))


TASK = Task(
    name="expressions",
    summary="what nested expressions come to, deeper than was taught (trees)",
    steps=2000,
    run=run,
    models=MODELS,
    takes=("cell", "hidden"),
)
