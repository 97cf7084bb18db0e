"""Module: paths, names, scopes and state."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Linear, Module


class Part(Module):
    def __init__(self, start=1.0):
        self.W = mg.parameter(np.full((2, 2), start, np.float32))
        self.b = mg.parameter(np.zeros(2, np.float32))

    def forward(self, x):
        return x @ self.W + self.b


class Whole(Module):
    def __init__(self):
        self.cell = Part()
        self.layers = [Part(2.0), Part(3.0)]
        self.readouts = {"mean": Part(4.0)}
        self.size = 2

    def forward(self, x):
        x = self.cell(x)
        for layer in self.layers:
            x = layer(x)
        return self.readouts["mean"](x)


PATHS = [
    f"{part}.{letter}"
    for part in ("cell", "layers.0", "layers.1", "readouts.mean")
    for letter in ("W", "b")
]


def ones():
    return mg.tensor(np.ones((1, 2), np.float32), name="x")


def test_paths_follow_the_attributes():
    assert [path for path, _ in Whole().named_parameters()] == PATHS
    assert len(Whole().parameters()) == len(PATHS)


def test_an_unnamed_parameter_takes_its_attributes_name():
    part = Part()
    assert (part.W.name, part.b.name) == ("W", "b")
    part.W = mg.parameter(np.zeros((2, 2)), name="recurrent")
    assert part.W.name == "recurrent"


def test_a_shared_parameter_is_listed_once():
    whole = Whole()
    whole.layers[1].W = whole.cell.W
    paths = [path for path, _ in whole.named_parameters()]
    assert paths == [path for path in PATHS if path != "layers.1.W"]


def test_a_module_inside_itself_does_not_hang():
    part = Part()
    part.me = part
    assert [path for path, _ in part.named_parameters()] == ["W", "b"]


def test_the_call_opens_a_scope_named_by_the_parent():
    graph = mg.Graph(Whole()(ones()))
    paths = [
        ".".join(entry[0] for entry in use.node.scope.path)
        for W in graph.parameters
        if W.name == "W"
        for use in graph.uses(W)
    ]
    parts = ["cell", "layers.0", "layers.1", "readouts.mean"]
    assert paths == [f"Whole.{part}" for part in parts]


def test_a_lone_module_is_named_by_its_class():
    part = Part()
    (use,) = mg.Graph(part(ones())).uses(part.W)
    assert [entry[0] for entry in use.node.scope.path] == ["Part"]


def test_the_scope_ends_with_an_exception():
    class Broken(Module):
        def forward(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        Broken()()
    assert (ones() + 1).node.scope.path == ()


def test_state_is_a_snapshot():
    part = Part()
    state = part.state_dict()
    part.W.assign(np.zeros((2, 2)))
    assert state["W"].tolist() == [[1, 1], [1, 1]]
    part.load_state_dict(state)
    assert part.W.data.tolist() == [[1, 1], [1, 1]]


def test_state_goes_from_one_module_to_another():
    one, other = Whole(), Whole()
    for p in one.parameters():
        p.assign(np.random.default_rng(0).normal(size=p.shape))
    other.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(other(ones()).data, one(ones()).data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("W"), "W: missing"),
        (lambda state: state.update(Z=state["W"]), "Z: the module has no such"),
        (
            lambda state: state.update(b=np.zeros(3, np.float32)),
            r"b: the module has float32 \(2,\), the state float32 \(3,\)",
        ),
        (
            lambda state: state.update(b=np.zeros(2)),
            r"b: the module has float32 \(2,\), the state float64 \(2,\)",
        ),
    ],
)
def test_a_wrong_state_changes_nothing(change, message):
    part = Part()
    state = {path: array + 1 for path, array in part.state_dict().items()}
    change(state)
    before = part.state_dict()
    with pytest.raises(ValueError, match=message):
        part.load_state_dict(state)
    after = part.state_dict()
    assert all(after[path] is before[path] for path in before)


def test_every_difference_is_listed():
    with pytest.raises(ValueError, match=r"(?s)W: missing.*b: missing.*Z: the module"):
        Part().load_state_dict({"Z": np.zeros(1)})


def test_repr_lists_paths_and_shapes():
    assert repr(Part()).splitlines() == [
        "Part: 6 numbers in 2 parameters",
        "  W  (2, 2)  float32  4",
        "  b  (2,)    float32  2",
    ]
    assert repr(Module()) == "Module: 0 numbers in 0 parameters"


def test_a_file_is_no_state():
    module = Linear(2, 3, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"load one with minigrad\.train\.load_weights"):
        module.load_state_dict("weights.safetensors")


class Kept(Part):
    fixed = ("W",)


@pytest.mark.parametrize("names", [("V",), ("W", "w"), ("size",), "W"])
def test_a_misspelt_name_in_fixed_is_an_error(names):
    class Mistaken(Part):
        fixed = names
        size = 3

    said = r"Mistaken.fixed is a tuple of names from W, b; got"
    with pytest.raises(ValueError, match=said):
        Mistaken().parameters()


def test_fixed_parameters_are_part_of_the_state_alone():
    part = Kept()
    assert [p.name for p in part.parameters()] == ["b"]
    assert list(part.state_dict()) == ["W", "b"]
    part.b = None
    part.fixed = ("W", "b")  # a bias that there is not is not trained either
    assert part.parameters() == []


def test_the_parameters_know_their_paths():
    whole = Whole()
    parameters = whole.parameters()
    assert [parameters.paths[p.node] for p in parameters] == PATHS


@pytest.mark.parametrize("value", [np.ones((2, 2)), 1.0, [1.0]])
def test_a_parameter_is_not_replaced_by_a_plain_value(value):
    part = Part()
    W = part.W
    with pytest.raises(TypeError, match=r"Part\.W is a parameter.* m\.W\.assign"):
        part.W = value
    with pytest.raises(TypeError, match=r"Part\.W is a parameter.* m\.W = None"):
        del part.W
    assert part.W is W
    part.W = W * 2.0  # fast weights
    part.b = None
    assert part.parameters() == []
    del part.W
