"""Safetensors that other programs wrote: bytes by hand, and the package's own."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from minigrad.models import ManyToMany
from minigrad.nn import Linear
from minigrad.train import load_checkpoint, load_weights, save_weights
from minigrad.train.tensor_file import read_tensors

SIZES = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8, "I64": 8, "F8_E4M3": 1}


def rng():
    return np.random.default_rng(0)


def layer(dtype=np.float32):
    return Linear(2, 3, rng=rng(), dtype=dtype)


def written(path, tensors, metadata=None, padding=0):
    """A file made of bytes alone: name, type, shape and bytes of each tensor."""
    header, end, data = {}, 0, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (kind, shape, content) in tensors.items():
        entry = {
            "dtype": kind,
            "shape": shape,
            "data_offsets": [end, end + len(content)],
        }
        header[name], end, data = entry, end + len(content), data + content
    text = json.dumps(header).encode() + b" " * padding
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def values(kind, numbers):
    """The bytes of numbers of a type."""
    array = np.asarray(numbers, np.float32)
    if kind == "BF16":
        return (array.view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[kind]).tobytes()


def of_layer(kind, names=("W", "b")):
    """W and b of the layer as tensors of a type: small numbers that each type has."""
    W, b = names
    return {
        W: (kind, [2, 3], values(kind, [[0.5, -2, 3], [4, 0.25, 1.5]])),
        b: (kind, [3], values(kind, [1, -0.125, 7])),
    }


def assert_loaded(module):
    assert module.W.data.tolist() == [[0.5, -2, 3], [4, 0.25, 1.5]]
    assert module.b.data.tolist() == [1, -0.125, 7]


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt", "by": "hand"}])
@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_types_that_float32_holds_are_converted(tmp_path, kind, metadata):
    path = written(tmp_path / "a", of_layer(kind), metadata)
    load_weights(path, module := layer())
    assert_loaded(module)
    assert module.W.dtype == np.float32


@pytest.mark.parametrize("kind", ["F64", "F32", "F16", "BF16"])
def test_float64_holds_them_all(tmp_path, kind):
    path = written(tmp_path / "a", of_layer(kind))
    load_weights(path, module := layer(np.float64))
    assert_loaded(module)
    assert module.W.dtype == np.float64


@pytest.mark.parametrize("padding", range(8))
@pytest.mark.parametrize("kind", ["F32", "BF16"])
def test_numbers_may_begin_at_any_byte(tmp_path, kind, padding):
    path = written(tmp_path / "a", of_layer(kind), padding=padding)
    load_weights(path, module := layer())
    assert_loaded(module)


def test_tensors_of_an_odd_number_of_bytes_before_them(tmp_path):
    first = {"flag": ("BOOL", [3], b"\1\0\1")}
    arrays, said = read_tensors(
        written(tmp_path / "a", first | of_layer("F32")), others=True
    )
    assert arrays["flag"].tolist() == [True, False, True]
    assert arrays["b"].tolist() == [1, -0.125, 7]
    assert said == {}


def test_every_bfloat16_is_the_float_that_it_stands_for(tmp_path):
    bits = np.arange(2**16)
    sign = 1 - 2 * (bits >> 15)
    exponent, fraction = (bits >> 7) & 255, bits & 127
    finite = exponent < 255
    normal = sign * 2.0 ** (exponent - 127.0) * (1 + fraction / 128)
    expected = np.where(exponent > 0, normal, sign * 2.0**-126 * (fraction / 128))
    content = bits[finite].astype("<u2").tobytes()
    path = written(tmp_path / "a", {"x": ("BF16", [int(finite.sum())], content)})
    found = read_tensors(path, others=True)[0]["x"]
    np.testing.assert_array_equal(found, expected[finite].astype(np.float32))
    assert np.signbit(found[(bits == 1 << 15)[finite]]).all()


def test_shapes_of_one_number_and_of_none(tmp_path):
    tensors = {"one": ("BF16", [], values("BF16", 3)), "none": ("BF16", [0, 4], b"")}
    arrays, _ = read_tensors(written(tmp_path / "a", tensors), others=True)
    assert (arrays["one"].item(), arrays["one"].shape) == (3.0, ())
    assert arrays["none"].shape == (0, 4)


def test_what_the_package_writes_is_read_under_other_names(tmp_path):
    model, path = ManyToMany(2, 3, 2, rng=rng()), tmp_path / "a"
    state = {f"net/{k.upper()}": a + 1 for k, a in model.state_dict().items()}
    save_file(state, path, {"format": "np"})
    names = {name: name.removeprefix("net/") for name in state}
    names = {k: v.replace("RNN.", "rnn.").replace("B", "b") for k, v in names.items()}
    names = {k: "c" if v == "C" else v for k, v in names.items()}
    load_weights(path, model, names=names)
    for name, array in state.items():
        np.testing.assert_array_equal(model.state_dict()[names[name]], array)


def test_a_file_of_ours_may_have_other_names_too(tmp_path):
    path = tmp_path / "a"
    save_weights(path, layer())

    class Renamed(Linear):
        def __init__(self):
            super().__init__(2, 3, rng=np.random.default_rng(1))
            self.kernel, self.W = self.W, None

    other = Renamed()
    load_weights(path, other, names={"W": "kernel"})
    np.testing.assert_array_equal(other.kernel.data, layer().W.data)


@pytest.mark.parametrize(
    ("tensors", "names", "words"),
    [
        (of_layer("F32", ("w", "b")), None, "W: missing; near it: w"),
        (of_layer("F32", ("W", "bias")), None, r"(?s)b: missing.*bias: the module has"),
        (of_layer("F32"), {"V": "W"}, "'V' is not in the file"),
        (of_layer("F32", ("Wx", "b")), {"Wy": "W"}, "not in the file; near it: Wx"),
        (of_layer("F32"), {"W": "w"}, "'w' is no parameter of the module"),
        (of_layer("F32", ("k", "b")), {"k": "b"}, "'b' is given twice, once by 'k'"),
        (of_layer("F32", ("k", "c")), {"k": "b", "c": "b"}, "'b' is given twice"),
        (of_layer("F64"), None, r"W: the module has float32 .* the state float64"),
        (
            of_layer("F32") | {"W": ("F32", [3, 2], values("F32", np.ones(6)))},
            None,
            r"\(3, 2\); PyTorch's way comes in by exchange.from_torch",
        ),
        (of_layer("F32") | {"b": ("I64", [3], bytes(24))}, None, "the state int64"),
        (of_layer("F32") | {"b": ("F8_E4M3", [3], bytes(3))}, None, "'F8_E4M3'; NumPy"),
        (
            of_layer("F32") | {"b": ("BF16", [3], b"\xc0\x7f" * 3)},
            None,
            r"b is nan at \[0\]",
        ),
        (
            of_layer("F32", ("lstm.weight_hh_l0", "b")),
            {"lstm.weight_hh_l0": "W"},
            r"PyTorch's rows \(lstm.weight_hh_l0\): write .*from_torch\(module, saf",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_changes(
    tmp_path, tensors, names, words
):
    path, module = written(tmp_path / "a", tensors), layer()
    before = module.state_dict()
    with pytest.raises(ValueError, match=words):
        load_weights(path, module, names=names)
    assert all(a is before[name] for name, a in module.state_dict().items())


def test_a_checkpoint_is_of_minigrad_alone(tmp_path):
    path = written(tmp_path / "a", of_layer("F32"))
    with pytest.raises(ValueError, match="not written by minigrad: it has no checksum"):
        load_checkpoint(path, {"module": layer()})


def archive(name, content):
    """A zip file with one entry, as np.savez and torch.save write it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive("net/data.pkl", b"\x80\2}q."), r"torch.save.*save_file\(.*from_torch"),
        (pickle.dumps({}, 2), "what torch.save writes, a pickle"),
        (archive("W.npy", bytes(90)), r"module\.load_state_dict\(np\.load\(path\)\)"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "it is HDF5, as Keras writes"),
        (b"W = 3, and some more words", "it ends within its header"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, words):
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"net.pt is not a whole .* file: .*{words}"):
        load_weights(path, layer())


def test_what_it_says_of_numpy_archives_is_so(tmp_path):
    path, module = tmp_path / "a.npz", layer()
    np.savez(path, W=np.full((2, 3), 7, np.float32), b=np.zeros(3, np.float32))
    module.load_state_dict(np.load(path))
    assert module.W.data.min() == 7


def test_names_are_a_mapping(tmp_path):
    path = tmp_path / "a"
    save_weights(path, layer())
    with pytest.raises(TypeError, match=r'as \{"kernel": "W"\}: got list'):
        load_weights(path, layer(), names=["W", "b"])
