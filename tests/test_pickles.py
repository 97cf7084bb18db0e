"""What belongs to one process is not pickled, and the error says what to save."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Module
from minigrad.scope import ROOT

W = mg.parameter([[0.5]], name="W")


@mg.compile
def network(xs):
    h = mg.tensor([[0.0]], name="h0")
    for _, x in mg.steps(xs):
        h = mg.tanh(h @ W + x).named("h")
    return h.sum().named("L")


LOSS = network.eager(np.ones((4, 1, 1)))
THINGS = {
    "Tensor": (LOSS, "t.data"),
    "Node": (LOSS.node, "Graph.to_json"),
    "Leaf": (W.node, "t.data"),
    "Graph": (mg.Graph(LOSS), "from_json"),
    "Op": (mg.tanh, "imports the file that declares it"),
    "Program": (network, "compile the function again"),
    "Recurrence": (mg.fold(LOSS), "fold it again"),
    "Role": (mg.fold(LOSS).roles[0], "fold it again"),
    "Figure": (mg.draw(LOSS), "figure.save"),
    "Scope": (ROOT, "Graph.to_json"),
    "Clock": (LOSS.node.inputs[0].scope.time[0], "Graph.to_json"),
    "Loop": (mg.steps(3), "make it where it runs"),
    "use": (mg.Graph(LOSS).uses(W), "Graph.to_json"),
    "function": ({"f": [mg.tanh]}, "imports the file"),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", THINGS)
def test_pickling_is_refused_with_advice(name, protocol):
    thing, advice = THINGS[name]
    with pytest.raises(TypeError, match=f"not pickled.*{advice}"):
        pickle.dumps(thing, protocol)


@pytest.mark.parametrize(
    "name", ["Node", "Leaf", "Graph", "Program", "Recurrence", "Scope", "Clock"]
)
@pytest.mark.parametrize("function", [copy.copy, copy.deepcopy])
def test_a_copy_that_would_equal_nothing_is_refused(name, function):
    thing, advice = THINGS[name]
    with pytest.raises(TypeError, match=f"not pickled or copied.*{advice}"):
        function(thing)


@pytest.mark.parametrize("name", ["Tensor", "Op", "Figure"])
@pytest.mark.parametrize("function", [copy.copy, copy.deepcopy])
def test_what_never_changes_is_its_own_copy(name, function):
    thing, _ = THINGS[name]
    assert function(thing) is thing


def test_a_model_that_holds_an_op_can_be_copied():
    class Net(Module):
        def __init__(self):
            self.W = mg.parameter([2.0])
            self.activation = mg.tanh

    net = Net()
    twin = copy.deepcopy(net)
    assert twin.activation is mg.tanh
    assert twin.W.node is not net.W.node
