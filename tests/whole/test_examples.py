"""The examples: they run, and the shape that one of them made is the one that is committed."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow
from support.places import TOP

import intervalvm as ivm
from intervalvm.formats.vm import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.tape import Tape

PROSPERO, RELIEF = TOP / "prospero.vm", TOP / "prospero3d.vm"


@pytest.fixture(scope="module")
def tape() -> Tape:
    return load(PROSPERO)


def run(monkeypatch: pytest.MonkeyPatch, name: str, *words: object) -> None:
    script = TOP / "examples" / f"{name}.py"
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
    runpy.run_path(str(script), run_name="__main__")


@pytest.mark.parametrize("file", [PROSPERO, RELIEF], ids=lambda file: file.stem)
def test_a_challenge_is_what_its_script_writes(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made.vm"
    run(monkeypatch, file.stem, made)
    assert made.read_bytes() == file.read_bytes()


CHALLENGES = ("prospero", "prospero3d", "prospero3d_dense")
SCRIPTS = [path for path in sorted((TOP / "examples").glob("*.py")) if path.stem not in CHALLENGES]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_example_that_is_run_writes_its_picture_and_says_so(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script)])
    runpy.run_path(str(script), run_name="__main__")
    written = sorted(path.name for path in tmp_path.iterdir())
    assert sorted(capsys.readouterr().out.split()) == written
    with Pillow.open(tmp_path / f"{script.stem}.png") as picture:
        assert picture.size[0] == picture.size[1] >= 1024


def test_prospero_is_about_as_long_as_the_challenge(tape: Tape) -> None:
    assert 7000 <= len(tape) <= 9000
    assert tape.axes == ("x", "y")
    assert not tape.variables
    assert not set(tape.counts()) - {
        "const", "var-x", "var-y", "add", "sub", "mul", "neg", "abs", "square", "sqrt", "min",
        "max",
    }  # fmt: skip


def test_prospero_keeps_clear_of_the_border(tape: Tape) -> None:
    edge = np.linspace(-1, 1, 512)
    one = np.ones_like(edge)
    x = np.concatenate([edge, edge, one, -one])
    y = np.concatenate([one, -one, edge, edge])
    for scale in (1.0, 0.95):
        assert not (tape(scale * x, scale * y) < 0).any()


def test_prospero_is_text(tape: Tape) -> None:
    """Twelve lines of ink with gaps between them, as much of it as print has."""
    across, down = np.linspace(-1, 1, 384), -np.linspace(-1, 1, 384)
    inside = tape(across, down[:, None]) < 0
    assert 0.11 < inside.mean() < 0.15
    small_letters = inside.sum(axis=1) > 60
    assert np.count_nonzero(np.diff(small_letters.astype(int)) == 1) >= 12


# --- the challenge in relief ----------------------------------------------------------------------


def test_the_relief_is_a_solid_of_several_thousand_clauses() -> None:
    relief = load(RELIEF)
    assert 5000 <= len(relief) <= 7000
    assert relief.axes == ("x", "y", "z")
    assert not relief.variables


def dense_depth(monkeypatch: pytest.MonkeyPatch, folder: Path, size: int) -> NDArray[np.int32]:
    """What the dense program of a page finds, read back from its picture."""
    monkeypatch.chdir(folder)
    run(monkeypatch, "prospero3d_dense", size, RELIEF)
    with Pillow.open(folder / "prospero3d.pgm") as picture:
        return np.asarray(picture, np.int32) // (65535 // size)


def test_the_dense_program_finds_the_nearest_voxel_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 32
    depth = dense_depth(monkeypatch, tmp_path, size)
    centres = ((np.arange(size) + 0.5 - size / 2) * (2 / size)).astype(np.float32)
    z, y, x = np.meshgrid(centres, -centres, centres, indexing="ij")
    inside = ivm.evaluate(load(RELIEF), x=x, y=y, z=z) < 0
    nearest = np.where(inside, np.arange(1, size + 1)[:, None, None], 0).max(axis=0)
    np.testing.assert_array_equal(depth, nearest)
    assert 0.6 < (depth > 0).mean() < 0.9


def test_a_picture_of_the_relief_is_that_of_the_dense_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 48
    depth = dense_depth(monkeypatch, tmp_path, size)
    np.testing.assert_array_equal(ivm.render3d(load(RELIEF), size=size).depth, depth)
