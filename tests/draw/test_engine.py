"""Finding and running an engine, and what happens without one (checks 25-28)."""

import re
import shutil
import stat
import sys
import time
import warnings
from pathlib import Path

import graphviz.backend.dot_command as dot_command
import numpy as np
import pytest

from minigrad.draw import EngineError, GraphvizNotFound, LayoutTimeout, draw
from minigrad.draw.render import engine as engine_module
from minigrad.draw.render.engine import find, run
from tests.draw import networks
from tests.draw.images import size_of


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Make a program of the given shell lines the engine."""

    def make(*lines):
        program = tmp_path / "fake-dot"
        program.write_text("\n".join(["#!/bin/sh", "cat >/dev/null", *lines]) + "\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("MINIGRAD_DOT", str(program))
        return program

    return make


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    """No engine on PATH, and none beside the interpreter."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    monkeypatch.setattr(engine_module.sys, "executable", str(tmp_path / "python"))


def test_the_argument_comes_before_the_variable(fake):
    program = fake("exit 0")
    assert find().path == program
    assert find("pure").name == "pure"
    with pytest.raises(GraphvizNotFound, match="no Graphviz at 'not-there'"):
        find("not-there")


def test_pip_alone_is_enough(tmp_path, monkeypatch):
    pure = find("pure").path
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    beside = tmp_path / "bin"
    beside.mkdir()
    (beside / "graphviz-pure").symlink_to(pure)
    monkeypatch.setattr(engine_module.sys, "executable", str(beside / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find().name == "pure"
    path = draw(networks.many_to_many(3)).save(tmp_path / "a.png")
    assert size_of(path.read_bytes())[0] > 500


def test_without_an_engine_the_text_is_kept(tmp_path, nothing_installed):
    figure = draw(networks.many_to_many(3))
    with pytest.raises(GraphvizNotFound) as caught:
        figure.save(tmp_path / "a.png")
    assert "pip install graphviz graphviz-pure" in str(caught.value)
    assert "apt-get install graphviz" in str(caught.value)
    assert (tmp_path / "a.dot").read_text() == figure.dot
    assert figure.save(tmp_path / "b.gv").read_text() == figure.dot
    # A graph without time needs an engine to be placed, but not to be written.
    assert draw(networks.mlp()).save(tmp_path / "c.dot").read_text()[:7] == "digraph"


def test_a_slow_engine_is_ended(fake, monkeypatch):
    fake("exec sleep 30")
    monkeypatch.setenv("MINIGRAD_DOT_TIMEOUT", "0.5")
    start = time.monotonic()
    with pytest.raises(LayoutTimeout, match="steps="):
        draw(networks.many_to_many(3)).png()
    assert time.monotonic() - start < 10


def test_an_engine_that_fails_is_quoted(fake):
    fake("echo something is wrong >&2", "exit 3")
    with pytest.raises(EngineError, match=r"exit code 3.*something is wrong"):
        draw(networks.many_to_many(3)).png()


@pytest.mark.parametrize("form", ["png", "pdf", "json", "jpg"])
def test_an_answer_that_is_no_image_is_an_error(fake, form):
    fake("echo half a picture", "echo out of memory >&2")
    with pytest.raises(EngineError, match="out of memory"):
        run(find(), form, "digraph {}")


def test_what_else_the_engine_says_is_one_warning(fake):
    fake("echo 'node a is odd' >&2", "echo 'no value for width of x' >&2", "echo '{}'")
    with pytest.warns(UserWarning, match="node a is odd") as caught:
        run(find(), "json", "digraph {}")
    assert len(caught) == 1
    assert "no value" not in str(caught[0].message)


def test_a_program_that_cannot_run_is_not_found(tmp_path, monkeypatch):
    program = tmp_path / "broken"
    program.write_bytes(b"\x00\x01 not a program")
    program.chmod(0o755)
    with pytest.raises(GraphvizNotFound, match="cannot run"):
        draw(networks.many_to_many(3), engine=str(program)).png()


def test_images_stay_below_sixteen_thousand_pixels():
    figure = draw(networks.many_to_many(100), steps=100, engine="pure")
    with pytest.warns(UserWarning, match=r"within 16,000"):
        data = figure.png(dpi=150)
    assert 15_000 < size_of(data)[0] <= 16_000


def without_matplotlib(monkeypatch):
    monkeypatch.delitem(sys.modules, "minigrad.draw.render.axes", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def test_pdf_needs_matplotlib_or_the_c_graphviz(tmp_path, monkeypatch):
    without_matplotlib(monkeypatch)
    figure = draw(networks.many_to_many(3), engine="pure")
    with pytest.raises(EngineError, match=r"pip install matplotlib.*apt-get install"):
        figure.save(tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("dot"), reason="the C Graphviz is not installed")
def test_a_pdf_by_the_c_graphviz_is_as_large_as_the_figure(monkeypatch):
    without_matplotlib(monkeypatch)
    figure = draw(networks.many_to_many(3), engine="dot")
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", figure.pdf())
    assert np.allclose([float(side) for side in box.groups()], figure.size, atol=1)


def test_the_global_of_the_graphviz_package_is_put_back():
    run(find("pure"), "json", "digraph {}")
    assert Path("dot") == dot_command.DOT_BINARY


def test_harmless_words_are_not_shown():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(networks.dynamical_system(), engine="pure").png(50)
