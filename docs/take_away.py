"""A chapter as a notebook to take away: its prose, its code, its exercises.

    python docs/take_away.py docs/graphs.md graphs.ipynb

Answers stand folded before their checks, so that the notebook runs from top to bottom.
The page is run first, so that its numbers and tables are in the notebook. What it runs
without showing it, its charts and its wrong answers are left out.

>>> made = notebook("# A\\n\\n```python\\n1 + 1\\n```\\n")
>>> [cell["cell_type"] for cell in made["cells"]]
['markdown', 'code']
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pages
from pages import FENCE, OPTION

LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
LEFT_OUT = ("{wrong}", "{toctree}")


def notebook(text: str) -> dict[str, Any]:
    """The cells of a page that was run, as ``pages.run`` keeps it."""
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
    text = LINK.sub(r"\1", text).strip()
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


def run(text: str, name: str, place: pages.Place | None, path: Path) -> str:
    """Run a page as ``pages.run`` does, and write its notebook."""
    kept: list[str] = []
    ran = pages.run(text, name, place, kept)
    made = json.dumps(notebook("".join(kept)), indent=1, ensure_ascii=False)
    path.write_text(made, encoding="utf-8")
    return ran


if __name__ == "__main__":
    page = Path(sys.argv[1])
    run(pages.markdown(page), str(page), None, Path(sys.argv[2]).absolute())
