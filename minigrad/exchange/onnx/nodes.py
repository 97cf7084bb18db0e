"""The nodes of a file as they grow: names, numbers, sizes.

Vocabulary
    name   of a value of the file: the user's where there is one
    place  where a node goes: the file's own graph, or the body of a loop
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from minigrad.exchange.onnx.traces import ExportError, Size, Symbol

MOST, LEAST = 2**63 - 1, -(2**63)  # the ends of a slice that has none


class Body:
    """The body of a loop: one step of it. ``sequences`` are read an entry a step."""

    def __init__(self, name: str) -> None:
        self.name, self.nodes = name, list[NodeProto]()
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []
        self.sequences: dict[str, str] = {}


def info(name: str, dtype: Any, shape: Sequence[Any]) -> ValueInfoProto:
    """The type of a value; an axis may have a number, a name or None."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return helper.make_tensor_value_info(name, kind, shape)


class Nodes:
    """Nodes and initializers; ``symbols`` are the free lengths."""

    def __init__(self, symbols: Sequence[Symbol], names: Sequence[str]) -> None:
        self.symbols, self.arguments = symbols, names
        self.outer: list[NodeProto] = []
        self.nodes = self.outer
        self.initializers: dict[str, TensorProto] = {}
        self.taken = set(names)
        self.known: dict[Any, str] = {}
        self.calls: list[tuple[NodeProto, str]] = []  # of which call a node is
        self.kept: set[str] = set()  # names of the user's

    def fresh(self, stem: str) -> str:
        """A name that nothing has yet."""
        name, k = stem, 1
        while name in self.taken:
            k += 1
            name = f"{stem}_{k}"
        self.taken.add(name)
        return name

    def add(self, op: str, *inputs: str, out: str = "", **attrs: Any) -> str:
        """A node, and the name of what it gives."""
        name = out or self.fresh(op.lower())
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attrs))
        return name

    def renamed(self, made: str, stem: str) -> str:
        """The result of the last node under another name; of any other a copy."""
        name = self.fresh(stem)
        if not self.nodes or self.nodes[-1].output[0] != made or made in self.kept:
            self.kept.add(name)
            return self.add("Identity", made, out=name)
        self.nodes[-1].output[0] = self.nodes[-1].name = name
        self.kept.add(name)
        return name

    def add_several(
        self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attrs: Any
    ) -> None:
        """A node that gives several values."""
        self.nodes.append(helper.make_node(op, inputs, outputs, outputs[0], **attrs))

    def scan(
        self, body: Body, starts: Sequence[str], ends: Sequence[str],
        reverse: bool = False,
    ) -> None:  # fmt: skip
        """A loop of ``body`` from ``starts``; ``ends`` names what it gives."""
        graph = helper.make_graph(body.nodes, body.name, body.inputs, body.outputs)
        given, made = len(body.inputs) - len(starts), len(ends) - len(starts)
        inputs = [*starts, *body.sequences]
        self.nodes.append(
            helper.make_node(
                "Scan", inputs, ends, body.name, body=graph, num_scan_inputs=given,
                scan_input_directions=[int(reverse)] * given,
                scan_output_directions=[int(reverse)] * made,
            )
        )  # fmt: skip

    @contextmanager
    def at(self, place: list[NodeProto]) -> Iterator[None]:
        """Nodes that are added in the block go there."""
        before, self.nodes = self.nodes, place
        try:
            yield
        finally:
            self.nodes = before

    def constant(self, value: Any, stem: str = "constant", own: bool = False) -> str:
        """An initializer; one of the same value serves again, unless it is ``own``."""
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        key = (array.shape, array.dtype, array.tobytes())
        if key not in self.known or own:
            self.known[key] = self.fresh(stem)
            tensor = numpy_helper.from_array(array, self.known[key])
            self.initializers[self.known[key]] = tensor
        return self.known[key]

    def integers(self, *values: int) -> str:
        """An array of whole numbers."""
        return self.constant(np.array(values, np.int64), "numbers")

    def number(self, n: int | Size) -> str:
        """A whole number, or one that the sizes of arguments decide."""
        if not isinstance(n, Size):
            return self.constant(np.int64(n), "number")
        if n not in self.known:
            with self.at(self.outer):
                self.known[n] = self._size(n)
        return self.known[n]

    def _size(self, n: Size) -> str:
        """The size as a multiple of a symbol and a number, or a product of two."""
        found = []
        for symbol in self.symbols:
            a, b = symbol.both.a, symbol.both.b
            times, rest = divmod(n.b - n.a, b - a)
            if not rest:
                found.append((abs(times), abs(n.a - times * a), symbol, times))
        for s in self.symbols:
            for u in self.symbols:
                if n == Size(s.both.a * u.both.a, s.both.b * u.both.b):
                    return self.add("Mul", self.symbol(s), self.symbol(u))
        if not found:
            raise ExportError(
                f"a number that is {n.a} in one recording and {n.b} in the other is no "
                "length of an argument nor made of one: branch on no length, or write "
                "-1 in a shape"
            )
        _, _, symbol, times = min(found, key=lambda f: f[:2])
        code, more = self.symbol(symbol), n.a - times * symbol.both.a
        if times != 1:
            code = self.add("Mul", code, self.number(times))
        return self.add("Add", code, self.number(more)) if more else code

    def symbol(self, symbol: Symbol) -> str:
        """The length of an argument's axis, as a number."""
        if symbol.name not in self.known:
            i, axis = symbol.axes[0]
            shape = self.add("Shape", self.arguments[i], start=axis, end=axis + 1)
            out = self.fresh(symbol.name)
            self.known[symbol.name] = self.add(
                "Squeeze", shape, self.integers(0), out=out
            )
        return self.known[symbol.name]

    def vector(self, dims: Sequence[int | Size]) -> str:
        """Whole numbers, of which the sizes of arguments may decide some."""
        known = [d for d in dims if not isinstance(d, Size)]
        if len(known) == len(dims):
            return self.integers(*known)
        key = ("vector", *dims)
        if key not in self.known:
            with self.at(self.outer):
                first, *more = map(self._row, dims)
                made = self.add("Concat", first, *more, axis=0) if more else first
                self.known[key] = made
        return self.known[key]

    def _row(self, size: int | Size) -> str:
        """A size as an array of one number."""
        if not isinstance(size, Size):
            return self.integers(size)
        key = ("row", size)
        if key not in self.known:
            axis = self.integers(0)
            self.known[key] = self.add("Unsqueeze", self.number(size), axis)
        return self.known[key]

    def cast(self, x: str, dtype: Any) -> str:
        """A value in another dtype."""
        return self.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
