"""Whether the first run of a program gives what its trace gave, but for rounding.

Vocabulary
    rounding  how far the results of a graph move when each of its values is moved by
              up to two units in the last place: what another order of sums can do; and
              where denormal numbers count as zero, as they do in programs

>>> import minigrad as mg
>>> graph = mg.Graph(mg.tensor([1.0, 2.0], name="x") * 3)
>>> difference(graph, [np.array([3.0, 6.0])]) is None
True
>>> difference(graph, [np.array([3.0, 5.0])])
'result 1 is off by up to 1'
"""

from typing import Any

import numpy as np

from minigrad.compile import denormals
from minigrad.compile.values import compute
from minigrad.graph import Graph, Node

# What is surely rounding, in units of the last place of the largest element.
UNITS = 64
# How many times the rounding of a graph the sums of a program may be off.
TIMES = 100


def difference(graph: Graph, results: Any) -> str | None:
    """In words, how results differ from the values of a graph's outputs, or None."""
    moved: list[Any] | None = None
    for i, (node, got) in enumerate(zip(graph.outputs, results, strict=True)):
        want = np.asarray(node.value)
        if (got.shape, got.dtype) != (want.shape, want.dtype):
            return (
                f"result {i + 1} is {got.dtype} {got.shape} instead of "
                f"{want.dtype} {want.shape}"
            )
        got = np.asarray(got)
        if np.array_equal(want, got):
            continue
        off = _off(want, got)
        if off <= UNITS * _unit(want.dtype) * _largest(want) + _tiny(want.dtype):
            continue
        moved = moved or _flushed(graph)
        if not off <= TIMES * _off(want, moved[i]):
            return f"result {i + 1} is off by up to {off:.3g}"
    return None


def _off(want: Any, got: Any) -> float:
    """The largest difference; inf where only one is nan or infinite."""
    same = (want == got) | ((want != want) & (got != got))
    with np.errstate(all="ignore"):
        off = np.where(same, 0, np.abs(want.astype(float) - got.astype(float)))
    return float(np.where(np.isnan(off), np.inf, off).max())


def _largest(array: Any) -> float:
    finite = np.abs(array[np.isfinite(array)].astype(float))
    return float(finite.max()) if finite.size else 0.0


def _tiny(dtype: Any) -> float:
    """What counts as zero where denormal numbers do."""
    return float(np.finfo(dtype).tiny) * UNITS if dtype.kind == "f" else 0.0


def _unit(dtype: Any) -> float:
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


def _flushed(graph: Graph) -> list[Any]:
    """The outputs of a graph, moved, where denormal numbers count as zero."""
    before = denormals.now()
    try:
        denormals.flush()
        return _moved(graph)
    finally:
        denormals.restore(before)


def _moved(graph: Graph) -> list[Any]:
    """The outputs of a graph computed with every value off by its last place."""
    rng = np.random.default_rng(0)
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            value = node.value
            if node.inputs:
                read = [values[source] for source in node.inputs]
                attrs = node.op.attributes(node)
                try:
                    value = compute(node.op, read, attrs)
                except ValueError:
                    # It refuses what lies beyond a bound, as 1 is for a probability.
                    pairs = zip(read, node.inputs, strict=True)
                    bounded = [_in_range(r, i.value) for r, i in pairs]
                    value = compute(node.op, bounded, attrs)
            if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f":
                unit = rng.uniform(-2, 2, np.shape(value)) * _unit(value.dtype)
                value = np.multiply(value, 1 + unit, dtype=value.dtype)
            values[node] = value
    return [np.asarray(values[node]) for node in graph.outputs]


def _in_range(moved: Any, was: Any) -> Any:
    """A moved value, but nowhere beyond the least and the largest that there were."""
    was = np.asarray(was)
    if was.dtype.kind != "f" or not was.size:
        return moved
    return np.clip(moved, was.min(), was.max())
