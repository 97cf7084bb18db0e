"""Every statement of the lecture notes has its place on the site."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LINK = re.compile(r"\[[^]]+\]\(([^)#]+)#([^)]+)\)")


def rows(page):
    """Those of a page's table, without its head."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1:]]


ROWS = rows("notes.md")


def anchor(head):
    return re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-")


def section(link):
    """What stands on a page under a heading, up to the next one, without code."""
    found = LINK.fullmatch(link)
    assert found, link
    text = (DOCS / found[1]).read_text(encoding="utf-8")
    text = re.sub(r"^```python$.*?^```$", "", text, flags=re.M | re.S)
    parts = [p.partition("\n") for p in re.split(r"^#+ ", text, flags=re.M)[1:]]
    (body,) = [body for head, _, body in parts if anchor(head) == found[2]]
    return re.sub(r"\s+", " ", re.sub(r"[*`$\\()]", "", body))


def test_no_statement_is_missing():
    assert len(ROWS) == 18
    assert all(all(row) for row in ROWS)


def test_the_spanish_page_says_the_same_and_leads_to_the_same_places():
    for (said, _, _, here), row in zip(ROWS, rows("es/notes.md"), strict=True):
        assert row == [said, here.replace("](es/", "](")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
@pytest.mark.parametrize(("said", "place"), [(1, 2), (0, 3)], ids=["en", "es"])
def test_a_statement_stands_where_it_is_said_to_stand(row, said, place):
    words = re.findall(r"(?<!\*)\*([^*]+)\*", row[said])
    assert words, "which words are looked for?"
    found = section(row[place]).lower()
    for word in words:
        assert word.lower() in found, f"{word!r} is not in {row[place]}"
