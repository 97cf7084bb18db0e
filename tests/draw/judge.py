"""Judging a figure from outside: what it shows, beside what was recorded.

Each function returns what is wrong in words, and nothing for a figure that is true.
What was recorded is told by ``own``, which knows nothing of how figures are made.
"""

import re
from collections import Counter, defaultdict

import numpy as np

from minigrad.draw import draw
from minigrad.draw.page.nearness import sampled
from tests.draw.own import Value, reads, values

CIRCLES = ("circle", "oval")
JOINT = 5.0
TOUCHING = 1.5


def seats(graph, figure):
    """Which value each circle of the columns stands for: id to Value."""
    kept = values(graph)
    wanted = {*kept.values()}
    # Outside of loops a second h may be called h2.
    late = {n: v for n, v in kept.items() if v.t is None}
    numbered = {v.name + (f"{v.rank + 1}" if v.rank else ""): v for v in late.values()}
    numbered |= {graph.names[n]: v for n, v in late.items() if n.name}
    circles = [
        n for n in figure.scene.nodes if n.part == "unfolded" and n.shape in CIRCLES
    ]
    called = Counter(n.name for n in circles)
    ranks = defaultdict(list)
    found = {}
    for node in circles:
        value = Value(node.name, node.t, turn=_turn(node))
        while value.turn and value not in wanted:  # of a start, before all turns
            value = value._replace(turn=value.turn[:-1])
        if value not in wanted and node.name in numbered:
            value = Value(node.name, None)
            if called[node.name] == 1:
                value = numbered[node.name]
        roles = ranks[value]
        roles += [] if node.role in roles else [node.role]
        found[node.id] = value._replace(rank=value.rank + roles.index(node.role))
    return found


def _turn(node):
    """The steps of loops within a step that a label has behind its own: 2 of h(1,2)."""
    label = "".join(run.text for line in node.lines for run in line)
    *_, index = "", *re.findall(r"\(([^()]*)\)", label)
    return tuple(int(k) for k in index.split(",")[1:])


def columns(graph, figure, whole=False):
    """What the arrows between the circles of the columns say, beside what ran.

    With ``whole`` no step may be left out.
    """
    recorded = reads(graph)
    wanted = {*values(graph).values()}
    at = seats(graph, figure)
    shown = {*at.values()}
    told = defaultdict(set)
    ids = {node.id for node in figure.scene.nodes} | {""}
    for edge in figure.scene.edges:
        if not {edge.tail, edge.tip} <= ids:
            yield f"{edge.id} leads from or to nothing"
        if edge.kind != "gradient":
            for a, b in joined(figure.scene, edge):
                if a in at and b in at:
                    told[at[a], at[b]].update(map(_upright, edge.parameters))
    between = {w: p for w, p in recorded.items() if w[0] in shown and w[1] in shown}
    yield from (f"missing {_said(way)}" for way in between if way not in told)
    yield from (f"invented {_said(way)}" for way in told if way not in recorded)
    for way, letters in between.items():
        if way in told and told[way] != letters:
            yield f"{_said(way)} by {sorted(told[way])}, recorded {sorted(letters)}"
    if len(at) > len(shown):
        yield "two circles for one value"
    yield from (f"circle {_name(v)} of nothing" for v in shown - wanted)
    yield from hanging(figure.scene)
    yield from loose(figure.scene)
    yield from railed(figure.scene, at, recorded)
    ends = {v for way in recorded for v in way}
    if whole:
        yield from (f"no circle for {_name(v)}" for v in ends - shown)
    else:
        yield from (f"no circle for {_name(v)}" for v in ends - shown if v.t is None)
        told_of = {c for e in figure.scene.edges for c in _covers(e)}
        count = len(told_of) + figure.scene.elided
        if count != len(recorded):
            yield f"{len(recorded)} recorded, {count} drawn or counted"


def joined(scene, edge):
    """The pairs of circles that an arrow leads from and to.

    One that begins at the trunk of its net leads from what the trunk comes from.
    """
    if edge.tail and edge.tip:
        return [(edge.tail, edge.tip)]
    if edge.net is None or edge.tail or not edge.points:
        return []
    net = [e for e in scene.edges if e.net == edge.net and e is not edge]
    from_there = {e.tail for e in net}
    return [(a, b) for a, b in edge.covers if b == edge.tip and a in from_there]


