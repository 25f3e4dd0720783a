"""Crossings: where the value changes its sign between two points, found for many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.meshes.octree import Values

STEPS = 40
"""The most evaluations of a crossing."""
NEAR = 2.0**-40
"""How near a crossing is found, as a share of the segment; and how small a value is then, of the
greater one of the ends'."""


def crossings(
    values: Values, a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The shares t, float64[n], of segments from ``a`` to ``b``, float64[dimensions, n].

    One end is inside, the other is not. The bracket is narrowed by false position, of which an end
    that stays is weighted by the Illinois rule (Dowell and Jarratt, 1971), and by halves where that
    is slow or a value is not finite. Segments that are found are left out.
    """
    n = a.shape[1]
    found, low, high = np.full(n, 0.5), np.zeros(n), np.ones(n)
    with np.errstate(all="ignore"):
        at_low, at_high = values(list(a)), values(list(b))
        low_is_inside, small = at_low < 0.0, NEAR * np.fmax(abs(at_low), abs(at_high))
        left, side = np.arange(n), np.zeros(n, np.int8)
        for step in range(STEPS):
            if not len(left):
                break
            t = low + (high - low) * (at_low / (at_low - at_high))
            middle = 0.5 * (low + high)
            is_slow = ~((t > low) & (t < high)) | (step % 4 == 3)
            t = np.where(is_slow, middle, t)
            value = values([p + t * (q - p) for p, q in zip(a[:, left], b[:, left], strict=True)])
            is_low = (value < 0.0) == low_is_inside
            found[left] = t
            # the end that stays twice counts half
            at_high = np.where(is_low & (side == 1), 0.5 * at_high, at_high)
            at_low = np.where(~is_low & (side == -1), 0.5 * at_low, at_low)
            side = np.where(is_low, 1, -1).astype(np.int8)
            low, at_low = np.where(is_low, t, low), np.where(is_low, value, at_low)
            high, at_high = np.where(is_low, high, t), np.where(is_low, at_high, value)
            is_open = (high - low > NEAR) & ~(abs(value) <= small)
            if not is_open.all():
                left, low, high, side = left[is_open], low[is_open], high[is_open], side[is_open]
                at_low, at_high = at_low[is_open], at_high[is_open]
                low_is_inside, small = low_is_inside[is_open], small[is_open]
    return found
