"""What is written is what is computed, read by one who knows the notation alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.tasks.pictures import N_OUT, PICTURES
from tests.equations.agreement import worst
from tests.equations.columns import UnreadError, column, right_side

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


def read_back(equations, steps, atol):
    """How many equations were read, each at all of its steps; how many could not be."""
    value, read, unread = values_of(equations), 0, 0
    for equation in equations:
        for t in equation.steps or (None,):
            if t is not None and t < 1:
                continue
            left = equation.tokens()[0].of
            wanted = value(left, {"t": t, "T": steps})
            try:
                found = right_side(equation, value, t, steps, N_OUT)
            except UnreadError:
                unread += 1
                break
            assert np.size(found) in (1, np.size(wanted)), equation
            np.testing.assert_allclose(
                np.broadcast_to(np.squeeze(found), np.squeeze(wanted).shape),
                np.squeeze(wanted), rtol=1e-5, atol=atol, err_msg=equation.text(),
            )  # fmt: skip
        else:
            read += 1
    return read, unread


@pytest.mark.parametrize("steps", [2, 4])
@pytest.mark.parametrize("name", NETWORKS)
def test_equations_are_read_as_they_are_meant(name, steps):
    read, unread = read_back(mg.equations(PICTURES[name](steps)), steps, 2e-6)
    assert read > 5
    assert not unread


# Of an expression a of the state, a parameter v, and an input of the step.
KINKS = {
    "relu": lambda a, v, y: mg.relu(a),
    "hinge": lambda a, v, y: mg.relu(1 - y * a),
    "where": lambda a, v, y: mg.where(a > v, a, v),
    "where of 0": lambda a, v, y: mg.where(a < 0, a, 0.0),
    "where of numbers": lambda a, v, y: mg.where(a >= v, 2.0, -0.5) * a,
    "where by both": lambda a, v, y: mg.where(mg.logical_and(a > v, y > 0), -a, a * y),
    "a slope below 0": lambda a, v, y: mg.where(a <= 0, -0.25 * a, a),
    "maximum": lambda a, v, y: mg.maximum(a, v),
    "maximum of a number": lambda a, v, y: mg.maximum(a, 0.1),
    "minimum": lambda a, v, y: mg.minimum(v, a),
    "clip": lambda a, v, y: mg.clip(a, -0.3, 0.4),
    "abs": lambda a, v, y: mg.abs(a),
    "max": lambda a, v, y: a.max(),
    "a mask": lambda a, v, y: a * (y > 0),
}
SMOOTH = {
    "tanh": lambda a, v, y: mg.tanh(a),
    "sigmoid": lambda a, v, y: mg.sigmoid(a),
    "square": lambda a, v, y: a**2,
    "half": lambda a, v, y: a / 2,
    "minus": lambda a, v, y: 1 - a,
    "by y": lambda a, v, y: a * y + v,
}
OVER_STEPS = {
    "mean": lambda L: mg.stack(L).mean(),
    "sum": lambda L: mg.stack(L).sum(),
    "add_n": lambda L: mg.add_n(L) * 0.5,
    "last": lambda L: L[-1] * 3,
}


def loss_of(within, behind, steps, over, seed=0, name=None):
    """A recurrence with ops in its step, and ops of its state as the loss."""
    rng = np.random.default_rng(seed)
    W = mg.parameter(rng.normal(size=(3, 3)), name="W")
    v = mg.parameter(rng.normal(size=3) / 2, name="v")
    h, L, total = mg.tensor(np.zeros((1, 3)), name="h0"), [], 0.0
    shape = (steps, 1, 3)
    for _, x, y in mg.steps(x=rng.normal(size=shape), y=rng.normal(size=shape)):
        z = h @ W + x
        for f in within:
            z = f(z, v, y)
        a = h = mg.tanh(z).named("h")
        for i, f in enumerate(behind):
            a = f(a, v, y)
            a = a.named(name) if name and i == 0 else a
        L.append(a.sum())
        total = total + L[-1]
    return total if over == "running" else OVER_STEPS[over](L)


@pytest.mark.parametrize("over", [*OVER_STEPS, "running"])
@pytest.mark.parametrize("name", KINKS)
def test_masks_are_read_as_they_are_meant(name, over):
    loss = loss_of([], [KINKS[name]], 5, over)
    equations = mg.equations(loss)
    assert worst(equations, loss) < 1e-12
    read, unread = read_back(equations, 5, 1e-10)
    assert read > 2
    assert not unread


ELEMENTWISE = [f for name, f in (KINKS | SMOOTH).items() if name != "max"]
ops = st.lists(st.sampled_from(ELEMENTWISE), max_size=2)


@given(
    within=ops,
    behind=ops,
    steps=st.sampled_from([2, 3, 5]),
    over=st.sampled_from([*OVER_STEPS, "running"]),
    more=st.tuples(st.integers(0, 9), st.sampled_from([None, "L", "o"])),
)
@settings(max_examples=60)
def test_random_losses_are_read_as_they_are_meant(within, behind, steps, over, more):
    loss = loss_of(within, behind, steps, over, *more)
    equations = mg.equations(loss)
    assert worst(equations, loss) < 1e-12
    read, unread = read_back(equations, steps, 1e-9)
    assert read > 2
    assert not unread


def last_states(batch=3, steps=5, size=4):
    """W, the named states of a recurrence of some sequences, and a read-out V."""
    rng = np.random.default_rng(0)
    W = mg.parameter(rng.normal(size=(size, size)) / 2, name="W")
    V = mg.parameter(rng.normal(size=(size, 2)), name="V")
    h, states = mg.tensor(np.zeros((batch, size)), name="h0"), []
    for _, x in mg.steps(rng.normal(size=(steps, batch, size))):
        h = mg.tanh(h @ W + x).named("h")
        states.append(h)
    return states, V


def lines_of(loss):
    equations = mg.equations(loss)
    assert worst(equations, loss) < 1e-12
    return equations.text().splitlines()


@pytest.mark.parametrize("batch", [1, 3])
def test_features_by_features_are_not_written_as_a_product_by_element(batch):
    (*_, h), _ = last_states(batch)
    k = mg.exp(h).named("k")
    M = (h[:, :, None] * k[:, None, :]).named("M")
    lines = lines_of((M**2).sum() + (M[:, 0] * h).sum())
    assert "M = einsum(h(T), k; ab,ac->abc)" in lines


@pytest.mark.parametrize("batch", [1, 3])
def test_a_difference_of_all_pairs_is_not_zero(batch):
    (*_, h), _ = last_states(batch)
    (line,) = [
        line
        for line in lines_of(((h[:, :, None] - h[:, None, :]) ** 2).sum())
        if line.startswith("L = ")
    ]
    other = "h(T)" if batch == 1 else "h(T)_{[:, None, :]}"
    key = "[:, None]" if batch == 1 else "[:, :, None]"
    assert f"(h(T)_{{{key}}} - {other})²" in line


def test_sums_over_features_and_over_sequences_are_told_apart_where_both_are_added():
    (*_, h), _ = last_states()
    lines = lines_of(
        (h.mean(axis=0) * h.sum(axis=0)).sum() + (h.sum(axis=1) ** 2).sum()
    )
    assert "∇h(T) = 2 (Σ_i h(T))_{[:, None]} + 2/3 Σ_n h(T)" in lines


def test_a_sum_over_the_steps_of_an_attention_has_their_letter():
    states, _ = last_states()
    H = mg.stack(states).named("H")
    a = mg.softmax((H * states[-1]).sum(axis=-1), axis=0).named("a")
    lines = lines_of(((a[..., None] * H).sum(axis=0).named("c") ** 2).sum())
    assert "c = Σ_k a ⊙ H" in lines
    assert any("(∇a - Σ_k ∇a ⊙ a)" in line for line in lines)


def test_the_gradient_of_a_matrix_is_a_matrix():
    (*_, h), V = last_states()
    lines = lines_of((h @ V).sum())
    assert "∇V = 𝟏 (Σ_n h(T))ᵀ" in lines
    assert r"\mathbf{1}" in mg.equations((h @ V).sum()).latex()


def test_one_weight_of_each_step_and_sequence_multiplies_its_column():
    states, V = last_states()
    v = mg.parameter(np.array([0.5, -1, 1, 2]), name="v")
    H = mg.stack(states)
    a = mg.softmax(H @ v, axis=0).named("a")
    lines = lines_of((mg.einsum("tb,tbh->bh", a, H) @ V).sum())
    assert any(line.startswith("∇h(T) = (Σ_i V) a_{[4]}ᵀ + v (") for line in lines)


def test_a_number_of_elements_is_a_number():
    states, _ = last_states()
    lines = lines_of(mg.stack(states).var(axis=0).sum())
    assert not any("count" in line for line in lines)


def test_masks_and_fractions_of_all_pairs_say_along_which_axes():
    (*_, h), _ = last_states()
    a, b = "h(T)_{[:, :, None]}", "h(T)_{[:, None, :]}"
    larger = lines_of(mg.maximum(h[:, :, None], h[:, None, :]).sum())
    assert any(f"[{b} ≥ {a}]" in line for line in larger)
    assert not any("[h(T) ≥ h(T)]" in line for line in larger)
    rate = lines_of((h[:, :, None] / mg.exp(h)[:, None, :]).sum())
    assert not any("/ exp(h(T)))" in line for line in rate)


def test_a_row_in_each_line_is_added_as_a_matrix():
    (*_, h), V = last_states()
    lines = lines_of((h @ V).sum() + 0.1 * (V**2).sum())
    assert "∇V = 0.2 V + 𝟏 (Σ_n h(T))ᵀ" in lines
