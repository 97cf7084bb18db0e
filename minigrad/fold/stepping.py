"""One step of a folded graph, computed: from the states before it to those after.

Vocabulary
    general  a span of all steps but the first and the last few: what the step reads
             there is what it reads everywhere
    state    a value that a later step reads. ``h`` is the last one, h(t-1) before step
             t; where an older one is read there are ``h(t-2)``, ``h(t-3)``, .. too
    given    what each step has from outside of the loop: x(t), X[t - 1]

>>> import minigrad as mg
>>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
>>> for t, x in mg.steps([[[1.0]]] * 4):
...     h = (h @ W + x).named("h")
>>> Body(mg.fold(h).roles, (4,)).run({"h": [[2.0]]}, {"x": [[1.0]]})
{'h': array([[2.]])}
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.fold.moving_index import Ahead, contains
from minigrad.fold.roles import Role, Source, Span
from minigrad.graph import NO_VALUES


class Body:
    """The lines of one step of a recurrence, in the order in which they run."""

    def __init__(self, roles: Sequence[Role], lengths: Sequence[int]) -> None:
        if len(lengths) != 1:
            raise ValueError(
                f"this graph has {len(lengths)} loops over time, and a step is that of "
                "one: fold a graph with a single loop"
            )
        if lengths[0] < 2:
            raise ValueError(
                "a graph of one step does not tell what the next one reads of it: "
                "fold one of two steps or more"
            )
        self.roles, self.length = roles, lengths[0]
        delays = [abs(s.delay) for r in roles for s in r.sources if s.delay]
        self.longest = max(delays, default=0)
        self.few = self.longest + 2  # steps at an end that may differ from the others
        lines = [r for r in roles if r.span and self.is_general(r.span)]
        self.reach, self.back = self._reach(lines)
        self.names = unique_names(roles)
        self.reads: dict[int, list[Source]] = {}
        self.order: dict[int, None] = {}
        self._add([*self.reach])
        self.results = [*self.reach]
        for line in lines:
            if line.name is not None and line.index not in self.reach:
                try:
                    self._add([line.index])
                except ValueError:
                    continue  # one step alone does not have it
                self.results += [] if is_given(line) else [line.index]

    def _reach(self, lines: Sequence[Role]) -> tuple[dict[int, int], str]:
        """How many steps back each state is read, and - or + for the way back."""
        read = sorted(
            (s.role, s.delay)
            for r in lines
            for s in r.sources
            if s.delay and s.span and self.is_general(s.span)
        )
        if self.longest and not read:
            raise ValueError(self._differs("what is read"))
        earlier, later = (
            sorted({self.roles[r].label for r, d in read if (d > 0) is way})
            for way in (True, False)
        )
        if earlier and later:
            raise ValueError(
                f"{', '.join(earlier)} is read by later steps and {', '.join(later)} "
                "by earlier ones, and a step goes one way: fold the values of one of "
                "the directions"
            )
        reach: dict[int, int] = {}
        for role, delay in read:
            reach[role] = max(abs(delay), reach.get(role, 0))
        return reach, "+" if later else "-"

    def is_general(self, span: Span) -> bool:
        """Whether a span is that of all steps but the first and the last few."""
        few = self.few
        return span.every == 1 and 0 < span.first <= few and -few <= span.last < 0

    def _differs(self, what: str) -> str:
        return (
            f"{what} differs between steps other than the first and last {self.few}, "
            f"or the {self.length} steps of this graph are too few to tell: fold one "
            f"of {2 * self.few} steps or more, without branches on t"
        )

    def _add(self, wanted: Sequence[int]) -> None:
        """Add all that some lines need, what is read before what reads it."""
        stack = list(wanted)
        while stack:
            index = stack[-1]
            if index not in self.reads:
                self.reads[index] = self._reads(self.roles[index])
                stack += [s.role for s in self.reads[index] if not s.delay]
            else:
                self.order[stack.pop()] = None

    def _reads(self, role: Role) -> list[Source]:
        """What a line reads at all steps but the first and the last few."""
        if is_given(role):
            return []
        found = []
        for operand in role.operands:
            here = [s for s in operand if not s.span or self.is_general(s.span)]
            if len(here) != 1:
                raise ValueError(self._differs(f"what {role.words} reads"))
            if here[0].kind in ("gather", "pick"):
                label = self.roles[here[0].role].label
                raise ValueError(
                    f"{role.label} reads {label}({here[0].steps}), which one step "
                    "alone does not have"
                )
            found.append(here[0])
        return found

    # ------------------------------------------------------------------- computing

    def entries(self, index: int) -> Iterator[tuple[int, str]]:
        """The entries of a state: how many steps back, and its name."""
        for k in range(1, self.reach[index] + 1):
            older = f"(t{self.back}{k})" if k > 1 else ""
            yield k, f"{self.names[index]}{older}"

    def run(
        self,
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The states after the step, and the named values that could be computed."""
        before = self._before(state)
        known = self._known(inputs, parameters or {})
        for index in self.order:
            role, read = self.roles[index], []
            if index in known:
                continue
            for source in self.reads[index]:
                if source.delay:
                    read.append(before[source.role, abs(source.delay)])
                elif source.role in known:
                    read.append(known[source.role])
            if role.op is not None and not hasattr(role.op, "record"):
                raise TypeError(NO_VALUES)  # of a graph that was read
            if role.op is not None and len(read) == len(self.reads[index]) > 0:
                try:
                    known[index] = role.op.record(tuple(read), dict(role.attrs))
                except ValueError as error:
                    given = {**state, **inputs, **(parameters or {})}
                    raise ValueError(self._unfit(role, given) or error) from error
        lacking = [i for i in self.reach if i not in known]
        if lacking:
            needs = [self.names[i] for i in self.order if is_given(self.roles[i])]
            label = self.names[lacking[0]]
            raise ValueError(
                f"{label}(t) needs {', '.join(needs)}, and inputs has "
                f"{', '.join(inputs) or 'nothing'}"
            )
        after = {}
        for index in self.reach:
            for k, name in self.entries(index):
                after[name] = known[index] if k == 1 else before[index, k - 1]
        rest = {self.names[i]: known[i] for i in self.results if i in known}
        found = after | {k: v for k, v in rest.items() if k not in after}
        if any(hasattr(v, "node") for v in found.values()):
            return found
        return {name: np.array(value) for name, value in found.items()}

    def _unfit(self, line: Role, given: Mapping[str, Any]) -> str:
        """Which given values do not fit: those of other shapes than were recorded."""
        roles = {self.names[r.index]: r for r in self.roles if is_given(r) or r.leaf}
        roles |= {r.label: r for r in self.roles if r.kind == "parameter"}
        roles |= {n: self.roles[i] for i in self.reach for _, n in self.entries(i)}
        shapes = {
            n: (np.shape(given[n]), roles[n].spec.shape) for n in given if n in roles
        }
        differ = {n: (a, b) for n, (a, b) in shapes.items() if a != b}
        # Another batch alone is no fault, where a feature is.
        faults = {n: (a, b) for n, (a, b) in differ.items() if a[1:] != b[1:]} or differ
        said = [f"{n} has shape {a}, recorded with {b}" for n, (a, b) in faults.items()]
        return f"{line.words} cannot be computed: {'; '.join(said)}" if said else ""

    def _before(self, state: Mapping[str, Any]) -> dict[tuple[int, int], Any]:
        """The states by role and how many steps back they are read."""
        entries = {n: (i, k) for i in self.reach for k, n in self.entries(i)}
        passed = [self.names[i] for i in self.results]
        _require("state", state, entries, dict.fromkeys([*entries, *passed]))
        return {
            at: _value(name, state[name], self.roles[at[0]])
            for name, at in entries.items()
        }

    def _known(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[int, Any]:
        """The values of leaves and of what is given."""
        letters = {r.label: r for r in self.roles if r.kind == "parameter"}
        _require("parameters", parameters, (), letters)
        mine = [self.roles[i] for i in self.order]
        leaves = {
            self.names[r.index]: r
            for r in mine
            if is_given(r) or (r.leaf is not None and r.kind == "input")
        }
        _require("inputs", inputs, (), leaves)
        known = {leaves[n].index: _value(n, v, leaves[n]) for n, v in inputs.items()}
        for role in mine:
            if role.label in parameters and role.kind == "parameter":
                known[role.index] = _value(role.label, parameters[role.label], role)
            elif role.kind == "constant" or role.leaf is not None:
                leaf = role.leaf.value if role.leaf is not None else role.value
                known.setdefault(role.index, leaf)
        return known


def unique_names(roles: Sequence[Role]) -> dict[int, str]:
    """The names of lines and of inputs; one that is not unique has a number behind it.

    Where a line of a loop has the name, an input outside of it gets the number.
    """
    counts = Counter(r.label for r in roles if r.span)
    names = {}
    for r in roles:
        own = r.span is not None
        single = counts[r.label] == own
        names[r.index] = r.label if single else f"{r.label}#{r.index}"
    return names


def is_given(role: Role) -> bool:
    """Whether each step has this from outside of the loop."""
    timed = role.span is not None
    made = role.kind == "input" or (role.op is not None and role.op.name == "step")
    return timed and (made or contains(role.attrs, Ahead))


def _require(what: str, found: Mapping[str, Any], needed: Any, known: Any) -> None:
    """Raise where names are missing, or not known."""
    missing = [name for name in needed if name not in found]
    strange = [name for name in found if name not in known]
    words = [f"lacks {', '.join(missing)}"] if missing else []
    words += [f"names {', '.join(strange)}"] if strange else []
    if words:
        names = ", ".join(known) or "nothing"
        raise ValueError(f"{what} {' and '.join(words)}: this step has {names}")


def _value(name: str, value: Any, role: Role) -> Any:
    """An array or Tensor with as many axes as were recorded."""
    array = value if hasattr(value, "node") else np.asarray(value)
    if array.ndim != len(role.spec.shape):
        raise ValueError(
            f"{name} was recorded with shape {role.spec.shape}, so it has "
            f"{len(role.spec.shape)} axes; got shape {array.shape}"
        )
    return array
