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
from collections.abc import Iterable
from typing import Any, NamedTuple

from minigrad.graph import Graph, Leaf, Node, PerOperand, Spec, StepIndex, Structure
from minigrad.scope import Clock, Run, Scope, Slot

# Of the text; another number is refused. Version 0.1 wrote the same without one.
FORMAT = 1
# What a node has; a constant has its value too.
KEYS = {"kind", "op", "inputs", "attrs", "name", "path"}
KEYS |= {"slot", "time", "t", "shape", "dtype"}
# Nothing that is recorded is nested as deep, and the interpreter's stack is deeper.
DEEPEST = 100


class OpName(NamedTuple):
    """An op of which only the name is known."""

    name: str


class _Listed(NamedTuple):
    shape: tuple[int, ...]
    dtype: str
    numbers: Any


class Listed(Structure, _Listed):
    """The constant array of a graph that was read: as nested lists."""

    __slots__ = ()

    def __float__(self) -> float:
        """The one number of an array without axes."""
        return float(self.numbers)

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
            "slot": _plain_slot(node.slot, node, clocks),
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
    said = {"format": FORMAT, "clocks": lengths, "nodes": nodes, "outputs": outputs}
    return json.dumps(said)


def from_json(text: str) -> Graph:
    """The graph that ``to_json`` wrote, in this version or in 0.1.

    Any other text is a ValueError that says what is wrong with it.

    >>> from_json('{"format": 2, "clocks": [], "nodes": [], "outputs": []}')
    Traceback (most recent call last):
    ValueError: not a text of Graph.to_json: its format is 2, this version knows 1
    """
    if not isinstance(text, (str, bytes, bytearray)):
        raise TypeError(
            f"from_json takes the text of Graph.to_json, got {type(text).__name__}: "
            "of a file, path.read_text()"
        )
    try:
        return _graph(json.loads(text, object_pairs_hook=_once))
    except RecursionError:
        raise ValueError("not a text of Graph.to_json: it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not a text of Graph.to_json: {error}") from error


def _graph(said: Any) -> Graph:
    said = _object(said, "it")
    found = said.pop("format", FORMAT)
    if found != FORMAT or type(found) is not int:
        raise ValueError(f"its format is {found!r}, this version knows {FORMAT}")
    _need(said.keys() == {"clocks", "nodes", "outputs"}, "its keys", [*said])
    clocks = [Clock(n) for n in _numbers(said["clocks"], "its clocks", least=1)]
    scopes: dict[Any, Scope] = {}
    nodes: list[Node] = []
    for number, entry in enumerate(_list(said["nodes"], "its nodes")):
        try:
            scope = _one(_scope(_object(entry, "it"), clocks), scopes)
            nodes.append(_node(entry, nodes, scope, clocks, scopes))
        except ValueError as error:
            raise ValueError(f"node {number}: {error}") from error
    outputs = _numbers(said["outputs"], "its outputs", below=len(nodes))
    graph = Graph([nodes[o] for o in outputs])
    _need(len(graph.nodes) == len(nodes), "nodes that no output reads", len(nodes))
    try:
        graph.places  # noqa: B018  what all that reads a graph begins with
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"its slots are no places ({error})") from error
    return graph


def _scope(entry: dict[str, Any], clocks: list[Clock]) -> Scope:
    """Where a node is; the same keys for every node are looked at here."""
    keys = KEYS | {"value"} if entry.get("kind") == "constant" else KEYS
    _need(entry.keys() == keys, "its keys", [*entry])
    # A parameter that was made in a loop has a step, and no time.
    timeless = entry["time"] is None and entry["t"] is not None
    _need(not timeless or entry["kind"] == "parameter", "its time", entry["time"])
    return _scope_of(entry["path"], entry["time"], entry["t"], clocks)


