"""The strongly connected parts of a graph: what depends on itself.

>>> strongly_connected([[1], [0], [0]])
[0, 0, 1]
"""

from collections.abc import Sequence


def strongly_connected(reads: Sequence[Sequence[int]]) -> list[int]:
    """For each node the number of its part; a part has a higher one than it reads.

    Tarjan (1972), without recursion.
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    part = [-1] * len(reads)
    open_: list[int] = []
    parts = 0
    for root in range(len(reads)):
        work = [] if root in order else [(root, iter(reads[root]))]
        while work:
            node, rest = work[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                open_.append(node)
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    while part[node] < 0:
                        part[open_.pop()] = parts
                    parts += 1
            elif child not in order:
                work.append((child, iter(reads[child])))
            elif part[child] < 0:
                low[node] = min(low[node], order[child])
    return part
