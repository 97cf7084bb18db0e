"""The figure that ``draw`` returns: a scene in a style, and every way to get it out.

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> scene = arranged([Node("h", 0, 0, 46, 46, ((Run("h", "italic", 18),),))], [], [])
>>> figure = Figure(scene)
>>> figure.png(dpi=72)[1:4], "<svg" in figure.svg(), figure.dot[:16]
(b'PNG', True, 'digraph minigrad')
"""

import io
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, overload

from minigrad.advice import imported
from minigrad.draw.page.scene import Scene
from minigrad.draw.render import dot, svg, tikz
from minigrad.draw.render.audit import Fault, faults
from minigrad.draw.render.engine import Engine, GraphvizNotFound, find, guarded_dpi, run
from minigrad.draw.render.theme import Style, style
from minigrad.files import replacing
from minigrad.fold import Recurrence
from minigrad.graph import Graph
from minigrad.limits import within
from minigrad.pickles import NotPickled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from minigrad.draw.html import Page

FORMATS = ("png", "jpg", "svg", "pdf", "tex", "dot", "html")
DPI = "[1, 2400]"


@dataclass(frozen=True, eq=False)
class Figure(NotPickled):
    """A drawn graph.

    Attributes
    ----------
    scene: what stands where, as data.
    data: the numbers of the overlay or the backward view: {name: {t: number}}.
    source: what was drawn, which ``html`` unfolds; None for a view of operations.

    ``save`` takes the format from the suffix: .svg .png .jpg .pdf .tex .html .dot .gv.
    SVG, TikZ, HTML and DOT text need nothing but this package, PDF and ``to_axes`` need
    matplotlib, PNG and JPG a Graphviz.
    """

    _instead: ClassVar[str] = 'save it with figure.save("name.svg")'

    scene: Scene
    look: Style = field(default_factory=lambda: style("color"))
    engine: str = "auto"
    data: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    source: Graph | Recurrence | None = field(default=None, repr=False)

    @cached_property
    def dot(self) -> str:
        """The DOT text, made without any engine."""
        return dot.write(self.scene, self.look)

    def _drawn(self, form: str, **graph: str) -> bytes:
        """What the engine makes of the figure; ``graph`` are attributes of it."""
        extra = "".join(f"{name}={value} " for name, value in graph.items())
        source = self.dot.replace("graph [", f"graph [{extra}", 1)
        if self._engine.name == "dot":
            source = dot.for_pango(source)
        return run(self._engine, form, source)

    def svg(self) -> str:
        """The figure as SVG, which is as wide as it is or as the page.

        Nodes and arrows carry titles that a browser shows, and say by ``data-node`` and
        ``data-edge`` which of the scene's they are.
        """
        return svg.write(self.scene, self.look)

    def tex(self, standalone: bool = True) -> str:
        r"""The figure as TikZ: a LaTeX document, or the picture alone for ``\input``.

        Letters are LaTeX' own, and each kind of thing has a style (``mg hidden``).
        """
        write = tikz.document if standalone else tikz.picture
        return write(self.scene, self.look)

    def html(self, path: str | os.PathLike[str] | None = None) -> "Page":
        """The figure as one page that lights up, unfolds and plays, in any browser.

        The text of one file, which needs no other and asks for nothing; a notebook
        shows it, ``path`` is where it is written too. Raises ValueError for a graph
        whose parameters have changed since: their gradients are no longer those of it.
        """
        from minigrad.draw.html import page  # made when it is asked for

        made = page(self.source, self.scene, self.look)
        if path is not None:
            _keep(Path(path), made.encode())
        return made

    def to_axes(self, axes: "Axes") -> None:
        """Draw the figure on axes of matplotlib, as large as they are.

        True to size are axes of ``figure.size`` points (1/72 inch).

        Raises ModuleNotFoundError where matplotlib is not installed.
        """
        imported("matplotlib", "train")
        from minigrad.draw.render.axes import draw_on

        draw_on(axes, self.scene, self.look)

    def png(self, dpi: float = 200) -> bytes:
        """The figure as PNG, ``dpi`` pixels to the inch (72 points), by a Graphviz."""
        return self._image("png", dpi)

    def pdf(self) -> bytes:
        """The figure as PDF with its fonts in it, as large as ``size`` says.

        It is matplotlib that writes it, or where that is missing the C Graphviz.
        """
        try:
            from minigrad.draw.render.axes import pdf
        except ImportError:
            return self._drawn("pdf")
        return pdf(self.scene, self.look)

    def json(self, engine: str | None = None) -> dict[str, Any]:
        """The geometry that the engine drew, for checks."""
        figure = self if engine is None else replace(self, engine=engine)
        answer: dict[str, Any] = json.loads(figure._drawn("json"))
        return answer

    def audit(self) -> list[Fault]:
        """What touches, hides or is mistaken for another; none in a clean figure."""
        return faults(self.scene)

    @overload
    def save(
        self, file: str | os.PathLike[str], dpi: float = 200, format: str | None = None
    ) -> Path: ...
    @overload
    def save(
        self, file: IO[bytes] | IO[str], dpi: float = 200, format: str | None = None
    ) -> None: ...
    def save(
        self,
        file: str | os.PathLike[str] | IO[bytes] | IO[str],
        dpi: float = 200,
        format: str | None = None,
    ) -> Path | None:
        """Write the figure and return its path; the file is whole or not there.

        Parameters
        ----------
        file: a path, whose suffix says the format, or an open file, which needs one.
        dpi: pixels to the inch, of PNG and JPG.
        format: "svg", "png", "jpg", "pdf", "tex", "dot", "gv" or "html".

        Raises ValueError for another format and for a dpi out of its range, TypeError
        for a file that is neither, or that is open for text where bytes are written.
        Without any Graphviz a PNG cannot be made: the DOT text is left beside it, and
        GraphvizNotFound says so.
        """
        within("dpi", dpi, DPI)
        if not isinstance(file, (str, os.PathLike)):
            if not hasattr(file, "write"):
                raise TypeError(f"file is a path or an open file, got {file!r}")
            self._write_to(file, _format(format, "", "an open file"), dpi)
            return None
        path = Path(file)
        form = _format(format, path.suffix, repr(path.name))
        try:
            data = self._written(form, dpi)
        except GraphvizNotFound as error:
            kept = path.with_suffix(".dot")
            _keep(kept, self.dot.encode())
            raise GraphvizNotFound(f"{error}; the figure is kept in {kept}") from None
        _keep(path, data)
        return path

    def _write_to(self, file: Any, form: str, dpi: float) -> None:
        """Write to an open file."""
        data = self._written(form, dpi)
        text = isinstance(file, io.TextIOBase)
        if text and form in ("png", "jpg", "pdf"):
            raise TypeError(f'{form} is bytes: open the file with "wb", not "w"')
        file.write(data.decode() if text else data)

    def _written(self, form: str, dpi: float) -> bytes:
        """The whole file of a format."""
        if form in ("png", "jpg"):
            return self._image(form, dpi)
        if form == "pdf":
            return self.pdf()
        made = self.dot if form == "dot" else getattr(self, form)()
        return str(made).encode()

    @cached_property
    def _engine(self) -> Engine:
        return find(self.engine)

    def _image(self, form: str, dpi: float) -> bytes:
        within("dpi", dpi, DPI)
        width, height = self.size
        dpi = guarded_dpi(width, height, dpi)
        # The resolution belongs to the picture, not to the figure.
        return self._drawn(form, dpi=f"{dpi:g}")

    @cached_property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        return self.scene.width, self.scene.height

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """SVG for notebooks, and PNG at twice the resolution where an engine is."""
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        metadata: dict[str, Any] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                bundle["image/svg+xml"] = self.svg()
                bundle["image/png"] = self.png(dpi=192)
            metadata["image/png"] = {"width": round(self.size[0] * 96 / 72)}
        except Exception as error:
            bundle["text/plain"] = f"{self!r}: {error}"
        return bundle, metadata

    def __copy__(self) -> "Figure":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Figure":
        return self  # nothing of it changes

    def __repr__(self) -> str:
        count = sum(node.shape != "text" for node in self.scene.nodes)
        return f"<Figure: {count} nodes, {len(self.scene.edges)} edges>"


def _keep(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _format(asked: str | None, suffix: str, file: str) -> str:
    """The format that was asked for, or that the suffix of a file says."""
    form = (suffix if asked is None else asked).lower().removeprefix(".")
    form = {"jpeg": "jpg", "gv": "dot"}.get(form, form)
    if form not in FORMATS:
        what = f"cannot tell a format from {file}" if asked is None else f"no {asked!r}"
        known = ", ".join(f".{form}" for form in FORMATS)
        raise ValueError(f"{what}: use {known} or .gv, as suffix or as format=")
    return form
