"""A process that has compiled nothing yet, and has a folder of its own."""

import pytest

from minigrad.compile.c import cache, compiler
from tests.compile.c.compilers import Watched


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Forget, as often as it is called, what this process has compiled."""

    def forget():
        monkeypatch.setattr(cache, "_libraries", {})
        monkeypatch.setattr(cache, "_made", [])
        monkeypatch.setattr(compiler, "_known", {})

    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "our own" / "cache"))
    monkeypatch.delenv("CC", raising=False)
    forget()
    return forget


@pytest.fixture
def watched(fresh, tmp_path, monkeypatch):
    """Make the machine's compiler, behind lines of a shell, the one to use."""

    def make(*before):
        made = Watched(tmp_path, *before)
        monkeypatch.setenv("CC", f"'{made.path}'")
        return made

    return make
