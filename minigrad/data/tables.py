"""Tables as people keep them: numbers over time, in a CSV file of their own.

What is found out by looking is said, so that a wrong guess is seen: the encoding, the
separator, the header, the decimal comma. What could be read in two ways is refused.

Vocabulary
    table     the cells of a CSV file, with the line that each row begins in
    axis      a column that says when: dates, or whole numbers that rise evenly
    missing   a cell that is empty or says NA, and a row that the axis leaves out

>>> import tempfile
>>> path = Path(tempfile.mkdtemp()) / "lluvia.csv"
>>> _ = path.write_text("fecha;mm\\n2024-01-01;1,5\\n2024-02-01;0,25\\n", "utf-8")
>>> found = numbers(path)
>>> found.values.tolist(), found.name
([1.5, 0.25], 'mm')
>>> print(found.said)
column 'mm', 2 numbers; UTF-8, separator ';', a header, decimal comma, axis 'fecha'
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from minigrad.data.axis import EVEN, Axis, AxisError, axis_of, gaps, is_date, whole
from minigrad.data.loaders import PathLike, words

FAR = 5.0  # from the middle, in widths of the other numbers
MISSING = ("refuse", "skip", "fill")
EMPTY = {*"-?.", "", "na", "n/a", "#n/a", "nan", "null", "none", "--", "s/d", "nd"}
SIGN, POWER = "[+−-]?", r"([eE][+-]?\d+)?"
PLAIN = re.compile(rf"{SIGN}(\d+\.?\d*|\.\d+){POWER}")
# 1.234,5 as in Spanish; 1,234.5 as in English.
SPANISH = re.compile(rf"{SIGN}(\d{{1,3}}(\.\d{{3}})+|\d+)?(,\d+)?{POWER}")
ENGLISH = re.compile(rf"{SIGN}([1-9]\d{{0,2}}(,\d{{3}})+|\d+)(\.\d+)?")
THOUSANDS = re.compile(rf"{SIGN}[1-9]\d{{0,2}}(,\d{{3}})+")
SEPARATORS = {"\t": "tab", ";": "';'", ",": "','", " ": "spaces"}


@dataclass(frozen=True)
class Table:
    """The rows of a file, all with as many cells; ``said`` tells how it was read.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rain.csv"
    >>> _ = path.write_text("year,mm\\n2023,5\\n2024,7\\n")
    >>> found = table(path)
    >>> isinstance(found, Table), found.names, found.place("mm"), found.cells(1)
    (True, ('year', 'mm'), 1, ['5', '7'])
    >>> found.at(row=1, place=1)
    "...rain.csv, line 3: '7' in column 'mm'"
    """

    path: Path
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    said: tuple[str, ...]
    header: bool

    def place(self, column: str) -> int:
        """Which column is meant, by its name or by its number from 1.

        Raises ValueError for a column that there is not, or twice.
        """
        if self.names.count(column) == 1:
            return self.names.index(column)
        numbered = column not in self.names and column.isdecimal()
        if numbered and 1 <= int(column) <= len(self.names):
            return int(column) - 1
        why = "twice the column" if column in self.names else "no column"
        raise ValueError(
            f"{self.path}: {why} {column!r}; there is {', '.join(self.names)}, "
            f"or a number from 1 to {len(self.names)}"
        )

    def cells(self, place: int) -> list[str]:
        """A column as it is written, without the blanks around."""
        return [row[place] for row in self.rows]

    def at(self, row: int, place: int) -> str:
        """Where a cell stands, for a message."""
        where = f"{self.path}, line {self.lines[row]}"
        return f"{where}: {self.rows[row][place]!r} in column {self.names[place]!r}"


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column (n,) float64, oldest first, and how they were read.

    ``axis`` is the name of the column that says when, and ``times`` are its (n,), in
    days, months or numbers; a table without an axis counts its rows from 1.

    >>> mm = np.array([5.0, 7.0])
    >>> column = Numbers("mm", mm, "made by hand", times=np.array([1.0, 2.0]))
    >>> column.values.mean(), column.axis, column.when(2)
    (np.float64(6.0), 'row', ['1', '2', '3', '4'])
    """

    name: str
    values: NDArray[np.float64]
    said: str
    times: NDArray[np.float64]
    axis: str = "row"
    written: Callable[[float], str] = whole

    def when(self, beyond: int) -> list[str]:
        """When each number is, and so many more beyond the end: dates of ISO 8601.

        Beyond the end of uneven steps nothing is known: "".
        """
        known = [self.written(time) for time in self.times.tolist()]
        if (np.abs(gaps(self.times) - 1) > EVEN).any():
            return known + [""] * beyond
        step = np.median(np.diff(self.times))
        later = self.times[-1] + step * np.arange(1, beyond + 1)
        return known + [self.written(time) for time in later.tolist()]


