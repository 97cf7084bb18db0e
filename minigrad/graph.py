"""The computational graph: nodes that point to their inputs, and ordered views of them.

Vocabulary
    node    one value and how it was made: op, inputs in operand order, attributes
    leaf    a node without inputs: a parameter, an input (it has a name) or a constant
    graph   what can be reached from some outputs, in the order in which it ran
    place   a node's scope path and slot, numbered so that two recordings of the same
            program agree; place and time together tell one node of a graph from another

Structure only: no NumPy here. A node knows its inputs and never its consumers, so a
graph has no cycles and is freed with its last reference.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> graph = Graph(w * w + 1)
>>> [node.label for node in graph.parameters], graph.uses(w)[0].argument
(['w'], 0)
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, NoReturn

from minigrad.pickles import NotPickled
from minigrad.places import number_places
from minigrad.scope import Clock, Scope, Time

ids: Iterator[int] = count(1)
by_id: Callable[["Node"], int] = attrgetter("id")


class Structure:
    """What a node of a graph without values has in the place of one.

    NumPy asks for an array where such a node is computed with, and is refused.
    """

    __slots__ = ()

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(NO_VALUES)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{NO_VALUES} (asked for {name})")


NO_VALUES = (
    "this node has no value: its graph was unfolded or read, and is structure only. It "
    "can be walked, folded, drawn and compared; to compute, run what recorded it"
)


class _Spec(NamedTuple):
    shape: tuple[int, ...]
    dtype: str


class Spec(Structure, _Spec):
    """Shape and dtype of a value that was not computed.

    >>> Spec((2, 3), "float32").shape
    (2, 3)
    """

    __slots__ = ()


class Past(NamedTuple):
    """What a leaf stands for in a loop drawn once: ``line``, ``delay`` steps before.

    A graph has no cycles: this is the way back, which only a drawing follows.
    """

    shape: tuple[int, ...]
    dtype: str
    line: "Node"
    delay: int


class PerOperand(tuple[Any, ...]):
    """An attribute with one entry for each input of its node, None where it has none.

    >>> PerOperand([None, 1])
    PerOperand(None, 1)
    """

    def __repr__(self) -> str:
        return f"PerOperand({', '.join(map(repr, self))})"


class StepIndex(int):
    """An attribute that is a step's own number: it moves with t wherever it is."""


class Node(NotPickled):
    """One recorded operation; see the module's vocabulary for its fields.

    >>> import minigrad as mg
    >>> node = mg.tanh(mg.tensor([0.5, 1.0], name="x")).node
    >>> isinstance(node, Node), node.op.name, node.inputs[0].label
    (True, 'tanh', 'x')
    >>> node.shape, node.time
    ((2,), None)
    """

    # `clock` stays unset until a loop over time runs along the value's first axis,
    # `kept` unless the op keeps part of its work for its rules, `letter` unless what
    # has no name, and is not drawn, is called so in equations.
    __slots__ = (
        "__weakref__",
        "attrs",
        "clock",
        "id",
        "inputs",
        "kept",
        "letter",
        "name",
        "op",
        "scope",
        "slot",
        "value",
    )
    _instead: ClassVar[str] = (
        "it is a place in a graph; save the graph with Graph.to_json(), or the value "
        "with t.data"
    )
    kind: ClassVar[str] = "op"
    id: int
    op: Any
    inputs: tuple["Node", ...]
    attrs: dict[str, Any]
    value: Any
    scope: Scope
    slot: Any
    name: str | None
    clock: Clock
    kept: Any
    letter: str

    def __init__(
        self,
        op: Any,
        inputs: tuple["Node", ...],
        attrs: dict[str, Any],
        value: Any,
        scope: Scope,
        slot: Any,
        name: str | None = None,
    ) -> None:
        self.id = next(ids)
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.value = value
        self.scope = scope
        self.slot = slot
        self.name = name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; that of a plain number is ()."""
        return getattr(self.value, "shape", ())

    @property
    def time(self) -> Time | None:
        """(clock, t) of the loop step the node was made in, or None."""
        return self.scope.time

    @property
    def t(self) -> int | None:
        """The 1-based step of the node, or None outside of any loop over time."""
        time = self.time
        return time and time[1]

    @property
    def label(self) -> str:
        """The node's name, or v and its id, with its step: h(3)."""
        base = self.name or f"v{self.id}"
        return base if self.t is None else f"{base}({self.t})"

    @property
    def said(self) -> str:
        """The node in a message: its name, or the op that made it, with its step.

        >>> import minigrad as mg
        >>> (mg.tensor(1.0, name="x") * 2).node.said
        'multiply'
        """
        base = self.name or (self.op.name if self.inputs else self.kind)
        return base if self.t is None else f"{base}({self.t})"

    def __repr__(self) -> str:
        if not self.inputs:
            return f"{self.label} [{self.kind}]"
        operands = [i.label for i in self.inputs]
        operands += [f"{k}={v!r}" for k, v in self.attrs.items()]
        return f"{self.label} = {self.op.name}({', '.join(operands)})"


