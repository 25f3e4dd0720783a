"""Solids about the origin; those with an axis stand on y, as a revolved section does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intervalvm.expr import Expr, absolute, maximum
from intervalvm.hints import hinted
from intervalvm.shapes import values as v
from intervalvm.shapes.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intervalvm.shapes.values import Value


@hinted
def sphere(radius: Value) -> Shape:
    """A ball. Formula: the length of (x, y, z) less the radius. Field: the distance."""
    r = v.positive("radius", radius)
    return Shape._of(lambda *p: v.distance(*p) - r)


def _cuboid(p: tuple[Expr, ...], halves: Sequence[Value]) -> Expr:
    x, y, z = (absolute(c) - half for c, half in zip(p, halves, strict=True))
    return v.corner(v.corner(x, y), z)


@hinted
def box(width: Value, height: Value, depth: Value) -> Shape:
    """A box, its sides along x, y and z.

    Formula: of a rectangle and of the faces across z, see ``values.corner``; Inigo Quilez, "3D
    distance functions" (box). Field: the distance.
    """
    sides = ("width", width), ("height", height), ("depth", depth)
    halves = [v.positive(name, side) * 0.5 for name, side in sides]
    return Shape._of(lambda *p: _cuboid(p, halves))


@hinted
def rounded_box(width: Value, height: Value, depth: Value, radius: Value) -> Shape:
    """A box whose edges are round by ``radius``, at most half of the shortest side.

    Formula: a smaller box, grown by the radius; Inigo Quilez, "3D distance functions" (round box).
    Field: the distance.
    """
    sides = ("width", width), ("height", height), ("depth", depth)
    halves = [v.positive(name, side) * 0.5 for name, side in sides]
    r = v.not_negative("radius", radius)
    shortest = v.minimum(v.minimum(halves[0], halves[1]), halves[2])
    v.at_most("radius", r, "half of the shortest side", shortest)
    return Shape._of(lambda *p: _cuboid(p, [half - r for half in halves]) - r)


@hinted
def cylinder(radius: Value, height: Value) -> Shape:
    """A cylinder about y.

    Formula: the distances to its side and to its ends, see ``values.corner``; Inigo Quilez, "3D
    distance functions" (capped cylinder). Field: the distance.
    """
    r, half = v.positive("radius", radius), v.positive("height", height) * 0.5
    return Shape._of(lambda x, y, z: v.corner(v.distance(x, z) - r, absolute(y) - half))


@hinted
def capsule(start: Sequence[Value], end: Sequence[Value], radius: Value) -> Shape:
    """The points within ``radius`` of a line from ``start`` to ``end``.

    Formula: the distance to the nearest point of the line, found by projection and clamped to it;
    Inigo Quilez, "3D distance functions" (capsule). Field: the distance.
    """
    a, b = v.values("start", start, 3), v.values("end", end, 3)
    r = v.positive("radius", radius)
    v.are_apart("end", b, "start", a)
    way = [q - p for p, q in zip(a, b, strict=True)]
    size = v.length(*way)
    unit = [part / size for part in way]

    def field(*p: Expr) -> Expr:
        q = [v.shifted(c, at) for c, at in zip(p, a, strict=True)]
        along = v.clamp(v.dot(unit, q), 0.0, size)
        away = (v.dot((1.0, -u), (c, along)) for c, u in zip(q, unit, strict=True))
        return v.distance(*away) - r

    return Shape._of(field)


@hinted
def cone(radius: Value, height: Value, top: Value = 0.0) -> Shape:
    """A cone about y: from ``radius`` at ``-height/2`` to ``top`` at ``height/2``, cut if not 0.

    Formula, derived: of the distance from the axis and y, the line of its side and those of its
    ends. Field: the distance inside, a bound outside.
    """
    low, high = v.positive("radius", radius), v.not_negative("top", top)
    rise = v.positive("height", height)
    size = v.length(rise, low - high)
    slope = rise / size, (low - high) / size
    at = (low + high) * 0.5 * slope[0]
    return Shape._of(
        lambda x, y, z: maximum(v.dot(slope, (v.distance(x, z), y)) - at, absolute(y) - rise * 0.5)
    )


@hinted
def torus(radius: Value, tube: Value) -> Shape:
    """A ring about y: a circle of radius ``tube`` at the distance ``radius`` from the axis.

    Formula: the circle at (distance from the axis - radius, y); Inigo Quilez, "3D distance
    functions" (torus). Field: the distance.
    """
    big, small = v.positive("radius", radius), v.positive("tube", tube)
    v.at_most("tube", small, "radius", big)
    return Shape._of(lambda x, y, z: v.distance(v.distance(x, z) - big, y) - small)


@hinted
def half_space(normal: Sequence[Value], offset: Value = 0.0) -> Shape:
    """The side of a plane that ``normal`` points away from; ``offset`` is how far along it it lies.

    Formula: the product with the normal, of length 1, less the offset. Field: the distance.
    """
    n, at = v.direction("normal", normal, 3), v.value("offset", offset)
    return Shape._of(lambda *p: v.shifted(v.dot(n, p), at))
