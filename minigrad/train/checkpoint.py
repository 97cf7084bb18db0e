"""Checkpoints: all that decides how a training goes on, in one safetensors file.

Vocabulary
    part    what has a state: a module, an optimiser, an order of data, or a NumPy
            generator; a checkpoint knows it by name
    note    small facts beside the arrays: the step, the best validation so far

A file is whole or the old one is still there. What is read is checked first: a file
that was cut, altered or made for other shapes is refused by a ValueError, and nothing
has changed: the parts are set all of them or none.

>>> import tempfile
>>> from minigrad.optim import SGD
>>> import minigrad as mg
>>> path = tempfile.mkdtemp() + "/run.safetensors"
>>> optimiser, rng = SGD([mg.parameter([1.0])], 0.1), np.random.default_rng(0)
>>> save_checkpoint(path, {"optimiser": optimiser, "rng": rng}, {"step": 7})
>>> drawn = rng.random()
>>> load_checkpoint(path, {"optimiser": optimiser, "rng": rng})
{'step': 7}
>>> rng.random() == drawn
True
"""

import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Protocol

import numpy as np

from minigrad.advice import near, told
from minigrad.compile.chance import state_of
from minigrad.nn import Module
from minigrad.optim.optimiser import OLD, Optimiser, is_old
from minigrad.train.tensor_file import Array, Path_, read_tensors, write_tensors


