"""The gallery: every example is on the page, short, and the same picture as dense evaluation."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from support.places import TOP

import intervalvm as ivm
from intervalvm.expr import as_tape

SCRIPT: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "draw_gallery.py"))
EXAMPLES: list[Path] = SCRIPT["examples"]()
PAGE = (TOP / "docs" / "gallery.md").read_text(encoding="utf-8")
LONGEST = 60
LARGEST = 60_000


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    return {path.stem: SCRIPT["build"](path) for path in EXAMPLES}


def by_name(path: Path) -> str:
    return path.stem


def test_every_script_in_the_folder_builds_a_shape() -> None:
    dense = TOP / "examples" / "prospero3d_dense.py"
    assert {*(TOP / "examples").glob("*.py")} == {*EXAMPLES, dense}
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("path", EXAMPLES, ids=by_name)
def test_an_example_is_short_and_shown(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < LONGEST
    assert f"](../examples/{path.name})" in PAGE
    assert f"](gallery/{path.stem}.png)" in PAGE
    place = TOP / "docs" / "gallery" / f"{path.stem}.png"
    assert place.stat().st_size < LARGEST
    with Pillow.open(place) as picture:
        assert picture.size == (SCRIPT["SIZE"],) * 2
        assert len(picture.getcolors()) > 1


def test_the_page_shows_nothing_else() -> None:
    shown = re.findall(r"\]\(gallery/(\w+)\.png\)", PAGE)
    assert sorted(shown) == [path.stem for path in EXAMPLES]
    files = (TOP / "docs" / "gallery").iterdir()
    assert sorted(file.stem for file in files) == sorted(shown)


@pytest.mark.parametrize("path", EXAMPLES, ids=by_name)
def test_pruning_changes_no_pixel(path: Path, shapes: dict[str, Any]) -> None:
    shape = shapes[path.stem]
    for z in (0.05, 0.2) if "z" in as_tape(shape).axes else (0.0,):
        dense = ivm.render(shape, size=96, engine="dense", z=z)
        pruned = ivm.render(shape, size=96, depth=3, z=z)
        np.testing.assert_array_equal(pruned.pixels, dense.pixels)
        assert 0.02 < (dense.pixels > 0).mean() < 0.98


@pytest.mark.parametrize("path", EXAMPLES, ids=by_name)
def test_a_variable_changes_the_picture(path: Path, shapes: dict[str, Any]) -> None:
    shape = shapes[path.stem]
    names = as_tape(shape).variables
    assert bool(names) == (path.stem in ("bracket", "clock"))
    for name in names:
        changed = {name: shape.defaults[name] * 1.3}
        before = ivm.render(shape, size=64, engine="dense")
        after = ivm.render(shape, size=64, engine="dense", variables=changed)
        assert (after.pixels != before.pixels).any(), name
