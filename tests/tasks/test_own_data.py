"""Series and sequences of one's own: numbers checked against ones computed apart."""

import csv

import numpy as np
import pytest

import minigrad as mg
from minigrad.cli import main
from minigrad.data import Vocabulary, one_hot
from minigrad.tasks import TASKS
from minigrad.tasks.series import season


@pytest.fixture
def waves(tmp_path):
    """A file of 120 numbers with a season of 12, and the numbers."""
    rng = np.random.default_rng(0)
    s = np.round(
        10 + 5 * np.sin(np.arange(120) * np.pi / 6) + rng.normal(0, 0.3, 120), 3
    )
    path = tmp_path / "waves.csv"
    path.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(s)))
    return path, s


def trained(capsys, *words):
    code = main(["train", *map(str, words)])
    return code, capsys.readouterr()


def rows_of(path):
    return list(csv.reader(path.read_text("utf-8").splitlines()))


def number(said, row, column=0):
    """A number of the table that was printed."""
    line = next(line for line in said.splitlines() if line.startswith(row))
    return float(line[44:].split()[column])


@pytest.mark.parametrize("model", ["many-to-many", "output-feedback", "many-to-one"])
def test_the_three_networks_forecast_a_series(model, waves, tmp_path, capsys):
    path, s = waves
    out = tmp_path / "run"
    words = ["series", "--data", path, "--model", model, "--steps", 3, "--out", out]
    code, said = trained(capsys, *words, "--ahead", 2)
    assert code == 0, said.err
    truth = s[96:]
    assert number(said.out, "as it is now") == pytest.approx(
        np.sqrt(np.mean((s[94:118] - truth) ** 2)), abs=1e-4
    )
    assert number(said.out, "as one season before (12 steps)") == pytest.approx(
        np.sqrt(np.mean((s[84:108] - truth) ** 2)), abs=1e-4
    )
    mean = number(said.out, "the mean of the training part", 1)
    assert mean == pytest.approx(
        np.mean((s[:78].mean() - truth) ** 2) / truth.var(), abs=1e-4
    )
    rows = rows_of(out / "forecast.csv")
    assert len(rows) == 1 + 120 + 12
    assert [row[0] for row in rows] == ["k", *map(str, range(132))]
    assert [float(row[1]) for row in rows[1:121]] == s.tolist()
    forecasts = np.array([float(row[2] or "nan") for row in rows[1:121]])
    assert number(said.out, "this network") == pytest.approx(
        np.sqrt(np.mean((forecasts[96:] - truth) ** 2)), abs=1e-3
    )
    files = "checkpoint.safetensors, curves.png, forecast.csv, forecast.png"
    files += ", graph.html, graph.png, log.csv, weights.safetensors"
    assert f"written to {out}: {files}" in said.out

    assert main(["predict", str(out), "--data", str(path)]) == 0
    again = rows_of(out / "predictions" / "forecast.csv")
    assert [row[2] for row in again] == [row[2] for row in rows]  # bit for bit the same


def test_nothing_of_the_test_part_is_learnt(waves, undrawn, tmp_path, capsys):
    """Another end changes no forecast before it."""
    path, s = waves
    ends = []
    for end in (0.0, 100.0):
        changed = np.concatenate([s[:96], s[96:] + end])
        path.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(changed)))
        out = tmp_path / f"run{end}"
        trained(capsys, "series", "--data", path, "--steps", 3, "--out", out)
        rows = rows_of(out / "forecast.csv")
        ends.append([row[2] for row in rows[1:97]])
    assert ends[0] == ends[1]


@pytest.mark.parametrize("period", [2, 5, 12, 24])
def test_the_season(period):
    rng = np.random.default_rng(0)
    s = np.tile(rng.normal(size=period), 8) + rng.normal(0, 0.05, 8 * period)
    assert season(s) == period


def test_a_season_of_what_hardly_changes():
    for place in 0, 40, 59:
        s = np.zeros(60)
        s[place] = 1
        assert 2 <= season(s) < 20


