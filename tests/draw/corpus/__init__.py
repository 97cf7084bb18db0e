"""The networks by which figures are judged: each is a function that records one.

>>> len(WRITTEN) > 100, len(NETS) - len(WRITTEN)
(True, 80)
"""

from functools import partial
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.tasks.pictures import PICTURES
from tests.draw import networks
from tests.draw.corpus import gates, loops, names, sampled, still, students, turns
from tests.draw.corpus.making import X, Y

SAMPLED = 80


def _functions(module: Any) -> dict[str, Any]:
    """The networks of a file: its public functions."""
    return {
        name: f
        for name, f in vars(module).items()
        if getattr(f, "__module__", "") == module.__name__
        and not name.startswith("_")
        and name not in ("called", "network")
    }


def _model(name, *given, options=None, **how):
    model = getattr(models, name)(
        3, 4, 2, rng=np.random.default_rng(0), **(options or {})
    )
    return model.loss(*given, **how)


XS, YS = X(5).repeat(2, axis=1), Y(5).repeat(2, axis=1)
LENGTHS = np.array([5, 3])


def _masked(name, **options):
    ys = YS[0] if name == "ManyToOne" else YS
    return _model(name, XS, ys, options=options, lengths=LENGTHS)


MODELS = {
    **{f"model {name}": partial(make, 5) for name, make in PICTURES.items()},
    "model clockwork": partial(
        _model, "Clockwork", XS, YS, options={"periods": (1, 2)}
    ),
    "model clockwork, of 9": partial(
        _model, "Clockwork", X(9), Y(9), options={"periods": (1, 2, 4)}
    ),
    "model clockwork, of four groups": partial(
        _model, "Clockwork", X(17), Y(17), options={"periods": (1, 2, 4, 8)}
    ),
    "model bidirectional, ends": partial(
        _model, "Bidirectional", XS, YS[0], options={"read": "ends"}
    ),
    "model many to one, mean": partial(
        _model, "ManyToOne", XS, YS[0], options={"read": "mean"}
    ),
    "model attention": partial(
        _model, "EncoderDecoder", XS, YS[:4], options={"attention": True}
    ),
    **{
        f"model one to many, {given}": partial(
            _model, "OneToMany", XS[0], YS, options={"given": given}
        )
        for given in ("start", "both")
    },
    **{
        f"model lengths, {name} {cell}": partial(_masked, name, cell=cell)
        for name in ("ManyToMany", "ManyToOne", "Bidirectional")
        for cell in ("elman", "lstm")
    },
    "model stacked lstm": partial(
        _model, "ManyToMany", XS, YS, options={"cell": "lstm", "layers": 2}
    ),
    "model echo state": lambda: models.EchoState(3, 4, 2, rng=np.random.default_rng(0))(
        XS
    ),
    "model fully connected": lambda: models.FullyConnected(
        2, 5, rng=np.random.default_rng(0)
    ).ancestral(1, np.random.default_rng(0)),
}
LENGTH = {
    f"{name}, T = {T}": partial(make, T)
    for name, make in (
        ("many_to_many", loops.many_to_many),
        ("many_to_one", loops.many_to_one),
        ("skips", loops.skips),
        ("encoder_decoder", gates.encoder_decoder),
    )
    for T in (1, 2, 3, 30)
}
WRITTEN = {
    **_functions(loops),
    **_functions(gates),
    **_functions(names),
    **_functions(still),
    **LENGTH,
    **MODELS,
    "stacked lstm, unnamed gates": partial(networks.lstm, 5, 2),
    **_functions(turns),
    **_functions(students),
}
NETS = WRITTEN | {f"random {k}": partial(sampled.network, k) for k in range(SAMPLED)}


def recorded(name: str) -> mg.Graph:
    """The graph of a network."""
    with np.errstate(all="ignore"):
        found = NETS[name]()
    return found if isinstance(found, mg.Graph) else mg.Graph(found)
