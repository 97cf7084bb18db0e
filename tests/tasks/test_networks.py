"""The network of a run comes back: of every task and each of its networks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import minigrad as mg
from minigrad.data import sunspots
from minigrad.models import ManyToMany, ManyToOne
from minigrad.nn import Linear, Module
from minigrad.tasks import TASKS, Options, session
from minigrad.tasks.networks import made, remade
from minigrad.tensor import Parameter
from minigrad.train import save_weights

pytestmark = pytest.mark.filterwarnings("ignore:the figure can be misread")

RUNS = [
    (name, model)
    for name, task in TASKS.items()
    for model in task.models or (None,)
    if name not in ("promoters", "splice")  # of many networks, and none is kept
]


def data_for(name, folder):
    """A file that a task reads, where it needs one."""
    path = folder / "data.csv"
    if name == "series":
        path.write_text("v\n" + "\n".join(f"{np.sin(k)}" for k in range(60)))
    else:
        texts = [f"{'acgtta'[k % 3 :]}{k:05b}" for k in range(20)]
        lines = [f"{text},{'yes' if k % 2 else 'no'}" for k, text in enumerate(texts)]
        path.write_text("sequence,label\n" + "\n".join(lines))
    return path


BESIDE = ("about", "made", "_scope")


class SavedError(Exception):
    """What follows, the report, is not waited for."""


def plain(value):
    """What a module is beside its parameters."""
    if isinstance(value, Module):
        held = {k: v for k, v in vars(value).items() if k not in BESIDE}
        return type(value), {k: plain(v) for k, v in held.items()}
    if isinstance(value, Parameter):
        return value.name, value.shape, value.dtype
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


@pytest.mark.parametrize(("name", "model"), RUNS)
def test_it_is_the_one_that_was_trained(
    name, model, undrawn, tmp_path, monkeypatch, capsys
):
    task, trained = TASKS[name], []

    def kept(path, module, about):
        trained.append((path.parent, module, about))
        save_weights(path, module, about)
        raise SavedError

    monkeypatch.setattr(session, "save_weights", kept)
    length = 5 if "length" in task.takes else None
    options = Options(
        1, 0, tmp_path, model=model, length=length, quiet=True, eager=True
    )
    if "hidden" in task.takes:
        options = replace(options, hidden=4)
    if task.needs_data:
        options = replace(options, data=data_for(name, tmp_path))
    with pytest.raises(SavedError):
        task.run(options)
    ((folder, module, about),) = trained
    found = mg.load(folder)
    assert found.about == json.loads(json.dumps(about))
    assert plain(found) == plain(module)
    for path, array in module.state_dict().items():
        np.testing.assert_array_equal(found.state_dict()[path], array)


def test_the_answers_are_those_of_the_run(undrawn, tmp_path, capsys):
    """The error that the run printed, from the network and its note alone."""
    measured = TASKS["sunspots"].run(Options(3, 0, tmp_path, quiet=True))
    network = mg.load(tmp_path)
    scaling = network.about["scaling"]
    assert scaling["of"] == "square root"
    s = sunspots().between(1700, 1979)
    x = (np.sqrt(s.values) - scaling["mean"]) / scaling["deviation"]
    o = network(x[:-1, None, None].astype(np.float32)).data[:, 0, 0]
    said = np.square(o * scaling["deviation"] + scaling["mean"])
    error = np.square(said - s.values[1:])[
        (s.years[1:] >= 1921) & (s.years[1:] <= 1955)
    ]
    np.testing.assert_allclose(
        measured["arv 1921-1955"], error.mean() / 1535, rtol=1e-5
    )


def test_of_several_networks_one_is_chosen(undrawn, tmp_path, capsys):
    TASKS["sine"].run(Options(1, 0, tmp_path, hidden=3, quiet=True))
    with pytest.raises(
        ValueError, match=r"several networks: load one of .*many-to-many"
    ):
        mg.load(tmp_path)
    assert isinstance(mg.load(str(tmp_path / "many-to-many")), ManyToMany)
    two = mg.load(tmp_path / "output-feedback-2")
    assert two.about["network"]["n_out"] == len(two.c.data) == 2


def note(**about):
    return {"task": "adding", "network": {"model": "ManyToOne", **about}}


SIZES = {"n_in": 2, "n_hidden": 3, "n_out": 1}


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (None, "does not say of which network it is.*load_weights"),
        ({"task": "series", "setting": {}}, "does not say of which network"),
        (
            {"network": {"model": "Perceptron"}},
            "another version: .*no network 'Percept",
        ),
        ({"network": {}}, "no network None"),
        (note(), "another version: .*does not make .*ManyToOne.*n_in"),
        (note(**SIZES, gates=3), "does not make .*gates"),
        (note(**SIZES, cell=["gru"]), r"does not make .*\['gru'\]"),
        (note(**SIZES | {"n_hidden": "3"}), "n_hidden"),
        ({"network": 5}, "does not make 5"),
        ({"network": [1]}, r"does not make \[1\]"),
        ({"network": {"model": "Committee"}}, "does not make .*members"),
        (note(**SIZES, cell="xlstm"), "another version: cell is one of elman"),
        (note(**SIZES | {"n_out": 4}), r"V: the module has float32 \(3, 4\)"),
    ],
)
def test_a_run_of_another_kind_is_refused(tmp_path, about, words):
    model = ManyToOne(2, 3, 1, rng=np.random.default_rng(0))
    save_weights(tmp_path / "weights.safetensors", model, about)
    with pytest.raises(ValueError, match=words):
        mg.load(tmp_path)


def test_a_folder_that_is_no_run_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"is no run: it has no weights\.safetensors"):
        mg.load(tmp_path)
    with pytest.raises(ValueError, match="is no run: there is no such folder"):
        mg.load(tmp_path / "a")
    (tmp_path / "b.txt").write_text("")
    with pytest.raises(
        ValueError, match="is no run: it is a file; a run is its folder"
    ):
        mg.load(tmp_path / "b.txt")
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"stopped before its end: .* --resume"):
        mg.load(tmp_path)
    save_file({"W": np.ones(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="not written by minigrad"):
        mg.load(tmp_path)


def test_a_run_of_a_module_of_ones_own_is_refused_when_it_is_loaded(tmp_path):
    own = Linear(2, 1, rng=np.random.default_rng(0))
    session.save_run(Options(1, 0, tmp_path), own, {"task": "mine"})
    with pytest.raises(ValueError, match="tasks of your own"):
        mg.load(tmp_path)


def test_what_a_network_was_made_with_can_be_written_as_json():
    rng = np.random.default_rng(0)
    model = made(ManyToOne, 2, n_hidden=3, n_out=1, rng=rng, read=-1, cell="lstm")
    said = json.loads(json.dumps(model.made))
    assert said == {"model": "ManyToOne", **SIZES, "read": -1, "cell": "lstm"}
    assert plain(remade(said)) == plain(model)
