"""What an op is: a forward function of arrays and one gradient rule per argument.

Vocabulary
    rule       ``(g, y, *inputs, **attrs) -> array``: the cotangent of one argument from
               the cotangent ``g`` of the output ``y`` (a vector-Jacobian product).
               Given arrays it computes arrays; given Tensors it records, so one line
               serves every order of gradient
    operand    what may change between two runs of a program: a Tensor, an array, an
               index, a mask, a bound. One whose default is None may be left out
    attribute  a plain value that belongs to the program (``axis=0``): a keyword of the
               forward function, never a Tensor
    variadic   an op over a sequence of arrays (stack, concatenate): its single rule
               takes the position first and the inputs as one list, ``(i, g, y, inputs,
               **attrs)``

Called with at least one Tensor an op records a node and returns a Tensor; called with
arrays alone it is the plain NumPy function.

>>> import numpy as np
>>> cube = Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="doc_cube")
>>> float(cube(np.float64(2.0)))
8.0
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np

import minigrad.attributes as attributes
import minigrad.declaration as declaration
from minigrad.advice import of_keywords
from minigrad.arrays import require_unmasked
from minigrad.graph import NO_VALUES, Leaf, Node, Structure
from minigrad.mode import Mode, current_mode, outlined, recorded, require_finite
from minigrad.pickles import NotPickled
from minigrad.scope import LOOP, Scope, current

Rule = Callable[..., Any]
Axis = int | tuple[int, ...] | None  # of a reduction: one, several or all

registry: dict[str, "Op"] = {}
# The names of the project's own ops, which nobody declares again by accident.
builtin: set[str] = set()
by_function: dict[Any, Callable[..., Any]] = {}


def wrap(node: Node) -> Any:
    """The Tensor of a node: tensor.py puts its class in this place."""


ndarray = np.ndarray
RECORD, OFF = Mode.RECORD, Mode.OFF
ATOMS = frozenset({int, bool, float, str, type(None), slice})


# In a key: here belongs an array, which is an operand and not part of the key.
OPERAND = "operand"


class Scatter(NamedTuple):
    """A rule's answer "``cotangent`` belongs at ``key``, the rest is zero".

    ``indices`` are the arrays that the key has places for. Kept apart until the sum is
    made, so that T indexings of one array cost O(T).
    """

    cotangent: Any
    key: Any
    indices: tuple[Any, ...] = ()


class Kept(NamedTuple):
    """A value, and what its op keeps of the work for the rules of its node."""

    value: Any
    kept: Any


class Op(NotPickled):
    """One operation, declared by its forward function and one rule per argument.

    Parameters
    ----------
    forward: a NumPy function, or a module-level function of arrays. Its name is the
        name of the op, and a NumPy function called on a Tensor finds its op by it.
    vjps: one rule per argument, ``None`` where no gradient flows.
    variadic: the op takes one sequence of arrays, and one rule for all of them.
    name, numpy: where the forward function is not itself named or not NumPy's own.
    doc: what help shows, where the forward function's own docstring does not fit.
    lowerings: the forward function as an engine of compiled programs needs it, by the
        engine's name: ``{"jax": f}``, f written with jax.numpy, or ``{"onnx": f}``, f
        written with ops.

    What ``help`` and ``inspect.signature`` say of an op is what its forward function
    and its rules take.

    Raises ValueError or TypeError for a declaration that cannot work, and for a name
    that is taken.

    >>> from minigrad import Op, tensor
    >>> square = Op(lambda x: x * x, lambda g, y, x: 2 * g * x, name="doc_square")
    >>> square(tensor(3.0)).item()
    9.0
    """

    _instead: ClassVar[str] = (
        "another process knows it when it imports the file that declares it; save its "
        "name"
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        *vjps: Rule | None,
        variadic: bool = False,
        name: str | None = None,
        numpy: Callable[..., Any] | None = None,
        doc: str | None = None,
        lowerings: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.name: str = str(name or getattr(forward, "__name__", "an op"))
        if self.name == "<lambda>":
            raise ValueError("an op needs a name: pass name= or a named function")
        declaration.check(self.name, forward, vjps, variadic)
        self.forward = forward
        self.vjps = vjps
        self.variadic = variadic
        self.lowerings: Mapping[str, Callable[..., Any]] = dict(lowerings or {})
        # Most ops compute just their forward function: that saves a call for each node.
        self.plain: bool = not variadic and type(self)._forward is Op._forward
        # Whether a gradient flows into every operand.
        self.smooth: bool = None not in vjps
        self.parameters: dict[str, inspect.Parameter] = declaration.parameters(
            forward, vjps, variadic
        )
        operands = list(self.parameters)[: 1 if variadic else len(vjps)]
        self.operands: tuple[str, ...] = tuple(operands)
        # How many operands a call has at least: the last ones may be optional.
        self.arity: int = (
            -1
            if variadic
            else len(vjps) - declaration.optional(self.parameters, operands)
        )
        self.keywords: frozenset[str] = frozenset(
            p.name for p in self.parameters.values() if p.kind not in declaration.OPEN
        ).difference(operands)
        self.__doc__ = declaration.described(forward, self.operands, doc)
        self.__name__: str = self.name
        self.__wrapped__: Callable[..., Any] = forward
        self.__module__ = getattr(forward, "__module__", __name__)
        known = self.keywords.union(operands)
        taken = [p for p in self.parameters.values() if p.name in known]
        self.__signature__: inspect.Signature = inspect.Signature(taken)
        previous = registry.get(self.name)
        if previous is not None and not _again(previous, forward):
            raise ValueError(
                f"an op named {self.name!r} exists already "
                f"({previous.forward.__module__}): choose another name"
            )
        registry[self.name] = self
        by_function[numpy or forward] = self

    def __copy__(self) -> "Op":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Op":
        return self  # like a function: a model that holds one can be copied

    def __repr__(self) -> str:
        taken = self.__signature__.parameters.values()
        names = ", ".join(str(p.replace(annotation=p.empty)) for p in taken)
        return f"<op {self.name}({names})>"

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Compute, and record if an operand is a Tensor."""
        if len(args) != self.arity or (attrs and not attrs.keys() <= self.keywords):
            args, attrs = self._bind(args, attrs)
        return self.record(args, attrs)

    def of_two(self, a: Any, b: Any) -> Any:
        """``self(a, b)``, of an op with two operands: the operators of a Tensor.

        >>> from minigrad import add, tensor
        >>> add.of_two(tensor(1.0), 2.0).item()
        3.0
        """
        m, n = getattr(a, "node", None), getattr(b, "node", None)
        if m is None or n is None:
            return self.record((a, b), {})
        scope = current.get()
        return self.made((m, n), {}, scope, next(scope.slots))

    def record(self, args: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """A call whose operands and attributes have been told apart.

        >>> from minigrad import sum, tensor
        >>> sum.record([tensor([1.0, 2.0])], {"axis": 0}).node.attrs
        {'axis': 0}
        """
        for k, v in attrs.items():  # a dict of this call's own
            if v.__class__ not in ATOMS:
                attrs[k] = attributes.own(self, k, v)
        scope = current.get()
        if len(args) == 1 and hasattr(args[0], "node"):
            return self.made((args[0].node,), attrs, scope, next(scope.slots))
        nodes: list[Any] = [getattr(a, "node", None) for a in args]
        if None not in nodes:
            return self.made(tuple(nodes), attrs, scope, next(scope.slots))
        if not any(nodes):
            for a in args:
                self._refuse_list(a)
            return self.on(list(args), attrs)
        slot = next(scope.slots)
        inputs = [
            node or self._constant(args[i], i, scope, slot)
            for i, node in enumerate(nodes)
        ]
        return self.made(tuple(inputs), attrs, scope, slot)

    def made(
        self,
        inputs: tuple[Node, ...],
        attrs: dict[str, Any],
        scope: Scope,
        slot: Any,
    ) -> Any:
        """Compute, and leave a node behind, or what the mode wants in its place.

        >>> from minigrad import add, tensor
        >>> x = tensor(1.0).node
        >>> add.made((x, x), {}, current.get(), "here").item()
        2.0
        """
        mode = current_mode.get()
        if mode is not RECORD and (outline := outlined.get()):
            node = outline(self, inputs, attrs, scope, slot)
            return self._detached(node) if mode is Mode.TRACE_DETACHED else wrap(node)
        kept = None
        try:
            if not self.plain:
                value = self._forward([n.value for n in inputs], attrs)
                if value.__class__ is Kept:
                    value, kept = value
            elif len(inputs) == 2 and not attrs:
                value = self.forward(inputs[0].value, inputs[1].value)
            else:
                value = self.forward(*[n.value for n in inputs], **attrs)
        except Exception as error:
            error.add_note(self.describe(inputs, attrs))
            raise
        if value.__class__ is not ndarray:
            value = _as_array(value, inputs)
        value.setflags(False)
        if mode is OFF:
            return wrap(Leaf("constant", value, None, scope, slot))
        node = Node(self, inputs, attrs, value, scope, slot)
        if kept is not None:
            node.kept = kept
        if mode is not RECORD:
            if mode is Mode.WATCH:
                require_finite(value, "", self.describe(inputs, attrs))
            if mode is Mode.FORGET and (tell := recorded.get()):
                result = wrap(node)
                tell(result)
                return result
            if mode is Mode.TRACE_DETACHED:
                return self._detached(node)
        return wrap(node)

    def _detached(self, node: Node) -> Any:
        """A value that lets no gradient past, of what is traced in ``no_grad``."""
        detach = registry["detach"]
        if self is detach or node.value.dtype.kind != "f":
            return wrap(node)
        return detach(wrap(node))

    def computed(self, inputs: Sequence[Node], attrs: dict[str, Any]) -> Any:
        """The value that a node of these inputs has.

        >>> from minigrad import sum, tensor
        >>> sum.computed([tensor([1.0, 2.0]).node], {"axis": 0}).item()
        3.0
        """
        return np.asarray(self.on([n.value for n in inputs], attrs))

    def on(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        """The value of arrays.

        >>> from minigrad import stack
        >>> stack.on([np.ones(1), np.zeros(1)], {"axis": 1})
        array([[1., 0.]])
        """
        value = self._forward(values, attrs)
        return value.value if value.__class__ is Kept else value

    def _forward(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        """The value, which may be ``Kept`` with what the node's rules can use."""
        if self.variadic:
            return self.forward(values, **attrs)
        return self.forward(*values, **attrs)

    def rules(self, count: int) -> Sequence[Rule | None]:
        """The rule of each of ``count`` operands.

        >>> from minigrad import multiply, stack, where
        >>> [rule is None for rule in where.rules(3)], len(stack.rules(5))
        ([True, False, False], 5)
        >>> multiply.rules(2)[0](1.0, None, 3.0, 5.0)
        5.0
        """
        if not self.variadic:
            return self.vjps[:count]
        (rule,) = self.vjps
        return [None if rule is None else partial(rule, i) for i in range(count)]

    def array_rules(self, node: Node) -> Sequence[Rule | None]:
        """The rules of a node's operands where they compute on arrays.

        >>> from minigrad import square, tensor
        >>> y = square(tensor(3.0))
        >>> (rule,) = square.array_rules(y.node)
        >>> float(rule(1.0, y.data, np.float64(3.0), **square.attributes(y.node)))
        6.0
        """
        return self.rules(len(node.inputs))

    def attributes(self, node: Node) -> dict[str, Any]:
        """The keywords that rules and forward get for ``node``."""
        return node.attrs

    def describe(
        self,
        inputs: tuple[Node, ...],
        attrs: dict[str, Any],
        scope: Scope | None = None,
    ) -> str:
        """One line for an error: op, scope, step, operands and their shapes.

        >>> from minigrad import sum, tensor
        >>> sum.describe((tensor([1.0], name="x").node,), {"axis": 0})
        'in op sum(x (1,), axis=0)'
        """
        scope = scope or current.get()
        names = "/".join(str(p[0]) for p in scope.path if p[0] != LOOP)
        where = f", scope {names}" if names else ""
        step = "" if scope.t is None else f", step t = {scope.t}"
        operands = ", ".join(f"{n.said} {n.shape}" for n in inputs)
        extra = "".join(f", {k}={v!r}" for k, v in attrs.items())
        return f"in op {self.name}({operands}{extra}){where}{step}"

    def _constant(self, value: Any, i: int, scope: Scope, slot: Any) -> Node:
        """The leaf of an operand that is a plain number or array."""
        if not isinstance(value, (int, float)):
            self._refuse_list(value)
            require_unmasked(value, self.name)
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                kind = type(value).__name__
                if array.ndim:
                    kind += f" of {array.dtype}, shape {array.shape}"
                raise TypeError(
                    f"{self.name}: operand {i} is a {kind}; operands are Tensors, and "
                    "arrays and numbers that are real"
                )
            # A later edit of the caller's array must not reach what was recorded.
            value = array.copy() if array.flags.writeable else array
            value.setflags(False)
        return Leaf("constant", value, None, scope, (slot, i))

    def _bind(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call in NumPy's own form into operands and attributes."""
        names, count = list(self.parameters), len(self.operands)
        if len(args) > len(names):
            raise TypeError(
                f"{self.name} takes {len(names)} arguments ({', '.join(names)}), "
                f"got {len(args)}"
            )
        attrs = dict(attrs)
        operands = list(args[:count])
        for name in names[len(operands) : count]:
            value = attrs.pop(name, self.parameters[name].default)
            if value is inspect.Parameter.empty:
                raise TypeError(f"{self.name} lacks its operand {name!r}")
            operands.append(value)
        attrs.update(zip(names[count:], args[count:], strict=False))
        if not attrs.keys() <= self.keywords:
            self._refuse(attrs)
        if not self.variadic:
            return self._present(operands), attrs
        if hasattr(operands[0], "node") or not len(operands[0]):
            raise TypeError(
                f"{self.name} takes a list or tuple of Tensors, got {operands[0]!r}"
            )
        return tuple(operands[0]), attrs

    def _present(self, operands: list[Any]) -> tuple[Any, ...]:
        """The operands that were given: the optional ones are the last ones."""
        while operands[-1] is None and len(operands) > self.arity:
            operands.pop()
        for name, value in zip(self.operands, operands, strict=False):
            if value is None:
                raise TypeError(f"{self.name} needs its operand {name!r}, got None")
        return tuple(operands)

    def _refuse_list(self, value: Any) -> None:
        """NumPy would make an array of a list of Tensors, and lose their graph."""
        if isinstance(value, (list, tuple)) and any(hasattr(v, "node") for v in value):
            raise TypeError(
                f"{self.name} takes a Tensor, got a {type(value).__name__} of them: "
                "mg.stack makes them one"
            )

    def _refuse(self, attrs: dict[str, Any]) -> NoReturn:
        unknown = ", ".join(sorted(set(attrs) - self.keywords))
        known = ", ".join(sorted(self.keywords)) or "none"
        raise TypeError(
            f"{self.name} has no keyword {unknown} (it has: {known})"
            f"{of_keywords(attrs.keys() - self.keywords)}; its operands are "
            f"{', '.join(self.operands)}"
        )


def _as_array(value: Any, inputs: tuple[Node, ...]) -> Any:
    """A result that is no array, as one."""
    if not isinstance(value, np.generic) and any(
        isinstance(n.value, Structure) for n in inputs
    ):
        raise TypeError(NO_VALUES)
    return np.asarray(value)


def op(*vjps: Rule | None, **options: Any) -> Callable[[Callable[..., Any]], Op]:
    """Declare an op above its forward function, one rule per argument.

    >>> from minigrad import op, parameter
    >>> @op(lambda g, y, x: g * 3 * x**2)
    ... def doc_cubed(x):
    ...     return x**3
    >>> p = parameter(2.0, name="p")
    >>> doc_cubed(p).backward()
    >>> float(p.grad)
    12.0
    """
    return lambda forward: Op(forward, *vjps, **options)


def _again(previous: Op, forward: Any) -> bool:
    """Whether an op is declared once more (a notebook cell that ran twice)."""
    known = previous.forward
    if inspect.isfunction(known) and inspect.isfunction(forward):
        return (known.__module__, known.__qualname__) == (
            forward.__module__,
            forward.__qualname__,
        )
    return known is forward and previous.name not in builtin
