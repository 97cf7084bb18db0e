"""The site in two languages, each a build of its own, offline:

    sphinx-build -W docs docs/_build
    sphinx-build -W -D language=es -c docs docs/es docs/_build/es

Four things are our own. Pages are run before they are read (``pages``), so figures
and numbers are those of the code beside them. Formulas become MathML, which browsers
show without any script. Docstrings are turned from minigrad's form into Sphinx' own.
A page and its translation have one name, and each links to the other.
"""

import json
import logging
import re
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import cheat_sheet  # noqa: E402
import docstrings  # noqa: E402
import formulas  # noqa: E402
import pages  # noqa: E402
import reference  # noqa: E402
import take_away  # noqa: E402
from docutils import nodes  # noqa: E402
from sphinx.locale import _  # noqa: E402
from sphinx.util.logging import getLogger  # noqa: E402

import minigrad  # noqa: E402

# A page that writes a PDF would tell of each letter of its fonts.
logging.getLogger("fontTools").setLevel(logging.WARNING)
told = getLogger(__name__)
project = "minigrad"
language = "en"
author = "the minigrad authors"
copyright = f"{author}, MIT licence"
release = version = minigrad.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
exclude_patterns = ["_build", "es"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"minigrad {version}"
html_static_path = ["_static"]
html_css_files = ["figures.css"]
html_favicon = "_static/favicon.svg"
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_math_renderer = "mathml"
html_copy_source = False
# Without a colour of its own, code would stand on the page's white.
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-code-background": "#f4f5f7"},
}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
add_module_names = False
# Formulas are MathML, and nothing else is fetched when a page is read.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


# What the theme leaves out for those who do not see the page or have no mouse.
MENDED = {
    'role="heading"': 'role="heading" aria-level="2"',
    '<aside class="sidebar-drawer"': '<aside aria-label="site" class="sidebar-drawer"',
    '<aside class="toc-drawer': '<aside aria-label="page" class="toc-drawer',
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    'display="block">': 'display="block" tabindex="0">',
}


# What stands in the theme itself, or in this file, and no translation reaches.
MENDED_IN_SPANISH = {
    "Toggle site navigation sidebar": "Mostrar u ocultar la navegación",
    "Toggle table of contents sidebar": "Mostrar u ocultar el índice de la página",
    "Toggle Light / Dark / Auto color theme": "Tema claro, oscuro o automático",
    "Link to this heading": "Enlace a este título",
    'aria-label="site"': 'aria-label="sitio"',
    'aria-label="page"': 'aria-label="página"',
    copyright: "los autores de minigrad, licencia MIT",
    "<title>Contents<": "<title>Contenido<",
    "<title>Menu<": "<title>Menú<",
    "<title>Expand<": "<title>Abrir<",
    "<title>Light mode<": "<title>Modo claro<",
    "<title>Dark mode<": "<title>Modo oscuro<",
    "<title>Auto light/dark, in light mode<": "<title>Modo automático, ahora claro<",
    "<title>Auto light/dark, in dark mode<": "<title>Modo automático, ahora oscuro<",
    ' and <a class="muted-link" href="https://pradyunsg.me">@pradyunsg</a>\'s': " y",
}


# What Sphinx' own Spanish leaves empty, or spells wrong, of what a search says.
FOUND_IN_SPANISH = {
    "Search finished, found one page matching the search query.": [
        "Se ha encontrado una página.",
        "Se han encontrado ${resultCount} páginas.",
    ],
    "Your search did not match any documents. Please make sure that all words are "
    "spelled correctly and that you've selected enough categories.": "No se ha "
    "encontrado ninguna página. Compruebe cómo están escritas las palabras, o busque "
    "menos palabras.",
}


# Spans that look as the text around them: half of a page of the reference.
SLIM = {
    r'<dt class="sig .*?</dt>': "pre|default_value|sig-paren|n|o|p|w",
    "<code.*?</code>": "pre",
    "<pre.*?</pre>": "n|nn|p|w",
}
# Types of NumPy's that are spelt out, and the names that they have there.
NUMPY = {
    r"~(?:typing|numpy[\w.]*)\.": "",
    re.escape("ndarray[tuple[Any, ...], dtype[Any]]"): "ndarray",
    r"type\[Any\] \| dtype\[Any\] \| _Has.{0,150}?_DTypeDict \| str": "DTypeLike",
}


def slim(text: str) -> str:
    """A page without the spans that nobody sees."""
    for part, kinds in SLIM.items():
        text = re.sub(part, partial(bare, kinds), text, flags=re.DOTALL)
    for spelt, name in NUMPY.items():
        text = re.sub(spelt, name, text)
    return text


def bare(kinds: str, found: re.Match[str]) -> str:
    """A part of a page without spans of these classes; one may hold another."""
    text = found[0]
    for _time in range(3):
        text = re.sub(f'<span class="(?:{kinds})">([^<]*)</span>', r"\1", text)
    return text


def mend(app: Any, exception: Exception | None) -> None:
    """Mend the pages that were written, and leave out what nobody sees."""
    spanish = app.config.language == "es"
    script = Path(app.outdir, "_static/translations.js")
    if spanish and script.exists():
        said = {"messages": FOUND_IN_SPANISH, "plural_expr": "n == 1 ? 0 : 1"}
        with script.open("a", encoding="utf-8") as file:
            file.write(f"Documentation.addTranslations({json.dumps(said)});\n")
    for path in Path(app.outdir).rglob("*.html"):
        if not {"made", "_static"} & set(path.relative_to(app.outdir).parts):
            text = path.read_text(encoding="utf-8")
            for old, new in MENDED.items():
                text = text.replace(new, old).replace(old, new)
            for old, new in MENDED_IN_SPANISH.items() if spanish else ():
                text = text.replace(old, new)
            path.write_text(slim(formulas.held(text)), encoding="utf-8")


