"""Loops within a step: their turns stand side by side, and are one in the circuit.

Vocabulary
    turn   one step of a loop that runs within a step: k of h(t,k)
    line   what stands for a value at all turns: the key of its first one
    block  all that one such loop holds; a frame is drawn around it
    dots   what stands for the turns that are left out

>>> h = [Symbol(f"h{k}", (), turn=(k,), loops=("",), line="h1") for k in (1, 2, 3)]
>>> arrows = Arrow("h1", "h2", turns=1), Arrow("h2", "h3", turns=1)
>>> chart, parts = rolled(Chart(tuple(h), arrows))
>>> [s.key for s in chart.symbols], [(a.delay, len(parts[a])) for a in chart.arrows]
(['h1'], [(1, 2)])
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from minigrad.draw.page.frames import write_names
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import Frame, Node, around
from minigrad.draw.textbook.chart import Arrow, Chart, StandIn, Symbol
from minigrad.draw.textbook.columns import visible
from minigrad.scope import LOOP

if TYPE_CHECKING:
    from minigrad.draw.textbook.drawing import Drawing

FEW, FEWER = 4, 3
PAD, NEST, TITLE = 9.0, 8.0, 10.0
LETTERS = "klmnpqrsijabcdefguvwz"

Parts = dict[Arrow, list[Arrow]]


def rolled(chart: Chart) -> tuple[Chart, Parts]:
    """The chart with one symbol for all turns, and what each arrow stands for."""
    chart = _with_starts(chart)
    if not any(s.line for s in chart.symbols):
        return chart, {}
    line = {s.key: s.line or s.key for s in chart.symbols}
    parts: Parts = {}
    for a in chart.arrows:
        parts.setdefault(in_circuit(a, line), []).append(a)
    symbols = []
    for s in chart.symbols:
        if s.stands_for is not None:
            start = StandIn(line[s.stands_for.state], s.stands_for.offset)
            s = replace(s, stands_for=start)
        symbols += [s] if line[s.key] == s.key else []
    return replace(chart, symbols=tuple(symbols), arrows=tuple(parts)), parts


def _with_starts(chart: Chart) -> Chart:
    """Beside longer loops, those of one step with what they begin with: no square."""
    if max(chart.lengths, default=0) < 2:
        return chart
    clocks = {s.key: s.clock for s in chart.symbols}
    once = {
        s.key
        for s in chart.symbols
        if s.stands_for is not None
        and (clock := clocks[s.stands_for.state]) is not None
        and chart.lengths[clock] == 1
    }
    if not once:
        return chart
    bare = {s: replace(s, stands_for=None) for s in chart.symbols if s.key in once}
    plain = {a: replace(a, initial=False) for a in chart.arrows if a.source in once}
    return replace(
        chart,
        symbols=tuple(bare.get(s, s) for s in chart.symbols),
        arrows=tuple(plain.get(a, a) for a in chart.arrows),
    )


def in_circuit(a: Arrow, line: Mapping[str, str]) -> Arrow:
    """An arrow between lines: turns are its delay."""
    source, target = line[a.source], line[a.target]
    return replace(a, source=source, target=target, delay=a.turns or a.delay)


def drawn(chart: Chart, steps: int | None) -> tuple[Chart, Parts]:
    """The chart with dots in the place of turns that are left out, and its parts."""
    gaps = _gaps(chart, steps)
    to: dict[str, str] = {}
    symbols: dict[str, Symbol] = {}
    for s in chart.symbols:
        dots = _dots(s, gaps)
        to[s.key] = dots.key
        symbols.setdefault(dots.key, dots)
    parts: Parts = {}
    for a in chart.arrows:
        one = replace(a, source=to[a.source], target=to[a.target])
        hidden = (a.source != one.source) + (a.target != one.target)
        if hidden == 0 or (hidden == 1 and a.turns):
            parts.setdefault(one, []).append(a)
    ends = {key for a in parts for key in (a.source, a.target)}
    always = {s.key for s in symbols.values() if s.kind != "dot" and not s.begins}
    shown = (s for s in symbols.values() if s.key in always | ends)
    return replace(chart, symbols=tuple(shown), arrows=tuple(parts)), parts


def _dots(s: Symbol, gaps: Mapping[Any, Mapping[float, float]]) -> Symbol:
    """The dots for a symbol that is left out, or else itself."""
    for d, (loop, k) in enumerate(zip(s.loops, s.turn, strict=True)):
        hidden = gaps.get((loop, s.turn[:d]), {})
        if k in hidden:
            turn = (*s.turn[:d], hidden[k])
            more = f"{len(hidden)} more step{'s' if len(hidden) > 1 else ''}"
            key, loops = f"{s.line}…{turn}", s.loops[: d + 1]
            return replace(s, key=key, turn=turn, loops=loops, kind="dot", title=more)
    return s


def _gaps(chart: Chart, steps: int | None) -> dict[Any, dict[float, float]]:
    """Of each loop the turns that are left out, and where the dots for them stand."""
    turns: dict[Any, set[float]] = defaultdict(set)
    longest: dict[Any, float] = defaultdict(lambda: 1)
    loops = {s.key: s.loops for s in chart.symbols}
    for s in chart.symbols:
        for d, loop in enumerate(() if s.begins else s.loops):
            turns[loop, s.turn[:d]].add(s.turn[d])
    for a in chart.arrows:
        if a.turns:
            loop = loops[a.target][-1]
            longest[loop] = max(longest[loop], abs(a.turns))
    found = {}
    for (loop, outer), here in turns.items():
        most = steps or (FEW if len(here) <= FEW else FEWER)
        places = visible(len(here), most)
        if None in places and len(here) - most >= longest[loop]:
            order = enumerate(sorted(here), 1)
            hidden = [k for place, k in order if place not in places]
            found[loop, outer] = dict.fromkeys(hidden, hidden[0] - 0.5)
    return found


def at_once(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Symbols with one turn for all; what their loops begin with is beside it."""
    last = {s.key: s.turn[-1] for s in symbols if s.turn}
    turns = [
        (s.turn[-1] - last[s.begins],) if s.begins else (0.0,) * bool(s.turn)
        for s in symbols
    ]
    return [replace(s, turn=turn) for s, turn in zip(symbols, turns, strict=True)]


