"""Folding: random cells fold and unfold, whatever differs is named."""

import re
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import minigrad as mg
from minigrad.fold.roles import Span

UNARY = [mg.tanh, mg.sigmoid, mg.exp, lambda x: -x, lambda x: x * 0.5]
BINARY = [mg.add, mg.mul, mg.maximum, mg.sub]


STARTS = {
    "input": lambda zeros, V: mg.tensor(zeros, name="h0"),
    "constant": lambda zeros, V: mg.tensor(zeros),
    "parameter": lambda zeros, V: mg.parameter(zeros, name="h0"),
    "computed": lambda zeros, V: mg.tanh(mg.tensor(zeros, name="c") @ V),
    "named": lambda zeros, V: (mg.tensor(zeros, name="c") @ V).named("h0"),
}


@st.composite
def cells(draw):
    """A random recurrence: a state of delays up to D, ops in random order."""
    delays = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True))
    reverse = draw(st.booleans())
    program = draw(
        st.lists(
            st.tuples(
                st.integers(0, len(UNARY) + len(BINARY) - 1),
                st.integers(0, 50),
                st.integers(0, 50),
            ),
            min_size=1,
            max_size=6,
        )
    )
    readout = draw(st.sampled_from(["stack", "running", "last", "add_n"]))
    named = draw(st.booleans())
    start = draw(st.sampled_from(sorted(STARTS)))
    if readout == "last":  # otherwise the loss does not reach every step
        delays = sorted({1, *delays})
    return delays, reverse, program, readout, named, start


def next_state(program, pool):
    """What a random program makes of the values in ``pool``, all of them summed up."""
    for which, a, b in program:
        if which < len(UNARY):
            pool.append(UNARY[which](pool[a % len(pool)]))
        else:
            op = BINARY[which - len(UNARY)]
            pool.append(op(pool[a % len(pool)], pool[b % len(pool)]))
    total = pool[0]
    for value in pool[1:]:
        total = total + value
    return mg.tanh(total)


def record(cell, T):
    """The loss that a cell records over T steps."""
    delays, reverse, program, readout, named, start = cell
    W = mg.parameter([[0.3, -0.2], [0.1, 0.4]], name="W")
    V = mg.parameter([[0.2, 0.1], [-0.3, 0.2]], name="V")
    xs = np.linspace(-1, 1, T * 4).reshape(T, 2, 2)
    states = [STARTS[start](np.zeros((2, 2)), V)] * max(delays)
    losses, running = [], 0.0
    for _, x in mg.steps(x=xs, reverse=reverse):
        pool = [x @ V, *(states[-d] @ W for d in delays)]
        h = next_state(program, pool)
        if named:
            h.named("h")
        states.append(h)
        if readout in ("stack", "add_n"):
            losses.append(h.sum().named("L"))
        elif readout == "running":
            running = running + h.sum().named("L")
    if readout == "stack":
        return mg.stack(losses).mean()
    if readout == "add_n":
        return mg.add_n(losses)
    return running if readout == "running" else (h @ V).named("o").sum()


def gradient(loss):
    leaves = [mg.Tensor(p) for p in mg.Graph(loss).parameters]
    return mg.Graph(mg.grad(loss, leaves, create_graph=True, unreached="zeros"))


@given(cells(), st.integers(1, 9))
def test_unfold_is_the_inverse_of_fold(cell, T):
    loss = record(cell, T)
    for graph in (mg.Graph(loss), mg.contract(loss), gradient(loss)):
        assert mg.fold(graph).unfold(T).difference(graph) is None


@given(cells(), st.integers(0, 3))
def test_a_recurrence_does_not_depend_on_the_length(cell, more):
    T = 2 * max(cell[0]) + 2 + more
    one, two = record(cell, T), record(cell, T + 1)
    for view in (mg.Graph, mg.contract, gradient):
        assert mg.fold(view(one)).difference(mg.fold(view(two))) is None


@given(cells())
def test_unfolding_to_another_length_is_recording_it(cell):
    D = max(cell[0])
    long = record(cell, 2 * D + 7)
    for view, least in ((mg.Graph, 2), (mg.contract, 2), (gradient, 4)):
        short = view(record(cell, 2 * D + least))
        assert mg.fold(short).unfold(2 * D + 7).difference(view(long)) is None


def network(T, at=None, change=None, letters="UWV"):
    """A bare many-to-many loop with one step changed."""
    rng = np.random.default_rng(0)
    U, W, V = (mg.parameter(rng.normal(size=(2, 2)), name=n) for n in letters)
    W2 = mg.parameter(rng.normal(size=(2, 2)), name="W2")
    h0 = h = mg.tensor(np.zeros((1, 2)), name="h0")
    losses = []
    for t, x, y in mg.steps(x=rng.normal(size=(T, 1, 2)), y=np.zeros((T, 1, 2))):
        here = change if t == at else None
        previous = {"h0": h0, "zeros": np.zeros((1, 2))}.get(here, h)
        a = x @ U + previous @ (W2 if here == "W2" else W)
        if here == "scale":
            a = a * 0.25
        h = (mg.sigmoid if here == "op" else mg.tanh)(a * (0.5 if here != "c" else 2.0))
        h.named("g" if here == "name" else "h")
        o = (h @ V).named("o")
        loss = mg.mse_loss(o, y, reduction="sum" if here == "attr" else "mean")
        if here != "loss":
            losses.append(loss.named("L"))
    return mg.stack(losses).mean(), W


@pytest.mark.parametrize("at", [2, 4, 7, 8])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("W2", ["W2 instead of W"]),
        ("op", ["sigmoid instead of tanh"]),
        ("name", ["name g instead of h"]),
        ("c", ["constant 2.0 instead of 0.5"]),
        ("attr", ["{'reduction': 'sum'} instead of {'reduction': 'mean'}"]),
        ("h0", ["h0 instead of h(t-1)"]),
        ("zeros", ["instead of h(t-1)"]),
        ("scale", []),
    ],
)
def test_a_step_that_differs_is_named(at, change, words):
    loss, _ = network(8, at, change)
    with pytest.raises(mg.FoldError) as caught:
        mg.fold(loss)
    for word in [f"step {at} differs from step", *words]:
        assert word in str(caught.value)


def test_a_path_by_another_parameter_is_named():
    U, W = (mg.parameter(np.eye(2), name=n) for n in "UW")
    h = mg.tensor(np.zeros((2, 2)), name="h0")
    for t, x in mg.steps(np.ones((6, 2, 2))):
        h = mg.tanh((x + U if t == 4 else x @ U) + h @ W).named("h")
    with pytest.raises(mg.FoldError, match=r"step 4 .*path's parameters"):
        mg.fold(mg.contract(h))


