"""Files that a run leaves beside its weights: tables, and figures of matplotlib.

>>> rms([3.0, 4.0, 0.0, 0.0])
2.5
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.advice import imported
from minigrad.files import replacing


def figure(width: float, height: float) -> Any:
    """An empty figure of matplotlib, which is imported when one is asked for."""
    pictures = imported("matplotlib.figure", "train")
    return pictures.Figure(figsize=(width, height), dpi=150, layout="constrained")


def save_figure(path: Path, drawn: Any) -> None:
    """A figure of matplotlib as a file that is whole or not there."""
    with replacing(path) as temporary:
        drawn.savefig(temporary)


def write_table(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Rows as a CSV file that is whole or not there."""
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows(rows)


def rms(error: Any) -> float:
    """The root of the mean square of an array."""
    return float(np.sqrt(np.square(error).mean()))