def _scope_of(path: Any, time: Any, t: Any, clocks: list[Clock]) -> Scope:
    path = _rebuilt(path)
    _need(isinstance(path, tuple), "its path", path)
    for part in path:
        _need(isinstance(part, tuple) and len(part) > 1, "its path", path)
        _need(isinstance(part[0], str), "its path", path)
        _numbers(part[1:], "its path")
    if t is not None:
        _numbers([t], "its t", least=1)
    if time is None:
        return Scope(path, None, t)
    _need(t is not None, "its t", t)
    _need(isinstance(time, list) and len(time) == 2, "its time", time)
    _numbers(time[:1], "its clock", below=len(clocks))
    clock = clocks[time[0]]
    _numbers(time[1:], "its time", least=1, below=clock.length + 1)
    return Scope(path, (clock, time[1]), t)


def _node(
    entry: dict[str, Any],
    before: list[Node],
    scope: Scope,
    clocks: list[Clock],
    scopes: dict[Any, Scope],
) -> Node:
    kind, op, name, dtype = (entry[k] for k in ("kind", "op", "name", "dtype"))
    _need(name is None or isinstance(name, str), "its name", name)
    _need(isinstance(dtype, str), "its dtype", dtype)
    shape = tuple(_numbers(entry["shape"], "its shape"))
    inputs = _numbers(entry["inputs"], "its inputs", below=len(before))
    attrs = {k: _rebuilt(v) for k, v in _object(entry["attrs"], "attrs").items()}
    slot = _slot(entry["slot"], clocks, scopes)
    spec = Spec(shape, dtype)
    if kind == "op":
        _need(isinstance(op, str), "its op", op)
        _need(bool(inputs), "an op without inputs", op)
        for value in attrs.values():
            each = not isinstance(value, PerOperand) or len(value) == len(inputs)
            _need(each, f"not one entry for each of {len(inputs)} inputs", value)
        read = tuple(before[i] for i in inputs)
        return Node(OpName(op), read, attrs, spec, scope, slot, name)
    _need(kind in ("parameter", "input", "constant"), "its kind", kind)
    _need(op is None and not inputs and not attrs, "a leaf that computes", op)
    if kind != "constant":
        return Leaf(kind, spec, name, scope, slot)
    value = _rebuilt(entry["value"])
    if isinstance(value, Listed):
        _need((value.shape, value.dtype) == spec, "its value", value)
    else:
        _need(isinstance(value, (int, float)) and not shape, "its value", value)
    return Leaf(kind, value, name, scope, slot)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        _need(key not in found, "a key that occurs twice", key)
        found[key] = value
    return found


def _need(right: bool, what: str, found: Any) -> None:
    if not right:
        said = repr(found)
        said = said if len(said) < 80 else f"{said[:80]}..."
        raise ValueError(f"{what}: {said}")


def _object(value: Any, what: str) -> dict[str, Any]:
    _need(isinstance(value, dict), f"{what} is no object", value)
    return value  # type: ignore[no-any-return]


def _list(value: Any, what: str) -> list[Any]:
    _need(isinstance(value, (list, tuple)), f"{what} are no list", value)
    return list(value)


def _numbers(
    values: Any, what: str, least: int = 0, below: int | None = None
) -> list[int]:
    """A list of whole numbers, none of them a bool, within bounds."""
    for value in _list(values, what):
        _need(type(value) is int and value >= least, what, value)
        _need(below is None or value < below, what, value)
    return list(values)


def _one(scope: Scope, scopes: dict[Any, Scope]) -> Scope:
    """One scope for all that is at one place and time."""
    return scopes.setdefault((scope.path, scope.time, scope.t), scope)


def _plain_slot(slot: Any, node: Node, clocks: dict[Clock, int]) -> Any:
    """A slot in terms of JSON."""
    if isinstance(slot, Slot):
        scope, number = slot.run
        time = scope.time and [
            clocks.setdefault(scope.time[0], len(clocks)),
            scope.time[1],
        ]
        asked = [_plain(scope.path, node), time, scope.t, number]
        base = _plain_slot(slot.base, node, clocks)
        terms = slot.terms and [list(term) for term in slot.terms]
        return {"rule": [base, slot.part, slot.k, terms, *asked]}
    if isinstance(slot, tuple):
        return {"operand": [_plain_slot(slot[0], node, clocks), slot[1]]}
    return slot


