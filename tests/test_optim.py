"""Optimisers against their update written out."""

import copy
import shutil
from functools import partial

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.nn import Linear, Module
from minigrad.optim import (
    SGD,
    Adam,
    AdamW,
    Groups,
    Optimiser,
    RMSProp,
    clip_by_element,
    clip_by_norm,
    exponential,
    warm_up,
)
from minigrad.train import Training

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no C compiler")

MAKE = [lambda ps: SGD(ps, 0.1, 0.9), RMSProp, Adam, AdamW]

G = np.array([1.0, -2.0])


def start(dtype=np.float64):
    p = mg.parameter(np.array([1.0, 2.0], dtype), name="p")
    p.grad = G.astype(dtype)
    return p


def test_sgd():
    p = start()
    SGD([p], lr=0.1).step()
    np.testing.assert_allclose(p.data, [0.9, 2.2])


def test_sgd_with_momentum():
    p = start()
    optimiser = SGD([p], lr=0.1, momentum=0.5)
    v, expected = np.zeros(2), p.data.copy()
    for _ in range(3):
        optimiser.step()
        v = 0.5 * v + G
        expected -= 0.1 * v
    np.testing.assert_allclose(p.data, expected)


def test_adam():
    p = start()
    optimiser = Adam([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3)
    m, v, expected = np.zeros(2), np.zeros(2), p.data.copy()
    for t in range(1, 5):
        p.grad = G * t
        optimiser.step()
        m = 0.8 * m + 0.2 * G * t
        v = 0.9 * v + 0.1 * (G * t) ** 2
        mhat, vhat = m / (1 - 0.8**t), v / (1 - 0.9**t)
        expected -= 0.1 * mhat / (np.sqrt(vhat) + 1e-3)
    np.testing.assert_allclose(p.data, expected)


def test_adam_takes_steps_of_lr_at_first():
    p = start()
    Adam([p], lr=0.1).step()
    np.testing.assert_allclose(p.data, [0.9, 2.1])


@pytest.mark.parametrize("make", MAKE)
def test_every_optimiser(make):
    p = start(np.float32)
    gradient = p.grad
    optimiser = make(iter([p]))
    optimiser.step()
    optimiser.step()
    assert p.dtype == np.float32
    assert p.data.tolist() != [1, 2]
    assert p.grad is gradient
    assert gradient.tolist() == G.tolist()


@pytest.mark.parametrize("make", MAKE)
def test_a_missing_gradient_is_named_and_nothing_moves(make):
    first, second = start(), mg.parameter([1.0], name="V")
    with pytest.raises(ValueError, match="parameter V has no gradient"):
        make([first, second]).step()
    assert first.data.tolist() == [1, 2]


def test_clip_shortens_all_gradients_alike():
    p, q = mg.parameter([0.0]), mg.parameter([0.0, 0.0])
    p.grad, q.grad = np.array([2.0]), np.array([4.0, 4.0])
    before = q.grad
    assert clip_by_norm([p, q], 3.0) == 6.0
    assert (p.grad.tolist(), q.grad.tolist()) == ([1.0], [2.0, 2.0])
    assert before.tolist() == [4.0, 4.0]


def test_clip_leaves_short_gradients():
    p = start()
    gradient = p.grad
    np.testing.assert_allclose(clip_by_norm([p], 10.0), np.sqrt(5))
    assert p.grad is gradient


def test_clip_keeps_float32_and_does_not_overflow():
    p = mg.parameter(np.zeros(2, np.float32))
    p.grad = np.array([3e30, 4e30], np.float32)
    np.testing.assert_allclose(clip_by_norm([p], 1.0), 5e30, rtol=1e-6)
    assert p.grad.dtype == np.float32
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clip_reports_what_is_not_finite(bad):
    p = mg.parameter([0.0])
    p.grad = np.array([bad])
    norm = clip_by_norm([p], 1.0)
    assert not np.isfinite(norm)
    np.testing.assert_array_equal(p.grad, [bad])


def test_rmsprop():
    p = start()
    optimiser = RMSProp([p], lr=0.1, decay=0.8, eps=1e-3)
    v, expected = np.zeros(2), p.data.copy()
    for t in range(1, 4):
        p.grad = G * t
        optimiser.step()
        v = 0.8 * v + 0.2 * (G * t) ** 2
        expected -= 0.1 * G * t / (np.sqrt(v) + 1e-3)
    np.testing.assert_allclose(p.data, expected)


def test_adamw_decays_matrices_and_not_biases():
    W, b = mg.parameter(np.ones((2, 2))), mg.parameter(np.ones(2))
    for p in (W, b):
        p.grad = np.zeros(p.shape)
    AdamW([W, b], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(W.data, 0.95)
    np.testing.assert_allclose(b.data, 1.0)


def test_a_schedule_gives_the_rate_of_each_step():
    p = start()
    optimiser = SGD([p], exponential(0.1, 0.5))
    optimiser.step()
    optimiser.step()
    np.testing.assert_allclose(p.data, [1 - 0.15, 2 + 0.3])
    assert [warm_up(exponential(1.0, 0.5), 2)(t) for t in (1, 2, 3)] == [0.5, 0.5, 0.25]


@pytest.mark.parametrize("make", MAKE)
def test_a_state_goes_on_where_it_was(make):
    p, q = start(), start()
    one, other = make([p]), make([q])
    one.step()
    state = one.state_dict()
    one.step()
    other.step()
    q.assign(q.data + 1)  # the state is the optimiser's alone
    q.assign(q.data - 1)
    other.load_state_dict(state)
    other.step()
    np.testing.assert_allclose(p.data, q.data)
    assert other.steps == 2


@pytest.mark.parametrize("make", MAKE)
def test_a_state_of_another_optimiser_changes_nothing(make):
    optimiser = make([start()])
    optimiser.step()
    before = optimiser.state_dict()
    with pytest.raises(ValueError, match="nothing was loaded"):
        optimiser.load_state_dict(make([start(), start()]).state_dict())
    after = optimiser.state_dict()
    assert all(np.array_equal(after[k], before[k]) for k in before)


def test_clip_by_element():
    p = start()
    gradient = p.grad
    clip_by_element([p], 1.5)
    assert p.grad.tolist() == [1.0, -1.5]
    assert gradient.tolist() == G.tolist()


def test_an_optimiser_needs_parameters():
    with pytest.raises(ValueError, match="got none"):
        Adam([])


def two(names, values=(1.0, 2.0), dtype=np.float64):
    made = [
        mg.parameter(np.array([v, v], dtype), name=n)
        for n, v in zip(names, values, strict=True)
    ]
    for p in made:
        p.grad = np.ones(2, dtype)
    return made


def refused(optimiser, state):
    """A state that changes nothing; what is said."""
    before, steps = optimiser.state_dict(), optimiser.steps
    with pytest.raises(ValueError, match="nothing was loaded") as raised:
        optimiser.load_state_dict(state)
    after = optimiser.state_dict()
    assert steps == optimiser.steps
    assert all(np.array_equal(after[k], before[k], equal_nan=True) for k in before)
    return str(raised.value)


def test_a_state_belongs_to_parameters_in_their_order():
    optimiser = Adam(two("ab"))
    optimiser.step()
    state = optimiser.state_dict()
    said = refused(Adam(two("ba")), state)
    assert "Adam.mean.0.b: float64 (2,) here, nothing in the state" in said
    assert "Adam.mean.0.a: nothing here, float64 (2,) in the state" in said
    other = Adam(two("ab"))
    other.load_state_dict(state)
    assert other.steps == 1


@pytest.mark.parametrize(
    ("one", "other"), [(Adam, AdamW), (AdamW, Adam), (RMSProp, Adam)]
)
def test_a_state_belongs_to_a_class(one, other):
    optimiser = one(two("ab"))
    optimiser.step()
    said = refused(other(two("ab")), optimiser.state_dict())
    assert f"{one.__name__}.square.0.a: nothing here" in said


class Pair(Module):
    def __init__(self, first="cell", second="readout"):
        setattr(self, first, Linear(2, 2, rng=np.random.default_rng(0)))
        setattr(self, second, Linear(2, 2, rng=np.random.default_rng(1)))


def stepped(model):
    for i, p in enumerate(model.parameters()):
        p.grad = np.full(p.shape, i + 1.0, np.float32)
    optimiser = Adam(model.parameters())
    optimiser.step()
    return optimiser


def test_a_state_of_a_module_is_known_by_paths():
    state = stepped(Pair()).state_dict()
    assert [k for k in state if "mean" in k] == [
        "Adam.mean.cell.W",
        "Adam.mean.cell.b",
        "Adam.mean.readout.W",
        "Adam.mean.readout.b",
    ]
    turned = stepped(Pair("readout", "cell"))
    turned.load_state_dict(state)
    own = turned.state_dict()
    assert all(np.array_equal(own[k], state[k]) for k in state)
    assert "Adam.mean.encoder.W" in refused(stepped(Pair("encoder")), state)


def test_a_state_of_version_0_1_is_refused_by_name():
    state = {
        "steps": np.array(3),
        **{f"{k}.{i}": np.zeros(2) for k in ("mean", "square") for i in (0, 1)},
    }
    assert "written by minigrad 0.1" in refused(Adam(two("ab")), state)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("steps", np.array(-1), "steps is -1"),
        ("Adam.mean.0.a", np.array([np.nan, 0.0]), "Adam.mean.0.a has NaN"),
        ("Adam.square.1.b", np.array([np.inf, 0.0]), "Adam.square.1.b has NaN"),
    ],
)
def test_a_state_of_impossible_numbers_is_refused(key, value, said):
    optimiser = Adam(two("ab"))
    optimiser.step()
    assert said in refused(optimiser, optimiser.state_dict() | {key: value})


