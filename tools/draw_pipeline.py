"""The pictures of the documentation: ``python tools/draw_pipeline.py`` draws them anew.

``prospero.png`` is what the command line draws, ``expressions.png`` the function at the head of
``expressions.md``. The others show the readable reference walk at
work, in the same picture: what was decided where, and how many clauses the leaves were left with.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm.api.options import Options
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.ops import ROWS
from intervalvm.raster import quadtree

PLACE = DOCS = Path(__file__).resolve().parents[1] / "docs"
SIZE, DEPTH = 1024, 6
NEAR = ivm.Region.around((0.435, 0.85), 0.2)

TILE = (18, 25, 40), (38, 60, 96)
"""Proven outside: in the first split, in the second."""
INSIDE = (110, 190, 120)
LEAF = (170, 105, 40), (255, 244, 220)
"""Evaluated pixel by pixel: outside, inside."""
RAMP = np.array([(40, 60, 110), (60, 130, 140), (150, 180, 90), (240, 190, 70), (230, 90, 60)])
"""From the fewest clauses to the most."""


class Recorder(quadtree.Walk):
    """The reference walk; notes for each pixel the last split and the clauses of its leaf."""

    def prepare(self) -> None:
        self.split_of = np.zeros(self.pixels.shape, np.uint8)
        self.clauses = np.zeros(self.pixels.shape, np.int64)

    def split(self, tape: ivm.Tape, tile: quadtree.Tile, step: int) -> None:
        self.split_of[tile.pixels(*self.pixels.shape[::-1])] = step
        super().split(tape, tile, step)

    def leaf(self, tape: ivm.Tape, rows: slice, columns: slice) -> None:
        self.clauses[rows, columns] = sum(ROWS[code].arity > 0 for code in tape.codes.tolist())
        super().leaf(tape, rows, columns)


def record(tape: ivm.Tape, region: ivm.Region) -> Recorder:
    """Walk over a region of ``tape``."""
    options = Options(size=SIZE, region=region, backend="numpy", depth=DEPTH)
    walk = Recorder(options.job(tape, None), Floats(np.dtype("float32")))
    walk.prepare()
    walk.split(tape, quadtree.Tile(0, 0, 0), 0)
    return walk


def tiles(walk: Recorder) -> NDArray[np.uint8]:
    """A colour for how each pixel was decided, with the tiles' upper and left edges marked."""
    inside, is_leaf = walk.pixels == 255, walk.clauses > 0
    picture = np.empty((SIZE, SIZE, 3))
    for step, color in enumerate(TILE):
        picture[walk.split_of == step] = color
    picture[inside] = INSIDE
    for kind, color in zip((~inside, inside), LEAF, strict=True):
        picture[is_leaf & kind] = color
    for step, side in enumerate((SIZE >> 3, SIZE >> DEPTH)):
        first = np.arange(SIZE) % side == 0
        picture[(walk.split_of == step) & (first[:, None] | first)] *= 0.75
    return picture.astype(np.uint8)


def clauses(walk: Recorder) -> NDArray[np.uint8]:
    """A colour for the length of each leaf's tape, on a logarithmic scale; the text in white."""
    is_leaf = walk.clauses > 0
    length = np.log(np.maximum(walk.clauses, 1))
    low, high = length[is_leaf].min(), length[is_leaf].max()
    place = (length - low) / (high - low) * (len(RAMP) - 1)
    picture = np.stack([np.interp(place, range(len(RAMP)), c) for c in RAMP.T], axis=-1)
    picture[~is_leaf] = TILE[0]
    picture[walk.pixels == 255] = 255
    return picture.astype(np.uint8)


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
    ivm.render(tape, size=SIZE, depth=DEPTH).save(PLACE / "prospero.png")
    ivm.render(flower(), size=SIZE // 2).save(PLACE / "expressions.png")
    whole, near = record(tape, ivm.Region.square()), record(tape, NEAR)
    save(tiles(whole), "tiles.png")
    save(clauses(whole), "clauses.png")
    save(tiles(near), "near.png")
    for walk in (whole, near):
        found = walk.clauses[walk.clauses > 0]
        print(*walk.counts, f"clauses of a leaf: {found.min()} to {found.max()}", sep="\n")


if __name__ == "__main__":
    main()
