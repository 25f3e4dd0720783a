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
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm.shapes import Shape, rounded_rectangle, text

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "readme"
WIDTH, HEIGHT = 1536, 480
X, Y = 3.2, 1.0
"""The banner shows -X to X and -Y to Y: 240 pixels are a length of 1."""
TILE, LEVELS = 0.8, 6
"""The side of the largest tiles, which are whole pixels at every level, and how many levels."""
BALL, BALL_AT = 380, (32, 1126)
"""Pixels a side of the picture of the solid, and the row and column of its corner."""
DARK, LIGHT = np.array((14, 24, 48)), np.array((36, 64, 106))
LINES = (87, 176, 201)
TAGLINE = "shapes are formulas; pictures, exact to the last bit"


def example(name: str) -> dict[str, Any]:
    """The names of an example."""
    return runpy.run_path(str(TOP / "examples" / f"{name}.py"))


def drawn(shape: Shape, ink: str) -> ivm.Image:
    """A shape in one colour, with smooth edges, on nothing."""
    return ivm.render(
        shape,
        size=(WIDTH, HEIGHT),
        region=(-X, X, -Y, Y),
        grid="center",
        antialias=4,
        ink=ink,
        paper="none",
    )


def shade() -> NDArray[np.uint8]:
    """The background, uint8[height, width, 3]: it gets lighter to the right and down."""
    across, down = np.linspace(0, 1, WIDTH)[:, None], np.linspace(0, 1, HEIGHT)[:, None, None]
    return np.rint(DARK + (0.8 * across + 0.2 * down) * (LIGHT - DARK)).astype(np.uint8)


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


def grid(shape: Shape) -> ivm.Picture:
    """Lines around the tiles of a shape, on nothing; those of small tiles are fainter."""
    scale, alpha = WIDTH / (2 * X), np.zeros((HEIGHT, WIDTH), np.uint8)
    for level, (side, corners) in enumerate(tiles(shape)):
        pixels = round(side * scale)
        for x, y in corners:
            left, bottom = round((x + X) * scale), round((Y - y) * scale)
            top = max(bottom - pixels, 0)
            for line in (np.s_[top:bottom, left], np.s_[bottom - 1, left : left + pixels]):
                alpha[line] = np.maximum(alpha[line], 92 - 5 * level)
    lines = np.full((HEIGHT, WIDTH, 3), LINES, np.uint8)
    return ivm.Picture(np.dstack([lines, alpha]))


def ball() -> ivm.Picture:
    """A solid on nothing: pixels are the means of 2 x 2, as far as these hit it."""
    view = ivm.View.turntable(yaw=28, pitch=24, perspective=0.2, scale=1.05)
    solid = ivm.render3d(example("gyroid")["build"](), size=2 * BALL, view=view)
    hit = (solid.depth > 0)[..., None].astype(float)
    of_hits = np.concatenate([solid.pixels * hit, hit], axis=2)
    sums = of_hits.reshape(BALL, 2, BALL, 2, 4).sum(axis=(1, 3))
    colours, hits = sums[..., :3], sums[..., 3:]
    whole = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    top, left = BALL_AT
    whole[top : top + BALL, left : left + BALL] = np.rint(
        np.dstack([colours / np.maximum(hits, 1), hits * (255 / 4)])
    )
    return ivm.Picture(whole)


def banner() -> ivm.Picture:
    """The name, a gear and a ball on a card with round corners, transparent around it."""
    name = text("intervalvm", size=0.8, align="left", tracking=0.03).move(-2.86, 0.22)
    tagline = text(TAGLINE, size=0.155, align="left", tracking=0.02).move(-2.82, -0.36)
    farewell = " ".join(example("prospero")["TEXT"].split())
    lines = text(farewell, size=0.075, align="left", width=3.9, leading=1.35).move(-2.81, -0.72)
    gear = example("gear")["build"]().scale(0.43).rotate(4).move(1.62, -0.4)

    upwards = [
        ivm.Picture(shade()),
        drawn(lines, "#4f7089"),
        grid(name | gear),
        drawn(name, "#fff1d6"),
        drawn(tagline, "#8fc3d6"),
        drawn(gear, "#f0b23e"),
        ball(),
    ]
    colours = reduce(lambda below, above: above.over(below), upwards).shown
    card = drawn(rounded_rectangle(2 * X, 2 * Y, 0.13), "white").pixels
    return ivm.Picture(np.dstack([colours, card]))


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
    banner().to_pil().save(PLACE / "banner.png", optimize=True)
    draw_part()


if __name__ == "__main__":
    main()
