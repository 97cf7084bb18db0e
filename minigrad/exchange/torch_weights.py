"""Weights of PyTorch, in and out: RNN, LSTM, GRU, Linear and Embedding.

PyTorch itself is not needed: a ``state_dict`` holds its tensors, or NumPy arrays.

Vocabulary
    twin   a part here and what PyTorch's state has of it, under the same path
    gate   of PyTorch a block of rows, here a block of columns; the order differs

A path there is the path here, ``rnn.weight_ih_l0`` that of the cell ``rnn``:

    here                                      there
    Elman; LSTM; GRU(reset_after=True)        RNN (tanh, relu); LSTM; GRU, of one layer
    Stack of them                             the same with num_layers
    rnn and back, as of Bidirectional         the same with bidirectional=True
    a list of pairs of cells                  the same with both; each pair reads both
                                              states, side by side, of the one below
    Linear; Embedding                         Linear; Embedding
    V and c, the read-out of a model          a Linear whose name is V
    Sequential                                Sequential, numbered as there

>>> from minigrad.nn.cells import GRU
>>> cell = GRU(2, 3, rng=np.random.default_rng(0), reset_after=True)
>>> state = to_torch(cell)
>>> [(key, array.shape) for key, array in state.items()][:2]
[('weight_ih_l0', (9, 2)), ('weight_hh_l0', (9, 3))]
>>> from_torch(cell, state)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.advice import near, told
from minigrad.arrays import Array
from minigrad.assign import assign_all
from minigrad.nn import Embedding, Linear, Sequential
from minigrad.nn.cells import GRU, LSTM, Cell, Elman, Stack
from minigrad.nn.module import children
from minigrad.ops.elementwise import relu, tanh
from minigrad.tensor import Parameter

# Our gate k is PyTorch's gate ORDER[k]; each of the orders is its own inverse.
ORDER: dict[type, tuple[int, ...]] = {
    Elman: (0,),  # one, no gate
    LSTM: (1, 0, 3, 2),  # f g q and the candidate; there i f g o
    GRU: (1, 0, 2),  # u r and the candidate; there r z n
}
Pairs = list[tuple[Parameter, Array]]


def from_torch(module: Any, state_dict: Mapping[str, Any]) -> None:
    """Take the weights of a PyTorch network: all of them, or at an error none.

    Parameters
    ----------
    module: a ``Module`` whose parts and paths are those of the network, or one list of
        pairs of cells; see the table above.
    state_dict: ``network.state_dict()``, or arrays by the same names. PyTorch adds two
        biases where the book has one: a cell gets their sum, and a GRU keeps that of
        the candidate, which r multiplies, apart as ``br``. A network of ``bias=False``
        has none, and gets zeros.

    Nothing in a state tells ``nonlinearity="relu"``: that is the cell's ``activation``.

    Raises ValueError, which lists every name that is missing or too many, every other
    shape and dtype and every NaN, and for a part that PyTorch has no twin of; TypeError
    for what is no state, and for numbers that NumPy does not have.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            "a state is what network.state_dict() gives: got "
            f"{type(state_dict).__name__}"
        )
    twins = _twins(module)
    own = {key: array for twin in twins for key, array in twin.there().items()}
    given = {key: _array(key, value) for key, value in state_dict.items()}
    zeros = [item for twin in twins for item in twin.without_bias(given).items()]
    given |= dict(zeros)
    pairs: Pairs = []
    if not (wrong := told(_differences(own, given))):
        pairs = [pair for twin in twins for pair in twin.here(given)]
        wrong = told(_shared(pairs, module))
    if wrong:
        raise ValueError(
            f"this state is not one of {_name(module)}; nothing was loaded:{wrong}"
        )
    assign_all((p, np.ascontiguousarray(array)) for p, array in pairs)


def to_torch(module: Any) -> dict[str, Array]:
    """The weights by PyTorch's names and in its layout, as arrays of their own.

    ``module`` is as of ``from_torch``. ``load_state_dict`` takes them once each is made
    a tensor by ``torch.from_numpy``. Of the two biases the first is ours and the second
    zero, but that of a GRU's candidate.

    Raises TypeError for what has no parameters, ValueError for what PyTorch has no
    layer for.

    >>> rng = np.random.default_rng(0)
    >>> [*to_torch([(Elman(2, 3, rng=rng), Elman(2, 3, rng=rng))])][3:5]
    ['bias_hh_l0', 'weight_ih_l0_reverse']
    """
    found = [item for twin in _twins(module) for item in twin.there().items()]
    return {key: np.array(array, order="C") for key, array in found}


