"""A function recorded at two sizes, and what the two recordings say alike.

What the number of steps or the batch decides differs between them, and nothing else
may: an attribute that differs is a ``Size``, which the file computes from its inputs.

Vocabulary
    symbol  a length that is free, such as T or batch: axes of arguments that have it
    Size    an integer that is a in the first recording and b in the second
    line    a role of the fold, or a node where nothing is folded, of both recordings
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from minigrad.compile.arguments import flatten, names
from minigrad.compile.kinds import O
from minigrad.compile.lengths import largest_delay
from minigrad.compile.trace import Given, Trace, folded, record
from minigrad.exchange.onnx.parts import parts_of
from minigrad.fold.roles import Operand, Role, Source
from minigrad.graph import Graph, Node, Spec, same_value
from minigrad.op import Op
from minigrad.scope import LOOP, ROOT, Scope, current, user_line
from minigrad.tensor import Tensor


class ExportError(ValueError):
    """What cannot be exported: it names the op, its scope and line, and a way out."""


@dataclass(frozen=True)
class Size:
    """See the module's vocabulary."""

    a: int
    b: int


@dataclass(eq=False)
class Symbol:
    """A free length: the axes (argument, axis) that have it, and its two lengths."""

    name: str
    length: int
    axes: list[tuple[int, int]] = field(default_factory=list)
    sure: bool = True  # or it may be a number of features
    least: int = 13  # how short the first recording may be
    both: Size = Size(0, 0)


@dataclass(frozen=True, eq=False)
class Line:
    """A role of both recordings; attributes that differ are Sizes."""

    role: Role
    other: Role
    attrs: dict[str, Any]
    source: str  # the user's line

    @property
    def sizes(self) -> list[int | Size]:
        """The shape of one step."""
        return sizes_of(self.role.spec.shape, self.other.spec.shape)

    @property
    def number(self) -> Any:
        """The value of a leaf, that may be a Python number."""
        return self.role.value if self.role.leaf is None else self.role.leaf.value

    @property
    def is_number(self) -> bool:
        """Whether a line is a Python number, which widens nothing."""
        return self.role.op is None and type(self.number) in (bool, int, float)


def sizes_of(a: Sequence[int], b: Sequence[int]) -> list[int | Size]:
    """A shape of both recordings."""
    return [n if n == m else Size(n, m) for n, m in zip(a, b, strict=True)]


class Opening:
    """Makes the nodes of a recording: of an op without a twin those of its parts."""

    root = ROOT

    def __init__(self, has_twin: Callable[[Op], bool]) -> None:
        self.has_twin, self.lines = has_twin, dict[Node, str]()

    def begin(self, inputs: list[Node]) -> None:
        """Take the arguments: nothing is to be done."""

    def __call__(
        self, op: Any, inputs: Sequence[Node], attrs: Any, scope: Scope, slot: Any
    ) -> Node:
        """The node of a call, or that of its last part."""
        parts = parts_of(op) if isinstance(op, Op) else None
        if parts is not None:
            made = self._opened(op, parts, inputs, attrs)
            if made is not None:
                return made
        elif not isinstance(op, Op) or not self.has_twin(op):
            name = getattr(op, "name", "gradient")
            raise ExportError(
                f"ONNX has no op for {name} (in scope {_words(scope)}, "
                f"at {user_line()}): {_instead(name)}"
            )
        node = Node(op, tuple(inputs), attrs, op.computed(inputs, attrs), scope, slot)
        self.lines[node] = user_line()
        return node

    def _opened(self, op: Op, parts: Any, inputs: Any, attrs: Any) -> Node | None:
        given = [
            i.value if type(i.value) in (bool, int, float) else Tensor(i)
            for i in inputs
        ]
        want = op.computed(inputs, attrs)
        try:
            with np.errstate(all="ignore"):
                made = parts(given, **attrs) if op.variadic else parts(*given, **attrs)
        except ExportError:
            raise
        except Exception as error:
            shapes = ", ".join(str(np.shape(i.value)) for i in inputs)
            raise ExportError(
                f"{op.name} of {shapes} (in scope {_words(current.get())}, at "
                f"{user_line()}) has no parts in ONNX: {error}"
            ) from error
        if made is None:
            return None
        if made.dtype != want.dtype:
            made = O.astype(made, dtype=want.dtype)
        got = made.node.value
        if got.shape != want.shape or not np.allclose(
            got, want, **tolerance(want.dtype), equal_nan=True
        ):
            raise ExportError(
                f'what lowerings["onnx"] of the op {op.name} computes is not what the '
                f"op computes (at {user_line()})"
            )
        same = made.node in inputs  # a name that it gets is not that of the input
        node: Node = O.detach(made).node if same else made.node
        return node


