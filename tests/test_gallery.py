"""The gallery: one command draws all of it, and the README shows the three networks."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"


@pytest.fixture(scope="module")
def figures():
    spec = importlib.util.spec_from_file_location("gallery", GALLERY / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FIGURES


def test_every_figure_is_in_the_folder_and_no_other(figures):
    assert {path.stem for path in GALLERY.glob("*.png")} == set(figures)


def test_every_figure_is_drawn_without_faults(figures):
    for name, make in figures.items():
        figure = make()
        assert figure.png(dpi=60).startswith(b"\x89PNG"), name


def test_the_folder_holds_what_the_command_draws_today(figures):
    for name in ("RNN_Many_to_many", "many-to-many-ops"):
        assert figures[name]().png(dpi=120) == (GALLERY / f"{name}.png").read_bytes()


def test_the_readme_shows_the_three_networks():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("many-to-many", "output-feedback", "many-to-one"):
        assert f"docs/gallery/{name}.png" in readme
