"""The pictures of docs/solids.md: ``python tools/draw_solids.py [NAME ...]`` draws them anew.

``gallery.png`` has eight pictures of the gallery, ``part.png`` is of the first example of the page.
The others show that part from several sides, shaded in several ways, and the regions that the walk
goes through.
"""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm import shapes

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "solids"
SAMPLES, COLORS = 2, 256
"""Samples a pixel each way, colours of most files."""
VIEW = ivm.View.turntable(30, 25)
EIGHT = ("bearing", "chess", "gyroid", "planetary", "coral", "mug", "infill", "menger")
"""The examples of the first picture, in rows of ``ACROSS``."""
ACROSS, SMALL = 4, 240

STEPS = 64, 16, 4
"""Voxels a side of the walk's regions."""
REGIONS = {"outside": (38, 60, 96), "inside": (110, 190, 120), "hidden": (150, 152, 158),
           "leaf": (226, 160, 84)}  # fmt: skip
SEEN = (255, 250, 235)


@cache
def part() -> shapes.Shape:
    """The shape of the first example of the page."""
    text = (TOP / "docs" / "solids.md").read_text(encoding="utf-8")
    code = re.search(r"^>>> body = .*?(?=^>>> image)", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    names = {name: getattr(shapes, name) for name in shapes.__all__}
    exec(code[0].replace(">>> ", ""), names)
    found: shapes.Shape = names["part"]
    return found


def solid(side: int, **options: Any) -> NDArray[np.uint8]:
    """The part, drawn with several samples a pixel."""
    image = ivm.render3d(part(), **{"size": side * SAMPLES, "view": VIEW, **options})
    return reduced(image.pixels)


def reduced(fine: NDArray[Any]) -> NDArray[np.uint8]:
    """The means of the samples of pixels."""
    height, width, _ = fine.shape
    parts = fine.reshape(height // SAMPLES, SAMPLES, width // SAMPLES, SAMPLES, 3)
    return parts.mean(axis=(1, 3)).astype(np.uint8)


def grid(pictures: Sequence[NDArray[np.uint8]], across: int) -> NDArray[np.uint8]:
    """Pictures of one size in rows."""
    rows = [pictures[i : i + across] for i in range(0, len(pictures), across)]
    return np.vstack([np.hstack(row) for row in rows])


def gallery() -> NDArray[np.uint8]:
    """Eight solids of the gallery."""
    found = []
    for name in EIGHT:
        with Pillow.open(TOP / "docs" / "gallery" / f"{name}.png") as picture:
            small = picture.convert("RGB").resize((SMALL, SMALL), Pillow.Resampling.LANCZOS)
        found.append(np.asarray(small))
    return grid(found, ACROSS)


def views() -> NDArray[np.uint8]:
    """By column yaw, by row pitch."""
    around = [(yaw, pitch) for pitch in (50, 20, -20) for yaw in (-40, 0, 40, 80, 120)]
    return grid([solid(144, view=ivm.View.turntable(*each)) for each in around], 5)


def perspectives() -> NDArray[np.uint8]:
    """Parallel lines of sight, and more and more perspective."""
    found = [ivm.View.turntable(30, 25, perspective=p, scale=1.1) for p in (0, 0.25, 0.5)]
    return grid([solid(240, view=view, size=(480, 480, 720)) for view in found], 3)


def modes() -> NDArray[np.uint8]:
    """What pixels show."""
    return grid([solid(180, mode=m) for m in ("shaded", "normals", "heightmap", "occlusion")], 4)


def options() -> NDArray[np.uint8]:
    """Without occlusion and edges, with each, and with a shadow."""
    plain = {"occlusion": 0, "edges": 0}
    cases = plain, {"edges": 0}, {"occlusion": 0, "edges": 1}, {"shadow": 0.6}
    return grid([solid(180, **case) for case in cases], 4)


def lights() -> NDArray[np.uint8]:
    """Other lights, materials and backgrounds."""
    sun = ivm.Light((0.6, 0.7, 0.5), 1.1, "#ffd9a0", gloss=0.6)
    cases: tuple[dict[str, Any], ...] = (
        {"lights": (sun,), "background": ("#20242e", "#0c0e12")},
        {"lights": (), "sky": "white", "floor": "#445", "background": "white", "occlusion": 2},
        {"lights": (ivm.Light((0, 0, 1), 0.3), ivm.Light((-0.9, 0.4, -0.4), 1.5, "#6cf")),
         "sky": "#223", "floor": "#112", "background": "#05070c"},
        {"background": "#f3e7d3", "smooth": 0, "edges": 1, "occlusion": 0.5},
    )  # fmt: skip
    return grid([solid(180, **case) for case in cases], 4)


# --- the regions of the walk ----------------------------------------------------------------------

Corner = tuple[int, int, int]
"""Column, row and layer of a region's first voxel."""


def regions() -> NDArray[np.uint8]:
    """A cut through the volume from left to right and from near to far, the nearest below."""
    side, zoom = 256, 2
    image = ivm.render3d(part(), size=side, view=VIEW)
    row = side // 2 - 6
    picture = np.zeros((side, side, 3))
    for i, _, k in np.ndindex(side // STEPS[0], 1, side // STEPS[0]):
        corner = i * STEPS[0], row // STEPS[0] * STEPS[0], k * STEPS[0]
        for (x, _, z), edge, fate in decided(image, corner, 0, row):
            picture[z : z + edge, x : x + edge] = REGIONS[fate]
            picture[z, x : x + edge] *= 0.75
            picture[z : z + edge, x] *= 0.75
    seen = np.flatnonzero(image.depth[row])
    picture[image.depth[row, seen] - 1, seen] = SEEN
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1).astype(np.uint8)


def decided(
    image: ivm.SolidImage, corner: Corner, step: int, row: int
) -> Iterator[tuple[Corner, int, str]]:
    """The corners, edges and fates of the undivided parts of a region that meet a row of pixels."""
    edge = STEPS[step]
    fate = fate_of(image, corner, edge)
    if fate != "leaf" or edge == STEPS[-1]:
        yield corner, edge, fate
        return
    smaller = STEPS[step + 1]
    x, _, z = corner
    for i, k in np.ndindex(edge // smaller, edge // smaller):
        inner = x + i * smaller, row // smaller * smaller, z + k * smaller
        yield from decided(image, inner, step + 1, row)


def fate_of(image: ivm.SolidImage, corner: Corner, edge: int) -> str:
    """Hidden by what is nearer, proven outside or inside by bounds, or neither: a leaf."""
    i, j, k = corner
    if image.depth[j : j + edge, i : i + edge].min() > k + edge:
        return "hidden"
    ends = np.ix_(*((first, first + edge - 1) for first in corner))
    x, y, z = ((of.min(), of.max()) for of in image.volume.points(*ends))
    bounds = ivm.interval(part(), x=x, y=y, z=z)
    if bounds.lower >= 0:
        return "outside"
    return "inside" if bounds.upper < 0 else "leaf"


PICTURES: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "gallery": gallery, "part": lambda: solid(420), "views": views, "perspective": perspectives,
    "modes": modes, "options": options, "lights": lights, "regions": regions,
}  # fmt: skip
"""By name."""


TURN = "turn.gif"


def turn() -> None:
    """Chess on a turntable."""
    chess = runpy.run_path(str(TOP / "examples" / "chess.py"))["build"]()
    ivm.turntable(
        chess, PLACE / TURN, 24, size=(200, 200, 300), pitch=30, center=(0, 0.17, 0), scale=1.42,
        perspective=0.3,
    )  # fmt: skip


def main() -> None:
    """Draw those that are named, by default all."""
    PLACE.mkdir(exist_ok=True)
    for name in sys.argv[1:] or [*PICTURES, TURN]:
        if name == TURN:
            turn()
            continue
        picture = Pillow.fromarray(PICTURES[name]())
        if name != "modes":  # which has many hues
            palette = picture.quantize(COLORS)  # with dithering, or smooth shades have bands
            picture = picture.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG)
        picture.save(PLACE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
