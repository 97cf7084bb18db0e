"""Shared objects are built once, kept, checked, and loaded from safe folders only."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import pytest

from minigrad.compile.c import cache
from minigrad.compile.c.cache import compiled
from minigrad.compile.c.compiler import CompilerError
from tests.compile.c.compilers import ANSWER, CC

pytestmark = [
    pytest.mark.skipif(CC is None, reason="needs a C compiler called cc"),
    pytest.mark.skipif(os.name == "nt", reason="owners and modes are of POSIX"),
]
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"
)


def answer(source=ANSWER):
    library = compiled(source)
    assert library.function("answer")() == 41
    return library


def inside(library):
    """The names in its folder."""
    return sorted(path.name for path in library.path.parent.iterdir())


def replanted(path, content):
    """Another file of this name; the one that is loaded stays what it was."""
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o700)


def test_a_library_is_found_again(watched, fresh):
    own = watched()
    built = answer()
    os.utime(built.path, (0, 0))
    fresh()
    found = answer()
    assert (built.cached, found.cached, own.builds) == (False, True, 1)
    assert found.path == built.path
    assert found.path.stat().st_mtime > time.time() - 60
    assert inside(found) == [found.path.name]
    assert (found.path.stat().st_mode & 0o777) == 0o700


def test_one_process_builds_a_source_once(watched):
    own = watched()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(answer())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    calls = len(own.calls)
    assert answer() is found[0]
    assert (own.builds, len(own.calls)) == (1, calls)
    answer(ANSWER + "//\n")
    assert (own.builds, len(own.calls)) == (2, calls + 1)


def test_an_error_is_not_kept(watched, monkeypatch):
    own = watched("test -e $0.allowed || exit 1")
    with pytest.raises(CompilerError):
        compiled(ANSWER)
    Path(f"{own.path}.allowed").touch()
    answer()


@pytest.mark.parametrize(
    "what",
    [
        'case "$1" in --version) echo another version; exit;; esac',
        'case "$*" in *-dM*) echo "#define __AVX9000__ 1"; exit;; esac',
        'case " $*" in *\\ -mprefer-vector-width=512\\ *) exit 1;; esac',
    ],
)
def test_the_key_knows_the_compiler(what, watched, fresh):
    """A new version, another processor, a flag less: each is another library."""
    watched()
    first = answer()
    fresh()
    watched(what)
    second = answer()
    assert not second.cached
    assert inside(second) == sorted([first.path.name, second.path.name])


def test_the_key_knows_source_and_arguments(watched, fresh, monkeypatch):
    own = watched()
    paths = {answer().path, answer(ANSWER + "/* more */\n").path}
    monkeypatch.setenv("CC", f"'{own.path}' -DMORE")
    paths.add(answer().path)
    assert len(paths) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"",
    ],
    ids=["cut", "one bit", "empty"],
)
def test_a_damaged_file_is_built_again(damage, watched, fresh):
    own = watched()
    path = answer().path
    content = path.read_bytes()
    replanted(path, damage(content))
    fresh()
    again = answer()
    assert (again.cached, again.path, own.builds) == (False, path, 2)
    assert path.read_bytes() == content
    fresh()
    assert answer().cached


def test_a_sound_file_that_does_not_load_is_built_again(fresh):
    """As one of another machine, which shares the folder and has another C library."""
    path = answer().path
    content = b"no shared object"
    planted = path.with_name(f"{path.name[:32]}-{cache._hash(content)}.so")
    replanted(path, b"")
    planted.write_bytes(content)
    planted.chmod(0o600)
    assert cache._is_sound(planted)
    fresh()
    assert answer().path == path


@pytest.mark.parametrize("kind", ["link", "dangling", "writable", "pipe", "full pipe"])
def test_what_is_no_file_of_the_users_own_is_not_loaded(kind, fresh, tmp_path):
    path = answer().path
    content = path.read_bytes()
    if kind == "writable":
        path.chmod(0o722)
    else:
        path.unlink()
    if kind == "link":
        (tmp_path / "elsewhere.so").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere.so")
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere.so")
    elif kind.endswith("pipe"):
        os.mkfifo(path, 0o700)
    if kind == "full pipe":
        os.write(os.open(path, os.O_RDWR), content)
    fresh()
    again = answer()
    assert (again.cached, again.path) == (False, path)
    assert path.is_file()
    assert not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "nowhere.so").exists()


@as_root
def test_a_file_of_another_user_is_not_loaded(fresh):
    path = answer().path
    os.chown(path, 65534, 65534)
    fresh()
    again = answer()
    assert not again.cached
    assert path.stat().st_uid == 0


def test_the_folder_is_made_for_the_user_alone(fresh, tmp_path):
    before = os.umask(0o002)
    try:
        folder = answer().path.parent
        fresh()
        assert answer().cached
    finally:
        os.umask(before)
    assert folder == tmp_path / "our own" / "cache"
    assert folder.stat().st_mode & 0o777 == 0o700


def refused(reason):
    """The temporary folder that is used in place of the one that was wanted."""
    with pytest.warns(UserWarning, match=reason) as caught:
        folder = answer().path.parent
    assert len(caught) == 1
    assert "set MINIGRAD_CACHE to a folder that you alone" in str(caught[0].message)
    assert folder.stat().st_mode & 0o777 == 0o700
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert answer(ANSWER + "//\n").path.parent == folder
    return folder


@pytest.mark.parametrize("mode", [0o722, 0o770, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(mode, fresh):
    folder = answer().path.parent
    folder.chmod(mode)
    fresh()
    before = os.listdir(folder)
    assert refused("others may write to it") != folder
    assert os.listdir(folder) == before
    folder.chmod(0o755)  # which others may read
    fresh()
    assert answer().path.parent == folder


def test_a_temporary_folder_is_checked_too(fresh):
    """Something may tidy the system's folder, and somebody take the name."""
    answer().path.parent.chmod(0o777)
    fresh()
    first = refused("others may write to it")
    first.chmod(0o777)
    with pytest.warns(UserWarning, match="others may write to it"):
        second = answer(ANSWER + "// second\n").path.parent
    shutil.rmtree(second)
    assert answer(ANSWER + "// third\n").path.parent == second != first


