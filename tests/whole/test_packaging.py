"""What is handed out: the wheel has the examples, the source distribution all that tests need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.places import TOP

import intervalvm

FOLDERS = (".ci", ".github", "bench", "docs", "examples", "fuzz", "intervalvm", "tests", "tools")
FILES = (
    *("CHANGELOG.md", "CITATION.cff", "LICENSE", "MANIFEST.in", "README.md"),
    *("prospero.vm", "prospero3d.vm", "pyproject.toml", "setup.py"),
)
EXAMPLES = {path.name: path for path in (*(TOP / "examples").glob("*.py"), *TOP.glob("*.vm"))}
BUILD = "from setuptools.build_meta import *; import sys; print(build_{}(sys.argv[1]))"
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, since setuptools builds where the sources are."""
    copied = tmp_path_factory.mktemp("sources")
    for folder in FOLDERS:
        shutil.copytree(TOP / folder, copied / folder, ignore=LEFT_OUT)
    for file in FILES:
        shutil.copy(TOP / file, copied)
    return copied


def built(kind: str, sources: Path, into: Path) -> Path:
    command = [sys.executable, "-c", BUILD.format(kind), str(into)]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return into / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(built("sdist", sources, folder)) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"intervalvm-{intervalvm.__version__}"


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the source distribution builds, unpacked as it is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    made = built("wheel", sdist, folder)
    assert made.name == f"intervalvm-{intervalvm.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_source_distribution_has_all_that_its_tests_need(sources: Path, sdist: Path) -> None:
    def files(top: Path) -> set[str]:
        found = (path for path in top.rglob("*") if path.is_file())
        return {path.relative_to(top).as_posix() for path in found}

    assert {*FILES, ".ci/run", "tests/whole/test_packaging.py"} <= files(sources)
    assert not files(sources) - files(sdist)


def test_the_wheel_has_the_package_and_the_examples_and_nothing_else(wheel: Path) -> None:
    package = (path for path in (TOP / "intervalvm").rglob("*.*") if path.is_file())
    for path in package:
        assert path.suffix == ".pyc" or (wheel / path.relative_to(TOP)).exists(), path
    shipped = {path.name: path for path in (wheel / "intervalvm" / "examples").iterdir()}
    assert {name: path.read_bytes() for name, path in shipped.items()} == {
        name: path.read_bytes() for name, path in EXAMPLES.items()
    }
    tops = {path.name for path in wheel.iterdir()}
    assert tops == {"intervalvm", f"intervalvm-{intervalvm.__version__}.dist-info"}


def test_an_installed_package_copies_its_examples_and_draws_one(
    wheel: Path, tmp_path: Path
) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "intervalvm", *words]
        environment = os.environ | {"PYTHONPATH": str(wheel)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "prospero.py prospero.vm" in run("examples")
    assert run("examples", "prospero", "gear").split() == ["prospero.py", "prospero.vm", "gear.py"]
    for name in ("gear.py", "prospero.py", "prospero.vm"):
        assert (tmp_path / name).read_bytes() == EXAMPLES[name].read_bytes()
    assert "8752" in run("info", "prospero.vm")


# --- what is said about it ------------------------------------------------------------------------


def test_all_that_tells_the_version_tells_the_same() -> None:
    citation = (TOP / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", citation, re.MULTILINE) == [intervalvm.__version__]
    changes = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (\S+)", changes, re.MULTILINE)
    assert first is not None
    assert first[1] == intervalvm.__version__
