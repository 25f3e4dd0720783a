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

from intervalvm.formats.vm import load

if TYPE_CHECKING:
    from intervalvm.tape import Tape

PROSPERO = TOP / "prospero.vm"


@pytest.fixture(scope="module")
def tape() -> Tape:
    return load(PROSPERO)


def test_prospero_is_what_its_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made.vm"
    script = TOP / "examples" / "prospero.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(made)])
    runpy.run_path(str(script), run_name="__main__")
    assert made.read_bytes() == PROSPERO.read_bytes()


SCRIPTS = [path for path in sorted((TOP / "examples").glob("*.py")) if path.stem != "prospero"]


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
    assert capsys.readouterr().out == f"{script.stem}.png\n"
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
