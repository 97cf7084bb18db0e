"""Lines that share loops give what they give one after the other.

Random lines write arrays again and again, read them whole, turned or a row at a time,
and reduce their rows. Each list of lines is a function of one library.
"""

import ctypes

import numpy as np
import pytest

from minigrad.compile import kernels
from minigrad.compile.c import cache, nests
from minigrad.compile.c.elements import FLOATS
from minigrad.compile.c.engine import _headers
from minigrad.compile.c.lines import REDUCES, SOFT, Line, Names
from minigrad.compile.c.nests import Nest
from minigrad.compile.c.rows import Rows
from minigrad.compile.c.views import view
from minigrad.compile.kinds import O
from minigrad.compile.values import argument
from minigrad.op import registry

from .headers import needs_compiler

pytestmark = [needs_compiler, pytest.mark.usefixtures("quick")]

FLAT = [O.add, O.multiply, O.tanh, registry["negative"], O.sigmoid, O.subtract]
ROWS = [O.sum, O.mean, O.max, O.softmax, O.log_softmax, O.logsumexp, kernels.shift]
NUMPY = {
    O.sum: lambda x: x.sum(-1),
    O.mean: lambda x: x.mean(-1),
    O.max: lambda x: x.max(-1),
    O.softmax: lambda x: O.softmax.forward(x),
    O.log_softmax: lambda x: O.log_softmax.forward(x),
    O.logsumexp: lambda x: O.logsumexp.forward(x, axis=-1),
    kernels.shift: lambda x: x - x.max(-1, keepdims=True),
}


