"""Random networks with names: network k of a seed is always the same.

One to three states with delays of one to three, gates, skips over layers, several
inputs, several losses or one at the end.
"""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, target, zeros

STATES, INPUTS = ("h", "g", "s"), ("x", "u", "v")


def network(k, T=6):
    """The loss, or the last state, of random network number k."""
    rng = np.random.default_rng([31, k])
    states = STATES[: rng.choice((1, 2, 3), p=(0.4, 0.4, 0.2))]
    inputs = INPUTS[: rng.choice((1, 2, 3), p=(0.6, 0.3, 0.1))]
    links = _links(rng, states)
    gated = {s for s in states if rng.random() < 0.25}
    read = [s for s in states if s == states[-1] or rng.random() < 0.3]
    ends = ("every step", "last", "state", "two losses")
    end = rng.choice(ends, p=(0.5, 0.2, 0.2, 0.1))
    skip = rng.random() < 0.25
    past = {s: [zeros(f"{s}0")] * 3 for s in states}
    ls, own = [], _parameters(states, inputs)
    given = {x: X(T, 4, n) for n, x in enumerate(inputs)}
    for _, *values in mg.steps(**given, y=Y(T)):
        now = dict(zip((*inputs, "y"), values, strict=True))
        for s in states:
            now[s] = _state(own, s, links[s], now, past, s in gated, inputs)
        for s in states:
            past[s] = [now[s], *past[s][:2]]
        if end in ("every step", "two losses"):
            ls += _losses(own, read, now, inputs, skip, end == "two losses")
    if end == "state":
        return sum(now[s] for s in states).sum()
    if end == "last":
        o = sum(now[s] @ own[f"V{s}"] for s in read).named("o")
        return loss(o, target())
    return mean(ls)


def _parameters(states, inputs):
    """All that a network may use, made before its loop."""
    told = [f"W{s}{r}{d} 4 4" for s in states for r in states for d in ("", 1, 2, 3)]
    told += [f"U{s}{x} 4 4" for s in states for x in inputs]
    told += [f"R{s} 4 4" for s in states] + [f"V{s} 4 2" for s in states]
    made = P(", ".join([*told, "K 4 2", "Q 4 4"]))
    return {p.name: p for p in made}


def _links(rng, states):
    """What each state reads: (source, delay), 0 for one of this step before it."""
    links = {}
    for n, s in enumerate(states):
        delays = rng.choice((1, 2, 3), size=rng.choice((1, 2), p=(0.75, 0.25)))
        found = {(s, int(d)) for d in delays}
        for m, other in enumerate(states):
            if m < n and (m == n - 1 or rng.random() < 0.4):
                found.add((other, 0))
            if m != n and rng.random() < 0.25:
                found.add((other, 1))
        links[s] = sorted(found)
    return links


def _state(own, s, links, now, past, gated, inputs):
    """A new value of a state from what it reads."""
    total = 0.0
    for source, delay in links:
        value = past[source][delay - 1] if delay else now[source]
        total = total + value @ own[f"W{s}{source}{delay or ''}"]
    if s == STATES[0] or len(inputs) > 1:
        for x in inputs if s == STATES[0] else inputs[1:2]:
            total = total + now[x] @ own[f"U{s}{x}"]
    if not gated:
        return mg.tanh(total).named(s)
    z = mg.sigmoid(total).named(f"z_{s}")
    before = past[s][0]
    return (z * before + (1 - z) * mg.tanh(before @ own[f"R{s}"])).named(s)


def _losses(own, read, now, inputs, skip, two):
    """The losses of a step."""
    o = sum(now[s] @ own[f"V{s}"] for s in read)
    if skip:
        o = o + now[inputs[0]] @ own["K"]
    found = [loss(o.named("o"), now["y"])]
    if two:
        r = (now[read[-1]] @ own["Q"]).named("r")
        found.append(((r - now[inputs[0]]) ** 2).mean().named("M"))
    return found
