"""The command line: what it writes, and what it says when it cannot."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from minigrad import cli
from minigrad.__main__ import main as entry
from minigrad.cli import main
from minigrad.draw import Figure
from minigrad.op import registry
from minigrad.tasks import TASKS, Options
from minigrad.tasks.pictures import PICTURES


@pytest.fixture
def one_line(capsys):
    """The exit code is 2 and stderr is one line, which is returned."""

    def check(*arguments):
        assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("minigrad: ")
        return err

    return check


@pytest.fixture
def task(monkeypatch):
    """A task that notes how it was run."""
    calls = []
    noting = replace(TASKS["sunspots"], run=calls.append)
    monkeypatch.setitem(TASKS, "sunspots", noting)
    return calls


def test_train_runs_the_task_in_its_folder(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "sunspots"]) == 0
    assert task == [Options(TASKS["sunspots"].steps, 0, Path("runs/sunspots"))]
    assert (tmp_path / "runs/sunspots").is_dir()


def test_train_takes_steps_seed_and_folder(task, tmp_path):
    out = tmp_path / "a" / "b"
    options = ["--steps", "3", "--seed", "5", "--out", str(out)]
    assert main(["train", "sunspots", *options]) == 0
    assert task == [Options(3, 5, out)]


def test_train_hands_on_what_a_task_takes(monkeypatch, tmp_path):
    calls = []
    task = replace(TASKS["adding"], run=calls.append)
    monkeypatch.setitem(TASKS, "adding", task)
    given = ["--cell", "elman", "--length", "9", "--overlay", "grad"]
    assert main(["train", "adding", *given, "--out", str(tmp_path)]) == 0
    expected = Options(task.steps, 0, tmp_path, cell="elman", length=9, overlay="grad")
    assert calls == [expected]


def test_train_refuses_what_a_task_does_not_take(one_line):
    assert "sine has no --length" in one_line("train", "sine", "--length", "3")
    assert "sine has no --model" in one_line("train", "sine", "--model", "lstm")
    assert "sunspots has no --resume" in one_line("train", "sunspots", "--resume")
    assert "'-1' is not a number of at least 0" in one_line(
        "train", "text", "--temperature", "-1"
    )
    assert "splice reads a file" in one_line("train", "splice")
    assert "which task?" in one_line("train")


def test_a_network_that_a_task_does_not_have(one_line):
    said = one_line("train", "digits", "--model", "many-to-many")
    meant = "did you mean 'many-to-one'? there is many-to-one, bidirectional"
    assert f"no network 'many-to-many', {meant}" in said


@pytest.mark.parametrize("name", ["text", "names"])
def test_letters_of_a_prompt_are_looked_up_before_the_work(name, one_line, tmp_path):
    said = one_line("train", name, "--prompt", "a\u20ac", "--out", str(tmp_path))
    assert "'\u20ac' (at 1) is not among the" in said
    assert list(tmp_path.iterdir()) == []


def test_train_says_which_file_is_wrong(one_line, tmp_path):
    path = tmp_path / "p.data"
    given = ("train", "promoters", "--data", str(path), "--out", str(tmp_path))
    assert f"there is no file {path}" in one_line(*given)
    path.write_text("+,a,acgt")
    assert "p.data, line 1: a sequence has 57" in one_line(*given)
    assert "nothing to resume" in one_line("train", "xor", "--resume", "--out", "no")


def test_a_checkpoint_of_other_options_is_refused_in_one_short_line(
    one_line, tmp_path, capsys
):
    given = ["train", "xor", "--steps", "1", "--out", str(tmp_path)]
    assert main(given) == 0
    capsys.readouterr()
    said = one_line(*given, "--resume", "--hidden", "3")
    assert "best/V: float32 (3, 1) here, float32 (8, 1) in the file; " in said
    assert said.endswith(" more\n")
    assert len(said) < 400


def test_train_lists_the_tasks(capsys):
    assert main(["train", "--list"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == len(TASKS) == 24
    assert "the sum of two marked numbers" in said
    takes = "--model many-to-one|bidirectional --cell --hidden --batch"
    assert f"2000 steps {takes}\n" in said
    assert "--data FILE is one name a line" in said


def test_an_unknown_task(one_line):
    assert "no task 'weather'; there is sunspots" in one_line("train", "weather")


def test_an_unknown_network(one_line):
    assert "no network 'x'; there is many-to-many" in one_line("draw", "x")
    assert "no network 'x'; there is many-to-many" in one_line("equations", "x")


def test_equations_are_printed(capsys, tmp_path):
    assert main(["equations", "many-to-one", "--steps", "3"]) == 0
    assert "∇h(T) = Vᵀ ∇o\n" in capsys.readouterr().out
    assert main(["equations", "many-to-one", "--latex"]) == 0
    assert "\\nabla_{h^{(T)}} L &= {V}^{\\top}" in capsys.readouterr().out
    path = tmp_path / "mine.py"
    path.write_text("import minigrad as mg\ndef f():\n    return mg.tensor(2.0) * 3\n")
    assert main(["equations", f"{path}:f"]) == 0
    assert capsys.readouterr().out == "L = 6\n"


def test_a_recurrence_without_equations_is_one_line(one_line, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import minigrad as mg\ndef f():\n    h = mg.tensor(1.0, name='h0')\n"
        "    for t in mg.steps(5):\n        h = mg.tanh(h) if t % 2 else mg.exp(h)\n"
        "    return h\n"
    )
    assert "differs from step" in one_line("equations", f"{path}:f")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train", "sunspots", "--steps", "0"],
        ["train", "sunspots", "--steps", "many"],
        ["train", "sunspots", "--seed", "-1"],
        ["train", "sunspots", "--loud"],
        ["draw", "many-to-many", "--steps", "0"],
        ["equations"],
    ],
)
def test_a_wrong_command_line(arguments, one_line):
    assert "--help" in one_line(*arguments)


def test_a_folder_that_cannot_be_written(one_line, task, tmp_path):
    (tmp_path / "file").touch()
    message = one_line("train", "sunspots", "--out", str(tmp_path / "file" / "out"))
    assert message.startswith(
        f"minigrad: cannot write into {tmp_path / 'file' / 'out'}"
    )
    assert task == []


def test_a_folder_without_permission_is_seen_before_the_work(
    one_line, task, tmp_path, monkeypatch
):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cli.tempfile, "TemporaryFile", refuse)
    message = one_line("train", "sunspots", "--out", str(tmp_path))
    assert message == f"minigrad: cannot write into {tmp_path}: Permission denied\n"
    assert task == []


def test_a_picture_whose_folder_is_missing(one_line, tmp_path):
    out = tmp_path / "no" / "rnn.png"
    message = one_line("draw", "many-to-many", "--steps", "2", "-o", str(out))
    assert message == f"minigrad: cannot write {out}: No such file or directory\n"


def test_a_picture_of_an_unknown_format(one_line, tmp_path):
    out = tmp_path / "rnn.txt"
    message = one_line("draw", "many-to-many", "--steps", "2", "-o", str(out))
    assert message.startswith("minigrad: cannot tell a format from 'rnn.txt': use .png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", cli.FAILURES)
def test_graphviz_fails(failure, one_line, tmp_path, monkeypatch):
    def fail(figure, path, dpi):
        raise failure("what went wrong and what helps")

    monkeypatch.setattr(Figure, "save", fail)
    out = tmp_path / "rnn.png"
    message = one_line("draw", "many-to-many", "--steps", "2", "-o", str(out))
    assert message == "minigrad: what went wrong and what helps\n"
    assert list(tmp_path.iterdir()) == []


def test_missing_extras(one_line, task, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "tqdm" else 1)
    message = one_line("train", "sunspots")
    assert message == "minigrad: train needs tqdm: pip install 'minigrad-rnn[train]'\n"
    assert task == []


def test_missing_extras_of_predict(one_line, tmp_path, monkeypatch):
    (tmp_path / "weights.safetensors").write_bytes(b"")
    monkeypatch.setattr(cli, "find_spec", lambda name: None if "safe" in name else 1)
    message = one_line("predict", str(tmp_path), "--data", "new.csv")
    needs = "predict needs safetensors: pip install 'minigrad-rnn[train]'"
    assert message == f"minigrad: {needs}\n"


def test_a_file_of_tasks_without_a_name(one_line):
    assert "my.py is a file: say which task of it, as my.py:TASK" in one_line(
        "train", "my.py"
    )


def test_ctrl_c(monkeypatch, tmp_path, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    stopped = replace(TASKS["sunspots"], run=interrupted)
    monkeypatch.setitem(TASKS, "sunspots", stopped)
    assert main(["train", "sunspots", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "minigrad: stopped; nothing was saved\n"
    assert list(tmp_path.iterdir()) == []


class Stopped:
    """Stands for Ctrl-C while the command is still imported."""

    def find_spec(self, name, path=None, target=None):
        if name == "minigrad.equations":
            raise KeyboardInterrupt


def test_ctrl_c_while_the_command_is_read(monkeypatch, capsys):
    for name in [n for n in sys.modules if n.startswith("minigrad.equations")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "minigrad.cli")
    monkeypatch.delattr("minigrad.cli")
    monkeypatch.setattr(sys, "meta_path", [Stopped(), *sys.meta_path])
    assert entry() == 130
    assert capsys.readouterr().err == "minigrad: stopped\n"


def saving(options):
    """Stands for a training that Ctrl-C ends once it is saved."""
    (options.out / "checkpoint.safetensors").write_text("new")
    raise KeyboardInterrupt("stopped after step 3 of 9")


def test_ctrl_c_says_how_to_go_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(TASKS, "names", replace(TASKS["names"], run=saving))
    out, prompt = tmp_path / "a b", "--prompt 'two words'"
    given = ["--steps", "9", "--eager", "--prompt", "two words", "--out", str(out)]
    assert main(["train", "names", *given]) == 130
    assert capsys.readouterr().err == (
        "minigrad: stopped after step 3 of 9; it is saved, go on with: minigrad train "
        f"names --resume --steps 9 {prompt} --eager --out '{out}'\n"
    )


def test_ctrl_c_does_not_take_an_older_checkpoint_for_its_own(
    monkeypatch, tmp_path, capsys
):
    def interrupted(options):
        raise KeyboardInterrupt

    (tmp_path / "checkpoint.safetensors").write_text("of an earlier run")
    monkeypatch.setitem(TASKS, "adding", replace(TASKS["adding"], run=interrupted))
    assert main(["train", "adding", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "minigrad: stopped; nothing was saved\n"
    assert main(["train", "adding", "--resume", "--out", str(tmp_path)]) == 130
    said = capsys.readouterr().err
    assert said.startswith("minigrad: stopped; it is saved, go on with: minigrad ")


def test_a_stopped_training_is_not_written_over_in_silence(
    monkeypatch, tmp_path, capsys
):
    calls = []
    monkeypatch.setitem(TASKS, "names", replace(TASKS["names"], run=calls.append))
    words = "has a training that was stopped: --resume goes on, this begins anew"
    given = ["train", "names", "--out", str(tmp_path)]
    (tmp_path / "checkpoint.safetensors").write_text("of one that was stopped")
    assert main(given) == 0
    assert words in capsys.readouterr().out
    assert main([*given, "--resume"]) == 0
    assert words not in capsys.readouterr().out
    (tmp_path / "weights.safetensors").write_text("of one that came to its end")
    assert main(given) == 0
    assert words not in capsys.readouterr().out
    assert len(calls) == 3


@pytest.mark.parametrize("network", PICTURES)
def test_draw(network, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", network, "--steps", "3"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [f"{network}.png"]
    picture = (tmp_path / f"{network}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert capsys.readouterr().out == f"written to {network}.png\n"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert "minigrad" in capsys.readouterr().out


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "minigrad", "train", "weather"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("minigrad: no task 'weather'")


@pytest.mark.parametrize(
    ("options", "suffix"),
    [
        (["--view", "ops", "--depth", "1"], ".svg"),
        (["--view", "backward", "--style", "book"], ".dot"),
        (["--view", "folded"], ".tex"),
        (["--index", "symbolic"], ".pdf"),
        (["--overlay", "grad", "--dpi", "80"], ".png"),
        (["--view", "unfolded", "--params", "node", "--columns", "3"], ".svg"),
    ],
)
def test_draw_with_its_options(options, suffix, tmp_path):
    out = tmp_path / f"rnn{suffix}"
    assert main(["draw", "many-to-one", "--steps", "5", "-o", str(out), *options]) == 0
    assert out.stat().st_size > 500


SCRIPT = """
import minigrad as mg
import helper

