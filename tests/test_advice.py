"""Names of other libraries: each gets an error that says what to write here."""

import copy
import importlib
import pickle
import re
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import advice, nn, optim
from minigrad.analysis.chart import blank
from minigrad.exchange import to_onnx
from minigrad.models import ManyToOne
from minigrad.nn import Linear, Module
from minigrad.ops import time as time_ops
from minigrad.tasks import adding, memory, series, sunspots
from minigrad.tensor import Tensor
from minigrad.testing import pytest_cases
from minigrad.train import History, curves, load_weights, save_weights

KINDS = {"Tensor": Tensor, "Module": Module, "Optimiser": optim.Optimiser}
ALL = [(kind, name) for kind, names in advice.NAMES.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_what_a_table_lists_is_really_missing(kind, name):
    if kind in KINDS:
        assert not hasattr(KINDS[kind], name)
    else:
        module = importlib.import_module(kind)
        assert name not in getattr(module, "__all__", ())


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_what_it_says_to_write_exists(kind, name):
    said = advice.NAMES[kind][name]
    for owner, attribute in re.findall(r"\b(mg|np|nn|optim|t|p|module)\.(\w+)", said):
        thing = {"mg": mg, "np": np, "nn": nn, "optim": optim}.get(owner)
        if thing is None:
            thing = {"t": Tensor, "p": mg.Parameter, "module": Module}[owner]
        assert hasattr(thing, attribute) or attribute == "ndim", said
    for path in re.findall(r"\bminigrad(?:\.\w+)+", said):
        room, _, attribute = path.rpartition(".")
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(room), attribute), said


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (lambda: mg.tensor(1.0).numpy(), r"a Tensor has no numpy: write t\.data"),
        (lambda: mg.parameter(1.0).view(1), r"no view: write t\.reshape\(shape\)"),
        (lambda: mg.tensor(1.0).cuda(), "everything is on the CPU: leave it out"),
        (lambda: mg.tensor(1.0).detach_(), r"write t = t\.detach\(\)"),
        (
            lambda: Linear(1, 1, rng=np.random.default_rng(0)).train(),
            "Module has no train",
        ),
        (lambda: optim.SGD([mg.parameter(1.0)], 0.1).zero_grad(), r"overwrites"),
        (lambda: mg.cat, r"minigrad has no cat: write mg\.concatenate"),
        (
            lambda: mg.nn.ModuleList,
            "nn has no ModuleList: a module may hold a list of modules",
        ),
        (lambda: optim.SGD([mg.parameter(1.0)], 0.1).minimize, "an Optimiser has no"),
        (lambda: mg.jit, r"write step = mg\.compile\(function\)"),
        (lambda: nn.LSTM, r"write minigrad\.nn\.cells\.LSTM"),
        (lambda: optim.lr_scheduler, "lr may be a function of the step"),
        (
            lambda: mg.tensor(1.0).floor(),
            r"a Tensor has no floor: write mg\.floor\(t\)",
        ),
        (
            lambda: mg.Linear,
            "minigrad has no Linear: write from minigrad.nn import Lin",
        ),
        (lambda: mg.one_hot, "write from minigrad.data import one_hot"),
        (lambda: mg.mse, "write from minigrad.nn.losses import mse"),
        (lambda: mg.GRU, "write from minigrad.nn.cells import GRU"),
        (lambda: nn.Bidirectional, "from minigrad.models import Bidirectional"),
        (lambda: nn.LogSoftmax, r"nn has no LogSoftmax: write mg\.log_softmax\(x\)"),
        (lambda: mg.ReLU, r"minigrad has no ReLU: write mg\.relu\(x\)"),
        (
            lambda: mg.median,
            r"np\.median has no op here: declare one with mg\.Op\(np\.",
        ),
        (lambda: mg.float16, r"minigrad has no float16: write np\.float16"),
    ],
)
def test_advice(look, said):
    with pytest.raises(AttributeError, match=said):
        look()


