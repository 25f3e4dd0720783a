"""Where the curve crosses sides: a bracketed root finder, a step of all sides at a time.

It starts where the line through both ends is 0. A step of Newton's method ends it, if its error is
small: it is estimated by the difference between the slope at the point and that from there to the
end of the bracket beyond. Else the bracket is halved, or a step of Newton's method is taken if it
was halved lately. Where the field jumps the bracket gets small itself.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import (
    AXIS,
    CORNER_ROOM,
    COUNT,
    FIRST,
    LOWER,
    ROUND,
    SIDE,
    SIDE_ROOM,
    SIDES,
    UPPER,
)

LOW, HIGH, V_LOW, V_HIGH, POINT, ROOT = range(6)
"""Fields of a root: the bracket's ends, the values there, and the next point."""
EDGE = 2.0**-16
"""How near the first point comes to an end of the side, as a share of it."""


def start_roots(w: Any) -> None:
    """Ask for the gradients at the first points on sides from ``FIRST`` on."""
    w.sizes[COUNT] = w.sizes[SIDES] - w.sizes[FIRST]
    for k in range(w.sizes[COUNT]):
        side, at = w.sizes[FIRST] + k, ROOT * k
        lower, upper = w.sides[SIDE * side + LOWER], w.sides[SIDE * side + UPPER]
        va, vb = w.values[lower], w.values[upper]
        low, high = side_end(w, side, lower), side_end(w, side, upper)
        share, apart = 0.5, va - vb
        if va != 0.0 and vb != 0.0 and -math.inf < apart < math.inf:  # a truth is 0 outside
            share = min(max(va / apart, EDGE), 1.0 - EDGE)
        w.roots[at + LOW], w.roots[at + HIGH] = low, high
        w.roots[at + V_LOW], w.roots[at + V_HIGH] = va, vb
        w.left[k] = k
        ask(w, k, low + (high - low) * share)


def side_end(w: Any, side: int, corner: int) -> float:
    """The coordinate of an end of a side along its axis."""
    found: float = w.places[w.sides[SIDE * side + AXIS] * w.sizes[CORNER_ROOM] + corner]
    return found


def ask(w: Any, k: int, point: float) -> None:
    """Let the point of the root that comes as number k be evaluated."""
    root, many = w.left[k], w.sizes[SIDES] - w.sizes[FIRST]
    side = w.sizes[FIRST] + root
    corner, axis = w.sides[SIDE * side + LOWER], w.sides[SIDE * side + AXIS]
    w.roots[ROOT * root + POINT] = point
    w.asked[many * axis + k] = point
    w.asked[many * (1 - axis) + k] = w.places[w.sizes[CORNER_ROOM] * (1 - axis) + corner]


def step_roots(w: Any) -> None:
    """Narrow the brackets by values and gradients ``found``; ask for those that are not done."""
    count, going, share = w.sizes[COUNT], 0, 0.5 ** (w.sizes[ROUND] // 2)
    for k in range(count):
        root = w.left[k]
        side, at = w.sizes[FIRST] + root, ROOT * root
        axis, found, point = w.sides[SIDE * side + AXIS], w.found[k], w.roots[at + POINT]
        is_low = (found < 0.0) == (w.roots[at + V_LOW] < 0.0)
        beyond, value = w.roots[at + LOW], w.roots[at + V_LOW]
        if is_low:
            beyond, value = w.roots[at + HIGH], w.roots[at + V_HIGH]
            w.roots[at + LOW], w.roots[at + V_LOW] = point, found
        else:
            w.roots[at + HIGH], w.roots[at + V_HIGH] = point, found
        low, high = w.roots[at + LOW], w.roots[at + HIGH]
        slope, mean, newton = w.found[count * (1 + axis) + k], 0.0, math.nan
        if slope != 0.0:
            newton = point - found / slope
        if beyond != point:
            mean = (value - found) / (beyond - point)
        is_within = low <= newton <= high
        error = abs(newton - point) * abs(mean - slope)
        wanted = w.limits[2] * min(abs(slope), abs(mean))
        is_done = (is_within and error <= wanted) or high - low <= w.limits[2]
        whole = side_end(w, side, w.sides[SIDE * side + UPPER]) - side_end(
            w, side, w.sides[SIDE * side + LOWER]
        )
        if not (is_within and (is_done or high - low <= whole * share)):
            newton = low + (high - low) * 0.5
        if is_done:
            write_root(w, side, newton)
            w.slopes[side] = w.found[count + k]
            w.slopes[w.sizes[SIDE_ROOM] + side] = w.found[2 * count + k]
        else:
            w.left[going] = root
            ask(w, going, newton)
            going += 1
    w.sizes[COUNT] = going


def write_root(w: Any, side: int, point: float) -> None:
    """Write a crossing, kept from the ends of its side."""
    axis, corner = w.sides[SIDE * side + AXIS], w.sides[SIDE * side + LOWER]
    low, high = side_end(w, side, corner), side_end(w, side, w.sides[SIDE * side + UPPER])
    away = min(w.limits[0], (high - low) * w.limits[1])
    other = w.places[w.sizes[CORNER_ROOM] * (1 - axis) + corner]
    w.crossings[w.sizes[SIDE_ROOM] * axis + side] = min(max(point, low + away), high - away)
    w.crossings[w.sizes[SIDE_ROOM] * (1 - axis) + side] = other
