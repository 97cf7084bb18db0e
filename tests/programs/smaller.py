"""A failing program made smaller, as long as it fails in the same way.

>>> from tests.programs.dag import draw_dag
>>> listing = draw_dag("dag/0/1")
>>> len(smaller(listing, lambda each: "x" if each.lines else None).lines)
1
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.programs.listing import ASSIGNED, VALUE, Leaf, Listing

MOST = 1000  # trials: a report that is nearly minimal, in time


def smaller(
    listing: Listing, key: Callable[[Listing], Any], most: int = MOST
) -> Listing:
    """The smallest program found whose ``key`` is that of ``listing``.

    ``key`` says how a program fails: None where it does not. What cannot be run at all
    fails otherwise, so every edit may be tried.
    """
    wanted = key(listing)
    tried = 0
    while True:
        for candidate in _edits(listing):
            if tried >= most:
                return listing
            tried += 1
            if key(candidate) == wanted:
                listing = candidate
                break
        else:
            return listing


def _edits(listing: Listing) -> Iterator[Listing]:
    """Simpler programs, the largest cuts first."""
    for edit in (_calls, _results, _lines, _replaced, _simpler, _sizes, _plain):
        for candidate in edit(listing):
            if candidate != listing:
                yield candidate.pruned()


def _calls(it: Listing) -> Iterator[Listing]:
    calls = it.calls
    for i in reversed(range(len(calls))):
        if len(calls) > 1:
            yield replace(it, calls=calls[:i] + calls[i + 1 :])
    for i, call in enumerate(calls):
        for less in (
            call._replace(batch=1),
            call._replace(steps=max(1, call.steps // 2)),
            call._replace(steps=max(1, call.steps - 1)),
            call._replace(batch=max(1, call.batch - 1)),
            call._replace(seed=0),
        ):
            yield replace(it, calls=(*calls[:i], less, *calls[i + 1 :]))


def _results(it: Listing) -> Iterator[Listing]:
    if it.mode != "value":
        yield replace(it, mode="value")
    if it.mode == "penalty":
        yield replace(it, mode="grad")
    yield replace(it, also=())
    for i in range(len(it.loss) if len(it.loss) > 1 else 0):
        yield replace(it, loss=it.loss[:i] + it.loss[i + 1 :])
    for i in range(len(it.also)):
        yield replace(it, also=it.also[:i] + it.also[i + 1 :])
    for i in range(len(it.wrt)):
        yield replace(it, wrt=it.wrt[:i] + it.wrt[i + 1 :])


def _lines(it: Listing) -> Iterator[Listing]:
    """Lines left out: with what is in their block, and many at once."""
    lines = it.lines
    size = max(1, len(lines) // 2)
    while size > 1:
        for start in range(0, len(lines), size):
            yield replace(it, lines=lines[:start] + lines[start + size :])
        size //= 2
    for i in reversed(range(len(lines))):
        end = i + 1
        while end < len(lines) and lines[end].depth > lines[i].depth:
            end += 1
        yield replace(it, lines=lines[:i] + lines[end:])


def _replaced(it: Listing) -> Iterator[Listing]:
    """A value replaced by one that its line takes."""
    for i in reversed(range(len(it.lines))):
        found = ASSIGNED.match(it.lines[i].text)
        if not found:
            continue
        target, right = found.groups()
        for operand in dict.fromkeys(VALUE.findall(right)):
            if operand == target or operand in dict(it.sizes):
                continue

            def put(text: str, old: str = target, new: str = operand) -> str:
                return re.sub(rf"\${old}\b", f"${new}", text)

            rest = it.lines[:i] + it.lines[i + 1 :]
            yield replace(
                it,
                lines=tuple(x._replace(text=put(x.text)) for x in rest),
                loss=tuple(map(put, it.loss)),
                also=tuple(map(put, it.also)),
            )


FUNCTION = r"mg\.(?!steps|grad|tensor|no_grad)[a-z0-9_]+"
SIMPLER = [
    (r'\.named\("[^"]*"\)', ""),
    (r', name="[^"]*"', ""),
    (r", requires_grad=True", ""),
    (r", reverse=True", ""),
    (r", (axis|eps|reduction|keepdims)=[^,)]*", ""),
    (r"^\((.*)\)$", r"\1"),
    (rf"{FUNCTION}\((\$\w+)\)", r"\1"),
    (rf"{FUNCTION}\(([^(),]*)\)", r"\1"),
    (r"(\$\w+) @ \$\w+ \+ ", ""),
    (r" \+ (\$\w+) @ \$\w+", ""),
    (r" \+ \$\w+(\[-?\d\])? [@*] \$\w+", ""),
    (r"\$\w+(\[-?\d\])? [@*] \$\w+ \+ ", ""),
    (r" \+ [^+()]*$", ""),
    (r" \+ \$\w+", ""),
    (r"(?<![\w$.])-?[\d.]+ \* ", ""),
    (r" [*+/-] [\d.]+", ""),
    (r" \*\* \d", ""),
    (r" \* \$\w+", ""),
    (r"\$\w+ \* ", ""),
    (r", \w+=\$\w+\)", ")"),
]


def _simpler(it: Listing) -> Iterator[Listing]:
    """A text with a piece less."""
    for pattern, new in SIMPLER:
        for i, line in enumerate(it.lines):
            for text in _cut(pattern, new, line.text):
                changed = line._replace(text=text)
                yield replace(it, lines=(*it.lines[:i], changed, *it.lines[i + 1 :]))
        for i, term in enumerate(it.loss):
            for text in _cut(pattern, new, term):
                yield replace(it, loss=(*it.loss[:i], text, *it.loss[i + 1 :]))


def _cut(pattern: str, new: str, text: str) -> Iterator[str]:
    for found in re.finditer(pattern, text):
        yield text[: found.start()] + found.expand(new) + text[found.end() :]


def _sizes(it: Listing) -> Iterator[Listing]:
    for name, n in it.sizes:
        for less in range(1, n):
            made = tuple((k, less if k == name else v) for k, v in it.sizes)
            yield replace(it, sizes=made)


def _plain(it: Listing) -> Iterator[Listing]:
    """Plain names and one dtype."""
    yield replace(it, names=())
    for i in range(len(it.names)):
        yield replace(it, names=it.names[:i] + it.names[i + 1 :])
    for parameters in _plainer(it.parameters):
        yield replace(it, parameters=parameters)
    for arguments in _plainer(it.arguments):
        yield replace(it, arguments=arguments)


def _plainer(leaves: tuple[Leaf, ...]) -> Iterator[tuple[Leaf, ...]]:
    """Leaves of float64 and without names of their own: all of them, or one."""
    plain = tuple(
        x if x.dtype == "number" else x._replace(dtype="float64", label=None)
        for x in leaves
    )
    yield plain
    for i, leaf in enumerate(plain):
        yield (*leaves[:i], leaf, *leaves[i + 1 :])
