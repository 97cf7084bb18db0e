"""Says so, loudly, where the tests in a browser did not run."""

from importlib.util import find_spec
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
COMMAND = (
    "apt-get install -y chromium && pip install 'minigrad-rnn[browser]' && "
    "python -m pytest tests/draw/html"
)
MISSING = [
    *(name for name in ("playwright", "axe_playwright_python") if not find_spec(name)),
    *([] if CHROMIUM.exists() else [str(CHROMIUM)]),
]


def pytest_terminal_summary(terminalreporter):
    if MISSING:
        lacking = " and ".join(MISSING)
        terminalreporter.section("BROWSER TESTS NOT RUN", red=True)
        terminalreporter.line(f"there is no {lacking}: {COMMAND}")
