"""Which compiler is found, how it is called, and what is said where it fails."""

import ctypes
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from minigrad.compile.c import compiler
from minigrad.compile.c.cache import compiled
from minigrad.compile.c.compiler import TRIED, CompilerError, CompilerNotFound, find
from tests.compile.c.compilers import ANSWER, CC, script

pytestmark = pytest.mark.skipif(CC is None, reason="needs a C compiler called cc")


def test_the_variable_is_split_as_a_shell_would(fresh, tmp_path, monkeypatch):
    path = script(tmp_path / "my compiler" / "mine", f'exec "{CC}" "$@"')
    monkeypatch.setenv("CC", f"'{path}' '-DNUMBER=40 + 1'")
    assert find() == (str(path), "-DNUMBER=40 + 1")
    library = compiled("int answer(void) { return NUMBER; }\n")
    assert library.function("answer")() == 41
    assert library.compiler.command == find()


def test_no_shell_reads_the_variable(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("CC", f"{CC} -DNO='$(touch {tmp_path / 'ran'})' ; touch x")
    assert find()[1:] == (f"-DNO=$(touch {tmp_path / 'ran'})", ";", "touch", "x")
    with pytest.raises(CompilerError):
        compiled(ANSWER)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("given", ["", "  "])
def test_names_on_the_path_in_their_order(given, fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", given)
    for name in ("clang", "gcc", "cc"):
        path = script(tmp_path / name, "exit 1")
        assert find() == (str(path),)


def test_without_a_compiler_three_ways_are_named(fresh, tmp_path, monkeypatch):
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilerNotFound) as caught:
        compiled(ANSWER)
    for way in ("set CC", "apt-get install gcc", "minigrad-rnn[zig]", '"numpy"'):
        assert way in str(caught.value)


def test_the_package_of_zig_comes_last(fresh, tmp_path, monkeypatch):
    package = tmp_path / "site" / "ziglang"
    note = f'echo "$ZIG_GLOBAL_CACHE_DIR:$ZIG_LOCAL_CACHE_DIR" >> "{tmp_path}/caches"'
    usual = f"PATH={shlex.quote(os.environ['PATH'])}"
    run = f'shift && exec {CC} "$@"'
    path = script(package / "zig", note, usual, f'test "$1" = cc && {run}')
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(package.parent))
    assert find() == (CC,)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() == (str(path), "cc")
    library = compiled(ANSWER)
    assert library.function("answer")() == 41
    folder = library.path.parent
    for line in (tmp_path / "caches").read_text().splitlines():
        kept, passing = line.split(":")
        assert kept == str(folder / "zig")
        assert os.path.dirname(passing) == str(folder)
        assert passing != kept
        assert not os.path.exists(passing)


