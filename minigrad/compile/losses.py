"""A pass: cross-entropy and its gradient are opened into parts that they share."""

from typing import Any

import numpy as np

from minigrad.compile import forms
from minigrad.compile.line import Line, LoopProgram
from minigrad.fold.roles import Source


def open_losses(program: LoopProgram) -> str:
    """Give cross_entropy(o, y) and the softmax(o) of its gradient their common parts.

    With o shifted by its maximum to z, e = exp(z) and s the sum of e, the losses are
    log s - z[y] and softmax is e / s; the gradient subtracts 1 at y.
    """
    opened = 0
    for loss in list(program.lines.values()):
        if loss.op != "cross_entropy" or not _plain_loss(loss):
            continue
        logits, target = loss.reads
        if np.dtype(program.lines[logits[0].role].dtype).kind != "f":
            continue
        if isinstance(program.lines[target[0].role].value, int):
            continue  # one row, and its class as a number: there is nothing to index
        add = _Adder(program, loss)
        o = program.lines[logits[0].role]
        column, across = (*o.shape[:-1], 1), {"axis": -1, "keepdims": True}
        ignore = {"ignore_index": loss.attrs.get("ignore_index", -100)}
        top = add("max", np.max, [logits], column, across)
        z = add("subtract", np.subtract, [logits, top], o.shape)
        e = add("exp", np.exp, [z], o.shape)
        s = add("sum", np.sum, [e], column, across)
        rows = add(
            "picked_losses", forms.picked_losses, [z, s, target], o.shape[:-1], ignore
        )
        reduction = loss.attrs.get("reduction", "mean")
        counted = {"classes": o.shape[-1], **ignore, "axis": None, "dtype": o.dtype}
        share = add("per_kept", forms.per_kept, [target], (), counted)
        if reduction == "none":
            program.replace(loss.index, rows[0].role)
        else:
            total = rows if reduction == "sum" else add("sum", np.sum, [rows], ())
            loss.op, loss.forward = (
                ("sum", np.sum) if reduction == "sum" else ("multiply", np.multiply)
            )
            loss.reads = [total] if reduction == "sum" else [total, share]
            loss.attrs = {}
        opened += 1
        for soft in list(program.lines.values()):
            if (soft.op, soft.reads, soft.attrs.get("axis", -1)) == (
                "softmax",
                [logits],
                -1,
            ) and (soft.clock, soft.steps) == (loss.clock, loss.steps):
                soft.op, soft.forward, soft.attrs = "divide", np.divide, {}
                soft.reads = [e, s]
        _open_gradient(program, target, ignore, reduction, share)
    return f"{opened} losses share the exponentials of their gradient"


def _plain_loss(line: Line) -> bool:
    """Whether all targets weigh alike, in a dtype whose sums are made in itself."""
    single = all(len(operand) == 1 for operand in line.reads)
    return (
        single
        and len(line.reads) == 2
        and not line.attrs.get("label_smoothing")
        and line.dtype != "float16"
    )


class _Adder:
    """Makes lines that run with another one and read values of its step."""

    def __init__(self, program: LoopProgram, like: Line) -> None:
        self.program, self.like = program, like
        self.dtype = program.lines[like.reads[0][0].role].dtype

    def __call__(
        self, op: str, forward: Any, reads: list[Any], shape: Any, attrs: Any = None
    ) -> Any:
        line = self.program.new(
            self.like, op, op=op, forward=forward, reads=reads, shape=shape,
            attrs=attrs or {}, dtype=self.dtype, kind="op", variadic=False,
        )  # fmt: skip
        span = self.like.reads[0][0].span
        if line.timed:
            return (Source(line.index, "delay", 0, None, span),)
        return (Source(line.index, "plain"),)


def _open_gradient(
    program: LoopProgram, target: Any, ignore: Any, reduction: str, share: Any
) -> None:
    """Rewrite g * (softmax * rows(q) - q), q the target's weights, by its parts."""
    lines = program.lines
    for line in list(lines.values()):
        if line.op != "multiply" or any(len(operand) != 1 for operand in line.reads):
            continue
        scale, inner = line.reads
        minus = lines[inner[0].role]
        if minus.op != "subtract" or any(len(operand) != 1 for operand in minus.reads):
            continue
        product, q = (lines[operand[0].role] for operand in minus.reads)
        if q.op != "target_weights" or q.reads[0] != target or not _plain_loss(q):
            continue
        if product.op != "multiply" or lines[product.reads[1][0].role].reads != [
            minus.reads[1]
        ]:
            continue
        soft = lines[product.reads[0][0].role]
        if soft.op != "divide":
            continue
        column = lines[soft.reads[1][0].role].shape
        if np.broadcast_shapes(lines[scale[0].role].shape, column) != column:
            continue  # one number for each class, not for each loss
        add = _Adder(program, line)
        if reduction == "mean":
            shape = lines[scale[0].role].shape
            scale = add("multiply", np.multiply, [scale, share], shape)
        line.op, line.forward = "class_gradient", forms.class_gradient
        line.reads, line.attrs = [*soft.reads, target, scale], ignore
