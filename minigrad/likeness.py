"""Whether two graphs say the same, and where they do not.

>>> import minigrad as mg
>>> x = mg.tensor(1.0, name="x")
>>> difference(Graph(mg.exp(x).named("y")), Graph(mg.log(x).named("y")))
"y = exp(x) and y = log(x) differ in op: 'exp' / 'log'"
"""

from typing import Any

from minigrad.graph import Graph, Node, same_value


def difference(first: Graph, second: Graph) -> str | None:
    """The first difference of two graphs in words, or None."""
    mine, theirs = _described(first), _described(second)
    for key in mine.keys() | theirs.keys():
        if key not in theirs or key not in mine:
            which = "first" if key in mine else "second"
            node = (mine if key in mine else theirs)[key][0]
            return f"only the {which} graph has {node!r}"
    for key, (node, said) in mine.items():
        twin, also = theirs[key]
        for what, a, b in zip(
            ("kind", "op", "name", "operands", "attributes", "constant"),
            said,
            also,
            strict=True,
        ):
            if not same_value(a, b):
                return f"{node!r} and {twin!r} differ in {what}: {a!r} / {b!r}"
    mine_out = [_key(first, o) for o in first.outputs]
    theirs_out = [_key(second, o) for o in second.outputs]
    return None if mine_out == theirs_out else "the outputs differ"


def _key(graph: Graph, node: Node) -> Any:
    return (graph.places[node], node.t)


def _described(graph: Graph) -> dict[Any, tuple[Node, tuple[Any, ...]]]:
    described = {}
    for node in graph.nodes:
        op = node.op and node.op.name
        value = node.value if node.kind == "constant" else None
        said = (node.kind, op, node.name, _operands(graph, node), node.attrs, value)
        described[_key(graph, node)] = (node, said)
    if len(described) != len(graph.nodes):
        raise ValueError("two nodes of one graph have the same place and time")
    return described


def _operands(graph: Graph, node: Node) -> list[Any]:
    keys = [_key(graph, i) for i in node.inputs]
    # A sum means the same in any order.
    return sorted(keys, key=repr) if node.op and node.op.name == "add_n" else keys
