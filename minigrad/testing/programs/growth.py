"""The rules by which a program grows: each writes a line or a few, or cannot here.

A rule takes the builder, picks values that fit, and returns the value that it made, or
None. ``grow`` draws rules until one could. Formulas stay where numbers are tame: what
is divided by is away from zero, what is raised is small.

>>> from minigrad.testing.programs.builder import Builder
>>> b = Builder("dag", "an example")
>>> b.sizes["n"] = 3
>>> b.pool.append(b.argument(("B", "n")))
>>> grow(b) is not None
True
"""

from collections.abc import Callable

from minigrad.testing.programs.builder import MOST_AXES, Builder, Value, joined
from minigrad.testing.programs.listing import Dim, Shape

Rule = Callable[[Builder], Value | None]

SMOOTH = [
    "mg.tanh({a})",
    "mg.tanh({a})",
    "mg.sigmoid({a})",
    "mg.sin({a})",
    "mg.cos({a})",
    "mg.softplus({a})",
    "-{a}",
    "0.5 * {a}",
    "{a} * 2.0",
    "1.0 - {a}",
    "1 - {a}",
    "{a} - 1",
    "{a} + 0.25",
    "{a} / 2",
    "2 / ({a} * {a} + 1)",
    "{a} ** 2",
    "2.0 ** mg.tanh({a})",
    "mg.exp(-{a} * {a})",
    "mg.log({a} * {a} + 1.0)",
    "mg.log1p({a} * {a})",
    "mg.sqrt({a} * {a} + 0.5)",
    "mg.expm1(mg.tanh({a}))",
    "(mg.tanh({a}) + 2.0) ** 1.5",
]
KINKED = [
    "mg.relu({a} + 0.1)",
    "mg.abs({a})",
    "mg.clip({a}, -0.5, 0.5)",
    "mg.clip({a}, 0.0)",
    "mg.clip({a}, a_max=0.3)",
    "mg.maximum({a}, 0.1)",
    "mg.minimum(0.2, {a})",
    "mg.where({a} > 0.1, {a}, 0.1)",
]
OF_TENSORS = ["np.tanh({a})", "{a}.tanh()", "np.sin({a})", "{a}.sigmoid()"]
ALONG = [
    "mg.softmax({a})",
    "mg.softmax({a}, axis=-1)",
    "mg.log_softmax({a})",
    "mg.layer_norm({a}, eps=0.1)",
    "mg.cumsum({a}, axis=-1)",
    "mg.flip({a}, axis=-1)",
    "mg.roll({a}, 1, axis=-1)",
    "mg.sort({a}, axis=-1)",
    "mg.softmax({a}, axis=0)",
    "mg.cumprod(mg.tanh({a}), axis=-1)",
]
BINARY = [
    "{a} + {b}",
    "{a} + {b}",
    "{a} - {b}",
    "{a} * {b}",
    "{a} * {b}",
    "{a} / ({b} * {b} + 1.0)",
    "mg.maximum({a}, {b})",
    "mg.minimum({a}, {b})",
    "mg.where({a} > {b}, {a}, {b})",
    "mg.clip({a}, {b} - 1.0, {b} + 1.0)",
    "mg.where({b} > 0.0, {a}, 0.0)",
]


def _ref(value: Value) -> str:
    return f"${value.id}"


def unary(b: Builder) -> Value | None:
    """A function of each element."""
    a = b.pick()
    if a is None:
        return None
    forms = SMOOTH if b.chance(0.7) else KINKED
    if a.tensor and b.chance(0.15):
        forms = OF_TENSORS
    return b.put(b.choice(forms).format(a=_ref(a)), a.shape, [a])


def along(b: Builder) -> Value | None:
    """A function along an axis."""
    a = b.pick(lambda v: len(v.shape) > 0)
    if a is None:
        return None
    return b.put(b.choice(ALONG).format(a=_ref(a)), a.shape, [a])


