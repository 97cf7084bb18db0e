"""The page in a real Chromium: every claim that it makes is counted against the graph.

``python -m pytest tests/draw/html`` runs it where Playwright (the extra ``browser``)
and /usr/bin/chromium are. BROWSER_SHOTS=FOLDER keeps pictures of it to look at.
"""

import os
import re
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw.measure import norm
from tests.draw.html import nets
from tests.draw.html.conftest import CHROMIUM, COMMAND, MISSING
from tests.draw.html.test_page import recurrent

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NOT RUN, use: {COMMAND}")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1400, "height": 900}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
SHOTS = os.environ.get("BROWSER_SHOTS")
VISIBLE = "all => all.filter(e => e.getClientRects().length)"
STILL = """() => new Promise(done => {
  let last = "";
  const look = () => {
    const now = figure.getAttribute("viewBox") + figure.innerHTML.length;
    if (now === last) done(); else { last = now; setTimeout(look, 150); }
  };
  look();
})"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open a page; whatever it asks for or complains of fails the test."""
    opened = []

    def open_page(name, steps=6, live=True, text=None, **options):
        context = browser.new_context(**{"viewport": SIZE, **options})
        page = context.new_page()
        page.set_default_timeout(8000)
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        file = tmp_path / f"{len(opened)}.html"
        file.write_text(text or nets.page(name, steps), encoding="utf-8")
        opened.append((context, page, file.as_uri()))
        page.goto(file.as_uri())
        if live:
            page.wait_for_selector("html[data-ready]")
            page.evaluate(STILL)
        return page

    yield open_page
    for context, page, address in opened:
        asked, said = page.asked, page.said
        context.close()
        assert [a for a in asked if not a.startswith(("data:", "blob:"))] == [address]
        assert said == []


