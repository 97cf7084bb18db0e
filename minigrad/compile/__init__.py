"""Compiled programs: a recorded step becomes NumPy source with one loop per recurrence.

    line      the loop program: one line per role of a folded graph
    passes    rewrites of the program that keep every value
    schedule  what runs once over all steps, and what truly needs a loop
    storage   buffers, and windows of them in place of shifted copies
    batch     how each op is written over all steps; inside: for one step of a loop;
              sums, once, loops: the rest; emit puts the source together
    kernels   loops as functions that numba compiles, elements what lies between their
              products; disk: where their source and machine code are kept
    picture   the program as a graph, to be drawn
    identifiers  names in the source that cannot mean two things
    code      compiled source with its workspaces; lengths: which T it serves
    arguments  keys and containers; watched: what a function reads from outside
    check     the first run against the trace
    program   tracing, and calling

>>> import numpy as np
>>> import minigrad as mg
>>> w = mg.parameter(3.0, name="w")
>>> double = mg.compile(lambda x: mg.grad(w * x * x, [w]))
>>> double(np.float64(2.0))[0].item()
4.0
"""

from minigrad.compile.program import Program, compile

__all__ = ["Program", "compile"]
