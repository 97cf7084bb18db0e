"""Says so, loudly, where the tests in a browser did not run."""

from importlib.util import find_spec
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
COMMAND = (
    "apt-get install -y chromium && pip install 'minigrad-rnn[browser]' && "
    "python -m pytest tests/draw/html"
)
MISSING = [
    *([] if find_spec("playwright") else ["playwright"]),
    *([] if CHROMIUM.exists() else [str(CHROMIUM)]),
]


def pytest_terminal_summary(terminalreporter):
    if MISSING:
        lacking = " and ".join(MISSING)
        terminalreporter.section("BROWSER TESTS NOT RUN", red=True)
        terminalreporter.line(f"there is no {lacking}: {COMMAND}")
