"""The file: what was written, checked by ONNX and run beside the function."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, shape_inference
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops import op_scan

from minigrad.exchange.onnx.nodes import Nodes, info
from minigrad.exchange.onnx.traces import (
    ExportError,
    Recorder,
    Recording,
    Symbol,
    recorded,
    tolerance,
)
from minigrad.exchange.onnx.twins import has_twin
from minigrad.exchange.onnx.write import Writing
from minigrad.files import replacing

OPSET, IR_VERSION = 20, 9  # of the year 2023


def exported(
    f: Callable[..., Any], example: Sequence[Any], path: str | PathLike[str] | None
) -> ModelProto:
    """See ``to_onnx``."""
    recorder = Recorder(f, example, has_twin)
    for i, value in enumerate(example):
        if type(value) in (bool, int, float):
            warnings.warn(
                f"argument {i + 1} is {value!r} in the file, as in the example: give "
                f"np.asarray({value!r}) for an input",
                stacklevel=3,
            )
    recording = recorded(recorder)
    model, writing = model_of(recorder, recording)
    calls, said = writing.n.calls, writing.said
    check(model, calls)
    said += _compared(model, recorder, recording)
    for line in said:
        warnings.warn(line, stacklevel=3)
    if path is not None:
        with replacing(path) as temporary:
            temporary.write_bytes(model.SerializeToString())
    return model


def model_of(recorder: Recorder, recording: Recording) -> tuple[ModelProto, Writing]:
    """The model, and what wrote it."""
    n = Nodes(recording.symbols, recorder.names)
    writing = Writing(recording, n)
    made = writing.write()
    outputs = []
    for k, (name, (a, b)) in enumerate(zip(made, recording.results, strict=True)):
        own = name in n.kept and name not in made[:k]
        if not own:  # an input, a parameter, an output twice, or what has no name
            call = [c for node, c in n.calls if name in node.output]
            name = n.add("Identity", name, out=n.fresh(a.name or "output"))
            n.calls += [(n.nodes[-1], c) for c in call]
        outputs.append(info(name, a.dtype, recording.shape(a.shape, b.shape)))
    inputs = []
    for i, (name, array) in enumerate(
        zip(recorder.names, recorder.arrays, strict=True)
    ):
        free = {axis: s.name for s in recording.symbols for k, axis in s.axes if k == i}
        shape = [free.get(k, size) for k, size in enumerate(array.shape)]
        inputs.append(info(name, array.dtype, shape))
    graph = helper.make_graph(
        n.outer, getattr(recorder.f, "__name__", type(recorder.f).__name__),
        inputs, outputs, list(n.initializers.values()),
    )  # fmt: skip
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="minigrad")
    model.ir_version = IR_VERSION
    return model, writing


def check(model: ModelProto, calls: Sequence[tuple[Any, str]]) -> None:
    """ONNX's own check; what it finds is said with the user's call."""
    try:
        checker.check_model(model, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        name = re.search(r"node name: ([^)]*)\)", str(error))
        of = [call for node, call in calls if name and node.name == name[1]]
        call = ", ".join(of) or "the file"
        raise ExportError(f"{call}: ONNX refuses it: {error}") from error


def _compared(model: ModelProto, recorder: Recorder, recording: Recording) -> list[str]:
    """Run the model beside the function, at several sizes; where it does not run."""
    runner, refused = ReferenceEvaluator(model, new_ops=[Scan]), []
    symbols = recording.symbols
    for few, sizes in _samples(symbols):
        try:
            trace = recorder.eager(symbols, sizes)
        except Exception:
            continue  # the function itself runs at no such size
        given = recorder.sized(symbols, sizes).arrays
        feeds = dict(zip(recorder.names, given, strict=True))
        at = ", ".join(f"{s.name} = {n}" for s, n in zip(symbols, sizes, strict=True))
        try:
            with np.errstate(all="ignore"):
                found = runner.run(None, feeds)
        except Exception as error:
            refused.append(f"the file does not run at {at}, where f does: {error}")
            if not few:
                raise ExportError(refused[-1]) from error
            continue
        for got, want in zip(found, trace.results, strict=True):
            _require_same(np.asarray(got), want.data, at, _mixed(model))
    return refused


def _mixed(model: ModelProto) -> str:
    """What to write where arguments are float64 and parameters float32, or nothing."""
    floats, doubles = TensorProto.FLOAT, TensorProto.DOUBLE
    inputs = [i.name for i in model.graph.input if _kind(i) == doubles]
    narrow = any(w.data_type == floats for w in model.graph.initializer)
    if not (inputs and narrow):
        return ""
    names = ", ".join(inputs)
    return (
        f" ({names} is float64 beside parameters of float32: write .astype(np.float32))"
    )


def _kind(argument: Any) -> Any:
    return argument.type.tensor_type.elem_type


def _require_same(got: Any, want: Any, said: str, mixed: str) -> None:
    if (got.shape, got.dtype) != (want.shape, want.dtype):
        raise ExportError(
            f"at {said} the file gives {got.dtype} {got.shape} and f gives "
            f"{want.dtype} {want.shape}: f does something else there, or its shape "
            "depends on values"
        )
    if not np.allclose(got, want, **tolerance(want.dtype), equal_nan=True):
        off = np.abs(got.astype(float) - want.astype(float)).max()
        raise ExportError(
            f"at {said} the file is off by {off:.3g}: f does something else "
            f"there{mixed}"
        )


def _samples(symbols: Sequence[Symbol]) -> Iterator[tuple[bool, list[int]]]:
    """Sizes at which the model is run: whether they are few, and which."""
    for k in range(3 if symbols else 0):
        yield True, [1 + (k + i) % 3 for i, _ in enumerate(symbols)]
    yield False, [s.length for s in symbols]
    yield False, [s.both.a for s in symbols]


class Scan(op_scan.Scan):  # type: ignore[misc]
    """Loops that run back, for the evaluator of ONNX: they see time reversed."""

    op_domain = ""

    def __init__(self, node: Any, parameters: Any) -> None:
        forward = helper.make_node("Scan", node.input, node.output)
        for attribute in node.attribute:
            if "directions" not in attribute.name:
                forward.attribute.append(attribute)
            elif 1 in attribute.ints:
                self.back = True
        super().__init__(forward, parameters)

    back = False

    def _run(self, *values: Any, **attributes: Any) -> Any:
        states = len(values) - self.num_scan_inputs
        way = slice(None, None, -1 if self.back else 1)
        given = [v[way] for v in values[states:]]
        found = super()._run(*values[:states], *given, **attributes)
        return (*found[:states], *[v[way] for v in found[states:]])
