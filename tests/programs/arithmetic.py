"""Rules of growth that compute: functions of elements, products, reductions.

A rule takes the builder, picks values that fit, and returns the value that it made; it
raises NoneFitsError where it cannot be followed. Formulas stay where numbers are tame:
what is divided by is away from zero, what is raised is small.

>>> from tests.programs.builder import Builder
>>> b = Builder("dag", "an example")
>>> unary(b)
Traceback (most recent call last):
tests.programs.builder.NoneFitsError
"""

from tests.programs.builder import MOST_AXES, Builder, Value, joined
from tests.programs.listing import Dim, Shape

SMOOTH = [
    "mg.tanh({a})", "mg.tanh({a})", "mg.sigmoid({a})", "mg.sin({a})", "mg.cos({a})",
    "mg.softplus({a})", "-{a}", "0.5 * {a}", "{a} * 2.0", "1.0 - {a}", "1 - {a}",
    "{a} - 1", "{a} + 0.25", "{a} / 2", "2 / ({a} * {a} + 1)", "{a} ** 2",
    "2.0 ** mg.tanh({a})", "mg.exp(-{a} * {a})", "mg.log({a} * {a} + 1.0)",
    "mg.log1p({a} * {a})", "mg.sqrt({a} * {a} + 0.5)", "mg.expm1(mg.tanh({a}))",
    "(mg.tanh({a}) + 2.0) ** 1.5", "mg.log(mg.sigmoid(15.0 * {a}))",
    "mg.softplus(15.0 * {a})",
]  # fmt: skip
KINKED = [
    "mg.relu({a} + 0.1)", "mg.abs({a})", "mg.clip({a}, -0.5, 0.5)", "mg.clip({a}, 0.0)",
    "mg.clip({a}, a_max=0.3)", "mg.maximum({a}, 0.1)", "mg.minimum(0.2, {a})",
    "mg.where({a} > 0.1, {a}, 0.1)",
]  # fmt: skip
OF_TENSORS = ["np.tanh({a})", "{a}.tanh()", "np.sin({a})", "{a}.sigmoid()"]
ALONG = [
    "mg.softmax({a})", "mg.softmax({a}, axis=-1)", "mg.log_softmax({a})",
    "mg.layer_norm({a}, eps=0.1)", "mg.cumsum({a}, axis=-1)", "mg.flip({a}, axis=-1)",
    "mg.roll({a}, 1, axis=-1)", "mg.sort({a}, axis=-1)", "mg.softmax({a}, axis=0)",
    "mg.cumprod(mg.tanh({a}), axis=-1)",
]  # fmt: skip
BINARY = [
    "{a} + {b}", "{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} * {b}",
    "{a} / ({b} * {b} + 1.0)", "mg.maximum({a}, {b})", "mg.minimum({a}, {b})",
    "mg.where({a} > {b}, {a}, {b})", "mg.clip({a}, {b} - 1.0, {b} + 1.0)",
    "mg.where({b} > 0.0, {a}, 0.0)",
]  # fmt: skip


def ref(value: Value) -> str:
    """A value in the text of a line."""
    return f"${value.id}"


def unary(b: Builder) -> Value:
    """A function of each element."""
    a = b.need()
    forms = SMOOTH if b.chance(0.7) else KINKED
    if a.tensor and b.chance(0.15):
        forms = OF_TENSORS
    return b.put(b.choice(forms).format(a=ref(a)), a.shape, [a])


def along(b: Builder) -> Value:
    """A function along an axis."""
    a = b.need(lambda v: len(v.shape) > 0)
    return b.put(b.choice(ALONG).format(a=ref(a)), a.shape, [a])


