"""A soft shadow on the ground under a solid, from its depth alone.

The ground is a plane that the lowest visible point of the solid stands on, and that falls towards
the viewer by ``TILT``, as a floor does that is seen from a little above. Light comes from straight
above, so each column of the picture has a shadow as long as the solid is deep there. The depth
shows the front only: the back is taken to be as deep as the front, which is right for a sphere and
a box seen along an axis. Nothing is known of holes, nor of how high a part hangs over the ground.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TILT = 0.4
"""Pixels that the ground falls for each voxel towards the viewer."""
CELLS = 128
"""Rows of the map over the depth of the shadow, at most, without its soft border."""
SOFT = 0.04
"""How far the shadow's border is blurred, of the picture's shorter side."""


class Shadow(NamedTuple):
    """How dark the ground is."""

    dark: NDArray[np.float32]
    """[rows, columns of the picture], 0 to 1."""
    top: float
    """The row of the picture, which may be outside, of the first row of the map."""
    step: float
    """Rows of the map for each row of the picture."""


NONE = Shadow(np.empty((0, 0), np.float32), 0.0, 0.0)


def shadow_of(depth: NDArray[np.int32]) -> Shadow:
    """The shadow of a solid with this depth, int32 [h, w]; ``NONE`` if nothing is hit."""
    front = depth.max(axis=0)
    rows = np.flatnonzero(depth.max(axis=1))
    if not len(rows):
        return NONE
    lowest = int(rows[-1])
    # 0 becomes the largest
    side = (depth - 1).view(np.uint32).min(axis=0).astype(np.int64) + 1
    hit = front > 0
    far, near = np.where(hit, 2 * side - front, 0), np.where(hit, front, 0)
    blur = max(1.0, SOFT * min(depth.shape))
    first, last = int(far[hit].min()) - 3 * blur, int(near[hit].max()) + 3 * blur
    cell = max(1.0, (last - first) / CELLS)
    edges = first + cell * np.arange(int((last - first) / cell) + 2)[:, None]
    inside = np.minimum(edges + cell, near) - np.maximum(edges, far)
    dark = np.where(hit, np.clip(inside / cell, 0.0, 1.0), 0.0)
    for _ in range(3):  # three boxes are almost a Gaussian
        dark = _blurred(_blurred(dark, max(1, round(blur / cell))).T, max(1, round(blur))).T
    stands = depth[lowest].max()
    top = lowest + TILT * (first + cell / 2 - stands)
    return Shadow(np.ascontiguousarray(dark, np.float32), top, 1 / (TILT * cell))


def _blurred(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Means over ``half`` rows each way; beyond the ends it is bright."""
    count = len(values)
    sums = np.zeros((count + 2 * half + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[half + 1 : half + 1 + count])
    sums[half + 1 + count :] = sums[half + count]
    return (sums[2 * half + 1 :] - sums[:count]) / (2 * half + 1)
