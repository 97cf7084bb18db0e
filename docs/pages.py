"""Pages whose code runs: what the build of the site and the tests read them with.

Vocabulary
    page      a Markdown file, or a notebook, which is turned into Markdown first
    block     a fence ``python``: it is shown and run, in one namespace a page; what it
              prints, and the value of its last line, are shown below it
    made      a fence ``{made}``: code that is run and not shown; what it prints is
              Markdown of the page (a table, a list); it may assert what the text says
    shown     a fence ``{shown} name``: the figure that the block before it ended with,
              or that of ``:of:``, with ``:alt:`` for who cannot see it, and a caption;
              with ``:moves:`` it is the page that unfolds and plays, and the still
              figure stands where there is no script, and in print
    raises    a fence ``{raises} Error: words``: code that must raise that error with
              those words in its message, which is shown below it
    value     ``{value}`expression` `` within a sentence: a number that was computed
    check     a fence ``{check}``: what an answer to the exercise above has to pass
    answer    a fence ``{answer}``: code that passes it, folded away with what it prints
    wrong     a fence ``{wrong} Error: words``: a likely mistake, folded away: it or the
              check raises that error. No answer leaves a name behind for the page.

Without a place for its figures a page is only run, which is what the tests do.

>>> print(run("```python\\n1 + 1\\n```\\nIt is {value}`1 + 2`.", "page"))
```python
1 + 1
```
<BLANKLINE>
```{code-block} text
:class: output
2
```
It is 3.
"""

import ast
import contextlib
import html
import io
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import charts

from minigrad import Figure
from minigrad.draw.render.theme import Style

FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
VALUE = re.compile(r"\{value\}`([^`]+)`")
OPTION = re.compile(r"^:(\w+):\s*(.*)$")
ALONE = {"en": "The page alone", "es": "La página sola"}
# Up to this a network's figure shrinks on a phone; a wider one is scrolled there.
NARROW = 620
# Characters of output that a page shows; more is a mistake of the page.
MOST = 5000
# What stands on the folded answers, by the page's language.
FOLDED = {
    "en": {"{answer}": "Answer", "{wrong}": "A mistake, and what is said to it"},
    "es": {"{answer}": "Respuesta", "{wrong}": "Un error, y lo que se le contesta"},
}


class Place(NamedTuple):
    """Where a page's figures go, and how the page refers to that folder."""

    folder: Path
    href: str


def spoken(path: Path) -> str:
    """The language of a page, by its folder."""
    return "es" if "docs/es/" in path.as_posix() else "en"


