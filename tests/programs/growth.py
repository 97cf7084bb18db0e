"""How a program gets its next line: the rules that pick and place, and ``grow``.

>>> from tests.programs.builder import Builder
>>> b = Builder("dag", "an example")
>>> b.sizes["n"] = 3
>>> b.pool.append(b.argument(("B", "n")))
>>> grow(b) is not None
True
"""

from collections.abc import Callable
from contextlib import suppress

from tests.programs.arithmetic import (
    along,
    binary,
    constant,
    einsum,
    gates,
    letters,
    masked,
    numbered,
    product,
    reduced,
    ref,
    target,
    unary,
    vector,
)
from tests.programs.builder import MOST_AXES, Builder, NoneFitsError, Value
from tests.programs.listing import Shape

Rule = Callable[[Builder], Value]


def basic(b: Builder) -> Value:
    """An index of slices, integers and new axes."""
    a = b.need(lambda v: len(v.shape) > 0)
    last = a.shape[-1]
    options: list[tuple[str, Shape]] = [("..., 0", a.shape[:-1])]
    options += [("..., :1", (*a.shape[:-1], 1)), ("..., -1", a.shape[:-1])]
    options += [("0", a.shape[1:]), ("-1", a.shape[1:]), (":1", (1, *a.shape[1:]))]
    if b.sizes.get(str(last), 0) >= 2:
        options += [("..., 1:", (*a.shape[:-1], f"{last} - 1"))] * 2
        options += [("..., ::-1", a.shape)]
    if len(a.shape) < MOST_AXES:
        options += [("None", (1, *a.shape)), ("..., None", (*a.shape, 1))]
    key, shape = b.choice(options)
    return b.put(f"{ref(a)}[{key}]", shape, [a])


def invariant(b: Builder) -> Value:
    """A slice of an expression of a parameter alone."""
    n = b.choice(letters(b))
    b.require(b.sizes[n] >= 2)
    p = b.parameter((n,), "b", shared=0.7)
    b.marks.add("cut invariant")
    forms = ["{p} * 2.0", "mg.tanh({p})", "{p} + 1.0", "1.0 / ({p} * {p} + 1.0)"]
    text = b.choice(forms).format(p=ref(p))
    if b.chance(0.3):
        return b.put(text, (n,), [p])
    if b.chance(0.3):
        first, second = f"({text})[:1]", f"({text})[1:]"
        return b.put(f"{first} * {second}", (f"{n} - 1",), [p])
    return b.put(f"({text})[:-1]", (f"{n} - 1",), [p])


def picked(b: Builder) -> Value:
    """An index array that is a constant of the program."""
    a = b.need(lambda v: len(v.shape) > 0 and b.sizes.get(str(v.shape[-1]), 0) >= 2)
    forms = [
        ("{a}[..., np.array([1, 0])]", 2),
        ("{a}[..., [0, 1, 0]]", 3),
        ("mg.take({a}, np.array([1, 0, 1]), axis=-1)", 3),
        ("mg.take({a}, [0], axis=-1)", 1),
    ]
    text, n = b.choice(forms)
    return b.put(text.format(a=ref(a)), (*a.shape[:-1], n), [a])


def looked_up(b: Builder) -> Value:
    """An index array that is an argument."""
    indices = [v for v in b.pool if v.kind == "index"]
    b.require(indices)
    y = b.choice(indices)
    assert y.below is not None
    if b.chance(0.5):
        n = b.choice(letters(b))
        E = b.parameter((y.below, n), "E")
        forms = ["mg.embedding({E}, {y})", "mg.take({E}, {y}, axis=0)", "{E}[{y}]"]
        shape = (*y.shape, n)
        b.require(len(shape) <= MOST_AXES)
        return b.put(b.choice(forms).format(E=ref(E), y=ref(y)), shape, [E])
    a = b.need(lambda v: len(v.shape) > 0 and v.shape[-1] == y.below and v.tensor)
    options: list[tuple[str, Shape]] = []
    if len(a.shape) - 1 + len(y.shape) <= MOST_AXES:
        options += [("{a}[..., {y}]", (*a.shape[:-1], *y.shape))]
        if len(a.shape) == 2:
            options += [("{a}[:, {y}]", (a.shape[0], *y.shape))]
    if len(a.shape) == 2 and a.shape[:1] == y.shape:
        options += [("{a}[np.arange(len({a})), {y}]", y.shape)] * 2
        options += [("mg.take_along_axis({a}, {y}[:, None], axis=1)", (*y.shape, 1))]
    if a.shape[:-1] == y.shape:
        options += [("mg.cross_entropy({a}, {y})", ())] * 2
        options += [('mg.cross_entropy({a}, {y}, reduction="sum")', ())]
        options += [('mg.cross_entropy({a}, {y}, reduction="none")', y.shape)]
        options += [("mg.nll_loss(mg.log_softmax({a}), {y})", ())]
    b.require(options)
    text, shape = b.choice(options)
    return b.put(text.format(a=ref(a), y=ref(y)), shape, [a])


