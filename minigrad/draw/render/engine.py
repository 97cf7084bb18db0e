"""Finding and running a Graphviz: the C program ``dot``, or graphviz-pure from PyPI.

Vocabulary
    engine   an executable; "dot" or "pure" after its name
    layout   what it is asked to do: "neato" with ``-n2``, which keeps our coordinates

The choice: the argument, else ``MINIGRAD_DOT``, else ``dot`` on PATH, else
graphviz-pure (on PATH or beside the Python in use).

>>> find("pure").name
'pure'
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 30.0
MAX_PIXELS = 16_000
# Said of every text whose width we have computed ourselves, and of no harm.
HARMLESS = re.compile(
    r"no value for width of|no hard-coded metrics|size too small for label|"
    r"Falling back to|^\s*$|Pango-WARNING|Fontconfig|cairo-renderer bitmaps"
)
INSTALL = (
    "install one with `pip install graphviz graphviz-pure` "
    "or `pip install graphviz` and `apt-get install graphviz`; SVG and TikZ need none"
)
SIGNATURES = {
    "png": b"\x89PNG\r\n\x1a\n",
    "pdf": b"%PDF",
    "jpg": b"\xff\xd8",
    "json": b"{",
}
_choice = threading.Lock()


class GraphvizNotFound(RuntimeError):  # noqa: N818
    """No Graphviz is installed; the message names two ways to get one."""


class LayoutTimeout(RuntimeError):  # noqa: N818
    """The engine did not end in time; the message says how to ask for less."""


class EngineError(RuntimeError):
    """The engine failed, or its answer is not an image; the message has its words."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Graphviz executable."""

    name: str
    path: Path


def find(choice: str = "auto") -> Engine:
    """The engine to use: "auto", "dot", "pure", or the path of an executable.

    Raises GraphvizNotFound.
    """
    if choice == "auto":
        choice = os.environ.get("MINIGRAD_DOT") or "auto"
    names = {"auto": ("dot", "graphviz-pure"), "pure": ("graphviz-pure",)}
    for name in names.get(choice, (choice,)):
        found = shutil.which(name)
        beside = Path(sys.executable).parent / name
        if found is None and name == "graphviz-pure" and beside.is_file():
            found = str(beside)
        if found is not None:
            pure = "graphviz-pure" in Path(found).name
            return Engine("pure" if pure else "dot", Path(found))
    what = "no Graphviz found" if choice == "auto" else f"no Graphviz at {choice!r}"
    raise GraphvizNotFound(f"{what}: {INSTALL}")


def run(engine: Engine, form: str, source: str) -> bytes:
    """What the engine makes of DOT text whose nodes have their places.

    ``form`` is an output format of the engine, such as "png", "pdf" or "json". Raises
    LayoutTimeout and EngineError; what else the engine says is one warning.
    """
    name = engine.path.name
    if form == "pdf" and engine.name == "pure":
        raise EngineError(
            "graphviz-pure cannot write PDF: `pip install matplotlib`, which can, or "
            "install the C Graphviz (`apt-get install graphviz`)"
        )
    # Imported here: whoever asks for no PNG needs none of it.
    try:
        import graphviz.backend.dot_command as dot_command
        import graphviz.backend.execute as execute
    except ImportError as error:
        raise GraphvizNotFound(f"no Python package graphviz: {INSTALL}") from error
    # The graphviz package keeps the program's name in a global.
    with _choice:
        usual, dot_command.DOT_BINARY = dot_command.DOT_BINARY, engine.path
        try:
            command = dot_command.command("neato", form, neato_no_op=2)
        finally:
            dot_command.DOT_BINARY = usual
    seconds = float(os.environ.get("MINIGRAD_DOT_TIMEOUT") or TIMEOUT)
    how: dict[str, Any] = {"capture_output": True, "timeout": seconds, "quiet": True}
    try:
        done = execute.run_check(command, input=source.encode(), **how)
    except subprocess.TimeoutExpired as error:
        raise LayoutTimeout(
            f"{name} did not finish within {seconds:g} s "
            f"({len(source):,} characters of DOT). Draw fewer steps (steps=), another "
            'view (view="textbook"), fewer nodes (depth=), or save as .svg or .tex; '
            "MINIGRAD_DOT_TIMEOUT sets the seconds"
        ) from error
    except execute.CalledProcessError as error:
        words = said(error.stderr) or "without a word"
        failed = f"{name} failed (exit code {error.returncode})"
        raise EngineError(f"{failed}: {words}") from error
    except (execute.ExecutableNotFound, OSError) as error:
        raise GraphvizNotFound(f"cannot run {engine.path}: {INSTALL}") from error
    words, image = said(done.stderr), bytes(done.stdout)
    if not image or not image.lstrip().startswith(SIGNATURES.get(form, b"")):
        gave = f"{name} gave {len(image)} bytes that are no {form}"
        raise EngineError(f"{gave}: {words or 'without a word'}")
    if words:
        warnings.warn(f"{name}: {words}", stacklevel=3)
    return image


def said(stderr: bytes | None) -> str:
    """What the engine said on stderr, without what is known to be harmless."""
    lines = (stderr or b"").decode(errors="replace").splitlines()
    kept = [line for line in lines if not HARMLESS.search(line)]
    return "\n".join(kept[:20])


def guarded_dpi(width: float, height: float, dpi: float) -> float:
    """``dpi``, or as much as keeps both sides within 16,000 pixels (with a warning)."""
    largest = max(width, height) * dpi / 72
    if largest <= MAX_PIXELS:
        return dpi
    lower = int((MAX_PIXELS - 2) * 72 / max(width, height) * 100) / 100
    warnings.warn(
        f"the image would be {largest:,.0f} pixels wide or high: drawn with "
        f"{lower:g} dpi in place of {dpi:g} to stay within {MAX_PIXELS:,}",
        stacklevel=4,
    )
    return lower
