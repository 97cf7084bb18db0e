"""What NumPy does in place, into an array, and over all steps at once."""

from minigrad.compile.counts import Count, Steps
from minigrad.compile.kinds import O
from minigrad.compile.numpy.abilities import ABLE, can_batch
from minigrad.compile.values import Time, apply, argument, each, read

WHOLE = Steps(0, Count(0, 1), Count(1, 0))


def test_what_runs_over_all_steps_at_once():
    x = read(argument("xs", (Count(1, 0), 3, 2), "float64"), WHOLE)
    V = each(argument("V", (2, 4), "float64"), WHOLE)
    assert can_batch(apply(O.matmul, x, V))
    assert can_batch(apply(O.softmax, x))
    assert not can_batch(apply(O.logsumexp, x, axis=None))
    assert not can_batch(apply(O.tanh, V))
    assert ABLE.writes(apply(O.tanh, x))
    assert not ABLE.fresh(apply(O.flip, x, axis=0))
    assert Time.read is x.op
