"""From minigrad's docstrings to reStructuredText.

Sphinx' own napoleon reads what stands behind a parameter's colon as its type; here it
is the sentence that says what the parameter is, and vocabularies and formulas are
indented.

>>> rewritten(["Adds.", "", "Parameters", "----------", "a, b: two arrays"])[-1]
':param b: two arrays'
>>> print(rewritten(["As ``h``, where ``W`` is; two ``op``s."])[0])
As ``h``, where ``W`` is; two ``op``\\ s.
"""

import re

# A docstring's sections and vocabularies: see STYLE in CONTRIBUTING.md.
SECTION = re.compile(r"^(Parameters|Attributes)$")
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)$")
# What would be taken for markup: a star as in (*y.shape, ...), an s behind ``code``.
MARKUP = re.compile(r"((?<![^\s(\[])``[^\s`][^`]*``)(?=\w)|(?<![\w*`>])\*(?=\w)")
TERM = re.compile(r"^    (\S+(?: \S+)*)  +(\S.*)$")


def rewritten(lines: list[str]) -> list[str]:
    """A docstring of minigrad as reStructuredText."""
    if lines and lines[0].startswith("Alias for field number"):
        return []  # what Python says of a named tuple's fields
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
    return [
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
