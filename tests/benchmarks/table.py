"""One training step of a recurrent network: who computes it in how much processor time.

    python tests/benchmarks/table.py [SIZE ...] [--cases WORD ...] [--only WORD ...]
        [--rounds N] [--dtype float64] [--growth | --memory] [--result FILE] [--page]

Every contender that is installed computes the loss and all gradients of the same
network on one thread, in a process of its own. Before the clock starts its results are
compared with float64; one that disagrees is named and left out. Then the processes take
turns, and the least processor time of a step is kept: what else the machine does costs
rounds, not truth. The numbers go to a file of this machine, where a later run can only
lower them. A table is printed for each case.

``--growth`` goes from T = 10 to 10,000 and from 64 to 1,024 hidden units. ``--memory``
measures by how many MB the first step raises the peak of its process, compiling
included. ``--page`` measures nothing: it
writes the tables of docs/performance.md.
"""

import argparse
import json
import math
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np

# The project and its tests are found without being installed.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import contenders, handwritten, networks, page, results
from tests.benchmarks.cases import ALLOWED, CASES, GROWTH, SIZES, WIDE, error
from tests.benchmarks.contenders import CONTENDERS, OTHERS

OTHER = "other work"
EVERY = SIZES | GROWTH | WIDE
RECOMPUTE, LAYER = "minigrad recompute", "torch nn.RNN, nn.LSTM"
# Those whose time at T = 10,000 is no minute.
GROWING = ("floor", "limit", "hand", "compiled", "jax", "nn.RNN")


def reference(case, size, dtype):
    """Loss and gradients in float64: by hand, or of other work by minigrad, eager."""
    if case != OTHER:
        return handwritten.reference(case, EVERY[size], dtype)
    network, parameters, data = networks.other(size, dtype)

    def widened(a):
        return a.astype(np.float64) if a.dtype.kind == "f" else a

    wide = {name: widened(a) for name, a in parameters.items()}
    library = OTHERS["minigrad eager"]()
    return library.step(network, wide, [widened(a) for a in data])()


def make(contender, case, size, dtype):
    """The step of a contender, a function of nothing."""
    if case == OTHER:
        return contenders.other(size, contender, dtype)
    return CONTENDERS[contender](case, EVERY[size], dtype)


def peak():
    """The most MB this process has held; ru_maxrss starts from that of its parent."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024


def turn(step, number):
    """The least processor time of a step in 20 ms and at least two steps.

    ``number`` steps are timed together where one is short against the clock.
    """
    best = math.inf
    end, done = time.process_time() + 0.02, 0
    while done < 2 or time.process_time() < end:
        start = time.process_time()
        for _ in range(number):
            step()
        best = min(best, (time.process_time() - start) / number)
        done += 1
    return best


def work(contender, case, size, dtype, wanted):
    """A contender's process: each line read is one turn, each line written its time."""
    step = make(contender, case, size, dtype)
    before, start = peak(), time.process_time()
    found = step()
    first = {"first_ms": 1000 * (time.process_time() - start), "MB": peak() - before}
    if contender == contenders.FLOOR:
        first = {}
    else:
        with np.load(wanted) as arrays:
            off = error(found, [arrays[name] for name in arrays.files])
        del found
        if not off <= ALLOWED[dtype]:
            first = {"left_out": f"differs from float64 by {off:.0e}"}
    print(json.dumps(first), flush=True)
    start = time.process_time()
    step()
    number = max(1, int(0.0005 / (time.process_time() - start)))
    for _ in sys.stdin:
        print(1000 * turn(step, number), flush=True)


def entered(case, only, growth=False):
    """The contenders that run a case; who needs what is not here is named."""
    words = only or (GROWING if growth else ())
    found = []
    for name in OTHERS if case == OTHER else CONTENDERS:
        if words and not any(word in name for word in words):
            continue
        if name == RECOMPUTE and not words:
            continue  # it spares memory, and is no faster
        if name == LAYER and case == "output feedback":
            continue  # there is no such layer
        missing = contenders.needs(name)
        if missing:
            print(f"left out: {name}, {missing} is not here", file=sys.stderr)
        else:
            found.append(name)
    return found


def started(name, case, size, dtype, wanted):
    task = json.dumps([name, case, size, dtype, wanted])
    return subprocess.Popen(
        [sys.executable, __file__, "--work", task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(names, case, size, dtype, rounds, memory, put):
    """Run the processes in turns; hand what they find to ``put(name, **numbers)``."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = os.path.join(folder, "wanted.npz")
        np.savez(wanted, *reference(case, size, dtype))
        task = case, size, dtype, wanted
        # All at once, since processor time is counted; for a peak one after the other.
        running = {} if memory else {name: started(name, *task) for name in names}
        for name in names:
            process = running.get(name) or started(name, *task)
            line = process.stdout.readline()
            numbers = json.loads(line) if line else {"left_out": "its process ended"}
            if "left_out" in numbers:
                why = numbers["left_out"]
                print(f"LEFT OUT: {name}, {case}, {size}: {why}", file=sys.stderr)
            elif not memory:
                numbers.pop("MB", None)
            else:
                numbers = {"MB": numbers["MB"]}
            put(name, **numbers)
            if memory or "left_out" in numbers:
                process.communicate()
                running.pop(name, None)
    for _ in range(rounds):
        for name, process in running.items():
            process.stdin.write("\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                sys.exit(f"{name} ended in {case}, {size}: its message stands above")
            put(name, ms=float(line))
    for process in running.values():
        process.communicate()


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", help=", ".join([*EVERY, *networks.OTHER]))
    parser.add_argument("--cases", nargs="+", help=f"words of {(*CASES, OTHER)}")
    parser.add_argument("--only", nargs="+", default=[], help="words of contenders")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", choices=ALLOWED, default="float32")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--result", type=Path, default=results.default_path())
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(given):
    """The cases and their sizes that the words of a command choose."""
    unknown = {*given.sizes} - {*EVERY, *networks.OTHER}
    if unknown:
        sys.exit(f"no size {', '.join(unknown)} of {', '.join(EVERY)}")
    one = given.growth or given.memory or {*given.sizes} - {*SIZES, *networks.OTHER}
    words = given.cases or ([CASES[0]] if one else [""])
    for case in (*CASES, OTHER):
        if any(word in case for word in words):
            own = networks.OTHER if case == OTHER else EVERY
            usual = own if case == OTHER else GROWTH if given.growth else SIZES
            yield case, [size for size in given.sizes or usual if size in own]


def main():
    given = options()
    if given.work:
        return work(*json.loads(given.work))
    if given.page:
        text = page.PAGE.read_text(encoding="utf-8")
        page.PAGE.write_text(page.written(text), encoding="utf-8")
        return None
    file = results.Results.of_this_machine(given.result)
    for case, sizes in chosen(given):
        names = entered(case, given.only, given.growth) if sizes else []
        for size in sizes:
            print(f"{case}, {size}, {given.dtype}", file=sys.stderr)
            put = partial(file.put, given.dtype, case, size)
            race(names, case, size, given.dtype, given.rounds, given.memory, put)
            file.save()
        if sizes:
            key = "MB" if given.memory else "ms"
            print(f"\n{case}, {given.dtype}\n")
            print(page.table(file, key, given.dtype, case, sizes, given.only))
    return None


if __name__ == "__main__":
    main()