class Lines:
    """Random lines over a few arrays of (R, N), and of one element a row."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.dtype = str(self.rng.choice([*FLOATS]))
        self.shape = tuple(int(n) for n in self.rng.choice([1, 2, 3, 5, 19], size=2))
        if self.rng.random() < 0.3:
            self.shape = (2, *self.shape)
        self.outer = self.shape[:-1]
        self.arrays = {f"a{k}": self.draw(self.shape) for k in range(4)}
        self.arrays |= {f"b{k}": self.draw(self.outer) for k in range(3)}
        self.start = {name: x.copy() for name, x in self.arrays.items()}
        self.last = dict.fromkeys(self.arrays)  # the value that lies in each array
        self.wide = {}  # whether what there is one of in a row lies as (R, 1)
        self.readers = {}
        self.lines = [self.line() for _ in range(int(self.rng.integers(2, 12)))]

    def draw(self, shape):
        return np.asarray(self.rng.normal(size=shape)).astype(self.dtype)

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def whole(self):
        return self.pick([n for n in self.arrays if n[0] == "a"])

    def row(self):
        return self.pick([n for n in self.arrays if n[0] == "b"])

    def line(self):
        if self.rng.random() < 0.35:
            return self.of_rows()
        op, inner = self.pick(FLAT), self.rng.random() < 0.75
        n = 2 if op in (O.add, O.multiply, O.subtract) else 1
        one = not inner and self.shape[-1] != 1 and self.rng.random() < 0.5  # (R, 1)
        operands = [self.operand(inner, one) for _ in range(n)]
        # A line writes over what it reads only where it reads its own place.
        looks = {
            v.array for v, _, source in operands if source is not self.last[v.array]
        }
        looks = {name for name in looks if name[0] == "a"}
        names = [n for n in self.arrays if n[0] == "ab"[not inner] and n not in looks]
        name, shape = self.pick(names), self.shape if inner else self.outer
        views = [v.broadcast(view("", self.dtype, shape).shape) for v, *_ in operands]
        out = view(name, self.dtype, shape)
        if one:
            views = [v.reshaped([*v.shape, out.shape[0] * 0 + 1]) for v in views]
            out = view(name, self.dtype, (*shape, 1))
        made = op.forward(*[np.broadcast_to(x, shape) for _, x, _ in operands])
        return self.done(op, {}, out, name, views, made, [s for *_, s in operands])

    def of_rows(self):
        op, source = self.pick(ROWS), self.whole()
        inner = op in (O.softmax, O.log_softmax, kernels.shift)
        # What needs its row whole is not computed in place of it.
        names = [n for n in self.arrays if n[0] == ("a" if inner else "b")]
        name = self.pick([n for n in names if op is kernels.shift or n != source])
        x, v = self.arrays[source], view(source, self.dtype, self.shape)
        out = view(name, self.dtype, self.shape if inner else self.outer)
        made = NUMPY[op](x)
        return self.done(op, {"axis": -1}, out, name, [v], made, [self.last[source]])

    def operand(self, inner, one):
        """A view, the numbers that it sees, and the value that it is."""
        if not inner or self.rng.random() < 0.3:
            name = self.row()
            v, x = view(name, self.dtype, self.outer), self.arrays[name]
            if inner:
                v = view(name, self.dtype, (*self.outer, 1))
                x = x[..., None]
            # Read in another shape than it was written it is a view, another value.
            alike = self.wide.get(name, False) == (inner or one)
            return v, x.copy(), self.last[name] if alike else self.look()
        name = self.whole()
        v, x = view(name, self.dtype, self.shape), self.arrays[name]
        key = self.pick([None] * 4 + [(slice(None, None, -1),), (slice(0, 1),)])
        if key is None:
            return v, x.copy(), self.last[name]
        return v.key(key), x[key].copy(), self.look()

    def look(self):
        return argument("look", self.shape, self.dtype)

    def done(self, op, attrs, out, name, views, made, sources):
        value = argument("v", self.shape, self.dtype)
        line = Line(value, op, attrs, out, views, sources)
        for v, source in zip(views, sources, strict=True):
            # A look at part of an array is one at the value in it, too.
            for read in {source, self.last[v.array]} - {None}:
                self.readers.setdefault(read, set()).add(
                    value if read is source else None
                )
        self.arrays[name] = (
            np.asarray(made).astype(self.dtype).reshape(self.arrays[name].shape)
        )
        self.last[name] = value
        self.wide[name] = len(out.shape) > len(self.outer)
        return line

    def is_local(self, nest, line):
        kept = line.value in self.last.values()  # what lies there in the end
        return not kept and self.readers.get(line.value, set()) <= nest.values

    def text(self, function):
        names, code, nest = Names(), [], Nest()
        names.taken |= set(self.arrays)

        def end(nest):
            return nest.text(names, lambda line: self.is_local(nest, line))

        for line in self.lines:
            if not nest.accepts(line):
                code += end(nest)
                nest = Nest()
                assert nest.accepts(line)
        code += end(nest)
        kind = {"float32": "float", "float64": "double"}[self.dtype]
        takes = ", ".join(f"{kind} *{name}" for name in self.arrays)
        return f"void {function}({takes}) {{\n" + "\n".join(code) + "\n}\n"

    def wrong(self, function):
        """The arrays that are not what the lines make of them."""
        arrays = {name: x.copy() for name, x in self.start.items()}
        function(*[ctypes.c_void_p(a.ctypes.data) for a in arrays.values()])
        scale = 1e-4 if self.dtype == "float32" else 1e-9
        return [
            name for name, x in arrays.items()
            if not np.allclose(x, self.arrays[name], scale, scale, equal_nan=True)
        ]  # fmt: skip


def faults(number):
    """What is wrong in so many random lists of lines, compiled at once."""
    found = [Lines(seed) for seed in range(number)]
    text = "".join(lines.text(f"f{k}") for k, lines in enumerate(found))
    built = cache.compiled(_headers() + text)
    return {
        k: (lines.wrong(built.function(f"f{k}")), lines.text("f"))
        for k, lines in enumerate(found)
        if lines.wrong(built.function(f"f{k}"))
    }


def test_lines_in_one_nest_are_lines_one_after_the_other():
    wrong = faults(120)
    text = [f"{k}: {names}\n{code}" for k, (names, code) in wrong.items()]
    assert not wrong, "\n".join(text)


def test_most_lines_share_a_nest():
    lines = [Lines(seed) for seed in range(60)]
    loops = sum(one.text("f").count("\n}") for one in lines)
    assert loops < sum(len(one.lines) for one in lines) * 0.8


def no_phase_ends(rows):
    planned(rows)
    rows.ends = set()


def nothing_across(rows):
    planned(rows)
    rows.across = set()


planned = Rows._plan_phases


@pytest.mark.parametrize("fault", ["disturbs", "ends", "order"])
def test_a_planted_fault_is_found(monkeypatch, fault):
    if fault == "disturbs":
        monkeypatch.setattr(Nest, "_disturbs", lambda nest, line, other: False)
    elif fault == "ends":
        monkeypatch.setattr(Rows, "_plan_phases", no_phase_ends)
    else:
        monkeypatch.setattr(nests, "_same", lambda a, b: True)
    assert faults(60)


def test_row_ops_are_those_that_are_known():
    assert set(NUMPY) == {*REDUCES, *SOFT, kernels.shift}


@pytest.mark.parametrize(
    "name",
    ["linux", "NAN", "r", "r3", "q", "i5", "exp_f", "f_product", "VECTOR", "asm", "_x"],
)
def test_a_name_means_nothing_else_to_c(name):
    names = Names()
    first, second = names.new(name), names.new(name)
    assert first != second
    built = cache.compiled(
        f"{_headers()}float f_(float *{first}, float *{second}) "
        f"{{ float x = 0; for (int r = 0; r < 2; r++) x += {first}[r] * {second}[r];"
        f" return exp_f(f_row_sum({first}, 2)) * x; }}\n"
    )
    assert built.function("f_")


def test_a_row_that_is_read_along_the_other_axis_is_no_number_of_a_row():
    """(3,) beside (3, 3) may be one a row, or one a column: reads tell which."""
    number = argument("number", (3,), "float64")
    x = view("x", "float64", (3,))
    y, z = view("y", "float64", (3, 3)), view("z", "float64", (3, 3))
    sizes = y.shape
    first = Line(number, O.tanh, {}, x, [view("w", "float64", (3,))], [None])
    nest = Nest()
    assert nest.accepts(first)
    along = Line(None, O.add, {}, z, [y, x.broadcast(sizes)], [None, number])
    assert not nest.accepts(along)
    turned = x.broadcast(sizes).transposed([1, 0])
    assert nest.accepts(Line(None, O.add, {}, z, [y, turned], [None, number]))
