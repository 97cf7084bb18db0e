"""Which states are linear: known answers, every op's form, random recurrences."""

from functools import partial

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

import minigrad as mg
from minigrad.fold.linear import FORMS
from minigrad.models import LinearRecurrence
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU
from minigrad.nn.recurrent import stop_gradient, unroll
from minigrad.op import registry
from tests.ops.table import ROWS
from tests.programs.agreement import SetAsideError
from tests.programs.one_step import why_not_linear

RNG = np.random.default_rng(0)
H = 3
W = mg.parameter(RNG.normal(size=(H, H)) / 2, name="W")
a = mg.parameter(RNG.uniform(0.5, 1, H), name="a")
XS = RNG.normal(size=(8, 2, H))


def run(step, starts=1, reverse=False):
    """The fold of a loop: ``step(x, *states)`` gives the next states."""
    states = [mg.tensor(np.zeros((2, H)), name="h0") for _ in range(starts)]
    for _, x in mg.steps(x=XS, reverse=reverse):
        new = step(x, *states)
        new = new if isinstance(new, tuple) else (new,)
        states = [
            s.named(n) if s.node.name is None else s
            for s, n in zip(new, "hgk", strict=False)
        ]
    return mg.fold(mg.Graph([s.sum() for s in states]))


KNOWN = {
    "scaled": (lambda x, h: a * h + x, "diagonal"),
    "a gate of x": (lambda x, h: mg.sigmoid(x) * h + mg.tanh(x @ W), "diagonal"),
    "leaky": (lambda x, h: h + 0.1 * (x - h), "diagonal"),
    "divided": (lambda x, h: h / (1 + x * x), "diagonal"),
    "masked": (lambda x, h: mg.where(x > 0, h, x), "diagonal"),
    "cut off": (lambda x, h: stop_gradient(h) * a + x, "diagonal"),
    "a product": (lambda x, h: h @ W + x, "dense"),
    "a sum": (lambda x, h: h.sum(axis=-1, keepdims=True) * x, "dense"),
    "turned over": (lambda x, h: mg.flip(h, axis=-1) + x, "dense"),
    "cut and joined": (lambda x, h: mg.concatenate([h[:, 1:], x[:, :1]], 1), "dense"),
    "einsum": (lambda x, h: mg.einsum("bi,ij->bj", h, W), "dense"),
    "tanh": (lambda x, h: mg.tanh(a * h), None),
    "relu": (lambda x, h: mg.relu(h) + x, None),
    "clipped": (lambda x, h: mg.clip(h, -1.0, 1.0) + x, None),
    "squared": (lambda x, h: h * h, None),
    "two factors": (lambda x, h: (h + x) * (h @ W), None),
    "a divisor": (lambda x, h: x / (1 + h), None),
    "a mask of itself": (lambda x, h: mg.where(h > 0, h, x), None),
    "a gate of itself": (lambda x, h: mg.sigmoid(h) * h + x, None),
    "in einsum twice": (lambda x, h: mg.einsum("bi,bi->bi", h, h), None),
    "power": (lambda x, h: h**2, None),
    "to whole numbers": (lambda x, h: h.astype(int).astype(float) + x, None),
}


@pytest.mark.parametrize("what", KNOWN)
@pytest.mark.parametrize("reverse", [False, True])
def test_known_answers(what, reverse):
    step, expected = KNOWN[what]
    assert run(step, reverse=reverse).linear == {"h": expected}


def test_two_states_that_feed_each_other_are_one_recurrence():
    def coupled(x, h, g):
        return a * h + g, a * g + h

    assert run(coupled, 2).linear == {"h": "dense", "g": "dense"}

    def half(x, h, g):
        return a * h + mg.tanh(g), a * g + h

    assert run(half, 2).linear == {"h": None, "g": None}


def test_a_state_that_only_reads_another_is_linear_by_itself():
    def above(x, h, g):
        return mg.tanh(h @ W + x), a * g + h

    assert run(above, 2).linear == {"h": None, "g": "diagonal"}

    def scaled_by_another(x, h, g):
        return a * h + x, h * g

    assert run(scaled_by_another, 2).linear == {"h": "diagonal", "g": "diagonal"}


def test_what_a_later_step_reads_and_does_not_feed_back_is_no_state_here():
    def teacher(x, h, y):
        return a * h + y, x

    found = run(teacher, 2)
    assert found.linear == {"h": "diagonal"}
    assert set(found.states) == {"h", "x"}