def test_a_parameter_is_listed_once():
    a, b = two("ab")
    with pytest.raises(ValueError, match="parameter a is in the list twice"):
        Adam([a, b, a])


@pytest.mark.parametrize("make", MAKE)
def test_float16_changes_as_float32_does(make):
    found, expected = (two("ab", dtype=d) for d in (np.float16, np.float32))
    for gradients in ([0.0, 1e-3], [0.0, -2e-4], [0.0, 6e-5]):
        for ps in (found, expected):
            for p, g in zip(ps, gradients, strict=True):
                p.grad = np.full(2, g, p.dtype)
    one, other = make(found), make(expected)
    for _ in range(3):
        one.step()
        other.step()
    for p, q in zip(found, expected, strict=True):
        assert p.dtype == np.float16
        np.testing.assert_allclose(p.data, q.data, rtol=2e-3)
    assert {a.dtype for arrays in one.memory.values() for a in arrays} == {
        np.dtype(np.float32)
    }
    state = one.state_dict()
    one.load_state_dict(state)


def test_clip_shortens_float16_by_what_it_does_not_hold():
    p = mg.parameter(np.zeros(4, np.float16))
    p.grad = np.full(4, 6e4, np.float16)
    norm = clip_by_norm([p], 1e-3)
    np.testing.assert_allclose(norm, 1.2e5, rtol=1e-3)
    np.testing.assert_allclose(p.grad, 5e-4, rtol=1e-3)