def spread(
    symbols: Sequence[Symbol],
    now: Sequence[Arrow],
    level: Mapping[str, int],
    circuit: Mapping[str, float],
    beside: float,
) -> dict[str, float]:
    """The places in a column: turns side by side, all else over or beside them.

    ``beside`` is how far right of a frame's circles another one stands, where these
    have their loops; to the left it is half as much more than a lane.
    """
    before = {s.key: circuit[s.begins or s.line or s.key] for s in symbols}
    place = dict(before)
    units: dict[Any, list[Symbol]] = defaultdict(list)
    for s in symbols:
        units[s.loops[:1] or s.key].append(s)
    fixed: set[str] = set()
    for block in (unit for unit in units.values() if unit[0].loops):
        left, right = _side_by_side(block, place)
        rows = {level[s.key] for s in block}
        fixed |= {s.key for s in block}
        for unit in units.values():
            if unit is not block and rows & {level[s.key] for s in unit}:
                here = [place[s.key] for s in unit]
                ahead = before[unit[0].key] > before[block[0].key]
                by = max(right + beside - min(here), 0.0)
                if not ahead:
                    by = min(left - (1 + beside) / 2 - max(here), 0.0)
                place |= {s.key: place[s.key] + by for s in unit}
                fixed |= {s.key for s in unit}
    # What reads turns stands over them, and an input below what reads it.
    data = {s.key for s in symbols if s.leaf}
    for s in sorted(symbols, key=lambda s: (s.leaf, level[s.key])):
        ends = [(a.target, a.source) if s.leaf else (a.source, a.target) for a in now]
        near = [k for k, key in ends if key == s.key and k not in data]
        if near and s.key not in fixed:
            place[s.key] += sum(place[k] - before[k] for k in near) / len(near)
    return place


