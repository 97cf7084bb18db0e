"""Recursive: which node reads which, in trees of any shape, with one U, W and V."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Recursive
from minigrad.models.recursive import forest, postfix

SHAPES = [
    ((0, 3), 1),
    2,
    ((0, 1), (2, (3, 0))),
    (((1, 1), 2), (0, 0)),
    (0, (1, (2, 3))),
]
Y = np.array([0, 1, 1, 0, 1])


def model(**options):
    return Recursive(4, 5, 2, rng=np.random.default_rng(0), dtype=np.float64, **options)


def by_hand(network, tree):
    p = {path: q.data for path, q in network.named_parameters()}

    def h(tree):
        if isinstance(tree, int):
            return p["V"][tree]
        left, right = tree
        return np.tanh(p["b"] + h(left) @ p["U"] + h(right) @ p["W"])

    return p["c"] + h(tree) @ p["R"]


def test_trees_of_all_shapes_at_once_one_by_one_and_by_hand():
    network = model()
    network.b.assign(np.linspace(-1, 1, 5))
    together = network(forest(SHAPES)).data
    for tree, o in zip(SHAPES, together, strict=True):
        np.testing.assert_allclose(o, by_hand(network, tree))
        np.testing.assert_allclose(network.of_tree(tree).data[0], o)


def test_the_edges_are_those_of_the_tree():
    network = model()
    graph = mg.contract(network.of_tree((0, (1, (2, 3)))))
    hs = [n for n in graph.nodes if n.name == "h"]
    leaves = [n for n in hs if any(i.name == "x" for i in n.inputs)]
    inner = [n for n in hs if n not in leaves]
    assert (len(leaves), len(inner)) == (4, 3)
    # Behind the leaves 0 1 2 3 come the nodes (2, 3), (1, (2, 3)) and the root.
    children = {n: {q.name: i for i, q in reads(n)} for n in inner}
    a, b, root = inner
    assert children[a] == {"U": leaves[2], "W": leaves[3]}
    assert children[b] == {"U": leaves[1], "W": a}
    assert children[root] == {"U": leaves[0], "W": b}
    o = next(n for n in graph.nodes if n.name == "o")
    assert root in o.inputs


def reads(node):
    """What a named value reads, each with the parameter on the way."""
    for source, via in zip(node.inputs, node.attrs["via"], strict=True):
        for k in via or ():
            yield source, [i for i in node.inputs if i.kind == "parameter"][k]


@pytest.mark.parametrize("grow", [False, True])
def test_one_node_for_each_parameter(grow):
    network = model()
    if grow:
        outputs = [network.of_tree(tree) for tree in SHAPES]
    else:
        outputs = [network(forest(SHAPES))]
    graph = mg.Graph(outputs)
    names = [n.name for n in graph.nodes if n.kind == "parameter"]
    assert sorted(names) == ["R", "U", "V", "W", "b", "c"]
    # A use for each level of the batch, or for each node of each tree.
    inner = sum(postfix(tree).count(None) for tree in SHAPES)
    assert (
        len(graph.uses(network.U))
        == len(graph.uses(network.W))
        == (inner if grow else 3)
    )


def test_a_batch_is_the_mean_of_its_trees_and_so_is_its_gradient():
    network = model()
    loss = network.loss(forest(SHAPES), Y)
    alone = [network.loss(forest([t]), Y[i : i + 1]) for i, t in enumerate(SHAPES)]
    # A leaf alone is no node, so U, W and b have no part in it.
    wrt = network.parameters()
    of_each = [mg.grad(a, wrt, unreached="zeros") for a in alone]
    np.testing.assert_allclose(loss.item(), np.mean([a.item() for a in alone]))
    for g, *shares in zip(mg.grad(loss, wrt), *of_each, strict=True):
        np.testing.assert_allclose(
            g.data, np.mean([s.data for s in shares], axis=0), atol=1e-12
        )


def test_it_compiles():
    network = model()
    compiled = mg.compile(
        lambda trees, y: mg.grad(network.loss(trees, y), network.parameters()),
        strict=True,
    )
    for trees in (SHAPES, SHAPES[::-1], SHAPES):
        given = forest(trees), Y
        eager = mg.grad(network.loss(*given), network.parameters())
        for a, b in zip(compiled(*given), eager, strict=True):
            np.testing.assert_allclose(a.data, b.data, atol=1e-12)


def test_a_deep_tree_needs_no_recursion():
    tree = 0
    for _ in range(5000):
        tree = (tree, 1)
    assert len(forest([tree]).levels) == 5000
    assert np.isfinite(model().of_tree(tree).data).all()


def test_what_is_no_tree_is_refused():
    for wrong in ((0, 1, 2), [0, 1], "01", (0, True), None):
        with pytest.raises(TypeError, match="a whole number or a pair of trees"):
            forest([wrong])
    with pytest.raises(ValueError, match="at least one tree"):
        forest([])
    with pytest.raises(TypeError, match=r"one tree: write forest\(\[tree\]\)"):
        forest(((0, 1), (2, 3)))
    for wrong in ((0, 1), [(0, 1)]):
        with pytest.raises(TypeError, match=r"write model\(forest\(\[tree, \.\.\]\)\)"):
            model().loss(wrong, Y[:1])


@pytest.mark.parametrize("read", [lambda m, t: m(forest([t])), Recursive.of_tree])
def test_a_symbol_that_there_is_not_is_refused(read):
    with pytest.raises(ValueError, match="a whole number from 0 on, got -1"):
        read(model(), (0, -1))
    with pytest.raises(ValueError, match="symbols are numbers 0 to 3, got 4"):
        read(model(), (0, 4))