def test_a_value_that_one_step_does_not_read_is_named():
    W = mg.parameter(np.eye(2), name="W")
    h, os = mg.tensor(np.zeros((2, 2)), name="h0"), []
    for t, x in mg.steps(np.ones((6, 2, 2))):
        h = mg.tanh(h @ W + (0.5 if t == 4 else x)).named("h")
        os.append((h * x).named("o"))
    with pytest.raises(mg.FoldError, match=r"step 4 .* nothing instead of x\(t\)"):
        mg.fold(mg.contract(mg.stack(os)))


def test_an_initial_state_with_a_hole_is_named():
    h0, g0 = (mg.tensor(np.zeros((1, 2)), name=n) for n in ("h0", "g0"))
    hs = [h0, g0, h0]
    for _ in mg.steps(7):
        hs.append(mg.tanh(hs[-3]))
    with pytest.raises(mg.FoldError, match=r"step 2 .* g0 instead of h0"):
        mg.fold(mg.stack(hs[3:]))


def test_an_index_of_another_kind_is_named():
    X = mg.tensor(np.ones((7, 2)), name="X")
    ys = [X[t - 1].sum() if t < 6 else X[t - 1 : t].sum() for t in mg.steps(6)]
    with pytest.raises(mg.FoldError, match=r"step 6 .* attributes .*slice"):
        mg.fold(mg.stack(ys))


@pytest.mark.parametrize("T", [1, 2, 7])
@pytest.mark.parametrize("back", [1, 2])
def test_a_sum_in_a_loop_may_read_the_state(T, back):
    W = mg.parameter(np.eye(2), name="W")
    hs = [mg.tensor(np.zeros((1, 2)), name="h0")] * back
    for _, x in mg.steps(np.ones((T, 1, 2))):
        h = mg.add_n([hs[-1], x, hs[-back], mg.tanh(hs[-1] @ W)]).named("h")
        hs.append(h)
    loss = (hs[-1] * hs[-1]).sum()
    for graph in (mg.Graph(loss), mg.contract(h), gradient(loss)):
        assert mg.fold(graph).unfold(T).difference(graph) is None
    fewer = [mg.add_n([x, x][: 1 + (t != 4)]) for t, x in mg.steps(np.ones((6, 2)))]
    with pytest.raises(mg.FoldError, match="step 4 differs"):
        mg.fold(mg.stack(fewer))


def test_a_first_index_that_differs_is_named():
    X = mg.tensor(np.ones((7, 2)), name="X")
    ys = [X[t - 1 if t > 1 else 3].sum() for t in mg.steps(6)]
    with pytest.raises(mg.FoldError, match=r"step 1 differs from step 2 .*'key': 3"):
        mg.fold(mg.stack(ys))


def test_a_sum_in_a_loop_may_read_what_has_no_time():
    W, b = mg.parameter(np.eye(2), name="W"), mg.parameter(np.ones(2), name="b")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((5, 1, 2))):
        h = mg.tanh(mg.add_n([x, h @ W, b + np.zeros((1, 2))]))
    for graph in (mg.Graph(h), gradient(h.sum())):
        assert mg.fold(graph).unfold(5).difference(graph) is None


@pytest.mark.parametrize("T", [1, 2, 5])
def test_the_gradient_of_what_is_indexed_at_every_step_folds(T):
    P = mg.parameter(np.ones((9, 2)), name="P")
    h, hs = mg.tensor(np.zeros(2), name="h0"), []
    for t in mg.steps(T):
        h = mg.tanh(P[t - 1] * h + P[T - t] + P[0])
        hs.append(h)
    graph = gradient((mg.stack(hs) ** 2).sum() + P[3].sum() + P[4:6].sum())
    assert mg.fold(graph).unfold(T).difference(graph) is None


@pytest.mark.parametrize("T", [5, 6])
@pytest.mark.parametrize("since", [1, 2, 3, 4])
def test_a_span_is_counted_from_the_nearer_end(T, since):
    h, later = mg.tensor(np.zeros(2), name="h0"), []
    for t in mg.steps(T):
        h = mg.tanh(h)
        if t >= since:
            later.append(mg.exp(h))
    rec = mg.fold(mg.Graph([h, mg.stack(later)]))
    (exp,) = (r for r in rec.roles if r.op and r.op.name == "exp")
    near = since - 1 <= T - since
    assert exp.span == Span(since if near else since - T - 1, -1)
    until, h, early = since, mg.tensor(np.zeros(2), name="h0"), []
    for t in mg.steps(T):
        h = mg.tanh(h)
        if t <= until:
            early.append(mg.exp(h))
    rec = mg.fold(mg.Graph([h, mg.stack(early)]))
    (exp,) = (r for r in rec.roles if r.op and r.op.name == "exp")
    near = until - 1 < T - until
    assert exp.span == Span(1, until if near else until - T - 1)


def test_a_start_of_its_own_is_for_steps_before_a_recurrence_alone():
    W = mg.parameter(np.eye(2), name="W")
    zs = [mg.tensor(np.zeros((1, 2)), name=f"z{k}") for k in range(3)]
    ys = []
    for t, x in mg.steps(np.ones((8, 1, 2))):
        g = mg.exp(x) if t > 2 else zs[t]
        with mg.scope("y"):
            ys.append(mg.tanh(g @ W))
    with pytest.raises(mg.FoldError, match=r"step 2 .* z2 instead of z1"):
        mg.fold(mg.stack(ys))


def test_what_tells_two_recurrences_apart():
    one, two = (mg.fold(network(6, letters=n)[0]) for n in ("UWV", "UWR"))
    assert one.difference(two).startswith("V: ")
    assert one != two
    assert one != "a recurrence"
    assert one == mg.fold(network(7)[0])
    assert hash(one) == hash(mg.fold(network(7)[0]))
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tanh(W)
    same = mg.fold(mg.Graph([h, W]))
    assert same.difference(mg.fold(mg.Graph([W, h]))) == "the outputs differ"
    assert "roles" in mg.fold(W).difference(same)


def test_a_first_step_that_differs_is_named():
    with pytest.raises(mg.FoldError, match=r"step 1 differs .* sigmoid instead of ta"):
        mg.fold(network(8, 1, "op")[0])
    with pytest.raises(mg.FoldError, match=r"step 2 differs from step 1 .* sigmoid"):
        mg.fold(network(2, 2, "op")[0])
    with pytest.raises(mg.FoldError, match=r"step 1 .*constant 2.0 instead of 0.5"):
        mg.fold(network(8, 1, "c")[0])


