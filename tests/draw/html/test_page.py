"""The file of a page without any browser: what it holds, and what it cannot do."""

import base64
import hashlib
import json
import re
import subprocess
import sys
import warnings
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw.html.frames import source_of
from minigrad.draw.measure import norm
from minigrad.draw.page.words import LANGUAGES
from minigrad.draw.render.audit import faults
from minigrad.tasks.pictures import PICTURES
from tests.draw.corpus import recorded
from tests.draw.html import nets

ROOM = Path(mg.__file__).parent / "draw" / "html"
ALONE = {"PYTHONPATH": str(ROOM.parents[2])}


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


class Outline(HTMLParser):
    """The tags of a file in order, their attributes, and the text that is read."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.said, self.inside = [], [], "", ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.said += data


@pytest.mark.parametrize("name", nets.EVERY)
def test_one_file_that_asks_for_nothing(name):
    text = nets.page(name)
    assert len(text.encode()) < 300_000
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)
    outline = Outline(text)
    assert not {"img", "iframe", "object", "embed", "base"} & set(outline.tags)
    assert outline.tags.count("script") == 2
    names = {name for name, _ in outline.attributes}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]
    where = [v for name, v in outline.attributes if name in ("src", "href")]
    assert where == ["data:,"]


def test_the_policy_allows_this_script_and_this_style_alone():
    text = nets.page("many-to-many")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    for kind, pattern in (
        ("script", "<script>(.*?)</script>"),
        ("style", "<style>(.*?)</style>"),
    ):
        inside = re.search(pattern, text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"


def test_the_script_is_small_and_the_bytes_are_the_same_twice():
    text = nets.page("many-to-many")
    script = re.search("<script>(.*?)</script>", text, re.DOTALL)[1]
    assert len(script.encode()) < 25_000
    again = mg.draw(PICTURES["many-to-many"](6)).html()
    assert again == text


def test_another_process_makes_the_same_bytes(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "minigrad", "draw", "many-to-one"]
    command += ["--steps", "6", "-o", str(tmp_path / "page.html")]
    subprocess.run(
        command,
        check=True,
        env={"PYTHONPATH": str(ROOM.parents[2]), "PYTHONHASHSEED": "7"},
    )
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == nets.page(
        "many-to-one"
    )


def test_all_ways_to_write_it_are_the_same(tmp_path):
    figure = mg.draw(nets.loss("many-to-one"))
    made = figure.html(tmp_path / "a.html")
    figure.save(tmp_path / "b.html")
    with open(tmp_path / "c", "w", encoding="utf-8", newline="") as file:
        figure.save(file, format="html")
    for name in ("a.html", "b.html", "c"):
        assert (tmp_path / name).read_bytes() == made.encode()


def test_a_notebook_shows_it_in_a_frame_and_a_figure_as_a_picture():
    assert nets.page("many-to-one")._repr_html_().startswith("<iframe srcdoc=")
    figure = mg.draw(nets.loss("many-to-one"))
    assert "text/html" not in figure._repr_mimebundle_()[0]


def test_hostile_names_are_text():
    evil = "</script><img src=x onerror=alert(1)>\"&'<!--{{data}}"
    W = mg.parameter(np.eye(2) * 0.5, name=evil)
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(4):
        h = mg.tanh(h @ W).named("h<b>")
    text = mg.draw((h * h).sum().named("J<b>"), caption=evil).html()
    outline = Outline(text)
    assert "img" not in outline.tags
    assert "b" not in outline.tags
    assert outline.tags.count("script") == 2
    assert "onerror" in outline.said
    assert evil in data_of(text)["letters"]
    assert "<" not in re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]


@pytest.mark.parametrize("name", nets.EVERY)
def test_the_schema(name):
    told = data_of(nets.page(name))
    assert told["version"] == 1
    ids = [item["id"] for kind in ("nodes", "edges", "texts") for item in told[kind]]
    assert len(set(ids)) == len(ids)
    assert told["recorded"] in told["lengths"]
    nodes = {node["id"]: node for node in told["nodes"]}
    edges = {edge["id"] for edge in told["edges"]}
    for node in told["nodes"]:
        assert node["part"] in ("circuit", "columns")
        assert all(
            len(place) in (4, 5) and place[0] <= place[1] for place in node["at"]
        )
        if node["part"] == "columns" and len(told["lengths"]) > 1 and node.get("t"):
            assert nodes[node["home"]]["part"] == "circuit"
    for edge in told["edges"]:
        assert {edge.get("tail", ""), edge.get("tip", "")} <= {"", *nodes}
        assert all(
            len(place[2]) % 2 == 0 and len(place[2]) >= 4 for place in edge["at"]
        )
    assert {text["edge"] for text in told["texts"] if "edge" in text} <= edges
    for frame in told["frames"].values():
        assert set(frame["order"]) <= set(nodes)
        assert len(set(frame["order"])) == len(frame["order"])


@pytest.mark.parametrize("name", nets.EVERY)
def test_the_numbers_are_those_of_grad_by_use(name):
    loss, told = nets.loss(name), data_of(nets.page(name))["numbers"]
    graph = mg.Graph(loss)
    for node in graph.parameters:
        p = told["parameters"][graph.names[node]]
        assert len(p["uses"]) == len(graph.uses(node))
        assert p["norm"] == nets.digits(norm(node.value))
        if loss.size > 1:
            assert "gradient" not in p
            continue
        shares = mg.grad_by_use(loss, mg.Tensor(node))
        assert [u["norm"] for u in p["uses"]] == [
            nets.digits(norm(s.gradient.data)) for s in shares
        ]
        total = mg.grad(loss, [mg.Tensor(node)])[0].data
        assert p["gradient"] == pytest.approx(norm(total), rel=1e-3, abs=1e-12)
        running, at = np.zeros(node.value.shape), [u["at"] for u in p["uses"]]
        way = sorted(range(len(at)), key=lambda k: at[k], reverse=True)
        for k, use in enumerate(way, 1):
            running = running + shares[use].gradient.data
            assert p["sums"][k] == pytest.approx(norm(running), rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("name", ["many-to-many", "many-to-one", "lstm"])
def test_the_gradients_are_the_data_of_the_backward_view(name):
    told = data_of(nets.page(name))["numbers"]["values"]
    flow = mg.draw(nets.loss(name), view="backward").data
    for t, value in flow["h"].items():
        assert told[f"h@{t}"]["gradient"] == nets.digits(value)


@pytest.mark.parametrize("name", [n for n in nets.EVERY if n != "clockwork"])
def test_each_use_of_a_matrix_has_its_arrow(name):
    told = data_of(nets.page(name))
    for parameter, p in told["numbers"]["parameters"].items():
        if not told["letters"][parameter]["targets"]:
            assert all(use["edges"] for use in p["uses"]), parameter
        else:
            assert not any(use["edges"] for use in p["uses"])


def test_circles_keep_their_ids_and_outputs_are_counted_from_the_end():
    told = data_of(nets.page("many-to-one"))
    ids = {node["id"]: node for node in told["nodes"]}
    assert ids["o@-1"]["at"][0][:2] == [1, 1]
    assert ids["o@-1"]["at"][-1][1] == 12
    assert ids["h@3"]["at"] == [[3, 12, *ids["h@3"]["at"][0][2:]]]
    assert ids["h@3"]["home"] == "h@t"
    assert ids["o@-1"]["at"][5][4] != ids["o@-1"]["at"][6][4]  # o(6), o(7)


def test_the_order_is_that_of_execution():
    frames = data_of(nets.page("many-to-many"))["frames"]
    assert frames["2"]["order"] == ["h@1", "o@1", "L@1", "h@2", "o@2", "L@2"]
    assert [len(frames[str(T)]["order"]) for T in range(1, 13)] == [*range(3, 37, 3)]


def test_long_records_show_both_ends_and_give_all_shares():
    told = data_of(nets.page("many-to-many", 20))
    assert told["lengths"] == [*range(1, 13), 20]
    uses = told["numbers"]["parameters"]["W"]["uses"]
    assert len(uses) == 20
    assert 4 < sum(bool(use["edges"]) for use in uses) < 20
    assert told["frames"]["20"]["cut"]


def test_a_graph_without_values_is_structure_only():
    recurrence = mg.fold(mg.contract(nets.loss("many-to-many")))
    told = data_of(mg.draw(recurrence).html())
    assert told["numbers"] is None
    assert len(told["lengths"]) == 12


def test_the_ops_view_is_a_still_page():
    told = data_of(mg.draw(nets.loss("mlp"), view="ops").html())
    assert told["numbers"] is None
    assert told["frames"]["0"]["order"] == []


def test_parameters_that_changed_have_no_gradient_of_this_graph():
    w = mg.parameter([[0.5]], name="W")
    h = mg.tensor([[1.0]], name="h0")
    for _ in mg.steps(3):
        h = mg.tanh(h @ w).named("h")
    figure = mg.draw(h.sum())
    w.assign([[0.7]])
    with pytest.raises((RuntimeError, ValueError)):
        figure.html()


def test_every_word_is_in_every_language():
    words = json.loads((ROOM / "words.json").read_text(encoding="utf-8"))
    for key, word in words.items():
        assert tuple(word) == LANGUAGES
        places = [sorted(re.findall(r"{\w}", said)) for said in word.values()]
        assert places[0] == places[1], key
    said = (ROOM / "page.js").read_text() + (ROOM / "shell.html").read_text()
    for key in re.findall(r'\bsay\("(\w+)"', said) + re.findall(r"{{say:(\w+)}}", said):
        assert key in words


def test_equations_stand_with_their_lines():
    told = data_of(nets.page("many-to-many"))["equations"]
    ((steps, tokens),) = told["h"]
    assert steps == [1, 6]
    text = "".join(token if isinstance(token, str) else token[0] for token in tokens)
    assert text == "h(t) = tanh(b + W h(t-1) + U x(t))"
    assert ["h(t-1)", "h", 1, 1] in tokens
    assert told["∇W"]


def test_equations_of_turns_within_a_step_stand_with_their_circles():
    told = data_of(mg.draw(recorded("nested")).html())

    def written(key):
        ((_, tokens),) = told["equations"][key]
        return "".join(
            token if isinstance(token, str) else token[0] for token in tokens
        )

    assert written("h") == "h(t,1) = tanh(U x(t,1) + W h(t,0))"
    assert written("h#2") == "h(t,2) = tanh(U x(t,2) + W h(t,1))"
    assert written("s") == "s(t) = tanh(A h(t,3) + B s(t-1))"
    assert written("∇h#3").startswith("∇h(t,3) = Aᵀ diag(1 - (s(t))²) ∇s(t)")
    roles = {node.get("role") for node in told["nodes"]}
    lines = (line for some in told["equations"].values() for _, line in some)
    read = {token[1] for line in lines for token in line if isinstance(token, list)}
    assert read <= roles | {*told["letters"], "loss"}
    names = {
        node["name"]
        for node in told["nodes"]
        if node.get("role") == "h#2" and "t" in node
    }
    assert names == {"h(t,2)"}
    # Of lines of one name in a step the figure does not say which is which.
    repeated = data_of(mg.draw(recorded("repeated")).html())["equations"]
    assert not {"h", "h#2"} & repeated.keys()


def test_a_page_in_spanish_has_decimal_commas():
    figure = mg.draw(nets.loss("many-to-one"), style=mg.Style(language="es"))
    text = figure.html()
    assert data_of(text)["words"]["point"] == ","
    cells = re.findall(r"<td>([^<]*)</td>", text)
    assert any(re.fullmatch(r"\d+,\d+", cell) for cell in cells)
    assert not [cell for cell in cells if re.fullmatch(r"\d+\.\d+", cell)]


def test_the_room_is_loaded_when_a_page_is_made():
    assert import_module("minigrad.draw.html").page is not None
    code = "import minigrad.draw, sys; print('minigrad.draw.html' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOM.parents[2])},
    )
    assert done.stdout.strip() == "False"


def test_a_circle_says_the_line_of_the_program_where_lines_were_kept():
    def net():
        h = mg.tensor([[1.0]], name="h0")
        for _ in mg.steps(2):
            h = mg.tanh(h * 2).named("h")  # </script><b>
        return h

    here = net.__code__.co_firstlineno + 3
    with mg.keep_lines():
        kept = net()
    text = mg.draw(kept).html()
    said = 'h = mg.tanh(h * 2).named("h")  # </script><b>'
    values = data_of(text)["numbers"]["values"]
    assert values["h@1"]["line"] == f"{Path(__file__).name}:{here} {said}"
    assert str(Path(__file__).parent) not in text
    assert "</script><b>" not in text
    values = data_of(mg.draw(net()).html())["numbers"]["values"]
    assert "line" not in values["h@1"]


def recurrent(W="W", h="h", other="g"):
    """A net of two values, called as one wishes."""
    A = mg.parameter(np.eye(2) * 0.5, name=W)
    x, y = (mg.tensor(np.ones((1, 2)), name=name) for name in (f"{h}0", f"{h}@1>{h}@2"))
    for _ in mg.steps(3):
        x = mg.tanh(x @ A + y).named(h)
        y = mg.tanh(y @ A).named(other)
    return (x * y).sum().named(f"{h}@t")


@pytest.mark.filterwarnings("ignore:the figure can be misread")
@pytest.mark.parametrize("names", [(), ("W", "h", "h@1"), ("toString", "__proto__")])
def test_names_that_look_like_ids_are_told_apart(names):
    told = data_of(mg.draw(recurrent(*names)).html())
    ids = [item["id"] for kind in ("nodes", "edges", "texts") for item in told[kind]]
    assert len(set(ids)) == len(ids)
    for node in told["nodes"]:
        assert all(len(place) in (4, 5) for place in node["at"])
        assert all(isinstance(v, int | float) for p in node["at"] for v in p[:4])
    for edge in told["edges"]:
        assert all(isinstance(place[2], list) for place in edge["at"])
    for use in told["numbers"]["parameters"][names[0] if names else "W"]["uses"]:
        assert use["edges"]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_words(value):
    W = mg.parameter(np.full((2, 2), value), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    with np.errstate(all="ignore"):
        for _ in mg.steps(3):
            h = (h @ W).named("h")
        told = data_of(mg.draw(h.sum()).html())["numbers"]
    assert told["values"]["h@3"]["norm"] in ("nan", "inf")


def test_arrays_of_no_numbers():
    W = mg.parameter(np.zeros((0, 0)), name="W")
    h = mg.tensor(np.ones((1, 0)), name="h0")
    for _ in mg.steps(3):
        h = mg.tanh(h @ W).named("h")
    told = data_of(mg.draw(h.sum().named("L")).html())["numbers"]
    assert told["parameters"]["W"]["value"] == []
    assert told["parameters"]["W"]["shape"] == [0, 0]


def test_a_graph_without_names_is_a_still_page():
    W = mg.parameter(np.eye(2), name="W")
    told = data_of(mg.draw(mg.tanh(mg.tensor(np.ones((2, 2))) @ W).sum()).html())
    assert told["numbers"] is None
    assert told["lengths"] == [0]


def test_of_many_uses_no_maps_are_told():
    told = data_of(nets.page("many-to-many", 20))["numbers"]["parameters"]["W"]
    assert all("norm" in use and "slope" not in use for use in told["uses"])


def test_loops_within_a_step_have_their_frames():
    loss = recorded("nested")
    data = data_of(mg.draw(loss).html())
    frames = [e for e in data["edges"] if e["id"].startswith("frame")]
    parts = [
        e["part"] for e in frames for first, last, *_ in e["at"] if first <= 3 <= last
    ]
    assert parts.count("circuit") == 1
    assert parts.count("columns") == 3
    assert not any(e.get("tail") or e.get("tip") or e.get("by") for e in frames)


def test_letters_in_doubt_stand_below_the_figure_of_every_length():
    loss = recorded("random 46")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scenes = source_of(loss, mg.draw(loss).scene).scenes
    assert {T for T, scene in scenes.items() if faults(scene)} == set()
    below = {
        T: [t.words for t in s.texts if t.word == "aside"] for T, s in scenes.items()
    }
    assert below[2] == ["h → g, by Wgh"]


@pytest.mark.parametrize("view", ["ops", "textbook"])
def test_a_page_in_spanish_of_a_loop_with_steps_left_out(view):
    loss = PICTURES["many-to-many"](7)
    figure = mg.draw(loss, view=view, style=mg.Style(language="es"))
    said = Outline(figure.html()).said
    assert ("1 paso más" in said) == (view == "ops")  # the other page has all seven


def test_a_page_of_one_step_has_the_column_alone():
    W = mg.parameter(np.eye(2), name="W")
    for steps, parts in ((1, {"columns"}), (3, {"circuit", "columns"})):
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for _ in mg.steps(steps):
            h = mg.tanh(h @ W).named("h")
        nodes = data_of(mg.draw(h).html())["nodes"]
        assert {n["part"] for n in nodes} == parts
