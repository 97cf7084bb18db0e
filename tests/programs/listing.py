"""A random program as data: its lines, and the Python text that they make.

Vocabulary
    value    what a line assigns, ``$v3`` in its text; its name is chosen later
    size     an axis by its letter, ``$n``: a number that stands in the text
    leaf     a parameter, or an argument of the program
    call     what the arguments depend on: number of steps, size of the batch, a seed

The text is the program: the function that is run is made from it, so what a report
prints is what failed. ``T`` and ``B`` are the sizes that differ from call to call.

>>> W = Leaf("W", ("n", "n"))
>>> xs = Leaf("xs", ("B", "n"))
>>> doubled = Listing(
...     "dag", "an example", (W,), (xs,), (Line("$h = mg.tanh($xs @ $W)"),),
...     ("$h.sum()",), (), ("W",), (Call(1, 2, 0),), (("n", 3),))
>>> print(doubled.source().split("\\n\\n")[4].strip())
def forward(xs):
    h = mg.tanh(xs @ W)
    return [h.sum()]
"""

import linecache
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, NamedTuple

Dim = int | str
Shape = tuple[Dim, ...]

VALUE = re.compile(r"\$([A-Za-z_]\w*)")
ASSIGNED = re.compile(r"^\$(\w+) = (.*)$", re.DOTALL)
INDENT = "    "

HEAD = """\
import numpy as np
import minigrad as mg


def draw(seed, *shape, dtype="float64"):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)


def below(n, seed, *shape):
    return np.random.default_rng(seed).integers(0, n, shape)

"""
NUMBERS = [0, False, 1.0, True, 0.0, 1]  # equal in pairs, and of three meanings


class Leaf(NamedTuple):
    """A parameter or an argument: of floats, or of integers ``below`` a size.

    An argument of the dtype "number" is one of NUMBERS, a plain Python value.
    """

    id: str
    shape: Shape
    dtype: str = "float64"
    below: Dim | None = None
    label: str | None = None  # what ``name=`` says of a parameter; None: its variable


class Line(NamedTuple):
    """One line of the body; ``depth`` counts the blocks around it."""

    text: str
    depth: int = 0


class Call(NamedTuple):
    """One call of the program: steps, batch, and the seed of its arrays."""

    steps: int
    batch: int
    seed: int