def test_adam_by_its_defaults_is_that_of_the_paper():
    """Algorithm 1 of Kingma and Ba (2015) with the numbers that it proposes."""
    p = mg.parameter([1.0], name="p")
    optimiser = Adam([p])
    m = v = 0.0
    x = 1.0
    for t, g in enumerate([1.0, -0.5, 3.0], 1):
        p.grad = np.array([g])
        optimiser.step()
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        x -= 0.001 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        np.testing.assert_allclose(p.data, x, rtol=1e-13)


def two_losses():
    """a, b, and a function that writes gradients by a alone after those by both."""
    a, b = mg.parameter([1.0], name="a"), mg.parameter([1.0], name="b")
    (a * b).sum().backward()
    return a, b, lambda: (a * 3).sum().backward()


@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize("clip", [None, clip_by_norm, clip_by_element])
def test_a_gradient_serves_one_step(make, clip):
    a, b, again = two_losses()
    optimiser = make([a, b])
    optimiser.step()
    again()
    before = a.data, b.data
    step = partial(clip, [a, b], 0.1) if clip else optimiser.step
    with pytest.raises(ValueError, match="parameter b has only the gradient that an"):
        step()
    assert (a.data, b.data) == before
    assert optimiser.steps == 1


def test_a_gradient_serves_one_optimiser():
    a, b, _ = two_losses()
    SGD([a, b], 0.1).step()
    with pytest.raises(ValueError, match="parameter a has only the gradient"):
        SGD([a], 0.1).step()


