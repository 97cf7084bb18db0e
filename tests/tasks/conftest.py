"""Runs whose words and numbers are looked at, and whose figures are not."""

from contextlib import contextmanager
from pathlib import Path

import matplotlib.figure
import pytest

from minigrad.draw import Figure


def _saved_blank(figure, file, **options):
    Path(file).touch()


@pytest.fixture(scope="session")
def blank():
    """A context in which figures and charts are saved as empty files."""

    @contextmanager
    def made():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Figure, "save", _saved_blank)
            patch.setattr(matplotlib.figure.Figure, "savefig", _saved_blank)
            yield

    return made


@pytest.fixture
def undrawn(blank):
    """Save figures and charts as empty files: what is asked is what a run says."""
    with blank():
        yield
