"""Where the curve crosses sides: the root finder of ``brackets``, a step of all sides at a time.

A step of Newton's method ends it, if its error is small. Else the bracket is halved, or a step of
Newton's method is taken if it was halved lately. Where the field jumps the bracket gets small
itself.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.brackets import BRACKET, HIGH, LOW, POINT, narrow, start
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


def start_roots(w: Any) -> None:
    """Ask for the gradients at the first points on sides from ``FIRST`` on."""
    w.sizes[COUNT] = w.sizes[SIDES] - w.sizes[FIRST]
    for k in range(w.sizes[COUNT]):
        side, at = w.sizes[FIRST] + k, BRACKET * k
        lower, upper = w.sides[SIDE * side + LOWER], w.sides[SIDE * side + UPPER]
        low, high = side_end(w, side, lower), side_end(w, side, upper)
        share = start(w, at, low, high, w.values[lower], w.values[upper])
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
    w.roots[BRACKET * root + POINT] = point
    w.asked[many * axis + k] = point
    w.asked[many * (1 - axis) + k] = w.places[w.sizes[CORNER_ROOM] * (1 - axis) + corner]


def step_roots(w: Any) -> None:
    """Narrow the brackets by values and gradients ``found``; ask for those that are not done."""
    count, going, share = w.sizes[COUNT], 0, 0.5 ** (w.sizes[ROUND] // 2)
    for k in range(count):
        root = w.left[k]
        side, at = w.sizes[FIRST] + root, BRACKET * root
        axis, point = w.sides[SIDE * side + AXIS], w.roots[at + POINT]
        slope = w.found[count * (1 + axis) + k]
        newton, _, mean = narrow(w, at, w.found[k], slope)
        low, high = w.roots[at + LOW], w.roots[at + HIGH]
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
