"""What to write here for a name that other libraries have.

One table for each kind of thing that is asked for a name that it lacks. The error stays
an AttributeError, so that ``hasattr`` and ``getattr`` with a default work as ever.

>>> import minigrad as mg
>>> mg.tensor([1.0]).numpy()
Traceback (most recent call last):
AttributeError: a Tensor has no numpy: write t.data (read-only), or np.array(t), a copy
"""

import inspect
import re
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from itertools import islice
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

IN_PLACE = "values never change; write x = x + v, and for a parameter p.assign(array)"
CPU = "everything is on the CPU: leave it out"
OVERWRITES = "backward() overwrites the gradients: leave it out"
MODES = "a module computes alike in training and use: leave it out"
ROOMS = ["nn", "optim", "models", "train", "data", "testing", "tasks"]
ROOMS += ["analysis", "exchange"]
# Where a name may be that the face lacks.
HOMES = ["nn", "optim", "data", "train", "models", "nn.cells", "nn.losses"]
P = ParamSpec("P")
R = TypeVar("R")
CELLS = (
    "write minigrad.nn.cells.{}(n_in, n_hidden) and minigrad.nn.recurrent.unroll, or a "
    "model with cell=..."
)

NAMES: dict[str, dict[str, str]] = {
    "Tensor": {
        "numpy": "write t.data (read-only), or np.array(t), a copy",
        "view": "write t.reshape(shape)",
        "permute": "write t.transpose(axes)",
        "unsqueeze": "write mg.expand_dims(t, axis) or t[None]",
        "flatten": "write t.ravel() or t.reshape(n, -1)",
        "expand": "write mg.broadcast_to(t, shape)",
        "clone": "a value never changes, so t itself serves; t.copy() is an array of "
        "its own, mg.parameter(t.data) a parameter of its own",
        "detach_": "write t = t.detach()",
        "add_": IN_PLACE,
        "copy_": IN_PLACE,
        "zero_": IN_PLACE,
        "fill_": IN_PLACE,
        "zero_grad": OVERWRITES,
        "grad_fn": "the graph is explicit: see t.node.op and t.node.inputs",
        "is_leaf": "write not t.node.inputs",
        "to": "write t.astype(dtype); everything is on the CPU",
        "type": "write t.astype(dtype), or t.dtype to read it",
        "float": "write t.astype(np.float32)",
        "double": "write t.astype(np.float64)",
        "long": "write t.astype(np.int64)",
        "cuda": CPU,
        "cpu": CPU,
        "contiguous": "NumPy lays arrays out as it needs: leave it out",
        "dim": "write t.ndim",
        "numel": "write t.size",
        "mT": "write mg.swapaxes(t, -1, -2)",
        "requires_grad_": "write t = mg.tensor(t.data, requires_grad=True)",
        "retain_grad": "write mg.grad(loss, [t])",
        "register_hook": "write mg.grad(loss, [t])",
        "device": CPU,
        "topk": "write mg.sort(t, axis=-1)[..., -k:], and mg.argsort for the places",
        "sub": "write a - b",
        "mul": "write a * b",
        "div": "write a / b",
        "eq": "write a == b",
        "lt": "write a < b",
        "gt": "write a > b",
        "clamp": "write mg.clip(t, a_min, a_max)",
        "type_as": "write t.astype(other.dtype)",
        "to_numpy": "write t.data (read-only), or np.array(t), a copy",
        "values": "write t.data",
        "bool": "write t.astype(bool)",
        "sub_": IN_PLACE,
        "mul_": IN_PLACE,
        "div_": IN_PLACE,
        "int": "write t.astype(np.int64)",
        "half": "write t.astype(np.float16)",
        "t": "write t.T",
        "mm": "write a @ b",
        "matmul": "write a @ b",
        "gather": "write mg.take_along_axis(t, index, axis=axis)",
        "masked_fill": "write mg.where(mask, v, t)",
        "chunk": "write mg.array_split(t, parts, axis=axis)",
        "assign": "only a parameter is assigned to: make it with mg.parameter",
    },
    "Module": {
        "forward": "write def forward(self, ...) in its class; OutputFeedback, which "
        "reads its own outputs, has loss(xs, ys) and continued(xs)",
        "zero_grad": OVERWRITES,
        "train": MODES,
        "eval": MODES,
        "training": MODES,
        "to": CPU + "; dtype is an argument of each cell and layer",
        "cuda": CPU,
        "cpu": CPU,
        "add_module": "write self.name = module",
        "register_parameter": "write self.name = mg.parameter(array)",
        "register_buffer": "write self.name = array",
        "named_modules": "write module.named_parameters(), whose paths name them",
        "modules": "write module.named_parameters(), whose paths name them",
        "children": "write vars(module)",
        "requires_grad_": "list the attribute in the class's `fixed`, or give the "
        "optimiser only what it shall train",
        "compile": "write step = mg.compile(function)",
        "fit": "write minigrad.train.fit(Training(model, optimiser, loss), batches, "
        "epochs=...)",
        "predict": "call the module: model(x)",
        "summary": "write mg.Graph(loss).summary()",
        "get_weights": "write module.state_dict()",
        "set_weights": "write module.load_state_dict(state)",
        "trainable_variables": "write module.parameters()",
        "trainable_weights": "write module.parameters()",
        "weights": "write module.named_parameters()",
    },
    "Optimiser": {
        "zero_grad": OVERWRITES,
        "param_groups": "read optimiser.parameters and optimiser.lr; for groups write "
        "Groups(Adam(a), SGD(b, lr=0.1))",
        "minimize": "write loss.backward() and optimiser.step()",
        "apply_gradients": "write loss.backward() and optimiser.step()",
        "learning_rate": "write optimiser.lr",
    },
    "minigrad": {
        "cat": "write mg.concatenate([a, b], axis=0)",
        "concat": "write mg.concatenate([a, b], axis=0)",
        "array": "write mg.tensor(array)",
        "as_tensor": "write mg.tensor(array)",
        "from_numpy": "write mg.tensor(array)",
        "Variable": "write mg.tensor(array, requires_grad=True) or mg.parameter",
        "constant": "write mg.tensor(array)",
        "randn": "write mg.tensor(rng.normal(size=shape)), rng a NumPy generator",
        "rand": "write mg.tensor(rng.random(shape)), rng a NumPy generator",
        "manual_seed": "write rng = np.random.default_rng(seed), and pass it on",
        "arange": "write mg.tensor(np.arange(n))",
        "linspace": "write mg.tensor(np.linspace(a, b, n))",
        "eye": "write mg.tensor(np.eye(n))",
        "empty": "write mg.zeros(shape)",
        "mm": "write a @ b",
        "bmm": "write a @ b",
        "permute": "write mg.transpose(t, axes)",
        "unsqueeze": "write mg.expand_dims(t, axis)",
        "movedim": "write mg.moveaxis(t, source, destination)",
        "flatten": "write mg.ravel(t) or t.reshape(n, -1)",
        "clamp": "write mg.clip(t, a_min, a_max)",
        "gather": "write mg.take_along_axis(t, index, axis=axis)",
        "chunk": "write mg.array_split(t, parts, axis=axis)",
        "repeat_interleave": "write mg.repeat(t, repeats, axis=axis)",
        "amax": "write mg.max(t, axis=axis)",
        "amin": "write mg.min(t, axis=axis)",
        "asin": "write mg.arcsin",
        "acos": "write mg.arccos",
        "atan": "write mg.arctan",
        "atan2": "write mg.arctan2",
        "rsqrt": "write 1 / mg.sqrt(t)",
        "float32": "write np.float32",
        "float64": "write np.float64",
        "int64": "write np.int64",
        "device": CPU,
        "cuda": CPU,
        "seed": "write rng = np.random.default_rng(seed), and pass it on",
        "random": "write rng = np.random.default_rng(seed), and pass it on",
        "linalg": "write mg.norm for a norm; of the rest there is none",
        "jit": "write step = mg.compile(function)",
        "function": "write step = mg.compile(function)",
        "vmap": "every op takes a batch as its first axes; see mg.jacobian too",
        "jacrev": "write mg.jacobian(y, x)",
        "jacfwd": "write mg.jacobian(y, x)",
        "stop_gradient": "write t.detach()",
        "scan": "write for t in mg.steps(T): and the step in Python",
        "save": "write minigrad.train.save_weights(path, model)",
        "GradientTape": "write loss.backward(), or mg.grad(loss, [W])",
        "enable_grad": "recording is on, but in `with mg.no_grad():`",
        "set_grad_enabled": "write `with mg.no_grad():`",
        "optimizers": "write import minigrad.optim",
        "layers": "write import minigrad.nn",
        **{room: f"write import minigrad.{room}" for room in ROOMS},
    },
    "minigrad.nn": {
        **dict.fromkeys(["RNN", "RNNCell", "SimpleRNN"], CELLS.format("Elman")),
        **dict.fromkeys(["LSTM", "LSTMCell"], CELLS.format("LSTM")),
        **dict.fromkeys(["GRU", "GRUCell"], CELLS.format("GRU")),
        "Parameter": "write mg.parameter(array)",
        "Dense": "write nn.Linear(n_in, n_out)",
        "Conv1d": "write mg.conv1d(x, w) with a parameter w of your own",
        "ModuleList": "a module may hold a list of modules as an attribute",
        "ModuleDict": "a module may hold a dict of modules as an attribute",
        "functional": "write mg.relu, mg.softmax, mg.cross_entropy ...",
        "Tanh": "write mg.tanh(x)",
        "ReLU": "write mg.relu(x)",
        "Sigmoid": "write mg.sigmoid(x)",
        "Softmax": "write mg.softmax(x)",
        "CrossEntropyLoss": "write mg.cross_entropy(o, y)",
        "NLLLoss": "write mg.nll_loss(logp, y)",
        "MSELoss": "write mg.mse_loss(o, y)",
        **dict.fromkeys(
            ["BatchNorm1d", "BatchNormalization"],
            "write nn.LayerNorm(n): it needs no statistics of a batch",
        ),
        "Transformer": "see minigrad.models.SelfAttention",
        "MultiheadAttention": "see minigrad.models.SelfAttention",
        "Conv2d": "there is mg.conv1d alone",
        "BCEWithLogitsLoss": "write mg.binary_cross_entropy(o, y)",
    },
    "minigrad.optim": {
        "lr_scheduler": "lr may be a function of the step: optim.cosine(...), for one",
        "RMSprop": "write optim.RMSProp",
        "Optimizer": "write optim.Optimiser",
        "LBFGS": "write optim.Adam",
        "Adagrad": "write optim.RMSProp, or an Optimiser with an update of your own",
        "Adadelta": "write optim.RMSProp, or an Optimiser with an update of your own",
    },
}
# Keywords of ops and of optimisers.
KEYWORDS = {
    "dim": "write axis=",
    "dims": "write axis=",
    "keepdim": "write keepdims=",
    "dtype": "write mg.astype(y, dtype)",
    "out": "values never change: take the result",
    "weight_decay": "write AdamW(parameters, weight_decay=...)",
    "decay": "write weight_decay=",
    "learning_rate": "write lr=",
    "params": "write parameters=",
    "amsgrad": "there is none",
    "num_layers": "write layers=",
    "hidden_size": "write n_hidden",
    "units": "write n_hidden",
    "input_size": "write n_in",
    "in_features": "write n_in",
    "out_features": "write n_out",
    "batch_first": "time is the first axis, xs.swapaxes(0, 1) makes it so",
    "bidirectional": "write minigrad.models.Bidirectional",
    "device": CPU,
    "retain_graph": "the graph stays: leave it out",
    "create_graph": "write mg.grad(loss, [W], create_graph=True)",
    "allow_unused": 'write unreached="zeros"',
    "gradient": "write mg.vjp(y, [W], g)",
    "inputs": "write mg.grad(loss, [W])",
}


