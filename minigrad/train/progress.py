"""The progress bar of a training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan


@dataclass(frozen=True)
class Progress:
    """What is known after a step: its loss, and its gradient's norm before clipping.

    ``validation`` is the last one that was measured, NaN where there is none.

    >>> Progress(step=1, loss=2.5, norm=1.0, validation=3.0).loss
    2.5
    """

    step: int
    loss: float
    norm: float
    validation: float


@contextmanager
def bar(
    title: str, steps: int | None, done: int = 0, quiet: bool = False
) -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr, as a function to be told of every step.

    There is none where it is ``quiet``, stderr is no terminal, or there is no tqdm.

    >>> with bar("training", steps=1, quiet=True) as told:
    ...     told(Progress(1, 2.5, 1.0, 3.0))
    """
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield lambda progress: None
        return
    with tqdm(
        total=steps, initial=done, desc=title, unit="step", disable=quiet or None
    ) as shown:

        def watch(progress: Progress) -> None:
            said = {"loss": f"{progress.loss:.4f}"}
            if not isnan(progress.validation):
                said["validation"] = f"{progress.validation:.4f}"
            shown.set_postfix(said, refresh=False)
            shown.update()

        yield watch
