"""Do the judges bite? Each fault that is planted in a figure is reported."""

import dataclasses

from minigrad.draw import draw
from tests.draw import judge
from tests.draw.corpus import recorded
from tests.draw.judge import back, circuit, symbols
from tests.draw.pixels import DPI, hidden


def columns(graph, figure):
    return judge.columns(graph, figure, whole=True)


WAYS = {
    columns: {"view": "unfolded", "steps": 40},
    circuit: {"view": "folded"},
    back: {"view": "backward"},
    symbols: {"view": "unfolded", "index": "symbolic"},
}


def planted(judged, change, name="many_to_many"):
    """What a judge says of a figure whose scene was changed."""
    graph = recorded(name)
    figure = draw(graph, **WAYS[judged])
    assert [*judged(graph, figure)] == []
    scene = change(figure.scene)
    assert scene != figure.scene
    return [*judged(graph, dataclasses.replace(figure, scene=scene))]


def first(scene, **facts):
    """The first edge with these facts."""
    return next(
        e for e in scene.edges if all(getattr(e, k) == v for k, v in facts.items())
    )


def without(**facts):
    def change(scene):
        gone = first(scene, **facts)
        rest = tuple(e for e in scene.edges if e is not gone)
        return dataclasses.replace(scene, edges=rest)

    return change


def changed(new, **facts):
    def change(scene):
        old = first(scene, **facts)
        edges = (dataclasses.replace(e, **new) if e is old else e for e in scene.edges)
        return dataclasses.replace(scene, edges=tuple(edges))

    return change


def test_an_arrow_that_is_missing():
    found = planted(columns, without(tail="h@1", tip="h@2"))
    assert "missing h(1) -> h(2)" in found


def test_an_arrow_that_is_invented():
    found = planted(columns, changed({"tip": "h@-1"}, tail="h@1", tip="h@2"))
    assert "invented h(1) -> h(6)" in found


def test_letters_that_are_wrong_missing_or_too_many():
    for letters in ((), ("U",), ("U", "W")):
        change = changed({"parameters": letters}, tail="h@1", tip="h@2")
        (told,) = planted(columns, change)
        assert told == f"h(1) -> h(2) by {sorted(letters)}, recorded ['W']"
    assert planted(circuit, changed({"parameters": ()}, tail="x@t"))


def test_a_circle_that_is_missing_or_of_nothing():
    def gone(scene):
        nodes = tuple(n for n in scene.nodes if n.id != "x@1")
        return dataclasses.replace(scene, nodes=nodes)

    found = planted(columns, gone)
    assert found[0] == "x@1>h@1 leads from or to nothing"
    assert "no circle for x(1)" in found

    def another(scene):
        (x,) = [n for n in scene.nodes if n.id == "x@1"]
        odd = dataclasses.replace(x, id="z", name="z", role="z")
        return dataclasses.replace(scene, nodes=(*scene.nodes, odd))

    assert "circle z(1) of nothing" in planted(columns, another)


def test_two_values_of_one_name_are_told_apart():
    found = planted(columns, without(tail="h@1", tip="h#2@1"), "repeated")
    assert found == ["missing h(1) -> h(1)'"]


def test_a_circuit_without_its_square():
    change = changed({"tail": "h@t"}, tip="h@t", part="folded", delay=1, head=True)
    assert planted(circuit, change) == [
        "circuit: h@t>h@t/1 has 0 squares for a delay of 1"
    ]


def test_a_circuit_that_misses_an_arrow():
    found = planted(circuit, without(tail="x@t", tip="h@t"))
    assert "circuit: missing x(1) -> h(1)" in found


def test_a_gradient_that_is_missing_or_goes_nowhere():
    found = planted(back, without(tail="h@2", tip="h@1", kind="gradient"))
    assert found == ["no gradient from h@2 to h@1"]
    change = changed({"tip": "o@1"}, tail="h@2", tip="h@1", kind="gradient")
    found = planted(back, change)
    assert "a gradient from h@2 to o@1 that there is not" in found


def test_columns_in_letters_that_miss_what_comes_in():
    graph = recorded("many_to_many")
    scene = draw(graph, **WAYS[symbols]).scene
    (rim,) = [
        e for e in scene.edges if e.tip.startswith("h@") and e.dashed and not e.covers
    ][:1]
    assert planted(symbols, without(id=rim.id))


def test_an_arrow_without_ink():
    """As where an engine drops one that is too short for its head."""
    figure = draw(recorded("many_to_many"), view="unfolded", engine="pure")
    gone = without(tail="x@1", tip="h@1")(figure.scene)
    picture = dataclasses.replace(figure, scene=gone).png(dpi=DPI)
    assert hidden(figure) == []
    assert hidden(figure, picture) == [("x@1>h@1", "shaft"), ("x@1>h@1", "head")]


def test_a_rail_says_that_each_source_is_read_by_each_drop():
    """Of causal attention it is read against its way, once a corner is turned."""
    graph = recorded("model self-attention")
    figure = draw(graph, **WAYS[columns])
    assert [*columns(graph, figure)] == []
    edge = first(figure.scene, net="z>h rail", tip="h@2")
    (x, y), rest = edge.points[0], edge.points[1:]
    turned = dataclasses.replace(edge, points=((x + 400, y), *rest))
    edges = tuple(turned if e is edge else e for e in figure.scene.edges)
    scene = dataclasses.replace(figure.scene, edges=edges)
    found = [*columns(graph, dataclasses.replace(figure, scene=scene))]
    assert "rail: invented z(4) -> h(2)" in found


def test_a_rail_that_ends_beside_its_bend_is_reported():
    def drawn_further(scene):
        rail = [e for e in scene.edges if (e.net or "").endswith(" rail")]
        last = max(rail, key=lambda e: e.points[-1][0] * (not e.tip))
        (x, y), points = last.points[-1], last.points[:-1]
        longer = dataclasses.replace(last, points=(*points, (x + 9.0, y)))
        edges = (longer if e is last else e for e in scene.edges)
        return dataclasses.replace(scene, edges=tuple(edges))

    found = planted(columns, drawn_further, "all_letters")
    assert any("pt from its rail" in words for words in found)
