"""The page of pictures: it shows what its own code writes, and names all files and colours."""

from __future__ import annotations

import re

import pytest
from support.places import TOP

from intervalvm.raster.formats import FORMATS
from intervalvm.raster.palettes import PALETTES

PAGE = (TOP / "docs" / "pictures.md").read_text(encoding="utf-8")
PLACE = TOP / "docs" / "pictures"
LARGEST = 60_000
"""Bytes of a picture."""


def test_every_picture_is_shown_above_the_code_that_writes_it() -> None:
    shown = re.findall(r"\]\(pictures/([\w.]+)\)", PAGE)
    assert sorted(shown) == sorted(file.name for file in PLACE.iterdir())
    assert shown == re.findall(
        r'^>>> .*save\("([\w.]+)"', PAGE.partition("## Files")[0], re.MULTILINE
    )


@pytest.mark.parametrize("path", sorted(PLACE.iterdir()), ids=lambda path: path.stem)
def test_a_picture_is_small(path: object) -> None:
    assert (PLACE / str(path)).stat().st_size < LARGEST


def test_the_table_has_every_suffix_and_the_text_every_palette() -> None:
    named = {*re.findall(r"`\.(\w+)`", PAGE)}
    assert named == {*FORMATS} - {"jpeg", "tiff"}
    assert all(f'"{name}"' in PAGE for name in PALETTES)
