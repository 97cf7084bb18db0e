"""Ops: declaring, calling, recording, and what their errors say."""

import re
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import Mode, current_mode
from minigrad.op import Op, by_function, registry


@pytest.fixture
def forget():
    """Ops that a test declares are forgotten after it."""
    known = dict(registry), dict(by_function)
    yield
    for table, before in zip((registry, by_function), known, strict=True):
        table.clear()
        table.update(before)


def test_arrays_in_arrays_out():
    y = mg.tanh(np.array([0.5]))
    assert type(y) is np.ndarray
    assert y == np.tanh(0.5)


def test_one_tensor_among_the_operands_records():
    y = mg.add(np.ones(2), mg.tensor([1.0, 2.0]))
    assert y.node.op is mg.add
    assert [i.kind for i in y.node.inputs] == ["constant", "constant"]


class Apart(Op):
    def _forward(self, values, attrs):
        return super()._forward(values, attrs) + 1


def scaled(x, by=2.0, *, shift=0.0):
    """x times by."""
    return x * by + shift


def end_to_end(arrays, axis=0):
    return np.concatenate(arrays, axis)


SCALED = (lambda g, y, x, by, shift=0.0: g * by, lambda g, y, x, by, shift=0.0: g * x)


@pytest.mark.parametrize(
    ("declare", "said", "arity", "plain", "keywords"),
    [
        (lambda: Op(np.cbrt, lambda g, y, x: g), "cbrt(x)", 1, True, ""),
        (lambda: Op(np.trunc, None), "trunc(x)", 1, True, ""),
        (lambda: Op(np.fmod, None, None), "fmod(a, b)", 2, True, ""),
        (lambda: Op(np.nan_to_num, None), "nan_to_num(x)", 1, True, ""),
        (
            lambda: Op(scaled, None),
            "scaled(x, by=2.0, shift=0.0)",
            1,
            True,
            "by shift",
        ),
        (
            lambda: Op(scaled, *SCALED),
            "scaled(x, by=2.0, shift=0.0)",
            2,
            True,
            "shift",
        ),
        (
            lambda: Op(
                np.hstack, lambda i, g, y, xs, *, dtype=None, k=1: g, variadic=True
            ),
            "hstack(xs, dtype=None, k=1)",
            -1,
            False,
            "dtype k",
        ),
        (
            lambda: Op(end_to_end, None, variadic=True),
            "end_to_end(arrays, axis=0)",
            -1,
            False,
            "axis",
        ),
        (
            lambda: Op(scaled, lambda g, y, x, *, by=2.0, shift=0.0: g),
            "scaled(x, by=2.0, shift=0.0)",
            1,
            True,
            "by shift",
        ),
        (lambda: Apart(np.cbrt, lambda g, y, x: g), "cbrt(x)", 1, False, ""),
        (
            lambda: Op(np.hstack, lambda i, g, y, xs, *, dtype=None: g, variadic=True),
            "hstack(xs, dtype=None)",
            -1,
            False,
            "dtype",
        ),
    ],
)
def test_what_a_declaration_says(forget, declare, said, arity, plain, keywords):
    made = declare()
    assert repr(made) == f"<op {said}>"
    assert (made.arity, made.plain) == (arity, plain)
    assert made.keywords == set(keywords.split())
    assert made.__doc__ == made.forward.__doc__


def twice(x):
    return 2 * x


def powered(x, n):
    return x**n


