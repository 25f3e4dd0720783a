"""The pictures of docs/gallery.md: ``python tools/draw_gallery.py [NAME ...]`` draws them anew.

An example is a script in ``examples/`` with a function ``build()`` that returns its shape. That of
a solid has a function ``draw(size, antialias)`` as well, which returns its picture; another may
have its colours in ``LOOK``.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

import intervalvm as ivm

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "gallery"
DITHER = Pillow.Dither.FLOYDSTEINBERG
FLAT, SOLID = 384, 640
"""Pixels a side of a picture of the plane, and of one of a solid."""
SAMPLES, COLORS = 3, 16
"""Samples a pixel each way, colours of the file: of a picture of the plane."""
SOLID_SAMPLES, SOLID_COLORS = 2, 256
LOOK = {"ink": "#26345c", "paper": "#f7f4ec"}


def examples() -> list[Path]:
    """The scripts that make a shape; ``prospero.py`` has a picture of its own in the README."""
    found = sorted((TOP / "examples").glob("*.py"))
    return [path for path in found if "def build(" in path.read_text(encoding="utf-8")]


def loaded(path: Path) -> dict[str, Any]:
    """The names of an example."""
    return runpy.run_path(str(path))


def drawn(example: dict[str, Any]) -> Pillow.Image:
    """The picture of an example, of few colours: ink on paper, or a solid."""
    if "draw" in example:
        return of_few_colours(example["draw"](SOLID, SOLID_SAMPLES).to_pil(), SOLID_COLORS)
    look = example.get("LOOK", LOOK)
    image = ivm.render(example["build"](), size=FLAT, antialias=SAMPLES, **look)
    return of_few_colours(image.to_pil(), COLORS)


def of_few_colours(picture: Pillow.Image, colors: int) -> Pillow.Image:
    """With dithering, since smooth shades would have bands."""
    return picture.quantize(palette=picture.quantize(colors), dither=DITHER)


def main() -> None:
    """Draw those that are named, by default all."""
    PLACE.mkdir(exist_ok=True)
    for path in examples():
        if path.stem in (sys.argv[1:] or [path.stem]):
            drawn(loaded(path)).save(PLACE / f"{path.stem}.png", optimize=True)


if __name__ == "__main__":
    main()
