"""Module: parameters, known by where they sit, and the scope they compute in.

>>> import minigrad as mg
>>> class Scale(Module):
...     def __init__(self):
...         self.w = mg.parameter([2.0, 3.0])
...     def forward(self, x):
...         return self.w * x
>>> scale = Scale()
>>> state = scale.state_dict()
>>> scale.w.assign([0.0, 0.0])
>>> scale.load_state_dict(state)
>>> scale([1.0, 1.0]).data.tolist()
[2.0, 3.0]
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from minigrad.advice import look_again, near, of_keywords, told
from minigrad.assign import assign_all
from minigrad.scope import scope
from minigrad.tensor import Parameter, Tensor

Array = NDArray[Any]
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Forward(Protocol[P, R]):
    """What has a ``forward``: of its types are those of the call."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the module computes."""


class Parameters(list[Parameter]):
    """The parameters of a module, with the path of each by its node.

    >>> import minigrad as mg
    >>> W = mg.parameter([[1.0]])
    >>> found = Parameters([("cell.W", W)])
    >>> found[0] is W, found.paths[W.node]
    (True, 'cell.W')
    """

    def __init__(self, found: list[tuple[str, Parameter]]) -> None:
        super().__init__(p for _, p in found)
        self.paths = {p.node: path for path, p in found}


