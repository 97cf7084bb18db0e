"""What a random program is checked for: its meaning, not the next stage.

Every check takes a ``Trial``, a program with what it runs on, and raises a
``DisagreementError`` that says which check failed and how, with code that shows it.
What may be refused (a program that runs eagerly after a warning) is noted in the trial.

>>> from tests.programs.listing import Call, Leaf, Line
>>> x, W = Leaf("x", ("B", "n")), Leaf("W", ("n", "n"))
>>> lines = (Line("$h = mg.tanh($x @ $W)"),)
>>> calls = (Call(1, 2, 0), Call(1, 3, 1))
>>> loss, sizes = ("$h.sum()",), (("n", 2),)
>>> trial = Trial(
...     Listing("dag", "", (W,), (x,), lines, loss, ("$h",), ("W",), calls, sizes)
... )
>>> trial.check(compiled)
>>> trial.refusals
[]
"""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.graph import Graph
from minigrad.tensor import Parameter, Tensor
from tests.programs.listing import Listing, build

Array = NDArray[Any]

TOLERANCES = {16: 3e-2, 32: 3e-4, 64: 1e-9}  # by bits of a float
# Of the reasons why a program runs eagerly those that are the compiler's own faults.
FAULTS = ("the compiler raises", "does not give what", "is not well formed")
LARGE = 1e6  # what is larger than this is not compared


class DisagreementError(AssertionError):
    """Two things that must agree do not: which check, how, and code that shows it."""

    def __init__(self, check: str, how: str, said: str, code: str) -> None:
        super().__init__(f"{check}: {how}\n{said}")
        self.check = check
        self.how = how
        self.said = said
        self.code = code

    @property
    def key(self) -> tuple[str, str]:
        """What a smaller program must fail by, to fail in the same way."""
        how = re.sub(r"\([^()]*\)|\b[a-zA-Z]+_?\d+\b", " ", self.how)
        return self.check, re.sub(r"[\d\W_]+", " ", how).strip()[:80]


class SetAsideError(Exception):
    """The program is set aside: its numbers cannot be compared."""


@dataclass
class Trial:
    """A program, and what was seen while it was checked."""

    listing: Listing
    backend: str = "numpy"
    refusals: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = build(self.listing.source())

    def check(self, function: Callable[["Trial"], None]) -> None:
        """One check; what cannot be compared is noted."""
        try:
            with np.errstate(all="ignore"):
                function(self)
        except SetAsideError as reason:
            self.aside.append(f"{function.__name__}: {reason}")

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters, by their ids."""
        return [self.names[self.listing.word(p.id)] for p in self.listing.parameters]

    def of(self, value: str) -> Any:
        """What a leaf's variable holds."""
        return self.names[self.listing.word(value)]

    def double(self, held: bool = False) -> dict[str, Any]:
        """The names of the same program in float64."""
        return build(doubled(self.listing).source(held))


def doubled(listing: Listing) -> Listing:
    """The same program in float64."""
    return replace(
        listing,
        parameters=tuple(p._replace(dtype="float64") for p in listing.parameters),
        arguments=tuple(a._replace(dtype="float64") for a in listing.arguments),
    )


def tolerance_of(results: Sequence[Any]) -> float:
    """How far results may be off: by the lowest dtype that they were computed in.

    >>> from minigrad.tensor import tensor
    >>> x = tensor(2.0, name="x")
    >>> tolerance_of([x * x]), tolerance_of([(x.astype(np.float32) * x).astype(float)])
    (1e-09, 0.0003)
    """
    found = [getattr(node.value, "dtype", None) for node in Graph(results).nodes]
    bits = [np.finfo(d).bits for d in found if d is not None and d.kind == "f"]
    return TOLERANCES[min([64, *bits])]


def arrays_of(tensors: Sequence[Any]) -> list[Array]:
    """Copies of the values of Tensors."""
    return [np.array(t.data if isinstance(t, Tensor) else t) for t in tensors]


def scale_of(arrays: Sequence[Array]) -> float:
    """The size that a difference is measured by."""
    found = [float(np.abs(a).max()) for a in arrays if a.size]
    largest = max([1.0, *found])
    if not np.isfinite(largest) or largest > LARGE:
        raise SetAsideError("numbers too large")
    return largest


