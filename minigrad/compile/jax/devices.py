"""Where the arrays of a program are: on one device, or the batch on those of a mesh.

Vocabulary
    batch   the axis whose entries are computed apart: the second one of arrays that are
            read a step at a time, and the axis of that length of all others
    shared  each device has all of it: parameters, results, and what has no batch
"""

import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental.multihost_utils import assert_equal
from jax.sharding import NamedSharding, PartitionSpec

from minigrad.compile.backend import EngineError
from minigrad.compile.values import Program, Time, Value

# Copies of parameters, by the array that they are a copy of and where they are.
_copies: dict[Any, tuple[Any, Any]] = {}


class Devices:
    """One device, or those of a mesh with the axis "batch"."""

    def __init__(self, mesh: Any, program: Program) -> None:
        if mesh is not None and getattr(mesh, "axis_names", None) != ("batch",):
            raise EngineError(
                'mesh is jax.sharding.Mesh(jax.devices(), ("batch",)), one row of '
                f"devices: got {mesh!r}"
            )
        self.mesh = mesh
        self.shared = mesh and NamedSharding(mesh, PartitionSpec())
        # Arguments that have time first.
        self.timed = {v.inputs[0] for v in program.values if v.op is Time.read}

    def parameter(self, array: Any) -> Any:
        """A parameter on the devices, copied once as long as it is that array."""
        if not isinstance(array, np.ndarray):
            return array
        key = id(array), self.mesh
        kept = _copies.get(key)
        if kept is None or kept[1].is_deleted():
            if jax.process_count() > 1:
                assert_equal(array, "the hosts have different values of a parameter")
            forget = weakref.ref(array, lambda _: _copies.pop(key, None))
            _copies[key] = kept = forget, self._put(array, self.shared)
        return kept[1]

    def arguments(self, given: Mapping[Value, Any]) -> Iterator[Any]:
        """Arguments on the devices."""
        size = self._batch_of(given) if self.mesh is not None else None
        for leaf, array in given.items():
            axis = self._axis(leaf, array, size)
            if not isinstance(array, np.ndarray):
                yield array
            elif axis is None:
                yield self._put(array, self.shared)
            else:
                parts = PartitionSpec(*[None] * axis, "batch")
                yield self._put(array, NamedSharding(self.mesh, parts))

    def _batch_of(self, given: Mapping[Value, Any]) -> Any:
        """How many entries the batch has, which the devices must share evenly."""
        timed = [a.shape[1] for v, a in given.items() if v in self.timed and a.ndim > 1]
        found = timed or [a.shape[0] for a in given.values() if a.ndim]
        size, devices = (found or [0])[0], self.mesh.size
        if not size or size % devices:
            raise EngineError(
                f"{devices} devices share a batch whose number of entries they divide, "
                f"and this one has {size}: leave the mesh out, or change the batch"
            )
        return size

    def _axis(self, leaf: Value, array: Any, size: int | None) -> int | None:
        """The batch axis of an argument; None where it has none."""
        first = int(leaf in self.timed)
        axes = [k for k, n in enumerate(array.shape[:2]) if n == size and k >= first]
        return axes[0] if axes else None

    def _put(self, array: Any, sharding: Any) -> Any:
        """A copy of an array on the devices; of several hosts each puts its part."""
        if self.mesh is None:
            return jax.device_put(np.array(array))
        return jax.make_array_from_callback(
            array.shape, sharding, lambda part: np.array(array[part])
        )

    def explain(self) -> str:
        """Which devices."""
        found = [jax.devices()[0]] if self.mesh is None else self.mesh.devices.flat
        text = f"{'devices':<14}{', '.join(map(str, found))}"
        return text if self.mesh is None else f"{text} share the batch"
