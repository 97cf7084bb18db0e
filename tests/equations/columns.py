"""Reads written equations and computes them with columns, as the book would.

It knows the notation and nothing of trees: so what is written is tested apart from what
is computed. One sequence at a time: a row (1, n) of minigrad is a column (n, 1) here.
"""

import re
from functools import reduce

import numpy as np

LEXEME = re.compile(
    r"\s*(Σ_\{|Σ_\w+|ᵀ|²|⊙|_\{|\.\.|\d+|\w+|[\[\](){}+=;,:/<>≤≥≠∧∨-])\s*"
)
NUMBER = re.compile(r"(-?)(\d[\d./()T ]*(?:e-\d+)?)$")
FUNCTIONS = {
    "tanh": np.tanh, "exp": np.exp, "log": np.log, "absolute": np.abs, "sign": np.sign,
    "maximum": np.maximum, "minimum": np.minimum, "max": np.max,
    "σ": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
    "diag": lambda x: np.diag(x[:, 0]),
}  # fmt: skip
COMPARED = {
    "<": np.less, "≤": np.less_equal, ">": np.greater, "≥": np.greater_equal,
    "=": np.equal, "≠": np.not_equal,
}  # fmt: skip
BOTH = {"∧": np.logical_and, "∨": np.logical_or}


class UnreadError(Exception):
    """Notation that this reader does not know."""


def column(array):
    array = np.asarray(array)
    return array.reshape(-1, 1) if array.ndim == 1 else array.T


def lexemes(text):
    """The signs of a piece of text, of which none is left out."""
    end = 0
    while end < len(text):
        found = LEXEME.match(text, end)
        if found is None:
            raise UnreadError(text)
        yield found[1]
        end = found.end()


class Reader:
    """One right side at step t: a sum of products of factors."""

    def __init__(self, tokens, value, t, T):
        self.items, self.value, self.T = [], value, T
        for token in tokens:
            text = token.text.strip()
            if token.of is not None:
                post = "ᵀ" if token.text.endswith("ᵀ") else ""
                self.items += [token.of, *post]
            elif number := NUMBER.match(text):
                size = eval(number[2].replace(" ", "*"), {"T": T})
                self.items += [*number[1], float(size)]
            else:
                self.items += lexemes(text)
        self.i, self.at = 0, {"t": t, "T": T}

    def next(self):
        return self.items[self.i] if self.i < len(self.items) else None

    def take(self, *expected):
        found = self.next()
        if found is None or (expected and found not in expected):
            raise UnreadError(found, self.items)
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
        while self.next() in ("⊙", "/"):
            over = self.take() == "/"
            left = left / self.factor() if over else left * self.beside()
        return left

    def beside(self):
        found = None
        while self.next() is not None:
            item = self.next()
            big = isinstance(item, str) and item.startswith("Σ")
            if not big and not starts(item):
                break
            other = self.over(item) if big else self.factor()
            if found is None:
                found = other
            else:
                scalar = np.size(found) == 1 or np.size(other) == 1
                found = found * other if scalar else found @ other
        if found is None:
            raise UnreadError(self.next(), self.items)
        return found

    def over(self, sigma):
        """A sum over features (i), sequences (n), or steps."""
        if sigma not in ("Σ_i", "Σ_n", "Σ_ni"):
            return self.over_steps()
        self.take()
        x = self.product()
        axes = {"Σ_i": 0, "Σ_n": 1, "Σ_ni": None}[sigma]
        return x if np.ndim(x) < 2 else x.sum(axis=axes, keepdims=True)

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
            operands = [self.sum()]
            while self.next() == ",":
                self.take()
                operands.append(self.sum())
            self.take(")")
            found = FUNCTIONS[item](*operands)
        elif item.isdigit():
            found = float(item)
        elif item == "[":
            found = self.bracket()
        elif item == "(":
            found = self.sum()
            self.take(")")
        else:
            raise UnreadError(item, self.items)
        while self.next() in ("ᵀ", "²", "_{"):
            mark = self.take()
            if mark == "_{":
                a, b = self.number_until(":"), self.number_until("}")
                found = found[a - 1 : b]
            else:
                found = found.T if mark == "ᵀ" else found**2
        return found

    def bracket(self):
        """[a > b ∧ c = d] is 1 where it holds and 0 elsewhere; [a; b] is joined."""
        parts = [self.held()]
        mark = self.next()
        while self.next() in (";", "∧", "∨"):
            self.take(mark)  # of one kind, or they are in brackets
            parts.append(self.held())
        self.take("]")
        if mark == ";":
            return np.concatenate(parts)
        return reduce(BOTH[mark], parts) * 1.0 if mark in BOTH else parts[0]

    def held(self):
        found = self.sum()
        if self.next() not in COMPARED:
            return found
        return COMPARED[self.take()](found, self.sum()) * 1.0

    def unit(self):
        self.take("_{")
        y = int(np.squeeze(self.value(self.take(), self.at)))
        self.take("}")
        return np.eye(self.classes)[:, [y]]


def starts(item):
    """Whether a factor starts here."""
    return (
        item in ("(", "[")
        or item in FUNCTIONS
        or str(item)[0].isdigit()
        or (not isinstance(item, str))
    )


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
    if reader.next() is not None:
        raise UnreadError(reader.items[reader.i :])
    return found
