"""Loaders: what they read, and the line of what they refuse."""

import pytest

from minigrad.data import loaders


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "data.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_column_by_name_and_by_place(file):
    path = file("# a comment\nyear,mm\n1999,12.5\n\n2000,3\n")
    assert loaders.csv_column(path, "mm").tolist() == [12.5, 3.0]
    assert loaders.csv_column(path, 0).tolist() == [1999.0, 2000.0]
    assert loaders.csv_column(file("1,2\n3,4\n")).tolist() == [2.0, 4.0]


def test_promoters_and_splice(file):
    assert loaders.promoters(file("+,S10,\t\t" + "acg" * 19 + "\n"))[1].tolist() == [1]
    found, classes = loaders.splice(
        file("Class, Donor, Sequence\nEI, A, " + "ACGTN" * 12 + "\nN,B," + "A" * 60)
    )
    assert classes.tolist() == [0, 2]
    assert found[0] == "acgtn" * 12


def test_fasta(file):
    assert loaders.fasta(file(">a one\nAC\nGT\n>b\nTT\n")) == {"a": "ACGT", "b": "TT"}


def test_text(file):
    assert loaders.text(file("añb\nc")) == "añb\nc"


@pytest.mark.parametrize(
    ("load", "content", "reason"),
    [
        (loaders.csv_column, "a\n1\nx\n", r"line 3: 'x' in column -1 is not a number"),
        (loaders.csv_column, "a\n1\nnan\n", "line 3: 'nan'"),
        (lambda p: loaders.csv_column(p, "b"), "a\n1\n", "line 1: no column 'b'; .* a"),
        (lambda p: loaders.csv_column(p, 1), "1,2\n3\n", "line 2: no column 1"),
        (loaders.csv_column, "", "no rows"),
        (loaders.csv_column, "a\n", "no rows"),
        (loaders.promoters, "+,a," + "a" * 56, "line 1: a sequence has 57"),
        (loaders.promoters, "+,a," + "a" * 57 + "\n?,b,c", "line 2: not of the form"),
        (loaders.promoters, "", "no sequences"),
        (loaders.splice, "EI,a," + "x" * 60, "line 1: a sequence has 60"),
        (loaders.splice, "XX,a,b", "line 1: not of the form"),
        (loaders.splice, "", "no sequences"),
        (loaders.fasta, "ACGT", "line 1: no '>' line"),
        (loaders.fasta, ">a\nAC1\n", "line 2: 'AC1' is not letters"),
        (loaders.fasta, ">a\nA\n>a\nC", "line 3: the sequence a occurs twice"),
        (loaders.fasta, ">\nA", "line 1: the sequence  has no name"),
        (loaders.fasta, "", "no sequences"),
        (loaders.text, "", "empty"),
        (loaders.text, b"ok\n\xff\n", "line 2: not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(file, load, content, reason):
    with pytest.raises(ValueError, match=reason):
        load(file(content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        loaders.text(tmp_path / "no")
