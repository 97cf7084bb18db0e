"""The files of measurements that pages read: whole, and what commands give today."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NUMBER = re.compile(r"-?\d+\.\d+|-?\d+")


@pytest.fixture(scope="module")
def measure():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        import measure

        yield measure


@pytest.mark.parametrize("name", ["lengths", "tasks", "updates"])
def test_a_file_says_where_and_when(measure, name):
    found = measure.read(name)
    assert re.search(r"\d+ cores, Python .*, NumPy ", found["machine"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found["date"])


def test_every_command_of_the_page_has_been_run_and_no_other(measure):
    commands = measure.commands()
    assert len(commands) == len(set(commands)) > 40
    measured = measure.read("tasks")["measured"]
    assert set(measured) == set(commands)
    assert all("0" in runs for runs in measured.values())


def test_every_network_has_been_measured_at_every_length(measure):
    measured = measure.read("lengths")["measured"]
    assert set(measured) == set(measure.LENGTHS)
    for name, (_, _, lengths) in measure.LENGTHS.items():
        assert [*measured[name]] == [str(seed) for seed in measure.SEEDS]
        for nets in measured[name].values():
            for by_length in nets.values():
                assert [*by_length] == [str(n) for n in lengths]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_table_of_updates_is_that_of_the_file(measure, language):
    measured = measure.read("updates")["measured"]
    sizes = measure.benchmark().SIZES
    assert set(measured) == set(sizes)
    table = measure.updates(language).splitlines()
    rows = [line.strip("| ").split(" | ") for line in table]
    for name, *cells in rows[2:]:
        assert cells[0] == ", ".join(map(str, sizes[name][1:]))
        numbers = [
            measured[name][engine][kind]
            for engine in measure.ENGINES
            for kind in ("parts", "whole")
        ]
        assert list(map(float, cells[1:])) == numbers
    today = measure.benchmark().measured("elman, tiny", "numpy")
    assert set(today) == set(measured["elman, tiny"]["numpy"])


def test_what_is_measured_today_is_what_the_file_has(measure):
    kept = measure.read("lengths")["measured"]["more ones"]["0"]
    for net, errors in measure.errors("more ones", 0).items():
        assert errors == pytest.approx(kept[net], abs=0.05), net


def test_a_command_prints_today_what_the_file_has(measure):
    command = "minigrad train grammar --model fully-connected"
    kept = measure.read("tasks")["measured"][command]["0"]["said"]
    said = measure.ran(command, 0, DOCS)["said"]
    for new, old in zip(said, kept, strict=True):
        assert NUMBER.sub("", new).split() == NUMBER.sub("", old).split()
        numbers = [[float(n) for n in NUMBER.findall(line)] for line in (new, old)]
        assert numbers[0] == pytest.approx(numbers[1], rel=0.1)


def test_a_report_has_the_mean_and_the_spread_over_the_seeds(measure, monkeypatch):
    runs = {}
    for seed, letter in enumerate("abc"):
        lines = [
            "a title",
            f"first, {20 + seed} steps     wrong  never",
            f"net                 0.{seed}00      1",
            "chance              0.500       ",
            f"drawn: {letter}",
        ]
        runs[str(seed)] = {"said": lines, "seconds": seed}
    monkeypatch.setattr(measure, "read", lambda name: {"measured": {"c": runs}})
    assert measure.report("c").splitlines() == [
        *["a title", "", "| first, 20 to 22 steps | wrong | never |", "|---|--:|--:|"],
        *["| net | 0.100 (0.000 to 0.200) | 1 |", "| chance | 0.500 |  |", ""],
        *["The run of seed 0 wrote:", "", "```text", "drawn: a", "```", ""],
        "Up to 2 s of processor time a run.",
    ]
    spanish = measure.report("c", "es").splitlines()
    assert spanish[4] == "| net | 0.100 (0.000 a 0.200) | 1 |"
    assert spanish[-1] == "Hasta 2 s de procesador cada vez."


def test_every_command_has_been_run_with_every_seed(measure):
    seeds = {str(seed) for seed in measure.SEEDS}
    runs = measure.read("tasks")["measured"]
    assert {command for command, run in runs.items() if set(run) != seeds} == set()
    for command in runs:
        assert "| this network" in measure.report(command) or "sine" in command


@pytest.mark.parametrize("page", ["tasks.md", "es/tasks.md"])
def test_each_command_of_a_page_stands_over_its_own_report(measure, page):
    text = (DOCS / page).read_text(encoding="utf-8")
    heads = re.findall(r"^### `(.+)`$", text, re.M)
    assert heads == measure.commands()
    assert re.findall(r'^\{value\}`said\("(.+?)"[^`]*\)`$', text, re.M) == heads
