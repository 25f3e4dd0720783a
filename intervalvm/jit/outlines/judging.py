"""What bounds of the value and of its slopes prove of a cell."""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import CELL_LEVEL, CELLS, COUNT, FINEST
from intervalvm.jit.outlines.tables import coordinate

DECIDED, ONE, FLAT, STRAYS, SMOOTH = 1, 2, 4, 8, 16
"""Bits of a verdict. The function has one sign over the cell; at most one piece of the curve is in
it; and that is nearly flat; a curve may come in and leave by the same side, farther than the
tolerance; the function does not jump."""
ROUNDING = 1.0 + 2.0**-40
"""More than the relative error of the estimate of flatness."""


def write_boxes(w: Any) -> None:
    """Write the ends of cells of a level: the least x, the greatest, and those of y."""
    many, size = w.sizes[CELLS], 1 << w.sizes[FINEST] - w.sizes[CELL_LEVEL]
    for cell in range(many):
        for axis in range(2):
            number = w.cells[2 * cell + axis]
            w.boxes[many * 2 * axis + cell] = coordinate(w, axis, number * size)
            w.boxes[many * (2 * axis + 1) + cell] = coordinate(w, axis, (number + 1) * size)


def judge(w: Any) -> None:
    """Write ``verdicts`` of cells of a level, and count those that are inside."""
    inside = 0
    for cell in range(w.sizes[CELLS]):
        is_inside = w.value_high[cell] < 0.0 and not w.value_maybe_nan[cell]
        inside += 1 if is_inside else 0
        if is_inside or w.value_low[cell] >= 0.0:
            w.verdicts[cell] = DECIDED
        else:
            w.verdicts[cell] = of_slopes(w, cell)
    w.sizes[COUNT] = inside


def of_slopes(w: Any, cell: int) -> int:
    """The verdict of a cell over which the sign may change.

    If the function is monotone in x and in y, what is below and left of a point inside is inside:
    so there is one piece at most. If it is strictly monotone in one of them, a curve is a graph
    over the other. It may leave the leaf by a side and come back by the same; but then, if the
    leaf beyond is such a graph too, it is one curve with that leaf's.
    """
    many = w.sizes[CELLS]
    x_low, x_high = w.slope_low[cell], w.slope_high[cell]
    y_low, y_high = w.slope_low[many + cell], w.slope_high[many + cell]
    found = SMOOTH if abs(x_low) < math.inf and abs(y_low) < math.inf else 0
    x_steep, y_steep = steepness(x_low, x_high), steepness(y_low, y_high)
    is_monotone = x_steep >= 0.0 and y_steep >= 0.0
    is_strict = x_low > 0.0 or x_high < 0.0 or y_low > 0.0 or y_high < 0.0
    if (is_monotone or is_strict) and not w.value_maybe_nan[cell]:
        found |= ONE
        if is_flat(w, x_low, x_high, y_low, y_high):
            found |= FLAT
    if not is_monotone:
        x_steep, y_steep = max(x_steep, 0.0), max(y_steep, 0.0)
        reach = w.may_be[0] * math.sqrt(x_steep * x_steep + y_steep * y_steep)
        if w.value_low[cell] < -reach and w.value_high[cell] > reach:
            found |= STRAYS
    return found


def steepness(low: float, high: float) -> float:
    """The least absolute slope of a monotone function; -1 if it may rise and fall."""
    if low >= 0.0 or high <= 0.0:
        return min(abs(low), abs(high))
    return -1.0


def is_flat(w: Any, x_low: float, x_high: float, y_low: float, y_high: float) -> bool:
    """Whether there is one smooth and nearly flat piece: see ``cells.subdivision``."""
    x, y = x_low * 0.5 + x_high * 0.5, y_low * 0.5 + y_high * 0.5
    x_half, y_half = x_high * 0.5 - x_low * 0.5, y_high * 0.5 - y_low * 0.5
    length = math.sqrt(x * x + y * y)
    if not (x_half < math.inf and y_half < math.inf and length > 0.0):
        return False
    if not min(x * x_low, x * x_high) + min(y * y_low, y * y_high) > 0.0:
        return False
    share = (1 << w.sizes[FINEST] - w.sizes[CELL_LEVEL]) * w.frame[4]
    away = (x_half * (w.frame[2] * share) + y_half * (w.frame[3] * share)) / length
    found: bool = away * ROUNDING <= w.may_be[0]
    return found
