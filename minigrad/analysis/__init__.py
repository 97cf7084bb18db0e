"""What a network remembers, and how: a folded graph, looked at as a dynamical system.

Each function returns data, a small dataclass, whose ``plot()`` draws it with matplotlib
and returns the axes. The term of eq. 10.52 is ``minigrad.train.information_flow``.

Vocabulary
    step         one step of a recurrence, ``mg.fold(loss).step``: from h(t-1) to h(t)
    Jacobian     ∂h(t)/∂h(t-1), that of a step by the state before it
    exponent     the mean rate, in natural logarithms a step, at which a change grows
    fixed point  a state that a step leaves where it is
    attribution  how much of a result each step of the input answers for

>>> import minigrad as mg
>>> W, h = mg.parameter([[0.5]], name="W"), mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(3):
...     h = (h @ W).named("h")
>>> jacobians(mg.fold(h), {"h": [[1.0]]}, {}, steps=10).product
array([[[0.00097656]]])
"""

from minigrad.analysis.attribution import (
    Attribution,
    integrated_gradients,
    saliency,
)
from minigrad.analysis.fixed_points import FixedPoints, fixed_points
from minigrad.analysis.gradients import (
    ForwardGradient,
    GaussNewton,
    PerExample,
    gauss_newton,
    per_example,
    rtrl,
)
from minigrad.analysis.jacobians import Jacobians, Lyapunov, jacobians, lyapunov

__all__ = [
    "Attribution",
    "FixedPoints",
    "ForwardGradient",
    "GaussNewton",
    "Jacobians",
    "Lyapunov",
    "PerExample",
    "fixed_points",
    "gauss_newton",
    "integrated_gradients",
    "jacobians",
    "lyapunov",
    "per_example",
    "rtrl",
    "saliency",
]
