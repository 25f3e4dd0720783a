"""The pictures of docs/gallery.md: ``python tools/draw_gallery.py [NAME ...]`` draws them anew.

An example is a script in ``examples/`` with a function ``build()`` that returns its shape.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm.expr import as_tape

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "gallery"
SIZE, SAMPLES, COLORS = 384, 3, 16
"""Pixels a side, samples a pixel each way, colours of the file."""
PAPER, INK = np.array((247, 244, 236)), np.array((38, 52, 92))
LOW, HIGH = np.array((30, 44, 92)), np.array((255, 214, 150))
"""Colours of the far and the near slices."""
SLICES = 64


def examples() -> list[Path]:
    """The scripts that make a shape; ``prospero.py`` has a picture of its own in the README."""
    found = sorted((TOP / "examples").glob("*.py"))
    return [path for path in found if "def build(" in path.read_text(encoding="utf-8")]


def build(path: Path) -> Any:
    """The shape of an example."""
    return runpy.run_path(str(path))["build"]()


def picture(shape: Any) -> NDArray[np.uint8]:
    """Ink on paper; where a shape reads z, its slices from back to front."""
    tape = as_tape(shape)
    side = SIZE * SAMPLES
    if "z" in tape.axes:
        return relief(shape)
    inside = ivm.render(shape, size=side).pixels[..., None] > 0
    fine = np.where(inside, INK, PAPER).astype(float)
    return reduced(fine)


def reduced(fine: NDArray[Any]) -> NDArray[np.uint8]:
    """The mean of each pixel's samples."""
    return fine.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 3).mean(axis=(1, 3)).astype(np.uint8)


def relief(shape: Any) -> NDArray[np.uint8]:
    """The nearest slice that each pixel lies in, as a colour."""
    side = SIZE * SAMPLES
    height = np.full((side, side), -np.inf)
    for z in np.linspace(-1, 1, SLICES).tolist():
        height[ivm.render(shape, size=side, z=z).pixels > 0] = z
    found = height[np.isfinite(height)]
    share = np.clip((height - found.min()) / np.ptp(found), 0, 1)[..., None]
    fine = np.where(np.isfinite(height)[..., None], LOW + (HIGH - LOW) * share, PAPER)
    return reduced(fine)


def main() -> None:
    """Draw those that are named, by default all."""
    PLACE.mkdir(exist_ok=True)
    for path in examples():
        if path.stem in (sys.argv[1:] or [path.stem]):
            colors = Pillow.fromarray(picture(build(path)))
            place = PLACE / f"{path.stem}.png"
            colors.quantize(COLORS, dither=Pillow.Dither.NONE).save(place, optimize=True)


if __name__ == "__main__":
    main()
