"""How many pixels: the size of an image, the part of it that is wanted, the depth of its quadtree.

Each is checked here, by itself and against the others.
"""

from __future__ import annotations

from typing import Any

from intervalvm.arguments import brief, integer, parts_of
from intervalvm.errors import OptionError
from intervalvm.jit.layout import BLOCK

LEAF_PX = BLOCK
"""A depth chosen by ``check_depth`` gives leaves of at most so many pixels a side."""
MOST_PX = 1 << 53
"""Pixels a side: so far float64 counts them exactly."""
Crop = tuple[int, int, int, int]
"""Of a picture's pixels the columns from the first number up to the third, and the rows from the
second up to the fourth, counted from the top left corner: (left, top, right, bottom), as Pillow
crops."""


def check_size(size: Any, name: str = "size") -> tuple[int, int]:
    """(width, height) of ``size``: one integer for a square image, or a pair, each at least 1."""
    both = (size, size) if not isinstance(size, (tuple, list)) else tuple(size)
    try:
        width, height = map(integer, both)
    except (TypeError, ValueError):
        raise OptionError(
            f"the {name} is {brief(size)}: give an integer, or two for (width, height)"
        ) from None
    if width < 1 or height < 1 or max(width, height) > MOST_PX:
        sides = (width, height) if isinstance(size, (tuple, list)) else (width,)
        shown = "x".join(map(brief, sides))
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


def check_depth(depth: int | None, width: int, height: int) -> int:
    """The levels of the quadtree; None chooses the fewest that give leaves of ``LEAF_PX`` pixels.

    Raises OptionError for a negative depth and for one whose leaves would be less than a pixel.
    """
    longer = max(width, height)
    if depth is None:
        return (-(-longer // LEAF_PX) - 1).bit_length()
    deepest = longer.bit_length() - 1
    levels = as_levels(depth)
    if not 0 <= levels <= deepest:
        raise OptionError(
            f"the depth is {brief(depth)}: an image of {width}x{height} pixels takes 0 to "
            f"{deepest}; without a depth it is chosen from the size"
        )
    return levels


def as_levels(depth: Any) -> int:
    """An integer from 0, or -1 for what is none."""
    try:
        return max(-1, integer(depth))
    except TypeError:
        return -1