def _slot(
    value: Any, clocks: list[Clock], scopes: dict[Any, Scope], depth: int = 0
) -> Any:
    """A slot from its form in JSON, of this version or of 0.1."""
    _need(depth < DEEPEST, "nested too deep", depth)
    if type(value) is int:
        return value
    _need(isinstance(value, dict) and len(value) == 1, "its slot", value)
    ((kind, content),) = value.items()
    content = _list(content, "its slot")
    counts = {"rule": 8, "operand": 2, "tuple": 4}
    _need(len(content) == counts.get(kind), "its slot", value)
    base = _slot(content[0], clocks, scopes, depth + 1)
    if kind == "operand" or (kind == "tuple" and content[1] == "const"):
        return (base, *_numbers([content[-1 if kind == "operand" else 2]], "its slot"))
    part, k = content[1:3]
    _need(type(part) in (int, str), "its slot", part)
    _numbers([k], "its slot")
    if kind == "tuple":  # 0.1 numbered the gradients of a process
        (number,) = _numbers([content[3]], "its slot")
        return Slot(base, part, k, Run(_one(Scope((), None, None), scopes), number))
    terms, path, time, t, number = content[3:]
    if terms is not None:
        terms = tuple(tuple(_numbers(u, "a term")) for u in _list(terms, "its terms"))
    scope = _one(_scope_of(path, time, t, clocks), scopes)
    _numbers([number], "its slot")
    return Slot(base, part, k, Run(scope, number), terms)


def _plain(value: Any, node: Node) -> Any:
    """A value in terms of JSON; what JSON has no form for becomes {kind: content}."""
    if isinstance(value, StepIndex):
        return {"step": [int(value)]}
    # A float64 of NumPy is a float of Python too, but one that widens float32.
    if hasattr(value, "tolist") and not isinstance(value, type):
        return {"array": [list(value.shape), str(value.dtype), value.tolist()]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, PerOperand):
        return {"per operand": [_plain(v, node) for v in value]}
    if isinstance(value, (tuple, list)):
        items = [_plain(v, node) for v in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, slice):
        ends = [value.start, value.stop, value.step]
        return {"slice": [_plain(v, node) for v in ends]}
    if value is Ellipsis:
        return {"ellipsis": True}
    raise TypeError(f"JSON has no form for {value!r}, an attribute of {node!r}")


def _rebuilt(value: Any, depth: int = 0) -> Any:
    _need(depth < DEEPEST, "nested too deep", depth)
    if isinstance(value, list):
        return [_rebuilt(v, depth + 1) for v in value]
    if not isinstance(value, dict):
        return value
    _need(len(value) == 1, "no kind of value", [*value])
    ((kind, content),) = value.items()
    if kind == "ellipsis" and content is True:
        return Ellipsis
    items = _list(content, f"the contents of {kind}")
    if kind == "step":
        _need(len(items) == 1, "a step", items)
        return StepIndex(*_numbers(items, "a step"))
    if kind in ("tuple", "per operand"):
        found = tuple(_rebuilt(v, depth + 1) for v in items)
        return found if kind == "tuple" else PerOperand(found)
    _need(kind in ("slice", "array") and len(items) == 3, "no kind of value", kind)
    if kind == "slice":
        ends = [_rebuilt(v, depth + 1) for v in items]
        _need(all(e is None or type(e) is int for e in ends), "a slice", ends)
        return slice(*ends)
    shape, dtype, numbers = items
    shape = tuple(_numbers(shape, "the shape of an array"))
    _need(isinstance(dtype, str), "the dtype of an array", dtype)
    _need(len(shape) < DEEPEST, "the shape of an array", shape)
    _need(_fits(numbers, shape), f"no array of shape {shape}", numbers)
    return Listed(shape, dtype, numbers)


def _fits(numbers: Any, shape: tuple[int, ...]) -> bool:
    if not shape:
        return isinstance(numbers, (int, float))
    return (
        isinstance(numbers, list)
        and len(numbers) == shape[0]
        and all(_fits(row, shape[1:]) for row in numbers)
    )
