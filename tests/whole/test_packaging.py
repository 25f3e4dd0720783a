"""What is handed out: the wheel has the sample, the source distribution all that tests need."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.places import TOP

import intervalvm

FOLDERS = ("bench", "docs", "examples", "fuzz", "intervalvm", "tests", "tools")
FILES = ("CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "prospero.vm", "pyproject.toml")
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


def test_the_source_distribution_has_all_that_its_tests_need(sources: Path, tmp_path: Path) -> None:
    expected = {path.relative_to(sources).as_posix() for path in sources.rglob("*.*")}
    expected = {name for name in expected if (sources / name).is_file()}
    with tarfile.open(built("sdist", sources, tmp_path)) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert not expected - names


def test_the_wheel_has_the_sample(sources: Path, tmp_path: Path) -> None:
    wheel = built("wheel", sources, tmp_path)
    assert wheel.name.startswith(f"intervalvm-{intervalvm.__version__}-")
    with zipfile.ZipFile(wheel) as archive:
        (sample,) = (name for name in archive.namelist() if name.endswith("prospero.vm"))
        assert archive.read(sample) == (TOP / "prospero.vm").read_bytes()
        assert any(name == "intervalvm/py.typed" for name in archive.namelist())