class Leaf(Node):
    """A node without inputs.

    ``kind`` is "parameter", "input" (named, or asked to be differentiable) or
    "constant"; ``version`` is the id count at a parameter's last change, so a consumer
    with a lower id saw an older value; ``grad`` is what the last backward wrote, and
    ``used`` whether an optimiser has made a step of it (None: it was set by hand).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0], name="w")
    >>> isinstance(w.node, Leaf), w.node.kind, w.node.inputs
    (True, 'parameter', ())
    """

    __slots__ = ("grad", "kind", "used", "version")
    kind: str  # type: ignore[misc]
    version: int
    used: bool | None
    # The id count at the last change of any parameter.
    changed: ClassVar[int] = 0

    def __init__(
        self, kind: str, value: Any, name: str | None, scope: Scope, slot: Any
    ) -> None:
        # Node's fields are written here too: every result of a compiled call is a leaf.
        self.id = next(ids)
        self.op: Any = None
        self.inputs: tuple[Node, ...] = ()
        self.attrs: dict[str, Any] = {}
        self.value = value
        self.scope = scope
        self.slot = slot
        self.name = name
        self.kind = kind
        self.version = 0
        self.grad: Any = None
        self.used = None

    @property
    def time(self) -> Time | None:
        """As of any node, but a parameter belongs to no step."""
        return None if self.kind == "parameter" else self.scope.time


class Use(NamedTuple):
    """One consumption of a node: at step t, by ``node``, as operand ``argument``.

    >>> import minigrad as mg
    >>> w = mg.parameter(2.0, name="w")
    >>> [(use.node.op.name, use.argument) for use in Graph(w * w).uses(w)]
    [('multiply', 0), ('multiply', 1)]
    >>> isinstance(Graph(w * w).uses(w)[0], Use)
    True
    """

    t: int | None
    node: Node
    argument: int


