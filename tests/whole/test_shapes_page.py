"""The page of shapes: it shows every shape, its code runs, and its pictures are of that code."""

from __future__ import annotations

import inspect
import runpy
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from support.places import TOP

from intervalvm import shapes
from intervalvm.shapes import Shape

SCRIPT: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "draw_shapes.py"))
ROWS: list[tuple[str, str, str]] = SCRIPT["ROW"].findall(SCRIPT["PAGE"].read_text(encoding="utf-8"))
PICTURES = TOP / "docs" / "shapes"
LARGEST, ALL = 30_000, 700_000
NOT_SHOWN = {
    "Shape", "Font", "tape", "defaults", "expr", "bind", "bounds", "save", "show",
    "__or__", "__and__", "__sub__",
}  # fmt: skip
"""What is no shape, and the operators of functions that are shown."""


def test_the_page_shows_every_shape_and_every_method() -> None:
    methods = {name for name in dir(Shape) if not name.startswith("_")} | {"__invert__"}
    names = (set(shapes.__all__) | methods) - NOT_SHOWN
    assert {name.split("-")[0] for name, _, _ in ROWS} == names
    assert all(name.split("-")[0] in code or name == "__invert__" for name, code, _ in ROWS)


def test_no_row_is_missed_and_none_stands_twice() -> None:
    text = SCRIPT["PAGE"].read_text(encoding="utf-8")
    assert len(ROWS) == text.count("](shapes/") == len({name for name, _, _ in ROWS})


@pytest.mark.parametrize(("name", "code", "field"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_runs_and_its_picture_is_of_its_code(name: str, code: str, field: str) -> None:
    shape = SCRIPT["shape_of"](code)
    assert isinstance(shape, Shape)
    shape.tape().check()
    place = PICTURES / f"{name}.png"
    with Pillow.open(place) as picture:
        assert picture.info["code"] == code, "draw it anew: python tools/draw_shapes.py"
        assert picture.size == (SCRIPT["SIZE"], SCRIPT["SIZE"])
    assert place.stat().st_size < LARGEST


@pytest.mark.parametrize(("name", "code", "field"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_says_of_the_field_what_the_docstring_says(name: str, code: str, field: str) -> None:
    if name == "__invert__":
        return
    word = name.split("-")[0]
    found = getattr(Shape, word) if hasattr(Shape, word) else getattr(shapes, word)
    said = " ".join((inspect.getdoc(found) or "").split("Field:")[1].split())
    assert field in said


def test_the_pictures_are_those_of_the_page_and_small() -> None:
    files = sorted(PICTURES.iterdir())
    assert [file.name for file in files] == sorted(f"{name}.png" for name, _, _ in ROWS)
    assert sum(file.stat().st_size for file in files) < ALL


def test_a_picture_is_drawn_again_as_it_is() -> None:
    code = {name: code for name, code, _ in ROWS}["rectangle"]
    drawn = SCRIPT["picture"](SCRIPT["shape_of"](code)).astype(int)
    with Pillow.open(PICTURES / "rectangle.png") as kept:
        apart = np.abs(np.asarray(kept.convert("RGB")) - drawn)
    assert apart.max() <= 16  # the file has few colours
