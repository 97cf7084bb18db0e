"""Source that numba compiles: a file of the user's cache, so that it is compiled once.

numba keeps machine code beside the file of a function. A program's file bears the hash
of its source: the same program finds its code in the next process.
"""

import hashlib
import os
import sys
import tempfile
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

BACKENDS = ("numpy", "numba")


def usable(backend: str) -> str:
    """The backend, if it is one and can be used here."""
    if backend not in BACKENDS:
        raise ValueError(f"backend is one of {', '.join(BACKENDS)}, got {backend!r}")
    if backend == "numba" and not all(map(find_spec, ("numba", "scipy"))):
        raise ImportError(
            "backend=\"numba\" needs numba and SciPy: pip install 'minigrad-rnn[fast]'"
        )
    return backend


def folder() -> Path:
    """Where sources are kept: ``NUMBA_CACHE_DIR``, or minigrad's place in the cache."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "minigrad"


def functions(source: str) -> dict[str, Any]:
    """What a source defines, imported from its file."""
    name = f"minigrad_program_{hashlib.sha256(source.encode()).hexdigest()[:20]}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, _written(f"{name}.py", source))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return vars(sys.modules[name])


def _written(name: str, source: str) -> Path:
    """The file; written at once or not at all, and never again if it is there."""
    try:
        return _write(folder(), name, source)
    except OSError:  # a home that cannot be written to: for this process alone
        return _write(Path(tempfile.mkdtemp(prefix="minigrad-")), name, source)


def _write(into: Path, name: str, source: str) -> Path:
    path = into / name
    if path.exists() and path.read_text(encoding="utf-8") == source:
        return path
    into.mkdir(parents=True, exist_ok=True)
    number, fresh = tempfile.mkstemp(dir=into, suffix=".tmp")
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(source)
    os.replace(fresh, path)
    return path
