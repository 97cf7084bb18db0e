"use strict";
// The page of a recorded network. Python wrote every circle, arrow and letter, and all
// numbers; this script moves, lights and hides them.
//
// item    a node, edge or text of the data, with its element g and its place now
// place   of an edge its points [x, y, ..], of others [x, y]; null where it is not
// moment  0 is rest; then each circle is computed, then each hands its gradient back
// choice  what is pointed at, focused or pinned: {parameter}, {value}, {value, term}

const $ = id => document.getElementById(id), figure = $("figure"), root = document.documentElement;
const data = JSON.parse($("data").textContent);
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const {nodes, edges, texts, letters, lengths, recorded} = data, items = [...nodes, ...edges, ...texts];
for (const map of [letters, data.equations]) Object.setPrototypeOf(map, null);  // toString is a name
const byId = new Map(items.map(m => [m.id, m])), item = id => byId.get(id);
let T = recorded, folded = false, moment = 0, timer = 0, tween = 0, view = null;
let hovered = null, pinned = null, told = null;

const set = (e, attributes) => { for (const k in attributes) e.setAttribute(k, attributes[k]); };
const flag = (e, classes) => { for (const k in classes) e.classList.toggle(k, !!classes[k]); };
const write = v => `${v}`.replace(/^(-?\d+)\.(?=\d)/, `$1${data.words.point}`);  // a number
const maker = space => (tag, attributes = {}, ...children) => {
  const e = document.createElementNS(space, tag);
  set(e, attributes);
  e.append(...children.flat(9).filter(c => c || c === 0).map(c => (c.nodeType ? c : write(c))));
  return e;
};
const html = maker("http://www.w3.org/1999/xhtml"), svg = maker("http://www.w3.org/2000/svg");
const say = (key, fill = {}) => data.words[key].replace(/{(\w)}/g, (_, k) => fill[k]);
const numbers = () => (T === recorded ? data.numbers : null);
const parameter = name => numbers()?.parameters[name], value = id => numbers()?.values[id];
const order = () => data.frames[T].order;
const end = () => (data.numbers?.loss === null ? 1 : 2) * order().length;  // without a loss nothing comes back
const what = m => data.words[m.kind] || say("other");
const time = ({t}) => (t < 0 ? T + 1 + t : t);
const mix = (a, b, s) => a + (b - a) * s;

// ---- letters and equations

const math = runs => html("span", {class: "math"}, runs.map(([text, face, place]) => html(place || "span", {class: face}, text)));
const letter = name => math(letters[name].label);
function called(m) {  // as it is written in the figure
  let rise = 0;
  return math([...m.g.querySelectorAll("tspan")].map(e => {
    rise += +e.getAttribute("dy");
    const face = ["font-weight", "font-style"].map(name => e.getAttribute(name)).join("");
    return [e.textContent, face, rise < -1 ? "sup" : rise > 1 && "sub"];
  }));
}

