"""What every task does around its own idea: train with records, print a table.

>>> report("adding, T = 50", "squared error", {"this network": 0.002})
adding, T = 50                                squared error
this network                                         0.0020
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.draw import draw
from minigrad.mode import no_grad
from minigrad.models import Bidirectional, ManyToOne, OutputFeedback
from minigrad.nn import Module
from minigrad.optim import Adam, AdamW, Schedule
from minigrad.tasks.files import save_figure
from minigrad.tasks.networks import CHECKPOINT, WEIGHTS, made
from minigrad.tasks.task import Options
from minigrad.train import (
    History,
    Training,
    curves,
    fit,
    save_weights,
    write_log,
)
from minigrad.train.batches import Batches
from minigrad.train.checkpoint import Part
from minigrad.train.progress import Progress
from minigrad.train.tensor_file import read_tensors
from minigrad.train.training import Carry, Loss

# The networks that give one answer to a sequence: --model.
ONE_ANSWER = ("many-to-one", "bidirectional")


def one_answer(
    name: str, *sizes: int, read: str | int, **options: Any
) -> ManyToOne | Bidirectional:
    """A network of that name that reads a sequence and gives one of some classes.

    >>> rng = np.random.default_rng(0)
    >>> one_answer("bidirectional", 2, 3, 4, rng=rng, read="last", cell="gru").read
    'ends'
    """
    if name == "many-to-one":
        return made(ManyToOne, *sizes, read=read, **options)
    read = "ends" if read == "last" else read  # where both nets have read everything
    return made(Bidirectional, *sizes, read=read, **options)


def loss_of(loss: Callable[..., Any], *batch: Any) -> float:
    """The loss of a batch, of which no graph is kept.

    >>> from minigrad.nn.losses import mse
    >>> loss_of(mse, np.zeros((1, 1)), np.full((1, 1), 2.0))
    4.0
    """
    with no_grad():
        return float(loss(*batch).item())


def answer_of(model: Any, xs: Any, **options: Any) -> NDArray[Any]:
    """What a network answers to xs; one that reads its own outputs runs closed loop."""
    if isinstance(model, OutputFeedback):
        return model.continued(xs)
    with no_grad():
        return np.asarray(model(xs, **options).data)


class _Asked:
    """What a training of a file was asked for: where it goes on, the same again."""

    def __init__(self, options: Options, data: Path) -> None:
        named = [options.column, options.missing or "refuse", options.label]
        said = repr([*named, options.ahead or 1, options.seed]).encode()
        self.digest = np.frombuffer(sha256(data.read_bytes() + said).digest(), np.uint8)

    def require(self, checkpoint: Path) -> None:
        """Refuse that of another file, before sizes are compared that mean nothing."""
        digest = read_tensors(checkpoint)[0].get("asked/digest")
        if digest is not None and not np.array_equal(digest, self.digest):
            raise ValueError(
                f"{checkpoint}: it is of another file, or of another --column, "
                "--missing, --label, --ahead or --seed: say the same again, or begin "
                "anew without --resume"
            )

    def state_dict(self) -> Mapping[str, Any]:
        return {"digest": self.digest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to set: ``require`` has compared it."""


def learn(
    name: str,
    options: Options,
    model: Module,
    loss: Loss,
    validation: Callable[[], float],
    *,
    batches: Batches,
    carry: Carry = lambda state: None,
    lr: float | Schedule,
    decay: float = 0.0,
    clip: float = 1.0,
    every: int = 50,
    patience: int | None = None,
    also: Mapping[str, Part] | None = None,
    about: Mapping[str, Any] | None = None,
) -> History:
    """Train with Adam and leave weights, checkpoint, log and curves in the folder.

    To resume where there is no checkpoint yet is to begin; of another file, or of
    another part of it, it is a ValueError. What ``minigrad.load`` gives
    as ``about`` is kept beside the weights: of the task and its network, and what is
    given here.
    """
    checkpoint = options.out / CHECKPOINT
    lr = lr if options.lr is None else options.lr
    parameters = model.parameters()
    optimiser = (
        AdamW(parameters, lr, weight_decay=decay) if decay else Adam(parameters, lr)
    )
    asked = {"asked": _Asked(options, options.data)} if options.data else {}
    resume = options.resume and checkpoint.exists()
    for same in asked.values() if resume else ():
        same.require(checkpoint)
    done: list[Progress] = []
    training = Training(
        model,
        optimiser,
        loss,
        clip=clip or inf,
        carry=carry,
        also={**(also or {}), **asked},
        **options.engine,
    )
    history = fit(
        training,
        batches,
        steps=options.steps,
        validation=validation,
        every=every,
        patience=patience,
        callbacks=[done.append],
        title=None if options.quiet else name,
        checkpoint=checkpoint,
        resume=resume,
    )
    if not done:
        print(
            f"the checkpoint has {len(history.steps)} steps, and nothing was trained: "
            "a greater --steps goes on"
        )
    save_run(options, model, {"task": name, **(about or {})})
    write_log(options.out / "log.csv", history)
    save_figure(options.out / "curves.png", curves(history, name))
    return history


def save_run(options: Options, model: Module, about: Mapping[str, Any]) -> None:
    """The weights with their note: ``about``, and what the network was made with."""
    network = vars(model).get("made")
    noted = {} if network is None else {"network": network}
    save_weights(options.out / WEIGHTS, model, {**about, **noted})


def checkpoints(folder: Path) -> Mapping[Path, int]:
    """The checkpoints that a task left, of each of its networks, and their ages."""
    found = [folder / CHECKPOINT, *folder.glob(f"*/{CHECKPOINT}")]
    return {path: path.stat().st_mtime_ns for path in found if path.exists()}


def picture(options: Options, loss: Any, view: str = "auto") -> None:
    """What was recorded as graph.png, and as graph.html, the page that moves."""
    figure = draw(loss, view=view)
    figure.save(options.out / "graph.png")
    figure.save(options.out / "graph.html")


def report(
    title: str,
    columns: str | Sequence[str],
    rows: Mapping[str, float | str | Sequence[float | str]],
) -> None:
    """Print names and numbers in columns."""
    heads = [columns] if isinstance(columns, str) else list(columns)
    widths = [max(len(head), 8) + 2 for head in heads]
    first = max(44, *map(len, [title, *rows]))
    lines = [
        f"{title:{first}}"
        + "".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True))
    ]
    for name, given in rows.items():
        values = given if isinstance(given, (list, tuple)) else [given]
        cells = [v if isinstance(v, str) else f"{v:.4f}" for v in values]
        cells = [f"{c:>{w}}" for c, w in zip(cells, widths, strict=False)]
        lines.append(f"{name:{first}}" + "".join(cells))
    print("\n".join(lines))


def compare(errors: Mapping[str, float]) -> None:
    """Say where the first, a network, is no better than the best of the others.

    >>> compare({"this network": 0.3, "the mean": 0.2, "as it is now": 0.5})
    the network is no better than 'the mean': take that one
    """
    ours, *_ = errors.values()
    best = min([*errors][1:], key=errors.__getitem__)
    if errors[best] <= ours:
        print(f"the network is no better than {best!r}: take that one")
