"""Exact predicates of the plane: orientation, convex hulls, intersections of segments and rays.

A point is a pair of floats. A sign is computed in float64 where its error bound allows, else in
integers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

Point = tuple[float, float]
ERROR = 1e-15
"""Four differences, two products and their difference: 8 roundings at most, of 2^-53 each."""
TINY = 1e-290
"""Smaller products may have lost digits to underflow."""


def turn(a: Point, b: Point, c: Point, d: Point) -> int:
    """The sign of (b - a) x (d - c): 1 if c -> d turns left of a -> b, 0 if parallel."""
    left = (b[0] - a[0]) * (d[1] - c[1])
    right = (b[1] - a[1]) * (d[0] - c[0])
    size = abs(left) + abs(right)
    if size > TINY and abs(left - right) > ERROR * size:
        return 1 if left > right else -1
    ratios = [part.as_integer_ratio() for point in (a, b, c, d) for part in point]
    common = max(below for _, below in ratios)  # of powers of two
    ax, ay, bx, by, cx, cy, dx, dy = (above * (common // below) for above, below in ratios)
    exact = (bx - ax) * (dy - cy) - (by - ay) * (dx - cx)
    return (exact > 0) - (exact < 0)


def hull(points: Sequence[Point], indices: Sequence[int], *, sides: bool = False) -> list[int]:
    """The indices of the extreme points, counter-clockwise; the points are distinct.

    With ``sides`` also those of points on the sides between them, if not all are on one line.
    """
    least = 0 if sides else 1
    order = sorted(_outer(points, indices), key=points.__getitem__)
    if len(order) < 3:
        return order

    def chain(indices: Iterable[int]) -> list[int]:
        """The points at which a walk along all of them turns left, or may go straight."""
        found: list[int] = []
        for k in indices:
            while len(found) > 1:
                a, b = points[found[-2]], points[found[-1]]
                if turn(a, b, b, points[k]) >= least:
                    break
                found.pop()
            found.append(k)
        return found[:-1]

    return chain(order) + chain(reversed(order))


FEW = 40
DIRECTIONS = np.exp(2j * np.pi * np.arange(16) / 16)


def _outer(points: Sequence[Point], indices: Sequence[int]) -> Sequence[int]:
    """The indices without most of those well inside the hull."""
    if len(indices) < FEW:
        return indices
    places = np.array([points[k] for k in indices]) @ (1, 1j)
    with np.errstate(over="ignore", invalid="ignore"):  # then all points are kept
        far = np.argmax((places * DIRECTIONS.conj()[:, None]).real, axis=1)
        ring = places[far]
        side = np.roll(ring, -1) - ring
        left = (side.conj()[:, None] * (places - ring[:, None])).imag
    # beyond any rounding error; a side of length 0 excludes nothing
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


def rays_may_meet(a: Point, b: Point, c: Point, d: Point, e: Point, f: Point) -> bool:
    """May a ray from a, along b -> c, and one from d, along e -> f, share a point?

    Exact unless both lie on one line, for which it is True.
    """
    side, first, second = turn(b, c, e, f), turn(a, d, e, f), turn(a, d, b, c)
    return first == 0 if side == 0 else first * side >= 0 and second * side >= 0


def meeting_sides(corners: Sequence[Point]) -> tuple[int, int] | None:
    """Two sides of a closed polygon that share more than a common corner, or None.

    Side i goes from corner i to the next, which differs. The sweep line of M. Shamos and D. Hoey,
    "Geometric intersection problems", 1976, with the sides ordered upwards: O(n log n) signs.
    """
    n = len(corners)
    ends = [sorted((corners[i - 1], corners[i])) for i in (*range(1, n), 0)]
    cut: list[int] = []

    def place(side: int, p: Point) -> int:
        """-1, 0 or 1 for a point below a side, on it, above it."""
        a, b = ends[side]
        return turn(a, b, a, p)

    def is_next(i: int, j: int) -> bool:
        return (i - j) % n in (1, n - 1)

    last = -1
    for k in sorted(range(n), key=corners.__getitem__):
        p, mine = corners[k], ((k - 1) % n, k)
        if last >= 0 and corners[last] == p:
            return min(last, k), max(last, k)
        last = k
        old = [side for side in mine if ends[side][1] == p]
        new = [side for side in mine if side not in old]
        start = bisect_left(cut, 0, key=lambda side: -place(side, p))
        stop = start + len(old)
        for side in cut[start : stop + 1]:
            if side not in old and place(side, p) == 0:
                other = mine[0] if is_next(side, mine[1]) else mine[1]
                return min(side, other), max(side, other)
        assert sorted(cut[start:stop]) == sorted(old), "the sides that end here are not together"
        if len(new) == 2:
            way = turn(p, ends[new[0]][1], p, ends[new[1]][1])
            if way == 0:
                return min(mine), max(mine)
            new = new[::way]
        cut[start:stop] = new
        for above in {start, start + len(new)}:
            if 0 < above < len(cut):
                i, j = sorted(cut[above - 1 : above + 1])
                if not is_next(i, j) and meet(*ends[i], *ends[j]):
                    return i, j
    return None


def is_counter_clockwise(corners: Sequence[Point]) -> bool:
    """The orientation of a simple polygon, from the turn at its leftmost corner."""
    n = len(corners)
    k = min(range(n), key=corners.__getitem__)
    return turn(corners[k - 1], corners[k], corners[k], corners[(k + 1) % n]) > 0
