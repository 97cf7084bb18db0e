"""Labelled sequences of your own: text or DNA, one label each, from CSV or FASTA.

    sequence,label            >seq1 promoter
    acgtta,promoter           acgtta
    ccg,other                 >seq2 some words other

Of a CSV file the label is the column of that name (label, class, target, etiqueta,
clase), else the one with fewer distinct values; of a FASTA file the last word of a
header.

>>> import tempfile
>>> from pathlib import Path
>>> path = Path(tempfile.mkdtemp()) / "made.fasta"
>>> _ = path.write_text(">a yes\\nacgt\\nta\\n>b no\\nCC\\n")
>>> found = labelled(path)
>>> found.texts, found.labels
(('acgtta', 'cc'), ('yes', 'no'))
"""

import re
from collections import Counter
from dataclasses import dataclass

from minigrad.data.loaders import PathLike, records, words
from minigrad.data.tables import Table, table

TEXTS = ("sequence", "seq", "text", "secuencia", "texto", "dna", "adn")
LABELS = ("label", "class", "target", "etiqueta", "clase")
# After comments, which begin with ; there, a header.
FASTA = re.compile(r"(\s*;.*\n)*\s*>")
# The letters of DNA and RNA and of what is not certain (IUPAC).
BASES = set("acgturykmswbdhvn")


@dataclass(frozen=True)
class Labelled:
    """Sequences (texts), their labels, and how they were read.

    ``labels`` is empty where the file has none and none was asked for.

    >>> Labelled(("acgt",), ("yes",), "made by hand").labels
    ('yes',)
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    said: str


def labelled(
    path: PathLike, label: str | None = None, *, without: bool = False
) -> Labelled:
    """Read labelled sequences.

    Parameters
    ----------
    label: of CSV the name or the number of the column, of FASTA the number of the word
        in the header, from 1; the last is the default.
    without: a file without labels is read too.

    Letters of DNA that are upper and lower case are made lower case. Raises ValueError,
    with the line, for a sequence or a label that is empty.
    """
    text, encoding = words(path)
    if FASTA.match(text):
        rows = _fasta(path, label, without)
        said = f"{len(rows)} sequences; FASTA, {encoding}"
    else:
        rows, how = _csv(path, label, without)
        said = f"{len(rows)} sequences; {how}"
    texts = tuple(text for text, _ in rows)
    letters = set("".join(texts))
    if {c.lower() for c in letters} <= BASES and letters - BASES:
        texts = tuple(text.lower() for text in texts)
        said += ", DNA in lower case"
    labels = tuple(answer for _, answer in rows if answer is not None)
    return Labelled(texts, labels, said)


Rows = list[tuple[str, str | None]]


def _fasta(path: PathLike, label: str | None, without: bool) -> Rows:
    if label is not None and not (label.isdecimal() and int(label) >= 1):
        raise ValueError(
            "the label of a FASTA file is the number of a word of its headers, from 1: "
            f"got {label!r}"
        )
    place = -1 if label is None else int(label) - 1
    rows: Rows = []
    for number, header, letters in records(path):
        names = header.split()
        # The only word of a header is a name.
        known = len(names) > max(place, 1 if label is None else 0)
        if not (known or without):
            raise ValueError(
                f"{path}, line {number}: the header {'>' + header!r} has "
                + (
                    "no label: it is the last word, after a name"
                    if label is None
                    else f"no word {label}, of which --label makes the label"
                )
            )
        rows.append((letters, names[place] if known else None))
    if without and any(answer is None for _, answer in rows):
        rows = [(text, None) for text, _ in rows]
    return rows


def _csv(path: PathLike, label: str | None, without: bool) -> tuple[Rows, str]:
    found = table(path)
    known = {*LABELS, *TEXTS, (label or LABELS[0]).lower()}
    if not found.header and {cell.lower() for cell in found.rows[0]} & known:
        found = table(path, header=True)  # words alone: a header is known by its names
    if len(found.names) == 1 and without:
        return [(row[0], None) for row in found.rows], ", ".join(found.said)
    if len(found.names) < 2:
        raise ValueError(
            f"{path}: one column; it takes a sequence and a label (and a FASTA file "
            "begins with >)"
        )
    answer = found.place(label) if label is not None else _label(found)
    others = [place for place in range(len(found.names)) if place != answer]
    # Of more columns the sequence is the one with the longest texts.
    text = max(others, key=lambda p: sum(map(len, found.cells(p))))
    rows: Rows = []
    for row in range(len(found.rows)):
        for place, what in ((text, "sequence"), (answer, "label")):
            if not found.rows[row][place]:
                raise ValueError(
                    f"{found.at(row, place)}: the {what} is empty: leave the row out"
                )
        rows.append((found.rows[row][text], found.rows[row][answer]))
    names = f"sequence {found.names[text]!r}, label {found.names[answer]!r}"
    return rows, ", ".join([names, *found.said])


def _label(found: Table) -> int:
    """The column of that name, or that of fewer values."""
    named = [p for p, name in enumerate(found.names) if name.lower() in LABELS]
    if len(named) == 1:
        return named[0]
    kinds = [len(Counter(found.cells(p))) for p in range(len(found.names))]
    if kinds.count(min(kinds)) > 1:
        header = ", or if the first line is a header, by its word there"
        raise ValueError(
            f"{found.path}: which column is the label? say it with --label: "
            f"{', '.join(found.names)}{'' if found.header else header}"
        )
    return kinds.index(min(kinds))
