"""What every test shares: BLAS's one thread, hypothesis's profiles, a short heap.

Choose a profile with `HYPOTHESIS_PROFILE=ci python -m pytest`.
"""

import gc
import os

# Before NumPy is loaded: small products are twice as fast on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Hundreds of thousands of objects are collected, none of them ends before the tests do.
gc.disable()


def pytest_collection_finish():
    """Python's garbage collector looks at what tests make, not at the tests."""
    gc.freeze()
    gc.enable()