def binary(b: Builder) -> Value:
    """Two values that broadcast, often the same one twice."""
    a = b.need()
    other = b.need(lambda v: joined(a.shape, v.shape) is not None)
    pair = (a, other) if b.chance(0.5) else (other, a)
    shape = joined(a.shape, other.shape)
    assert shape is not None
    b.require(len(shape) <= MOST_AXES)
    form = b.choice(BINARY)
    if "clip" in form and (shape != pair[0].shape or not pair[0].tensor):
        form = "{a} + {b}"
    return b.put(form.format(a=ref(pair[0]), b=ref(pair[1])), shape, pair)


def letters(b: Builder) -> list[str]:
    """The sizes that do not change between calls."""
    return [s for s in b.sizes if s not in ("T", "B")]


def product(b: Builder) -> Value:
    """A matrix product with a parameter, written in several ways."""
    a = b.need(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    n = a.shape[-1]
    m = b.choice(letters(b))
    W = b.parameter((n, m))
    shape: Shape = (*a.shape[:-1], m)
    forms = ["{a} @ {W}"] * 5 + [
        "mg.matmul({a}, {W})",
        "mg.tensordot({a}, {W}, axes=1)",
    ]
    forms += ["mg.dot({a}, {W})", 'mg.einsum("...i,ij->...j", {a}, {W})']
    if len(a.shape) == 2:
        forms += ['mg.einsum("bi,ij->bj", {a}, {W})', "np.matmul({a}, {W})"]
        forms += ["({W}.T @ {a}.T).T"] if a.tensor else []
    return b.put(b.choice(forms).format(a=ref(a), W=ref(W)), shape, [a, W])


def vector(b: Builder) -> Value:
    """A product with a parameter of one axis: a bias, a gain, a projection."""
    a = b.need(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    p = b.parameter((a.shape[-1],), "b")
    forms = ["{a} + {p}", "{p} * {a}", "{a} * {p}", "{p} - {a}"]
    if b.chance(0.25):
        forms = ["{a} @ {p}", 'mg.einsum("...i,i->...", {a}, {p})']
        return b.put(b.choice(forms).format(a=ref(a), p=ref(p)), a.shape[:-1], [a, p])
    return b.put(b.choice(forms).format(a=ref(a), p=ref(p)), a.shape, [a, p])


def gates(b: Builder) -> Value:
    """Two gates cut by slices from one product."""
    a = b.need(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    m = b.choice(letters(b))
    W = b.parameter((a.shape[-1], f"2 * {m}"))
    z = b.put(f"{ref(a)} @ {ref(W)}", (*a.shape[:-1], f"2 * {m}"), [a, W])
    if b.chance(0.4):
        p = b.parameter((f"2 * {m}",), "b")
        z = b.put(f"{ref(z)} + {ref(p)}", z.shape, [z, p])
    return cut(b, z, m)


def cut(b: Builder, z: Value, m: Dim) -> Value:
    """The product of the two halves of a value."""
    half: Shape = (*z.shape[:-1], m)
    at = f"${m}"
    before = ":, " if len(z.shape) == 2 and b.chance(0.6) else "..., "
    if b.chance(0.2):
        first, second = b.new(), b.new()
        b.write(f"${first}, ${second} = mg.split({ref(z)}, 2, axis=-1)")
        halves = [Value(i, half, z.tensor, z.tensor) for i in (first, second)]
        b.pool += halves
        left, right = (ref(v) for v in halves)
    else:
        left, right = (f"{ref(z)}[{before}{at}]", f"{ref(z)}[{before}{at}:]")
        left, right = left.replace(f"{at}]", f":{at}]"), right
    forms = [
        "mg.sigmoid({l}) * mg.tanh({r})",
        "mg.sigmoid({l}) * {r}",
        "{l} * {r}",
        "{l} + {r} * {r}",
        "mg.tanh({r}) - mg.tanh({l})",
    ]
    return b.put(b.choice(forms).format(l=left, r=right), half, [z])


def constant(b: Builder) -> Value:
    """A product or sum with an array that the program makes itself."""
    a = b.need(lambda v: len(v.shape) > 0 and v.shape[-1] in b.sizes)
    array = b.choice(["np.linspace(0.5, 1.5, {n})", "mg.tensor(np.ones({n}))"])
    array = array.format(n=f"${a.shape[-1]}")
    forms = ["{a} * {c}", "{c} * {a}", "{a} + {c}", "{c} - {a}"]
    text = b.choice(forms).format(a=ref(a), c=array)
    made = b.put(text, a.shape, [a], name=a.tensor)
    if not a.tensor and "mg.tensor" in array:
        return b.set(made, made.shape)
    return made


def masked(b: Builder) -> Value:
    """A mask made from values, as a float or as booleans."""
    a = b.need()
    m = b.need(lambda v: v.shape == a.shape or v.shape == a.shape[-1:])
    forms = [
        "mg.where({m} > 0.0, {a}, -1.0)",
        "({m} > 0.0) * {a}",
        "{a} * mg.greater({m}, 0.1)",
        "mg.where(mg.logical_and({m} > -0.5, {m} < 0.5), {a}, {a} * {a})",
    ]
    return b.put(b.choice(forms).format(a=ref(a), m=ref(m)), a.shape, [a, m])


def reduced(b: Builder) -> Value:
    """A reduction over an axis, several or all."""
    a = b.need(lambda v: len(v.shape) > 0)
    name = b.weighted(
        {"sum": 4, "mean": 4, "max": 2, "min": 1, "logsumexp": 1, "var": 1, "prod": 1}
    )
    keep = b.chance(0.5)
    inner = f"mg.tanh({ref(a)})" if name == "prod" else ref(a)
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
        return b.put(f"{ref(a)}.{name}({', '.join(said)})", shape, [a])
    return b.put(f"mg.{name}({', '.join([inner, *said])})", shape, [a])


def einsum(b: Builder) -> Value:
    """A product of two values by letters; an axis of one may have length 1."""
    a = b.need(lambda v: len(v.shape) in (1, 2) and "b" not in v.shape)
    o = b.need(
        lambda v: (
            len(v.shape) == len(a.shape)
            and "b" not in v.shape
            and all(
                x == y or 1 in (x, y) for x, y in zip(v.shape, a.shape, strict=True)
            )
        )
    )
    pair = f"{ref(a)}, {ref(o)}"
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
            (f"({ref(a)} * {ref(o)}).sum(axis=-1)", full[:1])
            if a.tensor or o.tensor
            else (f'mg.einsum("bi,bi->bi", {pair})', full),
        ]
        if o.shape[1] == a.shape[1] and o.tensor:
            options += [(f"{ref(a)} @ {ref(o)}.T", (a.shape[0], o.shape[0]))]
    text, shape = b.choice(options)
    return b.put(text, shape, [a, o])


def target(b: Builder) -> Value:
    """The squared distance of two values of one shape."""
    a = b.need()
    y = b.need(lambda v: v.shape == a.shape)
    b.require(a.tensor or y.tensor)
    said = b.choice(["", "", ', reduction="sum"'])
    return b.put(f"mg.mse_loss({ref(a)}, {ref(y)}{said})", (), [a, y])


def numbered(b: Builder) -> Value:
    """A plain number as operand or as index, where 1 and True are not the same."""
    numbers = [v for v in b.pool if v.kind == "number"]
    a = b.need(lambda v: v.tensor)
    b.require(numbers)
    k = ref(b.choice(numbers))
    if b.chance(0.4) and a.shape:
        return b.put(f"{ref(a)}[{k} > 0].sum()", (), [a], name=False)
    if b.chance(0.5) and a.shape and not b.depth:
        text = f"{ref(a)}[int({k}) - 1 if isinstance({k}, float) else {k} and -1].sum()"
        return b.put(text, (), [a], name=False)
    forms = ["{a} * {k}", "{k} - {a}", "{a} + {k}", "({a} * {a} + 1.0) ** {k}"]
    return b.put(b.choice(forms).format(a=ref(a), k=k), a.shape, [a])