const refers = token => token.map && token[3] >= 0;  // to what stands on the right
// The equation of a line at a step, and those of what it reads that is no circle. A step
// of another length than the recorded is counted from the nearer end.
function linesOf(key, t) {
  const at = t && (t <= T / 2 ? Math.min(t, recorded) : Math.max(recorded - (T - t), 1));
  const found = [], seen = new Set([key]);
  for (const k of seen) {
    const lines = data.equations[k] || [], line = lines.find(([steps]) => !steps || (at == null ? steps[1] > steps[0] : steps[0] <= at && at <= steps[1])) || (t == null && lines[0]);
    if (!line) continue;
    found.push(line[1]);
    if (key[0] !== "∇") for (const [, name] of line[1].filter(refers)) if (!nodes.some(m => m.role === name) && !letters[name] && seen.size < 4) seen.add(name);
  }
  return found;
}
function equation(key, t, owner) {  // h(t-1) is h(2) at step 3
  const painted = colours(owner), lines = linesOf(key, t);
  return lines[0] && html("div", {class: key[0] === "∇" ? "equation flowing" : "equation"}, lines.map((line, i) => html("div", {class: "math"}, written(line, t, (text, term) => {
    const k = painted.get(100 * i + term);
    return k == null ? html("span", {}, text) : html("button", {class: "token term" + k, "data-term": 100 * i + term, "data-value": owner.id}, text);
  }))));
}
function written(line, t, wrap) {
  let into = [], below = null;
  const found = into, put = text => into.push(text.replace("-", "−"));
  for (const token of line) {
    if (token.map) {
      const [text, key, delay, term] = token, [, name, at = "", after] = text.match(/^(.*?)(\(.*\))?(ᵀ?)$/);
      const here = (t == null ? at : at.replace(/\bt([-+]\d+)?/, t - delay)).replace("-", "−");
      into.push(wrap([name === key && letters[key] ? letter(key) : html("span", {class: "bolditalic"}, name), html("sup", {}, here, after)], term));
    } else if (t == null || !token.startsWith(",   t =")) for (const part of token.split(/(_{|_(?=[a-z])|}| $)/)) {
      if (part[0] === "_") into = below = [];
      else if (below && (part === "}" || part === " ")) { found.push(html("sub", {}, below), " "); into = found; below = null; } else put(part);
    }
  }
  return found;
}
const source = e => {  // where an arrow comes from, through a black square
  const tail = item(e.tail);
  return tail?.kind === "delay" ? item(edges.find(f => f.tip === e.tail)?.tail) : tail;
};
function termOf(e, tip) {  // in which term of the tip's equations an arrow is
  const lines = linesOf(tip.role, time(tip));
  for (const tail of [...befores(e, tip), source(e)]) for (const i in lines) {
    const outside = tail?.kind === "initial", delay = tip.t && tail?.t ? time(tip) - time(tail) : e.delay || 0;
    const found = tail && lines[i].filter(refers).find(k => (k[1] === tail.role ? outside || k[2] == null || k[2] === delay : outside && k[2] > 0));
    if (found) return 100 * i + found[3];
  }
  return null;
}
const befores = (e, m) => e.pairs.filter(p => p[1] === m.id).map(p => item(p[0])).filter(n => n && placeOf(n));
const into = m => shown(edges).filter(e => e.tip === m.id || befores(e, m)[0]);
function colours(m) {  // {term: number of its colour}, of terms that have arrows
  const terms = [...new Set(m && into(m).map(e => termOf(e, m)))].filter(k => k != null).sort((a, b) => a - b);
  return new Map(terms.map((k, i) => [k, i % 5]));
}

// ---- the figure

const placeOf = m => {
  const at = (!folded || m.part === "circuit") && m.at.find(a => a[0] <= T && T <= a[1]);
  return at ? at.slice(2) : null;
};
const geometry = m => { const p = placeOf(m); return p && (m.is === "edge" ? p[0] : p.slice(0, 2)); };
const shown = these => these.filter(placeOf), owner = m => item(m.edge) || m;

