"""The README's examples run, and its commands and pictures are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return [
        # Blank lines before the code keep the page's line numbers in a traceback.
        "\n" * (text[: match.start(2)].count("\n")) + match[2]
        for match in FENCE.finditer(text)
        if match[1] == language
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


def test_the_example_draws_and_asks_the_graph(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(ROOT / "README.md", "python"):
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "rnn.png").read_bytes().startswith(b"\x89PNG")
    assert [use.t for use in names["uses"]] == list(range(1, 21))
    assert f"{list(range(1, 21))}\n" in capsys.readouterr().out


def test_the_two_commands():
    first, second = (block.strip() for block in blocks(ROOT / "README.md", "bash"))
    assert first == "pip install -e '.[train]' && minigrad train sunspots"
    assert second == "pip install -e '.[test]' && python -m pytest"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_linked_files_exist(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).is_file(), target


def test_pictures_are_small():
    for picture in (ROOT / "docs").rglob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 500_000
