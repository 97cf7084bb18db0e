"""Checkpoints: going on bit for bit, and what is refused."""

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

import minigrad as mg
from minigrad.data import Order
from minigrad.models import ManyToMany
from minigrad.nn import Module
from minigrad.optim import SGD, Adam, AdamW
from minigrad.train import (
    Training,
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
from minigrad.train import Training, fit

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

    optimiser = Adam(model.parameters())
    training = Training(model, optimiser, loss, also={"rng": rng}, eager=True)
    history = fit(
        training, steps=steps, validation=validation, every=3,
        checkpoint=Path(path), resume=resume,
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


def forged(path, arrays, text):
    """A file whose checksum fits, whatever is in it."""
    digest = sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    path.write_bytes(save(arrays, {"minigrad": f"{digest.hexdigest()} {text}"}))


def everything(parts):
    """All that loading could change, as bytes."""
    return {
        name: pickle.dumps(
            part.bit_generator.state
            if isinstance(part, np.random.Generator)
            else {key: np.asarray(a).tolist() for key, a in part.state_dict().items()}
        )
        for name, part in parts.items()
    }


@pytest.fixture
def refused(tmp_path):
    """A checkpoint is refused for a reason, and nothing changes or is left behind."""

    def check(path, parts, reason, load=load_checkpoint):
        before = everything(parts)
        there = sorted(tmp_path.iterdir())
        with pytest.raises(ValueError, match=reason):
            load(path, parts)
        assert everything(parts) == before
        assert sorted(tmp_path.iterdir()) == there

    return check


def with_dtype(kind):
    return lambda header: header.replace('"dtype":"F32"', f'"dtype":"{kind}"', 1)


def with_metadata(value):
    def change(header):
        return json.dumps({**json.loads(header), "__metadata__": value})

    return change


def deep(depth):
    return lambda header: '{"a":' + "[" * depth + "]" * depth + "}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_dtype("BF16"), "'module/.*' has numbers of type 'BF16'; NumPy has F16"),
        (with_dtype("F8_E4M3"), "numbers of type 'F8_E4M3'"),
        (with_dtype("C64"), "numbers of type 'C64'"),
        (with_metadata(None), "__metadata__ is no object"),
        (with_metadata([]), "__metadata__ is no object"),
        (with_metadata({"minigrad": 5}), "not a whole"),
        (with_metadata({"minigrad": None}), "not a whole"),
        (deep(100_000), "not a whole"),
        (deep(500), "not a whole"),
        (lambda header: "[]", "header is no object"),
        (lambda header: '{"a": 5}', "'a' has numbers of type None"),
        (lambda header: '{"a": {"dtype": "F32"}}', "not a whole"),
        (lambda header: header.replace(":[0,", ":[1,"), "not a whole"),
        (lambda header: header.replace(":[0,", ":[-8,"), "not a whole"),
        (lambda header: header.replace(":[0,", f":[{10**30},"), "not a whole"),
        (lambda header: header.replace(":[0,", f":[{'9' * 5000},"), "not a whole"),
        (lambda header: "\x00" * 8, "not a whole"),
    ],
)
def test_a_header_of_any_kind_is_refused(tmp_path, refused, change, reason):
    path, parts = saved(tmp_path)
    rewritten(path, change)
    refused(path, parts, reason)


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 10**9])
def test_a_header_longer_than_the_file_is_refused(tmp_path, refused, length):
    path, parts = saved(tmp_path)
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    refused(path, parts, "ends within its header")


