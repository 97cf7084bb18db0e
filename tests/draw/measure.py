"""Counts of what is wrong in the figures of the corpus; prints them, writes nothing.

    python tests/draw/measure.py [NETWORK ...] [--every N] [--views VIEW ...]
        [--style STYLE] [--pixels] [--engine ENGINE]

A line for each figure with a fault, then a table: a row for each view. Networks are
named by words of their names. Exits 1 if anything is wrong.
"""

import argparse
import sys
import time
import warnings
from collections import Counter

import numpy as np

from minigrad.draw import draw
from minigrad.draw.sizes import LEAST, WIDTHS, printed
from tests.draw.corpus import NETS, recorded
from tests.draw.judge import back, circuit, columns, symbols
from tests.draw.pixels import hidden

VIEWS = {
    "textbook": {"view": "textbook"},
    "unfolded": {"view": "unfolded", "steps": 40},
    "folded": {"view": "folded"},
    "symbolic": {"view": "textbook", "index": "symbolic"},
    "backward": {"view": "backward"},
    "ops": {"view": "ops"},
    "overlay": {"view": "unfolded", "overlay": "value"},
    "nodes": {"view": "textbook", "params": "node", "biases": True},
}
# Those that the ordinary tests look at in a few networks only.
MORE = {
    "grad": {"view": "textbook", "overlay": "grad"},
    "jacobian": {"view": "unfolded", "overlay": "jacobian"},
    "values": {"view": "textbook", "values": True},
    "shapes": {"view": "textbook", "shapes": True},
    "column": {"view": "unfolded", "steps": "column"},
    "page": {"view": "textbook", "steps": "page"},
}
WAYS = VIEWS | MORE


def wrong(graph, view, figure):
    """All that is wrong in a figure, without its pixels, as (kind, words)."""
    for fault in figure.audit():
        yield fault.what, f"{fault.first} | {fault.second} | {fault.depth}"
    told, shown = [], WAYS[view]["view"]
    if graph.steps == 1 and shown in ("textbook", "folded") and view != "symbolic":
        shown = "unfolded"  # of one step there is the column alone
    if view == "symbolic":
        told += symbols(graph, figure)
    elif shown in ("textbook", "unfolded", "backward"):
        told += columns(graph, figure, whole=WAYS[view].get("steps") == 40)
    if shown in ("textbook", "folded") and graph.steps and view != "symbolic":
        told += circuit(graph, figure)
    if shown == "backward":
        told += back(graph, figure)
    yield from (("untrue", words) for words in told)
    if view in WIDTHS and (size := printed(figure, view)) < LEAST:
        yield "small", f"letters of {size:.1f} pt"


def judged(name, view, pixels=False, **how):
    """The faults of one figure of the corpus, the seconds that it took, its letters."""
    graph = recorded(name)
    start = time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            figure = draw(graph, **WAYS[view], **how)
            seconds = time.process_time() - start
            found = [*wrong(graph, view, figure)]
            if pixels:
                found += [
                    ("not seen", f"{edge}: {part}") for edge, part in hidden(figure)
                ]
        except ValueError as error:
            return [("refused", str(error))], 0.0, 0
        except Exception as error:
            return [("crashed", f"{type(error).__name__}: {error}")], 0.0, 0
    letters = sum(text.edge is not None for text in figure.scene.texts)
    return found, seconds, letters


def main():
    """Print what is wrong, and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NETWORK")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--pixels", action="store_true")
    parser.add_argument("--engine", default="pure")
    parser.add_argument("--style", default="color")
    parser.add_argument("--views", nargs="*", default=[*WAYS], choices=WAYS)
    options = parser.parse_args()
    chosen = [n for n in NETS if not options.names or n in options.names]
    rows = {view: Counter() for view in options.views}
    how = {"engine": options.engine, "style": options.style}
    for name in chosen[:: options.every]:
        for view in options.views:
            found, seconds, letters = judged(name, view, options.pixels, **how)
            kinds = Counter(kind for kind, _ in found)
            rows[view].update(kinds)
            rows[view].update(figures=1, letters=letters, seconds=seconds)
            rows[view]["slowest"] = max(rows[view]["slowest"], seconds)
            for kind in kinds:
                words = [w for k, w in found if k == kind]
                more = f" and {len(words) - 1} more" * (len(words) > 1)
                print(f"{name} | {view} | {kind}: {words[0][:150]}{more}", flush=True)
    table(rows)
    told = ("figures", "letters", "seconds", "slowest", "refused", "small")
    sys.exit(any(n for row in rows.values() for k, n in row.items() if k not in told))


def table(rows):
    """A row for each view, a column for each kind of fault that there is."""
    first = ("figures", "seconds", "slowest", "letters")
    kinds = [*first, *sorted({k for row in rows.values() for k in row} - {*first})]
    print("\n" + "view".ljust(10), *(kind[:12].rjust(12) for kind in kinds))
    for view, row in rows.items():
        cells = (f"{row[k]:.2f}" if k in first[1:3] else str(row[k]) for k in kinds)
        print(view.ljust(10), *(cell.rjust(12) for cell in cells))


if __name__ == "__main__":
    main()