@dataclass(frozen=True)
class Listing:
    """A program: leaves, lines, the terms of its loss, what else it returns.

    ``mode`` says what the program returns after them: "value" nothing, "grad" the
    gradients by ``wrt``, "penalty" those of the gradient's square. ``marks`` are the
    features that were drawn; what they may excuse is said where it is excused.
    """

    kind: str
    origin: str
    parameters: tuple[Leaf, ...]
    arguments: tuple[Leaf, ...]
    lines: tuple[Line, ...]
    loss: tuple[str, ...]
    also: tuple[str, ...]
    wrt: tuple[str, ...]
    calls: tuple[Call, ...]
    sizes: tuple[tuple[str, int], ...]
    mode: str = "grad"
    names: tuple[tuple[str, str], ...] = ()
    marks: frozenset[str] = field(default=frozenset())

    def source(self, held: bool = False) -> str:
        """The text of the program. ``held``: what is detached keeps its first value."""
        pieces = [HEAD]
        pieces += [self._parameter(k, leaf) for k, leaf in enumerate(self.parameters)]
        if held:
            pieces.append("\nheld = None  # set by who runs it")
        given = ", ".join(self.word(leaf.id) for leaf in self.arguments)
        body = self._body(held)
        returned = [" + ".join(self.loss), *self.also]
        body.append(f"{INDENT}return [{self._written(', '.join(returned))}]")
        pieces.append(f"\n\ndef forward({given}):\n" + "\n".join(body))
        pieces.append(f"\n\n\ndef net({given}):\n" + self._net(given))
        pieces.append("\n\n\ndef arguments(T, B, seed):\n" + self._arguments())
        return "".join(pieces) + "\n"

    def size(self, dim: Dim, steps: int = 0, batch: int = 0) -> int:
        """The number of elements along an axis."""
        known = dict(self.sizes) | {"T": steps, "B": batch}
        return dim if isinstance(dim, int) else int(eval(dim, {}, known))

    def leaves(self, given: Sequence[Any], names: Mapping[str, Any]) -> list[Any]:
        """What the gradient is taken by: arguments that are given, and parameters."""
        ids = [a.id for a in self.arguments]
        return [
            given[ids.index(w)] if w in ids else names[self.word(w)] for w in self.wrt
        ]

    def pruned(self) -> "Listing":
        """The same without leaves and names that nothing mentions."""
        text = " ".join([*(x.text for x in self.lines), *self.loss, *self.also])
        used = set(VALUE.findall(text))
        wrt = tuple(w for w in self.wrt if w in used)
        parameters = tuple(p for p in self.parameters if p.id in used)
        arguments = tuple(a for a in self.arguments if a.id in used)
        names = tuple(n for n in self.names if n[0] in used)
        return replace(
            self, parameters=parameters, arguments=arguments, wrt=wrt, names=names
        )

    def word(self, value: str) -> str:
        """The variable of a value, or the number that a size is."""
        sizes = dict(self.sizes)
        if value in sizes:
            return str(sizes[value])
        return dict(self.names).get(value, value)

    def _written(self, text: str) -> str:
        return VALUE.sub(lambda found: self.word(found[1]), text)

    def _parameter(self, k: int, leaf: Leaf) -> str:
        numbers = ", ".join([str(k + 1001), *(str(self.size(d)) for d in leaf.shape)])
        dtype = "" if leaf.dtype == "float64" else f', dtype="{leaf.dtype}"'
        word = self.word(leaf.id)
        name = leaf.label or word
        return f'\n{word} = mg.parameter(draw({numbers}{dtype}), name="{name}")'

    def _body(self, held: bool) -> list[str]:
        lines = []
        frozen: int | None = None  # the depth of a block without recording
        for text, depth in self.lines:
            if frozen is not None and depth <= frozen:
                frozen = None
            if held:
                if text == "with mg.no_grad():":
                    frozen, text = depth, "if True:"
                elif frozen is not None or text.endswith(".detach()"):
                    target, right = ASSIGNED.findall(text)[0]
                    text = f"${target} = held({right.removesuffix('.detach()')})"
            lines.append(INDENT * (depth + 1) + self._written(text))
        return lines

    def _net(self, given: str) -> str:
        if self.mode == "value" or not self.wrt:
            return f"{INDENT}return forward({given})"
        wrt = ", ".join(self.word(w) for w in self.wrt)
        text = [f"loss_, *also_ = forward({given})"]
        if self.mode == "penalty":
            text += [
                f"slopes_ = mg.grad(loss_, [{wrt}], create_graph=True, "
                'unreached="zeros")',
                "loss_ = mg.add_n([(d_ * d_).sum() for d_ in slopes_])",
            ]
        text.append(
            f'return [loss_, *also_, *mg.grad(loss_, [{wrt}], unreached="zeros")]'
        )
        return "\n".join(INDENT + line for line in text)

    def _arguments(self) -> str:
        made = []
        for k, leaf in enumerate(self.arguments):
            dims = [self._literal(d) for d in leaf.shape]
            seed = f"seed + {100 * k}" if k else "seed"
            if leaf.dtype == "number":
                text = f"{NUMBERS}[seed % {len(NUMBERS)}]"
            elif leaf.below is not None:
                text = f"below({', '.join([str(self.size(leaf.below)), seed, *dims])})"
            else:
                dtype = "" if leaf.dtype == "float64" else f'dtype="{leaf.dtype}"'
                text = f"draw({', '.join(filter(None, [seed, *dims, dtype]))})"
                if leaf.id in self.wrt:
                    text = f"mg.tensor({text}, requires_grad=True)"
            made.append(f"{2 * INDENT}{text},  # {self.word(leaf.id)}")
        if not made:
            return f"{INDENT}return []"
        return "\n".join([f"{INDENT}return [", *made, f"{INDENT}]"])

    def _literal(self, dim: Dim) -> str:
        """An axis as text: T and B stay letters."""
        sizes = dict(self.sizes)
        letter = re.compile(r"[A-Za-z_]\w*")
        return letter.sub(lambda m: str(sizes.get(m[0], m[0])), str(dim))


_numbers = count()


def build(source: str) -> dict[str, Any]:
    """The names that a text defines; tracebacks show its lines."""
    file = f"<program {next(_numbers)}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, file, "exec"), namespace)
    return namespace
