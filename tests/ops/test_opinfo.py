"""PyTorch's own sample inputs, where it is installed: values and two gradients agree.

Each row says how a function of PyTorch is written here. A sample that is left out has
its reason in the row's place: the functions below return it as text.
"""

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")
samples = pytest.importorskip("torch.testing._internal.common_methods_invocations")

RNG = np.random.default_rng(0)


def total(function):
    """A reduction: PyTorch's dim and keepdim are axis and keepdims."""

    def run(x, dim=None, keepdim=False, dtype=None):
        if not x.ndim and dim not in (None, ()):
            return "a scalar has no axis in NumPy"
        dim = tuple(dim) or None if isinstance(dim, (list, tuple)) else dim
        return function(x, axis=dim, keepdims=keepdim)

    return run


def spread_of(function):
    """var and std: the correction is ddof, 1 if nothing else is said."""

    def run(x, dim=None, unbiased=None, keepdim=False, correction=1):
        if isinstance(dim, bool):  # std(x, unbiased)
            dim, unbiased = None, dim
        if not x.ndim and dim not in (None, ()):
            return "a scalar has no axis in NumPy"
        if unbiased is not None:
            correction = int(unbiased)
        dim = tuple(dim) or None if isinstance(dim, (list, tuple)) else dim
        n = np.prod([x.shape[d] for d in np.atleast_1d(dim)]) if dim is not None else 0
        if (n or x.size) - (1 if correction is None else correction) <= 0:
            return "nothing is left to divide by"
        ddof = 1 if correction is None else correction
        return function(x, axis=dim, ddof=ddof, keepdims=keepdim)

    return run


def normalised(function):
    def run(x, dim, dtype=None, _stacklevel=3):
        return function(x, axis=dim) if x.ndim else "no axis to normalise over"

    return run


def clamp(x, min=None, max=None):
    return mg.clip(x, min, max)


def softplus(x, beta=1, threshold=20):
    return mg.where(beta * x.data > threshold, x, mg.softplus(beta * x) / beta)


def divide(a, b, rounding_mode=None):
    return a / b if rounding_mode is None else "whole numbers have no gradient"


def tensordot(a, b, dims=2):
    dims = dims if isinstance(dims, int) else tuple(map(tuple, dims))
    if not isinstance(dims, int):
        pairs = zip(*dims, strict=True)
        if any(a.shape[i] != b.shape[j] for i, j in pairs):
            return "NumPy does not broadcast what is summed"
    return mg.tensordot(a, b, axes=dims)


def einsum(xs, subscripts):
    left, _, right = subscripts.partition("->")
    if right and "..." in left and "..." not in right:
        return "NumPy does not sum over an ellipsis"
    return mg.einsum(subscripts, *xs)


def concatenate(xs, dim=0):
    if any(x.shape == (0,) for x in xs) and any(x.ndim > 1 for x in xs):
        return "NumPy does not join a matrix with an empty vector"
    return mg.concatenate(list(xs), axis=dim)


def last(x):
    """The axis of classes, which PyTorch has second, at the end."""
    return mg.transpose(x, (0, *range(2, x.ndim), 1)) if x.ndim > 1 else x


def swapaxes(x, a, b):
    return mg.swapaxes(x, a, b) if x.ndim else "a scalar has no axis in NumPy"


def cumulative(function):
    def run(x, dim, dtype=None):
        return function(x, axis=dim) if x.ndim else "a scalar has no axis in NumPy"

    return run


def split(x, size, dim=0):
    n = x.shape[dim]
    several = isinstance(size, (list, tuple))
    ends = np.cumsum(size)[:-1] if several else np.arange(size, n, size)
    return mg.split(x, [int(e) for e in ends], axis=dim)


def tensor_split(x, parts, dim=0):
    if isinstance(parts, mg.Tensor):
        parts = parts.data.tolist()
    return mg.array_split(x, parts, axis=dim)


def repeat_interleave(x, repeats, dim=None, output_size=None):
    if not x.ndim and dim is not None:
        return "a scalar has no axis in NumPy"
    if isinstance(repeats, mg.Tensor):
        repeats = repeats.data
    return mg.repeat(x, repeats, axis=dim)


def diff(x, n=1, dim=-1, prepend=None, append=None):
    return mg.diff(x, n, dim, prepend, append)


def movedim(x, source, destination):
    return mg.moveaxis(x, source, destination)


