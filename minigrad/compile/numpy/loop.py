"""The lines of what runs a step at a time.

A loop zips lists of views that are made with the workspace, so that nothing is indexed
inside of it.
"""

from minigrad.compile.kinds import O
from minigrad.compile.memory import Place
from minigrad.compile.numpy import table
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.numpy.batch import Batch
from minigrad.compile.numpy.source import identifier
from minigrad.compile.schedule import Loop
from minigrad.compile.values import Time, Value, moves


class Range:
    """The loop over one range of steps, or its body alone where that is one step."""

    def __init__(self, batch: Batch, loop: Loop) -> None:
        self.batch, self.loop = batch, loop
        self.source, self.plan = batch.source, batch.plan
        self.single = loop.steps.first == loop.steps.last
        self.lists: dict[str, str] = {}  # a list -> the variable that runs over it

    def write(self) -> None:
        """Write the loop; its variables are the entries of the lists that it needs."""
        s, steps, lines = self.source, self.loop.steps, list[str]()
        s.clock = steps.clock
        for v in self.loop.body:
            lines += self._line(v) if v in self.plan.roots else []
        first, last = s.literal(steps.first), s.literal(steps.last.plus(1))
        if any(moves(v.attrs) for v in self.loop.body):
            if self.single:
                lines.insert(0, f"t = {first}")
            else:
                back = "[::-1]" if self.loop.direction < 0 else ""
                self.lists[f"range({first}, {last}){back}"] = "t"
        if self.single:
            self.source.run += lines
            return
        if not self.lists:
            self.lists[f"range({first}, {last})"] = "_"
        sequences = ", ".join(self.lists)
        sequences = f"zip({sequences})" if len(self.lists) > 1 else sequences
        self.source.run.append(f"for {', '.join(self.lists.values())} in {sequences}:")
        self.source.run += [f"    {line}" for line in lines]

    def _line(self, v: Value) -> list[str]:
        s, place = self.source, self.plan.places[v]
        codes = [self._operand(i) for i in self.loop.operands(v)]
        out = self._at(place, v)
        if v.op is Time.splice:
            return [f"{out}[...] = {codes[0]}"] if out != codes[0] else []
        if v.op is O.concatenate and v.attrs.get("axis", 0) is not None:
            return self.batch.joined(v, out, codes, ())
        if not ABLE.writes(v):
            return [
                f"{out}[...] = {table.expression(v.call, v.attrs, codes, s.literal)}"
            ]
        part = self.batch.part(v, [])
        return table.written(v.call, v.attrs, codes, out, s.literal, part)

    def _operand(self, i: Value) -> str:
        if i.op is Time.each:
            return self.source.untimed(i.inputs[0])
        return self._at(self.plan.places[i], i)

    def _at(self, place: Place, v: Value) -> str:
        """This step of a value: an entry of a list, an element, or what is at hand."""
        s = self.source
        if place.buffer.steps is None:
            return s.scratch(place)
        if self.single:
            return s.element(place, self.loop.steps.first)
        code = s.entries(place, self.loop.steps, self.loop.direction)
        if code not in self.lists:
            root = place.views[-1] if place.views else place.buffer.root
            when = "t" if not place.delay else "before" if place.delay > 0 else "after"
            stem = f"{root.name or v.name or v.op.name}_{when}"
            self.lists[code] = identifier(stem, s.taken | set(self.lists.values()))
        return self.lists[code]
