"""When the rows of a table are: a column of dates, or of whole numbers that rise.

>>> axis = axis_of([["01/02/2024", "01/03/2024", "01/04/2024"], ["5", "3", "8"]], None)
>>> axis
Axis(place=0, times=(24290.0, 24291.0, 24292.0))
>>> axis.written(24293.0)
'2024-05-01'
"""

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y")
NAMED = ("%d %b %Y", "%d-%b-%Y", "%b %Y", "%B %Y")
TIMES = ("", " %H:%M", " %H:%M:%S")
FORMS = (None, *(f"{d}{t}" for d in DAYS for t in TIMES), "%Y-%m", *NAMED)
# 2024-Q3, 2024 Q3, 2024Q3 and 2024T3, and 2024M07.
PART = re.compile(r"(\d{4})[- ]?([QTM])(\d\d?)")
# ene 2024, enero de 2024 and 1 de enero de 2024, whose short names differ in five.
MONTHS = (
    r"ene(?:ro)?|feb(?:rero)?|mar(?:zo)?|abr(?:il)?|mayo?|jun(?:io)?|jul(?:io)?"
    r"|ago(?:sto)?|sep(?:t|tiembre)?|set(?:iembre)?|oct(?:ubre)?|nov(?:iembre)?"
    r"|dic(?:iembre)?"
)
SPANISH = re.compile(rf"(?:de )?\b({MONTHS})\b\.?(?: del?\b)?", re.IGNORECASE)
ENGLISH = {"ene": "Jan", "abr": "Apr", "ago": "Aug", "set": "Sep", "dic": "Dec"}
# A column is meant to say when if so many of its cells do.
MOST = 0.6
# How far an even step may be from the commonest, as a part of it.
EVEN = 0.05


class AxisError(ValueError):
    """A cell that does not say when, as the others of its column do.

    >>> try:
    ...     axis_of([["2024-01-01", "2024-01-02", "soon"], ["5", "3", "8"]], None)
    ... except AxisError as error:
    ...     error.row, error.place
    (2, 0)
    """

    def __init__(self, row: int, place: int, reason: str) -> None:
        super().__init__(reason)
        self.row, self.place = row, place


def whole(time: float) -> str:
    """A time that is no date, in words.

    >>> whole(3.0)
    '3'
    """
    return f"{time:.0f}"


@dataclass(frozen=True)
class Axis:
    """Of each row a time, in days, months or numbers, in the order of the file.

    ``written`` says a time in words: of dates that of ISO 8601.

    >>> axis = Axis(place=0, times=(1.0, 2.0))
    >>> axis.times, axis.written(3.0)
    ((1.0, 2.0), '3')
    """

    place: int
    times: tuple[float, ...]
    written: Callable[[float], str] = field(default=whole, repr=False, compare=False)


def axis_of(columns: Sequence[Sequence[str]], wanted: int | None) -> Axis | None:
    """The first column that says when; ``wanted`` is none, it is what is asked for.

    Of dates that may be read day or month first, the reading with even steps is taken.
    Raises AxisError for a cell that is none where most of its column are.
    """
    for place, cells in enumerate(columns):
        if place != wanted and (dates := _dates(cells, place)):
            return _of_dates(place, dates)
    return _counted(columns[0]) if len(columns) > 1 and wanted != 0 else None


