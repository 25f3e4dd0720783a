"""A simple polygon as a formula of half-planes: one for each side, joined by ``min`` and ``max``.

The formula is Peterson's, as D. Dobkin, L. Guibas, J. Hershberger and J. Snoeyink give it in "An
efficient algorithm for finding the CSG representation of a simple polygon" (1993). A chain is a run
of sides, the first and the last one extended to infinity; its region lies to its left. A cut at a
corner adds two rays. If neither crosses the chain, its region is the intersection of the regions
of the two parts at a convex corner, and their union at a reflex one.

At a corner on the convex hull of the chain's corners, the rays leave the hull or run along it,
where they may touch but not cross. So such a corner is valid if its rays miss those at the chain's
ends; the one nearest to the middle gives the flattest tree. One exists, since two rays and some
points do not span the plane. The polygon is the intersection of two chains, from one extreme
corner to the other and back.

All predicates are exact, and parts have no seam between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain, cycle

import numpy as np

from intervalvm.arguments import parts_of
from intervalvm.errors import OptionError
from intervalvm.expr import Expr, maximum, minimum
from intervalvm.hints import hinted
from intervalvm.shapes.base import MOST, check_count
from intervalvm.shapes.planar import (
    Point,
    hull,
    is_counter_clockwise,
    meeting_sides,
    rays_may_meet,
    turn,
)
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.values import Value, dot, number, positive, values, whole

Line = tuple[float, float, float]
"""The outward unit normal, and the line's offset along it."""
Ray = tuple[Point, Point]
"""Its origin, and another point of it."""
Formula = list[Line | bool]
"""In postfix order: lines, and whether the two before are intersected (else united)."""


@hinted
def polygon(points: Iterable[Sequence[Value]]) -> Shape:
    """The simple polygon with these corners, (x, y) each, in either order; cut holes with ``-``.

    Raises OptionError, with the two sides, if it crosses or touches itself: the even-odd and
    nonzero rules would disagree.

    Formula: Peterson's, see ``intervalvm.shapes.polygons``; a side is the signed distance to its
    line. Field: a bound.
    """
    formula = _formula(_checked(points))

    def field(x: Expr, y: Expr, _: Expr) -> Expr:
        stack: list[Expr] = []
        for step in formula:
            if isinstance(step, tuple):
                stack.append(dot(step[:2], (x, y)) - step[2])
            else:
                right, left = stack.pop(), stack.pop()
                stack.append((maximum if step else minimum)(left, right))
        return stack.pop()

    return Shape._of(field)


@hinted
def star(points: int, outer: float, inner: float) -> Shape:
    """A star with ``points`` tips, the first one up, between two radii about the origin.

    Formula: the polygon of its tips and notches. Field: a bound.
    """
    count = whole("points", points, 3)
    check_count(2 * count, f"{points!r} points are too many")
    radii = number("outer", positive("outer", outer)), number("inner", positive("inner", inner))
    if not radii[1] < radii[0]:
        raise OptionError(f"inner={inner!r} is not below outer={outer!r}")
    angles = (math.pi * i / count for i in range(2 * count))
    return polygon(
        (r * math.sin(-a), r * math.cos(a)) for r, a in zip(cycle(radii), angles, strict=False)
    )


def _checked(points: Iterable[Sequence[Value]]) -> list[Point]:
    """The corners counter-clockwise, without duplicates and collinear ones."""
    given: list[Point] = []
    parts = parts_of("points", points, MOST)
    check_count(len(parts), "make a union of polygons of fewer corners")
    for i, point in enumerate(parts):
        x, y = (number(f"points[{i}]", part) for part in values(f"points[{i}]", point, 2))
        if not given or given[-1] != (x, y):
            given.append((x, y))
    if len(given) > 1 and given[0] == given[-1]:
        given.pop()
    if len(given) < 3:
        raise OptionError(f"points: a polygon has at least 3 corners, not {len(given)}")
    if pair := meeting_sides(given):
        ends = [f"{given[k]}..{given[(k + 1) % len(given)]}" for k in pair]
        raise OptionError(
            f"points: the sides {ends[0]} and {ends[1]} cross or touch: "
            "make a union of simple polygons"
        )
    corners = [
        p
        for before, p, after in zip(given[-1:] + given, given, given[1:] + given[:1], strict=False)
        if turn(before, p, p, after)
    ]
    return corners if is_counter_clockwise(corners) else corners[::-1]


def _formula(corners: list[Point]) -> Formula:
    n = len(corners)
    first = min(range(n), key=corners.__getitem__)
    v = corners[first:] + corners[: first + 2]  # side i goes from v[i] to v[i + 1]
    far = max(range(n), key=v.__getitem__)
    order: Formula = [True]  # backwards
    cuts = _Cuts(v)
    chains = [(0, far - 1, 0), (far, n - 1, 0)]
    while chains:
        low, high, wait = chains.pop()
        if low == high:
            order.append(_line(v[low], v[low + 1]))
            continue
        if wait:
            k = cuts.lowest(low, high)
        else:
            ring = cuts.ring(low + 1, high + 1)
            k, wait = cuts.middle(low, high, ring), len(ring) // 4
        order.append(turn(v[k - 1], v[k], v[k], v[k + 1]) > 0)
        # A chain that has only its end cut off, such as a spiral, will not be cut in the middle
        # soon, and a try costs time linear in its ring.
        for a, b in ((low, k - 1), (k, high)):
            is_rest = UNEVEN * (b - a) > (UNEVEN - 1) * (high - low)
            chains.append((a, b, max(wait - 1, 0) if is_rest else 0))
    return order[::-1]


