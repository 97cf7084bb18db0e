"""What was recorded, and its gradient, as equations in the notation of the book.

Vocabulary
    expression  what a line of the program computes, as data: an op and what it takes
    symbol      what an equation may name: a parameter, an input, a value, a gradient
    token       a piece of a written equation, and what it refers to

    tree        expressions; algebra: sums of products, and what each op becomes
    symbols     what has a name; build: from the graph that ran to trees
    evaluate    the trees computed with NumPy: they say what was recorded
    names       names in LaTeX; writing: trees as one text in two alphabets, and tokens
    equations   all of it in order; record: from a loss to its equations

>>> import numpy as np
>>> import minigrad as mg
>>> W, U = mg.parameter([[0.5]], name="W"), mg.parameter([[2.0]], name="U")
>>> h, L = mg.tensor([[0.0]], name="h0"), []
>>> for t, x, y in mg.steps(x=np.ones((4, 1, 1)), y=np.zeros((4, 1, 1))):
...     h = mg.tanh(h @ W + x @ U).named("h")
...     L.append(((h - y) ** 2).sum().named("L"))
>>> said = equations(mg.stack(L).mean())
>>> said["h"], said["∇W"]
([h(t) = tanh(W h(t-1) + U x(t))], [∇W = Σ_t diag(1 - (h(t))²) ∇h(t) h(t-1)ᵀ])
>>> [[(r.key, r.delay) for r in term] for term in said["h"][0].terms]
[[('W', None), ('h', 1)], [('U', None), ('x', 0)]]
"""

from minigrad.equations.equations import Equation, Equations
from minigrad.equations.record import equations
from minigrad.equations.writing import Reference, Token

__all__ = ["Equation", "Equations", "Reference", "Token", "equations"]