@pytest.mark.parametrize(
    ("declare", "error", "said"),
    [
        (lambda: Op(3, None, name="three"), TypeError, "the forward function is 3"),
        (lambda: Op(twice, 2.0), TypeError, "twice: rule 0 is 2.0; a rule is a funct"),
        (lambda: Op(twice), ValueError, "0 rules for 1 operands"),
        (lambda: Op(np.fmod, None), ValueError, "1 rules for 2 operands"),
        (lambda: Op(twice, None, None), ValueError, "2 rules, but .* takes 1 operand"),
        (
            lambda: Op(np.hstack, None, None, variadic=True),
            ValueError,
            r"has one rule, \(i, g, y, xs\), for all of them; got 2",
        ),
        (
            lambda: Op(twice, lambda g, x: g),
            ValueError,
            r"rule 0 takes \(g, x\): write lambda g, y, x: \.\.\.",
        ),
        (
            lambda: Op(twice, lambda g, y, x, z: g),
            ValueError,
            r"rule 0 takes \(g, y, x, z\): write lambda g, y, x: \.\.\.",
        ),
        (
            lambda: Op(np.fmod, None, lambda g, y, a: g),
            ValueError,
            r"rule 1 takes \(g, y, a\)",
        ),
        (
            lambda: Op(end_to_end, lambda g, y, xs, axis=0: g, variadic=True),
            ValueError,
            r"write lambda i, g, y, arrays, axis=0: \.\.\.",
        ),
        (
            lambda: Op(scaled, lambda g, y, x, by=2.0: g),
            ValueError,
            "rule 0 lacks the attribute shift.* x, by=2.0, shift=0.0: ",
        ),
        (
            lambda: Op(twice, lambda g, y, x, by=2.0: g),
            ValueError,
            "rule 0 takes by, which the forward function does not",
        ),
        (
            lambda: Op(scaled, lambda g, y, x, by=3.0, shift=0.0: g),
            ValueError,
            "has the default by=3.0, the forward function by=2.0",
        ),
        (
            lambda: Op(scaled, lambda g, y, x, *, by, shift: g),
            ValueError,
            "rule 0 has no default for by",
        ),
        (
            lambda: Op(scaled, SCALED[0], lambda g, y, x, by: g),
            ValueError,
            "rule 1 lacks the attribute shift",
        ),
        (
            lambda: Op(powered, lambda g, y, x: g),
            ValueError,
            "rule 0 lacks the attribute n.* write lambda g, y, x, n=None",
        ),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(forget, declare, error, said):
    known = set(registry)
    with pytest.raises(error, match=said):
        declare()
    assert set(registry) == known


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Op(powered, lambda g, y, x, n=None: g * n * x ** (n - 1)),
        lambda: Op(powered, lambda g, y, x, n: g, None),
        lambda: Op(scaled, lambda g, y, *xs: g, lambda g, y, x, by, **attrs: g),
        lambda: Op(scaled, lambda g, y, x, by=2.0, **attrs: g),
        lambda: Op(lambda *xs: xs[0], lambda g, y, a, b: g, None, name="first"),
    ],
)
def test_a_declaration_that_works_is_not(forget, declare):
    assert declare().arity in (1, 2)


def test_a_declaration_may_say_more(forget):
    made = Op(scaled, *SCALED, name="larger", numpy=np.fmod, doc="What help shows.")
    assert (made.name, made.__name__, made.__doc__) == (
        "larger",
        "larger",
        "What help shows.",
    )
    assert registry["larger"] is made
    x = mg.tensor(3.0, name="x")
    assert np.fmod(x, 4.0).item() == 12.0


def test_the_forms_of_a_call(forget):
    times = Op(scaled, *SCALED)
    x, by = mg.tensor(3.0, name="x"), mg.tensor(5.0, name="by")
    calls = [times(x), times(x, by), times(x, by=by), times(by=by, x=x)]
    calls += [times(x, shift=1.0), times(x, 5.0, shift=1.0), times(x=x)]
    assert [y.item() for y in calls] == [6, 15, 15, 15, 7, 16, 6]
    assert [len(y.node.inputs) for y in calls] == [2] * 7
    assert times(2.0, 4.0) == times(2.0, by=4.0) == 8.0
    with pytest.raises(TypeError, match="scaled lacks its operand 'x'"):
        times(by=by)
    y = mg.sum(mg.tensor(np.ones((2, 3)), name="z"), 1, True)
    assert y.node.attrs == {"axis": 1, "keepdims": True}
    assert y.shape == (2, 1)


def test_an_op_over_a_list_without_a_rule(forget):
    joined = Op(np.hstack, None, variadic=True)
    x = mg.parameter([1.0, 2.0], name="x")
    y = joined([x, x * 2])
    assert y.data.tolist() == [1, 2, 2, 4]
    with pytest.raises(ValueError, match=r"x .* is not reached"):
        y.sum().backward()
    assert type(joined([np.ones(1), np.ones(2)])) is np.ndarray


def test_what_is_recorded_of_arrays_is_read_only():
    x = mg.parameter([1.0, 2.0, 3.0], name="x")
    y = x * np.ones(3)
    assert not y.node.inputs[1].value.flags.writeable
    frozen = np.ones(3)
    frozen.setflags(write=False)
    assert (x * frozen).node.inputs[1].value is frozen
    assert not x[np.array([0, 0])].node.inputs[1].value.flags.writeable


def test_a_new_op_is_one_line(forget):
    cube = Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="cube")
    p = mg.parameter(2.0, name="p")
    assert mg.grad(cube(p), [p])[0].item() == 12.0
    assert mg.hessian(cube(p), [p])[0][0].item() == 12.0
    assert repr(cube) == "<op cube(x)>"


def test_the_decorator_takes_the_name_of_the_function(forget):
    @mg.op(lambda g, y, x, by=2: g * by)
    def scaled(x, by=2):
        """x times by."""
        return x * by

    assert registry["scaled"] is scaled
    assert scaled.__doc__ == "x times by."
    assert scaled(mg.tensor(3.0), by=5).item() == 15.0