def _line(a: Point, b: Point) -> Line:
    """The line through a -> b; the outside is to the right."""
    size = math.dist(a, b)
    nx, ny = (b[1] - a[1]) / size, (a[0] - b[0]) / size
    return nx, ny, nx * a[0] + ny * a[1]


BLOCK = 32
"""Consecutive corners in the smallest block."""
TRIES = 64
"""How many corners near the middle are tried first."""
UNEVEN = 8
"""A cut is uneven if the chain has this many times the sides of a part."""


class _Cuts:
    """Finds the corner at which to cut the chain of the sides ``low`` to ``high``.

    Hulls are found from those of blocks: ``BLOCK`` corners, or two adjacent blocks. So a hull is
    cheap where most corners are interior, as in a spiral.
    """

    def __init__(self, corners: Sequence[Point]) -> None:
        self._v = corners
        self._x, self._y = np.array(corners).T
        self._blocks: dict[tuple[int, int], list[int]] = {}

    def ring(self, start: int, stop: int) -> list[int]:
        """The corners of ``range(start, stop)`` on their convex hull, counter-clockwise."""
        found: list[int] = []
        while start < stop:
            size = BLOCK
            if start % size or start + size > stop:
                size = min(size - start % size, stop - start)
                found += range(start, start + size)
            else:
                while start % (2 * size) == 0 and start + 2 * size <= stop:
                    size *= 2
                found += self._block(start, size)
            start += size
        return hull(self._v, found, sides=True)

    def _block(self, start: int, size: int) -> list[int]:
        ring = self._blocks.get((start, size))
        if ring is None:
            half = size // 2
            parts = (
                self._block(start, half) + self._block(start + half, half)
                if size > BLOCK
                else range(start, start + size)
            )
            ring = self._blocks[start, size] = hull(self._v, parts, sides=True)
        return ring

    def _rays(self, low: int, high: int) -> tuple[Ray, Ray]:
        v = self._v
        return (v[low + 1], v[low]), (v[high], v[high + 1])

    def middle(self, low: int, high: int, ring: list[int]) -> int:
        """The valid corner of the ring nearest to the middle.

        One with a supporting line comes first, unless the cut is uneven: tiles then prune more.
        """
        v, rays = self._v, self._rays(low, high)

        def is_clear(k: int) -> bool:
            """Whether the rays added at corner k leave the hull and miss those at the ends."""
            return low + 1 < k < high and not any(
                rays_may_meet(v[k], v[near], v[k], a, a, b)
                for near in (k - 1, k + 1)
                for a, b in rays
            )

        def is_outer(before: int, k: int, after: int) -> bool:
            """Whether a supporting line of the chain and its rays passes through corner k.

            False for a point within a side of the hull.
            """
            if len(ring) > 2 and turn(v[before], v[k], v[k], v[after]) == 0:
                return False
            ways = [(v[k], v[before]), (v[k], v[after]), *rays]
            return any(all(a is b or turn(*a, *b) >= 0 for b in ways) for a in ways)

        corners = list(zip(ring[-1:] + ring[:-1], ring, ring[1:] + ring[:1], strict=True))
        corners.sort(key=lambda corner: abs(2 * corner[1] - low - high - 1))
        few, size = corners[:TRIES], high + 1 - low
        return next(
            chain(
                (
                    k
                    for a, k, b in few
                    if size < UNEVEN * min(k - low, high + 1 - k) and is_outer(a, k, b)
                ),
                (k for _, k, _ in few if is_clear(k)),
                (k for a, k, b in corners if is_outer(a, k, b)),
            )
        )

    def lowest(self, low: int, high: int) -> int:
        """The corner on a supporting line parallel to an end's ray, with the chain to its left."""
        v, rays = self._v, self._rays(low, high)
        base = rays[0] if turn(*rays[0], *rays[1]) >= 0 else rays[1]
        (ax, ay), (bx, by) = base
        part = slice(low + 1, high + 1)
        with np.errstate(over="ignore", invalid="ignore"):  # then all corners are kept
            right, left = (by - ay) * self._x[part], (bx - ax) * self._y[part]
            height = left - right
            rounding = 1e-15 * (np.abs(left) + np.abs(right)).max()
            near = np.flatnonzero(~(height > height.min() + 2 * rounding)) + low + 1
        found = int(near[0])
        for k in near[1:].tolist():
            if turn(*base, v[found], v[k]) < 0:
                found = k
        return found
