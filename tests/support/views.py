"""Random views and sizes of volumes, and the depth of a solid by its definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm import OptionError, View
from intervalvm.voxel.volume import Volume

SIDES = st.integers(1, 9) | st.sampled_from([16, 17, 33])
"""Voxels a side: up to three splits of the walk."""


@st.composite
def views(draw: st.DrawFn) -> View:
    """Views of all sorts, most of a part of space about the origin."""
    kind = draw(st.sampled_from(["turntable", "turntable", "quarter", "matrix"]))
    if kind == "matrix":
        entries = [draw(st.floats(-1, 1)) for _ in range(12)]
        last = [draw(st.sampled_from([0.0, 0.1, -0.1])) for _ in range(3)]
        matrix = np.array([*entries, *last, 1.0]).reshape(4, 4) + np.diag([2, 2, 2, 0])
        return View(matrix)
    angle = st.sampled_from([0, 90, 180, 270]) if kind == "quarter" else st.floats(-180, 180)
    return View.turntable(
        draw(angle),
        draw(angle),
        draw(angle),
        center=[draw(st.sampled_from([0.0, 0.0, 0.3, -0.4])) for _ in range(3)],
        scale=draw(st.sampled_from([0.5, 1.0, 1.0, 3.0, 100.0])),
        perspective=draw(st.sampled_from([0.0, 0.0, 0.2, 0.6])),
    )


@st.composite
def solid_pictures(
    draw: st.DrawFn,
    sides: st.SearchStrategy[int] = SIDES,
    grids: Sequence[str] = ("center", "fidget"),
) -> dict[str, Any]:
    """Options of ``render3d``: a size, a view that does not look from inside infinity there, a grid
    a dtype, an engine and threads."""
    options = {
        "size": draw(st.tuples(sides, sides, sides)),
        "view": draw(views()),
        "grid": draw(st.sampled_from(grids)),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
    }
    if not fits(**options):
        options["view"] = View.turntable(20, 30, scale=0.7)
    return options | {
        "engine": draw(st.sampled_from(["pruned", "dense"])),
        "threads": draw(st.sampled_from([1, 3])),
    }


def fits(size: Any, view: View, grid: Any, dtype: Any) -> bool:
    """Whether there is such a volume."""
    try:
        Volume(size, view, grid, np.dtype(dtype))
    except OptionError:
        return False
    return True


def depth_of(tape: Any, volume: Volume) -> NDArray[np.int32]:
    """int32[height, width], what the depth must be: every voxel evaluated, the nearest below 0."""
    width, height, depth = volume.size
    layers = np.arange(depth)
    points = volume.points(*np.ogrid[:width, :height], layers[:, None, None])
    values = ivm.evaluate(tape, *points, dtype=volume.dtype, backend="numpy")
    inside = np.broadcast_to(values, (depth, width, height)) < 0
    return np.where(inside, layers[:, None, None] + 1, 0).max(axis=0).T.astype(np.int32)
