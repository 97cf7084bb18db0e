"""What tests of the engines share."""

import pytest

from minigrad.compile.c import cache, compiler


@pytest.fixture(scope="module")
def quick():
    """A compiler that takes less time: for tests of what is written, not how fast."""
    with pytest.MonkeyPatch.context() as patch:
        flags = tuple("-O1" if f == "-O3" else f for f in compiler.FLAGS)
        patch.setattr(compiler, "FLAGS", flags)
        patch.setattr(compiler, "_known", {})
        patch.setattr(cache, "_libraries", {})
        yield