def tolerance(dtype: Any) -> dict[str, float]:
    """What counts as rounding."""
    eps = float(np.finfo(dtype).eps) if np.dtype(dtype).kind == "f" else 0.0
    return {"rtol": 1e3 * eps, "atol": 1e3 * eps}


def _words(scope: Scope) -> str:
    return "/".join(str(p[0]) for p in scope.path) or "none"


BACKWARD = frozenset(
    ["gradient", "scatter_n", "spread", "spread_mean", "reshape_like", "unpad",
     "untake", "untake_along_axis", "undiagonal", "target_weights", "conv1d_to_x",
     "conv1d_to_w"]
)  # fmt: skip


def _instead(name: str) -> str:
    if name in BACKWARD:
        return "a file has the forward pass, without gradients: export the loss alone"
    return (
        f"write {name} with other ops, or declare the op with "
        'lowerings={"onnx": f}, f like its forward function but written with ops'
    )


def primes(least: int) -> Iterator[int]:
    """Primes from a number on."""
    return (n for n in count(least) if all(n % k for k in range(2, int(n**0.5) + 1)))


class Recorder:
    """Records one function at any sizes of its arguments."""

    def __init__(self, f: Callable[..., Any], example: Any, has_twin: Any) -> None:
        self.f, self.example, self.has_twin = f, example, has_twin
        self.arrays: list[Any] = []
        nodes: dict[Node, int] = {}
        for value in example:
            flatten(value, self.arrays, nodes)
        self.names = names(getattr(f, "forward", getattr(f, "eager", f)), example, {})

    def sized(self, symbols: Sequence[Symbol], sizes: Sequence[int]) -> Given:
        """The example with other sizes: rows are repeated, or left out."""
        arrays = [*self.arrays]
        for symbol, size in zip(symbols, sizes, strict=True):
            for i, axis in symbol.axes:
                rows = np.arange(size) % symbol.length
                arrays[i] = np.take(arrays[i], rows, axis)
        return Given(self.example, {}, arrays)

    def eager(self, symbols: Sequence[Symbol], sizes: Sequence[int]) -> Trace:
        """What the function itself gives."""
        return record(self.f, self.sized(symbols, sizes))

    def traced(
        self, symbols: Sequence[Symbol], sizes: Sequence[int]
    ) -> tuple[Trace, Graph, dict[Node, str]]:
        """What the function records, opened, and the user's line of each node."""
        opening = Opening(self.has_twin)
        trace = record(self.f, self.sized(symbols, sizes), opening)
        if not trace.results:
            raise ExportError("f returns no Tensor, and a file has outputs")
        return trace, Graph(trace.results), opening.lines

    def symbols(self) -> list[Symbol]:
        """The lengths that are free: those at which the function runs if they change.

        The first axis of a sequence is T, its second one the batch; of what is no
        sequence the first axis is what has that length.
        """
        trace, graph, _ = self.traced((), ())
        at, read, inner = trace.positions, dict[int, Any](), set[int]()
        for node in graph.nodes:
            if node.op is O.step and node.inputs[0] in at:
                i = at[node.inputs[0]]
                if loops(node.scope.path) > 1:
                    inner.add(i)  # its steps are lines of their own
                else:
                    read[i] = node.time and node.time[0]
        times = {
            clock: Symbol(f"T{k or ''}", clock.length)
            for k, clock in enumerate(graph.clocks)
        }
        lengths = [s.length for s in times.values()]
        deep = [(i, a) for i, a in enumerate(self.arrays) if a.ndim > 1 and times]
        deep.sort(key=lambda ia: (ia[0] not in read and len(ia[1]) not in lengths,
                                  -ia[1].ndim))  # fmt: skip
        batch = Symbol("batch", 0)
        if deep:
            batch.length, batch.sure = deep[0][1].shape[1], deep[0][1].ndim > 2
        elif not times:
            batch.length = next((len(a) for a in self.arrays if a.ndim), 0)
        own: dict[int, Symbol] = {}
        for i, array in enumerate(self.arrays):
            symbol = times[read[i]] if i in read else None
            if symbol is None and array.ndim and i not in inner:
                symbol = own[i] = self._alike(
                    i, [*times.values(), batch, *own.values()]
                )
            if symbol is not None:
                symbol.axes.append((i, 0))
            second = times and array.shape[1:2] == (batch.length,)
            if symbol is not batch and second:
                batch.axes.append((i, 1))
        known = dict.fromkeys([*times.values(), batch, *own.values()])
        found = [s for s in known if s.axes]
        for s in found:
            if s.axes[0][0] not in read:
                s.least = max(s.least, s.length)  # it may be counted in
            if s is batch and not times and len(found) > 1:
                s.name = f"n_{self.names[s.axes[0][0]]}"
        return [s for s in found if self._runs(s)]

    def _alike(self, i: int, known: Sequence[Symbol]) -> Symbol:
        """The symbol of the first axis of an argument that no loop reads."""
        length = len(self.arrays[i])
        found = [s for s in dict.fromkeys(known) if s.length == length]
        if len(found) > 1:
            said = " and ".join(s.name for s in found)
            raise ExportError(
                f"{said} are both {length} in the example, and {self.names[i]} may "
                "have either: give an example in which they differ"
            )
        return found[0] if found else Symbol(f"n_{self.names[i]}", length, [], False)

    def _runs(self, symbol: Symbol) -> bool:
        """Whether the function runs where this length differs; if not it is fixed."""
        if not symbol.length:
            raise ExportError(f"{symbol.name} is 0 in the example: give one with rows")
        try:
            self.traced([symbol], [symbol.length + 7])
        except ExportError:
            raise
        except Exception as error:
            if symbol.sure:
                warnings.warn(
                    f"{symbol.name} is {symbol.length} in the file, as in the example: "
                    f"f does not run at {symbol.length + 7}: {error}",
                    stacklevel=4,
                )
            return False
        return True


