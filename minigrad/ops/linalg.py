"""Products that sum over axes: matmul, dot, outer, tensordot, einsum.

>>> import minigrad as mg
>>> import numpy as np
>>> (mg.tensor(np.ones((2, 3))) @ np.ones((3, 4))).shape
(2, 4)
"""

from inspect import Parameter, Signature
from string import ascii_letters
from typing import Any

import numpy as np

from minigrad.op import Op, op
from minigrad.ops.reduction import spread
from minigrad.ops.shape import reshape_like


def from_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """The cotangent of a in a @ b; the engine sums over broadcast batch axes.

    >>> from_left(np.ones((2, 4)), None, np.ones((2, 3)), np.ones((3, 4))).shape
    (2, 3)
    """
    if a.ndim == 2 and b.ndim == 2:
        return g.dot(b.T)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if a.ndim == 1:
        return (np.expand_dims(g, -2) @ np.swapaxes(b, -1, -2))[..., 0, :]
    return g @ np.swapaxes(b, -1, -2)


def from_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """The cotangent of b in a @ b.

    >>> from_right(np.ones((2, 4)), None, np.ones((2, 3)), np.ones((3, 4))).shape
    (3, 4)
    """
    if a.ndim == 2 and b.ndim == 2:
        return a.T.dot(g)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * a
    if a.ndim == 1:
        return np.expand_dims(a, 1) * np.expand_dims(g, -2)
    return np.swapaxes(a, -1, -2) @ g


@op(from_left, from_right, numpy=np.matmul)
def matmul(a: Any, b: Any) -> Any:
    """The matrix product, with NumPy's rules for 1-D operands and batch axes."""
    # Small 2-D products through dot cost half of what matmul does.
    if a.__class__ is b.__class__ is np.ndarray and a.ndim == b.ndim == 2:
        return a.dot(b)
    return np.matmul(a, b)


@op(
    lambda g, y, a, b: _dot_left(g, a, b),
    lambda g, y, a, b: _dot_right(g, a, b),
    numpy=np.dot,
)
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: the product over the last axis of a and the next to last of b."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)  # a Python number does not widen float32
    return np.dot(a, b)