def test_a_step_that_is_taken_back_may_be_made_again():
    a, _, _ = two_losses()
    optimiser, start = SGD([a], 0.1), a.data
    optimiser.step()
    once = a.item()
    a.assign(start)
    optimiser.step()
    assert a.item() == once
    copied = copy.deepcopy(a)
    with pytest.raises(ValueError, match="parameter a has only the gradient"):
        SGD([copied], 0.1).step()


def test_a_gradient_set_by_hand_is_ones_own():
    a, _, _ = two_losses()
    a.grad *= 2
    optimiser = SGD([a], 0.1)
    optimiser.step()
    a.grad *= 2  # the same array, and so used still
    with pytest.raises(ValueError, match=r"set p\.grad by hand"):
        optimiser.step()
    a.grad = a.grad * 1
    optimiser.step()
    optimiser.step()
    np.testing.assert_allclose(a.data, 1 - 0.1 * (2 + 4 + 4))


@pytest.mark.parametrize(
    "value", [5.0, "abc", [1.0, 2.0], mg.tensor([1.0, 2.0]), np.array([1, 2])]
)
def test_a_gradient_is_an_array(value):
    p = start()
    with pytest.raises(TypeError, match="the gradient of parameter p is an array of"):
        p.grad = value
    with pytest.raises(ValueError, match=r"p has shape \(2,\), .* shape \(3,\)"):
        p.grad = np.ones(3)
    assert p.grad is not None
    p.grad = None
    number = mg.parameter(1.0)
    number.grad = np.ones(()) / 2
    assert isinstance(number.grad, np.ndarray)


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_element])
@pytest.mark.parametrize("given", [start(), 3, [np.ones(2)]])
def test_what_is_clipped_are_parameters(clip, given):
    with pytest.raises(TypeError, match=f"{clip.__name__} (takes|changes)"):
        clip(given, 1.0)


@pytest.mark.parametrize("size", [1e200, 1e308, 3e-200, 5e-324])
def test_a_norm_whose_square_no_float_holds_is_clipped(size):
    p, q = mg.parameter([0.0], name="p"), mg.parameter([0.0, 0.0], name="q")
    p.grad, q.grad = np.array([size]), np.array([0.0, -size])
    limit = size / 10 if size > 1e-300 else size
    np.testing.assert_allclose(clip_by_norm([p, q], limit), size * np.sqrt(2))
    if size > 1e-300:
        np.testing.assert_allclose(p.grad, limit / np.sqrt(2))
        np.testing.assert_allclose(q.grad, [0, -limit / np.sqrt(2)])


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.9, 0.9), "ab c", None])
def test_betas_are_two_numbers(betas):
    with pytest.raises(TypeError, match="betas are two numbers"):
        Adam([start()], betas=betas)


SHAPES = hnp.array_shapes(min_dims=0, max_dims=2, max_side=3)
ENGINES = ["numpy", pytest.param("c", marks=needs_compiler)]


def in_program(optimiser, backend="numpy"):
    """The updates of an optimiser as a program of arrays, lr and step among them."""
    program = mg.compile(optimiser.updates, strict=True, backend=backend)

    def run(ps, gs, memory, lr, step):
        values, memory = program(ps, gs, memory, np.float64(lr), np.float64(step))
        after = {name: [a.data for a in arrays] for name, arrays in memory.items()}
        return [p.data for p in values], after

    return run, program