def test_an_op_without_a_name_is_refused():
    with pytest.raises(ValueError, match="an op needs a name"):
        Op(lambda x: x, None)


def test_a_second_op_of_one_name_is_refused():
    def tanh(x):
        return x

    for forward in (tanh, np.tanh):
        with pytest.raises(ValueError, match="an op named 'tanh' exists already"):
            Op(forward, None)


def test_a_numpy_function_may_be_declared_again(forget):
    for rule in (lambda g, y, x: g, lambda g, y, x: g / (3 * y * y)):
        cbrt = Op(np.cbrt, rule)
    x = mg.tensor(8.0, requires_grad=True)
    assert mg.grad(cbrt(x), [x])[0].item() == 1 / 12


def test_a_cell_that_runs_twice_declares_its_op_anew(forget):
    def declare():
        @mg.op(lambda g, y, x: g)
        def same(x):
            return x

        return same

    declare()
    again = declare()
    assert registry["same"] is again


def test_a_function_without_an_op_is_named_as_code_names_it():
    square = mg.tensor(np.eye(2))
    with pytest.raises(TypeError, match=r"^np\.linalg\.det .*Op\(np\.linalg\.det,"):
        np.linalg.det(square)
    with pytest.raises(TypeError, match=r"^np\.fft\.fft has no op"):
        np.fft.fft(square)
    other = np.frompyfunc(lambda a, b: a, 2, 1)
    with pytest.raises(TypeError, match=r"^(?!np\.).* has no op"):
        other(square, square)


def test_numpy_finds_an_op_declared_for_it(forget):
    assert np.deg2rad not in {op.forward for op in registry.values()}
    with pytest.raises(
        TypeError, match=r"np\.deg2rad has no op .* mg\.Op\(np\.deg2rad"
    ):
        np.deg2rad(mg.tensor(1.0))
    Op(np.deg2rad, lambda g, y, x: g * (np.pi / 180))
    x = mg.tensor(0.5, name="x")
    assert np.deg2rad(x).node.op.name == "deg2rad"


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda x: mg.sum(x, axes=0),
            TypeError,
            "sum has no keyword axes .*axis, keep",
        ),
        (lambda x: mg.sum(x, axis=0, to=1), TypeError, r"no keyword to \("),
        (lambda x: mg.tanh(x, axis=0), TypeError, r"tanh has no keyword axis .*none"),
        (lambda x: mg.add(x), TypeError, "add lacks its operand"),
        (lambda x: mg.tanh(x, 1, 2, 3), TypeError, "tanh takes 1 arguments"),
        (lambda x: mg.sum(x, 0, True, 5), TypeError, r"sum takes 3 arguments \(x"),
        (
            lambda x: mg.add(x, "a"),
            TypeError,
            "operand 1 is a str; operands are Tensors, and arrays",
        ),
        (lambda x: mg.add(x, None), TypeError, "operand 1 is a NoneType; "),
        (lambda x: mg.add(x, 1j), TypeError, "operand 1 is a complex; "),
        (
            lambda x: mg.add(x, np.ones((9, 2), complex)),
            TypeError,
            r"operand 1 is a ndarray of complex128, shape \(9, 2\); ",
        ),
        (lambda x: mg.stack(x), TypeError, "takes a list or tuple of Tensors"),
        (lambda x: mg.stack([]), TypeError, r"list or tuple of Tensors, got \[\]"),
    ],
)
def test_misuse_is_taught(call, error, said):
    with pytest.raises(error, match=said):
        call(mg.tensor([1.0, 2.0], name="x"))


def test_numpys_exception_keeps_its_type_and_gains_a_note():
    W = mg.parameter(np.ones((3, 2)), name="W")

    def run():
        for _, x in mg.steps(np.ones((2, 4, 5))):
            with mg.scope("cell"):
                x @ W

    with pytest.raises(ValueError, match="shapes") as caught:
        run()
    (note,) = caught.value.__notes__
    for part in ("op matmul", "x(1) (4, 5)", "W (3, 2)", "cell", "t = 1"):
        assert part in note


def test_an_error_inside_a_rule_names_the_rule(forget):
    broken = Op(lambda x: x * 1.0, lambda g, y, x: g @ np.ones((7, 7)), name="broken")
    x = mg.parameter(np.ones(2), name="x")
    with mg.scope("cell"):
        y = broken(x).sum()
    with mg.scope("elsewhere"), pytest.raises(ValueError, match="matmul") as caught:
        y.backward()
    note = "gradient rule 0, in op broken(x (2,)), scope cell"
    assert caught.value.__notes__[0] == note


