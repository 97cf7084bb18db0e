r"""Names as in LaTeX: accents, faces, Greek letters, what is raised and lowered.

Vocabulary
    token   a sign, a brace, or a command with its backslash
    index   the face of what is raised or lowered: letters italic, digits upright

>>> [(run.text, run.rise) for run in typeset(r"\hat{y}_{t}^2", "italic")]
[('ŷ', 0.0), ('t', -4.0), ('2', 4.5)]
>>> greek("W_alpha_0")
'W_{α,0}'
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from unicodedata import normalize

from minigrad.draw.page.scene import Line, Run

SIZE, RAISED = 18.0, 11.0
UP, DOWN = 4.5, -4.0
SMALL = re.findall(
    r"\S+",
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron "
    "pi rho - sigma tau upsilon phi chi psi omega",
)
GREEK = {
    name: chr(first + i)
    for first, names in ((0x3B1, SMALL), (0x391, [n.title() for n in SMALL]))
    for i, name in enumerate(names)
    if name != "-"
}
SIGNS = GREEK | {
    "varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "ell": "ℓ", "infty": "∞",
    "partial": "∂", "cdot": "·", "times": "×", "prime": "′", "to": "→",
}  # fmt: skip
FACES = {
    "mathbf": "bold", "boldsymbol": "bolditalic", "bm": "bolditalic",
    "mathrm": "serif", "text": "serif", "mathit": "italic", "mathcal": "italic",
}  # fmt: skip
ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303",
    "bar": "\u0304", "overline": "\u0304", "dot": "\u0307", "ddot": "\u0308",
    "vec": "\u20d7",
}  # fmt: skip
TOKEN = re.compile(r"(\\[A-Za-z]+) ?|(\\[{}_^$&%#]|.)")
ESCAPED = [*"{}_^$&%#"]
PART = r"[^\W_]{1,8}"
PLAIN = re.compile(
    rf"([^\W\d_]|{'|'.join(GREEK)})(?:_?(\d{{1,3}}))?((?:_{PART}){{0,2}})"
)
DEEPEST = 8  # braces


def greek(name: str) -> str:
    r"""A plain name of one letter and indices in LaTeX, any other as it is.

    >>> greek("h1"), greek("theta"), greek("W_xh"), greek("loss"), greek("h^{(2)}")
    ('h_{1}', 'θ', 'W_{xh}', 'loss', 'h^{(2)}')
    """
    plain = PLAIN.fullmatch(name)
    if not plain:
        return name
    base, digits, rest = plain.groups(default="")
    parts = ([digits] if digits else []) + rest.split("_")[1:]
    below = ",".join(GREEK.get(part, part) for part in parts)
    return GREEK.get(base, base) + (f"_{{{below}}}" if below else "")


def typeset(name: str, face: str) -> Line:
    """The runs of a name; none if it is not written as in LaTeX."""
    written = re.search(r"[\\^]|_\{", name) and name.count("{") <= DEEPEST
    if not written and len(name) != 1:
        return ()
    tokens = [command or sign for command, sign in TOKEN.findall(name)]
    return tuple(_runs(tokens, face, SIZE, 0.0))


def _runs(tokens: Sequence[str], face: str, size: float, rise: float) -> list[Run]:
    runs: list[Run] = []
    for token, argument in _commands(tokens):
        scale, command = size / SIZE, token.removeprefix("\\")
        if token in ("_", "^"):
            up = (UP if token == "^" else DOWN) * scale
            runs += _runs(argument, "index", RAISED * scale, rise + up)
        elif token == "{":
            runs += _runs(argument, face, size, rise)
        elif command != token and command in ACCENTS:
            first, *others = _runs(argument, face, size, rise) or [Run("")]
            text = first.text[:1] + ACCENTS[command] + first.text[1:]
            runs += [replace(first, text=normalize("NFC", text)), *others]
        elif command != token and command in FACES:
            argument = ["ℒ"] if argument == ["L"] and "cal" in command else argument
            runs += _runs(argument, FACES[command], size, rise)
        else:
            text = SIGNS.get(command, token)
            text = command if command in ESCAPED else text
            own = face
            if face == "index":
                own = "italic" if text.isalpha() else "serif"
            runs.append(Run(text, own, size, rise))
    return [run for run in joined(runs) if run.text]


def joined(line: Iterable[Run]) -> Line:
    """The line with what looks alike in one run."""
    groups = groupby(line, lambda run: replace(run, text=""))
    return tuple(replace(a, text="".join(r.text for r in runs)) for a, runs in groups)


def _commands(tokens: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each sign or command with the tokens of its argument, if it takes one."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        takes = token in ("_", "^") or token[1:] in ACCENTS or token[1:] in FACES
        start = i + 1 if takes else i
        i = start + 1
        if start >= len(tokens) or tokens[start] != "{":
            if token != "}":
                yield token, tokens[start:i] if takes else ()
            continue
        depth = 1
        while i < len(tokens) and depth:
            depth += {"{": 1, "}": -1}.get(tokens[i], 0)
            i += 1
        yield token, tokens[start + 1 : i - (not depth)]
