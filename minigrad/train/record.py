"""What a training leaves to look at: a CSV file and a picture of its curves.

>>> import tempfile
>>> from minigrad.train import History, Progress
>>> history = History([Progress(1, 2.5, 1.0, 3.0)], best_step=1, best_validation=3.0)
>>> path = Path(tempfile.mkdtemp()) / "log.csv"
>>> write_log(path, history)
>>> path.read_text().splitlines()
['step,loss,norm,validation', '1,2.5,1.0,3.0']
"""

from pathlib import Path
from typing import Any

from minigrad.advice import imported
from minigrad.files import replacing
from minigrad.train.loop import History


def write_log(path: Path, history: History) -> None:
    """Every step as a line of a CSV file: step, loss, gradient norm, validation."""
    lines = ["step,loss,norm,validation"]
    lines += [f"{p.step},{p.loss},{p.norm},{p.validation}" for p in history.steps]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def curves(history: History, title: str, measure: str = "validation") -> Any:
    """Loss, validation and gradient norm over the steps, as a matplotlib figure.

    >>> from minigrad.train import History, Progress
    >>> history = History([Progress(1, 2.5, 1.0, 3.0), Progress(2, 1.5, 1.0, 2.0)])
    >>> [axes.get_ylabel() for axes in curves(history, "a training").axes]
    ['', 'gradient norm']
    """
    pictures = imported("matplotlib.figure", "train")
    figure = pictures.Figure(figsize=(9, 5.5), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[2, 1], sharex=True)
    steps = [p.step for p in history.steps]
    above.plot(steps, [p.loss for p in history.steps], color="#8c8c8c", label="loss")
    above.plot(
        steps, [p.validation for p in history.steps], color="#0072B2", label=measure
    )
    if history.best_step:
        above.axvline(history.best_step, color="#D55E00", lw=1, ls=":", label="kept")
    below.plot(steps, [p.norm for p in history.steps], color="#009E73")
    below.set_ylabel("gradient norm")
    below.set_xlabel("step")
    above.set_title(title, loc="left", fontsize=11)
    above.legend(frameon=False)
    for axes in (above, below):
        axes.set_yscale("log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e6e6e6", lw=0.7)
    return figure
