"""Where the pixels are: a region of the plane, an image size and a grid give coordinates.

In: a ``Region``, a size, the name of a grid. Out: one array of x for the columns and one of y for
the rows, top row first; ``edges`` are the boundaries of pixels as areas. All evaluators use these
arrays and compute no coordinate themselves, so their points are equal bit for bit.
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
    # as numpy.linspace: without a step that rounds to 0, and with the last one set
    length = high - low
    step = length / max(n - 1, 1)
    samples = (i * step if step else i / max(n - 1, 1) * length) + low
    samples[(i == n - 1) & (n > 1)] = high
    # the rounding error of a subnormal step may move samples beyond the end
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
"""The grids: from (low, high, n, i, shift) to the samples ``i`` of n, in ascending order.

In ``linspace`` the first and last sample are the ends (a single one is ``low``), in ``center``
samples are the centres of pixels, in ``fidget`` sample n/2 is the middle, moved by ``shift``
pixels, as in Fidget for rows.
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
    """x of the columns, ascending, and y of the rows, top first, descending.

    ``x`` is ``dtype[width]``, ``y`` is ``dtype[height]``: computed in float64 and rounded once, so
    neighbours may be equal. Those of a crop are parts of these, bit for bit. No region means
    ``Region.square()``. In "linspace" a single column is on the left edge, a single row on the top
    edge. The arrays are read-only, and shared by frames of one region and size.

    Raises OptionError for coordinates that overflow the dtype.
    """
    shown = shown_region(region, width, height)
    # by their bytes, since samples of 0.0 and -0.0 may differ
    ends = ENDS.pack(*shown.x, *shown.y)
    return _samples(ends, (width, height), crop or (0, 0, width, height), grid, np.dtype(dtype))


def cropped_region(shown: Region, width: int, height: int, crop: Crop) -> Region:
    """The rectangle of a crop's pixels, each an equal part of ``shown``.

    Adjacent crops have a common end. If the ends of one are equal in float64, it is an ulp wide.
    """
    (x0, x1), (y0, y1) = shown.x, shown.y
    left, top, right, bottom = np.array(crop, np.float64)
    x = _linspace(x0, x1, width + 1, np.array([left, right]), 0).tolist()
    y = _linspace(-y1, -y0, height + 1, np.array([top, bottom]), 0).tolist()
    return Region(_told_apart(x[0], x[1], x1), _told_apart(0.0 - y[1], 0.0 - y[0], y1))


def _told_apart(low: float, high: float, most: float) -> tuple[float, float]:
    """Both ends, an ulp apart if they are equal, and not above ``most``."""
    if low < high:
        return low, high
    return (low, math.nextafter(low, most)) if low < most else (math.nextafter(low, -math.inf), low)


ENDS = struct.Struct("4d")
MOST_KEPT = 8
"""The number of frames whose coordinates are cached."""


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
    """Both, made read-only, if the dtype holds them."""
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
    """The edges of the pixels' areas: x of the columns' and y of the rows', top first.

    ``x`` is ``dtype[width + 1]``, ascending, ``y`` is ``dtype[height + 1]``, descending. The pixel
    of column i and row j has the closed area x[i]..x[i + 1] by y[j + 1]..y[j]. Neighbours share an
    edge, and the areas cover the region. Those of a crop are parts of these, bit for bit.

    The areas are equal parts of the region in every grid, and contain their samples: those of
    "linspace" are corners at the ends, those of "fidget" the lower left corners. Rounding moves an
    edge between two samples at most onto one of them. The first and last edges are the region's
    ends, rounded outwards.

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
        # negated twice, like the samples
        rows = -_cut(-y1, -y0, height, first[1], -y)[top - first[1] :][: bottom - top + 1]
    return _finite(columns, rows, shown)


def _cut(low: float, high: float, n: int, first: int, samples: NDArray[Any]) -> NDArray[Any]:
    """The ends of n equal parts of low..high around ``samples``, which begin at ``first``. Only the
    outermost of all n are exact."""
    i = np.arange(first, first + len(samples) + 1, dtype=float)
    parts = _linspace(low, high, n + 1, i, 0).astype(samples.dtype)
    inner = np.clip(parts[1:-1], samples[:-1], samples[1:])
    start, stop = parts[:1], parts[-1:]
    # float64 scalars: NumPy would round a Python number to float32 first
    start = np.where(start > np.float64(low), np.nextafter(start, -np.inf), start)
    stop = np.where(stop < np.float64(high), np.nextafter(stop, np.inf), stop)
    return np.concatenate(
        [np.minimum(start, samples[:1]), inner, np.maximum(stop, samples[-1:])], dtype=samples.dtype
    )
