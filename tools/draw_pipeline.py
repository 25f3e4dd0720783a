"""The pictures of the documentation: ``python tools/draw_pipeline.py`` draws them anew.

``prospero.png`` is what the command line draws, ``expressions.png`` the function at the head of
``expressions.md``. The others show the walk at work, in the same picture: what was decided where,
and how many clauses the leaves were left with.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm.raster.plots import new_figure

PLACE = DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZE, DEPTH, STEPS = 1024, 6, (3, 6)
"""Pixels a side, levels of the quadtree, and those at which the walk splits."""
NEAR = ivm.Region.around((0.435, 0.85), 0.2)

TILE = (18, 25, 40), (38, 60, 96)
"""Proven outside: in the first split, in the second."""
INSIDE = (110, 190, 120)
LEAF = (170, 105, 40), (255, 244, 220)
"""Evaluated pixel by pixel: outside, inside."""
RAMP = np.array([(40, 60, 110), (60, 130, 140), (150, 180, 90), (240, 190, 70), (230, 90, 60)])
"""From the fewest clauses to the most."""


def tiles(image: ivm.Image) -> NDArray[np.uint8]:
    """A colour for how each pixel was decided, with the tiles' upper and left edges marked."""
    inside, is_leaf = image.pixels == 255, image.map("verdict", per="pixel") == 128
    level = image.map("level", per="pixel")
    picture = np.empty((SIZE, SIZE, 3))
    for step, color in zip(STEPS, TILE, strict=True):
        picture[level == step] = color
    picture[inside] = INSIDE
    for kind, color in zip((~inside, inside), LEAF, strict=True):
        picture[is_leaf & kind] = color
    for step in STEPS:
        first = np.arange(SIZE) % (SIZE >> step) == 0
        picture[(level == step) & (first[:, None] | first)] *= 0.75
    return picture.astype(np.uint8)


def clauses(image: ivm.Image) -> NDArray[np.uint8]:
    """A colour for the length of each leaf's tape, on a logarithmic scale; the text in white."""
    is_leaf = image.map("verdict", per="pixel") == 128
    length = np.log(np.maximum(image.map("clauses", per="pixel"), 1))
    low, high = length[is_leaf].min(), length[is_leaf].max()
    place = (length - low) / (high - low) * (len(RAMP) - 1)
    picture = np.stack([np.interp(place, range(len(RAMP)), c) for c in RAMP.T], axis=-1)
    picture[~is_leaf] = TILE[0]
    picture[image.pixels == 255] = 255
    return picture.astype(np.uint8)


def study(image: ivm.Image) -> None:
    """The plots on the page for those who study pruning."""
    for what in ("pruning", "clauses"):
        figure = new_figure(image.width, image.height)
        image.plot(figure.add_subplot(), what=what)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=100)
        save(np.asarray(Pillow.open(file).convert("RGB")), f"study-{what}.png")


def flower() -> ivm.Tape:
    """The tape of the function in the first example of the page on expressions."""
    code = re.search(r"^def flower.*?\n\n", (DOCS / "expressions.md").read_text(), re.M | re.S)
    assert code is not None
    names: dict[str, Any] = {"np": np}
    exec(code[0], names)
    return ivm.trace(names["flower"])


def save(picture: NDArray[Any], name: str) -> None:
    """Few colours in a small file."""
    colors = Pillow.fromarray(picture).quantize(64, dither=Pillow.Dither.NONE)
    colors.save(PLACE / name, optimize=True)


def main() -> None:
    """Draw them all."""
    tape = ivm.load(DOCS.parent / "prospero.vm")
    whole = ivm.render(tape, size=SIZE, depth=DEPTH)
    near = ivm.render(tape, size=SIZE, depth=DEPTH, region=NEAR)
    whole.save(PLACE / "prospero.png")
    ivm.render(flower(), size=SIZE // 2).save(PLACE / "expressions.png")
    save(tiles(whole), "tiles.png")
    save(clauses(whole), "clauses.png")
    save(tiles(near), "near.png")
    study(near)
    for image in (whole, near):
        found = image.map("clauses")[image.map("verdict") == 128]
        print(*image.stats.levels, f"clauses of a leaf: {found.min()} to {found.max()}", sep="\n")


if __name__ == "__main__":
    main()
