"""The file keeps minima of one machine and one text; the page says what is in it."""

import pytest

from tests.benchmarks import page, results
from tests.benchmarks.cases import CASES, SIZES
from tests.benchmarks.contenders import HAND

COMPILED = "minigrad compiled, numpy"
AT = "float32", CASES[0], "tiny"


@pytest.fixture
def file(tmp_path):
    return results.Results.of_this_machine(tmp_path / "results" / "here.json")


def test_a_later_run_can_only_lower(file):
    for ms in 3, 2, 5:
        file.put(*AT, HAND, ms=ms)
    assert file.size(*AT)[HAND]["ms"] == 2
    file.save()
    again = results.Results.of_this_machine(file.path)
    again.put(*AT, HAND, ms=4, MB=1)
    assert again.size(*AT)[HAND]["ms"] == 2
    assert again.size(*AT)[HAND]["MB"] == 1


def test_what_has_changed_is_measured_anew(file, monkeypatch):
    file.put(*AT, COMPILED, ms=2, first_ms=9)
    monkeypatch.setattr(results, "made", lambda name: "another text")
    file.put(*AT, COMPILED, ms=5)
    assert file.size(*AT)[COMPILED] == {"made": "another text", "ms": 5}


def test_a_contender_that_is_right_again_comes_back(file):
    file.put(*AT, HAND, ms=2)
    file.put(*AT, HAND, left_out="differs from float64 by 1e+00")
    assert "ms" not in file.size(*AT)[HAND]
    assert "| left out |" in page.table(file, "ms", *AT[:2], ["tiny"])
    file.put(*AT, HAND, ms=3)
    assert file.size(*AT)[HAND].keys() == {"made", "ms"}


def test_another_machine_is_refused(file, monkeypatch):
    file.save()
    monkeypatch.setattr(results, "processor", lambda: "another one")
    with pytest.raises(SystemExit, match="write --result ANOTHER_FILE"):
        results.Results.of_this_machine(file.path)


def test_what_a_number_is_made_of():
    assert results.made(COMPILED) != results.made(HAND)
    assert results.made(HAND).startswith("numpy ")
    assert results.made(COMPILED).startswith("numpy ")


def test_a_table(file):
    file.put(*AT, HAND, ms=2)
    file.put(*AT, COMPILED, ms=3)
    file.put(*AT[:2], "small", COMPILED, ms=1)
    assert page.table(file, "ms", *AT[:2], ["tiny", "small"]).splitlines() == [
        "| ms (ratio to NumPy by hand) | tiny | small |",
        "|---|---|---|",
        f"| {HAND} | 2 (1.00) | – |",
        f"| {COMPILED} | 3 (1.50) | 1 |",
    ]
    assert "**1.50**, 1.10" in page.goals(file)


def test_the_page_says_what_the_file_says():
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.written(text) == text, "run python tests/benchmarks/table.py --page"
    tables = page.TABLE.findall(text)
    assert len(tables) > 10
    for case in CASES:
        assert any(f"; float32; {case}; {', '.join(SIZES)}" in t[2] for t in tables)