def vector_norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    if ord not in (1, 2, np.inf):
        return f"no order {ord}"
    dim = tuple(dim) if isinstance(dim, list) else dim
    if isinstance(dim, tuple) and len(dim) == 1:
        (dim,) = dim
    if not x.ndim:
        return "a scalar has no axis in NumPy"
    if ord == 2:
        return mg.norm(
            x, axis=dim or None if isinstance(dim, tuple) else dim, keepdims=keepdim
        )
    if isinstance(dim, tuple) or (dim is None and x.ndim > 1):
        return "a norm of matrices in NumPy"
    return mg.norm(x, ord, dim, keepdim)


def binary_cross_entropy(o, y, weight=None, pos_weight=None, reduction="mean"):
    if weight is not None or pos_weight is not None:
        return "weights are multiplied to the losses"
    if y.data.min() < 0 or y.data.max() > 1:
        return "targets that are no probabilities"
    return mg.binary_cross_entropy(o, y, reduction=reduction)


def rounded(x, decimals=0):
    return mg.round(x, decimals)


def along(function):
    def run(x, dim=None, keepdim=False):
        if not x.ndim and dim not in (None, ()):
            return "a scalar has no axis in NumPy"
        dim = tuple(dim) or None if isinstance(dim, (list, tuple)) else dim
        return function(x, axis=dim, keepdims=keepdim)

    return run


def like(function):
    return lambda x, *value, dtype=None, **more: function(x, *value)