def hanging(scene):
    """Arrows that begin at no circle, at no sister and at no dots."""
    ids = {n.id for n in scene.nodes}
    dots = [(n.x, n.y) for n in scene.nodes if n.kind == "dot"] or [(-1e6, 0.0)]
    nets = defaultdict(list)
    for edge in scene.edges:
        nets[edge.net].append(edge)
    for edge in scene.edges:
        if edge.tail or not edge.net or edge.kind == "gradient":
            continue
        sisters = tuple(e for e in nets[edge.net] if e is not edge)
        near = np.concatenate([np.array(dots), sampled(sisters)[1]])
        away = np.hypot(*(near - edge.points[0]).T).min()
        if away > JOINT and ids.issuperset(a for a, _ in edge.covers):
            yield f"{edge.id} begins {away:.0f} pt from its trunk"


def loose(scene):
    """Pieces of a rail that end beside their sisters, or beyond the bend of the last.

    Such an end looks like an arrow to nothing, or like a line that is broken.
    """
    rails = defaultdict(list)
    for edge in scene.edges:
        if (edge.net or "").endswith(" rail") and edge.kind != "gradient":
            rails[edge.net].append(edge)
    for edges in rails.values():
        for edge in edges:
            near = sampled(tuple(e for e in edges if e is not edge))[1]
            ends = (edge.tail, edge.points[0]), (edge.tip, edge.points[-1])
            for end in (point for circle, point in ends if not circle):
                away = np.hypot(*(near - end).T).min()
                if away > TOUCHING:
                    yield f"{edge.id} ends {away:.1f} pt from its rail"


def railed(scene, at, recorded):
    """What a rail says beyond what ran: that each of its sources is read by each drop.

    One whose corners all turn the same way carries values that way alone.
    """
    rails = defaultdict(list)
    for edge in scene.edges:
        if edge.net and edge.net.endswith(" rail") and edge.kind != "gradient":
            rails[edge.net].append(edge)
    for edges in rails.values():
        risers = {e.tail: _turn_of(e.points[::-1]) for e in edges if e.tail in at}
        drops = {e.tip: _turn_of(e.points) for e in edges if e.tip in at}
        ways = {-along for _, along in risers.values()}
        ways |= {along for _, along in drops.values()}
        for a, (x, _) in risers.items():
            for b, (end, _) in drops.items():
                against = len(ways) == 1 and (end - x) * min(ways) < 0
                if (at[a], at[b]) not in recorded and not against:
                    yield f"rail: invented {_said((at[a], at[b]))}"


def _turn_of(points):
    """Where a riser or a drop meets its rail, and which way it runs there, 1 or -1."""
    level = points[0][1]
    x = next(x for x, y in points if abs(y - level) > 1.0)
    return x, int(np.sign(x - points[0][0]))


def _covers(edge):
    return edge.covers if edge.part == "unfolded" and edge.kind != "gradient" else ()


def _upright(name):
    return name.removesuffix("ᵀ")


def _said(way):
    return " -> ".join(map(_name, way))


def _name(value):
    index = ",".join(map(str, (value.t, *value.turn)))
    return f"{value.name}({index})" + "'" * value.rank


def circuit(graph, figure):
    """What the folded circuit says, beside what ran: arrows, squares, letters.

    The circles of the columns at every step tell what the circuit's pairs of ids are.
    """
    recorded = reads(graph)
    full = draw(graph, view="unfolded", steps=max(graph.steps, 40))
    at = seats(graph, full)
    scene = figure.scene
    inner = {n.id for n in scene.nodes if n.part == "folded" and n.shape in CIRCLES}
    homes = {n.id: n.home for n in full.scene.nodes}
    timed = {
        way: letters
        for way, letters in recorded.items()
        if {homes.get(i) for i, v in at.items() if v in way} <= inner
    }
    told = set()
    for edge in scene.edges:
        if edge.part != "folded" or edge.kind.startswith("bus") or not edge.head:
            continue
        yield from _line(scene, edge, inner)
        ways = {tuple(at.get(i, Value(i, None)) for i in p) for p in edge.covers}
        told |= ways
        letters = {*map(_upright, edge.parameters)}
        right = frozenset().union(*(recorded.get(way, ()) for way in ways))
        if letters != right:
            yield f"circuit: {edge.id} by {sorted(letters)}, recorded {sorted(right)}"
    yield from (f"circuit: missing {_said(w)}" for w in timed if w not in told)
    yield from (f"circuit: invented {_said(w)}" for w in told if w not in recorded)
    names = {v.name for way in recorded for v in way if v.t is not None}
    drawn = {n.name for n in scene.nodes if n.id in inner}
    if graph.steps:
        yield from (f"circuit: no circle for {n}" for n in sorted(names - drawn))


