"""Where the pixels are: a region of the plane, an image size and a grid give coordinates.

In: a ``Region``, a size, the name of a grid. Out: one array of x for the columns and one of y for
the rows, top row first. All the project samples at these arrays and never computes a coordinate
again, so that two evaluators see the same points bit for bit. Where a pixel stands for an area, not
for its sample, ``edges`` says where the areas meet.
"""

from __future__ import annotations

import math
import operator
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAF_PX = 16
"""A depth chosen by ``check_depth`` gives leaves of at most so many pixels a side."""


@dataclass(frozen=True)
class Region:
    """The rectangle ``x[0]..x[1]`` by ``y[0]..y[1]`` of the plane that an image shows.

    An image of another shape than the region stretches it. With ``square_pixels`` the region grows
    along one side instead, about its middle, until it has the shape of the image. Raises
    OptionError unless all ends are finite and each side has a length above 0.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    square_pixels: bool = False

    @in_default_environment
    def __post_init__(self) -> None:
        for axis in ("x", "y"):
            object.__setattr__(self, axis, _side(axis, getattr(self, axis)))

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
            (x, y), half = map(float, center), float(scale)
        except (TypeError, ValueError):
            raise OptionError(
                f"a region around {center!r} with scale {scale!r}: "
                "give the center as two numbers and the scale as one, as in around((0, 0), 0.5)"
            ) from None
        if not half > 0:
            raise OptionError(f"the scale is {half:g}: give half the shorter side, above 0")
        return cls((x - half, x + half), (y - half, y + half), square_pixels=True)

    @in_default_environment
    def fitted(self, width: int, height: int) -> Region:
        """The rectangle that an image of this size shows: ``square_pixels`` carried out."""
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

    def __str__(self) -> str:
        (x0, x1), (y0, y1) = self.x, self.y
        return f"x {x0:g}..{x1:g}, y {y0:g}..{y1:g}"


def _side(axis: str, ends: Any) -> tuple[float, float]:
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError):
        raise OptionError(
            f"the region's {axis} is {ends!r}: give two numbers, the lower first, as in (-1, 1)"
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


def _about(ends: tuple[float, float], half: float) -> tuple[float, float]:
    middle = ends[0] / 2 + ends[1] / 2
    return middle - half, middle + half


def _linspace(low: float, high: float, n: int, _shift: int) -> NDArray[np.float64]:
    # a step that is denormal is rounded by so much that samples may go beyond the end
    return np.minimum(np.linspace(low, high, n), high)


def _center(low: float, high: float, n: int, _shift: int) -> NDArray[np.float64]:
    unit = _unit(low, high)
    low, high = low / unit, high / unit
    return (low + (2 * np.arange(n) + 1) * (high - low) / 2 / n) * unit


def _fidget(low: float, high: float, n: int, shift: int) -> NDArray[np.float64]:
    unit = _unit(low, high)
    low, high = low / unit, high / unit
    return ((np.arange(n) - n / 2 + shift) * (high - low) / n + (low / 2 + high / 2)) * unit


GRIDS = {"linspace": _linspace, "center": _center, "fidget": _fidget}
"""The grids: (low, high, n, shift) to n samples that never decrease.

