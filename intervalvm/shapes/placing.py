"""Shapes moved, turned, scaled, mirrored, repeated; extruded, revolved and bent.

The field of a moved shape at p is the shape's field at the inverse image of p.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from intervalvm.arguments import brief, is_word, parts_of
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import NUMBERS, Expr, absolute, maximum, minimum, mod
from intervalvm.expr.paint import Paint, least
from intervalvm.shapes import values as v
from intervalvm.shapes.base import Base, Made, Point, check_count, part_count
from intervalvm.shapes.values import Value

AXES = ("x", "y", "z")


def axis_index(name: object, instead: str = "") -> int:
    """0, 1 or 2 for "x", "y" or "z"; ``instead`` ends the message of the error."""
    if not is_word(name, AXES):
        raise OptionError(f"axis={brief(name)}: choose 'x', 'y' or 'z'{instead}")
    return AXES.index(str(name))


class Placing(Base):
    """The methods of ``Shape`` that place and bend it; each returns a new shape."""

    def move(self, x: Value | Sequence[Value] = 0.0, y: Value = 0.0, z: Value = 0.0) -> Self:
        """The shape translated by (x, y, z), or by a point: ``move((x, y))``. Field: kept."""
        if not isinstance(x, (Expr, str)) and isinstance(x, Iterable):
            point = parts_of("x", x)
            rest_is_zero = all(isinstance(c, NUMBERS) and c == 0 for c in (y, z))
            if len(point) not in (2, 3) or not rest_is_zero:
                raise OptionError(
                    "move takes x, y, z or one point of 2 or 3 numbers, not "
                    f"x={brief(x)}, y={brief(y)}, z={brief(z)}"
                )
            x, y, z = (*point, 0.0)[:3]
        dx, dy, dz = v.value("x", x), v.value("y", y), v.value("z", z)
        return self._placed(lambda *p: map(v.shifted, p, (dx, dy, dz)))

    def rotate(self, angle: Value, axis: str | Sequence[Value] = "z") -> Self:
        """The shape rotated by degrees about an axis through the origin: "x", "y", "z" or a vector.

        Counter-clockwise about the axis (right-hand rule). Multiples of 90 degrees are exact.

        Formula: the inverse of Rodrigues' rotation. Field: kept.
        """
        c, s = v.cos_sin(v.value("angle", angle))
        if isinstance(axis, str) or not isinstance(axis, Iterable):
            i = axis_index(axis, f", or give a vector, such as {v.SAMPLE}")
            j, k = (i + 1) % 3, (i + 2) % 3

            def turned(*p: Expr) -> list[Expr]:
                q = list(p)
                q[j], q[k] = v.dot((c, s), (p[j], p[k])), v.dot((-s, c), (p[j], p[k]))
                return q

            return self._placed(turned)
        ux, uy, uz = v.direction("axis", axis, 3)
        rest = 1.0 - c
        rows = (
            (c + ux * ux * rest, ux * uy * rest + uz * s, ux * uz * rest - uy * s),
            (ux * uy * rest - uz * s, c + uy * uy * rest, uy * uz * rest + ux * s),
            (ux * uz * rest + uy * s, uy * uz * rest - ux * s, c + uz * uz * rest),
        )
        return self._placed(lambda *p: (v.dot(row, p) for row in rows))

    def scale(self, x: Value, y: Value | None = None, z: Value | None = None) -> Self:
        """The shape scaled about the origin: ``scale(2)`` in all axes, ``scale(2, 1)`` along x.

        Formula: the field times the smallest factor. Field: kept if there is one factor for all
        axes, else a bound.
        """
        fx = v.positive("x", x)
        if y is None and z is None:
            smaller = self._placed(lambda *p: (v.over(c, fx) for c in p))
            return smaller._made(lambda _, d: v.times(fx, d))
        fy = v.positive("y", 1.0 if y is None else y)
        fz = v.positive("z", 1.0 if z is None else z)
        least = v.minimum(v.minimum(fx, fy), fz)
        smaller = self._placed(lambda *p: map(v.over, p, (fx, fy, fz)))
        return smaller._made(lambda _, d: v.times(least, d))

    def reflect(self, axis: str) -> Self:
        """The mirror image: "x" swaps left and right. Field: kept."""
        i = axis_index(axis)
        return self._placed(lambda *p: (-c if k == i else c for k, c in enumerate(p)))

    def mirror(self, axis: str) -> Self:
        """The part on the positive side of an axis, and its mirror image.

        Formula: the field at the coordinate's absolute value; Inigo Quilez, "3D distance
        functions" (symmetry). Field: the distance outside if the shape lies on the positive side
        and its own is, else a bound.
        """
        i = axis_index(axis)
        return self._placed(lambda *p: (absolute(c) if k == i else c for k, c in enumerate(p)))

    def repeat(
        self,
        x: Value | None = None,
        y: Value | None = None,
        z: Value | None = None,
        *,
        count: int | Sequence[int] | None = None,
    ) -> Self:
        """Copies at all multiples of the given steps, or ``count`` of them about the origin.

        Without ``count`` there are infinitely many, clipped to cells of the size of a step. With
        it, one number or one for each step, copies may overlap. Raises OptionError for more than a
        million.

        Formula: the field at the remainder of the coordinate (Inigo Quilez, "3D distance
        functions"); with ``count`` the minimum of the copies. Field: a bound if the shape is
        symmetric in its cell, else the sign; with ``count`` the distance outside if the shape's is.
        """
        steps = {
            i: v.positive(name, step)
            for i, (name, step) in enumerate(zip(AXES, (x, y, z), strict=True))
            if step is not None
        }
        if not steps:
            raise OptionError("repeat: give the step along an axis, such as x=0.5")
        if count is not None:
            try:
                counts = parts_of("count", count)
            except ArgumentTypeError:
                counts = (count,) * len(steps)
            if len(counts) != len(steps):
                raise OptionError(
                    f"count={brief(count)}: give one number for each of {len(steps)} steps"
                )
            shape = self
            for (i, step), n in zip(steps.items(), counts, strict=True):
                shape = shape._row(i, step, v.whole("count", n, 1))
            return shape

        def folded(i: int, c: Expr) -> Expr:
            half = steps[i] * 0.5
            return mod(c + half, steps[i]) - half

        return self._placed(lambda *p: (folded(i, c) if i in steps else c for i, c in enumerate(p)))

    def _row(self, axis: int, step: Value, count: int) -> Self:
        check_count(count * part_count(self))
        offsets = [step * (i - (count - 1) / 2) for i in range(count)]
        return self._joined(minimum, [self.move(**{AXES[axis]: offset}) for offset in offsets])

    def repeat_around(self, count: int) -> Self:
        """``count`` copies, rotated about z at equal angles.

        Formula: the minimum of the copies. Field: the distance outside if the shape's is.
        """
        n = v.whole("count", count, 1)
        check_count(n * part_count(self))
        return self._joined(minimum, [self.rotate(360 * i / n) for i in range(n)])

    def extrude(self, height: Value) -> Self:
        """The section, from ``-height/2`` to ``height/2`` along z.

        Formula: the section's distance and that along z, joined at corners; Inigo Quilez, "3D
        distance functions" (extrusion). Field: kept.
        """
        half = v.positive("height", height) * 0.5
        return self._section()._made(lambda p, d: v.corner(d, absolute(p[2]) - half))

    def revolve(self, offset: Value = 0.0) -> Self:
        """The section at x > 0 revolved about y, after a move by ``offset`` along x.

        Formula: the section's field at the distance from the axis; Inigo Quilez, "3D distance
        functions" (revolution). Field: kept if the moved section lies at x > 0 or is symmetric.
        """
        moved = v.value("offset", offset)
        return self._placed(lambda x, y, z: (v.shifted(v.distance(x, z), moved), y, 0.0))

    def loft(self, top: Self, height: Value) -> Self:
        """From this section at ``z = -height/2`` to that of ``top`` at ``height/2``.

        Formula: the linear interpolation of both fields along z. Field: the sign.
        """
        if not isinstance(top, Base):
            raise ArgumentTypeError(f"top is a shape, not {type(top).__name__!r}")
        rise = v.positive("height", height)

        def way(p: Point) -> Expr:
            return v.clamp(p[2] / rise + 0.5, 0.0, 1.0)

        def between(p: Point, low: Expr, high: Expr) -> Expr:
            return maximum(low + (high - low) * way(p), absolute(p[2]) - rise * 0.5)

        def shown(p: Point, values: Sequence[Expr], paints: Sequence[Paint]) -> Paint:
            low, high = values
            return least(p, (low * (1.0 - way(p)), high * way(p)), paints)

        return self._of(Made((self._section(), top._section()), between, shown=shown))

    def twist(self, angle: Value) -> Self:
        """Rotated about z by ``angle`` degrees per unit of z.

        Formula: the field at the point rotated back; Inigo Quilez, "3D distance functions" (twist).
        Field: the sign.
        """
        each = v.value("angle", angle)

        def turned(x: Expr, y: Expr, z: Expr) -> Point:
            c, s = v.cos_sin(z * each)
            return v.dot((c, s), (x, y)), v.dot((c, s), (y, -x)), z

        return self._placed(turned)

    def taper(self, height: Value, top: Value) -> Self:
        """Sections scaled about the z axis: by 1 at ``z = -height/2``, by ``top`` at ``height/2``.

        The factor is constant beyond these heights. Formula: the field at the point scaled back,
        times the factor. Field: the sign.
        """
        rise, last = v.positive("height", height), v.positive("top", top)

        def factor(z: Expr) -> Expr:
            return v.clamp(z / rise + 0.5, 0.0, 1.0) * (last - 1.0) + 1.0

        narrow = self._placed(lambda x, y, z: (x / factor(z), y / factor(z), z))
        return narrow._made(lambda p, d: d * factor(p[2]))

    def _section(self) -> Self:
        return self._placed(lambda x, y, _: (x, y, 0.0))
