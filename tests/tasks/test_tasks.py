"""Every task: a short run reports, is repeatable, and leaves whole files."""

from contextlib import nullcontext, redirect_stdout
from functools import cache
from io import StringIO

import numpy as np
import pytest

from minigrad.data.generators import promoter_like
from minigrad.tasks import TASKS, Options
from minigrad.tasks.ngrams import NGrams
from minigrad.tasks.session import report

# Whether a crowded figure is clear is judged in tests/draw; here it may warn.
pytestmark = pytest.mark.filterwarnings("ignore:the figure can be misread")

SHORT = {
    "names": 2,
    "digits": 2,
    "adding": 2,
    "copy": 2,
    "parity": 2,
    "xor": 2,
    "letters": 2,
    "reber": 2,
    "embedded-reber": 2,
    "sine": 2,
    "mackey-glass": 2,
    "coin": 2,
    "expressions": 2,
    "grammar": 2,
    "memory": 2,
    "temporal-order": 2,
    "waveform": 2,
    "dna": 1,
}


@pytest.mark.parametrize("name", SHORT)
def test_a_short_run(name, tmp_path, capsys):
    found = TASKS[name].run(Options(SHORT[name], 0, tmp_path, hidden=4))
    assert all(np.isfinite(value) for value in found.values())
    assert "this network" in (said := capsys.readouterr().out) or "feedback" in said
    trained = {"curves.png", "log.csv", "weights.safetensors"}
    trained.add("checkpoint.safetensors")
    names = {path.name for path in tmp_path.iterdir()}
    if name != "sine":
        drawn = {"graph.png", "graph.html"} | (
            {"memory.png"} if name == "memory" else set()
        )
        assert names == trained | drawn
        assert (tmp_path / "graph.html").stat().st_size < 300_000
        return
    nets = ["output-feedback-1", "output-feedback-2", "many-to-many"]
    assert names == {*nets, "graph.png", "graph.html"}
    for net in nets:
        assert {path.name for path in (tmp_path / net).iterdir()} == trained


def run_of(name, model, folder):
    """What a run of two steps found, and what it said."""
    length = 12 if "length" in TASKS[name].takes else None
    options = Options(2, 0, folder, model=model, length=length)
    with redirect_stdout(StringIO()) as said:
        found = TASKS[name].run(options)
    return found, said.getvalue()


@pytest.fixture(scope="module")
def usual(tmp_path_factory, blank):
    """What a run says that was told no network, made once for each task."""

    @cache
    def made(name):
        with blank():
            return run_of(name, None, tmp_path_factory.mktemp(name))[1]

    return made


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (name, model)
        for name in TASKS
        for model in TASKS[name].models
        if not TASKS[name].needs_data
    ],
)
def test_the_network_may_be_another_one(name, model, usual, blank, tmp_path):
    default = model == TASKS[name].models[0]
    with blank() if default else nullcontext():  # a short run draws it
        found, said = run_of(name, model, tmp_path)
    assert all(np.isfinite(v) for v in found.values())
    assert f"this network ({model}" in said
    assert (usual(name) == said) == default


@pytest.mark.parametrize("name", ["reber", "names", "text", "sunspots", "dna"])
def test_compiled_steps_train_as_eager_ones_do(name, undrawn, tmp_path, capsys):
    runs = []
    for eager in (False, True):
        options = Options(3, 0, tmp_path, eager=eager)
        runs.append(list(TASKS[name].run(options).values()))
    np.testing.assert_allclose(*runs, rtol=1e-4)


def test_a_run_that_goes_on_ends_where_the_whole_one_does(undrawn, tmp_path, capsys):
    run = TASKS["adding"].run
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(Options(6, 0, tmp_path / "a", length=8))
    run(Options(3, 0, tmp_path / "b", length=8))
    rest = run(Options(6, 0, tmp_path / "b", length=8, resume=True))
    assert whole == rest
    weights = [(tmp_path / d / "weights.safetensors").read_bytes() for d in "ab"]
    assert weights[0] == weights[1]


