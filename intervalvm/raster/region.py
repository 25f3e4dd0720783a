"""The frame of an image: a ``Region`` of the plane, a size in pixels, a crop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from intervalvm.arguments import brief, flag, integer, parts_of, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError

MOST_PX = 1 << 53
"""Pixels a side; float64 represents all counts up to here."""
Crop = tuple[int, int, int, int]
"""(left, top, right, bottom) in pixels from the top left corner, as in Pillow."""


@dataclass(frozen=True)
class Region:
    """A rectangle of the plane that an image shows.

    Images of adjacent regions fit together in the grids "center" and "fidget", except for last bits
    of samples; in "linspace" both have samples on the common side. For parts of one picture use
    ``crop``.

    Parameters
    ----------
    x, y : (float, float)
        Finite ends (low, high).
    square_pixels : bool
        Extend one side about its middle to the shape of the image, instead of stretching it.

    Raises
    ------
    OptionError
        For ends that are not finite or not in order.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    square_pixels: bool = False

    @in_default_environment
    def __post_init__(self) -> None:
        given = vars(self)
        given["x"], given["y"] = side("x", self.x), side("y", self.y)
        given["square_pixels"] = flag("square_pixels", self.square_pixels)

    @classmethod
    def square(cls) -> Self:
        """-1..1 in x and y, extended along the longer side of the image."""
        return cls((-1.0, 1.0), (-1.0, 1.0), square_pixels=True)

    @classmethod
    @in_default_environment
    def around(cls, center: tuple[float, float], scale: float) -> Self:
        """A region with square pixels; ``scale`` is half the shorter side of the image.

        ``around((0, 0), 1)`` is ``square()``. Raises OptionError unless ``scale`` is positive.
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
        """The rectangle that an image of this size shows, after ``square_pixels``."""
        return self._fitted(*check_size((width, height)))

    def _fitted(self, width: int, height: int) -> Region:
        if not self.square_pixels:
            return self
        x, y = self.x, self.y
        half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        unit = unit_for(half_x, half_y)
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


def side(axis: str, ends: Any) -> tuple[float, float]:
    """The ends of a region along an axis. Raises OptionError unless they are as ``Region`` says."""
    try:
        low, high = parts_of(axis, ends)
        low, high = real(axis, low), real(axis, high)
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


def unit_for(*ends: float) -> float:
    """A unit that avoids overflow for huge ``ends``: a power of 2, so that scaling is exact."""
    return 2.0**64 if max(map(abs, ends)) > 2.0**900 else 1.0


RegionLike = Region | Sequence[float] | Sequence[tuple[float, float]]
"""A region, or its ends: (x0, x1, y0, y1), or ((x0, x1), (y0, y1))."""


def as_region(region: Any) -> Region | None:
    """The region of a ``RegionLike``, or None.

    Raises ArgumentTypeError for another type, OptionError for invalid ends.
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


def shown_region(region: Region | None, width: int, height: int) -> Region:
    """The rectangle that an image of this size shows of ``region``."""
    return _default_region(width, height) if region is None else region._fitted(width, height)


@lru_cache
def _default_region(width: int, height: int) -> Region:
    return Region.square().fitted(width, height)


def check_size(size: Any, name: str = "size") -> tuple[int, int]:
    """(width, height) of ``size``: one integer for a square image, or a pair, each at least 1."""
    is_pair = isinstance(size, (tuple, list))
    try:
        width, height = map(integer, size if is_pair else (size, size))
    except (TypeError, ValueError):
        raise OptionError(
            f"the {name} is {brief(size)}: give an integer, or two for (width, height)"
        ) from None
    if width < 1 or height < 1 or max(width, height) > MOST_PX:
        shown = "x".join(map(brief, (width, height) if is_pair else (width,)))
        limit = "at least 1 pixel" if min(width, height) < 1 else f"at most {MOST_PX} pixels"
        raise OptionError(f"the {name} is {shown}: give {limit} a side")
    return width, height


def check_crop(crop: Any, width: int | None = None, height: int | None = None) -> Crop | None:
    """A crop of a picture of this size, if it is known; None is all of it.

    Raises OptionError for what is not four integers, and for a crop without a pixel or beyond the
    picture.
    """
    if crop is None:
        return None
    try:
        left, top, right, bottom = map(integer, parts_of("crop", crop))
    except (TypeError, ValueError):
        raise OptionError(
            f"crop={brief(crop)}: give four integers, (left, top, right, bottom) in pixels"
        ) from None
    inside = (width is None or right <= width) and (height is None or bottom <= height)
    if not (0 <= left < right and 0 <= top < bottom and inside):
        size = "the picture" if width is None else f"a picture of {width}x{height} pixels"
        raise OptionError(
            f"crop={brief(crop)} is no part of {size}: "
            "give (left, top, right, bottom), counted from the top left corner"
        )
    return left, top, right, bottom
