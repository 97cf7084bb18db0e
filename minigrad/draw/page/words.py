"""The words that figures write, in the languages that a style may ask for.

Vocabulary
    word    what a text says, whatever its language: ``Text.word``

Layouts write English, and say which word it is; ``translated`` puts another language in
its place. A braced part stays as it is.

>>> say("es", "more steps", "14 more steps")
'14 pasos más'
"""

import re
from dataclasses import replace

from minigrad.draw.page.scene import Scene, Text

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
# What stands in words for an arrow without letters, part by part.
ASIDE = {
    " step later": " paso después",
    " steps later": " pasos después",
    " step earlier": " paso antes",
    " steps earlier": " pasos antes",
    ", only t": ", solo t",
    ", of ": ", de ",
    " by ": " por ",
}
LANGUAGES = tuple(WORDS["unfold"])
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


def translated(scene: Scene, language: str) -> Scene:
    """The scene with its words in that language."""

    def text_in(text: Text) -> Text:
        if text.word == "aside":
            words = text.words
            for english, other in ASIDE.items():
                words = words.replace(english, other)
            return replace(text, lines=((replace(text.lines[0][0], text=words),),))
        if not text.word:
            return text
        words = say(language, text.word, text.words)
        return replace(text, lines=((replace(text.lines[0][0], text=words),),))

    if language == "en":
        return scene
    return replace(scene, texts=tuple(map(text_in, scene.texts)))