def keep(page, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(250)
        page.screenshot(path=Path(SHOTS, f"{name}.png"), full_page="phone" in name)


def count(page, selector):
    return page.eval_on_selector_all(selector, f"all => ({VISIBLE})(all).length")


def ids(page, selector, name="node"):
    asked = f"all => ({VISIBLE})(all).map(e => e.dataset.{name})"
    return page.eval_on_selector_all(selector, asked)


def lit(page, part="columns"):
    """The arrows that are lit, in the columns or in the circuit."""
    found = ids(page, "#figure .mg-edge.on", "edge")
    return [id for id in found if ("@t" in id) == (part == "circuit")]


def slide(page, control, value):
    move = "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }"
    page.eval_on_selector(f"#{control}", move, value)


def away(page):
    page.mouse.move(700, 895)


def sums(page):
    """What the cards say: {name: (Σ, uses so far)}."""
    told = page.eval_on_selector_all(
        "#cards .card",
        "all => all.map(e => [e.dataset.parameter, e.lastChild.innerText])",
    )
    found = {}
    for name, text in told:
        total, done = re.fullmatch(r"Σ (\S+)\s+(\d+)/\d+ shares", text).groups()
        found[name] = float(total), int(done)
    return found


def named(graph, name):
    return next(p for p in graph.parameters if graph.names[p] == name)


@pytest.mark.parametrize("name", nets.EVERY)
def test_it_opens_clean_and_without_javascript_the_same_figure_stands(show, name):
    live = show(name)
    still = show(name, live=False, java_script_enabled=False)
    for selector in ("#figure .mg-node", "#figure .mg-edge > path:not(.hit)"):
        assert count(still, selector) == count(live, selector) > 0
    assert count(still, "button") == 0
    parameters = mg.Graph(nets.loss(name)).parameters
    assert count(still, "#cards tr") == 1 + len(parameters)
    assert count(live, "#cards .card") == len(parameters)
    keep(live, name)


def test_a_script_of_another_is_refused(show):
    page = show("many-to-one")
    page.evaluate(
        "() => { const s = document.createElement('script'); "
        "s.textContent = 'window.hacked = 1'; document.body.append(s); }"
    )
    assert page.evaluate("() => window.hacked === undefined")
    assert page.said.pop().startswith("Executing inline script violates")


@pytest.mark.parametrize("name", nets.RECURRENT)
@pytest.mark.parametrize("letter", ["U", "W", "V"])
def test_pointing_at_a_letter_lights_each_use(show, name, letter):
    loss, page = nets.loss(name), show(name)
    graph = mg.Graph(loss)
    texts = page.locator("#figure .mg-text:visible")
    texts.filter(has_text=re.compile(rf"^\s*{letter}\s*$")).last.hover()
    assert len(lit(page)) == len(graph.uses(named(graph, letter)))
    assert len(lit(page, "circuit")) == (2 if letter == "W" else 1)
    shares = mg.grad_by_use(loss, mg.Tensor(named(graph, letter)))
    norms = [nets.digits(norm(share.gradient.data)) for share in shares]
    if len(norms) > 1:
        bars = page.locator("#detail .chart").first.get_attribute("aria-label")
        assert [float(bar.split(": ")[1]) for bar in bars.split(", ")] == norms
    widths = page.eval_on_selector_all(
        "#figure .mg-edge.on",
        f"all => ({VISIBLE})(all).map(e => [e.dataset.edge, "
        "parseFloat(e.querySelector('path[style]').style.strokeWidth)])",
    )
    thick = max((w for w in widths if "@t" not in w[0]), key=lambda w: w[1])[0]
    largest = shares[int(np.argmax(norms))].t
    assert thick.rsplit("@", 1)[1] in (str(largest), "-1")
    keep(page, f"{name}-{letter}")
    away(page)
    assert lit(page) == []


@pytest.mark.parametrize("name", nets.EVERY)
def test_the_cards_light_all_uses(show, name):
    graph, page = mg.Graph(nets.loss(name)), show(name)
    for parameter in graph.parameters:
        key = graph.names[parameter]
        page.hover(f'.card[data-parameter="{key}"]')
        uses = page.evaluate("k => data.numbers.parameters[k].uses", key)
        assert len(uses) == len(graph.uses(parameter))
        assert set(lit(page)) == {edge for use in uses for edge in use["edges"]}
        if not lit(page):  # a bias lights the circles that it enters
            assert ids(page, "#figure .mg-node.on")


def test_pointing_at_h3_lights_its_past_and_says_its_gradient(show):
    loss, page = nets.loss("many-to-many"), show("many-to-many")
    page.hover('[data-node="h@3"]')
    past = ids(page, "#figure .mg-node.on")
    assert sorted(past) == sorted(
        ["h@t", "h0", "h@1", "h@2", "h@3", "x@1", "x@2", "x@3"]
    )
    h3 = next(n for n in mg.Graph(loss).nodes if n.name == "h" and n.t == 3)
    gradient = norm(mg.grad(loss, [mg.Tensor(h3)])[0].data)
    assert str(nets.digits(gradient)) in page.inner_text("#detail dl")
    said = page.locator("#detail .equation").first.text_content()
    assert said == "h(3) = tanh(b + W h(2) + U x(3))"
    page.click('[data-node="h@3"]')
    away(page)
    assert page.get_attribute('[data-node="h@3"]', "aria-pressed") == "true"
    assert len(ids(page, ".mg-node.on")) == 8
    keep(page, "many-to-many-h3")
    page.keyboard.press("Escape")
    assert ids(page, ".mg-node.on") == []


def test_terms_have_the_colours_of_their_arrows_and_show_them(show):
    page = show("many-to-many")
    page.click('[data-node="h@3"]')
    away(page)
    terms = page.eval_on_selector_all(
        "#detail .token",
        "all => all.map(e => [e.innerText, getComputedStyle(e).color])",
    )
    colours = {text.strip(): colour for text, colour in terms}
    for edge, letter in (("h@2>h@3", "W"), ("x@3>h@3", "U")):
        ink = page.eval_on_selector(
            f'.mg-edge[data-edge="{edge}"] .mg-head', "e => getComputedStyle(e).fill"
        )
        assert colours[letter] == ink
    assert colours["W"] != colours["U"]
    page.locator("#detail .token", has_text="x").first.click()
    assert lit(page) == ["x@3>h@3"]
    assert page.inner_text("#detail h3").startswith("h(3)")


@pytest.mark.parametrize("name", [*nets.RECURRENT, "lstm"])
def test_every_number_of_steps(show, name):
    page = show(name, reduced_motion="reduce")
    for T in range(1, 13):
        slide(page, "steps", T - 1)
        columns = '#figure .mg-hidden[data-node^="h@"]:not([data-node="h@t"])'
        assert count(page, columns) == T
        graph = mg.contract(nets.loss(name, T))
        computed = [n for n in graph.nodes if n.inputs and n.name]
        assert page.evaluate("() => order().length") == len(computed)
        page.hover('.card[data-parameter="W"]')
        recorded = mg.Graph(nets.loss(name, T))
        if name != "lstm":  # there a use lies on two arrows
            assert len(lit(page)) == len(recorded.uses(named(recorded, "W")))
        said = page.inner_text("#detail")
        assert ("recorded at T = 6" in said) == (T != 6)
        away(page)
    keep(page, f"{name}-12")


def test_circles_keep_their_identity_and_move(show):
    page = show("many-to-one")
    page.evaluate("() => { window.before = [...figure.querySelectorAll('.mg-node')]; }")
    page.evaluate(
        "() => { const g = item('o@-1').g; window.path = []; const look = () => { "
        "path.push(g.transform.baseVal[0].matrix.e); requestAnimationFrame(look); }; "
        "look(); }"
    )
    page.focus("#steps")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(950)
    path = page.evaluate("() => path")
    assert path == sorted(path)
    assert len(set(path)) > 2  # on its way, not only at both ends
    assert page.text_content('[data-node="o@-1"]').endswith("(7)")
    assert page.evaluate(
        "() => [...figure.querySelectorAll('.mg-node')]"
        ".every((e, i) => e === before[i])"
    )


def test_the_black_square_folds_and_unfolds(show):
    page = show("many-to-many")
    whole = count(page, "#figure .mg-node")
    page.click(".mg-delay")
    page.wait_for_timeout(1600)
    assert count(page, "#figure .mg-node") == 6
    keep(page, "folded")
    page.click(".mg-delay")
    page.wait_for_timeout(500)
    keep(page, "unfolding")
    page.wait_for_timeout(1200)
    assert count(page, "#figure .mg-node") == whole


def test_play_to_the_end_gives_the_gradient(show):
    loss, page = nets.loss("many-to-many"), show("many-to-many")
    page.select_option("#speed", "0.2")
    page.click("#play")
    page.wait_for_timeout(700)
    assert "Pause" in page.text_content("#play")
    page.click("#play")
    stopped = page.input_value("#moment")
    page.wait_for_timeout(400)
    assert page.input_value("#moment") == stopped > "1"
    page.click("#play")
    for _ in range(80):  # a condition in words would be eval, which the policy forbids
        page.wait_for_timeout(200)
        if page.evaluate("() => moment === end()"):
            break
    loss.backward()
    for parameter in mg.Graph(loss).parameters:
        total, uses = sums(page)[parameter.name]
        assert total == pytest.approx(norm(parameter.grad), rel=1e-3)
        assert uses == 6
    keep(page, "played")


def test_what_is_folded_or_of_another_length_has_no_last_moment(show):
    """Neither says what only the recorded columns have."""
    page = show("many-to-many")
    slide(page, "moment", 1000)
    assert "Done: each Σ" in page.text_content("#say")
    page.click("#play")
    page.click("#fold")
    page.wait_for_timeout(1600)
    assert page.text_content("#say").startswith("Folded")
    assert page.input_value("#moment") == "0"
    assert "Play" in page.text_content("#play")
    slide(page, "steps", 8)
    slide(page, "moment", 1000)
    assert "comes back from" in page.text_content("#say")
    assert "Σ" not in page.text_content("#say")


def test_where_nothing_comes_back_it_says_so(show):
    h, W = mg.tensor([[1.0, 2.0]], name="h0"), mg.parameter(np.eye(2) / 2, name="W")
    for _ in mg.steps(4):
        h = mg.tanh(h @ W).named("h")
    page = show("h", text=mg.draw(h).html())
    assert "Backward" not in page.inner_text("body")
    assert "gradient" not in page.inner_text("#legend")
    assert "No gradient comes back" in page.inner_text("#detail")
    page.hover("#cards .card")
    assert "used 4 times." in page.inner_text("#detail")
    assert "shares" not in page.inner_text("#detail")


@pytest.mark.parametrize("width", [1400, 1200, 1000, 800, 390])
def test_words_are_not_broken(show, width):
    page = show("many-to-many", viewport={"width": width, "height": 900})
    high = page.eval_on_selector_all(
        ".halves span", "all => all.map(e => e.offsetHeight)"
    )
    assert max(high) < 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["many-to-one", "output-feedback", "lstm", "mlp"])
