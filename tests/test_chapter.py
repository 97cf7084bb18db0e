"""The tables of chapter 10: no gap in them, and all that they name is there."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import models, nn, optim, train
from minigrad.nn import cells
from minigrad.tasks import TASKS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SECTIONS = [
    *["10.1", "10.2", "10.2.1", "10.2.2", "10.2.3", "10.2.4", "10.3", "10.4", "10.5"],
    *["10.6", "10.7", "10.8", "10.9", "10.9.1", "10.9.2", "10.9.3", "10.10"],
    *["10.10.1", "10.10.2", "10.11", "10.11.1", "10.11.2", "10.12"],
]
FIGURES = [f"fig. 10.{k}" for k in range(1, 19)]


def rows(folder):
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (folder / "chapter-10.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| (10\.|fig\. |beside it|fuera de él)", line)
    ]


ROWS = rows(DOCS)
TABLES = [(DOCS, "", row) for row in ROWS]
TABLES += [(DOCS / "es", "es-", row) for row in rows(DOCS / "es")]


def codes(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_section_and_every_figure_has_a_row_and_no_row_has_a_gap():
    books = [row[0] for row in ROWS]
    assert sorted(b for b in books if b != "beside it") == sorted(SECTIONS + FIGURES)
    assert all(len(row) == 7 and all(row) for row in ROWS)


def test_the_spanish_table_names_the_same():
    for theirs, ours in zip(ROWS, rows(DOCS / "es"), strict=True):
        assert [codes(cell) for cell in ours] == [codes(cell) for cell in theirs]
        assert ours[0] == theirs[0].replace("beside it", "fuera de él")


@pytest.mark.parametrize(
    ("folder", "before", "row"), TABLES, ids=[b + row[0] for _, b, row in TABLES]
)
def test_what_a_row_names_is_there(folder, before, row):
    _, _, here, figures, task, page, held = row
    homes = (models, cells, optim, train, nn)
    for name in codes(here):
        assert any(hasattr(home, name) for home in homes), name
    linked = re.fullmatch(r"\[[^]]+\]\(([^)#]*)#?([^)]*)\)", page)
    assert linked, page
    path = folder / (linked[1] or "chapter-10.md")
    assert linked[2] in ("", *anchors(path)), page
    for name in codes(figures):
        shown = [
            p for p in folder.glob("*.md") if f"{{shown}} {before}{name}\n" in read(p)
        ]
        assert len(shown) == 1, name
        link = re.search(rf"\[`{name}`\]\(([^)#]*)#([^)]+)\)", figures)
        assert link, name
        assert folder / (link[1] or "chapter-10.md") == shown[0], name
        assert before + name in under(shown[0], link[2]), name
    (command,) = codes(task)
    name, *option = command.split(" --model ")
    assert name in TASKS
    assert not option or option[0] in TASKS[name].models
    assert all((ROOT / test).is_file() for test in codes(held))
    assert codes(held)


def test_every_model_is_in_the_table():
    named = {name for row in ROWS for name in codes(row[2])}
    made = {n for n in models.__all__ if isinstance(getattr(models, n), type)}
    assert made <= named


def read(path):
    return path.read_text(encoding="utf-8")


def anchor(head):
    """That of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-")


def anchors(path):
    """The anchors of a page's headings."""
    return [anchor(head) for head in re.findall(r"^#+ (.+)$", read(path), re.M)]


def under(path, wanted):
    """The figures between the heading of an anchor and the next heading."""
    text = re.sub(r"^```python$.*?^```$", "", read(path), flags=re.M | re.S)
    parts = [p.partition("\n") for p in re.split(r"^#+ ", text, flags=re.M)[1:]]
    (body,) = [body for head, _, body in parts if anchor(head) == wanted]
    return re.findall(r"\{shown\} (\S+)", body)


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("pages", DOCS / "pages.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        spec.loader.exec_module(module)
        yield module


def names_of(pages, page):
    """What the code of a page has made, run to its end."""
    names = {}
    for fence in pages.FENCE.finditer(read(DOCS / page)):
        if fence[2].strip() in ("python", "{made}"):
            pages._executed(fence[3], page, 0, names)
    return names


def test_figures_10_1_and_10_16(pages):
    names = names_of(pages, "chapter-10.md")
    edges = {str(e) for e in mg.fold(mg.contract(names["s"])).edges}
    assert edges == {"s0 -> s(1) by θ", "s(t-1) -> s(t) by θ"}
    ops = [n.op.name for n in mg.Graph([names["h"], names["inner"]]).nodes if n.op]
    assert [ops.count(o) for o in ("matmul", "sigmoid", "tanh")] == [2, 1, 2]


def test_section_10_7_over_k_steps_the_gradient_is_the_k_th_power_of_W():
    values = np.array([1.1, 1.0, 0.9])
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    W, h = mg.parameter(Q @ np.diag(values) @ Q.T, name="W"), mg.tensor(Q.T, name="h0")
    hs = []
    for _ in mg.steps(20):
        h = (h @ W).named("h")
        hs.append(h)
    # A row of h is an eigenvector: along each the gradient has its own factor.
    for row, λ in enumerate(values):
        found = mg.grad((h[row] * Q.T[row]).sum(), hs)
        for k, g in enumerate(found[::-1]):
            np.testing.assert_allclose(np.linalg.norm(g.data), λ**k)


def test_figures_10_15_and_10_17_are_of_nets_that_ran(pages):
    names = names_of(pages, "long-term.md")
    assert isinstance(names["cell"], cells.Elman)
    line = names["line"]
    h = names["start"]
    for _ in range(5):
        h = np.tanh(h @ names["cell"].W.data)
    assert len(line) == len(h)
    unit, at = names["unit"], names["at"]
    w, b, h = 1.5, -0.1, 0.0
    for t in range(50):
        h = np.tanh(b + w * h + (0.6 if t == 0 else 0.0))
    np.testing.assert_allclose(at(w, b), (h - 0.5) ** 2)
    assert isinstance(unit, cells.Elman)
