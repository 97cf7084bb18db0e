"""What a failed check says: a sentence, an input to paste, the worst entries, a hint.

>>> import numpy as np
>>> hint(np.array([3.0, 3.0]), np.array([1.0, 1.0]))
'every entry is 3 times too large: a sum taken for a mean over 3 elements?'
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.graph import Graph

Array = NDArray[Any]

SHOWN = 5
LONGEST = 30
HINT = "hint: "


class GradientError(AssertionError):
    """A gradient that differs from the derivative, or a rule that breaks its contract.

    >>> raise GradientError("the gradient of arg 0 is wrong")
    Traceback (most recent call last):
    minigrad.testing.report.GradientError: the gradient of arg 0 is wrong
    """


def compare(
    what: str, analytic: Any, expected: Any, rtol: float, atol: float, factor: Any = 1.0
) -> str | None:
    """None if two arrays agree, else a sentence, the worst entries and a hint.

    ``factor`` is a cotangent that the rule may have forgotten, if it has that shape.
    """
    a, n = (
        x * 1.0 if x.dtype == bool else x for x in map(np.asarray, (analytic, expected))
    )
    if a.shape != n.shape:
        return f"{what} has shape {a.shape}, expected {n.shape}"
    with np.errstate(invalid="ignore"):
        same = (a == n) | (np.isnan(a) & np.isnan(n))
        gap = np.where(same, 0.0, np.abs(a - n))
        wrong = ~(same | (gap <= atol + rtol * np.abs(n)))
    if not wrong.any():
        return None
    lines = [
        f"{what} is wrong in {wrong.sum()} of {wrong.size} entries "
        f"(rtol {rtol:g}, atol {atol:g}); the worst:",
        f"  {'index':<12} {'found':>22} {'expected':>22} {'ratio':>10}",
    ]
    size = np.where(wrong, np.nan_to_num(gap, nan=np.inf), -1.0)
    for flat in np.argsort(-size, axis=None, kind="stable")[:SHOWN]:
        index = np.unravel_index(flat, a.shape)
        if not wrong[index]:
            break
        with np.errstate(all="ignore"):
            ratio = np.divide(a[index], n[index])
        place = str(tuple(map(int, index)))
        lines.append(
            f"  {place:<12} {a[index]:>22.15g} {n[index]:>22.15g} {ratio:10.4g}"
        )
    said = hint(a, n, factor)
    return "\n".join([*lines, *([HINT + said] if said else [])])


def require(said: str | None) -> None:
    """Raise GradientError where there is something to say.

    >>> require(None)
    """
    if said is not None:
        raise GradientError(said)


def with_hint_of(said: str, original: str) -> str:
    """A message about shrunk arrays with the hint from the full ones, which is surer.

    >>> with_hint_of("wrong\\nhint: by a", "wrong\\nhint: by b")
    'wrong\\nhint: by b'
    """
    hints = [line for line in original.splitlines() if line.startswith(HINT)]
    rest = [line for line in said.splitlines() if not line.startswith(HINT)]
    return "\n".join([*rest, *hints])


def hint(analytic: Array, expected: Array, factor: Any = 1.0) -> str | None:
    """What the ratio of the two arrays suggests, or None."""
    a, n = analytic, expected
    with np.errstate(all="ignore"):
        if not np.isfinite(a).all():
            return "the rule gives NaN or Inf: a division by zero, or a log of zero?"
        if not a.any():
            return "every entry is zero: an operand with rule None, or raw arrays"
        if np.shape(factor) == a.shape and np.allclose(a * factor, n, rtol=1e-6):
            return "right but for the cotangent: the rule does not use g"
        if a.ndim > 1 and a.shape == a.T.shape and np.allclose(a.T, n, rtol=1e-6):
            return "it is the transposed of what is expected"
        ratio = (a / n)[np.abs(n) > 1e-7]
    if not ratio.size or not np.allclose(ratio, ratio[0], rtol=1e-5):
        return None
    r = float(ratio[0])
    if abs(r + 1) < 1e-5:
        return "every entry has the wrong sign"
    if ratio.size == 1:
        return None  # any two numbers have a ratio
    times = r if abs(r) > 1 else 1 / r
    if abs(r) != 1 and abs(times - round(times)) < 1e-4:
        number = f"{round(times)} elements"
        why = f"large: a sum taken for a mean over {number}?"
        if abs(r) < 1:
            why = f"small: a mean taken for a sum over {number}, or a term lost?"
        return f"every entry is {round(times)} times too {why}"
    return f"every entry is off by the factor {r:.6g}"


def shrink(fails: Callable[[list[Any]], bool], args: Sequence[Any]) -> list[Any]:
    """Smaller and rounder arguments for which ``fails`` still holds.

    Every axis of one length is shortened at once, so operands stay compatible.
    """
    best = list(args)

    def better() -> Iterator[list[Any]]:
        for n in sorted({n for a in best for n in np.shape(a)} - {0, 1}, reverse=True):
            for m in (1, 2, 3):
                if m < n:
                    yield [_shortened(a, n, m) for a in best]

    def rounder() -> Iterator[list[Any]]:
        for digits in (0, 1, 2):
            yield [
                np.round(a, digits) + 0.0 if np.asarray(a).dtype.kind == "f" else a
                for a in best
            ]

    while (smaller := next(filter(fails, better()), None)) is not None:
        best = smaller
    return next(filter(fails, rounder()), best)


def _shortened(a: Any, n: int, m: int) -> Any:
    if not np.ndim(a):
        return a
    return a[tuple(slice(m) if k == n else slice(None) for k in a.shape)]


def pasteable(args: Sequence[Any]) -> str:
    """The arguments as Python source that rebuilds them bit for bit."""
    return "args = [" + ", ".join(map(_source, args)) + "]"


def _source(a: Any) -> str:
    if not isinstance(a, np.ndarray):
        return repr(a)
    kind = "" if a.dtype in (np.float64, np.int64, np.bool_) else f", np.{a.dtype}"
    if not a.size:
        kind = f", np.{a.dtype}" if a.dtype == np.int64 else kind
        return f"np.zeros({a.shape}{kind})"
    values = repr(a.tolist())
    return f"np.array({values.replace('nan', 'np.nan').replace('inf', 'np.inf')}{kind})"


def listing(outputs: Any) -> str:
    """The graph of a failing program, one node a line (the first and last of many)."""
    lines = [
        f"  {node!r} {getattr(node.value, 'shape', ())}"
        for node in Graph(outputs).nodes
    ]
    if len(lines) > LONGEST:
        half = LONGEST // 2
        lines = [*lines[:half], f"  ... {len(lines) - LONGEST} more", *lines[-half:]]
    return "\n".join(lines)
