"""Where the batch of each step comes from: arrays, a list, a function or an iterator.

Vocabulary
    batch   a tuple: what the loss of a step takes
    pass    all the batches that there are, once; an epoch is one

>>> list(stream([("a",), ("b",)], epochs=2, done=1))
[('b',), ('a',), ('b',)]
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import isgeneratorfunction
from itertools import count
from typing import Any

Batch = tuple[Any, ...]
Batches = Batch | Iterable[Batch] | Callable[[], Batch | Iterator[Batch]]


def size(batches: Batches) -> int | None:
    """How many batches a pass has; None where only the pass itself tells.

    >>> size((1, 2)), size([(1, 2), (3, 4)]), size(iter([]))
    (1, 2, None)
    """
    if isinstance(batches, tuple):
        return 1
    return len(batches) if isinstance(batches, Sequence) else None


def has_place(batches: Batches) -> bool:
    """Whether the batch of a step is known without those before it.

    A function has none: what it depends on is a part of the checkpoint, or nothing.

    >>> has_place([(1, 2)]), has_place(iter([(1, 2)]))
    (True, False)
    """
    return size(batches) is not None or not _has_passes(batches)


def stream(
    batches: Batches, epochs: int | None = None, done: int = 0
) -> Iterator[Batch]:
    """The batches of the steps after those that are done; of all passes, or of some.

    A tuple is the batch of every step, a list begins anew at its end, and so does a
    generator function or whatever else can be looked through again. A function is
    called for each step, and an iterator has one pass.

    Raises TypeError for what is none of these and for a batch that is no tuple, and
    ValueError for a pass without a batch and for epochs where there are none.
    """
    for batch in _raw(batches, epochs, done):
        if not isinstance(batch, tuple):
            raise TypeError(
                "a batch is a tuple of what the loss takes, as (xs, ys) or (xs,) is: "
                f"got {type(batch).__name__}"
            )
        yield batch


def _has_passes(batches: Any) -> bool:
    return isinstance(batches, Iterable) or isgeneratorfunction(batches)


def _raw(batches: Any, epochs: int | None, done: int) -> Iterator[Any]:
    if isinstance(batches, Iterator):
        if epochs is not None and epochs > 1:
            raise ValueError(
                f"an iterator has one pass and not epochs={epochs}: give a list of "
                "batches, or the generator function itself"
            )
        yield from batches
    elif _has_passes(batches):
        yield from _passes(batches, epochs, done)
    elif not callable(batches):
        raise TypeError(
            "batches are a tuple of arrays, a list of tuples, a function that gives "
            f"one, or an iterator or a generator of them: got {type(batches).__name__}"
        )
    elif epochs is not None:
        raise ValueError(
            "a function that gives a batch has no end and so no epochs: write steps=..."
        )
    else:
        while True:
            yield batches()


def _passes(batches: Any, epochs: int | None, done: int) -> Iterator[Any]:
    given = [batches] if isinstance(batches, tuple) else batches
    first, skipped = divmod(done, size(given) or 1)
    for _ in count(first) if epochs is None else range(first, epochs):
        found = -1
        for found, batch in enumerate(given() if callable(given) else given):
            if found >= skipped:
                yield batch
        skipped = 0
        if found < 0:
            raise ValueError("there is no batch in a pass")
