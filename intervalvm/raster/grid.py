"""Where the pixels are: a region of the plane, an image size and a grid give coordinates.

In: a ``Region``, a size, the name of a grid. Out: one array of x for the columns and one of y for
the rows, top row first. All the project samples at these arrays and never computes a coordinate
again, so that two evaluators see the same points bit for bit. Where a pixel stands for an area, not
for its sample, ``edges`` says where the areas meet. A *crop* is a part of a larger picture: its
samples and edges are that picture's, computed alone.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.raster.region import Region, shown_region, unit_for

if TYPE_CHECKING:
    from intervalvm.raster.region import Crop
    from intervalvm.words import Grid

Indices = NDArray[np.float64]
Sampler = Callable[[float, float, int, Indices, int], NDArray[np.float64]]
Axes = tuple[NDArray[Any], NDArray[Any]]
"""x of columns and y of rows."""


def _linspace(low: float, high: float, n: int, i: Indices, _shift: int) -> NDArray[np.float64]:
    # as numpy.linspace computes each: a step that is rounded to 0 is not taken, and the last is set
    length = high - low
    step = length / max(n - 1, 1)
    samples = (i * step if step else i / max(n - 1, 1) * length) + low
    samples[(i == n - 1) & (n > 1)] = high
    # a step that is denormal is rounded by so much that samples may go beyond the end
    return np.minimum(samples, high)


def _center(low: float, high: float, n: int, i: Indices, _shift: int) -> NDArray[np.float64]:
    unit = unit_for(low, high)
    low, high = low / unit, high / unit
    return (low + (2 * i + 1) * (high - low) / 2 / n) * unit


def _fidget(low: float, high: float, n: int, i: Indices, shift: int) -> NDArray[np.float64]:
    unit = unit_for(low, high)
    low, high = low / unit, high / unit
    return ((i - n / 2 + shift) * (high - low) / n + (low / 2 + high / 2)) * unit


GRIDS: dict[Grid, Sampler] = {"linspace": _linspace, "center": _center, "fidget": _fidget}
"""The grids: (low, high, n, i, shift) to the samples ``i`` of n, which never decrease.

