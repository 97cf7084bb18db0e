"""A compiled function equals the eager one at every length, whatever it does there."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import outlined

from .test_program import many_to_many, same

U = mg.parameter(np.array([[0.2, -0.1], [0.3, 0.1]]), name="U")
W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")


class Runs:
    """A function compiled, and the lengths at which it ran to be traced or compared."""

    def __init__(self, function):
        self.traced, self.compared = [], []

        def run(xs, *rest):
            runs = self.traced if outlined.get() is None else self.compared
            runs.append(len(xs))
            return function(xs, *rest)

        self.program = mg.compile(run, strict=True)


def sequence(T):
    return np.random.default_rng(T).normal(size=(T, 3, 2))


def delayed(d, start="tensor"):
    starts = {
        "tensor": lambda: mg.tensor(np.full((3, 2), 0.1), name="h0"),
        "number": lambda: 0.0,
        "parameter": lambda: W[0] * 1.0,
    }

    def run(xs):
        hs, losses = [starts[start]()] * d, []
        for _, x in mg.steps(xs):
            hs.append(mg.tanh((hs[-d] * 0.5 if start == "number" else hs[-d] @ W) + x))
            losses.append((hs[-1] * hs[-1]).sum())
        loss = mg.add_n(losses)
        return loss, mg.grad(loss, [W], unreached="zeros")

    return run


@pytest.mark.parametrize("start", ["tensor", "number", "parameter"])
@pytest.mark.parametrize("d", [2, 3, 10])
def test_a_delay_that_the_first_traces_do_not_reach(d, start):
    run = delayed(d, start)
    program = mg.compile(run, strict=True)
    for T in (2, 3, 4, 5, 6, 8, 9, 11, 12, 7, 22, 23, 40, 21, 10):
        same(program(sequence(T)), run(sequence(T)))


def test_each_other_length_is_compared_once():
    runs = Runs(delayed(3))
    for T in (8, 12, 9, 10, 40, 8, 12, 10, 40):
        same(runs.program(sequence(T)), delayed(3)(sequence(T)))
    assert runs.traced == [8, 12]
    assert runs.compared == [12, 9, 10, 40]  # with what 12 steps record


def test_two_traces_have_at_least_twice_the_largest_delay():
    runs = Runs(delayed(3))
    for T in (6, 7, 6, 7, 8, 9, 7, 10):
        same(runs.program(sequence(T)), delayed(3)(sequence(T)))
    assert runs.traced == [6, 7, 8, 9]
    assert runs.compared == [9, 10]


def test_a_shorter_length_is_traced():
    runs = Runs(delayed(1))
    for T in (8, 12, 6, 7, 5):
        same(runs.program(sequence(T)), delayed(1)(sequence(T)))
    assert runs.traced == [8, 12, 6, 5]
    assert runs.compared == [12, 7]


def test_a_long_first_call_records_a_few_steps():
    step = many_to_many()
    runs = Runs(step)

    def data(T):
        rng = np.random.default_rng(T)
        return rng.normal(size=(T, 2, 3)), rng.integers(5, size=(T, 2))

    for T in (400, 401, 90, 400):
        same(runs.program(*data(T)), step(*data(T)))
    assert runs.traced == [16, 20]
    assert runs.compared == [20, 400, 401, 90]


@pytest.mark.parametrize("d", [7, 8, 12, 30])
def test_a_long_first_call_with_a_long_delay(d):
    runs = Runs(delayed(d))
    for T in (120, 130):
        same(runs.program(sequence(T)), delayed(d)(sequence(T)))
    assert (120 in runs.traced) == (d > 15)  # which 16 steps do not show


def test_each_loop_has_to_have_had_two_lengths():
    def run(xs, ys):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        g = h
        for _, y in mg.steps(y=ys):
            g = mg.tanh(g @ W + y)
        return g.sum() / len(ys)

    program = mg.compile(run, strict=True)
    for T, S in ((6, 5), (8, 5), (9, 7), (7, 6), (4, 9), (9, 4)):
        same(program(sequence(T), sequence(S)), run(sequence(T), sequence(S)))


def middle_state(hs):
    return hs[len(hs) // 2].sum()


def later_half(hs):
    return mg.stack(hs[len(hs) // 2 :]).sum()


@pytest.mark.parametrize("read", [middle_state, later_half])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("recurrent", [False, True])
def test_steps_in_the_middle_are_not_counted_from_an_end(read, reverse, recurrent):
    def run(xs):
        h, hs = mg.tensor(np.full((3, 2), 0.1), name="h0"), []
        for _, x in mg.steps(xs, reverse=reverse):
            h = mg.tanh(h @ W + x) if recurrent else x * W[0]
            hs.append(h)
        return read(hs)

    compiled = mg.compile(run, strict=True)
    for T in (6, 7, 8, 9, 13, 14, 15, 30, 31):
        same([compiled(sequence(T))], [run(sequence(T))])


# What a function does where its sequence has other lengths than those before.
BRANCHES = {
    "op": lambda x, h, other: mg.sin(h) if other else mg.tanh(h),
    "number": lambda x, h, other: mg.tanh(h * (0.5 if other else 1.0)),
    "operand": lambda x, h, other: mg.tanh(h + (h if other else x)),
    "order": lambda x, h, other: mg.tanh(x - h if other else h - x),
    "parameter": lambda x, h, other: mg.tanh(h @ (U if other else W)),
    "attribute": lambda x, h, other: mg.tanh(h + h.sum(axis=0 if other else 1).max()),
    "more": lambda x, h, other: mg.tanh(h + 1.0 if other else h),
    "array": lambda x, h, other: mg.tanh(h + np.full(2, 0.5 if other else 0.1)),
    "number of operands": lambda x, h, other: mg.tanh(
        mg.add_n([h, x, x] if other else [h, x])
    ),
    "no_grad": lambda x, h, other: (
        mg.tanh(h) * (mg.no_grad()(mg.tanh)(h) if other else h)
    ),
    "detached": lambda x, h, other: mg.tanh(h.detach() * h if other else h * h),
}
# ... and at its end.
ENDS = {
    "scale": lambda h, hs, other: (hs[-1].sum() * (2.0 if other else 1.0), [W, U]),
    "step": lambda h, hs, other: (hs[-2 if other else -1].sum(), [W, U]),
    "first": lambda h, hs, other: (hs[1 if other else 0].sum() + h.sum(), [W, U]),
    "order": lambda h, hs, other: (h.sum(), [U, W] if other else [W, U]),
    "of": lambda h, hs, other: ((h * h).sum() if other else h.sum(), [W, U]),
}


def loop(xs, line, end, other):
    hs = [mg.tensor(np.full((3, 2), 0.1), name="h0")]
    for _, x in mg.steps(xs):
        hs.append(line(x, hs[-1] @ W + x @ U, other))
    loss, wrt = end(hs[-1], hs, other)
    return loss, mg.grad(loss + (hs[-1] * hs[-1]).sum(), wrt, unreached="zeros")


PLAIN = BRANCHES["op"], lambda h, hs, other: (h.sum(), [W, U])


@pytest.mark.parametrize("where", ["one", "middle", "far", "long"])
@pytest.mark.parametrize("branch", [*BRANCHES, *(f"end {name}" for name in ENDS)])
def test_a_branch_on_the_length_is_noticed(branch, where):
    line, end = PLAIN
    if branch.startswith("end "):
        line, end = lambda x, h, other: mg.tanh(h), ENDS[branch[4:]]
    else:
        line = BRANCHES[branch]
    others = {
        "one": lambda T: T == 9,
        "middle": lambda T: 8 < T < 11,
        "far": lambda T: T > 20,
        "long": lambda T: T > 110,
    }[where]

    def run(xs):
        return loop(xs, line, end, others(len(xs)))

    calls = (120, 105, 130) if where == "long" else (6, 12, 9, 10, 8, 11, 22, 25, 12, 9)
    compiled = mg.compile(run, strict=True)
    for T in calls:
        same(compiled(sequence(T)), run(sequence(T)))


def test_what_is_returned_may_depend_on_the_length():
    def run(xs):
        h = mg.tensor(np.full((3, 2), 0.1), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        g = h * 2.0
        some = {10: (h, h), 11: (g, h), 12: (h, W), 7: [h, g], 13: (h, g, 13)}
        return some.get(len(xs), (h, g))

    compiled = mg.compile(run, strict=True)
    for T in (6, 8, 9, 10, 11, 12, 13, 7, 10, 9):
        found, expected = compiled(sequence(T)), run(sequence(T))
        same(found[:2], expected[:2])
        assert (type(found), found[2:]) == (type(expected), expected[2:])


@pytest.mark.parametrize("read", [middle_state, later_half])
def test_a_long_first_call_that_reads_the_middle(read):
    def run(xs):
        h, hs = mg.tensor(np.full((3, 2), 0.1), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            hs.append(h)
        loss = read(hs)
        return loss, mg.grad(loss, [W])

    compiled = mg.compile(run, strict=True)
    for T in (120, 121, 130, 20):
        same(compiled(sequence(T)), run(sequence(T)))


def test_arrays_that_a_function_closes_over():
    row, weights = np.full(2, 0.3), np.linspace(0, 1, 120)[:, None, None]

    def of_a_row(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x * row + mg.tensor(row))
        return h, mg.grad(h.sum(), [W])

    def of_all_steps(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x, w in mg.steps(x=xs, w=weights[: len(xs)]):
            h = mg.tanh(h @ W + x * w)
        return h, mg.grad(h.sum(), [W])

    def of_one_length(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs * weights):
            h = mg.tanh(h @ W + x)
        return h, mg.grad(h.sum(), [W])

    for run in (of_a_row, of_all_steps):
        compiled = mg.compile(run, strict=True)
        for T in (120, 110, 30, 31):
            same(compiled(sequence(T)), run(sequence(T)))
    runs = Runs(of_one_length)
    same(runs.program(sequence(120)), of_one_length(sequence(120)))
    assert runs.traced[-1] == 120


def gradients(xs, clip=False, second=False, each=False):
    """A step that goes on computing with its gradients."""
    h, losses = mg.tensor(np.zeros((3, 2)), name="h0"), []
    for _, x in mg.steps(xs):
        h = mg.tanh(h @ W + x @ U)
        if each:  # a gradient at each step, of that step alone
            (slope,) = mg.grad((h * h * h).sum(), [h])
            h = h + 0.1 * slope.detach()
        losses.append((h * h).sum())
    loss = mg.stack(losses).mean()
    grads = mg.grad(loss, [W, U], create_graph=second)
    norm = mg.sqrt(mg.add_n([(g * g).sum() for g in grads]))
    if second:
        return loss, mg.grad(loss + 0.1 * norm, [W, U])
    if clip:
        return loss, [g / mg.maximum(norm, 0.1) for g in grads], [W - 0.1 * grads[0]]
    return loss, grads


@pytest.mark.parametrize("what", ["clip", "second", "each"])
def test_what_goes_on_computing_with_gradients(what):
    def run(xs):
        return gradients(xs, **{what: True})

    runs = Runs(run)
    for T in (120, 60, 121):
        same(runs.program(sequence(T)), run(sequence(T)))
    assert runs.traced == [16, 20]


def test_a_length_at_which_another_gradient_is_asked_for():
    def run(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x @ U)
        loss, other = h.sum(), (h * h).sum()
        of = other if len(xs) == 9 else loss
        by = U if len(xs) == 10 else W
        (grad,) = mg.vjp(of, [by], 2.0 if len(xs) == 11 else 1.0, len(xs) == 7)
        return loss, other, grad

    compiled = mg.compile(run, strict=True)
    for T in (6, 8, 9, 10, 11, 7, 12):
        same(compiled(sequence(T)), run(sequence(T)))


def test_a_second_loop_of_another_length():
    def run(xs, ys):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        for _, y in mg.steps(y=ys):
            h = mg.tanh(h @ U + y) if len(ys) < 60 else mg.sin(h @ U + y)
        return h, mg.grad(h.sum(), [W, U])

    runs = Runs(run)
    for T, S in ((120, 6), (120, 9), (130, 40), (7, 50), (130, 61), (130, 62)):
        same(runs.program(sequence(T), sequence(S)), run(sequence(T), sequence(S)))


def test_loops_of_one_sequence_are_one_clock_at_every_length():
    def run(xs, ys):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        for _, y in mg.steps(y=xs if len(xs) == 9 else ys):
            h = mg.tanh(h @ U + y)
        return h, mg.grad(h.sum(), [W, U])

    compiled = mg.compile(run, strict=True)
    for T, S in ((6, 7), (8, 10), (9, 9), (9, 11), (12, 12)):
        same(compiled(sequence(T), sequence(S)), run(sequence(T), sequence(S)))


def test_a_loop_over_a_number_and_numbers_of_steps():
    def over_a_number(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for t in mg.steps(len(xs)):
            h = mg.tanh(h @ W + xs[t - 1])
        return h, mg.grad(h.sum(), [W])

    def masked(xs, lengths):
        h, hs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            new = mg.tanh(h @ W + x)
            h = mg.where((lengths >= float(len(hs) + 1))[:, None], new, h)
            hs.append(h)
        return h, mg.grad(h.sum(), [W])

    def last_of_each(xs, lengths):
        h, hs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            hs.append(h)
        last = mg.stack(hs)[lengths - 1, np.arange(3)]
        return last, mg.grad(last.sum(), [W])

    compiled = mg.compile(over_a_number, strict=True)
    for T in (120, 30, 121):
        same(compiled(sequence(T)), over_a_number(sequence(T)))
    for run in (masked, last_of_each):
        compiled = mg.compile(run, strict=True)
        for T in (120, 30, 121):
            lengths = np.array([T, T // 2, 25])
            same(compiled(sequence(T), lengths), run(sequence(T), lengths))


def test_attention_over_all_steps():
    def run(xs):
        h, hs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            hs.append(h)
        keys = mg.stack(hs)
        for _, x in mg.steps(xs):
            weights = mg.softmax((keys * h).sum(axis=2), axis=0)
            h = mg.tanh(h @ U + (keys * weights[:, :, None]).sum(axis=0) + x)
        return h, mg.grad(h.sum(), [W, U])

    compiled = mg.compile(run, strict=True)
    for T in (6, 8, 9, 110, 111):
        same(compiled(sequence(T)), run(sequence(T)))


def test_what_a_function_leaves_behind_is_refused():
    kept = []

    def run(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        kept.append(h)
        return h

    compiled = mg.compile(run, strict=True)
    for T in (6, 8, 9):
        compiled(sequence(T))
    with pytest.raises(TypeError, match="return from the function"):
        _ = kept[-1].data
    with pytest.raises((TypeError, RuntimeError), match="return from the function"):
        mg.grad(kept[-1].sum(), [W])


def test_a_function_that_looks_at_its_graph_is_traced():
    def run(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        return h if h.requires_grad else h * 2.0

    runs = Runs(run)
    for T in (6, 8, 9, 120):
        same([runs.program(sequence(T))], [run(sequence(T))])
    assert runs.traced == [6, 8, 9, 120]


def test_what_the_last_step_makes_in_vain_is_no_difference():
    def run(xs):
        h, outputs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            outputs.append(h @ U)
        loss = mg.add_n([(o * o).sum() for o in outputs[:-1]] + [h.sum()])
        return loss, mg.grad(loss, [W, U])

    def of_the_last_but_one(xs):
        h, outputs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            outputs.append(h @ U)
        loss = mg.stack(outputs[:-1]).sum() + h.sum()
        return loss, mg.grad(loss, [W, U])

    for function in (run, of_the_last_but_one):
        runs = Runs(function)
        for T in (6, 8, 9, 30):
            same(runs.program(sequence(T)), function(sequence(T)))
    assert runs.traced == [6, 8]


def test_what_no_result_depends_on_may_differ():
    def run(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for t, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            _ = h @ U if len(xs) < 20 else mg.sin(h).sum(axis=t % 2)
        return h

    runs = Runs(run)
    for T in (6, 8, 30):
        same([runs.program(sequence(T))], [run(sequence(T))])
    assert runs.traced == [6, 8]


CUT = {
    "every second step": lambda S, xs: S[::2],
    "every seventh step": lambda S, xs: S[::7],
    "from the last, every third": lambda S, xs: S[::-3],
    "the first twelve": lambda S, xs: S[:12],
    "the last twelve": lambda S, xs: S[-12:],
    "all but the first twenty": lambda S, xs: S[20:],
    "a part that opens and closes": lambda S, xs: mg.concatenate([S[:1], S[-9:4]]),
    "all pairs in a row": lambda S, xs: mg.einsum("tbi,sbi->ts", S, S).reshape(-1),
    "every fourth element": lambda S, xs: S.reshape(-1)[::4],
    "of the sequence": lambda S, xs: mg.tanh((xs[::3] @ U).mean() * S),
}


def measured(cut):
    def run(xs):
        h, hs = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x @ U)
            hs.append(h)
        part = cut(mg.stack(hs), xs)
        # NumPy broadcasts one entry without a word, whatever it was divided by.
        loss = (part * part).mean() + (part * 2.0).mean()
        return loss, mg.grad(loss, [U, W])

    return run


@pytest.mark.parametrize("first", [(6, 7), (31, 33)])
@pytest.mark.parametrize("cut", CUT)
def test_an_axis_that_is_no_line_in_the_number_of_steps(cut, first):
    run = measured(CUT[cut])
    program = mg.compile(run, strict=True)
    for T in (*first, 8, 9, 13, 14, 23, 45):
        if cut == "all but the first twenty" and T < 22:
            continue
        xs = mg.tensor(sequence(T))
        same(program(xs), run(xs))


def test_a_slice_that_is_a_line_stays_free():
    for cut in (CUT["all but the first twenty"], lambda S, xs: S[1:-3][::-1]):
        runs = Runs(measured(cut))
        for T in (31, 33, 40, 35, 60):
            runs.program(mg.tensor(sequence(T)))
        assert runs.traced == [31, 33]
