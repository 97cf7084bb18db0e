"""Tables as people keep them: twenty oddities, each value checked by hand."""

import gzip

import numpy as np
import pytest

from minigrad.data.axis import axis_of
from minigrad.data.tables import numbers, table

READ = {
    "one column": ("1\n2.5\n-3e2\n", [1, 2.5, -300]),
    "one column, a header": ("mm\n1\n2\n", [1, 2]),
    "comma, a header": ("t,mm\n1,10\n2,20\n3,30\n", [10, 20, 30]),
    "no header": ("2020-01-01,7\n2020-01-02,8\n", [7, 8]),
    "semicolon, decimal comma": ("fecha;mm\n01/02/2020;1,5\n02/02/2020;2\n", [1.5, 2]),
    "decimal comma, thousands": ("a\n1.234,5\n12,25\n", [1234.5, 12.25]),
    "English thousands": ('d,v\n2020-01,"1,234.5"\n2020-02,"7.5"\n', [1234.5, 7.5]),
    "leading zeros decide": ("a;b\nx;0,123\ny;0,456\n", [0.123, 0.456]),
    "tab": ("year\tn\n1700\t5\n1701\t11\n", [5, 11]),
    "blanks": ("1700  5.0\n1701 11.0\n", [5, 11]),
    "a separator at every end": ("1;5;\n2;6;\n", [5, 6]),
    "comments and empty lines": ("# rain\n\na,b\n# more\n1,5\n\n2,6\n", [5, 6]),
    "CRLF": ("a,b\r\n1,5\r\n2,6\r\n", [5, 6]),
    "quotes": ('"when","how much"\n"2020-01-01","5"\n"2020-01-02","6"\n', [5, 6]),
    "newest first": ("d,v\n2020-03-01,3\n2020-02-01,2\n2020-01-01,1\n", [1, 2, 3]),
    "ends of months": ("d,v\n2020-01-31,1\n2020-02-29,2\n2020-03-31,3\n", [1, 2, 3]),
    "hours": (
        "d,v\n2020-01-01 22:00,1\n2020-01-01 23:00,2\n2020-01-02 00:00,3\n",
        [1, 2, 3],
    ),
    "a minus of print": ("a\n−1,5\n2,5\n", [-1.5, 2.5]),
    "words beside": ("city,v\nOslo,1\nLima,2\n", [1, 2]),
    "months first": ("d,v\n01/01/2010,1\n02/01/2010,2\n03/01/2010,3\n", [1, 2, 3]),
    "days first": (
        "d,v\n01/01/2010,1\n02/01/2010,2\n03/01/2010,3\n04/01/2010,4\n",
        [1, 2, 3, 4],
    ),
    "months first, a year": (
        "d,v\n"
        + "".join(f"{m:02d}/01/{y},{m}\n" for y in (2010, 2011) for m in range(1, 13)),
        [*range(1, 13)] * 2,
    ),
    "names of months": ("d,v\nNov 2019,1\nDec 2019,2\nJan 2020,3\n", [1, 2, 3]),
    "Spanish months": ("d;v\ndic 2019;1,5\nene 2020;2\nfeb 2020;3\n", [1.5, 2, 3]),
    "quarters": ("q,v\n2020Q1,1\n2019-Q4,2\n2019 Q3,3\n", [3, 2, 1]),
    "months of a year": ("q,v\n2019M11,1\n2019M12,2\n2020M01,3\n", [1, 2, 3]),
    "days in digits": ("d,v\n20200131,1\n20200201,2\n20200202,3\n", [1, 2, 3]),
    "months in digits": ("d,v\n201911,1\n201912,2\n202001,3\n", [1, 2, 3]),
    "numbers like dates": ("k,v\n20200101,1\n20200201,2\n20200301,3\n", [1, 2, 3]),
    "sep=": ("sep=|\na|b\nx|1\ny|2\n", [1, 2]),
    "lines within a cell": (
        'note,v\n"one\n\n# two, three",1\n# a comment\n\n"four",2\n',
        [1, 2],
    ),
    "numbers with dots": ("a\n.5\n1.\n", [0.5, 1]),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_is_read(file, name, encoding):
    content, values = READ[name]
    assert numbers(file(content, encoding)).values.tolist() == values


def test_latin_1_is_told_apart(file):
    found = numbers(file("año;señal\n2000;1,5\n2001;2,5\n", "latin-1"))
    assert (found.name, found.values.tolist()) == ("señal", [1.5, 2.5])
    assert "Latin-1" in found.said
    assert "UTF-8" in numbers(file("año;señal\n2000;1,5\n2001;2,5\n")).said


def test_a_column_by_name_and_by_number(file):
    path = file("a,b,c\n1,10,100\n3,20,200\n")
    assert numbers(path, "b").values.tolist() == [10, 20]
    assert numbers(path, "3").values.tolist() == [100, 200]
    assert numbers(path, "a").values.tolist() == [1, 3]  # an axis, if one asks for it


MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre"
MONTHS = [*MONTHS.split(), "noviembre", "diciembre"]


@pytest.mark.parametrize("form", ["{0:.3} 2024", "{0:.3}. 2024", "{0} 2024"])
@pytest.mark.parametrize("of_day", ["", "1 ", "1 de "])
def test_a_year_of_spanish_months(form, of_day):
    cells = [of_day + form.format(name) for name in MONTHS]
    iso = [f"2024-{month:02}-01" for month in range(1, 13)]
    assert axis_of([cells, iso], 1).times == axis_of([iso, cells], 1).times


def test_spanish_months_as_they_are_said():
    said = [
        "30 de septiembre del 2023",
        "31 de Octubre de 2023",
        "30 de noviembre de 2023",
    ]
    assert axis_of([said], None).times == (24285.0, 24286.0, 24287.0)
    assert axis_of([["set. 2023", "oct 2023"]], None) == axis_of(
        [["sept 2023", "octubre de 2023"]], None
    )
    assert axis_of([["Marta 2024", "eneros 2024", "de 2024"]], None) is None


HOLES = "d,v\n2020-01-01,1\n2020-01-02,\n2020-01-03,3\n2020-01-05,NA\n2020-01-06,6\n"


def test_what_is_missing(file):
    path = file(HOLES)
    assert numbers(path, missing="skip").values.tolist() == [1, 3, 6]
    filled = numbers(path, missing="fill")
    assert filled.values.tolist() == [1, 1, 3, 3, 3, 6]
    assert "3 missing, filled" in filled.said
    with pytest.raises(ValueError, match=r"line 5: '2020-01-05' .* an uneven step"):
        numbers(path)


def test_the_line_of_an_uneven_step_newest_first(file):
    path = file("d,v\n2020-01-06,6\n2020-01-05,5\n2020-01-04,4\n2020-01-01,1\n")
    with pytest.raises(ValueError, match=r"line 4: '2020-01-04' .* an uneven step"):
        numbers(path)


REFUSED = {
    "nothing": ("", "empty"),
    "a header alone": ("a,b\n", "no column has numbers"),
    "a word": ("a\n1\nx\n2\n", "line 3: 'x' in column 'a' is not a number"),
    "an underscore": ("a\n1\n1_000\n", "line 3: '1_000'"),
    "infinite": ("a\n1\ninf\n", "line 3: 'inf'"),
    "too large": ("a\n1\n1e999\n", "line 3: '1e999' .* too large"),
    "per cent": ("a\n1\n5%\n", "line 3: '5%'"),
    "a hole": ("a,b\nx,1\ny,\n", "line 3: '' in column 'b' is missing, one of 1"),
    "a short row": ("a,b\n1,2\n3\n", "line 3: 1 cells, the first row has 2"),
    "two columns of numbers": ("a,b,c\nx,1,2\ny,3,5\n", "2 columns have numbers: b, c"),
    "thousands or decimals": (
        'a,b\nx,"1,234"\ny,"5,678"\n',
        "'1,234' may be thousands",
    ),
    "two decimal signs": ("a;b\nx;1,5\ny;2.25\n", "line 3: '2.25'"),
    "uneven days": (
        "d,v\n2020-01-01,1\n2020-01-02,2\n2020-01-04,3\n",
        "line 4: .* an uneven step",
    ),
    "uneven years": (
        "y,v\n1700,1\n1701,2\n1703,3\n",
        "line 4: '1703' .* an uneven step",
    ),
    "dates in no order": ("d,v\n2020-01-01,1\n2020-01-03,2\n2020-01-02,3\n", "line 4"),
    "no numbers": ("a,b\nx,y\nz,w\n", "no column has numbers"),
    "a total below": (
        "d,v\n2020-01-01,1\n2020-01-02,2\nTotal,3\n",
        "line 4: 'Total' in column 'd' is no date",
    ),
    "a Spanish month left out": (
        "d;v\nene 2020;1\nfeb 2020;2\nabr 2020;3\n",
        "line 4: 'abr 2020' .* an uneven step",
    ),
    "a Spanish date that is none": (
        "d;v\n28 de febrero de 2020;1\n29 de febrero de 2020;2\n"
        "30 de febrero de 2020;3\n",
        "line 4: '30 de febrero de 2020' in column 'd' is no date",
    ),
    "a date that is none": (
        "d,v\n2020-02-28,1\n2020-02-29,2\n2020-02-30,3\n",
        "line 4: .* no date",
    ),
    "a date twice": (
        "d,v\n2020-01-01,1\n2020-02-01,2\n2020-02-01,3\n2020-03-01,3\n",
        "line 4: .* twice",
    ),
    "days in digits in no order": (
        "d,v\n20200131,1\n20200202,2\n20200201,3\n",
        "line 4: .* out of order",
    ),
    "a quarter that is left out": (
        "d,v\n2020Q1,1\n2020Q2,2\n2020Q4,3\n",
        "line 4: .* an uneven step",
    ),
    "a year that is none": ("y,v\n1700,1\n1701,2\n?,3\n", "line 4: .* whole number"),
    "money": ("k,v\n1,$5\n2,$6\n", "line 2: '[$]5' in column 'v' is not a number: wr"),
    "a unit": ("a\n1\n5 mm\n", "line 3: '5 mm' .*: write it with digits alone"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(file, name):
    content, reason = REFUSED[name]
    with pytest.raises(ValueError, match=reason):
        numbers(file(content))


def test_no_such_column(file):
    path = file("a,b\n1,2\n3,4\n")
    for column in ("c", "0", "3"):
        with pytest.raises(ValueError, match=r"no column .*; there is a, b"):
            numbers(path, column)
    with pytest.raises(ValueError, match="twice the column 'a'"):
        numbers(file("a,a\n1,2\n3,4\n"), "a")
    with pytest.raises(ValueError, match="missing is one of refuse, skip, fill"):
        numbers(path, "a", missing="drop")


def test_nothing_fills_the_first(file):
    with pytest.raises(ValueError, match=r"line 2: .* nothing before it"):
        numbers(file("a,b\nx,\ny,2\n"), missing="fill")


def test_a_file_of_bytes(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"a,b\n1,\0\n")
    with pytest.raises(ValueError, match="no text"):
        table(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"a,b\n1,2\n"), "compressed by gzip: unpack it first"),
        (b"PK\3\4" + bytes(9), "a ZIP archive, as Excel and Word write: save it as"),
        (b"%PDF-1.7\n", "it is a PDF"),
    ],
)
def test_a_file_that_holds_a_table_in_another_form(tmp_path, content, reason):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"data.csv: .*{reason}"):
        table(path)