def _dot_left(g: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return g * b
    if a.ndim == 2 and b.ndim == 2:
        return g.dot(b.T)
    return _tensordot_rule(g, a, b, ([-1], [-min(b.ndim, 2)]), True)


def _dot_right(g: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return g * a
    if a.ndim == 2 and b.ndim == 2:
        return a.T.dot(g)
    return _tensordot_rule(g, a, b, ([-1], [-min(b.ndim, 2)]), False)


@op(
    lambda g, y, a, b: reshape_like(g.dot(np.reshape(b, -1)), a),
    lambda g, y, a, b: reshape_like(np.reshape(a, -1).dot(g), b),
    numpy=np.outer,
)
def outer(a: Any, b: Any) -> Any:
    """a_i b_j of the flattened operands, shape (a.size, b.size)."""
    return np.outer(a, b)


def _contracted(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of a and of b that tensordot sums over, pairwise."""
    if isinstance(axes, (int, np.integer)):
        return [*range(np.ndim(a) - axes, np.ndim(a))], [*range(axes)]
    left, right = (np.atleast_1d(ax).tolist() for ax in axes)
    return [ax % a.ndim for ax in left], [ax % b.ndim for ax in right]


def _tensordot_rule(g: Any, a: Any, b: Any, axes: Any, of_left: bool) -> Any:
    """g contracted with the other operand, its axes put in the order of this one's."""
    mine, theirs = _contracted(a, b, axes)
    if not of_left:
        a, b, mine, theirs = b, a, theirs, mine
    free = [ax for ax in range(np.ndim(a)) if ax not in mine]
    others = [ax for ax in range(np.ndim(b)) if ax not in theirs]
    # The free axes of the left operand come first in g.
    place = len(free) if of_left else 0
    d = np.tensordot(g, b, axes=([*range(place, place + len(others))], others))
    order = free + [mine[theirs.index(ax)] for ax in sorted(theirs)]
    return np.transpose(d, [order.index(ax) for ax in range(np.ndim(a))])


@op(
    lambda g, y, a, b, axes=2: _tensordot_rule(g, a, b, axes, True),
    lambda g, y, a, b, axes=2: _tensordot_rule(g, a, b, axes, False),
    numpy=np.tensordot,
)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes: the last and first ``axes`` ones, or two lists."""
    return np.tensordot(a, b, axes)


class Einsum(Op):
    """The op einsum, called in NumPy's order: the subscripts, then the operands.

    >>> import minigrad as mg
    >>> isinstance(mg.einsum, Einsum), mg.einsum("ij->j", np.ones((2, 3))).tolist()
    (True, [2.0, 2.0, 2.0])
    """

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Compute, and record if an operand is a Tensor."""
        if args and isinstance(args[0], str) and len(args) > 1 and not attrs:
            return super().__call__(args[1:], subscripts=args[0])
        if attrs.keys() != {"subscripts"}:
            raise TypeError(
                "einsum takes its subscripts first, as a str, then the operands, and "
                'no keyword: einsum("ij,jk->ik", a, b)'
            )
        return super().__call__(*args, **attrs)


def _einsum(xs: Any, subscripts: str) -> Any:
    """Products of operands summed over subscripts, as np.einsum: "ij,jk->ik".

    A letter is an axis: equal ones have one length, and those that the result lacks are
    summed over.
    """
    return np.einsum(subscripts, *xs, optimize=len(xs) > 2)


def _labels(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """A letter for each axis of each operand and of the result, without ellipsis."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    spare = [letter for letter in ascii_letters if letter not in subscripts]
    hidden = max(
        n - len(term) + 3 if "..." in term else 0
        for term, n in zip(terms, ndims, strict=True)
    )
    dots = "".join(spare[:hidden])
    if not arrow:
        once = [c for c in sorted(set(left) - {".", ","}) if left.count(c) == 1]
        result = "..." + "".join(once)
    full = [
        term.replace("...", dots[hidden - (n - len(term) + 3) :])
        for term, n in zip(terms, ndims, strict=True)
    ]
    return full, result.replace("...", dots)


def _einsum_rule(i: int, g: Any, xs: Any, subscripts: str) -> Any:
    """g times all other operands, spread over the subscripts that only x_i has.

    Where x_i is longer along a subscript than all others, which have length 1 there, it
    is as if they did not have it; where x_i is the short one its cotangent is a sum.
    """
    terms, result = _labels(subscripts, [np.ndim(x) for x in xs])
    mine, own = terms[i], "".join(dict.fromkeys(terms[i]))
    others = [(terms[k], xs[k]) for k in range(len(xs)) if k != i]
    lengths = dict(zip(mine, np.shape(xs[i]), strict=True))
    known: dict[str, int] = {}
    for term, x in [(result, g), *others]:
        for c, n in zip(term, np.shape(x), strict=True):
            known[c] = n if known.get(c, 1) == 1 else known[c]
    found = "".join(c for c in own if known.get(c) == lengths[c])
    spec = ",".join([result, *(term for term, _ in others)]) + "->" + found
    d = einsum(spec, g, *(x for _, x in others))
    if found != own:
        lonely = tuple(k for k, c in enumerate(own) if c not in found)
        single = xs[i] if mine == own else einsum(f"{mine}->{own}", xs[i])
        d = spread(d, single, axis=lonely)
    return d if mine == own else _on_diagonal(d, xs[i], mine, own)


def _on_diagonal(d: Any, x: Any, mine: str, own: str) -> Any:
    """d, with one axis per letter, on the diagonal of the axes that share a letter."""
    spare = [letter for letter in ascii_letters if letter not in mine]
    letters, units, terms = [], [], []
    for axis, c in enumerate(mine):
        first = mine.index(c)
        letters.append(c if axis == first else spare.pop())
        if axis != first:
            units.append(identity_like(x, axis=axis))
            terms.append(c + letters[-1])
    return einsum(f"{','.join([own, *terms])}->{''.join(letters)}", d, *units)


einsum: Op = Einsum(
    _einsum,
    lambda i, g, y, xs, subscripts="": _einsum_rule(i, g, xs, subscripts),
    variadic=True,
    name="einsum",
    numpy=np.einsum,
)
einsum.__signature__ = Signature(
    [
        Parameter("subscripts", Parameter.POSITIONAL_ONLY, annotation=str),
        Parameter("operands", Parameter.VAR_POSITIONAL),
    ]
)


@op(None)
def identity_like(x: Any, axis: int = -1) -> Any:
    """The identity matrix with as many rows as x has elements along ``axis``."""
    return np.eye(x.shape[axis], dtype=x.dtype)
