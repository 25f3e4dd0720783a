"""The pictures of docs/make.md: ``python tools/draw_make.py [NAME ...]`` draws them anew.

Outlines are drawn by the points of their lines and arcs, meshes as triangles with their sides, each
shaded by its own normal.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

import intervalvm as ivm
from intervalvm import shapes

TOP = Path(__file__).resolve().parents[1]
PLACE = TOP / "docs" / "make"
SIDE_PX, COLORS = 360, 48
FINE = 4
"""Drawn so many times as large, then reduced."""
PAPER, INK, EDGE, FILL = (250, 248, 242), (38, 52, 92), (222, 120, 40), (226, 230, 238)
GREY = (214, 202, 178)
LIGHT = (-0.45, 0.65, 0.61)
MOST_LINED = 20_000
"""Triangles of which sides are drawn."""
Canvas = tuple[Pillow.Image, ImageDraw.ImageDraw]


def example(name: str) -> dict[str, Any]:
    """The names of an example."""
    return runpy.run_path(str(TOP / "examples" / f"{name}.py"))


def canvas() -> Canvas:
    picture = Pillow.new("RGB", (SIDE_PX * FINE,) * 2, PAPER)
    return picture, ImageDraw.Draw(picture)


def fitted(points: NDArray[np.float64], box: Any) -> NDArray[np.float64]:
    """Pixels of points float64[n, 2] of a box, whose middle is that of the picture."""
    (x0, x1), (y0, y1) = box
    scale = 0.92 * SIDE_PX * FINE / max(x1 - x0, y1 - y0)
    away = (points - [(x0 + x1) / 2, (y0 + y1) / 2]) * [scale, -scale]
    found: NDArray[np.float64] = away + SIDE_PX * FINE / 2
    return found


# --- outlines -------------------------------------------------------------------------------------


def outline(found: ivm.Outline, box: Any = None) -> Pillow.Image:
    """The curves: arcs in a colour of their own, and the ends of all lines and arcs as dots."""
    picture, draw = canvas()
    box = box or found.bounds
    for curve, area in zip(found.flattened(1e-4).curves, found.areas, strict=True):
        draw.polygon([*map(tuple, fitted(curve, box))], fill=FILL if area > 0 else PAPER)
    bulges = found.bulges or [np.zeros(len(curve) - 1) for curve in found]
    for curve, bulge in zip(found, bulges, strict=True):
        for i, bent in enumerate(bulge):
            piece = ivm.Outline((curve[i : i + 2],), (bulge[i : i + 1],)).flattened(1e-4)
            ends = [*map(tuple, fitted(piece[0], box))]
            draw.line(ends, fill=EDGE if bent else INK, width=2 * FINE, joint="curve")
    for curve in found:
        for point in fitted(curve, box):
            draw.circle(tuple(point), 2.2 * FINE, fill=INK)
    return picture


def bracket() -> Pillow.Image:
    """The lines and arcs of the bracket."""
    names = example("bracket")
    return outline(ivm.contour(names["build"]().scale(names["MM"]), tolerance=0.1, arcs=True))


def kerf() -> Pillow.Image:
    """A plate with a slot, and its offsets by the field, round, and by the polygon, mitred."""
    plate = shapes.rectangle(40, 40) - shapes.rectangle(30, 20).move(10)
    found = ivm.contour(plate, tolerance=0.01)
    picture, draw = canvas()
    box = (-26.0, 26.0), (-26.0, 26.0)
    draw.polygon([*map(tuple, fitted(found[0], box))], fill=FILL)
    by_field, by_polygon = (
        ivm.contour(plate, tolerance=0.01, offset=4),
        found.offset(4, join="mitre"),
    )
    for each, ink in ((by_polygon, INK), (by_field, EDGE)):
        for curve in each:
            draw.line([*map(tuple, fitted(curve, box))], fill=ink, width=3 * FINE, joint="curve")
    return picture


# --- meshes ---------------------------------------------------------------------------------------


def mesh(found: ivm.Mesh, *, yaw: float = 30.0, pitch: float = 28.0) -> Pillow.Image:
    """The triangles that face the viewer, z upwards, by a buffer of depths."""
    view = ivm.View.turntable(yaw, pitch, up="z").matrix[:3, :3]
    placed = found.vertices @ view  # along the picture's sides, and towards the viewer
    (x0, x1), (y0, y1), _ = zip(placed.min(axis=0), placed.max(axis=0), strict=True)
    flat = fitted(placed[:, :2], ((x0, x1), (y0, y1)))
    corners = np.dstack([flat[found.triangles], placed[found.triangles, 2]])
    spans = placed[found.triangles]
    faces = np.cross(spans[:, 1] - spans[:, 0], spans[:, 2] - spans[:, 0])
    normals = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    colours = np.full((len(corners), 3), GREY) if found.colours is None else found.colours
    shaded = colours * (0.45 + 0.55 * np.clip(normals @ LIGHT, 0.0, 1.0))[:, None]
    pixels = np.full((SIDE_PX * FINE, SIDE_PX * FINE, 3), PAPER, np.uint8)
    depth = np.full(pixels.shape[:2], -np.inf)
    side = 0.0 if len(corners) > MOST_LINED else 0.6 * FINE
    for i in np.flatnonzero(normals[:, 2] > 1e-6).tolist():
        fill(pixels, depth, corners[i], shaded[i], side)
    return Pillow.fromarray(pixels)


def fill(pixels: Any, depth: Any, corners: Any, colour: Any, side: float) -> None:
    """Draw a triangle, of corners x, y and depth, where nothing is nearer."""
    (x0, y0), (x1, y1) = np.floor(corners[:, :2].min(axis=0)), np.ceil(corners[:, :2].max(axis=0))
    part = np.s_[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
    x, y = np.arange(x0, x1 + 1)[None, :], np.arange(y0, y1 + 1)[:, None]
    away, shares = np.inf, []
    for k in range(3):
        (ax, ay, _), (bx, by, _), (cx, cy, _) = np.roll(corners, -k, axis=0)
        across = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        whole = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        shares.append(across / whole)
        away = np.minimum(away, shares[-1] * abs(whole) / np.hypot(bx - ax, by - ay))
    # the side from corner k to the next one is opposite to the third
    high = sum(share * corners[(k + 2) % 3, 2] for k, share in enumerate(shares))
    shown = (away >= 0) & (high > depth[part])
    depth[part][shown] = high[shown]
    pixels[part][shown] = np.where((away < side)[..., None], INK, colour)[shown]


def gear() -> Pillow.Image:
    """The gear's triangles."""
    names = example("gear")
    solid = names["build"]().scale(names["MODULE_MM"] / names["MODULE"]).extrude(names["THICK_MM"])
    return mesh(ivm.mesh(solid, depth=6))


