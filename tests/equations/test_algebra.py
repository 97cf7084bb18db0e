"""A rule never changes what is computed: chains of ops, simplified as they are made."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.equations import algebra
from minigrad.equations.algebra import Algebra
from minigrad.equations.evaluate import Evaluation
from minigrad.equations.symbols import Symbol
from minigrad.op import registry

LEAVES = {
    "A": np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]]),
    "B": np.array([[1.0, 2.0, -2.0], [0.25, -1.5, 3.0]]),
    "W": np.array([[1.0, -0.5, 0.0], [0.5, 2.0, 1.0], [-1.0, 1.0, 0.5]]),
    "v": np.array([0.5, -2.0, 1.0]),
    "r": np.array([[1.0, 2.0, -1.0]]),
}
UNARY = ["negative", "square", "tanh", "sigmoid", "relu", "transpose"]
BINARY = ["add", "subtract", "multiply", "matmul", "dot", "maximum"]
KEYS = [
    (slice(None), slice(0, 2)),
    (slice(None), slice(1, 3)),
    (slice(None), slice(-1, None)),
    (Ellipsis, slice(1, None)),
    (0,),
    (slice(None), None),
    (slice(None, None, -1),),
]


class Calculator:
    """Makes every value twice: as an expression, and by NumPy."""

    def __init__(self):
        self.forest = Algebra(())
        self.symbols = {
            k: Symbol(k, k, kind="input", values={None: v}) for k, v in LEAVES.items()
        }
        self.values = [
            (self.forest.make("value", (), {"symbol": k, "time": None}, v.shape), v)
            for k, v in LEAVES.items()
        ]
        self.values += [(self.forest.number(n), n) for n in (1.0, -1.0, 0.5)]

    def call(self, op, operands, **attrs):
        """One op of values by number; what NumPy refuses is left out."""
        picked = [self.values[i % len(self.values)] for i in operands]
        arrays = [np.asarray(a) for _, a in picked]
        if any(a.ndim == 0 for a in arrays) and op in ("matmul", "sum", "getitem"):
            return
        try:
            array = registry[op]._forward(arrays, attrs)
        except (ValueError, IndexError, np.exceptions.AxisError):
            return
        array = np.asarray(array)
        if array.size > 64 or not array.size or np.abs(array).max() > 1e6:
            return
        e = self.forest.call(op, [e for e, _ in picked], attrs, array.shape)
        self.values.append((e, array))

    def check(self):
        for e, array in self.values[len(LEAVES) :]:
            assert e.shape == np.shape(array), e
            made = SimpleNamespace(symbols=self.symbols, lengths=(), order=())
            found = Evaluation(made, {}).value(e, None, None)
            np.testing.assert_allclose(found, array, rtol=1e-9, atol=1e-12)


numbers = st.integers(0, 30)
calls = st.one_of(
    st.tuples(st.sampled_from(UNARY), st.tuples(numbers), st.just({})),
    st.tuples(st.sampled_from(BINARY), st.tuples(numbers, numbers), st.just({})),
    st.tuples(
        st.sampled_from(["sum", "mean"]),
        st.tuples(numbers),
        st.fixed_dictionaries(
            {"axis": st.sampled_from([None, 0, -1]), "keepdims": st.booleans()}
        ),
    ),
    st.tuples(
        st.just("getitem"),
        st.tuples(numbers),
        st.sampled_from([{"key": k} for k in KEYS]),
    ),
    st.tuples(
        st.just("concatenate"), st.tuples(numbers, numbers), st.just({"axis": -1})
    ),
    st.tuples(st.just("add_n"), st.tuples(numbers, numbers, numbers), st.just({})),
    st.tuples(
        st.just("expand_dims"),
        st.tuples(numbers),
        st.sampled_from([{"axis": 0}, {"axis": -1}]),
    ),
    st.tuples(st.just("broadcast_to"), st.tuples(numbers), st.just({"shape": (2, 3)})),
    st.tuples(st.just("power"), st.tuples(numbers, numbers), st.just({})),
)


@given(st.lists(calls, min_size=3, max_size=14))
@settings(max_examples=150)
def test_chains_of_ops_keep_their_values(chain):
    calculator = Calculator()
    with np.errstate(all="ignore"):
        for op, operands, attrs in chain:
            alike = op != "add_n" or same_shapes(calculator, operands)
            if alike and op != "power":
                calculator.call(op, operands, **attrs)
        calculator.check()


def same_shapes(calculator, operands):
    values = [calculator.values[i % len(calculator.values)] for i in operands]
    return len({np.shape(a) for _, a in values}) == 1 and np.ndim(values[0][1]) > 0


def of(text):
    """What a text of calls is simplified to, as it prints."""
    f = Algebra(())
    leaves = {
        k: f.make("value", (), {"symbol": k, "time": None}, v.shape)
        for k, v in LEAVES.items()
    }

    def call(op, shape, *args, **attrs):
        return f.call(op, list(args), attrs, shape)

    return eval(text, {"call": call, "number": f.number, "f": f} | leaves), leaves


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("call('transpose', (2, 3), call('transpose', (3, 2), A))", "A"),
        ("call('negative', (2, 3), call('negative', (2, 3), A))", "A"),
        ("call('multiply', (2, 3), A, number(1.0))", "A"),
        ("call('add_n', (2, 3), A, number(0.0, (2, 3)))", "A"),
        ("call('sum', (3,), r, axis=0)", "call('reshape', (3,), r)"),
        (
            "call('sum', (2, 1), A, axis=1, keepdims=True)",
            "call('reshape', (2, 1), call('sum', (2,), A, axis=1))",
        ),
        (
            "call('einsum', (2, 3), A, W, subscripts='ij,jk->ik')",
            "call('matmul', (2, 3), A, W)",
        ),
        ("call('sum', (3,), call('broadcast_to', (2, 3), v), axis=0)", "f.times(2, v)"),
        ("call('power', (2, 3), A, number(2))", "call('square', (2, 3), A)"),
        ("call('add_n', (2, 3), A, A)", "f.times(2.0, A)"),
        (
            "call('multiply', (2, 3), f.times(2.0, A), f.times(0.25, B))",
            "f.times(0.5, call('multiply', (2, 3), A, B))",
        ),
        (
            "call('getitem', (2, 1), call('tanh', (2, 3), A),"
            " key=(slice(None), slice(1, 2)))",
            "call('tanh', (2, 1), call('getitem', (2, 1), A,"
            " key=(slice(None), slice(1, 2))))",
        ),
    ],
)
def test_what_a_person_would_not_write_twice(text, is_):
    found, _ = of(text)
    wanted, _ = of(is_)
    assert repr(found) == repr(wanted)


def test_axes_of_length_one_keep_their_order():
    f = Algebra(())
    x = f.value("x", None, (1, 1, 3))
    for _ in range(9):  # whatever the order of names in a set would be
        p, q = object(), object()
        assert f.product([(x, (p, q, 0))], ("r", "s", 0), (1, 1, 3)) is x


def test_a_wrong_rule_is_caught(monkeypatch):
    def wrong(f, args, attrs, shape):
        return args[0] if args[0].op == "negative" else None

    monkeypatch.setitem(algebra.RULES, "negative", wrong)
    calculator = Calculator()
    calculator.call("negative", (0,))
    calculator.call("negative", (len(LEAVES) + 3,))
    with pytest.raises(AssertionError):
        calculator.check()
