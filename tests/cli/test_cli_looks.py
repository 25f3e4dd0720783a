"""The command line: colours of pictures, and samples of a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as Pillow
from support.command_line import fails

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.cli import main

DRAW = ["circle.vm", "--size", "40", "--quiet", "--out"]


def drawn(path: str, *words: str, mode: str = "RGB") -> Any:
    assert main([*DRAW, path, *words]) == 0
    with Pillow.open(path) as picture:
        return np.asarray(picture.convert(mode))


def image(**options: Any) -> ivm.Image:
    return ivm.render(ivm.load("circle.vm"), size=40, **options)


def test_ink_and_paper(here: Path) -> None:
    assert_array_equal(drawn("a.png", "--ink", "navy"), image(ink="navy").shown)
    words = ["--ink", "#fe8", "--paper", "teal"]
    assert_array_equal(drawn("a.webp", *words), image(ink="#fe8", paper="teal").shown)
    clear = drawn("a.png", "--paper", "none", mode="RGBA")
    assert_array_equal(clear, image(paper="none").shown)


def test_samples_of_a_pixel(here: Path) -> None:
    found = drawn("a.png", "--antialias", "4", "--check", mode="L")
    assert_array_equal(found, image(antialias=4).pixels)
    assert len(np.unique(found)) > 4


def test_a_summary_of_samples_says_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in DRAW if word != "--quiet"]
    assert main([*words, "a.png", "--antialias", "4"]) == 0
    inside = image(antialias=4).stats.pixels["inside"]
    assert f", {inside} samples inside, " in capsys.readouterr().err


def test_values_in_colours(here: Path) -> None:
    values = image(mode="value")
    assert_array_equal(drawn("a.png", "--palette", "sea"), values.coloured("sea").shown)
    assert_array_equal(drawn("a.tif", "--isolines", "0.1"), values.coloured(isolines=0.1).shown)
    words = ["--palette", "red,#fff", "--limits", "-1", "2", "--mode", "value"]
    expected = values.coloured(["red", "#fff"], limits=(-1, 2))
    assert_array_equal(drawn("a.png", *words), expected.shown)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ink", "nvay"], "nvay' is not a colour"),
        (["--paper", "nothing"], "transparent paper"),
        (["--paper", "none", "--out", "a.jpg"], "a .jpg has no transparency"),
        (["--antialias", "0"], "from 1 to 16"),
        (["--antialias", "4", "--out", "a.pbm"], "an anti-aliased image has up to 256"),
        (["--antialias", "4", "--mode", "value", "--out", "a.npy"], "only a bitmap has coverage"),
        (["--antialias", "4", "--palette", "sea"], "only a bitmap has coverage"),
        (["--palette", "see"], "choose distance, sea"),
        (["--palette", "sea", "--out", "a.npy"], "a .npy has no colours: leave --palette out"),
        (["--palette", "sea", "--out", "a.pgm"], "a .pgm has no colours"),
        (["--palette", "sea", "--check"], "leave --palette and --isolines out"),
        (["--palette", "sea", "--ink", "red"], "--ink is about a bitmap"),
        (["--palette", "sea", "--prove", "area"], "proven pixels have no value"),
        (["--isolines", "0"], "give a number above 0"),
        (["--limits", "1", "0"], "the lower first"),
        (["--limits", "1", "2"], "the palette changes at 0"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    out = [] if "--out" in words else ["--out", "a.png"]
    assert message in fails(capsys, ["circle.vm", "--size", "40", *out, *words], folder=here)


def test_solids(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape = shapes.sphere(0.6)
    tape.save("ball.vm")
    words = ["--size", "20", "--antialias", "2", "--background", "none", "--check"]
    assert main(["render3d", "ball.vm", *words, "--out", "a.png"]) == 0
    assert "20x20x20, 2x2 samples a pixel" in capsys.readouterr().err
    expected = ivm.render3d(tape, size=20, antialias=2, background="none")
    with Pillow.open("a.png") as picture:
        assert_array_equal(picture, expected.shown)
