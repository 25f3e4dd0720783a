"""The picture of docs/proven.md: ``python tools/draw_proven.py`` draws it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN

PLACE = Path(__file__).resolve().parents[1] / "docs"
SIDE_PX, GAP_PX = 384, 16
CELLS = 48, 192
COLORS = {INSIDE: (38, 52, 92), OUTSIDE: (247, 244, 236), UNPROVEN: (233, 150, 60)}


def shape() -> Any:
    """A letter in a ring."""
    return shapes.ring(outer=0.9, inner=0.78) | shapes.text("R", size=1.2).offset(0.03)


def panel(cells: int) -> NDArray[np.uint8]:
    """The verdict of each cell as a square of its colour."""
    pixels = ivm.prove(shape(), resolution=cells, engine="dense").image.pixels
    colors = np.zeros((*pixels.shape, 3), np.uint8)
    for pixel, color in COLORS.items():
        colors[pixels == pixel] = color
    return colors.repeat(SIDE_PX // cells, axis=0).repeat(SIDE_PX // cells, axis=1)


def main() -> None:
    """Draw it."""
    gap = np.full((SIDE_PX, GAP_PX, 3), 255, np.uint8)
    left, right = map(panel, CELLS)
    picture = Pillow.fromarray(np.concatenate([left, gap, right], axis=1))
    picture.quantize(4, dither=Pillow.Dither.NONE).save(PLACE / "proven.png", optimize=True)


if __name__ == "__main__":
    main()