@as_root
def test_a_folder_of_another_user_is_not_used(fresh):
    folder = answer().path.parent
    os.chown(folder, 65534, 65534)
    fresh()
    assert refused("it belongs to user 65534, and this is user 0") != folder


def test_a_folder_is_of_who_the_process_acts_for(fresh, monkeypatch):
    folder = answer().path.parent
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.warns(UserWarning, match="it belongs to user"):
        assert cache._folder() != folder


def test_a_link_to_a_folder(fresh, tmp_path, monkeypatch):
    """One's own is followed: caches often lie on another disk."""
    (tmp_path / "disk").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    monkeypatch.setenv("MINIGRAD_CACHE", str(link))
    answer()
    assert len(os.listdir(tmp_path / "disk")) == 1


@as_root
def test_a_link_of_another_user_is_not_followed(fresh, tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk")
    os.lchown(link, 65534, 65534)
    monkeypatch.setenv("MINIGRAD_CACHE", str(link))
    refused("it is a link of another user's")
    assert not os.listdir(tmp_path / "disk")


def test_where_the_folder_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINIGRAD_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    for platform, usual in (("linux", ".cache"), ("darwin", "Library/Caches")):
        monkeypatch.setattr(cache.sys, "platform", platform)
        assert cache._wanted() == tmp_path / usual / "minigrad"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache._wanted() == tmp_path / "caches" / "minigrad"
    monkeypatch.setenv("MINIGRAD_CACHE", "here")
    assert cache._wanted() == Path.cwd() / "here"


def test_without_a_home_the_folder_is_temporary(fresh, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MINIGRAD_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cache.Path, "home", homeless)
    refused("there is no home folder")


PROCESS = f"""
import os, sys, warnings
warnings.simplefilter("ignore")
from minigrad.compile.c.cache import compiled
for user in map(int, sys.argv[1:]):
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
library = compiled({ANSWER!r})
assert library.function("answer")() == 41
if os.fork() == 0:
    sys.exit()
os.wait()
assert library.path.exists()
print(library.path)
"""


def process(*user, **variables):
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, *user],
        env=os.environ | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_temporary_folder_goes_with_its_process(fresh, tmp_path):
    (tmp_path / "home").write_text("a file, in which no folder can be made")
    one = process(MINIGRAD_CACHE="", XDG_CACHE_HOME="", HOME=str(tmp_path / "home"))
    path, said = one.communicate()
    assert one.returncode == 0, said
    assert path.strip().endswith(".so")
    assert not Path(path.strip()).parent.exists()


