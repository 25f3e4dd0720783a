"""The page for makers: its pictures are small and shown, its table has every suffix."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest
from support.places import TOP

from intervalvm.meshes.formats import FORMATS as MESHES
from intervalvm.outlines.saving import FORMATS as OUTLINES

SCRIPT: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "draw_make.py"))
PAGES = [TOP / "docs" / f"{name}.md" for name in ("make", "gallery", "trust")]
LARGEST = 60_000
"""Bytes of a picture."""


def test_every_picture_is_shown() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    names = sorted(f"{name}.png" for name in SCRIPT["PICTURES"])
    assert sorted({*re.findall(r"\]\(make/([\w.]+)\)", text)}) == names
    assert sorted(file.name for file in (TOP / "docs" / "make").iterdir()) == names


@pytest.mark.parametrize("name", SCRIPT["PICTURES"])
def test_a_picture_is_small(name: str) -> None:
    assert (TOP / "docs" / "make" / f"{name}.png").stat().st_size < LARGEST


def test_the_table_has_every_suffix() -> None:
    page = PAGES[0].read_text(encoding="utf-8")
    rows = "".join(re.findall(r"^\| (`\..*?) \|", page, re.MULTILINE))
    assert sorted(re.findall(r"`\.(\w+)`", rows)) == sorted([*OUTLINES, *MESHES])
