"""Cells: what one step of a recurrent network computes from x(t) and its last state.

Vocabulary
    state   what a cell hands to its next step, a tuple of Tensors; the first is h(t)
    start   the state before the first step, always nodes of the graph
    gate    a sigmoid between 0 and 1 that scales what passes

Every cell is called as ``state = cell(x, state)`` with x (batch, n_in), and h(t) has
shape (batch, n_hidden). A row is one sequence: where the book writes W h, the code
reads h @ W, with U (n_in, ...) and W (n_hidden, ...).

>>> import numpy as np
>>> cell = LSTM(2, 3, rng=np.random.default_rng(0))
>>> state = cell.start(batch=4)
>>> h, s = cell(np.ones((4, 2), np.float32), state)
>>> h.shape, cell.names
((4, 3), ('h', 's'))
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import whole, within
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.ops.elementwise import multiply, relu, sigmoid, tanh
from minigrad.tensor import Tensor, parameter, tensor

State = tuple[Tensor, ...]
ACTIVATIONS: dict[str, Callable[[Any], Tensor]] = {
    "tanh": tanh,
    "relu": relu,
    "sigmoid": sigmoid,
}


class Cell(Module):
    """The common part: sizes, the names of the state, and where it starts.

    A cell of your own computes the new state in ``forward(x, state)``, a tuple as long
    as ``names``, h(t) first. It serves wherever ``cell=`` is.

    ``dtype`` is that of parameters and states, float32 by default.

    Raises ValueError for sizes that are no whole numbers from 1 on.

    >>> import minigrad as mg
    >>> from minigrad.models import ManyToOne
    >>> class Sum(Cell):
    ...     def __init__(self, n_in, n_hidden, *, rng, dtype=np.float32):
    ...         super().__init__(n_in, n_hidden, dtype)
    ...         self.U = mg.parameter(init.glorot(rng, (n_in, n_hidden), dtype))
    ...
    ...     def forward(self, x, state):
    ...         (h,) = state
    ...         return (h + x @ self.U,)
    >>> model = ManyToOne(2, 3, 2, rng=np.random.default_rng(0), cell=Sum)
    >>> model(np.ones((4, 5, 2), np.float32)).shape
    (5, 2)
    """

    names: tuple[str, ...] = ("h",)

    def __init__(self, n_in: int, n_hidden: int, dtype: DTypeLike = np.float32) -> None:
        self.n_in, self.n_hidden = whole("n_in", n_in), whole("n_hidden", n_hidden)
        self.dtype: np.dtype[Any] = np.dtype(dtype)

    if not TYPE_CHECKING:  # what a call takes and gives is what ``forward`` does

        def __call__(self, x: Any, state: Any = None, *more: Any) -> State:
            """Run ``forward`` in the cell's scope, of a state that is one."""
            self.require(state)
            return super().__call__(x, state, *more)

    def called(self, letter: str) -> Self:
        """The cell with h under another letter: h and s become g and s_g.

        >>> LSTM(2, 3, rng=np.random.default_rng(0)).called("g").names
        ('g', 's_g')
        """
        self.names = tuple(
            [letter + n[1:] if n[0] == "h" else f"{n}_{letter}" for n in self.names]
        )
        return self

    def start(self, batch: int) -> State:
        """The state before the first step: zeros, named h0 (and s0)."""
        zeros = np.zeros((batch, self.n_hidden), self.dtype)
        return tuple(tensor(zeros, name=f"{name}0") for name in self.names)

    def require(self, state: Any) -> None:
        """Raise a TypeError for what is no state of this cell.

        >>> GRU(2, 3, rng=np.random.default_rng(0)).require(0)
        Traceback (most recent call last):
        TypeError: GRU takes a state, a tuple of 1 (h), as cell.start(batch) is: got int
        """
        parts = isinstance(state, (tuple, list))
        if parts and len(state) == len(self.names):
            return
        raise TypeError(
            f"{type(self).__name__} takes a state, a tuple of {len(self.names)} "
            f"({', '.join(self.names)}), as cell.start(batch) is: got "
            f"{type(state).__name__}{f' of {len(state)}' if parts else ''}"
        )