def test_as_numpy_reads_it(file):
    """Random tables, written in each dialect, read as they were."""
    rng = np.random.default_rng(0)
    for mark, point in ((",", "."), (";", ","), ("\t", ","), (";", ".")):
        s = np.round(rng.normal(0, 10, 30), 2)
        rows = [f"{k}{mark}{v:.2f}".replace(".", point) for k, v in enumerate(s, 1)]
        assert np.array_equal(numbers(file("\n".join(rows))).values, s)


def test_most_numbers_would_be_made_up(file):
    path = file("d,v\n2020-01-01,1\n2020-01-02,2\n2020-01-20,3\n")
    with pytest.raises(ValueError, match="3 rows would be filled up to 20"):
        numbers(path, missing="fill")
    assert numbers(path, missing="skip").values.tolist() == [1, 2, 3]


WHEN = {
    "none": ("v\n1\n2\n", "row", ["1", "2", "3", "4"]),
    "years": ("year,v\n1998,1\n1999,2\n", "year", ["1998", "1999", "2000", "2001"]),
    "days": (
        "d,v\n27/02/2024,1\n28/02/2024,2\n",
        "d",
        ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"],
    ),
    "newest first": (
        "d,v\n2024-01-08,1\n2024-01-01,2\n",
        "d",
        ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"],
    ),
    "ends of months": (
        "d,v\n2023-11-30,1\n2023-12-31,2\n",
        "d",
        ["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"],
    ),
    "the 15th": (
        "d,v\n2023-11-15,1\n2023-12-15,2\n",
        "d",
        ["2023-11-15", "2023-12-15", "2024-01-15", "2024-02-15"],
    ),
    "quarters": (
        "q,v\n2023-Q3,1\n2023-Q4,2\n",
        "q",
        ["2023-07-01", "2023-10-01", "2024-01-01", "2024-04-01"],
    ),
    "days in digits": (
        "d,v\n20231230,1\n20231231,2\n",
        "d",
        ["2023-12-30", "2023-12-31", "2024-01-01", "2024-01-02"],
    ),
    "hours of the end of a month": (
        "d,v\n2024-01-31 22:00,1\n2024-01-31 23:00,2\n",
        "d",
        [f"2024-{t}:00:00" for t in ("01-31 22", "01-31 23", "02-01 00", "02-01 01")],
    ),
    "parts of a second": (
        "".join(["d,v\n", *(f"2024-01-01 00:00:59.{k}00,{k}\n" for k in range(6, 9))]),
        "d",
        [f"2024-01-01 00:00:59.{k}00000" for k in range(6, 10)]
        + ["2024-01-01 00:01:00"],
    ),
    "hours": (
        "d,v\n2024-01-01 22:30,1\n2024-01-01 23:00,2\n",
        "d",
        [f"2024-01-{t}:00" for t in ("01 22:30", "01 23:00", "01 23:30", "02 00:00")],
    ),
}


