"""Random programs without time: sharing, fan-out, constants, ops of many kinds.

>>> draw_dag("an example") == draw_dag("an example")
True
"""

from tests.programs.builder import Builder, Value
from tests.programs.growth import grow
from tests.programs.listing import Call, Listing, Shape

SHAPES: list[Shape] = [("B", "n"), ("B", "m"), ("n",), ("n", "m"), (), (1, "n")]
SHAPES += [("B", "n")] * 2 + [("B", "m", "n"), ("m", 1)]


def draw_dag(origin: str) -> Listing:
    """The program without time that a text stands for."""
    b = Builder("dag", origin)
    b.sizes |= {"n": b.rng.randint(1, 4), "m": b.rng.randint(1, 3)}
    given = [b.argument(b.choice(SHAPES)) for _ in range(b.rng.randint(1, 3))]
    if b.chance(0.4):
        of = b.choice([("B",), ("B",), (2,), ("m", 2), ()])
        b.pool.append(b.argument(of, "y", b.choice(["n", "m"])))
    by_input = [v.id for v in given if b.chance(0.4)]
    b.pool += [Value(v.id, v.shape, tensor=v.id in by_input) for v in given]
    if b.chance(0.15):
        b.pool.append(b.number())
    for _ in range(b.rng.randint(2, 12)):
        grow(b)
    if not any(v.tensor and v.kind == "float" for v in b.pool):
        p = b.parameter((), "p")
        b.put(f"mg.tanh(${given[0].id} * ${p.id})", given[0].shape, [p])
    scalars(b, b.rng.randint(1, 3))
    for _ in range(b.choice([0, 0, 1, 2])):
        value = b.pick(lambda v: v.tensor)
        if value is not None:
            b.also.append(f"${value.id}")
    wrt = [p.id for p in b.parameters if b.chance(0.9)] + by_input
    mode = b.weighted({"grad": 7, "penalty": 1.5, "value": 1})
    return b.listing(wrt, calls(b), mode)


def scalars(b: Builder, terms: int) -> None:
    """Terms of the loss: numbers made of late values."""
    forms = ["{v}.sum()", "({v} * {v}).sum()", "{v}.mean()", "mg.tanh({v}).sum()"]
    for _ in range(terms):
        value = b.pick(lambda v: v.tensor)
        assert value is not None
        term = b.choice(forms).format(v=f"${value.id}")
        b.loss.append(f"{b.choice(['', '', '0.5 * '])}{term}")


def calls(b: Builder) -> list[Call]:
    """Batches that change between calls, or do not, and come back."""
    first, second = b.choice([(2, 3), (1, 2), (3, 1), (2, 2)])
    return [Call(1, first, 1), Call(1, first, 2), Call(1, second, 3), Call(1, first, 4)]
