"""Sums over the steps: one product or one reduction, and sums that lack some terms.

The gradient of a parameter shared by all steps is such a sum: that of the products
a(t)ᵀ d(t) is one product of all rows of a with all rows of d.
"""

from minigrad.compile.line import Line, Steps
from minigrad.compile.writer import Writer


def over_steps(e: Writer, line: Line) -> None:
    """A sum over the steps: one product, or one reduction."""
    arguments = [e.batched(operand, line) for operand in line.reads]
    if line.op == "product_over_steps":
        (a, a_timed, _), (d, d_timed, _) = arguments
        if a_timed and d_timed:
            rows, columns = line.shape
            code = f"np.dot({e.rows(a, rows)}.T, {e.rows(d, columns)})"
        elif not a_timed and not d_timed:
            code = f"np.dot({a}.T, {d}) * ({e.count(line)})"
        else:
            left = "tbi" if a_timed else "bi"
            right = "tbj" if d_timed else "bj"
            code = f'np.einsum("{left},{right}->ij", {a}, {d})'
        e.body.append(f"{line.name} = {code}")
        return
    ((code, timed, _),) = arguments
    if not timed:
        code = f"np.add.reduce({code})" if line.op == "rows_over_steps" else code
        e.body.append(f"{line.name} = {code} * ({e.count(line)})")
    elif line.op == "rows_over_steps":
        # A product with ones is several times faster than a sum over the first axis.
        rows = e.lines[line.reads[0][0].role].shape[0]
        number = f"({e.count(line)}) * {rows}"
        ones = e.keep("ones", f"np.ones({number}, np.{line.dtype})")
        e.body.append(f"{line.name} = np.dot({ones}, {e.rows(code, line.shape[-1])})")
    else:
        e.body.append(f"{line.name} = np.add.reduce({code})")


def partial(e: Writer, line: Line) -> None:
    """A sum that lacks some terms at its first or last steps."""
    store = e.buffer(line)
    e.body.append(f"{store.name}[...] = 0")
    length = e.storage.length(line.clock)
    for operand in line.reads:
        for source in operand:
            steps = line.span
            if source.span is not None:
                met = Steps.of(source.span).meet(steps, length)
                assert met is not None, "a term's span lies within that of its sum"
                steps = met
            for piece in e.storage.pieces((source,), steps, line.clock):
                code = e.piece(piece) if piece.one else e.window(*piece.cells())
                out = e.window(store, piece.steps)
                e.body.append(f"np.add({out}, {code}, {out})")
