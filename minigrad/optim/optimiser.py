"""What all optimisers share: parameters, a rate, what is kept, and a state to save.

>>> import minigrad as mg
>>> class Sign(Optimiser):  # steps of lr, whatever the gradient's size
...     def update(self, p, g, memory, lr, step):
...         return p - lr * mg.sign(g), memory
>>> w = mg.parameter([1.0, 1.0])
>>> (w * [0.5, -8.0]).sum().backward()
>>> Sign([w], lr=0.25).step()
>>> w.data.tolist()
[0.75, 1.25]
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from minigrad.advice import look_again, of_keywords
from minigrad.assign import assign_all, set_at_once
from minigrad.held import on_device
from minigrad.limits import within
from minigrad.ops.reduction import wide
from minigrad.tensor import Parameter, Tensor

Array = NDArray[Any]
Memory = dict[str, list[Any]]  # what is kept, of each parameter
Schedule = Callable[[int], float]


class Optimiser:
    """The common part: parameters, a learning rate, and a state that can be saved.

    A subclass names the arrays it keeps per parameter in ``kept`` and computes in
    ``update``. ``lr`` is a number, or a ``Schedule``: a function of the step, from 1.

    In a state an array is known by the optimiser's class and the path of the parameter
    in the module whose ``parameters()`` these are; in another list by place and name.

    All that is kept of a parameter has its shape, and its dtype, or float32 for
    float16. Raises ValueError for no parameter and for one that is listed twice, and
    TypeError for what is no parameter, and for a rate that is no number.
    """

    kept: tuple[str, ...] = ()

    if not TYPE_CHECKING:  # a type checker should know what there is

        def __new__(cls, *args: Any, **options: Any) -> "Optimiser":
            """Refuse what other libraries take, by what to write instead."""
            listed = args[0] if args and isinstance(args[0], (list, tuple)) else ()
            if any(isinstance(p, Mapping) for p in listed):
                raise TypeError(
                    f"{cls.__name__} has one group of parameters: write "
                    "Groups(SGD(a, lr=0.1), SGD(b, lr=0.01))"
                )
            unknown = options.keys() - inspect.signature(cls.__init__).parameters.keys()
            advice = of_keywords(unknown)
            if advice:
                raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}{advice}")
            return super().__new__(cls)

        def __getattr__(self, name: str) -> NoReturn:
            look_again(self, "Optimiser", name)

    def __init__(self, parameters: Iterable[Parameter], lr: float | Schedule) -> None:
        kept: object = self.kept
        if isinstance(kept, str):
            name = type(self).__name__
            raise TypeError(
                f"kept is a tuple of names: write {name}.kept = ({kept!r},)"
            )
        paths: Mapping[Any, str] = getattr(parameters, "paths", {})
        self.parameters = as_parameters("an optimiser", parameters)
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
            name: [np.zeros_like(wide(p.data)) for p in self.parameters]
            for name in self.kept
        }

    @property
    def memory(self) -> Memory:
        """What is kept of each parameter, by name: arrays.

        ``held`` is the same where it is kept: a program that ran on a device leaves it
        there, and whoever looks at ``memory`` gets it back.

        >>> import minigrad as mg
        >>> from minigrad.optim import SGD
        >>> SGD([mg.parameter([1.0, 2.0])], lr=0.1, momentum=0.5).memory
        {'velocity': [array([0., 0.])]}
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
        >>> from minigrad.optim import SGD
        >>> SGD([mg.parameter([1.0])], lambda step: 0.5 / step).rate()
        0.5
        """
        return self.rate_at(self.steps + 1)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, from 1.

        Raises ValueError where a schedule leaves [0, inf), TypeError where it gives no
        number.

        >>> import minigrad as mg
        >>> from minigrad.optim import SGD
        >>> SGD([mg.parameter([1.0])], lambda step: 0.5 / step).rate_at(5)
        0.1
        """
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

        Raises NotImplementedError where a subclass does not say.

        >>> import minigrad as mg
        >>> from minigrad.optim import SGD
        >>> sgd = SGD([mg.parameter([1.0])], lr=0.1, momentum=0.5)
        >>> p, g, velocity = np.array([1.0]), np.array([2.0]), np.array([4.0])
        >>> sgd.update(p, g, (velocity,), 0.1, 1)
        (array([0.6]), (array([4.]),))
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no update(self, p, g, memory, lr, step): it "
            "gives the new p and a tuple of what is kept, in the order of `kept`"
        )

    def updates(
        self, ps: Sequence[Any], gs: Sequence[Any], memory: Memory, lr: Any, step: Any
    ) -> tuple[list[Any], Memory]:
        """``update`` of every parameter: the new values, and what is kept by name.

        Each has the dtype of what it replaces, also where a rate of float64 made more
        of it.

        Raises TypeError where ``update`` gives anything but a new p and a tuple of what
        is kept.

        >>> import minigrad as mg
        >>> from minigrad.optim import SGD
        >>> sgd = SGD([mg.parameter([1.0])], lr=0.1)
        >>> p, g = np.array([1.0]), np.array([5.0])
        >>> values, memory = sgd.updates([p], [g], sgd.memory, 0.1, 1)
        >>> values, sgd.steps
        ([array([0.5])], 0)
        >>> sgd.take(values, memory)
        >>> sgd.parameters[0].tolist(), sgd.steps
        ([0.5], 1)
        """
        values = []
        after: Memory = {name: [] for name in self.kept}
        for p, g, *kept in zip(ps, gs, *memory.values(), strict=True):
            given = self.update(wide(p), wide(g), tuple(kept), lr, step)
            value, new = self._parted(given)
            values.append(_like(value, wide(p)))
            for arrays, array, old in zip(after.values(), new, kept, strict=True):
                arrays.append(_like(array, old))
        return values, after

    def _parted(self, given: Any) -> tuple[Any, tuple[Any, ...]]:
        """What ``update`` gave, in its two parts; a TypeError for anything else."""
        n = len(self.kept)
        pair = isinstance(given, tuple) and len(given) == 2
        if not pair or not isinstance(given[1], tuple) or len(given[1]) != n:
            raise TypeError(
                f"{type(self).__name__}.update gives (p, memory): the new p, and a "
                f"tuple of {n} for kept = {self.kept!r}; got {type(given).__name__}"
                + (f" of {[type(part).__name__ for part in given]}" if pair else "")
            )
        return given[0], given[1]

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

    def settings(self) -> dict[str, Any]:
        """What a step depends on beside what changes with every step.

        >>> import minigrad as mg
        >>> from minigrad.optim import Adam
        >>> Adam([mg.parameter([1.0])]).settings()
        {'betas': (0.9, 0.999), 'eps': 1e-08}
        """
        changing = ("parameters", "names", "lr", "steps", "held")
        return {k: v for k, v in vars(self).items() if k not in changing}

    def labels(self) -> dict[str, list[str]]:
        """Of all that is kept, by name, what its arrays are called in a state.

        >>> import minigrad as mg
        >>> from minigrad.optim import Adam
        >>> Adam([mg.parameter([1.0], name="U")]).labels()
        {'mean': ['Adam.mean.0.U'], 'square': ['Adam.square.0.U']}
        """
        of = type(self).__name__
        return {k: [f"{of}.{k}.{name}" for name in self.names] for k in self.kept}

    def state_dict(self) -> dict[str, Array]:
        """The number of steps and copies of all that is kept, by class and name.

        Each array has the shape of its parameter, ``steps`` is of shape ().

        >>> import minigrad as mg
        >>> from minigrad.optim import Adam
        >>> list(Adam([mg.parameter([1.0], name="U")]).state_dict())
        ['steps', 'Adam.mean.0.U', 'Adam.square.0.U']
        """
        state = {
            label: array.copy()
            for name, labels in self.labels().items()
            for label, array in zip(labels, self.memory[name], strict=True)
        }
        return {"steps": np.array(self.steps)} | state

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from a state.

        Class, names, shapes and dtypes must agree: otherwise a ValueError lists every
        difference, and nothing is changed.

        >>> import minigrad as mg
        >>> from minigrad.optim import Adam
        >>> first, second = (Adam([mg.parameter([1.0], name="U")]) for _ in range(2))
        >>> second.load_state_dict(first.state_dict() | {"steps": np.array(7)})
        >>> second.steps
        7
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
        memory = {
            name: [np.array(given[label]) for label in labels]
            for name, labels in self.labels().items()
        }
        set_at_once([(self, "held", memory), (self, "steps", int(given["steps"]))])


OLD = "it was written by minigrad 0.1, which named no optimiser and no parameter"


def is_old(state: Mapping[str, Array]) -> bool:
    """Whether an optimiser of minigrad 0.1 wrote a state, where names are as mean.0.

    >>> is_old({"steps": np.array(1), "mean.0": np.zeros(2)})
    True
    """
    return any(key.partition(".")[2].isdigit() for key in state)


def as_parameters(what: str, parameters: Iterable[Parameter]) -> list[Parameter]:
    """Parameters as a list; a TypeError for anything else.

    >>> import minigrad as mg
    >>> len(as_parameters("an optimiser", iter([mg.parameter([1.0])])))
    1
    """
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


def _like(new: Any, old: Any) -> Any:
    """An array or a Tensor in the dtype of what it replaces."""
    return new if new.dtype == old.dtype else new.astype(old.dtype)


def gradient(p: Parameter) -> Array:
    """The gradient of a parameter; an error where there is none, or only a used one.

    It has the shape and the dtype of the parameter. Raises ValueError.

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
