"""The network over trees: what a chain is for a sequence, a tree is for a nesting.

    h = V x                             of a leaf x
    h = tanh(b + U h_l + W h_r)         of a node with a left and a right child
    o = c + R h                         of the root

Section 10.6 and figure 10.14 of Goodfellow, Bengio and Courville; Pollack (1990),
Socher (2011). The same U, W and V serve every node of every tree, so one network reads
trees of any shape. From a leaf to the root of a balanced tree of τ leaves there are
log2 τ steps, where a chain has τ.

A tree is a leaf, a whole number, or a pair of trees: ``((0, 3), 1)``. A batch of trees
runs level by level: all nodes of a height, of all trees, are one product with U and one
with W. ``of_tree`` records one tree node by node, which is the graph of the figure.

>>> import numpy as np
>>> import minigrad as mg
>>> model = Recursive(4, 3, 2, rng=np.random.default_rng(0))
>>> o = model(forest([((0, 3), 1), 2, ((0, 1), (2, (3, 0)))]))
>>> o.shape, [len(mg.Graph(o).uses(p)) for p in (model.U, model.W, model.V)]
((3, 2), [3, 3, 1])
>>> graph = mg.Graph(model.of_tree(((0, 3), 1)))
>>> [len(graph.uses(p)) for p in (model.U, model.W, model.V)]
[2, 2, 3]
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.ops.elementwise import tanh
from minigrad.ops.indexing import embedding
from minigrad.ops.shape import concatenate
from minigrad.tensor import Tensor, parameter, tensor

Tree = Any  # int | tuple[Tree, Tree]


class Forest(NamedTuple):
    """A batch of trees as arrays of row numbers: leaves first, then level by level.

    ``leaves`` are symbol numbers (n_leaves,), ``levels`` the rows of the left and of
    the right children of each level, ``roots`` (batch,) the rows of the roots.

    >>> trees = forest([((0, 3), 1), 2])
    >>> isinstance(trees, Forest), trees.leaves.tolist(), trees.roots.tolist()
    (True, [0, 3, 1, 2], [5, 3])
    """

    leaves: NDArray[np.int64]
    levels: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
    roots: NDArray[np.int64]


def postfix(tree: Tree) -> list[int | None]:
    """The leaves of a tree, and None for each node behind its two children.

    Raises TypeError for what is no tree, ValueError for a symbol below 0.

    >>> postfix(((0, 3), 1))
    [0, 3, None, 1, None]
    """
    found: list[int | None] = []
    waiting = [tree]  # a stack: how deep a tree may be is not for Python to say
    while waiting:
        top = waiting.pop()
        if isinstance(top, tuple) and len(top) == 2:
            found.append(None)
            waiting += top  # the right one is taken first: all of it is turned around
        elif isinstance(top, (int, np.integer)) and not isinstance(top, bool):
            if top < 0:
                raise ValueError(f"a symbol is a whole number from 0 on, got {top}")
            found.append(int(top))
        else:
            raise TypeError(f"a tree is a whole number or a pair of trees, got {top!r}")
    return found[::-1]


def forest(trees: Sequence[Tree]) -> Forest:
    """A batch of trees, of any shapes, for a network to read.

    Raises ValueError for no tree, TypeError for one that is no tree or is not in a
    list.

    >>> forest([((0, 3), 1), 2]).levels
    [(array([0]), array([1])), (array([4]), array([2]))]
    """
    if isinstance(trees, tuple):
        raise TypeError(
            f"a forest is a list of trees, and {trees!r} is one tree: write "
            "forest([tree])"
        )
    if not trees:
        raise ValueError("a forest has at least one tree")
    leaves: list[int] = []
    levels: list[list[tuple[Any, Any]]] = []
    roots = []
    for tree in trees:
        stack: list[tuple[int, int]] = []  # height, and the number at that height
        for symbol in postfix(tree):
            if symbol is not None:
                stack.append((0, len(leaves)))
                leaves.append(symbol)
                continue
            right, left = stack.pop(), stack.pop()
            height = max(left[0], right[0]) + 1
            if height > len(levels):
                levels.append([])
            stack.append((height, len(levels[height - 1])))
            levels[height - 1].append((left, right))
        roots.append(stack[0])
    firsts = np.cumsum([0, len(leaves), *map(len, levels)])

    def rows(places: Any) -> NDArray[np.int64]:
        return np.array([firsts[height] + k for height, k in places])

    pairs = [tuple(zip(*level, strict=True)) for level in levels]
    return Forest(np.array(leaves), [(rows(a), rows(b)) for a, b in pairs], rows(roots))


class Recursive(Module):
    """A recursive network from a tree to one output.

    Parameters
    ----------
    n_symbols: how many symbols a leaf may be.
    n_hidden, n_out: the sizes of h and o.
    loss: L as a function of o and y.
    rng: where the start comes from: U and W orthogonal, V and R Glorot, b and c zero.
    dtype: of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_symbols: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        square = (n_hidden, n_hidden)
        self.V = parameter(init.glorot(rng, (n_symbols, n_hidden), dtype))
        self.U = parameter(init.orthogonal(rng, square, dtype))
        self.W = parameter(init.orthogonal(rng, square, dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.R = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.step_loss = loss

    def node(self, left: Tensor, right: Tensor) -> Tensor:
        """From the h of two children to that of their node.

        Each h is (nodes, n_hidden).

        >>> model = Recursive(4, 3, 2, rng=np.random.default_rng(0))
        >>> left, right = model.V[[0, 1]], model.V[[2, 3]]
        >>> h = model.node(left, right)
        >>> h.shape, model.read(h).shape
        ((2, 3), (2, 2))
        """
        return tanh(self.b + left @ self.U + right @ self.W)  # type: ignore[no-any-return]

    def read(self, h: Tensor) -> Tensor:
        """From h to o.

        h is (batch, n_hidden), o is (batch, n_out).
        """
        return (self.c + h @ self.R).named("o")

    def forward(self, trees: Forest) -> Tensor:
        """The outputs o (batch, n_out) of a forest.

        Raises TypeError for trees that are not a ``Forest``, and ValueError for a
        symbol that there is not.
        """
        if not isinstance(trees, Forest):
            raise TypeError(
                f"trees are read as a batch, got {type(trees).__name__}: write "
                "model(forest([tree, ..])), or model.of_tree(tree) for one alone"
            )
        leaves: Any = trees.leaves
        if not isinstance(leaves, Tensor):  # it is one in a compiled function
            self._check(leaves)
        every = embedding(self.V, leaves)
        for left, right in trees.levels:
            h = self.node(embedding(every, left), embedding(every, right))
            every = concatenate([every, h])
        return self.read(embedding(every, trees.roots))

    def loss(self, trees: Forest, y: Any) -> Tensor:
        """The mean of L over the trees, for targets y (batch, ...).

        >>> model = Recursive(4, 3, 2, rng=np.random.default_rng(0))
        >>> model.loss(forest([((0, 3), 1), 2]), [1, 0]).shape
        ()
        """
        o = self(trees)
        target = y if isinstance(y, Tensor) else tensor(y, name="y")
        return step_loss(self.step_loss, o, target).mean()

    def _check(self, leaves: Any) -> None:
        if np.max(leaves) >= len(self.V):
            raise ValueError(
                f"symbols are numbers 0 to {len(self.V) - 1}, got {np.max(leaves)}"
            )

    def of_tree(self, tree: Tree) -> Tensor:
        """The output o (1, n_out) of one tree, recorded node by node.

        Raises ValueError for a symbol that there is not.
        """
        eye = np.eye(len(self.V), dtype=self.V.dtype)
        symbols = postfix(tree)
        self._check([s for s in symbols if s is not None])
        stack: list[Tensor] = []
        with self.scope():
            for symbol in symbols:
                if symbol is None:
                    right, left = stack.pop(), stack.pop()
                    h = self.node(left, right)
                else:
                    h = tensor(eye[[symbol]], name="x") @ self.V
                stack.append(h.named("h"))
            return self.read(stack[0])