def table(path: PathLike, header: bool | None = None) -> Table:
    """Read a table; lines that start with # are comments.

    ``header`` None: there is one if no cell of the first row is a number or a date, and
    one of a later row is.
    Raises ValueError, with the line, where a row has more or fewer cells.
    """
    text, encoding = words(path)
    kept, quoted = [], False  # within quotes an empty line is a part of a cell
    for n, s in enumerate(text.splitlines(), 1):
        if quoted or (s.strip() and not s.lstrip().startswith("#")):
            kept.append((n, s))
            quoted ^= s.count('"') % 2 == 1
    if not kept:
        raise ValueError(f"{path}: the file has no rows")
    told = re.fullmatch(r"sep=(.)", kept[0][1].strip())  # Excel reads it so
    kept = kept[1:] if told else kept
    separator = told[1] if told else _separator([line for _, line in kept])
    rows, lines = _split(kept, separator)
    while len(rows[0]) > 1 and all(row[-1:] == ("",) for row in rows):
        rows = [row[:-1] for row in rows]  # a separator at the end of every line
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{path}, line {line}: {len(row)} cells, the first row has "
                f"{len(rows[0])} (separator {SEPARATORS.get(separator, separator)})"
            )
    if header is None:
        header = not _counts(rows[0]) and any(_counts(row) for row in rows[1:])
    names = tuple(str(k) for k in range(1, len(rows[0]) + 1))
    if header:
        names = tuple(c or k for c, k in zip(rows[0], names, strict=True))
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise ValueError(f"{path}: the file has a header and no rows")
    said = [encoding]
    if len(names) > 1:
        said.append(f"separator {SEPARATORS.get(separator, separator)}")
    said.append("a header" if header else "no header")
    return Table(Path(path), names, tuple(rows), tuple(lines), tuple(said), header)


def numbers(
    path: PathLike, column: str | int | None = None, missing: str = "refuse"
) -> Numbers:
    """A series of numbers at even steps, oldest first.

    Parameters
    ----------
    column: its name or its number from 1; None where one column has numbers, beside an
        axis. A first column of dates, or of whole numbers that rise evenly, is one.
    missing: "refuse"; "skip", the rows that are left stand side by side; "fill", with
        the last number before, so that nothing of the future is used.

    Raises ValueError, with the line, for what is no number, for steps that are not
    even, and where it is in doubt which column is meant.
    """
    if missing not in MISSING:
        raise ValueError(f"missing is one of {', '.join(MISSING)}, got {missing!r}")
    found = table(path)
    wanted = None if column is None else found.place(str(column))
    columns = [found.cells(place) for place in range(len(found.names))]
    try:
        axis = axis_of(columns, wanted)
    except AxisError as error:
        raise ValueError(f"{found.at(error.row, error.place)} {error}") from None
    place = _chosen(found, axis) if wanted is None else wanted
    values, how = _values(found, place)
    said = [*found.said, *how]
    times = np.arange(1.0, len(values) + 1)
    if axis is not None:
        said.append(f"axis {found.names[axis.place]!r}")
        times = np.array(axis.times)
        turned = bool(times[0] > times[-1])
        if turned:
            values, times = values[::-1], times[::-1]
            said.append("newest first, turned round")
        values, times = _even(found, axis.place, times, values, missing, turned)
    elif len(found.names) > 1:
        said.append("no axis, so the rows are taken for even steps")
    said += _far(values)
    holes = int(np.isnan(values).sum())
    if holes:
        values, times = _without(found, place, values, times, missing)
        said.append(f"{holes} missing, {'left out' if missing == 'skip' else 'filled'}")
    name = found.names[place]
    read = f"column {name!r}, {len(values)} numbers; " + ", ".join(said)
    if axis is None:
        return Numbers(name, values, read, times)
    return Numbers(name, values, read, times, found.names[axis.place], axis.written)


