"""Loops over time as ``lax.scan``.

Vocabulary
    range    the steps of one ``Loop``: the same lines exist at all of them
    past     of a line its values at the last steps, the newest first: what a scan
             carries, and what one range leaves to the next
    piece    the values of a line on one range; all of them, end to end, are the line
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from minigrad.compile.jax.associative import Linear, applied, combined, require_loop
from minigrad.compile.jax.source import Source
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Time, Value, moves

Pasts = dict[Value, list[str]]
WORDS = ("all", "before", "last")


class Scans:
    """Writes the loops of a program to its source."""

    def __init__(self, source: Source, parts: Sequence[Part], how: str) -> None:
        self.source, self.program, self.how = source, source.program, how
        loops = [part for part in parts if isinstance(part, Loop)]
        if how == "associative":
            require_loop(self.program, loops)
        self.last = {loop.whole: loop for loop in loops}
        self.ranges = Counter(v for loop in loops for v in loop.body)
        inside = {v: loop.whole for loop in loops for v in loop.whole}
        # Lines that somebody outside of their loop reads.
        self.kept = {
            i for v in self.program.values for i in v.inputs
            if i in inside and v not in inside[i]
        }  # fmt: skip
        self.depth: dict[Value, int] = defaultdict(int)
        for state, line in self.program.states.items():
            self.depth[line] = max(self.depth[line], abs(state.attrs["delay"]))
        self.past: Pasts = {}
        self.pieces: dict[Value, list[str]] = defaultdict(list)

    def write(self, loop: Loop) -> None:
        """Write one range; after the last one, its lines as arrays over all steps."""
        s = self.source
        for v in loop.body:
            if v not in self.past and self.depth[v]:
                self.past[v] = [self._cell(loop, v, k) for k in range(self.depth[v])]
        if loop.steps.first == loop.steps.last:
            self._once(loop)
        elif self.how == "associative":
            self._associative(loop)
        else:
            self._scan(loop)
        if self.last[loop.whole] is not loop:
            return
        for v in [v for v in self.pieces if v in loop.whole]:
            pieces = self.pieces.pop(v)[:: loop.direction]
            if v in self.kept and pieces != [s.name(v)]:
                s.run.append(f"{s.name(v)} = jnp.concatenate([{', '.join(pieces)}])")

    def _cell(self, loop: Loop, v: Value, k: int) -> str:
        """What is read of a line k steps before the one before its first, or zeros."""
        start = v.span.first if loop.direction > 0 else v.span.last
        cell = loop.cells.get((v, start.plus(-(k + 1) * loop.direction)))
        if cell is not None:
            return self.source.untimed(cell)
        shape = self.source.literal(v.shape)
        return f"jnp.zeros({shape}, '{self.source.dtype(v)}')"

    def _once(self, loop: Loop) -> None:
        """A range of one step: its lines, without a loop."""
        s, step = self.source, loop.steps.first
        if any(moves(v.attrs) for v in loop.body):
            s.run.append(f"t = {s.literal(step)}")
        names = {v: s.fresh(f"{s.name(v)}_once") for v in loop.body}
        s.run += self._body(loop, names, self.past, lambda i: s.element(i, step))
        for v in loop.body:
            self.pieces[v].append(f"{names[v]}[None]")
        self.past |= self._after(loop, names, self.past)

    def _scan(self, loop: Loop) -> None:
        """A range of several steps: a function of one of them, and its scan."""
        s, steps, now = self.source, loop.steps, dict[str, str]()
        names = {v: s.fresh(f"{s.name(v)}_t") for v in loop.body}
        kept = [v for v in loop.body if v in self.kept]
        begin = {v: self.past[v] for v in self.past if v in loop.whole}
        when = "before" if loop.direction > 0 else "after"
        inner, ends = (self._like(begin, word) for word in (when, "end"))

        def outer(i: Value) -> str:
            code = s.window(i, steps)
            if code not in now:
                now[code] = s.fresh(f"{i.name or i.op.name}_now")
            return now[code]

        lines = self._body(loop, names, inner, outer)
        if any(moves(v.attrs) for v in loop.body):
            first, after = s.literal(steps.first), s.literal(steps.last.plus(1))
            now[f"jnp.arange({first}, {after})"] = "t"
        carry = _flat(self._after(loop, names, inner))
        function = s.fresh("forward" if loop.direction > 0 else "backward")
        s.run.append(f"def {function}(carry, now):")
        s.run += [f"    {_flat(inner)} = carry"] if begin else []
        s.run += [f"    {_tuple(now.values())} = now"] if now else []
        s.run += [f"    {line}" for line in lines]
        s.run.append(f"    return {carry}, {_tuple(names[v] for v in kept)}")
        for v in kept:
            whole = self.ranges[v] == 1
            piece = s.name(v) if whole else s.fresh(f"{s.name(v)}_part")
            self.pieces[v].append(piece)
        found = _tuple(self.pieces[v][-1] for v in kept)
        options = "" if now else f", length={s.literal(steps.number)}"
        options += ", reverse=True" if loop.direction < 0 else ""
        s.run.append(
            f"{_flat(ends) if begin else '_'}, {found if kept else '_'} = lax.scan("
            f"{function}, {_flat(begin)}, {_tuple(now) if now else 'None'}{options})"
        )
        self.past |= ends

    def _associative(self, loop: Loop) -> None:
        """A range of several steps at once, linear in the states of its loop."""
        s, found = self.source, Linear(self.source, loop)
        rows = [[self._wide(a, v, loop) for a in found.rows[v]] for v in found.lines]
        factors = ", ".join(f"[{', '.join(row[:-1])}]" for row in rows)
        added = ", ".join(row[-1] for row in rows)
        combine, run = s.refer(combined, "combined"), s.fresh("run")
        back = ", reverse=True" if loop.direction < 0 else ""
        s.run.append(
            f"{run} = lax.associative_scan({combine}, ([{factors}], [{added}]){back})"
        )
        firsts = [self.past[v][0] for v in found.lines]
        alls, befores = [], []
        for i, (v, first) in enumerate(zip(found.lines, firsts, strict=True)):
            all_, before, last = (s.fresh(f"{s.name(v)}_{w}") for w in WORDS)
            row = [f"{run}[0][{i}][{j}]" for j in range(len(firsts))]
            s.run.append(f"{all_} = {applied((*row, f'{run}[1][{i}]'), firsts)}")
            ends = [f"jnp.asarray({first})[None]", f"{all_}[:-1]"]
            if loop.direction < 0:
                ends = [f"{all_}[1:]", ends[0]]
            s.run.append(f"{before} = jnp.concatenate([{', '.join(ends)}])")
            s.run.append(f"{last} = {all_}[{-1 if loop.direction > 0 else 0}]")
            self.past[v] = [last]
            alls.append(all_)
            befores.append(before)
        states = dict(zip(found.lines, alls, strict=True))
        for v in [v for v in loop.body if v in self.kept]:
            code = states.get(v) or applied(found.rows[v], befores)
            self.pieces[v].append(s.fresh(f"{s.name(v)}_part"))
            s.run.append(f"{self.pieces[v][-1]} = {code}")

    def _wide(self, code: str, v: Value, loop: Loop) -> str:
        """An entry of a row as an array over the steps of a range."""
        shape = self.source.literal((loop.steps.number, *v.shape))
        return (
            f"jnp.broadcast_to(jnp.asarray({code}, '{self.source.dtype(v)}'), {shape})"
        )

    def _like(self, pasts: Pasts, word: str) -> Pasts:
        """A new name for each value of the past."""
        s = self.source
        return {
            v: [s.fresh(f"{s.name(v)}_{word}") for _ in codes]
            for v, codes in pasts.items()
        }

    def _after(self, loop: Loop, names: dict[Value, str], pasts: Pasts) -> Pasts:
        """The past one step later; what is not computed any more, nobody reads."""
        return {
            v: [names.get(v, codes[0]), *codes[:-1]]
            for v, codes in pasts.items()
            if v in loop.whole
        }

    def _body(self, loop: Loop, names: dict[Value, str], pasts: Pasts,
              outer: Callable[[Value], str]) -> list[str]:  # fmt: skip
        """The lines of one step; ``outer`` is a value that is computed elsewhere."""
        s = self.source

        def operand(i: Value) -> str:
            past = loop.carried.get(i, i)
            if i in names:
                return names[i]
            if past.op is Time.state:
                delay: int = abs(past.attrs["delay"])
                return pasts[self.program.states[past]][delay - 1]
            return s.untimed(i.inputs[0]) if i.op is Time.each else outer(i)

        lines = []
        for v in loop.body:
            codes = [operand(i) for i in loop.operands(v)]
            if v.op is Time.splice:
                code = f"jnp.asarray({codes[0]}, '{s.dtype(v)}')"
            else:
                code = s.call(v, codes, loop.steps.clock)
            lines.append(f"{names[v]} = {code}")
        return lines


def _tuple(codes: Iterable[str]) -> str:
    found = list(codes)
    return f"({', '.join(found)}{',' * (len(found) == 1)})"


def _flat(pasts: Pasts) -> str:
    return _tuple(code for codes in pasts.values() for code in codes)
