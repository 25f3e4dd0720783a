"""A step of a bracketed root finder, for many roots at a time: of ``outlines`` and of ``meshes``.

It starts where the line through the values at both ends is 0, and goes on by Newton's method. The
error of such a step is estimated by the difference between the slope at the point and that from
there to the end of the bracket beyond. What ends a search, and when brackets are halved instead, is
told where the steps are taken.
"""

from __future__ import annotations

import math
from typing import Any

LOW, HIGH, V_LOW, V_HIGH, POINT, BRACKET = range(6)
"""Fields of a bracket, in ``roots``: its ends, the values there, and the next point."""
NEAREST = 2.0**-16
"""How near the first point comes to an end, as a share."""


def start(w: Any, at: int, low: float, high: float, first: float, second: float) -> float:
    """Write a bracket and the values at its ends; returns the first point as a share of it."""
    w.roots[at + LOW], w.roots[at + HIGH] = low, high
    w.roots[at + V_LOW], w.roots[at + V_HIGH] = first, second
    share, apart = 0.5, first - second
    if first != 0.0 and second != 0.0 and -math.inf < apart < math.inf:  # truths are 0 outside
        share = min(max(first / apart, NEAREST), 1.0 - NEAREST)
    return share


def narrow(w: Any, at: int, found: float, slope: float) -> tuple[float, float, float]:
    """Narrow a bracket by the value and the slope at its point.

    Returns the next point by Newton's method, NaN if there is none; the end beyond the root; and
    the slope from the point to there, 0 if they are one.
    """
    point = w.roots[at + POINT]
    beyond, value = w.roots[at + LOW], w.roots[at + V_LOW]
    if (found < 0.0) == (value < 0.0):
        beyond, value = w.roots[at + HIGH], w.roots[at + V_HIGH]
        w.roots[at + LOW], w.roots[at + V_LOW] = point, found
    else:
        w.roots[at + HIGH], w.roots[at + V_HIGH] = point, found
    mean, newton = 0.0, math.nan
    if slope != 0.0:
        newton = point - found / slope
    if beyond != point:
        mean = (value - found) / (beyond - point)
    return newton, beyond, mean
