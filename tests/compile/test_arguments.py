"""Keys tell values apart, containers keep their type, and results say what they are."""

from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import TraceError

Pair = namedtuple("Pair", "a b")
X = np.arange(6.0).reshape(2, 3)


@dataclass(frozen=True)
class Batch:
    xs: Any
    scale: float


@dataclass
class Slotted:
    __slots__ = ("xs",)
    xs: Any


@pytest.mark.parametrize(
    "values",
    [
        (1, True, 1.0, np.float32(1)),
        (0.0, -0.0, 0, False),
        (float("nan"), 1.0, float("nan")),
        ((1, 2), (1.0, 2), [1, 2], (True, 2)),
        ({1: 2}, {True: 2}, {1.0: 2}),
        (slice(0, 1), slice(0, True)),
        (frozenset([1]), frozenset([True])),
        (Batch(None, 1), Batch(None, True), Batch(None, 1.0)),
    ],
    ids=str,
)
def test_values_that_are_equal_but_not_the_same_have_programs_of_their_own(values):
    seen = []

    def told(x, value):
        seen.append(value)
        return x * 2.0

    program = mg.compile(told, strict=True)
    for _ in range(2):
        for value in values:
            program(X, value)
    assert len(seen) == len({repr(v) for v in values})


def test_ranges_of_the_same_numbers_are_not_the_same():
    p = mg.compile(lambda x, r: x * float(r.stop), strict=True)
    found = [p(X, r).data[0, 1] for r in (range(0, 3, 2), range(0, 4, 2))]
    assert found == [3.0, 4.0]


@dataclass
class Measured:
    x: Any
    rate: float = 1.0

    def __post_init__(self):
        self.twice = self.rate * 2.0

    @cached_property
    def total(self):
        return self.x.sum()


def test_what_a_dataclass_holds_beside_its_fields_is_part_of_it():
    p = mg.compile(lambda m: m.x * m.twice, strict=True)
    other = Measured(X)
    other.twice = 5.0
    assert p(Measured(X)).data[0, 1] == 2.0
    assert p(other).data[0, 1] == 5.0
    p = mg.compile(lambda m: m.x * m.total, strict=True)
    for x in (X, X * 2.0):
        known = Measured(x)
        assert known.total == x.sum()
        np.testing.assert_array_equal(p(known).data, x * x.sum())


def test_an_index_and_a_divisor():
    index = mg.compile(lambda x, k: x[k], strict=True)
    assert [index(X, k).shape for k in (1, True, 1)] == [(3,), (1, 2, 3), (3,)]
    quotient = mg.compile(lambda x, k: x / k, strict=True)
    with np.errstate(divide="ignore"):
        found = [quotient(np.ones(1), k).data[0] for k in (0.0, -0.0)]
    assert found == [np.inf, -np.inf]


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: (a, [b]),
        lambda a, b: Pair(a, b),
        lambda a, b: OrderedDict(a=a, b=b),
        lambda a, b: defaultdict(list, {"a": a, 1: b}),
        lambda a, b: {"a": (a,), "b": {"c": b}},
        lambda a, b: Batch(a, b),
    ],
)
def test_containers_are_arguments_and_results_and_keep_their_type(make):
    def flat(value):
        if isinstance(value, Batch):
            return [value.xs, value.scale]
        if isinstance(value, (mg.Tensor, np.ndarray)):
            return [value]
        items = value.values() if isinstance(value, dict) else value
        return [x for item in items for x in flat(item)]

    def run(given):
        a, b = flat(given)
        return make(a * 2.0, b * 3.0 + a), None, 3, "word"

    program = mg.compile(run, strict=True)
    for scale in (1.0, 2.0):
        found, *rest = program(make(X * scale, X + scale))
        wanted = make(2.0 * X * scale, 3.0 * (X + scale) + X * scale)
        assert type(found) is type(wanted)
        assert rest == [None, 3, "word"]
        for a, b in zip(flat(found), flat(wanted), strict=True):
            np.testing.assert_allclose(a.data, b)
    assert len(program.traced) == 1


def test_arrays_in_a_dataclass_are_read_at_each_call():
    batch = Slotted(np.ones(3))
    program = mg.compile(lambda batch: batch.xs * 2.0, strict=True)
    assert program(batch).data.tolist() == [2.0] * 3
    batch.xs[0] = 5.0
    assert program(batch).data.tolist() == [10.0, 2.0, 2.0]
    assert isinstance(batch.xs, np.ndarray)


