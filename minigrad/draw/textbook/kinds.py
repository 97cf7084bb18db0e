"""What each named value is, told from what it reads and what reads it.

Vocabulary
    loss     a scalar at the end that reads several values or steps, or is called L; a
             sum of losses
    output   losses alone read it, or it is the end, or it is called o or y
    target   data that a loss compares with what was computed, and no more
    input    other data
    initial  it replaces a state before the first step
    value    computed from data alone, without a parameter
    hidden   anything else: a state, a layer, a gate

>>> values = [Value("x", "x", (2,), True), Value("h", "h", (2,), False)]
>>> kinds_of(values, [Arrow("x", "h"), Arrow("h", "h", delay=1)], {})
{'h': 'hidden', 'x': 'input'}
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from minigrad.draw.textbook.chart import Arrow

OUTPUT = re.compile(r"[oy]\d*")
LOSS = re.compile(
    r"[JL]|(?-i:[JL]_?\d+)|ℒ|loss.*|.*_loss|objective|cost", re.IGNORECASE
)


class Value(NamedTuple):
    """A named value in the order in which they ran; data has no inputs."""

    key: str
    name: str
    shape: tuple[int, ...]
    data: bool


def kinds_of(
    values: Sequence[Value], arrows: Iterable[Arrow], initial: Collection[str]
) -> dict[str, str]:
    """The kind of each value."""
    into: dict[str, list[Arrow]] = {v.key: [] for v in values}
    out: dict[str, list[Arrow]] = {v.key: [] for v in values}
    for arrow in arrows:
        into[arrow.target].append(arrow)
        out[arrow.source].append(arrow)
    data = {v.key for v in values if v.data and v.key not in initial}
    given = set(data)  # and what is computed from data alone, without a parameter
    for v in values:
        if into[v.key] and all(a.source in given and not a.labels for a in into[v.key]):
            given.add(v.key)
    kinds: dict[str, str] = {}
    sums = _objectives(values, into, out, initial)
    # From the last to the first: what a value serves is known before it.
    for key, name, shape, is_data in reversed(values):
        served = {a.target for a in out[key] if not a.delay}
        losses = {target for target in served if kinds.get(target) == "loss"}
        crosses = any(a.delay or a.source in initial for a in into[key])
        leads = any(a.delay for a in out[key])
        said = OUTPUT.fullmatch(name) or (losses and served == losses)
        gathers = len(into[key]) > 1 or any(a.kind == "gather" for a in into[key])
        scalar = shape == () and gathers and not crosses
        if key in initial:
            kind = "initial"
        elif is_data:
            ends = all(all(a.delay for a in out[t]) for t in served - losses)
            compared = {a.source for t in losses for a in into[t]} - data
            kind = "target" if compared and ends else "input"
        elif key in sums or (served == losses and (LOSS.fullmatch(name) or scalar)):
            kind = "loss"
        elif key in given and not losses and out[key]:
            kind = "value"
        elif (said and not (crosses and leads)) or (
            served == losses and not crosses and (losses or not leads)
        ):
            kind = "output"
        else:
            kind = "hidden"
        kinds[key] = kind
    return kinds


def _objectives(
    values: Sequence[Value],
    into: Mapping[str, list[Arrow]],
    out: Mapping[str, list[Arrow]],
    initial: Collection[str],
) -> set[str]:
    """Scalars called as losses are that serve scalars alone, and sums of such."""
    scalars = {
        v.key for v in values if v.shape == () and not v.data and v.key not in initial
    }
    found: set[str] = set()
    for key, name, *_ in (v for v in values if v.key in scalars):
        read = {a.source for a in into[key]} - {key} - set(initial)
        gathers = len(into[key]) > 1 or any(a.kind == "gather" for a in into[key])
        called = LOSS.fullmatch(name) and scalars.issuperset(a.target for a in out[key])
        if called or (gathers and read and read <= found):
            found.add(key)
    return found