class Stateful(Protocol):
    """What can hand out its state as arrays and take it back.

    >>> class Count:
    ...     number = 0
    ...
    ...     def state_dict(self):
    ...         return {"number": np.array(self.number)}
    ...
    ...     def load_state_dict(self, state):
    ...         self.number = int(state["number"])
    >>> count: Stateful = Count()
    >>> count.load_state_dict({"number": np.array(7)})
    >>> count.state_dict()
    {'number': array(7)}
    """

    def state_dict(self) -> Mapping[str, Array]:
        """The arrays by name."""

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from them."""


Part = Stateful | np.random.Generator
# The largest number at a place of a generator's state, from which NumPy reads unasked.
LARGEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1, "uinteger": 2**32 - 1}
# How PyTorch names the matrices of a recurrent layer.
ROWS = re.compile(r"(^|\.)weight_[ih]h(_l\d+(_reverse)?)?$")


def save_checkpoint(path: Path_, parts: Mapping[str, Part], note: Any) -> None:
    """Write the states of the parts and a note (anything JSON can hold).

    Raises FloatingPointError for a NaN, or for an infinity in what an optimiser keeps,
    and leaves the old file: it is the one to go on from.

    Raises TypeError for parts that have no state, ValueError for names of which one
    begins another.
    """
    _require_parts(parts)
    arrays: dict[str, Array] = {}
    generators: dict[str, Any] = {}
    for name, part in parts.items():
        if isinstance(part, np.random.Generator):
            generators[name] = state_of(part)
        else:
            for key, array in part.state_dict().items():
                if isinstance(part, Optimiser) and not _is_memory(key, array):
                    raise FloatingPointError(
                        f"{name}/{key} is not finite; {path} is not written"
                    )
                arrays[f"{name}/{key}"] = array
    write_tensors(path, arrays, {"generators": generators, "note": note})


def load_checkpoint(path: Path_, parts: Mapping[str, Part]) -> Any:
    """Set the parts to what a checkpoint holds and return its note.

    Raises ValueError with the reason, and changes nothing, where the file is not whole
    or belongs to other parts.
    """
    note, load = opened(path, parts)
    load()
    return note


def opened(path: Path_, parts: Mapping[str, Part]) -> tuple[Any, Callable[[], None]]:
    """The note of a checkpoint, and a function that sets the parts to the rest of it.

    For who wants to look at the note before anything changes; raises as
    ``load_checkpoint`` does.

    That is ValueError for a file that is no such checkpoint.

    Raises TypeError for parts that have no state.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/run.safetensors"
    >>> rng = np.random.default_rng(0)
    >>> save_checkpoint(path, {"rng": rng}, {"step": 7})
    >>> note, load = opened(path, {"rng": rng})
    >>> note, load()
    ({'step': 7}, None)
    """
    _require_parts(parts)
    arrays, said = read_tensors(path)
    if not (
        isinstance(said, dict)
        and isinstance(said.get("generators"), dict)
        and "note" in said
    ):
        raise ValueError(
            f"{path} holds the weights of a module and no checkpoint: read it with "
            "load_weights(path, module)"
        )
    states: dict[str, Any] = {}
    wrong = []
    for name, part in parts.items():
        saved: Any
        if isinstance(part, np.random.Generator):
            saved = said["generators"].get(name)
            states[name], found = _generator_state(saved, part.bit_generator.state)
        else:
            saved = {
                key.removeprefix(f"{name}/"): array
                for key, array in arrays.items()
                if key.startswith(f"{name}/")
            }
            states[name], found = saved, _differences(part, saved)
            if isinstance(part, Optimiser) and is_old(saved):
                found = [f": {OLD}"]
        wrong += [f"{name}{line}" for line in found]
    known = tuple(f"{name}/" for name in parts)
    wrong += [f"{key}: not a part" for key in arrays if not key.startswith(known)]
    if wrong:
        lines = "\n  ".join(sorted(wrong))
        raise ValueError(
            f"{path} is a checkpoint of something else; nothing was loaded:\n  {lines}"
        )
    return said["note"], lambda: _load(path, parts, states)


def _load(path: Path_, parts: Mapping[str, Part], states: dict[str, Any]) -> None:
    """Set all parts, or at an error or Ctrl-C none."""
    before = {name: _state(part) for name, part in parts.items()}
    name = ""
    try:
        for name, part in parts.items():
            _set(part, states[name])
    except BaseException as error:
        for other, part in parts.items():
            _set(part, before[other])
        if not isinstance(error, Exception):
            raise
        raise ValueError(
            f"{path}: {name} does not take its state, and nothing was loaded: {error}"
        ) from error


def save_weights(path: Path_, module: Module, about: Any = None) -> None:
    """Write the state of a module as a safetensors file, or leave the old one.

    ``about`` is a note, anything JSON can hold: what is needed to make the module anew.

    Raises TypeError for what is no module.

    >>> import tempfile
    >>> from minigrad.nn import Linear
    >>> path = tempfile.mkdtemp() + "/linear.safetensors"
    >>> save_weights(path, Linear(2, 3, rng=np.random.default_rng(0)), about=[2, 3])
    >>> read_about(path)
    [2, 3]
    """
    _require_module(module)
    write_tensors(path, module.state_dict(), {} if about is None else {"about": about})


def read_about(path: Path_) -> Any:
    """The note of ``save_weights``, or None; raises ValueError as ``load_weights``."""
    said = read_tensors(path)[1]
    return said.get("about") if isinstance(said, dict) else None


def load_weights(
    path: Path_, module: Module, names: Mapping[str, str] | None = None
) -> None:
    """Read weights that ``save_weights`` or another program wrote as safetensors.

    Parameters
    ----------
    path: the file. Its checksum is compared where there is one.
    names: the parameter's path in the module for each name of the file that is another.
        Nothing else is changed: what PyTorch lays out in its own way comes in by
        ``minigrad.exchange.from_torch``.

    Numbers of a type that the parameter's holds exactly are converted: bfloat16 and
    float16 to float32, all of them to float64.

    Raises ValueError, and changes nothing, where the file is not whole or of another
    module; it lists the names that one side lacks, and those that are near.

    Raises TypeError for what is no module, and for names that are no mapping.

    >>> import tempfile
    >>> from safetensors.numpy import save_file
    >>> from minigrad.nn import Linear
    >>> path = tempfile.mkdtemp() + "/theirs.safetensors"
    >>> save_file({"kernel": np.ones((2, 3), np.float16), "b": np.zeros(3)}, path)
    >>> layer = Linear(2, 3, rng=np.random.default_rng(0), dtype=np.float64)
    >>> load_weights(path, layer, names={"kernel": "W"})
    >>> layer.W.data.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    _require_module(module)
    if not isinstance(names, Mapping | None):
        raise TypeError(
            "names has the parameter's path for each name of the file that is another, "
            f'as {{"kernel": "W"}}: got {type(names).__name__}'
        )
    arrays, said = read_tensors(path, others=True)
    if not isinstance(said, dict) or set(said) - {"about"}:
        raise ValueError(
            f"{path} is a checkpoint, which has more than weights: read it with "
            'load_checkpoint(path, {"module": module, ...}), all its parts by name'
        )
    if rows := [name for name in arrays if ROWS.search(name)]:
        raise ValueError(
            f"{path} has gates in PyTorch's rows ({rows[0]}): write minigrad.exchange."
            "from_torch(module, safetensors.numpy.load_file(path))"
        )
    own = module.state_dict()
    arrays = _renamed(arrays, names or {}, own, f"{path} and {type(module).__name__}")
    module.load_state_dict({k: _widened(a, own.get(k)) for k, a in arrays.items()})


