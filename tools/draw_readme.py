"""The pictures at the top of README.md: ``python tools/draw_readme.py`` draws them anew.

The banner shows the project's name and a gear with the quadtree that interval arithmetic divides
the plane into: small tiles along the outlines, large ones where bounds prove all of them inside or
outside. The picture of a part is what the README's first lines of Python write.
"""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm.shapes import Shape, rounded_rectangle, text

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "readme"
WIDTH, HEIGHT = 1536, 480
X, Y = 3.2, 1.0
"""The banner shows -X to X and -Y to Y: 240 pixels are a length of 1."""
TILE, LEVELS = 0.8, 6
"""The side of the largest tiles, which are whole pixels at every level, and how many levels."""
BALL = 380
"""Pixels a side of the picture of the solid."""
DARK, LIGHT = (14, 24, 48), (36, 64, 106)
PAPER, LINES, QUIET, GOLD = (255, 241, 214), (87, 176, 201), (143, 195, 214), (240, 178, 62)
TAGLINE = "shapes are formulas; pictures, exact to the last bit"

Colours = NDArray[np.float64]


def example(name: str) -> dict[str, Any]:
    """The names of an example."""
    return runpy.run_path(str(TOP / "examples" / f"{name}.py"))


def coverage(shape: Shape) -> Colours:
    """How much of each pixel of the banner is inside, in 0 to 1."""
    image = ivm.render(
        shape, size=(WIDTH, HEIGHT), region=(-X, X, -Y, Y), grid="center", antialias=4
    )
    return image.pixels[..., None] / 255


def laid(below: Colours, share: Colours, colour: Any) -> Colours:
    """A colour laid over others, with a share of each pixel."""
    return below + share * (colour - below)


def tiles(shape: Shape) -> Iterator[tuple[float, NDArray[Any]]]:
    """The quadtree of a shape: each level's side, and the corners of its tiles, float64[n, 2]."""
    tape, side = shape.tape(), TILE
    across, up = np.arange(-X, X - TILE / 2, TILE), np.arange(-Y, Y, TILE)
    corners = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    quarters = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    for _ in range(LEVELS):
        yield side, corners
        x, y = corners.T
        bounds = ivm.interval(tape, x=(x, x + side), y=(y, y + side))
        ambiguous = corners[(bounds.lower < 0) & (bounds.upper >= 0)]
        side /= 2
        corners = (ambiguous[:, None] + side * quarters).reshape(-1, 2)


def grid(shape: Shape) -> Colours:
    """How strong the lines around the tiles of a shape are at each pixel: of small ones fainter."""
    scale, strength = WIDTH / (2 * X), np.zeros((HEIGHT, WIDTH, 1))
    for level, (side, corners) in enumerate(tiles(shape)):
        pixels = round(side * scale)
        for x, y in corners:
            left, bottom = round((x + X) * scale), round((Y - y) * scale)
            top = max(bottom - pixels, 0)
            for line in (np.s_[top:bottom, left], np.s_[bottom - 1, left : left + pixels]):
                strength[line] = np.maximum(strength[line], 0.36 - 0.02 * level)
    return strength


def ball() -> tuple[Colours, Colours]:
    """The colours of a solid, and how much of each pixel it covers: means of 2 x 2 pixels."""
    view = ivm.View.turntable(yaw=28, pitch=24, perspective=0.2, scale=1.05)
    solid = ivm.render3d(example("gyroid")["build"](), size=2 * BALL, view=view)
    hit = (solid.depth > 0)[..., None].astype(float)
    of_hits = np.concatenate([solid.pixels * hit, hit], axis=2)
    sums = of_hits.reshape(BALL, 2, BALL, 2, 4).sum(axis=(1, 3))
    colours, hits = sums[..., :3], sums[..., 3:]
    return colours / np.maximum(hits, 1), hits / 4


def banner() -> Pillow.Image:
    """The name, a gear and a ball on a card with round corners, transparent around it."""
    name = text("intervalvm", size=0.8, align="left", tracking=0.03).move(-2.86, 0.22)
    tagline = text(TAGLINE, size=0.155, align="left", tracking=0.02).move(-2.82, -0.36)
    farewell = " ".join(example("prospero")["TEXT"].split())
    lines = text(farewell, size=0.075, align="left", width=3.9, leading=1.35).move(-2.81, -0.72)
    gear = example("gear")["build"]().scale(0.43).rotate(4).move(1.62, -0.4)

    across, down = np.linspace(0, 1, WIDTH)[:, None], np.linspace(0, 1, HEIGHT)[:, None, None]
    colours = laid(np.array(DARK, float), 0.8 * across + 0.2 * down, LIGHT)
    colours = laid(colours, 0.45 * coverage(lines), QUIET)
    colours = laid(colours, grid(name | gear), LINES)
    for shape, colour in ((name, PAPER), (tagline, QUIET), (gear, GOLD)):
        colours = laid(colours, coverage(shape), colour)
    place = np.s_[32 : 32 + BALL, 1126 : 1126 + BALL]
    solid, share = ball()
    colours[place] = laid(colours[place], share, solid)
    card = 255 * coverage(rounded_rectangle(2 * X, 2 * Y, 0.13))
    return Pillow.fromarray(np.rint(np.dstack([colours, card])).astype(np.uint8))


def draw_part() -> None:
    """Run the README's first lines of Python, which write their picture into the folder."""
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)[0]
    before = Path.cwd()
    os.chdir(PLACE)
    try:
        exec(compile(lines, "README.md", "exec"), {})
    finally:
        os.chdir(before)


def main() -> None:
    """Draw both."""
    PLACE.mkdir(exist_ok=True)
    banner().save(PLACE / "banner.png", optimize=True)
    draw_part()


if __name__ == "__main__":
    main()