@pytest.mark.parametrize("make", MAKE)
@settings(max_examples=15)
@given(shapes=st.lists(SHAPES, min_size=1, max_size=3), data=st.data())
def test_an_update_in_a_program_is_that_of_a_step(make, shapes, data):
    dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64]))
    numbers = st.floats(-2, 2, width=16).filter(lambda x: x == 0 or abs(x) > 1e-2)
    draw = [hnp.arrays(dtype, shape, elements=numbers) for shape in shapes]
    ps = [mg.parameter(data.draw(arrays)) for arrays in draw]
    optimiser = make(ps)
    run, _ = in_program(optimiser)
    for _ in range(3):
        gs = [data.draw(arrays) for arrays in draw]
        for p, g in zip(ps, gs, strict=True):
            p.grad = g
        step = optimiser.steps + 1
        values, memory = run(
            [p.data for p in ps], gs, optimiser.memory, optimiser.rate(), step
        )
        optimiser.step()
        unit = 8 * max(np.finfo(dtype).eps, np.finfo(np.float32).eps * 1e-2)
        for p, value in zip(ps, values, strict=True):
            np.testing.assert_allclose(value, p.data, rtol=unit, atol=unit)
            assert value.dtype == np.promote_types(dtype, np.float32)
        for name, arrays in optimiser.memory.items():
            for a, b in zip(arrays, memory[name], strict=True):
                assert a.dtype == b.dtype
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("backend", ENGINES)
@pytest.mark.parametrize("make", MAKE)
def test_rate_and_step_of_a_program_are_operands(make, backend):
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.0])
    ps = [mg.parameter(a), mg.parameter(b)]
    optimiser = make(ps)
    optimiser.lr = exponential(0.1, 0.5)
    run, program = in_program(optimiser, backend)
    for i in range(4):
        for p in ps:
            p.grad = np.cos(p.data + i)
        given = [p.data for p in ps], [p.grad for p in ps], optimiser.memory
        values, memory = run(*given, optimiser.rate(), i + 1)
        optimiser.step()
        for p, value in zip(ps, values, strict=True):
            np.testing.assert_allclose(value, p.data, rtol=1e-14)
        for name in memory:
            np.testing.assert_allclose(memory[name][0], optimiser.memory[name][0])
    assert len(program.traced) == 1


@pytest.mark.parametrize("make", MAKE)
def test_an_update_changes_nothing_that_it_is_given(make):
    p = start()
    optimiser = make([p])
    optimiser.step()
    given = [p.data.copy(), G.copy(), *[a[0].copy() for a in optimiser.memory.values()]]
    before = [a.copy() for a in given]
    value, kept = optimiser.update(given[0], given[1], tuple(given[2:]), 0.1, 2)
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))
    optimiser.take([value], {n: [a] for n, a in zip(optimiser.kept, kept, strict=True)})
    assert (p.data.tolist(), optimiser.steps) == (value.tolist(), 2)


def both(make):
    """Two parameters under ``make(a, b)``, and the same under two optimisers."""
    a = mg.parameter(np.full((2, 2), 1.0), name="a")
    b = mg.parameter(np.full((2, 2), 2.0), name="b")
    return a, b, make(a, b)


def test_groups_step_as_each_would():
    grown = []
    for make in (
        lambda a, b: [Groups(SGD([a], exponential(0.5, 0.5), 0.9), Adam([b], lr=0.1))],
        lambda a, b: [SGD([a], exponential(0.5, 0.5), 0.9), Adam([b], lr=0.1)],
    ):
        a, b, optimisers = both(make)
        for _ in range(4):
            ((a * b) ** 2).sum().backward()
            for optimiser in optimisers:
                optimiser.step()
        grown.append((a.data, b.data))
    np.testing.assert_array_equal(grown[0], grown[1])