``linspace`` puts the first and last sample on the ends (a single one on ``low``); ``center`` puts
each in the middle of its pixel; ``fidget`` puts sample n/2 in the middle, moved on by ``shift``
pixels, as Fidget does for rows.
"""


@in_default_environment
def coordinates(
    region: Region | None,
    width: int,
    height: int,
    grid: Grid,
    dtype: Any,
    crop: Crop | None = None,
) -> Axes:
    """x of the columns, which never decreases, and y of the rows, top first, never increasing.

    ``x`` is ``dtype[width]``, ``y`` is ``dtype[height]``: computed in float64 and rounded once. For
    a crop it is the same part of both, bit for bit, in memory for that part alone. No region means
    ``Region.square()``. One column lies on the left edge, one row on the top edge in the grid
    "linspace". Neighbours may be equal where the dtype cannot tell them apart. The arrays are
    read-only: frames of one region and size share them.

    Raises OptionError for coordinates beyond what the dtype holds.
    """
    shown = shown_region(region, width, height)
    # by their bytes, since 0.0 and -0.0 are equal and their samples need not be
    ends = ENDS.pack(*shown.x, *shown.y)
    return _samples(ends, (width, height), crop or (0, 0, width, height), grid, np.dtype(dtype))


def cropped_region(shown: Region, width: int, height: int, crop: Crop) -> Region:
    """The rectangle that a crop's pixels cover, each an equal part of ``shown``.

    Crops that meet have an end in common. Where float64 does not tell the ends of one apart, it is
    a float wide, within ``shown``.
    """
    (x0, x1), (y0, y1) = shown.x, shown.y
    left, top, right, bottom = np.array(crop, np.float64)
    x = _linspace(x0, x1, width + 1, np.array([left, right]), 0).tolist()
    y = _linspace(-y1, -y0, height + 1, np.array([top, bottom]), 0).tolist()
    return Region(_told_apart(x[0], x[1], x1), _told_apart(0.0 - y[1], 0.0 - y[0], y1))


def _told_apart(low: float, high: float, most: float) -> tuple[float, float]:
    """Both ends, a float apart if they are equal, and not above ``most``."""
    if low < high:
        return low, high
    return (low, math.nextafter(low, most)) if low < most else (math.nextafter(low, -math.inf), low)


ENDS = struct.Struct("4d")
MOST_KEPT = 8
"""Coordinates of so many frames are kept: making them takes as long as a part of a small frame."""


@lru_cache(MOST_KEPT)
def _samples(
    ends: bytes, size: tuple[int, int], crop: Crop, grid: Grid, dtype: np.dtype[Any]
) -> Axes:
    x0, x1, y0, y1 = ENDS.unpack(ends)
    sample, (left, top, right, bottom) = GRIDS[grid], crop
    columns, rows = np.arange(left, right, dtype=float), np.arange(top, bottom, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        x = sample(x0, x1, size[0], columns, 0).astype(dtype)
        # rows run downwards: the mirrored side is sampled, then mirrored back, so that the middle
        # row of the default square is -0.0 as in the programs that these grids come from
        y = -sample(-y1, -y0, size[1], rows, 1).astype(dtype)
    return _finite(x, y, Region((x0, x1), (y0, y1)))


def _finite(x: NDArray[Any], y: NDArray[Any], region: Region) -> Axes:
    """Both, read-only from now on, if the dtype holds them."""
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise OptionError(
            f"the region {region} goes beyond {x.dtype.name}: "
            "give a smaller one, or the dtype float64"
        )
    x.flags.writeable = y.flags.writeable = False
    return x, y


@in_default_environment
def edges(
    region: Region | None,
    width: int,
    height: int,
    grid: Grid,
    dtype: Any,
    crop: Crop | None = None,
) -> Axes:
    """Where the areas of the pixels meet: x of the columns' edges and y of the rows', top first.

    ``x`` is ``dtype[width + 1]`` and never decreases, ``y`` is ``dtype[height + 1]`` and never
    increases. The pixel of column i and row j has the closed area x[i]..x[i + 1] by
    y[j + 1]..y[j]. Neighbours share an edge, and together the areas cover the region. For a crop
    it is the same part of both, bit for bit.

    The region is cut into equal parts, whatever the grid: the samples of each lie in their own
    part, those of "linspace" in the corners at the ends, those of "fidget" in the lower left
    corner. Rounding moves an edge between two samples at most onto one of them; so a pixel's sample
    lies in its area. The first and last edges are the region's ends, or the next floats beyond them
    where the dtype does not hold those.

    Raises what ``coordinates`` raises.
    """
    left, top, right, bottom = crop or (0, 0, width, height)
    # an edge depends on the samples on both its sides
    first = max(left - 1, 0), max(top - 1, 0)
    last = min(right + 1, width), min(bottom + 1, height)
    x, y = coordinates(region, width, height, grid, dtype, (*first, *last))
    shown = shown_region(region, width, height)
    (x0, x1), (y0, y1) = shown.x, shown.y
    with np.errstate(over="ignore"):
        columns = _cut(x0, x1, width, first[0], x)[left - first[0] :][: right - left + 1]
        # mirrored and mirrored back, as the samples are
        rows = -_cut(-y1, -y0, height, first[1], -y)[top - first[1] :][: bottom - top + 1]
    return _finite(columns, rows, shown)


def _cut(low: float, high: float, n: int, first: int, samples: NDArray[Any]) -> NDArray[Any]:
    """The ends of n equal parts of low..high, each with its sample within: those about ``samples``,
    which are the ones from ``first`` on. The outermost two are right at the ends of all alone."""
    i = np.arange(first, first + len(samples) + 1, dtype=float)
    parts = _linspace(low, high, n + 1, i, 0).astype(samples.dtype)
    inner = np.clip(parts[1:-1], samples[:-1], samples[1:])
    start, stop = parts[:1], parts[-1:]
    # float64 scalars: a Python number beside a float32 would be rounded to float32 first
    start = np.where(start > np.float64(low), np.nextafter(start, -np.inf), start)
    stop = np.where(stop < np.float64(high), np.nextafter(stop, np.inf), stop)
    return np.concatenate(
        [np.minimum(start, samples[:1]), inner, np.maximum(stop, samples[-1:])], dtype=samples.dtype
    )