function prepare() {  // each item gets its element, and what only a live page needs
  for (const [is, list] of [["edge", edges], ["node", nodes], ["text", texts]]) {
    const found = figure.querySelectorAll(".mg-" + is);
    list.forEach((m, i) => {  // Python drew it at the recorded length, else where it is first
      const from = (m.at.find(a => a[0] <= recorded && recorded <= a[1]) || m.at[0]).slice(2);
      Object.assign(m, {g: found[i], is, width: 1, from});
    });
    figure.append(...list.map(m => m.g));
  }
  figure.querySelector("g[display]:not([class])")?.remove();
  const box = (m, name, w, h, rx = 0) => svg("rect", {class: name, x: m.from[0] - w / 2, y: m.from[1] - h / 2, width: w, height: h, rx});
  for (const m of nodes) {
    const [w, h] = m.size, small = m.kind === "delay" ? 10 : 0, round = m.g.querySelector("ellipse");
    m.number = svg("text", {class: "number", "aria-hidden": true});  // the label says it
    figure.append(m.number);
    m.g.prepend(box(m, "hit", w + small, h + small), box(m, "ring", w + 7, h + 7, round ? w / 2 + 3.5 : 5));
  }
  for (const m of edges) {
    [m.shaft, m.head] = m.g.querySelectorAll("path");
    m.g.prepend(m.hit = svg("path", {class: "hit"}));
  }
  for (const m of texts) if (owner(m).by) m.g.prepend(box(m, "hit", 22, 20));
}
const curve = p => "M" + p.slice(0, 2) + (p.length > 4 ? "C" : "L") + p.slice(2);
function draw(m, now = m.now) {
  m.now = now;
  set(m.g, {display: now ? "inline" : "none"});
  if (!now) return;
  if (m.number) set(m.number, {x: now[0] - 11, y: now[1] + m.size[1] / 2 + 13});
  if (m.is !== "edge") return set(m.g, {transform: `translate(${now[0] - m.from[0]} ${now[1] - m.from[1]})`});
  const n = now.length, p = m.turned ? now.map((_, i) => now[n - 2 - i + 2 * (i % 2)]) : [...now];
  set(m.hit, {d: curve(p)});
  if (m.head) {
    const [x0, y0, x, y] = p.slice(n - 4), far = Math.hypot(x - x0, y - y0) || 1, long = (7 + 1.5 * m.width) / far;
    const a = mix(x, x0, long), b = mix(y, y0, long), u = (x - a) * 0.4, v = (y - b) * 0.4;
    set(m.head, {d: `M${x} ${y}L${a - v} ${b + u}L${a + v} ${b - u}z`});
    p.splice(n - 2, 2, a, b);
  }
  set(m.shaft, {d: curve(p)});
}

// Go to a length, or fold. New circles come out of the one that they repeat and stop one
// by one in their columns; old ones return. Arrows and letters move with their circles.
function go(length, fold) {
  const refold = fold !== folded, common = refold ? 0 : Math.min(T, length), before = view, began = performance.now();
  T = length; folded = fold; moment = fold ? 0 : Math.min(moment, end());
  for (const m of items) {
    const there = geometry(m);
    m.base = there || m.now;
    m.side = there ? "goal" : "start";
    placeOf(m)?.[2]?.forEach((text, i) => { m.g.querySelectorAll("tspan")[i].textContent = text; });
  }
  for (const m of nodes) {  // out of the same value at the last common step, else out of the circuit
    const home = nodes.filter(n => n.now && n.role === m.role && n.t <= common).pop() || item(m.home) || m, there = home.now || home.from;
    m.start = m.now || there; m.goal = geometry(m) || there;
  }
  const after = data.frames[T][fold ? "circuit" : "view"], duration = !before || calm ? 0 : refold ? 1300 : 600;
  const reach = m => Math.hypot(m.goal[0] - m.start[0], m.goal[1] - m.start[1]) || 1, farthest = Math.max(...nodes.map(reach));
  const pace = (m, s) => (refold ? Math.min(1, s * farthest / reach(m)) : s);
  const off = (id, side) => { const m = item(id); return m?.now ? m.now.map((v, i) => v - m[side][i]) : [0, 0]; };
  const step = () => {
    const s = duration ? Math.min((performance.now() - began) / duration, 1) : 1, e = s * s * (3 - 2 * s);
    for (const m of items) {
      const {tail, tip} = owner(m), p = off(tail, m.side), q = off(tip, m.side), last = m.base?.length - 1;
      draw(m, s === 1 ? geometry(m) : m.base?.map((v, i) => (m.is === "node" ? mix(m.start[i], m.goal[i], fold ? 1 - pace(m, 1 - e) : pace(m, e))
        : v + mix(p[i % 2], q[i % 2], last > 1 ? i / last : 0.5))));
    }
    view = after.map((v, i) => (before ? mix(before[i], v, e) : v));
    look();
    figure.style.minWidth = view[2] * 0.6 + "px";
    if (s < 1) tween = requestAnimationFrame(step);
  };
  cancelAnimationFrame(tween);
  step();
  refresh();
}