def test_an_older_state_is_linear_and_not_diagonal():
    def older(x, h, g):
        return a * g + x, h

    assert run(older, 2).linear == {"h": "dense"}

    def both(x, h, g):
        return a * g + h, h

    assert run(both, 2).linear == {"h": "dense"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([1] * 6, "diagonal"),
        ([2] * 6, "diagonal"),
        ([1] * 3 + [2] * 3, "dense"),
        ([1] + [2] * 5, "dense"),
        ([1] * 5 + [2], "dense"),
    ],
    ids=["one row", "a start that broadcasts", "grows", "grows at 2", "grows at T"],
)
def test_a_state_that_broadcasts_is_not_diagonal(rows, expected):
    h = mg.tensor(np.zeros((1, H)), name="h0")
    for t in mg.steps(6):
        h = (a * h + mg.tensor(np.ones((rows[t - 1], H)), name="x")).named("h")
    assert mg.fold(h).linear == {"h": expected}
    assert why_not_linear(mg.Graph(h)) is None


def test_what_grows_within_the_step_is_not_diagonal():
    h = mg.tensor(np.zeros((1, H)), name="h0")
    for _, x in mg.steps(x=XS):
        h = (a * h + x).mean(axis=0, keepdims=True).named("h")
    assert mg.fold(h).linear == {"h": "dense"}


def test_a_state_that_reads_all_steps_before_is_not_said_to_be_linear():
    h, hs = mg.tensor(np.zeros((2, H)), name="h0"), []
    for _, x in mg.steps(x=XS):
        hs.append(h)
        h = (mg.stack(hs).mean(axis=0) + x).named("h")
    assert mg.fold(h).linear == {"h": None}


def test_whole_numbers_are_not_linear():
    k = mg.tensor(np.zeros(2, np.uint8), name="k0")  # they wrap around
    for _ in mg.steps(4):
        k = (k + 1).named("k")
    assert mg.fold(k).linear == {"k": None}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (Elman, {"h": None}),
        (LSTM, {"h": None, "s": None}),
        (GRU, {"h": None}),
        (partial(GRU, reset_after=True), {"h": None}),
        (MinGRU, {"h": "diagonal"}),
    ],
)
def test_cells(make, expected):
    cell = make(2, H, rng=RNG)
    *_, (_, state) = unroll(cell, np.ones((6, 1, 2), np.float32))
    assert mg.fold(mg.Graph([s.sum() for s in state])).linear == expected


def test_the_gradient_of_a_linear_recurrence_is_one():
    model = LinearRecurrence(2, H, 2, rng=RNG)
    loss = model.loss(np.ones((6, 1, 2), np.float32), np.zeros((6, 1), int))
    found = mg.grad(loss, [model.a, model.U], create_graph=True)
    assert list(mg.fold(found).linear.values()) == ["diagonal", "diagonal"]
    net = Elman(2, H, rng=RNG)
    *_, (_, (h,)) = unroll(net, np.ones((6, 1, 2), np.float32))
    (backward,) = mg.grad(h.sum(), [net.W], create_graph=True)
    # Of tanh as well: what comes back is a product with what came before.
    assert list(mg.fold(backward).linear.values()) == [None, "dense"]


def test_a_graph_that_was_read_says_the_same():
    graph = mg.Graph(mg.stack(run_states(KNOWN["scaled"][0])))
    read = mg.Graph.from_json(graph.to_json())
    assert mg.fold(read).linear == mg.fold(graph).linear == {"h": "diagonal"}


def run_states(step):
    h, found = mg.tensor(np.zeros((2, H)), name="h0"), []
    for _, x in mg.steps(x=XS):
        h = step(x, h).named("h")
        found.append(h)
    return found


def test_named_values_alone_do_not_tell():
    graph = mg.contract(mg.stack(run_states(KNOWN["scaled"][0])))
    with pytest.raises(ValueError, match=r"write mg\.fold"):
        mg.fold(graph).linear  # noqa: B018


# -- every op


SAMPLES = [
    pytest.param(row, case, operands, id=f"{row.op.name}-{number}")
    for row in ROWS
    if row.op.name in FORMS
    for number, (case, operands) in enumerate(row.samples())
]


