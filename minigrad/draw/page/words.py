"""The words that figures write, in the languages that a style may ask for.

Vocabulary
    word    what a text says, whatever its language: ``Text.word``

Layouts write English, and say which word it is; ``translated`` puts another language in
its place. A braced part stays as it is. Numbers get the decimal comma of Spanish; what
an operation was told is Python, and keeps its point.

>>> say("es", "more steps", "14 more steps")
'14 pasos más'
>>> written("es", "0.13"), written("es", "‖·‖ 1.5e-3"), written("es", "norma 2.0")
('0,13', '‖·‖ 1,5e-3', 'norma 2,0')
"""

import re
from dataclasses import replace
from functools import partial

from minigrad.draw.page.scene import Lines, Node, Scene, Text

# The forms of each word; where a number is one the second pattern may differ.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "unfold": {"en": ("Unfold",), "es": ("Desplegar",)},
    "more steps": {
        "en": ("{} more steps", "{} more step"),
        "es": ("{} pasos más", "{} paso más"),
    },
    "steps": {"en": ("{} steps", "{} step"), "es": ("{} pasos", "{} paso")},
    "as one": {
        "en": ("{} values that read the same and are read by the same are one circle",),
        "es": (
            "{} valores que leen lo mismo y que leen los mismos son un solo círculo",
        ),
    },
    "only": {"en": ("only t = {}",), "es": ("solo t = {}",)},
    "structure": {
        "en": ("structure only: nothing was computed",),
        "es": ("solo la estructura: no se calculó nada",),
    },
    "scale": {"en": ("log scale",), "es": ("escala log",)},
    "sum": {
        "en": ("= Σ over t, norm {}", "norm {}"),
        "es": ("= Σ sobre t, norma {}", "norma {}"),
    },
}
# What is said of circles and arrows to who points at them or cannot see them, and of
# arrows whose letters stand below in words: parts, for names stand between them.
PHRASES: dict[str, list[tuple[str, str]]] = {
    "en": [],
    "es": [
        (r"^gradient (over|by) ", "gradiente por "),
        (r"^share of (.+) at step ", r"parte de \1 en el paso "),
        (r"^share of ", "parte de "),
        (r", all turns: ", ", todas las vueltas: "),
        (r"\bsum over t(?= into |, norm )", "suma sobre t"),
        (r"(?<=suma sobre t) into ", " hacia "),
        (r"(?<=[:,] )norm ", "norma "),
        (r"^delay of one step$", "retardo de un paso"),
        (r"^one step ahead$", "un paso adelante"),
        (r"(?<=[,:] )step (?=\d|later|earlier)", "paso "),
        (r"(?<= · )step (?=\d)", "paso "),
        (r"\b1 step later\b", "1 paso después"),
        (r"\b1 step earlier\b", "1 paso antes"),
        (r"\b(\d+) steps later\b", r"\1 pasos después"),
        (r"\b(\d+) steps earlier\b", r"\1 pasos antes"),
        (r", only t = ", ", solo t = "),
        (r", of ", ", de "),
        (r"(?<=[^→] )by (?=[^ ])", "por "),
        (r"(?<=, )shape (?=\()", "forma "),
        (r", (\d+) uses?\b", r", usos: \1"),
        (r", in (?=[^ ]+$)", ", en "),
        (r"(?<=: )(?:parameter)(?=,)", "parámetro"),
        (r"(?<=: )(?:input)(?=,)", "entrada"),
        (r"(?:^|(?<=: ))constant(?=,)", "constante"),
        (r"^Computational graph$", "Grafo computacional"),
        (r"^Folded: ", "Circuito plegado. "),
        (r"(?<=\. )Unfolded: (?=\d+ nodes)", "Columnas. "),
        (r"(?:^|(?<=\. ))(\d+) nodes\b", r"Nodos: \1"),
        (r" and (\d+) more\)", r" y \1 más)"),
        (r", (\d+) arrows\.", r"; flechas: \1."),
        (r" (\d+) arrows of the graph are left out\.$", r" Flechas omitidas: \1."),
        (r": (\d+) operations$", r": \1 operaciones"),
    ],
}
LANGUAGES = tuple(WORDS["unfold"])
# A number that is all that is written, or that follows a norm.
NUMBER = re.compile(r"(^|‖·‖ |\bnorma )([-−]?\d+)\.(\d+(?:e-?\d+)?)$")
# What the entries of a legend say in each language, in their order.
LEGEND: dict[str, tuple[str, str]] = {
    "input": ("input", "entrada"),
    "hidden": ("hidden state", "estado oculto"),
    "output": ("output", "salida"),
    "loss": ("loss", "pérdida"),
    "target": ("target", "objetivo"),
    "value": ("value", "valor"),
    "initial": ("initial state", "estado inicial"),
    "rim": ("step before or after", "paso anterior o posterior"),
    "constant": ("constant", "constante"),
    "parameter": ("parameter", "parámetro"),
    "operation": ("operation", "operación"),
    "scope": ("scope, collapsed", "ámbito, plegado"),
    "gradient": ("gradient by a parameter", "gradiente de un parámetro"),
    "delay": ("one step of delay", "un paso de retardo"),
    "ahead": ("one step ahead", "un paso adelante"),
    "dot": ("steps left out", "pasos omitidos"),
    "frame": ("scope, or loop within a step", "ámbito, o bucle en un paso"),
    "once": ("at some steps only", "solo en algunos pasos"),
    "recurrence": ("to a later step", "a un paso posterior"),
    "bus": ("one value, to each use", "un valor, a cada uso"),
    "muted": ("values, forward", "valores, hacia delante"),
    "flow": ("gradient, thick where large", "gradiente, grueso si es grande"),
    "matrix": ("matrix", "matriz"),
    "vector": ("vector", "vector"),
    "scalar": ("scalar", "escalar"),
}


