"""The tasks: one file each, found by name here.

>>> sorted(TASKS)
['sunspots']
"""

from minigrad.tasks import sunspots
from minigrad.tasks.task import Task

__all__ = ["TASKS", "Task"]

TASKS: dict[str, Task] = {task.name: task for task in (sunspots.TASK,)}
