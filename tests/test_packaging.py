"""What is installed: one top-level package, and `minigrad.models` in every form.

The project is copied before it is built, so that nothing is left in the checkout. The
builds use the setuptools that is installed (no build isolation): no network is needed.
Imports run in another directory, without site (`-S`), and are shown NumPy and its kin
by path alone: so what is found is what was built, not what is installed here.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minigrad

ROOT = Path(__file__).parents[1]
SITE = str(Path(np.__file__).parents[1])
JUNK = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "docs", "tests"
)
PROBE = """
import site, sys
sys.path[:0] = {first!r}
for folder in {pth!r}:
    site.addsitedir(folder)
sys.path.append({site!r})
import minigrad, minigrad.models
from minigrad.data import sunspots
assert minigrad.models.ManyToMany.__module__ == "minigrad.models.many_to_many"
assert len(sunspots()) == 309
print(minigrad.__file__)
print(minigrad.models.__file__)
"""


def python(*arguments, cwd, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"} | variables
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def imported(tmp_path, first=(), pth=()):
    """Where minigrad and minigrad.models come from, seen from another directory."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    first, pth = [str(p) for p in first], [str(p) for p in pth]
    probe = PROBE.format(first=first, site=SITE, pth=pth)
    lines = python("-S", "-c", probe, cwd=elsewhere).splitlines()
    return [Path(line) for line in lines]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the project as it is in the repository, link and all."""
    copy = tmp_path_factory.mktemp("source") / "minigrad"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=JUNK)
    if (ROOT / "PKG-INFO").exists():  # an unpacked source distribution has no link
        shutil.rmtree(copy / "minigrad" / "models")
        (copy / "minigrad" / "models").symlink_to("../models")
    assert (copy / "minigrad" / "models").is_symlink()
    return copy


def build(source, form, folder):
    script = (
        f"import setuptools.build_meta as b; print(b.build_{form}({str(folder)!r}))"
    )
    name = python("-c", script, cwd=source).splitlines()[-1]
    return folder / name


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    return build(source, "wheel", tmp_path_factory.mktemp("wheel"))


def modules(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    return sorted(name for name in names if ".dist-info/" not in name)


def expected():
    """Every module and data file of the repository, models/ among them."""
    paths = [
        path.relative_to(ROOT)
        for pattern in (
            "*.py",
            "*.pyi",
            "*.h",
            "*.css",
            "*.html",
            "*.js",
            "*.json",
            "*.csv",
            "*.csv.gz",
            "*.txt",
            "py.typed",
        )
        for path in (ROOT / "minigrad").rglob(pattern)
        if "models" not in path.parts
    ]
    paths += [
        Path("minigrad", path.relative_to(ROOT)) for path in ROOT.glob("models/*.py")
    ]
    return sorted(path.as_posix() for path in paths)


def test_every_folder_of_modules_is_a_listed_package():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options"]["packages"].split()
    there = {Path(name).parent.as_posix().replace("/", ".") for name in expected()}
    assert sorted(listed) == sorted(there)


# How a requirement, or an installation, names the package of the index called minigrad.
STRANGER = re.compile(
    r"(?<![-\w./])minigrad\\?\[[a-z]|pip install[^\n&]*[\s'\"]minigrad(?![-\w./])"
)


def test_the_project_never_names_the_strangers_distribution():
    for text in (
        "'minigrad[fast]'",
        "pip install minigrad",
        "pip install 'minigrad>=1'",
    ):
        assert STRANGER.search(text)
    for text in ("'minigrad-rnn[fast]'", "pip install . && minigrad train sunspots"):
        assert not STRANGER.search(text)
    kinds = {".py", ".pyi", ".md", ".ipynb", ".toml", ".cfg", ".cff", ".in", ""}
    rooms = ("minigrad", "models", "tests", "docs", ".ci")
    files = [*ROOT.iterdir(), *(p for room in rooms for p in (ROOT / room).rglob("*"))]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if path.is_file() and path.suffix in kinds and path != Path(__file__)
        for match in STRANGER.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_extras_refer_to_the_distribution_itself():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [
        *project["dependencies"],
        *(r for extra in extras.values() for r in extra),
    ]
    own = {r.partition("[")[0] for r in needed if r.startswith("minigrad")}
    assert own == {project["name"]} == {"minigrad-rnn"}


def test_the_wheel_has_one_top_level_package_and_every_module_once(wheel):
    assert modules(wheel) == expected()
    assert {name.split("/")[0] for name in modules(wheel)} == {"minigrad"}


def test_the_wheel_works_from_another_directory(wheel, tmp_path):
    target = tmp_path / "target"
    install = ["-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    python(*install, "--target", str(target), str(wheel), cwd=tmp_path)
    there = imported(tmp_path, first=[target])
    assert there == [
        target / "minigrad" / "__init__.py",
        target / "minigrad" / "models" / "__init__.py",
    ]
    assert not (target / "models").exists()


def test_a_source_distribution_makes_the_same_wheel(source, wheel, tmp_path):
    sdist = build(source, "sdist", tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert modules(build(unpacked, "wheel", tmp_path)) == modules(wheel)


@pytest.fixture(scope="module")
def editable(source, tmp_path_factory):
    """The interpreter of a new environment with an editable install of the copy."""
    folder = tmp_path_factory.mktemp("editable") / "env"
    venv.create(folder)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["-m", "pip", "--python", str(interpreter), "install", "--no-deps"]
    options = ["--no-index", "--quiet", "--no-build-isolation", "--editable"]
    # The environment has no setuptools: the build borrows the one that is here.
    python(*install, *options, str(source), cwd=folder, PYTHONPATH=SITE)
    return interpreter


def test_an_editable_install_reads_the_checkout(editable, source, tmp_path):
    (site_packages,) = editable.parents[1].rglob("site-packages")
    there = imported(tmp_path, pth=[site_packages])
    assert [path.resolve() for path in there] == [
        source / "minigrad" / "__init__.py",
        source / "models" / "__init__.py",
    ]


def test_an_editable_install_is_a_plain_path_file(editable, source):
    """Type checkers and editors read such files; they run no import hook."""
    (site_packages,) = editable.parents[1].rglob("site-packages")
    assert not list(site_packages.glob("*finder*"))
    (path,) = site_packages.glob("*minigrad*.pth")
    assert [Path(line) for line in path.read_text().splitlines()] == [source]


TYPED = """# pyright: basic
import minigrad as mg
import minigrad.models
reveal_type(mg.tensor(1.0))
reveal_type(minigrad.models.ManyToMany.loss)
"""
CHECKERS = {
    "mypy": ["--python-executable", "{python}", "--cache-dir=cache"],
    # Pyright, with its engine in the wheel: it fetches nothing when it starts.
    "basedpyright": ["--pythonpath", "{python}"],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_type_checker_finds_an_editable_install(checker, editable, tmp_path):
    if find_spec(checker) is None:
        pytest.skip(f"needs {checker}")
    (tmp_path / "typed.py").write_text(TYPED)
    options = [option.format(python=editable) for option in CHECKERS[checker]]
    said = python("-m", checker, *options, "typed.py", cwd=tmp_path)
    assert re.search(r'typed.py:4\b.* "(minigrad\.tensor\.)?Tensor"', said), said
    assert re.search(r"typed.py:5\b.* \"(def )?\(.*-> .*Tensor\"", said), said


def test_the_bare_checkout_works(source, tmp_path):
    there = imported(tmp_path, first=[source])
    assert [path.resolve() for path in there] == [
        source / "minigrad" / "__init__.py",
        source / "models" / "__init__.py",
    ]


def test_the_version_is_said_alike_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    assert minigrad.__version__ == project["version"] == cited[1]
