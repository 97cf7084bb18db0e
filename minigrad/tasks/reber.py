"""Reber grammars: after each symbol, which ones may follow (Cleeremans 1989).

A string counts as legal when at every step all symbols that may follow score above all
that may not. In the embedded grammar the second symbol comes again at the end, past a
whole Reber string: there an Elman net needs the gradient of full back-propagation
through time, and with ``--truncate 1``, Elman's own rule, it fails (Hochreiter and
Schmidhuber 1997, table 1).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minigrad.data import one_hot, pad
from minigrad.data.generators import (
    REBER,
    embedded_following,
    embedded_reber,
    following,
    reber,
)
from minigrad.models import ManyToMany
from minigrad.nn.recurrent import masks
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor

BATCH = 4
# Hidden units for the embedded grammar. 16 and a rate of 0.02 for the LSTM, of nine
# settings those that nine other seeds learnt from the fewest strings.
_UNITS = {"elman": 15, "lstm": 16, "gru": 16}
Grammar = tuple[Callable[..., str], Callable[[str], list[set[str]]]]


class Strings:
    """Strings side by side: inputs, targets, lengths, and what may follow."""

    def __init__(self, texts: list[str], allowed: list[list[set[str]]]) -> None:
        codes = [np.array([REBER.index(c) for c in text]) for text in texts]
        xs, self.lengths = pad([c[:-1] for c in codes])
        self.xs = one_hot(xs, len(REBER))
        self.ys, _ = pad([c[1:] for c in codes])
        self.may = np.zeros(self.xs.shape, bool)
        for i, steps in enumerate(allowed):
            for t, symbols in enumerate(steps[:-1]):
                self.may[t, i, [REBER.index(s) for s in symbols]] = True

    def legal(self, model: ManyToMany) -> float:
        """The share of strings that are legal from end to end."""
        o = answer_of(model, self.xs)
        worst = np.where(self.may, o, np.inf).min(-1)
        best = np.where(self.may, -np.inf, o).max(-1)
        inside = np.arange(len(o))[:, None] < self.lengths
        return float(((worst > best) | ~inside).all(0).mean())

    def last(self, model: ManyToMany) -> float:
        """How often the T or P before the final E is right."""
        o, each = answer_of(model, self.xs), np.arange(len(self.lengths))
        o = o[self.lengths - 2, each][:, [REBER.index("T"), REBER.index("P")]]
        truth = self.may[self.lengths - 2, each, REBER.index("P")]
        return float((o.argmax(-1) == truth).mean())


def drawn(rng: np.random.Generator, grammar: Grammar, count: int) -> Strings:
    """``count`` random strings of a grammar."""
    make, allowed = grammar
    texts = [make(rng) for _ in range(count)]
    return Strings(texts, [allowed(text) for text in texts])


def run(options: Options, embedded: bool) -> Mapping[str, float]:
    """Train on fresh strings until 256 for validation are legal; test on 256 others."""
    rng = np.random.default_rng(options.seed)
    name = "embedded-reber" if embedded else "reber"
    grammar = (embedded_reber, embedded_following) if embedded else (reber, following)
    valid, test = (drawn(rng, grammar, 256) for _ in range(2))
    cell = options.cell or ("lstm" if embedded else "elman")
    n_hidden = options.hidden or (_UNITS[cell] if embedded else 8)
    model = made(ManyToMany, 7, n_hidden, 7, rng=rng, cell=cell)

    def batch() -> tuple[np.ndarray, ...]:
        new = drawn(rng, grammar, BATCH)
        return new.xs, new.ys, masks(new.lengths, len(new.xs))

    def loss(xs: Any, ys: Any, mask: Any) -> Tensor:
        return model.loss(xs, ys, lengths=mask, truncate=options.truncate)

    def unlearnt() -> float:
        """The share of strings that are not legal; the loss decides among equals."""
        error = loss_of(partial(model.loss, lengths=valid.lengths), valid.xs, valid.ys)
        return float(1 - valid.legal(model) + error / 10_000)

    history = learn(
        name,
        options,
        model,
        loss,
        unlearnt,
        batches=batch,
        lr=0.01 if embedded and cell == "elman" else 0.02,
        every=25,
        patience=None,
        also={"rng": rng},
        about={"vocabulary": REBER},
    )
    picture(options, loss(*batch()))
    learnt = [BATCH * p.step for p in history.steps if p.validation < 1 / 256]
    found = {"legal": test.legal(model)}
    heads = ["legal", "strings"]
    cells: list[float | str] = [found["legal"], "never"]
    if learnt:
        found["strings"] = float(learnt[0])
        cells[1] = str(learnt[0])
    if embedded:
        found["last T or P"] = test.last(model)
        heads, cells = [*heads, "last T or P"], [*cells, found["last T or P"]]
    rows: dict[str, Sequence[float | str]] = {
        f"this network ({cell} {n_hidden}), 256 unseen": cells
    }
    if embedded:
        rows |= {
            "chance": ["", "", 0.5],
            "published (1997): Elman net": ["0.0000", "> 200000", ""],
            "published (1997): LSTM": ["1.0000", "8440", ""],
        }
    else:
        rows["published (1989): Elman net, 3 units"] = ["1.0000", "60000"]
    report(name, heads, rows)
    return found


TASKS = tuple(
    Task(
        name="embedded-reber" if embedded else "reber",
        summary=(
            "the same, with a symbol to remember to the end"
            if embedded
            else "which symbols may follow in a Reber string"
        ),
        steps=3750 if embedded else 500,
        run=partial(run, embedded=embedded),
        takes=("cell", "hidden", "truncate"),
    )
    for embedded in (False, True)
)
