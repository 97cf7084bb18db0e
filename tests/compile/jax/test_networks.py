"""Every network at two lengths: loss and gradients are those of an eager run."""

import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401
from minigrad import models
from minigrad.nn.losses import mse

from ..test_program import same
from ..traces import NETWORKS, network, sequences, steps_of

OTHERS = {
    "Clockwork": {"periods": (1, 2)},
    "Conditional": {"loss": mse},
    "DeepTransition": {},
    "LinearRecurrence": {"read": "each"},
    "ManyToMany": {"cell": "mingru"},
    "NeuralTuringMachine": {"places": 3, "width": 2},
    "SelfAttention": {"read": "each"},
}


def other(name):
    rng = np.random.default_rng(0)
    model = getattr(models, name)(3, 4, 2, rng=rng, dtype=np.float64, **OTHERS[name])
    if name in ("NeuralTuringMachine", "Conditional"):  # a number for each output
        return steps_of(model), lambda T: (
            sequences(T)[0],
            sequences(T)[0][..., :2] > 0,
        )
    return steps_of(model), sequences


@pytest.mark.parametrize("name", [*NETWORKS, *map("other {}".format, OTHERS)])
def test_a_network_at_two_lengths(name):
    kind, _, rest = name.partition(" ")
    step, data = other(rest) if kind == "other" else network(name)
    program = mg.compile(step, strict=True, backend="jax")
    for T in (6, 7):
        same(program(*data(T)), step(*data(T)))