@pytest.mark.parametrize("far", [1e9, 1e100])
def test_numbers_far_from_zero_keep_their_digits(far, waves, undrawn, tmp_path, capsys):
    """The same series in other units has the same forecasts, in those units."""
    path, s = waves
    found = []
    for offset, unit in (0.0, 1.0), (far, 1.0) if far < 1e10 else (0.0, far):
        path.write_text("v\n" + "\n".join(f"{offset + v * unit!r}" for v in s.tolist()))
        out = tmp_path / f"run{offset}{unit}"
        words = ["series", "--data", path, "--steps", 1, "--hidden", 3, "--out", out]
        code, said = trained(capsys, *words)
        assert code == 0, said.err
        read = [row[2] for row in rows_of(out / "forecast.csv")[1:] if row[2]]
        found.append((np.array(list(map(float, read))) - offset) / unit)
    np.testing.assert_allclose(found[1], found[0], atol=2e-5)


@pytest.mark.parametrize("unit", [1e200, 1e-300])
def test_numbers_without_squares_are_refused(unit, waves, tmp_path, capsys):
    path, s = waves
    path.write_text("v\n" + "\n".join(f"{v * unit!r}" for v in s.tolist()))
    words = ["series", "--data", path, "--out", tmp_path / "run"]
    code, said = trained(capsys, *words)
    assert code == 2
    assert "write them in another unit" in said.err


def dna(path, n=60):
    rng = np.random.default_rng(0)
    lines = ["sequence,label"]
    for k in range(n):
        text = "".join(rng.choice(list("ACGT"), rng.integers(8, 15)))
        lines.append(f"{text},{'yes' if k % 3 else 'no'}")
    path.write_text("\n".join(lines))
    return lines[1:]


