"""Engines by name."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.backend import FOLDERS, backend


@pytest.mark.parametrize("name", FOLDERS)
def test_every_engine_builds_a_program(name):
    assert callable(backend(name).build)
    double = mg.compile(lambda x: x * 2.0, strict=True, backend=name)
    assert double(np.ones(2)).data.tolist() == [2.0, 2.0]


def test_an_engine_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="backend is one of numpy, got 'torch'"):
        mg.compile(lambda x: x, backend="torch")
    with pytest.raises(ValueError, match="no longer handed to Numba, use the numpy"):
        mg.compile(lambda x: x, backend="numba")
