r"""Scene to TikZ: a picture for LaTeX whose letters are LaTeX' own.

Every kind of thing has a style, ``mg hidden`` for a node and ``mg recurrence line`` for
an arrow, so that an author changes a picture in one place. ``minigrad picture`` is
theirs: what it holds is applied after the styles, in every picture.

    \tikzset{minigrad picture/.style={mg hidden/.append style={fill=pink}}}
    \input{rnn.tex}

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> from minigrad.draw.render.theme import style
>>> letters = (Run("h", "bolditalic", 18), Run("(t)", "serif", 11, 4.5))
>>> circle = Node("h", 0, 0, 46, 46, (letters,), kind="hidden")
>>> print(picture(arranged([circle], [], []), style("color")).splitlines()[-2])
\node[mg hidden letters, mg 18pt] at (36,36) {$\boldsymbol{h}^{(t)}$};
"""

import re
from collections.abc import Iterator
from unicodedata import decomposition, normalize

from minigrad.draw.page.curves import Curve, shaft_of
from minigrad.draw.page.fonts import BASELINE
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import (
    Edge,
    Frame,
    Line,
    Node,
    Point,
    Rectangle,
    Run,
    Scene,
    Text,
    line_width,
    placed_lines,
)
from minigrad.draw.render.dot import number
from minigrad.draw.render.theme import Style, pen

TEXT = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\char34{}",
    "`": r"\textasciigrave{}", "…": r"\dots{}", "¿": "?`", "¡": "!`", "ß": r"\ss{}",
    "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}",
} | {sign: f"\\{sign}" for sign in "{}$&#%_"}  # fmt: skip
SIGNS = (
    "α alpha β beta γ gamma δ delta ε varepsilon ζ zeta η eta θ theta ι iota κ kappa "
    "λ lambda μ mu ν nu ξ xi π pi ρ rho ς varsigma σ sigma τ tau υ upsilon φ varphi "
    "χ chi ψ psi ω omega ϕ phi Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma "
    "Υ Upsilon Φ Phi Ψ Psi Ω Omega ∂ partial ∇ nabla → to · cdot × times ⊙ odot ⊤ top "
    "‖ Vert ≤ le ≥ ge ≠ ne ≈ approx ∈ in ∞ infty √ surd"
)
MATH = {sign: f"\\{name} " for sign, name in re.findall(r"(\S+) (\S+)", SIGNS)}
MATH |= {"−": "-", "ℒ": r"\mathcal{L}"}
# What marks over a letter are called in a formula, and in text where there is a word.
MARKS = (
    "0300 grave ` 0301 acute ' 0302 hat ^ 0303 tilde ~ 0304 bar = 0306 breve u "
    '0307 dot . 0308 ddot " 030a mathring r 030c check v 20d7 vec -'
)
ACCENTS = {
    chr(int(code, 16)): (f"\\{name}", f"\\{text}".strip("-"))
    for code, name, text in re.findall(r"(\S+) (\S+) (\S+)", MARKS)
}
LETTERS = {"italic": "%s", "bold": r"\mathbf{%s}", "bolditalic": r"\boldsymbol{%s}"}
WORDS = {
    "serif": "%s", "sans": r"\textsf{%s}", "italic": r"\textit{%s}",
    "bold": r"\textbf{%s}", "bolditalic": r"\textbf{\textit{%s}}",
}  # fmt: skip
SHAPES = {"box": "rectangle", "square": "rectangle"}
SHAPES["rounded"] = "rectangle, rounded corners=8bp"
# A sign that LaTeX has no letter for: its glyph where fonts have it, else its number.
SIGN = r"""\providecommand{\minigradsign}[1]{%
  \ifx\Umathchar\undefined\fbox{\tiny U+#1}\else\char"#1 \fi}
"""
DOCUMENT = r"""\RequirePackage{fix-cm}
\documentclass[tikz,border=0pt]{standalone}
\usepackage{amsmath}
\usetikzlibrary{arrows.meta,shapes.geometric}
\DeclareMathSizes{18}{18}{11}{8}
\begin{document}
%s\end{document}
"""
PICTURE = r"""%% It needs \usepackage{amsmath,tikz} and
%% \usetikzlibrary{arrows.meta,shapes.geometric}.
%s\tikzset{
  mg node/.style={draw, line width=1.2bp, inner sep=0pt, outer sep=0pt},
  mg line/.style={draw, line width=1.2bp},
  mg head/.style={-{Triangle[length=#1, width=0.8*#1]}},
  mg letters/.style={inner sep=0pt, outer sep=0pt, text depth=0pt},
  mg fit/.style={execute at begin node={\setbox0\hbox\bgroup},
    execute at end node={\egroup
      \ifdim\wd0>#1\resizebox{#1}{!}{\box0}\else\box0\fi}},
  mg dashed/.style={dash pattern=on 5bp off 3bp},
%s
}
\begin{tikzpicture}[x=1bp, y=1bp, minigrad picture/.try]
%s
\end{tikzpicture}
"""


