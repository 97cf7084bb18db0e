"""Learning rates that change: functions of the step, from 1.

>>> rate = warm_up(cosine(1.0, 100), 10)
>>> rate(1) < rate(10) > rate(100)
True
"""

from math import cos, pi

from minigrad.limits import whole, within
from minigrad.optim.optimiser import Schedule


def exponential(lr: float, factor: float, every: int = 1) -> Schedule:
    """A learning rate that is multiplied by ``factor`` after every so many steps.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> rate = exponential(1.0, 0.5, every=10)
    >>> rate(1), rate(10), rate(11), rate(21)
    (1.0, 1.0, 0.5, 0.25)
    """
    lr, factor = within("lr", lr, "[0, inf)"), within("factor", factor, "[0, inf)")
    every = whole("every", every)
    return lambda step: lr * factor ** ((step - 1) // every)


def cosine(lr: float, steps: int, last: float = 0.0) -> Schedule:
    """A learning rate that falls along half a cosine from ``lr`` to ``last``.

    After Loshchilov and Hutter (2017), without their restarts.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> rate = cosine(1.0, 101)
    >>> rate(1), round(rate(51), 6), rate(101), rate(500)
    (1.0, 0.5, 0.0, 0.0)
    """

    lr, last = within("lr", lr, "[0, inf)"), within("last", last, "[0, inf)")
    steps = whole("steps", steps)

    def rate(step: int) -> float:
        done = min((step - 1) / max(steps - 1, 1), 1.0)
        return last + (lr - last) * (1 + cos(pi * done)) / 2

    return rate


def warm_up(schedule: float | Schedule, steps: int) -> Schedule:
    """A schedule that grows in equal parts over its first steps.

    After Goyal (2017).

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> rate = warm_up(1.0, 4)
    >>> rate(1), rate(4), rate(9)
    (0.25, 1.0, 1.0)
    """

    steps = whole("steps", steps)
    if not callable(schedule):
        schedule = within("lr", schedule, "[0, inf)")

    def rate(step: int) -> float:
        lr = schedule(step) if callable(schedule) else schedule
        return lr * min(step / steps, 1.0)

    return rate
