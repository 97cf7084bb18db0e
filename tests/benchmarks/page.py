"""The tables of docs/performance.md, made of the file of results that it names.

A table stands between two comments and is described by the first of them:

    <!-- table ms; float32; LSTM; tiny, small -->       the number, dtype, case, sizes
    <!-- table ms; float32; LSTM; tiny; compiled -->    and words of the contenders
    <!-- goals -->, <!-- machine -->
    <!-- end -->
"""

import re

from tests.benchmarks.cases import CASES, SIZES
from tests.benchmarks.contenders import CONTENDERS, FLOOR, HAND, OTHERS
from tests.benchmarks.results import ROOT, Results

PAGE = ROOT / "docs" / "performance.md"
NAMED = re.compile(r"<!-- measured (\S+) -->")
TABLE = re.compile(r"(<!-- (table|goals|machine)([^>]*) -->\n).*?(<!-- end -->)", re.S)

LOOP, FAST = "torch, Python loop", "minigrad compiled, c"
MANY, ONE, FED, GATED = CASES[:2], CASES[2:3], CASES[3:4], CASES[4:]
# Ratios that minigrad is to reach, tiny to long: who, to whom, in which cases.
GOALS = [
    ("minigrad compiled, numpy", HAND, MANY + ONE, (1.1, 0.95, 1.0, 1.0, 1.0)),
    ("minigrad compiled, numpy", HAND, FED + GATED, (1.2, 1.2, 1.1, 1.1, 1.1)),
    (FAST, HAND, MANY, (0.42, 0.42, 0.68, 0.87, 0.42)),
    (FAST, HAND, ONE, (0.42, 0.52, None, None, None)),
    (FAST, HAND, FED, (0.36, 0.36, 0.66, 0.72, 0.25)),
    (FAST, HAND, GATED, (0.33, 0.34, 0.48, 0.75, 0.14)),
    (FAST, FLOOR, CASES, (None, 1.4, 1.4, 1.4, 1.8)),
    ("minigrad eager", LOOP, CASES, (0.56, 0.69, 1.05, 1.18, 0.56)),
]


def cell(entry, key, base):
    """A number, and in brackets its ratio to that of NumPy by hand."""
    if "left_out" in entry:
        return "left out"
    if key not in entry:
        return "–"
    ratio = f" ({entry[key] / base:.2f})" if base else ""
    digits = f"{entry[key]:.3g}"
    number = f"{float(digits):,.0f}" if "e+" in digits else digits
    return f"{number}{ratio}"


def table(results, key, dtype, case, sizes, words=()):
    """A Markdown table, a row for each contender with a word of ``words`` in it."""
    columns = {size: results.size(dtype, case, size) for size in sizes}
    unit = "MB" if key == "MB" else "ms"
    bases = {s: entries.get(HAND, {}).get(key) for s, entries in columns.items()}
    if key == "first_ms":  # NumPy by hand compiles nothing: a ratio says nothing
        bases = dict.fromkeys(bases)
    ratio = f" (ratio to {HAND})" if any(bases.values()) else ""
    lines = [
        f"| {unit}{ratio} | {' | '.join(columns)} |",
        "|---" * (len(sizes) + 1) + "|",
    ]
    for name in dict.fromkeys([*CONTENDERS, *OTHERS]):
        cells = [
            cell(entries.get(name, {}), key, bases[size])
            for size, entries in columns.items()
        ]
        if set(cells) != {"–"} and (not words or any(w in name for w in words)):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(results):
    """Each ratio that was measured, and its goal: bold where it is not reached."""
    lines = [f"| ratio, goal | {' | '.join(SIZES)} |"]
    lines.append("|---" * (len(SIZES) + 1) + "|")
    for name, base, cases, wanted in GOALS:
        for case in cases:
            cells = []
            for size, goal in zip(SIZES, wanted, strict=True):
                entries = results.size("float32", case, size)
                times = [entries.get(n, {}).get("ms") for n in (name, base)]
                text = "–" if None in times else f"{times[0] / times[1]:.2f}"
                if goal and text != "–":
                    bold = "**" if float(text) > goal else ""
                    text = f"{bold}{text}{bold}, {goal:.2f}"
                cells.append(text)
            if set(cells) != {"–"}:
                lines.append(f"| {name} to {base}: {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def packages(results):
    """Versions of what was measured, as the entries name them."""
    found = set()
    for cases in results.cells.get("measured", {}).values():
        for sizes in cases.values():
            for entries in sizes.values():
                found |= {e["made"].split(",")[0] for e in entries.values()}
    return ", ".join(sorted(name for name in found if " " in name))


def between(results, kind, given):
    """What stands between the two comments of a table of the page."""
    if kind == "machine":
        rows = {**results.cells["machine"], "date": results.cells["date"]}
        rows["packages"] = packages(results)
        return "\n".join(f"- {key}: {value}" for key, value in rows.items())
    if kind == "goals":
        return goals(results)
    key, dtype, case, sizes, *words = (part.strip() for part in given.split(";"))
    words = words[0].split() if words else ()
    return table(results, key, dtype, case, re.split(r",\s*", sizes), words)


def written(page):
    """The text of a page with its tables made again from the file that it names."""
    results = Results.read(ROOT / NAMED.search(page)[1])
    return TABLE.sub(
        lambda m: f"{m[1]}\n{between(results, m[2], m[3])}\n\n{m[4]}", page
    )
