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
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const {nodes, edges, texts} = data, items = [...nodes, ...edges, ...texts];
const byId = new Map(items.map(m => [m.id, m])), item = id => byId.get(id);
let T = data.recorded, folded = false, moment = 0, timer = 0, tween = 0, view = null;
let hovered = null, pinned = null, told = null;

const set = (e, attributes) => { for (const k in attributes) e.setAttribute(k, attributes[k]); };
const flag = (e, classes) => { for (const k in classes) e.classList.toggle(k, !!classes[k]); };
const maker = space => (tag, attributes = {}, ...children) => {
  const e = document.createElementNS(space, tag);
  set(e, attributes);
  e.append(...children.flat(9).filter(c => c != null && c !== false));
  return e;
};
const html = maker("http://www.w3.org/1999/xhtml"), svg = maker("http://www.w3.org/2000/svg");
const say = (key, fill = {}) => data.words[key].replace(/{(\w)}/g, (_, k) => fill[k]);
const roles = new Set(nodes.map(m => m.role));
const numbers = () => (T === data.recorded ? data.numbers : null);
const parameter = name => numbers()?.parameters[name], value = id => numbers()?.values[id];
const order = () => data.frames[T].order;
const end = () => (data.numbers?.loss === null ? 1 : 2) * order().length;  // without a loss nothing comes back
const what = m => data.words[m.kind] || say("other");
const time = m => (m.t < 0 ? T + 1 + m.t : m.t);
const mix = (a, b, s) => a + (b - a) * s;

// ---- letters and equations

const letter = name => html("span", {class: "math"}, data.letters[name].label.map(([text, face, place]) => html(place || "span", {class: face}, text)));
function called(m) {  // as it is written in the figure
  let rise = 0;
  return html("span", {class: "math"}, [...m.g.querySelectorAll("tspan")].map(e => {
    rise += +e.getAttribute("dy");
    const face = ["font-weight", "font-style"].map(name => e.getAttribute(name)).join("");
    return html(rise < -1 ? "sup" : rise > 1 ? "sub" : "span", {class: face}, e.textContent);
  }));
}

