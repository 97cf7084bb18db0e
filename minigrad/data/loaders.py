"""Files of your own, line by line: text, FASTA, and two published sets of DNA.

A line that is wrong is named by its number. Tables are in ``tables``, sequences with a
label in ``labelled``.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "two.fasta"
>>> _ = path.write_text(">a\\nACGT\\n>b\\nAC1\\n")
>>> fasta(path)
Traceback (most recent call last):
    ...
ValueError: ...two.fasta, line 4: 'AC1' is not letters
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
PathLike = str | os.PathLike[str]
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

# What begins so is no text, though it may hold one.
OTHERS = {
    b"\x1f\x8b": "it is compressed by gzip: unpack it first",
    b"PK\x03\x04": "it is a ZIP archive, as Excel and Word write: save it as CSV or as "
    "plain text",
    b"%PDF": "it is a PDF: save it as plain text",
}


def words(path: PathLike) -> tuple[str, str]:
    """The text of a file and its encoding: by its mark, else UTF-8, else Latin-1.

    Lines end with a line feed.

    Raises ValueError for a file that is empty or is no text.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_bytes("señal\\r\\n".encode("latin-1"))
    >>> words(path), text(path), lines(path)
    (('señal', 'Latin-1'), 'señal', ['señal'])
    """
    content = Path(path).read_bytes()
    if other := next((w for mark, w in OTHERS.items() if content.startswith(mark)), ""):
        raise ValueError(f"{path}: {other}")
    encoding = next((e for mark, e in MARKS.items() if content.startswith(mark)), None)
    try:
        if encoding is None and b"\0" in content:
            raise ValueError(f"{path}: this is no text, it has bytes that are 0")
        found = content.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        if encoding is not None:
            raise ValueError(f"{path}: marked as {encoding}, and it is not") from None
        found, encoding = content.decode("latin-1"), "Latin-1"
    if not found.strip():
        raise ValueError(f"{path}: the file is empty")
    return "\n".join(found.splitlines()), (encoding or "utf-8").replace("utf", "UTF")


def text(path: PathLike) -> str:
    """A whole text file, its lines ended by a line feed."""
    return words(path)[0]


def promoters(path: PathLike) -> tuple[list[str], NDArray[np.int64]]:
    """UCI promoters: lines ``class,name,sequence``, + or - and 57 letters of acgt.

    Harley and Reynolds (1987), Towell, Shavlik and Noordewier (1990), UCI id 67, CC BY
    4.0. Gives the sequences and the classes, 1 for a promoter. A header is skipped.

    The classes are (n,), int64. Raises ValueError, with the line, for any other form,
    and for no sequence.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "promoters.data"
    >>> _ = path.write_text("+,S10," + "acgt" * 14 + "a\\n")
    >>> sequences, classes = promoters(path)
    >>> len(sequences[0]), classes.tolist()
    (57, [1])
    """
    form, letters = "'+,name,sequence'", "57 letters of acgt"
    return _published(path, ("-", "+"), form, 57, "acgt", letters)


SPLICE = ("EI", "IE", "N")


def splice(path: PathLike) -> tuple[list[str], NDArray[np.int64]]:
    """UCI splice junctions: ``class,name,sequence``, EI, IE or N and 60 letters.

    Towell, Noordewier and Shavlik (1991), UCI id 69, CC BY 4.0. Beside acgt there are n
    (any), d, s and r (some). Gives the sequences and the classes, 0 EI, 1 IE, 2 N. A
    header is skipped.

    The classes are (n,), int64. Raises ValueError, with the line, for any other form,
    and for no sequence.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "splice.data"
    >>> _ = path.write_text("IE,ATRINS, " + "acgt" * 15 + "\\n")
    >>> sequences, classes = splice(path)
    >>> len(sequences[0]), classes.tolist()
    (60, [1])
    """
    form = "'EI,name,sequence' (EI, IE, N)"
    letters = "60 letters of acgt or n, d, s, r"
    return _published(path, SPLICE, form, 60, "acgtndsr", letters)


def _published(
    path: PathLike, kinds: tuple[str, ...], form: str, length: int, known: str,
    letters: str,
) -> tuple[list[str], NDArray[np.int64]]:  # fmt: skip
    """Lines ``class,name,sequence``; form and letters are what a line must have."""
    sequences, classes = [], []
    for number, line in enumerate(lines(path), 1):
        parts = [part.strip() for part in line.split(",")]
        if not line.strip() or (number == 1 and parts[0].lower() == "class"):
            continue
        if len(parts) != 3 or parts[0] not in kinds:
            raise ValueError(f"{path}, line {number}: not of the form {form}")
        sequence = parts[2].lower()
        if len(sequence) != length or set(sequence) - set(known):
            raise ValueError(
                f"{path}, line {number}: a sequence has {letters}, got "
                f"{len(sequence)}: {sequence!r}"
            )
        sequences.append(sequence)
        classes.append(kinds.index(parts[0]))
    if not sequences:
        raise ValueError(f"{path}: the file has no sequences")
    return sequences, np.array(classes)


def records(path: PathLike) -> list[tuple[int, str, str]]:
    """The line, the header and the letters of each sequence of a FASTA file.

    Lines that start with ; are comments.

    Raises ValueError, with the line, for letters before a header, a header without
    letters, and what is no letter.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.fasta"
    >>> _ = path.write_text(">a first\\nACGT\\n>b\\nAC\\nGT\\n")
    >>> records(path)
    [(1, 'a first', 'ACGT'), (3, 'b', 'ACGT')]
    """
    found: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(lines(path), 1):
        line = line.strip()
        if line.startswith(">"):
            found.append((number, line[1:].strip(), []))
        elif line and not line.startswith(";"):
            if not found:
                raise ValueError(f"{path}, line {number}: no '>' line before it")
            if not line.replace("*", "").replace("-", "").isalpha():
                raise ValueError(f"{path}, line {number}: {line!r} is not letters")
            found[-1][2].append(line)
    for number, header, parts in found:
        if not parts:
            raise ValueError(
                f"{path}, line {number}: {header!r} has no letters: leave it out"
            )
    return [(number, header, "".join(parts)) for number, header, parts in found]


def fasta(path: PathLike) -> dict[str, str]:
    """The sequences of a FASTA file by name, letters as they are.

    Raises ValueError, with the line, for a name that is missing or there twice.
    """
    found: dict[str, str] = {}
    for number, header, letters in records(path):
        name = header.split()[0] if header else ""
        if not name or name in found:
            why = "occurs twice" if name else "has no name"
            raise ValueError(f"{path}, line {number}: the sequence {name} {why}")
        found[name] = letters
    return found


def lines(path: PathLike) -> list[str]:
    """The lines of a text file."""
    return words(path)[0].splitlines()
