"""Files that are whole or not there.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> with replacing(folder / "note.txt") as temporary:
...     _ = temporary.write_text("whole")
>>> [path.name for path in folder.iterdir()]
['note.txt']
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside ``path``, which takes its place when the block is done.

    Where the block raises (Ctrl-C included), the temporary file is removed and what
    stood at ``path`` stays. The temporary name has the same suffix, for writers that
    choose a format by it. The folder must exist.
    """
    path = Path(path)
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
    )
    os.close(descriptor)
    temporary = Path(name)
    try:
        # mkstemp makes files for the owner alone; give it what open() would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
