"""The C engine: a program as C that is compiled on the user's machine.

abilities  what C has words for
sizes      sizes and offsets that depend on lengths; views: where elements are
elements   how elementwise ops are written
lines      lines that loops share; nests: loops over elements; rows: over rows
products   products of matrices; reductions: sums over axes; gathers: rows by number
order      in which order parts run
arrays     slots of arrays, and where values are in them
ops        how each op is written
write      the text of a plan: C, and NumPy between two C functions
threads    units that several threads divide
engine     a program built, and what calls it
compiler   which compiler; cache: where its results are kept
"""

from minigrad.compile.c.engine import build

__all__ = ["build"]