def test_keywords():
    x, w = mg.tensor(np.ones((2, 3))), mg.parameter(1.0)
    with pytest.raises(TypeError, match=r"has: axis, keepdims\); for dim: write axis="):
        mg.sum(x, dim=0)
    with pytest.raises(TypeError, match=r"Adam has no weight_decay; .* AdamW\(param"):
        optim.Adam([w], weight_decay=0.1)
    with pytest.raises(TypeError, match="for learning_rate: write lr="):
        optim.SGD([w], learning_rate=0.1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'speed'"):
        optim.SGD([w], speed=0.1)
    assert optim.AdamW([w], weight_decay=0.5).weight_decay == 0.5
    with pytest.raises(TypeError, match="one group of parameters: write Groups"):
        optim.SGD([{"params": [w], "lr": 0.1}])
    with pytest.raises(
        TypeError, match=r"backward has no retain_graph; .* leave it out"
    ):
        (w * 2).backward(retain_graph=True)
    with pytest.raises(TypeError, match=r"grad has no allow_unused; .* unreached="):
        mg.grad(w * 2, [w], allow_unused=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'depth'"):
        mg.grad(w * 2, [w], depth=2)


def test_keywords_of_modules():
    rng = np.random.default_rng(0)
    for make, said in (
        (
            lambda: ManyToOne(2, 3, 2, rng=rng, num_layers=2),
            "ManyToOne has no num_layers",
        ),
        (lambda: ManyToOne(2, 3, 2, rng=rng, batch_first=True), r"swapaxes\(0, 1\)"),
        (
            lambda: Linear(in_features=2, out_features=3, rng=rng),
            "write n_in; .* n_out",
        ),
        (lambda: Linear(2, 3, rng=rng, speed=1), "unexpected keyword argument 'speed'"),
    ):
        with pytest.raises(TypeError, match=said):
            make()


def test_operators_without_an_op():
    x = mg.tensor([7.0])
    for use, name in (
        (lambda: x // 2, "np.floor_divide"),
        (lambda: x % 2, "np.remainder"),
        (lambda: 2 // x, "np.floor_divide"),
        (lambda: 2 % x, "np.remainder"),
        (lambda: +x, "np.positive"),
    ):
        with pytest.raises(TypeError, match=f"{name} has no op in minigrad: declare"):
            use()


def test_an_unknown_name_is_pythons_own_error():
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'sume'"):
        mg.tensor(1.0).sume  # noqa: B018
    with pytest.raises(AttributeError, match="module 'minigrad' has no attribute 'sn'"):
        mg.sn  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'cat'"):
        from minigrad import cat  # noqa: F401


@pytest.mark.parametrize(
    "thing",
    [
        mg.tensor(1.0),
        mg.parameter(1.0),
        Linear(1, 1, rng=np.random.default_rng(0)),
        mg,
        nn,
    ],
)
def test_asking_whether_it_is_there_works(thing):
    for name in ("numpy", "cat", "LSTM", "nothing", "__array_interface__"):
        assert getattr(thing, name, 3) == 3
    assert hasattr(thing, "__class__")


class Broken(Module):
    """A property fails while it computes."""

    @property
    def weights(self):
        """Its own error is to be seen, and not advice for the name."""
        return self.nothing


def test_the_error_inside_of_a_property_is_seen():
    with pytest.raises(
        AttributeError, match="'Broken' object has no attribute 'nothin"
    ):
        Broken().weights  # noqa: B018


def test_copies_and_pickles_of_modules_and_optimisers_are_as_before():
    module = Linear(2, 1, rng=np.random.default_rng(0))
    twin = copy.deepcopy(module)
    assert twin.state_dict().keys() == module.state_dict().keys()
    assert copy.copy(module).W is module.W
    optimiser = optim.Adam(module.parameters())
    assert copy.copy(optimiser).parameters == optimiser.parameters
    with pytest.raises(TypeError, match="a Tensor is a place in a graph"):
        pickle.dumps(module)
    assert pickle.loads(pickle.dumps(Broken())).parameters() == []


def drawn():
    W = mg.parameter(np.eye(2), name="W")
    return mg.draw((np.ones((1, 2)) @ W).named("h"))


RNG = np.random.default_rng(0)
# What needs a package, and the extra that brings it.
EXTRAS = {
    "axes": (lambda: drawn().to_axes(None), "matplotlib", "train"),
    "curves": (lambda: curves(History(), "a"), "matplotlib", "train"),
    "series": (lambda: series.chart(None, 0, 0, 0, 0), "matplotlib", "train"),
    "sunspots": (lambda: sunspots.chart(None, None), "matplotlib", "train"),
    "adding": (lambda: adding._chart([], []), "matplotlib", "train"),
    "memory": (lambda: memory._memory(None, None), "matplotlib", "train"),
    "analysis": (lambda: blank(None, "t", "h"), "matplotlib", "train"),
    "save": (lambda: save_weights("a", Linear(1, 1, rng=RNG)), "safetensors", "train"),
    "load": (lambda: load_weights("a", Linear(1, 1, rng=RNG)), "safetensors", "train"),
    "onnx": (lambda: to_onnx(mg.tanh, np.ones(2)), "onnx", "onnx"),
    "cases": (lambda: pytest_cases(time_ops), "pytest", "test"),
    "strategies": (
        lambda: importlib.import_module("minigrad.testing.strategies"),
        "hypothesis",
        "test",
    ),
}


class Without:
    """A finder by which a package is not installed."""

    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        if name == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize("name", EXTRAS)
def test_a_package_that_is_missing_is_named_with_what_installs_it(name, monkeypatch):
    use, package, extra = EXTRAS[name]
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Without(package), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "minigrad.testing.strategies", raising=False)
    said = f"{package} is missing: pip install 'minigrad-rnn[{extra}]'"
    with pytest.raises(ModuleNotFoundError) as error:
        use()
    assert str(error.value) == said
