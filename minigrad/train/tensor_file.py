"""A safetensors file with a checksum: named arrays and a JSON text beside them.

A file is whole or the old one is still there, and what is read is looked at before it
is believed. No code is in such a file and none is run.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
>>> write_tensors(path, {"W": np.ones(2, np.float32)}, {"step": 7})
>>> arrays, said = read_tensors(path)
>>> arrays["W"].tolist(), said
([1.0, 1.0], {'step': 7})
"""

import json
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.advice import imported
from minigrad.files import replacing

Array = NDArray[Any]
Path_ = str | os.PathLike[str]
# What the format and NumPy both have.
KINDS = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
}
BFLOAT = "BF16"  # which NumPy lacks


def write_tensors(path: Path_, arrays: Mapping[str, Array], said: Any) -> None:
    """Write arrays and a JSON text with their checksum, or leave the old file.

    Raises FloatingPointError for a NaN, so that a training that went wrong does not
    write over the file that it could go on from, and TypeError for a dtype that the
    format does not have.

    Shapes and dtypes are kept.
    """
    save = imported("safetensors.numpy", "train").save
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype.name not in KINDS.values():
            raise TypeError(f"{name} is {array.dtype}, which safetensors cannot hold")
    if found := _nan(arrays):
        raise FloatingPointError(f"{found}; {path} is not written")
    text = json.dumps(said)
    # One entry, since the library writes several in no certain order.
    metadata = {"minigrad": f"{_checksum(arrays, text)} {text}"}
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata))


def read_tensors(path: Path_, others: bool = False) -> tuple[dict[str, Array], Any]:
    """Read what ``write_tensors`` wrote; a ValueError says why a file is refused.

    With ``others`` a file that minigrad did not write is read too: it has no checksum,
    its text is an empty object, and its bfloat16 are float32 of the same value.

    Shapes and dtypes are those that were written.
    """
    safetensors = imported("safetensors", "train")
    content = Path(path).read_bytes()
    try:
        metadata = _metadata(content, others)
        found = safetensors.deserialize(content)
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        reason = _other(content) or error
        raise ValueError(f"{path} is not a whole safetensors file: {reason}") from error
    # The library gives them in no certain order.
    arrays = {name: _array(**entry) for name, entry in sorted(found, key=itemgetter(0))}
    said: Any = {}
    if not others or "minigrad" in metadata:
        said = _said(path, arrays, metadata)
    if found := _nan(arrays):
        raise ValueError(
            f"{path} is refused: {found}. To look at it all the same, read it with "
            "safetensors.numpy.load_file"
        )
    return arrays, said


# How other files begin, and how what is in them comes in.
OTHERS = {
    "PK.{40,200}?data.pkl|\x80[\2-\5]": "it is what torch.save writes, a pickle, and "
    "pickles are not run here. In PyTorch write safetensors.torch.save_file(network."
    "state_dict(), path) and read that; or hand network.state_dict() itself to "
    "minigrad.exchange.from_torch(module, state_dict)",
    "PK.{0,200}?[.]npy": "it is an archive of NumPy: module.load_state_dict("
    "np.load(path)) reads it",
    "\x89HDF": "it is HDF5, as Keras writes: there, write each weight with np.save",
}


def _other(content: bytes) -> str:
    """Which other kind of file it is, and what to do; or nothing.

    >>> _other(b"\\x89HDF\\r")
    'it is HDF5, as Keras writes: there, write each weight with np.save'
    """
    start = content[:300].decode("latin-1")
    found = (said for form, said in OTHERS.items() if re.match(form, start, re.DOTALL))
    return next(found, "")


def _said(path: Path_, arrays: Mapping[str, Array], metadata: Mapping[str, Any]) -> Any:
    """The JSON beside the arrays, once the checksum is known to fit."""
    checksum, _, text = str(metadata.get("minigrad", "")).partition(" ")
    if not text:
        raise ValueError(f"{path} was not written by minigrad: it has no checksum")
    if checksum != _checksum(arrays, text):
        raise ValueError(f"{path} was altered: its checksum does not fit its contents")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} was altered: its text is no JSON ({error})") from None


def _array(dtype: str, shape: list[int], data: bytes) -> Array:
    """Numbers of a file, which may begin at any place in memory."""
    if dtype == BFLOAT:  # the upper half of a float32
        upper = np.frombuffer(data, "<u2").astype(np.uint32)
        return (upper << 16).view(np.float32).reshape(shape)
    return np.frombuffer(data, KINDS[dtype]).reshape(shape)


def _metadata(content: bytes, others: bool) -> dict[str, Any]:
    """The texts of the header, once it is known that the library can read the rest.

    The library lets a name pass that occurs twice, and has no error of its own for a
    type of number that NumPy lacks.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 + length:
        raise ValueError("it ends within its header")
    header = json.loads(content[8 : 8 + length], object_pairs_hook=_once)
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise ValueError("its __metadata__ is no object")
    known = (*KINDS, BFLOAT) if others else (*KINDS,)
    for name, entry in header.items():
        kind = entry.get("dtype") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or kind not in known:
            raise ValueError(
                f"{name!r} has numbers of type {kind!r}; NumPy has {', '.join(KINDS)}"
            )
    return metadata


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} occurs twice")
        found[name] = value
    return found


def _checksum(arrays: Mapping[str, Array], text: str) -> str:
    digest = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _nan(arrays: Mapping[str, Array]) -> str:
    """Where there is a NaN, or nothing. An infinity may be meant, as in a mask."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and np.isnan(array).any():
            place = np.argwhere(np.isnan(array))[0].tolist()
            return f"{name} is nan at {place}"
    return ""
