"""What every test shares: one BLAS thread and the three hypothesis profiles.

Choose a profile with `HYPOTHESIS_PROFILE=ci python -m pytest`.
"""

import os

# Before NumPy is loaded: small products are twice as fast on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
