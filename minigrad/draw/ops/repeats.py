"""Blocks that are alike, outside of time: one stands for all of them.

Vocabulary
    block   the items of one entry into a scope
    alike   the same operations in the same order, on what the block before has computed
            or what all blocks read; parameters of the same shapes, each its own

>>> import minigrad as mg
>>> x = mg.tensor([1.0], name="x")
>>> for k in range(6):
...     with mg.scope("block"):
...         x = mg.tanh(x * mg.parameter([0.5], name=f"w{k}"))
>>> from minigrad.draw.ops.items import Reader
>>> kept, times = folded(Reader(mg.Graph(x)).items())
>>> [item.words for item in kept], [*times.values()]
(['x', 'w0', '×', 'tanh'], [6])
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from minigrad.draw.ops.items import Item

FEWEST = 3
Blocks = list[list[Item]]


def folded(items: Sequence[Item]) -> tuple[list[Item], dict[Any, int]]:
    """The items with one block of each run of alike ones, and how many it stands for.

    What reads the last block reads the one that stands for it.
    """
    times: dict[Any, int] = {}
    instead: dict[str, str] = {}
    for blocks in _runs(items):
        times[blocks[0][0].scope[:1]] = len(blocks)
        for block in blocks[1:]:
            instead |= {b.key: a.key for a, b in zip(blocks[0], block, strict=True)}
    if not instead:
        return [*items], {}
    kept = [
        replace(item, inputs=tuple(instead.get(key, key) for key in item.inputs))
        for item in items
        if item.key not in instead
    ]
    read = {key for item in kept for key in item.inputs}
    unread = {i.key for i in items if i.leaf} - read
    return [item for item in kept if item.key not in unread], times


def _runs(items: Sequence[Item]) -> list[Blocks]:
    """The runs of blocks that are alike and follow one another."""
    entries: dict[Any, list[Item]] = {}
    for item in items:
        if item.scope and item.column is None and not item.leaf:
            entries.setdefault(item.scope[:1], []).append(item)
    blocks = list(entries.values())
    at = {item.key: item for item in items}
    runs: list[Blocks] = []
    for block in blocks:
        last = runs[-1] if runs else [[]]
        named = last[-1] and last[-1][0].scope[0][0] == block[0].scope[0][0]
        if named and _alike(last[-1], block, last, at):
            last.append(block)
        else:
            runs.append([block])
    return [run for run in runs if len(run) >= FEWEST and _closed(run, items)]


def _closed(run: Blocks, items: Sequence[Item]) -> bool:
    """Whether nothing but the blocks themselves reads any but the last one."""
    mine = {item.key for block in run for item in block}
    hidden = {item.key for block in run[:-1] for item in block}
    return not any(hidden & {*i.inputs} for i in items if i.key not in mine)


def _alike(
    before: list[Item], block: list[Item], run: Blocks, at: dict[str, Item]
) -> bool:
    """Whether a block does to the one before it what that did to its own."""
    if [*map(_said, before)] != [*map(_said, block)]:
        return False
    inside = {b.key: a.key for a, b in zip(before, block, strict=True)}
    out = {item.key for item in before}
    earlier = {}
    if len(run) > 1:
        earlier = {a.key: b.key for a, b in zip(before, run[-2], strict=True)}
    for a, b in zip(before, block, strict=True):
        for p, q in zip(a.inputs, b.inputs, strict=True):
            chained = q in out and (not earlier or earlier[q] == p)
            leaves = at[p].leaf and at[q].leaf and _said(at[p]) == _said(at[q])
            if not (chained or leaves or p in (q, inside.get(q))):
                return False
    return True


def _said(item: Item) -> Any:
    """What alike items have in common: not the names of their parameters."""
    scopes = [part[0] for part in item.scope or ()]
    name = "" if item.leaf else item.name
    return item.operation, name, len(item.inputs), scopes
