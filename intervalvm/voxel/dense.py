"""The dense engine: every voxel of every column from near to far until one is inside.

This is the definition of ``depth`` and ``normals`` for every engine. Voxels are evaluated in slabs:
some columns, some layers of those that nothing has been hit in yet.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.evaluate.points import peak_bytes
from intervalvm.memory import available
from intervalvm.voxel.job import Drawn
from intervalvm.voxel.normals import normals

if TYPE_CHECKING:
    from intervalvm.raster.job import Progress
    from intervalvm.voxel.job import Job

TOGETHER = 1 << 16
"""The most voxels of a slab, so that the working set of an operation fits the cache."""
LAYERS = 16
"""Of the first slab of a band."""
ARRAYS = 8
"""Arrays of coordinates, of their indices and of the results of a slab, of 8 bytes each."""
GRADIENT = 5
"""What an evaluation of gradients takes, in evaluations of values: four parts and masks."""


def draw(job: Job, report: Progress | None) -> Drawn:
    """Draw a job. Raises DoesNotFit if the arrays of one column of voxels do not fit."""
    start = time.perf_counter()
    evaluator = NumpyEvaluator(job.tape, job.inputs, job.dtype)
    together = _that_fit(job)
    width, height, _ = job.volume.size
    depth = np.zeros(width * height, np.int32)
    band, evaluated = max(1, together // LAYERS), 0
    for first in range(0, len(depth), band):
        columns = np.arange(first, min(first + band, len(depth)))
        evaluated += _draw_columns(job, evaluator, columns, depth, together)
        if report is not None:
            report(int(columns[-1]) + 1, len(depth))
    picture, middle = depth.reshape(height, width), time.perf_counter()
    found = normals(evaluator, job.volume, picture, job.settings, together)
    seconds = {"compile": 0.0, "depth": middle - start, "normals": time.perf_counter() - middle}
    return Drawn(picture, found, evaluated, seconds)


def _draw_columns(
    job: Job,
    evaluator: NumpyEvaluator,
    columns: NDArray[np.intp],
    depth: NDArray[np.int32],
    together: int,
) -> int:
    """Find the depth of some columns, by their index in the picture; how many voxels it took."""
    width, _, top = job.volume.size
    evaluated = 0
    while top > 0 and len(columns):
        layers = np.arange(top - 1, max(-1, top - 1 - max(1, together // len(columns))), -1)
        j, i = np.divmod(columns, width)
        points = job.volume.points(i, j, layers[:, None])
        inside = evaluator.values([*points, *job.settings]) < 0
        evaluated += inside.size
        is_hit = inside.any(axis=0)
        depth[columns[is_hit]] = layers[inside.argmax(axis=0)[is_hit]] + 1
        columns, top = columns[~is_hit], int(layers[-1])
    return evaluated


def _that_fit(job: Job) -> int:
    """The voxels of a slab. Raises DoesNotFit if not even one column fits."""
    width, height, depth = job.volume.size
    together = min(TOGETHER, width * height * depth)
    limit = available() if job.max_memory is None else job.max_memory
    while together > 1 and _slab_bytes(job, together) + job.picture_bytes > limit:
        together = -(-together // 2)
    job.require(_slab_bytes(job, together), "engine='dense'", "use a shorter tape")
    return together


def _slab_bytes(job: Job, voxels: int) -> int:
    """The peak memory of a slab."""
    shapes: dict[str, Any] = dict.fromkeys(job.inputs, ()) | dict.fromkeys("xyz", (voxels,))
    return GRADIENT * peak_bytes(job.tape, shapes, job.dtype) + ARRAYS * 8 * voxels
