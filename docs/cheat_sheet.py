"""One page in LaTeX: the three networks, each as circuit, code and equations.

    python docs/cheat_sheet.py cheat-sheet.tex
    python docs/cheat_sheet.py hoja.tex es

The code on the page is run, and figure and equations are read off the graph that it
records, so the three cannot disagree.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import minigrad as mg

SETUP = """\
import numpy as np
import minigrad as mg

rng = np.random.default_rng(0)
sizes = {"U": (2, 3), "W": (3, 3), "V": (3, 2), "b": (3,), "c": (2,)}
U, W, V, b, c = (mg.parameter(rng.normal(size=s), name=n) for n, s in sizes.items())
xs, ys = rng.normal(size=(6, 1, 2)), rng.integers(2, size=(6, 1))
"""
NETWORKS = {
    "Many to many (figure 10.3)": """\
h, losses = mg.tensor(np.zeros((1, 3)), name="h0"), []
for t, x, y in mg.steps(x=xs, y=ys):
    h = mg.tanh(b + h @ W + x @ U).named("h")
    o = (c + h @ V).named("o")
    losses.append(mg.cross_entropy(o, y).named("L"))
loss = mg.stack(losses).mean()
""",
    "Output feedback (figure 10.4)": """\
W = mg.parameter(rng.normal(size=(2, 3)), name="W")
o, losses = mg.tensor(np.zeros((1, 2)), name="o0"), []
for t, x, y in mg.steps(x=xs, y=ys):
    h = mg.tanh(b + o @ W + x @ U).named("h")
    o = (c + h @ V).named("o")
    losses.append(mg.cross_entropy(o, y).named("L"))
loss = mg.stack(losses).mean()
""",
    "Many to one (figure 10.5)": """\
h = mg.tensor(np.zeros((1, 3)), name="h0")
for t, x in mg.steps(x=xs):
    h = mg.tanh(b + h @ W + x @ U).named("h")
o = (c + h @ V).named("o")
y = mg.tensor(ys[-1], name="y")
loss = mg.cross_entropy(o, y).named("L")
""",
}
PAGE = r"""\documentclass[8pt,a4paper,landscape]{extarticle}
\usepackage[margin=8mm]{geometry}
\usepackage{amsmath,graphicx,tikz}
\usetikzlibrary{arrows.meta,shapes.geometric}
\pagestyle{empty}\setlength{\parindent}{0pt}
\begin{document}
{\Large\bfseries Recurrent networks on one page}\hfill
x input, h hidden, o output, L loss, y target; U, W, V weights, b, c biases; T steps\par
\medskip\hrule\medskip
%(networks)s
\medskip\hrule\medskip
\begin{minipage}[t]{0.49\linewidth}Before each of them:
\begin{verbatim}
%(setup)s\end{verbatim}
\end{minipage}\hfill
\begin{minipage}[t]{0.49\linewidth}After each of them:
\begin{verbatim}
%(after)s\end{verbatim}
\end{minipage}
\end{document}
"""
AFTER = """\
mg.draw(loss)                  # the figure; .save("rnn.png"), .svg, .tex, .html
mg.equations(loss)             # the equations, and those of the gradient
mg.Graph(loss).uses(W)         # who uses W, at which step
mg.grad(loss, [U, W, V, b, c]) # the gradient
mg.grad_by_use(loss, W)        # the share of each step: their sum is the gradient
mg.fold(loss)                  # the circuit, proved: unfold(T) gives the graph back
"""
# What the page says, in the order in which it stands there.
SPANISH = {
    "Recurrent networks on one page": "Las redes recurrentes en una página",
    "x input, h hidden, o output, L loss, y target; U, W, V weights, b, c biases; "
    "T steps": "x entrada, h estado oculto, o salida, L pérdida, y objetivo; U, W, V "
    "pesos, b, c sesgos; T pasos",
    "Many to many (figure 10.3)": "Muchos a muchos (figura 10.3)",
    "Output feedback (figure 10.4)": "Realimentación de la salida (figura 10.4)",
    "Many to one (figure 10.5)": "Muchos a uno (figura 10.5)",
    "Before each of them:": "Antes de cada una:",
    "After each of them:": "Después de cada una:",
    "# the figure;": "# la figura;",
    "the equations, and those of the gradient": "las ecuaciones, y las del gradiente",
    "who uses W, at which step": "quién usa W, y en qué paso",
    "# the gradient": "# el gradiente",
    "the share of each step:": "la parte de cada paso:",
    "their sum is the gradient": "su suma es el gradiente",
    "the circuit, proved:": "el circuito, demostrado:",
    "gives the graph back": "devuelve el grafo",
}
COLUMN = r"""\begin{minipage}[t]{0.325\linewidth}\centering
{\large\bfseries %(title)s}\par\medskip
\resizebox{!}{46mm}{%(figure)s}\par
\begin{minipage}{\linewidth}\small
\begin{verbatim}
%(code)s\end{verbatim}
\end{minipage}
\resizebox{0.9\linewidth}{!}{$%(equations)s$}
\end{minipage}
"""


def column(title: str, code: str, language: str) -> str:
    """A network as its code records it."""
    names: dict[str, Any] = {}
    exec(SETUP + code, names)
    loss = names["loss"]
    style = mg.Style(language=language)
    figure = mg.draw(loss, view="folded", style=style).tex(standalone=False)
    equations = mg.equations(loss).latex()
    parts = {"figure": figure, "equations": equations}
    return COLUMN % {"title": title, "code": code, **parts}


def sheet(language: str) -> str:
    """The page, "en" or "es"."""
    networks = "\\hfill\n".join(column(*one, language) for one in NETWORKS.items())
    page = PAGE % {"networks": networks, "setup": SETUP, "after": AFTER}
    for english, spanish in SPANISH.items() if language == "es" else ():
        page = page.replace(english, spanish)
    return page


def write(path: Path, language: str = "en") -> None:
    """The page as LaTeX, and beside it as PDF where there is a pdflatex."""
    path.write_text(sheet(language), encoding="utf-8")
    if shutil.which("pdflatex"):
        words = ["pdflatex", "-interaction=batchmode", "-halt-on-error", path.name]
        subprocess.run(words, cwd=path.parent, check=True, capture_output=True)
        for suffix in (".aux", ".log"):
            path.with_suffix(suffix).unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:])
