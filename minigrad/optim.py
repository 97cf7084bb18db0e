"""Optimisers: from the gradients that `backward` left to new parameters.

An optimiser takes the parameters once. `step()` reads each ``p.grad`` and assigns to
every parameter, so the graph that gave the gradients stays as it was and can be drawn.
A step is made whole or not at all, also where an error or Ctrl-C ends it.

What a step does is one function, ``update(p, g, memory, lr, step)``. Given arrays it
computes; given Tensors it records, so that a program may hold a whole training step.

Parameters of float16 are changed, and what an optimiser remembers of them is kept, in
float32: float16 holds neither eps = 1e-8 nor the square of a small gradient.

>>> import minigrad as mg
>>> w = mg.parameter([4.0], name="w")
>>> optimiser = SGD([w], lr=0.1)
>>> for _ in range(100):
...     ((w - 3.0) ** 2).sum().backward()
...     optimiser.step()
>>> round(w.data.item(), 6)
3.0
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import cos, pi
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from minigrad.advice import look_again, names_of, of_keywords
from minigrad.assign import assign_all, set_at_once
from minigrad.held import on_device
from minigrad.limits import whole, within
from minigrad.tensor import Parameter, Tensor

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Optimiser",
    "RMSProp",
    "Schedule",
    "clip_by_element",
    "clip_by_norm",
    "cosine",
    "exponential",
    "warm_up",
]

if not TYPE_CHECKING:
    __getattr__ = names_of(__name__)

Array = NDArray[Any]
Memory = dict[str, list[Any]]  # what is kept, of each parameter
Schedule = Callable[[int], float]


class Optimiser:
    """The common part: parameters, a learning rate, and a state that can be saved.

    A subclass names the arrays it keeps per parameter in ``kept`` and computes in
    ``update``. ``lr`` is a number, or a ``Schedule``: a function of the step, from 1.

    In a state an array is known by the optimiser's class and the path of the parameter
    in the module whose ``parameters()`` these are; in another list by place and name.
    """

    kept: tuple[str, ...] = ()

    if not TYPE_CHECKING:  # a type checker should know what there is

        def __new__(cls, *args: Any, **options: Any) -> "Optimiser":
            """Refuse the keywords of other libraries by what to write instead."""
            unknown = options.keys() - inspect.signature(cls.__init__).parameters.keys()
            advice = of_keywords(unknown)
            if advice:
                raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}{advice}")
            return super().__new__(cls)

        def __getattr__(self, name: str) -> NoReturn:
            look_again(self, "Optimiser", name)

    def __init__(self, parameters: Iterable[Parameter], lr: float | Schedule) -> None:
        paths: Mapping[Any, str] = getattr(parameters, "paths", {})
        self.parameters = _listed("an optimiser", parameters)
        if not self.parameters:
            raise ValueError("an optimiser needs parameters, got none")
        nodes = [p.node for p in self.parameters]
        if len(set(nodes)) < len(nodes):
            twice = next(n for n in nodes if nodes.count(n) > 1)
            raise ValueError(
                f"parameter {twice.name or '(unnamed)'} is in the list twice, and only "
                "one of its two changes would be made: list it once"
            )
        self.names = [
            paths.get(n) or (f"{i}.{n.name}" if n.name else str(i))
            for i, n in enumerate(nodes)
        ]
        self.lr = lr if callable(lr) else within("lr", lr, "[0, inf)")
        self.steps = 0
        self.held: Memory = {
            name: [np.zeros_like(_wide(p.data)) for p in self.parameters]
            for name in self.kept
        }

    @property
    def memory(self) -> Memory:
        """What is kept of each parameter, by name: arrays.

        ``held`` is the same where it is kept: a program that ran on a device leaves it
        there, and whoever looks at ``memory`` gets it back.
        """
        if any(on_device(a) for arrays in self.held.values() for a in arrays):
            self.held = {k: [*map(np.array, arrays)] for k, arrays in self.held.items()}
        return self.held

    def step(self) -> None:
        """Change every parameter by its gradient."""
        gradients = [gradient(p) for p in self.parameters]
        values = [p.data for p in self.parameters]
        self.take(
            *self.updates(values, gradients, self.memory, self.rate(), self.steps + 1)
        )

    def rate(self) -> float:
        """The learning rate of the next step.

        Raises ValueError where a schedule leaves [0, inf).

        >>> import minigrad as mg
        >>> SGD([mg.parameter([1.0])], lambda step: 0.5 / step).rate()
        0.5
        """
        step = self.steps + 1
        lr = self.lr(step) if callable(self.lr) else self.lr
        return within(f"lr at step {step}", lr, "[0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """A parameter and what is kept of it after a step, which changes neither.

        Parameters
        ----------
        p, g: the parameter and its gradient, of one shape and dtype.
        memory: what is kept of it, in the order of ``kept``, of that shape and dtype.
        lr, step: the learning rate, and the number of the step, from 1: numbers where p
            is an array; where it is a Tensor, Tensors of shape () and float64 too.

        >>> import minigrad as mg
        >>> sgd = SGD([mg.parameter([1.0])], lr=0.1, momentum=0.5)
        >>> p, g, velocity = np.array([1.0]), np.array([2.0]), np.array([4.0])
        >>> sgd.update(p, g, (velocity,), 0.1, 1)
        (array([0.6]), (array([4.]),))
        """
        raise NotImplementedError

    def updates(
        self, ps: Sequence[Any], gs: Sequence[Any], memory: Memory, lr: Any, step: Any
    ) -> tuple[list[Any], Memory]:
        """``update`` of every parameter: the new values, and what is kept by name."""
        values = []
        after: Memory = {name: [] for name in self.kept}
        for p, g, *kept in zip(ps, gs, *memory.values(), strict=True):
            value, new = self.update(_wide(p), _wide(g), tuple(kept), lr, step)
            values.append(value)
            for arrays, array in zip(after.values(), new, strict=True):
                arrays.append(array)
        return values, after

    def take(self, values: Sequence[Any], memory: Memory) -> None:
        """Make a step of which ``updates`` gave the values and the memory: all or none.

        What ``backward`` wrote counts as used.
        """
        assign_all(
            zip(self.parameters, values, strict=True),
            (self, "held", memory),
            (self, "steps", self.steps + 1),
            *[(p.node, "used", True) for p in self.parameters if p.node.used is False],
        )

    def state_dict(self) -> dict[str, Array]:
        """The number of steps and copies of all that is kept, by class and name.

        >>> import minigrad as mg
        >>> list(Adam([mg.parameter([1.0], name="U")]).state_dict())
        ['steps', 'Adam.mean.0.U', 'Adam.square.0.U']
        """
        state = {
            f"{type(self).__name__}.{name}.{of}": array.copy()
            for name, arrays in self.memory.items()
            for of, array in zip(self.names, arrays, strict=True)
        }
        return {"steps": np.array(self.steps)} | state

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from a state.

        Class, names, shapes and dtypes must agree: otherwise a ValueError lists every
        difference, and nothing is changed.
        """
        own, given = self.state_dict(), {k: np.asarray(v) for k, v in state.items()}
        wrong = [OLD] if is_old(state) else []
        for key in own | given:
            here, there = (
                "nothing" if a is None else f"{a.dtype} {a.shape}"
                for a in (own.get(key), given.get(key))
            )
            if here != there:
                wrong.append(f"{key}: {here} here, {there} in the state")
            elif not np.isfinite(given[key]).all():
                wrong.append(f"{key} has NaN or infinity")
            elif key == "steps" and given[key] < 0:
                wrong.append(f"steps is {given[key]}")
        if wrong:
            lines = "\n  ".join(wrong)
            raise ValueError(
                f"this state is not one of this {type(self).__name__}; nothing was "
                f"loaded:\n  {lines}"
            )
        arrays = iter([np.array(given[key]) for key in own if key != "steps"])
        memory = {name: [next(arrays) for _ in self.names] for name in self.kept}
        set_at_once([(self, "held", memory), (self, "steps", int(given["steps"]))])


