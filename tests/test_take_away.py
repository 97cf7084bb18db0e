"""What readers take away: notebooks that run, and the sheet for the wall."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module", autouse=True)
def docs_on_path():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield


TAKEN = ["start", "graphs", "sharing", "bptt", "es/start", "es/graphs", "es/sharing"]


@pytest.mark.parametrize("page", TAKEN)
def test_a_notebook_runs_from_top_to_bottom(page, tmp_path):
    import pages
    import take_away

    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    place = pages.Place(tmp_path, "made")
    take_away.run(text, page, place, tmp_path / "page.ipynb")
    cells = json.loads((tmp_path / "page.ipynb").read_text(encoding="utf-8"))["cells"]
    names = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], page, "exec"), names)
    shown = [c["source"] for c in cells if c["cell_type"] == "code"]
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    assert [b.rstrip() for b in blocks] == [s for s in shown if f"{s}\n" in blocks]
    told = "".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    assert not re.search(r"\{(?:made|value|shown)\}|figure\.data\[", told)


def test_a_notebook_has_the_numbers_tables_and_charts_of_its_page(tmp_path):
    import pages
    import take_away

    text = "# A\n\n```python\nk = 2\n```\n\nIt is {value}`k + 1`.\n\n"
    text += '```{made}\nprint(f"| {k} |")\n```\n'
    text += '```{shown} rises\n:of: bars({1: 2.0, 2: k}, x="k", y="n")\n'
    text += ":alt: Two bars of the same height.\nIt ends at {value}`k`.\n```\n"
    place = pages.Place(tmp_path, "made")
    ran = take_away.run(text, "page", place, tmp_path / "a.ipynb")
    cells = json.loads((tmp_path / "a.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = [cell["source"] for cell in cells]
    alone = "![Two bars of the same height.](attachment:rises-light.svg)"
    assert sources == ["# A", "k = 2", "It is 3.\n\n| 2 |", alone, "It ends at 2."]
    (picture,) = cells[3]["attachments"]["rises-light.svg"].values()
    assert base64.b64decode(picture) == (tmp_path / "rises-light.svg").read_bytes()
    assert "It is 3." in ran


def test_an_answer_is_folded_and_stands_before_its_check():
    import take_away

    text = "```{check}\nassert a == 1\n```\n```{answer}\na = 1\n```\n"
    text += "```{wrong} AssertionError\na = 2\n```\n"
    answer, check = take_away.notebook(text, DOCS)["cells"]
    assert answer["source"] == "a = 1"
    assert answer["metadata"]["jupyter"] == {"source_hidden": True}
    assert check["source"] == "assert a == 1"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_sheet_has_three_networks_and_is_one_page(language, tmp_path):
    import cheat_sheet

    cheat_sheet.write(tmp_path / "sheet.tex", language)
    text = (tmp_path / "sheet.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{tikzpicture}") == len(cheat_sheet.NETWORKS) == 3
    assert text.count(r"\nabla_{W} L") == 3
    assert all(code in text for code in cheat_sheet.NETWORKS.values())
    for english, spanish in cheat_sheet.SPANISH.items():
        assert (english in text, spanish in text) == (
            language == "en",
            language == "es",
        )
    if shutil.which("pdflatex"):
        asked = ["pdfinfo", tmp_path / "sheet.pdf"]
        if shutil.which("pdfinfo"):
            said = subprocess.run(asked, capture_output=True, text=True, check=True)
            assert re.search(r"^Pages:\s+1$", said.stdout, re.M)
