"""The page of animations: its picture is small, moves, and is what its script draws."""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
from PIL import Image as Pillow
from support.places import TOP

import intervalvm as ivm

SCRIPT: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "draw_animate.py"))
PLACE = TOP / "docs" / "animate" / SCRIPT["NAME"]
LARGEST = 400_000
"""Bytes."""


def test_the_page_shows_it() -> None:
    assert f"](animate/{PLACE.name})" in (TOP / "docs" / "animate.md").read_text(encoding="utf-8")
    assert [file.name for file in PLACE.parent.iterdir()] == [PLACE.name]
    assert PLACE.stat().st_size < LARGEST


def test_the_gears_start_again_without_a_seam() -> None:
    """After a period every gear is where it, or one like it, was."""
    first, last = (ivm.render(SCRIPT["frame"](t), size=200).pixels for t in (0.0, 1.0))
    assert np.count_nonzero(first != last) < 20, "rounding at edges"
    with Pillow.open(PLACE) as film:
        assert getattr(film, "n_frames", 1) == SCRIPT["FRAMES"]
        assert film.size == (SCRIPT["SIZE"],) * 2
