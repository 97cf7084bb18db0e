"""Information flow: a term of the loss that keeps gradients from vanishing (eq. 10.52).

    Ω = Σ_t ( |∇_h(t) L  ∂h(t)/∂h(t-1)| / |∇_h(t) L| - 1 )²

Section 10.11.2 of Goodfellow, Bengio and Courville; Pascanu (2013). It asks that what
comes back over one step be as long as what arrives there, in the direction of the
gradient itself. As in the paper ∇_h(t) L counts as given: Ω changes the Jacobians.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(4):
...     h = (h @ W).named("h")
>>> flow = information_flow(h.sum())
>>> flow.item(), mg.grad(flow, [W])[0].item()
(0.75, -3.0)
"""

import numpy as np

from minigrad.grad import grad, vjp
from minigrad.graph import Graph
from minigrad.ops.elementwise import sqrt, square
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor

SMALL = 1e-30  # beside a squared norm: a step that no gradient reaches asks for nothing


def information_flow(loss: Tensor, state: str = "h") -> Tensor:
    """Ω of the states with that name, one number: the mean over the sequences.

    Add it to the loss, ``loss + 0.1 * information_flow(loss)``; a gradient is then one
    of second order. Raises ValueError where fewer than two steps have such a state.
    """
    hs = [
        Tensor(node)
        for node in Graph(loss).nodes
        if node.name == state and node.time is not None
    ]
    if len(hs) < 2 or len({h.node.time[0] for h in hs if h.node.time}) > 1:
        raise ValueError(
            f"information flows from step to step of one loop: this loss has {len(hs)} "
            f"values named {state!r} in a loop; name another state, state=..."
        )
    arriving = grad(loss, hs)
    terms = []
    for before, h, g in zip(hs, hs[1:], arriving[1:], strict=False):
        (passed,) = vjp(h, [before], g, create_graph=True)
        ratio = _norm(passed) / _norm(g)
        terms.append(square(ratio - 1))
    return stack(terms).mean(axis=1).sum()  # type: ignore[no-any-return]


def _norm(g: Tensor) -> Tensor:
    """The length of each sequence's row, (batch,)."""
    length: Tensor = sqrt(square(g).sum(axis=-1) + np.asarray(SMALL, g.dtype))
    return length
