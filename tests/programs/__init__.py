"""Random programs that look like users' programs, and what each of them must keep.

``draw`` makes program k of a seed, ``examine`` checks it, ``smaller`` shrinks one that
fails, ``report`` prints it as Python that can be pasted. ``.ci/fuzz`` runs many.

>>> listing = draw("recurrence", 0, 3)
>>> listing == draw("recurrence", 0, 3)
True
>>> examine(listing, checks=[derivative]).failure is None
True
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.programs.agreement import (
    DisagreementError,
    Trial,
    compiled,
    words_of,
)
from tests.programs.dag import draw_dag
from tests.programs.folding import contracted, folded, longer, text
from tests.programs.listing import Listing
from tests.programs.meaning import (
    derivative,
    products,
    second_order,
    single,
)
from tests.programs.one_step import linear, stepped
from tests.programs.recurrence import draw_recurrence
from tests.programs.smaller import smaller

KINDS = {"recurrence": draw_recurrence, "dag": draw_dag}
Check = Callable[[Trial], None]
CHEAP: tuple[Check, ...] = (derivative, compiled)
COSTLY: tuple[Check, ...] = (
    text, folded, contracted, longer, linear, stepped, products, second_order, single
)  # fmt: skip


def draw(kind: str, seed: int, k: int) -> Listing:
    """Program k of a seed, whatever was drawn before; kind is recurrence or dag."""
    return KINDS[kind](f"{kind}/{seed}/{k}")


@dataclass
class Outcome:
    """What came of a program: how it failed, what was refused, what set aside."""

    listing: Listing
    failure: DisagreementError | None = None
    check: Check | None = None  # the one that failed
    refusals: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)


def examine(
    listing: Listing, backend: str = "numpy", checks: Sequence[Check] = CHEAP
) -> Outcome:
    """The first check that a program fails, if there is one."""
    outcome = Outcome(listing)
    try:
        trial = Trial(listing, backend)
    except Exception as error:
        outcome.failure = _unexpected("written", error)
        return outcome
    outcome.refusals, outcome.aside = trial.refusals, trial.aside
    for check in checks:
        try:
            trial.check(check)
        except DisagreementError as failure:
            outcome.failure, outcome.check = failure, check
            return outcome
        except Exception as error:
            unexpected = _unexpected(check.__name__, error)
            outcome.failure, outcome.check = unexpected, check
            return outcome
    return outcome


def _unexpected(check: str, error: Exception) -> DisagreementError:
    how, said = words_of(error), str(error)
    failure = DisagreementError(f"eager, {check}", how, said, EAGER)
    failure.__cause__ = error
    return failure


EAGER = "print(net(*arguments(*CALL)))"


def report(outcome: Outcome, backend: str = "numpy") -> str:
    """A failure as Python that can be pasted, its program as small as was found."""
    failure = outcome.failure
    assert failure is not None
    checks = [] if outcome.check is None else [outcome.check]

    def key(listing: Listing) -> tuple[str, str] | None:
        found = examine(listing, backend, checks).failure
        return None if found is None else found.key

    least = smaller(outcome.listing, key)
    again = examine(least, backend, checks).failure or failure
    code = again.code.replace("*CALL", ", ".join(map(str, least.calls[0])))
    said = "\n".join(f"# {line}" for line in str(again).splitlines()[:20])
    return f"# {least.origin}\n{said}\n{least.source()}\n{code}\n"