@pytest.mark.parametrize("model", ["many-to-one", "bidirectional"])
def test_sequences(model, tmp_path, capsys):
    path, out = tmp_path / "dna.csv", tmp_path / "run"
    lines = dna(path)
    words = ["sequences", "--data", path, "--model", model, "--hidden", 3]
    code, said = trained(capsys, *words, "--steps", 2, "--out", out)
    assert code == 0, said.err
    # A fifth of 40 and of 20 is held out; the commonest class errs on the others.
    assert "12 unseen of 60" in said.out
    assert number(said.out, "always the commonest class") == pytest.approx(
        4 / 12, abs=1e-4
    )
    rows = rows_of(out / "answers.csv")[1:]
    wrong = np.mean([row[1] != row[2] for row in rows])
    assert number(said.out, "this network") == pytest.approx(wrong, abs=1e-4)
    known = {line.lower() for line in lines}
    assert all(f"{text},{truth}" in known for text, truth, *_ in rows)
    for row in rows:
        assert sum(map(float, row[3:])) == pytest.approx(1, abs=2e-4)

    assert main(["predict", str(out), "--data", str(path)]) == 0
    again = rows_of(out / "predictions" / "answers.csv")
    answers = {row[0]: row[2] for row in again[1:]}
    assert len(again) == 61
    assert all(answers[row[0]] == row[2] for row in rows)
    capsys.readouterr()
    path.write_text("acgx\nacg\n")
    assert main(["predict", str(out), "--data", str(path)]) == 2
    assert "sequence 1 has 'x', which the network never read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "content", "reason"),
    [
        ("series", "a\n1\n2\n", "2 numbers are too few"),
        ("series", "a\n" + "1\n" * 60, "constant"),
        ("series", "a,b\nx,1\ny,\n", "line 3: '' in column 'b' is missing"),
        ("sequences", "text,label\n" + "ac,yes\n" * 20, "every label is 'yes'"),
        (
            "sequences",
            "text,label\n" + "ac,yes\n" * 20 + "ac,no\n",
            "the label 'no' has too few sequences, 1: each needs 5",
        ),
        (
            "sequences",
            "text,label\n" + "\n".join(f"ac,w{k}" for k in range(40)),
            "say which",
        ),
    ],
)
def test_what_is_refused(task, content, reason, tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text(content)
    code, said = trained(capsys, task, "--data", path, "--out", tmp_path / "run")
    assert code == 2
    assert said.err.startswith("minigrad: ")
    assert reason in said.err
    assert said.err.count("\n") == 1


def test_predict_wants_a_run(tmp_path, capsys):
    assert main(["predict", str(tmp_path), "--data", "x"]) == 2
    assert "is no run: it has no weights.safetensors" in capsys.readouterr().err


def test_the_best_forecast_without_a_network_is_named(waves, undrawn, tmp_path, capsys):
    """Of a wave the season is better than the number as it is now: that is said."""
    path, _ = waves
    words = ["series", "--data", path, "--steps", 1, "--out", tmp_path / "run"]
    code, said = trained(capsys, *words)
    assert code == 0, said.err
    lines = said.out.splitlines()
    table = [line for line in lines if line.startswith(("as ", "linear", "the mean"))]
    best = min(table, key=lambda line: float(line[44:].split()[0]))[:44].strip()
    assert best != "as it is now"
    assert f"the network is no better than {best!r}: take that one" in said.out
    path.write_text("\n".join(map(str, range(1000, 1100))))  # far from what was learnt
    assert main(["predict", str(tmp_path / "run"), "--data", str(path)]) == 0
    told = capsys.readouterr().out
    assert "the network is no better than 'as it is now': take that one" in told


def test_a_length_without_a_band_is_refused(waves, undrawn, tmp_path, capsys):
    path, _ = waves
    out = tmp_path / "run"
    words = ["series", "--data", path, "--steps", 1, "--out", out]
    code, said = trained(capsys, *words, "--length", 25)
    assert code == 2
    assert "24 steps at most" in said.err
    code, said = trained(capsys, *words, "--length", 24)
    assert code == 0, said.err
    assert len(rows_of(out / "forecast.csv")) == 1 + 120 + 24
    again = ["predict", str(out), "--data", str(path), "--length", "25"]
    assert main(again) == 2
    assert "24 steps at most" in capsys.readouterr().err


def test_predict_has_the_bands_that_the_run_measured(waves, undrawn, tmp_path, capsys):
    path, s = waves
    out = tmp_path / "run"
    code, said = trained(capsys, "series", "--data", path, "--steps", 3, "--out", out)
    assert code == 0, said.err
    rows = rows_of(out / "forecast.csv")

    def halves(rows):
        cells = [row[2:5] for row in rows[1:] if row[2]]
        return [(float(high) - float(low)) / 2 for _, low, high in cells]

    short = tmp_path / "short.csv"  # of three forecasts nothing can be measured
    short.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(s[:28])))
    assert main(["predict", str(out), "--data", str(short)]) == 0
    again = rows_of(out / "predictions" / "forecast.csv")
    assert len(halves(again)) == 3 + 12
    assert halves(again) == pytest.approx(halves(rows)[-15:], abs=1e-6)
    assert min(halves(again)) > 0
    assert "all numbers but the first 25" in capsys.readouterr().out


def test_a_run_without_its_bands_is_named():
    with pytest.raises(ValueError, match="before its errors were measured"):
        TASKS["series"].predict({"task": "series"}, None, None)


def test_a_sequence_that_was_learnt_from_is_no_test(undrawn, tmp_path, capsys):
    path, out = tmp_path / "twice.csv", tmp_path / "run"
    lines = dna(path)
    path.write_text("\n".join(["sequence,label", *lines, *lines[:40]]))
    words = ["sequences", "--data", path, "--hidden", 3, "--steps", 1, "--out", out]
    code, said = trained(capsys, *words)
    assert code == 0, said.err
    tested = [row[0] for row in rows_of(out / "answers.csv")[1:]]
    given = [line.partition(",")[0].lower() for line in [*lines, *lines[:40]]]
    # All copies of what was tested are in the test: none was learnt from.
    assert all(given.count(text) == tested.count(text) for text in tested)
    assert f"{len(tested)} unseen of 100" in said.out
    assert (
        f"{20 - len(tested)} more are equal to others that were learnt from" in said.out
    )

    path.write_text("sequence,label\n" + "acg,yes\nggc,no\n" * 10)
    code, said = trained(capsys, *words)
    assert code == 2
    assert "take each sequence once" in said.err


