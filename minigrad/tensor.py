"""Tensor, the handle on a node, and Parameter, the tensor that learns.

A Tensor holds a node and nothing else. Its operators, methods and the two NumPy
protocols look the op up in the registry, so ``np.tanh(t)``, ``a @ t`` and
``np.concatenate([t, u])`` record like ``t.tanh()`` would. Values are read-only arrays.

>>> import numpy as np
>>> x = tensor([1.0, 2.0], name="x")
>>> np.exp(x).shape, (2 * x).sum().item()
((2,), 6.0)
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import starmap
from opcode import opmap
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import minigrad.op as op
from minigrad.advice import look_again
from minigrad.arrays import Array, frozen, real_array
from minigrad.graph import NO_VALUES, Leaf, Node, Structure, ids
from minigrad.methods import Methods
from minigrad.mode import Mode, current_mode, require_known, tracing
from minigrad.op import by_function, registry
from minigrad.reading import Reading
from minigrad.scope import current


class Tensor(Reading, Methods):
    """A value of the graph: an array together with how it was computed.

    Made by ``mg.tensor``, ``mg.parameter`` and by ops, never directly.
    """

    __slots__ = ("node",)
    node: Node
    # pandas leaves an operator to the right operand that has more of it: a frame 4,000.
    __pandas_priority__ = 5000

    def __init__(self, node: Node) -> None:
        self.node = node

    def _value(self) -> Any:
        if tracing():
            require_known(
                self.node,
                f"it reads the value of {self.node!r} while it records; a branch on "
                "values becomes mg.where",
            )
        if isinstance(self.node.value, Structure):
            raise TypeError(NO_VALUES)
        return self.node.value

    @property
    def data(self) -> Array:
        """The value, a read-only array."""
        value = self._value()
        if isinstance(value, np.ndarray) and value.base is None:
            return frozen(value)
        return value  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: Any) -> NoReturn:
        raise AttributeError(
            "the data of a Tensor is what the graph computed and cannot be set; "
            "for a parameter write p.assign(array)"
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.node.value)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value."""
        return np.asarray(self.node.value).dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.size(self.node.value))

    @property
    def name(self) -> str | None:
        """The name that figures and errors use."""
        return self.node.name

    @property
    def grad(self) -> Any:
        """Of a ``Parameter`` alone: what the last ``backward`` wrote."""
        raise AttributeError(
            "only a parameter has a grad, which loss.backward() writes: for another "
            "tensor x write mg.grad(loss, [x])"
        )

    @property
    def T(self) -> "Tensor":
        """The tensor with its axes reversed."""
        return registry["transpose"](self)  # type: ignore[no-any-return]

    def named(self, name: str) -> "Tensor":
        """Name the value for figures, folding and errors; returns the tensor itself.

        >>> tensor(1.0).named("h").name
        'h'
        """
        node = self.node
        node.name = _checked(name)
        if isinstance(node, Leaf) and node.kind == "constant":
            node.kind = "input"
        return self

    def detach(self, name: str | None = None) -> "Tensor":
        """A leaf with the same value: no gradient flows past it.

        >>> (tensor(2.0) * 3).detach().node.inputs
        ()
        """
        if tracing():
            copy: Tensor = registry["detach"](self)
            return copy if name is None else copy.named(name)
        return _leaf(self._value(), name, "constant" if name is None else "input")

    def backward(self, unreached: str = "raise") -> None:
        """Write d(self)/dp into ``p.grad`` of every parameter p that self depends on.

        Self must be a scalar. The arrays are fresh and overwrite what was there, so
        calling it twice gives the same numbers.

        >>> w = parameter(3.0, name="w")
        >>> (w * w).backward()
        >>> float(w.grad)
        6.0
        """
        from minigrad.grad import backward  # one of two upward steps of the house

        backward(self, unreached)

    def __repr__(self) -> str:
        name = "" if self.name is None else f", name={self.name!r}"
        array = np.array2string(self.data, prefix="tensor(", separator=", ")
        return f"{type(self).__name__.lower()}({array}{name})"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        if not self.shape:
            raise TypeError(
                "a 0-d tensor is one number and has nothing to go through: t.item() is "
                "that number, [t] a list of it"
            )
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._value())

    def __float__(self) -> float:
        _refuse_to_be_taken(self, sys._getframe(1))
        return float(self.item())

    def __int__(self) -> int:
        _refuse_to_be_taken(self, sys._getframe(1))
        return int(self.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The value, for NumPy: read-only, or a copy, detached from the graph.

        ``np.array(t)`` says that it copies. All else may as well be a list of Tensors
        or ``array[i] = t``, where NumPy asks in the same way; so a value that a
        parameter has part in is refused, and no gradient ends without a word. Inside
        of NumPy, which was given the value for a keyword, a copy is refused as well.
        """
        value, frame = self.data, sys._getframe(1)
        if not copy or _is_library(str(frame.f_globals.get("__name__"))):
            _refuse_to_leave(self, frame)
        return np.array(value, dtype=dtype, copy=copy)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if method != "__call__":
            raise TypeError(
                f"np.{ufunc.__name__}.{method} is not an op of minigrad; use one as "
                "mg.sum, or t.data for the plain values"
            )
        return _dispatch(ufunc)(*inputs, **kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        structural = _STRUCTURAL.get(func)
        if structural is not None:
            return structural(*args, **kwargs)
        return _dispatch(func)(*args, **kwargs)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            "x[i] = v would change a value that the graph has recorded. Write "
            "mg.where(mask, v, x), or mg.stack/mg.concatenate of the parts; for a "
            "parameter p.assign(array)"
        )

    def __copy__(self) -> "Tensor":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Tensor":
        return self  # a value never changes; only a parameter does

    def __dlpack__(self, **options: Any) -> Any:
        """A copy of the value for other array libraries, detached from the graph."""
        return np.array(self.data).__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        """Where the value lies: the CPU."""
        return self.data.__dlpack_device__()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Tensor is a place in a graph and is not pickled: save t.data, or "
            "a model's state_dict()"
        )

    def reshape(self, *shape: Any) -> "Tensor":
        """The values in another shape: ``t.reshape(2, 3)`` or ``t.reshape((2, 3))``."""
        shape = shape[0] if len(shape) == 1 else shape
        return registry["reshape"](self, shape)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes permuted, or reversed without arguments."""
        order = axes[0] if len(axes) == 1 else axes or None
        return registry["transpose"](self, order)  # type: ignore[no-any-return]

    def ravel(self) -> "Tensor":
        """The elements in one axis."""
        return registry["reshape"](self, -1)  # type: ignore[no-any-return]

    def repeat(self, repeats: Any, axis: int | None = None) -> "Tensor":
        """Each element so many times in a row, one number for all or one for each."""
        return by_function[np.repeat](self, repeats, axis)  # type: ignore[no-any-return]

    if not TYPE_CHECKING:  # a type checker should know what there is

        def __getattr__(self, name: str) -> NoReturn:
            look_again(self, "Tensor", name)


class Parameter(Tensor):
    """A leaf that training changes, by ``assign`` alone.

    ``grad`` is None, or the array that the last ``loss.backward()`` wrote.
    """

    __slots__ = ()
    node: Leaf

    @property
    def grad(self) -> Array | None:
        """The gradient that the last ``backward`` wrote, an array, or None."""
        return self.node.grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Array | None) -> None:
        if value is self.node.grad:  # as after p.grad *= 0.5
            return
        given: Any = value
        if isinstance(given, np.generic):
            given = np.asarray(given)
        if given is not None:
            self._require_gradient(given)
        set_at_once([(self.node, "grad", given), (self.node, "used", None)])

    def _require_gradient(self, value: Any) -> None:
        """Raise for what is no gradient of this parameter."""
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            raise TypeError(
                f"the gradient of parameter {self.name or '(unnamed)'} is an array of "
                f"floating point, or None: got {_kind_of(value)}; of a Tensor write "
                "t.data"
            )
        if value.shape != self.shape:
            raise ValueError(
                f"parameter {self.name or '(unnamed)'} has shape {self.shape}, and its "
                f"gradient cannot have shape {value.shape}"
            )

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Parameter":
        # By node, not by handle: a parameter tied at two places stays one node.
        copied = memo.get(id(self.node))
        if copied is None:
            copied = parameter(self.node.value, self.name).node
            if self.grad is not None:
                copied.grad, copied.used = self.grad.copy(), self.node.used
            memo[id(self.node)] = copied
        return Parameter(copied)

    def __iadd__(self, other: Tensor | ArrayLike) -> Tensor:
        raise TypeError(
            "W += v, W -= v and the like would make W the name of a new tensor and "
            "leave the parameter as it was: write W.assign(W.data + v)"
        )

    __isub__ = __imul__ = __itruediv__ = __iadd__

    def assign(self, value: ArrayLike) -> None:
        """Set the value: same shape, cast to the parameter's dtype, which must hold it.

        A gradient of a graph that was recorded before raises an error, since its
        values belong to the old one.

        >>> p = parameter([1.0, 2.0], name="p")
        >>> p.assign(p.data - 0.5)
        >>> p.data.tolist()
        [0.5, 1.5]
        """
        assign_all([(self, value)])


