"""Labelled sequences: both formats, how the label is found, what is refused."""

import pytest

from minigrad.data.labelled import labelled

READ = {
    "a header": "text,label\nuno,a\ndos,b\ntres,a\n",
    "the label first": "clase;secuencia\na;uno\nb;dos\na;tres\n",
    "no header": "uno,a\ndos,b\ntres,a\n",
    "tab": "uno\ta\ndos\tb\ntres\ta\n",
    "more columns": "id,text,class\n1,uno,a\n2,dos,b\n3,tres,a\n",
    "FASTA": ">s1 a\nuno\n>s2 b\ndos\n>s3 a\ntr\nes\n",
    "FASTA, a comment first": "; by hand\n\n;\n>s1 a\nuno\n>s2 b\ndos\n>s3 a\ntres\n",
    "FASTA, words between": ">s1 x y a\nuno\n>s2 b\ndos\n>s3 z a\ntres\n",
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_what_is_read(file, name, encoding):
    found = labelled(file(READ[name], encoding))
    assert found.texts == ("uno", "dos", "tres")
    assert found.labels == ("a", "b", "a")


def test_where_the_label_is_may_be_said(file):
    path = file("one,two\nx,y\nx,z\nw,z\n")
    assert labelled(path, "two").labels == ("y", "z", "z")
    assert labelled(file("label,b\nx,y\nx,z\nw,z\n"), "2").labels == ("y", "z", "z")
    path = file(">s1 a long\nac\n>s2 b word\ncc\n")
    assert labelled(path, "2").labels == ("a", "b")


def test_dna_is_made_lower_case_and_text_is_not(file):
    found = labelled(file("ACgt,a\nNNr,b\nAA,b\n"))
    assert found.texts == ("acgt", "nnr", "aa")
    assert "lower case" in found.said
    assert labelled(file("Hola,a\nABC,b\nxyz,b\n")).texts == ("Hola", "ABC", "xyz")


def test_a_text_of_several_lines_keeps_them(file):
    found = labelled(
        file('text,label\n"one\n\n# two ""2""",a\n"emoji 👋🏽, and more",b\n')
    )
    assert found.texts == ('one\n\n# two "2"', "emoji 👋🏽, and more")


def test_a_file_without_labels(file):
    found = labelled(file(">s1\nac\n>s2\ncc\n"), without=True)
    assert (found.texts, found.labels) == (("ac", "cc"), ())
    assert labelled(file("ac\ncc\n"), without=True).texts == ("ac", "cc")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty"),
        ("a\nb\n", "one column"),
        (">s1\nac\n", "line 1: the header '>s1' has no label"),
        (">s1 a\n>s2 b\nac\n", "line 1: 's1 a' has no letters"),
        (">s1 a\nac1\n", "line 2: 'ac1' is not letters"),
        ("text,label\n,a\nx,b\n", "line 2: '' in column 'text': the sequence is empty"),
        ("text,label\ny,a\nx,\n", "line 3: '' in column 'label': the label is empty"),
        ("x,y\nz,w\n", "which column is the label.*if the first line is a header, by"),
    ],
)
def test_what_is_refused(file, content, reason):
    with pytest.raises(ValueError, match=reason):
        labelled(file(content))


def test_the_number_of_a_word(file):
    for label in ("a", "0", "-1"):
        with pytest.raises(ValueError, match="the number of a word"):
            labelled(file(">s1 a\nac\n"), label)
    with pytest.raises(ValueError, match="no word 3"):
        labelled(file(">s1 a\nac\n"), "3")
