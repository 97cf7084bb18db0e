"""One page in LaTeX: the three networks, each as circuit, code and equations.

    python docs/cheat_sheet.py cheat-sheet.tex

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


def column(title: str, code: str) -> str:
    """A network as its code records it."""
    names: dict[str, Any] = {}
    exec(SETUP + code, names)
    loss = names["loss"]
    figure = mg.draw(loss, view="folded").tex(standalone=False)
    equations = mg.equations(loss).latex()
    parts = {"figure": figure, "equations": equations}
    return COLUMN % {"title": title, "code": code, **parts}


def sheet() -> str:
    """The page."""
    networks = "\\hfill\n".join(column(*one) for one in NETWORKS.items())
    return PAGE % {"networks": networks, "setup": SETUP, "after": AFTER}


def write(path: Path) -> None:
    """The page as LaTeX, and beside it as PDF where there is a pdflatex."""
    path.write_text(sheet(), encoding="utf-8")
    if shutil.which("pdflatex"):
        words = ["pdflatex", "-interaction=batchmode", "-halt-on-error", path.name]
        subprocess.run(words, cwd=path.parent, check=True, capture_output=True)
        for suffix in (".aux", ".log"):
            path.with_suffix(suffix).unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
