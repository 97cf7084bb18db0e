"""Random programs like users' programs agree; planted bugs are caught."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from minigrad.compile import code
from minigrad.op import registry
from tests.programs import (
    CHEAP,
    COSTLY,
    KINDS,
    derivative,
    draw,
    examine,
    report,
    smaller,
    strategies,
)
from tests.programs.agreement import SetAsideError, Trial, tolerance_of
from tests.programs.features import SEEN, features
from tests.programs.listing import Call, Leaf, Line, Listing, build
from tests.programs.meaning import Moved

SHARE = 5  # of the costly checks


def checks(k):
    return CHEAP + COSTLY if k % SHARE == 0 else CHEAP


def agree(kind, backend, start, number, calls=None):
    """The next programs of a kind agree in every check."""
    for k in range(start, start + number):
        listing = draw(kind, 0, k)
        listing = replace(listing, calls=listing.calls[:calls])
        outcome = examine(listing, backend, checks(k))
        if outcome.failure:
            pytest.fail(report(outcome, backend))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(10))
def test_programs_agree(kind, part):
    agree(kind, "numpy", 10_000 * part, 15)


@settings(max_examples=20)
@given(strategies.recurrences({"split"}), strategies.dags({"clip"}))
def test_strategies_draw_programs_without_what_is_named(recurrence, dag):
    assert "split" not in features(recurrence)
    assert "clip" not in features(dag)
    for listing in (recurrence, dag):
        assert examine(listing, checks=[derivative]).failure is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_is_that_of_its_seed(kind):
    first = draw(kind, 3, 17)
    draw(kind, 3, 18)
    assert draw(kind, 3, 17) == first
    assert draw(kind, 4, 17) != first


@pytest.mark.parametrize("kind", KINDS)
def test_every_program_runs_as_its_text_says(kind):
    for k in range(60):
        listing = draw(kind, 1, k)
        ours, pasted = build(listing.source()), {}
        exec(listing.source(), pasted)
        call = listing.calls[-1]
        for a, b in zip(
            ours["net"](*ours["arguments"](*call)),
            pasted["net"](*pasted["arguments"](*call)),
            strict=True,
        ):
            np.testing.assert_array_equal(a.data, b.data)


def test_every_feature_is_drawn():
    seen = Counter(f for k in range(600) for f in features(draw("recurrence", 0, k)))
    seen += Counter(f for k in range(600) for f in features(draw("dag", 0, k)))
    marked = {"boolean index", "inner gradient", "leaf in the body", "one row", "holes"}
    marked |= {"start is a parameter", "start is computed", "cut invariant", "length"}
    marked |= {"awkward names", "second order", "float32", "mixed dtypes"}
    rare = {name: seen[name] for name in marked | set(SEEN) if seen[name] < 5}
    assert not rare


def test_the_tolerance_is_that_of_the_lowest_dtype_inside():
    """Of values, wherever they come from: float64 on both sides may hide float32."""
    x, k = Leaf("x", ("B", 2)), Leaf("k", ("B",), "float32", 3)
    hidden = Line("$h = $x.astype(np.float32) @ mg.ones((2, 2), dtype=np.float32)")
    wide = Line("$h = mg.tanh($x)")
    text = "$h.astype(float).sum()"
    for lines, low in (((hidden,), 3e-4), ((wide,), 1e-9)):
        listing = Listing(
            "dag",
            "",
            (),
            (x, k),
            lines,
            (text,),
            (),
            ("x",),
            (Call(1, 2, 0),),
            (),
            "value",
        )
        names = build(listing.source())
        assert tolerance_of(names["net"](*names["arguments"](1, 2, 0))) == low


# -- a net that catches nothing proves nothing


def caught(kind, backend="numpy", among=60):
    """The report of the first program of a kind that fails."""
    for k in range(among):
        outcome = examine(draw(kind, 0, k), backend, CHEAP)
        if outcome.failure:
            return report(outcome, backend)
    raise AssertionError("nothing was caught")


def test_a_wrong_rule_is_caught(monkeypatch):
    _, first, second = registry["where"].vjps
    wrong = (None, lambda *given: 1.01 * first(*given), second)
    monkeypatch.setattr(registry["where"], "vjps", wrong)
    said = caught("dag")
    assert "derivative: the gradient is wrong" in said
    assert "where" in said


def test_a_rule_that_only_compiled_code_reads_is_caught(monkeypatch):
    wrong = (lambda g, y, x: g * (1 - y),)  # eager writes that of tanh out
    monkeypatch.setattr(registry["tanh"], "vjps", wrong)
    said = caught("dag")
    assert "compiled, numpy: the gradient differs" in said
    assert "tanh" in said


def test_a_dropped_term_is_caught(monkeypatch):
    left, right = registry["matmul"].vjps

    def forgetful(g, y, a, b):
        kept = np.ones(g.shape[:1] + (1,) * (g.ndim - 1))
        kept[0] = 0
        return right(g * kept, y, a, b)

    monkeypatch.setattr(registry["matmul"], "vjps", (left, forgetful))
    said = caught("recurrence")
    assert "compiled, numpy: the gradient differs" in said
    assert " @ " in said


def test_a_compiled_program_that_gives_its_first_results_again_is_caught(monkeypatch):
    run, first = code.Code.__call__, {}

    def stale(self, arrays):  # its first run, which is looked at, is right
        found = run(self, arrays)
        return first.setdefault((self, tuple(np.shape(a) for a in found)), found)

    monkeypatch.setattr(code.Code, "__call__", stale)
    said = caught("recurrence")
    assert "compiled, numpy" in said
    assert "compiled = mg.compile(net" in said


def test_a_report_is_small_and_fails_when_it_is_pasted(monkeypatch):
    monkeypatch.setattr(registry["tanh"], "forward", lambda x: np.tanh(x) * 1.01)
    outcome = next(
        outcome
        for outcome in (examine(draw("dag", 0, k)) for k in range(60))
        if outcome.failure and outcome.failure.check.startswith("derivative")
    )
    said = report(outcome)
    assert outcome.listing.origin in said
    body = said.split("def forward(")[1].split("def net(")[0].splitlines()
    assert len(body) <= 5
    exec(said, {})


def test_what_is_shrunk_fails_in_the_same_way():
    lines = (
        Line("$a = mg.tanh($x @ $W)"),
        Line("for $t in mg.steps(3):"),
        Line("$b = $a * 2.0", 1),
        Line("$c = mg.sin($b) + $a", 1),
    )
    W, x = Leaf("W", ("n", "n"), "float32"), Leaf("x", ("B", "n"))
    listing = Listing(
        "dag",
        "by hand",
        (W,),
        (x,),
        lines,
        ("$c.sum()", "$a.mean()"),
        ("$b",),
        ("W",),
        (Call(3, 2, 1), Call(4, 2, 5)),
        (("n", 3),),
    )

    def key(each):
        texts = " ".join([*(line.text for line in each.lines), *each.loss])
        return "sin" in texts and "$c" in texts

    least = smaller(listing, key)
    assert key(least)
    assert len(least.lines) <= 2
    assert least.calls == (Call(1, 1, 0),)
    assert least.mode == "value"
    assert dict(least.sizes) == {"n": 1}


def test_a_difference_at_a_kink_is_no_derivative():
    moved = Moved(Trial(draw("recurrence", 0, 3)))
    with pytest.raises(SetAsideError, match="a kink"):
        moved.slope(lambda x: 0.03 * x * abs(x), 1.0)
    with pytest.raises(SetAsideError, match="a kink"):  # in the last tenth of the step
        moved.slope(lambda x: x + 1e-3 * max(x - 9e-4, 0.0), 1.0)
    assert moved.slope(lambda x: np.exp(3 * x), 1.0) == pytest.approx(3.0)
