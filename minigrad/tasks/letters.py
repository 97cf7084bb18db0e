"""Letters ba, dii, guuu in random order: predict the next one's features (Elman 1990).

Which consonant comes is chance, and that a consonant comes is not: the error says where
a word begins.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from minigrad.data import streams
from minigrad.data.generators import letters
from minigrad.mode import no_grad
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse
from minigrad.tasks.networks import made
from minigrad.tasks.session import learn, picture, table
from minigrad.tasks.task import Options, Task


def run(options: Options) -> Mapping[str, float]:
    """Train on 1,000 consonants, test on 300 others."""
    rng = np.random.default_rng(options.seed)
    train, valid, (text, test) = (
        letters(rng, 1000)[1],
        letters(rng, 300)[1],
        letters(rng, 300),
    )
    pieces = streams(train, 30)
    model = made(
        ManyToMany,
        6,
        options.hidden or 20,
        6,
        rng=rng,
        loss=mse,
        cell=options.cell or "elman",
    )

    def outputs(features: np.ndarray) -> np.ndarray:
        with no_grad():
            return np.asarray(model(features[:-1, None]).data[:, 0])

    learn(
        "letters",
        options,
        model,
        partial(model.loss, truncate=options.truncate),
        lambda: float(np.square(outputs(valid) - valid[1:]).mean()),
        batches=(pieces[:-1], pieces[1:]),
        lr=0.01,
        every=10,
    )
    picture(options, model.loss(pieces[:9, :1], pieces[1:10, :1]))
    error = np.square(outputs(test) - test[1:])
    consonant = np.array([c in "bdg" for c in text[1:]])
    rms = [float(np.sqrt(error[where].mean())) for where in (consonant, ~consonant)]
    bit = float(np.sqrt(error[consonant, 0].mean()))
    found = {
        "consonants": rms[0],
        "vowels": rms[1],
        "ratio": rms[0] / rms[1],
        "bit": bit,
    }
    print(
        table(
            "letters: root mean square error",
            ["consonants", "vowels", "ratio", "that one comes"],
            {
                "this network, 300 unseen words": list(found.values()),
                "always 1/2": [0.5, 0.5, 1.0, 0.5],
                "published (Elman 1990): a figure": ["high", "low", "", "low"],
            },
        )
    )
    return found


TASK = Task(
    name="letters",
    summary="predict the next letter of ba, dii, guuu at random (Elman 1990)",
    steps=400,
    run=run,
    takes=("cell", "hidden", "truncate"),
)