def loop(steps):
    h = mg.tensor([[1.0]], name="h0")
    for t in mg.steps(steps):
        h = mg.tanh(h * helper.SCALE).named("h")
    return h

def expression():
    return (mg.tensor(1.0, name="x") * 2).named("y")

def nothing():
    pass

def wrong():
    return mg.tensor([1.0]) @ mg.tensor([1.0, 2.0])
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helper.py").write_text("SCALE = 0.5\n")
    (tmp_path / "my_script.py").write_text(SCRIPT)
    return tmp_path


def test_steps_that_a_function_does_not_take_are_refused(
    tmp_path, monkeypatch, one_line, capsys
):
    monkeypatch.chdir(tmp_path)
    rounds = "for t in mg.steps({}): h = mg.tanh(h).named('h')"
    (tmp_path / "mine.py").write_text(
        "import minigrad as mg\n"
        + "".join(
            f"def {name}:\n h = mg.tensor([1.0], name='h0')\n"
            f" {rounds.format(many)}\n return h\n"
            for name, many in (("three()", 3), ("any_number(steps)", "steps"))
        )
    )
    assert "mine.py:three takes no number of steps" in one_line(
        "draw", "mine.py:three", "--steps", "5"
    )
    assert main(["draw", "mine.py:three", "-o", "three.svg"]) == 0
    assert main(["draw", "mine.py:any_number", "--steps", "2", "-o", "two.svg"]) == 0
    assert "h@2" not in (tmp_path / "two.svg").read_text()
    assert "h@-1" in (tmp_path / "two.svg").read_text()


