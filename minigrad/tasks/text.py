"""Text: the next character from those before it; bits per character beside n-grams.

Reads the interpreter's own help texts, or any file with ``--data``. The last tenth is
the test, 20,000 characters before it are the validation. The state is carried from
piece to piece along 32 streams, the gradient within pieces of 50.
"""

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np

from minigrad.data import Vocabulary, english, loaders, one_hot, streams
from minigrad.limits import within
from minigrad.mode import no_grad
from minigrad.models import ManyToMany
from minigrad.nn.cells import State
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.ngrams import NGrams
from minigrad.tasks.session import learn, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor

PIECE = 50
# Of so many characters each of the 20 streams of the validation has two.
LEAST = 800


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
        about={"vocabulary": vocabulary.symbols},
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
    prompt = options.prompt or text[second : second + 20]
    print(sample(model, vocabulary, prompt, 300, options.temperature, rng))
    return found


TASK = Task(
    name="text",
    summary="write on a text character by character",
    steps=3500,
    run=run,
    takes=("cell", "hidden", "data", "prompt", "temperature", "batch"),
    reads="any text",
)
