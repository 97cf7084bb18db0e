"""The same steps for pytest-benchmark, which the test run skips.

python -m pytest tests/benchmarks --benchmark-only
"""

import pytest

from tests.benchmarks.cases import CASES, SIZES
from tests.benchmarks.contenders import CONTENDERS, HAND

COMPILED = "minigrad compiled, numpy"


@pytest.mark.parametrize("size", ["tiny", "small"])
@pytest.mark.parametrize("name", [HAND, COMPILED])
def test_a_training_step(benchmark, name, size):
    step = CONTENDERS[name](CASES[0], SIZES[size], "float32")
    step()  # compiles
    benchmark(step)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_compiling(benchmark, size):
    make = CONTENDERS[COMPILED]
    benchmark.pedantic(lambda: make(CASES[0], SIZES[size], "float32")(), rounds=3)
