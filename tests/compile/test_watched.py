"""A change of what a function reads from outside is noticed."""

import sys
import types
import warnings
from array import array
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

X = np.ones(3)
TABLE = np.array([1.0, 2.0, 3.0])
RATE = 2.0


@dataclass(eq=False)
class Settings:
    table: Any
    rate: float = 1.0
    calls: int = 0


class Model:
    def __init__(self):
        self.inner = Settings(np.array([1.0, 2.0, 3.0]))
        self.calls = 0

    def scaled(self, x):
        return x * self.inner.table * self.inner.rate

    def __call__(self, x):
        return self.scaled(x)


def cases():
    """Functions, and changes of what they read."""
    table, rows, model = TABLE.copy(), [TABLE.copy()], Model()
    rate, holder = 2.0, {"t": TABLE.copy()}

    def closed(x):
        return x * table * rate

    def change_closed():
        table[1] = 7.0

    def rebind():
        nonlocal table
        table = np.array([4.0, 5.0, 6.0])

    def rerate():
        nonlocal rate
        rate = 3.0

    def derived(x):
        return x * (np.cumsum(rows[0]) + holder["t"])

    def put(array, value):
        array[0] = value

    yield "in place", closed, change_closed
    yield "another array", closed, rebind
    yield "number", closed, rerate
    yield "in a list", derived, lambda: put(rows[0], 9.0)
    yield "in a dict", derived, lambda: put(holder["t"], 9.0)
    yield "another in a list", derived, lambda: put(rows, TABLE + 1.0)
    yield "object", lambda x: model(x), lambda: put(model.inner.table, 8.0)
    yield "method", model.scaled, lambda: put(model.inner.table, 5.0)
    yield "attribute", model.scaled, lambda: setattr(model.inner, "rate", 4.0)
    yield "partial", partial(lambda t, x: x * t, table), lambda: put(table, 3.0)
    yield "default", lambda x, t=table: x * t, lambda: put(table, 2.5)
    yield "called", lambda x: closed(x) + 1.0, lambda: put(table, 2.25)


SETTINGS = types.ModuleType("settings_of_a_user")
sys.modules[SETTINGS.__name__] = SETTINGS


@mg.op(lambda g, y, x: g * SETTINGS.rate)
def rated_by_its_rule(x):
    return x * SETTINGS.rate


class Rated:
    """What a rate can be behind: a property, an operator, an attribute by its name."""

    scale = 2.0

    def __init__(self):
        self._rate, self.known = 2.0, {"q": 2.0}

    @property
    def rate(self):
        return self._rate

    @staticmethod
    def twice():
        return 2.0 * SETTINGS.rate

    def __getitem__(self, k):
        return self.known["q"] * k

    def __getattr__(self, name):
        return self.__dict__["known"][name]


@dataclass
class Scaled:
    x: Any

    def times(self):
        return self.x * Rated.scale


def more_cases():
    """The same of what code reaches by modules, classes and containers."""
    SETTINGS.rate, SETTINGS.table, Rated.scale = 2.0, TABLE.copy(), 2.0
    grows, pairs, both, once = [1.0], {"a": 1.0}, {1.0}, deque([1.0], maxlen=1)
    many, raw, numbers = [2.0] * 5000, bytearray(b"\x02"), array("d", [2.0])
    context, rated, frozen = ContextVar("rate", default=2.0), Rated(), {"k": 2.0}
    proxy = types.MappingProxyType(frozen)

    def tagged(x):
        return x * tagged.rate

    def imported(x):
        import settings_of_a_user

        return x * settings_of_a_user.rate

    def kept():
        return SETTINGS.rate

    def slope(op, x):
        w = mg.tensor(X, requires_grad=True) if isinstance(x, np.ndarray) else x
        return mg.grad(op(w).sum(), [w])[0]

    cached = cache(kept)
    tagged.rate = 2.0
    name = "_rate"

    def rate_again():
        SETTINGS.rate = 7.0
        cached.cache_clear()

    yield "module", lambda x: x * SETTINGS.rate, rate_again
    yield (
        "array of a module",
        lambda x: x * SETTINGS.table,
        lambda: SETTINGS.table.fill(3),
    )
    yield "op", lambda x: slope(rated_by_its_rule, x), rate_again
    yield "import inside", imported, rate_again
    yield "cached", lambda x: x * cached(), rate_again
    yield "attribute of a function", tagged, lambda: setattr(tagged, "rate", 7.0)
    yield "list that grows", lambda x: x * len(grows), lambda: grows.append(2.0)
    yield (
        "dict that grows",
        lambda x: x * sum(pairs.values()),
        lambda: pairs.update(b=2),
    )
    yield "set", lambda x: x * sum(both), lambda: both.add(2.0)
    yield "deque", lambda x: x * once[0], lambda: once.append(2.0)
    yield "long list", lambda x: x * many[4000], lambda: many.__setitem__(4000, 7.0)
    yield "bytes", lambda x: x * float(raw[0]), lambda: raw.__setitem__(0, 7)
    yield "numbers", lambda x: x * numbers[0], lambda: numbers.__setitem__(0, 7.0)
    yield "proxy", lambda x: x * proxy["k"], lambda: frozen.update(k=7.0)
    yield "context", lambda x: x * context.get(), lambda: context.set(7.0)
    yield "property", lambda x: x * rated.rate, lambda: setattr(rated, "_rate", 7.0)
    yield "static method", lambda x: x * rated.twice(), rate_again
    yield "operator", lambda x: x * rated[3], lambda: rated.known.update(q=7.0)
    yield "lookup", lambda x: x * rated.q, lambda: rated.known.update(q=7.0)
    yield (
        "by name",
        lambda x: x * getattr(rated, name),
        lambda: setattr(rated, "_rate", 7.0),
    )
    yield (
        "of an instance",
        lambda x: x * vars(rated)["_rate"],
        lambda: setattr(rated, "_rate", 7.0),
    )
    yield (
        "class of an argument",
        lambda x: Scaled(x).times(),
        lambda: setattr(Rated, "scale", 7.0),
    )