class Row(list):
    pass


@pytest.mark.parametrize(
    ("function", "given", "words"),
    [
        (lambda r: r[0] * 2.0, Row([X]), "a Row cannot be made again"),
        (lambda x: Row([x * 2.0]), X, "a Row cannot be made again"),
        (lambda x: Counter({"a": x * 2.0}), X, "a Counter cannot be made again"),
        (lambda x: x * 2.0, np.ma.masked_array(X, X > 2), "a MaskedArray is more"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_with_the_reason(function, given, words):
    with pytest.raises(TraceError, match=words):
        mg.compile(function, strict=True)(given)
    program = mg.compile(function)
    with pytest.warns(RuntimeWarning, match=words):
        program(given)


def test_a_function_that_changes_what_it_is_given_runs_eagerly():
    def put(x, out):
        out["y"] = x * 2.0
        return x + 1.0

    program, out = mg.compile(put), {}
    with pytest.warns(RuntimeWarning, match="it changes a dict that it was given"):
        program(X, out)
    assert out["y"].data.tolist() == (X * 2.0).tolist()


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_a_tensor_that_is_given_twice_is_one(backend):
    def slopes(pair, y, k=1.0):
        loss = (pair[0] * y * k).sum() + (pair[1] * 5.0).sum()
        return mg.grad(loss, [pair[0], y], unreached="zeros")

    program = mg.compile(slopes, strict=True, backend=backend)
    x, y = (mg.tensor(X + k, requires_grad=True) for k in range(2))
    for given in (
        ([x, y], x),
        ([x, x], y),
        ([x, x], x),
        ([y, x], y),
        ([x, y], mg.tensor(X, requires_grad=True)),
    ):
        for k in (1.0, x):
            both = program(*given, k=k), slopes(*given, k=k)
            for found, wanted in zip(*both, strict=True):
                np.testing.assert_allclose(found.data, wanted.data)


def test_a_parameter_that_is_returned_is_itself():
    w = mg.parameter(np.ones(2), name="w")
    found, _ = mg.compile(lambda x: (w, w * x), strict=True)(np.ones(2))
    assert found.node is w.node


W = mg.parameter(np.ones(3), name="W")
V = mg.parameter(np.ones(3), name="V")
weighted = mg.compile(lambda x: (W * x).sum())


@pytest.mark.parametrize(
    ("take", "name"),
    [
        (lambda: mg.grad(weighted(np.ones(3)), [W]), "W"),
        (lambda: mg.grad(weighted(np.ones(3)) + (W * W).sum(), [W]), "W"),
        (lambda: (weighted(np.ones(3)) * V).sum().backward(), "W"),
        (lambda: mg.grad(weighted(V * 2.0) * 3.0, [V]), "V"),
        (lambda: mg.grad_by_use(weighted(np.ones(3)) * W.sum(), W), "W"),
    ],
)
def test_a_gradient_does_not_end_silently_at_a_compiled_call(take, name):
    with pytest.raises(ValueError, match=rf"a compiled call, .* on parameter {name}"):
        take()


def test_a_gradient_beside_a_compiled_call_is_right():
    (by_v,) = mg.grad((weighted(np.ones(3)) * V).sum(), [V])
    assert by_v.data.tolist() == [3.0] * 3
    (by_w,) = mg.grad(weighted(np.ones(3)).detach() * W.sum(), [W])
    assert by_w.data.tolist() == [3.0] * 3


def test_results_of_two_calls_are_two_constants_of_a_graph():
    two = weighted(np.ones(3)) * V + weighted(np.full(3, 2.0))
    assert len({(n.scope, n.slot) for n in mg.Graph(two).nodes if not n.inputs}) == 3
    assert mg.fold(two).unfold([]).same_as(mg.Graph(two))


def test_a_carried_state_does_not_hold_the_states_before_it():
    carry = mg.compile(lambda x, h: mg.tanh(x + h), strict=True)
    h = mg.tensor(np.zeros(3), name="h0")
    for _ in range(4):
        h = carry(np.ones(3), h).named("h")
    assert not [
        n for n in h.node.scope.reads if isinstance(n.scope, type(h.node.scope))
    ]
