"""Names in the source that cannot mean two things.

The source uses words of its own, and makes further names of a line's by adding to it:
``h_t``, ``h_steps``, ``h_at_0``. So a line's name is none of these words, and no name
is another one with an underscore and more behind it.

>>> names = Names()
>>> [names.new("h", 1), names.new("zip", 2), names.new("h_t", 3), names.new("h_t", 4)]
['h', 'zip_2_', 'v3', 'v4']
"""

import builtins
import re
from itertools import chain, count
from keyword import kwlist, softkwlist

import numpy as np

from minigrad.compile import forms
from minigrad.compile.helpers import HELPERS, LETTERS
from minigrad.op import registry

UFUNCS = [name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)]
WORDS = frozenset(
    [
        *kwlist, *softkwlist, *dir(builtins), *dir(forms), *UFUNCS, *HELPERS,
        *LETTERS, *"Ttw", "np", "part", "turn", "views", "run", "workspace",
        "njit", "OPTIONS", "row_top",
    ]
)  # fmt: skip
NUMBERED = re.compile(r"(T|k_|op_|loop_)\d+")


class Names:
    """The names of a program's lines."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.begun: set[str] = set()  # what a taken name has before an underscore

    def new(self, base: str, index: int) -> str:
        """The base if it is free, or else another name for the line of this index."""
        if not (base.isidentifier() and base.isascii()):
            base = f"v_{index}"
        others = (f"{'v' * k}{index}" for k in count(1))
        known = chain((base, f"{base}_{index}_"), others)
        name = next(name for name in known if self._fits(name))
        self.taken.add(name)
        self.begun.update(_beginnings(name))
        return name

    def _fits(self, name: str) -> bool:
        return not (
            name in WORDS or name in registry or name.startswith("__")
            or NUMBERED.fullmatch(name) or name in self.taken or name in self.begun
            or self.taken.intersection(_beginnings(name))
        )  # fmt: skip


def _beginnings(name: str) -> list[str]:
    """What stands before an underscore, for each of the name's underscores."""
    return [name[:i] for i, c in enumerate(name) if c == "_" and i]