OLD = "it was written by minigrad 0.1, which named no optimiser and no parameter"


def is_old(state: Mapping[str, Array]) -> bool:
    """Whether an optimiser of minigrad 0.1 wrote a state, where names are as mean.0.

    >>> is_old({"steps": np.array(1), "mean.0": np.zeros(2)})
    True
    """
    return any(key.partition(".")[2].isdigit() for key in state)


class SGD(Optimiser):
    """Gradient descent, v = momentum v + g, p = p - lr v (Polyak 1964).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data.tolist()
    [0.5]
    """

    kept: tuple[str, ...] = ("velocity",)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule,
        momentum: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = within("momentum", momentum, "[0, 1)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the velocity."""
        (v,) = memory
        v = self.momentum * v + g
        return p - _as(p, lr) * v, (v,)


class RMSProp(Optimiser):
    """The gradient over the root of its running mean square (Tieleman and Hinton 2012).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> RMSProp([w], lr=0.1, decay=0.75).step()
    >>> round(w.data.item(), 6)
    0.8
    """

    kept: tuple[str, ...] = ("square",)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        decay: float = 0.9,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.decay = within("decay", decay, "[0, 1)")
        self.eps = within("eps", eps, "(0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the gradient in units of its usual size."""
        (v,) = memory
        v = v + (1 - self.decay) * (g * g - v)
        return p - _as(p, lr) * (g / (np.sqrt(v) + self.eps)), (v,)


class Adam(Optimiser):
    """Adam: steps of about ``lr``, whatever the gradient's size (Kingma and Ba 2015).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> Adam([w], lr=0.25).step()
    >>> round(w.data.item(), 6)
    0.75
    """

    kept: tuple[str, ...] = ("mean", "square")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(
                "betas are two numbers, of the mean and of the square, as in "
                f"betas=(0.9, 0.999): got {betas!r}"
            )
        first, second = betas
        self.betas = (
            within("betas[0]", first, "[0, 1)"),
            within("betas[1]", second, "[0, 1)"),
        )
        self.eps = within("eps", eps, "(0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the mean gradient in units of its usual size."""
        m, v = memory
        b1, b2 = self.betas
        # The moments start at zero; dividing by these takes the bias out again.
        c1, c2 = _as(p, 1 - b1**step), _as(p, 1 - b2**step)
        m = m + (1 - b1) * (g - m)
        v = v + (1 - b2) * (g * g - v)
        change = (m / c1) / (np.sqrt(v / c2) + self.eps)
        return p - _as(p, lr) * change, (m, v)


class AdamW(Adam):
    """Adam with weight decay beside the gradient (Loshchilov and Hutter 2019).

    ``decay`` takes lr · decay · p from each parameter of two axes or more at each step;
    biases are left alone.

    >>> import minigrad as mg
    >>> w = mg.parameter([[1.0]])
    >>> (0 * w).sum().backward()
    >>> AdamW([w], lr=0.5, decay=0.25).step()
    >>> w.data.item()
    0.875
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps)
        self.decay = within("decay", decay, "[0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """As Adam does, from a matrix that has decayed."""
        if p.ndim > 1:
            p = p - _as(p, lr) * (self.decay * p)
        return super().update(p, g, memory, lr, step)


def exponential(lr: float, factor: float, every: int = 1) -> Schedule:
    """A learning rate that is multiplied by ``factor`` after every so many steps.

    >>> rate = exponential(1.0, 0.5, every=10)
    >>> rate(1), rate(10), rate(11), rate(21)
    (1.0, 1.0, 0.5, 0.25)
    """
    lr, factor = within("lr", lr, "[0, inf)"), within("factor", factor, "[0, inf)")
    every = whole("every", every)
    return lambda step: lr * factor ** ((step - 1) // every)


def cosine(lr: float, steps: int, last: float = 0.0) -> Schedule:
    """A learning rate that falls along half a cosine from ``lr`` to ``last``.

    >>> rate = cosine(1.0, 101)
    >>> rate(1), round(rate(51), 6), rate(101), rate(500)
    (1.0, 0.5, 0.0, 0.0)
    """

    lr, last = within("lr", lr, "[0, inf)"), within("last", last, "[0, inf)")
    steps = whole("steps", steps)

    def rate(step: int) -> float:
        done = min((step - 1) / max(steps - 1, 1), 1.0)
        return last + (lr - last) * (1 + cos(pi * done)) / 2

    return rate


def warm_up(schedule: float | Schedule, steps: int) -> Schedule:
    """A schedule that grows in equal parts over its first steps.

    >>> rate = warm_up(1.0, 4)
    >>> rate(1), rate(4), rate(9)
    (0.25, 1.0, 1.0)
    """

    steps = whole("steps", steps)
    if not callable(schedule):
        schedule = within("lr", schedule, "[0, inf)")

    def rate(step: int) -> float:
        lr = schedule(step) if callable(schedule) else schedule
        return lr * min(step / steps, 1.0)

    return rate


def clip_by_element(parameters: Iterable[Parameter], limit: float) -> None:
    """Limit every element of every gradient to ±``limit`` (Mikolov 2012).

    >>> import minigrad as mg
    >>> w = mg.parameter([0.0, 0.0])
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> clip_by_element([w], 1.0)
    >>> w.grad.tolist()
    [1.0, -0.5]
    """
    limit = within("limit", limit, "(0, inf]")
    parameters = _listed("clip_by_element", parameters)
    set_at_once(
        [(p.node, "grad", np.clip(gradient(p), -limit, limit)) for p in parameters]
    )


def clip_by_norm(parameters: Iterable[Parameter], limit: float) -> float:
    """Shorten the gradient to ``limit`` where it is longer (eq. 10.48-10.49).

    The norm is that of all gradients as one vector, and it is returned as it was
    before. Gradients that are NaN or infinite have such a norm, and stay as they are.

    >>> import minigrad as mg
    >>> w = mg.parameter([0.0, 0.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_by_norm([w], 2.5), w.grad.tolist()
    (5.0, [1.5, 2.0])
    """
    limit = within("limit", limit, "(0, inf]")
    parameters = _listed("clip_by_norm", parameters)
    gradients = [gradient(p) for p in parameters]
    unit = 1.0
    norm = _norm(gradients)
    if not SMALLEST < norm < np.inf:  # squares of float64 leave its range both ways
        unit = max((float(np.abs(g).max(initial=0)) for g in gradients), default=0.0)
        if not 0 < unit < np.inf:
            return norm
        norm = _norm([g / unit for g in gradients])
    if norm * unit > limit:
        factor = limit / norm
        shorter = [(_wide(g) / unit * factor).astype(g.dtype) for g in gradients]
        set_at_once(
            [(p.node, "grad", g) for p, g in zip(parameters, shorter, strict=True)]
        )
    return norm * unit


# The norm below which a square is no normal number of float64.
SMALLEST = float(np.sqrt(np.finfo(np.float64).tiny))


def _norm(gradients: list[Array]) -> float:
    """The Euclidean norm of arrays as one vector, in float64."""
    with np.errstate(over="ignore"):
        squares = [float(np.square(g, dtype=np.float64).sum()) for g in gradients]
    return float(np.sqrt(sum(squares)))


def _listed(what: str, parameters: Iterable[Parameter]) -> list[Parameter]:
    """Parameters as a list; a TypeError for anything else."""
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        raise TypeError(
            f"{what} takes a list of parameters, as model.parameters() or [W] is: got "
            f"{type(parameters).__name__}"
        )
    found = list(parameters)
    for p in found:
        if not isinstance(p, Parameter):
            raise TypeError(
                f"{what} changes parameters, got {type(p).__name__}: make it with "
                "mg.parameter"
            )
    return found


def _wide(a: Any) -> Any:
    """An array or a Tensor, in float32 where it is float16."""
    return a.astype(np.float32) if a.dtype == np.float16 else a


def _as(p: Any, number: Any) -> Any:
    """A number beside p: a Tensor is cast, Python's own take the dtype of an array."""
    return number.astype(p.dtype) if isinstance(number, Tensor) else number


def gradient(p: Parameter) -> Array:
    """The gradient of a parameter; an error where there is none, or only a used one.

    >>> import minigrad as mg
    >>> gradient(mg.parameter([1.0], name="U"))
    Traceback (most recent call last):
        ...
    ValueError: parameter U has no gradient: call loss.backward() before step(), ...
    """
    if p.grad is None:
        raise ValueError(
            f"parameter {p.name or '(unnamed)'} has no gradient: call loss.backward() "
            "before step(), on a loss that depends on it"
        )
    if p.node.used:
        raise ValueError(
            f"parameter {p.name or '(unnamed)'} has only the gradient that an earlier "
            "step() has used: the last loss does not depend on it. Call "
            "loss.backward() before each step(), leave it out of this optimiser, or "
            "set p.grad by hand"
        )
    return p.grad