@dataclass(frozen=True)
class _Plain:
    """A parameter that is one array there, as it is or transposed."""

    key: str
    parameter: Parameter
    turned: bool = False

    def there(self) -> dict[str, Array]:
        """PyTorch's arrays by their keys."""
        value = self.parameter.data
        return {self.key: value.T if self.turned else value}

    def here(self, given: Mapping[str, Array]) -> Pairs:
        """The parameters and their values."""
        value = given[self.key]
        return [(self.parameter, value.T if self.turned else value)]

    def without_bias(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """What stands for the biases of a network that has none."""
        return {}


@dataclass(frozen=True)
class _Gates:
    """A cell, which is four arrays there: its layer and direction are in the suffix."""

    prefix: str
    suffix: str
    cell: Any

    def keys(self) -> list[str]:
        """Of both matrices and both biases."""
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return [f"{self.prefix}{part}{self.suffix}" for part in parts]

    def there(self) -> dict[str, Array]:
        """PyTorch's arrays by their keys."""
        cell, order = self.cell, ORDER[type(self.cell)]
        second = np.zeros_like(cell.b.data)
        if type(cell) is GRU:
            second[-cell.n_hidden :] = cell.br.data
        arrays = (cell.U.data.T, cell.W.data.T, cell.b.data, second)
        found = [_reordered(a, order) for a in arrays]
        return dict(zip(self.keys(), found, strict=True))

    def here(self, given: Mapping[str, Array]) -> Pairs:
        """The parameters and their values."""
        cell, order = self.cell, ORDER[type(self.cell)]
        U, W, b, second = (_reordered(given[key], order) for key in self.keys())
        pairs = [(cell.U, U.T), (cell.W, W.T)]
        if type(cell) is GRU:
            pairs.append((cell.br, second[-cell.n_hidden :]))
            second = np.concatenate([second[: -cell.n_hidden], 0 * cell.br.data])
        return [*pairs, (cell.b, b + second)]

    def without_bias(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """What stands for the biases of a network that has none."""
        if any(key.startswith(f"{self.prefix}bias_") for key in given):
            return {}
        return dict.fromkeys(self.keys()[2:], np.zeros_like(self.cell.b.data))


Twin = _Plain | _Gates


def _twins(module: Any) -> list[Twin]:
    """Of everything that a module holds; a ValueError where PyTorch has none."""
    found = list(_walk("", module))
    if not found:
        raise TypeError(
            "weights are those of a module, as from_torch(model, network.state_dict()) "
            f"has them: {_name(module)} has none"
        )
    return found


def _walk(path: str, value: Any) -> Iterator[Twin]:
    inner = f"{path}." if path else ""
    if isinstance(value, Parameter):
        raise ValueError(
            f"{path} is a parameter of its own, and PyTorch has no layer of one array: "
            "it has twins of cells, Linear, Embedding, and V with c"
        )
    if type(value) is Linear:
        yield _Plain(f"{inner}weight", value.W, turned=True)
        if value.b is not None:
            yield _Plain(f"{inner}bias", value.b)
    elif type(value) is Embedding:
        yield _Plain(f"{inner}weight", value.E)
    elif isinstance(value, Cell):
        layers = value.layers if type(value) is Stack else [value]
        yield from _recurrent(path, [(cell,) for cell in layers])
    elif _is_pairs(value):
        yield from _recurrent(path, value)
    else:
        parts = enumerate(value.parts) if type(value) is Sequential else children(value)
        held: dict[str, Any] = {str(name): part for name, part in parts}
        both = held.get("rnn"), held.get("back")
        if _is_pairs([both]):
            yield from _recurrent(f"{inner}rnn", [(held.pop("rnn"), held.pop("back"))])
        if all(isinstance(held.get(name), Parameter) for name in "Vc"):
            yield _Plain(f"{inner}V.weight", held.pop("V"), turned=True)
            yield _Plain(f"{inner}V.bias", held.pop("c"))
        for name, part in held.items():
            yield from _walk(f"{inner}{name}", part)


def _is_pairs(value: Any) -> bool:
    """Whether these are layers of a cell forward and one backward in time."""
    return (
        isinstance(value, (list, tuple)) and bool(value) and all(map(_is_pair, value))
    )


def _is_pair(value: Any) -> bool:
    pair = isinstance(value, tuple) and len(value) == 2
    return pair and all(isinstance(cell, Cell) for cell in value)


def _recurrent(path: str, layers: Sequence[tuple[Cell, ...]]) -> Iterator[Twin]:
    """Cells by layer and direction, which are one module there."""
    prefix = f"{path}." if path else ""
    kinds = set()
    for k, directions in enumerate(layers):
        for cell, way in zip(directions, ("", "_reverse"), strict=False):
            if reason := _no_twin(cell):
                where = f"{prefix}layer {k}" if len(layers) > 1 else path or "the cell"
                raise ValueError(f"{where}: {reason}")
            kinds.add((type(cell), cell.n_hidden, getattr(cell, "activation", None)))
            yield _Gates(prefix, f"_l{k}{way}", cell)
    if len(kinds) > 1:
        raise ValueError(
            f"{path or 'the cells'}: the layers and directions of a recurrent module "
            "of PyTorch are of one kind, one size and one activation"
        )


def _no_twin(cell: Any) -> str:
    """Why PyTorch has no such cell, or nothing."""
    kind = type(cell)
    if kind is Stack:
        return (
            "two stacks, one each way, are another network than layers that read both "
            "directions of the layer below: write a list of pairs of cells"
        )
    if kind not in ORDER:
        return f"PyTorch has no {kind.__name__}; it has Elman, LSTM and GRU"
    if kind is GRU and not cell.reset_after:
        return (
            "PyTorch's GRU applies r after the product with h(t-1): make the cell by "
            "GRU(..., reset_after=True), in a model by "
            "cell=partial(GRU, reset_after=True)"
        )
    if kind is not Elman:
        return "" if cell.candidate is tanh else "PyTorch's candidate is tanh alone"
    if cell.activation not in (tanh, relu):
        return "PyTorch's RNN has tanh or relu"
    extra = {"leak": cell.leak, "skips": cell.skips, 'U="identity"': cell.U is None}
    if found := [name for name, there in extra.items() if there]:
        return f"PyTorch's RNN has no {', '.join(found)}"
    return ""


def _array(key: str, value: Any) -> Array:
    """A tensor of PyTorch, or what NumPy reads, as an array."""
    try:
        tensor = hasattr(value, "detach")
        return np.asarray(value.detach().cpu().numpy() if tensor else value)
    except TypeError as error:
        raise TypeError(
            f"{key} holds {getattr(value, 'dtype', type(value).__name__)}, which NumPy "
            f"does not have: pass network.float().state_dict() ({error})"
        ) from error


def _differences(own: Mapping[str, Array], given: Mapping[str, Array]) -> Iterator[str]:
    """What is missing, too many, or of another shape or dtype."""
    missing = [key for key in own if key not in given]
    unknown = [key for key in given if key not in own]
    for key in missing:
        one = "bias_" in key  # each cell there has two
        hint = "; where there is one bias, the other is zeros" if one else ""
        yield f"{key}: missing{hint or near(key, unknown)}"
    for key in unknown:
        of = "a projection, which no cell here has" if "weight_hr" in key else "unknown"
        yield f"{key}: {of}{near(key, missing)}"
    for key in (key for key in own if key in given):
        a, b = own[key], given[key]
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            line = f"{key}: {a.dtype} {a.shape} here, {b.dtype} {b.shape} in the state"
            # Numbers are not converted unasked.
            yield line + (f"; make it with dtype={b.dtype}" * (a.dtype != b.dtype))
        elif np.isnan(b).any():
            yield f"{key}: it has NaN, so it is of a training that went wrong"


def _shared(pairs: Pairs, module: Any) -> list[str]:
    """Parameters that stand at two places here, and are two arrays there."""
    values: dict[int, Array] = {}
    return [
        f"{p.name} is one parameter of {_name(module)}, and two arrays in the state"
        for p, value in pairs
        if not np.array_equal(values.setdefault(id(p), value), value)
    ]


def _reordered(array: Array, order: tuple[int, ...]) -> Array:
    """Blocks of rows in another order, in an array of its own."""
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[k] for k in order])


def _name(module: Any) -> str:
    return type(module).__name__