def test_a_compiler_reads_nothing_that_is_typed(watched):
    watched("if read line; then exit 1; fi")
    one = process()
    _, said = one.communicate("typed\n")
    assert one.returncode == 0, said


@as_root
def test_another_user(fresh):
    """Has a folder of their own, or a temporary one, and no part in that of root."""
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)
        settings = {"MINIGRAD_CACHE": "", "XDG_CACHE_HOME": "", "HOME": home}
        for owner, mode, own in ((0, 0o700, 0), (65534, 0o700, 1), (65534, 0o500, 0)):
            os.chown(home, owner, owner)
            for folder in Path(home).glob(".cache/minigrad"):
                assert folder.stat().st_uid == 65534
                assert folder.stat().st_mode & 0o777 == 0o700
                folder.chmod(mode)
            one = process("65534", **settings)
            path, said = one.communicate()
            assert one.returncode == 0, said
            assert path.startswith(f"{home}{os.sep}") == own


def test_several_processes_at_once(fresh, tmp_path):
    """All of them build, or some find what others built; none sees half a file."""
    processes = [process() for _ in range(4)]
    done = [(*one.communicate(), one.returncode) for one in processes]
    assert [(code, said) for _, said, code in done] == [(0, "")] * 4
    paths = {Path(path.strip()) for path, _, _ in done}
    assert all(path.is_file() for path in paths)
    library = answer()
    assert library.cached
    assert inside(library) == sorted(path.name for path in paths)


def test_a_build_that_fails_leaves_nothing(fresh):
    folder = answer().path.parent
    before = os.listdir(folder)
    with pytest.raises(CompilerError):
        compiled("nonsense\n")
    assert os.listdir(folder) == before


def test_what_killed_builds_left_is_removed(fresh):
    folder = answer().path.parent
    old, new, other = (
        folder / name for name in (f"{cache.BUILDING}a", f"{cache.BUILDING}b", "photos")
    )
    for path in (old, new, other):
        path.mkdir()
        (path / "program.c").touch()
        if path != new:
            os.utime(path, (0, 0))
    answer(ANSWER + "//\n")
    assert [path.exists() for path in (old, new, other)] == [False, True, True]


def test_what_was_loaded_long_ago_makes_room(fresh, monkeypatch):
    paths = [answer(ANSWER + f"// {k}\n").path for k in range(3)]
    other = paths[0].with_name("my own.so")
    other.write_bytes(bytes(100_000))
    for path, day in zip(paths, (1, 3, 2), strict=True):
        os.utime(path, (day, day))
    os.utime(other, (0, 0))
    monkeypatch.setattr(cache, "LIMIT", 2 * paths[0].stat().st_size + 500)
    last = answer(ANSWER + "// 3\n").path
    assert [path.exists() for path in (*paths, last)] == [False, True, False, True]
    assert other.exists()


def test_what_cannot_be_loaded_is_an_error(watched):
    lines = 'for a; do last="$a"; test "$p" = -o && o="$a"; p="$a"; done'
    watched(lines, 'if test -n "$o"; then echo no object > "$o"; exit; fi')
    with pytest.raises(CompilerError, match=r"cannot be loaded: .*noexec"):
        compiled(ANSWER)


def test_what_is_told(watched, fresh):
    own = watched()
    library = answer()
    head, version, flags, shared = library.explain().splitlines()
    assert head == f"compiler      {own.path}"
    assert version.startswith("version       ")
    assert len(version) > 20
    assert flags == f"flags         {' '.join(library.compiler.flags)}"
    assert shared.startswith("shared object built in 0.")
    assert shared.endswith(f" s, {library.path}")
    fresh()
    assert "loaded from the cache in" in answer().explain()
