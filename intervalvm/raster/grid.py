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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, flag, is_word, parts_of, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.raster.size import Crop, check_size


@dataclass(frozen=True)
class Region:
    """The rectangle ``x[0]..x[1]`` by ``y[0]..y[1]`` of the plane that an image shows.

    An image of another shape than the region is stretched. Regions that meet give images that meet
    in the grids "center" and "fidget", but for the last bits of samples; not in "linspace", whose
    samples lie on the ends. For parts of one picture give ``render`` a ``crop``.

    With ``square_pixels`` the region grows along one side instead, about its middle, until it has
    the shape of the image. Raises OptionError unless all ends are finite and each side has a length
    above 0.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    square_pixels: bool = False

    @in_default_environment
    def __post_init__(self) -> None:
        for axis in ("x", "y"):
            object.__setattr__(self, axis, _side(axis, getattr(self, axis)))
        object.__setattr__(self, "square_pixels", flag("square_pixels", self.square_pixels))

    @classmethod
    def square(cls) -> Self:
        """-1..1 both ways on a square image; the longer side of another image shows more."""
        return cls((-1.0, 1.0), (-1.0, 1.0), square_pixels=True)

    @classmethod
    @in_default_environment
    def around(cls, center: tuple[float, float], scale: float) -> Self:
        """What lies up to ``scale`` from ``center``: half the shorter side of the image.

        Pixels are square whatever the shape of the image; ``around((0, 0), 1)`` is ``square()``.
        """
        try:
            x, y = (real("center", part) for part in parts_of("center", center))
            half = real("scale", scale)
        except (TypeError, ValueError):
            raise OptionError(
                f"a region around {brief(center)} with scale {brief(scale)}: "
                "give the center as two numbers and the scale as one, as in around((0, 0), 0.5)"
            ) from None
        if not half > 0:
            raise OptionError(f"the scale is {half:g}: give half the shorter side, above 0")
        return cls((x - half, x + half), (y - half, y + half), square_pixels=True)

    @in_default_environment
    def fitted(self, width: int, height: int) -> Region:
        """The rectangle that an image of this size shows: ``square_pixels`` carried out."""
        return self._fitted(*check_size((width, height)))

    def _fitted(self, width: int, height: int) -> Region:
        if not self.square_pixels:
            return self
        x, y = self.x, self.y
        half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        unit = _unit(half_x, half_y)
        half_x, half_y = half_x / unit, half_y / unit
        if half_x * height < half_y * width:
            x = _about(x, half_y * width / height * unit)
        elif half_y * width < half_x * height:
            y = _about(y, half_x * height / width * unit)
        return Region(x, y)

    @in_default_environment
    def __str__(self) -> str:
        (x0, x1), (y0, y1) = self.x, self.y
        return f"x {x0:g}..{x1:g}, y {y0:g}..{y1:g}"


def _side(axis: str, ends: Any) -> tuple[float, float]:
    try:
        low, high = (real(axis, end) for end in parts_of(axis, ends))
    except (TypeError, ValueError):
        raise OptionError(
            f"the region's {axis} is {brief(ends)}: "
            "give two numbers, the lower first, as in (-1, 1)"
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(high - low)):
        raise OptionError(
            f"the region's {axis} is {low:g}..{high:g}: both ends and the length must be finite"
        )
    if low == high:
        raise OptionError(
            f"the region's {axis} is empty, {low!r}..{high!r}: "
            "give a larger scale, or two different ends"
        )
    if low > high:
        raise OptionError(
            f"the region's {axis} is {low:g}..{high:g}: give the lower end first, {high:g}..{low:g}"
        )
    return low, high


def _unit(*ends: float) -> float:
    """The unit to compute in where ``ends`` are so large that sizes times them are infinite.

    A power of 2, so that no bit depends on it: of numbers beside such ends none small counts.
    """
    return 2.0**64 if max(map(abs, ends)) > 2.0**900 else 1.0


RegionLike = Region | Sequence[float] | Sequence[tuple[float, float]]
"""A region, or its ends: (x0, x1, y0, y1), or ((x0, x1), (y0, y1))."""


def as_region(region: Any) -> Region | None:
    """A region, or what reads as one: (x0, x1, y0, y1), or ((x0, x1), (y0, y1)), or None.

    Raises ArgumentTypeError for what does not, OptionError for ends that make no region.
    """
    if region is None or isinstance(region, Region):
        return region
    try:
        parts = parts_of("region", region)
    except ArgumentTypeError:
        parts = ()
    if len(parts) == 4:
        return Region(parts[:2], parts[2:])
    if len(parts) == 2:
        return Region(*parts)
    raise ArgumentTypeError(
        f"region={brief(region)}: give a Region, as in Region(x=(-1, 1), y=(-1, 1)), "
        "or four numbers, as in (-1, 1, -1, 1)"
    )


def _about(ends: tuple[float, float], half: float) -> tuple[float, float]:
    middle = ends[0] / 2 + ends[1] / 2
    return middle - half, middle + half


Indices = NDArray[np.float64]


def _linspace(low: float, high: float, n: int, i: Indices, _shift: int) -> NDArray[np.float64]:
    # as numpy.linspace computes each: a step that is rounded to 0 is not taken, and the last is set
    length = high - low
    step = length / max(n - 1, 1)
    samples = (i * step if step else i / max(n - 1, 1) * length) + low
    samples[(i == n - 1) & (n > 1)] = high
    # a step that is denormal is rounded by so much that samples may go beyond the end
    return np.minimum(samples, high)


def _center(low: float, high: float, n: int, i: Indices, _shift: int) -> NDArray[np.float64]:
    unit = _unit(low, high)
    low, high = low / unit, high / unit
    return (low + (2 * i + 1) * (high - low) / 2 / n) * unit


def _fidget(low: float, high: float, n: int, i: Indices, shift: int) -> NDArray[np.float64]:
    unit = _unit(low, high)
    low, high = low / unit, high / unit
    return ((i - n / 2 + shift) * (high - low) / n + (low / 2 + high / 2)) * unit


GRIDS = {"linspace": _linspace, "center": _center, "fidget": _fidget}
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
    grid: str,
    dtype: Any,
    crop: Crop | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """x of the columns, which never decreases, and y of the rows, top first, never increasing.

    ``x`` is ``dtype[width]``, ``y`` is ``dtype[height]``: computed in float64 and rounded once. For
    a crop it is the same part of both, bit for bit, in memory for that part alone. No region means
    ``Region.square()``. One column lies on the left edge, one row on the top edge in the grid
    "linspace". Neighbours may be equal where the dtype cannot tell them apart. The arrays are
    read-only: frames of one region and size share them.

    Raises OptionError for an unknown grid, or for coordinates beyond what the dtype holds.
    """
    check_grid(grid)
    shown = shown_region(region, width, height)
    # by their bytes, since 0.0 and -0.0 are equal and their samples need not be
    ends = ENDS.pack(*shown.x, *shown.y)
    return _samples(ends, (width, height), crop or (0, 0, width, height), grid, np.dtype(dtype))


def check_grid(grid: str) -> None:
    """Raise OptionError for an unknown grid."""
    if not is_word(grid, GRIDS):
        raise OptionError(f"there is no grid {brief(grid)}: choose {', '.join(GRIDS)}")


def shown_region(region: Region | None, width: int, height: int) -> Region:
    """The rectangle that an image of this size shows of ``region``."""
    return _default_region(width, height) if region is None else region._fitted(width, height)


@lru_cache
def _default_region(width: int, height: int) -> Region:
    return Region.square().fitted(width, height)


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
    ends: bytes, size: tuple[int, int], crop: Crop, grid: str, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    x0, x1, y0, y1 = ENDS.unpack(ends)
    sample, (left, top, right, bottom) = GRIDS[grid], crop
    columns, rows = np.arange(left, right, dtype=float), np.arange(top, bottom, dtype=float)
    with np.errstate(over="ignore", invalid="ignore"):
        x = sample(x0, x1, size[0], columns, 0).astype(dtype)
        # rows run downwards: the mirrored side is sampled, then mirrored back, so that the middle
        # row of the default square is -0.0 as in the programs that these grids come from
        y = -sample(-y1, -y0, size[1], rows, 1).astype(dtype)
    return _finite(x, y, Region((x0, x1), (y0, y1)))


def _finite(x: NDArray[Any], y: NDArray[Any], region: Region) -> tuple[NDArray[Any], NDArray[Any]]:
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
    grid: str,
    dtype: Any,
    crop: Crop | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]:
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