Change = tuple[Any, str, Any]  # an object, an attribute, its new value


def assign_all(values: Iterable[tuple[Parameter, ArrayLike]], *also: Change) -> None:
    """Assign to several parameters: all of them, or at an error or Ctrl-C none.

    ``also`` are attributes of other objects that change together with them.

    >>> a, b = parameter(1.0, name="a"), parameter([2.0], name="b")
    >>> assign_all([(a, 5.0), (b, 6.0)])
    Traceback (most recent call last):
    ValueError: parameter b has shape (1,), cannot assign shape ()
    >>> a.item()
    1.0
    """
    version = next(ids)
    changes: list[Change] = [(Leaf, "changed", version)]
    for p, value in values:
        old = p.node.value
        new = real_array(value, old.dtype, f"parameter {p.name or '(unnamed)'}")
        if new.shape != old.shape:
            raise ValueError(
                f"parameter {p.name or '(unnamed)'} has shape {old.shape}, "
                f"cannot assign shape {new.shape}"
            )
        changes += [(p.node, "value", frozen(new)), (p.node, "version", version)]
        if p.node.used:  # a step that is taken back may be made again
            changes.append((p.node, "used", False))
    set_at_once([*changes, *also])


def set_at_once(changes: list[Change]) -> None:
    """Set attributes so that Ctrl-C finds all of them old or all of them new.

    Python looks for a signal between two steps of its own; this is one call into C.
    """
    deque(starmap(setattr, changes), maxlen=0)


