"""Sequences from files of your own; a line that is wrong is named by its number.

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "rain.csv"
>>> _ = path.write_text("year,mm\\n1999,12.5\\n2000,oops\\n")
>>> csv_column(path, "mm")
Traceback (most recent call last):
    ...
ValueError: ...rain.csv, line 3: 'oops' in column 'mm' is not a number
"""

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["csv_column", "fasta", "promoters", "splice", "text"]

Array = NDArray[Any]
PathLike = str | os.PathLike[str]


def lines(path: PathLike) -> list[str]:
    """The lines of a UTF-8 file; the byte that is not UTF-8 is named by its line."""
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8 text") from None


def text(path: PathLike) -> str:
    """A whole text file (UTF-8)."""
    found = "\n".join(lines(path))
    if not found:
        raise ValueError(f"{path}: the file is empty")
    return found


def csv_column(path: PathLike, column: str | int = -1) -> NDArray[np.float64]:
    """A column of numbers of a CSV file, by its name in the header or its place.

    Lines that start with # are comments. A header is recognised by its column not
    being a number.
    """
    rows = [
        (number, row)
        for number, line in enumerate(lines(path), 1)
        if line.strip() and not line.startswith("#")
        for row in csv.reader([line])
    ]
    if not rows:
        raise ValueError(f"{path}: the file has no rows")
    if isinstance(column, str):
        names = [name.strip() for name in rows[0][1]]
        if column not in names:
            raise ValueError(
                f"{path}, line {rows[0][0]}: no column {column!r}; there is "
                f"{', '.join(names)}"
            )
        place, rows = names.index(column), rows[1:]
    else:
        place = column
        if not _is_number(rows[0][1], place):
            rows = rows[1:]
    values = []
    for number, row in rows:
        if not -len(row) <= place < len(row):
            raise ValueError(f"{path}, line {number}: no column {column!r}")
        if not _is_number(row, place):
            raise ValueError(
                f"{path}, line {number}: {row[place]!r} in column {column!r} is not a "
                "number"
            )
        values.append(float(row[place]))
    if not values:
        raise ValueError(f"{path}: the file has no rows")
    return np.array(values)


def promoters(path: PathLike) -> tuple[list[str], NDArray[np.int64]]:
    """UCI promoters: lines ``class,name,sequence``, + or - and 57 letters of acgt.

    Harley and Reynolds (1987), Towell, Shavlik and Noordewier (1990), UCI id 67, CC BY
    4.0. Gives the sequences and the classes, 1 for a promoter.
    """
    sequences, classes = [], []
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != 3 or parts[0] not in ("+", "-"):
            raise ValueError(
                f"{path}, line {number}: not of the form '+,name,sequence'"
            )
        sequence = parts[2].lower()
        if len(sequence) != 57 or set(sequence) - set("acgt"):
            raise ValueError(
                f"{path}, line {number}: a sequence has 57 letters of acgt, got "
                f"{len(sequence)}: {sequence!r}"
            )
        sequences.append(sequence)
        classes.append(int(parts[0] == "+"))
    if not sequences:
        raise ValueError(f"{path}: the file has no sequences")
    return sequences, np.array(classes)


SPLICE = ("EI", "IE", "N")


def splice(path: PathLike) -> tuple[list[str], NDArray[np.int64]]:
    """UCI splice junctions: ``class,name,sequence``, EI, IE or N and 60 letters.

    Towell, Noordewier and Shavlik (1991), UCI id 69, CC BY 4.0. Beside acgt there are n
    (any), d, s and r (some). Gives the sequences and the classes, 0 EI, 1 IE, 2 N. A
    header is skipped.
    """
    sequences, classes = [], []
    for number, line in enumerate(lines(path), 1):
        parts = [part.strip() for part in line.split(",")]
        if not line.strip() or (number == 1 and parts[0].lower() == "class"):
            continue
        if len(parts) != 3 or parts[0] not in SPLICE:
            raise ValueError(
                f"{path}, line {number}: not of the form 'EI,name,sequence' (EI, IE, N)"
            )
        sequence = parts[2].lower()
        if len(sequence) != 60 or set(sequence) - set("acgtndsr"):
            raise ValueError(
                f"{path}, line {number}: a sequence has 60 letters of acgt or n, d, s, "
                f"r, got {len(sequence)}: {sequence!r}"
            )
        sequences.append(sequence)
        classes.append(SPLICE.index(parts[0]))
    if not sequences:
        raise ValueError(f"{path}: the file has no sequences")
    return sequences, np.array(classes)


def fasta(path: PathLike) -> dict[str, str]:
    """The sequences of a FASTA file by name, letters as they are."""
    found: dict[str, list[str]] = {}
    name = None
    for number, line in enumerate(lines(path), 1):
        line = line.strip()
        if line.startswith(">"):
            name = line[1:].split()[0] if line[1:].split() else ""
            if not name or name in found:
                why = "occurs twice" if name else "has no name"
                raise ValueError(f"{path}, line {number}: the sequence {name} {why}")
            found[name] = []
        elif line:
            if name is None:
                raise ValueError(f"{path}, line {number}: no '>' line before it")
            if not line.replace("*", "").replace("-", "").isalpha():
                raise ValueError(f"{path}, line {number}: {line!r} is not letters")
            found[name].append(line)
    if not found:
        raise ValueError(f"{path}: the file has no sequences")
    return {name: "".join(parts) for name, parts in found.items()}


def _is_number(row: list[str], place: int) -> bool:
    try:
        return bool(np.isfinite(float(row[place])))
    except (ValueError, IndexError):
        return False
