"""Files that are whole or not there."""

import os
import signal
import stat
import subprocess
import sys
import threading

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


WRITER = """
import sys
from minigrad.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_bytes(b"half")
    print(temporary.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def writer(tmp_path):
    """A process that has begun to write; returns it and its temporary file's name."""
    begun = []

    def begin(path):
        command = [sys.executable, "-c", WRITER, str(path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        begun.append(subprocess.Popen(command, **pipes))
        return begun[-1], begun[-1].stdout.readline().strip()

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_what_a_killed_process_left_is_cleared_and_a_living_one_left_alone(
    tmp_path, writer
):
    _, living = writer(tmp_path / "a.txt")
    killed, left = writer(tmp_path / "b.png")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert names(tmp_path) == sorted([living, left])
    with replacing(tmp_path / "c") as temporary:
        assert names(tmp_path) == sorted([living, temporary.name])
    assert names(tmp_path) == sorted([living, "c"])


def test_a_writer_ends_well_though_others_clear_meanwhile(tmp_path, writer):
    process, _ = writer(tmp_path / "a.txt")
    with replacing(tmp_path / "b"):
        pass
    process.communicate("")
    assert process.returncode == 0
    assert names(tmp_path) == ["a.txt", "b"]


def test_many_writers_in_one_folder_take_nothing_from_each_other(tmp_path):
    failed = []

    def write(k):
        try:
            for i in range(60):
                with replacing(tmp_path / f"{k}") as temporary:
                    temporary.write_text(f"{i}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {(tmp_path / f"{k}").read_text() for k in range(4)} == {"59"}
    assert len(names(tmp_path)) == 4


def test_only_files_that_we_surely_made_are_cleared(tmp_path):
    ours = f".minigrad-{'0' * 16}"
    (tmp_path / "target").touch()
    kept = [".run-abcdefgh.safetensors", f"{ours}.tar.gz", f"x{ours}", f"{ours}0"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / f"{ours}.png").mkdir()
    (tmp_path / f"{ours}.link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / f"{ours}.pipe")
    before = names(tmp_path)
    (tmp_path / f"{ours}.txt").touch()
    with replacing(tmp_path / "target"):
        pass
    assert names(tmp_path) == before


def test_a_leftover_of_another_user_stays(tmp_path, monkeypatch):
    left = tmp_path / f".minigrad-{'0' * 16}"
    left.touch()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.stat(left).st_uid + 1)
        with replacing(tmp_path / "a"):
            pass
    assert left.exists()
    with replacing(tmp_path / "a"):
        pass
    assert not left.exists()


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "whole"


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


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "weights.safetensors"
    with pytest.raises(FileNotFoundError, match="No such file or directory") as raised:
        save_weights(path, Part())
    assert raised.value.filename == str(path.parent.resolve())
