"""What a program makes use of, read from its text: so that a run can do without some.

>>> from tests.programs.listing import Leaf, Line, Listing, Call
>>> x = Leaf("x", ("B",))
>>> lines = (Line("$v = mg.clip($x, 0.0)"),)
>>> sorted(features(Listing("dag", "", (), (x,), lines, ("$v.sum()",), (), (), (), ())))
['clip']
"""

import re

from tests.programs.listing import Listing

SEEN = {
    "clip": r"mg\.clip",
    "index argument": r"\[[^\[\]]*\$ys?\d+\b",
    "index array": r"\[\.\.\., (np\.array|\[)",
    "no_grad": r"with mg\.no_grad",
    "detach": r"\.detach\(\)",
    "einsum": r"mg\.einsum",
    "slice": r"\[[^\[\]]*:[^\[\]]*\]",
    "split": r"mg\.split",
    "integer index": r"\[(\.\.\., )?-?\d\]|\[(\.\.\., )?-?\d\]",
    "number argument": r"\$k\d+",
    "reverse": r"reverse=True",
    "wide sigmoid": r"sigmoid\(15\.0|softplus\(15\.0",
    "moving index": r"in mg\.steps\(len\(",
    "boolean mask": r" > [-\d.]+\)|logical|greater",
}


def features(listing: Listing) -> frozenset[str]:
    """The names of what a program makes use of: of its text, and what was marked."""
    lines = [line.text for line in listing.lines]
    text = "\n".join([*lines, *listing.loss, *listing.also])
    found = {name for name, pattern in SEEN.items() if re.search(pattern, text)}
    leaves = (*listing.parameters, *listing.arguments)
    dtypes = {leaf.dtype for leaf in leaves if leaf.below is None} - {"number"}
    found |= {"mixed dtypes"} if len(dtypes) > 1 else set()
    found |= {"float32"} if "float32" in dtypes else set()
    found |= {"awkward names"} if listing.names else set()
    found |= {"second order"} if listing.mode == "penalty" else set()
    uses = [p for p in listing.parameters if text.count(f"${p.id}") > 1]
    found |= {"shared vector"} if any(len(p.shape) == 1 for p in uses) else set()
    return frozenset(found | listing.marks)