def _separator(lines: list[str]) -> str:
    """The one that cuts every line into as many cells, more than one."""
    for mark in "\t;,":
        counts = {len(row) for row in csv.reader(lines, delimiter=mark)}
        if len(counts) == 1 and counts != {1}:
            return mark
    counts = {len(line.split()) for line in lines[1:]}
    if not any(mark in line for line in lines for mark in "\t;,"):
        words = len(lines[0].split())
        if counts <= {words} and words > 1 and all(map(_is_number, lines[-1].split())):
            return " "
        return ","
    # No mark cuts evenly. One column with decimal commas under a header; or a table
    # with a row that is wrong, which is named later: the commonest mark cuts it.
    if "," not in lines[0] and all(SPANISH.fullmatch(s.strip()) for s in lines[1:]):
        return ";"
    return max("\t;,", key=lambda mark: sum(line.count(mark) for line in lines))


def _split(
    kept: list[tuple[int, str]], separator: str
) -> tuple[list[tuple[str, ...]], list[int]]:
    rows, lines = [], []
    if separator == " ":
        return [tuple(s.split()) for _, s in kept], [n for n, _ in kept]
    reader = csv.reader([f"{s}\n" for _, s in kept], delimiter=separator)
    before = 0
    for row in filter(None, reader):
        rows.append(tuple(cell.strip() for cell in row))
        lines.append(kept[before][0])
        before = reader.line_num
    return rows, lines


def _is_number(cell: str) -> bool:
    return any(form.fullmatch(cell) for form in (PLAIN, ENGLISH)) or (
        bool(cell) and bool(SPANISH.fullmatch(cell))
    )


def _digits(cell: str) -> bool:
    return bool(re.search(r"\d", cell))


def _counts(row: tuple[str, ...]) -> bool:
    return any(_is_number(cell) or is_date(cell) for cell in row)


def _chosen(found: Table, axis: Axis | None) -> int:
    """The one column of numbers beside the axis."""
    places = [p for p in range(len(found.names)) if axis is None or p != axis.place]
    right = [
        p
        for p in places
        if all(_is_number(c) or c.lower() in EMPTY for c in found.cells(p))
        and any(_is_number(c) for c in found.cells(p))
    ]
    if len(right) == 1:
        return right[0]
    if right:
        names = ", ".join(found.names[p] for p in right)
        raise ValueError(
            f"{found.path}: {len(right)} columns have numbers: {names}; say which with "
            "--column"
        )
    # The column that is nearly right says best what is wrong.
    counts = {
        p: (sum(map(_is_number, found.cells(p))), sum(map(_digits, found.cells(p))))
        for p in places
    }
    place = max(counts, key=lambda p: counts[p], default=None)
    if place is not None and any(counts[place]):
        _values(found, place)
    raise ValueError(f"{found.path}: no column has numbers")


def _values(found: Table, place: int) -> tuple[NDArray[np.float64], list[str]]:
    """A column as numbers, NaN where one is missing, and how they were written."""
    cells = found.cells(place)
    given = [c for c in cells if c.lower() not in EMPTY]
    form, comma, point = _form(found, place, given)
    values = []
    for row, cell in enumerate(cells):
        if cell.lower() in EMPTY:
            values.append(np.nan)
        elif form.fullmatch(cell):
            plain = cell.replace(point, "").replace(comma, ".").replace("−", "-")
            values.append(float(plain))
        else:
            plainly = ": write it with digits alone" if _digits(cell) else ""
            raise ValueError(f"{found.at(row, place)} is not a number{plainly}")
    if not given:
        raise ValueError(f"{found.path}: column {found.names[place]!r} is empty")
    result = np.array(values)
    if np.isinf(result).any():
        row = int(np.isinf(result).argmax())
        raise ValueError(f"{found.at(row, place)} is too large a number")
    how = {",": ["decimal comma"], ".": []}[comma]
    if point and any(point in c for c in given):
        how = [*how, f"thousands {point!r}"]
    return result, how


