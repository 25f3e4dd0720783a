"""The page of solids: its pictures are small and shown, its first one is of its first example."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest
from PIL import Image as Pillow
from support.places import TOP

SCRIPT: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "draw_solids.py"))
PAGE = (TOP / "docs" / "solids.md").read_text(encoding="utf-8")
LARGEST_PALETTE, LARGEST = 150_000, 400_000
"""Bytes of a picture of few colours, and of another."""


def test_the_page_shows_every_picture_once() -> None:
    shown = re.findall(r"\]\(solids/([\w.]+)\)", PAGE)
    assert sorted(shown) == sorted(
        [*(f"{name}.png" for name in SCRIPT["PICTURES"]), SCRIPT["TURN"]]
    )
    assert sorted(shown) == sorted(file.name for file in (TOP / "docs" / "solids").iterdir())


@pytest.mark.parametrize("name", SCRIPT["PICTURES"])
def test_a_picture_is_small(name: str) -> None:
    place = TOP / "docs" / "solids" / f"{name}.png"
    with Pillow.open(place) as picture:
        assert place.stat().st_size < (LARGEST_PALETTE if picture.mode == "P" else LARGEST)


def test_the_turntable_moves() -> None:
    place = TOP / "docs" / "solids" / SCRIPT["TURN"]
    assert place.stat().st_size < LARGEST
    with Pillow.open(place) as picture:
        assert getattr(picture, "n_frames", 1) == 24


def test_eight_solids_of_the_gallery_are_shown() -> None:
    for name in SCRIPT["EIGHT"]:
        assert f"](gallery/{name}.png)" in (TOP / "docs" / "gallery.md").read_text(encoding="utf-8")
