"""Normals: the gradient at the voxels that are seen, normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from intervalvm.evaluate.evaluator import Evaluator
    from intervalvm.voxel.volume import Volume

AXES = ("x", "y", "z")


def normalised(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Float64[..., 3]: vectors of length 1; 0 for those that are 0 or not finite.

    Each is first scaled by the power of 2 that brings its largest component to 1/2 to 1, so nothing
    overflows, and what underflows is below what counts.
    """
    wide = np.asarray(vectors, np.float64)
    largest = np.abs(wide).max(axis=-1, keepdims=True)
    fits = np.isfinite(wide).all(axis=-1, keepdims=True) & (largest > 0)
    wide = np.where(fits, wide, 0.0)
    exponent = np.frexp(np.where(fits, largest, 1.0))[1]
    scaled = np.ldexp(wide, -exponent)
    x, y, z = (scaled[..., axis] for axis in range(3))
    length = np.sqrt((x * x + y * y) + z * z)[..., None]
    return scaled / np.where(fits, length, 1.0)


def normals(
    evaluator: Evaluator,
    volume: Volume,
    depth: NDArray[np.int32],
    settings: list[NDArray[Any]],
    together: int,
) -> NDArray[np.float32]:
    """Float32[h, w, 3]: the normals of what ``depth`` shows, in the shape's space.

    ``evaluator`` takes x, y, z and ``settings``; ``together`` points are evaluated at a time. A
    voxel at the near side of the volume is cut, and has the normal of the cut.
    """
    found = np.zeros((*depth.shape, 3), np.float32)
    flat, seen = found.reshape(-1, 3), depth.reshape(-1)
    cut = seen == volume.size[2]
    flat[cut] = volume.near_normal
    hits = np.flatnonzero((seen > 0) & ~cut)
    for start in range(0, len(hits), together):
        some = hits[start : start + together]
        j, i = np.divmod(some, depth.shape[1])
        points = volume.points(i, j, seen[some] - 1)
        _, *slopes = evaluator.gradients([*points, *settings], AXES)
        flat[some] = normalised(np.stack(slopes, axis=-1))
    return found
