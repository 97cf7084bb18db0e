"""Compiled programs: a recorded step becomes one checked loop program, then source.

    values    the loop program: immutable values, and time as eight ops; counts
    lift      from a folded graph to a program, with reading and scattering; straight
              code else
    spec      what a well-formed program is
    kinds     what each op is; kernels: functions that rules make of composites
    rules     rewrites that keep every value; opening: of composites
    schedule  straight parts and loops; looks, memory: buffers and places
    backend   engines by name; numpy: the one that is here
    program   tracing, keys and calling, with arguments, lengths, watched, check, code
    picture   the program as a graph, to be drawn

>>> import numpy as np
>>> import minigrad as mg
>>> w = mg.parameter(3.0, name="w")
>>> double = mg.compile(lambda x: mg.grad(w * x * x, [w]))
>>> double(np.float64(2.0))[0].item()
4.0
"""

from minigrad.compile.program import Program, compile

__all__ = ["Program", "compile"]
