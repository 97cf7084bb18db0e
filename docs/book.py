"""Equations that were read off a graph, beside their numbers in the book.

>>> import numpy as np
>>> import minigrad as mg
>>> W = mg.parameter(np.eye(2), name="W")
>>> o = (np.ones((1, 2)) @ W).named("o")
>>> print(numbered(o, {"o": ["10.10"]}).splitlines()[2][-9:])
| 10.10 |
"""

from collections.abc import Mapping, Sequence

from minigrad import Tensor, equations

HEADS = {"en": "equation | in the book", "es": "ecuación | en el libro"}


def numbered(
    loss: Tensor, numbers: Mapping[str, Sequence[str]], language: str = "en"
) -> str:
    """A table in Markdown: the equations of each name, and what the book calls them."""
    found = equations(loss)
    lines = [f"| {HEADS[language]} |", "|---|---|"]
    for name, its in numbers.items():
        for equation, number in zip(found[name], its, strict=True):
            lines.append(f"| ${equation.latex().replace('&', '')}$ | {number} |")
    return "\n".join(lines)
