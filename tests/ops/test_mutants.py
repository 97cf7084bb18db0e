"""A sample of the wrong rules that tests/mutation plants: each one is caught."""

import gc
from types import FunctionType

import pytest

from minigrad.testing import CHECKS
from tests.mutation.functions import EQUIVALENT, RULES
from tests.mutation.operators import mutants
from tests.ops import table

EVERY = 23  # of 1,200
NUMBER = {"value": 0, "conventions": 1, "gradient": 2}


def caught(rows):
    """Whether a check fails on one of the rows, whatever it says."""
    for check in sorted(CHECKS, key=lambda check: NUMBER.get(check, 3)):
        for row in rows:
            if check not in row.skips:
                try:
                    row.run(check)
                except Exception:
                    return True
    return False


@pytest.mark.parametrize("module", RULES)
def test_a_changed_rule_is_caught(module):
    gc.unfreeze()  # what is frozen is no object that it knows
    functions = {
        thing.__code__: thing
        for thing in gc.get_objects()
        if type(thing) is FunctionType  # a dead proxy has no class to ask for
    }
    gc.freeze()
    rows = getattr(table, module.removeprefix("ops.")).ROWS
    survivors = []
    for text, codes in mutants(module, EVERY):
        if any(m == module and part in text for m, part, _ in EQUIVALENT):
            continue
        changed = {functions[c]: codes[c] for c in codes if c in functions}
        kept = {function: function.__code__ for function in changed}
        first = [row for row in rows if {*row.op.vjps} & {*changed}]
        try:
            for function, code in changed.items():
                function.__code__ = code
            if not caught(first or rows):
                survivors.append(text)
        finally:
            for function, code in kept.items():
                function.__code__ = code
    assert not survivors