@pytest.mark.parametrize("shape", [(7,), (), (1,), (3, 7)])
def test_a_rule_of_the_wrong_shape_is_named(forget, shape):
    wrong = Op(lambda x: x.sum(), lambda g, y, x: np.ones(shape), name="wrong")
    x = mg.parameter(np.ones(2), name="x")
    said = re.escape(f"wrong gave shape {shape} for an input of shape (2,)")
    with pytest.raises(ValueError, match=said):
        wrong(x).backward()


def test_a_rule_that_uses_a_function_without_an_op_says_so(forget):
    sinc = Op(np.sinc, lambda g, y, x: g * np.i0(x))
    x = mg.parameter(0.5, name="x")
    sinc(x).backward()
    with pytest.raises(TypeError, match=r"np\.i0 has no op"):
        mg.grad(sinc(x), [x], create_graph=True)


def test_no_grad_keeps_no_graph_and_is_restored():
    w = mg.parameter(1.0, name="w")
    with mg.no_grad():
        y = w * 2
    assert y.node.inputs == ()
    assert (w * 2).node.inputs
    with pytest.raises(ZeroDivisionError), mg.no_grad():
        raise ZeroDivisionError
    assert current_mode.get() is Mode.RECORD


def test_no_grad_does_not_reach_another_thread():
    seen = []
    w = mg.parameter(1.0, name="w")

    def work():
        seen.append((w * 2).node.inputs)

    with mg.no_grad():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(seen[0]) == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x + 1,
        lambda x: x[0],
        lambda x: x.reshape(3, 2),
        lambda x: x.T,
        lambda x: mg.broadcast_to(x, (2, 2, 3)),
        lambda x: mg.sum(x),
        lambda x: mg.add_n([x]),
    ],
)
def test_results_are_read_only(make):
    y = make(mg.tensor(np.ones((2, 3)), name="x"))
    with pytest.raises(ValueError, match="read-only"):
        y.data[...] = 0.0


def test_an_array_edited_after_it_was_recorded_changes_nothing():
    w = mg.parameter([1.0, 2.0], name="w")
    factor = np.array([3.0, 4.0])
    y = (w * factor).sum()
    factor[:] = 0.0
    assert mg.grad(y, [w])[0].data.tolist() == [3.0, 4.0]


def test_an_index_array_edited_after_it_was_recorded_changes_nothing():
    x = mg.parameter([1.0, 2.0, 3.0], name="x")
    key = np.array([0, 0])
    y = x[key].sum()
    key[:] = 2
    assert mg.grad(y, [x])[0].data.tolist() == [2.0, 0.0, 0.0]


def test_a_tensor_as_index_is_an_operand():
    x = mg.parameter([1.0, 2.0, 3.0], name="x")
    index = mg.tensor([0, 0], name="index")
    picked = x[index]
    assert picked.node.inputs == (x.node, index.node)
    assert mg.grad(picked.sum(), [x])[0].data.tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "takes"),
    [
        (lambda x, c: mg.sum(x, axis=c), "axis"),
        (lambda x, c: mg.roll(x, c), "shift"),
        (lambda x, c: x.reshape((c, 1)), "shape"),
        (lambda x, c: mg.pad(x, {0: (c, c)}), "pad_width"),
        (lambda x, c: x[c:], "ends of a slice"),
        (lambda x, c: mg.layer_norm(x, eps=c), "eps"),
    ],
)
def test_a_tensor_as_attribute_is_refused(call, takes):
    x, c = mg.tensor([1.0, 2.0, 3.0], name="x"), mg.tensor(1)
    with pytest.raises(TypeError, match=f"{takes}.* plain|{takes}.* integers") as error:
        call(x, c)
    assert "mg.take" in str(error.value)


def test_attributes_edited_after_they_were_recorded_change_nothing():
    x = mg.parameter(np.arange(6.0).reshape(1, 2, 3), name="x")
    axes = [1, 2, 0]
    y = mg.transpose(x, axes) * np.arange(6.0).reshape(2, 3, 1)
    axes[:] = [0, 1, 2]
    assert mg.grad(y.sum(), [x])[0].data.tolist() == [[[0, 1, 2], [3, 4, 5]]]


def test_a_list_of_tensors_is_no_operand():
    x = mg.tensor([1.0])
    with pytest.raises(TypeError, match=r"mg\.stack makes them one"):
        mg.tanh([x, x])
    with pytest.raises(TypeError, match=r"mg\.stack makes them one"):
        mg.add((x, x), x)


def test_positive_is_refused_and_cuts_no_gradient():
    w = mg.parameter(2.0, name="w")
    with pytest.raises(TypeError, match="positive has no op"):
        np.positive(w)
