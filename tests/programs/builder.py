"""How a program grows: a pool of values, and rules that make a line from some of them.

A shape is a tuple of sizes: letters (``"n"``), expressions of them (``"n + m"``) and 1.
``"b"`` is the first axis of a state that has one row until a batch comes in. Shapes are
computed by letter, so that a program stays right for every batch and length.

>>> joined(("B", "n"), (1, "n")), joined(("B", "n"), ("m",))
(('B', 'n'), None)
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from tests.programs.listing import Call, Dim, Leaf, Line, Listing, Shape

MOST_AXES = 3

NAMES = ["i", "j", "t", "T", "w", "x", "out", "sum", "zip", "np", "k", "h", "e", "t_1"]
NAMES += ["space", "s", "xs", "mg", "max", "shape", "x_1", "W.T", "h(t)", "y^2", "a b"]


@dataclass(frozen=True)
class Value:
    """What is known of a value when the program is written."""

    id: str
    shape: Shape
    tensor: bool = True  # an array when the program runs eagerly
    made: bool = False  # by a recorded op: a gradient by it may be asked for
    kind: str = "float"  # or "index", "number"
    below: Dim | None = None


def joined(a: Shape, b: Shape) -> Shape | None:
    """The shape that two broadcast to, or None."""
    n = max(len(a), len(b))
    longer = [(1,) * (n - len(s)) + s for s in (a, b)]
    found: list[Dim] = []
    for x, y in zip(*longer, strict=True):
        if x == y or y == 1 or (y == "b" and x == "B"):
            found.append(x)
        elif x == 1 or (x == "b" and y == "B"):
            found.append(y)
        else:
            return None
    return tuple(found)


class NoneFitsError(Exception):
    """A rule of growth cannot be followed."""


class Builder:
    """A program that is being written."""

    def __init__(self, kind: str, origin: str) -> None:
        self.kind = kind
        self.origin = origin
        self.rng = random.Random(origin)
        self.lines: list[Line] = []
        self.depth = 0
        self.pool: list[Value] = []
        self.parameters: list[Leaf] = []
        self.arguments: list[Leaf] = []
        self.labels: dict[str, str] = {}
        self.loss: list[str] = []
        self.also: list[str] = []
        self.marks: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.numbers = count(1)
        self.dtypes = self.rng.choice(
            [["float64"]] * 4 + [["float32"], ["float32", "float64"]]
        )
        self.naming = self.rng.choice(["none", "plain", "plain", "awkward"])

    # -- chances

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.rng.random() < p

    def choice(self, options: Sequence[Any]) -> Any:
        """One of several."""
        return self.rng.choice(options)

    def weighted(self, options: dict[Any, float]) -> Any:
        """One of several by weight."""
        return self.rng.choices(list(options), list(options.values()))[0]

    # -- leaves

    def new(self, stem: str = "v") -> str:
        """A fresh id."""
        return f"{stem}{next(self.numbers)}"

    def parameter(self, shape: Shape, stem: str = "W", shared: float = 0.5) -> Value:
        """A parameter of a shape: one that is used already, or a new one."""
        same = [p for p in self.parameters if p.shape == shape]
        if same and self.chance(shared):
            leaf = self.choice(same)
        else:
            label = None
            if self.naming == "awkward" and self.chance(0.3):
                label = self.choice(NAMES)
            dtype = self.choice(self.dtypes)
            leaf = Leaf(self.new(stem), shape, dtype, None, label)
            self.parameters.append(leaf)
        return Value(leaf.id, shape)

    def argument(
        self, shape: Shape, stem: str = "x", below: Dim | None = None
    ) -> Value:
        """A new argument; whether it is a Tensor is decided by ``arguments``."""
        dtype = self.choice(self.dtypes)
        leaf = Leaf(self.new(stem), shape, dtype, below)
        self.arguments.append(leaf)
        kind = "float" if below is None else "index"
        return Value(leaf.id, shape, False, False, kind, below)

    def number(self) -> Value:
        """A new argument that is a plain number."""
        leaf = Leaf(self.new("k"), (), "number")
        self.arguments.append(leaf)
        return Value(leaf.id, (), False, False, "number")

    # -- lines

    def write(self, text: str) -> None:
        """One line at the current depth."""
        self.lines.append(Line(text, self.depth))

    def put(
        self,
        text: str,
        shape: Shape,
        operands: Sequence[Value],
        stem: str = "v",
        name: bool = True,
    ) -> Value:
        """A line that assigns a new value, which joins the pool."""
        tensor = any(v.tensor for v in operands)
        value = Value(self.new(stem), shape, tensor, tensor)
        text = f"{text}"
        if name and tensor and self.chance(self.named()):
            text = f'({text}).named("{self.label(value.id)}")'
        self.write(f"${value.id} = {text}")
        self.pool.append(value)
        return value

    def named(self) -> float:
        """How often a value gets a name."""
        return {"none": 0.0, "plain": 0.2, "awkward": 0.5}[self.naming]

    def label(self, default: str) -> str:
        """A name for ``.named``: an awkward one, or the variable's."""
        return self.choice(NAMES) if self.naming == "awkward" else default

    def pick(self, fits: Callable[[Value], bool] = lambda v: True) -> Value | None:
        """A value of the pool, late ones rather than early ones."""
        fitting = [v for v in self.pool if v.kind == "float" and fits(v)]
        if not fitting:
            return None
        if self.chance(0.5):
            return fitting[-1 - min(len(fitting) - 1, self.rng.randrange(3))]
        return self.choice(fitting)  # type: ignore[no-any-return]

    def need(self, fits: Callable[[Value], bool] = lambda v: True) -> Value:
        """As ``pick``; raises NoneFitsError where no value fits."""
        value = self.pick(fits)
        if value is None:
            raise NoneFitsError
        return value

    def require(self, fits: object) -> None:
        """Raise NoneFitsError unless this holds."""
        if not fits:
            raise NoneFitsError

    def set(self, value: Value, shape: Shape) -> Value:
        """A variable that has got a new value: the pool knows its new shape."""
        now = replace(value, shape=shape, tensor=True, made=True)
        self.pool = [v for v in self.pool if v.id != value.id] + [now]
        return now

    def block(self) -> "Block":
        """Lines one level deeper."""
        return Block(self)

    # -- the end

    def listing(
        self, wrt: Sequence[str], calls: Sequence[Call], mode: str = "grad"
    ) -> Listing:
        """The program, its variables named."""
        made = Listing(
            self.kind, self.origin, tuple(self.parameters), tuple(self.arguments),
            tuple(self.lines), tuple(self.loss), tuple(self.also), tuple(wrt),
            tuple(calls), tuple(self.sizes.items()), mode, (), frozenset(self.marks),
        ).pruned()  # fmt: skip
        return replace(made, names=self._names(made))

    def _names(self, made: Listing) -> tuple[tuple[str, str], ...]:
        """Awkward variables for some values, where nothing else bears that name."""
        if self.naming != "awkward":
            return ()
        import re

        text = " ".join([*(x.text for x in made.lines), *made.loss, *made.also])
        taken = set(re.findall(r"[A-Za-z_]\w*", text)) | {"mg", "np", "draw", "below"}
        # ``arguments`` has these, ``net`` calls ``forward``.
        taken |= {"seed", "forward", "net", "arguments", "range", "len"}
        free = [n for n in NAMES if n.isidentifier() and n not in taken]
        self.rng.shuffle(free)
        ids = [leaf.id for leaf in (*made.arguments, *made.parameters)]
        ids += [f for line in made.lines for f in re.findall(r"^\$(\w+) = ", line.text)]
        chosen = [i for i in dict.fromkeys(ids) if self.chance(0.4)]
        return tuple(zip(chosen, free, strict=False))


class Block:
    """A context in which lines are one level deeper."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def __enter__(self) -> Builder:
        self.builder.depth += 1
        return self.builder

    def __exit__(self, *error: Any) -> None:
        self.builder.depth -= 1
