"""Loaders: what they read, and the line of what they refuse."""

import pytest

from minigrad.data import loaders


def test_promoters_and_splice(file):
    assert loaders.promoters(file("+,S10,\t\t" + "acg" * 19 + "\n"))[1].tolist() == [1]
    found, classes = loaders.splice(
        file("Class, Donor, Sequence\nEI, A, " + "ACGTN" * 12 + "\nN,B," + "A" * 60)
    )
    assert classes.tolist() == [0, 2]
    assert found[0] == "acgtn" * 12


def test_fasta(file):
    assert loaders.fasta(file(">a one\nAC\nGT\n>b\nTT\n")) == {"a": "ACGT", "b": "TT"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_text_in_the_encodings_that_people_use(file, encoding):
    path = file("añb\r\nc".encode(encoding))
    assert loaders.text(path) == "añb\nc"
    said = "Latin-1" if encoding == "latin-1" else encoding.upper().removesuffix("-SIG")
    assert loaders.words(path)[1] == said


@pytest.mark.parametrize(
    ("load", "content", "reason"),
    [
        (loaders.promoters, "+,a," + "a" * 56, "line 1: a sequence has 57"),
        (loaders.promoters, "+,a," + "a" * 57 + "\n?,b,c", "line 2: not of the form"),
        (loaders.promoters, "", "empty"),
        (loaders.splice, "EI,a," + "x" * 60, "line 1: a sequence has 60"),
        (loaders.splice, "XX,a,b", "line 1: not of the form"),
        (loaders.splice, "", "empty"),
        (loaders.fasta, "ACGT", "line 1: no '>' line"),
        (loaders.fasta, ">a\nAC1\n", "line 2: 'AC1' is not letters"),
        (loaders.fasta, ">a\nA\n>a\nC", "line 3: the sequence a occurs twice"),
        (loaders.fasta, ">\nA", "line 1: the sequence  has no name"),
        (loaders.fasta, "", "empty"),
        (loaders.text, "", "empty"),
        (loaders.text, b"ok\n\0\n", "no text"),
        (loaders.fasta, ">a\n>b\nA", "line 1: 'a' has no letters"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(file, load, content, reason):
    with pytest.raises(ValueError, match=reason):
        load(file(content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        loaders.text(tmp_path / "no")
