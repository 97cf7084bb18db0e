"""Files that are whole or not there."""

import os
import stat

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Module
from minigrad.train import load_weights, replacing, save_weights


class Part(Module):
    def __init__(self, n=2):
        self.W = mg.parameter(np.arange(n * n, dtype=np.float32).reshape(n, n))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_the_block_is_done(tmp_path):
    with replacing(tmp_path / "a.png") as temporary:
        temporary.write_bytes(b"whole")
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        assert not (tmp_path / "a.png").exists()
    assert names(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"whole"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise error

    with pytest.raises(error):
        interrupted()
    assert names(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_the_file_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "a"):
        pass
    mode = stat.S_IMODE((tmp_path / "a").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "no" / "a"):
        pass


def test_weights_come_back(tmp_path):
    path = tmp_path / "weights.safetensors"
    one, other = Part(), Part()
    other.W.assign(np.zeros((2, 2)))
    save_weights(path, one)
    load_weights(path, other)
    np.testing.assert_array_equal(other.W.data, one.W.data)
    assert names(tmp_path) == ["weights.safetensors"]


def test_weights_of_another_module_change_nothing(tmp_path):
    path = os.fspath(tmp_path / "weights.safetensors")
    save_weights(path, Part(3))
    part = Part(2)
    with pytest.raises(ValueError, match=r"W: the module has float32 \(2, 2\)"):
        load_weights(path, part)
    assert part.W.data.tolist() == [[0, 1], [2, 3]]