def test_what_is_resumed_is_the_same_file(waves, undrawn, tmp_path, capsys):
    path, s = waves
    words = ["series", "--data", path, "--steps", 2, "--out", tmp_path / "run"]
    assert trained(capsys, *words)[0] == 0
    code, said = trained(capsys, *words, "--resume")
    assert code == 0, said.err
    assert "has 2 steps, and nothing was trained" in said.out
    code, said = trained(capsys, *words, "--resume", "--seed", 1)
    assert code == 2
    assert "it is of another file, or of another --column" in said.err
    path.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(s[::-1])))
    code, said = trained(capsys, *words, "--resume")
    assert code == 2
    assert "say the same again, or begin anew without --resume" in said.err
    path.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(s[:90])))
    code, said = trained(capsys, *words, "--resume")  # its sizes differ, too
    assert code == 2
    assert "it is of another file, or of another --column" in said.err
    path.write_text("k,v\n" + "\n".join(f"{k},{v}" for k, v in enumerate(s)))
    words[words.index(2)] = 3
    code, said = trained(capsys, *words, "--resume", "--ahead", 1)
    assert code == 0, said.err
    assert "nothing was trained" not in said.out


@pytest.mark.parametrize(
    ("n", "batch", "least"), [(799, 32, 800), (500, 8, 800), (899, 300, 900)]
)
def test_a_text_that_is_too_short(n, batch, least, undrawn, tmp_path, capsys):
    path, out = tmp_path / "short.txt", tmp_path / "run"
    words = ["text", "--data", path, "--batch", batch, "--hidden", 3, "--steps", 1]
    path.write_text(("one two " * n)[:n])
    code, said = trained(capsys, *words, "--out", out)
    assert code == 2
    assert f"{n} characters are too few" in said.err
    assert f"it takes {least}" in said.err
    path.write_text(("one two " * n)[:least])
    code, said = trained(capsys, *words, "--out", out)
    assert code == 0, said.err


def test_what_does_not_vary_is_refused(tmp_path, capsys):
    path = tmp_path / "a.txt"
    path.write_text("a" * 900)
    code, said = trained(capsys, "text", "--data", path, "--out", tmp_path)
    assert code == 2
    assert "every character is 'a': nothing to foretell" in said.err
    path.write_text("7\n" * 90)
    code, said = trained(capsys, "series", "--data", path, "--out", tmp_path)
    assert code == 2
    assert "nothing can be learnt from it: give numbers that vary" in said.err


@pytest.fixture
def verse(undrawn, tmp_path, capsys):
    """A run of a text, and another text of its letters, longer than a piece of it."""
    path, out = tmp_path / "a.txt", tmp_path / "run"
    path.write_text("la luna y la laguna, una a una.\n" * 60)
    words = ["text", "--data", path, "--hidden", 4, "--steps", 2, "--out", out]
    code, said = trained(capsys, *words, "--length", 9)
    assert code == 0, said.err
    new = tmp_path / "new.txt"
    new.write_text("una luna, una laguna y una gala\n" * 40 + ".")
    return out, new


