"""A simple polygon as a formula of half-planes: one for each side, joined by ``min`` and ``max``.

The formula is Peterson's, as D. Dobkin, L. Guibas, J. Hershberger and J. Snoeyink give it in "An
efficient algorithm for finding the CSG representation of a simple polygon" (1993). A chain is some
sides in turn, the first and the last one drawn on to infinity; its region lies to its left. If it
is cut at a corner into two chains, and neither of the rays that this adds crosses anything, then
its region is the intersection of theirs where the corner is convex, and the union where it is not.

A ray that goes on past a corner on the edge of the chain's convex hull leaves the hull, or runs
along its edge, where it may touch but not cross: any such corner will do, and the one nearest to
the middle gives the flattest tree. There always is one, since two rays and some points do not span
the whole plane. The polygon is the intersection of two chains, from one end of its hull to the
other and back.

Every sign that decides is exact, and no two parts have a seam between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from intervalvm.arguments import parts_of
from intervalvm.errors import OptionError
from intervalvm.expr import Expr, maximum, minimum
from intervalvm.shapes.planar import Point, hull, is_anticlockwise, meeting_sides, turn
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.values import Value, dot, number, positive, values, whole

Line = tuple[float, float, float]
"""A unit normal that points outwards, and how far along it the line lies."""
Formula = list[Line | bool]
"""In postfix order: lines, and whether the two before are intersected (else united)."""


def polygon(points: Iterable[Sequence[Value]]) -> Shape:
    """The polygon with these corners, (x, y) each and in either direction; the last side closes it.

    It may be concave, but not cross or touch itself: the rules for such polygons (even-odd,
    nonzero) disagree, so it raises OptionError and names the sides. Cut holes with ``-``.

    Formula: Peterson's, as told in ``intervalvm.shapes.polygons``; a side measures the distance to
    its line.
    Field: a bound.
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

    return Shape(field)


def star(points: int, outer: float, inner: float) -> Shape:
    """A star with so many tips, the first one up, between two radii about the origin.

    Formula: the polygon of its tips and notches. Field: a bound.
    """
    count = whole("points", points, 3)
    radii = number("outer", positive("outer", outer)), number("inner", positive("inner", inner))
    if not radii[1] < radii[0]:
        raise OptionError(f"inner={inner!r} is not below outer={outer!r}")
    corners = []
    for i in range(2 * count):
        angle = math.pi * i / count
        corners.append((radii[i % 2] * math.sin(-angle), radii[i % 2] * math.cos(angle)))
    return polygon(corners)


def _checked(points: Iterable[Sequence[Value]]) -> list[Point]:
    """The corners anticlockwise, without repetitions and without points on a straight side."""
    given: list[Point] = []
    for i, point in enumerate(parts_of("points", points)):
        x, y = (number(f"points[{i}]", part) for part in values(f"points[{i}]", point, 2))
        if not given or given[-1] != (x, y):
            given.append((x, y))
    if len(given) > 1 and given[0] == given[-1]:
        given.pop()
    if len(given) < 3:
        raise OptionError(f"points: a polygon has at least 3 corners, not {len(given)}")
    for i, j in meeting_sides(given):
        ends = [f"{given[k]}..{given[(k + 1) % len(given)]}" for k in (i, j)]
        raise OptionError(
            f"points: the sides {ends[0]} and {ends[1]} cross or touch: "
            "make a union of simple polygons"
        )
    corners = [
        p
        for before, p, after in zip(given[-1:] + given, given, given[1:] + given[:1], strict=False)
        if turn(before, p, p, after)
    ]
    return corners if is_anticlockwise(corners) else corners[::-1]


def _formula(corners: list[Point]) -> Formula:
    n = len(corners)
    first = min(range(n), key=corners.__getitem__)
    v = corners[first:] + corners[: first + 2]  # side i goes from v[i] to v[i + 1]
    far = max(range(n), key=v.__getitem__)
    order: Formula = [True]  # backwards
    chains = [(0, far - 1), (far, n - 1)]
    while chains:
        low, high = chains.pop()
        if low == high:
            order.append(_line(v[low], v[low + 1]))
            continue
        k = _cut(v, low, high)
        order.append(turn(v[k - 1], v[k], v[k], v[k + 1]) > 0)
        chains += [(low, k - 1), (k, high)]
    return order[::-1]


def _line(a: Point, b: Point) -> Line:
    """The line with a -> b on it, what lies to the right being outside."""
    size = math.dist(a, b)
    nx, ny = (b[1] - a[1]) / size, (a[0] - b[0]) / size
    return nx, ny, nx * a[0] + ny * a[1]


def _cut(v: Sequence[Point], low: int, high: int) -> int:
    """The corner to cut the chain of the sides ``low`` to ``high`` at."""
    ring = hull(v, range(low + 1, high + 1))
    rays = (v[low + 1], v[low]), (v[high], v[high + 1])

    def is_outer(before: int, k: int, after: int) -> bool:
        """Does all the chain, its rays too, lie on one side of some line through corner k?"""
        ways = [(v[k], v[before]), (v[k], v[after]), *rays]
        return any(all(a is b or turn(*a, *b) >= 0 for b in ways) for a in ways)

    corners = list(zip(ring[-1:] + ring[:-1], ring, ring[1:] + ring[:1], strict=True))
    corners.sort(key=lambda corner: abs(2 * corner[1] - low - high - 1))
    return next(k for before, k, after in corners if is_outer(before, k, after))
