"""Folding: a graph over time as one recurrence, proved, and unrolled again.

    contract      the graph of the named values alone
    folding       the proof: nodes are sorted into roles; operands: what each reads;
                  gathers: what is read step after step; moving_index: X[t - 1]
    roles         what a folded graph is made of: roles, sources, spans, edges
    recurrence    the folded graph; unfolding: how it is unrolled

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(5):
...     h = mg.tanh(h @ W).named("h")
>>> fold(contract(h)).unfold(5).same_as(contract(h))
True
"""

from minigrad.fold.contract import contract
from minigrad.fold.folding import FoldError, fold
from minigrad.fold.recurrence import Recurrence
from minigrad.fold.roles import Edge, Operand, Role, Source, Span

__all__ = [
    "Edge",
    "FoldError",
    "Operand",
    "Recurrence",
    "Role",
    "Source",
    "Span",
    "contract",
    "fold",
]