class MakeCell(Protocol):
    """What a model takes as ``cell``: a class here, or a ``partial`` of one.

    >>> from functools import partial
    >>> make: MakeCell = partial(LSTM, forget_bias=2.0)
    >>> make(2, 3, rng=np.random.default_rng(0)).names
    ('h', 's')
    """

    def __call__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        dtype: Any = ...,  # so that a cell of one's own may say `type`
    ) -> Cell:
        """A fresh cell."""


class Elman(Cell):
    """h(t) = tanh(b + W h(t-1) + U x(t))  (eq. 10.8-10.9; Elman 1990).

    Parameters
    ----------
    U: "trained" (Glorot start); "identity", no parameter, so n_in must be n_hidden;
        "orthogonal", trained from a semi-orthogonal start; "fixed", that start, kept.
    W: "orthogonal" (Saxe 2014), "identity", or a number: Glorot scaled to that spectral
        radius.
    activation: "tanh", "relu" or "sigmoid".
    leak: α of leaky units, h(t) = α h(t-1) + (1-α) tanh(...) (sect. 10.9.2; Mozer 1992;
        El Hihi and Bengio 1996); "learnt" makes it sigmoid(α) of a parameter per unit.
    skips: further delays d, each with a matrix of its own: ... + Wd h(t-d) (sect.
        10.9.1; Lin 1996). Before the first step every one of them reads h0.
    dtype: of the parameters, float32 by default.

    Raises ValueError for a choice that there is not, TypeError for a leak or a radius
    that is no number.

    >>> cell = Elman(2, 3, rng=np.random.default_rng(0), skips=(4,), leak=0.5)
    >>> [(path, p.shape) for path, p in cell.named_parameters()]
    [('U', (2, 3)), ('W', (3, 3)), ('W4', (3, 3)), ('b', (3,))]
    >>> Elman(2, 3, rng=np.random.default_rng(0), U="identity")
    Traceback (most recent call last):
        ...
    ValueError: U="identity" adds x(t) to h(t) unit by unit, so n_in must be ...
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        U: str = "trained",
        W: str | float = "orthogonal",
        activation: str = "tanh",
        leak: float | str | None = None,
        skips: tuple[int, ...] = (),
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        self.U = input_weights(U, n_in, n_hidden, rng, dtype)
        self.fixed = ("U",) if U == "fixed" else ()
        self.W = parameter(recurrent_weights(W, n_hidden, rng, dtype))
        self.activation = _choice("activation", activation, ACTIVATIONS)
        if any(d < 2 for d in skips):
            raise ValueError(f"skips are delays of 2 or more, got {skips}")
        self.skips = tuple(skips)
        for d in self.skips:
            start = recurrent_weights(W, n_hidden, rng, dtype)
            setattr(self, f"W{d}", parameter(start / (1 + len(skips))))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        if isinstance(leak, str) and leak != "learnt":
            raise ValueError(f'leak is a number, "learnt" or None, got {leak!r}')
        if leak is not None and not isinstance(leak, str):
            leak = within("a leak", leak, "[0, 1)")
        self.leak = leak
        if leak == "learnt":
            self.a = parameter(init.zeros(rng, (n_hidden,), dtype), name="α")
        # With skips the state remembers as many h as the longest reaches back.
        self.names = ("h",) * max((1, *self.skips))

    def start(self, batch: int) -> State:
        """h0; every skip reads the same h0 before the first step."""
        return (*super().start(batch)[:1],) * len(self.names)

    def forward(self, x: Any, state: State) -> State:
        """From x(t) and h(t-1) to h(t)."""
        h = state[0]
        a = self.b + h @ self.W
        a = a + (x if self.U is None else x @ self.U)
        for d in self.skips:
            a = a + state[d - 1] @ getattr(self, f"W{d}")
        new = self.activation(a)
        if self.leak is not None:
            keep: Any = self.leak if self.leak != "learnt" else sigmoid(self.a)
            new = keep * h + (1 - keep) * new
        return (new, *state[:-1])


class LSTM(Cell):
    """Long short-term memory, gates f, g, q and a cell state s (eq. 10.40-10.44).

        f, g, q = sigmoid(b + W h(t-1) + U x(t))        forget, input, output
        s(t) = f s(t-1) + g tanh(b + W h(t-1) + U x(t))
        h(t) = tanh(s(t)) q

    The four products are one: U, W and b hold the columns of f, g, q and the candidate
    side by side. Forget gates start with bias 1 (Gers 2000; Jozefowicz 2015).
    ``candidate="sigmoid"`` is what the book prints in eq. 10.41.

    Raises ValueError for another candidate, TypeError for a bias that is no number.

    >>> LSTM(2, 3, rng=np.random.default_rng(0))
    LSTM: 72 numbers in 3 parameters
      U  (2, 12)  float32  24
      W  (3, 12)  float32  36
      b  (12,)    float32  12
    """

    names = ("h", "s")

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        forget_bias: float = 1.0,
        candidate: str = "tanh",
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        self.U = parameter(_columns(init.glorot, 4, n_in, n_hidden, rng, dtype))
        self.W = parameter(_columns(init.orthogonal, 4, n_hidden, n_hidden, rng, dtype))
        b = np.zeros(4 * n_hidden, dtype)
        b[:n_hidden] = within("forget_bias", forget_bias, "(-inf, inf)")
        self.b = parameter(b)
        self.candidate = _choice("candidate", candidate, ACTIVATIONS)

    def forward(self, x: Any, state: State) -> State:
        """From x(t), h(t-1) and s(t-1) to h(t) and s(t)."""
        h, s = state
        n = self.n_hidden
        a = self.b + h @ self.W + x @ self.U
        gates = sigmoid(a[:, : 3 * n])
        f, g, q = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
        _lettered(f=f, g=g, q=q)
        s = f * s + g * self.candidate(a[:, 3 * n :])
        return multiply(tanh(s), q), s


class GRU(Cell):
    """The gated recurrent unit, update gate u and reset gate r (eq. 10.45-10.47).

        u, r = sigmoid(b + W h(t-1) + U x(t))
        h(t) = u h(t-1) + (1 - u) tanh(bc + Wc (r h(t-1)) + Uc x(t))

    U, W and b hold the columns of u and r side by side. ``reset_after=True`` applies r
    to the product Wc h(t-1) + br instead, as cuDNN does, and then all three products
    are one. ``candidate="sigmoid"`` is what the book prints in eq. 10.45.

    Raises ValueError for another candidate.

    >>> GRU(2, 3, rng=np.random.default_rng(0))
    GRU: 54 numbers in 6 parameters
      U   (2, 6)  float32  12
      W   (3, 6)  float32  18
      b   (6,)    float32   6
      Uc  (2, 3)  float32   6
      Wc  (3, 3)  float32   9
      bc  (3,)    float32   3
    >>> GRU(2, 3, rng=np.random.default_rng(0), reset_after=True)
    GRU: 57 numbers in 4 parameters
      U   (2, 9)  float32  18
      W   (3, 9)  float32  27
      b   (9,)    float32   9
      br  (3,)    float32   3
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        candidate: str = "tanh",
        reset_after: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        k = 3 if reset_after else 2
        self.U = parameter(_columns(init.glorot, k, n_in, n_hidden, rng, dtype))
        self.W = parameter(_columns(init.orthogonal, k, n_hidden, n_hidden, rng, dtype))
        self.b = parameter(init.zeros(rng, (k * n_hidden,), dtype))
        if reset_after:
            self.br = parameter(init.zeros(rng, (n_hidden,), dtype))
        else:
            self.Uc = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
            self.Wc = parameter(init.orthogonal(rng, (n_hidden, n_hidden), dtype))
            self.bc = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.candidate = _choice("candidate", candidate, ACTIVATIONS)
        self.reset_after = reset_after

    def forward(self, x: Any, state: State) -> State:
        """From x(t) and h(t-1) to h(t)."""
        (h,) = state
        n = self.n_hidden
        if self.reset_after:
            from_x, from_h = self.b + x @ self.U, h @ self.W
            gates = sigmoid(from_x[:, : 2 * n] + from_h[:, : 2 * n])
            u, r = gates[:, :n], gates[:, n:]
            a = from_x[:, 2 * n :] + r * (from_h[:, 2 * n :] + self.br)
        else:
            gates = sigmoid(self.b + h @ self.W + x @ self.U)
            u, r = gates[:, :n], gates[:, n:]
            a = self.bc + (r * h) @ self.Wc + x @ self.Uc
        _lettered(u=u, r=r)
        return (u * h + (1 - u) * self.candidate(a),)