class Module:
    """What holds parameters and other modules as attributes, or in lists and dicts.

    A subclass sets them in ``__init__`` (there is no base ``__init__`` to call) and
    computes in ``forward``; calling the module runs ``forward`` in a scope that bears
    the name by which the parent holds it, or else the class's. A parameter that has no
    name yet takes that of its attribute, so ``self.U = mg.parameter(...)`` is drawn as
    U. One parameter held at two places is one parameter, listed where it is met first.
    """

    forward: Callable[..., Any]
    fixed: tuple[str, ...] = ()  # attributes whose parameters are not to be trained
    _scope: str

    def __setattr__(self, name: str, value: Any) -> None:
        old = self.__dict__.get(name)
        if isinstance(old, Parameter) and not isinstance(value, (Tensor, type(None))):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter, and would be none any "
                f"more: write m.{name}.assign(array) to set its value, or m.{name} = "
                "mg.parameter(array) for another one"
            )
        if isinstance(value, Parameter) and value.name is None:
            value.named(name)
        for path, module in _held(name, value):
            module.__dict__.setdefault("_scope", path)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if isinstance(self.__dict__.get(name), Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a parameter that the module computes "
                f"with: write m.{name} = None where it can do without"
            )
        super().__delattr__(name)

    if TYPE_CHECKING:

        def __call__(self: _Forward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
            """What ``forward`` takes and gives, that of a subclass too."""

    else:  # a type checker should know what there is

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Run ``forward`` in the module's scope."""
            with self.scope():
                return self.forward(*args, **kwargs)

        def __new__(cls, *args: Any, **options: Any) -> "Module":
            """Refuse other libraries' keywords, and first weights without a draw."""
            known = inspect.signature(cls.__init__).parameters
            if all(p.kind is not p.VAR_KEYWORD for p in known.values()):
                unknown = sorted(options.keys() - known.keys())
                if advice := of_keywords(unknown):
                    raise TypeError(
                        f"{cls.__name__} has no {', '.join(unknown)}{advice}"
                    )
            taken = known.get("rng")
            must = taken is not None and taken.default is taken.empty
            must = must and taken.kind is taken.KEYWORD_ONLY and "rng" not in options
            if must and (args or options):  # a copy is made of nothing, and then filled
                raise TypeError(
                    f"{cls.__name__} draws by a generator of yours: give it "
                    "rng=np.random.default_rng(0)"
                )
            return super().__new__(cls)

        def __getattr__(self, name: str) -> NoReturn:
            look_again(self, "Module", name)

    def scope(self) -> AbstractContextManager[None]:
        """The scope of this module, for methods that record beside ``forward``.

        >>> import minigrad as mg
        >>> with Module().scope():
        ...     mg.tanh(mg.tensor(1.0)).node.scope.path[0][0]
        'Module'
        """
        return scope(self.__dict__.get("_scope", type(self).__name__))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths, in the order of the attributes.

        >>> from minigrad.nn import Linear
        >>> linear = Linear(2, 3, rng=np.random.default_rng(0))
        >>> [(path, p.shape) for path, p in linear.named_parameters()]
        [('W', (2, 3)), ('b', (3,))]
        >>> [p.shape for p in linear.parameters()]
        [(2, 3), (3,)]
        """
        return ((path, p) for path, p, _ in self._walk())

    def parameters(self) -> list[Parameter]:
        """The parameters to train, each once, in the order of the attributes.

        Those that a module lists in ``fixed`` are left out; they are part of the state.
        An optimiser learns from the list which path each has.
        """
        found = [(path, p) for path, p, fixed in self._walk() if not fixed]
        return Parameters(found)

    def _walk(self) -> Iterator[tuple[str, Parameter, bool]]:
        seen: set[int] = set()
        # A stack, not recursion: the engine has none, and depth is the user's choice.
        stack: list[tuple[str, Any, bool]] = [("", self, False)]
        while stack:
            path, value, fixed = stack.pop()
            if id(value) in seen:
                continue
            if isinstance(value, Parameter):
                seen.add(id(value))
                yield path, value, fixed
            elif held := children(value):
                seen.add(id(value))
                kept = _fixed(value, held) if isinstance(value, Module) else ()
                stack += [
                    (f"{path}.{name}" if path else name, child, fixed or name in kept)
                    for name, child in reversed(held)
                ]

    def state_dict(self) -> dict[str, Array]:
        """The value of every parameter by path.

        The arrays are read-only and never change: ``assign`` puts new ones in their
        place. So a state is a snapshot and costs no copy.

        Each has the shape and the dtype of its parameter.
        """
        return {path: p.data for path, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Assign a state to the parameters.

        Names, shapes and dtypes must all agree: otherwise a ValueError lists the
        differences, and no parameter has been changed.

        Raises TypeError for what is no state.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                "a state is what state_dict() gives, and not a file: load one with "
                f"minigrad.train.load_weights; got {type(state).__name__}"
            )
        own = dict(self.named_parameters())
        wrong = told(_differences(own, state))
        if wrong:
            raise ValueError(
                f"this state is not one of {type(self).__name__}; nothing was loaded:"
                f"{wrong}"
            )
        assign_all((p, state[path]) for path, p in own.items())

    def __repr__(self) -> str:
        """A table of the parameters: path, shape, dtype, and how many numbers."""
        rows = [
            (path, str(p.shape), str(p.dtype), f"{p.size:,}")
            for path, p in self.named_parameters()
        ]
        total = sum(p.size for _, p in self.named_parameters())
        head = f"{type(self).__name__}: {total:,} numbers in {len(rows)} parameters"
        if not rows:
            return head
        a, b, c, d = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = [f"  {p:{a}}  {s:{b}}  {t:{c}}  {n:>{d}}" for p, s, t, n in rows]
        return "\n".join([head, *lines])


def _differences(
    own: Mapping[str, Parameter], state: Mapping[str, Any]
) -> Iterator[str]:
    """What a state lacks, what it has besides, what is of another shape or dtype."""
    missing = [path for path in own if path not in state]
    extra = [path for path in state if path not in own]
    for path in missing:
        yield f"{path}: missing{near(path, extra)}"
    for path in extra:
        yield f"{path}: the module has no such parameter{near(path, missing)}"
    for path in (path for path in own if path in state):
        p, array = own[path], np.asarray(state[path])
        if (array.shape, array.dtype) != (p.shape, p.dtype):
            turned = array.shape == p.shape[::-1] != p.shape
            yield (
                f"{path}: the module has {p.dtype} {p.shape}, the state {array.dtype} "
                f"{array.shape}"
                + ("; PyTorch's way comes in by exchange.from_torch" if turned else "")
            )


def _fixed(module: Module, held: list[tuple[str, Any]]) -> tuple[str, ...]:
    """The names in ``fixed``, each of an attribute that holds parameters, or None."""
    known = [
        name
        for name, child in held
        if name != "fixed"
        and (child is None or isinstance(child, Parameter) or children(child))
    ]
    names: Any = module.fixed
    if isinstance(names, str) or not set(names) <= set(known):
        raise ValueError(
            f"{type(module).__name__}.fixed is a tuple of names from "
            f"{', '.join(known)}; got {names!r} (a part of a part is named there, as "
            'in model.rnn.fixed = ("W",))'
        )
    return tuple(names)


def children(value: Any) -> list[tuple[str, Any]]:
    """What a module, list, tuple or dict holds, by name.

    >>> children({"a": 1}), children([5]), children(7)
    ([('a', 1)], [('0', 5)], [])
    """
    if isinstance(value, Module):
        return list(vars(value).items())
    if isinstance(value, (list, tuple)):
        return [(str(i), child) for i, child in enumerate(value)]
    if isinstance(value, dict):
        return [(str(key), child) for key, child in value.items()]
    return []


def _held(path: str, value: Any) -> Iterator[tuple[str, Module]]:
    """The modules that an attribute holds, itself or in a list, tuple or dict."""
    if isinstance(value, Module):
        yield path, value
    else:
        for name, child in children(value):
            yield from _held(f"{path}.{name}", child)