def binary(b: Builder) -> Value | None:
    """Two values that broadcast, often the same one twice."""
    a = b.pick()
    if a is None:
        return None
    other = b.pick(lambda v: joined(a.shape, v.shape) is not None)
    if other is None:
        return None
    pair = (a, other) if b.chance(0.5) else (other, a)
    shape = joined(a.shape, other.shape)
    assert shape is not None
    if len(shape) > MOST_AXES:
        return None
    form = b.choice(BINARY)
    if "clip" in form and (shape != pair[0].shape or not pair[0].tensor):
        form = "{a} + {b}"
    return b.put(form.format(a=_ref(pair[0]), b=_ref(pair[1])), shape, pair)


def _letters(b: Builder) -> list[str]:
    return [s for s in b.sizes if s not in ("T", "B")]


def product(b: Builder) -> Value | None:
    """A matrix product with a parameter, written in several ways."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    if a is None:
        return None
    n = a.shape[-1]
    m = b.choice(_letters(b))
    W = b.parameter((n, m))
    shape: Shape = (*a.shape[:-1], m)
    forms = ["{a} @ {W}"] * 5 + ["mg.matmul({a}, {W})", "mg.tensordot({a}, {W}, axes=1)"]
    forms += ["mg.dot({a}, {W})", 'mg.einsum("...i,ij->...j", {a}, {W})']
    if len(a.shape) == 2:
        forms += ['mg.einsum("bi,ij->bj", {a}, {W})', "np.matmul({a}, {W})"]
        forms += ["({W}.T @ {a}.T).T"] if a.tensor else []
    return b.put(b.choice(forms).format(a=_ref(a), W=_ref(W)), shape, [a, W])


def vector(b: Builder) -> Value | None:
    """A product with a parameter of one axis: a bias, a gain, a projection."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    if a is None:
        return None
    p = b.parameter((a.shape[-1],), "b")
    forms = ["{a} + {p}", "{p} * {a}", "{a} * {p}", "{p} - {a}"]
    if b.chance(0.25):
        forms = ["{a} @ {p}", 'mg.einsum("...i,i->...", {a}, {p})']
        return b.put(b.choice(forms).format(a=_ref(a), p=_ref(p)), a.shape[:-1], [a, p])
    return b.put(b.choice(forms).format(a=_ref(a), p=_ref(p)), a.shape, [a, p])


