"""The tasks: one file each, found by name here.

>>> len(TASKS), TASKS["adding"].takes
(24, ('cell', 'hidden', 'length', 'truncate', 'overlay'))
"""

from minigrad.tasks import (
    adding,
    coin,
    copying,
    digits,
    dna,
    expressions,
    grammar,
    letters,
    mackey_glass,
    memory,
    names,
    parity,
    reber,
    sequences,
    series,
    sine,
    sunspots,
    temporal_order,
    text,
    waveform,
    xor,
)
from minigrad.tasks.networks import load
from minigrad.tasks.task import Options, Task

__all__ = ["TASKS", "Options", "Task", "load"]

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        sunspots.TASK, series.TASK, sequences.TASK, text.TASK, names.TASK, digits.TASK,
        adding.TASK, copying.TASK, memory.TASK, parity.TASK, xor.TASK, letters.TASK,
        *reber.TASKS, grammar.TASK, sine.TASK, coin.TASK, temporal_order.TASK,
        expressions.TASK, waveform.TASK, mackey_glass.TASK, *dna.TASKS,
    )
}  # fmt: skip
