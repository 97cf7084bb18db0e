"""Labelled sequences of your own, of unequal length: which class is it?

A letter is a unit vector. A fifth of each class is held out for the test, a tenth for
the validation, drawn by the seed; what is equal to a sequence of the other parts is no
test and is left out. The baselines are fitted on the training part: the
commonest class, the letters alone (naive Bayes), and n-grams of each class with
Witten-Bell smoothing, the order that is best on the validation part.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.data import Order, Vocabulary, one_hot, pad
from minigrad.data.labelled import labelled
from minigrad.nn.recurrent import masks
from minigrad.optim import cosine
from minigrad.tasks.files import write_table
from minigrad.tasks.ngrams import NGrams
from minigrad.tasks.session import (
    ONE_ANSWER,
    answer_of,
    compare,
    learn,
    one_answer,
    picture,
    report,
)
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor
from minigrad.train import load_weights

Array = NDArray[Any]
LEAST = 5


class Classifier:
    """A network with its letters and classes.

    >>> setting = {"model": "many-to-one", "cell": "gru", "hidden": 3}
    >>> setting |= {"read": "last", "letters": "acgt", "classes": ["no", "yes"]}
    >>> classifier = Classifier(setting, np.random.default_rng(0))
    >>> classifier.odds(["acg", "t"]).shape
    (2, 2)
    """

    def __init__(self, setting: Mapping[str, Any], rng: np.random.Generator) -> None:
        self.setting = dict(setting)
        self.vocabulary = Vocabulary(setting["letters"])
        self.classes: list[str] = list(setting["classes"])
        sizes = len(self.vocabulary), setting["hidden"], len(self.classes)
        read, cell = setting["read"], setting["cell"]
        self.network = one_answer(
            setting["model"], *sizes, rng=rng, read=read, cell=cell
        )

    def encoded(self, texts: list[str]) -> tuple[Array, Array]:
        """Letters (time, n, letters) and the mask of each sequence's steps."""
        padded, lengths = pad([self.vocabulary.encode(text) for text in texts])
        return one_hot(padded, len(self.vocabulary)), masks(lengths, len(padded))

    def loss(self, xs: Any, mask: Any, y: Any) -> Tensor:
        """The mean cross-entropy, in nats."""
        return self.network.loss(xs, y, lengths=mask)

    def odds(self, texts: list[str]) -> Array:
        """The probability of each class, (n, classes)."""
        found = []
        for start in range(0, len(texts), 256):
            xs, mask = self.encoded(texts[start : start + 256])
            o = answer_of(self.network, xs, lengths=mask).astype(float)
            e = np.exp(o - o.max(-1, keepdims=True))
            found.append(e / e.sum(-1, keepdims=True))
        return np.concatenate(found)


