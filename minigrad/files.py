"""Files that are whole or not there.

Vocabulary
    temporary   a file beside the one to be written, which takes its place when it is
                done; its name says that it is ours and its lock that somebody writes it
    leftover    a temporary file whose writer was killed: nobody holds its lock

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> with replacing(folder / "note.txt") as temporary:
...     _ = temporary.write_text("whole")
>>> [path.name for path in folder.iterdir()]
['note.txt']
"""

import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OURS = re.compile(r"\.minigrad-[0-9a-f]{16}(\.[^.]*)?")

if sys.platform == "win32":

    def _locked(descriptor: int, wait: bool) -> bool:
        """Nothing tells a leftover there, so none is ever cleared."""
        return False

else:
    import fcntl

    def _locked(descriptor: int, wait: bool) -> bool:
        """Whether the file's lock is ours from now on; where there are none, it is not.

        The system drops a lock with the process that held it, however that one ended:
        no number of a process is kept, so none can be mistaken for another's.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            return False
        return True


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside ``path``, which takes its place when the block is done.

    Where the block raises (Ctrl-C included), the temporary file is removed and what
    stood at ``path`` stays. The temporary name has the same suffix, for writers that
    choose a format by it. The folder must exist; a link stays, and the file that it
    names is replaced. What killed processes left behind in the folder is removed.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent)
        )
    _clear(path.parent)
    temporary, descriptor = _begun(path)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if sys.platform == "win32":
            os.close(descriptor)  # an open file cannot be renamed there
            descriptor = -1
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        if descriptor >= 0:
            os.close(descriptor)


def _begun(path: Path) -> tuple[Path, int]:
    """A new file beside ``path``, empty and locked, with the rights of any new file."""
    while True:
        name = f".minigrad-{secrets.token_hex(8)}{path.suffix}"
        temporary = path.with_name(name)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        _locked(descriptor, wait=True)
        # Before it was locked, another process may have taken it for a leftover.
        if temporary.exists():
            return temporary, descriptor
        os.close(descriptor)


def _clear(folder: Path) -> None:
    """Remove the leftovers in a folder; files of living writers and others stay."""
    names: list[str] = []
    with suppress(OSError), os.scandir(folder) as entries:
        names = [entry.path for entry in entries if OURS.fullmatch(entry.name)]
    for name in names:
        with suppress(OSError):
            # A pipe must not be waited for, a link not followed.
            flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
            try:
                if _is_mine(descriptor) and _locked(descriptor, wait=False):
                    os.unlink(name)
            finally:
                os.close(descriptor)


def _is_mine(descriptor: int) -> bool:
    said = os.fstat(descriptor)
    mine = not hasattr(os, "geteuid") or said.st_uid == os.geteuid()
    return mine and stat.S_ISREG(said.st_mode)
