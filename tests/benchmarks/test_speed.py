"""The same steps for pytest-benchmark, which the test run skips.

python -m pytest tests/benchmarks --benchmark-only
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import table


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("name", ["NumPy by hand", "minigrad compiled"])
def test_a_training_step(benchmark, name, size):
    step = table.CONTENDERS[name][0](table.SIZES[size])
    step()  # compiles
    benchmark(step)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_compiling(benchmark, size):
    benchmark.pedantic(lambda: table.compiled(table.SIZES[size])(), rounds=3)