def parts(y: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Places of training, validation and test: of each class 70, 10 and 20 %."""
    groups: tuple[list[int], ...] = ([], [], [])
    for k in np.unique(y):
        at = rng.permutation(np.flatnonzero(y == k))
        test = max(1, round(0.2 * len(at)))
        valid = max(1, round(0.1 * len(at)))
        for group, places in zip(
            groups, np.split(at, [len(at) - test - valid, len(at) - test]), strict=True
        ):
            group += places.tolist()
    return tuple(np.array(sorted(group)) for group in groups)  # type: ignore[return-value]


def run(options: Options) -> Mapping[str, float]:
    """Train, report, and write what the test sequences are taken for."""
    assert options.data is not None
    found = labelled(options.data, options.label)
    texts, classes = list(found.texts), sorted(set(found.labels))
    print(f"{options.data}: {found.said}")
    _check(options.data, found.labels)
    y = np.array([classes.index(label) for label in found.labels])
    rng = np.random.default_rng(options.seed)
    train, valid, held = parts(y, rng)
    test = _unseen(options.data, texts, [*train, *valid], held)
    setting = _setting(options, texts, classes)
    classifier = Classifier(setting, rng)
    order = Order(len(train), options.batch or 32, rng)

    def batch() -> tuple[Array, ...]:
        at = train[order.next()]
        return *classifier.encoded([texts[i] for i in at]), y[at]

    def measured() -> float:
        odds = classifier.odds([texts[i] for i in valid])
        return float(-np.log(odds[np.arange(len(valid)), y[valid]] + 1e-30).mean())

    learn(
        "sequences",
        options,
        classifier.network,
        classifier.loss,
        measured,
        batches=batch,
        lr=cosine(0.005, options.steps, 0.0003),
        decay=0.01,
        every=25,
        also={"rng": rng, "order": order},
        about={
            "task": "sequences",
            "setting": setting,
            "vocabulary": setting["letters"],
            "classes": classes,
        },
    )
    odds = classifier.odds([texts[i] for i in test])
    said = odds.argmax(-1)
    rows = {f"this network ({setting['model']} {setting['cell']})": said}
    rows |= baselines(texts, y, train, valid, test)
    errors = {name: float((a != y[test]).mean()) for name, a in rows.items()}
    report(f"{options.data.name}, {len(test)} unseen of {len(y)}", "wrong", errors)
    compare(errors)
    if more := len(held) - len(test):
        print(f"{more} more are equal to others that were learnt from: not counted")
    confusion(classes, y[test], said)
    _write(options.out, classifier, [texts[i] for i in test], odds, y[test])
    shortest = min(test, key=lambda i: len(texts[i]))
    xs, mask = classifier.encoded([texts[shortest][:9]])
    picture(options, classifier.loss(xs, mask, y[[shortest]]))
    return {"wrong": next(iter(errors.values()))}


def _setting(options: Options, texts: list[str], classes: list[str]) -> dict[str, Any]:
    """What a classifier is made with."""
    return {
        "model": options.model or ONE_ANSWER[0],
        "cell": options.cell or "gru",
        "hidden": options.hidden or 32,
        "read": "max",
        "letters": "".join(sorted(set("".join(texts)))),
        "classes": classes,
    }


def _unseen(path: Path, texts: list[str], learnt: list[int], held: Array) -> Array:
    """Of the places held out those whose texts are not learnt from at another."""
    known = {texts[i] for i in learnt}
    test = held[[texts[i] not in known for i in held]]
    if not test.size:
        raise ValueError(
            f"{path}: every sequence that was held out stands among those to learn "
            "from too: take each sequence once"
        )
    return test


def _check(path: Path, labels: tuple[str, ...]) -> None:
    counts = Counter(labels)
    if len(counts) < 2:
        raise ValueError(f"{path}: every label is {labels[0]!r}: nothing to tell apart")
    if len(counts) > max(20, len(labels) // LEAST):
        raise ValueError(
            f"{path}: {len(counts)} labels for {len(labels)} sequences; say which "
            "column or word is the label with --label"
        )
    few = [name for name, count in counts.items() if count < LEAST]
    header = few[:1] == [labels[0]] and counts[labels[0]] == 1
    hint = f"; if it is a header, say so: --label {few[0]}" if header else ""
    if few:
        raise ValueError(
            f"{path}: the label {few[0]!r} has too few sequences, {counts[few[0]]}: "
            f"each needs {LEAST}, to be learnt from, validated and tested" + hint
        )


def baselines(
    texts: list[str], y: Array, train: Array, valid: Array, test: Array
) -> dict[str, Array]:
    """What the test sequences are taken for without a network."""
    symbols = "".join(sorted(set("".join(texts))))
    counts = np.bincount(y[train])
    prior = np.log2(counts / counts.sum())
    joined = [
        "".join(texts[i] for i in train[y[train] == k]) for k in range(len(counts))
    ]

    def answers(order: int) -> Callable[[Array], Array]:
        grams = [NGrams(text, symbols, order) for text in joined]

        def answer(at: Array) -> Array:
            bits = [[g.bits(texts[i]) * len(texts[i]) for g in grams] for i in at]
            return np.asarray((prior - np.array(bits)).argmax(-1))

        return answer

    models = {k: answers(k) for k in range(1, 6)}
    wrong = {k: float((models[k](valid) != y[valid]).mean()) for k in range(2, 6)}
    best = min(wrong, key=lambda k: (wrong[k], k))
    return {
        "letters alone (naive Bayes)": models[1](test),
        f"{best}-grams of each class": models[best](test),
        "always the commonest class": np.full(len(test), counts.argmax()),
    }


def confusion(classes: list[str], y: Array, said: Array) -> None:
    """Print how often each class was taken for each."""
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (y, said), 1)
    rows = {
        name: [str(n) for n in row] for name, row in zip(classes, counts, strict=True)
    }
    report("the truth, and what it was taken for", classes, rows)


def _write(
    out: Path, classifier: Classifier, texts: list[str], odds: Array, y: Array | None
) -> None:
    """answers.csv: each sequence, what it is taken for, and how surely."""
    classes = classifier.classes
    truth = [] if y is None else ["truth"]
    rows = [["sequence", *truth, "answer", *(f"P({c})" for c in classes)]]
    for k, text in enumerate(texts):
        said = [] if y is None else [classes[int(y[k])]]
        answer = classes[int(odds[k].argmax())]
        rows.append([text, *said, answer, *(f"{p:.4f}" for p in odds[k])])
    write_table(out / "answers.csv", rows)


def predict(about: Mapping[str, Any], weights: Path, options: Options) -> None:
    """Say what the sequences of a new file are; with labels, how often it is right."""
    assert options.data is not None
    classifier = loaded(about, weights)
    found = labelled(options.data, options.label, without=True)
    print(f"{options.data}: {found.said}")
    texts = list(found.texts)
    for k, text in enumerate(texts, 1):
        strange = sorted(set(text) - set(classifier.vocabulary.symbols))
        if strange:
            raise ValueError(
                f"{options.data}: sequence {k} has {''.join(strange)!r}, which the "
                f"network never read; its letters are {classifier.vocabulary.symbols!r}"
            )
    odds, y = classifier.odds(texts), None
    said = odds.argmax(-1)
    counts = Counter(classifier.classes[k] for k in said)
    print("; ".join(f"{name}: {count}" for name, count in counts.most_common()))
    if found.labels and set(found.labels) <= set(classifier.classes):
        y = np.array([classifier.classes.index(label) for label in found.labels])
        report(options.data.name, "wrong", {"this network": float((said != y).mean())})
        confusion(classifier.classes, y, said)
    elif found.labels:
        print("its labels are others than the run's, so nothing is compared")
    _write(options.out, classifier, texts, odds, y)


def loaded(about: Mapping[str, Any], weights: Path) -> Classifier:
    """The classifier of a run."""
    classifier = Classifier(about["setting"], np.random.default_rng(0))
    load_weights(weights, classifier.network)
    return classifier


TASK = Task(
    name="sequences",
    summary="classify text or DNA of your own (CSV or FASTA), of unequal lengths",
    steps=600,
    run=run,
    models=ONE_ANSWER,
    takes=("cell", "hidden", "data", "label", "batch"),
    reads="a table of sequences and labels (CSV), or FASTA",
    needs_data=True,
    predict=predict,
)
