"""The site in two languages, each a build of its own, offline:

    sphinx-build -W docs docs/_build
    sphinx-build -W -D language=es -c docs docs/es docs/_build/es

Four things are our own. Pages are run before they are read (``pages``), so figures
and numbers are those of the code beside them. Formulas become MathML, which browsers
show without any script. Docstrings are turned from minigrad's form into Sphinx' own.
A page and its translation have one name, and each links to the other.
"""

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import pages  # noqa: E402
from docutils import nodes  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402
from sphinx.locale import _  # noqa: E402

import minigrad  # noqa: E402

project = "minigrad"
author = copyright = "the minigrad authors"
release = version = minigrad.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
exclude_patterns = ["_build", "es"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "minigrad"
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
python_maximum_signature_line_length = 80
# Formulas are MathML, and nothing else is fetched when a page is read.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


# A link from one language to the other, which is another site.
ACROSS = re.compile(r"\[([^]]+)\]\((\.\./|es/)([\w/-]+)\.(?:md|ipynb)(#[^)]+)?\)")


def run_page(app: Any, docname: str, source: list[str]) -> None:
    """Run a page's code and put what it made into its text."""
    path = Path(app.env.doc2path(docname))
    folder = Path(app.outdir, "made")
    folder.mkdir(parents=True, exist_ok=True)
    up = "../" * docname.count("/")
    place = pages.Place(folder, f"{up}made")
    # A process for each page, so that nodes are numbered from the page's first.
    with ProcessPoolExecutor(1) as process:
        ran = process.submit(pages.run, pages.markdown(path), str(path), place)
        source[0] = ran.result()
    if docname.count("/") == 0:
        source[0] = ACROSS.sub(r'<a href="\2\3.html\4">\1</a>', source[0])


# What the theme says around a page.
SPANISH = {
    "Back to top": "Volver arriba",
    "Home": "Inicio",
    "Made with": "Hecho con",
    "Next": "Siguiente",
    "On this page": "En esta página",
    "Previous": "Anterior",
    "Search": "Buscar",
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
    if known:
        link = f'<link rel="alternate" hreflang="{other}" href="{page}">'
        context["metatags"] = context.get("metatags", "") + link
    if spanish:
        context["_"] = context["gettext"] = lambda text: re.sub(
            r"[\w ]*\w", lambda said: SPANISH.get(said[0], said[0]), _(text), count=1
        )


# A docstring's sections and vocabularies: see STYLE in CONTRIBUTING.md.
SECTION = re.compile(r"^(Parameters|Attributes)$")
ENTRY = re.compile(r"^([\w*][\w*, ]*): (.*)$")
# What would be taken for markup: a star as in (*y.shape, ...), an s behind ``code``.
MARKUP = re.compile(r"(``[^\s`][^`]*``)(?=\w)|(?<![\w*`>])\*(?=\w)")
TERM = re.compile(r"^    (\S+(?: \S+)*)  +(\S.*)$")


def rewrite(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """From minigrad's docstrings to reStructuredText, in place."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()  # what Python says of a named tuple's fields
    out: list[str] = []
    kind = ""  # of the lines being read: a section, a vocabulary or a formula
    for i, line in enumerate(lines):
        rule = i + 1 < len(lines) and set(lines[i + 1]) == {"-"}
        if SECTION.match(line) and rule:
            kind = "section"
            out.append("")
        elif kind == "section" and set(line) == {"-"}:
            continue
        elif kind == "section" and (entry := ENTRY.match(line)):
            for parameter in entry[1].split(", "):
                out.append(f":param {parameter.lstrip('*')}: {entry[2]}")
        elif kind == "section" and line.strip() and not line.startswith(" "):
            kind = ""
            out += ["", line]
        elif not kind and line.startswith("    ") and not _inside_doctest(out):
            kind = "terms" if out and out[-1].strip() else "formula"
            if kind == "terms" and not TERM.match(line):
                kind = ""
                out.append(line)
                continue
            opened = [""] if "".join(out).endswith("::") else ["", "::", ""]
            out += [""] if kind == "terms" else opened
            out += _term(line) if kind == "terms" else [line]
        elif kind == "terms" and line.startswith("    "):
            term = TERM.match(line) if line[4] != " " else None
            out += _term(line) if term else [f"   {MARKUP.sub(escaped, line.strip())}"]
        elif kind in ("terms", "formula") and line.strip() and line[0] != " ":
            kind = ""
            out += ["", line]
        else:
            out.append(line)
    lines[:] = [
        line if line.startswith((" ", ">>>")) else MARKUP.sub(escaped, line)
        for line in out
    ]


def escaped(found: re.Match[str]) -> str:
    """A backslash before a star, a backslash and a space behind code."""
    return f"{found[1]}\\ " if found[1] else "\\*"


def _term(line: str) -> list[str]:
    found = TERM.match(line)
    assert found is not None
    return [found[1], f"   {MARKUP.sub(escaped, found[2])}"]


def _inside_doctest(out: list[str]) -> bool:
    for line in reversed(out):
        if not line.strip():
            return False
        if line.startswith((">>>", "...")):
            return True
    return False


# "tanh a" is no product: an invisible sign says so, and a thin space shows it.
FUNCTION = re.compile(r"<mi>(tanh|softmax|log|exp|diag|cos|sin)</mi>(?!<mo[^>]*>[({])")
APPLIED = r'<mi>\1</mi><mo>&#x2061;</mo><mspace width="0.17em"/>'


def formula(display: str) -> Any:
    """How the HTML writer shows a formula."""

    def visit(self: Any, node: Any) -> None:
        said = convert(node.astext(), display=display)
        self.body.append(FUNCTION.sub(APPLIED, said))
        raise nodes.SkipNode

    return visit, None


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", run_page)
    app.connect("html-page-context", both_languages)
    app.connect("autodoc-process-docstring", rewrite)
    app.add_html_math_renderer("mathml", formula("inline"), formula("block"))
    return {"parallel_read_safe": False, "version": "1"}