def test_names_are_compared_in_one_pass(tmp_path):
    path = tmp_path / "many"
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({f"{i}": entry for i in range(30_000)}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    # In minutes if in pairs.
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        load_weights(path, ManyToMany(2, 3, 2, rng=np.random.default_rng(0)))
    assert str(error.value).endswith("\n  and more")
    with pytest.raises(ValueError, match="no checksum"):
        load_checkpoint(path, {"module": Module()})


def test_weights_are_no_checkpoint_and_a_checkpoint_is_no_weights(tmp_path, refused):
    path, parts = saved(tmp_path)
    weights = tmp_path / "weights"
    save_weights(weights, parts["module"])
    refused(weights, parts, r"load_weights\(path, module\)")
    refused(weights, {"rng": parts["rng"]}, r"load_weights\(path, module\)")

    def load(path, parts):
        load_weights(path, parts["module"])

    refused(path, parts, r"load_checkpoint\(path, ", load)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[" * 100_000,
        "5",
        "null",
        '{"generators": {}}',
        '{"note": 1}',
        '{"generators": null, "note": 1}',
        '{"generators": [], "note": 1}',
    ],
)
def test_a_forged_text_is_refused(tmp_path, refused, text):
    path, parts = saved(tmp_path)
    arrays = {f"module/{k}": a for k, a in parts["module"].state_dict().items()}
    forged(path, arrays, text)
    refused(path, parts, "altered|no checkpoint|load_weights")


KINDS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_generator_goes_on(tmp_path, kind):
    rng = np.random.Generator(getattr(np.random, kind)(0))
    rng.integers(7, size=5, dtype=np.uint32)
    save_checkpoint(tmp_path / "a", {"rng": rng}, None)
    drawn = rng.integers(1000, size=9, dtype=np.uint32).tolist()
    rng.random(100)
    load_checkpoint(tmp_path / "a", {"rng": rng})
    assert rng.integers(1000, size=9, dtype=np.uint32).tolist() == drawn


def places(state, path=()):
    for key, value in state.items():
        if isinstance(value, dict):
            yield from places(value, (*path, key))
        yield (*path, key)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_state_of_a_generator_is_refused(tmp_path, refused, kind):
    path = tmp_path / "a"
    rng = np.random.Generator(getattr(np.random, kind)(0))
    parts = {"first": mg.nn.Module(), "rng": rng}
    save_checkpoint(path, parts, None)
    text = path.read_bytes().decode("latin-1").partition(" ")[2]
    said = json.loads(json.loads('"' + text.partition('"}}')[0] + '"'))
    for place in [*places(said["generators"]["rng"]), ()]:
        for wrong in (None, -1, 1.5, 10**40, True, [], [2**64] * 4, {}, "x", [[1]]):
            other = json.loads(json.dumps(said))
            inner = other["generators"]
            for key in ("rng", *place)[:-1]:
                inner = inner[key]
            inner[("rng", *place)[-1]] = wrong
            forged(path, {}, json.dumps(other))
            refused(path, parts, "rng: (no state of a generator|a generator of kind)")


def test_a_place_beyond_the_numbers_of_a_generator_is_refused(tmp_path, refused):
    # NumPy would read what lies behind them in memory.
    rng = np.random.Generator(np.random.MT19937(0))
    state = rng.bit_generator.state
    state["state"]["key"] = state["state"]["key"].tolist()
    state["state"]["pos"] = 625
    forged(tmp_path / "a", {}, json.dumps({"generators": {"rng": state}, "note": 0}))
    refused(tmp_path / "a", {"rng": rng}, "pos is 625")


class Broken(Module):
    """Takes no state."""

    def load_state_dict(self, state):
        self.touched = True
        raise RuntimeError("no room")


class Stopped(Module):
    def load_state_dict(self, state):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("bad", "error"), [(Broken, ValueError), (Stopped, KeyboardInterrupt)]
)
def test_a_bad_part_after_good_ones_changes_nothing(tmp_path, bad, error):
    path, parts = saved(tmp_path)
    bad = bad()
    parts = {**parts, "optimiser": Adam(parts["module"].parameters()), "bad": bad}
    save_checkpoint(path, parts, 1)
    parts["module"].c.assign([5.0, 6.0])
    parts["rng"].random(7)
    parts["optimiser"].steps = 9
    before = everything(parts)
    # What undoes it must get through, the part that fails included.
    calls = []
    real = bad.load_state_dict

    def once(state):
        calls.append(state)
        if len(calls) == 1:
            real(state)

    object.__setattr__(bad, "load_state_dict", once)
    with pytest.raises(error):
        load_checkpoint(path, parts)
    assert len(calls) == 2
    assert everything(parts) == before