def look_again(thing: object, kind: str, name: str) -> NoReturn:
    """Raise the AttributeError of a thing that was asked for a name it lacks."""
    said = NAMES[kind].get(name)
    if said is None and kind == "Tensor" and name in import_module("minigrad").__all__:
        said = f"write mg.{name}(t)"
    if said is not None and not hasattr(type(thing), name):
        article = "an" if kind[0] in "AEIOU" else "a"
        raise AttributeError(f"{article} {kind} has no {name}: {said}")
    # Python's own error, or that of a property which fails while it computes.
    object.__getattribute__(thing, name)
    raise AttributeError(name)


def names_of(module: str) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module, of what it lacks."""

    def lacks(name: str) -> NoReturn:
        said = NAMES[module].get(name) or _elsewhere(module, name)
        if said is not None:
            raise AttributeError(f"{module} has no {name}: {said}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return lacks


def _elsewhere(module: str, name: str) -> str | None:
    """Where a name is that a module lacks: in another room, in the face, in NumPy."""
    if name.startswith("_"):
        return None
    for room in (f"minigrad.{home}" for home in HOMES):
        known = vars(import_module(room))
        here = getattr(known.get(name), "__module__", "") == room
        if name in known.get("__all__", ()) or (here and "__all__" not in known):
            return f"write from {room} import {name}"
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)  # LogSoftmax; and ReLU
    for lower in (snake.lower(), name.lower()):
        if lower != name and lower in import_module("minigrad").__all__:
            return f"write mg.{lower}(x)"
    thing = getattr(np, name, None) if module == "minigrad" else None
    if isinstance(thing, type):
        return f"write np.{name}"
    if callable(thing):
        return (
            f"np.{name} has no op here: declare one with mg.Op(np.{name}, rule), or "
            f"write np.{name}(t.data) for a result without gradient"
        )
    return None


def imported(module: str, extra: str) -> Any:
    """A module of a package that comes with an extra.

    Raises ModuleNotFoundError, with what to install, where the package is missing.

    >>> imported("no_such_package.parts", "train")
    Traceback (most recent call last):
    ModuleNotFoundError: no_such_package is missing: pip install 'minigrad-rnn[train]'
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{package} is missing: pip install 'minigrad-rnn[{extra}]'", name=package
        ) from error


