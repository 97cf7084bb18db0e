"""Text: the next character from those before it; bits per character beside n-grams.

Reads the interpreter's own help texts, or any file with ``--data``. The last tenth is
the test, 20,000 characters before it are the validation. The state is carried from
piece to piece along 32 streams, the gradient within pieces of 50.

What it has learnt scores another text, each character after all before it, and goes on
from its end or from a prompt.
"""

from collections.abc import Mapping
from math import log
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.compile import compile
from minigrad.data import Vocabulary, english, loaders, one_hot, streams
from minigrad.limits import within
from minigrad.mode import no_grad
from minigrad.models import ManyToMany
from minigrad.nn.cells import State
from minigrad.nn.recurrent import unroll
from minigrad.ops.nn import log_softmax
from minigrad.ops.shape import stack
from minigrad.optim import cosine
from minigrad.tasks.files import write_table
from minigrad.tasks.networks import made, remade
from minigrad.tasks.ngrams import NGrams, grams
from minigrad.tasks.session import compare, learn, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor
from minigrad.train import load_weights, replacing

PIECE = 50
# Of so many characters each of the 20 streams of the validation has two.
LEAST = 800
# How long a text is written on, and how much of its end is read for that.
LENGTH, END = 300, 100
# Characters that are scored at once, and the n-grams that a run keeps to compare with.
LONG, ORDER = 500, 2


class Reader:
    """Streams of a text, piece by piece, and the state after the last one."""

    def __init__(
        self, numbers: np.ndarray, n_symbols: int, model: ManyToMany, batch: int
    ) -> None:
        self.streams = streams(numbers, batch)
        self.n_symbols, self.model = n_symbols, model
        self.position = 0
        self.begin()

    def begin(self) -> None:
        """Start the next piece from the state that there is before a text."""
        self.state = [s.data for s in self.model.rnn.start(self.streams.shape[1])]

    def next(self) -> tuple[np.ndarray, ...]:
        """The next piece and what comes one later, and the state before it."""
        if self.position + PIECE + 1 > len(self.streams):
            self.position = 0
            self.begin()
        piece = self.streams[self.position : self.position + PIECE + 1]
        self.position += PIECE
        return one_hot(piece[:-1], self.n_symbols), piece[1:], *self.state

    def loss(self, xs: Any, ys: Any, *state: Any) -> tuple[Tensor, State]:
        """The loss of a piece, in nats per character, and the state after it."""
        return self.model.loss_and_state(xs, ys, state)

    def carry(self, state: tuple[np.ndarray, ...]) -> None:
        """Start the next piece from a state."""
        self.state = list(state)

    def state_dict(self) -> Mapping[str, np.ndarray]:
        """The place in the streams and the state, for a checkpoint."""
        arrays = {f"state.{i}": s for i, s in enumerate(self.state)}
        return {"position": np.array(self.position), **arrays}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        if not 0 <= int(state["position"]) < len(self.streams) + PIECE:
            raise ValueError(f"no place in the text: {state['position']}")
        self.position = int(state["position"])
        self.state = [state[f"state.{i}"] for i in range(len(self.state))]


def bits(model: ManyToMany, numbers: np.ndarray, n_symbols: int) -> float:
    """Bits per character of a text read from a zero state, in 20 streams."""
    pieces = streams(numbers, 20)
    total, state = 0.0, None
    with no_grad():
        for start in range(0, len(pieces) - 1, PIECE):
            piece = pieces[start : start + PIECE + 1]
            loss, state = model.loss_and_state(
                one_hot(piece[:-1], n_symbols), piece[1:], state
            )
            total += loss.item() * (len(piece) - 1)
    return total / (len(pieces) - 1) / log(2)


def sample(
    model: ManyToMany,
    vocabulary: Vocabulary,
    prompt: str,
    length: int,
    temperature: float,
    rng: np.random.Generator,
) -> str:
    """A text that goes on from the prompt, one drawn symbol after the other."""
    said: list[int] = []
    temperature = within("temperature", temperature, "[0, inf)")

    def feed(o: np.ndarray) -> np.ndarray:
        if temperature == 0:
            said.append(int(o[0].argmax()))
        else:
            noise = rng.gumbel(size=o.shape[-1])
            said.append(int((o[0] / temperature + noise).argmax()))
        return one_hot([said[-1]], len(vocabulary))

    xs = one_hot(vocabulary.encode(prompt), len(vocabulary))[:, None]
    model.continued(xs, length, feed)
    return prompt + vocabulary.decode(said)


