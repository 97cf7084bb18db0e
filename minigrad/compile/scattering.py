"""The cotangent of an array that the steps of a loop have indexed.

What steps have read of an array they send back to it: ``scatter_n`` of a cotangent and
a key for each. Where a key allows it the cotangents of all steps go at once, ``over``
them at a window of the array, or their ``total`` at a key that does not move.
"""

from typing import Any

from minigrad.compile.counts import Count
from minigrad.compile.kinds import O
from minigrad.compile.reading import LiftError, Reading
from minigrad.compile.values import Value, apply, moves, over, total
from minigrad.fold.moving_index import Ahead, mapped
from minigrad.fold.roles import Role, Source
from minigrad.ops.indexing import places_in


class Scattering(Reading):
    """A reading that knows what a scatter of many steps is."""

    def _scatter(self, role: Role) -> Value:
        """scatter_n with the cotangents of all steps at once."""
        columns = role.attrs["keys"]
        (like, _), *pairs = [
            pair
            for operand, keys in zip(role.operands, columns, strict=True)
            for pair in zip(operand, keys, strict=True)
        ]
        waiting = [source for source, key in pairs if key is None]
        values, keys, indices = [], [], list[Value]()
        for source, key in pairs:
            if key is None:
                continue
            own = [_next_index(waiting, source) for _ in range(places_in(key))]
            if own and source.kind == "gather":
                # A mask of all steps together would be one of two axes.
                masks = any(self.roles[i.role].spec.dtype == "bool" for i in own)
                if masks or not _leads(key) or any(i.kind != "gather" for i in own):
                    raise LiftError(f"a scatter at {key}")
                values.append(over(self._gathered(source)))
                keys.append(key)
                indices += map(over, _of_one_rank([self._gathered(i) for i in own]))
            else:
                value, at_once = self._scattered(source, key)
                values.append(value)
                keys.append(at_once)
                indices += map(self._picked, own)
        inputs = (self._picked(like), *values, *indices)
        every = (None, *keys, *[None] * len(indices))
        shape, dtype = self._shape(role), role.spec.dtype
        return Value(O.scatter_n, inputs, {"keys": every}, shape, dtype)

    def _scattered(self, source: Source, key: Any) -> tuple[Value, Any]:
        """A cotangent and its key; all steps of it at once where there are many."""
        if source.kind != "gather":
            if moves(key):
                steps = self._at(source)
                key = _key_at(key, steps.first, self._count(-1, steps.clock))
            return self._picked(source), key
        timed = self._gathered(source)
        if not moves(key):
            return total(timed), key
        found = moving(key)
        if found is None:
            raise LiftError(f"a scatter at {key}")
        first, rest = found
        steps, every = timed.span, over(timed)
        if first.from_end:
            every = apply(O.flip, every, axis=0)
            end = self._count(-1, steps.clock).plus(first.k)
            low, high = end.minus(steps.last), end.minus(steps.first).plus(1)
        else:
            low, high = steps.first.plus(first.k), steps.last.plus(first.k + 1)
        if low.at(self.lengths) < 0:
            raise LiftError(f"a scatter at {key}")
        window = slice(low, high)
        return every, (window, *rest) if rest else window


def moving(key: Any) -> tuple[Ahead, tuple[Any, ...]] | None:
    """Of a key like [t + k, 1:3] what moves, and the rest; None for any other."""
    first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
    if not isinstance(first, Ahead) or moves(rest):
        return None
    return (first, rest) if all(isinstance(k, (int, slice)) for k in rest) else None


def _next_index(indices: list[Source], cotangent: Source) -> Source:
    """The index of a cotangent: of a run over the steps as much as it has."""
    unequal = LiftError("indices and cotangents of different steps")
    if not indices:
        raise unequal
    index, mine = indices[0], cotangent.at
    if index.at == mine:
        return indices.pop(0)
    if mine is None or index.at is None:
        if mine is None and index.at is None:
            return indices.pop(0)
        raise unequal
    run = index.at
    if run.down != mine.down and mine.first != mine.last:
        raise unequal
    start, end = (mine.last, mine.first) if run.down else (mine.first, mine.last)
    if (run.last if run.down else run.first) != start:
        raise unequal
    after = end - 1 if run.down else end + 1
    if not after or (after > 0) != (end > 0):
        raise unequal
    rest = run._replace(last=after) if run.down else run._replace(first=after)
    indices[0] = index._replace(at=rest)
    kind = "pick" if mine.first == mine.last else "gather"
    return index._replace(at=mine._replace(down=run.down), kind=kind)


def _key_at(key: Any, t: Count, end: Count) -> Any:
    """A key at one step, which may be counted from the end of its loop."""

    def number(ahead: Ahead) -> int | Count:
        count = (end.minus(t) if ahead.from_end else t).plus(ahead.k)
        return count if count.a else count.b

    return mapped(key, Ahead, number)


def _leads(key: Any) -> bool:
    """Whether the index arrays of a key come first, and nothing but slices behind."""
    parts = key if isinstance(key, tuple) else (key,)
    return not moves(key) and all(
        isinstance(part, slice) for part in parts[places_in(key) :]
    )


def _of_one_rank(indices: list[Value]) -> list[Value]:
    """Indices with as many axes, so that a further axis in front is one of all."""
    most = max(len(i.shape) for i in indices)
    return [
        i if len(i.shape) == most
        else apply(O.expand_dims, i, axis=tuple(range(most - len(i.shape))))
        for i in indices
    ]  # fmt: skip