@pytest.mark.parametrize(("row", "case", "operands"), SAMPLES)
def test_the_form_of_an_op(row, case, operands):
    form = FORMS[row.op.name]
    f = row.function(case.attrs)
    floats = [i for i, x in enumerate(operands) if np.asarray(x).dtype.kind == "f"]
    linear = [i for i in floats if i in range(len(operands))[form.linear]]
    rng = np.random.default_rng(0)

    def moved(far, which):
        changed = list(operands)
        for i, way in which.items():
            changed[i] = operands[i] + far * way
        found = f(*map(np.asarray, changed))
        return np.asarray(getattr(found, "data", found), float)

    for which in [[i] for i in linear] if form.alone else [linear]:
        ways = {i: rng.normal(size=np.shape(operands[i])) for i in which}
        a, b, c = (moved(far, ways) for far in (0.0, 3.0, 6.0))
        np.testing.assert_allclose(a + c, 2 * b, rtol=0, atol=1e-9)
        for i in which if form.in_place else ():
            if a.shape != np.shape(operands[i]):
                continue
            for place in np.ndindex(a.shape):
                way = np.zeros(a.shape)
                way[place] = 1.0
                differ = moved(1.0, {i: way}) != a
                assert not np.any(differ & (way == 0))


def test_every_form_is_that_of_an_op():
    assert set(FORMS) <= set(registry)
    assert set(FORMS) - {row.op.name for row in ROWS} <= {"stop_gradient"}


# -- random recurrences

VALUES = {
    "add": (2, lambda p, q: p + q),
    "subtract": (2, lambda p, q: p - q),
    "multiply": (2, lambda p, q: p * q),
    "divide": (2, lambda p, q: p / (2.0 + q * q)),
    "where": (3, lambda p, q, r: mg.where(p > 0.1, q, r)),
    "scaled": (1, lambda p: a * p),
    "product": (1, lambda p: p @ W),
    "cut": (1, lambda p: mg.concatenate([p[:, :1], p[:, 1:]], axis=1)),
    "rolled": (1, lambda p: mg.roll(p, 1, axis=-1)),
    "mean": (1, lambda p: p.mean(axis=-1, keepdims=True) * np.ones((2, H))),
    "turned": (1, lambda p: mg.swapaxes(mg.swapaxes(p, 0, 1) * 0.5, 0, 1)),
    "sigmoid": (1, mg.sigmoid),
    "tanh": (1, mg.tanh),
    "relu": (1, mg.relu),
    "maximum": (2, mg.maximum),
}
LIKELY = [*VALUES] + ["add", "scaled", "product", "subtract", "multiply"] * 2


@st.composite
def loops(draw):
    """Loops of one to three states and delays, with more that is linear than not."""
    number = draw(st.integers(1, 3))
    lines = draw(
        st.lists(
            st.tuples(st.sampled_from(LIKELY), *[st.integers(0, 30)] * 3),
            min_size=number,
            max_size=8,
        )
    )
    delays = draw(st.lists(st.sampled_from([1, 1, 1, 2]), min_size=3, max_size=3))
    return number, lines, delays, draw(st.booleans()), draw(st.booleans())


def record(loop):
    number, lines, delays, reverse, with_gradient = loop
    past = [[mg.tensor(np.zeros((2, H)), name="h0")] * 2 for _ in range(number)]
    total = []
    for _, x in mg.steps(x=XS, reverse=reverse):
        known = [x, *[p[-d] for p, d in zip(past, delays, strict=False)]]
        for name, *which in lines:
            arity, f = VALUES[name]
            known.append(f(*[known[-1 - i % len(known)] for i in which[:arity]]))
        for p, value in zip(past, known[::-1], strict=False):
            p.append(0.5 * value)
        total.append(mg.add_n([p[-1].sum() for p in past]))
    loss = mg.stack(total).sum()
    if with_gradient:
        found = mg.grad(loss, [W, a], create_graph=True, unreached="zeros")
        return mg.Graph([loss, *found])
    return mg.Graph(loss)


@given(loops())
def test_what_is_said_to_be_linear_is(loop):
    graph = record(loop)
    try:
        with np.errstate(all="ignore"):
            assert why_not_linear(graph) is None
    except SetAsideError:
        assume(False)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("tanh", FORMS["negative"]),
        ("multiply", FORMS["add"]),
        ("roll", FORMS["negative"]),
        ("matmul", FORMS["multiply"]),
        ("divide", FORMS["multiply"]),
        ("maximum", FORMS["add"]),
    ],
)
def test_a_wrong_form_is_caught(name, form, monkeypatch):
    monkeypatch.setitem(FORMS, name, form)
    steps = {
        "tanh": lambda x, h: mg.tanh(h),
        "multiply": lambda x, h: 0.01 * h * h,
        "roll": lambda x, h: mg.roll(h, 1, axis=-1),
        "matmul": lambda x, h: h @ W,
        "divide": lambda x, h: x / (h + 20.0),
        "maximum": lambda x, h: mg.maximum(h, x),
    }
    graph = mg.Graph(run_states(lambda x, h: steps[name](x, h) + x))
    assert "is said to be" in why_not_linear(graph)
