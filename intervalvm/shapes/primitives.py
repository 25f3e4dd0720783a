"""Flat shapes and solids centred on the origin; solids of revolution have the axis y."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from intervalvm.errors import OptionError
from intervalvm.expr import Expr, absolute, maximum
from intervalvm.hints import hinted
from intervalvm.shapes import values as v
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.values import Value


@hinted
def circle(radius: Value) -> Shape:
    """A disc. Formula: the length of (x, y) less the radius. Field: the distance."""
    r = v.positive("radius", radius)
    return Shape._of(lambda x, y, _: v.distance(x, y) - r)


@hinted
def ellipse(radius_x: Value, radius_y: Value) -> Shape:
    """An ellipse with these half axes.

    Formula, derived: r * (length(x / radius_x, y / radius_y) - 1), r being the smaller half axis;
    its gradient is at most 1. (The distance itself is a root of a quartic.) Field: a bound.
    """
    a, b = v.positive("radius_x", radius_x), v.positive("radius_y", radius_y)
    r = v.minimum(a, b)
    return Shape._of(lambda x, y, _: v.distance(v.times(r / a, x), v.times(r / b, y)) - r)


@hinted
def rectangle(width: Value, height: Value) -> Shape:
    """A rectangle.

    Formula: the distances to both pairs of sides, joined at corners; Inigo Quilez, "2D distance
    functions" (box). Field: the distance.
    """
    return _block({"width": width, "height": height})


@hinted
def rounded_rectangle(width: Value, height: Value, radius: Value) -> Shape:
    """A rectangle whose corners are arcs of ``radius``, at most half of the shorter side.

    Formula: a smaller rectangle, grown by the radius; Inigo Quilez, "2D distance functions"
    (rounded box). Field: the distance.
    """
    return _block({"width": width, "height": height}, radius, "half of the shorter side")


@hinted
def segment(start: Sequence[Value], end: Sequence[Value], radius: Value) -> Shape:
    """The points within ``radius`` of a line segment.

    Formula: in coordinates along and across the line, the length of the distances beyond an end
    and beside it; Inigo Quilez, "2D distance functions" (segment). Field: the distance.
    """
    ax, ay = v.values("start", start, 2)
    bx, by = v.values("end", end, 2)
    r = v.positive("radius", radius)
    v.are_apart("end", (bx, by), "start", (ax, ay))
    size = v.length(bx - ax, by - ay)
    c, s, half = (bx - ax) / size, (by - ay) / size, size * 0.5
    middle = (ax + bx) * 0.5, (ay + by) * 0.5

    def field(x: Expr, y: Expr, _: Expr) -> Expr:
        p = v.shifted(x, middle[0]), v.shifted(y, middle[1])
        past = maximum(absolute(v.dot((c, s), p)) - half, 0.0)
        return v.distance(past, v.dot((-s, c), p)) - r

    return Shape._of(field)


@hinted
def arc(radius: Value, start: Value, stop: Value, width: Value) -> Shape:
    """An arc of a circle with round ends, counter-clockwise from ``start`` to ``stop`` degrees.

    Formula: within its angles the distance to the circle, else to the nearer end, as of Inigo
    Quilez, "2D distance functions" (arc), by the sign of the distance to the line through the
    origin and an end. Field: the distance.
    """
    r, half = v.positive("radius", radius), v.positive("width", width) * 0.5
    begin, end = v.value("start", start), v.value("stop", stop)
    if isinstance(begin, float) and isinstance(end, float) and not 0 < end - begin <= 360:
        raise OptionError(f"stop={stop!r} is not between start={start!r} and a full turn above it")
    v.at_most("width", half * 2.0, "twice the radius", r * 2.0)
    middle, opening = v.cos_sin((begin + end) * 0.5), v.cos_sin((end - begin) * 0.5)

    def field(x: Expr, y: Expr, _: Expr) -> Expr:
        p = v.dot(middle, (x, y)), absolute(v.dot((-middle[1], middle[0]), (x, y)))
        beyond = v.dot((-opening[1], opening[0]), p)
        to_end = v.distance(*(v.shifted(c, r * e) for c, e in zip(p, opening, strict=True)))
        to_circle = absolute(v.distance(x, y) - r)
        return v.choose(beyond, to_end, to_circle) - half

    return Shape._of(field)


@hinted
def ring(outer: Value, inner: Value) -> Shape:
    """An annulus with these radii.

    Formula: the distance to the circle midway, less half of the width. Field: the distance.
    """
    big, small = v.positive("outer", outer), v.positive("inner", inner)
    if isinstance(big, float) and isinstance(small, float) and not small < big:
        raise OptionError(f"inner={inner!r} is not below outer={outer!r}")
    middle, half = (big + small) * 0.5, (big - small) * 0.5
    return Shape._of(lambda x, y, _: absolute(v.distance(x, y) - middle) - half)


@hinted
def half_plane(normal: Sequence[Value], offset: Value = 0.0) -> Shape:
    """The points p with ``n . p < offset``, where n is ``normal`` scaled to length 1.

    Formula: n . p - offset. Field: the distance.
    """
    n, at = v.direction("normal", normal, 2), v.value("offset", offset)
    return Shape._of(lambda x, y, _: v.shifted(v.dot(n, (x, y)), at))


@hinted
def sphere(radius: Value) -> Shape:
    """A ball. Formula: the length of (x, y, z) less the radius. Field: the distance."""
    r = v.positive("radius", radius)
    return Shape._of(lambda *p: v.distance(*p) - r)


def _block(sides: dict[str, Value], radius: Value | None = None, limit: str = "") -> Shape:
    """A rectangle or a box, round by ``radius``, which is at most what ``limit`` names."""
    halves = [v.positive(name, side) * 0.5 for name, side in sides.items()]
    if radius is not None:
        r = v.not_negative("radius", radius)
        v.at_most("radius", r, limit, reduce(v.minimum, halves))
        halves = [half - r for half in halves]

    def field(*p: Expr) -> Expr:
        d = reduce(v.corner, (absolute(c) - half for c, half in zip(p, halves, strict=False)))
        return d if radius is None else d - r

    return Shape._of(field)


@hinted
def box(width: Value, height: Value, depth: Value) -> Shape:
    """An axis-aligned box.

    Formula: of a rectangle and the faces across z, joined at corners; Inigo Quilez, "3D
    distance functions" (box). Field: the distance.
    """
    return _block({"width": width, "height": height, "depth": depth})


@hinted
def rounded_box(width: Value, height: Value, depth: Value, radius: Value) -> Shape:
    """A box whose edges are round by ``radius``, at most half of the shortest side.

    Formula: a smaller box, grown by the radius; Inigo Quilez, "3D distance functions" (round box).
    Field: the distance.
    """
    sides = {"width": width, "height": height, "depth": depth}
    return _block(sides, radius, "half of the shortest side")


@hinted
def cylinder(radius: Value, height: Value) -> Shape:
    """A cylinder about y.

    Formula: the distances to its side and to its ends, joined at corners; Inigo Quilez, "3D
    distance functions" (capped cylinder). Field: the distance.
    """
    r, half = v.positive("radius", radius), v.positive("height", height) * 0.5
    return Shape._of(lambda x, y, z: v.corner(v.distance(x, z) - r, absolute(y) - half))


@hinted
def capsule(start: Sequence[Value], end: Sequence[Value], radius: Value) -> Shape:
    """The points within ``radius`` of a line segment.

    Formula: the distance to the nearest point of the segment, found by a clamped projection; Inigo
    Quilez, "3D distance functions" (capsule). Field: the distance.
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
    """A cone or frustum about y, of ``radius`` at ``-height/2`` and ``top`` at ``height/2``.

    Formula, derived: in distance from the axis and y, the lines of its side and of its ends. Field:
    the distance inside, a bound outside.
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
    """A torus about y: a circle of radius ``tube`` at distance ``radius`` from the axis.

    Formula: the circle at (distance from the axis - radius, y); Inigo Quilez, "3D distance
    functions" (torus). Field: the distance.
    """
    big, small = v.positive("radius", radius), v.positive("tube", tube)
    v.at_most("tube", small, "radius", big)
    return Shape._of(lambda x, y, z: v.distance(v.distance(x, z) - big, y) - small)


@hinted
def half_space(normal: Sequence[Value], offset: Value = 0.0) -> Shape:
    """The points p with ``n . p < offset``, where n is ``normal`` scaled to length 1.

    Formula: n . p - offset. Field: the distance.
    """
    n, at = v.direction("normal", normal, 3), v.value("offset", offset)
    return Shape._of(lambda *p: v.shifted(v.dot(n, p), at))
