"""The pictures of docs/shapes.md, from the code that stands beside them there.

``python tools/draw_shapes.py [NAME ...]`` draws them anew. Each keeps its code in its metadata,
so that a test finds a picture that the page has left behind.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.api.paint import colours_at
from intervalvm.expr.paint import paint_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "shapes.md"
PLACE = PAGE.parent / "shapes"
ROW = re.compile(r"^\| !\[[^]]*\]\(shapes/([\w-]+)\.png\) \| `(.+)` \| ([a-z ]+) \|$", re.MULTILINE)
"""A row of a table: the picture's name, the code, what the field measures."""

SIZE, SAMPLES, COLORS = 200, 2, 64
"""Pixels a side, samples a pixel each way, colours of the file."""
PAPER, INK, FILL = (np.array(c) for c in ((247, 244, 236), (30, 34, 48), (92, 140, 214)))
LINES, PEN = 0.1, 0.011
"""How far apart the lines of equal value are, and how wide."""
VIEW = ivm.View.turntable(32, 26, scale=1.25)


def rows() -> dict[str, str]:
    """The code of each picture on the page."""
    return {name: code for name, code, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def shape_of(code: str) -> shapes.Shape:
    """What a line of the page makes."""
    names = {name: getattr(shapes, name) for name in shapes.__all__}
    made: shapes.Shape = eval(code, names)
    return made


def picture(shape: shapes.Shape) -> NDArray[np.uint8]:
    """A shape of the plane with its lines, or a solid."""
    draw = solid if "z" in shape.tape().axes else plane
    fine = draw(shape, SIZE * SAMPLES)
    return fine.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 3).mean(axis=(1, 3)).astype(np.uint8)


def blend(a: Any, b: Any, share: Any) -> Any:
    return a + (b - a) * np.asarray(share)[..., None]


def plane(shape: shapes.Shape, side: int) -> Any:
    """Filled inside, paper outside, paler lines where the value is a multiple of ``LINES``."""
    across = np.linspace(-1, 1, side)
    x, y = np.meshgrid(across, -across)
    value = ivm.evaluate(shape, x, y, dtype="float64")
    ground = np.where((value < 0)[..., None], filled(shape, x, y), PAPER)
    to_line = np.abs(value - LINES * np.round(value / LINES))
    colors = blend(ground, INK, 0.28 * (to_line < PEN / 2))
    return blend(colors, INK, np.abs(value) < PEN)


def filled(shape: shapes.Shape, x: Any, y: Any) -> Any:
    """The colour of a shape at points: its paint, else blue."""
    paint = paint_of(shape)
    if paint is None:
        return FILL
    red, green, blue = FILL.tolist()
    return colours_at(paint, {"x": x, "y": y}, bare=(red, green, blue), dtype="float64")


def solid(shape: shapes.Shape, side: int) -> Any:
    """Seen from the upper right, on paper."""
    painted = shape if paint_of(shape) is not None else shape.paint(FILL.tolist())
    image = ivm.render3d(painted, size=side, view=VIEW)
    return np.where((image.depth > 0)[..., None], image.pixels, PAPER)


def save(name: str, code: str) -> None:
    """Few colours in a small file."""
    colors = Pillow.fromarray(picture(shape_of(code)))
    note = PngInfo()
    note.add_text("code", code)
    place = PLACE / f"{name}.png"
    # with dithering, since smooth shades would have bands
    colors = colors.quantize(palette=colors.quantize(COLORS), dither=Pillow.Dither.FLOYDSTEINBERG)
    colors.save(place, optimize=True, pnginfo=note)


def main() -> None:
    """Draw those that are named, by default all, and remove what the page no longer shows."""
    found = rows()
    for name in sys.argv[1:] or found:
        save(name, found[name])
    for place in PLACE.glob("*.png"):
        if place.stem not in found:
            place.unlink()


if __name__ == "__main__":
    main()