def gates(b: Builder) -> Value | None:
    """Two gates cut by slices from one product."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    if a is None:
        return None
    m = b.choice(_letters(b))
    W = b.parameter((a.shape[-1], f"2 * {m}"))
    z = b.put(f"{_ref(a)} @ {_ref(W)}", (*a.shape[:-1], f"2 * {m}"), [a, W])
    if b.chance(0.4):
        p = b.parameter((f"2 * {m}",), "b")
        z = b.put(f"{_ref(z)} + {_ref(p)}", z.shape, [z, p])
    return cut(b, z, m)


def cut(b: Builder, z: Value, m: Dim) -> Value:
    """The product of the two halves of a value."""
    half: Shape = (*z.shape[:-1], m)
    at = f"${m}"
    before = ":, " if len(z.shape) == 2 and b.chance(0.6) else "..., "
    if b.chance(0.2):
        first, second = b.new(), b.new()
        b.write(f"${first}, ${second} = mg.split({_ref(z)}, 2, axis=-1)")
        halves = [Value(i, half, z.tensor, z.tensor) for i in (first, second)]
        b.pool += halves
        left, right = (_ref(v) for v in halves)
    else:
        left, right = (f"{_ref(z)}[{before}{at}]", f"{_ref(z)}[{before}{at}:]")
        left, right = left.replace(f"{at}]", f":{at}]"), right
    forms = [
        "mg.sigmoid({l}) * mg.tanh({r})",
        "mg.sigmoid({l}) * {r}",
        "{l} * {r}",
        "{l} + {r} * {r}",
        "mg.tanh({r}) - mg.tanh({l})",
    ]
    return b.put(b.choice(forms).format(l=left, r=right), half, [z])


def basic(b: Builder) -> Value | None:
    """An index of slices, integers and new axes."""
    a = b.pick(lambda v: len(v.shape) > 0)
    if a is None:
        return None
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
    return b.put(f"{_ref(a)}[{key}]", shape, [a])


def invariant(b: Builder) -> Value | None:
    """A slice of an expression of a parameter alone."""
    n = b.choice(_letters(b))
    if b.sizes[n] < 2:
        return None
    p = b.parameter((n,), "b", shared=0.7)
    forms = ["{p} * 2.0", "mg.tanh({p})", "{p} + 1.0", "1.0 / ({p} * {p} + 1.0)"]
    text = b.choice(forms).format(p=_ref(p))
    if b.chance(0.3):
        return b.put(text, (n,), [p])
    if b.chance(0.3):
        first, second = f"({text})[:1]", f"({text})[1:]"
        return b.put(f"{first} * {second}", (f"{n} - 1",), [p])
    return b.put(f"({text})[:-1]", (f"{n} - 1",), [p])


def picked(b: Builder) -> Value | None:
    """An index array that is a constant of the program."""
    a = b.pick(lambda v: len(v.shape) > 0 and b.sizes.get(str(v.shape[-1]), 0) >= 2)
    if a is None:
        return None
    forms = [
        ("{a}[..., np.array([1, 0])]", 2),
        ("{a}[..., [0, 1, 0]]", 3),
        ("mg.take({a}, np.array([1, 0, 1]), axis=-1)", 3),
        ("mg.take({a}, [0], axis=-1)", 1),
    ]
    text, n = b.choice(forms)
    return b.put(text.format(a=_ref(a)), (*a.shape[:-1], n), [a])


def looked_up(b: Builder) -> Value | None:
    """An index array that is an argument."""
    indices = [v for v in b.pool if v.kind == "index"]
    if not indices:
        return None
    y = b.choice(indices)
    assert y.below is not None
    if b.chance(0.5):
        n = b.choice(_letters(b))
        E = b.parameter((y.below, n), "E")
        forms = ["mg.embedding({E}, {y})", "mg.take({E}, {y}, axis=0)", "{E}[{y}]"]
        shape = (*y.shape, n)
        if len(shape) > MOST_AXES:
            return None
        return b.put(b.choice(forms).format(E=_ref(E), y=_ref(y)), shape, [E])
    a = b.pick(lambda v: len(v.shape) > 0 and v.shape[-1] == y.below and v.tensor)
    if a is None:
        return None
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
    if not options:
        return None
    text, shape = b.choice(options)
    return b.put(text.format(a=_ref(a), y=_ref(y)), shape, [a])


def masked(b: Builder) -> Value | None:
    """A mask made from values, as a float or as booleans."""
    a = b.pick()
    if a is None:
        return None
    m = b.pick(lambda v: v.shape == a.shape or v.shape == a.shape[-1:])
    if m is None:
        return None
    forms = [
        "mg.where({m} > 0.0, {a}, -1.0)",
        "({m} > 0.0) * {a}",
        "{a} * mg.greater({m}, 0.1)",
        "mg.where(mg.logical_and({m} > -0.5, {m} < 0.5), {a}, {a} * {a})",
    ]
    return b.put(b.choice(forms).format(a=_ref(a), m=_ref(m)), a.shape, [a, m])


def by_mask(b: Builder) -> Value | None:
    """Boolean indexing, whose shape depends on values: it runs eagerly."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.tensor)
    if a is None or b.depth or not b.chance(0.15):
        return None
    b.marks.add("boolean index")
    return b.put(f"{_ref(a)}[{_ref(a)} > 0.0].sum()", (), [a])