def markdown(path: Path) -> str:
    """The text of a page; a notebook's cells become prose and blocks."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    parts = []
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        if alt := cell["metadata"].get("alt"):
            name = f"{'es-' * (spoken(path) == 'es')}{path.stem}-{number}"
            parts.append(f"```{{shown}} {name}\n:alt: {alt}\n```")
    return "\n\n".join(parts)


def run(
    text: str, name: str, place: Place | None = None, kept: list[str] | None = None
) -> str:
    """The page with what its code has made in it; its figures are in ``place``.

    ``kept`` gets the page as it was written, with what its values and ``{made}`` say.
    """
    names: dict[str, Any] = {"__name__": name}
    kept = [] if kept is None else kept
    made: list[str] = []
    last: Any = None
    check = ""
    end = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for fence in FENCE.finditer(text):
            made.append(_prose(text[end : fence.start()], names))
            kept += [made[-1], fence[0]]
            end = fence.end()
            kind, _, argument = fence[2].strip().partition(" ")
            line = text.count("\n", 0, fence.start(3))
            if kind == "python":
                printed, last = _executed(fence[3], name, line, names)
                made += [fence[0], _output(printed, last)]
            elif kind == "{raises}":
                said = _raised(fence[3], argument, name, line, names)
                made += [f"```python\n{fence[3]}```", _output(said, None)]
            elif kind == "{made}":
                printed, _ = _executed(fence[3], name, line, names)
                made.append(printed)
                kept[-1] = printed
            elif kind == "{check}":
                check = fence[3]
                made.append(f"```python\n{check}```")
            elif kind in ("{answer}", "{wrong}"):
                said = _answered(kind, fence[3], check, argument, name, line, names)
                words = FOLDED[spoken(Path(name))][kind]
                made.append(_folded(words, f"```python\n{fence[3]}```{said}"))
            elif kind == "{shown}":
                body = _prose(fence[3], names)
                made.append(_figure(argument, body, last, names, place))
                kept[-1] = f"{fence[1]}{fence[2]}\n{body}{fence[1]}"
            else:
                made.append(fence[0])
        made.append(_prose(text[end:], names))
        kept.append(made[-1])
    return "".join(made)


def _executed(
    code: str, name: str, line: int, names: dict[str, Any]
) -> tuple[str, Any]:
    """What code prints, and the value of its last line if that is an expression."""
    # Blank lines in front keep the page's line numbers in a traceback.
    tree = ast.parse("\n" * line + code, name)
    tail = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        tail = ast.Expression(tree.body.pop().value)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), names)
        value = None if tail is None else eval(compile(tail, name, "eval"), names)
    return printed.getvalue(), value


def _raised(
    code: str, expected: str, name: str, line: int, names: dict[str, Any]
) -> str:
    """The error that code ends with, notes included, as a traceback shows it."""
    kind, _, words = expected.partition(": ")
    try:
        _executed(code, name, line, names)
    except Exception as error:
        said = "\n".join([f"{type(error).__name__}: {error}", *_notes(error)])
        if type(error).__name__ != kind or words not in said:
            raise AssertionError(f"{name}:{line}: expected {expected}") from error
        return said
    raise AssertionError(f"{name}:{line}: expected {expected}, nothing was raised")


def _answered(
    kind: str,
    code: str,
    check: str,
    expected: str,
    name: str,
    line: int,
    names: dict[str, Any],
) -> str:
    """What an answer prints, or what a wrong one is told, shown as output."""
    if not check:
        raise ValueError(f"{name}:{line}: an answer needs a {{check}} before it")
    tried = dict(names)
    if kind == "{wrong}":
        return _output(_raised(code + check, expected, name, line, tried), None)
    printed, value = _executed(code, name, line, tried)
    _executed(check, name, line, tried)
    return _output(printed, value)


def _folded(summary: str, text: str) -> str:
    return (
        "\n```{raw} html\n"
        f'<details class="answer"><summary>{summary}</summary>\n```\n'
        f"\n{text}\n\n```{{raw}} html\n</details>\n```\n"
    )


def _notes(error: Exception) -> list[str]:
    return list(getattr(error, "__notes__", ()))


def _output(printed: str, value: Any) -> str:
    if value is not None and not isinstance(value, (Figure, charts.Chart, Path)):
        printed += repr(value)
    if not printed:
        return ""
    if len(printed) > MOST:
        raise ValueError(
            f"a block shows {len(printed)} characters: end it otherwise, or print fewer"
        )
    return f"\n\n```{{code-block}} text\n:class: output\n{printed.rstrip()}\n```"


def _prose(text: str, names: dict[str, Any]) -> str:
    return VALUE.sub(lambda found: str(eval(found[1], names)), text)


def _figure(
    name: str, body: str, last: Any, names: dict[str, Any], place: Place | None
) -> str:
    options, caption = {}, []
    for line in body.splitlines():
        if not caption and (found := OPTION.match(line)):
            options[found[1]] = found[2]
        else:
            caption.append(line)
    figure = eval(options["of"], vars(charts) | names) if "of" in options else last
    if not isinstance(figure, (Figure, charts.Chart)):
        raise TypeError(f"{name}: the block before it ends with {figure!r}, no figure")
    alt = options.get("alt", "")
    if len(alt) < 20:
        raise ValueError(f"{name}: a figure needs :alt:, a sentence that says it all")
    if place is None:
        return ""
    images = []
    for theme in ("light", "dark"):
        language = "es" if name.startswith("es-") else "en"
        svg, width = _drawn(figure, theme == "dark", language)
        least = 0 if isinstance(figure, charts.Chart) else min(width, NARROW)
        (place.folder / f"{name}-{theme}.svg").write_text(svg, encoding="utf-8")
        source = f"{place.href}/{name}-{theme}.svg"
        images.append(
            f'<a class="only-{theme}" href="{source}"><img src="{source}" '
            f'alt="{html.escape(alt)}" loading="lazy" '
            f'style="width:{width}px;min-width:{least}px"></a>'
        )
    frame, kind = "", "drawn"
    if "moves" in options:
        frame, kind = _frame(name, figure, alt, place), "drawn moves"
    return (
        f'\n```{{raw}} html\n<figure class="{kind}" id="{name}">{frame}'
        f'<div class="scroll" tabindex="0">{"".join(images)}</div><figcaption>\n```\n\n'
        + "\n".join(caption)
        + "\n\n```{raw} html\n</figcaption></figure>\n```\n"
    )


def _frame(name: str, figure: Any, alt: str, place: Place) -> str:
    """The page of a figure, in a frame."""
    figure.html(place.folder / f"{name}.html")
    source = f"{place.href}/{name}.html"
    words = ALONE[figure.look.language]
    return (
        f'<iframe src="{source}" title="{html.escape(alt)}" loading="lazy"></iframe>'
        f'<p class="alone"><a href="{source}">{words}</a></p>'
    )


def _drawn(figure: Figure | charts.Chart, dark: bool, language: str) -> tuple[str, int]:
    """SVG text and its width in CSS pixels; ``language`` is that of a chart."""
    if isinstance(figure, charts.Chart):
        return figure.svg(dark, language), charts.WIDTH
    look = figure.look
    if dark and look.name == "color":
        look = Style("dark", language=look.language)
    return replace(figure, look=look).svg(), round(figure.size[0] * 96 / 72)
