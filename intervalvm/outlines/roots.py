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

    It starts where the line through both ends is 0. A step of Newton's method ends it, if its error
    is small: it is estimated by the difference between the slope at the point and that from there
    to the end of the bracket beyond. Else the bracket is halved, or a step of Newton's method is
    taken if it was halved lately. Where the field jumps the bracket gets small itself.
    """
    (a, b), (va, vb) = (part.copy() for part in ends), (part.copy() for part in values)
    point, width = _falsi(a, b, va, vb), b - a
    slopes = np.empty((2, len(a)))
    wanted, active = tolerance * ACCURACY, np.arange(len(a))
    for step in range(MOST_STEPS):
        p = point[active]
        x, y = _points(is_across[active], [part[active] for part in at], p)
        found, *slope = field.gradients(x, y)
        slopes[:, active] = slope
        is_low = (found < 0) == (va[active] < 0)
        low, high = np.where(is_low, p, a[active]), np.where(is_low, b[active], p)
        beyond, value = np.where(is_low, (high, vb[active]), (low, va[active]))
        with np.errstate(all="ignore"):
            along, mean = np.where(is_across[active], *slope), (value - found) / (beyond - p)
            newton = p - found / along
            least = np.minimum(np.abs(along), np.abs(mean))
            error = np.abs(newton - p) * np.abs(mean - along) / least
        within = (newton >= low) & (newton <= high)
        done = (within & (error <= wanted)) | (high - low <= wanted)
        following = low + (high - low) * 0.5
        fast = within & (done | (high - low <= width[active] * 0.5 ** (step // 2)))
        point[active] = np.where(fast, newton, following)
        todo = np.flatnonzero(~done)
        is_low, low, high, found = is_low[todo], low[todo], high[todo], found[todo]
        active = active[todo]
        if not len(active):
            break
        a[active], b[active] = low, high
        va[active] = np.where(is_low, found, va[active])
        vb[active] = np.where(is_low, vb[active], found)
    away = np.minimum(tolerance * AWAY[0], width * AWAY[1])
    point = np.clip(point, ends[0] + away, ends[1] - away)
    return np.stack(_points(is_across, at, point)), slopes


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
