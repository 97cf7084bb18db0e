"""What gives other values to each run, and a program would repeat.

Random numbers that are drawn in a trace, and iterators that it may take from.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from io import IOBase
from typing import Any

import numpy as np

from minigrad.compile.watched import reached
from minigrad.mode import TraceError

GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


@contextmanager
def drawing_nothing(*roots: Any) -> Iterator[None]:
    """Refuse the draws of what runs inside, and set the generators as before.

    An iterator that can be reached is refused, whether it is read or not.
    The roots are what may hold a generator: a function, and objects that it is given.
    Those of ``np.random`` and ``random``, which all share, count too. A generator that
    is made inside is not seen.

    Raises TraceError.

    >>> rng = np.random.default_rng(0)
    >>> try:
    ...     with drawing_nothing(rng):
    ...         _ = rng.normal()
    ... except TraceError as error:
    ...     print(str(error)[:23])
    it draws random numbers
    >>> rng.normal() == np.random.default_rng(0).normal()
    True
    """
    held = [*roots, *(value for *_, value in reached(*roots))]
    for value in held:
        if isinstance(value, Iterator) and not isinstance(value, IOBase):
            raise TraceError(
                f"it reads a {type(value).__name__}, which gives other values to each "
                "run: take them out before the call and pass them"
            )
    own = [g for g in held if isinstance(g, GENERATORS)]
    generators = [*own, np.random, random]
    before = [state_of(g) for g in generators]
    same = False
    try:
        yield
        same = before == [state_of(g) for g in generators]
    finally:
        if not same:
            for g, state in zip(generators, before, strict=True):
                _set(g, state)
    if not same:
        raise TraceError(
            "it draws random numbers, and a program would repeat those of its first "
            "run: draw them before the call and pass them; a Training takes eager=True"
        )


def state_of(g: Any) -> Any:
    """How far a generator has drawn, to be compared and set again, in terms of JSON.

    >>> state_of(np.random.default_rng(0))["bit_generator"]
    'PCG64'
    """
    if isinstance(g, np.random.Generator):
        return _plain(g.bit_generator.state)
    return g.getstate() if hasattr(g, "getstate") else _plain(g.get_state(False))


def _set(g: Any, state: Any) -> None:
    if isinstance(g, np.random.Generator):
        g.bit_generator.state = state
    elif hasattr(g, "setstate"):
        g.setstate(state)
    else:
        g.set_state(state)


def _plain(state: Any) -> Any:
    """A generator's state in terms of JSON."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
