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

SIZE, SAMPLES, COLORS = 200, 2, 32
"""Pixels a side, samples a pixel each way, colours of the file."""
PAPER, INK, FILL, DEEP = (
    np.array(c) for c in ((247, 244, 236), (30, 34, 48), (92, 140, 214), (0, 0, 0))
)
LINES, PEN = 0.1, 0.011
"""How far apart the lines of equal value are, and how wide."""
STEPS, NEAR, FAR = 160, 1e-3, 4.0


def rows() -> dict[str, str]:
    """The code of each picture on the page."""
    return {name: code for name, code, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def shape_of(code: str) -> shapes.Shape:
    """What a line of the page makes."""
    names = {name: getattr(shapes, name) for name in shapes.__all__}
    made: shapes.Shape = eval(code, names)
    return made


def picture(shape: shapes.Shape) -> NDArray[np.uint8]:
    """A shape of the plane with its lines, or a solid seen from the upper right."""
    draw = solid if "z" in shape.tape().axes else plane
    side = np.linspace(-1, 1, SIZE * SAMPLES)
    fine = draw(shape, *np.meshgrid(side, -side))
    return fine.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 3).mean(axis=(1, 3)).astype(np.uint8)


def blend(a: Any, b: Any, share: Any) -> Any:
    return a + (b - a) * np.asarray(share)[..., None]


def filled(shape: shapes.Shape, x: Any, y: Any, z: Any = 0.0) -> Any:
    """The colour of a shape at points: its paint, else blue."""
    paint = paint_of(shape)
    if paint is None:
        return FILL
    red, green, blue = FILL.tolist()
    return colours_at(paint, {"x": x, "y": y, "z": z}, bare=(red, green, blue), dtype="float64")


def plane(shape: shapes.Shape, x: Any, y: Any) -> Any:
    """Filled inside, paper outside, paler lines where the value is a multiple of ``LINES``."""
    value = ivm.evaluate(shape, x, y, dtype="float64")
    ground = np.where((value < 0)[..., None], filled(shape, x, y), PAPER)
    to_line = np.abs(value - LINES * np.round(value / LINES))
    colors = blend(ground, INK, 0.28 * (to_line < PEN / 2))
    return blend(colors, INK, np.abs(value) < PEN)


def solid(shape: shapes.Shape, u: Any, v: Any) -> Any:
    """Rays parallel to the view, each as long as the field allows, lit from the upper left."""
    turn, tilt = np.deg2rad((32, 26))
    right = np.array([np.cos(turn), 0, -np.sin(turn)])
    view = np.array([-np.sin(turn) * np.cos(tilt), -np.sin(tilt), -np.cos(turn) * np.cos(tilt)])
    up = np.cross(right, view)
    origin = right * u[..., None] * 1.25 + up * v[..., None] * 1.25 - view * FAR / 2
    # where the field is only a sign a step could go through a thin wall: half of it does not
    points, active = origin.reshape(-1, 3).T.copy(), np.arange(u.size)
    hit = np.zeros(u.size, bool)
    for _ in range(STEPS):
        value = ivm.evaluate(shape, *points[:, active], dtype="float64")
        hit[active[value < NEAR]] = True
        points[:, active] += view[:, None] * np.maximum(value, 0) * 0.6
        beyond = view @ (points[:, active] - origin.reshape(-1, 3).T[:, active]) > FAR
        active = active[(value >= NEAR) & ~beyond]
    steps = np.eye(3)[:, :, None] * 1e-4
    normal = np.array(
        [
            ivm.evaluate(shape, *(points + step), dtype="float64")
            - ivm.evaluate(shape, *(points - step), dtype="float64")
            for step in steps
        ]
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=0), 1e-12)
    light = np.array([-0.35, 0.75, 0.55]) / np.linalg.norm([-0.35, 0.75, 0.55])
    lit = 0.45 + 0.75 * np.clip(light @ normal, 0, 1) + 0.12 * (normal[1] - 1)
    fill = filled(shape, *points)
    colors = np.where(hit[:, None], np.clip(fill * lit[:, None], 0, 255), PAPER)
    return colors.reshape(*u.shape, 3)


def save(name: str, code: str) -> None:
    """Few colours in a small file."""
    colors = Pillow.fromarray(picture(shape_of(code)))
    note = PngInfo()
    note.add_text("code", code)
    place = PLACE / f"{name}.png"
    colors.quantize(COLORS, dither=Pillow.Dither.NONE).save(place, optimize=True, pnginfo=note)


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
