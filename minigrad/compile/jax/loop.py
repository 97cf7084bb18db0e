"""Loops over time as ``lax.scan``.

Vocabulary
    range    the steps of one ``Loop``: the same lines exist at all of them
    past     of a line its values at the last steps, the newest first: what a scan
             carries, and what one range leaves to the next
    piece    the values of a line on one range; all of them, end to end, are the line
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from minigrad.compile.counts import Count
from minigrad.compile.jax.source import Source
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Time, Value, moves


class Scans:
    """Writes the loops of a program to its source."""

    def __init__(self, source: Source, parts: Sequence[Part]) -> None:
        self.source, self.program = source, source.program
        loops = [part for part in parts if isinstance(part, Loop)]
        self.last = {loop.whole: loop for loop in loops}
        inside = {v: loop.whole for loop in loops for v in loop.whole}
        # Lines that somebody outside of their loop reads.
        self.kept = {
            i
            for v in self.program.values
            for i in v.inputs
            if i in inside and v not in inside[i]
        }
        self.depth: dict[Value, int] = defaultdict(int)
        for state, line in self.program.states.items():
            self.depth[line] = max(self.depth[line], abs(state.attrs["delay"]))
        self.ranges = Counter(v for loop in loops for v in loop.body)
        self.past: dict[Value, list[str]] = {}
        self.pieces: dict[Value, list[str]] = defaultdict(list)

    def write(self, loop: Loop) -> None:
        """Write one range; after the last one, its lines as arrays over all steps."""
        for v in loop.body:
            if v not in self.past and self.depth[v]:
                self.past[v] = [self._cell(loop, v, k) for k in range(self.depth[v])]
        single = loop.steps.first == loop.steps.last
        (self._once if single else self._scan)(loop)
        if self.last[loop.whole] is loop:
            for v in sorted(self.kept & loop.whole, key=self.source.name):
                pieces = self.pieces[v][:: loop.direction]
                code = pieces[0]
                if len(pieces) > 1:
                    code = f"jnp.concatenate([{', '.join(pieces)}])"
                if code != self.source.name(v):
                    self.source.lines.append(f"{self.source.name(v)} = {code}")

    def _cell(self, loop: Loop, v: Value, k: int) -> str:
        """What is read of a line so many steps before its first: zeros if nothing is."""
        start = v.span.first if loop.direction > 0 else v.span.last
        cell = loop.cells.get((v, start.plus(-(k + 1) * loop.direction)))
        if cell is not None:
            return self.source.untimed(cell)
        return f"jnp.zeros({self.source.literal(v.shape)}, '{v.dtype}')"

    def _once(self, loop: Loop) -> None:
        """A range of one step: its lines, without a loop."""
        s, step = self.source, loop.steps.first
        if any(moves(v.attrs) for v in loop.body):
            s.lines.append(f"t = {s.end(step)}")
        names = {v: s.fresh(f"{s.name(v)}_once") for v in loop.body}
        s.lines += self._body(loop, names, lambda i: s.element(i, step))
        for v in loop.body:
            self.pieces[v].append(f"{names[v]}[None]")
        for v in self._carried(loop):
            self.past[v] = [names.get(v, self.past[v][0]), *self.past[v][:-1]]

    def _scan(self, loop: Loop) -> None:
        """A range of several steps: a function of one of them, and its scan."""
        s, steps = self.source, loop.steps
        names = {v: s.fresh(f"{s.name(v)}_t") for v in loop.body}
        begin = {v: self.past[v] for v in self._carried(loop)}
        for v in begin:
            self.past[v] = [
                s.fresh(f"{s.name(v)}_{'before' if loop.direction > 0 else 'after'}")
                for _ in begin[v]
            ]
        now: dict[str, str] = {}

        def outer(i: Value) -> str:
            code = s.window(i, steps)
            if code not in now:
                now[code] = s.fresh(f"{i.name or i.op.name}_now")
            return now[code]

        lines = self._body(loop, names, outer)
        if any(moves(v.attrs) for v in loop.body):
            now[f"jnp.arange({s.end(steps.first)}, {s.end(steps.last.plus(1))})"] = "t"
        after = {v: [names.get(v, p[0]), *p[:-1]] for v, p in self._pasts(begin)}
        kept = [v for v in loop.body if v in self.kept]
        function = s.fresh("forward" if loop.direction > 0 else "backward")
        s.lines.append(f"def {function}(carry, now):")
        if begin:
            s.lines.append(f"    {_row(self._pasts(begin))} = carry")
        if now:
            s.lines.append(f"    {_tuple(now.values())} = now")
        s.lines += [f"    {line}" for line in lines]
        ys = _tuple(names[v] for v in kept)
        s.lines.append(f"    return {_row(after.items())}, {ys}")
        ends = {v: [s.fresh(f"{s.name(v)}_end") for _ in p] for v, p in begin.items()}
        pieces = {v: s.name(v) if self.ranges[v] == 1 else s.fresh(f"{s.name(v)}_part") for v in kept}
        xs = _tuple(now) if now else "None"
        options = "" if now else f", length={s.literal(steps.number)}"
        options += ", reverse=True" if loop.direction < 0 else ""
        s.lines.append(
            f"{_row(ends.items()) if begin else '_'}, "
            f"{_tuple(pieces.values()) if kept else '_'} = "
            f"lax.scan({function}, {_row(begin.items())}, {xs}{options})"
        )
        self.past |= ends
        for v in kept:
            self.pieces[v].append(pieces[v])

    def _carried(self, loop: Loop) -> list[Value]:
        """The lines whose past is known and may be read on this range or later."""
        return [v for v in self.past if v in loop.whole]

    def _pasts(self, begin):
        return [(v, self.past[v]) for v in begin]

    def _body(self, loop, names, outer) -> list[str]:
        """The lines of one step."""
        s, lines = self.source, []
        for v in loop.body:
            codes = [self._operand(loop, i, names, outer) for i in loop.operands(v)]
            if v.op is Time.splice:
                code = f"jnp.asarray({codes[0]}, '{v.dtype}')"
            else:
                code = s.call(v, codes, loop.steps.clock)
            lines.append(f"{names[v]} = {code}")
        return lines

    def _operand(self, loop, i, names, outer) -> str:
        if i in names:
            return names[i]
        past = loop.carried.get(i, i)
        if past.op is Time.state:
            delay = abs(past.attrs["delay"])
            return self.past[self.program.states[past]][delay - 1]
        if i.op is Time.each:
            return self.source.untimed(i.inputs[0])
        return outer(i)


def _tuple(codes) -> str:
    found = list(codes)
    return f"({', '.join(found)}{',' * (len(found) == 1)})"


def _row(pasts) -> str:
    return _tuple(code for _, codes in pasts for code in codes)
