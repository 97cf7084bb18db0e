"""Running a Python file of the user's: what fails there is told with its line.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp(), "mine.py")
>>> _ = path.write_text("import sys\\nsys.exit(3)\\n")
>>> try:
...     with running(path):
...         pass
... except UserFileError as error:
...     print(str(error).replace(str(path), "mine.py"))
mine.py, line 2: it calls sys.exit(3)
"""

import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

LONGEST = 400


class UserFileError(ValueError):
    """The user's file failed; the message is one line, with its file and line."""


@contextmanager
def running(path: Path) -> Iterator[ModuleType]:
    """Run a file as a module that the block can use; it finds what lies beside it.

    Whatever the file or the block raises becomes a UserFileError, an exit of the
    interpreter included, and Ctrl-C alone stays what it is.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UserFileError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up; but a file may be called like a library.
    known = sys.modules.setdefault(path.stem, module)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
        yield module
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise UserFileError(f"{_place(error, path)}: {_said(error)}") from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
        if known is module:
            sys.modules.pop(path.stem, None)


def _place(error: BaseException, path: Path) -> str:
    """The file and the line in it where an error came from."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{error.filename}, line {error.lineno}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == os.path.abspath(path)
    ]
    return f"{path}, line {lines[-1]}" if lines else str(path)


def _said(error: BaseException) -> str:
    """An error and its notes in one line."""
    if isinstance(error, SystemExit):
        return f"it calls sys.exit({'' if error.code is None else repr(error.code)})"
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    text = " ".join([words, *getattr(error, "__notes__", [])]).split()
    said = " ".join([f"{type(error).__name__}:", *text]).removesuffix(":")
    return said if len(said) < LONGEST else f"{said[:LONGEST]}..."