def gaps(times: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The steps from row to row, as multiples of the commonest one.

    Of (n,) times there are (n - 1,).

    >>> gaps([1.0, 2.0, 3.0, 5.0]).tolist()
    [1.0, 1.0, 2.0]
    """
    steps = np.diff(times)
    if not (steps > 0).any():
        return np.zeros(len(steps))
    steps = steps / np.median(steps[steps > 0])
    lengths, often = np.unique(np.round(steps[steps > 0], 6), return_counts=True)
    return np.asarray(steps / lengths[often.argmax()])


def is_date(cell: str) -> bool:
    """Whether a cell is a date by itself.

    >>> is_date("2024-02-29"), is_date("1 de enero de 2024"), is_date("5.0")
    (True, True, False)
    """
    return _may_be(cell) and any(_date(cell, form) for form in FORMS)


def _in_english(cell: str) -> str:
    """A cell with the short English name in place of a Spanish month."""
    if not (found := SPANISH.search(cell)):
        return cell
    name = found[1][:3].lower()
    return cell[: found.start()] + ENGLISH.get(name, name) + cell[found.end() :]


def _may_be(cell: str) -> bool:
    """Whether a cell looks like a date: 20240101 may be one, and 123456 is a number."""
    number = re.fullmatch(r"[\d.,+-]+", cell) and cell.count("-") != 2
    known = re.fullmatch(r"\d{4}-\d\d|\d+\.\d+\.\d{4}", cell)
    return bool(known) or not (len(cell) < 6 or number)


def _date(cell: str, form: str | None) -> datetime | None:
    if part := PART.fullmatch(cell):
        year, kind, k = part.groups()
        month = int(k) if kind == "M" else 3 * int(k) - 2
        cell = f"{year}-{month:02}"
    elif form in NAMED:
        cell = _in_english(cell)
    try:
        return datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)
    except ValueError:
        return None


def _dates(cells: Sequence[str], place: int) -> list[datetime]:
    """The dates of a column of dates; none for another one."""
    if not any(map(is_date, cells)):
        return []
    looks = [_may_be(c) for c in cells]
    read = {
        form: [
            _date(c, form) if look else None
            for c, look in zip(cells, looks, strict=True)
        ]
        for form in FORMS
    }
    most = max(sum(d is not None for d in found) for found in read.values())
    if most < max(2, MOST * len(cells)) and most < len(cells):
        return []
    best = [found for found in read.values() if sum(map(bool, found)) == most]
    whole = [[d for d in found if d is not None] for found in best]
    if most < len(cells):
        row = best[0].index(None)
        raise AxisError(row, place, "is no date, as the others of its column are")
    zoned = [d.tzinfo is not None for d in whole[0]]
    if len(set(zoned)) > 1:
        said = "no" if zoned[0] else "a"
        reason = f"has {said} time zone, unlike the first: write all alike"
        raise AxisError(zoned.index(not zoned[0]), place, reason)
    return min(whole, key=lambda dates: _uneven(_of_dates(place, dates).times))


def _uneven(times: Sequence[float]) -> int:
    forward = times if times[-1] >= times[0] else times[::-1]
    return int((np.abs(gaps(forward) - 1) > EVEN).sum())


def _of_dates(place: int, dates: Sequence[datetime]) -> Axis:
    """Months where all dates are the same day or the last of one each, else days."""
    first = dates[0]
    alike = len({(d.day, d.hour, d.minute, d.second) for d in dates}) == 1
    ends = all(datetime.fromordinal(d.toordinal() + 1).day == 1 for d in dates)
    start = first.replace(hour=0, minute=0, second=0, microsecond=0)
    short = all((d.hour, d.minute, d.second, d.microsecond) == (0,) * 4 for d in dates)

    def iso(date: datetime) -> str:
        return f"{date:%Y-%m-%d}" if short else date.isoformat(" ")

    def of_months(time: float) -> str:
        year, month = divmod(round(time) - 1, 12)
        last = monthrange(year, month + 1)[1]
        day = last if ends else min(first.day, last)
        return iso(first.replace(year=year, month=month + 1, day=day))

    def of_days(time: float) -> str:
        return iso(start + timedelta(days=time))

    months = tuple(12.0 * d.year + d.month for d in dates)
    # Hours of one day that ends a month are no months.
    if (alike or ends) and len(set(months)) == len(months):
        return Axis(place, months, of_months)
    return Axis(
        place, tuple((d - start).total_seconds() / 86_400 for d in dates), of_days
    )


def _counted(cells: Sequence[str]) -> Axis | None:
    """A first column of whole numbers that rise or fall, evenly for the most part."""
    times = [float(c) if c.isdecimal() else None for c in cells]
    known = [t for t in times if t is not None]
    if len(known) < max(2, MOST * len(cells)):
        return None
    forward = known if known[-1] >= known[0] else known[::-1]
    if len(known) < len(cells):
        if _uneven(forward) > (1 - MOST) * len(known):
            return None
        reason = "is no whole number, as the others of its column are"
        raise AxisError(times.index(None), 0, reason)
    # 20240131 is followed by 20240201, and 202412 by 202501.
    for form, digits in ("%Y%m%d", 8), ("%Y%m", 6):
        dates = [_date(c, form) for c in cells if len(c) == digits]
        found = [d for d in dates if d]
        if len(found) == len(cells):
            axis = _of_dates(0, found)
            if _uneven(axis.times) <= _uneven(forward):
                return axis
    rises = all(a < b for a, b in pairwise(forward))
    return Axis(0, tuple(known)) if rises else None
