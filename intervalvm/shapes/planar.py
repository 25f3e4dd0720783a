"""Points of the plane whose signs are exact: turns, hulls, and whether sides meet.

A point is a pair of floats. Each sign is computed in float64 where its error bound allows, else in
fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np

Point = tuple[float, float]
ERROR = 1e-15
"""Four differences, two products and their difference: 8 roundings at most, of 2^-53 each."""
TINY = 1e-290
"""Below it the products may have lost digits that the bound counts on."""


def turn(a: Point, b: Point, c: Point, d: Point) -> int:
    """The side to which c -> d leaves a -> b: 1 left, -1 right, 0 if they are parallel."""
    left = (b[0] - a[0]) * (d[1] - c[1])
    right = (b[1] - a[1]) * (d[0] - c[0])
    size = abs(left) + abs(right)
    if size > TINY and abs(left - right) > ERROR * size:
        return 1 if left > right else -1
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = (tuple(map(Fraction, p)) for p in (a, b, c, d))
    exact = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    return (exact > 0) - (exact < 0)


def along(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Does c -> d, parallel to a -> b, point the same way?"""
    axis = 0 if abs(b[0] - a[0]) >= abs(b[1] - a[1]) else 1
    return (b[axis] > a[axis]) == (d[axis] > c[axis])


def hull(points: Sequence[Point], indices: Sequence[int]) -> list[int]:
    """The indices of the extreme points, anticlockwise; the points are distinct."""
    order = sorted(_outer(points, indices), key=points.__getitem__)
    if len(order) < 3:
        return order

    def chain(indices: Iterable[int]) -> list[int]:
        """The points at which a walk along all of them turns left."""
        found: list[int] = []
        for k in indices:
            while len(found) > 1:
                a, b = points[found[-2]], points[found[-1]]
                if turn(a, b, b, points[k]) > 0:
                    break
                found.pop()
            found.append(k)
        return found[:-1]

    return chain(order) + chain(reversed(order))


FEW = 40
DIRECTIONS = np.exp(2j * np.pi * np.arange(16) / 16)


def _outer(points: Sequence[Point], indices: Sequence[int]) -> Sequence[int]:
    """The indices without most of those that are well inside the hull."""
    if len(indices) < FEW:
        return indices
    places = np.array([points[k] for k in indices]) @ (1, 1j)
    with np.errstate(over="ignore", invalid="ignore"):  # which then leave all in
        far = np.argmax((places * DIRECTIONS.conj()[:, None]).real, axis=1)
        ring = places[far]
        side = np.roll(ring, -1) - ring
        left = (side.conj()[:, None] * (places - ring[:, None])).imag
    # far more than roundings could make of 0; a side of length 0 has all points on it, and no say
    is_well_inside = (left > 1e-9 * np.abs(side).max() ** 2) | (side == 0)[:, None]
    return [indices[i] for i in np.flatnonzero(~is_well_inside.all(axis=0)).tolist()]


def meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Do the closed segments a b and c d share a point?"""
    sides = turn(a, b, a, c), turn(a, b, a, d), turn(c, d, c, a), turn(c, d, c, b)
    if sides == (0, 0, 0, 0):  # on one line
        axis = 0 if abs(b[0] - a[0]) >= abs(b[1] - a[1]) else 1
        (low, high), (start, stop) = sorted((a[axis], b[axis])), sorted((c[axis], d[axis]))
        return max(low, start) <= min(high, stop)
    return sides[0] * sides[1] <= 0 and sides[2] * sides[3] <= 0


def meeting_sides(corners: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """The pairs of sides of a closed polygon that share more than the corner between them.

    Side i goes from corner i to the next. Only sides whose boxes overlap are looked at.
    """
    n = len(corners)
    start = np.array(corners)
    stop = np.roll(start, -1, axis=0)
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    for i in range(n):
        near = (low[i + 1 :] <= high[i]).all(axis=1) & (high[i + 1 :] >= low[i]).all(axis=1)
        for j in (np.flatnonzero(near) + i + 1).tolist():
            a, b, c, d = corners[i], corners[(i + 1) % n], corners[j], corners[(j + 1) % n]
            if j == i + 1 or (j + 1) % n == i:
                # They share a corner, and more only where one turns back along the other.
                first, corner, last = (a, b, d) if j == i + 1 else (c, a, b)
                if turn(first, corner, corner, last) == 0 and not along(
                    first, corner, corner, last
                ):
                    yield i, j
            elif meet(a, b, c, d):
                yield i, j


def is_anticlockwise(corners: Sequence[Point]) -> bool:
    """The direction of a simple polygon, from the turn at its lowest corner to the left."""
    n = len(corners)
    k = min(range(n), key=corners.__getitem__)
    return turn(corners[k - 1], corners[k], corners[k], corners[(k + 1) % n]) > 0
