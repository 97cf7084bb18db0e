"""The largest error of ``evaluate``: ``python -m tests.equations.oracle 1000``.

Over so many random recurrences, and all networks at T = 1, 2, 3, 5. An error is
relative to the largest element, in units of what the lowest dtype that was met allows.
"""

import sys
import warnings
from collections import Counter

import minigrad as mg
from minigrad.tasks.pictures import PICTURES
from tests.equations.agreement import worst
from tests.equations.test_record import error_of_random

SEED, STEPS = 11, (8, 5, 3, 2, 1)


def main(count):
    warnings.simplefilter("ignore")
    errors, counts = [0.0], Counter()
    for k in range(count):
        error = error_of_random(SEED, k, STEPS[k % len(STEPS)])
        counts["refused by the fold, or no graph" if error is None else "computed"] += 1
        errors.append(error or 0.0)
        if errors[-1] >= 1:
            print(f"program {k} of seed {SEED}: {errors[-1]:.3g} times what is allowed")
    print(f"{count} random recurrences: {dict(counts)}")
    print(f"the largest error is {max(errors):.2g} of what is allowed")
    for name in PICTURES:
        found = [PICTURES[name](steps) for steps in (1, 2, 3, 5)]
        print(f"{name}: {max(worst(mg.equations(y), y) for y in found):.2g}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