def _renamed(
    arrays: Mapping[str, Array],
    names: Mapping[str, str],
    own: Mapping[str, Array],
    sides: str,
) -> dict[str, Array]:
    """The arrays by the names of the module."""
    found: dict[str, Array] = {}
    twice = []
    for name, array in arrays.items():
        path = names.get(name, name)
        if path in found:
            twice.append(f"{path!r} is given twice, once by {name!r}")
        found[path] = array
    no_name = (n for n in names if n not in arrays)
    no_path = (p for p in names.values() if p not in own)
    lines = chain(
        (f"{n!r} is not in the file{near(n, arrays)}" for n in no_name),
        (f"{p!r} is no parameter of the module{near(p, own)}" for p in no_path),
        twice,
    )
    if wrong := told(lines):
        raise ValueError(f"names= does not fit {sides}; nothing was loaded:{wrong}")
    return found


def _widened(array: Array, own: Array | None) -> Array:
    """Floats in the dtype of the parameter, where that loses nothing."""
    if own is None or {array.dtype.kind, own.dtype.kind} != {"f"}:
        return array
    return array.astype(own.dtype) if np.can_cast(array.dtype, own.dtype) else array


def _require_module(module: Module) -> None:
    if not isinstance(module, Module):
        raise TypeError(
            "weights are those of a module, which stands after the path: got "
            f"{type(module).__name__}"
        )


def _require_parts(parts: Mapping[str, Part]) -> None:
    if not isinstance(parts, Mapping):
        raise TypeError(
            'the parts of a checkpoint have names, as {"module": model} gives them: '
            f"got {type(parts).__name__}"
        )
    for name, part in parts.items():
        known = hasattr(part, "state_dict") and hasattr(part, "load_state_dict")
        if not isinstance(name, str) or not (
            known or isinstance(part, np.random.Generator)
        ):
            raise TypeError(
                "the parts of a checkpoint are modules, optimisers and the like "
                "(state_dict, load_state_dict) or NumPy generators, by name: got "
                f"{name!r}: {type(part).__name__}"
            )
        # Else the file's a/b/W could be b/W of a or W of a/b.
        if holder := next((o for o in parts if name.startswith(f"{o}/")), None):
            raise ValueError(
                f"{name!r} would be a part within the part {holder!r}: name it without "
                f"{holder + '/'!r}"
            )


def _state(part: Part) -> Any:
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    return part.state_dict()


def _set(part: Part, state: Any) -> None:
    if isinstance(part, np.random.Generator):
        part.bit_generator.state = state
    else:
        part.load_state_dict(state)


def _differences(part: Stateful, state: Mapping[str, Array]) -> list[str]:
    """What a part's state and the one in the file do not agree in."""
    own = part.state_dict()
    wrong = []
    for key in own.keys() | state.keys():
        here, there = _say(own.get(key)), _say(state.get(key))
        if here != there:
            wrong.append(f"/{key}: {here} here, {there} in the file")
        elif isinstance(part, Optimiser) and not _is_memory(key, state[key]):
            wrong.append(f"/{key}: not what an optimiser remembers")
    return wrong


def _is_memory(key: str, array: Array) -> bool:
    """Whether means, squares or a number of steps can be these numbers."""
    return bool(np.isfinite(array).all() and (key != "steps" or array.min() >= 0))


def _say(array: Any) -> str:
    if array is None:
        return "nothing"
    array = np.asarray(array)
    return f"{array.dtype} {array.shape}"


def _generator_state(saved: Any, own: Any) -> tuple[Any, list[str]]:
    """A state as the generator takes it, of the form of its own; or what is wrong."""
    kind = own["bit_generator"]
    there = saved.get("bit_generator") if isinstance(saved, dict) else None
    if there != kind:
        return None, [f": a generator of kind {kind}, the file has {there}"]
    try:
        return _like(own, saved, ""), []
    except (ValueError, OverflowError, TypeError) as error:
        return None, [f": no state of a generator: {error}"]


def _like(own: Any, saved: Any, key: str) -> Any:
    if isinstance(own, dict):
        if not isinstance(saved, dict) or own.keys() != saved.keys():
            raise ValueError(f"{key or 'it'} needs {', '.join(own)}")
        return {k: _like(own[k], saved[k], k) for k in own}
    if isinstance(own, np.ndarray):
        numbers = np.array(saved, own.dtype)
        if numbers.shape != own.shape or numbers.tolist() != saved:
            raise ValueError(f"{key} is no {own.dtype} {own.shape}")
        return numbers
    if isinstance(own, str):
        return saved
    if type(saved) is not int or not 0 <= saved <= LARGEST.get(key, 2**128 - 1):
        raise ValueError(f"{key} is {saved!r}")
    return saved