def say(language: str, word: str, english: str) -> str:
    """English words in that language; ValueError for words that are not of the form."""
    for form, other in zip(WORDS[word]["en"], WORDS[word][language], strict=True):
        pattern = re.escape(form).replace(r"\{\}", "(.+)")
        match = re.fullmatch(pattern, english)
        if match:
            return other.format(*match.groups())
    raise ValueError(f"{english!r} is no form of the word {word!r}")


def phrased(language: str, english: str) -> str:
    """What is said of a thing, in that language; names stay as they are.

    >>> phrased("es", "h → h, 1 step later, by W")
    'h → h, 1 paso después, por W'
    """
    for part, other in PHRASES[language]:
        english = re.sub(part, other, english)
    return written(language, english)


def written(language: str, text: str) -> str:
    """A text with its number as that language writes it."""
    return text if language == "en" else NUMBER.sub(r"\1\2,\3", text)


def translated(scene: Scene, language: str) -> Scene:
    """The scene with its words in that language."""

    def numbers_in(lines: Lines) -> Lines:
        return tuple(
            tuple(replace(run, text=written(language, run.text)) for run in line)
            for line in lines
        )

    def text_in(text: Text) -> Text:
        if not text.word:
            return replace(text, lines=numbers_in(text.lines))
        of = phrased if text.word == "aside" else partial(say, word=text.word)
        words = written(language, of(language, english=text.words))
        return replace(text, lines=((replace(text.lines[0][0], text=words),),))

    def node_in(node: Node) -> Node:
        title = phrased(language, node.title)
        return replace(node, title=title, lines=numbers_in(node.lines))

    if language == "en":
        return scene
    return replace(
        scene,
        texts=tuple(map(text_in, scene.texts)),
        nodes=tuple(map(node_in, scene.nodes)),
        edges=tuple(replace(e, title=phrased(language, e.title)) for e in scene.edges),
    )