def document(scene: Scene, look: Style) -> str:
    """A LaTeX document that holds the picture alone, as large as the picture."""
    return DOCUMENT % picture(scene, look)


def picture(scene: Scene, look: Style) -> str:
    """The ``tikzpicture`` of a placed scene; equal scenes give equal text."""
    writer = _Picture(look)
    writer.style("mg paper", f"fill={writer.colour(look.background)}")
    paper = (0.0, 0.0, scene.width, scene.height)
    lines = [rf"\path[mg paper] {_box(paper)};"]
    lines += [writer.frame(frame) for frame in scene.frames]
    lines += [writer.edge(edge) for edge in scene.edges]
    for node in scene.nodes:
        lines += writer.node(node)
    for text in scene.texts:
        if text.backed:
            lines.append(rf"\path[mg paper] {_box(text.patch)};")
        ink = writer.colour(look.line(text.kind))
        style = writer.style(f"mg {text.kind} text", f"mg letters, text={ink}")
        lines += writer.letters(text, style)
    colours = (rf"\definecolor{{mg{c}}}{{HTML}}{{{c}}}" for c in sorted(writer.colours))
    styles = (f"  {name}/.style={{{how}}}," for name, how in writer.styles.items())
    body = "\n".join(lines)
    sign = SIGN if r"\minigradsign" in body else ""
    before = sign + "".join(f"{colour}\n" for colour in colours)
    return PICTURE % (before, "\n".join(styles), body)


class _Picture:
    """The commands of a picture, and the styles and colours that they need."""

    def __init__(self, look: Style) -> None:
        self.look = look
        self.styles: dict[str, str] = {}
        self.colours: set[str] = set()

    def style(self, name: str, how: str) -> str:
        self.styles.setdefault(name, how)
        return name

    def colour(self, colour: str) -> str:
        if colour == "none":  # of a square that is hollow
            return colour
        self.colours.add(colour[1:])
        return f"mg{colour[1:]}"

    def frame(self, frame: Frame) -> str:
        rim = f"draw={self.colour(self.look.rim(frame))}, line width={pen(frame)}bp"
        if frame.fill:
            style = f"{rim}, fill={self.colour(frame.fill)}"
        else:
            style = self.style(f"mg {frame.kind} frame", f"{rim}, rounded corners=8bp")
        return rf"\path[{style}] {_box(frame.box)};"

    def edge(self, edge: Edge) -> str:
        usual = self.colour(self.look.line(edge.kind))
        options = [self.style(f"mg {edge.kind} line", f"mg line, draw={usual}")]
        options += [f"line width={number(pen(edge))}bp"] * (edge.thickness != 1)
        options += ["mg dashed"] * edge.dashed
        points = edge.points
        if edge.head:
            points = shaft_of(points, edge.thickness)
            size = abs(complex(*points[-1]) - complex(*edge.points[-1]))
            options.append(f"mg head={number(size)}bp")
            points = (*points, *points[-1:], *edge.points[-1:] * 2)
        return rf"\path[{', '.join(options)}] {_path(points)};"

    def node(self, node: Node) -> list[str]:
        usual, own = self.look.paint(node.kind), self.look.outline(node)
        ink = f"mg letters, text={self.colour(usual.ink)}"
        ink = self.style(f"mg {node.kind} letters", ink)
        if own.ink != usual.ink:
            ink += f", text={self.colour(own.ink)}"
        letters = [*self.letters(node, ink)]
        if node.shape == "text":
            return letters
        fill, border = self.colour(usual.fill), self.colour(usual.border)
        look = self.style(f"mg {node.kind}", f"mg node, fill={fill}, draw={border}")
        options = [look, SHAPES.get(node.shape, "ellipse")]
        options += [f"fill={self.colour(own.fill)}"] * (own.fill != usual.fill)
        options += [f"draw={self.colour(own.border)}"] * (own.border != usual.border)
        options += [f"line width={number(pen(node))}bp"] * (node.bus is not None)
        options += ["mg dashed"] * node.dashed
        options.append(f"minimum width={number(node.width)}bp")
        options.append(f"minimum height={number(node.height)}bp")
        name = re.sub(r"[^A-Za-z0-9@+-]", "-", node.id)
        at = f"({name}) at {_at((node.x, node.y))}"
        return [rf"\node[{', '.join(options)}] {at} {{}};", *letters]

    def letters(self, thing: Node | Text, style: str) -> Iterator[str]:
        for middle, line in placed_lines(thing.y, thing.lines):
            size = number(line[0].size)
            font = rf"font=\fontsize{{{size}}}{{{size}}}\selectfont, "
            font += f"text height={number(2 * BASELINE * line[0].size)}bp"
            options = f"{style}, {self.style(f'mg {size}pt', font)}"
            # LaTeX' own letters are wider, and what is long would touch the next thing.
            if len(line[0].text) + sum(run.rise == line[0].rise for run in line) > 2:
                options += f", mg fit={number(line_width(line))}bp"
            at = _at((thing.x, middle + line[0].rise))
            text = label(line, apart=len(thing.lines) > 1)
            yield rf"\node[{options}] at {at} {{{text}}};"