def test_a_state_of_groups_goes_on():
    def make(a, b):
        return Groups(SGD([a], 0.1, 0.9), Adam([b], lr=0.1))

    a, b, optimiser = both(make)
    (a * b).sum().backward()
    optimiser.step()
    state = optimiser.state_dict()
    assert list(state) == [
        "steps",
        "0.SGD.velocity.0.a",
        "1.Adam.mean.0.b",
        "1.Adam.square.0.b",
    ]
    *_, other = both(make)
    other.load_state_dict(state)
    assert other.steps == 1
    for key, array in other.state_dict().items():
        assert np.array_equal(array, state[key])
    with pytest.raises(ValueError, match=r"0\.SGD\.velocity\.0\.a"):
        other.load_state_dict({k: v for k, v in state.items() if "SGD" not in k})


def test_groups_that_are_none():
    w = mg.parameter([1.0], name="w")
    with pytest.raises(TypeError, match="Groups takes optimisers"):
        Groups([SGD([w], 0.1)])
    with pytest.raises(ValueError, match="w is in the list twice"):
        Groups(SGD([w], 0.1), Adam([w]))
    with pytest.raises(ValueError, match="an optimiser needs parameters"):
        Groups()
    used = SGD([w], 0.1)
    w.sum().backward()
    used.step()
    with pytest.raises(ValueError, match="an optimiser has made 1 steps"):
        Groups(used)


def test_weight_decay_of_sgd_is_of_matrices():
    W, b = mg.parameter([[2.0]], name="W"), mg.parameter([2.0], name="b")
    optimiser = SGD([W, b], lr=0.5, weight_decay=0.25)
    (W * 0 + b * 0).sum().backward()
    optimiser.step()
    assert (W.item(), b.item()) == (1.75, 2.0)
    with pytest.raises(ValueError, match="weight_decay lies in"):
        SGD([W], 0.1, weight_decay=-1)


class Plain(Optimiser):
    """Written as one would: no thought of dtypes."""

    kept = ("mean",)

    def update(self, p, g, memory, lr, step):
        m = (memory[0] * step + g) / (step + 1)
        return p - lr * m, (m,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_update_may_ignore_dtypes(dtype):
    """A float64 rate makes no float64 parameter, eagerly and in a program."""
    found = []
    for eager in (True, False):
        model = Linear(2, 1, rng=np.random.default_rng(0), dtype=dtype)
        optimiser = Plain(model.parameters(), lambda step: 0.1 / step)
        training = Training(
            model, optimiser, lambda x, m=model: (m(x) ** 2).mean(), eager=eager
        )
        x = np.ones((3, 2), dtype)
        for _ in range(4):
            training.step(x)
        assert training.eager == eager
        assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
        assert {a.dtype for a in optimiser.memory["mean"]} == {np.dtype(dtype)}
        found.append(model.W.data)
    np.testing.assert_allclose(*found, rtol=1e-5)


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        (lambda p, g: p - g, "a tuple of 1 for kept"),
        (lambda p, g: (p - g, g), "a tuple of 1 for kept"),
        (lambda p, g: (p - g, (g, g)), "a tuple of 1 for kept"),
    ],
)
def test_an_update_that_gives_something_else(gives, reason):
    class Wrong(Optimiser):
        kept = ("mean",)

        def update(self, p, g, memory, lr, step):
            return gives(p, g)

    w = mg.parameter([[1.0]], name="w")
    w.sum().backward()
    with pytest.raises(TypeError, match=reason):
        Wrong([w], 0.1).step()
    assert w.item() == 1.0


def test_what_is_kept_has_names():
    class Wrong(SGD):
        kept = "mean"

    with pytest.raises(TypeError, match=r"write Wrong\.kept = \('mean',\)"):
        Wrong([mg.parameter([1.0])], 0.1)


def test_an_optimiser_without_an_update():
    w = mg.parameter([1.0], name="w")
    w.sum().backward()
    with pytest.raises(NotImplementedError, match="Optimiser has no update"):
        Optimiser([w], 0.1).step()
