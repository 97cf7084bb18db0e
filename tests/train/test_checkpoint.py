"""Checkpoints: going on bit for bit, and what is refused."""

import json
import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.optim import Adam, AdamW
from minigrad.train import (
    fit,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)

TRAIN = """
import sys
from pathlib import Path
import numpy as np
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse
from minigrad.optim import Adam
from minigrad.train import fit

def train(path, steps, resume, slow=0.0, seed=0, ctrl_c=0):
    import signal, time
    rng = np.random.default_rng(seed)
    model = ManyToMany(2, 5, 1, rng=rng, loss=mse, layers=2, dropout=0.3)

    def loss():
        nonlocal ctrl_c
        time.sleep(slow)
        ctrl_c -= 1
        if ctrl_c == 0:
            signal.raise_signal(signal.SIGINT)
        xs = rng.normal(size=(4, 3, 2)).astype(np.float32)
        return model.loss(xs, xs[..., :1], rng=rng)

    def validation():
        return float(sum(np.square(p.data).sum() for p in model.parameters()))

    history = fit(
        model, Adam(model.parameters()), loss, validation, steps, every=3,
        checkpoint=Path(path), resume=resume, also={"rng": rng},
    )
    return model, history
"""
scope = {}
exec(TRAIN, scope)  # the same lines here and in another process
train = scope["train"]


def python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", TRAIN + code], capture_output=True, text=True, **options
    )


def test_twice_n_steps_are_n_saved_and_n_more_in_another_process(tmp_path):
    train(tmp_path / "whole", 12, False)
    train(tmp_path / "half", 6, False)
    done = python(f"train({str(tmp_path / 'half')!r}, 12, True, seed=5)")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "half").read_bytes()


@pytest.mark.parametrize("step", [1, 4, 6])
def test_training_goes_on_after_ctrl_c_as_if_there_had_been_none(tmp_path, step):
    train(tmp_path / "whole", 9, False)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", 9, False, ctrl_c=step)
    train(tmp_path / "cut", 9, True, seed=5)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()


def test_ctrl_c_saves_where_it_was(tmp_path):
    path = tmp_path / "run"
    code = f"train({str(path)!r}, 10**6, False, slow=0.01)"
    running = subprocess.Popen(
        [sys.executable, "-c", TRAIN + code], stderr=subprocess.PIPE, text=True
    )
    while not path.exists() and running.poll() is None:
        pass
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert "KeyboardInterrupt" in said
    _, history = train(path, 1, True)  # nothing left to do
    assert len(history.steps) >= 3
    assert [p.step for p in history.steps] == [*range(1, len(history.steps) + 1)]


def test_a_killed_process_leaves_a_whole_file(tmp_path):
    path = tmp_path / "run"
    code = f"train({str(path)!r}, 10**6, False)"
    running = subprocess.Popen([sys.executable, "-c", TRAIN + code])
    while not path.exists() and running.poll() is None:
        pass
    running.kill()
    running.wait()
    train(path, 1, True)


def saved(tmp_path):
    path = tmp_path / "run.safetensors"
    model = ManyToMany(2, 3, 2, rng=np.random.default_rng(0))
    parts = {"module": model, "rng": np.random.default_rng(1)}
    save_checkpoint(path, parts, {"step": 3})
    return path, parts


def rewritten(path, change):
    content = path.read_bytes()
    (n,) = struct.unpack("<Q", content[:8])
    header = change(content[8 : 8 + n].decode())
    path.write_bytes(
        struct.pack("<Q", len(header)) + header.encode() + content[8 + n :]
    )


def twice(header):
    return header.replace('"module/rnn.W"', '"module/rnn.U"', 1)


def without_metadata(header):
    found = json.loads(header)
    del found["__metadata__"]
    return json.dumps(found)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "not a whole"),
        (lambda path: path.write_bytes(path.read_bytes()[:20]), "not a whole"),
        (lambda path: path.write_bytes(b""), "not a whole"),
        (lambda path: path.write_bytes(b"a text, not tensors"), "not a whole"),
        (flip, "altered"),
        (lambda path: rewritten(path, twice), "'module/rnn.U' occurs twice"),
        (lambda path: rewritten(path, without_metadata), "no checksum"),
    ],
)
def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path, damage, reason):
    path, parts = saved(tmp_path)
    parts["module"].c.assign([5.0, 6.0])
    state = parts["rng"].bit_generator.state
    damage(path)
    with pytest.raises(ValueError, match=reason):
        load_checkpoint(path, parts)
    assert parts["module"].c.data.tolist() == [5.0, 6.0]
    assert parts["rng"].bit_generator.state == state


def test_other_shapes_and_parts_are_all_named(tmp_path):
    path, _ = saved(tmp_path)
    rng = np.random.Generator(np.random.Philox(0))
    other = {"module": ManyToMany(2, 4, 2, rng=rng), "rng": rng}
    other["optimiser"] = Adam(other["module"].parameters())
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        load_checkpoint(path, other)
    for line in (
        r"module/V: float32 (4, 2) here, float32 (3, 2) in the file",
        "optimiser/steps: int64 () here, nothing in the file",
        "rng: a generator of kind Philox, the file has PCG64",
    ):
        assert line in str(error.value)
    with pytest.raises(ValueError, match="module/V: not a part"):
        load_checkpoint(path, {"rng": np.random.default_rng(0)})


def test_a_whole_file_comes_back(tmp_path):
    path, parts = saved(tmp_path)
    before = parts["module"].state_dict()
    drawn = parts["rng"].random(3)
    parts["module"].c.assign([5.0, 6.0])
    assert load_checkpoint(path, parts) == {"step": 3}
    assert parts["rng"].random(3).tolist() == drawn.tolist()
    for name, array in parts["module"].state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_altered_weights_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    model = ManyToMany(2, 3, 2, rng=np.random.default_rng(0))
    save_weights(path, model)
    load_weights(path, model)
    flip(path)
    with pytest.raises(ValueError, match="altered"):
        load_weights(path, model)


def test_resuming_needs_a_file():
    p = mg.parameter([1.0])
    with pytest.raises(ValueError, match="needs the checkpoint"):
        fit(mg.nn.Module(), Adam([p]), lambda: p.sum(), lambda: 0.0, 1, resume=True)


def test_a_checkpoint_of_another_optimiser_is_refused(tmp_path):
    """Adam's moments have the names and shapes of AdamW's."""
    path = tmp_path / "run.safetensors"
    W = mg.parameter(np.ones((2, 2)), name="W")
    optimiser = Adam([W])
    save_checkpoint(path, {"optimiser": optimiser}, {})
    with pytest.raises(ValueError, match=r"optimiser/Adam\.mean\.0\.W: nothing here"):
        load_checkpoint(path, {"optimiser": AdamW([W])})
    other = mg.parameter(np.ones((2, 2)), name="V")
    with pytest.raises(ValueError, match=r"optimiser/Adam\.mean\.0\.V: float64"):
        load_checkpoint(path, {"optimiser": Adam([other])})


class Written:
    """A part that wrote this state."""

    def __init__(self, state):
        self.state = state

    def state_dict(self):
        return self.state


def test_an_optimiser_of_version_0_1_is_refused_by_name(tmp_path):
    path = tmp_path / "run.safetensors"
    W = mg.parameter(np.ones(2), name="W")
    state = {"steps": np.array(1), "mean.0": np.ones(2), "square.0": np.ones(2)}
    save_checkpoint(path, {"optimiser": Written(state)}, {})
    with pytest.raises(ValueError, match=r"optimiser: it was written by minigrad 0\.1"):
        load_checkpoint(path, {"optimiser": Adam([W])})
