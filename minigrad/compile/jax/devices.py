"""Where the arrays of a program are: on one device, or the batch on several.

Vocabulary
    batch       the axis whose entries are computed apart: the second one of arrays that
                are read a step at a time, the first one of others
    everywhere  each device has all of it: parameters, and results
"""

import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from minigrad.compile.values import Value

# Copies of parameters, by the array that they are a copy of and where they are.
_copies: dict[Any, tuple[Any, Any]] = {}


class Devices:
    """The devices of a mesh with the axis "batch", or one."""

    def __init__(self, mesh: Any) -> None:
        self.mesh = mesh
        self.everywhere = mesh and NamedSharding(mesh, PartitionSpec())

    def parameter(self, array: Any) -> Any:
        """A parameter on the devices: copied once as long as it is that array."""
        if not isinstance(array, np.ndarray):
            return array
        key = id(array), self.mesh
        kept = _copies.get(key)
        if kept is None or kept[1].is_deleted():
            forget = weakref.ref(array, lambda _: _copies.pop(key, None))
            _copies[key] = kept = forget, self.put(array, self.everywhere)
        return kept[1]

    def put(self, array: Any, sharding: Any) -> Any:
        """A copy of an array of NumPy on the devices."""
        if self.mesh is None:
            return jax.device_put(np.array(array))
        return jax.make_array_from_callback(
            array.shape, sharding, lambda part: np.array(array[part])
        )

    def batch(self, arguments: Mapping[Value, Any]) -> Iterator[Any]:
        """Arguments on the devices."""
        for leaf, array in arguments.items():
            if isinstance(array, np.ndarray):
                yield self.put(array, self.everywhere)
            else:
                yield array

    def explain(self) -> list[str]:
        return [f"{'devices':<14}{jax.devices()[0]}"]