def _at(point: Point) -> str:
    return f"({number(point[0])},{number(point[1])})"


def _box(box: Rectangle) -> str:
    return f"{_at(box[:2])} rectangle {_at(box[2:])}"


def _path(points: Curve) -> str:
    """A curve in TikZ' words; straight pieces are lines."""
    out, a = _at(points[0]), complex(*points[0])
    for b, c, d in zip(points[1::3], points[2::3], points[3::3], strict=True):
        along = (complex(*d) - a).conjugate()
        bent = max(abs(((complex(*p) - a) * along).imag) for p in (b, c))
        if bent <= 0.01 * abs(along):
            out += f" -- {_at(d)}"
        else:
            out += f" .. controls {_at(b)} and {_at(c)} .. {_at(d)}"
        a = complex(*d)
    return out


def label(line: Line, apart: bool = False) -> str:
    r"""A line of a label as LaTeX: letters as formulas, with what is raised or lowered.

    LaTeX lowers more what stands under something raised: in lines above each other they
    stand ``apart``, side by side.

    >>> h = Run("h", "bolditalic", 18), Run("1", "serif", 11, -4), Run("t", rise=4.5)
    >>> label(h), label(h, apart=True)
    ('$\\boldsymbol{h}_{1}^{t}$', '$\\boldsymbol{h}_{1}{}^{t}$')
    >>> label((Run("50 % of it", "sans", 11),))
    '\\textsf{50 \\% of it}'
    """
    out, rest = "", list(line)
    while rest:
        run = rest.pop(0)
        scripts = {"_": "", "^": ""}
        while rest and rest[0].rise != run.rise:
            script = rest.pop(0)
            scripts["^" if script.rise > run.rise else "_"] += formula(script)
        both = [f"{sign}{{{text}}}" for sign, text in scripts.items() if text]
        raised = ("{}" if apart else "").join(both)
        words = clean(run.text)
        if raised or (run.face in LETTERS and " " not in words):
            words = f"${formula(run)}{raised}$"
        else:
            words = WORDS[run.face] % latex(words)
        if run.size != line[0].size:
            size = number(run.size)
            words = rf"{{\fontsize{{{size}}}{{{size}}}\selectfont {words}}}"
        out += words
    return out


def formula(run: Run) -> str:
    """A run in a formula; several letters in italics are a word."""
    words = clean(run.text)
    text = latex(words, math=True)
    if run.face in ("serif", "sans") and re.search(r"[^\W\d_]{2}", words):
        return rf"\mathrm{{{text}}}"
    if run.face != "bold" and len(words) > 1 and words.isalpha() and words.isascii():
        text = rf"\mathit{{{text}}}"
    face = run.face if words.isascii() or run.face != "bold" else "bolditalic"
    return LETTERS.get(face, "%s") % text


def latex(words: str, math: bool = False) -> str:
    r"""Any text as LaTeX that shows it, in a formula or not.

    >>> latex("a_b < θ"), latex("ŷ", math=True)
    ('a\\_b \\textless{} $\\theta$', '\\hat{y}')
    """
    out: list[str] = []
    for sign in normalize("NFD", words):
        kind, _, code = decomposition(sign).partition(" ")
        if sign in ACCENTS and out:
            accent = ACCENTS[sign][not math]
            vec = rf"${ACCENTS[sign][0]}{{\text{{{out[-1]}}}}}$"
            out[-1] = f"{accent}{{{out[-1]}}}" if accent != "\\" else vec
        elif sign in TEXT or (math and sign in " '"):
            text = TEXT.get(sign, sign)
            out.append(rf"\text{{{text}}}" if math else text)
        elif sign in MATH or kind in ("<super>", "<sub>"):
            text = MATH.get(sign, "")
            if not text:
                raised = latex(chr(int(code, 16)), math=True)
                text = f"{{}}{'^' if kind == '<super>' else '_'}{{{raised}}}"
            out.append(text if math else f"${text.rstrip()}$")
        elif sign.isascii():
            out.append(sign)
        else:
            text = rf"\minigradsign{{{ord(sign):X}}}"
            out.append(rf"\text{{{text}}}" if math else text)
    return "".join(out)