def _side_by_side(
    block: Sequence[Symbol], place: dict[str, float]
) -> tuple[float, float]:
    """Give the turns of a block their places; returns those of its outermost circles.

    What a loop begins with has a turn of its own, beside the first one.
    """
    turns = sorted({s.turn for s in block}, key=lambda turn: (*turn, inf))
    here = [place[s.key] for s in block]
    wide = max(here) - min(here) + 1
    for s in block:
        place[s.key] += wide * (turns.index(s.turn) - (len(turns) - 1) / 2)
    ends = [place[s.key] for s in block]
    return min(ends), max(ends)


def draw_frames(drawing: "Drawing", part: str, at: Mapping[str, Node]) -> None:
    """A frame around what each loop holds, with its scope's name and its turns.

    ``at`` has the circles of a step.
    """
    sheet, chart = drawing.sheet, drawing.of(part).chart
    inside: dict[Any, list[Symbol]] = defaultdict(list)
    for s in chart.symbols:
        for d, loop in enumerate(s.loops if s.key in at else ()):
            inside[loop, s.turn[:d]].append(s)
    deepest = max((len(outer) for _, outer in inside), default=0)
    turning = {drawing.way_home(a) for a in chart.arrows if a.turns}
    edges = [e for e in sheet.edges if e.part == part]
    names: dict[int, str] = {}
    for (loop, outer), here in inside.items():
        nodes = [at[s.key] for s in here]
        boxes, ids = [n.box for n in nodes], {n.id for n in nodes}
        for e in edges:  # and its own arrows, with their letters
            if e.home in turning and ids & {e.tail, e.tip}:
                xs, ys = zip(*e.points, strict=True)
                right = max(xs) + (drawing.width(e.parameters) + 12) * (
                    part == "folded"
                )
                boxes.append((min(xs), min(ys), right, max(ys)))
        box = around(boxes, PAD + NEST * (deepest - len(outer)))
        sheet.frames.append(Frame(box, part=part))
        name = loop[-2][0] if len(loop) > 1 and loop[-2][0] != LOOP else ""
        words = [clean(str(name))] if name else []
        if part == "folded":
            words.append(_counted(drawing.chart, loop, len(outer)))
        if words:
            names[len(sheet.frames) - 1] = ", ".join(words)
    write_names(sheet, names, TITLE, part)


def _counted(chart: Chart, loop: Any, depth: int) -> str:
    """The turns of a loop: k = 1, …, 3."""
    turns = [s.turn[depth] for s in chart.symbols if loop in s.loops and not s.begins]
    first, last = min(turns), max(turns)
    between = ", …" if last - first > 1 else ""
    more = f"{between}, {last}" if last > first else ""
    return f"{turn_letters(chart)[depth]} = {first}{more}"


def turn_letters(chart: Chart) -> list[str]:
    """What turns are counted by: letters that nothing in the figure is called."""
    names = {s.name for s in chart.symbols} | {w.name for w in chart.weights}
    return [letter for letter in LETTERS if letter not in names]


def borders(symbols: Sequence[Symbol], level: Mapping[str, int]) -> Counter[int]:
    """The rows right above the borders of frames, and how many run there."""
    rows: dict[Any, list[int]] = defaultdict(list)
    for s in symbols:
        for loop in s.loops:
            rows[loop].append(level[s.key])
    return Counter(row for here in rows.values() for row in (min(here), max(here) + 1))


def start_of(chart: Chart, symbol: Symbol) -> str:
    """What stands in the brackets of a loop's start in the circuit: t,0."""
    outer = turn_letters(chart)[: len(symbol.turn) - 1]
    return ",".join(("t", *outer, str(symbol.turn[-1])))
