"""Whether equations compute what was recorded: values, and ``mg.grad``."""

import numpy as np

import minigrad as mg


def recorded(loss, wrt=None):
    """(key, step or None, array) of what has a name, and of the gradient."""
    graph = mg.Graph(loss)
    for node in graph.nodes:
        named = node.inputs and node.name and node.op.name != "step"
        if named and _alone(graph, node):
            yield node.name, node.t, node.value
    if wrt is None:
        wrt = [mg.Tensor(p) for p in graph.parameters]
    if wrt and len(graph.outputs) == 1 and graph.outputs[0].value.size == 1:
        gradients = mg.grad(mg.Tensor(graph.outputs[0]), wrt, unreached="zeros")
        for w, d in zip(wrt, gradients, strict=True):
            name = graph.names.get(w.node, w.node.name)
            yield (f"∇{name}" if w.node.inputs else name), w.node.t, d.data


def _alone(graph, node):
    """Whether no other line has the name: each has a symbol of its own."""
    places = {graph.places[n] for n in graph.nodes if n.name == node.name}
    return len(places) == 1


def worst(equations, loss, wrt=None):
    """The largest error of what the equations compute, relative to the size."""
    found, largest = equations.evaluate(), 0.0
    for key, t, value in recorded(loss, wrt):
        array = found[key]
        if t is not None:
            steps = sorted(t for t in equations.symbols[key].trees)
            array = array[steps.index(t)]
        assert np.shape(array) == np.shape(value), key
        # A first step may be of float64, and all later ones of float32.
        assert np.can_cast(value.dtype, array.dtype), key
        with np.errstate(all="ignore"):
            both = np.abs(np.asarray(array, float) - value)
        same = (array == value) | (np.isnan(array) & np.isnan(value))
        size = np.abs(value[np.isfinite(value)]).max(initial=1.0)
        largest = max(largest, float(np.where(same, 0, both / size).max(initial=0.0)))
    return largest