# A link from one language to the other, which is another site.
ACROSS = re.compile(r"\[([^]]+)\]\((\.\./|es/)([\w/-]+)\.(?:md|ipynb)(#[^)]+)?\)")


def run_page(app: Any, docname: str, source: list[str]) -> None:
    """Run a page's code and put what it made into its text."""
    path = Path(app.env.doc2path(docname))
    folder = Path(app.outdir, "made")
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * docname.count("/")
    place = pages.Place(folder, f"{up}made")
    notebook = folder / f"{path.stem}.ipynb"
    # Errors that a page shows name its lines, not this machine's folders.
    given = pages.markdown(path), path.relative_to(HERE.parent).as_posix(), place
    # A process for each page, so that nodes are numbered from the page's first.
    with ProcessPoolExecutor(1) as process:
        if docname in CHAPTERS:
            ran = process.submit(take_away.run, *given, notebook)
        else:
            ran = process.submit(pages.run, *given)
        source[0] = ran.result()
    if path.suffix == ".ipynb":
        shutil.copy(path, notebook)
    if docname in CHAPTERS or path.suffix == ".ipynb":
        title, _, rest = source[0].partition("\n")
        link = taken(f"{up}made/{notebook.name}", app.config.language)
        source[0] = f"{title}\n{link}{rest}"
    if docname.count("/") == 0:
        source[0] = ACROSS.sub(r'<a href="\2\3.html\4">\1</a>', source[0])


# The chapters, each a notebook to take away, too.
CHAPTERS = ["start", "sequences", "graphs", "sharing", "networks", "bptt"]
CHAPTERS += ["long-term", "models"]
TAKE = {"en": "This page as a notebook", "es": "Esta página como cuaderno"}


def taken(notebook: str, language: str) -> str:
    """The line that leads to a page's notebook."""
    link = f'<a href="{notebook}" download>{TAKE[language]}</a>'
    return f'\n```{{raw}} html\n<p class="take">{link}</p>\n```\n'


def write_sheet(app: Any) -> None:
    """The cheat sheet, as LaTeX and where pdflatex is as PDF."""
    folder = Path(app.outdir, "made")
    folder.mkdir(parents=True, exist_ok=True)
    # In a process, as the pages are: it counts nodes, too.
    with ProcessPoolExecutor(1) as process:
        path = folder / "cheat-sheet.tex"
        process.submit(cheat_sheet.write, path, app.config.language).result()


# What the theme says around a page.
SPANISH = {
    "Back to top": "Volver arriba",
    "Home": "Inicio",
    "Made with": "Hecho con",
    "Next": "Siguiente",
    "On this page": "En esta página",
    "Please activate JavaScript to enable the search functionality": "Para buscar hace "
    "falta JavaScript",
    "Previous": "Anterior",
    "Search": "Buscar",
    "Skip to content": "Ir al contenido",
}


DESCRIPTION = {
    "en": "Recurrent networks as graphs: figures, equations and gradients, read off "
    "code that ran.",
    "es": "Redes recurrentes como grafos: figuras, ecuaciones y gradientes, leídos de "
    "código que se ejecutó.",
}


def both_languages(
    app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Every page leads to its translation, or to the other site's first page."""
    spanish = app.config.language == "es"
    there = Path(app.srcdir, ".." if spanish else "es")
    known = any((there / f"{pagename}{end}").exists() for end in source_suffix)
    up = "../" * (pagename.count("/") + spanish) + "es/" * (not spanish)
    other, name = ("en", "English") if spanish else ("es", "Español")
    page = f"{up}{pagename if known else 'index'}.html"
    context |= {"other_page": page, "other_language": other, "other_name": name}
    tags = f'<meta name="description" content="{DESCRIPTION[app.config.language]}">'
    if known:
        tags += f'<link rel="alternate" hreflang="{other}" href="{page}">'
    context["metatags"] = context.get("metatags", "") + tags
    if spanish:
        context["_"] = context["gettext"] = lambda text: re.sub(
            r"[\w ]*\w", lambda said: SPANISH.get(said[0], said[0]), _(text), count=1
        )


def rewrite(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Called by Sphinx for each docstring."""
    lines[:] = docstrings.rewritten(lines)
    if what in ("class", "exception", "function", "method"):
        where = reference.place(thing)
        lines += ["", f"Source: ``{where}``"] if where else []


def formula(display: str) -> Any:
    """How the HTML writer shows a formula."""

    def visit(self: Any, node: Any) -> None:
        shown = formulas.mathml(node.astext(), display)
        if lost := formulas.missing(shown):
            told.warning(f"the font of formulas lacks {lost!r}", location=node)
        self.body.append(shown)
        raise nodes.SkipNode

    return visit, None


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_sheet)
    app.connect("source-read", run_page)
    app.connect("html-page-context", both_languages)
    app.connect("build-finished", mend)
    app.connect("autodoc-process-docstring", rewrite)
    app.add_html_math_renderer("mathml", formula("inline"), formula("block"))
    return {"parallel_read_safe": False, "version": "1"}