def unknown(text: str, names: Iterable[str]) -> str:
    """The name, the one that may be meant, and what there is."""
    from difflib import get_close_matches  # who imports minigrad seldom needs it

    found = get_close_matches(text.lower(), names, n=1)
    meant = f", did you mean {found[0]!r}?" if found else ";"
    return f"{text!r}{meant} there is {', '.join(names)}"


def near(name: str, names: Iterable[str]) -> str:
    """The names that may be meant by one that is unknown, as the end of a sentence.

    >>> near("rnn.w", ["rnn.W", "V"])
    '; near it: rnn.W'
    """
    from difflib import get_close_matches

    known: dict[str, list[str]] = {}
    for other in islice(names, 1000):
        known.setdefault(other.lower(), []).append(other)
    found = get_close_matches(name.lower(), known, cutoff=0.5)
    meant = [other for low in found for other in known[low]]
    return f"; near it: {', '.join(meant)}" if meant else ""


def told(lines: Iterable[str]) -> str:
    """Lines below a sentence, of more than twenty the first; no other is looked at.

    >>> told(["W: missing", "b: missing"])
    '\\n  W: missing\\n  b: missing'
    """
    shown = list(islice(lines, 21))
    if len(shown) > 20:
        shown[20] = "and more"
    return "".join(f"\n  {line}" for line in shown)


def taught(function: Callable[P, R]) -> Callable[P, R]:
    """A function that says what to write for the keywords of other libraries.

    >>> import minigrad as mg
    >>> mg.grad(mg.parameter(2.0), [], gradient=1.0)
    Traceback (most recent call last):
    TypeError: grad has no gradient; for gradient: write mg.vjp(y, [W], g)
    """
    known = inspect.signature(function).parameters

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        advice = of_keywords(unknown := sorted(options.keys() - known.keys()))
        if advice:
            raise TypeError(f"{function.__name__} has no {', '.join(unknown)}{advice}")
        return function(*args, **options)

    return call


def of_keywords(names: Iterable[str]) -> str:
    """What to write for keywords of another library, as the end of a sentence."""
    known = [f"{name}: {KEYWORDS[name]}" for name in names if name in KEYWORDS]
    return "".join(f"; for {said}" for said in known)