def test_a_word_that_is_left_over_is_told_with_its_command(one_line):
    said = one_line("train", "xor", "--foo", "3")
    assert "train has no --foo" in said
    assert "(see minigrad train --help)" in said


def test_every_option_of_draw_says_what_it_may_be(capsys):
    with pytest.raises(SystemExit):
        main(["draw", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for words in ("unfolded, ops, backward", "color, book, dark", "t-1, t, t+1"):
        assert words in said


FAILING = """import sys
import minigrad as mg

class Stop(BaseException):
    pass

def leaves():
    sys.exit("good bye")

def stops():
    raise Stop("now")

async def waits():
    return mg.tensor(1.0)

def yields():
    yield mg.tensor(1.0)

async def both():
    yield mg.tensor(1.0)

def deep():
    return deep()

def many(a, b):
    return a

def lines():
    raise RuntimeError("first" + chr(10) + "second")

def helped():
    return mg.tensor([1.0]) @ mg.tensor([1.0, 2.0])

def interrupted():
    raise KeyboardInterrupt

lamb = lambda: waits()
number = 5
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("leaves", "failing.py, line 8: it calls sys.exit('good bye')\n"),
        ("stops", "failing.py, line 11: Stop: now\n"),
        ("waits", "failing.py:waits is async: write it with def alone"),
        ("lamb", "failing.py:lamb is async"),
        ("yields", "failing.py:yields yields: it must return a Tensor to draw"),
        ("both", "failing.py:both yields"),
        ("deep", "failing.py, line 23: RecursionError: maximum recursion depth"),
        ("many", "failing.py: TypeError: many() missing 1 required positional"),
        ("lines", "failing.py, line 29: RuntimeError: first second\n"),
        ("helped", "failing.py, line 32: ValueError: matmul: "),
        ("number", "failing.py has no function 'number'"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_function_that_fails_is_told_in_one_line(
    name, words, tmp_path, monkeypatch, one_line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "failing.py").write_text(FAILING)
    before = list(sys.path), set(sys.modules)
    assert words in one_line("draw", f"failing.py:{name}")
    assert sys.path == before[0]
    new = set(sys.modules) - before[1]  # NumPy brings some of its own when asked
    assert {name for name in new if not name.startswith("numpy.")} == set()
    assert {path.name for path in tmp_path.iterdir()} <= {"failing.py", "__pycache__"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\n\nsys.exit()\n", "mine.py, line 3: it calls sys.exit()"),
        ("def f(:\n", "mine.py, line 1: SyntaxError: "),
        ("x = 1\n  y = 2\n", "mine.py, line 2: IndentationError: unexpected indent"),
        ("import nothing_of_the_kind", "mine.py, line 1: ModuleNotFoundError: No mod"),
        ("raise SystemExit", "mine.py, line 1: it calls sys.exit()"),
        ("raise BaseException", "mine.py, line 1: BaseException\n"),
        ("import wrong", "wrong.py, line 2: SyntaxError: "),
        ("x = '\x00'", "null bytes"),
    ],
)
@pytest.mark.parametrize("command", ["draw", "check"])
def test_a_file_that_fails_is_told_in_one_line(
    command, text, words, tmp_path, monkeypatch, one_line
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.py").write_text("\nx = = 1\n")
    (tmp_path / "mine.py").write_text(text)
    name = "mine.py:f" if command == "draw" else "mine.py"
    assert words in one_line(command, name)


def test_a_file_that_is_no_text(tmp_path, one_line):
    path = tmp_path / "mine.py"
    path.write_bytes(b"\xff\xfe\x00")
    assert "mine.py" in one_line("check", str(path))
    assert "mine.py" in one_line("draw", f"{path}:f")
    assert "no such file" in one_line("check", str(tmp_path))
    assert "no file" in one_line("draw", f"{tmp_path}.py:f")


@pytest.mark.parametrize("name", ["interrupted", "top"])
def test_ctrl_c_in_a_script_stays_ctrl_c(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "failing.py").write_text(FAILING)
    (tmp_path / "top.py").write_text("raise KeyboardInterrupt\n")
    if name == "top":
        assert main(["check", "top.py"]) == 130
        assert main(["draw", "top.py:f"]) == 130
    else:
        assert main(["draw", "failing.py:interrupted"]) == 130
    assert set(capsys.readouterr().err.splitlines()) == {"minigrad: stopped"}


def test_an_op_that_leaves_is_a_failed_check(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "import sys\nimport minigrad as mg\n\n"
        "leaving = mg.Op(lambda x: sys.exit(3), lambda g, y, x: g, name='my_leaving')\n"
    )
    try:
        assert main(["check", "mine.py"]) == 1
    finally:
        registry.pop("my_leaving")
    assert "SystemExit: 3" in capsys.readouterr().out


def test_a_script_may_have_dataclasses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import KW_ONLY, dataclass\n"
        "import minigrad as mg\n\n\n"
        "@dataclass\nclass A:\n    _: KW_ONLY\n    x: int = 1\n\n\n"
        "def f():\n    return (mg.tensor(1.0, name='x') * A().x).named('y')\n"
    )
    assert main(["draw", "mine.py:f", "-o", "a.dot"]) == 0


@pytest.mark.parametrize(
    ("function", "steps"), [("loop", ["--steps", "4"]), ("expression", [])]
)
def test_draw_a_function_of_a_script(function, steps, script):
    assert main(["draw", f"my_script.py:{function}", *steps]) == 0
    assert (script / f"{function}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.py:loop", "no file none.py"),
        ("my_script.py:other", "my_script.py has no function 'other'"),
        ("my_script.py:nothing", "must return a Tensor"),
        ("my_script.py:wrong", "mismatch"),
    ],
)
def test_a_script_that_cannot_be_drawn(name, words, script, one_line):
    assert words in one_line("draw", name)


@pytest.mark.parametrize("steps", ["-3", "0", "2.5"])
def test_a_number_of_steps_that_is_none(steps, one_line):
    said = one_line("train", "xor", "--steps", steps)
    assert f"'{steps}' is not a whole number of at least 1" in said


def test_a_name_that_is_nearly_right(one_line):
    assert "did you mean 'lstm'?" in one_line("train", "xor", "--cell", "lsmt")
    assert "did you mean 'lstm'?" in one_line("draw", "lsmt")
    assert "did you mean 'sunspots'?" in one_line("train", "Sunspot")
    assert "did you mean 'folded'?" in one_line(
        "draw", "many-to-one", "--view", "foldd"
    )


def test_the_version_in_short(capsys):
    for flag in ("-V", "--version"):
        with pytest.raises(SystemExit):
            main([flag])
        assert capsys.readouterr().out.startswith("minigrad ")


def test_rate_batch_and_quiet_reach_the_task(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setitem(TASKS, "digits", replace(TASKS["digits"], run=calls.append))
    given = ["--lr", "0.5", "--batch", "7", "--quiet", "--out", str(tmp_path)]
    assert main(["train", "digits", *given]) == 0
    expected = Options(2000, 0, tmp_path, lr=0.5, batch=7, quiet=True)
    assert calls == [expected]


def test_rates_that_mean_nothing(one_line, tmp_path):
    for text in ("0", "-1", "abc", "inf", "nan"):
        said = one_line("train", "xor", f"--lr={text}")
        assert f"'{text}' is not a number above 0" in said
    assert "sunspots has no --lr" in one_line("train", "sunspots", "--lr", "1")
    given = ("--model", "echo-state", "--lr", "1", "--out", str(tmp_path))
    assert "takes no --lr" in one_line("train", "mackey-glass", *given)


def test_a_rate_is_what_the_optimiser_uses(tmp_path, capsys):
    losses = []
    for lr in ("1e-9", "0.05"):
        given = ["--lr", lr, "--steps", "4", "--quiet", "--out", str(tmp_path)]
        assert main(["train", "xor", *given]) == 0
        rows = (tmp_path / "log.csv").read_text().splitlines()[1:]
        losses.append([float(row.split(",")[1]) for row in rows])
    assert losses[0] == pytest.approx([losses[0][0]] * 4, rel=1e-4)
    assert losses[1][0] == losses[0][0] != pytest.approx(losses[1][-1], rel=1e-4)


def test_shapes_and_values_are_drawn(tmp_path):
    texts = []
    for more in ([], ["--shapes"], ["--values"]):
        path = tmp_path / "a.dot"
        given = ["draw", "many-to-one", "--steps", "4", "-o", str(path)]
        assert main([*given, *more]) == 0
        texts.append(path.read_text())
    assert len(set(texts)) == 3


def test_a_figure_and_a_page_speak_the_language_that_was_asked_for(tmp_path):
    for suffix in ("svg", "html"):
        for language, unfold in (("en", ">Unfold<"), ("es", ">Desplegar<")):
            path = tmp_path / f"{language}.{suffix}"
            given = ["draw", "many-to-one", "--steps", "4", "-o", str(path)]
            assert main([*given, "--style", "book", "--language", language]) == 0
            assert unfold in path.read_text(encoding="utf-8")


def test_a_language_that_no_figure_speaks(one_line):
    said = one_line("draw", "many-to-one", "--language", "fr")
    assert "no 'fr'; there is en, es" in said


def test_what_may_be_meant(one_line, tmp_path):
    assert "no 'trian', did you mean 'train'? there is train, pred" in one_line("trian")
    said = one_line("train", "xor", "--missing", "refusal")
    assert "no 'refusal', did you mean 'refuse'? there is refuse, skip, fill" in said
    assert "train has no --hiden; near it: --hidden" in one_line(
        "train", "xor", "--hiden=3"
    )
    assert "draw has no --coulmns; near it: --columns" in one_line(
        "draw", "lstm", "--coulmns", "3"
    )
    assert f"{tmp_path} is a folder: name a file of it" in one_line(
        "train", "series", "--data", str(tmp_path)
    )


OWN_TASK = """
from minigrad.tasks import Task

def run(options):
    print("this network", options.steps, options.cell)
    return {"error": 0.5}

TASK = Task("mine", "a task of my own", steps=7, run=run, takes=("cell",))
OTHER = 3
"""


def test_a_task_of_ones_own(one_line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.py").write_text(OWN_TASK)
    assert main(["train", "my.py:TASK", "--cell", "gru"]) == 0
    assert capsys.readouterr().out.startswith("this network 7 gru\n")
    assert Path("runs/mine").is_dir()
    assert "mine has no --length" in one_line("train", "my.py:TASK", "--length", "3")
    assert "my.py:NO is nothing" in one_line("train", "my.py:NO")
    assert "my.py:OTHER is a int" in one_line("train", "my.py:OTHER")
    assert "there is no file your.py" in one_line("train", "your.py:TASK")
    Path("my.py").write_text("1 / 0")
    said = one_line("train", "my.py:TASK")
    assert "my.py, line 1: ZeroDivisionError: division by zero" in said
