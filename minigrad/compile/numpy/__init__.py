"""The NumPy engine: a program as source with one loop for each recurrence.

abilities  what NumPy can write into an array, in place, over all steps
table      how each op is written
source     names, buffers and views as text
write      the text of a plan; batch: of all steps at once; loop: of a step at a time
engine     a program built: its source, run on workspaces that are kept
"""

from minigrad.compile.numpy.engine import build

__all__ = ["build"]