def run(options: Options) -> Mapping[str, float]:
    """Train, measure bits per character, and write on."""
    text = english()
    if options.data:
        text, encoding = loaders.words(options.data)
        print(f"{options.data}: {len(text)} characters, {encoding}")
    batch = options.batch or 32
    least = max(LEAST, 3 * batch)
    if len(text) < least:
        raise ValueError(
            f"{options.data}: {len(text)} characters are too few to learn from and to "
            f"test on, in {batch} streams side by side: it takes {least}"
        )
    vocabulary = Vocabulary(text)
    n = len(vocabulary)
    if n == 1:
        raise ValueError(
            f"{options.data}: every character is {text[0]!r}: nothing to foretell"
        )
    numbers = vocabulary.encode(text)
    vocabulary.encode(options.prompt)  # before the work: are these its letters?
    second = int(0.9 * len(text))
    first = second - min(20_000, len(text) // 20)
    rng = np.random.default_rng(options.seed)
    cell = options.cell or "gru"
    model = made(ManyToMany, n, options.hidden or 128, n, rng=rng, cell=cell)
    reader = Reader(numbers[:first], n, model, batch)
    valid = numbers[first:second]
    learn(
        "text",
        options,
        model,
        reader.loss,
        lambda: bits(model, valid, n),
        batches=reader.next,
        carry=reader.carry,
        lr=cosine(0.005, options.steps, 0.0005),
        every=250,
        also={"reader": reader},
        about={
            "vocabulary": vocabulary.symbols,
            "grams": grams(text[:first], ORDER),
        },
    )
    picture(options, model.loss(one_hot(numbers[:9, None], n), numbers[1:10, None]))
    found = {"bits per character": bits(model, numbers[second:], n)}
    rows = {f"this network ({cell})": found["bits per character"]}
    for order in range(1, 6):
        model_n = NGrams(text[:first], vocabulary.symbols, order)
        rows[f"{order}-gram, Witten-Bell"] = model_n.bits(text[second:])
    rows["every symbol alike"] = log(n) / log(2)
    what = options.data.name if options.data else "Python's help texts"
    report(f"text: {what}, last tenth", "bits/char", rows)
    compare(rows)
    prompt = options.prompt or text[second : second + 20]
    length = options.length or LENGTH
    print(sample(model, vocabulary, prompt, length, options.temperature, rng))
    return found


def predict(about: Mapping[str, Any], weights: Path, options: Options) -> None:
    """Score a new text, and go on from its end or from a prompt."""
    vocabulary = Vocabulary(about["vocabulary"])
    model = remade(about["network"])
    load_weights(weights, model)
    prompt = options.prompt
    vocabulary.encode(prompt)  # before the work: are these its letters?
    if options.data:
        text, encoding = loaders.words(options.data)
        print(f"{options.data}: {len(text)} characters, {encoding}")
        _require_letters(options.data, text, vocabulary)
        n, counts = len(vocabulary), about["grams"]  # of the training part
        own = bits_of_each(model, vocabulary.encode(text), n)
        each = {"this network": own.tolist()}
        for order in range(1, ORDER + 1):
            model_n = NGrams(counts, vocabulary.symbols, order)
            each[f"{order}-gram, Witten-Bell"] = model_n.each(text)[1:]
        found = {name: float(np.mean(costs)) for name, costs in each.items()}
        found["every symbol alike"] = log(n) / log(2)
        rows = {name: [mean, 2**mean] for name, mean in found.items()}
        report(f"text: {options.data.name}", ["bits/char", "perplexity"], rows)
        # bits.csv has what each character but the first costs.
        table: list[list[Any]] = [["place", "character", *each]]
        costs_of = zip(text[1:], *each.values(), strict=True)
        for place, (symbol, *cost) in enumerate(costs_of, 2):
            table.append([place, symbol, *(f"{b:.4f}" for b in cost)])
        write_table(options.out / "bits.csv", table)
        prompt = prompt or text[-END:]
    length, rng = options.length or LENGTH, np.random.default_rng(options.seed)
    said = sample(model, vocabulary, prompt, length, options.temperature, rng)
    print(said)
    with replacing(options.out / "continued.txt") as temporary:
        temporary.write_text(said, "utf-8")


def _require_letters(path: Path, text: str, vocabulary: Vocabulary) -> None:
    if len(text) < 2:
        raise ValueError(f"{path}: nothing follows its one character")
    strange = set(text) - set(vocabulary.symbols)
    if strange:
        first = next(i for i, symbol in enumerate(text) if symbol in strange)
        more = f", one of {len(strange)} such characters" if len(strange) > 1 else ""
        raise ValueError(
            f"{path}, line {text.count(chr(10), 0, first) + 1}: the network never read "
            f"{text[first]!r}{more}; it knows {vocabulary.symbols!r}"
        )


def bits_of_each(
    model: ManyToMany, numbers: NDArray[Any], n_symbols: int
) -> NDArray[np.float64]:
    """-log2 P of each number but the first, after all before it: (n - 1,).

    >>> model = ManyToMany(3, 4, 3, rng=np.random.default_rng(0))
    >>> each = bits_of_each(model, np.array([0, 1, 2, 2, 0, 1]), 3)
    >>> each.shape, bool((2.0**-each < 1).all())
    ((5,), True)
    """

    def read(xs: Any, *state: Any) -> Any:
        outputs = []
        for _, state in unroll(model.rnn, xs, state):  # noqa: B020, its last is given
            outputs.append(model.read(state[0]))
        return log_softmax(stack(outputs)), state

    # Pieces of one length are one program; eagerly a character takes fifteen times as
    # long.
    program, found = compile(read), []
    state = [s.data for s in model.rnn.start(1)]
    for start in range(0, len(numbers) - 1, LONG):
        piece = numbers[start : start + LONG + 1]
        logp, state = program(one_hot(piece[:-1, None], n_symbols), *state)
        found.append(logp.data[np.arange(len(piece) - 1), 0, piece[1:]])
    return np.asarray(-np.concatenate(found) / log(2), np.float64)


TASK = Task(
    name="text",
    summary="write on a text character by character",
    steps=3500,
    run=run,
    takes=("cell", "hidden", "length", "data", "prompt", "temperature", "batch"),
    reads="any text",
    predict=predict,
)
