"""From flat to solid, and bent: extrude, revolve, loft, twist, taper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from intervalvm.errors import ArgumentTypeError
from intervalvm.expr import Expr, absolute, maximum
from intervalvm.shapes import values as v
from intervalvm.shapes.base import Base
from intervalvm.shapes.made import Made, Point

if TYPE_CHECKING:
    from intervalvm.shapes.values import Value


class Raising(Base):
    """The methods of ``Shape`` that make a solid of its section at z = 0, or bend it along z."""

    def extrude(self, height: Value) -> Self:
        """The section, from ``-height/2`` to ``height/2`` along z.

        Formula: the section's distance and that along z are at right angles, see
        ``values.corner``; Inigo Quilez, "3D distance functions" (extrusion). Field: kept.
        """
        half = v.positive("height", height) * 0.5
        return self._section()._made(lambda p, d: v.corner(d, absolute(p[2]) - half))

    def revolve(self, offset: Value = 0.0) -> Self:
        """The section turned about y, after it was moved by ``offset`` along x.

        What then lies at x > 0 counts: an x of the section is a distance from the axis.

        Formula: the section's field at the distance from the axis; Inigo Quilez, "3D distance
        functions" (revolution). Field: kept if the moved section lies at x > 0 or is symmetric.
        """
        moved = v.value("offset", offset)
        return self._placed(lambda x, y, z: (v.shifted(v.distance(x, z), moved), y, 0.0))

    def loft(self, top: Self, height: Value) -> Self:
        """From this section at ``z = -height/2`` to that of ``top`` at ``height/2``.

        Formula: the mean of both fields, weighted by the way between them. Field: the sign.
        """
        if not isinstance(top, Base):
            raise ArgumentTypeError(f"top is a shape, not {type(top).__name__!r}")
        rise = v.positive("height", height)

        def between(p: Point, low: Expr, high: Expr) -> Expr:
            way = v.clamp(p[2] / rise + 0.5, 0.0, 1.0)
            return maximum(low + (high - low) * way, absolute(p[2]) - rise * 0.5)

        return self._of(Made((self._section(), top._section()), between))

    def twist(self, angle: Value) -> Self:
        """Turned about z by ``angle`` degrees for each unit of z, and not turned at z = 0.

        Formula: the field at the point turned back; Inigo Quilez, "3D distance functions" (twist).
        Field: the sign.
        """
        each = v.value("angle", angle)

        def turned(x: Expr, y: Expr, z: Expr) -> Point:
            c, s = v.cos_sin(z * each)
            return v.dot((c, s), (x, y)), v.dot((c, s), (y, -x)), z

        return self._placed(turned)

    def taper(self, height: Value, top: Value) -> Self:
        """Sections scaled about the z axis: by 1 at ``z = -height/2``, by ``top`` at ``height/2``.

        Beyond these heights the factor stays what it is there. Formula: the field at the point
        scaled back, times the factor. Field: the sign.
        """
        rise, last = v.positive("height", height), v.positive("top", top)

        def factor(z: Expr) -> Expr:
            return v.clamp(z / rise + 0.5, 0.0, 1.0) * (last - 1.0) + 1.0

        narrow = self._placed(lambda x, y, z: (x / factor(z), y / factor(z), z))
        return narrow._made(lambda p, d: d * factor(p[2]))

    def _section(self) -> Self:
        return self._placed(lambda x, y, _: (x, y, 0.0))