// ---- pan and zoom: the figure `scale` times as large, from its `corner` on

let scale = 1, corner = [0, 0], held = null, dragged = 0;
const half = i => view[i + 2] / scale / 2;
function look() {
  corner = corner.map((v, i) => Math.max(Math.min(v, view[i] + view[i + 2] - 2 * half(i)), view[i]));
  set(figure, {viewBox: [...corner, 2 * half(0), 2 * half(1)].join(" ")});
  flag(figure, {zoomed: scale > 1});
}
function zoom(by, e) {  // around the pointer or the middle
  const m = figure.getScreenCTM(), at = e ? [(e.x - m.e) / m.a, (e.y - m.f) / m.a] : corner.map((v, i) => v + half(i)), before = scale;
  scale = Math.min(Math.max(scale * by, 1), 8);
  corner = corner.map((v, i) => mix(at[i], v, before / scale));
  look();
}
// ---- what belongs together

function related(choice) {
  const seen = shown(items), own = item(choice.value), on = new Set();
  if (choice.parameter) {
    const used = parameter(choice.parameter)?.uses.flatMap(u => u.edges), {targets} = letters[choice.parameter];
    for (const m of seen) {
      const e = owner(m), here = used && e.part === "columns" ? used.includes(e.id) : e.by?.includes(choice.parameter);
      if (!here && !targets.includes(m.role)) continue;
      on.add(m);
      for (const end of [m.tail, m.tip].map(item)) if (end?.kind === "delay") on.add(end);
    }
    return on;
  }
  if (!own) return on;
  on.add(own);
  if (choice.term != null) {
    for (const e of into(own)) if (termOf(e, own) === choice.term) for (const m of [e, item(e.tail), source(e), ...befores(e, own)]) if (m) on.add(m);
  } else if (own.part === "columns") {
    for (const m of on) if (m.is === "node") for (const e of into(m)) for (const n of [e, ...befores(e, m)]) on.add(n);  // a Set grows while it is walked
    for (const m of seen) if (m.id === own.home) on.add(m);
  } else for (const m of seen) if (m.home === own.id || m.tip === own.id) on.add(m);
  return new Set([...on, ...seen.filter(m => on.has(owner(m)))]);
}
function light() {
  const choice = hovered || pinned, on = related(choice || {}), own = item(choice?.value);
  const painted = colours(own), uses = parameter(choice?.parameter)?.uses || [], most = Math.max(0, ...uses.map(u => +u.norm || 0));
  flag(figure, {chosen: choice});
  for (const m of items) {
    const use = uses.find(u => u.edges.includes(m.id)), e = owner(m);
    const k = own && on.has(m) && e.pairs?.some(p => p[1] === own.id) ? painted.get(termOf(e, own)) : null;
    flag(m.g, {on: on.has(m)});
    set(m.g, {"data-colour": k});
    if (m.is === "node") set(m.g, {"aria-pressed": pinned?.value === m.id});
    if (m.is !== "edge") continue;
    m.width = !on.has(m) ? 1 : use && most > 0 ? 1.2 + 3.2 * (+use.norm || 0) / most : 2;
    m.shaft.style.strokeWidth = on.has(m) ? m.width : "";
    draw(m);
  }
  for (const card of $("cards").children) {
    const name = card.dataset.parameter;
    flag(card, {on: choice?.parameter === name});
    set(card, {"aria-pressed": pinned?.parameter === name});
  }
  if (choice) describe(choice);
  document.querySelectorAll("#detail .token").forEach(e => flag(e, {on: choice?.term === +e.dataset.term}));
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
function hover(choice) { if (!same(hovered, choice)) { hovered = choice; light(); } }
function pin(choice) { pinned = same(pinned, choice) ? null : choice; hovered = null; light(); }
const itemAt = target => items.find(m => m.g === target.closest?.("#figure > g"));
function choiceAt(target) {
  const token = target.closest?.(".token"), m = itemAt(target), name = target.closest?.("[data-parameter]")?.dataset.parameter;
  if (token) return {value: token.dataset.value, term: +token.dataset.term};
  if (name) return {parameter: name};
  if (m?.is === "node" && !/delay|dot/.test(m.kind)) return {value: m.id};
  const by = m && (m.kind === "delay" ? edges.find(e => e.tip === m.id)?.by : owner(m).by);
  return by ? {parameter: by[0]} : null;
}

// ---- the panel

const note = text => text && html("p", {class: "note"}, text);
function bars(columns) {  // [[number, label, class], ..]
  const most = Math.max(...columns.map(c => +c[0] || 0)) || 1, each = Math.min(300 / columns.length, 44);
  const said = columns.map(([v, t]) => (t == null ? write(v) : `t = ${t}: ${write(v)}`));
  return svg("svg", {class: "chart", viewBox: "0 0 300 90", role: "img", "aria-label": said.join(", ")}, columns.map(([v, t, name = ""], i) => {
    const high = Math.max((+v || 0) / most * 64, 0.8), note = (y, text) => svg("text", {x: (i + 0.5) * each, y, class: name}, text);
    const short = `${+(+v).toPrecision(2)}`;
    return [svg("rect", {class: "bar " + name, x: (i + 0.12) * each, y: 76 - high, width: each * 0.76, height: high}),
      each > 22 && note(73 - high, short.length * 5 < each ? short : (+v).toExponential(0)), each > 14 && note(88, t ?? "")];
  }));
}
function heat(caption, rows, peak, cell = 15, name = "") {
  const most = peak || Math.max(...rows.flat().map(v => Math.abs(v) || 0)) || 1, [width, height] = [rows[0]?.length * cell || 0, rows.length * cell];
  const cells = rows.map((row, i) => row.map((v, j) => svg("rect", {class: v < 0 ? "less" : "more", x: j * cell, y: i * cell, width: cell, height: cell,
    "fill-opacity": (Math.abs(v) || 0) / most}, svg("title", {}, v))));
  return html("figure", {class: name}, svg("svg", {class: "heat", width, height, role: "img", "aria-label": rows.map(row => row.map(write).join(" ")).join("; ")}, cells), html("figcaption", {}, caption));
}
function cards() {
  $("cards").replaceChildren(...Object.keys(letters).map(name => {
    const {uses = [], sums} = parameter(name) || {}, chart = sums ? bars(uses.map(u => [u.norm, u.t])) : html("i");
    set(chart, {viewBox: `0 12 ${Math.min(300, 44 * uses.length)} 64`, preserveAspectRatio: "none", "aria-hidden": true});
    return html("button", {class: "card", "data-parameter": name}, html("span", {class: "letter"}, letter(name)), chart, html("span", {class: "sum"}));
  }));
}
const gave = u => !moment || u.at >= end() - moment;  // whether a use has given its share by now
function fill() {  // the sums of this moment
  for (const card of $("cards").children) {
    const p = parameter(card.dataset.parameter), k = p?.uses.filter(gave).length;
    card.querySelectorAll(".bar").forEach((bar, i) => flag(bar, {empty: !gave(p.uses[i])}));
    if (p?.sums) card.lastChild.replaceChildren("Σ " + write(p.sums[k]), html("small", {}, `${k}/${p.uses.length} ${say("parts")}`));
  }
}
function describe(choice) {  // anew only if what it tells has changed
  const {parameter, value} = choice || {}, about = [parameter, value, T, moment, folded];
  if (same(about, told)) return;
  told = about;
  const left = !data.numbers ? order()[0] && say("nonumbers") : !numbers() ? say("structure", {a: recorded, n: T}) : say("noloss");
  $("detail").replaceChildren(html("div", {}, parameter ? ofParameter(parameter) : value && ofValue(item(value)), note(left)));
}
function ofParameter(name) {
  const p = parameter(name), uses = p?.uses || [], n = uses.length, unseen = uses.filter(u => !u.edges.length).length, summed = n > 1 && p.sums;
  const cell = summed && Math.min(Math.max(300 / (n + 1) - 20, 22) / p.slope[0]?.length, 9), empty = u => (gave(u) ? "" : "empty");
  const peak = Math.max(...uses.flatMap(u => (u.slope ? u.slope.flat().map(Math.abs) : NaN)));
  return [html("h3", {}, letter(name)), equation("∇" + name),
    n > 0 && html("p", {}, say(n > 1 ? "shared" : "once", {a: name, n})),
    note(unseen > 0 && unseen < n && say("unseen", {n: unseen})),
    summed && [html("h4", {}, say("shares", {a: name})), bars(uses.map(u => [u.norm, u.t, empty(u)])), note(say("lengths"))],
    summed && peak >= 0 && html("div", {class: "sumrow"}, uses.map((u, i) => [i > 0 && "+", heat(u.t ?? "", u.slope, peak, cell, empty(u))]), "=", heat("∂L/∂" + name, p.slope, 0, cell, "total")),
    p && facts(p, n)];
}
function ofValue(m) {
  const v = value(m.id), kin = shown(nodes).filter(n => n.role === m.role && value(n.id)?.gradient != null);
  return [html("h3", {}, called(m), html("small", {class: "note"}, " ", what(m))), equation(m.role, time(m), m), equation("∇" + m.role, time(m)),
    note(colours(m).size > 0 && say("click")),
    kin[1] && [html("h4", {}, say("slopes", {a: m.name})), bars(kin.map(n => [value(n.id).gradient, time(n), n === m ? "mark" : ""]))],
    v && facts(v)];
}
function facts(v, n) {
  const {line, op, norm, gradient} = v, rows = Object.entries({line, op, shape: v.shape.join(" × ") || "1", uses: n, norm, gradient}).filter(([, x]) => x != null);
  const cut = v.value.flat().length < v.shape.reduce((a, b) => a * b, 1);
  return [html("dl", {}, rows.map(([key, x]) => [html("dt", {}, say(key)), html("dd", {}, x)])),
    html("div", {class: "heats"}, heat(say("value"), v.value), v.slope && heat(say("slope"), v.slope), note(say("signs") + (cut ? ". " + say("corner") : "")))];
}

// ---- the two passes

function act() {  // all follows from the number of the moment, so one can step back
  const ids = order(), n = ids.length, back = moment > n, done = new Set(ids.slice(0, moment)), met = new Set(done);
  const given = new Set(ids.slice(back ? end() - moment : n)), current = ids[back ? end() - moment : moment - 1];
  for (const e of edges) for (const [a, b] of e.pairs) if (done.has(b)) met.add(a).add(e.id);
  for (const m of items) {
    const {id, tip, tail, pairs} = owner(m), key = tip || pairs?.[0][1] || id, live = moment > 0 && m.part === "columns" && m.kind !== "dot";
    const gone = live && given.has(key), turned = gone && m.is === "edge" && ids.includes(tail);
    flag(m.g, {waiting: live && key && !met.has(id), now: live && key === current, gave: gone, turned});
    if (m.turned !== turned) { m.turned = turned; draw(m); }
    if (!m.label) continue;
    const slope = gone ? value(id)?.gradient ?? "" : "";
    m.number.textContent = write(slope);
    set(m.g, {"aria-label": m.label + (slope && `, ${say("slope")} ${write(slope)}`)});
  }
  flag(figure, {playing: moment});
  Object.assign($("moment"), {max: end(), value: moment});
  fill();
  speak(item(current), back);
  if (pinned) describe(pinned);
}
function speak(m, back) {
  if (!m) return $("say").replaceChildren(say(folded ? "folded" : "hint"));
  const from = new Set(shown(edges).flatMap(e => e.pairs.filter(p => p[0] === m.id && item(p[1])).map(p => p[1]))), v = value(m.id), slope = () => html("span", {class: "math"}, "∂L/∂", called(m));
  const norm = (what, x) => x != null && html("span", {class: "norm"}, "‖", what, "‖ = ", x);
  const joined = things => things.flatMap((x, i) => (i ? [", ", x] : x));
  const line = equation(m.role, time(m)), told = numbers()?.parameters;
  const names = Object.keys(told || {}).filter(k => told[k].sums && told[k].uses.some(u => u.at === order().indexOf(m.id)));
  const lines = !back ? [line ? line.firstChild : called(m), norm(called(m), v?.norm)]
    : [html("span", {}, slope(), " ", say(from.size ? "arrives" : "begin"), " ", joined([...from].map(id => called(item(id))))), norm(slope(), v?.gradient),
      html("div", {}, moment === end() ? told && say("done") : names[0] && [say("adds") + " ", joined(names.map(letter))])];
  $("say").replaceChildren(html("b", {class: back ? "back" : ""}, say(back ? "backward" : "forward")), html("div", {}, lines));
}
function to(next) {
  if (folded) go(T, false);
  moment = Math.min(Math.max(next, 0), end());
  act();
}
function play(on) {
  clearTimeout(timer);
  timer = 0;
  if (on) to(moment === end() ? 1 : moment + 1);
  if (on && !calm && moment < end()) timer = setTimeout(play, 700 * $("speed").value, true);
  $("play").textContent = (timer ? "❚❚ " : "▶ ") + say(timer ? "pause" : "play");
}
function walk(by) { play(false); to(moment + by); }

// ---- pictures

function picture() {  // with its colours written out, for Word and Inkscape
  const twin = figure.cloneNode(true), twins = twin.querySelectorAll("*"), [x, y, width, height] = view;
  const kept = "fill stroke stroke-width stroke-dasharray opacity font-family font-size font-style font-weight text-anchor".split(" ");
  const bare = e => [...e.attributes].filter(a => /^(class|id|style|role|tabindex|aria|data)/.test(a.name)).forEach(a => e.removeAttribute(a.name));
  figure.querySelectorAll("*").forEach((e, i) => {
    const look = getComputedStyle(e), copy = twins[i];
    if (look.display === "none" || e.matches(".hit")) return copy.remove();
    bare(copy);
    for (const name of kept) copy.setAttribute(name, look.getPropertyValue(name));
  });
  bare(twin);
  set(twin, {viewBox: view.join(" "), width: width + "pt", height: height + "pt"});
  twin.prepend(svg("rect", {x, y, width, height, fill: getComputedStyle(document.body).backgroundColor}));
  return new XMLSerializer().serializeToString(twin);
}
async function copy(form) {
  let blob = new Blob([form === "tex" ? data.tex : picture()], {type: "text/plain"});
  if (form === "png") {
    const image = new Image(), canvas = html("canvas", {width: view[2] * 2, height: view[3] * 2});
    image.src = "data:image/svg+xml," + encodeURIComponent(picture());
    await image.decode();
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    blob = await new Promise(done => canvas.toBlob(done));
  }
  const copied = await navigator.clipboard?.write([new ClipboardItem({[blob.type]: blob})]).then(() => 1, () => 0);
  if (!copied) html("a", {href: URL.createObjectURL(blob), download: "network." + form}).click();  // else a file
  $(form).textContent = say(copied ? "copied" : "saved");
  setTimeout(() => $(form).textContent = say(form), 1500);
}

// ---- pointer and keys

const stops = () => shown(nodes).filter(m => m.kind !== "dot");
function refresh() {
  for (const m of stops()) {
    const v = value(m.id);
    m.label = [m.g.textContent.trim(), what(m), v && `${say("norm")} ${write(v.norm)}`].filter(Boolean).join(", ");
  }
  $("fold").textContent = say(folded ? "unfold" : "fold");
  Object.assign($("steps"), {value: lengths.indexOf(T), ariaValueText: `T = ${T}`});
  $("count").textContent = T;
  cards(); act(); light(); rove();
  describe(hovered || pinned);
  if (!timer || folded) play(false);  // what is played stands in the columns
}
function rove(to) {  // one circle at a time is in the tab order
  const stop = to || stops().find(m => m.g.tabIndex === 0) || stops().find(m => m.kind === "delay") || stops()[0];
  for (const m of stops()) set(m.g, {role: "button", tabindex: m === stop ? 0 : -1});
  if (!to) return;
  corner = to.now.map((v, i) => v - half(i));
  look();
  to.g.focus();
}
function neighbour({now}, key) {  // the nearest circle on that side
  const [u, v] = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[key] || [0, 0];
  const cost = n => {
    const x = n.now[0] - now[0], y = n.now[1] - now[1], along = x * u + y * v, across = Math.abs(x * v) + Math.abs(y * u);
    return along > 4 && across <= 1.2 * along ? along + 3 * across : Infinity;
  };
  return stops().filter(n => cost(n) < Infinity).sort((a, b) => cost(a) - cost(b))[0];
}
function press(target) {
  const choice = choiceAt(target);
  if (itemAt(target)?.kind === "delay") { hovered = null; go(T, !folded); } else if (choice || figure.contains(target)) pin(choice);
}
onpointerover = e => hover(choiceAt(e.target));
addEventListener("focusin", e => { if (e.target.matches(":focus-visible")) hover(choiceAt(e.target)); });
addEventListener("focusout", () => hover(null));
onclick = e => (e.detail && dragged > 5) || press(e.target);
onpointerdown = e => { dragged = 0; held = figure.contains(e.target) && e; };
onpointermove = e => {
  if (!e.buttons || !held || scale === 1) return;
  const {a} = figure.getScreenCTM(), moved = [e.x - held.x, e.y - held.y];
  corner = corner.map((v, i) => v - moved[i] / a);
  dragged += Math.hypot(...moved);
  held = e;
  look();
};
figure.onwheel = e => { if (e.ctrlKey) { e.preventDefault(); zoom(Math.exp(-e.deltaY / 300), e); } };
onkeydown = e => {
  const m = itemAt(e.target), {key} = e, next = m && neighbour(m, key);
  const button = {"+": "closer", "-": "farther", 0: "whole", " ": "play", ArrowLeft: "back", ArrowRight: "next"}[key];
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (key === "Escape") { pinned = hovered = null; walk(-moment); light(); describe(null); }
  else if (next) rove(next);
  else if (m && (key === "Enter" || key === " ")) press(e.target);
  else if ("-+0".includes(key) || (button && order()[0] && !m && !e.target.closest("input, select, button"))) $(button).click();
  else return;
  e.preventDefault();
};
$("steps").oninput = e => go(lengths[e.target.value], false);
$("moment").oninput = e => walk(e.target.value - moment);
const clicks = {closer: () => zoom(1.5), farther: () => zoom(1 / 1.5), whole: () => zoom(0), fold: () => go(T, !folded), play: () => play(!timer), next: () => walk(1), back: () => walk(-1), svg: copy, png: copy, tex: copy};
for (const id in clicks) $(id).onclick = () => clicks[id](id);

prepare();
root.className = "js";
set(figure, {role: "group", "aria-label": `${data.title}. ${say("figure")}`});
go(T, nodes[0].part === "circuit");  // opens folded, then unfolds
setTimeout(() => { if (folded) go(T, false); root.dataset.ready = 1; }, folded && !calm ? 700 : 0);
