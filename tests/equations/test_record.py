"""``mg.equations``: what is computed again is what was recorded, whatever it was."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.tasks.pictures import PICTURES
from tests.equations.agreement import lengths, worst
from tests.equations.programs import PROGRAMS, build
from tests.programs import Trial, draw
from tests.programs.agreement import tolerance_of


@pytest.mark.parametrize(
    ("name", "steps"), [(name, n) for name in PICTURES for n in lengths(name)]
)
def test_every_network_is_computed_again(name, steps):
    loss = PICTURES[name](steps)
    assert worst(mg.equations(loss), loss) < 1e-6  # they are of float32


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_look_like_those_of_users(name):
    loss, wrt = build(name)
    assert worst(mg.equations(loss, wrt), loss, wrt) < 1e-12


def of_random(seed, k, steps):
    """The loss of a random recurrence, and what it is derived by; None is no loss."""
    trial = Trial(draw("recurrence", seed, k))
    listing, given_ = trial.listing, []
    for i, a in enumerate(trial.names["arguments"](steps, listing.calls[0].batch, 1)):
        own = any(
            f"mg.tensor(${listing.arguments[i].id}" in n.text for n in listing.lines
        )
        if not isinstance(a, (bool, int, float)) and not own:
            value = np.asarray(a.data if isinstance(a, mg.Tensor) else a)
            floating = value.dtype.kind == "f"
            a = mg.tensor(value, name=f"a{i}", requires_grad=floating)
        given_.append(a)
    loss = trial.names["forward"](*given_)[0]
    ids = [a.id for a in listing.arguments]
    wrt = [given_[ids.index(w)] if w in ids else trial.of(w) for w in listing.wrt]
    nodes = mg.Graph(loss).nodes if isinstance(loss, mg.Tensor) else ()
    wrt = {w.node: w for w in wrt if isinstance(w, mg.Tensor) and w.node in nodes}
    return loss, [w for w in wrt.values() if w.dtype.kind == "f" and reaches(loss, w)]


def reaches(loss, w):
    try:
        return bool(mg.grad(loss, [w]))
    except ValueError:
        return False


def error_of_random(seed, k, steps):
    """The error relative to what is allowed; None where the fold is refused."""
    with np.errstate(all="ignore"):
        loss, wrt = of_random(seed, k, steps)
        if not isinstance(loss, mg.Tensor) or not loss.node.inputs:
            return None
        try:
            said = mg.equations(loss, wrt)
        except mg.FoldError:
            return None
        said.text(), said.latex()
        return worst(said, loss, wrt) / tolerance_of([loss])


@given(k=st.integers(0, 10**6), steps=st.sampled_from([1, 2, 3, 5, 8]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_random_recurrences_are_computed_again(k, steps):
    error = error_of_random(0, k, steps)
    assert error is None or error < 1


def test_a_thousand_lines_in_a_row_need_no_recursion():
    x = mg.parameter([2.0], name="w")
    for _ in range(1000):
        x = mg.sin(x)
    said = mg.equations(x.sum(), wrt=[])
    assert worst(said, x.sum(), []) == 0
    assert len(said.text()) > 5000


def test_without_a_gradient_there_are_the_values_alone():
    loss = PICTURES["many-to-one"](3)
    names = {e.name for e in mg.equations(loss, wrt=[]) if e.symbol.gradient}
    assert names == set()
    assert len(mg.equations([loss, loss * 2])) == 4


def test_the_gradient_by_one_of_two():
    W, V = mg.parameter([[2.0]], name="W"), mg.parameter([[3.0]], name="V")
    loss = ((W @ V) ** 2).sum()
    said = mg.equations(loss, V)
    assert set(said.evaluate()) == {"loss", "V"}
    assert said.evaluate()["V"].tolist() == [[24.0]]


def test_what_a_parameter_does_not_reach_is_zero_and_said():
    W, V = mg.parameter([2.0], name="W"), mg.parameter([3.0], name="V")
    said = mg.equations((W * mg.sign(V)).sum())
    assert said.evaluate()["V"].tolist() == [0.0]
    assert "∇V = 0" in said.text()


def test_a_scope_is_written_as_a_function():
    W, h = mg.parameter([[2.0]], name="W"), mg.tensor([[1.0]], name="h0")
    for _, x in mg.steps(np.ones((3, 1, 1))):
        with mg.scope("cell"):
            h = mg.tanh(h @ W) + x * h
        h.named("h")
    said = mg.equations(h, functions={"g": "cell"})
    assert said.text() == "h(t) = g(h(t-1), x(t); W)"
    assert worst(said, h, []) == 0
    with pytest.raises(ValueError, match="give wrt without functions"):
        mg.equations(h.sum(), W, functions={"g": "cell"})


def test_a_function_of_two_results_is_two_functions():
    W, h, s = mg.parameter([[2.0]], name="W"), mg.tensor([[1.0]], name="h0"), None
    s = mg.tensor([[0.0]], name="s0")
    for _ in mg.steps(3):
        with mg.scope("cell"):
            s = mg.tanh(s + h @ W)
            h = s * 0.5
        h.named("h"), s.named("s")
    said = mg.equations([h, s], functions={"g": "cell"})
    assert said.text().splitlines() == [
        "s(t) = g_1(s(t-1), h(t-1); W)",
        "h(t) = g_2(s(t))",
    ]


def refused(error, words, *args, **options):
    with pytest.raises(error, match=words):
        mg.equations(*args, **options)


def test_what_has_no_equations_is_refused_by_name():
    loss = PICTURES["many-to-one"](3)
    refused(TypeError, "recorded operations", mg.contract(loss))
    refused(TypeError, "no value", mg.fold(PICTURES["lstm"](9)).unfold(9))
    read = mg.Graph.from_json(mg.Graph(loss).to_json())
    refused(TypeError, "recorded operations", read)
    refused(ValueError, "nothing was recorded", mg.tensor(1.0))
    refused(ValueError, "scope named attic", loss, functions={"f": "attic"})
    refused(ValueError, "not reached", loss, mg.parameter(1.0, name="z"))
    parameters = [mg.Tensor(p) for p in mg.Graph(loss).parameters]
    refused(ValueError, "that of one loss", [loss, loss * 2], parameters)
    refused(ValueError, "reduce it", loss.reshape(1) * [1.0, 2.0], parameters)


def test_a_period_that_was_not_seen_three_times_is_refused():
    refused(mg.FoldError, "three are needed to see a period", PICTURES["clockwork"](5))


def test_steps_that_differ_are_refused_by_the_fold():
    h = mg.tensor(1.0, name="h0")
    for t in mg.steps(5):
        h = mg.tanh(h) if t % 2 else mg.exp(h)
    refused(mg.FoldError, "differs from step", h)
