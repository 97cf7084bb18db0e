"""n-gram models, the baseline of a text: counts with Witten-Bell smoothing.

>>> model = NGrams("abababab", "ab", order=2)
>>> model.bits("abab") < NGrams("abababab", "ab", order=1).bits("abab")
True
"""

from collections import Counter
from collections.abc import Mapping
from math import log2


def grams(text: str, order: int) -> dict[str, int]:
    """How often each piece of 1 to ``order`` symbols is there.

    >>> grams("aba", 2)
    {'a': 2, 'b': 1, 'ab': 1, 'ba': 1}
    """
    counts: Counter[str] = Counter()
    for n in range(1, order + 1):
        counts.update(text[i : i + n] for i in range(len(text) - n + 1))
    return dict(counts)


class NGrams:
    """The next symbol from the ``order - 1`` before it (Witten and Bell 1991).

    P(c | context) = (count(context c) + kinds P(c | shorter)) / (count + kinds), with
    the number of kinds of symbols seen after that context. ``text`` is what is counted,
    or its ``grams`` of that order at least.
    """

    def __init__(self, text: str | Mapping[str, int], symbols: str, order: int) -> None:
        self.size, self.order = len(symbols), order
        self.counts = Counter(grams(text, order) if isinstance(text, str) else text)
        self.totals: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        for gram, count in self.counts.items():
            self.totals[gram[:-1]] += count
            self.kinds[gram[:-1]] += 1

    def probability(self, context: str, symbol: str) -> float:
        """P(symbol | the last ``order - 1`` symbols of the context)."""
        p = 1 / self.size
        context = context[max(0, len(context) - self.order + 1) :]
        for start in range(len(context), -1, -1):
            seen = context[start:]
            total, kinds = self.totals[seen], self.kinds[seen]
            if total:
                p = (self.counts[seen + symbol] + kinds * p) / (total + kinds)
        return p

    def bits(self, text: str) -> float:
        """The mean of -log2 P over the symbols of a text."""
        return sum(self.each(text)) / len(text)

    def each(self, text: str) -> list[float]:
        """-log2 P of each symbol of a text."""
        back = self.order - 1
        return [
            -log2(self.probability(text[max(0, i - back) : i], c))
            for i, c in enumerate(text)
        ]
