"""What is written is what is computed, read by one who knows the notation alone."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.tasks.pictures import N_OUT, PICTURES
from tests.equations.columns import column, right_side

NETWORKS = [
    "many-to-many", "output-feedback", "teacher-forcing", "many-to-one", "one-to-many",
    "bidirectional", "encoder-decoder", "lstm", "gru", "stacked", "conditional",
    "deep-transition", "deep-transition-skip", "linear-recurrence",
]  # fmt: skip


def values_of(equations):
    """What a reference of an equation is at a step, as a column."""
    found, symbols = equations.evaluate(), equations.symbols

    def value(of, at):
        symbol = symbols[of.key]
        if symbol.start_of is not None and symbol.clock is None:
            t = None
        else:
            t = int(eval(of.time, {}, dict(at))) if of.time else None
        if symbol.kind == "step":
            (sequence,) = {e.args[0].attrs["symbol"] for e in symbol.trees.values()}
            return column(symbols[sequence].values[None][t - 1])
        if symbol.kind != "value":
            return column(symbol.values[t])
        key = of.key
        if symbol.gradient and symbols[key[1:]].kind != "value":
            key = key[1:]
        if t is None:
            return column(found[key])
        if t in symbol.starts:
            (leaf,) = [symbols[symbol.starts[t].attrs["symbol"]]]
            return column(found.get(leaf.key, leaf.values.get(None)))
        return column(found[key][sorted(symbol.trees).index(t)])

    return value


@pytest.mark.parametrize("steps", [2, 4])
@pytest.mark.parametrize("name", NETWORKS)
def test_equations_are_read_as_they_are_meant(name, steps):
    equations = mg.equations(PICTURES[name](steps))
    value, read = values_of(equations), 0
    for equation in equations:
        for t in equation.steps or (None,):
            if t is not None and t < 1:
                continue
            left = equation.tokens()[0].of
            wanted = value(left, {"t": t, "T": steps})
            found = right_side(equation, value, t, steps, N_OUT)
            assert np.size(found) in (1, np.size(wanted)), equation
            np.testing.assert_allclose(
                np.broadcast_to(np.squeeze(found), np.squeeze(wanted).shape),
                np.squeeze(wanted), atol=2e-6, err_msg=equation.text(),
            )  # fmt: skip
            read += 1
    assert read > 8
