"""From what was recorded to a program: a folded recurrence, or a graph as it stands.

``lift`` makes the program of a fold: for the lengths that were folded, or, given the
fold of a second length, for every length from the shorter one on. Then shapes that
differ between the two are counts of T. ``straight`` makes a program without time.

Only this file reads a ``Recurrence``: what a role reads becomes a time op.

    delay in a loop         state        gather, and a stack, sum or join    over, total
    delay of another line   shift        pick                                at
    broadcast               each         several sources                     splice

>>> import minigrad as mg
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t, x in mg.steps(mg.tensor(np.ones((3, 1, 1)), name="xs")):
...     h = mg.tanh(h + x).named("h")
>>> program = lift(mg.fold(h))
>>> [str(v.steps) for v in program.values if v.name == "h"], len(program.states)
(['1..3'], 1)
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from minigrad.compile.connected import strongly_connected
from minigrad.compile.counts import Count, Lengths, Shape, Steps
from minigrad.compile.kinds import O
from minigrad.compile.reading import LiftError
from minigrad.compile.scattering import Scattering, moving
from minigrad.compile.values import (
    Leaf,
    Program,
    Time,
    Value,
    apply,
    argument,
    constant,
    dtype_of,
    each,
    over,
    parameter,
    read,
    total,
)
from minigrad.fold import Recurrence
from minigrad.fold.moving_index import Ahead, at_step
from minigrad.fold.roles import Operand, Role
from minigrad.graph import Graph, Node, same_value
from minigrad.scope import LOOP


def lift(
    recurrence: Recurrence,
    arguments: Mapping[Node, str] | None = None,
    other: Recurrence | None = None,
) -> Program:
    """The program of a folded graph.

    ``arguments`` are the leaves that change between calls; all other inputs are
    constants. ``other`` is an equal recurrence of other lengths: T is free then.
    Raises LiftError.
    """
    return _Lifting(recurrence, arguments or {}, other).program()


def straight(graph: Graph, arguments: Mapping[Node, str] | None = None) -> Program:
    """The program of a graph as it stands: no value has steps."""
    made: dict[Node, Value] = {}
    for node in graph.nodes:
        if not node.inputs:
            made[node] = _leaf(node, arguments or {}, np.shape(node.value))
            continue
        op, attrs = node.op, node.attrs
        if op is O.step:
            op, attrs = O.getitem, {"key": (node.scope.t or 0) - 1}
        inputs = tuple([made[i] for i in node.inputs])
        shape, dtype = np.shape(node.value), dtype_of(node.value)
        made[node] = Value(op, inputs, attrs, shape, dtype, None, node.name)
    outputs = tuple([made[o] for o in graph.outputs])
    return _with_leaves(Program(outputs, {}, ()), made.values())


def _leaf(node: Node, arguments: Mapping[Node, str], shape: Shape) -> Value:
    if node.kind == "parameter":
        return parameter(parameter_name(node), shape, dtype_of(node.value))
    if node in arguments:
        return argument(arguments[node], shape, dtype_of(node.value))
    return constant(node.value, node.name)


def parameter_name(node: Node) -> str:
    """What a parameter is called in a program: two may have one name."""
    return f"{node.name or 'p'}@{node.id}"


def _with_leaves(program: Program, values: Iterable[Value]) -> Program:
    leaves = list(values)
    return replace(
        program,
        parameters={v.name or "": v for v in leaves if v.op is Leaf.parameter},
        arguments={v.name or "": v for v in leaves if v.op is Leaf.argument},
    )


class _Lifting(Scattering):
    """One lift."""

    def program(self) -> Program:
        for index in self._order():
            self.made[index] = self._value(self.roles[index])
        outputs = [v for operand in self.outputs for v in self._one_by_one(operand)]
        states = {leaf: self.made[i] for leaf, i in self.states.items()}
        both = zip(self.both, self.free, strict=True)
        clocks = [Lengths(min(a, b), None if free else a) for (a, b), free in both]
        program = Program(tuple(outputs), states, tuple(clocks))
        made = _with_leaves(program, self.made.values())
        shapes = [v.shape for v in made.arguments.values()]
        told = {d.clock for shape in shapes for d in shape if isinstance(d, Count)}
        if not told.issuperset(c for c, free in enumerate(self.free) if free):
            raise LiftError("no argument tells the length of a loop")
        return made

    def _order(self) -> list[int]:
        """Roles, each after what it reads but for its own past."""
        reads = [
            [s.role for s in role.sources if not self._recurs(i, s)]
            for i, role in enumerate(self.roles)
        ]
        part = strongly_connected(reads)
        if len(set(part)) < len(part) or any(i in r for i, r in enumerate(reads)):
            raise LiftError("a step depends on itself")
        return sorted(range(len(part)), key=part.__getitem__)

    # Values.

    def _value(self, role: Role) -> Value:
        if role.op is None:
            return self._leaf(role)
        if role.clock is None or role.span is None:
            return self._untimed(role)
        if self.other is not None and role.spec != self.other.roles[role.index].spec:
            raise LiftError(f"{role.label}: the shape of one step depends on T")
        steps = self._steps(role.span, role.clock)
        inputs = tuple([self._operand(role, o, steps) for o in role.operands])
        if role.op is O.step:
            return replace(self._step(role, inputs[0], steps), name=role.name)
        if role.op is O.getitem:
            row = self._moving_read(role, inputs[0], steps)
            if row is not None:
                return replace(row, name=role.name)
        shape, dtype = role.spec
        return Value(role.op, inputs, role.attrs, shape, dtype, steps, role.name)

    def _leaf(self, role: Role) -> Value:
        if role.leaf is not None:
            if role.kind == "parameter" or role.leaf in self.arguments:
                return _leaf(role.leaf, self.arguments, self._shape(role))
            if self.other is not None:
                twin = self.other.roles[role.index].leaf
                if twin is None or not same_value(role.leaf.value, twin.value):
                    raise LiftError(f"{role.label} is a constant that depends on T")
            return _leaf(role.leaf, self.arguments, role.spec.shape)
        assert role.span is not None
        assert role.clock is not None
        steps = self._steps(role.span, role.clock)
        if role.kind == "constant":
            return each(constant(role.value, role.name), steps)
        if self.other is not None or len(role.values) != len(steps.at(self.lengths)):
            raise LiftError(f"{role.label} is made anew inside of each step")
        values = constant(np.stack(role.values), role.name)
        return read(values, steps, 1 - steps.first.b)

    def _step(self, role: Role, xs: Value, steps: Steps) -> Value:
        """x(t); of an inner loop, or of an array that itself has time, an entry."""
        loops = [p for p in role.path if p[0] == LOOP]
        if len(loops) > 1:
            return apply(O.getitem, xs, key=loops[-1][2] - 1)
        if xs.op is Time.each:
            return read(xs.inputs[0], steps)
        return apply(O.getitem, xs, key=Ahead(-1))

    def _moving_read(self, role: Role, xs: Value, steps: Steps) -> Value | None:
        """X[t - 1] of an untimed X is a read, whatever else its key says."""
        found = moving(role.attrs["key"])
        if xs.op is not Time.each or len(role.operands) > 1 or found is None:
            return None
        first, rest = found
        length = self.lengths[steps.clock]
        if min(at_step(first, t, length) for t in steps.at(self.lengths)) < 0:
            return None  # an index that counts from the end, at some steps
        offset = first.k if first.from_end else first.k + 1
        row = read(xs.inputs[0], steps, offset, first.from_end)
        return apply(O.getitem, row, key=rest) if rest else row

    # What has no time, and reads the steps of loops.

    def _untimed(self, role: Role) -> Value:
        gathers = any(s.kind == "gather" for s in role.sources)
        made = None
        if role.op is O.scatter_n:
            made = self._scatter(role)
        elif gathers and role.op is O.add_n:
            terms = [
                total(self._gathered(s)) if s.kind == "gather" else self._picked(s)
                for s in role.sources
            ]
            made = terms[0] if len(terms) == 1 else apply(O.add_n, *terms)
        elif gathers and role.op in (O.stack, O.concatenate):
            made = self._joined(role)
        if made is not None:
            return replace(made, name=role.name) if role.name else made
        inputs = tuple([v for o in role.operands for v in self._one_by_one(o)])
        shape, dtype = self._shape(role), role.spec.dtype
        return Value(role.op, inputs, role.attrs, shape, dtype, None, role.name)

    def _joined(self, role: Role) -> Value:
        """stack and concatenate of gathered steps, by the stacked steps."""
        axis = role.attrs.get("axis", 0)
        if axis is None:
            raise LiftError("a concatenation of flattened steps")
        axis %= len(role.spec.shape)
        pieces: list[Value] = []
        for operand in role.operands:
            if operand[0].kind == "gather":
                pieces.append(self._piece(role, operand, axis))
            else:
                one = [self._picked(s) for s in operand]
                grown = role.op is O.stack
                pieces += [apply(O.expand_dims, v, axis=0) if grown else v for v in one]
        if role.op is O.concatenate:
            return self._end_to_end(pieces, axis)
        return _first_axis_to(self._end_to_end(pieces, 0), axis)

    @staticmethod
    def _end_to_end(pieces: list[Value], axis: int) -> Value:
        return (
            apply(O.concatenate, *pieces, axis=axis) if len(pieces) > 1 else pieces[0]
        )

    def _piece(self, role: Role, operand: Operand, axis: int) -> Value:
        """One gather: its steps along axis 0, or joined along ``axis``."""
        if len({s.at for s in operand}) > 1:
            raise LiftError("values of several steps are joined in turn")
        timed = [self._gathered(s) for s in operand]
        one = timed[0]
        if len(timed) > 1:
            one = apply(role.op, *timed, axis=0 if role.op is O.stack else axis)
        every = over(one)
        if operand[0].at is not None and operand[0].at.down:
            every = apply(O.flip, every, axis=0)
        if role.op is O.stack:
            if len(timed) == 1:
                return every
            return apply(O.reshape, every, shape=(-1, *one.shape[1:]))
        merged = (*one.shape[:axis], -1, *one.shape[axis + 1 :])
        return apply(O.reshape, _first_axis_to(every, axis), shape=merged)


def _first_axis_to(x: Value, axis: int) -> Value:
    """The first axis moved to ``axis``."""
    if not axis:
        return x
    axes = [*range(1, len(x.shape))]
    axes.insert(axis, 0)
    return apply(O.transpose, x, axes=tuple(axes))
