"""Checkpoints: all that decides how a training goes on, in one safetensors file.

Vocabulary
    part    what has a state: a module, an optimiser, an order of data, or a NumPy
            generator; a checkpoint knows it by name
    note    small facts beside the arrays: the step, the best validation so far

A file is whole or the old one is still there. What is read is checked first: a file
that was cut, altered or made for other shapes is refused, and nothing has changed.

>>> import tempfile
>>> from minigrad.optim import SGD
>>> import minigrad as mg
>>> path = Path(tempfile.mkdtemp()) / "run.safetensors"
>>> optimiser, rng = SGD([mg.parameter([1.0])], 0.1), np.random.default_rng(0)
>>> save_checkpoint(path, {"optimiser": optimiser, "rng": rng}, {"step": 7})
>>> drawn = rng.random()
>>> load_checkpoint(path, {"optimiser": optimiser, "rng": rng})
{'step': 7}
>>> rng.random() == drawn
True
"""

import json
import os
import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minigrad.nn import Module
from minigrad.optim import OLD, Optimiser, is_old
from minigrad.train.files import replacing

__all__ = [
    "Part",
    "Stateful",
    "load_checkpoint",
    "load_weights",
    "save_checkpoint",
    "save_weights",
]

Array = NDArray[Any]
Path_ = str | os.PathLike[str]


class Stateful(Protocol):
    """What can hand out its state as arrays and take it back."""

    def state_dict(self) -> Mapping[str, Array]:
        """The arrays by name."""

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from them."""


Part = Stateful | np.random.Generator


def save_checkpoint(path: Path_, parts: Mapping[str, Part], note: Any) -> None:
    """Write the states of the parts and a note (anything JSON can hold)."""
    arrays: dict[str, Array] = {}
    generators: dict[str, Any] = {}
    for name, part in parts.items():
        if isinstance(part, np.random.Generator):
            generators[name] = part.bit_generator.state
        else:
            for key, array in part.state_dict().items():
                arrays[f"{name}/{key}"] = array
    write_tensors(path, arrays, {"generators": generators, "note": note})


def load_checkpoint(path: Path_, parts: Mapping[str, Part]) -> Any:
    """Set the parts to what a checkpoint holds and return its note.

    Raises ValueError with the reason, before anything is changed, where the file is not
    whole or belongs to other parts.
    """
    arrays, said = read_tensors(path)
    states: dict[str, dict[str, Array]] = {}
    wrong = []
    for name, part in parts.items():
        if isinstance(part, np.random.Generator):
            saved = said["generators"].get(name, {}).get("bit_generator")
            kind = part.bit_generator.state["bit_generator"]
            if saved != kind:
                wrong.append(
                    f"{name}: a generator of kind {kind}, the file has {saved}"
                )
            continue
        states[name] = {
            key.removeprefix(f"{name}/"): array
            for key, array in arrays.items()
            if key.startswith(f"{name}/")
        }
        own = part.state_dict()
        if isinstance(part, Optimiser) and is_old(states[name]):
            wrong.append(f"{name}: {OLD}")
        for key in own.keys() | states[name].keys():
            here, there = (_say(state.get(key)) for state in (own, states[name]))
            if here != there:
                wrong.append(f"{name}/{key}: {here} here, {there} in the file")
    known = tuple(f"{name}/" for name in parts)
    wrong += [f"{key}: not a part" for key in arrays if not key.startswith(known)]
    if wrong:
        lines = "\n  ".join(sorted(wrong))
        raise ValueError(
            f"{path} is a checkpoint of something else; nothing was loaded:\n  {lines}"
        )
    for name, part in parts.items():
        if isinstance(part, np.random.Generator):
            part.bit_generator.state = said["generators"][name]
        else:
            part.load_state_dict(states[name])
    return said["note"]


def save_weights(path: Path_, module: Module) -> None:
    """Write the state of a module as a safetensors file, or leave the old one."""
    write_tensors(path, module.state_dict(), {})


def load_weights(path: Path_, module: Module) -> None:
    """Read what ``save_weights`` wrote.

    Raises ValueError, and changes nothing, where the file is not whole or of another
    module.
    """
    module.load_state_dict(read_tensors(path)[0])


def write_tensors(path: Path_, arrays: Mapping[str, Array], said: Any) -> None:
    """Write arrays and a JSON text with their checksum, or leave the old file."""
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(said)
    # One entry, since the library writes several in no certain order.
    metadata = {"minigrad": f"{_checksum(arrays, text)} {text}"}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata))


def read_tensors(path: Path_) -> tuple[dict[str, Array], Any]:
    """Read what ``write_tensors`` wrote; a ValueError says why a file is refused."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = Path(path).read_bytes()
    try:
        metadata = _header(content).get("__metadata__", {})
        arrays = load(content)
    except (SafetensorError, ValueError, struct.error) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    checksum, _, text = metadata.get("minigrad", "").partition(" ")
    if not text:
        raise ValueError(f"{path} was not written by minigrad: it has no checksum")
    if checksum != _checksum(arrays, text):
        raise ValueError(f"{path} was altered: its checksum does not fit its contents")
    return arrays, json.loads(text)


def _header(content: bytes) -> dict[str, Any]:
    """The JSON header, read here for what the library lets pass: a name twice."""
    (length,) = struct.unpack("<Q", content[:8])

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"the name {min(twice)!r} occurs twice")
        return dict(pairs)

    header = json.loads(content[8 : 8 + length], object_pairs_hook=once)
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    return header


def _checksum(arrays: Mapping[str, Array], text: str) -> str:
    digest = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _say(array: Any) -> str:
    return "nothing" if array is None else f"{array.dtype} {array.shape}"
