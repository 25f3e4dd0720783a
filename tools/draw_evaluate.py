"""The picture of docs/evaluate.md: ``python tools/draw_evaluate.py`` draws it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

import intervalvm as ivm
from intervalvm import shapes

PLACE = Path(__file__).resolve().parents[1] / "docs"
SIDE_PX, GAP_PX = 384, 16
BOXES, ARROWS = 32, 16
INK, PAPER, EDGE = (38, 52, 92), (247, 244, 236), (233, 150, 60)


def shape() -> Any:
    """A letter, with the distance to it as its value."""
    return shapes.text("e", size=2.4).offset(0.05)


def centers(count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The centres of ``count`` columns and rows, row by row from the top."""
    ends = np.linspace(-1, 1, count + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    return middle, -middle[:, None]


def values() -> Pillow.Image:
    """Values at the pixels in bands, and gradients at some points as arrows."""
    field = ivm.evaluate(shape(), *centers(SIDE_PX))
    shade = 0.9 + 0.1 * np.cos(field / 0.06 * np.pi)
    color = np.where((field < 0)[..., None], INK, PAPER) * shade[..., None]
    picture = Pillow.fromarray(color.astype(np.uint8))
    draw, scale = ImageDraw.Draw(picture), SIDE_PX / 2
    x, y = np.broadcast_arrays(*centers(ARROWS))
    _, dx, dy, _ = ivm.grad(shape(), x, y)
    for start_x, start_y, along, up in zip(*map(np.ravel, (x, y, dx, dy)), strict=True):
        tip = start_x + 0.07 * along, start_y + 0.07 * up
        ends = [((a + 1) * scale, (1 - b) * scale) for a, b in ((start_x, start_y), tip)]
        draw.line(ends, fill=EDGE, width=2)
        draw.circle(ends[0], 2, fill=EDGE)
    return picture


def boxes() -> Pillow.Image:
    """What bounds prove of each box: inside, outside, or neither."""
    ends = np.linspace(-1, 1, BOXES + 1)
    low, high = ends[:-1], ends[1:]
    found = ivm.interval(shape(), x=(low, high), y=(low[::-1, None], high[::-1, None]))
    inside, outside = (~found.maybe_nan & side for side in (found.upper < 0, found.lower >= 0))
    color = np.where(inside[..., None], INK, np.where(outside[..., None], PAPER, EDGE))
    size = SIDE_PX // BOXES
    return Pillow.fromarray(color.astype(np.uint8).repeat(size, axis=0).repeat(size, axis=1))


def main() -> None:
    """Draw it."""
    picture = Pillow.new("RGB", (2 * SIDE_PX + GAP_PX, SIDE_PX), "white")
    picture.paste(values(), (0, 0))
    picture.paste(boxes(), (SIDE_PX + GAP_PX, 0))
    picture.quantize(32, dither=Pillow.Dither.NONE).save(PLACE / "evaluate.png", optimize=True)


if __name__ == "__main__":
    main()
