"""Normals: the gradient at the voxels that are seen, normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.voxel.linear import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intervalvm.evaluate.evaluator import Evaluator
    from intervalvm.voxel.volume import Volume

AXES = ("x", "y", "z")


def normals(
    evaluator: Evaluator,
    volume: Volume,
    depth: NDArray[np.int32],
    settings: Sequence[NDArray[Any]],
    together: int,
) -> NDArray[np.float32]:
    """Float32[h, w, 3]: the normals of what ``depth`` shows, in the shape's space.

    ``evaluator`` takes x, y, z and ``settings``; ``together`` points are evaluated at a time. A
    voxel at the near side of the volume is cut, and has the normal of the cut.
    """
    found = np.zeros((*depth.shape, 3), np.float32)
    flat, seen = found.reshape(-1, 3), depth.reshape(-1)
    is_cut = seen == volume.size[2]
    flat[is_cut] = volume.near_normal
    hits = np.flatnonzero((seen > 0) & ~is_cut)
    for start in range(0, len(hits), together):
        some = hits[start : start + together]
        flat[some] = _at(evaluator, volume, some, seen[some] - 1, settings)
    return found


def _at(
    evaluator: Evaluator,
    volume: Volume,
    pixels: NDArray[np.intp],
    layers: NDArray[np.int32],
    settings: Sequence[NDArray[Any]],
) -> NDArray[np.float64]:
    """Float64[n, 3]: the normals at voxels, by the index of the pixel and by layer."""
    j, i = np.divmod(pixels, volume.size[0])
    points = volume.points(i, j, layers)
    return normalised(evaluator.gradients([*points, *settings], AXES)[1:]).T