class Graph(NotPickled):
    """The nodes that some outputs depend on, in execution order.

    Parameters
    ----------
    outputs: one Tensor or Node, or a sequence of them.

    Raises TypeError for anything else.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = mg.tanh(h @ W)
    >>> [use.t for use in Graph(h).uses(W)]
    [1, 2, 3]
    """

    _instead: ClassVar[str] = "save to_json(), which Graph.from_json reads"

    def __init__(self, outputs: Any) -> None:
        if not isinstance(outputs, (list, tuple)):
            outputs = [outputs]
        self.outputs: tuple[Node, ...] = tuple(getattr(o, "node", o) for o in outputs)
        if not all(isinstance(o, Node) for o in self.outputs):
            kinds = sorted({type(o).__name__ for o in self.outputs} - {"Node", "Leaf"})
            raise TypeError(
                "Graph takes a Tensor, a Node, or a list of them, got "
                f"{', '.join(kinds)}: of a model pass what it computed, as "
                "model.loss(xs, ys)"
            )
        self.nodes: tuple[Node, ...] = tuple(reachable(self.outputs))
        self._consumers: dict[Node, list[Use]] | None = None
        self._places: dict[Node, Any] | None = None

    def _leaves(self, kind: str) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.kind == kind)

    @property
    def parameters(self) -> tuple[Node, ...]:
        """The parameters, each one node however often it is used."""
        return self._leaves("parameter")

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The named leaves.

        >>> import minigrad as mg
        >>> x = mg.tensor(1.0, name="x")
        >>> graph = Graph(x + 2.0)
        >>> [node.label for node in graph.inputs]
        ['x']
        >>> list(graph.names.values())
        ['x', 'c1']
        >>> len(graph.places) == len(graph.nodes)
        True
        """
        return self._leaves("input")

    @property
    def clocks(self) -> dict[Clock, int]:
        """The loops over time and the last step of each that the graph reaches.

        >>> import minigrad as mg
        >>> for t, x in mg.steps([1.0, 2.0, 3.0]):
        ...     y = x * x
        >>> list(Graph(y).clocks.values())
        [3]
        """
        last: dict[Clock, int] = {}
        for node in self.nodes:
            time = node.time
            if time is not None and time[1] > last.get(time[0], 0):
                last[time[0]] = time[1]
        return last

    @property
    def steps(self) -> int:
        """The number of time steps (of the longest loop); 0 without one."""
        return max(self.clocks.values(), default=0)

    @property
    def names(self) -> dict[Node, str]:
        """A printable name for each leaf and named node, unique among untimed ones."""
        names: dict[Node, str] = {}
        numbers: dict[str, count[int]] = {}
        taken: set[str] = set()
        letters = {"parameter": "p", "input": "x", "constant": "c"}
        for node in self.nodes:
            if node.name is None and (node.inputs or node.time is not None):
                continue
            name = node.name
            if name is None or (name in taken and node.time is None):
                stem = name or letters[node.kind]
                numbered = numbers.setdefault(stem, count(2 if node.name else 1))
                while name is None or name in taken:
                    name = f"{stem}{next(numbered)}"
            if node.time is None:
                taken.add(name)
            names[node] = name
        return names

    def uses(self, tensor: Any) -> list[Use]:
        """Who consumes a Tensor or Node, in execution order, one ``Use`` an operand.

        Raises TypeError for anything else, and ValueError for what is not in the graph.
        """
        node = getattr(tensor, "node", tensor)
        if not isinstance(node, Node):
            raise TypeError(
                f"uses are those of a Tensor or a Node, got {type(node).__name__}"
            )
        if self._consumers is None:
            self._consumers = {}
            for user in self.nodes:
                for i, source in enumerate(user.inputs):
                    use = Use(user.t, user, i)
                    self._consumers.setdefault(source, []).append(use)
        if node not in self._consumers and node not in self.outputs:
            ends = ", ".join(end.label for end in self.outputs[:3])
            raise ValueError(
                f"{node.label} is not in this graph, which leads to {ends}: it is "
                "another of that name, or nothing there reads it"
            )
        return list(self._consumers.get(node, ()))

    def summary(self) -> str:
        """A short description: counts of nodes, steps, and the uses of parameters.

        >>> import minigrad as mg
        >>> w = mg.parameter(2.0, name="w")
        >>> print(Graph(w * w).summary())
        2 nodes: 1 ops, 1 parameters, 0 inputs, 0 constants; 0 time steps
          w (): 2 uses
        """
        ops = sum(1 for n in self.nodes if n.inputs)
        lines = [
            f"{len(self.nodes)} nodes: {ops} ops, {len(self.parameters)} parameters, "
            f"{len(self.inputs)} inputs, {len(self._leaves('constant'))} constants; "
            f"{self.steps} time steps"
        ]
        names = self.names
        for p in self.parameters:
            uses = self.uses(p)
            steps = sorted({u.t for u in uses if u.t is not None})
            at = f" at steps {steps[0]}..{steps[-1]}" if steps else ""
            shape = getattr(p.value, "shape", ())
            lines.append(f"  {names[p]} {shape}: {len(uses)} uses{at}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Graph: {self.summary().splitlines()[0]}>"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """A graph in a notebook is its figure, or a line of text where that fails."""
        from minigrad.draw import draw  # as mg.draw, which is loaded when it is used

        try:
            return draw(self)._repr_mimebundle_()
        except Exception as error:
            return {"text/plain": f"{self!r} (not drawn: {error})"}

    def map(self, make: Callable[[Node, tuple[Node, ...]], Node]) -> "Graph":
        """Rebuild the graph: ``make(node, new inputs)`` gives each node's successor.

        >>> import minigrad as mg
        >>> graph = Graph(mg.tensor(1.0, name="x") + 2)
        >>> graph.map(lambda node, inputs: node).same_as(graph)
        True
        """
        made: dict[Node, Node] = {}
        for node in self.nodes:
            made[node] = make(node, tuple(made[i] for i in node.inputs))
        return Graph([made[o] for o in self.outputs])

    def to_json(self) -> str:
        """The structure and the constants as text; see ``minigrad.graph_json``.

        >>> import minigrad as mg
        >>> graph = Graph(mg.tanh(mg.tensor(1.0, name="x")))
        >>> again = Graph.from_json(graph.to_json())
        >>> [node.op.name for node in again.nodes if node.inputs]
        ['tanh']
        """
        from minigrad.graph_json import to_json

        return to_json(self)

    @staticmethod
    def from_json(text: str) -> "Graph":
        """The graph that ``to_json`` wrote; ops come back as their names."""
        from minigrad.graph_json import from_json

        return from_json(text)

    @property
    def places(self) -> dict[Node, Any]:
        """The place of each node: equal for the same line of the program at every t."""
        if self._places is None:
            self._places = number_places(self.nodes)
        return self._places

    def same_as(self, other: "Graph") -> bool:
        """Whether both graphs say the same: see ``difference``."""
        return self.difference(other) is None

    def difference(self, other: "Graph") -> str | None:
        """The first difference in words, or None.

        Compares kind, op, attributes, operands, names, scopes, times and constants;
        never ids, and never the values of inputs, parameters or results.

        Raises TypeError for what is no graph.

        >>> import minigrad as mg
        >>> x = mg.tensor(1.0, name="x")
        >>> Graph(x + x).difference(Graph(x + x)) is None
        True
        >>> "add" in Graph(x + x).difference(Graph(x * x))
        True
        """
        if not isinstance(other, Graph):
            raise TypeError(
                f"a graph is compared with a graph, got {type(other).__name__}: "
                "write mg.Graph(y)"
            )
        from minigrad.likeness import difference

        return difference(self, other)


def reachable(outputs: Iterable[Node], first: int = 0) -> list[Node]:
    """The nodes with an id of at least ``first`` that outputs depend on, by id.

    Ids grow along every edge, so sorting by id is a topological order and no
    recursion is needed.
    """
    seen = {o for o in outputs if o.id >= first}
    stack = list(seen)
    while stack:
        for source in stack.pop().inputs:
            if source not in seen and source.id >= first:
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=by_id)


def same_value(a: Any, b: Any) -> bool:
    """Equality of attributes and constants: exact, of any nesting, arrays included."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same_value, a, b))
    if hasattr(a, "tolist") and hasattr(b, "tolist"):
        return a is b or (
            (a.shape, str(a.dtype)) == (b.shape, str(b.dtype))
            and repr(a.tolist()) == repr(b.tolist())
        )
    return type(a) is type(b) and (a == b or (a != a and b != b))