@pytest.mark.parametrize("name", WHEN)
def test_when_goes_on_beyond_the_end(file, name):
    content, axis, when = WHEN[name]
    column = numbers(file(content))
    assert (column.axis, column.when(2)) == (axis, when)


def test_when_a_row_is_filled_or_left_out(file):
    path = file(HOLES)
    days = [f"2020-01-{k:02d}" for k in range(1, 9)]
    assert numbers(path, missing="fill").when(2) == days
    assert numbers(path, missing="skip").when(1) == [days[0], days[2], days[5], ""]


def test_dates_with_and_without_a_zone(file):
    path = file("d,v\n2020-01-01,1\n2020-01-02T00:00+01:00,2\n2020-01-03,3\n")
    with pytest.raises(
        ValueError, match=r"line 3: .* has a time zone, unlike the first"
    ):
        numbers(path)


def test_that_there_is_no_axis_is_said(file):
    found = numbers(file("q,v\nspring 2001,1\nsummer 2001,2\n"))
    assert "no axis, so the rows are taken for even steps" in found.said
    assert numbers(file("a,b\n5,x\n6,y\n"), 1).values.tolist() == [5, 6]


def test_a_number_far_from_all_others_is_remarked(tmp_path):
    path = tmp_path / "a.csv"
    values = [str(k % 7) for k in range(40)]
    path.write_text("v\n" + "\n".join([*values, "-999", *values, "-999"]) + "\n")
    assert "-999 stands 2 times, far from all others" in numbers(path).said
    path.write_text("v\n" + "\n".join([*values, "9"]) + "\n")
    assert "far from" not in numbers(path).said
    path.write_text("v\n" + "\n".join(["0"] * 40 + ["1"]) + "\n")  # a rare event
    assert "far from" not in numbers(path).said
