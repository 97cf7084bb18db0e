"""Reads written equations and computes them with columns, as the book would.

It knows the notation and nothing of trees: so what is written is tested apart from what
is computed. One sequence at a time: a row (1, n) of minigrad is a column (n, 1) here.
"""

import re

import numpy as np

LEXEMES = re.compile(
    r"\[t-1\]|softmax|tanh|diag|σ|exp|log|Σ_\{|Σ_\w+|ᵀ|²|⊙|_\{|_|\.\.|"
    r"[\[\](){}+=;,:-]|\d+|[a-z]"
)
NUMBER = re.compile(r"\d[\d./()T ]*(e-\d+)?$")
FUNCTIONS = {"tanh": np.tanh, "exp": np.exp, "log": np.log}
FUNCTIONS["σ"] = lambda x: 1 / (1 + np.exp(-x))
FUNCTIONS["softmax"] = lambda x: np.exp(x) / np.exp(x).sum()
FUNCTIONS["diag"] = lambda x: np.diag(x[:, 0])


def column(array):
    array = np.asarray(array)
    return array.reshape(-1, 1) if array.ndim == 1 else array.T


class Reader:
    """One right side at step t: a sum of products of factors."""

    def __init__(self, tokens, value, t, T):
        self.items, self.value, self.T = [], value, T
        for token in tokens:
            text = token.text.strip()
            if token.of is not None:
                post = "ᵀ" if token.text.endswith("ᵀ") else ""
                self.items += [token.of, *post]
            elif NUMBER.match(text):
                self.items.append(float(eval(text.replace(" ", "*"), {"T": T})))
            elif text:
                self.items += LEXEMES.findall(text)
        self.i, self.at = 0, {"t": t, "T": T}

    def next(self):
        return self.items[self.i] if self.i < len(self.items) else None

    def take(self, *expected):
        found = self.next()
        assert not expected or found in expected, (found, self.items)
        self.i += 1
        return found

    def sum(self):
        minus = self.next() == "-" and self.take()
        total = -self.product() if minus else self.product()
        while self.next() in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            total = total + sign * self.product()
        return total

    def product(self):
        """Factors beside one another, then ⊙ between them; a Σ reaches to the end."""
        left = self.beside()
        while self.next() == "⊙":
            self.take()
            left = left * self.beside()
        return left

    def beside(self):
        if isinstance(self.next(), str) and self.next().startswith("Σ"):
            return self.over_steps()
        found = self.factor()
        while not isinstance(self.next(), str) or self.next() in STARTS:
            if self.next() is None:
                break
            big = isinstance(self.next(), str) and self.next().startswith("Σ")
            other = self.over_steps() if big else self.factor()
            scalar = np.size(found) == 1 or np.size(other) == 1
            found = found * other if scalar else found @ other
        return found

    def over_steps(self):
        first, last, letter = 1, self.T, self.take()[2:]
        if letter == "{":
            letter, *_ = self.take(), self.take("=")
            first = self.number_until("..")
            last = self.number_until("}")
        outer, start, total = dict(self.at), self.i, 0
        for step in range(first, last + 1):
            self.i, self.at = start, outer | {letter: step}
            total = total + self.product()
        self.at = outer
        return total

    def number_until(self, end):
        said = ""
        while (item := self.take()) != end:
            said += str(int(item)) if isinstance(item, float) else item
        return eval(said, {"T": self.T})

    def factor(self):
        item = self.take()
        if not isinstance(item, str):
            number = isinstance(item, float)
            if number and item == 1 and self.next() == "_{":
                return self.unit()
            found = item if number else self.value(item, self.at)
        elif item in FUNCTIONS:
            self.take("(")
            found = FUNCTIONS[item](self.sum())
            self.take(")")
        else:
            parts = [self.sum()]
            while item == "[" and self.next() == ";":
                self.take()
                parts.append(self.sum())
            self.take({"(": ")", "[": "]"}[item])
            found = np.concatenate(parts) if item == "[" else parts[0]
        while self.next() in ("ᵀ", "²", "_{"):
            mark = self.take()
            if mark == "_{":
                a, b = self.number_until(":"), self.number_until("}")
                found = found[a - 1 : b]
            else:
                found = found.T if mark == "ᵀ" else found**2
        return found

    def unit(self):
        self.take("_{")
        y = int(np.squeeze(self.value(self.take(), self.at)))
        self.take("}")
        return np.eye(self.classes)[:, [y]]


STARTS = {*FUNCTIONS, "(", "[", "Σ_{", "Σ_t", "Σ_i", "Σ_n"}


def right_side(equation, value, t, T, classes):
    """What an equation says that its symbol is at step t."""
    tokens = equation.tokens()[2:]
    if tokens[-1].text.startswith(","):
        tokens = tokens[:-1]  # at which steps it holds
    if tokens[0].text == "-log ":  # -log softmax(o)_y
        o, y = [r for r in tokens if r.of is not None]
        at = {"t": t, "T": T}
        p = FUNCTIONS["softmax"](value(o.of, at))
        return -np.log(p[int(np.squeeze(value(y.of, at)))])
    reader = Reader(tokens, value, t, T)
    reader.classes = classes
    found = reader.sum()
    assert reader.next() is None, reader.items[reader.i :]
    return found