def reduced(b: Builder) -> Value | None:
    """A reduction over an axis, several or all."""
    a = b.pick(lambda v: len(v.shape) > 0)
    if a is None:
        return None
    name = b.weighted(
        {"sum": 4, "mean": 4, "max": 2, "min": 1, "logsumexp": 1, "var": 1, "prod": 1}
    )
    keep = b.chance(0.5)
    inner = f"mg.tanh({_ref(a)})" if name == "prod" else _ref(a)
    axis = b.choice([-1, 0, None] + ([(0, -1)] if len(a.shape) > 1 else []))
    gone = range(len(a.shape)) if axis is None else axis
    gone = [gone] if isinstance(gone, int) else gone
    left = {g % len(a.shape) for g in gone}
    shape = tuple(
        1 if i in left else d for i, d in enumerate(a.shape) if keep or i not in left
    )
    said = [] if axis is None else [f"axis={axis}"]
    said += ["keepdims=True"] if keep else []
    if a.tensor and name in ("sum", "mean", "max", "var") and b.chance(0.5):
        return b.put(f"{_ref(a)}.{name}({', '.join(said)})", shape, [a])
    return b.put(f"mg.{name}({', '.join([inner, *said])})", shape, [a])


def reshaped(b: Builder) -> Value | None:
    """The same elements in another shape or order."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.tensor)
    if a is None:
        return None
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
    options += [("mg.pad({a}, 1)", tuple(f"{d} + 2" for d in s))] if "b" not in s else []
    text, shape = b.choice(options)
    return b.put(text.format(a=_ref(a)), shape, [a])


def combined(b: Builder) -> Value | None:
    """Two values side by side, or on top of each other."""
    a = b.pick(lambda v: len(v.shape) > 0)
    if a is None:
        return None
    o = b.pick(lambda v: v.shape[:-1] == a.shape[:-1] and len(v.shape) > 0)
    if o is None or not (a.tensor or o.tensor):
        return None
    la, lo = a.shape[-1], o.shape[-1]
    if "b" in (la, lo):
        return None
    pair = f"[{_ref(a)}, {_ref(o)}]"
    options: list[tuple[str, Shape]] = [
        (f"mg.concatenate({pair}, axis=-1)", (*a.shape[:-1], f"{la} + {lo}"))
    ]
    if o.shape == a.shape and len(a.shape) < MOST_AXES and "b" not in a.shape:
        options += [(f"mg.stack({pair})", (2, *a.shape))]
        options += [(f"np.stack({pair}, axis=-1)", (*a.shape, 2))]
        options += [(f"mg.add_n([{_ref(a)}, {_ref(o)}, {_ref(a)}])", a.shape)]
    text, shape = b.choice(options)
    return b.put(text, shape, [a, o])


def einsum(b: Builder) -> Value | None:
    """A product of two values by letters; an axis of one may have length 1."""
    a = b.pick(lambda v: len(v.shape) in (1, 2) and "b" not in v.shape)
    if a is None:
        return None
    o = b.pick(
        lambda v: (
            len(v.shape) == len(a.shape)
            and "b" not in v.shape
            and all(x == y or 1 in (x, y) for x, y in zip(v.shape, a.shape, strict=True))
        )
    )
    if o is None:
        return None
    pair = f"{_ref(a)}, {_ref(o)}"
    full = joined(a.shape, o.shape)
    assert full is not None
    if len(a.shape) == 1:
        options: list[tuple[str, Shape]] = [
            (f'mg.einsum("i,i", {pair})', ()),
            (f'mg.einsum("i,i->i", {pair})', full),
            (f"mg.outer({pair})", (a.shape[0], o.shape[0])),
        ]
    else:
        options = [
            (f'mg.einsum("bi,bi->b", {pair})', full[:1]),
            (f'mg.einsum("bi,bi->i", {pair})', full[1:]),
            (f'mg.einsum("bi,bi", {pair})', ()),
            (f"({_ref(a)} * {_ref(o)}).sum(axis=-1)", full[:1])
            if a.tensor or o.tensor
            else (f'mg.einsum("bi,bi->bi", {pair})', full),
        ]
        if o.shape[1] == a.shape[1] and o.tensor:
            options += [(f"{_ref(a)} @ {_ref(o)}.T", (a.shape[0], o.shape[0]))]
    text, shape = b.choice(options)
    return b.put(text, shape, [a, o])


def constant(b: Builder) -> Value | None:
    """A product or sum with an array that the program makes itself."""
    a = b.pick(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    if a is None:
        return None
    array = b.choice(["np.linspace(0.5, 1.5, {n})", "mg.tensor(np.ones({n}))"])
    array = array.format(n=f"${a.shape[-1]}")
    forms = ["{a} * {c}", "{c} * {a}", "{a} + {c}", "{c} - {a}"]
    text = b.choice(forms).format(a=_ref(a), c=array)
    made = b.put(text, a.shape, [a], name=a.tensor)
    if not a.tensor and "mg.tensor" in array:
        return b.set(made, made.shape)
    return made


def stopped(b: Builder) -> Value | None:
    """A value past which no gradient flows."""
    a = b.pick(lambda v: v.tensor)
    if a is None:
        return None
    b.marks.add("detached")
    if b.chance(0.5):
        value = Value(b.new(), a.shape)
        b.write(f"${value.id} = {_ref(a)}.detach()")
    else:
        b.write("with mg.no_grad():")
        value = Value(b.new(), a.shape)
        form = b.choice(["mg.tanh({a})", "{a} * 0.5", "{a} + 1.0"])
        with b.block():
            b.write(f"${value.id} = {form.format(a=_ref(a))}")
    b.pool.append(value)
    return value


def slope(b: Builder) -> Value | None:
    """A gradient taken within the program, and differentiated with it."""
    a = b.pick(lambda v: v.made)
    if a is None:
        return None
    b.marks.add("inner gradient")
    value = Value(b.new("d"), a.shape, True, True)
    form = b.choice(["({a} * {a}).sum()", "mg.tanh({a}).sum()", "({a} ** 3).mean()"])
    b.write(
        f"${value.id}, = mg.grad({form.format(a=_ref(a))}, [{_ref(a)}], "
        "create_graph=True)"
    )
    b.pool.append(value)
    return value


def leaf(b: Builder) -> Value | None:
    """A leaf made in the body: it has a name or asks for a gradient."""
    n = b.choice(_letters(b))
    value = Value(b.new("c"), (n,))
    said = b.choice([f'name="{b.label("c")}"', "requires_grad=True"])
    b.marks.add("leaf in the body")
    b.write(f"${value.id} = mg.tensor(np.linspace(0.0, 1.0, ${n}), {said})")
    b.pool.append(value)
    return value


def target(b: Builder) -> Value | None:
    """The squared distance of two values of one shape."""
    a = b.pick()
    if a is None:
        return None
    y = b.pick(lambda v: v.shape == a.shape)
    if y is None or not (a.tensor or y.tensor):
        return None
    said = b.choice(["", "", ', reduction="sum"'])
    return b.put(f"mg.mse_loss({_ref(a)}, {_ref(y)}{said})", (), [a, y])


RULES: dict[Rule, float] = {
    unary: 8,
    binary: 9,
    product: 5,
    vector: 4,
    gates: 3,
    along: 2,
    basic: 3,
    invariant: 1.5,
    picked: 1.5,
    looked_up: 4,
    masked: 1.5,
    by_mask: 0.5,
    reduced: 3,
    reshaped: 2,
    combined: 2,
    einsum: 1.5,
    constant: 1.5,
    stopped: 1,
    slope: 0.5,
    leaf: 0.3,
    target: 1,
}


def grow(b: Builder) -> Value | None:
    """One more value, by a rule that could be followed."""
    for _ in range(10):
        made: Value | None = b.weighted(RULES)(b)
        if made is not None:
            return made
    return None
