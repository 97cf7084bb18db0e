"""Source that numba compiles, and its machine code in a folder of the user's cache.

What the next process finds there it runs, so the folder is this user's alone (mode
0700): one that somebody else can write to is not used. A file is looked at before
numba sees it; one that is damaged is as good as none, and is written again.
"""

import linecache
import os
import pickle
import sys
import warnings
from contextlib import suppress
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad.files import replacing

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


_said: set[Path] = set()  # the folders of which it was said that they are not ours


def folder() -> Path:
    """Where machine code is kept: in ``NUMBA_CACHE_DIR``, or else in the user's cache.

    A folder of our own in it: there, no one else has a reason to write.
    """
    given = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "minigrad"


def functions(source: str) -> dict[str, Any]:
    """What a source defines; what numba is to compile finds its code on disk."""
    name = f"minigrad_program_{sha256(source.encode()).hexdigest()[:20]}"
    if name not in sys.modules:
        module = sys.modules[name] = ModuleType(name)
        file = f"<{name}>"
        lines = source.splitlines(keepends=True)
        linecache.cache[file] = (len(source), None, lines, file)  # for tracebacks
        exec(compile(source, file, "exec"), vars(module))
        for function in vars(module).values():
            if hasattr(function, "py_func"):
                function._cache = Kept(f"{name}.{function.__name__}")
    return vars(sys.modules[name])


class Kept:
    """What numba compiled of one function, a file for each of its signatures.

    It stands in the place of numba's own cache, which unpickles whatever it finds.
    """

    cache_path = None

    def __init__(self, name: str) -> None:
        self.name = name

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled code, or None if there is no whole file of ours."""
        from numba.core.compiler import CompileResult

        target.refresh()
        path = self._path(signature, target.codegen())
        with suppress(OSError):
            if path is not None and _is_mine(path):
                content = path.read_bytes()
                if content[:32] == sha256(content[32:]).digest():
                    kept = pickle.loads(content[32:])
                    rebuild: Any = CompileResult._rebuild
                    return rebuild(target, *kept)
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the code, if it can be and the folder is ours."""
        from numba.core import serialize

        dumps: Any = serialize.dumps
        fixed = not result.library.has_dynamic_globals
        path = self._path(signature, result.codegen)
        if path is not None and fixed and all(x.can_cache for x in result.lifted):
            content = dumps(result._reduce())
            with suppress(OSError), replacing(path) as temporary:
                temporary.write_bytes(sha256(content).digest() + content)

    def enable(self) -> None:
        """Numba's word for what is always so."""

    def disable(self) -> None:
        """As ``enable``."""

    def flush(self) -> None:
        """As ``enable``."""

    def _path(self, signature: Any, codegen: Any) -> Path | None:
        import numba

        into = owned(folder())
        machine = (sys.version, numba.__version__, codegen.magic_tuple())
        key = sha256(repr((signature, machine)).encode()).hexdigest()[:20]
        return into and into / f"{self.name}.{key}"


def owned(into: Path) -> Path | None:
    """The folder, made if it is not there; None if it is not this user's alone."""
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        into.mkdir(mode=0o700, exist_ok=True)
        if _is_mine(into) and not into.stat().st_mode & 0o022:
            into.chmod(0o700)
            return into
    except OSError:  # a home that cannot be written to
        return None
    if into in _said:
        return None
    _said.add(into)
    warnings.warn(
        f"{into} can be written by others, so machine code is not kept there: remove "
        "it, or set NUMBA_CACHE_DIR to a folder of your own",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def _is_mine(path: Path) -> bool:
    return not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid()
