"""A folded graph: its roles, its edges, and how to unroll it again.

>>> import minigrad as mg
>>> h = mg.tensor(1.0, name="h0")
>>> for t in mg.steps(4):
...     h = mg.tanh(h).named("h")
>>> [str(edge) for edge in mg.fold(h).edges]
['h0 -> h(1)', 'h(t-1) -> h(t)']
"""

import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from minigrad.fold.linear import Linear, linear
from minigrad.fold.moving_index import values_of
from minigrad.fold.roles import Edge, Operand, Role, Source, Span
from minigrad.fold.stepping import Body, unique_names
from minigrad.fold.unfolding import Unrolling
from minigrad.graph import Graph, PerOperand, same_value
from minigrad.pickles import NotPickled

FEW = 3  # steps that a program may pick by hand
NEVER = 10**9  # a delay that no sequence is long enough for


@dataclass(frozen=True, eq=False)
class Recurrence(NotPickled):
    """Roles and outputs of a folded graph, and the ``lengths`` its loops had.

    Two are equal when their roles and outputs are, whatever their lengths.

    >>> import minigrad as mg
    >>> h = mg.tensor([1.0], name="h0")
    >>> for t in mg.steps(4):
    ...     h = (0.5 * h).named("h")
    >>> folded = mg.fold(h)
    >>> isinstance(folded, Recurrence), folded.lengths, list(folded.states)
    (True, (4,), ['h'])
    >>> folded.unfold(7).steps, folded.difference(mg.fold(folded.unfold(7)))
    (7, None)
    """

    _instead: ClassVar[str] = "save the graph with Graph.to_json(), and fold it again"

    roles: tuple[Role, ...]
    outputs: tuple[Operand, ...]
    lengths: tuple[int, ...]

    def __repr__(self) -> str:
        steps = ", ".join(map(str, self.lengths)) or "no"
        lines = [f"<Recurrence: {len(self.roles)} roles, {steps} steps>"]
        return "\n  ".join([*lines, *map(str, self.edges[:20])])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recurrence) and self.difference(other) is None

    def __hash__(self) -> int:
        return hash((len(self.roles), self.outputs))

    def difference(self, other: "Recurrence") -> str | None:
        """The first difference in words, or None."""
        for a, b in zip(self.roles, other.roles, strict=False):
            if not same_value(a.said(), b.said()):
                return f"{a.label}: {a.said()} / {b.label}: {b.said()}"
        if len(self.roles) != len(other.roles):
            return f"{len(self.roles)} roles / {len(other.roles)} roles"
        return None if self.outputs == other.outputs else "the outputs differ"

    @property
    def edges(self) -> list[Edge]:
        """The arrows, without those from parameters; parallel ones are one."""
        merged: dict[tuple[int, Source], list[str]] = {}
        for role in self.roles:
            letters: list[str] = []
            read: list[tuple[Source, tuple[int, ...]]] = []
            via = role.attrs.get("via", (None,) * len(role.operands))
            for operand, by in zip(role.operands, via, strict=True):
                for column, source in enumerate(operand):
                    numbers = by[column] if by and role.span is None else by
                    if numbers is None and self.roles[source.role].kind == "parameter":
                        letters.append(self.roles[source.role].label)
                    else:
                        read.append((source, numbers or ()))
            for source, numbers in read:
                labels = merged.setdefault((role.index, source), [])
                for k in numbers:
                    label = letters[k] if k >= 0 else f"{letters[~k]}ᵀ"
                    labels += [] if label in labels else [label]
        roles = self.roles
        return [
            Edge(roles[s.role], roles[to], s.kind, s.delay, s.span, s.at, (*labels,))
            for (to, s), labels in merged.items()
        ]

    def unfold(self, steps: int | Sequence[int]) -> Graph:
        """The unrolled graph for ``steps`` steps, or for one number per loop.

        Parameters and constants are the folded graph's own nodes; results are not
        computed, their nodes hold a ``Spec``. Raises ValueError where the folded graph
        is too short to tell how another length looks: of 2 D + 2 steps on, D the
        longest delay, its ends and its middle are known, with a gradient of 2 D + 4, or
        of 4 D + 1 where an end of it lies between.
        """
        each = steps if isinstance(steps, Sequence) else [steps] * len(self.lengths)
        try:
            lengths = [operator.index(n) for n in each]
        except TypeError:
            lengths = [0]  # refused below, with what was given
        if len(lengths) != len(self.lengths) or min(lengths, default=1) < 1:
            raise ValueError(
                f"the graph has {len(self.lengths)} loops over time, each needs a "
                f"number of steps of at least 1; got {steps}"
            )
        for clock, (mine, other) in enumerate(zip(self.lengths, lengths, strict=True)):
            delay = max(1, self._longest_delay(clock))
            # A gradient comes back through the steps that the values have gone.
            least = 2 * delay + 2
            if self._has_gradient(clock):
                least = 4 * delay + 1 if self._ends_between(clock, delay) else least + 2
            if mine != other and mine < least:
                raise ValueError(
                    f"a graph of {mine} step{'s' * (mine > 1)} with a delay of {delay} "
                    f"does not tell how one of {other} begins and ends: fold one of at "
                    f"least {least} steps"
                )
        same = tuple(lengths) == self.lengths
        if not same:
            self._require_known(lengths)
        return Unrolling(self.roles, self.outputs, lengths, same).graph()

    @property
    def linear(self) -> dict[str, Linear]:
        """Of each state that depends on its own past, whether linearly.

        "diagonal" is s(t) = a(t) s(t-1) + b(t), element by element, where a and b do
        not depend on s nor on what depends on it; backward in time it reads s(t+1). The
        start may be of a shape that broadcasts to that of s.
        "dense" is linear too, and an element may depend on others, on other states or
        on older ones. None is not known to be linear. Structure alone decides, so what
        only turns out to be linear, as relu of what is positive, is None. States have
        the names of ``states``. Raises ValueError for named values alone.

        >>> import minigrad as mg
        >>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
        >>> for t in mg.steps(4):
        ...     h = (h @ W).named("h")
        >>> mg.fold(h).linear
        {'h': 'dense'}
        """
        self._require_operations()
        found = linear(self.roles)
        names = unique_names(self.roles)
        return {names[index]: how for index, how in found.items()}

    @property
    def states(self) -> dict[str, Role]:
        """What one step hands to later ones, by name: all that ``step`` asks for.

        A line of the loop that is read d steps later stands here d times, as ``h``,
        ``h(t-2)``, ... Where two lines have one name their numbers follow it. See
        ``step`` for what is refused.
        """
        body = self._body
        return {n: self.roles[i] for i in body.reach for _, n in body.entries(i)}

    def step(
        self,
        state: Mapping[str, Any],
        inputs: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One step, computed: from h(t-1) and x(t) to h(t), as arrays by name.

        It is the step that all but the first and the last few run. The result has the
        states and those named values (o, L) that could be computed of what was given;
        it is a ``state`` for the next step as it is. Given Tensors it records, and then
        the result holds Tensors: ``mg.jacobian`` of it is that of the step.

        Parameters
        ----------
        state: an array for each of ``states``. Of one that is read d steps later,
            ``h`` is h(t-1), and ``h(t-2)`` .. are the older ones down to h(t-d); of a
            loop that runs backward they are ``h``, ``h(t+2)``, ... Any batch will do.
        inputs: an array for each sequence that the loop reads, as x(t) by its name;
            a leaf outside of the loop may be replaced by name too.
        parameters: arrays in place of parameters, by name; others are as they are now.

        Raises ValueError for a graph of named values alone (``fold`` without
        ``contract`` keeps the operations), of several loops, of a loop that reads
        earlier and later steps, of too few steps, or with steps that differ away from
        its ends; for a name that is missing or not known; and for shapes that do not
        fit one another, with those that were recorded.

        >>> import minigrad as mg
        >>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
        >>> for t, x in mg.steps([[[1.0]]] * 4):
        ...     h = (h @ W + x).named("h")
        >>> mg.fold(h).step({"h": [[2.0]]}, {"x": [[1.0]]})
        {'h': array([[2.]])}
        """
        return self._body.run(state, inputs, parameters or {})

    @cached_property
    def _body(self) -> Body:
        self._require_operations()
        return Body(self.roles, self.lengths)

    def _require_operations(self) -> None:
        """Raise for a graph of named values alone."""
        for role in self.roles:
            if "via" in role.attrs:
                raise ValueError(
                    f"{role.label} is a named value of a contracted graph, without the "
                    "operations that computed it: write mg.fold(loss) in place of "
                    "mg.fold(mg.contract(loss))"
                )

    def _require_known(self, lengths: Sequence[int]) -> None:
        """Raise for what a graph of one length does not tell of another.

        Steps that are read one by one, or every k-th from an end or other; and a number
        that may be the step, of what is at one step alone.
        """
        for role, only, length, attribute in self._of_one_step():
            step = only.steps(length)[0]
            numbers = {n for n in values_of(attribute, int) if type(n) is not bool}
            alike = numbers & {step, step - 1}
            if alike:
                raise ValueError(
                    f"{role.words} is at step {step} alone, and its number "
                    f"{min(alike)} may be that step: let all steps have it"
                )
        read = [self.outputs, *(r.operands for r in self.roles if r.span is None)]
        picks: set[Any] = set()
        for operands in read:
            again = Counter((s.role, s.at) for o in operands for s in o)
            for (index, _), number in again.items():
                if number > FEW:
                    raise ValueError(
                        f"{self.roles[index].words} is read {number} times, which may "
                        "be once for each step: let each step make a value of its own"
                    )
            for source in (s for o in operands for s in o if s.at is not None):
                role, at = self.roles[source.role], source.at
                clock, every = role.clock or 0, at.every if at else 1
                known = role.span is not None and role.span.every == every
                if not known and (lengths[clock] - self.lengths[clock]) % every:
                    raise ValueError(
                        f"{role.words} is read every {every} steps: a graph of "
                        f"{self.lengths[clock]} steps does not tell at which of "
                        f"{lengths[clock]}; take a number that is {every} further on"
                    )
            picks.update(
                (s.role, s.at) for o in operands for s in o if s.kind == "pick"
            )
        for index, number in Counter(role for role, _ in picks).items():
            if number > FEW:
                raise ValueError(
                    f"{number} steps of {self.roles[index].words} are read one by one, "
                    "which does not tell what is read at another length: write "
                    "mg.stack(list) or mg.add_n(list) in the order of the steps"
                )

    def _of_one_step(self) -> Iterator[tuple[Role, Span, int, Any]]:
        """Of what is at one step alone: the role, the step, its loop, attributes."""
        for role in self.roles:
            if "via" in role.attrs:
                continue  # of a named value: these are no numbers of the program
            length = self.lengths[role.clock or 0] if role.span else 0
            if role.span and len(role.span.steps(length)) == 1 < length:
                yield role, role.span, length, role.attrs
            for entries in role.attrs.values():
                if role.span or not isinstance(entries, PerOperand):
                    continue
                for operand, entry in zip(role.operands, entries, strict=True):
                    for source, said in zip(operand, entry, strict=True):
                        read = self.roles[source.role]
                        length, at = self.lengths[read.clock or 0], source.at
                        if source.kind == "pick" and at and at.first < 0:
                            yield read, at, length, said

    def _has_gradient(self, clock: int) -> bool:
        """Whether a gradient was recorded in a loop."""
        return any(
            len(rule) == 3
            for r in self.roles
            if r.clock == clock
            for rule in r.slot[1:]
        )

    def _ends_between(self, clock: int, delay: int) -> bool:
        """Whether an end lies as far from the further end as two delays reach."""
        length = self.lengths[clock]
        ends = [r.span for r in self.roles if r.span is not None and r.clock == clock]
        beyond = [length - s.last for s in ends if s.last > 0]
        beyond += [length + s.first for s in ends if s.first < 0]
        return any(delay < n <= 2 * delay for n in beyond)

    def _longest_delay(self, clock: int) -> int:
        """The longest delay within a loop, also between a value and its gradient."""
        delays = [0]
        for role in self.roles:
            if role.clock == clock:
                delays += [abs(s.delay or 0) for s in role.sources]
                for _, _, run in (rule for rule in role.slot[1:] if len(rule) == 3):
                    # Asked for in another loop: no length tells how another looks.
                    delays += [r if isinstance(r, int) else NEVER for r in run[2:]]
        return max(delays)