def by_mask(b: Builder) -> Value:
    """Boolean indexing, whose shape depends on values: it runs eagerly."""
    a = b.need(lambda v: len(v.shape) > 0 and v.tensor)
    b.require(not b.depth and b.chance(0.3))
    b.marks.add("boolean index")
    return b.put(f"{ref(a)}[{ref(a)} > 0.0].sum()", (), [a])


def reshaped(b: Builder) -> Value:
    """The same elements in another shape or order."""
    a = b.need(lambda v: len(v.shape) > 0 and v.tensor)
    s = a.shape
    flat = " * ".join(f"({d})" for d in s) if "b" not in s else None
    options: list[tuple[str, Shape]] = [("{a}.T", s[::-1])]
    if flat:
        options += [("{a}.reshape(-1)", (flat,))]
    if len(s) == 2:
        options += [("mg.swapaxes({a}, 0, 1)", s[::-1]), ("mg.transpose({a})", s[::-1])]
        options += [("np.transpose({a}, (1, 0))", s[::-1])]
        if s[0] == s[1]:
            options += [("mg.tril({a})", s), ("mg.triu({a}, k=1)", s)]
    if len(s) < MOST_AXES:
        options += [("mg.expand_dims({a}, 0)", (1, *s))]
    if s[0] == 1:
        options += [("mg.squeeze({a}, axis=0)", s[1:])]
    options += (
        [("mg.pad({a}, 1)", tuple(f"{d} + 2" for d in s))] if "b" not in s else []
    )
    text, shape = b.choice(options)
    return b.put(text.format(a=ref(a)), shape, [a])


def combined(b: Builder) -> Value:
    """Two values side by side, or on top of each other."""
    a = b.need(lambda v: len(v.shape) > 0)
    o = b.need(lambda v: v.shape[:-1] == a.shape[:-1] and len(v.shape) > 0)
    b.require(a.tensor or o.tensor)
    la, lo = a.shape[-1], o.shape[-1]
    b.require("b" not in (la, lo))
    pair = f"[{ref(a)}, {ref(o)}]"
    options: list[tuple[str, Shape]] = [
        (f"mg.concatenate({pair}, axis=-1)", (*a.shape[:-1], f"{la} + {lo}"))
    ]
    if o.shape == a.shape and len(a.shape) < MOST_AXES and "b" not in a.shape:
        options += [(f"mg.stack({pair})", (2, *a.shape))]
        options += [(f"np.stack({pair}, axis=-1)", (*a.shape, 2))]
        options += [(f"mg.add_n([{ref(a)}, {ref(o)}, {ref(a)}])", a.shape)]
    text, shape = b.choice(options)
    return b.put(text, shape, [a, o])


def stopped(b: Builder) -> Value:
    """A value past which no gradient flows."""
    a = b.need(lambda v: v.tensor)
    b.marks.add("detached")
    if b.chance(0.5):
        value = Value(b.new(), a.shape)
        b.write(f"${value.id} = {ref(a)}.detach()")
    else:
        b.write("with mg.no_grad():")
        value = Value(b.new(), a.shape)
        form = b.choice(["mg.tanh({a})", "{a} * 0.5", "{a} + 1.0"])
        with b.block():
            b.write(f"${value.id} = {form.format(a=ref(a))}")
    b.pool.append(value)
    return value


def slope(b: Builder) -> Value:
    """A gradient taken within the program, and differentiated with it."""
    a = b.need(lambda v: v.made)
    b.marks.add("inner gradient")
    value = Value(b.new("d"), a.shape, True, True)
    form = b.choice(["({a} * {a}).sum()", "mg.tanh({a}).sum()", "({a} ** 3).mean()"])
    b.write(
        f"${value.id}, = mg.grad({form.format(a=ref(a))}, [{ref(a)}], "
        "create_graph=True)"
    )
    b.pool.append(value)
    return value


def leaf(b: Builder) -> Value:
    """A leaf made in the body: it has a name or asks for a gradient."""
    n = b.choice(letters(b))
    value = Value(b.new("c"), (n,))
    said = b.choice([f'name="{b.label("c")}"', "requires_grad=True"])
    b.marks.add("leaf in the body")
    b.write(f"${value.id} = mg.tensor(np.linspace(0.0, 1.0, ${n}), {said})")
    b.pool.append(value)
    return value


RULES: dict[Rule, float] = {
    unary: 8, binary: 9, product: 5, vector: 4, gates: 3, along: 2, basic: 3,
    invariant: 1.5, picked: 1.5, looked_up: 4, masked: 1.5, by_mask: 0.6, reduced: 3,
    reshaped: 2, combined: 2, einsum: 1.5, constant: 1.5, stopped: 1.5, slope: 0.8,
    numbered: 1.5, leaf: 0.5, target: 1,
}  # fmt: skip


def grow(b: Builder) -> Value | None:
    """One more value, by a rule that could be followed."""
    for _ in range(10):
        with suppress(NoneFitsError):
            made: Value = b.weighted(RULES)(b)
            return made
    return None