const refers = token => typeof token !== "string" && token[3] >= 0;  // to what stands on the right
// The equation of a line at a step, and those of what it reads that is no circle. A step
// of another length than the recorded is counted from the nearer end.
function linesOf(key, t) {
  const R = data.recorded, at = t == null || R === T ? t : t <= T / 2 ? Math.min(t, R) : Math.max(R - (T - t), 1);
  const found = [], seen = new Set([key]);
  for (const k of seen) {
    const lines = data.equations[k] || [];
    const line = lines.find(([steps]) => !steps || (at == null ? steps[1] > steps[0] : steps[0] <= at && at <= steps[1])) || (t == null && lines[0]);
    if (!line) continue;
    found.push(line[1]);
    if (key[0] !== "∇") for (const [, name] of line[1].filter(refers)) if (!roles.has(name) && !data.letters[name] && seen.size < 4) seen.add(name);
  }
  return found;
}
function equation(key, t, owner, name = "") {  // h(t-1) is h(2) at step 3
  const painted = colours(owner), lines = linesOf(key, t);
  return lines[0] && html("div", {class: "equation " + name}, lines.map((line, i) => html("div", {class: "math"}, written(line, t, (text, term) => {
    const k = painted.get(100 * i + term);
    return k == null ? html("span", {}, text) : html("button", {class: "token term" + k, "data-term": 100 * i + term, "data-value": owner.id}, text);
  }))));
}
function written(line, t, wrap) {
  let into = [], below = null;
  const found = into, put = text => into.push(text.replace("-", "−"));
  for (const token of line) {
    if (typeof token !== "string") {
      const [text, key, delay, term] = token, [, name, at = "", after] = text.match(/^(.*?)(\(.*\))?(ᵀ?)$/);
      const here = t != null && /^\(t([-+]\d+)?\)$/.test(at) ? `(${t - delay})` : at.replace("-", "−");
      into.push(wrap([name === key && data.letters[key] ? letter(key) : html("span", {class: "bolditalic"}, name), html("sup", {}, here, after)], term));
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
  for (const tail of e.pairs.filter(p => p[1] === tip.id).map(p => item(p[0])).concat(source(e))) for (const i in lines) {
    const outside = tail?.kind === "initial", delay = tip.t && tail?.t ? time(tip) - time(tail) : e.delay || 0;
    const found = tail && lines[i].filter(refers).find(k => (k[1] === tail.role ? outside || k[2] == null || k[2] === delay : outside && k[2] > 0));
    if (found) return 100 * i + found[3];
  }
  return null;
}
const into = m => shown(edges).filter(e => e.tip === m.id || e.pairs.some(p => p[1] === m.id));
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
  const R = data.recorded;
  for (const [is, list] of [["edge", edges], ["node", nodes], ["text", texts]]) {
    const found = figure.querySelectorAll(".mg-" + is);
    list.forEach((m, i) => {  // Python drew it at the recorded length, else where it is first
      const from = (m.at.find(a => a[0] <= R && R <= a[1]) || m.at[0]).slice(2);
      Object.assign(m, {g: found[i], is, width: 1, from, pairs: m.covers || [[m.tail, m.tip]]});
      m.g.querySelector("title")?.remove();
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
function curve(p) {
  let d = `M${p[0]} ${p[1]}`;
  if (p.length === 4) return d + `L${p[2]} ${p[3]}`;
  for (let i = 2; i < p.length; i += 6) d += "C" + p.slice(i, i + 6).join(" ");
  return d;
}
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
  T = length; folded = fold; moment = Math.min(moment, end());
  for (const m of items) {
    const there = geometry(m);
    m.base = there || m.now;
    m.side = there ? "goal" : "start";
    placeOf(m)?.[m.is === "edge" ? 1 : 2]?.forEach((text, i) => { m.g.querySelectorAll("tspan")[i].textContent = text; });
  }
  for (const m of nodes) { const home = spring(m, common); m.start = m.now || home; m.goal = geometry(m) || home; }
  const after = data.frames[T][fold ? "circuit" : "view"], duration = !before || calm.matches ? 0 : refold ? 1300 : 600;
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
    set(figure, {viewBox: view.join(" ")});
    figure.style.minWidth = view[2] * 0.6 + "px";
    if (s < 1) tween = requestAnimationFrame(step);
  };
  cancelAnimationFrame(tween);
  step();
  refresh();
}
function spring(m, common) {  // the same value at the last common step, else the circuit
  const earlier = nodes.filter(n => n.now && n.role === m.role && n.t <= common).pop();
  const home = earlier || item(m.home) || m;
  return home.now || home.from;
}

// ---- what belongs together

const befores = (e, m) => e.pairs.filter(p => p[1] === m.id).map(p => item(p[0])).filter(n => n && placeOf(n));
const delayOf = e => [item(e.tail), item(e.tip)].find(m => m?.kind === "delay") || false;
function related(choice) {
  const seen = shown(items), own = item(choice.value), on = new Set();
  if (choice.parameter) {
    const used = parameter(choice.parameter)?.uses.flatMap(u => u.edges), {targets} = data.letters[choice.parameter];
    for (const m of seen) {
      const e = owner(m), here = used && e.part === "columns" ? used.includes(e.id) : e.by?.includes(choice.parameter);
      if (here || targets.includes(m.role)) on.add(m).add(m.part === "circuit" && delayOf(m));
    }
    on.delete(false);
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
  const painted = colours(own);
  const uses = parameter(choice?.parameter)?.uses || [], most = Math.max(0, ...uses.map(u => +u.norm || 0));
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

function bars(columns) {  // [[number, label, class], ..]
  const most = Math.max(...columns.map(c => +c[0] || 0)) || 1, each = Math.min(300 / columns.length, 44);
  const said = columns.map(([v, t]) => (t == null ? `${v}` : `t = ${t}: ${v}`));
  return svg("svg", {class: "chart", viewBox: "0 0 300 90", role: "img", "aria-label": said.join(", ")}, columns.map(([v, t, name = ""], i) => {
    const high = Math.max((+v || 0) / most * 64, 0.8), note = (y, text) => svg("text", {x: (i + 0.5) * each, y, class: name}, text);
    return [svg("rect", {class: "bar " + name, x: (i + 0.12) * each, y: 76 - high, width: each * 0.76, height: high}),
      each > 22 && note(73 - high, +(+v).toPrecision(2)), each > 14 && note(88, t ?? "")];
  }));
}
function heat(caption, rows, peak, cell = 15, name = "") {
  const most = peak || Math.max(...rows.flat().map(v => Math.abs(v) || 0)) || 1, [width, height] = [rows[0]?.length * cell || 0, rows.length * cell];
  const cells = rows.map((row, i) => row.map((v, j) => svg("rect", {class: v < 0 ? "less" : "more", x: j * cell, y: i * cell, width: cell, height: cell,
    "fill-opacity": (Math.abs(v) || 0) / most}, svg("title", {}, v))));
  return html("figure", {class: name}, svg("svg", {class: "heat", width, height, role: "img", "aria-label": rows.join("; ")}, cells), html("figcaption", {}, caption));
}
function cards() {
  $("cards").replaceChildren(...Object.keys(data.letters).map(name => {
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
    if (p?.sums) card.lastChild.replaceChildren("Σ " + p.sums[k], html("small", {}, `${k}/${p.uses.length}`));
  }
}
function describe(choice, again) {
  const key = JSON.stringify([choice?.parameter, choice?.value, T, moment]);
  if (key === told && !again) return;
  told = key;
  const parts = [], add = (tag, name, ...inside) => parts.push(html(tag, {class: name}, inside));
  if (choice?.parameter) tell_parameter(choice.parameter, parts, add);
  else if (choice) tell_value(item(choice.value), parts, add);
  if (!data.numbers && order().length) add("p", "note", say("nonumbers"));
  else if (data.numbers && !numbers()) add("p", "note", say("structure", {a: data.recorded, n: T}));
  $("detail").replaceChildren(...parts);
}
function tell_parameter(name, parts, add) {
  const p = parameter(name), uses = p?.uses || [], n = uses.length, unseen = uses.filter(u => !u.edges.length).length;
  add("h3", "", letter(name));
  parts.push(equation("∇" + name, null, null, "flowing") || "");
  if (n) add("p", "", say(n > 1 ? "shared" : "once", {a: name, n}));
  if (unseen && unseen < n) add("p", "note", say("unseen", {n: unseen}));
  if (n > 1 && p.sums) {
    const cell = Math.min(Math.max(300 / (n + 1) - 20, 22) / p.slope[0].length, 9);
    const peak = Math.max(...uses.flatMap(u => (u.slope ? u.slope.flat().map(Math.abs) : NaN)));
    add("h4", "", say("shares", {a: name}));
    parts.push(bars(uses.map(u => [u.norm, u.t, gave(u) ? "" : "empty"])));
    if (n <= 12 && peak >= 0) add("div", "sumrow", uses.map((u, i) => [i > 0 && "+", heat(u.t ?? "", u.slope, peak, cell, gave(u) ? "" : "empty")]), "=", heat("∂L/∂" + name, p.slope, 0, cell, "total"));
  }
  if (p) facts(p, n, add);
}
function tell_value(m, parts, add) {
  const v = value(m.id), past = [...related({value: m.id})].filter(n => n.is === "node" && n.part === "columns").length - 1;
  const kin = shown(nodes).filter(n => n.role === m.role && value(n.id)?.gradient != null);
  add("h3", "", called(m), html("small", {class: "note"}, " ", what(m)));
  parts.push(equation(m.role, time(m), m) || "", equation("∇" + m.role, time(m), null, "flowing") || "");
  if (colours(m).size) add("p", "note", say("click"));
  if (m.part === "columns" && past > 0 && !data.frames[T].cut) add("p", "", say("past", {n: past}));
  if (kin.length > 1) { add("h4", "", say("slopes", {a: m.name})); parts.push(bars(kin.map(n => [value(n.id).gradient, time(n), n === m ? "mark" : ""]))); }
  if (v) facts(v, null, add);
}
function facts(v, n, add) {
  const rows = Object.entries({op: v.op, shape: v.shape.join(" × ") || "1", uses: n, norm: v.norm, gradient: v.gradient}).filter(([, x]) => x != null);
  add("dl", "", rows.map(([key, x]) => [html("dt", {}, say(key)), html("dd", {}, x)]));
  const cut = v.value.flat().length < v.shape.reduce((a, b) => a * b, 1);
  add("div", "heats", heat(say("value"), v.value), v.slope && heat(say("slope"), v.slope),
    html("p", {class: "note"}, say("signs"), cut && ". " + say("corner")));
}

// ---- the two passes

function act() {  // all follows from the number of the moment, so one can step back
  const ids = order(), n = ids.length, back = moment > n, done = new Set(ids.slice(0, moment)), met = new Set(done);
  const given = new Set(ids.slice(back ? end() - moment : n)), current = moment ? back ? ids[end() - moment] : ids[moment - 1] : null;
  for (const e of edges) for (const [a, b] of e.pairs) if (done.has(b)) met.add(a).add(e.id);
  for (const m of items) {
    const {id, tip, tail, pairs} = owner(m), key = tip || pairs?.[0][1] || id, live = moment > 0 && m.part === "columns" && m.kind !== "dot";
    const gone = live && given.has(key), turned = gone && m.is === "edge" && ids.includes(tail);
    flag(m.g, {waiting: live && key && !met.has(id), now: live && key === current, gave: gone, turned});
    if (!!m.turned !== turned) { m.turned = turned; draw(m); }
    if (!m.label) continue;
    const slope = gone ? value(id)?.gradient ?? "" : "";
    m.number.textContent = slope;
    set(m.g, {"aria-label": m.label + (slope && `, ${say("slope")} ${slope}`)});
  }
  flag(figure, {playing: moment});
  set($("moment"), {max: end()});
  $("moment").value = moment;
  fill();
  speak(item(current), back);
  if (pinned) describe(pinned, true);
}
function speak(m, back) {
  if (!m) return $("say").replaceChildren(say(folded ? "folded" : data.lengths[1] ? "hint" : "hint0"));
  const from = new Set(shown(edges).flatMap(e => e.pairs.filter(p => p[0] === m.id && item(p[1])).map(p => p[1]))), v = value(m.id), slope = () => html("span", {class: "math"}, "∂L/∂", called(m));
  const norm = (what, x) => x != null && html("span", {class: "norm"}, "‖", what, "‖ = ", x);
  const joined = things => things.flatMap((x, i) => (i ? [", ", x] : x));
  const at = order().indexOf(m.id), line = equation(m.role, time(m)), told = numbers()?.parameters;
  const names = told ? Object.keys(told).filter(k => told[k].sums && told[k].uses.some(u => u.at === at)) : [...new Set(into(m).flatMap(e => e.by || []))];
  const lines = !back ? [line ? line.firstChild : called(m), norm(called(m), v?.norm)]
    : [html("span", {}, slope(), " ", say(from.size ? "arrives" : "begin"), " ", joined([...from].map(id => called(item(id))))), norm(slope(), v?.gradient),
      html("div", {}, moment === end() ? say("done") : names[0] && [say("adds") + " ", joined(names.map(letter))])];
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
  if (on && !calm.matches && moment < end()) timer = setTimeout(play, 700 * $("speed").value, true);
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
  set(twin, {width: width + "pt", height: height + "pt"});
  twin.prepend(svg("rect", {x, y, width, height, fill: getComputedStyle(document.body).backgroundColor}));
  return new XMLSerializer().serializeToString(twin);
}
async function copy(form) {
  let blob = new Blob([form === "tex" ? data.tex : picture()], {type: "text/plain"});
  if (form === "png") {
    const image = new Image(), canvas = html("canvas", {width: view[2] * 2, height: view[3] * 2});
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(picture());
    await image.decode();
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    blob = await new Promise(done => canvas.toBlob(done));
  }
  const copied = await navigator.clipboard?.write([new ClipboardItem({[blob.type]: blob})]).then(() => true, () => false);
  if (!copied) html("a", {href: URL.createObjectURL(blob), download: "network." + form}).click();  // else a file
  $(form).textContent = say(copied ? "copied" : "saved");
  setTimeout(() => { $(form).textContent = say(form); }, 1500);
}

// ---- pointer and keys

const stops = () => shown(nodes).filter(m => m.kind !== "dot");
function refresh() {
  for (const m of stops()) {
    const v = value(m.id), label = [called(m).textContent, what(m), v && `${say("norm")} ${v.norm}`];
    m.label = label.filter(Boolean).join(", ");
    set(m.g, {role: "button"});
  }
  $("fold").textContent = say(folded ? "unfold" : "fold");
  $("steps").value = data.lengths.indexOf(T); $("count").textContent = T;
  set($("steps"), {"aria-valuetext": `T = ${T}`});
  cards(); act(); light(); rove();
  describe(hovered || pinned, true);
  if (!timer) play(false);
}
function rove(to) {  // one circle at a time is in the tab order
  const stop = to || stops().find(m => m.g.tabIndex === 0) || stops().find(m => m.kind === "delay") || stops()[0];
  for (const m of stops()) set(m.g, {tabindex: m === stop ? 0 : -1});
  to?.g.focus();
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
addEventListener("pointerover", e => hover(choiceAt(e.target)));
addEventListener("focusin", e => { if (e.target.matches(":focus-visible")) hover(choiceAt(e.target)); });
addEventListener("focusout", () => hover(null));
addEventListener("click", e => press(e.target));
addEventListener("keydown", e => {
  const m = itemAt(e.target), {key} = e, next = m && neighbour(m, key), side = {ArrowLeft: -1, ArrowRight: 1}[key];
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (key === "Escape") { pinned = hovered = null; walk(-moment); light(); describe(null); }
  else if (next) rove(next);
  else if (m && (key === "Enter" || key === " ")) press(e.target);
  else if (m || e.target.closest("input, select, button")) return;
  else if (key === " " && order().length) play(!timer);
  else if (side) walk(side);
  else return;
  e.preventDefault();
});
$("steps").oninput = e => go(data.lengths[e.target.value], false);
$("moment").oninput = e => walk(e.target.value - moment);
const clicks = {fold: () => go(T, !folded), play: () => play(!timer), next: () => walk(1), back: () => walk(-1), svg: copy, png: copy, tex: copy};
for (const id in clicks) $(id).onclick = () => clicks[id](id);

prepare();
root.className = "js";
flag(document.body, {still: !order().length});
set(figure, {role: "group", "aria-label": `${data.title}. ${say("figure")}`});
const kinds = [...new Set(nodes.map(m => m.kind))].filter(k => data.words[k]);
$("legend").prepend(...kinds.map(k => html("li", {}, svg("svg", {viewBox: "-8 -8 16 16", class: "mg-" + k},
  k === "delay" ? svg("rect", {x: -5, y: -5, width: 10, height: 10}) : svg("ellipse", {rx: 7, ry: 7})), say(k))));
go(T, nodes[0].part === "circuit");  // opens folded, then unfolds
setTimeout(() => { if (folded) go(T, false); root.dataset.ready = 1; }, folded && !calm.matches ? 700 : 0);
