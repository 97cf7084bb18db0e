"""The NumPy engine: a program as source with one loop for each recurrence.

    table   how each op is written with NumPy
    source  names, buffers and views as text
    engine  a program built: its source, run on workspaces that are kept
"""

from minigrad.compile.numpy.engine import build

__all__ = ["build"]
