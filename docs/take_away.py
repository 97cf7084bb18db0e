"""A chapter as a notebook to take away: its prose, its code, its exercises.

    python docs/take_away.py docs/graphs.md graphs.ipynb

Answers stand folded before their checks, so that the notebook runs from top to bottom.
What a page runs without showing it, its charts and its wrong answers are left out.

>>> made = notebook("# A\\n\\n```python\\n1 + 1\\n```\\n")
>>> [cell["cell_type"] for cell in made["cells"]]
['markdown', 'code']
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from pages import FENCE, OPTION, VALUE

LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
LEFT_OUT = ("{made}", "{wrong}", "{toctree}")


def notebook(text: str) -> dict[str, Any]:
    """The cells of a page."""
    cells: list[dict[str, Any]] = []
    check: list[dict[str, Any]] = []
    end = 0
    for fence in FENCE.finditer(text):
        _prose(cells, text[end : fence.start()])
        end = fence.end()
        kind, _, _ = fence[2].strip().partition(" ")
        if kind == "python":
            cells.append(_code(fence[3]))
        elif kind == "{check}":
            check = [_code(fence[3])]
        elif kind == "{answer}":
            cells += [_code(fence[3], jupyter={"source_hidden": True}), *check]
        elif kind == "{shown}":
            lines = [line for line in fence[3].splitlines() if not OPTION.match(line)]
            if ":of:" not in fence[3]:
                _prose(cells, "\n".join(lines))
        elif kind not in LEFT_OUT:
            cells.append(_markdown(f"```\n{fence[3]}```"))
    _prose(cells, text[end:])
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def _prose(cells: list[dict[str, Any]], text: str) -> None:
    text = LINK.sub(r"\1", VALUE.sub(r"`\1`", text)).strip()
    if text:
        cells.append(_markdown(text))


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": text.rstrip(),
    }


def write(page: Path, path: Path) -> None:
    """The notebook of a page."""
    made = notebook(page.read_text(encoding="utf-8"))
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
