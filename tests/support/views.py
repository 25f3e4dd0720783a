"""Random views and sizes of volumes, and the picture of a solid by three loops."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm import OptionError, View
from intervalvm.voxel.volume import Volume


def sizes(most: int = 9) -> st.SearchStrategy[tuple[int, int, int]]:
    """Width, height and depth."""
    side = st.integers(1, most)
    return st.tuples(side, side, side)


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
def solid_pictures(draw: st.DrawFn) -> dict[str, Any]:
    """Options of ``render3d``: a size, a view that does not look from inside infinity there, a grid
    a dtype, an engine and threads."""
    options = {
        "size": draw(sizes()),
        "view": draw(views()),
        "grid": draw(st.sampled_from(["center", "fidget"])),
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


def depth_by_loops(tape: Any, image: ivm.SolidImage) -> NDArray[np.int32]:
    """What ``image.depth`` must be: every voxel by itself, the nearest one that is below 0."""
    width, height, depth = image.volume.size
    j, i, k = np.ogrid[:height, :width, :depth]
    points = image.volume.points(i, j, k)
    values = np.broadcast_to(
        ivm.evaluate(tape, *points, dtype=image.volume.dtype, backend="numpy"),
        (height, width, depth),
    )
    found = np.zeros((height, width), np.int32)
    for row in range(height):
        for column in range(width):
            for layer in range(depth):
                if values[row, column, layer] < 0:
                    found[row, column] = layer + 1
    return found
