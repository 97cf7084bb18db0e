"""Graphs as text: what is compared comes back."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg

from .test_fold import cells, gradient, record


@given(cells(), st.integers(1, 5))
def test_text_and_back(cell, T):
    loss = record(cell, T)
    for graph in (mg.Graph(loss), mg.contract(loss), gradient(loss)):
        again = mg.Graph.from_json(graph.to_json())
        assert again.difference(graph) is None
        assert again.to_json() == graph.to_json()
        assert mg.fold(again) == mg.fold(graph)


def test_a_contracted_graph_that_was_read_folds():
    # Step 2 reads fewer initial states than step 1: by their places, not in turn.
    loss = record(
        ([2, 3, 1], False, [(2, 40, 14), (0, 14, 5)], "stack", True, "input"), 2
    )
    graph = mg.contract(loss)
    again = mg.Graph.from_json(graph.to_json())
    assert mg.fold(again) == mg.fold(graph)


def test_indices_and_constants_survive():
    x = mg.tensor(np.arange(12.0).reshape(3, 4), name="x")
    y = x[..., None, 1:3] + x[[0, 2, 1], None, :2] * np.array([np.nan, -0.0])
    graph = mg.Graph(y[1:, 0])
    again = mg.Graph.from_json(graph.to_json())
    assert again.difference(graph) is None
    other = mg.Graph((x[..., None, 1:3] + x[[0, 2, 1], None, :2] * 1.0)[1:, 0])
    assert again.difference(other) is not None


@pytest.mark.parametrize("number", [2.0, np.float64(2.0), np.float32(2.0), np.int8(2)])
def test_a_number_of_numpy_stays_one(number):
    graph = mg.Graph(mg.tensor(np.ones(2, np.float32), name="x") * number)
    assert mg.Graph.from_json(graph.to_json()).same_as(graph)


def test_shapes_survive_and_values_do_not():
    x = mg.tensor(np.ones((3, 4), np.float32), name="x")
    again = mg.Graph.from_json(mg.Graph(x @ np.ones((4, 2))).to_json())
    assert [tuple(n.value.shape) for n in again.nodes] == [(3, 4), (4, 2), (3, 2)]
    assert again.nodes[0].value.dtype == "float32"
    assert not hasattr(again.nodes[0].value, "tolist")


def test_an_attribute_without_a_text_form_is_named():
    text = mg.Graph(mg.tensor([1.0], name="x").astype(np.float32)).to_json()
    assert mg.Graph.from_json(text).outputs[0].attrs == {"dtype": "float32"}
    node = (mg.tensor([1.0], name="x") * 2).node
    node.attrs["hook"] = print
    with pytest.raises(TypeError, match=r"print.*multiply"):
        mg.Graph(node).to_json()


OLD = Path(__file__).parent / "version_0_1" / "graph.json"


def looped():
    """A small graph with a clock, an index, constants, a scope and a gradient."""
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _, x in mg.steps(np.arange(6.0).reshape(3, 1, 2)):
        with mg.scope("cell"):
            h = mg.tanh(h @ W + x * np.array([1.0, 2.0])).named("h")
    return mg.Graph(mg.grad(h[:, 1:].sum() * 2.0, [W], create_graph=True))


VALID = json.loads(looped().to_json())


def test_the_text_says_its_format():
    assert VALID["format"] == 1
    for wrong in (2, 0, -1, None, "1", True, 1.0, []):
        text = json.dumps({**VALID, "format": wrong})
        with pytest.raises(ValueError, match=r"its format is .*, this version knows 1"):
            mg.Graph.from_json(text)


def test_a_text_of_version_0_1_still_loads():
    text = OLD.read_text(encoding="utf-8")
    assert "format" not in json.loads(text)
    graph = mg.Graph.from_json(text)
    assert graph.steps == 3
    assert [node.name for node in graph.parameters] == ["W"]
    assert {node.op.name for node in graph.nodes if node.op} >= {"tanh", "matmul"}


def node(k, **changes):
    def change(said):
        said["nodes"][k] |= changes

    return change


def without(*path):
    def change(said):
        for key in path[:-1]:
            said = said[key]
        del said[path[-1]]

    return change


def put(key, value):
    return lambda said: said.__setitem__(key, value)


def first(kind):
    return next(k for k, n in enumerate(VALID["nodes"]) if n["kind"] == kind)


OP, TIMED = first("op"), next(k for k, n in enumerate(VALID["nodes"]) if n["time"])
DEEP = 0
for _ in range(200):
    DEEP = {"tuple": [DEEP]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("clocks"), "its keys"),
        (put("more", 1), "its keys"),
        (put("clocks", [0]), "its clocks: 0"),
        (put("clocks", {}), "its clocks are no list"),
        (put("clocks", []), "its clock"),
        (put("nodes", 7), "its nodes are no list"),
        (put("nodes", [7]), "node 0: it is no object: 7"),
        (put("outputs", [-1]), "its outputs: -1"),
        (put("outputs", [10**9]), "its outputs: 1000000000"),
        (put("outputs", [True]), "its outputs: True"),
        (put("outputs", []), "nodes that no output reads"),
        (without("nodes", OP, "slot"), f"node {OP}: its keys"),
        (node(OP, more=1), "its keys"),
        (node(OP, inputs=[]), f"node {OP}: an op without inputs"),
        (node(OP, inputs=[-1]), "its inputs: -1"),
        (node(OP, inputs=[OP]), f"its inputs: {OP}"),
        (node(OP, inputs=[1.0]), "its inputs: 1.0"),
        (node(OP, inputs="0"), "its inputs are no list"),
        (node(OP, op=None), "its op: None"),
        (node(OP, kind="input"), "a leaf that computes"),
        (node(OP, kind="magic"), "its kind: 'magic'"),
        (node(OP, kind=[]), "its kind"),
        (node(OP, attrs=[]), "attrs is no object"),
        (node(OP, attrs={"a": {"code": "exit()"}}), "the contents of code"),
        (node(OP, attrs={"a": {"code": []}}), "no kind of value: 'code'"),
        (node(OP, attrs={"a": {}}), "no kind of value"),
        (node(OP, attrs={"a": {"slice": [1]}}), "no kind of value: 'slice'"),
        (node(OP, attrs={"a": {"slice": [1, "b", None]}}), "a slice"),
        (node(OP, attrs={"a": DEEP}), "nested too deep"),
        (node(OP, attrs={"a": {"array": [[2], "int64", [1]]}}), r"no array of shape"),
        (node(OP, attrs={"a": {"array": [[1], "int64", ["x"]]}}), "no array of shape"),
        (node(OP, attrs={"a": {"array": [[-1], "int64", []]}}), "the shape of an arr"),
        (node(OP, attrs={"a": {"array": [[0], None, []]}}), "the dtype of an array"),
        (node(OP, slot=float("nan")), "its slot: nan"),
        (node(OP, slot=1.5), "its slot: 1.5"),
        (node(OP, slot=[1]), "its slot"),
        (node(OP, slot={"tuple": [1]}), "its slot"),
        (node(OP, slot="x"), "its slot: 'x'"),
        (node(OP, slot=DEEP), "its slot"),
        (node(OP, name=5), "its name: 5"),
        (node(OP, path=[]), "its path"),
        (node(OP, path={"tuple": ["cell"]}), "its path"),
        (node(OP, path={"tuple": [{"tuple": ["cell", {"tuple": []}]}]}), "its path"),
        (node(OP, path={"tuple": [{"tuple": [0, 0]}]}), "its path"),
        (node(OP, path={"tuple": [{"tuple": ["cell"]}]}), "its path"),
        (node(TIMED, time=[0]), "its time: "),
        (node(TIMED, time=[0, 0]), "its time: 0"),
        (node(TIMED, time=[0, 99]), "its time: 99"),
        (node(TIMED, time=[-1, 1]), "its clock: -1"),
        (node(TIMED, time=[5, 1]), "its clock: 5"),
        (node(TIMED, time={}), "its time: "),
        (node(TIMED, time=None), "its time: None"),
        (node(TIMED, t=None), "its t: None"),
        (node(TIMED, t=0), "its t: 0"),
        (node(TIMED, t=float("nan")), "its t: nan"),
        (node(OP, shape=[-1]), "its shape: -1"),
        (node(OP, shape=None), "its shape are no list"),
        (node(OP, dtype=None), "its dtype"),
        (node(first("constant"), value="x"), "its value: 'x'"),
        (node(first("constant"), value=None), "its value"),
        (node(first("constant"), shape=[9]), "its value"),
        (without("nodes", first("constant"), "value"), "its keys"),
        (node(first("input"), value=1), "its keys"),
        (node(first("input"), attrs={"a": 1}), "a leaf that computes"),
    ],
)
def test_a_malformed_text_is_one_clear_error(change, reason):
    said = copy.deepcopy(VALID)
    change(said)
    with pytest.raises(ValueError, match=r"not a text of Graph\.to_json") as error:
        mg.Graph.from_json(json.dumps(said))
    assert reason in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        "NaN",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"clocks": ' + "9" * 5000 + "}",
        '{"clocks": [], "clocks": [], "nodes": [], "outputs": []}',
        b"\xff\xfe\xfd",
    ],
)
def test_what_is_no_graph_at_all_is_the_same_error(text):
    with pytest.raises(ValueError, match=r"not a text of Graph\.to_json"):
        mg.Graph.from_json(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["tuple", "slice", "array", "ellipsis", "op"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=5,
)


@st.composite
def mutants(draw):
    """The valid text with one to three of its values replaced, dropped or doubled."""
    said = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 3))):
        holder, depth = said, draw(st.integers(0, 6))
        while True:
            keys = sorted(holder) if isinstance(holder, dict) else range(len(holder))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if depth and isinstance(holder[key], (dict, list)):
                holder, depth = holder[key], depth - 1
                continue
            change = draw(st.sampled_from(["replace", "drop", "double"]))
            if change == "replace":
                holder[key] = draw(ANYTHING)
            elif change == "drop":
                del holder[key]
            elif isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            break
    return json.dumps(said)


def test_an_attribute_has_one_entry_for_each_operand():
    p = mg.parameter(np.ones(3), name="p")
    (g,) = mg.grad((p[:2] * p[1:]).sum(), [p], create_graph=True)
    graph = mg.Graph(g)
    said = json.loads(graph.to_json())
    (node,) = (n for n in said["nodes"] if n["op"] == "scatter_n")
    node["attrs"]["keys"]["per operand"].pop()
    with pytest.raises(ValueError, match="not one entry for each of 3 inputs"):
        mg.Graph.from_json(json.dumps(said))


@settings(max_examples=200)
@given(mutants())
def test_what_is_not_refused_is_a_graph_like_any_other(text):
    try:
        graph = mg.Graph.from_json(text)
    except ValueError as error:
        if not str(error).startswith("not a text of Graph.to_json: "):
            raise
        return
    again = mg.Graph.from_json(graph.to_json())
    assert again.to_json() == graph.to_json()
    assert graph.summary()
    assert all(repr(node) for node in graph.nodes)
    try:
        assert graph.same_as(again)
        mg.fold(graph)
    except ValueError:  # two nodes at one place, or steps that differ
        pass


@pytest.mark.parametrize(
    "number", [np.float32(2), np.float16(2), np.array(2.0), np.array(True), 2]
)
def test_a_number_that_was_read_is_a_number(number):
    graph = mg.Graph(mg.tensor(1.0, name="x") + number)
    read = mg.Graph.from_json(graph.to_json())
    (constant,) = (n for n in read.nodes if n.kind == "constant")
    assert float(constant.value) == float(number)
    for view in ("ops", "auto"):
        assert mg.draw(read, view=view).scene == mg.draw(graph, view=view).scene
    if not isinstance(number, int):
        with pytest.raises(TypeError, match="this node has no value"):
            mg.Tensor(constant) * 2


@pytest.mark.parametrize("wrong", [None, {}, 3])
def test_what_is_no_text_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="from_json takes the text of"):
        mg.Graph.from_json(wrong)