@pytest.mark.parametrize("name", [name for name, *_ in (*cases(), *more_cases())])
def test_a_change_is_noticed(name):
    function, change = next(
        (f, c) for n, f, c in (*cases(), *more_cases()) if n == name
    )
    program = mg.compile(function, strict=True)
    before = program(X).data
    np.testing.assert_allclose(before, np.asarray(function(X)))
    change()
    after = program(X).data
    np.testing.assert_allclose(after, np.asarray(function(X)))
    assert not np.array_equal(before, after)


def test_globals_are_watched(monkeypatch):
    program = mg.compile(lambda x: x * TABLE * RATE, strict=True)
    assert program(X).data.tolist() == [2.0, 4.0, 6.0]
    monkeypatch.setitem(globals(), "RATE", 3.0)
    assert program(X).data.tolist() == [3.0, 6.0, 9.0]
    monkeypatch.setitem(globals(), "TABLE", TABLE + 1.0)
    assert program(X).data.tolist() == [6.0, 9.0, 12.0]


def test_an_object_that_is_an_argument():
    settings = Model()
    program = mg.compile(lambda x, model: model.scaled(x), strict=True)
    assert program(X, settings).data.tolist() == [1.0, 2.0, 3.0]
    settings.inner.table[0] = 6.0
    assert program(X, settings).data.tolist() == [6.0, 2.0, 3.0]


def test_what_does_not_change_is_not_traced_again():
    calls, model = [], Model()

    def run(x):
        calls.append(1)
        return model(x) * TABLE

    program = mg.compile(run, strict=True)
    for _ in range(3):
        program(X)
        model.calls += 1  # no code names it
        model.inner.rate = float("1.0")  # another object, the same number
    assert len(calls) == 1


def test_what_a_comparison_leaves_outside_is_no_change():
    lengths = []

    def run(xs):
        lengths.append(len(xs))
        h = mg.tensor(np.zeros(1), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h + x)
        return h

    program = mg.compile(run, strict=True)
    for T in (6, 7, 8, 9, 6, 7, 8, 9):
        program(np.ones((T, 1)))
    assert len(lengths) < 8  # 6 and 7, the outline, and 8 and 9 compared


def test_the_class_of_a_container_that_is_an_argument(monkeypatch):
    program = mg.compile(lambda scaled: scaled.times(), strict=True)
    monkeypatch.setattr(Rated, "scale", 2.0)
    assert program(Scaled(X)).data.tolist() == [2.0] * 3
    monkeypatch.setattr(Rated, "scale", 3.0)
    assert program(Scaled(X)).data.tolist() == [3.0] * 3


def test_a_large_array_is_read_only_from_then_on():
    large = np.ones(20_000)
    view = large[::2]
    program = mg.compile(lambda x: (x * view).sum(), strict=True)
    program(np.ones(10_000))
    for one in (large, view):
        with pytest.raises(ValueError, match="read-only"):
            one[0] = 2.0


def test_a_module_s_parameters_and_rates():
    class Net(nn.Module):
        def __init__(self):
            self.w = mg.parameter(np.ones(3))
            self.rate = 2.0

        def forward(self, x):
            return x * self.w * self.rate

    net = Net()
    program = mg.compile(net, strict=True)
    assert program(X).data.tolist() == [2.0] * 3
    net.rate = 3.0
    assert program(X).data.tolist() == [3.0] * 3
    net.w = mg.parameter(np.full(3, 5.0))
    assert program(X).data.tolist() == [15.0] * 3


def test_one_warning_in_all():
    flag = [np.ones(1)]

    def branch(x):
        return x if flag[0][0] > 0 and x.item() > 0 else -x

    program = mg.compile(branch)
    with pytest.warns(RuntimeWarning, match="branch"):
        program(np.float64(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(3):
            flag[0][0] = k
            assert program(np.float64(1.0)).item() == (1.0 if k else -1.0)


def linear(seed):
    return nn.Linear(3, 2, rng=np.random.default_rng(seed))


class Held:
    rate = 1.0
    model = linear(0)


def test_what_leads_to_a_parameter_is_watched():
    table, pair, layer = {"model": linear(0), "k": 1.0}, [linear(0), 1.0], linear(0)

    @mg.compile
    def run(x):
        held = layer(x) + table["model"](x) + pair[0](x) + Held.model(x)
        return (held * table["k"] * pair[1] * Held.rate).sum()

    def agrees():
        return run(X).item() == pytest.approx(run.eager(X).item(), rel=1e-5)

    assert agrees()
    layer = linear(1)
    assert agrees()
    table["model"], table["k"] = linear(2), 2.0
    assert agrees()
    pair[:] = [linear(3), 3.0]
    assert agrees()
    Held.model, Held.rate = linear(4), 4.0
    assert agrees()
