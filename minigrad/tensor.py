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
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import minigrad.op as op
from minigrad.advice import look_again, taught
from minigrad.arrays import Array, frozen, real_array
from minigrad.assign import assign_all, assign_gradient
from minigrad.graph import NO_VALUES, Leaf, Node, Structure
from minigrad.methods import Methods
from minigrad.mode import require_known, tracing
from minigrad.op import by_function, registry
from minigrad.protocol import (
    STRUCTURAL,
    dispatch,
    in_library,
    refuse_to_be_taken,
    refuse_to_leave,
)
from minigrad.reading import Reading
from minigrad.scope import current


class Tensor(Reading, Methods):
    """A value of the graph: an array together with how it was computed.

    Made by ``mg.tensor``, ``mg.parameter`` and by ops, never directly.

    >>> x = tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    >>> isinstance(x, Tensor), x.dtype, x.ndim, x.size
    (True, dtype('float64'), 2, 4)
    >>> x.T.tolist(), x.transpose(1, 0).shape, x.reshape(4, 1).shape, x.ravel().shape
    ([[1.0, 3.0], [2.0, 4.0]], (2, 2), (4, 1), (4,))
    >>> x.repeat(2, axis=0).shape
    (4, 2)
    """

    __slots__ = ("__weakref__", "node")
    node: Node
    # pandas leaves an operator to the right operand that has more of it: a frame 4,000.
    __pandas_priority__ = 5000

    def __init__(self, node: Node) -> None:
        self.node = node

    def _value(self) -> Any:
        if tracing():
            require_known(
                self.node,
                f"it reads the value of {self.node.said} while it records; a branch on "
                "values becomes mg.where",
            )
        value = self.node.value
        if isinstance(value, Structure):
            raise TypeError(NO_VALUES)
        return value

    @property
    def data(self) -> Array:
        """The value, a read-only array.

        Raises TypeError where the graph is structure alone.
        """
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
        return self.node.shape

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
        """Of a ``Parameter`` alone: what the last ``backward`` wrote.

        Raises AttributeError for any other tensor.
        """
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

        Raises TypeError for None, ValueError for a name without a letter or sign.

        >>> tensor(1.0).named("h").name
        'h'
        """
        node = self.node
        if name is None:
            raise TypeError('a name is text, got None: .named("h")')
        check_name(name)
        if isinstance(node, Leaf) and node.kind == "constant":
            node.kind = "input"
        node.name = name
        return self

    def detach(self, name: str | None = None) -> "Tensor":
        """A leaf with the same value: no gradient flows past it.

        Raises TypeError where the graph is structure alone.

        >>> (tensor(2.0) * 3).detach().node.inputs
        ()
        """
        if tracing():
            if self.dtype == bool:  # a mask has no gradient, and no np.positive
                copy: Tensor = registry["logical_or"](self, self)
            else:
                copy = registry["detach"](self)
            return copy if name is None else copy.named(name)
        return _leaf(self._value(), name, "constant" if name is None else "input")

    @taught
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
        refuse_to_be_taken(self, sys._getframe(1))
        return float(self.item())

    def __int__(self) -> int:
        refuse_to_be_taken(self, sys._getframe(1))
        return int(self.item())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The value, for NumPy: read-only, or a copy, detached from the graph.

        ``np.array(t)`` says that it copies. All else may as well be a list of Tensors
        or ``array[i] = t``, where NumPy asks in the same way; so a value that a
        parameter has part in is refused, and no gradient ends without a word. Inside
        of NumPy, which was given the value for a keyword, a copy is refused as well.
        """
        value, frame = self.data, sys._getframe(1)
        if not copy or in_library(frame):
            refuse_to_leave(self, frame)
        return np.array(value, dtype=dtype, copy=copy)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if method != "__call__":
            raise TypeError(
                f"np.{ufunc.__name__}.{method} is not an op of minigrad; use one as "
                "mg.sum, or t.data for the plain values"
            )
        return dispatch(ufunc)(*inputs, **kwargs)

    def __array_function__(
        self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        structural = STRUCTURAL.get(func)
        if structural is not None:
            return structural(*args, **kwargs)
        return dispatch(func)(*args, **kwargs)

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

    >>> w = parameter([1.0, 2.0], name="w")
    >>> isinstance(w, Parameter), w.grad
    (True, None)
    >>> (w * w).sum().backward()
    >>> w.grad.tolist()
    [2.0, 4.0]
    """

    __slots__ = ()
    node: Leaf

    @property
    def grad(self) -> Array | None:
        """The gradient that the last ``backward`` wrote, an array, or None."""
        return self.node.grad  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, value: Array | None) -> None:
        assign_gradient(self, value)

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

    Raises TypeError for a Tensor, a list of them, and a gradient of whole numbers.

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
    return _leaf(value, name, "input" if name or requires_grad else "constant")


def parameter(
    array: ArrayLike, name: str | None = None, dtype: DTypeLike | None = None
) -> Parameter:
    """A leaf that training changes (a floating-point array, copied).

    Of a Tensor it takes no value: the graph behind it would be lost.

    Raises TypeError for a Tensor, and for an array that is not floating point.

    Its dtype is kept, unless ``dtype`` says another.

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
    check_name(name)
    return Parameter(Leaf("parameter", frozen(value), name, *here()))


def check_name(name: Any) -> None:
    """Raise TypeError for a name that is no text, ValueError for an empty one."""
    if name is not None and not isinstance(name, str):
        raise TypeError(
            f'a name is text, got a {type(name).__name__}: .named("h") or name="h"'
        )
    if name is not None and not name.strip():
        raise ValueError(
            f'nothing can be called {name!r}: .named("h") or name="h", or no name'
        )


def _leaf(value: Any, name: str | None, kind: str) -> Tensor:
    check_name(name)
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    return Tensor(Leaf(kind, value, name, *here()))


def here() -> tuple[Any, Any]:
    """The scope that is current, and the next slot in it: where a leaf is made."""
    scope = current.get()
    return scope, next(scope.slots)
