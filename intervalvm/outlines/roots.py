"""Where a field changes its sign on sides of cells: a bracketed root finder over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.field import Array, Field

ACCURACY = 2.0**-3
"""The error of a crossing, estimated before the last step, as a share of the tolerance."""
AWAY = 2.0**-7, 2.0**-6
"""How far a crossing is kept from the ends of its side: as a share of the tolerance, and at most of
the side."""
MOST_STEPS = 160
EDGE = 2.0**-16
"""How near a step comes to an end of the bracket, as a share of it."""


def crossings(
    field: Field,
    is_across: NDArray[np.bool_],
    at: tuple[Array, Array],
    ends: tuple[Array, Array],
    values: tuple[Array, Array],
    tolerance: float,
) -> tuple[Array, Array]:
    """A point of each side at which the sign changes, and the gradient there: float64[2, n] each.

    The sides run along x where ``is_across``, else along y, from the points ``at``, between
    ``ends``, where the field has the ``values``, of which one is below 0.

    A step of regula falsi, in the Illinois form (Dowell and Jarratt, 1971), is taken where both
    values are finite and the bracket was halved lately; else it is halved. It ends where the value
    over the lesser slope of both parts of the bracket is small, and a step of Newton's method,
    within the bracket, follows. Where the field jumps the bracket gets small itself.
    """
    (a, b), (va, vb) = (part.copy() for part in ends), (part.copy() for part in values)
    weights, last = np.ones((2, len(a))), np.zeros(len(a), np.int64)
    point = _falsi(a, b, va, vb)
    wanted, active = tolerance * ACCURACY, np.arange(len(a))
    width = b - a
    for step in range(MOST_STEPS):
        x, y = _points(is_across[active], [part[active] for part in at], point[active])
        found = field.values(x, y)
        p, low, high, v_low, v_high = (part[active] for part in (point, a, b, va, vb))
        with np.errstate(all="ignore"):
            slope = np.minimum(
                np.abs((found - v_low) / (p - low)), np.abs((v_high - found) / (high - p))
            )
            error = np.abs(found) / slope
        is_low = (found < 0) == (v_low < 0)
        v_low, v_high = np.where(is_low, found, v_low), np.where(is_low, v_high, found)
        low, high = np.where(is_low, p, low), np.where(is_low, high, p)
        a[active], b[active], va[active], vb[active] = low, high, v_low, v_high
        # the Illinois form: an end that stays once more counts half
        side = np.where(is_low, 1, -1)
        again = np.where(side == last[active], 0.5, 1.0)
        last[active] = side
        weights[0, active] = np.where(is_low, 1.0, weights[0, active] * again)
        weights[1, active] = np.where(is_low, weights[1, active] * again, 1.0)
        done = (error <= wanted) | (high - low <= wanted)
        todo = ~done
        active, low, high = active[todo], low[todo], high[todo]
        if not len(active):
            break
        w_low, w_high = weights[:, active]
        following = _falsi(low, high, w_low * v_low[todo], w_high * v_high[todo])
        slow = (high - low) > width[active] * 0.5 ** (step // 3)
        point[active] = np.where(slow, low + (high - low) * 0.5, following)
    x, y = _points(is_across, at, point)
    value, *slopes = field.gradients(x, y)
    with np.errstate(all="ignore"):
        newton = point - value / np.where(is_across, *slopes)
    point = np.where(np.isfinite(newton), np.clip(newton, a, b), point)
    away = np.minimum(tolerance * AWAY[0], width * AWAY[1])
    point = np.clip(point, ends[0] + away, ends[1] - away)
    return np.stack(_points(is_across, at, point)), np.stack(slopes)


def _falsi(a: Array, b: Array, va: Array, vb: Array) -> Array:
    """The root of the line through both ends, or the middle if a value tells nothing."""
    with np.errstate(all="ignore"):
        share = va / (va - vb)
    good = np.isfinite(va - vb) & (va != 0) & (vb != 0)  # a truth is 0 outside
    share = np.where(good, np.clip(share, EDGE, 1.0 - EDGE), 0.5)
    return a + (b - a) * share


def _points(is_across: NDArray[np.bool_], at: Any, point: Array) -> tuple[Array, Array]:
    x, y = at
    return np.where(is_across, point, x), np.where(is_across, y, point)