def test_the_networks_of_the_sine_go_on_each_from_its_own_checkpoint(
    undrawn, tmp_path, capsys
):
    run = TASKS["sine"].run
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(Options(4, 0, tmp_path / "a"))
    run(Options(2, 0, tmp_path / "b"))
    # As if Ctrl-C had come in the second: the third had not begun.
    (tmp_path / "b" / "many-to-many" / "checkpoint.safetensors").unlink()
    rest = run(Options(4, 0, tmp_path / "b", resume=True))
    assert rest.keys() == whole.keys()
    assert (
        whole["recurrence between hidden units"]
        == (rest["recurrence between hidden units"])
    )


def test_text_from_a_file_goes_on_from_a_prompt(tmp_path, capsys):
    path = tmp_path / "a.txt"
    path.write_text("the cat sat on the mat. " * 400)
    options = Options(3, 0, tmp_path, hidden=4, data=path, prompt="the cat")
    found = TASKS["text"].run(options)
    assert 0 < found["bits per character"] < 5
    said = capsys.readouterr().out
    assert "\nthe cat" in said
    assert "5-gram" in said


def test_promoters_leave_one_out(tmp_path, capsys):
    sequences, classes, _ = promoter_like(np.random.default_rng(0), 6)
    path = tmp_path / "p.data"
    lines = [f"{'-+'[c]},s,{s}" for s, c in zip(sequences, classes, strict=True)]
    path.write_text("\n".join(lines))
    found = TASKS["promoters"].run(Options(1, 0, tmp_path, hidden=2, data=path))
    assert 0 <= found["errors"] <= 6
    assert "KBANN" in capsys.readouterr().out


def test_splice_is_read_at_two_places(tmp_path, capsys):
    rng = np.random.default_rng(0)
    path = tmp_path / "s.csv"
    rows = [
        f"{('EI', 'IE', 'N')[i % 3]},x,{''.join(rng.choice(list('ACGT'), 60))}"
        for i in range(30)
    ]
    path.write_text("\n".join(rows))
    options = Options(1, 0, tmp_path, hidden=2, data=path, overlay="grad")
    found = TASKS["splice"].run(options)
    assert set(found) == {"at the junction", "at the end"}
    assert {"overlay-junction.png", "overlay-end.png"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_the_gradient_of_the_adding_problem_as_figures(tmp_path, capsys):
    options = Options(1, 0, tmp_path, cell="elman", length=12, overlay="grad")
    TASKS["adding"].run(options)
    assert "share of W(t)" in capsys.readouterr().out
    names = {path.name for path in tmp_path.iterdir()}
    assert {"overlay.png", "vanishing.png"} <= names


def test_n_grams_are_distributions():
    grams = NGrams("abracadabra", "abcdr", 3)
    for context in ("", "a", "br", "zz"):
        total = sum(grams.probability(context, c) for c in "abcdr")
        np.testing.assert_allclose(total, 1)


def test_a_table_with_gaps(capsys):
    report("a", ["x", "y"], {"b": [1.0, ""], "c": ["z"]})
    assert capsys.readouterr().out.count("\n") == 3


def test_information_flow_is_a_term_of_what_is_taught(undrawn, tmp_path, capsys):
    run = TASKS["temporal-order"].run
    for flow in (None, 0.5):
        run(Options(1, 0, tmp_path, length=12, hidden=4, flow=flow))
        lines = (tmp_path / "log.csv").read_text().splitlines()
        first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
        loss = float(first["loss"])
        if flow is None:
            plain = loss
    assert loss > plain


def test_the_read_out_of_an_echo_state_is_solved_at_once(tmp_path, capsys):
    options = Options(1, 0, tmp_path, model="echo-state", hidden=100)
    found = TASKS["mackey-glass"].run(options)
    assert found["NDEI"] < 0.05
    left = {"weights.safetensors", "graph.png", "graph.html"}
    assert {p.name for p in tmp_path.iterdir()} == left
