"""Proven bounds of what is inside: the area of a plane shape, the volume of a solid."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from intervalvm.cells.subdivision import INSIDE, OUTSIDE, SPLIT, Tree


def measure(tree: Tree) -> tuple[float, float]:
    """Bounds of the area or volume inside a frame: of the cells proven inside, and of all that are
    not proven outside.

    They are summed exactly. Corners are rounded to floats, which moves a side of a cell by up to
    two units in the last place of a coordinate: bounds are that much wider.
    """
    dimensions = tree.frame.dimensions
    whole = math.prod(map(Fraction, tree.frame.sides), start=Fraction(1))
    least, most = Fraction(0), Fraction(0)
    for level in range(tree.depth + 1):
        verdict = tree.verdict[tree.level == level]
        size = whole / (1 << dimensions * level)
        inside, outside, split = (
            int(np.count_nonzero(verdict == each)) for each in (INSIDE, OUTSIDE, SPLIT)
        )
        least += inside * size
        most += (len(verdict) - outside - split) * size
    slack = Fraction(0)
    for low, side in zip(tree.frame.low, tree.frame.sides, strict=True):
        coordinate = max(abs(low), abs(low + side))
        slack += Fraction(math.ulp(coordinate)) * 4 * (1 << tree.depth) / Fraction(side)
    return max(rounded_down(least * (1 - slack)), 0.0), rounded_up(most * (1 + slack))


def rounded_down(value: Fraction) -> float:
    """The greatest float64 that is not above it."""
    try:
        near = float(value)
    except OverflowError:
        return math.nextafter(math.inf, 0) if value > 0 else -math.inf
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def rounded_up(value: Fraction) -> float:
    """The least float64 that is not below it."""
    return 0.0 - rounded_down(-value)  # not -0.0