class MinGRU(Cell):
    """A GRU whose gate and candidate do not look at h(t-1) (Feng et al. 2024).

        u(t) = sigmoid(b + U x(t))
        h(t) = u(t) h(t-1) + (1 - u(t)) (bc + Uc x(t))

    So the recurrence is linear, unit by unit: ``Recurrence.linear`` says "diagonal".
    There is no W and no tanh; what units have to say to each other, a layer above says.
    U and b hold the columns of u and of the candidate side by side.

    >>> MinGRU(2, 3, rng=np.random.default_rng(0))
    MinGRU: 18 numbers in 2 parameters
      U  (2, 6)  float32  12
      b  (6,)    float32   6
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        self.U = parameter(_columns(init.glorot, 2, n_in, n_hidden, rng, dtype))
        self.b = parameter(init.zeros(rng, (2 * n_hidden,), dtype))

    def forward(self, x: Any, state: State) -> State:
        """From x(t) and h(t-1) to h(t)."""
        (h,) = state
        a = self.b + x @ self.U
        u = sigmoid(a[:, : self.n_hidden])
        return (u * h + (1 - u) * a[:, self.n_hidden :],)


class Stack(Cell):
    """Layers of cells, each reading the h(t) of the one below (fig. 10.13a).

    It is a cell itself: its state is that of the top layer, then of those below. With
    ``dropout``, what a layer hands up is multiplied by a mask, an argument of the call
    (Zaremba 2014: between layers, never along time); ``noise`` draws the masks.

    Raises ValueError for no layer, for one that does not fit the one below, and for a
    dropout that is no probability below 1.

    >>> rng = np.random.default_rng(0)
    >>> two = Stack([Elman(2, 3, rng=rng), Elman(3, 4, rng=rng)])
    >>> two.names, two.n_hidden
    (('h2', 'h1'), 4)
    >>> [path for path, _ in two.named_parameters()][:2]
    ['layers.0.U', 'layers.0.W']
    """

    def __init__(self, layers: list[Cell], dropout: float = 0.0) -> None:
        if not layers:
            raise ValueError(
                "a Stack has one layer or more: Stack([GRU(2, 3, rng=rng)])"
            )
        for below, above in pairwise(layers):
            if above.n_in != below.n_hidden:
                raise ValueError(
                    f"a layer of {below.n_hidden} units is read by one with n_in = "
                    f"{above.n_in}"
                )
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is a probability below 1, got {dropout}")
        self.layers = layers
        self.dropout = dropout
        super().__init__(layers[0].n_in, layers[-1].n_hidden, layers[0].dtype)
        self.names = tuple(
            f"{name}{i}"
            for i in range(len(layers), 0, -1)
            for name in layers[i - 1].names
        )

    def start(self, batch: int) -> State:
        """The starts of all layers, the top one's first."""
        starts = [s for layer in reversed(self.layers) for s in layer.start(batch)]
        for name, s in zip(self.names, starts, strict=True):
            s.named(f"{name}0")
        return tuple(starts)

    def forward(self, x: Any, state: State, *masks: Any) -> State:
        """From x(t) and all layers' last states to their new ones."""
        new: State = ()
        end = len(state)
        for i, layer in enumerate(self.layers):
            own = state[end - len(layer.names) : end]
            end -= len(layer.names)
            new = (*layer(x, own), *new)
            x = new[0] * masks[i] if masks and i + 1 < len(self.layers) else new[0]
        return new

    def noise(
        self, steps: int, batch: int, rng: np.random.Generator
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Dropout masks by name, (steps, batch, n_hidden) for each gap of two layers.

        Zero with probability ``dropout``, else 1 / (1 - dropout), so that what is
        handed up keeps its mean.

        >>> rng = np.random.default_rng(0)
        >>> two = Stack([Elman(2, 3, rng=rng), Elman(3, 4, rng=rng)], dropout=0.5)
        >>> {name: mask.shape for name, mask in two.noise(6, 5, rng).items()}
        {'m1': (6, 5, 3)}
        """
        keep = 1 - self.dropout
        return {
            f"m{i}": (rng.random((steps, batch, layer.n_hidden)) < keep).astype(
                self.dtype
            )
            / self.dtype.type(keep)
            for i, layer in enumerate(self.layers[:-1], 1)
            if self.dropout
        }


# ReLU units with W = I at the start (Le, Jaitly and Hinton 2015).
irnn = partial(Elman, W="identity", activation="relu")

CELLS: dict[str, MakeCell] = {
    "elman": Elman,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "irnn": irnn,
}


def make_cell(
    kind: str | MakeCell,
    n_in: int,
    n_hidden: int,
    *,
    rng: np.random.Generator,
    U: str = "trained",
    layers: int = 1,
    dropout: float = 0.0,
    dtype: DTypeLike = np.float32,
) -> Cell:
    """The recurrent part of a model: one cell, or a ``Stack`` of ``layers`` of them.

    ``kind`` is a name of ``CELLS`` or a ``MakeCell``. ``U`` is how the lowest layer of
    an Elman net reads x(t).

    Raises TypeError for a cell that is made already, ValueError for a name, a number of
    layers, a dropout or a U that there is not.

    ``dtype`` is that of the cell's parameters and states.

    >>> make_cell("gru", 2, 3, rng=np.random.default_rng(0), layers=2).names
    ('h2', 'h1')
    """
    if isinstance(kind, Module):
        raise TypeError(
            f"cell is a class or a function that makes one, and {type(kind).__name__} "
            f"is made already: write cell={type(kind).__name__}"
        )
    make = _choice("cell", kind, CELLS) if isinstance(kind, str) else kind
    if layers < 1:
        raise ValueError(f"a network has at least one layer, got {layers}")
    if not 0 <= dropout < 1:  # one layer has none, and is not asked
        raise ValueError(f"dropout is a probability below 1, got {dropout}")
    lowest = make
    if U != "trained":
        if getattr(make, "func", make) is not Elman:
            raise ValueError(f'U="{U}" is a choice of the elman cell, not of {kind!r}')
        lowest = partial(make, U=U)  # type: ignore[call-arg]
    made = [
        (lowest if i == 0 else make)(
            n_in if i == 0 else n_hidden, n_hidden, rng=rng, dtype=dtype
        )
        for i in range(layers)
    ]
    return made[0] if layers == 1 else Stack(made, dropout)


def _lettered(**gates: Tensor) -> None:
    """Letters for equations: gates have no name, since figures do not show them."""
    for letter, gate in gates.items():
        gate.node.letter = letter


def input_weights(
    U: str, n_in: int, n_hidden: int, rng: np.random.Generator, dtype: DTypeLike
) -> Any:
    """U as a parameter, or None for the identity; "fixed" is for the caller to keep.

    It is (n_in, n_hidden). Raises ValueError for another name, and for an identity that
    is not square.

    ``dtype`` is the parameter's.

    >>> input_weights("trained", 2, 3, np.random.default_rng(0), np.float32).shape
    (2, 3)
    >>> input_weights("identity", 3, 3, np.random.default_rng(0), np.float32) is None
    True
    """
    if U == "identity":
        if n_in != n_hidden:
            raise ValueError(
                'U="identity" adds x(t) to h(t) unit by unit, so n_in must be '
                f"n_hidden: got {n_in} and {n_hidden}"
            )
        return None
    if U == "trained":
        return parameter(init.glorot(rng, (n_in, n_hidden), dtype))
    if U in ("orthogonal", "fixed"):
        return parameter(init.orthogonal(rng, (n_in, n_hidden), dtype))
    raise ValueError(f'U is "trained", "identity", "orthogonal" or "fixed", got {U!r}')


def recurrent_weights(
    W: str | float, n: int, rng: np.random.Generator, dtype: DTypeLike
) -> np.ndarray[Any, Any]:
    """The start of W (n, n): a named one, or Glorot of a spectral radius.

    ``dtype`` is the array's.

    Raises ValueError for another name.

    >>> recurrent_weights("identity", 2, np.random.default_rng(0), np.float32).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if isinstance(W, str):
        starts = {"orthogonal": init.orthogonal, "identity": init.identity}
        return _choice("W", W, starts)(rng, (n, n), dtype)  # type: ignore[no-any-return]
    return init.spectral_radius(W)(rng, (n, n), dtype)


def _columns(
    start: Callable[..., Any],
    k: int,
    n_from: int,
    n_to: int,
    rng: np.random.Generator,
    dtype: DTypeLike,
) -> np.ndarray[Any, Any]:
    """k starts side by side: each gate's block has the start of a matrix of its own."""
    return np.concatenate([start(rng, (n_from, n_to), dtype) for _ in range(k)], 1)


def _choice(what: str, name: str, known: dict[str, Any]) -> Any:
    if name not in known:
        raise ValueError(f"{what} is one of {', '.join(known)}, got {name!r}")
    return known[name]