@pytest.mark.parametrize(
    "pick",
    [
        lambda hs: hs[::2],
        lambda hs: hs[::-1],
        lambda hs: hs[1:4],
        lambda hs: [hs[0], hs[2]],
        lambda hs: [hs[3], hs[2], hs[4]],
        lambda hs: [hs[0], hs[1], hs[1], hs[0]],
        lambda hs: [hs[2], hs[3], *hs[::-1]],
        lambda hs: [h for pair in zip(hs, hs[::-1], strict=True) for h in pair],
    ],
)
def test_what_gathers_some_of_the_steps(pick):
    W = mg.parameter(np.eye(2), name="W")
    h, hs = mg.tensor(np.zeros((1, 2)), name="h0"), []
    for _ in mg.steps(6):
        h = mg.tanh(h @ W)
        hs.append(h)
    graph = mg.Graph([mg.stack(pick(hs)), h])
    assert mg.fold(graph).unfold(6).difference(graph) is None


def test_roles_and_unfolded_nodes_know_their_shapes():
    rec = mg.fold(network(6)[0])
    (h,) = (r for r in rec.roles if r.name == "h")
    assert (h.spec.shape, h.spec.dtype) == ((1, 2), "float64")
    assert h.label == "h"
    assert {r.label.split("#")[0] for r in rec.roles if r.op and not r.name} == {
        *("matmul", "add", "multiply", "stack", "mean")
    }
    (node,) = (n for n in rec.unfold(9).nodes if n.name == "h" and n.t == 9)
    assert node.value == h.spec


