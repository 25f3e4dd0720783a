"""Proven pixels: verdicts on the real function over each pixel's sample or area.

``draw`` is the reference for all engines: all clauses, over every pixel, by the tight real bounds.
Engines may differ in which pixels are unproven, but never contradict each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.directed import DirectedArrays
from intervalvm.evaluate.decorated import Real, given, root_bounds
from intervalvm.evaluate.points import peak_bytes
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.memory import available
from intervalvm.raster.job import Drawn, Job, Progress

BAND_PX = 1 << 16
"""Pixels of a band, so that the working set of an operation fits the cache."""
TEMPORARIES = 24
"""The most float64 arrays of a rule, with its result: that of ``div``."""


def verdict(value: Real) -> NDArray[np.uint8]:
    """The verdict of each box from the interval of a tape; undefined is outside, like NaN."""
    outside = value.is_empty | (value.lower >= 0)
    inside = ~value.is_empty & (value.upper < 0) & ~value.maybe_nan
    return np.where(outside, OUTSIDE, np.where(inside, INSIDE, UNPROVEN))


def draw(job: Job, report: Progress | None) -> Drawn:
    """Draw verdicts, in bands of rows. Raises DoesNotFit if one row does not fit."""
    height, width = job.shape
    rows = _rows(job)
    job.require(_peak_bytes(job, rows), "proving at this size", "make it narrower")
    (left, lower), (right, upper) = job.sides
    xp = DirectedArrays(job.dtype)
    free = {name: given(xp, *[np.float64(value)] * 2) for name, value in job.settings.items()}
    x = _between(xp, left, right)
    pixels = np.empty(job.shape, np.uint8)
    for top in range(0, height, rows):
        band = slice(top, min(height, top + rows))
        y = _between(xp, lower[band, None], upper[band, None])
        axes = {"var-x": x, "var-y": y, "var-z": free["var-z"]}
        variables = [free[name] for name in job.tape.variables]
        pixels[band] = verdict(root_bounds(job.tape, axes, variables, job.dtype))
        if report is not None:
            report(band.stop * width, height * width)
    return Drawn(pixels, [])


def _between(xp: DirectedArrays, low: NDArray[Any], high: NDArray[Any]) -> Real:
    """The real interval of two floats of the dtype."""
    return given(xp, xp.wide(low), xp.wide(high))


def _rows(job: Job) -> int:
    """Rows of a band: as many as fit, at least one."""
    height, width = job.shape
    rows = max(1, min(height, BAND_PX // width))
    limit = job.max_memory if job.max_memory is not None else available()
    while rows > 1 and _peak_bytes(job, rows) + job.image_bytes > limit:
        rows = -(-rows // 2)
    return rows


def _peak_bytes(job: Job, rows: int) -> int:
    """The peak memory of a band: two bounds and a decoration for each value, and temporaries."""
    width = job.shape[1]
    free: list[tuple[int, ...]] = [()] * len(job.tape.variables)
    values = peak_bytes(job.tape, [(1, width), (rows, 1), ()], free, job.dtype)
    return 3 * values + TEMPORARIES * 8 * rows * width