op.wrap = Tensor


def tensor(
    array: ArrayLike | Tensor,
    name: str | None = None,
    requires_grad: bool = False,
    copy: bool = True,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """A leaf of the graph: an input when it has a name, else a constant.

    Parameters
    ----------
    array: anything NumPy can make an array of; its dtype is kept (a Python float is
        float64). It is copied; ``copy=False`` freezes the caller's own array instead.
    requires_grad: also lets an unnamed leaf be asked for its gradient.

    >>> tensor([[1, 2]], name="x").shape
    (1, 2)
    """
    if isinstance(array, Tensor) and tracing():
        # The array that it is when the function runs, as a leaf that nothing leads to.
        leaf = array.detach(name)
        return leaf if dtype is None else registry["astype"](leaf, dtype=dtype)
    if isinstance(array, Tensor):
        raise TypeError(
            "mg.tensor takes an array; of a Tensor write t.detach(), or use t as it is"
        )
    if isinstance(array, (list, tuple)) and any(isinstance(a, Tensor) for a in array):
        raise TypeError(
            "mg.tensor takes an array; a list of Tensors becomes one with "
            "mg.stack(list), and keeps its graph"
        )
    value = real_array(array, dtype, "a tensor", copy=True if copy else None)
    if requires_grad and value.dtype.kind != "f":
        raise TypeError(
            f"requires_grad needs floating point, got {value.dtype}: write 1.0 for 1 "
            "or pass dtype=float"
        )
    kind = "input" if _checked(name) or requires_grad else "constant"
    return _leaf(value, name, kind)


def parameter(
    array: ArrayLike, name: str | None = None, dtype: DTypeLike | None = None
) -> Parameter:
    """A leaf that training changes (a floating-point array, copied).

    Of a Tensor it takes no value: the graph behind it would be lost.

    >>> parameter([[0.0, 1.0]], name="W").shape
    (1, 2)
    """
    if isinstance(array, Tensor):
        raise TypeError(
            "mg.parameter takes an array, and the graph behind a Tensor would end: for "
            "a parameter of its own that begins with its value write "
            "mg.parameter(t.data)"
        )
    value = real_array(array, dtype, "a parameter")
    if value.dtype.kind != "f":
        raise TypeError(
            f"a parameter is learnt by small steps and needs floating point, got "
            f"{value.dtype}: write 1.0 for 1 or pass dtype=float"
        )
    return Parameter(Leaf("parameter", frozen(value), _checked(name), *here()))


def _checked(name: Any) -> Any:
    """A name, or None; a TypeError for anything that figures could not write."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a name is a str, as in t.named('h'): got {_kind_of(name)}")
    return name


def _kind_of(value: Any) -> str:
    """What an error calls a value that does not fit."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}"
    return type(value).__name__


def _leaf(value: Any, name: str | None, kind: str) -> Tensor:
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return Tensor(Leaf(kind, value, _checked(name), *here()))


def here() -> tuple[Any, Any]:
    """The scope that is current, and the next slot in it: where a leaf is made."""
    scope = current.get()
    return scope, next(scope.slots)


# The step of Python that ``array[i] = t`` is; NumPy asks for a float of one number.
_STORE = opmap["STORE_SUBSCR"]


def _refuse_to_leave(t: Tensor, frame: FrameType) -> None:
    """Raise where NumPy would take a value in ``frame``, and its gradient be lost.

    It would be where a parameter, or a leaf that asks for its gradient, has part in the
    value; inside of NumPy and pandas, which are handed such values in lists and frames,
    also where it was computed from other inputs. Comparing in tests loses nothing.
    """
    module = str(frame.f_globals.get("__name__"))
    if (
        t.dtype.kind != "f"
        or current_mode.get() is Mode.OFF
        or module.startswith("numpy.testing.")
    ):
        return
    if (_is_library(module) and t.node.inputs) or _is_learnt(t.node):
        raise TypeError(
            f"NumPy would take the plain values of {t.node!r}, and the gradient would "
            "end there without a word. For several Tensors write mg.stack(list) or "
            "mg.concatenate(list), for array[i] = t mg.where(mask, t, array), for a "
            "pandas frame df.to_numpy(); for the values alone t.data, t.item() or "
            "np.array(t)"
        )


def _refuse_to_be_taken(t: Tensor, frame: FrameType) -> None:
    """``_refuse_to_leave``, where nobody has written float(t) or int(t).

    That is for ``array[i] = t``, and in a function of NumPy or pandas that was given a
    number for a keyword, as np.sum(a, initial=t).
    """
    stored = frame.f_code.co_code[frame.f_lasti] == _STORE
    if stored or _is_library(str(frame.f_globals.get("__name__"))):
        _refuse_to_leave(t, frame)


def _is_library(module: str) -> bool:
    """Whether a module is one of NumPy or pandas, which know no graph."""
    return module.startswith(("numpy.", "pandas."))


def _is_learnt(node: Node) -> bool:
    """Whether a node is, or was computed from, a leaf that a gradient is asked for by.

    An input with a name is data, one without was made with ``requires_grad``.
    """
    seen, stack = {node}, [node]
    while stack:
        last = stack.pop()
        if isinstance(last, Leaf):
            if last.kind == "parameter" or (last.kind, last.name) == ("input", None):
                return True
        else:
            stack += [n for n in last.inputs if n not in seen]
            seen.update(last.inputs)
    return False


def _dispatch(function: Any) -> Callable[..., Any]:
    found = by_function.get(function)
    if found is None:
        name = _as_written(function)
        raise TypeError(
            f"{name} has no op in minigrad: declare one with mg.Op({name}, rule), "
            "or pass t.data for a result without gradient"
        )
    return found


def _as_written(function: Any) -> str:
    """A function as code names it: np.tanh, np.linalg.det; erf if not of NumPy."""
    name = str(getattr(function, "__name__", function))
    if getattr(np, name, None) is function:
        return f"np.{name}"
    package, _, module = str(getattr(function, "__module__", "")).partition(".")
    return f"np.{module}.{name}" if package == "numpy" and module else name


_STRUCTURAL: dict[Any, Callable[..., Any]] = {
    np.shape: lambda t: t.shape,
    np.ndim: lambda t: t.ndim,
    np.size: lambda t: t.size,
    np.array_equal: lambda a, b, **k: np.array_equal(np.array(a), np.array(b), **k),
    np.allclose: lambda a, b, **k: np.allclose(np.array(a), np.array(b), **k),
    np.copy: lambda t: t.copy(),
    np.array2string: lambda t, **k: np.array2string(t.data, **k),
}