def test_a_nan_is_not_saved_over_what_one_can_go_on_from(tmp_path):
    path, parts = saved(tmp_path)
    before = path.read_bytes()
    parts["module"].c.assign([1.0, np.nan])
    with pytest.raises(
        FloatingPointError, match=r"module/c is nan at \[1\]; .* not wr"
    ):
        save_checkpoint(path, parts, 0)
    with pytest.raises(FloatingPointError, match="c is nan"):
        save_weights(path, parts["module"])
    parts["module"].c.assign([1.0, -np.inf])  # may be meant: a mask
    optimiser = Adam(parts["module"].parameters())
    optimiser.memory["square"][0][...] = np.inf
    with pytest.raises(FloatingPointError, match=r"optimiser/Adam.square.* not finite"):
        save_checkpoint(path, {"optimiser": optimiser}, 0)
    assert path.read_bytes() == before
    save_weights(path, parts["module"])
    load_weights(path, parts["module"])


def test_weights_with_a_nan_are_refused_with_the_way_to_see_them(tmp_path, refused):
    path, parts = saved(tmp_path)
    state = dict(parts["module"].state_dict())
    state["c"] = np.array([np.nan, 1], np.float32)
    forged(path, state, "{}")

    def load(path, parts):
        load_weights(path, parts["module"])

    refused(path, parts, r"c is nan at \[0\].*safetensors.numpy.load_file", load)


@pytest.mark.parametrize("what", ["inf", "steps"])
def test_what_no_optimiser_remembers_is_refused(tmp_path, refused, what):
    path = tmp_path / "a"
    p = mg.parameter(np.ones(2, np.float32), name="p")
    parts = {"optimiser": SGD([p], 0.1, 0.9)}
    arrays = {f"optimiser/{k}": a for k, a in parts["optimiser"].state_dict().items()}
    if what == "steps":
        arrays["optimiser/steps"] = np.array(-1)
    else:
        (key,) = [k for k, a in arrays.items() if a.dtype == np.float32]
        arrays[key] = np.array([1, np.inf], np.float32)
    forged(path, arrays, '{"generators": {}, "note": 0}')
    refused(path, parts, "optimiser/.*: not what an optimiser remembers")


def test_an_order_that_is_none_is_refused(tmp_path, refused):
    path = tmp_path / "a"
    parts = {"order": Order(3, 2, np.random.default_rng(0))}
    for indices, position in (([0, 0, 1], 0), ([0, 1, 3], 0), ([0, 1, 2], -1)):
        state = {"indices": np.array(indices), "position": np.array(position)}
        arrays = {f"order/{k}": a for k, a in state.items()}
        forged(path, arrays, '{"generators": {}, "note": 0}')
        refused(path, parts, "order does not take its state.*no order of a batch")


