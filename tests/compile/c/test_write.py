"""The text of a plan: what C says, what NumPy says between, and that both read well."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.c import ops, write
from minigrad.compile.c.engine import Runner, build, written
from minigrad.compile.rules import for_numpy
from tests.compile.interpret import interpret

from ..numpy.test_engine import run
from ..test_program import sequence
from ..traces import NETWORKS, Trace, close, network
from .agreement import needs_compiler, numbers, parameter

pytestmark = [needs_compiler, pytest.mark.usefixtures("quick")]


def texts(program):
    writing, (python, _) = written(for_numpy(program, []))
    return writing.c_source, python


@pytest.mark.parametrize("name", [n for n in NETWORKS if "attention" not in n])
def test_a_network_is_one_or_two_functions_of_c(name):
    step, data = network(name)
    c, python = texts(Trace(step, *data(8)).free(Trace(step, *data(9))))
    assert 1 <= len(re.findall(r"^int part_", c, re.M)) <= 2
    assert not re.search(r"(matmul|dot)\(", python)
    assert " for " not in python


def test_the_source_reads_as_the_equations_say():
    step, data = network("ManyToMany")
    c, python = texts(Trace(step, *data(8)).free(Trace(step, *data(9))))
    (body, *_) = re.findall(
        r"for \(ptrdiff_t t = 1; t <= T; t\+\+\) \{\n(.*?)\n    \}\n", c, re.S
    )
    assert "W_packed" in body
    assert "tanh_" in body
    assert "w.table" in python
    compile(python, "source", "exec")


def test_a_name_of_the_users_is_kept():
    W = parameter("W", 3, 3)

    def step(xs):
        h = mg.tensor(np.zeros(3), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x).named("h")
        return h

    c, _ = texts(
        Trace(step, sequence(5, np.float64)[:, 0].repeat(2, 1)[:, :3]).program()
    )
    for name in (r"\*W = p\[", r"\*h0 = p\[", r"h(_\d)? = tanh_d\("):
        assert re.search(name, c)


def test_no_name_is_written_twice_in_one_function():
    for name in NETWORKS[:4]:
        step, data = network(name)
        c, _ = texts(Trace(step, *data(4)).program())
        for function in c.split("\n\n"):
            names = re.findall(r"^    \w+ \*(\w+) = p\[", function, re.M)
            assert len(names) == len(set(names))


def faulty(names):
    """How many of these networks give something else, or fail to be built."""
    found = 0
    for name in names:
        step, data = network(name)
        trace = Trace(step, *data(4))
        program = trace.program()
        wanted = interpret(program, trace.arguments, trace.parameters)
        try:
            close(run(build(program), program, trace, trace.arguments), wanted)
        except (AssertionError, NameError, TypeError, RuntimeError):
            found += 1
    return found


NAMES = ["ManyToMany lstm", "Bidirectional", "ManyToMany skips"]


def test_faults_that_are_planted_are_found(monkeypatch):
    assert not faulty(NAMES)
    placed = write.Writing._placed

    def late(writing, place, t):
        return placed(writing, place._replace(delay=place.delay * 2), t)

    with monkeypatch.context() as patch:
        patch.setattr(write.Writing, "_placed", late)
        assert faulty(NAMES)
    readers = ops._readers
    with monkeypatch.context() as patch:  # nobody outside a nest reads anything
        patch.setattr(
            ops, "_readers", lambda plan: {key: set() for key in readers(plan)}
        )
        assert faulty(NAMES)


def test_what_is_packed_before_a_loop_lasts():
    """A factor that the loop itself makes is packed at each step."""
    W = parameter("W", 3, 3)

    def step(xs):
        h = mg.tensor(np.eye(3), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(x @ W @ h)
        return h

    trace = Trace(step, numbers(4, 3, 3))
    c, _ = texts(trace.program())
    loop = c.partition("t++")[2]
    assert "d_pack(" in loop
    assert "W_packed" not in loop.partition("}")[0] or "d_pack(3, 3, W" not in loop
    program = trace.program()
    wanted = interpret(program, trace.arguments, trace.parameters)
    close(run(build(program), program, trace, trace.arguments), wanted)


def test_a_program_without_rules():
    for name in NETWORKS[:2]:
        step, data = network(name)
        trace = Trace(step, *data(3))
        program = trace.program()
        runner = Runner(program, [], *written(program))
        wanted = interpret(program, trace.arguments, trace.parameters)
        close(run(runner, program, trace, trace.arguments), wanted)
