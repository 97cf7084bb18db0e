"""A chapter as a notebook to take away: its prose, its code, its exercises.

    python docs/take_away.py docs/graphs.md graphs.ipynb

Answers stand folded before their checks, so that the notebook runs from top to bottom.
The page is run first, so that its numbers, tables and charts are in the notebook, and
its wrong answers are left out.

>>> made = notebook("# A\\n\\n```python\\n1 + 1\\n```\\n", Path())
>>> [cell["cell_type"] for cell in made["cells"]]
['markdown', 'code']
"""

import base64
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pages
from pages import FENCE, OPTION

LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
LEFT_OUT = ("{wrong}", "{toctree}")


def notebook(text: str, folder: Path) -> dict[str, Any]:
    """The cells of a page as ``pages.run`` keeps it, with its charts from a folder."""
    cells: list[dict[str, Any]] = []
    check: list[dict[str, Any]] = []
    end = 0
    for fence in FENCE.finditer(text):
        _prose(cells, text[end : fence.start()])
        end = fence.end()
        kind, _, name = fence[2].strip().partition(" ")
        if kind == "python":
            cells.append(_code(fence[3]))
        elif kind == "{check}":
            check = [_code(fence[3])]
        elif kind == "{answer}":
            cells += [_code(fence[3], jupyter={"source_hidden": True}), *check]
        elif kind == "{shown}":
            lines = [line for line in fence[3].splitlines() if not OPTION.match(line)]
            if ":of:" in fence[3]:
                cells.append(_chart(folder / f"{name}-light.svg", fence[3]))
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


def _chart(path: Path, body: str) -> dict[str, Any]:
    """A cell with a picture of its own."""
    picture = {"image/svg+xml": base64.b64encode(path.read_bytes()).decode()}
    (alt,) = re.findall(r"^:alt:\s*(.*)$", body, re.MULTILINE)
    cell = _markdown(f"![{alt}](attachment:{path.name})")
    return cell | {"attachments": {path.name: picture}}


def _code(text: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata,
        "outputs": [],
        "source": text.rstrip(),
    }


def run(text: str, name: str, place: pages.Place, path: Path) -> str:
    """Run a page as ``pages.run`` does, and write its notebook."""
    kept: list[str] = []
    ran = pages.run(text, name, place, kept)
    cells = notebook("".join(kept), place.folder)
    made = json.dumps(cells, indent=1, ensure_ascii=False)
    path.write_text(made, encoding="utf-8")
    return ran


if __name__ == "__main__":
    page, path = Path(sys.argv[1]), Path(sys.argv[2]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        place = pages.Place(Path(folder), "made")
        run(pages.markdown(page), page.absolute().as_posix(), place, path)