@dataclass
class Recording:
    """Two recordings as one: lines in their order, outputs, and lengths of loops."""

    lines: list[Line]
    outputs: Sequence[Operand]
    lengths: list[int | Size]
    symbols: list[Symbol]
    names: dict[Node, str]  # of the arguments, in the first recording
    results: list[tuple[Tensor, Tensor]]

    def shape(self, a: Any, b: Any) -> list[int | str | None]:
        """A shape for readers: numbers, and the names of free lengths."""
        symbols = {s.both: s.name for s in self.symbols}
        pairs = zip(a, b, strict=True)
        return [n if n == m else symbols.get(Size(n, m)) for n, m in pairs]


def recorded(recorder: Recorder) -> Recording:
    """A function's two recordings; raises ExportError where they are not alike."""
    symbols = recorder.symbols()
    sizes, others = _sizes(symbols, 0)
    mine = recorder.traced(symbols, sizes)
    first = _folded(mine[1], symbols)
    need = 2 * first.delay + 3
    if need > 13:  # no end of a loop may reach the other
        sizes, others = _sizes(symbols, need)
        mine = recorder.traced(symbols, sizes)
        first = _folded(mine[1], symbols)
    theirs = recorder.traced(symbols, others)
    second = _folded(theirs[1], symbols)
    for symbol, a, b in zip(symbols, sizes, others, strict=True):
        symbol.both = Size(a, b)
    if len(mine[0].results) != len(theirs[0].results):
        raise ExportError(
            "f returns a list with a value of each step, and a file has as many "
            "outputs at any number of steps: return mg.stack(list)"
        )
    if len(first.roles) != len(second.roles) or first.outputs != second.outputs:
        raise ExportError(
            f"f records {len(first.roles)} operations at {_said(symbols, 0)} and "
            f"{len(second.roles)} at {_said(symbols, 1)}: branch on no length, loop "
            "with mg.steps, and write mg.add_n(list) in place of sum(list)"
        )
    lines = mine[2]
    nodes = {role: n for n, role in reversed(first.role_of.items())}
    found = [
        _line(a, b, lines.get(nodes[a.index], ""), symbols)
        for a, b in zip(first.roles, second.roles, strict=True)
    ]
    _require_same_leaves(found, mine[0], theirs[0])
    lengths = [
        _merged(*pair) for pair in zip(first.lengths, second.lengths, strict=True)
    ]
    given = {n: recorder.names[i] for n, i in mine[0].positions.items()}
    results = [*zip(mine[0].results, theirs[0].results, strict=True)]
    return Recording(found, first.outputs, lengths, symbols, given, results)


def _sizes(symbols: Sequence[Symbol], least: int) -> tuple[list[int], list[int]]:
    """Two sizes of each symbol, with another gap each; the second ones are larger."""
    sizes: list[int] = []
    for s in symbols:
        enough = primes(max(s.least, least))
        sizes.append(next(n for n in enough if n not in sizes))
    most = max([s.length for s in symbols], default=0)
    start = max([50, *sizes, min(most, 2000)]) + 1
    return sizes, [n + gap for n, gap in zip(sizes, primes(start), strict=False)]


class _Folded(NamedTuple):
    """A graph as roles: outputs, lengths, the role of each node, the longest delay."""

    roles: tuple[Role, ...]
    outputs: Sequence[Operand]
    lengths: Sequence[int]
    role_of: dict[Node, int]
    delay: int = 0


