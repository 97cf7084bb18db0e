"""A graph as JSON text and back: its structure, its constants, no other values.

What is kept is what ``Graph.same_as`` compares, and the shape and dtype of each value;
parameters, inputs and results come back as a ``Spec``. No code is stored: an op comes
back as its name, so a graph that was read can be walked, folded, drawn and compared.

>>> import minigrad as mg
>>> graph = mg.Graph(mg.tensor([1.0], name="x") * 2)
>>> from_json(to_json(graph)).same_as(graph)
True
"""

import json
from typing import Any, NamedTuple

from minigrad.graph import Graph, Leaf, Node, Spec
from minigrad.scope import Clock, Scope


class OpName(NamedTuple):
    """An op of which only the name is known."""

    name: str


class Listed(NamedTuple):
    """The constant array of a graph that was read: as nested lists."""

    shape: tuple[int, ...]
    dtype: str
    numbers: Any

    def tolist(self) -> Any:
        """The numbers, as ``ndarray.tolist`` gives them."""
        return self.numbers


def to_json(graph: Graph) -> str:
    """The graph as text. Raises TypeError for an attribute that text cannot hold."""
    number = {node: i for i, node in enumerate(graph.nodes)}
    clocks = {clock: i for i, clock in enumerate(graph.clocks)}
    nodes = []
    for node in graph.nodes:
        value, time = node.value, node.time
        entry = {
            "kind": node.kind,
            "op": node.op and node.op.name,
            "inputs": [number[i] for i in node.inputs],
            "attrs": {k: _plain(v, node) for k, v in node.attrs.items()},
            "name": node.name,
            "path": _plain(node.scope.path, node),
            "slot": _plain(node.slot, node),
            "time": time and [clocks[time[0]], time[1]],
            "t": node.scope.t,
            "shape": list(getattr(value, "shape", ())),
            "dtype": str(getattr(value, "dtype", type(value).__name__)),
        }
        if node.kind == "constant":
            entry["value"] = _plain(value, node)
        nodes.append(entry)
    outputs = [number[o] for o in graph.outputs]
    lengths = [clock.length for clock in clocks]
    return json.dumps({"clocks": lengths, "nodes": nodes, "outputs": outputs})


def from_json(text: str) -> Graph:
    """The graph that ``to_json`` wrote."""
    said = json.loads(text)
    clocks = [Clock(length) for length in said["clocks"]]
    scopes: dict[Any, Scope] = {}
    nodes: list[Node] = []
    for entry in said["nodes"]:
        path = _rebuilt(entry["path"])
        time = entry["time"] and (clocks[entry["time"][0]], entry["time"][1])
        key = (path, time, entry["t"])
        scope = scopes.setdefault(key, Scope(path, time, entry["t"]))
        slot, name = _rebuilt(entry["slot"]), entry["name"]
        spec = Spec(tuple(entry["shape"]), entry["dtype"])
        if entry["op"] is None:
            value = _rebuilt(entry["value"]) if "value" in entry else spec
            nodes.append(Leaf(entry["kind"], value, name, scope, slot))
        else:
            inputs = tuple(nodes[i] for i in entry["inputs"])
            attrs = {k: _rebuilt(v) for k, v in entry["attrs"].items()}
            op = OpName(entry["op"])
            nodes.append(Node(op, inputs, attrs, spec, scope, slot, name))
    return Graph([nodes[o] for o in said["outputs"]])


def _plain(value: Any, node: Node) -> Any:
    """A value in terms of JSON; what JSON has no form for becomes {kind: content}."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "tolist") and not isinstance(value, type):
        return {"array": [list(value.shape), str(value.dtype), value.tolist()]}
    if isinstance(value, (tuple, list)):
        items = [_plain(v, node) for v in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, slice):
        ends = [value.start, value.stop, value.step]
        return {"slice": [_plain(v, node) for v in ends]}
    if value is Ellipsis:
        return {"ellipsis": True}
    raise TypeError(f"JSON has no form for {value!r}, an attribute of {node!r}")


def _rebuilt(value: Any) -> Any:
    if isinstance(value, list):
        return [_rebuilt(v) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(_rebuilt(v) for v in content)
    if kind == "slice":
        return slice(*(_rebuilt(v) for v in content))
    if kind == "array":
        shape, dtype, numbers = content
        return Listed(tuple(shape), dtype, numbers)
    return Ellipsis