def test_a_recurrence_keeps_its_leaves_and_says_how_steps_are_read():
    loss, _ = network(6)
    rec = mg.fold(loss)
    assert set(rec.unfold(6).inputs) == set(mg.Graph(loss).inputs)
    assert set(rec.unfold(7).parameters) == set(mg.Graph(loss).parameters)
    (stack,) = (r for r in rec.roles if r.op and r.op.name == "stack")
    assert [s.kind for operand in stack.operands for s in operand] == ["gather"]
    h = mg.tensor(np.zeros(2), name="h0")
    for _ in mg.steps(3):
        h = mg.tanh(h)
    ((read,),) = mg.fold(h).outputs
    assert (read.kind, read.at) == ("pick", Span(-1, -1))
    H = mg.tensor(np.ones((2, 2)), name="H")
    with pytest.raises(
        mg.FoldError,
        match=r"at operation 1 of the loop at .*test_fold\.py:\d+: attributes",
    ):
        mg.fold(mg.stack([mg.sum(H, axis=t // 3) for t in mg.steps(4)]))


def labels(graph):
    return [n.label for n in mg.contract(graph).nodes]


def test_an_expression_of_parameters_labels_the_arrow():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _ in mg.steps(4):
        h = mg.tanh(h @ (0.5 * W) + W.sum()).named("h")
    assert edges(h) == ["h0 -> h(1) by W", "h(t-1) -> h(t) by W"]


@pytest.mark.parametrize("pick", [mg.embedding, mg.take, lambda E, x: E[x]])
def test_a_matrix_whose_rows_are_picked_labels_the_arrow_of_the_index(pick):
    E, h = mg.parameter(np.eye(2), name="E"), mg.tensor(np.zeros((1, 2)), name="h0")
    axis = {"axis": 0} if pick is mg.take else {}
    for _, x in mg.steps(np.ones((4, 1), int)):
        h = mg.tanh(h + pick(E, x, **axis)).named("h")
    assert "x(t) -> h(t) by E" in edges(h)


@pytest.mark.parametrize("turn", [lambda W: W.T, lambda W: W.swapaxes(0, 1)])
def test_a_letter_says_that_its_matrix_is_transposed(turn):
    W, h = mg.parameter(np.eye(2), name="W"), mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((4, 1, 2))):
        h = mg.tanh(h @ turn(W) + x @ turn(turn(W))).named("h")
    assert {"h(t-1) -> h(t) by Wᵀ", "x(t) -> h(t) by W"} <= set(edges(h))


def test_no_letter_of_a_second_way_is_lost():
    ps = {n: mg.parameter(np.eye(2), name=n) for n in ("U", "W", "U_r", "W_r")}
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((4, 1, 2))):
        r = mg.sigmoid(x @ ps["U_r"] + h @ ps["W_r"])
        h = mg.tanh(x @ ps["U"] + (r * h) @ ps["W"]).named("h")
    (x_to_h,) = [e for e in mg.fold(mg.contract(h)).edges if e.source.label == "x"]
    assert set(x_to_h.labels) == {"U", "W", "U_r"}


def test_a_named_expression_of_parameters_is_a_value_and_no_label():
    W = mg.parameter(np.eye(2), name="W")
    A = (0.5 * W).named("A")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _ in mg.steps(4):
        h = mg.tanh(h @ A).named("h")
    assert sorted(edges(h)) == ["A -> h(t)", "h(t-1) -> h(t)", "h0 -> h(1)"]


def test_labels_are_those_of_values_and_not_of_parameters():
    V, R = (mg.parameter(np.eye(2), name=n) for n in "VR")
    x = mg.tensor(np.ones((1, 2)), name="x")
    (o,) = mg.contract(((x @ V) @ R).named("o")).outputs
    read = zip([n.name for n in o.inputs], o.attrs["via"], strict=True)
    via = dict(read)
    assert (len(via["x"]), via["V"], via["R"]) == (2, None, None)


def test_a_target_of_two_read_outs_has_no_step():
    h, hs = mg.tensor(np.zeros((1, 2)), name="h0"), []
    for _, x in mg.steps(np.ones((5, 1, 2))):
        h = mg.tanh(x + h).named("h")
        hs.append(h)
    y = mg.tensor(np.ones((1, 2)), name="y")
    early, late = ((hs[k] - y).named("L") for k in (1, 4))
    assert {"y", "L(2)", "L(5)"} <= set(labels([early, late]))
    assert "y(5)" in labels([late])


@pytest.mark.parametrize("T", [1, 2, 6])
def test_a_term_that_a_sum_of_cotangents_has_three_times(T):
    h = mg.parameter(np.ones((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((T, 1, 2))):
        h = mg.tanh(x + mg.add_n([h, h, h]))
    graph = gradient(h.sum())
    assert mg.fold(graph).unfold(T).difference(graph) is None


def test_a_number_of_operands_that_differs_is_named():
    ys = [
        mg.concatenate([x, x, x][: 2 + (t == 4)])[:2]
        for t, x in mg.steps(np.ones((6, 2)))
    ]
    with pytest.raises(mg.FoldError, match=r"step 4 .*number of operands 3 instead of"):
        mg.fold(mg.stack(ys))


def test_a_value_that_is_read_twice_is_one_operand():
    U = mg.parameter(np.eye(2), name="U")
    for _, x in mg.steps(np.ones((2, 1, 2))):
        a = x @ U
        y = (a * a + mg.exp(a)).named("y")
    named = mg.contract(y)
    assert labels(y) == ["U", "x(2)", "y(2)"]
    assert [n.label for n in named.outputs[0].inputs] == ["x(2)", "U"]


def test_a_sequence_is_drawn_where_more_than_its_loop_reads_it():
    xs = mg.tensor(np.ones((3, 2)), name="xs")
    total = 0.0
    for _, x in mg.steps(xs):
        total = total + x.sum()
    assert not [x for x in labels(total.named("y")) if x.startswith("xs")]
    assert [x for x in labels((total + xs.mean()).named("z")) if x.startswith("xs")]


def test_a_sequence_that_was_computed_is_read_by_its_loop():
    U = mg.parameter(np.eye(2), name="U")
    H = mg.tanh(mg.tensor(np.ones((3, 1, 2)), name="X") @ U).named("H")
    for _, x in mg.steps(x=H):
        y = (x * 2).named("y")
    assert labels(y) == ["U", "X", "H", "x(3)", "y(3)"]


def test_a_state_that_no_named_value_needs_is_left_out():
    W = mg.parameter(np.eye(2), name="W")
    h = q = mg.tensor(np.zeros((1, 2)), name="h0")
    for _ in mg.steps(3):
        h = mg.tanh(h @ W).named("h")
        q = mg.exp(q * 0.5)
    assert labels([h, q * 2]) == ["W", "h0", "h(1)", "h(2)", "h(3)"]


def test_what_another_loop_reads_is_no_state_of_this_one():
    W = mg.parameter(np.eye(2), name="W")
    for _, x in mg.steps(np.ones((3, 1, 2))):
        a = mg.tanh(x @ W)
    g = mg.tensor(np.zeros((1, 2)), name="g0")
    for _ in mg.steps(2):
        g = mg.tanh(g @ W + a).named("g")
    assert sorted(labels(g)) == ["W", "g(1)", "g(2)", "g0", "x(3)"]


def test_a_swapped_parameter_is_named_at_the_first_step_and_among_two():
    with pytest.raises(mg.FoldError, match=r"step 1 differs .* W2 instead of W"):
        mg.fold(network(8, 1, "W2")[0])
    with pytest.raises(mg.FoldError, match=r"step 2 differs from step 1.*W2 instead"):
        mg.fold(mg.contract(network(2, 2, "W2")[0]))


def test_a_hole_is_named():
    with pytest.raises(mg.FoldError, match="step 4 lacks it"):
        mg.fold(network(8, 4, "loss")[0])
    mg.fold(network(8, 8, "loss")[0])  # the end of a span is not a hole


def test_a_line_that_only_some_steps_run_moves_those_after_it():
    g, h = (mg.tensor(np.zeros((1, 2)), name=f"{key}0") for key in "gh")
    for t in mg.steps(9):
        if t % 3 == 0:
            g = mg.tanh(h).named("g")
        h = mg.tanh(h + g).named("h")
    moved = r"h .* steps 2 and 4, but step 3 has it at another place .* mg\.scope"
    with pytest.raises(mg.FoldError, match=moved):
        mg.fold(mg.contract(h))


def test_a_parameter_is_one_node_with_one_use_per_step():
    loss, W = network(6)
    graph = mg.Graph(loss)
    assert [n.name for n in graph.parameters] == ["U", "W", "V"]
    assert [use.t for use in graph.uses(W)] == [1, 2, 3, 4, 5, 6]
    assert [use.t for use in mg.contract(loss).uses(W)] == [1, 2, 3, 4, 5, 6]


def edges(graph):
    return [str(edge) for edge in mg.fold(mg.contract(graph)).edges]


def test_the_edges_of_many_to_many():
    assert edges(network(6)[0]) == [
        "x(t) -> h(t) by U",
        "h0 -> h(1) by W",
        "h(t-1) -> h(t) by W",
        "h(t) -> o(t) by V",
        "o(t) -> L(t)",
        "y(t) -> L(t)",
    ]


def test_a_read_out_after_the_loop_gets_the_step_it_picks():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((5, 1, 2))):
        h = mg.tanh(x + h @ W).named("h")
    y = mg.tensor(np.ones((1, 2)), name="y")
    L = mg.mse_loss((h @ W).named("o"), y).named("L")
    assert {n.label for n in mg.contract(L).nodes} >= {"o(5)", "L(5)", "y(5)", "h0"}
    assert mg.fold(mg.contract(L)).difference(mg.fold(mg.contract(L))) is None


def test_stacked_loops_share_a_clock_and_keep_their_roles():
    W = mg.parameter(np.eye(2), name="W")
    zero = mg.tensor(np.zeros((1, 2)), name="h0")
    xs = mg.tensor(np.ones((6, 1, 2)), name="xs")
    h, hs = zero, []
    for _, x in mg.steps(xs):
        h = mg.tanh(x + h @ W).named("h")
        hs.append(h)
    g = zero
    for _, below in mg.steps(hs):
        g = mg.tanh(below + g @ W).named("g")
    rec = mg.fold(mg.contract(g))
    assert rec.lengths == (6,)
    assert [str(e) for e in rec.edges][-3:] == [
        "h(t) -> g(t)",
        "h0 -> g(1) by W",
        "g(t-1) -> g(t) by W",
    ]


def test_an_encoder_and_a_decoder_have_clocks_of_their_own():
    def translate(n, m):
        W = mg.parameter(np.eye(2), name="W")
        R = mg.parameter(np.eye(2), name="R")
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for _, x in mg.steps(np.ones((n, 1, 2))):
            h = mg.tanh(x + h @ W).named("h")
        g = C = mg.tanh(h @ R).named("C")
        for _ in mg.steps(m):
            g = mg.tanh(g @ W + C).named("g")
        return g

    graph = mg.contract(translate(5, 7))
    rec = mg.fold(graph)
    assert rec.lengths == (5, 7)
    assert rec.unfold([5, 7]).same_as(graph)
    assert rec.unfold([9, 8]).same_as(mg.contract(translate(9, 8)))
    assert rec.unfold(8).same_as(mg.contract(translate(8, 8)))
    assert rec == mg.fold(mg.contract(translate(6, 9)))


def test_two_initial_states_of_a_delay_of_two():
    def net(T, broken=False):
        W = mg.parameter(np.eye(2), name="W")
        hs = [mg.tensor(np.zeros((1, 2)), name=n) for n in ("before", "h0")]
        for t in mg.steps(T):
            old = hs[0] if broken and t == 5 else hs[-2]
            hs.append(mg.tanh(hs[-1] @ W + old).named("h"))
        return hs[-1]

    assert edges(net(6)) == [
        "h0 -> h(1) by W",
        "h(t-1) -> h(t) by W",
        "before -> h(1)",
        "h0 -> h(2)",
        "h(t-2) -> h(t)",
    ]
    assert mg.fold(net(6)) == mg.fold(net(7))
    assert mg.fold(net(6)).unfold(9).same_as(mg.Graph(net(9)))
    with pytest.raises(mg.FoldError, match=r"step 5 .* before instead of h\(t-2\)"):
        mg.fold(net(8, broken=True))


def test_a_list_of_another_loop_is_read_by_a_loop_over_it():
    def net(over):
        h = g = mg.tensor(np.zeros((1, 2)), name="start")
        hs = []
        for _, x in mg.steps(np.ones((4, 1, 2))):
            h = mg.tanh(h + x).named("h")
            hs.append(h)
        for step in mg.steps(h=hs) if over else mg.steps(4):
            g = mg.tanh(g + (step[1] if over else hs[step - 1])).named("g")
        return g

    hint = re.escape("loop over them: for t, h in mg.steps(h=hs); within")
    with pytest.raises(mg.FoldError, match=hint):
        mg.fold(net(over=False))
    assert "h(t) -> g(t)" in edges(net(over=True))


def test_a_state_without_a_name_is_kept_as_s():
    W = mg.parameter(np.eye(2), name="W")
    h = np.zeros((1, 2))
    for _, x in mg.steps(np.ones((5, 1, 2))):
        h = mg.tanh(x + h @ W)
    assert edges((h * 2).named("o")) == [
        "x(t) -> s(t)",
        "s(t-1) -> s(t) by W",
        "s(T) -> o(T)",
    ]


def test_a_graph_without_names_is_refused():
    with pytest.raises(ValueError, match="no value of this graph has a name"):
        mg.contract(mg.parameter(1.0) * 2)


def test_an_index_may_advance_with_the_step():
    def shifted(T):
        X = mg.tensor(np.ones((T + 1, 2)), name="X")
        return mg.stack([mg.tanh(X[t - 1] + X[T - t]) for t in mg.steps(T)]).sum()

    rec = mg.fold(shifted(6))
    assert rec == mg.fold(shifted(7))
    assert {str(r.attrs["key"]) for r in rec.roles if "key" in r.attrs} == {
        "t-1",
        "T-t",
    }
    assert rec.unfold(9).same_as(mg.Graph(shifted(9)))


def test_a_baked_length_is_seen():
    def mean(T):
        h = mg.tensor(np.ones(2), name="h0")
        for _ in mg.steps(T):
            h = mg.tanh(h).named("h")
        return h.sum() * (1 / T)

    assert mg.fold(mean(8)) != mg.fold(mean(9))


def test_a_length_too_short_to_unfold_is_refused():
    W = mg.parameter(np.eye(2), name="W")
    hs = [mg.tensor(np.ones((1, 2)), name="h0")] * 3
    for _ in mg.steps(9):
        hs.append(mg.tanh(hs[-1] @ W + hs[-3]))
    rec = mg.fold(hs[-1])
    with pytest.raises(ValueError, match="at least 1"):
        rec.unfold(0)
    with pytest.raises(ValueError, match="1 loops over time"):
        rec.unfold([4, 5])


def calls(function):
    """How many Python functions a call enters: its work, whatever the clock says."""
    entered = 0

    def count(frame, event, argument):
        nonlocal entered
        entered += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return entered


def test_ten_thousand_steps_fold_in_linear_work_under_the_usual_recursion_limit():
    assert sys.getrecursionlimit() <= 1000
    work = {}
    for T in (1_000, 10_000):
        loss, _ = network(T)
        work[T] = calls(lambda loss=loss: mg.fold(mg.contract(loss)))
        work[-T] = calls(lambda loss=loss: mg.fold(loss))
    assert work[10_000] < 10.5 * work[1_000]
    assert work[-10_000] < 10.5 * work[-1_000]


@pytest.mark.parametrize(
    ("span", "length", "steps"),
    [
        (Span(1, -1), 4, [1, 2, 3, 4]),
        (Span(2, -2), 4, [2, 3]),
        (Span(1, -1, down=True), 3, [3, 2, 1]),
        (Span(-1, -1), 5, [5]),
        (Span(2, -1), 1, []),
    ],
)
def test_spans(span, length, steps):
    assert list(span.steps(length)) == steps


def interpolating(T):
    """A cell whose cotangent passes unchanged into another sum: h = c + u (h - c)."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    u = mg.parameter(np.array([0.4, 0.6]), name="u")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    losses = []
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        c = mg.tanh(x + h @ W)
        h = c + u * (h - c)
        losses.append((h * h).sum())
    return mg.stack(losses).mean()


def attending(T):
    """A decoder that reads the encoder's last state twice."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    hs = []
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        h = mg.tanh(x + h @ W)
        hs.append(h)
    g, H = h, mg.stack(hs)
    for _ in mg.steps(T + 1):
        g = mg.tanh(g @ W + (H * g * h).sum(axis=0))
    return (g * g).sum()


def conditioned(T):
    """A decoder that reads the encoder's last state three times at every step."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    C = mg.parameter(np.array([[0.1, 0.2], [-0.3, 0.2]]), name="C")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        h = mg.tanh(x + h @ W)
    s, losses = mg.tensor(np.zeros((1, 2)), name="s0"), []
    for _ in mg.steps(T + 1):
        s = mg.tanh(s @ W + h @ C + h * s - h)
        losses.append((s * s).sum())
    return mg.stack(losses).mean()


def resting(T):
    """A state that is carried on, and a loss of its last two values."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    hs = [mg.tensor(np.zeros((1, 2)), name="h0")]
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        hs.append(hs[-1] + mg.tanh(x + hs[-1] @ W))
    return hs[-1].sum() + hs[-2].sum()


NETS = [resting, interpolating, attending, conditioned]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("T", [1, 2, 3, 6, 9])
def test_gradients_of_shared_messages_fold(net, T):
    graph = gradient(net(T))
    assert mg.fold(graph).unfold(mg.fold(graph).lengths).difference(graph) is None


@pytest.mark.parametrize("net", NETS)
def test_a_gradient_of_shared_messages_does_not_depend_on_the_length(net):
    one, two = (mg.fold(gradient(net(T))) for T in (7, 8))
    assert one.difference(two) is None
    unfolded = one.unfold([12, 13][: len(one.lengths)])
    assert unfolded.difference(gradient(net(12))) is None


def clockwork(T, k=2, read="after"):
    """A fast state, and a slow one that changes at every k-th step only."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    R = mg.parameter(np.array([[0.1, 0.2], [-0.3, 0.2]]), name="R")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    g = mg.tensor(np.zeros((1, 2)), name="g0")
    losses = []
    for t, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        before = g
        if t % k == 0:
            with mg.scope("slow"):
                g = mg.tanh(h @ W + g @ R).named("g")
        h = mg.tanh(x + h @ W + (before if read == "before" else g) @ R).named("h")
        losses.append((h * h).sum().named("L"))
    return mg.stack(losses).mean()


@pytest.mark.parametrize("read", ["before", "after"])
@pytest.mark.parametrize(("k", "T"), [(2, 9), (2, 10), (3, 12), (3, 13), (3, 14)])
def test_a_state_that_changes_at_every_kth_step_has_a_period(k, T, read):
    for view in (mg.Graph, mg.contract):
        rec = mg.fold(view(clockwork(T, k, read)))
        assert rec.unfold(T).difference(view(clockwork(T, k, read))) is None
        for other in (T + 1, T + k, T + 7):
            assert rec.unfold(other).difference(view(clockwork(other, k, read))) is None
    edges = {str(e) for e in rec.edges}
    (g,) = (r for r in rec.roles if r.name == "g")
    assert g.span.every == k
    assert f"h(t-1) -> g({g.span}) by W" in edges or "h(t-1) -> g(t) by W" in edges


@pytest.mark.parametrize(("k", "T"), [(2, 10), (3, 14)])
def test_the_gradient_of_a_clockwork_folds(k, T):
    graph = gradient(clockwork(T, k))
    assert mg.fold(graph).unfold(T).difference(graph) is None


def test_a_state_that_changes_now_and_then_is_refused():
    def irregular(T):
        h = g = mg.tensor(np.zeros((1, 2)), name="h0")
        for t in mg.steps(T):
            if t in (2, 3, 6):
                with mg.scope("now and then"):
                    g = mg.tanh(h).named("g")
            h = mg.tanh(h + g).named("h")
        return h

    with pytest.raises(mg.FoldError, match="step 4 lacks it"):
        mg.fold(irregular(8))


def remembering(T):
    """Every state attends to all states so far."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    hs = [mg.tensor(np.zeros((1, 2)), name="h0")]
    losses = []
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        hs.append(mg.tanh(x + hs[-1] @ W).named("h"))
        memory = mg.stack(hs[1:])
        weights = mg.softmax((memory * hs[-1]).sum(axis=-1, keepdims=True), axis=0)
        c = (weights * memory).sum(axis=0).named("c")
        losses.append((c * c).sum().named("L"))
    return mg.stack(losses).mean()


def test_a_gather_of_all_states_so_far_grows():
    for view in (mg.Graph, mg.contract):
        rec = mg.fold(view(remembering(6)))
        for T in (4, 6, 9, 20):
            assert rec.unfold(T).difference(view(remembering(T))) is None
    edges = [str(e) for e in rec.edges if e.source.name == "h" and e.target.name == "c"]
    assert edges == ["h(1..t) -> c(t)", "h(t) -> c(t)"]


def continuing(T):
    """Every state reads a start and all states before it: the first the start alone."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    past = [mg.tensor(np.ones((1, 2)))]
    for _ in mg.steps(T):
        past.append(mg.tanh(mg.stack(past).sum(axis=0) @ W).named("h"))
    return mg.stack(past[1:]).sum()


def test_a_gather_that_grows_from_a_start_has_none_of_it_at_the_first_step():
    rec = mg.fold(continuing(8))
    for T in (4, 8, 9, 20):
        assert rec.unfold(T).difference(mg.Graph(continuing(T))) is None


def within(T):
    """A gradient that every step takes of its own loss."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
    h, losses = mg.tensor(np.zeros((1, 2)), name="h0"), []
    for _, x in mg.steps(x=np.linspace(-1, 1, 2 * T).reshape(T, 1, 2)):
        h = mg.tanh(h @ W + x).named("h")
        (g,) = mg.grad((h * h).sum(), [h], create_graph=True)
        losses.append((g * g).sum())
    return mg.stack(losses).mean()


def test_a_gradient_within_each_step_has_the_same_roles_at_every_step():
    assert mg.fold(within(6)) == mg.fold(within(12))
    for view in (mg.Graph, gradient):
        rec = mg.fold(view(within(6)))
        assert rec.unfold(11).difference(view(within(11))) is None


def test_a_gradient_that_a_step_takes_of_all_steps_before_unfolds_to_no_other_length():
    def through(T):
        W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
        h, losses = mg.tensor(np.zeros((1, 2)), name="h0"), []
        for _ in mg.steps(T):
            h = mg.tanh(h @ W).named("h")
            (g,) = mg.grad((h * h).sum(), [W], create_graph=True)
            losses.append((g * g).sum())
        return mg.Graph(mg.stack(losses).mean())

    graph = through(6)
    try:
        rec = mg.fold(graph)
    except mg.FoldError:
        return
    assert rec.unfold(6).difference(graph) is None
    with pytest.raises(ValueError, match="with a delay of"):
        rec.unfold(9)


@pytest.mark.parametrize("start", sorted(STARTS))
@pytest.mark.parametrize("delay", [1, 2, 3])
def test_a_short_recurrence_unfolds_right_or_is_refused_by_name(delay, start):
    def net(T):
        W = mg.parameter(np.eye(2) * 0.5, name="W")
        hs = [STARTS[start](np.zeros((1, 2)), W)] * delay
        for _, x in mg.steps(x=np.ones((T, 1, 2))):
            hs.append(mg.tanh(hs[-delay] @ W + x).named("h"))
        return mg.stack(hs[delay:]).sum()

    refused = []
    for view in (mg.Graph, mg.contract, gradient):
        for T in range(1, 2 * delay + 4):
            rec = mg.fold(view(net(T)))
            for other in range(1 if view is mg.Graph else delay + 1, 10):
                try:
                    unfolded = rec.unfold(other)
                except ValueError as error:
                    refused.append(str(error))
                else:
                    assert unfolded.difference(view(net(other))) is None
    assert refused
    assert all("fold one of at least" in text or "exist" in text for text in refused)


def test_an_initial_state_is_an_edge_like_any_other():
    def of(start):
        W = mg.parameter(np.eye(2) * 0.5, name="W")
        h = STARTS[start](np.zeros((1, 2)), mg.parameter(np.eye(2), name="V"))
        for _, x in mg.steps(x=np.ones((5, 1, 2))):
            h = mg.tanh(h @ W + x).named("h")
        return edges(h)

    recurs = ["h0 -> h(1) by W", "h(t-1) -> h(t) by W", "x(t) -> h(t)"]
    assert of("input") == of("constant") == of("parameter") == recurs
    assert of("computed") == of("named") == ["c -> h0 by V", *recurs]


def test_what_one_length_does_not_tell_of_another_is_refused():
    def summed(T):
        h, losses = mg.tensor(np.ones((1, 2)), name="h0"), []
        for _ in mg.steps(T):
            h = mg.tanh(h)
            losses.append((h * h).sum())
        return sum(losses)

    with pytest.raises(ValueError, match=r"12 steps .* one by one.*mg\.add_n"):
        mg.fold(summed(12)).unfold(20)
    assert mg.fold(summed(12)).unfold(12).same_as(mg.Graph(summed(12)))

    def strided(T):
        h, hs = mg.tensor(np.ones(2), name="h0"), []
        for _ in mg.steps(T):
            h = mg.tanh(h)
            hs.append(h)
        return mg.stack(hs[1::3]).sum() + h.sum()

    rec = mg.fold(strided(8))
    assert rec.unfold(11).same_as(mg.Graph(strided(11)))
    with pytest.raises(ValueError, match="read every 3 steps"):
        rec.unfold(9)

    def last(T):
        X = mg.tensor(np.ones((T, 2)), name="X")
        for t in mg.steps(T):
            x = X[t - 1]
        return x.sum()

    with pytest.raises(ValueError, match="step 8 alone, and its number 7"):
        mg.fold(last(8)).unfold(9)
    with pytest.raises(ValueError, match="meet: unfold to more"):
        mg.fold(gradient(network(8)[0])).unfold(1)


def test_attention_over_another_loop_is_one_gather():
    def net(T, S):
        W = mg.parameter(np.eye(2) * 0.5, name="W")
        h, hs = mg.tensor(np.ones((1, 2)), name="h0"), []
        for _ in mg.steps(T):
            h = mg.tanh(h @ W).named("h")
            hs.append(h)
        s = h
        for _ in mg.steps(S):
            s = mg.tanh(s @ W + mg.stack(hs).mean(axis=0)).named("s")
        return s

    assert "h(1..T) -> s(t)" in edges(net(12, 5))
    for view in (mg.Graph, mg.contract):
        unfolded = mg.fold(view(net(12, 5))).unfold([18, 7])
        assert unfolded.difference(view(net(18, 7))) is None


def test_a_contraction_is_contracted_already():
    loss, _ = network(5)
    once = mg.contract(loss)
    assert mg.contract(once).same_as(once)


def test_a_last_step_that_a_second_loop_reads_at_every_step():
    def net(T):
        W = mg.parameter(np.eye(2) * 0.5, name="W")
        xs = mg.tensor(np.ones((T, 1, 2)), name="xs")
        h = mg.tensor(np.ones((1, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x).named("h")
        g, total = mg.tensor(np.zeros((1, 2)), name="g0"), []
        for _, x in mg.steps(xs):
            g = mg.tanh(g @ W + x * h).named("g")
            total.append((g * g).sum())
        return mg.stack(total).mean()

    assert "h(T) -> g(t)" in edges(net(6))
    for view in (mg.Graph, mg.contract, gradient):
        rec = mg.fold(view(net(8)))
        assert rec.unfold(8).difference(view(net(8))) is None
        assert rec.unfold(11).difference(view(net(11))) is None


def test_a_fold_error_names_the_lines_where_they_were_kept():
    W, W2 = (mg.parameter(np.eye(2), name=n) for n in ("W", "W2"))

    def net():
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for t in mg.steps(6):
            if t == 4:
                with mg.scope("cell"):
                    h = mg.tanh(h @ W2)
            else:
                with mg.scope("cell"):
                    h = mg.tanh(h @ W)
        return h

    with pytest.raises(mg.FoldError, match=r"mg\.keep_lines"):
        mg.fold(net())
    with mg.keep_lines():
        h = net()
    with pytest.raises(mg.FoldError, match=r"step 4 .* made at \S+:\d+ and ") as error:
        mg.fold(h)
    lines = {int(n) for n in re.findall(r"test_fold\.py:(\d+)", str(error.value))}
    first = net.__code__.co_firstlineno
    assert lines == {first + 2, first + 5, first + 8}  # the loop, and both steps


@pytest.mark.parametrize("steps", [2.5, [6.5], "6", None, [[6]]])
def test_a_number_of_steps_is_whole(steps):
    rec = mg.fold(structure().outputs[0])
    with pytest.raises(ValueError, match="each needs a number of steps of at least 1"):
        rec.unfold(steps)
    assert rec.unfold(np.int64(9)).same_as(rec.unfold(9))


def structure():
    """A graph without values."""
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(6):
        h = mg.tanh(h @ W).named("h")
    return mg.fold(mg.Graph(h)).unfold(5)


double = mg.Op(lambda x: x * 2, lambda g, y, x: 2 * g, name="fold_double")
COMPUTED = {
    "operator": lambda t: t * 2,
    "index": lambda t: t[0],
    "an op of one's own": double,
    "numpy": np.tanh,
    "softmax": mg.softmax,
    "stack": lambda t: mg.stack([t, t]),
    "loss": lambda t: mg.cross_entropy(t, [0]),
    "data": lambda t: t.data,
    "item": lambda t: t.item(),
    "dtype": lambda t: t.dtype,
    "detach": lambda t: t.detach(),
    "print": repr,
    "float": float,
    "bool": bool,
    "array": np.array,
    "grad": lambda t: mg.grad(t, [t]),
    "backward": lambda t: t.backward(),
    "compile": lambda t: mg.compile(lambda x: x * 2)(t),
}


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("name", COMPUTED)
def test_what_has_no_value_is_not_computed_with(name, read):
    graph = structure()
    if read:
        graph = mg.Graph.from_json(graph.to_json())
    with pytest.raises(TypeError, match="this node has no value: its graph was unfol"):
        COMPUTED[name](mg.Tensor(graph.outputs[0]))


TWICE = {
    "add_n": lambda x: mg.add_n([x, x, x]),
    "einsum": lambda x: mg.einsum("bi,bi->i", x, x),
    "stack": lambda x: mg.stack([x, x]),
}


@pytest.mark.parametrize("op", sorted(TWICE))
def test_one_value_read_twice_by_an_op_of_many_is_no_gather(op):
    def net(T):
        vs = [TWICE[op](x).named("v") for _, x in mg.steps(x=np.ones((T, 1, 2)))]
        return mg.contract(mg.stack(vs))

    rec = mg.fold(net(8))
    assert rec.unfold(11).same_as(net(11))
    assert [str(e) for e in rec.edges] == ["x(t) -> v(t)"]


@pytest.mark.parametrize("T", [3, 4, 8])
@pytest.mark.parametrize("delay", [2, 3])
def test_a_state_of_long_delay_that_outputs_need_is_kept(delay, T):
    def net(T):
        hs = [mg.tensor(np.zeros((1, 2)), name="h0")] * delay
        for _, x in mg.steps(x=np.ones((T, 1, 2))):
            y = mg.tanh(x).named("y")
            hs.append(x + hs[-delay])
        return mg.contract([y, mg.stack(hs[delay:])])

    rec = mg.fold(net(T))
    if 2 * delay + 2 > T:
        with pytest.raises(ValueError, match="fold one of at least"):
            rec.unfold(9)
    else:
        assert rec.unfold(9).same_as(net(9))
        assert f"s(t-{delay}) -> s(t)" in [str(e) for e in rec.edges]


def test_a_loop_of_one_step_gathers_another_loop():
    def net(T):
        hs = [mg.tanh(x) for _, x in mg.steps(x=np.ones((T, 1, 2)))]
        for _ in mg.steps(1):
            H = mg.stack(hs)
        return mg.Graph(H)

    assert mg.fold(net(8)).unfold([9, 1]).same_as(net(9))


def test_a_number_in_a_gradient_may_be_the_step_that_is_read():
    def net(T):
        X, h = mg.tensor(np.ones((T, 2)), name="X", requires_grad=True), 0.0
        for t in mg.steps(T):
            x = X[t - 1]
            h = h + x
        loss = (h + x * x).sum()
        return mg.Graph([loss, *mg.grad(loss, [X], create_graph=True)])

    assert mg.fold(net(8)).unfold(8).same_as(net(8))
    with pytest.raises(ValueError, match="its number 7 may be that step"):
        mg.fold(net(8)).unfold(9)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("start", ["outside", "state"])
def test_a_state_that_is_set_to_a_value_of_another_loop_has_a_start(reverse, start):
    def net(T):
        W = mg.parameter(np.eye(2), name="W")
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        xs = np.ones((T, 1, 2))
        for _, x in mg.steps(x=xs):
            v = x @ W if start == "state" else h
        os = []
        for _ in mg.steps(T, reverse=reverse):
            os.append(v @ W)
            v = x
        return mg.Graph(mg.stack(os))

    assert mg.fold(net(8)).unfold([11] * len(net(8).clocks)).same_as(net(11))


def test_a_sum_of_cotangents_may_leave_a_hole_or_lack_a_term():
    def hole(X, T):
        total, h = 0.0, mg.tensor(np.zeros((1, 2)), name="h0")
        for _, x in mg.steps(X):
            late = h * h
            h = x + x
            total = total + h.mean()
        return total + late.mean()

    def lack(X, T):
        total, w = 0.0, mg.parameter(0.5, name="w")
        for _, x in mg.steps(X, reverse=True):
            total = total + (x + x).sum()
        for _ in mg.steps(T):
            x = x * w
        return total + x.sum()

    for net in (hole, lack):

        def graph(T, net=net):
            X = mg.tensor(np.ones((T, 1, 2)), name="X", requires_grad=True)
            loss = net(X, T)
            return mg.Graph([loss, *mg.grad(loss, [X], create_graph=True)])

        rec = mg.fold(graph(8))
        assert rec.unfold([8] * len(rec.lengths)).same_as(graph(8))
        longer = rec.unfold([11] * len(rec.lengths))
        assert longer.difference(graph(11)) is None


def test_what_an_unnamed_output_reads_is_listed_line_by_line():
    def net(T):
        hs = [mg.parameter(np.ones((1, 2)), name="h0")] * 3
        for _, z in mg.steps(z=np.ones((T, 1, 2))):
            o = z + hs[-3]
            hs.append(z)
        return mg.contract([o, mg.stack(hs)])

    assert [n.label for n in net(8).outputs] == [f"z({t})" for t in range(1, 9)]
    assert mg.fold(net(8)).unfold(9).same_as(net(9))


def test_one_value_that_is_read_many_times_may_be_read_at_each_step():
    def net(T):
        zs = [z for _, z in mg.steps(z=np.ones((T, 1, 2)))]
        return mg.stack([zs[-1] for _ in mg.steps(T)])

    assert mg.fold(net(8)).unfold(8).same_as(mg.Graph(net(8)))
    with pytest.raises(ValueError, match="8 times, which may be once for each step"):
        mg.fold(net(8)).unfold(9)


@pytest.mark.parametrize("T", [8, 9])
def test_an_end_two_delays_from_the_further_end_is_of_neither(T):
    W = mg.parameter(np.eye(2) / 2, name="W")

    def net(T):
        hs, losses = [mg.tensor(np.zeros((1, 2)))] * 2, []
        for _ in mg.steps(T):
            v = hs[-2] @ W
            hs.append(v + (hs[-2] - v) * 0.5)
            losses.append(v.sum())
        return gradient(mg.stack(losses).sum())

    rec = mg.fold(net(T))
    if T > 8:
        assert rec.unfold(14).same_as(net(14))
    else:
        with pytest.raises(ValueError, match="fold one of at least 9 steps"):
            rec.unfold(14)


def test_what_a_step_has_made_is_no_start():
    """Steps differ, and one computes where another reads a state."""
    W, U, R = (mg.parameter(np.full((2, 2), 0.5), name=name) for name in "WUR")
    f, s = (mg.tensor(np.ones((1, 2)), name=name) for name in ("f0", "s0"))
    for t, x in mg.steps(x=np.ones((4, 1, 2))):
        if t % 2 == 0:
            s = mg.tanh(s @ W + x @ U).named("s")
        f = mg.tanh(f @ W + x @ U + s @ R).named("f")
    shown = mg.contract(mg.Graph(f)).nodes
    assert {n.name for n in shown if n.t} == {"x", "f", "s"}