def pad(x, widths, mode="constant", value=None):
    modes = {"replicate": "edge", "circular": "wrap"}
    if mode not in ("constant", "reflect", *modes):
        return f"no mode {mode}"
    if min(widths) < 0:
        return "negative margins cut"
    pairs = list(zip(widths[::2], widths[1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
    more = {"constant_values": value or 0.0} if mode == "constant" else {}
    return mg.pad(x, pairs, mode=modes.get(mode, mode), **more)


def roll(x, shifts, dims=None):
    if isinstance(dims, (list, tuple)):
        dims = tuple(dims) or None
    shifts = tuple(shifts) if isinstance(shifts, (list, tuple)) else shifts
    if dims is None and isinstance(shifts, tuple):
        (shifts,) = shifts
    return mg.roll(x, shifts, axis=dims)


def sort(x, dim=-1, descending=False, stable=False):
    if not x.ndim:
        return "no axis to sort along"
    y = mg.sort(x, axis=dim)
    return (mg.flip(y, axis=dim) if descending else y,)


def index_select(x, dim, index):
    if not x.ndim:
        return "no axis to index"
    return mg.take(x, np.atleast_1d(index.data), axis=dim)


def take_along(x, index, dim=None):
    index = index.data.reshape(-1) if dim is None else index.data
    return mg.take_along_axis(x, index, axis=dim)


def gather(x, dim, index, sparse_grad=False):
    if not x.ndim or x.ndim != index.ndim:
        return "no axis to index"
    cut = tuple(
        slice(n) if d != dim % x.ndim else slice(None)
        for d, n in enumerate(index.shape)
    )
    return mg.take_along_axis(x[cut], index.data, axis=dim)


def getitem(x, key):
    def plain(k):
        if isinstance(k, mg.Tensor):
            return np.asarray(k.data)
        return [plain(p) for p in k] if isinstance(k, list) else k

    return x[tuple(map(plain, key)) if isinstance(key, tuple) else plain(key)]


def squeeze(x, dim=None):
    dims = dim if isinstance(dim, (tuple, list)) else [] if dim is None else [dim]
    if not x.ndim:
        return "no axis to drop"
    if dim is None:
        return mg.squeeze(x)
    ones = tuple(d for d in dims if x.shape[d] == 1)  # others stay, NumPy refuses them
    return mg.squeeze(x, axis=ones) if ones else mg.reshape(x, x.shape)


def cross_entropy(
    o, y, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0
):
    if y.dtype.kind == "f" and ignore_index != -100:
        return "an ignored class among probabilities"
    return mg.cross_entropy(
        last(o),
        last(y) if y.dtype.kind == "f" else y.data,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def nll_loss(logp, y, weight=None, ignore_index=-100, reduction="mean"):
    if weight is not None:
        weight = weight.data
    return mg.nll_loss(
        last(logp),
        y.data,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
    )


def mse_loss(o, y, reduction="mean"):
    return mg.mse_loss(o, mg.broadcast_to(y, o.shape), reduction=reduction)


def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    weight = mg.tensor(np.ones(shape)) if weight is None else weight
    bias = mg.tensor(np.zeros(shape)) if bias is None else bias
    axes = tuple(range(-len(shape), 0))
    return mg.layer_norm(x, weight, bias, axis=axes, eps=eps)


def conv1d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    def one(n):
        return n[0] if isinstance(n, (tuple, list)) else n

    y = mg.conv1d(
        x,
        w,
        stride=one(stride),
        padding=one(padding),
        dilation=one(dilation),
        groups=groups,
    )
    return y if b is None else y + mg.expand_dims(b, -1)


def embedding(table, index, padding_idx=None, **more):
    if padding_idx is not None or any(more.values()):
        return "rows that are not learnt, or rescaled"
    return mg.embedding(table, index.data)


ALIKE = ["neg", "exp", "log", "log1p", "expm1", "sqrt", "abs", "sin", "cos", "tanh"]
ALIKE += ["sigmoid", "maximum", "minimum", "trace", "square", "reciprocal", "tan"]
ALIKE += [
    "sinh",
    "cosh",
    "log2",
    "log10",
    "exp2",
    "logaddexp",
    "hypot",
    "floor",
    "ceil",
]
ALIKE += ["ravel", "inner", "isnan", "isinf", "isfinite"]
ROWS = {
    "add": lambda a, b, alpha=1: a + alpha * b,
    "sub": lambda a, b, alpha=1: a - alpha * b,
    "mul": lambda a, b: a * b,
    "div": divide,
    "pow": lambda a, b: a**b,
    "__rpow__": lambda a, b: b**a,
    "__radd__": lambda a, b: b + a,
    "__rsub__": lambda a, b: b - a,
    "__rmul__": lambda a, b: b * a,
    "__rdiv__": lambda a, b: b / a,
    "__rmatmul__": lambda a, b: b @ a,
    **{name: getattr(mg, name) for name in ALIKE},
    "nn.functional.relu": lambda x, inplace=False: mg.relu(x),
    "nn.functional.softplus": softplus,
    **{f"a{name}": getattr(mg, f"arc{name}") for name in ("sin", "cos", "tan")},
    **{f"a{name}": getattr(mg, f"arc{name}") for name in ("sinh", "cosh", "tanh")},
    "atan2": mg.arctan2,
    "rsqrt": lambda x: mg.reciprocal(mg.sqrt(x)),
    "round": rounded,
    "nn.functional.logsigmoid": mg.log_sigmoid,
    "nn.functional.binary_cross_entropy_with_logits": binary_cross_entropy,
    "linalg.vector_norm": vector_norm,
    "any": along(mg.any),
    "all": along(mg.all),
    "argmax": along(mg.argmax),
    "argmin": along(mg.argmin),
    "zeros_like": like(mg.zeros_like),
    "ones_like": like(mg.ones_like),
    "full_like": like(mg.full_like),
    "where": lambda x, condition, y: mg.where(condition.data, x, y),
    "clamp": clamp,
    "clamp_min": clamp,
    "clamp_max": lambda x, most: clamp(x, None, most),
    "sum": total(mg.sum),
    "mean": total(mg.mean),
    "amax": total(mg.max),
    "amin": total(mg.min),
    "prod": total(mg.prod),
    "logsumexp": total(mg.logsumexp),
    "var": spread_of(mg.var),
    "std": spread_of(mg.std),
    "softmax": normalised(mg.softmax),
    "log_softmax": normalised(mg.log_softmax),
    **dict.fromkeys(["matmul", "mm", "bmm", "mv"], lambda a, b: a @ b),
    "dot": mg.dot,
    "outer": mg.outer,
    "einsum": einsum,
    "tensordot": tensordot,
    "nn.functional.linear": lambda x, w, b=None: (
        x @ mg.transpose(w) if b is None else x @ mg.transpose(w) + b
    ),
    "reshape": mg.reshape,
    "permute": mg.transpose,
    "transpose": swapaxes,
    "squeeze": squeeze,
    "unsqueeze": mg.expand_dims,
    "broadcast_to": mg.broadcast_to,
    "cat": concatenate,
    "stack": lambda xs, dim=0: mg.stack(list(xs), axis=dim),
    "vstack": lambda xs: mg.vstack(list(xs)),
    "hstack": lambda xs: mg.hstack(list(xs)),
    "movedim": movedim,
    "repeat_interleave": repeat_interleave,
    "tile": lambda x, dims: mg.tile(x, tuple(dims)),
    "diff": diff,
    "split": split,
    "split_with_sizes": split,
    "tensor_split": tensor_split,
    "__getitem__": getitem,
    "take": lambda x, index: mg.take(x, index.data),
    "index_select": index_select,
    "take_along_dim": take_along,
    "gather": gather,
    "flip": lambda x, dims: mg.flip(x, axis=tuple(dims)),
    "roll": roll,
    "nn.functional.pad": pad,
    "tril": mg.tril,
    "triu": mg.triu,
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: mg.diagonal(
        x, offset=offset, axis1=dim1, axis2=dim2
    ),
    "cumsum": cumulative(mg.cumsum),
    "cumprod": cumulative(mg.cumprod),
    "sort": sort,
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.nll_loss": nll_loss,
    "nn.functional.mse_loss": mse_loss,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.conv1d": conv1d,
    "nn.functional.embedding": embedding,
}


def leaves(value, found):
    """The tensors of a sample in order."""
    if isinstance(value, torch.Tensor):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for part in value:
            leaves(part, found)
    elif isinstance(value, dict):
        leaves(list(value.values()), found)
    return found


def converted(value, given):
    """A sample's part with our Tensors in place of PyTorch's."""
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, torch.Tensor):
        return next(given)
    if isinstance(value, (list, tuple)):
        return type(value)(converted(part, given) for part in value)
    if isinstance(value, dict):
        return {key: converted(part, given) for key, part in value.items()}
    return value


def outputs(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]


def near(ours, theirs, what):
    expected = np.zeros(ours.shape)
    if theirs is not None:
        expected = theirs.detach().numpy(force=True)
    np.testing.assert_allclose(ours.data, expected, 1e-7, 1e-9, err_msg=what)


def compare(op, row, sample):
    """Compare a sample; the reason if it is left out."""
    parts = (sample.input, list(sample.args), dict(sample.kwargs))
    theirs = leaves(parts, [])
    ours = [
        mg.tensor(t.detach().numpy(), requires_grad=t.is_floating_point())
        for t in theirs
    ]
    x, args, kwargs = converted(parts, iter(ours))
    y = row(x, *args, **kwargs)
    if isinstance(y, str):
        return y
    expected = op(sample.input, *sample.args, **sample.kwargs)
    pairs = list(zip(outputs(y), outputs(expected), strict=False))
    for a, b in pairs:
        assert a.shape == tuple(b.shape)
        near(a, b, "value")
    pairs = [(a, b) for a, b in pairs if b.is_floating_point()]
    wrt = [i for i, t in enumerate(theirs) if t.requires_grad]
    if not any(b.requires_grad for _, b in pairs):
        return None
    mine, torchs = [ours[i] for i in wrt], [theirs[i] for i in wrt]
    weighed = [(a, b, RNG.normal(size=a.shape)) for a, b in pairs]
    loss = mg.add_n([(a * u).sum() for a, _, u in weighed])
    other = sum((b * torch.tensor(u)).sum() for _, b, u in weighed)
    first = mg.grad(loss, mine, create_graph=True, unreached="zeros")
    wanted = torch.autograd.grad(other, torchs, create_graph=True, allow_unused=True)
    for d, e in zip(first, wanted, strict=True):
        near(d, e, "gradient")
    twice = [e for e in wanted if e is not None and e.requires_grad]
    if twice:
        vs = [RNG.normal(size=d.shape) for d in first]
        loss = mg.add_n([(d * v).sum() for d, v in zip(first, vs, strict=True)])
        other = sum(
            (e * torch.tensor(v)).sum()
            for e, v in zip(wanted, vs, strict=True)
            if e is not None and e.requires_grad
        )
        second = mg.grad(loss, mine, unreached="zeros")
        wanted = torch.autograd.grad(other, torchs, allow_unused=True)
        for d, e in zip(second, wanted, strict=True):
            near(d, e, "second gradient")
    return None


def drawn(name):
    """The samples of an op in all of its variants, each with the function."""
    for op in samples.op_db:
        if op.name == name:
            for sample in op.sample_inputs("cpu", torch.float64, requires_grad=True):
                yield op.op, sample


@pytest.mark.parametrize("name", ROWS)
@np.errstate(invalid="ignore")  # negative numbers to a broken power: NaN in both
def test_samples(name, record_property):
    torch.manual_seed(0)
    reasons, wrong, count = [], [], 0
    for function, sample in drawn(name):
        count += 1
        try:
            reason = compare(function, ROWS[name], sample)
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            wrong.append(f"{sample.summary()}: {type(error).__name__} {said}")
        else:
            reasons += [reason] if reason else []
    record_property("samples", count)
    record_property("left out", len(reasons))
    assert not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong)
    assert len(reasons) < count or not count, f"all left out: {set(reasons)}"
