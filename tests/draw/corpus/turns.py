"""Loops in loops: what a step does again and again within itself."""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, zeros


def _words(words=3, letters=3):
    return np.random.default_rng(0).normal(size=(words, letters, 1, 3))


def many_letters():
    """More letters than there is room for."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words(3, 8)):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def carried():
    """The state of the letters goes on from word to word."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for _, w, y in mg.steps(w=_words(4), y=Y(4)):
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def from_the_state():
    """The letters of a word start from the words before it."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h = mg.tanh(s @ B).named("c")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A).named("s")
    return s


def mean_of_letters():
    """A word reads the states of all its letters."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h, hs = zeros("h0"), []
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
            hs.append(h)
        m = mg.stack(hs).mean(axis=0).named("m")
        s = mg.tanh(m @ A + s @ B).named("s")
    return s


def two_states():
    """The letters have a state h and a memory c."""
    U, W, R, A, B = P("U 3 4, W 4 4, R 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h, c = zeros("h0"), zeros("c0")
        with mg.scope("letters"):
            for _, x in mg.steps(x=w):
                c = (0.5 * c + mg.tanh(x @ U + h @ W)).named("c")
                h = mg.tanh(c @ R).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def one_start():
    """One initial state for the letters of all words."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s, start = zeros("s0"), zeros("h0")
    for _, w in mg.steps(w=_words()):
        h = start
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def read_and_write():
    """Letters are read, and then as many are written."""
    U, W, R, V = P("U 3 4, W 4 4, R 4 4, V 4 2")
    os = []
    for _, w in mg.steps(w=_words(3, 2)):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = h
        for _ in mg.steps(2):
            s = mg.tanh(s @ R).named("s")
            os.append((s @ V).named("o"))
    return mean(os)


def three_deep():
    """Letters in words in sentences."""
    U, W, A, B, C, D = P("U 3 4, W 4 4, A 4 4, B 4 4, C 4 4, D 4 4")
    r = zeros("r0")
    data = np.random.default_rng(0).normal(size=(3, 2, 2, 1, 3))
    for _, z in mg.steps(z=data):
        s = zeros("s0")
        for _, w in mg.steps(w=z):
            h = zeros("h0")
            for _, x in mg.steps(x=w):
                h = mg.tanh(x @ U + h @ W).named("h")
            s = mg.tanh(h @ A + s @ B).named("s")
        r = mg.tanh(s @ C + r @ D).named("r")
    return r


def from_the_last_letter():
    """The letters are read from the last one on."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h = zeros("h0")
        for _, x in mg.steps(x=w, reverse=True):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def skipping():
    """A letter reads the one before it and the one before that."""
    U, W, R, A, B = P("U 3 4, W 4 4, R 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words(3, 4)):
        before = h = zeros("h0")
        for _, x in mg.steps(x=w):
            before, h = h, mg.tanh(x @ U + h @ W + before @ R).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def one_table():
    """At every step the same rows are read."""
    U, W, B = P("U 3 4, W 4 4, B 4 4")
    s = zeros("s0")
    for _, v in mg.steps(v=X(3)):
        h = mg.tanh(v @ U + s @ B).named("g")
        for _, x in mg.steps(x=X(3)):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = h
    return s


def of_one_letter():
    """Words of one letter: a loop of one turn."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words(3, 1)):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def words_of_different_lengths():
    """Word t has t + 1 letters."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for t, w in mg.steps(w=_words(3, 4)):
        h = zeros("h0")
        for _, x in mg.steps(x=w[: t + 1]):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def both_ways():
    """The letters of a word are read from both ends."""
    U, W, R, Q, A, B = P("U 3 4, W 4 4, R 3 4, Q 4 4, A 4 4, B 4 4")
    ss = []
    for _, w in mg.steps(w=_words()):
        h, g = zeros("h0"), zeros("g0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        for _, x in mg.steps(x=w, reverse=True):
            g = mg.tanh(x @ R + g @ Q).named("g")
        ss.append(mg.tanh(h @ A + g @ B).named("s"))
    return mg.stack(ss).mean()


def all_letters():
    """The states of all letters of all words are read in the end."""
    U, W = P("U 3 4, W 4 4")
    hs = []
    for _, w in mg.steps(w=_words()):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
            hs.append(h)
    return mg.stack(hs).mean(axis=0).named("m")


def letters_attend():
    """The letters that are written attend to all words that were read."""
    U, W, R, V = P("U 3 4, W 4 4, R 4 4, V 4 2")
    h, hs, os = zeros("h0"), [], []
    for _, x in mg.steps(x=X(3)):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    past = mg.stack(hs)
    for _ in mg.steps(2):
        s = zeros("s0")
        for _ in mg.steps(3):
            a = mg.softmax((past * s).sum(axis=2), axis=0)
            c = (a[:, :, None] * past).sum(axis=0).named("c")
            s = mg.tanh(c @ R).named("s")
        os.append((s @ V).named("o"))
    return mean(os)


def truncated_words():
    """Back-propagation is cut before word 3."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for t, w in mg.steps(w=_words(4)):
        h = zeros("h0")
        s = s.detach() if t == 3 else s
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def gated():
    """The letters have a gate."""
    Uz, Wz, U, W, A, B = P("U_z 3 4, W_z 4 4, U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words(3, 5)):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            z = mg.sigmoid(x @ Uz + h @ Wz).named("z")
            n = mg.tanh(x @ U + h @ W).named("n")
            h = (z * h + (1 - z) * n).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s


def outer_in_inner():
    """Every letter reads the word's state too."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W + s @ B).named("h")
        s = mg.tanh(h @ A).named("s")
    return s


def called_as_turns_are():
    """A value of the letters has the name of what counts them."""
    U, W, A, B = P("U 3 4, W 4 4, A 4 4, B 4 4")
    s = zeros("s0")
    for _, w in mg.steps(w=_words()):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            k = mg.tanh(x @ U).named("k")
            h = mg.tanh(k + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
    return s
