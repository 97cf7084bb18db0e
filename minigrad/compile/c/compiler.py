"""Finding a C compiler and running it.

Vocabulary
    command  how a compiler is called: its path, and what ``CC`` says behind it
    tried    flags that a compiler may refuse, and is then called without
    target   the compiler's macros with all flags: the ABI, and what the processor can

The choice: ``CC``, else ``cc``, ``gcc`` or ``clang`` on PATH, else the package ziglang.

>>> " ".join(FLAGS[:2])
'-std=gnu11 -O3'
"""

import os
import platform
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from minigrad.compile.backend import EngineError

# Nothing contracts a * b + c by itself. GCC would, wherever it finds the two, and Clang
# within an expression: then x * x - y * y is not zero where x is y, and one line of a
# program gives two results in two places. A product asks for its fma by name.
# Of -ffast-math in CC nothing is left: it changes results, and a library linked with it
# the arithmetic of its thread. These come first, for Clang resets others with them.
OURS = ("-fno-fast-math", "-fno-unsafe-math-optimizations", "-ffp-contract=off")
FLAGS = ("-std=gnu11", "-O3", *OURS, "-shared")
X86 = {"x86_64", "amd64", "i386", "i686"}
TUNED = (
    ("-march=native", "-mprefer-vector-width=512")
    if platform.machine().lower() in X86
    else ("-mcpu=native",)
)
TRIED = (*TUNED, "-fno-math-errno", "-fno-trapping-math", "-fPIC")
OTHERWISE = 'or write mg.compile(f, backend="numpy"), which needs no compiler'
INSTALL = (
    "set CC to the command of one, install one as cc, gcc or clang "
    "(`apt-get install gcc`, `xcode-select --install`), "
    f"or `pip install 'minigrad-rnn[zig]'`; {OTHERWISE}"
)
QUOTED = 12  # lines of what a compiler says


class CompilerNotFound(EngineError):  # noqa: N818
    """There is no C compiler; the message names three ways to get one."""


class CompilerError(EngineError):
    """The C compiler failed; the message has its command and its own first lines."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that works, with the flags that it takes."""

    command: tuple[str, ...]
    version: str
    flags: tuple[str, ...]
    refused: tuple[str, ...]
    target: str

    def build(self, source: str, work: Path, zig: Path) -> Path:
        """The shared object of C source, in the folder ``work``.

        Raises CompilerError.
        """
        text, built = work / "program.c", work / "program.so"
        text.write_text(source, encoding="utf-8")
        math = () if os.name == "nt" else ("-lm",)
        command = (*self.command, *self.flags, "-o", str(built), str(text), *math)
        said = _run(command, work, zig)
        if not built.is_file():
            raise _error(command, "made no file", said)
        return built


def find() -> tuple[str, ...]:
    """The command of the C compiler to use; nothing is run.

    Raises CompilerNotFound.
    """
    given = os.environ.get("CC", "").strip()
    if given:
        try:
            program, *arguments = shlex.split(given)
        except ValueError as error:
            raise CompilerNotFound(f"CC is {given!r}: {error}; {INSTALL}") from None
        path = shutil.which(program)
        if path is None:
            text = f"CC is {given!r}, and there is no program {program!r}: {INSTALL}"
            raise CompilerNotFound(text)
        return os.path.abspath(path), *arguments
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return (os.path.abspath(path),)
    package = find_spec("ziglang")
    for folder in (package and package.submodule_search_locations) or ():
        # What `python -m ziglang` runs.
        if path := shutil.which("zig", path=folder):
            return path, "cc"
    raise CompilerNotFound(f"there is no C compiler: {INSTALL}")


_known: dict[tuple[str, ...], Compiler] = {}


def known(command: tuple[str, ...], work: Path, zig: Path) -> Compiler:
    """The compiler of a command: asked once in a process, in the folder ``work``.

    Raises CompilerError.
    """
    if command not in _known:
        _known[command] = _asked(command, work, zig)
    return _known[command]


def _asked(command: tuple[str, ...], work: Path, zig: Path) -> Compiler:
    def target(*tried: str) -> str:
        ask = "-dM", "-E", "-x", "c", os.devnull
        return _run((*command, *FLAGS, *tried, *ask), work, zig)

    def taken(flag: str) -> bool:
        try:
            target(flag)
        except CompilerError:
            return False
        return True

    version = _run((*command, "--version"), work, zig)
    flags = TRIED
    try:
        macros = target(*flags)
    except CompilerError:
        flags = tuple([flag for flag in TRIED if taken(flag)])
        macros = target(*flags)
    refused = tuple([flag for flag in TRIED if flag not in flags])
    return Compiler(command, version, (*FLAGS, *flags), refused, macros)


def _run(command: tuple[str, ...], work: Path, zig: Path) -> str:
    """What a compiler says on stdout, in English; raises CompilerError.

    Its temporary files go to ``work``, what zig keeps of its own library to ``zig``.
    """
    own = {"LC_ALL": "C", "TMPDIR": str(work), "TMP": str(work), "TEMP": str(work)}
    caches = {"ZIG_LOCAL_CACHE_DIR": str(work), "ZIG_GLOBAL_CACHE_DIR": str(zig)}
    try:
        done = subprocess.run(
            command,
            env=os.environ | own | caches,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise _error(command, "cannot be run", str(error)) from error
    if done.returncode:
        how = f"failed with exit status {done.returncode}"
        raise _error(command, how, done.stderr or done.stdout)
    return done.stdout


def _error(command: tuple[str, ...], how: str, said: str) -> CompilerError:
    lines = [line for line in said.splitlines() if line.strip()][:QUOTED]
    quoted = "".join(f"\n    {line}" for line in lines)
    return CompilerError(
        f"the C compiler {how}:\n    {shlex.join(command)}{quoted}\n"
        f"Set CC to the command of another one, {OTHERWISE}"
    )