def _folded(graph: Graph, symbols: Sequence[Symbol]) -> _Folded:
    """A graph folded; as it stands where it does not fold and no step is free."""
    recurrence = folded(graph, ragged=True)
    if isinstance(recurrence, str):
        if any(s.name[0] == "T" for s in symbols):
            raise ExportError(f"f has no file for every number of steps: {recurrence}")
        return _straight(graph)
    role_of: dict[Node, int] = {}
    known: dict[Any, int] = {}
    for node in graph.nodes:
        role_of[node] = known.setdefault(graph.places[node], len(known))
    lengths = recurrence.lengths

    def latest(s: Source) -> Source:
        """The last step of a line at every k-th, as such: T decides which it is."""
        role = recurrence.roles[s.role]
        if s.kind != "pick" or s.at is None or role.span is None or role.clock is None:
            return s
        steps = role.span.steps(lengths[role.clock])
        if role.span.every == 1 or s.at.steps(lengths[role.clock])[0] != max(steps):
            return s
        return s._replace(at=role.span)

    def read(operands: Sequence[Operand]) -> tuple[Operand, ...]:
        return tuple([tuple(map(latest, operand)) for operand in operands])

    roles = tuple([replace(r, operands=read(r.operands)) for r in recurrence.roles])
    delay = largest_delay(recurrence)
    return _Folded(roles, read(recurrence.outputs), lengths, role_of, delay)


def _straight(graph: Graph) -> _Folded:
    """Each node as a line without time."""
    role_of = {node: i for i, node in enumerate(graph.nodes)}
    roles = []
    for i, node in enumerate(graph.nodes):
        op, attrs = node.op, node.attrs
        if op is O.step:
            op, attrs = O.getitem, {"key": (node.scope.t or 0) - 1}
        reads = tuple([(Source(role_of[n], "plain"),) for n in node.inputs])
        spec = Spec(node.shape, str(np.asarray(node.value).dtype))
        leaf = None if node.inputs else node
        path = tuple([part[:1] for part in node.scope.path])
        roles.append(
            Role(i, node.kind, op, attrs, node.name, path, i, None, None, None, reads,
                 spec, leaf, node.label)
        )  # fmt: skip
    outputs = [(Source(role_of[n], "plain"),) for n in graph.outputs]
    return _Folded(tuple(roles), outputs, (), role_of)


def loops(path: Any) -> int:
    """How many loops over time a path goes into."""
    return sum(part[0] == LOOP for part in path)


def _said(symbols: Sequence[Symbol], k: int) -> str:
    return ", ".join(f"{s.name} = {(s.both.a, s.both.b)[k]}" for s in symbols)


def _line(a: Role, b: Role, source: str, symbols: Sequence[Symbol]) -> Line:
    """One line of both recordings."""
    try:
        for word in ("kind", "op", "name", "path", "slot", "clock", "span", "operands"):
            mine, theirs = getattr(a, word), getattr(b, word)
            if mine != theirs and word == "operands":
                mine, theirs = (_steps(operands) for operands in (mine, theirs))
                raise _UnlikeError(f"it reads {mine} / {theirs}")
            if mine != theirs:
                raise _UnlikeError(f"{word} {mine} / {theirs}")
        attrs = _merged(a.attrs, b.attrs)
    except _UnlikeError as error:
        raise ExportError(
            f"{a.label} (at {source}) depends on the sizes: {error} at "
            f"{_said(symbols, 0)} / {_said(symbols, 1)}; branch on no length"
        ) from None
    return Line(a, b, attrs, source)


def _steps(operands: Sequence[Operand]) -> str:
    read = [s.steps for operand in operands for s in operand if s.steps]
    return f"steps {', '.join(read)}"


class _UnlikeError(Exception):
    pass


def _merged(a: Any, b: Any) -> Any:
    """What two recordings say, with a Size where integers differ."""
    if type(a) is type(b):
        if type(a) is int and a != b:
            return Size(a, b)
        if isinstance(a, dict) and a.keys() == b.keys():
            return {k: _merged(v, b[k]) for k, v in a.items()}
        if isinstance(a, (tuple, list)) and len(a) == len(b):
            return type(a)([_merged(*pair) for pair in zip(a, b, strict=True)])
        if isinstance(a, slice):
            ends = (a.start, a.stop, a.step), (b.start, b.stop, b.step)
            return slice(*[_merged(*pair) for pair in zip(*ends, strict=True)])
        if same_value(a, b):
            return a
    raise _UnlikeError(f"{a!r} / {b!r}")


def _require_same_leaves(lines: Sequence[Line], mine: Trace, theirs: Trace) -> None:
    """Raise where another argument or parameter is read."""
    for line in lines:
        a, b = line.role.leaf, line.other.leaf
        if a is None or b is None:
            continue
        parameters = "parameter" in (a.kind, b.kind) and a is not b
        if parameters or mine.positions.get(a) != theirs.positions.get(b):
            raise ExportError(
                f"{line.role.label}: another leaf is read at another size"
            )
