"""Judging a figure from outside: what it shows, beside what was recorded.

Each function returns what is wrong in words, and nothing for a figure that is true.
What was recorded is told by ``own``, which knows nothing of how figures are made.
"""

from collections import Counter, defaultdict

from minigrad.draw import draw
from tests.draw.own import Value, reads, values

CIRCLES = ("circle", "oval")


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
        value = Value(node.name, node.t)
        if value not in wanted and node.name in numbered:
            value = Value(node.name, None)
            if called[node.name] == 1:
                value = numbered[node.name]
        roles = ranks[value]
        roles += [] if node.role in roles else [node.role]
        found[node.id] = value._replace(rank=value.rank + roles.index(node.role))
    return found


def columns(graph, figure, whole=False):
    """What the arrows between the circles of the columns say, beside what ran.

    With ``whole`` no step may be left out.
    """
    recorded = reads(graph)
    wanted = {*values(graph).values()}
    at = seats(graph, figure)
    shown = {*at.values()}
    told = defaultdict(set)
    for edge in figure.scene.edges:
        # A rail's drop has no tail: what it stands for says whence it comes.
        ends = [(edge.tail, edge.tip)] if edge.tail and edge.tip else edge.covers
        for tail, tip in ends if edge.kind != "gradient" else ():
            if tail in at and tip in at:
                told[at[tail], at[tip]].update(map(_upright, edge.parameters))
    between = {w: p for w, p in recorded.items() if w[0] in shown and w[1] in shown}
    yield from (f"missing {_said(way)}" for way in between if way not in told)
    yield from (f"invented {_said(way)}" for way in told if way not in recorded)
    for way, letters in between.items():
        if way in told and told[way] != letters:
            yield f"{_said(way)} by {sorted(told[way])}, recorded {sorted(letters)}"
    if len(at) > len(shown):
        yield "two circles for one value"
    yield from (f"circle {v} of nothing" for v in shown - wanted)
    ends = {v for way in recorded for v in way}
    if whole:
        yield from (f"no circle for {v}" for v in ends - shown)
    else:
        yield from (f"no circle for {v}" for v in ends - shown if v.t is None)
        told_of = {c for e in figure.scene.edges for c in _covers(e)}
        count = len(told_of) + figure.scene.elided
        if count != len(recorded):
            yield f"{len(recorded)} recorded, {count} drawn or counted"


def _covers(edge):
    return edge.covers if edge.part == "unfolded" and edge.kind != "gradient" else ()


def _upright(name):
    return name.removesuffix("ᵀ")


def _said(way):
    return " -> ".join(f"{v.name}({v.t})" + "'" * v.rank for v in way)


def circuit(graph, figure):
    """What the folded circuit says, beside what ran: arrows, squares, letters.

    The circles of the columns at every step tell what the circuit's pairs of ids are.
    """
    recorded = reads(graph)
    length = max([graph.steps, 3])
    full = draw(graph, view="unfolded", steps=length)
    at = seats(graph, full)
    scene = figure.scene
    inner = {n.id for n in scene.nodes if n.part == "folded" and n.shape in CIRCLES}
    homes = {n.id: n.home for n in full.scene.nodes}
    timed = {
        way: letters
        for way, letters in recorded.items()
        if {homes.get(i) for i, v in at.items() if v in way} <= inner
    }
    arrows = defaultdict(list)
    for edge in scene.edges:
        if edge.part == "folded" and not edge.kind.startswith("bus"):
            arrows[edge.home].append(edge)
    told = set()
    for home, edges in arrows.items():
        yield from _chain(scene, home, edges, inner)
        ways = {tuple(at.get(i, Value(i, None)) for i in p) for p in edges[0].covers}
        told |= ways
        letters = {*map(_upright, edges[0].parameters)}
        right = frozenset().union(*(recorded.get(way, ()) for way in ways))
        if letters != right:
            yield f"circuit: {home} by {sorted(letters)}, recorded {sorted(right)}"
    yield from (f"circuit: missing {_said(w)}" for w in timed if w not in told)
    yield from (f"circuit: invented {_said(w)}" for w in told if w not in recorded)
    names = {v.name for way in recorded for v in way if v.t is not None}
    drawn = {n.name for n in scene.nodes if n.id in inner}
    if graph.steps:
        yield from (f"circuit: no circle for {n}" for n in sorted(names - drawn))


def _chain(scene, home, edges, inner):
    """An arrow of the circuit is one line from circle to circle through its squares."""
    squares = {n.id for n in scene.nodes if n.kind == "delay" and n.part == "folded"}
    # Arrows of one value and delay have one trunk, up to their last square.
    for edge in edges:
        if edge.tail in squares and all(e.tip != edge.tail for e in edges):
            edges = [*edges, *(e for e in scene.edges if e.tip == edge.tail)]
            yield from _chain(scene, home, edges, inner)
            return
    heads = [e for e in edges if e.head]
    starts = [e for e in edges if e.tail in inner]
    passed = {i for e in edges for i in (e.tail, e.tip)} & squares
    if len(heads) != 1 or len(starts) != 1 or heads[0].tip not in inner:
        yield f"circuit: {home} is no line from one circle to another"
    if len(edges) != len(passed) + 1:
        yield f"circuit: {home} is broken at its squares"
    delay = abs(edges[0].delay)
    if bool(passed) != bool(delay) or (len(passed) not in (1, delay) and delay):
        yield f"circuit: {home} has {len(passed)} squares for a delay of {delay}"


def back(graph, figure):
    """What the gradient arrows say: one back along each arrow that carries any."""
    scene = figure.scene
    at = seats(graph, figure)
    ways = [(e.tail, e.tip) for e in scene.edges if e.kind != "gradient"]
    forward = {w for w in ways if w[0] in at and w[1] in at}
    returned = {
        (e.tip, e.tail)
        for e in scene.edges
        if e.kind == "gradient" and e.tail in at and e.tip in at
    }
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