def test_each_moment_adds_what_python_adds(show, name):
    loss, page = nets.loss(name), show(name)
    graph, n = mg.Graph(loss), page.evaluate("() => order().length")
    for moment in (0, 1, n, n + 1, n + n // 2, 2 * n):
        slide(page, "moment", moment)
        for key, (total, done) in sums(page).items():
            uses = page.evaluate("k => data.numbers.parameters[k].uses.map(gave)", key)
            shares = mg.grad_by_use(loss, mg.Tensor(named(graph, key)))
            given = [s for s, gave in zip(shares, uses, strict=True) if gave]
            added = sum((s.gradient.data for s in given), 0.0)
            assert total == pytest.approx(norm(added), rel=2e-3, abs=1e-7)
            assert done == len(given)
        if moment == n + n // 2:
            keep(page, f"{name}-backward")


def test_values_wait_until_they_are_computed(show):
    page = show("many-to-many")
    slide(page, "moment", 4)  # h(1) o(1) L(1) h(2)
    seen = ids(page, "#figure .mg-node:not(.waiting)")
    columns = [id for id in seen if "@t" not in id]
    assert sorted(columns) == ["L@1", "h0", "h@1", "h@2", "o@1", "x@1", "x@2", "y@1"]
    assert "h(2) = tanh(b + W h(1) + U x(2))" in page.text_content("#say")
    keep(page, "forward")
    page.click("#back")
    assert page.input_value("#moment") == "3"


def test_keyboard_alone(show):
    page = show("many-to-many")
    asked = "() => { const e = document.activeElement, d = e.dataset; "
    asked += "return e.id || d.node || d.parameter; }"
    visited = []
    for _ in range(20):
        page.keyboard.press("Tab")
        visited.append(page.evaluate(asked))
    controls = {"svg", "png", "tex", "fold", "steps", "back", "play", "next", "moment"}
    assert controls | {"speed", "U", "W", "V", "b", "c"} <= set(visited)
    square = next(id for id in visited if id and ">" in id)
    page.focus(f'[data-node="{square}"]')
    for wanted in (6, 37):
        page.keyboard.press("Enter")
        page.wait_for_timeout(1700)
        assert count(page, "#figure .mg-node") == wanted
    for key, wanted in [
        ("ArrowRight", "h0"),
        ("ArrowRight", "h@1"),
        ("ArrowRight", "h@2"),
        ("ArrowUp", "o@2"),
        ("ArrowDown", "h@2"),
        ("ArrowLeft", "h@1"),
    ]:
        page.keyboard.press(key)
        assert page.evaluate(asked) == wanted
    assert len(ids(page, ".mg-node.on")) == 4  # focus alone lights its past
    page.keyboard.press("Enter")
    assert page.get_attribute('[data-node="h@1"]', "aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert ids(page, ".mg-node.on") == []
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#moment") == "2"
    page.keyboard.press(" ")
    page.wait_for_timeout(200)
    assert "Pause" in page.text_content("#play")
    page.keyboard.press("Escape")
    assert page.input_value("#moment") == "0"


def test_everything_has_a_name(show):
    page = show("many-to-many")
    value = next(
        n.value
        for n in mg.Graph(nets.loss("many-to-many")).nodes
        if n.name == "h" and n.t == 3
    )
    label = page.get_attribute('[data-node="h@3"]', "aria-label")
    assert label.startswith("h(3), ")
    assert label.endswith(str(nets.digits(norm(value))))
    bare = page.eval_on_selector_all(
        "button, input, select, [role=button], [role=img], [role=group]",
        "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() "
        "|| e.closest('label'))).map(e => e.outerHTML.slice(0, 90))",
    )
    assert bare == []


STATES = {
    "rest": "() => {}",
    "pinned circle": "() => pin({value: stops().find(m => m.name[0] === 'h').id})",
    "pinned letter": "() => pin({parameter: Object.keys(letters)[0]})",
    "forward": "() => to(3)",
    "backward": "() => to(end() - 2)",
    "closer": "() => zoom(3)",
    "another length": "() => go(lengths.at(1) ?? T, false)",
    "folded": "() => go(T, !!lengths[1])",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["many-to-many", "lstm", "mlp"])
def test_accessible_in_every_state(show, name, scheme):
    page = show(name, color_scheme=scheme, reduced_motion="reduce")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(f"() => {{{axe}}}")
    tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    tags += ["experimental"]
    asked = {"runOnly": {"type": "tag", "values": tags}}
    for state, change in STATES.items():
        page.evaluate(change)
        page.wait_for_timeout(250)  # colours fade
        found = page.evaluate("asked => axe.run(document, asked)", asked)
        faults = [
            (fault["id"], node["html"][:150], node["failureSummary"])
            for fault in found["violations"]
            for node in fault["nodes"]
        ]
        assert faults == [], state
        assert len(found["passes"]) > 20


def window(page):
    """The view box, of the whole figure and of what is shown."""
    shown = page.get_attribute("#figure", "viewBox").split(" ")
    return page.evaluate("() => view"), [float(v) for v in shown]


def test_zoom_and_pan(show):
    page = show("many-to-many")
    whole, first = window(page)
    assert first == whole
    page.click("#closer")
    _, near = window(page)
    assert near[2:] == pytest.approx([v / 1.5 for v in whole[2:]])
    middle = [near[i] + near[i + 2] / 2 for i in (0, 1)]
    assert middle == pytest.approx([whole[i] + whole[i + 2] / 2 for i in (0, 1)])
    h3 = page.locator('[data-node="h@3"]')
    before = h3.bounding_box()
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 40, y - 20, steps=4)
    page.mouse.up()
    after = h3.bounding_box()
    assert after["x"] - before["x"] == pytest.approx(-40, abs=1)
    assert after["y"] - before["y"] == pytest.approx(-20, abs=1)
    assert page.evaluate("() => pinned") is None  # to drag is not to click
    page.mouse.click(x - 40, y - 20)
    assert page.evaluate("() => pinned") == {"value": "h@3"}
    page.keyboard.press("0")
    assert window(page)[1] == whole
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    assert window(page)[1][2] == pytest.approx(whole[2] / np.e, rel=0.01)
    assert page.evaluate("() => scrollY") == 0
    for _ in range(9):
        page.keyboard.press("+")
    assert window(page)[1][2] == pytest.approx(whole[2] / 8)
    page.focus('[data-node="o@6"]')
    page.keyboard.press("ArrowUp")  # what has the focus is in sight
    x, y, width, height = window(page)[1]
    at = page.evaluate("() => item('L@6').now")
    assert x < at[0] < x + width
    assert y < at[1] < y + height
    keep(page, "closer")
    page.keyboard.press("-")
    assert window(page)[1][2] == pytest.approx(whole[2] / 8 * 1.5)
    size = page.evaluate('() => picture().match(/viewBox=.([^"]*)/)[1]')
    assert size == " ".join(str(v) for v in whole)  # what is copied is whole


def test_a_finger_pans_what_is_larger_than_its_place(show):
    page = show("many-to-many", **PHONE)
    touch = page.context.new_cdp_session(page)

    def drag(x, y, left):
        for k, kind in enumerate(["touchStart", *["touchMove"] * 3, "touchEnd"]):
            points = [{"x": x - left * k / 3, "y": y}] if kind != "touchEnd" else []
            asked = {"type": kind, "touchPoints": points}
            touch.send("Input.dispatchTouchEvent", asked)
            page.wait_for_timeout(60)

    page.evaluate("() => zoom(3)")
    box = page.locator("#scroll").bounding_box()
    x, y = box["x"] + 200, box["y"] + box["height"] / 2
    before = window(page)[1][0]
    drag(x, y, 90)
    assert window(page)[1][0] > before + 10
    assert page.evaluate("() => pinned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["many-to-many", "lstm", "mlp"])
def test_a_phone(show, name, scheme):
    page = show(name, color_scheme=scheme, **PHONE)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    small = page.eval_on_selector_all(
        "button:not(.token), select",
        f"all => ({VISIBLE})(all).filter(e => e.getBoundingClientRect().height < 40)"
        ".map(e => e.id)",
    )
    assert small == []
    page.tap(".card >> nth=0")
    assert lit(page)
    keep(page, f"{name}-phone-{scheme}")


def test_dark(show):
    page = show("many-to-many", color_scheme="dark")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(22, 25, 29)"
    fill = "e => getComputedStyle(e).fill"
    circle = '#figure .mg-node[data-node="h@1"] > ellipse'
    assert page.eval_on_selector(circle, fill) == "rgb(11, 107, 80)"
    page.hover('.card[data-parameter="W"]')
    keep(page, "dark-W")
    away(page)
    slide(page, "moment", 28)
    keep(page, "dark-backward")


def test_less_motion(show):
    page = show("many-to-many", reduced_motion="reduce")
    page.click(".mg-delay")
    assert count(page, "#figure .mg-node") == 6  # at once
    page.click("#play")
    page.wait_for_timeout(900)
    assert page.input_value("#moment") == "1"  # to play is a step
    slide(page, "moment", 20)
    assert page.evaluate("() => document.getAnimations().length") == 0


def test_print(show):
    page = show("many-to-many", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert count(page, "button:not(.card)") == 0
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.pdf()[:4] == b"%PDF"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_to_take_away(show, scheme):
    allowed = ["clipboard-read", "clipboard-write"]
    page = show("many-to-many", color_scheme=scheme, permissions=allowed)
    page.hover('.card[data-parameter="W"]')
    page.evaluate("() => copy('svg')")
    page.wait_for_timeout(300)
    text = page.evaluate("() => navigator.clipboard.readText()")
    tree = ET.fromstring(text)
    assert tree.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in text
    assert not [e for e in tree.iter() if "class" in e.attrib]
    assert len([e for e in tree.iter() if e.text and e.text.strip() == "W"]) == 7
    page.evaluate("() => copy('png')")
    page.wait_for_timeout(800)
    size = page.evaluate(
        "async () => { const [item] = await navigator.clipboard.read(); "
        "const image = await createImageBitmap(await item.getType('image/png')); "
        "return [image.width, image.height]; }"
    )
    assert size == page.evaluate("() => [view[2] * 2, view[3] * 2]")
    page.evaluate("() => copy('tex')")
    page.wait_for_timeout(300)
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text == mg.draw(nets.loss("many-to-many"), view="textbook").tex()


def test_without_a_clipboard_a_file_is_saved(show):
    page = show("many-to-one")
    page.evaluate("() => { navigator.clipboard.write = () => Promise.reject(); }")
    with page.expect_download() as download:
        page.click("#svg")
    assert download.value.suggested_filename == "network.svg"
    ET.fromstring(Path(download.value.path()).read_text(encoding="utf-8"))


def test_spanish(show):
    figure = mg.draw(nets.loss("many-to-many"), style=mg.Style(language="es"))
    page = show("spanish", text=figure.html())
    assert page.evaluate("() => document.documentElement.lang") == "es"
    assert "Desplegar" in page.text_content("#figure")
    assert "Hacia atrás en el tiempo" in page.inner_text("body")
    page.hover('.card[data-parameter="W"]')
    assert "un solo parámetro, usado 6 veces" in page.inner_text("#detail")
    keep(page, "spanish")


def test_hostile_names_do_nothing(show):
    evil = '</script><img src=x onerror=alert(1)>"&'
    W = mg.parameter(np.eye(2) * 0.5, name=evil)
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(4):
        h = mg.tanh(h @ W).named("h")
    loss = (h * h).sum().named("J<b>")
    page = show("evil", text=mg.draw(loss, caption=evil).html())
    assert page.locator("img, b").count() == 0
    page.hover(".card")
    assert "onerror" in page.inner_text("#detail")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 1400


@pytest.mark.filterwarnings("ignore:the figure can be misread")
def test_names_of_the_script_itself_are_names(show):
    for names in (("toString", "constructor", "__proto__"), ("W", "h", "h@1")):
        page = show(names[0], text=mg.draw(recurrent(*names)).html())
        for stop in page.evaluate("() => stops().map(m => m.id)"):
            page.evaluate("id => pin({value: id})", stop)
        page.hover(".card")
        assert lit(page)
        slide(page, "moment", page.evaluate("() => end()"))


def test_a_long_record_says_what_it_does_not_draw(show):
    page = show("many-to-many", steps=20)
    page.hover('.card[data-parameter="W"]')
    unseen = page.evaluate(
        "() => data.numbers.parameters.W.uses.filter(u => !u.edges.length).length"
    )
    assert f"{unseen} uses lie in steps that are not drawn" in page.inner_text(
        "#detail"
    )
    page.hover('[data-node="h@2"]')
    slide(page, "moment", page.evaluate("() => end()"))
    assert sums(page)["W"][1] == 20
    keep(page, "long")
