"""The figure that ``draw`` returns: a scene in a style, and every way to get it out.

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> scene = arranged([Node("h", 0, 0, 46, 46, ((Run("h", "italic", 18),),))], [], [])
>>> figure = Figure(scene)
>>> figure.png(dpi=72)[1:4], "<svg" in figure.svg(), figure.dot[:16]
(b'PNG', True, 'digraph minigrad')
"""

import html
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from minigrad.draw.ops.layout_dot import placed
from minigrad.draw.page.letters import UNPRINTABLE
from minigrad.draw.page.scene import Scene
from minigrad.draw.render.audit import Fault, faults
from minigrad.draw.render.dot import write
from minigrad.draw.render.engine import Engine, GraphvizNotFound, find, guarded_dpi, run
from minigrad.draw.render.theme import Style, style
from minigrad.files import replacing
from minigrad.pickles import NotPickled

GROUP = re.compile(
    r'<g id="(\w+)" class="(node|edge|graph)"([^>]*)>\s*<title>(.*?)</title>', re.S
)
LETTERS = re.compile(r"[nt]\d+_\d+")


@dataclass(frozen=True, eq=False)
class Figure(NotPickled):
    """A drawn graph.

    Attributes
    ----------
    scene: what stands where, as data.
    data: the numbers of the overlay or the backward view: {name: {t: number}}.

    ``save`` takes the format from the suffix: .png .jpg .svg .pdf .dot .gv.
    """

    _instead: ClassVar[str] = 'save it with figure.save("name.svg")'

    scene: Scene
    look: Style = field(default_factory=lambda: style("color"))
    engine: str = "auto"
    data: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @cached_property
    def dot(self) -> str:
        """The DOT text, made without any engine."""
        return write(self.scene, self.look)

    @cached_property
    def _ready(self) -> Scene:
        """The scene to be drawn: one without coordinates gets them first."""
        if self.scene.placed:
            return self.scene
        return placed(self.scene, self.look, self._engine)

    def _drawn(self, form: str, **graph: str) -> bytes:
        """What the engine makes of the figure; ``graph`` are attributes of it."""
        source = (
            self.dot if self._ready is self.scene else write(self._ready, self.look)
        )
        extra = "".join(f"{name}={value} " for name, value in graph.items())
        source = source.replace("graph [", f"graph [{extra}", 1)
        return run(self._engine, "neato", form, source)

    def png(self, dpi: float = 200) -> bytes:
        """The figure as PNG, ``dpi`` pixels to the inch (72 points)."""
        return self._image("png", dpi)

    def svg(self) -> str:
        """The figure as SVG; nodes and arrows carry titles that a browser shows."""
        return titled(self._drawn("svg").decode(), self._ready)

    def json(self, engine: str | None = None) -> dict[str, Any]:
        """The geometry that the engine drew, for checks."""
        figure = self if engine is None else replace(self, engine=engine)
        answer: dict[str, Any] = json.loads(figure._drawn("json"))
        return answer

    def audit(self) -> list[Fault]:
        """What touches, hides or is mistaken for another; none in a clean figure."""
        return faults(self._ready)

    def save(self, path: str | Path, dpi: float = 200) -> Path:
        """Write the figure and return its path; the file is whole or not there.

        Without any Graphviz the DOT text is left beside it, and GraphvizNotFound says
        so. PDF needs the C Graphviz.
        """
        path = Path(path)
        form = path.suffix.lower().removeprefix(".")
        if form in ("dot", "gv"):
            with replacing(path) as temporary:
                temporary.write_text(self.dot, encoding="utf-8")
            return path
        if form not in ("png", "jpg", "jpeg", "svg", "pdf"):
            raise ValueError(
                f"cannot tell a format from {path.name!r}: "
                "use .png, .jpg, .svg, .pdf, .dot or .gv"
            )
        try:
            if form == "svg":
                data = self.svg().encode()
            else:
                data = self._image(form.replace("jpeg", "jpg"), dpi)
        except GraphvizNotFound as error:
            kept = path.with_suffix(".dot")
            with replacing(kept) as temporary:
                temporary.write_text(self.dot, encoding="utf-8")
            raise GraphvizNotFound(f"{error}; the figure is kept in {kept}") from None
        with replacing(path) as temporary:
            temporary.write_bytes(data)
        return path

    @cached_property
    def _engine(self) -> Engine:
        return find(self.engine)

    def _image(self, form: str, dpi: float) -> bytes:
        width, height = self.size
        dpi = guarded_dpi(width, height, dpi)
        # The resolution belongs to the picture, not to the figure.
        return self._drawn(form, dpi=f"{dpi:g}")

    @cached_property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        return self._ready.width, self._ready.height

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """PNG at twice the resolution and SVG for notebooks; the text if that fails."""
        bundle: dict[str, Any] = {"text/plain": repr(self)}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                bundle["image/svg+xml"] = self.svg()
                bundle["image/png"] = self.png(dpi=192)
                width = round(self.size[0] * 96 / 72)
        except Exception as error:
            bundle["text/plain"] = f"{self!r}: {error}"
            return bundle
        return bundle, {"image/png": {"width": width}}

    def __copy__(self) -> "Figure":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Figure":
        return self  # nothing of it changes

    def __repr__(self) -> str:
        count = sum(node.shape != "text" for node in self.scene.nodes)
        return f"<Figure: {count} nodes, {len(self.scene.edges)} edges>"


def titled(svg: str, scene: Scene) -> str:
    """SVG whose titles say what each thing stands for, in place of Graphviz' ids."""
    titles = {f"n{i}": node.title for i, node in enumerate(scene.nodes)}
    titles |= {f"e{i}": edge.title for i, edge in enumerate(scene.edges)}

    titles["graph0"] = scene.title

    def named(match: re.Match[str]) -> str:
        name, what, rest, said = match.groups()
        words = html.escape(UNPRINTABLE.sub("?", titles.get(name, "")))
        # Letters lie over their outline and would take the pointer from it.
        rest += ' pointer-events="none"' if LETTERS.fullmatch(said) else ""
        title = f"\n<title>{words}</title>" if words else ""
        return f'<g id="{name}" class="{what}"{rest}>{title}'

    return GROUP.sub(named, svg)
