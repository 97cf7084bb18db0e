"""Says so, loudly, where nothing was compared with PyTorch itself."""

from importlib.util import find_spec


def pytest_terminal_summary(terminalreporter):
    if find_spec("torch") is None:
        terminalreporter.section("TESTS AGAINST PYTORCH NOT RUN", red=True)
        terminalreporter.line(
            "there is no torch: pip install torch && python -m pytest tests/exchange"
        )
