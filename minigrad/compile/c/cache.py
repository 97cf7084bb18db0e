"""Shared objects of C source: built once, kept in a folder of the user's, checked.

Vocabulary
    folder  ``MINIGRAD_CACHE``, else minigrad in the user's folder of caches; it is used
            only where it is the user's own and nobody else may write to it
    key     a hash of all that decides what is built: source, compiler, flags, target
    name    of a file: its key, and a hash of its content, which is compared before the
            file is loaded; so what is damaged is built again

A file comes into the folder whole, by renaming: any number of processes may build the
same at once.
"""

import atexit
import ctypes
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from minigrad.compile.c.compiler import Compiler, CompilerError, find, known

LIMIT = 256 * 2**20  # bytes of shared objects in the folder
FORGOTTEN = 24 * 3600.0  # seconds after which a build that was begun was killed
NAME = re.compile(r"[0-9a-f]{32}-([0-9a-f]{32})\.so")
BUILDING = ".minigrad-building-"


@dataclass(frozen=True, slots=True)
class Library:
    """A loaded shared object, and how it came about."""

    loaded: ctypes.CDLL
    path: Path
    compiler: Compiler
    cached: bool
    seconds: float

    def function(self, name: str) -> Any:
        """The C function of this name, a new object of ctypes each time."""
        return self.loaded[name]

    def explain(self) -> str:
        """Which compiler, which flags, and whether it was built or found."""
        compiler, *arguments = self.compiler.command
        how = "loaded from the cache in" if self.cached else "built in"
        rows = {
            "compiler": " ".join([compiler, *arguments]),
            "version": self.compiler.version.partition("\n")[0],
            "flags": " ".join(self.compiler.flags),
            "refused": " ".join(self.compiler.refused),
            "shared object": f"{how} {self.seconds:.3f} s, {self.path}",
        }
        return "\n".join(f"{name:<14}{row}" for name, row in rows.items() if row)


_lock = threading.Lock()
_libraries: dict[tuple[tuple[str, ...], str], Library] = {}


def compiled(source: str) -> Library:
    """The shared object of self-contained C source, built where it is not there yet.

    In one process, a source is built and loaded once for each compiler. Raises
    CompilerNotFound and CompilerError.
    """
    command = find()
    with _lock:
        if (command, source) not in _libraries:
            _libraries[command, source] = _library(command, source)
        return _libraries[command, source]


def _library(command: tuple[str, ...], source: str) -> Library:
    start = time.perf_counter()
    folder = _folder()
    with tempfile.TemporaryDirectory(dir=folder, prefix=BUILDING) as work:
        compiler = known(command, Path(work), folder / "zig")
        key = _key(source, compiler)
        for path in folder.glob(f"{key}-*"):
            # One that was built elsewhere, with another C library, may not load here.
            with suppress(OSError):
                if _is_sound(path):
                    loaded = ctypes.CDLL(str(path))
                    os.utime(path)
                    seconds = time.perf_counter() - start
                    return Library(loaded, path, compiler, True, seconds)
        built = compiler.build(source, Path(work), folder / "zig")
        built.chmod(0o700)
        path = folder / f"{key}-{_hash(built.read_bytes())}.so"
        built.replace(path)
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise CompilerError(
            f"what {command[0]} has built cannot be loaded: {error}. Where files of "
            f"{folder} may not be run (noexec), set MINIGRAD_CACHE to another folder"
        ) from error
    _clean(folder)
    return Library(loaded, path, compiler, False, time.perf_counter() - start)


def _key(source: str, compiler: Compiler) -> str:
    pointer = str(ctypes.sizeof(ctypes.c_void_p))
    facts = [sys.platform, pointer, *compiler.command, compiler.version]
    facts += [*compiler.flags, compiler.target, source]
    return _hash("\0".join(facts).encode())


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _is_sound(path: Path) -> bool:
    """Whether a file is the user's own, and as it was written; links are not followed.

    Raises OSError where it cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(os.open(path, flags), "rb") as file:
        facts = os.fstat(file.fileno())
        name = NAME.fullmatch(path.name)
        if name is None or not stat.S_ISREG(facts.st_mode) or _others(facts):
            return False
        return _hash(file.read()) == name[1]


def _others(facts: os.stat_result) -> str:
    """Who else may change a file or folder, as words; empty where nobody may."""
    if not hasattr(os, "geteuid"):
        return ""
    if facts.st_uid != os.geteuid():
        return f"it belongs to user {facts.st_uid}, and this is user {os.geteuid()}"
    return "others may write to it" if facts.st_mode & 0o022 else ""


def _folder() -> Path:
    """The folder, made where it is not there; else a temporary one, after a warning."""
    wanted = _wanted()
    if wanted is None:
        return _temporary("no folder for shared objects: there is no home folder")
    if reason := _unusable(wanted):
        return _temporary(f"{wanted} is not used for shared objects: {reason}")
    return wanted


def _unusable(folder: Path) -> str:
    """Why a folder, made where there is none, is not to be used; else empty."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts, link = folder.stat(), folder.lstat()
    except OSError as error:
        return f"it cannot be made: {error.strerror}"
    if link.st_uid != facts.st_uid:
        return "it is a link of another user's"
    if reason := _others(facts):
        return reason
    try:  # what the modes say is not all: a file system may be read-only, or full
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"it cannot be written: {error.strerror}"
    return ""


def _wanted() -> Path | None:
    """The folder that the settings name, None where there is no home."""
    given, caches = os.environ.get("MINIGRAD_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given).absolute()
    if caches and os.path.isabs(caches):
        return Path(caches, "minigrad")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    kinds = {"darwin": "Library/Caches", "win32": "AppData/Local"}
    return home / kinds.get(sys.platform, ".cache") / "minigrad"


_made: list[Path] = []


def _temporary(reason: str) -> Path:
    """A folder for this process alone, removed when it ends."""
    if not _made or _unusable(_made[-1]):
        warnings.warn(
            f"{reason}. What is compiled is built again in each process: set "
            "MINIGRAD_CACHE to a folder that you alone may change (chmod 700)",
            stacklevel=5,  # who called compiled
        )
        _made.append(Path(tempfile.mkdtemp(prefix="minigrad-")))
        atexit.register(_remove, _made[-1], os.getpid())
    return _made[-1]


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # and not one that was forked from it
        shutil.rmtree(folder, ignore_errors=True)


def _clean(folder: Path) -> None:
    """Remove what was loaded longest ago beyond LIMIT, and what killed builds left."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process may be as tidy
            facts = path.lstat()
            found.append((facts.st_mtime, facts.st_size, path))
    total = 0
    for loaded, size, path in sorted(found, reverse=True):
        if path.name.startswith(BUILDING) and time.time() - loaded > FORGOTTEN:
            shutil.rmtree(path, ignore_errors=True)
        elif NAME.fullmatch(path.name):
            total += size
            if total > LIMIT:
                path.unlink(missing_ok=True)