``linspace`` puts the first and last sample on the ends (a single one on ``low``); ``center`` puts
each in the middle of its pixel; ``fidget`` puts sample n/2 in the middle, moved on by ``shift``
pixels, as Fidget does for rows.
"""


@in_default_environment
def coordinates(
    region: Region | None, width: int, height: int, grid: str, dtype: Any
) -> tuple[NDArray[Any], NDArray[Any]]:
    """x of the columns, which never decreases, and y of the rows, top first, never increasing.

    ``x`` is ``dtype[width]``, ``y`` is ``dtype[height]``: computed in float64 and rounded once. No
    region means ``Region.square()``. One column lies on the left edge, one row on the top edge in
    the grid "linspace". Neighbours may be equal where the dtype cannot tell them apart. The arrays
    are read-only: frames of one region and size share them.

    Raises OptionError for an unknown grid, or for coordinates beyond what the dtype holds.
    """
    if grid not in GRIDS:
        raise OptionError(f"there is no grid {grid!r}: choose {', '.join(GRIDS)}")
    shown = shown_region(region, width, height)
    # by their bytes, since 0.0 and -0.0 are equal and their samples need not be
    return _samples(ENDS.pack(*shown.x, *shown.y), width, height, grid, np.dtype(dtype))


def shown_region(region: Region | None, width: int, height: int) -> Region:
    """The rectangle that an image of this size shows of ``region``."""
    return _default_region(width, height) if region is None else region.fitted(width, height)


@lru_cache
def _default_region(width: int, height: int) -> Region:
    return Region.square().fitted(width, height)


ENDS = struct.Struct("4d")
MOST_KEPT = 8
"""Coordinates of so many frames are kept: making them takes as long as a part of a small frame."""


@lru_cache(MOST_KEPT)
def _samples(
    ends: bytes, width: int, height: int, grid: str, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    x0, x1, y0, y1 = ENDS.unpack(ends)
    sample = GRIDS[grid]
    with np.errstate(over="ignore", invalid="ignore"):
        x = sample(x0, x1, width, 0).astype(dtype)
        # rows run downwards: the mirrored side is sampled, then mirrored back, so that the middle
        # row of the default square is -0.0 as in the programs that these grids come from
        y = -sample(-y1, -y0, height, 1).astype(dtype)
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
    region: Region | None, width: int, height: int, grid: str, dtype: Any
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where the areas of the pixels meet: x of the columns' edges and y of the rows', top first.

    ``x`` is ``dtype[width + 1]`` and never decreases, ``y`` is ``dtype[height + 1]`` and never
    increases. The pixel of column i and row j has the closed area x[i]..x[i + 1] by
    y[j + 1]..y[j]. Neighbours share an edge, and together the areas cover the region.

    The region is cut into equal parts, whatever the grid: the samples of each lie in their own
    part, those of "linspace" in the corners at the ends, those of "fidget" in the lower left
    corner. Rounding moves an edge between two samples at most onto one of them; so a pixel's sample
    lies in its area. The first and last edges are the region's ends, or the next floats beyond them
    where the dtype does not hold those.

    Raises what ``coordinates`` raises.
    """
    x, y = coordinates(region, width, height, grid, dtype)
    shown = shown_region(region, width, height)
    (x0, x1), (y0, y1) = shown.x, shown.y
    with np.errstate(over="ignore"):
        # mirrored and mirrored back, as the samples are
        return _finite(_cut(x0, x1, x), -_cut(-y1, -y0, -y), shown)


def _cut(low: float, high: float, samples: NDArray[Any]) -> NDArray[Any]:
    """The ends of ``len(samples)`` equal parts of low..high, each with its sample within."""
    parts = np.linspace(low, high, len(samples) + 1).astype(samples.dtype)
    inner = np.clip(parts[1:-1], samples[:-1], samples[1:])
    first, last = parts[:1], parts[-1:]
    # float64 scalars: a Python number beside a float32 would be rounded to float32 first
    first = np.where(first > np.float64(low), np.nextafter(first, -np.inf), first)
    last = np.where(last < np.float64(high), np.nextafter(last, np.inf), last)
    return np.concatenate(
        [np.minimum(first, samples[:1]), inner, np.maximum(last, samples[-1:])], dtype=samples.dtype
    )


def check_size(size: Any) -> tuple[int, int]:
    """(width, height) of ``size``: one integer for a square image, or a pair, each at least 1."""
    both = (size, size) if not isinstance(size, (tuple, list)) else tuple(size)
    try:
        # True is an integer to Python, but nobody asks for an image of True pixels
        if any(isinstance(side, (bool, np.bool_)) for side in both):
            raise TypeError
        width, height = map(operator.index, both)
    except (TypeError, ValueError):
        raise OptionError(
            f"the size is {size!r}: give an integer, or two for (width, height)"
        ) from None
    if width < 1 or height < 1:
        shown = f"{width}x{height}" if isinstance(size, (tuple, list)) else f"{width}"
        raise OptionError(f"the size is {shown}: give at least 1 pixel a side")
    return width, height


def check_depth(depth: int | None, width: int, height: int) -> int:
    """The levels of the quadtree; None chooses the fewest that give leaves of ``LEAF_PX`` pixels.

    Raises OptionError for a negative depth and for one whose leaves would be less than a pixel.
    """
    longer = max(width, height)
    if depth is None:
        return (-(-longer // LEAF_PX) - 1).bit_length()
    deepest = longer.bit_length() - 1
    try:
        levels = -1 if isinstance(depth, bool) else operator.index(depth)
    except TypeError:
        levels = -1
    if not 0 <= levels <= deepest:
        raise OptionError(
            f"the depth is {depth!r}: a {width}x{height} image takes 0 to {deepest}; "
            "without a depth it is chosen from the size"
        )
    return levels
