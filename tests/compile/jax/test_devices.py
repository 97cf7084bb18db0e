"""A batch that several devices share, or several hosts; and what is refused."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.backend import EngineError

from . import on_hosts

FLAGS = "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0"


def test_four_devices_agree_with_one():
    done = subprocess.run(
        [sys.executable, "-m", "tests.compile.jax.on_devices"],
        env={**os.environ, "XLA_FLAGS": FLAGS},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    assert "agree on 4" in done.stdout


def test_two_processes_agree_with_one_device():
    for said in on_hosts.start():
        assert "agree on 2" in said, said


def row(count=1):
    return jax.sharding.Mesh(np.array(jax.devices()[:1] * count), ("batch",))


def test_a_mesh_of_one_device():
    W = mg.parameter(np.eye(3), name="W")
    step = mg.compile(lambda x: x @ W, strict=True, backend="jax", mesh=row())
    assert step(np.ones((2, 3))).data.tolist() == [[1.0] * 3] * 2


def test_what_is_no_mesh_of_a_batch_is_refused():
    step = mg.compile(lambda x: x * 2.0, backend="jax", mesh="cpu")
    with pytest.raises(EngineError, match=r'Mesh\(jax.devices\(\), \("batch",\)\)'):
        step(np.ones(2))
    with pytest.raises(ValueError, match="the numpy engine has no mesh"):
        mg.compile(lambda x: x, mesh=row())
    with pytest.raises(ValueError, match="the jax engine has no threads"):
        mg.compile(lambda x: x, backend="jax", threads=2)


def test_a_batch_that_the_devices_do_not_divide_is_refused():
    code = """
import jax, numpy as np, minigrad as mg
mesh = jax.sharding.Mesh(jax.devices(), ("batch",))
mg.compile(lambda x: x * 2.0, backend="jax", mesh=mesh)(np.ones((6, 2), np.float32))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "XLA_FLAGS": FLAGS},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "4 devices share a batch" in done.stderr
    assert "EngineError" in done.stderr.splitlines()[-1]