def _far(values: NDArray[np.float64]) -> list[str]:
    """Words about a least or largest number that is far from all others.

    >>> _far(np.array([1.0, 2.0, -999.0, 3.0, 2.0, -999.0, 1.0]))
    ['-999 stands 2 times, far from all others: if it means missing, empty the cell']
    """
    said = []
    known = values[~np.isnan(values)]
    for extreme in np.unique([known.min(), known.max()]):
        others = known[known != extreme]
        if len(np.unique(others)) < 3:  # a code of few values
            continue
        low, middle, high = np.quantile(others, [0.1, 0.5, 0.9])
        if abs(extreme - middle) > FAR * max(high - low, np.ptp(others) / 2):
            often = int((known == extreme).sum())
            times = "once" if often == 1 else f"{often} times"
            said.append(
                f"{extreme:g} stands {times}, far from all others: if it means "
                "missing, empty the cell"
            )
    return said


def _form(
    found: Table, place: int, given: list[str]
) -> tuple[re.Pattern[str], str, str]:
    """How numbers are written here: their form, decimal sign, thousands sign."""
    commas = [c for c in given if "," in c]
    if not commas:
        return PLAIN, ".", "\0"
    if all(THOUSANDS.fullmatch(c) for c in commas) and not any("." in c for c in given):
        raise ValueError(
            f"{found.path}: in column {found.names[place]!r}, {commas[0]!r} may be "
            "thousands or a decimal comma; write numbers without a thousands sign and "
            "with a decimal point"
        )
    if all(ENGLISH.fullmatch(c) for c in commas):
        return ENGLISH, ".", ","
    return SPANISH, ",", "."


def _even(
    found: Table,
    place: int,
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    missing: str,
    turned: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and times, NaN where the axis leaves a row out, unless it is skipped."""

    def refuse(after: int, reason: str) -> NoReturn:
        row = len(times) - 2 - after if turned else after + 1
        raise ValueError(f"{found.at(row, place)} {reason}")

    counts = gaps(times)
    whole = np.rint(counts)
    if (back := np.flatnonzero(np.diff(times) <= 0)).size:
        twice = np.diff(times)[back[0]] == 0
        refuse(
            int(back[0]), "comes twice" if twice else "is out of order: sort the rows"
        )
    if len(times) < 3 or missing == "skip":
        return values, times
    wrong = np.flatnonzero(np.abs(counts - whole) > EVEN)
    if not wrong.size and missing == "refuse":
        wrong = np.flatnonzero(whole != 1)
    if wrong.size:
        refuse(
            int(wrong[0]),
            "comes after an uneven step; --missing skip takes the rows as they stand, "
            "--missing fill puts the last number where a row is left out",
        )
    if whole.sum() > 2 * len(values):
        raise ValueError(
            f"{found.path}: {len(values)} rows would be filled up to "
            f"{int(whole.sum()) + 1}: most numbers would be made up; --missing skip "
            "takes the rows as they stand"
        )
    places = np.concatenate([[0], np.cumsum(whole)]).astype(int)
    result = np.full(places[-1] + 1, np.nan)
    result[places] = values
    return result, np.interp(np.arange(len(result)), places, times)


def _without(
    found: Table,
    place: int,
    values: NDArray[np.float64],
    times: NDArray[np.float64],
    missing: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and times without the holes."""
    holes = np.isnan(values)
    if missing == "skip":
        return values[~holes], times[~holes]
    if missing == "refuse":
        row = next(
            (r for r, c in enumerate(found.cells(place)) if c.lower() in EMPTY), 0
        )
        raise ValueError(
            f"{found.at(row, place)} is missing, one of {int(holes.sum())}; "
            "--missing skip leaves such rows out, --missing fill takes the last number "
            "before"
        )
    if holes[0]:
        raise ValueError(
            f"{found.at(0, place)} is missing and nothing before it could fill it; "
            "--missing skip leaves it out"
        )
    last = np.maximum.accumulate(np.where(holes, 0, np.arange(len(values))))
    return values[last], times
