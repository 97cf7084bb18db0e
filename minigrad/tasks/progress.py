"""The progress bar of a training loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from minigrad.train import Progress

__all__ = ["bar"]


@contextmanager
def bar(name: str, steps: int) -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr for ``fit(watch=...)``; silent where stderr is no terminal."""
    from tqdm import tqdm

    with tqdm(total=steps, desc=name, unit="step", disable=None) as shown:

        def watch(progress: Progress) -> None:
            shown.set_postfix(
                loss=f"{progress.loss:.4f}",
                validation=f"{progress.validation:.4f}",
                refresh=False,
            )
            shown.update()

        yield watch
