"""A checker that cannot fail proves nothing: wrong rules, and what finds each."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.op import Op, registry
from minigrad.testing import GradientError, case, check_grad, check_op


@pytest.fixture
def plant():
    """Declare wrong ops that are forgotten after the test."""
    known = set(registry)
    yield lambda forward, *rules, **options: Op(
        forward, *rules, name="planted", **options
    )
    for name in set(registry) - known:
        del registry[name]


def in_place(g, y, x):
    g *= 2 * x
    return g


def forgets_negative(g, y, x, axis=0):
    return np.broadcast_to(np.expand_dims(g, abs(axis)), x.shape)


FIRST_ORDER = {
    "sign": (lambda x: x * x, lambda g, y, x: -2 * g * x, "wrong sign"),
    "factor": (lambda x: x * x, lambda g, y, x: 4 * g * x, "2 times too large"),
    "half": (lambda x: x * x, lambda g, y, x: g * x, "2 times too small"),
    "ignores g": (lambda x: x * x, lambda g, y, x: 2 * x, "it does not use g"),
    "lost term": (lambda x: x * x + x, lambda g, y, x: 2 * g * x, "is wrong"),
    "in place": (lambda x: x * x, in_place, "in place"),
    "affine in g": (lambda x: x * x, lambda g, y, x: 2 * g * x + 1, "not linear in g"),
    "|g|": (lambda x: 3 * x, lambda g, y, x: 3 * np.abs(g), "not linear in g"),
    "float64": (lambda x: 2 * x, lambda g, y, x: g * np.float64(2), "float64"),
    "random": (
        lambda x: 2 * x,
        lambda g, y, x: g * (2 + 1e-13 * np.random.random()),
        "other bits",
    ),
}


@pytest.mark.parametrize("bug", FIRST_ORDER)
def test_a_wrong_rule_of_order_1_is_caught(plant, bug):
    forward, rule, said = FIRST_ORDER[bug]
    with pytest.raises(GradientError, match=r"op planted") as caught:
        check_op(plant(forward, rule))
    assert said in str(caught.value)


SECOND_ORDER = {
    "raw x": lambda g, y, x: g * 3 * np.array(x) ** 2,
    "raw everything": lambda g, y, x: np.array(g) * 3 * np.array(x) ** 2,
    "the node's value": lambda g, y, x: (
        g * 3 * (x.data if isinstance(x, mg.Tensor) else x) ** 2
    ),
    "half raw": lambda g, y, x: g * 3 * x * np.array(x),
    "raw g": lambda g, y, x: np.array(g) * 3 * x**2,
}


@pytest.mark.parametrize("bug", SECOND_ORDER)
def test_a_rule_that_is_wrong_from_order_2_on_is_caught(plant, bug):
    op = plant(lambda x: x**3, SECOND_ORDER[bug])
    args = [np.array([0.3, -1.2, 0.8])]
    check_grad(op, args, order=1)
    with pytest.raises(GradientError, match="order-2"):
        check_grad(op, args, order=2)
    with pytest.raises(GradientError):
        check_op(op)


def test_the_hint_for_raw_arrays_says_so(plant):
    op = plant(lambda x: x**3, SECOND_ORDER["raw x"])
    with pytest.raises(GradientError, match="raw arrays, which record nothing"):
        check_grad(op, [np.array([0.3, -1.2])], order=2)


def test_a_rule_wrong_from_order_3_on_is_caught_by_order_3(plant):
    # The derivative of the rule is again a rule: this one hides a constant in it.
    square = plant(lambda x: x * x, lambda g, y, x: g * 2 * x)
    quartic = Op(
        lambda x: x**4,
        lambda g, y, x: g * 4 * x * square(np.array(x)) * x / x,
        name="planted too",
    )
    with pytest.raises(GradientError):
        check_grad(quartic, [np.array([0.7])], order=3)


def test_a_forgotten_negative_axis_is_caught(plant):
    op = plant(lambda x, axis=0: np.sum(x, axis), forgets_negative)
    check_op(op, case((2, 2, 2), axis=0), case((2, 2, 2), axis=2), order=1)
    with pytest.raises(GradientError, match="axis=-1"):
        check_op(op, case((2, 2, 2), axis=-1), order=1)


def test_a_transposed_gradient_is_named(plant):
    weights = np.arange(9.0).reshape(3, 3)
    op = plant(
        lambda x: np.sum(x * weights),
        lambda g, y, x: np.broadcast_to(g, (3, 3)) * weights.T,
    )
    with pytest.raises(GradientError, match="transposed"):
        check_grad(op, [np.ones((3, 3))])


def test_a_rule_that_crashes_says_in_which_case(plant):
    op = plant(lambda x: x + x, lambda g, y, x: g @ np.ones((7, 7)))
    with pytest.raises(ValueError, match="matmul") as caught:
        check_op(op)
    assert any("op planted, case 0 ((3,))" in note for note in caught.value.__notes__)


def test_swapped_rules_are_caught(plant):
    op = plant(lambda a, b: a * b, lambda g, y, a, b: g * a, lambda g, y, a, b: g * b)
    with pytest.raises(GradientError, match="argument 0"):
        check_op(op)


def test_none_for_an_argument_that_has_a_gradient_is_caught(plant):
    op = plant(lambda a, b: a * b, lambda g, y, a, b: g * b, None)
    with pytest.raises(GradientError, match="every entry is zero"):
        check_op(op)


def test_a_sum_taken_for_a_mean_is_named(plant):
    op = plant(
        lambda x: np.mean(x),
        lambda g, y, x: np.broadcast_to(np.array(g), x.shape) * 1,
    )
    with pytest.raises(GradientError, match="a sum taken for a mean over 6"):
        check_grad(op, [np.arange(6.0).reshape(2, 3)])


def test_the_gradient_passed_on_as_it_came_is_no_alias():
    # add hands the same g to both sides: the engine must not let them share memory.
    check_op(mg.add)


def test_a_wrong_value_is_caught_by_ref(plant):
    op = plant(lambda x: np.tanh(x) + 1e-9, lambda g, y, x: g * (1 - y * y))
    with pytest.raises(GradientError, match="the value is wrong"):
        check_op(op, ref=np.tanh)


def test_a_domain_full_of_kinks_fails(plant):
    op = plant(lambda x: np.abs(x), lambda g, y, x: g * np.sign(x))
    with pytest.raises(GradientError, match="fell on a kink"):
        check_op(op, domain=(-0.005, 0.005), kinks=[0.0])


def test_attributes_reach_every_case_and_a_case_says_its_own(plant):
    seen = []

    def scaled(x, by=1.0):
        seen.append(by)
        return x * by

    op = plant(scaled, lambda g, y, x, by=1.0: g * by)
    check_op(op, case((2,)), case((3,), by=5.0), by=3.0)
    assert set(seen) == {3.0, 5.0}
    seen.clear()
    check_op(op, by=0.5)
    assert set(seen) == {0.5}
    with pytest.raises(GradientError, match=r"op planted.*by=3\.0"):
        check_op(plant(scaled, lambda g, y, x, by=1.0: g), by=3.0)


def test_what_is_no_op_is_refused():
    with pytest.raises(TypeError, match=r"got ufunc; of tanh it is mg\.tanh"):
        check_op(np.tanh)
    with pytest.raises(TypeError, match=r"mg\.Op\(f, rule\) .* declares: got function"):
        check_op(lambda x: x * x)
