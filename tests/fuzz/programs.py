"""Random programs by the thousand: ``.ci/fuzz --minutes 10 --kind dag``.

Program k of a seed is the same whatever ran before it. Cheap checks are made on every
program, costly ones on every ``SHARE``-th. Failures that fail in the same way are
counted together; the first of them is shrunk and printed as Python to paste.
"""

import argparse
import linecache
import os
import re
import sys
import time
import warnings
from collections import Counter
from itertools import chain, count
from multiprocessing import get_context

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("JAX_ENABLE_X64", "1")

from minigrad.compile.backend import FOLDERS
from tests.programs import CHEAP, COSTLY, draw, examine, report
from tests.programs.features import features

SHARE = 4
SHOWN = 40
ROUND = 40


def checks(k, without):
    chosen = CHEAP + COSTLY if k % SHARE == 0 else CHEAP
    return [check for check in chosen if check.__name__ not in without]


def one(job):
    """Examine one program; what comes back is small, and can cross processes."""
    kind, seed, k, backend, without = job
    linecache.clearcache()
    warnings.simplefilter("ignore")
    listing = draw(kind, seed, k)
    if features(listing) & without:
        return None
    outcome = examine(listing, backend, checks(k, without))
    key = outcome.failure and outcome.failure.key
    return job, key, outcome.refusals, outcome.aside


def shrunk(job):
    kind, seed, k, backend, without = job
    warnings.simplefilter("ignore")
    outcome = examine(draw(kind, seed, k), backend, checks(k, without))
    return report(outcome, backend)


def rounds(options, without):
    """Lists of jobs, until the minutes are over or the count is reached."""
    kinds = [options.kind] if options.kind else ["recurrence", "dag"]
    until = time.monotonic() + 60 * options.minutes
    end = None if options.count is None else options.start + options.count
    for k in count(options.start, ROUND):
        last = k + ROUND if end is None else min(k + ROUND, end)
        jobs = [
            (kind, options.seed, i, options.backend, without)
            for i in range(k, last)
            for kind in kinds
        ]
        if not jobs or (end is None and time.monotonic() > until):
            return
        yield jobs


def plain(text):
    """A reason without its numbers, so that equal ones are counted together."""
    return re.sub(r"\(.*|\d+", "", text)[:100]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--count", type=int, help="programs of each kind, not minutes")
    parser.add_argument("--start", type=int, default=0, help="the first program's k")
    parser.add_argument("--kind", choices=["recurrence", "dag"])
    parser.add_argument("--backend", choices=list(FOLDERS), default="numpy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--without", default="", help="features and checks, by commas")
    options = parser.parse_args()
    without = frozenset(filter(None, options.without.split(",")))

    ran, began = 0, time.monotonic()
    refused, aside, failed, first = Counter(), Counter(), Counter(), {}
    context = get_context("fork")
    # A worker ends after some programs: compiled source is kept while it lives.
    with context.Pool(options.jobs, maxtasksperchild=20) as pool:
        results = (pool.imap(one, js, chunksize=8) for js in rounds(options, without))
        for job, key, refusals, kept in filter(None, chain.from_iterable(results)):
            ran += 1
            refused.update({plain(r) for r in refusals})
            aside.update(plain(r) for r in kept)
            if key:
                failed[key] += 1
                first.setdefault(key, job)
        seconds = time.monotonic() - began
        worst = [first[key] for key, _ in failed.most_common(SHOWN)]
        for text in pool.imap(shrunk, worst, chunksize=1):
            print("#" * 80, text, sep="\n", flush=True)
    print(f"ran {ran} programs, {ran / seconds:.1f} a second, on {options.backend}")
    for title, tally in (("refused", refused), ("not compared", aside)):
        print(f"{title}: {sum(tally.values())}")
        for reason, times in tally.most_common():
            print(f"{times:8}  {reason}")
    print(f"failed: {sum(failed.values())}")
    for key, times in failed.most_common():
        kind, seed, k, *_ = first[key]
        print(f"{times:8}  {': '.join(key)}  ({kind}/{seed}/{k})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
