"""The README and all pages of docs/ run, and their commands and pictures are there."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from minigrad.op import registry

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "README.es.md",
    *(
        path
        for suffix in ("md", "ipynb")
        for path in sorted(DOCS.rglob(f"*.{suffix}"))
        if "_build" not in path.parts
    ),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The Spanish site runs its own pages when it is built, as `.ci/run` does: their code is
# that of the English ones, which tests/test_spanish.py compares.
RUN = [p for p in PAGES if p.suffix != ".md" or not p.is_relative_to(DOCS / "es")]


def each(pages):
    names = [page.relative_to(ROOT).as_posix() for page in pages]
    return pytest.mark.parametrize("page", pages, ids=names)


@pytest.fixture(scope="module")
def pages():
    """The module that runs pages, which the site is built with too."""
    sys.path.insert(0, str(DOCS))
    try:
        import pages

        yield pages
    finally:
        sys.path.remove(str(DOCS))


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return [m[2] for m in FENCE.finditer(text) if m[1] == language]


@each(RUN)
def test_a_page_runs_from_top_to_bottom(page, pages):
    before = set(registry)
    try:
        pages.run(pages.markdown(page), str(page))
    finally:  # the page in the other language declares the same ops
        for name in set(registry) - before:
            del registry[name]


def test_the_example_draws_and_asks_the_graph(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(ROOT / "README.md", "python"):
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "rnn.png").read_bytes().startswith(b"\x89PNG")
    assert [use.t for use in names["uses"]] == list(range(1, 21))
    said = capsys.readouterr().out
    assert f"{list(range(1, 21))}\n" in said
    (promised,) = blocks(ROOT / "README.md", "text")
    assert said.startswith(promised)
    first, *sizes = (abs(s.gradient.data).max() for s in names["shares"])
    assert first == 0
    assert 1e-6 < min(sizes) < 1e-5
    assert 0.1 < max(sizes) < 1


def test_the_two_commands():
    first, second = (block.strip() for block in blocks(ROOT / "README.md", "bash"))
    assert first == "pip install -e '.[train]' && minigrad train sunspots"
    assert second == "pip install -e '.[test]' && python -m pytest"


def test_the_examples_of_what_runs_the_pages(pages):
    import book
    import charts
    import docstrings
    import look
    import reference
    import take_away

    modules = (pages, book, charts, docstrings, look, reference, take_away)
    for module in modules:
        tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
        assert tried.attempted
        assert not tried.failed


@each(PAGES)
def test_linked_files_and_headings_exist(page, pages):
    links = re.findall(r"\]\(([^)#\s]+)(?:#([^)]+))?\)", pages.markdown(page))
    for target, heading in links:
        if "://" in target or target.startswith(("`", "{")):
            continue
        path = page.parent / target
        assert path.is_file(), target
        if heading and path.parent.name != page.parent.name:
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
            assert heading in map(anchor, heads), f"{target}#{heading}"


def anchor(head):
    """That of a heading, as the site makes it."""
    return re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-")


def test_pictures_are_small_and_described():
    for picture in (ROOT / "docs").rglob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size < 500_000
    for page in PAGES:
        for alt in re.findall(r"!\[([^\]]*)\]", page.read_text(encoding="utf-8")):
            assert len(alt) > 20, f"{page.name}: a picture needs an alternative text"


def test_a_figure_that_moves_is_a_page_in_a_frame_and_a_still_figure(pages, tmp_path):
    text = (
        "```python\nimport minigrad as mg\nh = mg.tensor([[1.0]], name='h0')\n"
        "for t in mg.steps(3):\n    h = mg.tanh(h).named('h')\nmg.draw(h)\n```\n"
        '```{shown} net\n:moves:\n:alt: A net "h" of three steps, a < b.\n'
        "It moves.\n```\n"
    )
    made = pages.run(text, "page", pages.Place(tmp_path, "made"))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"net.html", "net-light.svg", "net-dark.svg"}
    alt = "A net &quot;h&quot; of three steps, a &lt; b."
    assert f'<iframe src="made/net.html" title="{alt}" loading="lazy">' in made
    assert made.count(f'alt="{alt}"') == 2
    assert "It moves." in made
    still = pages.run(
        text.replace(":moves:\n", ""), "page", pages.Place(tmp_path, "made")
    )
    assert "<iframe" not in still


def test_figures_have_names_of_their_own(pages):
    names = [
        name
        for page in PAGES
        for name in re.findall(r"^```\{shown\} (\S+)$", pages.markdown(page), re.M)
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("site", [DOCS, DOCS / "es"], ids=["en", "es"])
def test_every_page_is_in_the_table_of_contents(site):
    contents = set()
    for page in site.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        for fence in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.M | re.S):
            names = {line for line in fence.splitlines() if line[:1] != ":"}
            folder = page.parent.relative_to(site)
            contents |= {(folder / name).as_posix() for name in names}
    there = {
        p.relative_to(site).with_suffix("").as_posix()
        for p in PAGES[1:]
        if p.is_relative_to(site) and (DOCS / "es" in p.parents) == (site.name == "es")
    }
    missing = there - contents - {"index"}
    assert not missing, f"name {missing} in a toctree of {site.name}/index.md"


def test_a_translation_has_the_name_of_its_page():
    translated = [page for page in PAGES if page.is_relative_to(DOCS / "es")]
    assert translated
    for page in translated:
        assert (DOCS / page.relative_to(DOCS / "es")).is_file(), page.name


def test_stars_in_the_reference_are_no_markup(pages):
    text = pages.run(pages.markdown(DOCS / "api.md"), "api")
    assert r"| a\*\*b; x\*\*0 has derivative 0. |" in text
    assert r"shape (\*y.shape, \*w.shape), one per tensor of `wrt`." in text


def test_the_error_page_has_the_forty_mistakes():
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    numbers = [int(n) for n in re.findall(r"^### (\d+)\. ", text, re.M)]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert len(numbers) >= 40
    assert text.count("```{raises} ") >= 40


def test_the_reference_has_an_entry_for_every_op(pages):
    import reference

    import minigrad as mg

    named = {name for name in registry if isinstance(getattr(mg, name, None), mg.Op)}
    made = reference.ops()
    entries = set(re.findall(r"^\.\. py:function:: minigrad\.(\w+)\(", made, re.M))
    assert entries == named
    told = re.findall(r"Declared in ``(.+):(\d+)`` as::\n\n +(.*)", made)
    assert len(told) == len(named)
    for file, line, begins in told:
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        assert lines[int(line) - 1].rstrip() == begins.rstrip()


def test_the_reference_says_where_a_thing_stands(pages):
    import reference

    from minigrad.models import ManyToMany

    file, _, line = reference.place(ManyToMany.loss).partition(":")
    assert file == "models/many_to_many.py"
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert lines[int(line) - 1].lstrip().startswith("def loss(")
    assert reference.place(dict) == ""


def test_the_reference_has_every_module(pages):
    import reference

    names = [path.stem for path in (DOCS / "api").glob("*.md")]
    listed = [
        module
        for name in names
        if name != "ops"  # the page of entries; the modules are the engine's
        for module in re.findall(r"automodule:: (\S+)", reference.page(name))
    ]
    there = {module.__name__ for module in reference.modules("minigrad")}
    assert sorted(listed) == sorted(there - {"minigrad"})
    assert set(reference.ROOMS) < set(names)


def test_a_block_that_shows_pages_of_output_is_refused(pages):
    assert "6000" in pages.run("```python\n[6000]\n```\n", "page")
    with pytest.raises(ValueError, match="6002 characters: end it otherwise"):
        pages.run("```python\n'a' * 6000\n```\n", "page")


EXERCISE = """
```{check}
assert answer == 3, "one use a step"
```
```{answer}
answer = 1 + 2
print(answer)
```
```{wrong} AssertionError: one use
answer = 1
```
"""


def test_an_answer_is_checked_and_folded_away(pages):
    text = pages.run(EXERCISE, "page")
    assert text.count("<details") == text.count("</details>") == 2
    assert "AssertionError: one use a step" in text
    for page, summary in (("docs/page.md", "Answer"), ("docs/es/page.md", "Respuesta")):
        assert f"<summary>{summary}</summary>" in pages.run(EXERCISE, page)


def test_an_answer_that_is_wrong_and_a_mistake_that_passes_are_refused(pages):
    with pytest.raises(AssertionError, match="one use a step"):
        pages.run(EXERCISE.replace("1 + 2", "1 + 1"), "page")
    with pytest.raises(AssertionError, match="nothing was raised"):
        pages.run(EXERCISE.replace("answer = 1\n", "answer = 3\n"), "page")
    with pytest.raises(AssertionError, match="expected AssertionError: one use"):
        pages.run(EXERCISE.replace("answer = 1\n", "answer = no_such_name\n"), "page")
    with pytest.raises(ValueError, match="an answer needs a"):
        pages.run("```{answer}\nx = 1\n```", "page")


def test_there_are_twenty_exercises_with_answers_and_mistakes():
    found = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))]
    for kind in ("check}", "answer}", "wrong} "):
        fences = [len(re.findall(rf"^```\{{{kind}", text, re.M)) for text in found]
        assert sum(fences) >= 20, kind
        titles = [len(re.findall(r"^### Exercise: ", text, re.M)) for text in found]
        assert fences == titles, kind