def test_parts_that_would_not_come_back_are_refused(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "a"
    with pytest.raises(ValueError, match="'a/b' would be a part within the part 'a'"):
        save_checkpoint(path, {"a": Module(), "a/b": Module()}, 0)
    with pytest.raises(TypeError, match=r"modules, optimisers and the like.*list"):
        save_checkpoint(path, {"a": [rng]}, 0)
    with pytest.raises(TypeError, match="by name"):
        save_checkpoint(path, {1: rng}, 0)
    with pytest.raises(TypeError, match=r'as \{"module": model\} gives them'):
        save_checkpoint(path, Module(), 0)
    for function in (save_weights, load_weights):
        with pytest.raises(TypeError, match=r"after the path: got .*Path"):
            function(Module(), path)
    with pytest.raises(TypeError, match="M/w is complex128"):
        write(path, {"M/w": np.zeros(1, complex)})
    assert list(tmp_path.iterdir()) == []


def write(path, state):
    class Other(Module):
        def state_dict(self):
            return state

    save_weights(path, Other())


NOTE = {"steps": [[1, 0.5, 1.0, 2.0]], "best": [1, 2.0], "latest": [2.0, 0]}


@pytest.mark.parametrize(
    "change",
    [
        None,
        [],
        {},
        {**NOTE, "steps": 5},
        {**NOTE, "steps": [[2, 0.5, 1.0, 2.0]]},
        {**NOTE, "steps": [[1, "a", 1.0, 2.0]]},
        {**NOTE, "steps": [[1, 0.5]]},
        {**NOTE, "best": [7, 2.0]},
        {**NOTE, "best": [-1, 2.0]},
        {**NOTE, "best": [1.0, 2.0]},
        {**NOTE, "best": [0, None]},
        {**NOTE, "latest": [2.0, -1]},
        {**NOTE, "latest": [2.0]},
        {**NOTE, "latest": "ab"},
    ],
)
def test_a_note_that_fit_did_not_write_is_refused(tmp_path, refused, change):
    path = tmp_path / "a"
    train(path, 1, False)
    model = ManyToMany(2, 5, 1, rng=np.random.default_rng(5), layers=2)
    rng, optimiser = np.random.default_rng(3), Adam(model.parameters())
    parts = {"module": model, "optimiser": optimiser, "rng": rng}

    def resume(path, parts):
        training = Training(model, optimiser, lambda: 1 / 0, also={"rng": rng})
        fit(training, steps=1, checkpoint=path, resume=True)

    save_checkpoint(path, {**parts, "best": model}, NOTE)
    resume(path, parts)
    save_checkpoint(path, {**parts, "best": model}, change)
    refused(path, parts, "not one that fit wrote", resume)


OLD = Path(__file__).parents[1] / "version_0_1"


def test_files_of_version_0_1_load():
    model = ManyToMany(1, 2, 1, rng=np.random.default_rng(9))
    rng = np.random.default_rng(9)
    parts = {"module": model, "rng": rng}
    assert load_checkpoint(OLD / "checkpoint.safetensors", parts) == {"step": 3}
    known = np.random.default_rng(7)
    known.random(5)
    assert rng.random() == known.random()
    state = model.state_dict()
    model.V.assign(0 * model.V.data)
    load_weights(OLD / "weights.safetensors", model)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


@st.composite
def damages(draw):
    """A change of a file's bytes: some flipped, cut, put in or doubled."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "double", "header"]))
    at, other = draw(st.floats(0, 1)), draw(st.binary(min_size=1, max_size=9))

    def damage(content):
        (n,) = struct.unpack("<Q", content[:8])
        i = int(at * (len(content) - 1))
        if kind == "header":  # most of the ways to be wrong are there
            i = 8 + int(at * (n - 1))
            return content[:i] + other + content[i + len(other) :]
        if kind == "flip":
            return content[:i] + bytes([content[i] ^ other[0]]) + content[i + 1 :]
        if kind == "cut":
            return content[:i]
        if kind == "insert":
            return content[:i] + other + content[i:]
        return content[:i] + content[i // 2 :]

    return damage


@given(damages())
def test_no_damage_gets_through(tmp_path_factory, damage):
    folder = tmp_path_factory.mktemp("damage")
    path, parts = saved(folder)
    parts["optimiser"] = Adam(parts["module"].parameters())
    save_checkpoint(path, parts, {"step": 3})
    whole = everything(parts)
    path.write_bytes(damage(path.read_bytes()))
    parts["module"].c.assign([5.0, 6.0])
    before = everything(parts)
    reason = None
    try:
        assert load_checkpoint(path, parts) == {"step": 3}
    except ValueError as error:
        reason = str(error)
    # What loads is whole: a blank of the header that means nothing became another.
    assert everything(parts) == (whole if reason is None else before)
    assert reason is None or str(path) in reason
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_resuming_needs_a_file():
    p = mg.parameter([1.0])
    with pytest.raises(ValueError, match="needs the checkpoint"):
        fit(Training(mg.nn.Module(), Adam([p]), p.sum), steps=1, resume=True)


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

    def load_state_dict(self, state):
        self.state = state


def test_an_optimiser_of_version_0_1_is_refused_by_name(tmp_path):
    path = tmp_path / "run.safetensors"
    W = mg.parameter(np.ones(2), name="W")
    state = {"steps": np.array(1), "mean.0": np.ones(2), "square.0": np.ones(2)}
    save_checkpoint(path, {"optimiser": Written(state)}, {})
    with pytest.raises(ValueError, match=r"optimiser: it was written by minigrad 0\.1"):
        load_checkpoint(path, {"optimiser": Adam([W])})