def symbols(graph, figure):
    """What columns t-1, t, t+1 say: for each arrow what enters and what leaves them."""
    scene, span = figure.scene, defaultdict(dict)
    nodes = {n.id: n for n in scene.nodes if n.part == "unfolded"}
    shown = sorted({n.t for n in nodes.values() if n.t is not None})
    if not graph.steps:
        return
    if len(shown) != 3:
        yield f"symbolic: columns {shown}"
        return
    for (a, b), letters in reads(graph).items():
        if a.t is not None and b.t is not None and a.name and not (a.rank or b.rank):
            ends = (a.name, a.turn), (b.name, b.turn)
            span[*ends, b.t - a.t].setdefault(b.t, letters)
    known = {end for a, b, _ in span for end in (a, b)}

    def called(node):
        turn = _turn(node)
        while turn and (node.name, turn) not in known:
            turn = turn[:-1]
        return node.name, turn

    told = defaultdict(set)
    for edge in scene.edges:
        if edge.tail in nodes and edge.tip in nodes:
            a, b = nodes[edge.tail], nodes[edge.tip]
            told[called(a), a.t, called(b), b.t].update(map(_upright, edge.parameters))
    expected = defaultdict(frozenset)
    # Behind dots stands the last column, for what is read out there.
    end = shown[:2] if shown[2] - shown[1] > 1 else shown
    for (a, b, delay), steps in span.items():
        if len(steps) < 2 or len(graph.clocks) > 1:
            continue  # not of every step, or of another loop
        for t in end:
            tail = (a, t - delay if t - delay in end else None)
            out = t + delay not in shown and end == shown
            ways = [(*tail, b, t)] + [(a, t, b, None)] * out
            for way in ways:
                expected[way] = expected[way].union(*steps.values())
    for way, letters in expected.items():
        if told.get(way) != letters:
            yield f"symbolic: {way} by {told.get(way)}, recorded {sorted(letters)}"
    if drawn := _folded(scene):
        for way in drawn ^ _folded(draw(graph, view="folded").scene):
            yield f"symbolic: circuit differs by {way}"


def _folded(scene):
    """The arrows of a circuit: ends, letters and delay."""
    return {
        (e.tail, e.tip, *sorted(e.parameters), e.delay)
        for e in scene.edges
        if e.part == "folded"
    }


def _line(scene, edge, inner):
    """An arrow of the circuit is a line from circle to circle through its squares."""
    into = {e.tip: e for e in scene.edges if e.part == "folded" and not e.head}
    passed, at = 0, edge.tail
    while at in into and at not in inner:
        passed, at = passed + 1, into[at].tail
    delay = abs(edge.delay)
    if at not in inner or edge.tip not in inner:
        yield f"circuit: {edge.id} leads from {at!r} to {edge.tip!r}"
    if bool(passed) != bool(delay) or (delay and passed not in (1, delay)):
        yield f"circuit: {edge.id} has {passed} squares for a delay of {delay}"


def back(graph, figure):
    """What the gradient arrows say: one back along each arrow that carries any."""
    scene = figure.scene
    at = seats(graph, figure)
    forward = {
        (a, b)
        for e in scene.edges
        if e.kind != "gradient"
        for a, b in joined(scene, e)
        if a in at and b in at
    }
    gradients = [e for e in scene.edges if e.kind == "gradient"]
    returned = {(e.tip, e.tail) for e in gradients if e.tip in at and e.tail in at}
    ends = defaultdict(set)
    for edge in gradients:
        if edge.net:
            ends[edge.tail].add(edge.net)
            ends[edge.tip].add(edge.net)
    # Along a rail each end has a piece of its own.
    returned |= {(a, b) for a, b in forward if ends[a] & ends[b]}
    carrying, possible = carried(graph)
    for a, b in sorted(forward - returned):
        if (at[a], at[b]) in carrying:
            yield f"no gradient from {b} to {a}"
    for a, b in sorted(returned):
        if (a, b) not in forward or (at[a], at[b]) not in possible:
            yield f"a gradient from {b} to {a} that there is not"


def carried(graph):
    """The pairs of values between which a gradient to a parameter, or any, flows."""
    kept = values(graph)
    needed = set()
    for node in graph.nodes:
        if node.kind == "parameter" or any(i in needed for i in _passing(node)):
            needed.add(node)
    live = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node in live:
            live.update(_passing(node))
    ways, found, possible = {}, set(), set()
    for node in graph.nodes:
        ways[node] = set()
        for i in _passing(node):
            ways[node] |= {i} if i in kept else ways[i]
        if node in kept and node in live:
            possible |= {(kept[a], kept[node]) for a in ways[node]}
            found |= {(kept[a], kept[node]) for a in ways[node] if a in needed}
    return found, possible


def _passing(node):
    """The operands of a node to which a gradient flows back."""
    if not node.inputs:
        return []
    rules = node.op.rules(len(node.inputs))
    return [i for i, rule in zip(node.inputs, rules, strict=False) if rule is not None]