def lamp() -> Pillow.Image:
    """The lamp's triangles."""
    return mesh(ivm.mesh(example("gyroid")["lamp"](), depth=7), pitch=18)


def block() -> shapes.Shape:
    """A rounded block with a bore: what the page meshes by both methods."""
    return shapes.box(40, 40, 20) - shapes.cylinder(10, 30) - shapes.box(50, 10, 12).move(0, 0, 10)


def methods() -> Pillow.Image:
    """The block by "sharp" and by "safe"."""
    return beside([mesh(ivm.mesh(block(), depth=5, method=name)) for name in ("sharp", "safe")])


# --- why nothing crosses --------------------------------------------------------------------------


def cells() -> Pillow.Image:
    """Cells at a border: the chords between crossings, and the points that they go by instead."""
    shape = shapes.polygon([(-0.42, -0.68), (0.72, -0.35), (0.25, 0.7), (-0.45, 0.3)])
    picture, draw = canvas()
    box, count = ((-1.0, 1.0), (-1.0, 1.0)), 5
    grid = np.linspace(-0.9, 0.9, count + 1)
    value = ivm.evaluate(shape, grid, grid[:, None])
    for at in grid:
        for ends in ([(at, grid[0]), (at, grid[-1])], [(grid[0], at), (grid[-1], at)]):
            draw.line([*map(tuple, fitted(np.array(ends), box))], fill=GREY, width=2 * FINE)
    (curve,) = ivm.contour(shape, tolerance=1e-4)
    for i, j in np.ndindex(count, count):
        inside = value[j : j + 2, i : i + 2].ravel() < 0
        if 0 < inside.sum() < 4:
            ends = crossings(shape, grid[i : i + 2], grid[j : j + 2])
            draw.line([*map(tuple, fitted(np.array(ends), box))], fill=INK, width=3 * FINE)
    draw.line([*map(tuple, fitted(curve, box))], fill=EDGE, width=3 * FINE, joint="curve")
    for i, j in np.ndindex(count, count):
        for end in crossings(shape, grid[i : i + 2], grid[j : j + 2]):
            draw.circle(tuple(fitted(np.array([end]), box)[0]), 3 * FINE, fill=INK)
    for y, x in np.ndindex(value.shape):
        at = tuple(fitted(np.array([(grid[x], grid[y])]), box)[0])
        draw.circle(at, 4 * FINE, fill=INK if value[y, x] < 0 else PAPER, outline=INK, width=FINE)
    return picture


def crossings(shape: shapes.Shape, x: Any, y: Any) -> list[tuple[float, float]]:
    """Where the border crosses the sides of a cell, by bisection."""
    corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
    found = []
    for start, stop in zip(corners, [*corners[1:], corners[0]], strict=True):
        low, high = np.array(start), np.array(stop)
        if (ivm.evaluate(shape, *low) < 0) != (ivm.evaluate(shape, *high) < 0):
            for _ in range(40):
                middle = (low + high) / 2
                same = (ivm.evaluate(shape, *middle) < 0) == (ivm.evaluate(shape, *low) < 0)
                low, high = (middle, high) if same else (low, middle)
            found.append((float(low[0]), float(low[1])))
    return found


def beside(pictures: Sequence[Pillow.Image]) -> Pillow.Image:
    """Pictures from left to right."""
    whole = Pillow.new("RGB", (sum(each.width for each in pictures), pictures[0].height), PAPER)
    at = 0
    for each in pictures:
        whole.paste(each, (at, 0))
        at += each.width
    return whole


PICTURES: dict[str, Callable[[], Pillow.Image]] = {
    "bracket": bracket, "kerf": kerf, "gear": gear, "lamp": lamp, "methods": methods,
    "cells": cells,
}  # fmt: skip
"""By name."""


def main() -> None:
    """Draw them."""
    PLACE.mkdir(exist_ok=True)
    for name in sys.argv[1:] or PICTURES:
        large = PICTURES[name]()
        size = large.width // FINE, large.height // FINE
        small = large.resize(size, Pillow.Resampling.BOX)
        small.quantize(COLORS, dither=Pillow.Dither.NONE).save(PLACE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
