"""Letters ba, dii, guuu in random order: predict the next one's features (Elman 1990).

Which consonant comes is chance, and that a consonant comes is not: the error says where
a word begins.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from minigrad.data import streams
from minigrad.data.generators import letters
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, picture, report
from minigrad.tasks.task import Options, Task


def run(options: Options) -> Mapping[str, float]:
    """Train on 1,000 consonants, test on 300 others."""
    rng = np.random.default_rng(options.seed)
    train, valid = letters(rng, 1000)[1], letters(rng, 300)[1]
    text, test = letters(rng, 300)
    pieces = streams(train, 30)
    n_hidden, cell = options.hidden or 20, options.cell or "elman"
    model = made(ManyToMany, 6, n_hidden, 6, rng=rng, loss=mse, cell=cell)

    def outputs(features: np.ndarray) -> np.ndarray:
        return answer_of(model, features[:-1, None])[:, 0]

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
    ratio = rms[0] / rms[1]
    found = {"consonants": rms[0], "vowels": rms[1], "ratio": ratio, "bit": bit}
    report(
        "letters: root mean square error",
        ["consonants", "vowels", "ratio", "that one comes"],
        {
            "this network, 300 unseen words": list(found.values()),
            "always 1/2": [0.5, 0.5, 1.0, 0.5],
            "published (Elman 1990): a figure": ["high", "low", "", "low"],
        },
    )
    return found


TASK = Task(
    name="letters",
    summary="predict the next letter of ba, dii, guuu at random (Elman 1990)",
    steps=400,
    run=run,
    takes=("cell", "hidden", "truncate"),
)
