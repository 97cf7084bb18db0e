"""Networks to draw without training them, found by name, or in a file of your own.

Each entry takes the number of steps and records the network on random numbers, always
the same ones, so that gradients can be drawn too.

>>> len(PICTURES["many-to-one"](5).node.inputs)
1
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import models
from minigrad.advice import unknown
from minigrad.nn import Module
from minigrad.nn.losses import cross_entropy
from minigrad.user_file import running

N_IN, N_HIDDEN, N_OUT = 2, 3, 2
STEPS = 20


def _sequences(steps: int) -> tuple[Any, Any]:
    """x(t) of shape (steps, 1, n_in), y(t) class numbers of shape (steps, 1)."""
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(steps, 1, N_IN)).astype(np.float32)
    return xs, rng.integers(N_OUT, size=(steps, 1))


def _model(name: str, **options: Any) -> Any:
    make: Callable[..., Module] = getattr(models, name)
    return make(N_IN, N_HIDDEN, N_OUT, rng=np.random.default_rng(0), **options)


def _every_step(name: str, **options: Any) -> Callable[[int], Any]:
    """A network with a loss at every step."""
    return lambda steps: _model(name, **options).loss(*_sequences(steps))


def _many_to_one(steps: int) -> Any:
    xs, ys = _sequences(steps)
    return _model("ManyToOne").loss(xs, ys[0])


def _output_feedback(feedback: str) -> Callable[[int], Any]:
    def record(steps: int) -> Any:
        return _model("OutputFeedback").loss(*_sequences(steps), feedback=feedback)

    return record


def _one_to_many(steps: int) -> Any:
    xs, ys = _sequences(steps)
    return _model("OneToMany").loss(xs[0], ys)


def _drawn_symbols(steps: int) -> Any:
    """Symbols that a network draws one after the other."""
    rng = np.random.default_rng(0)
    return models.SequenceModel(N_OUT, N_HIDDEN, rng=rng).ancestral(steps, 1, rng)


def _dynamical_system(steps: int) -> Any:
    system = models.DynamicalSystem(N_IN, N_HIDDEN, rng=np.random.default_rng(0))
    return system(_sequences(steps)[0])


def _recursive(leaves: int) -> Any:
    """A balanced tree: the steps are the leaves."""
    model = _model("Recursive")
    trees: list[Any] = [k % N_IN for k in range(leaves)]
    while len(trees) > 1:
        pairs = [tuple(trees[k : k + 2]) for k in range(0, len(trees), 2)]
        trees = [pair if len(pair) == 2 else pair[0] for pair in pairs]
    return model.of_tree(trees[0])


def _fully_connected(steps: int) -> Any:
    """Symbols of which each is drawn from a table of all pasts."""
    rng = np.random.default_rng(0)
    return models.FullyConnected(N_OUT, min(steps, 12), rng=rng).ancestral(1, rng)


PICTURES: dict[str, Callable[[int], Any]] = {
    "many-to-many": _every_step("ManyToMany"),
    "output-feedback": _output_feedback("free"),
    "teacher-forcing": _output_feedback("teacher"),
    "many-to-one": _many_to_one,
    "dynamical-system": _dynamical_system,
    "one-to-many": _one_to_many,
    "bidirectional": _every_step("Bidirectional"),
    "encoder-decoder": _every_step("EncoderDecoder"),
    "lstm": _every_step("ManyToMany", cell="lstm"),
    "gru": _every_step("ManyToMany", cell="gru"),
    "mingru": _every_step("ManyToMany", cell="mingru"),
    "stacked": _every_step("ManyToMany", layers=2),
    "conditional": _every_step("Conditional"),
    "sequence-model": _drawn_symbols,
    "deep-transition": _every_step("DeepTransition"),
    "deep-transition-skip": _every_step("DeepTransition", skip=True),
    "self-attention": _every_step("SelfAttention"),
    "linear-recurrence": _every_step("LinearRecurrence"),
    # Groups of units that run at every step, at every second, at every fourth.
    "clockwork": _every_step("Clockwork", periods=(1, 2, 4)),
    "recursive": _recursive,
    "fully-connected": _fully_connected,
    "neural-turing-machine": _every_step("NeuralTuringMachine", loss=cross_entropy),
}


def recorded(name: str, steps: int | None) -> Any:
    """What to draw for a name of ``PICTURES``, or for ``FILE.py:FUNCTION``.

    The function returns a Tensor (or a list of them, or a Graph); if it has a parameter
    it is given the number of steps, of None STEPS. Raises ValueError with one line that
    says what is wrong.
    """
    if name in PICTURES:
        return PICTURES[name](steps or STEPS)
    path, colon, function = name.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise ValueError(f"no network {unknown(name, PICTURES)}, or FILE.py:FUNCTION")
    if not Path(path).is_file():
        raise ValueError(f"no file {path}")
    found, takes = None, True
    with running(Path(path)) as module:
        record = getattr(module, function, None)
        if callable(record):
            takes = bool(inspect.signature(record).parameters)
            if takes or steps is None:
                found = record(steps or STEPS) if takes else record()
    if not callable(record):
        raise ValueError(f"{path} has no function {function!r}")
    if steps is not None and not takes:
        raise ValueError(
            f"{name} takes no number of steps: leave --steps out, or write "
            f"def {function}(steps)"
        )
    if inspect.iscoroutine(found):
        found.close()
        raise ValueError(f"{name} is async: write it with def alone")
    if inspect.isgenerator(found) or inspect.isasyncgen(found):
        raise ValueError(f"{name} yields: it must return a Tensor to draw")
    if found is None:
        raise ValueError(f"{name} returned nothing: it must return a Tensor to draw")
    return found
