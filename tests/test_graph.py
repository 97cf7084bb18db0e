"""The graph: order, sharing, depth, uses, names, comparison."""

import gc
import sys
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.graph import Graph, Node, reachable, same_value
from minigrad.op import Op
from minigrad.optim import Adam

CHAIN = 100_000


@pytest.fixture
def shallow():
    """Python's default recursion limit, whatever a test runner has set."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(limit)


def test_nodes_come_in_execution_order():
    x = mg.tensor(2.0, name="x")
    a = x * 3
    b = mg.tanh(x)
    y = b + a
    nodes = Graph(y).nodes
    assert [n.id for n in nodes] == sorted(n.id for n in nodes)
    assert [n.op.name for n in nodes if n.op] == ["multiply", "tanh", "add"]


def test_the_same_operand_twice_is_two_edges_to_one_node():
    x = mg.tensor(3.0, name="x")
    y = x * x
    assert y.node.inputs == (x.node, x.node)
    assert [u.argument for u in Graph(y).uses(x)] == [0, 1]


def test_a_chain_of_100_000_nodes_needs_no_recursion(shallow):
    calls = []

    def rule(g, y, x):
        calls.append(None)
        return g

    successor = Op(lambda x: x + 1, rule, name="doc_successor")
    x = mg.parameter(0.0, name="x")
    y = x
    for _ in range(CHAIN):
        y = successor(y)
    assert y.item() == CHAIN
    assert len(Graph(y).nodes) == CHAIN + 1
    assert mg.grad(y, [x])[0].item() == 1.0
    assert len(calls) == CHAIN, "each node is visited once"
    first = weakref.ref(Graph(y).uses(x)[0].node)
    gc.disable()
    try:
        del y
        assert first() is None, "the chain is freed by reference counts alone"
    finally:
        gc.enable()


def test_a_recorded_gradient_of_a_long_chain_needs_no_recursion(shallow):
    x = mg.parameter(0.5, name="x")
    y = x
    for _ in range(5000):
        y = y * 1.0
    (dx,) = mg.grad(y * x, [x], create_graph=True)
    assert mg.grad(dx, [x])[0].item() == 2.0


def test_a_diamond_of_depth_60_gives_2_to_the_60():
    x = mg.parameter(1.0, name="x")
    y = x
    for _ in range(60):
        y = y + y
    assert len(Graph(y).nodes) == 61
    assert mg.grad(y, [x])[0].item() == 2**60
    (dx,) = mg.grad(y, [x], create_graph=True)
    assert dx.item() == 2**60


def test_uses_of_a_shared_parameter_are_labelled_by_step():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(5):
        h = mg.tanh(h @ W)
    graph = Graph(h)
    assert graph.parameters == (W.node,)
    assert [u.t for u in graph.uses(W)] == [1, 2, 3, 4, 5]
    assert {u.node.op.name for u in graph.uses(W)} == {"matmul"}
    assert {u.argument for u in graph.uses(W)} == {1}


def test_a_graph_of_several_outputs_has_each_node_once():
    x = mg.tensor(1.0, name="x")
    a = x + 1
    graph = Graph([a * 2, a * 3, a])
    assert graph.nodes.count(a.node) == 1
    assert [o.op.name for o in graph.outputs] == ["multiply", "multiply", "add"]


def test_a_graph_of_anything_else_is_a_taught_error():
    with pytest.raises(
        TypeError, match="Graph takes a Tensor, a Node, or a list of them"
    ):
        Graph([1.0])


def test_kinds_of_leaves():
    w, x = mg.parameter(1.0, name="w"), mg.tensor(2.0, name="x")
    graph = Graph(w * x + 3)
    assert [n.kind for n in graph.nodes] == [
        "parameter",
        "input",
        "op",
        "constant",
        "op",
    ]
    assert [n.name for n in graph.inputs] == ["x"]


def test_names_are_unique_among_untimed_nodes():
    a, b = mg.parameter(1.0, name="W"), mg.parameter(1.0, name="W")
    c = mg.parameter(1.0)
    assert sorted(Graph(a * b * c).names.values()) == ["W", "W2", "p1"]


def test_leaves_and_named_values_have_names_and_each_step_its_own_t():
    x, z = mg.tensor(1.0, name="x"), mg.tensor(1.0)
    h = (mg.tanh(x) + z).named("h")
    again = (h * 2).named("h")
    graph = Graph(again)
    assert list(graph.names.values()) == ["x", "c1", "h", "c2", "h2"]
    for _ in mg.steps(2):
        h = mg.tanh(h * mg.tensor(3.0)).named("h")
    names = Graph(h).names
    assert [names.get(n) for n in Graph(h).nodes if n.t == 2] == [None, None, "h"]
    assert list(names.values()) == ["x", "c1", "h", "h", "h"]


def test_summary_counts():
    W = mg.parameter([[0.5]], name="W")
    h = mg.tensor([[1.0]], name="h0")
    for _ in mg.steps(3):
        h = h @ W
    assert Graph(h).summary().splitlines() == [
        "5 nodes: 3 ops, 1 parameters, 1 inputs, 0 constants; 3 time steps",
        "  W (1, 1): 3 uses at steps 1..3",
    ]


def test_map_rebuilds_and_leaves_the_original():
    x = mg.tensor(2.0, name="x")
    graph = Graph(mg.tanh(x) * 3)

    def renamed(node, inputs):
        made = Node(node.op, inputs, node.attrs, node.value, node.scope, node.slot, "z")
        return made if node.inputs else node

    other = graph.map(renamed)
    assert [n.name for n in other.nodes if n.op] == ["z", "z"]
    assert [n.name for n in graph.nodes if n.op] == [None, None]
    assert not graph.same_as(other)
    assert "differ in name" in graph.difference(other)


def _program(op=mg.tanh, factor=3.0, name="x"):
    x = mg.tensor([1.0, 2.0], name=name)
    return Graph((op(x) * factor).sum())


def test_same_as_ignores_ids_and_input_values():
    assert _program().same_as(_program())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (_program(op=mg.exp), "differ in op"),
        (_program(factor=4.0), "differ in constant"),
        (_program(name="z"), "differ in name"),
    ],
)
def test_difference_names_the_node(other, said):
    assert said in _program().difference(other)


def test_difference_names_what_one_graph_alone_has():
    x = mg.tensor([1.0, 2.0], name="x")
    short, long = Graph(mg.tanh(x)), Graph(mg.tanh(x).sum())
    assert "only the second graph has" in short.difference(long)
    assert "sum(" in short.difference(long)
    assert "only the first graph has" in long.difference(short)
    y = mg.tanh(x)
    assert Graph([y, x]).difference(Graph([x, y])) == "the outputs differ"


def test_two_nodes_at_one_place_are_refused():
    x = mg.tensor(1.0, name="x")
    graph = Graph(mg.tanh(x) + mg.tanh(x))

    def at_one_place(node, inputs):
        return Node(node.op, inputs, {}, node.value, node.scope, 0) if inputs else node

    with pytest.raises(ValueError, match="the same place and time"):
        graph.map(at_one_place).same_as(graph)


def test_a_graph_prints_its_counts():
    graph = Graph(mg.parameter(1.0, name="w") * 2)
    assert repr(graph) == (
        "<Graph: 3 nodes: 1 ops, 1 parameters, 0 inputs, 1 constants; 0 time steps>"
    )


def test_difference_sees_the_order_of_operands_except_in_a_sum():
    def graph(op, swap):
        x, z = mg.tensor(1.0, name="x"), mg.tensor(1.0, name="z")
        a, b = mg.tanh(x), mg.exp(z)
        return Graph(op([b, a] if swap else [a, b]))

    for op, same in ((mg.stack, False), (mg.add_n, True)):
        assert graph(op, False).same_as(graph(op, True)) is same


VALUES = [
    None,
    True,
    1,
    1.0,
    2,
    "1",
    (),
    (1,),
    (1, 2),
    {},
    {"a": 1},
    {"a": 2},
    {"b": 1},
    {"a": 1, "b": 2},
    slice(1),
    np.ones(2),
    np.ones(1),
    np.ones((1, 2)),
    np.zeros(2),
    np.ones(2, np.float32),
    np.ones(2, int),
    float("nan"),
    np.array([np.nan]),
    {"a": (1, np.ones(2))},
]


@pytest.mark.parametrize("i", range(len(VALUES)))
def test_values_are_the_same_as_themselves_alone(i):
    for j, other in enumerate(VALUES):
        assert same_value(VALUES[i], other) is (i == j), other
    assert same_value([1], (1,))  # text does not tell them apart everywhere
    assert same_value(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
    assert same_value(float("nan"), float("nan"))


def test_a_graph_of_a_node_is_that_of_its_tensor():
    y = mg.tanh(mg.tensor(1.0, name="x"))
    assert Graph(y.node).nodes == Graph(y).nodes == Graph([y.node]).nodes


def test_a_parameter_made_in_a_loop_belongs_to_no_step():
    for _ in mg.steps(2):
        p, x = mg.parameter(1.0, name="p"), mg.tensor(1.0, name="x")
        y = p * x
    assert (p.node.t, x.node.t, y.node.t) == (None, 2, 2)
    assert p.node.label == "p"


def test_reachable_starts_at_an_id():
    x = mg.tensor(1.0, name="x")
    a = x + 1
    b = a * 2
    assert reachable([b.node], first=a.node.id)[0] is a.node


def test_a_node_prints_as_a_formula():
    x = mg.tensor([[1.0]], name="x")
    y = mg.sum(x, axis=0)
    assert repr(y.node) == f"v{y.node.id} = sum(x, axis=0)"
    assert repr(x.node) == "x [input]"


@pytest.mark.parametrize("compiled", [False, True])
def test_10_000_training_steps_leave_the_count_of_live_objects_flat(compiled):
    rng = np.random.default_rng(0)
    W = mg.parameter(rng.normal(size=(3, 3)), name="W")
    xs = rng.normal(size=(2, 2, 3))
    optimiser = Adam([W])

    def loss(xs):
        h = mg.tensor(np.zeros((2, 3)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(x + h @ W)
        return (h * h).mean()

    program = mg.compile(lambda xs: mg.grad(loss(xs), [W])[0], strict=True)

    def step():
        if compiled:
            W.grad = program(xs).data
        else:
            loss(xs).backward()
        optimiser.step()

    def run(steps):
        for k in range(steps):
            step()
            if k % 10 == 0:
                mg.hvp(loss(xs), [W], [np.ones((3, 3))])

    def taken():
        objects = len(gc.get_objects())
        gc.collect()  # empties Python's stores of small objects too
        return np.array([objects, sys.getallocatedblocks()])

    run(200)  # what Python and we keep for good
    gc.collect()
    gc.disable()
    try:
        counts = [taken()]
        for _ in range(2):
            run(5_000)
            counts.append(taken())
    finally:
        gc.enable()
    # What is kept once is seen in one half, what each step keeps in both.
    objects, blocks = np.diff(counts, axis=0).min(axis=0)
    assert objects < 50, "cycles keep graphs alive"
    assert blocks < 500, "memory stays taken"


def test_uses_of_a_name_is_a_taught_error():
    with pytest.raises(TypeError, match="of a Tensor or a Node, got str"):
        mg.Graph(mg.parameter(1.0, name="W") * 2).uses("W")


def test_uses_of_what_is_not_in_the_graph_are_refused():
    W, other = mg.parameter(1.0, name="W"), mg.parameter(1.0, name="W")
    loss = (W * 2).named("L")
    graph = mg.Graph(loss)
    for foreign in other, loss * 2:
        with pytest.raises(ValueError, match="is not in this graph, which leads to L"):
            graph.uses(foreign)
    assert graph.uses(loss) == []  # it is there, and nobody reads it
    assert len(graph.uses(W)) == 1


@pytest.mark.parametrize("other", [mg.tensor(1.0, name="x"), None, "graph"])
def test_a_graph_is_compared_with_a_graph(other):
    graph = Graph(mg.tensor(1.0, name="x"))
    for compare in (graph.same_as, graph.difference):
        with pytest.raises(TypeError, match="a graph is compared with a graph, got"):
            compare(other)
