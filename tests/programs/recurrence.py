"""Random recurrences, written as users write them: loops, states, losses, read-outs.

>>> draw_recurrence("an example") == draw_recurrence("an example")
True
"""

from dataclasses import dataclass, field, replace

from tests.programs.arithmetic import cut
from tests.programs.builder import Builder, Value, joined
from tests.programs.dag import scalars
from tests.programs.growth import grow
from tests.programs.listing import Call, Dim, Listing, Shape


@dataclass
class State:
    """A state of a loop: its variable, or the list of its past values."""

    id: str
    shape: Shape
    delay: int = 1  # read from a list where it is more than 1, or where it is kept
    kept: bool = False
    tensor: bool = True  # an array at the first step, where it is an argument

    @property
    def listed(self) -> bool:
        """Whether its variable is the list of its past values."""
        return self.delay > 1 or self.kept


@dataclass
class Loop:
    """What later parts of the program know of a loop that has been written."""

    lists: list[Value] = field(default_factory=list)  # of the values at every step
    losses: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    sequences: str = ""
    reverse: bool = False


class Recurrence:
    """A recurrence that is being written."""

    def __init__(self, origin: str) -> None:
        self.b = b = Builder("recurrence", origin)
        b.sizes |= {"n": b.rng.randint(1, 3), "m": b.rng.randint(1, 4)}
        self.batch: Shape = () if b.chance(0.15) else ("B",)
        self.inputs: list[tuple[Value, str]] = []  # sequences and their element's kind
        self.outer: list[Value] = []
        self.loops: list[Loop] = []
        self.delayed = False  # whether a state is read more than a step back
        self.waiting = ""  # the first line of a body, where it reads x(t) itself

    def listing(self) -> Listing:
        """The whole program."""
        b = self.b
        self.xs = self._sequence("xs", ("n",))
        if b.chance(0.65):
            self._extra()
        by_input = []
        for leaf in b.arguments:
            if leaf.below is None and leaf.dtype != "number" and b.chance(0.15):
                by_input.append(leaf.id)
        b.pool = [replace(v, tensor=v.id in by_input) for v in b.pool]
        for _ in range(b.choice([0, 0, 0, 1, 2])):
            grow(b)
        self.outer = list(b.pool)
        self._loop(first=True)
        if b.chance(0.3):
            self._loop(first=False)
        self._read_outs()
        wrt = [p.id for p in b.parameters if b.chance(0.95)] + by_input
        mode = b.weighted({"grad": 8, "penalty": 1, "value": 0.7})
        return b.listing(wrt, self._calls(), mode)

    # -- arguments

    def _sequence(self, stem: str, rest: Shape, below: Dim | None = None) -> Value:
        value = self.b.argument(("T", *self.batch, *rest), stem, below)
        return value

    def _extra(self) -> None:
        b = self.b
        for kind in b.rng.sample(["classes", "mask", "teacher", "given"], 2):
            if kind == "classes" and b.chance(0.8):
                ys = self._sequence("ys", (), b.choice(["n", "m"]))
                self.inputs.append((ys, "y"))
            elif kind == "mask" and b.chance(0.5):
                self.inputs.append((self._sequence("ms", (1,)), "k"))
            elif kind == "teacher" and b.chance(0.5):
                self.inputs.append((self._sequence("zs", ("m",)), "z"))
            elif kind == "given" and b.chance(0.5):
                b.pool.append(b.argument((*self.batch, "m"), "c"))
        if b.chance(0.15):
            b.pool.append(b.number())

    # -- a loop

    def _loop(self, first: bool) -> None:
        b = self.b
        loop = Loop()
        states = [self._state() for _ in range(b.choice([1, 1, 1, 2]))]
        if b.chance(0.5):
            loop.losses.append(b.new("losses"))
            b.write(f"${loop.losses[0]} = []")
        if b.chance(0.4):
            loop.sums.append(b.new("acc"))
            b.write(f"${loop.sums[0]} = None")
        kept = b.new("hs") if b.chance(0.4) else None
        if kept:
            b.write(f"${kept} = []")
        before = {v.id for v in b.pool}
        header, x = self._header(loop, first)
        b.write(header)
        with b.block():
            self._attend(first)
            for state in states:
                self._step(state, x)
            for _ in range(b.choice([0, 1, 1, 2, 3, 4])):
                grow(b)
            self._losses(loop)
            if kept:
                value = b.pick(lambda v: v.tensor and v.id not in before)
                if value is not None and "b" not in value.shape:
                    b.write(f"${kept}.append(${value.id})")
                    loop.lists.append(Value(kept, value.shape))
        for state in states:
            if state.listed:
                after = b.new("hs")
                b.write(f"${after} = ${state.id}[{state.delay}:]")
                loop.lists.append(Value(after, self._full(state.shape)))
        # What has been read by position in a sequence is gone; the rest is the last's.
        b.pool = [v for v in b.pool if "b" not in v.shape]
        self.loops.append(loop)

    def _header(self, loop: Loop, first: bool) -> tuple[str, Value | None]:
        b = self.b
        t, reverse = b.new("t"), b.chance(0.15)
        more = ", reverse=True" if reverse else ""
        loop.reverse = reverse
        if not first:
            earlier = [v for done in self.loops for v in done.lists]
            kind = b.choice(["same", "states", "states", "count", "own"])
            if kind == "states" and earlier:
                hs = b.choice(earlier)
                if self.loops[0].reverse and b.chance(0.5):
                    b.write(f"${hs.id} = ${hs.id}[::-1]")
                elif self.loops[0].reverse:
                    b.marks.add("holes")  # another step of that loop at each of this
                g = Value(b.new("g"), hs.shape, True, True)
                b.pool.append(g)
                fits = hs.shape[:-1] == self.batch and hs.shape[-1:] != ()
                x = g if fits and hs.shape[-1] in b.sizes else None
                return f"for ${t}, ${g.id} in mg.steps(g=${hs.id}{more}):", x
            if kind == "count":
                return f"for ${t} in mg.steps({b.rng.randint(1, 5)}{more}):", None
            if kind == "own":
                us = b.argument(("T", *self.batch, "n"), "us")
                x = Value(b.new("x"), us.shape[1:])
                b.pool.append(x)
                return f"for ${t}, ${x.id} in mg.steps(u=${us.id}{more}):", x
        x = Value(b.new("x"), self.xs.shape[1:])
        if b.chance(0.12) and not reverse:
            self.waiting = f"${x.id} = ${self.xs.id}[${t} - 1]"
            tensor = any(v.id == self.xs.id and v.tensor for v in self.outer)
            x = replace(x, tensor=tensor)
            b.pool.append(x)
            return f"for ${t} in mg.steps(len(${self.xs.id})):", x
        b.pool.append(x)
        given = [(f"x=${self.xs.id}", x.id)]
        for sequence, stem in self.inputs:
            if b.chance(0.8):
                kind = sequence.kind
                element = Value(
                    b.new(stem), sequence.shape[1:], True, False, kind, sequence.below
                )
                b.pool.append(element)
                given.append((f"{stem}=${sequence.id}", element.id))
        if len(given) == 1 and b.chance(0.5):
            given = [(f"${self.xs.id}", x.id)]
        names = ", ".join(f"${i}" for i in [t, *(i for _, i in given)])
        words = ", ".join(word for word, _ in given)
        return f"for {names} in mg.steps({words}{more}):", x

    # -- states

    def _state(self) -> State:
        b = self.b
        H = b.choice(["m", "m", "n"])
        state = State(b.new("h"), (*self.batch, H))
        if b.chance(0.25):
            state.delay = b.choice([2, 2, 3])
            self.delayed = True
            b.marks.add("holes")
        elif b.chance(0.15):
            state.kept = True
        start, shape = self._start(H)
        state.shape = shape
        state.tensor = not start.startswith("$h0_a")
        if state.listed:
            b.write(f"${state.id} = [{', '.join([start] * state.delay)}]")
        else:
            b.write(f"${state.id} = {start}")
            b.pool.append(Value(state.id, shape, tensor=state.tensor))
        return state

    def _start(self, H: str) -> tuple[str, Shape]:
        """An initial state and its shape."""
        b = self.b
        name = b.choice(["", ', name="h0"', ', name="h0"', ", requires_grad=True"])
        if not self.batch:
            options = {f"mg.tensor(np.zeros(${H}){name})": 2}
            rows: Shape = ()
        else:
            rows = ("b",)
            options = {f"mg.tensor(np.zeros((1, ${H})){name})": 3}
            zeros = f"mg.tensor(np.zeros((${self.xs.id}.shape[1], ${H})){name})"
            if b.chance(0.5):
                return zeros, ("B", H)
            b.marks.add("one row")
        last = [v for v in b.pool if v.made and v.shape == (*self.batch, H)]
        if last and b.chance(0.5):
            return f"${b.choice(last).id}", (*self.batch, H)
        kind = b.weighted({"zeros": 6, "parameter": 1.5, "computed": 1.5, "given": 1})
        if kind == "parameter":
            shape: Shape = (1, H) if self.batch else (H,)
            p = b.parameter(shape, "h0_", shared=0.2)
            b.marks.add("start is a parameter")
            return f"${p.id}", (*rows, H)
        if kind == "computed":
            p = b.parameter((1, H) if self.batch else (H,), "p", shared=0.2)
            value = b.new("h0_")
            b.marks.add("start is computed")
            named = b.choice(["", '.named("h0")'])
            b.write(f"${value} = mg.tanh(${p.id} * 2.0){named}")
            return f"${value}", (*rows, H)
        if kind == "given":
            a = b.argument((*self.batch, H), "h0_a")
            if b.chance(0.9):
                return f"${a.id}", a.shape
            b.marks.add("tensor of an argument")
            return f"mg.tensor(${a.id}{name})", a.shape
        return b.choice(list(options)), (*rows, H)

    def _full(self, shape: Shape) -> Shape:
        return tuple("B" if d == "b" else d for d in shape)

    def _step(self, state: State, x: Value | None) -> None:
        """One state's next value."""
        b = self.b
        H = state.shape[-1]
        reads = [f"${state.id}"]
        if state.listed:
            reads = [f"${state.id}[-{state.delay}]"]
            if state.delay > 1 and b.chance(0.4):
                reads.append(f"${state.id}[-1]")
        kinds = "elman elman gates leaky diagonal grown free free"
        kind = b.choice(kinds.split())
        full = self._full(state.shape) if x is not None else state.shape
        total: Dim = f"2 * {H}" if kind == "gates" else H
        terms = []
        if x is not None:
            U = b.parameter((x.shape[-1], total), "U")
            terms.append(f"${x.id} @ ${U.id}")
        for read in reads:
            if kind == "diagonal":
                w = b.parameter((H,), "w")
                terms.append(f"{read} * ${w.id}")
            else:
                W = b.parameter((H, total))
                terms.append(f"{read} @ ${W.id}")
        first = terms[0]
        if b.chance(0.5):
            terms.append(f"${b.parameter((total,), 'b').id}")
        if kind == "grown":
            extra = b.pick(lambda v: v.shape == full or v.shape == (H,))
            if extra is not None:
                terms.append(f"0.5 * ${extra.id}")
        b.rng.shuffle(terms)
        made = Value("", ())
        if kind == "gates":
            z = b.put(" + ".join(terms), (*full[:-1], total), [Value("", ())])
            made = cut(b, z, H)
            new = f"mg.tanh(${made.id})"
        elif kind == "free":
            new = f"mg.tanh({self._free(state, reads, first, full)})"
        else:
            new = f"mg.tanh({' + '.join(terms)})"
        if kind == "leaky":
            a = b.put(f"{new}", full, [made])
            new = self._mixed(reads[0], f"${a.id}", H)
        named = ".named(" + f'"{b.label("h")}")' if b.chance(b.named()) else ""
        taught = [z for z in b.pool if z.id[0] == "z" and z.shape == full]
        if taught and b.chance(0.5):
            # Teacher forcing: what comes back is the target, not what was computed.
            o = Value(b.new("o"), full, True, True)
            b.write(f"${o.id} = {new}")
            b.pool.append(o)
            new, named = f"${b.choice(taught).id}", ""
        if state.listed:
            value = Value(b.new("h"), full, True, True)
            b.write(
                f"${value.id} = ({new}){named}" if named else f"${value.id} = {new}"
            )
            b.write(f"${state.id}.append(${value.id})")
            b.pool.append(value)
        else:
            b.write(
                f"${state.id} = ({new}){named}" if named else f"${state.id} = {new}"
            )
            b.set(Value(state.id, full), full)

    def _free(self, state: State, reads: list[str], term: str, full: Shape) -> str:
        """A few lines that add and multiply what there is, each value often used."""
        b = self.b
        known = [(f"${b.put(term, full, [Value('', ())]).id}", Value("", full))]
        known += [(read, Value("", state.shape, state.tensor)) for read in reads]
        forms = ["{a} + {b}", "{a} + {b}", "{a} - {b}", "{a} * {b}"]
        forms += ["mg.sigmoid({a}) * {b}", "{a} + mg.tanh({b})"]
        for _ in range(b.rng.randint(1, 4)):
            (left, one), (right, two) = b.choice(known), b.choice(known)
            shape = joined(one.shape, two.shape)
            assert shape is not None
            text = b.choice(forms).format(a=left, b=right)
            made = b.put(text, shape, [one, two])
            known.append((f"${made.id}", made))
        # What is not taken as the state is left for the losses.
        last, made = b.choice(known[1 + len(reads) :])
        whole = made.shape == full and made.tensor
        return last if whole else f"{last} + {known[0][0]}"

    def _mixed(self, old: str, new: str, H: Dim) -> str:
        """The old state and the new one mixed: a leak, a gate, a mask."""
        b = self.b
        masks = [v for v in b.pool if v.shape == (*self.batch, 1) and v.kind == "float"]
        options = [f"0.3 * {old} + 0.7 * {new}", f"{new} + ({old} - {new}) * 0.5"]
        if masks:
            k = f"${b.choice(masks).id}"
            options += [f"{k} * {new} + (1 - {k}) * {old}"] * 2
            options += [f"mg.where({k} > 0.0, {new}, {old})"] * 2
        teacher = [v for v in b.pool if v.id.startswith("z") and v.shape[-1] == H]
        if teacher:
            options += [f"0.5 * {new} + 0.5 * ${b.choice(teacher).id}"] * 2
        w = b.parameter((H,), "w")
        options.append(f"mg.sigmoid(${w.id}) * {old} + {new}")
        return str(b.choice(options))

    def _attend(self, first: bool) -> None:
        """What a loop reads of all steps of an earlier one."""
        b = self.b
        if self.waiting:
            b.write(self.waiting)
            self.waiting = ""
        if first or not b.chance(0.4):
            return
        earlier = [v for done in self.loops for v in done.lists if len(v.shape) == 2]
        if not earlier:
            return
        hs = b.choice(earlier)
        H = b.new("H")
        b.write(f"${H} = mg.stack(${hs.id})")
        b.marks.add("holes")  # its gradient has a message for each pair of steps
        q = b.pick(lambda v: v.shape == hs.shape)
        text = f"${H}.mean(axis=0)"
        if q is not None:
            scores = f"(${H} * ${q.id}).sum(axis=-1, keepdims=True)"
            text = f"(mg.softmax({scores}, axis=0) * ${H}).sum(axis=0)"
        b.put(text, hs.shape, [Value("", ())])

    # -- what is learnt

    def _losses(self, loop: Loop) -> None:
        b = self.b
        for losses in loop.losses:
            b.write(f"${losses}.append({self._loss()})")
        for acc in loop.sums:
            w = b.new("w")
            b.write(f"${w} = {self._loss()}")
            b.write(f"${acc} = ${w} if ${acc} is None else ${acc} + ${w}")

    def _loss(self) -> str:
        b = self.b
        value = b.pick(lambda v: v.tensor and (v.made or b.chance(0.3)))
        if value is None:
            value = b.pick(lambda v: v.tensor)
        assert value is not None
        forms = ["({v} * {v}).sum()", "{v}.sum()", "({v} * {v}).mean()"]
        fitting = [
            y
            for y in b.pool
            if y.kind == "index" and (*y.shape, y.below) == value.shape
        ]
        if fitting:
            y = b.choice(fitting).id
            forms += [f"mg.cross_entropy({{v}}, ${y})"] * 3
            if len(value.shape) == 2:
                forms += [f"-mg.log_softmax({{v}})[np.arange(len({{v}})), ${y}].sum()"]
                forms += [f"-mg.log_softmax({{v}})[:, ${y}].mean()"]
        targets = [z for z in b.pool if z.shape == value.shape and z.id[0] == "z"]
        if targets:
            forms += [f"mg.mse_loss({{v}}, ${b.choice(targets).id})"] * 3
        return str(b.choice(forms).format(v=f"${value.id}"))

    def _read_outs(self) -> None:
        b = self.b
        for loop in self.loops:
            for losses in loop.losses:
                forms = ["mg.stack(${0}).mean()", "mg.stack(${0}).sum()"]
                forms += ["mg.add_n(${0})", "sum(${0}) / len(${0})", "${0}[-1]"]
                b.loss.append(b.choice(forms).replace("{0}", losses))
            for acc in loop.sums:
                b.loss.append(f"${acc}")
            for hs in loop.lists:
                forms = ["mg.stack(${0}).sum()", "(${0}[-1] * ${0}[0]).sum()"]
                forms += ["${0}[len(${0}) // 2].sum()", "(mg.stack(${0}) ** 2).mean()"]
                forms += ["(${0}[1 if len(${0}) > 1 else 0] * ${0}[-1]).sum()"]
                if b.chance(0.6):
                    b.loss.append(b.choice(forms).replace("{0}", hs.id))
                    if "[" in b.loss[-1]:
                        b.marks.add("holes")
                if b.chance(0.2):
                    b.also.append(f"mg.stack(${hs.id})")
        if any("len(" in term for term in b.loss):
            b.marks.add("length")
        for _ in range(b.choice([0, 0, 1])):
            grow(b)
        if not b.loss or b.chance(0.5):
            scalars(b, 1)
        if b.chance(0.4):
            value = b.pick(lambda v: v.tensor)
            if value is not None:
                b.also.append(f"${value.id}")

    def _calls(self) -> list[Call]:
        """Lengths and batches that change between calls and come back."""
        b = self.b
        short = [(1, 2, 3), (2, 3, 4), (1, 1, 2), (2, 2, 3), (3, 1, 4), (3, 4, 2)]
        long = [(7, 8, 10), (9, 8, 7), (8, 9, 3), (6, 7, 12), (8, 9, 30)]
        lengths = b.choice(short if b.chance(0.5) else long)
        if self.delayed and b.chance(0.5):
            # Shorter than the delay: there all that is read are initial states.
            lengths = b.choice([(2, 3, 4), (1, 2, 5), (3, 4, 6), (2, 3, 7)])
        first = b.choice([1, 2, 2, 3])
        batches = b.choice([(first,) * 3, (first, first, first + 1), (1, 2, 2)])
        made = [
            Call(T, B, seed)
            for seed, (T, B) in enumerate(zip(lengths, batches, strict=True))
        ]
        return [*made, replace_seed(made[0])]


def replace_seed(call: Call) -> Call:
    """The same call with other numbers."""
    return call._replace(seed=call.seed + 7)


def draw_recurrence(origin: str) -> Listing:
    """The recurrence that a text stands for."""
    return Recurrence(origin).listing()