def test_a_new_text_is_scored_and_continued(verse, capsys):
    out, new = verse
    text, old = new.read_text(), "la luna y la laguna, una a una.\n" * 60
    assert main(["predict", str(out), "--data", str(new), "--length", "20"]) == 0
    said = capsys.readouterr().out
    assert f"{len(text)} characters" in said

    network = mg.load(out)
    letters = Vocabulary(network.about["vocabulary"])
    numbers = letters.encode(text)
    with mg.no_grad():
        o = network(one_hot(numbers[:-1, None], len(letters))).data[:, 0].astype(float)
    logp = o - np.log(np.exp(o).sum(-1, keepdims=True))
    bits = -logp[np.arange(len(o)), numbers[1:]] / np.log(2)
    assert number(said, "this network") == pytest.approx(bits.mean(), abs=1e-4)
    assert number(said, "this network", 1) == pytest.approx(2 ** bits.mean(), abs=1e-3)
    second = int(0.9 * len(old))
    learnt = old[: second - len(old) // 20]
    kinds, n = len(set(learnt)), len(learnt)
    p = {c: (learnt.count(c) + kinds / len(letters)) / (n + kinds) for c in set(text)}
    alone = -np.mean(np.log2([p[c] for c in text[1:]]))
    assert number(said, "1-gram") == pytest.approx(alone, abs=1e-4)
    assert number(said, "every symbol") == pytest.approx(
        np.log2(len(letters)), abs=1e-4
    )

    with (out / "predictions" / "bits.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == [
        *("place", "character", "this network"),
        *("1-gram, Witten-Bell", "2-gram, Witten-Bell"),
    ]
    assert [int(row[0]) for row in rows] == [*range(2, len(text) + 1)]
    assert "".join(row[1] for row in rows) == text[1:]
    np.testing.assert_allclose([float(row[2]) for row in rows], bits, atol=1e-4)
    pairs = [float(row[4]) for row in rows]
    assert number(said, "2-gram") == pytest.approx(np.mean(pairs), abs=1e-4)

    written = (out / "predictions" / "continued.txt").read_text("utf-8")
    assert written.startswith(text[-100:])
    assert len(written) == 120
    assert f"{written}\nwritten to" in said


def test_a_text_goes_on_from_a_prompt(verse, capsys):
    out, _ = verse
    words = ["predict", str(out), "--prompt", "la ", "--length", "7"]
    written = []
    for more in [], [], ["--seed", "1"], ["--temperature", "0"]:
        assert main([*words, *more]) == 0
        assert "bits" not in capsys.readouterr().out
        written.append((out / "predictions" / "continued.txt").read_text("utf-8"))
    assert written[0] == written[1] != written[2]
    assert all(text.startswith("la ") and len(text) == 10 for text in written)


@pytest.mark.parametrize(
    ("words", "content", "reason"),
    [
        ([], None, "give it with --data FILE, any text, or how a text begins with"),
        (["--prompt", ""], None, "give it with --data FILE"),
        (["--prompt", "la x"], None, "'x' (at 3) is not among the"),
        (
            ["--data"],
            "la\nlux\nlö",
            "new.txt, line 2: the network never read 'x', one of 2",
        ),
        (["--data"], "l", "nothing follows its one character"),
        (["--data", "--label", "2"], "la", "a run of text has no --label"),
    ],
)
def test_a_text_that_a_run_cannot_read(words, content, reason, verse, capsys):
    out, new = verse
    if content is not None:
        new.write_text(content)
        words = [words[0], str(new), *words[1:]]
    assert main(["predict", str(out), *words]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_what_predict_has_no_use_for_is_refused(waves, undrawn, tmp_path, capsys):
    path, _ = waves
    out = tmp_path / "run"
    assert trained(capsys, "series", "--data", path, "--steps", 1, "--out", out)[0] == 0
    words = ["predict", str(out), "--data", str(path)]
    for name, value in ("label", "2"), ("prompt", "a"), ("seed", "1"):
        assert main([*words, f"--{name}", value]) == 2
        assert f"a run of series has no --{name}" in capsys.readouterr().err


def test_a_run_of_another_task_is_nothing_to_predict(undrawn, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["adding", "--hidden", 3, "--length", 5, "--steps", 1, "--out", out]
    assert trained(capsys, *words)[0] == 0
    assert main(["predict", str(out)]) == 2
    said = capsys.readouterr().err
    assert "is a run of none of: series, sequences, text; " in said
    assert f"minigrad.load({str(out)!r}) in Python" in said
