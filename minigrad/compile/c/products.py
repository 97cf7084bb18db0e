"""Products of matrices in C: which function, packed where, in which loops around it.

Vocabulary
    packed  the right factor in panels that vectors are read from, made once where it is
            the same at every step
    long    a product over many rows, such as a weight's gradient: both factors are read
            in blocks that stay in the cache
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from minigrad.compile.c.elements import FLOATS
from minigrad.compile.c.lines import loops
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.threads import PRODUCTS, Unit, begin, worth
from minigrad.compile.c.views import UnsayableError, View, nested

# From so many rows on a factor that lies transposed is read in blocks.
LONG = 256


def matrices(a: View, b: View, out: View, ranks: Sequence[int]) -> list[View]:
    """Factors and result with two axes behind those that they share."""
    if ranks[0] == 1:
        a, out = (
            a.widened(len(a.shape) - 1),
            out.widened(len(out.shape) - (ranks[1] > 1)),
        )
    if ranks[1] == 1:
        b, out = b.widened(len(b.shape)), out.widened(len(out.shape))
    front = out.shape[:-2]
    return [
        v.broadcast((*front, *v.shape[-2:])) if v is not out else v for v in (a, b, out)
    ]


def product(
    a: View, b: View, out: View, packed: Callable[[View], tuple[str, list[str]]],
    pad: Callable[..., str], functions: dict[str, str], threads: int,
) -> list[Unit]:  # fmt: skip
    """Units that write a b into out.

    ``packed`` gives b in panels, and lines that pack it if they must run each time;
    ``pad`` memory for factors on their way. ``functions`` has one for each shape.
    """
    *front, m, n = out.shape
    k, end = a.shape[-1], FLOATS[out.dtype]
    if n.number is None or (n != 1 and out.strides[-1] != 1):
        raise UnsayableError("a product whose columns do not lie in one piece")
    shared = all(stride == 0 for stride in b.strides[: len(front)])
    if shared:
        b = b.transposed(range(len(front), len(b.shape)))
    sizes, (left, right, into), m, la, ldc = _loops(a, b, out, shared)
    indices = [f"q{d or ''}" for d in range(len(sizes))]

    def moved(v: View, strides: Sequence[Size]) -> str:
        offset = v.offset
        for i, stride in zip(indices, strides, strict=True):
            offset = offset + stride * size(i)
        return replace(v, offset=offset).pointer

    split = threads > 1 and shared and worth([*sizes, m, k, n], PRODUCTS)
    split = split and not sizes and m != 1
    rows_of = m
    if split:  # each thread takes some rows
        a = replace(a, offset=a.offset + begin(m) * la)
        out = replace(out, offset=out.offset + begin(m) * ldc)
        rows_of = size(f"(TO({m}) - FROM({m}))")
    at_a, at_out = moved(a, left), moved(out, into)
    sa = a.strides[-1]
    turned = la == 1 and b.strides[-1] == 1 and m.number is not None
    if turned and (k.number is None or k.number >= LONG):
        at_b = b.pointer if shared else moved(b, right)
        name = _function(functions, end, "product_long", None if split else m, None, n)
        call = (
            f"{name}({f'{rows_of}, ' if split else ''}{k}, {at_a}, {sa}, {at_b}, "
            f"{b.strides[-2]}, {at_out}, {ldc}, {pad(out.dtype, 0, n.number, True)});"
        )
        return [Unit(loops(sizes, indices, [call], "") if sizes else [call], split)]
    if k.number is None:
        raise UnsayableError("a product over an axis whose length is free")
    fixed = m if m.number and not split else None
    name = _function(functions, end, "product", fixed, k, n, sa == 1)
    call = f"{name}({'' if fixed else f'{rows_of}, '}{at_a}, {la}, {sa}, "
    if shared:
        panels, lines = packed(b)
        call = f"{call}{panels}, {at_out}, {ldc});"
        made = loops(sizes, indices, [call], "") if sizes else [call]
        return [*([Unit(lines)] if lines else []), Unit(made, split)]
    panels = pad(out.dtype, k.number, n.number)
    lines = [pack(b, moved(b, right), panels), f"{call}{panels}, {at_out}, {ldc});"]
    return [Unit(loops(sizes, indices, lines, ""))]


def _loops(
    a: View, b: View, out: View, shared: bool
) -> tuple[list[Size], list[list[Size]], Size, Size, Size]:
    """What is looped over around products, with strides of a, b and out in it.

    Then the rows of one product, and how far those of a and of out lie apart: where all
    have one right factor, rows of all are rows of one product.
    """
    if not shared:
        fronts = [v.transposed(range(len(v.shape) - 2)) for v in (a, b, out)]
        sizes, strides = nested(out.shape[:-2], fronts)
        return sizes, strides, out.shape[-2], a.strides[-2], out.strides[-2]
    rows = [v.transposed(range(len(v.shape) - 1)) for v in (a, out)]
    sizes, (left, into) = nested(out.shape[:-1], rows)
    if not sizes:
        sizes, left, into = [size(1)], [a.shape[-1]], [out.shape[-1]]
    m, la, ldc = sizes.pop(), left.pop(), into.pop()
    return sizes, [left, [], into], m, la, ldc


def _function(
    functions: dict[str, str], end: str, kind: str, m: Size | None, k: Size | None,
    n: Size, in_rows: bool = False,
) -> str:  # fmt: skip
    """The name of a function for products of these sizes; None where they are free."""
    sizes = "x".join("n" if s is None else str(s) for s in (m, k, n))
    name = f"{end}_{kind}_{sizes}{'' if in_rows or k is None else '_turned'}"
    if name not in functions:
        t = {"f": "float", "d": "double"}[end]
        free = "".join(
            f"ptrdiff_t {s}, " for s, own in (("m", m), ("k", k)) if own is None
        )
        a = f"const {t} *a, ptrdiff_t lda"
        left = "lda, 1" if in_rows else "lda, sa"
        if kind == "product":
            takes = f"{free}{a}, ptrdiff_t sa, const {t} *b, {t} *c, ptrdiff_t ldc"
            gives = f"{m or 'm'}, {k or 'k'}, {n}, 0, a, {left}, b, c, ldc"
            note = "(void)sa; " if in_rows else ""
        else:
            takes = f"{free}{a}, const {t} *b, ptrdiff_t ldb, "
            takes += f"{t} *c, ptrdiff_t ldc, {t} *pad"
            gives = f"{m or 'm'}, {k or 'k'}, {n}, 0, a, lda, b, ldb, c, ldc, pad"
            note = ""
        functions[name] = (
            f"APART static void {name}({takes}) {{\n"
            f"    {note}{end}_{kind}({gives});\n}}"
        )
    return name


def pack(b: View, pointer: str, panels: str) -> str:
    """The line that packs a right factor."""
    k, n = b.shape[-2:]
    down, right = b.strides[-2:]
    if n == 1:
        right = size(1)
    if k == 1:
        down = size(1) if right != 1 else n
    if right != 1 and down != 1:
        raise UnsayableError("a factor whose rows and columns lie apart")
    end = FLOATS[b.dtype]
    return f"{end}_pack({k}, {n}, {pointer}, {down}, {right}, {panels});"
