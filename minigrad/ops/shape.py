"""Ops that move elements without computing: reshape, permute, broadcast, join, pad.

>>> import minigrad as mg
>>> parts = [mg.tensor([1.0]), mg.tensor([2.0, 3.0])]
>>> mg.concatenate(parts).shape, mg.stack(parts[:1]).shape
((3,), (1, 1))
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from minigrad.op import Axis, Op, by_function, op


def _back(g: Any, x: Any) -> Any:
    return reshape_like(g, x)


@op(lambda g, y, a, x: _back(g, a), None)
def reshape_like(a: Any, x: Any) -> Any:
    """The elements of a in the shape of x."""
    return np.reshape(a, np.shape(x))


@op(lambda g, y, x, shape=None: reshape_like(g, x), numpy=np.reshape)
def reshape(x: Any, shape: int | Sequence[int]) -> Any:
    """The same elements in another shape; one length may be -1."""
    return np.reshape(x, shape)


@op(lambda g, y, x, axes=None: np.transpose(g, _inverse(axes)), numpy=np.transpose)
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The axes permuted by ``axes``, or reversed."""
    return np.transpose(x, axes)


@op(
    lambda g, y, x, axis1=0, axis2=1: np.swapaxes(g, axis1, axis2),
    numpy=np.swapaxes,
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return np.swapaxes(x, axis1, axis2)


@op(lambda g, y, x, axis=None: reshape_like(g, x), numpy=np.squeeze)
def squeeze(x: Any, axis: Axis = None) -> Any:
    """Axes of length 1 removed."""
    return np.squeeze(x, axis)


@op(lambda g, y, x, axis=None: reshape_like(g, x), numpy=np.expand_dims)
def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Any:
    """New axes of length 1."""
    return np.expand_dims(x, axis)


@op(lambda g, y, x, shape=None: g, numpy=np.broadcast_to)
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Any:
    """x repeated along new and length-1 axes; the engine sums the cotangent back."""
    return np.broadcast_to(x, shape)


@op(
    lambda i, g, y, xs, axis=0: _part(i, g, xs, axis),
    variadic=True,
    numpy=np.concatenate,
)
def concatenate(xs: Any, axis: int | None = 0) -> Any:
    """Arrays joined along an axis that they have; None joins them flattened."""
    return np.concatenate(xs, axis)


@op(
    lambda i, g, y, xs, axis=0: g[_at(i, axis, g.ndim)],
    variadic=True,
    numpy=np.stack,
)
def stack(xs: Any, axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis."""
    return np.stack(xs, axis)


@op(lambda g, y, x, axis=None: np.flip(g, axis), numpy=np.flip)
def flip(x: Any, axis: Axis = None) -> Any:
    """The order of elements reversed along ``axis`` (None: all, an int or a tuple)."""
    return np.flip(x, axis)


@op(
    lambda g, y, x, shift=0, axis=None: np.roll(g, _backwards(shift), axis),
    numpy=np.roll,
)
def roll(x: Any, shift: int | tuple[int, ...], axis: Axis = None) -> Any:
    """Elements moved on by ``shift``, those beyond the end to the front.

    The shape stays. ``axis`` None rolls x flattened.
    """
    return np.roll(x, shift, axis)


def _backwards(shift: Any) -> Any:
    return tuple(-s for s in shift) if np.ndim(shift) else -shift


@op(lambda g, y, x, k=0: np.tril(g, k), numpy=np.tril)
def tril(x: Any, k: int = 0) -> Any:
    """The elements on and below the k-th diagonal of the last two axes, else zero."""
    return np.tril(x, k)


@op(lambda g, y, x, k=0: np.triu(g, k), numpy=np.triu)
def triu(x: Any, k: int = 0) -> Any:
    """The elements on and above the k-th diagonal of the last two axes, else zero."""
    return np.triu(x, k)


@op(
    lambda g, y, a, x, pad_width=0, mode="constant": np.pad(g, pad_width, mode=mode),
    None,
)
def unpad(a: Any, x: Any, pad_width: Any = 0, mode: Any = "constant") -> Any:
    """What ``pad`` has spread from each element of x, added up: its transposed map.

    Its shape is that of x.
    """
    for axis, n in enumerate(np.shape(x)):
        before, after = pad_of_axis(pad_width, axis, np.ndim(x))
        moved = np.moveaxis(a, axis, 0)
        if mode == "constant":
            moved = moved[before : before + n]
        elif before or after:
            # What pad makes of the unit vectors is its matrix along this axis.
            units = np.eye(n, dtype=moved.dtype)
            moved = np.tensordot(
                np.pad(units, ((before, after), (0, 0)), mode), moved, (0, 0)
            )
        a = np.moveaxis(moved, 0, axis)
    return a


PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean")


class _Pad(Op):
    """Padding, with the arguments of np.pad; a Tensor as value is an operand."""

    def _bind(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        names = ("x", "pad_width", "mode", "constant_values", "end_values")
        attrs = dict(zip(names, args, strict=False)) | attrs
        value: Any = attrs.get("constant_values")
        if hasattr(value, "node"):
            if value.shape or attrs.get("mode", "constant") != "constant":
                raise TypeError(
                    "pad takes one number as a Tensor for constant_values, in mode "
                    f'"constant"; got shape {value.shape}: write mg.concatenate for '
                    "a value per side"
                )
            attrs["value"] = attrs.pop("constant_values")
        return super()._bind((), attrs)


def _padded(
    x: Any,
    value: Any = None,
    pad_width: Any = 0,
    mode: Any = "constant",
    constant_values: Any = 0,
    end_values: Any = 0,
) -> Any:
    """x with elements added at both ends of each axis, as np.pad does.

    ``mode`` is one of PAD_MODES: those that are linear in x. ``maximum``, ``minimum``
    and ``median`` are not, and write better as a concatenation with that reduction.
    ``constant_values`` may be a Tensor of one number: it is an operand then.

    Raises ValueError for another mode, TypeError for a Tensor that is no single number.
    """
    if value is not None:
        constant_values = value
    if mode not in PAD_MODES:
        raise ValueError(f"pad has the modes {', '.join(PAD_MODES)}, got {mode!r}")
    options: dict[str, dict[str, Any]] = {
        "constant": {"constant_values": constant_values},
        "linear_ramp": {"end_values": end_values},
    }
    return np.pad(x, pad_width, mode, **options.get(mode, {}))


def _takes(
    x: Any,
    pad_width: Any,
    mode: Any = "constant",
    constant_values: Any = 0,
    end_values: Any = 0,
) -> None:
    """What a call of pad takes."""


pad: Op = _Pad(
    _padded,
    lambda g, y, x, value=None, pad_width=0, mode="constant", **options: unpad(
        g, x, pad_width=pad_width, mode=mode
    ),
    lambda g, y, x, value, pad_width=0, **options: (
        np.sum(g) - np.sum(unpad(g, x, pad_width=pad_width))
    ),
    name="pad",
    numpy=np.pad,
)
pad.__signature__ = signature(_takes)
pad.arity = -1  # every call is looked at


def pad_of_axis(pad_width: Any, axis: int, ndim: int) -> tuple[int, int]:
    """How many elements ``pad`` adds before and behind those of an axis.

    >>> pad_of_axis(((1, 2), (0, 3)), 1, ndim=2)
    (0, 3)
    """
    if isinstance(pad_width, dict):
        given = {k % ndim: width for k, width in pad_width.items()}
        pair = np.broadcast_to(given.get(axis, 0), 2)
    else:
        pair = np.broadcast_to(pad_width, (ndim, 2))[axis]
    return int(pair[0]), int(pair[1])


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Parts of x along ``axis``: a number of equal ones, or cut before each index.

    Each part is a ``getitem``, and the engine joins their gradients in one node.

    Raises ValueError where that many parts do not divide the axis.

    >>> import minigrad as mg
    >>> [part.shape for part in mg.split(mg.tensor([1.0, 2.0, 3.0]), [1])]
    [(1,), (2,)]
    """
    n = x.shape[axis]
    if np.ndim(indices_or_sections):
        cuts = [int(i) for i in indices_or_sections]
    elif n % indices_or_sections:
        raise ValueError(
            f"split: {n} elements along axis {axis} do not make {indices_or_sections} "
            "equal parts; give the indices to cut at"
        )
    else:
        size = n // indices_or_sections
        cuts = [size * k for k in range(1, indices_or_sections)]
    before = (slice(None),) * (axis % x.ndim)
    ends: list[int | None] = [*cuts, None]
    return [x[(*before, slice(a, b))] for a, b in zip([0, *cuts], ends, strict=True)]


by_function[np.split] = split


def _inverse(axes: Any) -> Any:
    if axes is None:
        return None
    order = [a % len(axes) for a in axes]
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _part(i: int, g: Any, xs: Any, axis: int | None) -> Any:
    """The i-th array's part of g."""
    if axis is None:
        start = sum(x.size for x in xs[:i])
        return reshape_like(g[start : start + xs[i].size], xs[i])
    before = (slice(None),) * (axis % xs[i].ndim)
    start = sum(x.shape[axis] for x in xs[:i])
    return g[(*before, slice(start, start + xs[i].shape[axis]))]


def _at(i: int, axis: int, ndim: int) -> tuple[Any, ...]:
    return (slice(None),) * (axis % ndim) + (i,)
