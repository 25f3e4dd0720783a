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
LARGEST_FLAT, LARGEST_SOLID = 60_000, 400_000
"""Bytes of a picture of the plane, and of one of a solid."""


NAMES: dict[str, dict[str, Any]] = {path.stem: SCRIPT["loaded"](path) for path in EXAMPLES}
"""The names of each example."""
SOLIDS, FLAT = ([path for path in EXAMPLES if ("draw" in NAMES[path.stem]) is is_solid]
                for is_solid in (True, False))  # fmt: skip


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    return {name: names["build"]() for name, names in NAMES.items()}


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
    assert f"](gallery/{path.stem}.png)](scripts/{path.stem}.md)" in PAGE
    own_page = (TOP / "docs" / "scripts" / f"{path.stem}.md").read_text(encoding="utf-8")
    assert f"```{{example}} {path.stem}\n" in own_page
    place = TOP / "docs" / "gallery" / f"{path.stem}.png"
    is_solid = path in SOLIDS
    assert place.stat().st_size < (LARGEST_SOLID if is_solid else LARGEST_FLAT)
    with Pillow.open(place) as picture:
        assert picture.size == (SCRIPT["SOLID" if is_solid else "FLAT"],) * 2
        assert len(picture.getcolors()) > 1


def test_the_page_shows_nothing_else() -> None:
    shown = re.findall(r"\]\(gallery/(\w+)\.png\)", PAGE)
    assert sorted(shown) == [path.stem for path in EXAMPLES]
    files = (TOP / "docs" / "gallery").iterdir()
    assert sorted(file.stem for file in files) == sorted(shown)
    pages = (TOP / "docs" / "scripts").iterdir()
    assert sorted(page.stem for page in pages) == sorted(shown)


@pytest.mark.parametrize("path", EXAMPLES, ids=by_name)
def test_those_that_read_z_are_drawn_as_solids(path: Path, shapes: dict[str, Any]) -> None:
    assert ("z" in as_tape(shapes[path.stem]).axes) == (path in SOLIDS)


@pytest.mark.parametrize("path", FLAT, ids=by_name)
def test_pruning_changes_no_pixel(path: Path, shapes: dict[str, Any]) -> None:
    shape = shapes[path.stem]
    dense = ivm.render(shape, size=96, engine="dense")
    pruned = ivm.render(shape, size=96, depth=3)
    np.testing.assert_array_equal(pruned.pixels, dense.pixels)
    assert 0.02 < (dense.pixels > 0).mean() < 0.98


@pytest.mark.parametrize("path", SOLIDS, ids=by_name)
def test_pruning_changes_no_bit_of_a_solid(path: Path, shapes: dict[str, Any]) -> None:
    image = NAMES[path.stem]["draw"](40)
    dense = ivm.render3d(shapes[path.stem], size=image.volume.size, view=image.view, engine="dense")
    np.testing.assert_array_equal(image.depth, dense.depth)
    np.testing.assert_array_equal(image.normals, dense.normals)
    assert 0.1 < (image.depth > 0).mean() < 0.9
    assert not image.stats.voxels["full"], "the near side of the volume cuts it"


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
