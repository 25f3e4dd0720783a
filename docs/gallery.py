"""The pictures of docs/gallery.md: ``python docs/gallery.py [NAME ...]`` draws them anew.

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

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "gallery"
SIZE, SAMPLES, COLORS = 384, 3, 16
"""Pixels a side, samples a pixel each way, colours of the file."""
PAPER, INK = np.array((247, 244, 236)), np.array((38, 52, 92))
LOW, HIGH = np.array((30, 44, 92)), np.array((255, 214, 150))
"""Colours of the far and the near slices."""
SLICES = 128


def examples() -> list[Path]:
    """The scripts that make a shape; ``prospero.py`` has a picture of its own in the README."""
    found = sorted((TOP / "examples").glob("*.py"))
    return [path for path in found if "def build(" in path.read_text(encoding="utf-8")]


def build(path: Path) -> Any:
    """The shape of an example."""
    return runpy.run_path(str(path))["build"]()


def picture(shape: Any) -> NDArray[np.uint8]:
    """Ink on paper; where a shape reads z, its slices from back to front."""
    tape = ivm.as_tape(shape) if hasattr(ivm, "as_tape") else shape.tape()
    side = SIZE * SAMPLES
    if "z" in tape.axes:
        fine = np.broadcast_to(PAPER, (side, side, 3)).astype(float)
        for z in np.linspace(-1, 1, SLICES).tolist():
            share = (z + 1) / 2
            fine[ivm.render(shape, size=side, z=z).pixels > 0] = LOW + (HIGH - LOW) * share
    else:
        inside = ivm.render(shape, size=side).pixels[..., None] > 0
        fine = np.where(inside, INK, PAPER).astype(float)
    return fine.reshape(SIZE, SAMPLES, SIZE, SAMPLES, 3).mean(axis=(1, 3)).astype(np.uint8)


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