@pytest.mark.skipif(find_spec("ziglang") is None, reason="needs ziglang")
def test_zig_compiles(fresh, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    library = compiled(ANSWER)
    assert library.function("answer")() == 41
    assert library.compiler.command[1:] == ("cc",)
    assert (library.path.parent / "zig").is_dir()


@pytest.mark.parametrize("given", ["/no/such/gcc -m64", "no-such-compiler", "cc 'open"])
def test_a_variable_that_names_no_program(given, fresh, monkeypatch):
    monkeypatch.setenv("CC", given)
    with pytest.raises(CompilerNotFound) as caught:
        compiled(ANSWER)
    assert repr(given) in str(caught.value)
    assert "set CC" in str(caught.value)


def test_a_compiler_that_fails_is_quoted(fresh, tmp_path, monkeypatch):
    path = script(tmp_path / "mine", "seq 1 20 >&2", "exit 3")
    monkeypatch.setenv("CC", f"{path} -m64")
    with pytest.raises(CompilerError) as caught:
        compiled(ANSWER)
    head, command, *lines, advice = str(caught.value).splitlines()
    assert head == "the C compiler failed with exit status 3:"
    assert command.split() == [str(path), "-m64", "--version"]
    assert [int(line) for line in lines] == list(range(1, 13))
    assert 'backend="numpy"' in advice


def test_a_file_that_is_no_program(fresh, tmp_path, monkeypatch):
    path = tmp_path / "broken"
    path.write_bytes(b"\x00\x01 not a program")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    with pytest.raises(CompilerError, match="cannot be run"):
        compiled(ANSWER)


@pytest.mark.parametrize("program", ["true", "cat"])
def test_a_program_that_is_no_compiler(program, fresh, monkeypatch):
    monkeypatch.setenv("CC", program)
    with pytest.raises(CompilerError, match=r"made no file|failed with exit"):
        compiled(ANSWER)


def test_text_that_is_not_c(fresh):
    with pytest.raises(CompilerError, match=r"program.c:1:\d+: error: unknown type"):
        compiled("nonsense f(void);\n")


def test_flags_that_are_refused_are_left_out(watched):
    refused = TRIED[-1], TRIED[0]
    lines = [f'case " $* " in *" {flag} "*) exit 1;; esac' for flag in refused]
    own = watched(*lines)
    library = compiled(ANSWER)
    assert library.function("answer")() == 41
    assert library.compiler.refused == refused[::-1]
    assert not set(refused) & set(library.compiler.flags)
    assert set(TRIED) <= {*refused, *library.compiler.flags}
    assert f"refused       {refused[1]} {refused[0]}\n" in library.explain()
    assert own.builds == 1


def test_a_flag_that_decides_results_must_be_taken(watched):
    watched('case "$*" in *-ffp-contract=off*) echo what >&2; exit 1;; esac')
    with pytest.raises(CompilerError, match=r"-ffp-contract=off[^$]*\n    what"):
        compiled(ANSWER)


@pytest.mark.parametrize(
    "flag", ["-Ofast", "-ffast-math", "-funsafe-math-optimizations"]
)
def test_the_arithmetic_is_ours(flag, watched, monkeypatch):
    """Each of these in CC would change results, and the first also those of others."""
    own = watched()
    monkeypatch.setenv("CC", f"{own.path} {flag}")
    library = compiled(
        "double less(double x) { return x - x; }\n"
        "double part(double x) { return x / 10; }\n"
    )
    less, part = library.function("less"), library.function("part")
    for function in (less, part):
        function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
    assert np.isnan(less(np.inf))
    x = np.random.default_rng(0).normal(size=1000).tolist()
    assert [part(value) for value in x] == [value / 10 for value in x]
    assert np.float32(1e-40) * np.float32(1) > 0


CONTEXTS = """
void alone(long n, const float *x, float *restrict z) {
    for (long i = 0; i < n; i++) { float a = x[i] * x[i]; z[i] = a - x[i] * x[i]; }
}
void kept(long n, const float *x, float *restrict z, float *restrict w) {
    for (long i = 0; i < n; i++) {
        float a = x[i] * x[i]; w[i] = a; float b = x[i] * 3; z[i] = a - b;
    }
}
void passing(long n, const float *x, float *restrict z) {
    for (long i = 0; i < n; i++) { float a = x[i] * x[i], b = x[i] * 3; z[i] = a - b; }
}
"""


def test_a_line_has_one_result_wherever_it_stands(fresh):
    """Contracted to fma, the square less itself is its rounding error."""
    library = compiled(CONTEXTS)
    x = np.random.default_rng(0).normal(size=1003).astype(np.float32)
    z, w, other = (np.full_like(x, np.nan) for _ in range(3))
    p, q, r, s = (ctypes.c_void_p(a.ctypes.data) for a in (x, z, w, other))
    library.function("alone")(ctypes.c_long(x.size), p, q)
    assert not z.any()
    library.function("kept")(ctypes.c_long(x.size), p, q, r)
    library.function("passing")(ctypes.c_long(x.size), p, s)
    np.testing.assert_array_equal(z, other)
    np.testing.assert_array_equal(z, x * x - x * np.float32(3))


def test_the_compiler_speaks_english(watched, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    watched('echo "spoken: $LC_ALL" >&2', "exit 1")
    with pytest.raises(CompilerError, match="spoken: C"):
        compiled(ANSWER)


def test_words_that_are_no_text_are_shown(watched):
    watched(r"printf '\377\376 odd' >&2", "exit 1")
    with pytest.raises(CompilerError, match="odd"):
        compiled(ANSWER)


UNASKED = """
import sys
ran = []
sys.addaudithook(lambda event, facts: ran.append(event) if event in
                 {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"} else 0)
import numpy as np
import minigrad as mg
double = mg.compile(lambda x: mg.tanh(x) * 2.0, strict=True)
assert double(np.zeros(2)).data.tolist() == [0.0, 0.0]
assert not [name for name in sys.modules if name.startswith("minigrad.compile.c.")]
assert not ran, ran
"""


def test_nothing_runs_a_compiler_unasked(tmp_path):
    environment = os.environ | {
        "MINIGRAD_CACHE": str(tmp_path / "cache"),
        "CC": "false",
    }
    subprocess.run([sys.executable, "-c", UNASKED], env=environment, check=True)
    assert not (tmp_path / "cache").exists()


def test_commands_are_shown_as_a_shell_takes_them(fresh, tmp_path, monkeypatch):
    path = script(tmp_path / "my compiler", "exit 1")
    monkeypatch.setenv("CC", f"'{path}' '-Da=b c'")
    with pytest.raises(CompilerError) as caught:
        compiled(ANSWER)
    shown = str(caught.value).splitlines()[1]
    assert shlex.split(shown) == [str(path), "-Da=b c", "--version"]