def words_of(error: Exception) -> str:
    """The first line of an error, with its type."""
    first = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {first}"


COMPILED = """
compiled = mg.compile(net, backend="{backend}")
for call in {calls}:
    expected, found = net(*arguments(*call)), compiled(*arguments(*call))
    for k in range(len(expected)):
        assert found[k].dtype == expected[k].dtype, (call, k)
        np.testing.assert_allclose(
            found[k].data, expected[k].data, rtol=0, atol={atol}, err_msg=str((call, k))
        )
    for p in [{parameters}]:
        p.assign(0.9 * p.data + 0.05)
"""


def compiled(trial: Trial) -> None:
    """Compiled values and gradients equal the eager ones, over calls that change."""
    from minigrad.compile import compile as compile_

    listing = trial.listing
    net, arguments = trial.names["net"], trial.names["arguments"]
    tolerance = tolerance_of(_quiet(net, arguments(*listing.calls[0]))[0])
    code = COMPILED.format(
        backend=trial.backend,
        calls=[tuple(c) for c in listing.calls],
        atol=tolerance,
        parameters=", ".join(listing.word(p.id) for p in listing.parameters),
    )

    def fail(how: str, said: str = "") -> DisagreementError:
        return DisagreementError(f"compiled, {trial.backend}", how, said, code)

    program = compile_(net, backend=trial.backend)
    first = [p.data for p in trial.parameters]
    results: list[tuple[list[Tensor], list[Array]]] = []
    try:
        for call in listing.calls:
            expected = arrays_of(_quiet(net, arguments(*call))[0])
            scale = scale_of(expected)
            given = arguments(*call)
            before = arrays_of(given)
            try:
                found, said = _quiet(program, given)
                again, _ = _quiet(program, given)
            except Exception as error:
                raise fail(words_of(error), f"at call {tuple(call)}") from error
            trial.refusals += said
            fault = next((s for s in said if any(f in s for f in FAULTS)), None)
            if fault is not None:
                raise fail("it is not compiled by a fault", fault)
            for k, (e, f, g) in enumerate(zip(expected, found, again, strict=True)):
                where = f"result {k} of {len(expected)} at call {tuple(call)}"
                what = "the gradient" if k > len(listing.also) else "a value"
                if f.dtype != e.dtype or f.shape != e.shape:
                    is_, must = (f.shape, f.dtype), (e.shape, e.dtype)
                    raise fail(
                        f"{what} has another shape or dtype",
                        f"{where}: {is_}, eager {must}",
                    )
                error_ = gap_of(f.data, e)
                if error_ > tolerance * scale:
                    said_ = f"{where}: off by {error_:.3g}\n{f.data}\neager {e}"
                    raise fail(f"{what} differs", said_)
                if not np.array_equal(f.data, g.data, equal_nan=True):
                    raise fail(f"{what} has other bits when called again", where)
            for a, b in zip(arrays_of(given), before, strict=True):
                if not np.array_equal(a, b):
                    raise fail("an argument was changed")
            for a in given:
                if isinstance(a, np.ndarray) and a.ndim:
                    a[...] = 0
            results.append((found, arrays_of(found)))
            for kept, copy in results:
                if not all(
                    np.array_equal(a.data, b, equal_nan=True)
                    for a, b in zip(kept, copy, strict=True)
                ):
                    raise fail("a result was overwritten", f"after call {tuple(call)}")
            for p in trial.parameters:
                p.assign(0.9 * p.data + 0.05)
    finally:
        for p, value in zip(trial.parameters, first, strict=True):
            p.assign(value)


def gap_of(a: Array, b: Array) -> float:
    """The largest difference of two arrays; equal NaNs are no difference."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    gap = np.where(same, 0.0, np.abs(np.asarray(a, float) - b))
    largest = float(np.max(gap, initial=0.0))
    return np.inf if np.isnan(largest) else largest


def _quiet(function: Callable[..., Any], given: Any) -> tuple[Any, list[str]]:
    """What a function returns, and why it was not compiled."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = function(*given)
    said = [str(w.message) for w in seen if "runs eagerly" in str(w.message)]
    return result, said
