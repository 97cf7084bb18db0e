"""The Spanish site says what the English one says, with the same code."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
RUN = ("python", "py", "{check}", "{answer}", "{wrong}", "{raises}")
PAIRS = [(ROOT / "README.md", ROOT / "README.es.md")]
PAIRS += [
    (DOCS / page.relative_to(DOCS / "es"), page)
    for suffix in ("md", "ipynb")
    for page in sorted((DOCS / "es").rglob(f"*.{suffix}"))
]
each_pair = pytest.mark.parametrize(
    ("english", "spanish"),
    PAIRS,
    ids=[spanish.relative_to(ROOT).as_posix() for _, spanish in PAIRS],
)


@pytest.fixture(scope="module", autouse=True)
def pages():
    """The module that runs pages, which the site is built with too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        import pages

        yield pages


class Words(ast.NodeTransformer):
    """Takes out of code what a translation changes: what is said, and its language."""

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node):
        held = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
        return ast.Tuple([self.visit(value) for value in held], ast.Load())

    def visit_Call(self, node):
        said = ast.unparse(node.func) in ("print", "AssertionError")
        node.keywords = [k for k in node.keywords if k.arg != "style"]
        # A name or a choice that is handed on is code, and the same in both.
        kept = {} if said else {id(a): a for a in node.args if is_text(a)}
        kept |= {id(k.value): k.value for k in node.keywords if is_text(k.value)}
        node.args = [kept.get(id(a)) or self.visit(a) for a in node.args]
        for word in node.keywords:
            word.value = kept.get(id(word.value)) or self.visit(word.value)
        node.func = self.visit(node.func)
        return node

    def visit_Assign(self, node):
        if ast.unparse(node).startswith("es = mg.Style("):
            return None
        return self.generic_visit(node)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def code(text):
    """The fences of a page that run: kind, and code without its words."""
    found = []
    for fence in FENCE.finditer(text):
        kind, _, argument = fence[2].strip().partition(" ")
        if kind in RUN:
            tree = Words().visit(ast.parse(fence[3]))
            told = argument if kind == "{raises}" else argument.partition(":")[0]
            found.append((kind, told, ast.unparse(tree)))
    return found


@each_pair
def test_the_code_is_the_same(english, spanish, pages):
    there, here = (code(pages.markdown(page)) for page in (english, spanish))
    for theirs, ours in zip(there, here, strict=True):
        assert ours == theirs


def test_another_name_or_number_is_other_code():
    fence = "```python\n{}\n```\n".format
    same = fence('h = f(x, name="h").named("h")  # a\nprint(f"loss {h:.2f}")')
    assert code(same) == code(same.replace("loss", "pérdida").replace("# a", "# b"))
    for old, new in (
        ('d("h")', 'd("s")'),
        ("f(x", "g(x"),
        ("h:", "x:"),
    ):
        assert code(same) != code(same.replace(old, new)), old


@each_pair
def test_figures_and_headings_are_the_same(english, spanish, pages):
    there, here = (pages.markdown(page) for page in (english, spanish))
    shown = re.compile(r"^```\{shown\} (\S+)\n(:moves:)?", re.M)
    assert shown.findall(here) == [(f"es-{n}", m) for n, m in shown.findall(there)]
    bare = [FENCE.sub("", text) for text in (there, here)]
    levels = [re.findall(r"^(#+) ", text, re.M) for text in bare]
    assert levels[0] == levels[1]
    assert bare[1].count("### Ejercicio: ") == bare[0].count("### Exercise: ")


@each_pair
def test_figures_speak_spanish(english, spanish, pages):
    for fence in FENCE.finditer(pages.markdown(spanish)):
        if fence[2] not in ("python", "{answer}"):
            continue
        for node in ast.walk(ast.parse(fence[3])):
            if isinstance(node, ast.Expr) and ast.unparse(node).startswith("mg.draw("):
                assert "style=" in ast.unparse(node), ast.unparse(node)


@each_pair
def test_nothing_was_left_in_english(english, spanish, pages):
    text = FENCE.sub("", pages.markdown(spanish))
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\*[^*]*\*|«[^»]*»", "", text)
    text = re.sub(r"^- .*\(\d{4}\)\..*$", "", text, flags=re.M)  # titles of papers
    left = re.findall(r"\b(?:the|and|with|of|is|are|that|which|at)\b", text)
    assert not left


@pytest.mark.parametrize("dark", [False, True])
def test_a_dark_figure_speaks_spanish_too(pages, dark):
    model = ManyToMany(1, 2, 2, rng=np.random.default_rng(0))
    loss = model.loss(np.zeros((6, 1, 1), np.float32), np.zeros((6, 1), int))
    svg, _ = pages._drawn(mg.draw(loss, style=mg.Style(language="es")), dark, "es")
    assert "Desplegar" in svg
    assert "Unfold" not in svg


@each_pair
def test_a_link_stays_in_spanish_where_it_can(english, spanish, pages):
    links = re.findall(r"\]\(([^)#\s]+\.(?:md|ipynb))", pages.markdown(spanish))
    there = [(spanish.parent / target).resolve() for target in links]
    missed = [page for page in there if page in {one for one, _ in PAIRS}]
    assert not [page for page in missed if page != english]


def test_each_spanish_word_of_the_english_glossary_has_an_entry():
    entry = re.compile(r"^(\S.*)\n  \*([^*]+)\*", re.M)
    there, here = (
        entry.findall((folder / "glossary.md").read_text(encoding="utf-8"))
        for folder in (DOCS, DOCS / "es")
    )
    assert len(there) > 70
    heads = [head for head, _ in here]
    for word, spanish in there:
        said = spanish.split(", ")
        assert any(one in head for one in said for head in heads), word
