"""The share of a box that a half-plane or half-space holds.

Let F(q) be the volume of the points t of the unit box with ``w . t < q``, for weights w that are
at least 0, sorted, the greatest being 1: ``w1 <= w2 <= 1``. It is ``1 - F(w1 + w2 + 1 - q)``, so q
is at most half of their sum. Integrals along one axis after another are then

=================  ==============================================================================
``q <= w1``        ``q**3 / (6 w1 w2)``
``w1 <= q <= w2``  ``(q**2 + q p + p**2) / (6 w2)`` with ``p = q - w1``
``w2 <= q``        ``((q - w1) + (q - w2)) / 2 + (r**3 - s**3) / (6 w1 w2)`` with
                   ``r = max(w1 + w2 - q, 0)`` and ``s = max(q - 1, 0)``
=================  ==============================================================================

These are the volumes of Scardovelli and Zaleski, "Analytical relations connecting linear interfaces
and volume fractions in rectangular grids", J. Comput. Phys. 164, 2000, put so that nothing cancels:
no term is below 0 but that of s, and ``s <= r <= w1``. A box of less axes has weights of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ERROR = 2.0**-44
"""More than the error of a share.

A border that does not cross the box is far from it, or q is at most a few times the greatest
weight. Roundings of steps, of their sums and of q, 2**-53 of each, then move q by less than 2**-48
of that weight; F grows by at most as much, for it is a mean of lengths along that axis. Its terms
are at most 2, and have less than 16 roundings.
"""
LEAST = 2.0**-900
"""The least greatest step: products below may have lost digits."""


def share(value: Array, steps: Sequence[Array]) -> Array:
    """The share of the unit box's points t with ``value + steps . t < 0``, off by less than ERROR.

    ``steps`` are those along each of up to three axes, rounded to nearest. NaN where a number is
    not finite, or all steps are tiny.
    """
    with np.errstate(all="ignore"):
        sizes = [np.abs(step) for step in steps]
        low, middle, high = _sorted(*sizes, *[np.zeros_like(value)] * (3 - len(sizes)))
        w1, w2 = low / high, middle / high
        q = -value / high
        for step in steps:
            q = q - np.minimum(step, 0.0) / high
        total = w1 + w2 + 1.0
        is_more = q > 0.5 * total
        q = np.maximum(np.where(is_more, total - q, q), 0.0)
        found = _share(w1, w2, q)
        found = np.where(is_more, 1.0 - found, found)
        is_known = np.isfinite(value) & np.isfinite(high) & (high >= LEAST)
        return np.where(is_known, found, np.nan)


def _sorted(a: Array, b: Array, c: Array) -> tuple[Array, Array, Array]:
    low, high = np.minimum(a, b), np.maximum(a, b)
    middle = np.minimum(high, c)
    return np.minimum(low, middle), np.maximum(low, middle), np.maximum(high, c)


def _share(w1: Array, w2: Array, q: Array) -> Array:
    """F, see above."""
    p = q - w1
    first = q * (q / w1) * (q / w2) / 6.0
    second = (q * (q / w2) + p * (q / w2) + p * (p / w2)) / 6.0
    r, s = (np.clip(part, 0.0, w1) for part in (w1 - (q - w2), q - 1.0))
    cubes = (r * (r / w1) * (r / w2) - s * (s / w1) * (s / w2)) / 6.0
    third = 0.5 * (p + (q - w2)) + np.where(w1 > 0.0, cubes, 0.0)
    found: Array = np.where(q < w1, first, np.where(q < w2, second, third))
    return found
