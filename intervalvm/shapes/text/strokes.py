"""Strokes of one width with round ends: straight lines, arcs of ellipses, dots.

A stroke is an intersection of bands, rings and half-planes, and a disc at each end. The field of
each part is a distance (a bound for an ellipse), so intervals prune distant parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from intervalvm.expr import Expr, absolute, maximum, minimum, sqrt, square

PEN = 6.5
"""Half the width of a stroke, in font units."""
NEAR = 0.05
"""Tolerance in font units where strokes meet."""
DIGITS = 5
"""Decimals of a direction."""

Point = tuple[float, float]


def short(value: float, digits: int = DIGITS) -> float:
    """A rounded number, independent of the last bits of a platform's sine."""
    return round(value, digits) + 0.0


class Sheet:
    """The coordinates that strokes are drawn in, and the length of a font unit."""

    def __init__(self, x: Expr, y: Expr, unit: float) -> None:
        self.x, self.y, self.unit = x, y, unit
        self._digits = math.ceil(-math.log10(unit)) + 2  # lengths to a hundredth of a unit
        self._fields: dict[Point, Expr] = {}

    def length(self, value: float) -> float:
        """A length of font units, rounded."""
        return short(value * self.unit, self._digits)

    def along(self, c: float, s: float, point: Point) -> Expr:
        """The signed distance from ``point`` along the unit vector (c, s)."""
        c, s = short(c), short(s)
        at = c * point[0] + s * point[1]
        back = (c, s) < (0, 0)
        if back:  # opposite directions share their field
            c, s, at = -c, -s, -at
        field = self._fields.get((c, s))
        if field is None:
            field = self.x if s == 0 else self.y if c == 0 else c * self.x + s * self.y
            self._fields[c, s] = field
        return self.length(at) - field if back else field - self.length(at)

    def band(self, c: float, s: float, middle: Point, half: float) -> Expr:
        """The points within ``half`` of ``middle`` along (c, s)."""
        return absolute(self.along(*max((c, s), (-c, -s)), middle)) - self.length(half)

    def ellipse(self, centre: Point, a: float, b: float) -> Expr:
        """An ellipse with half axes ``a`` and ``b``; the field of a circle is the distance."""
        u, v = self.along(1, 0, centre), self.along(0, 1, centre)
        if a != b:
            u = u * short(b / a)
        return sqrt(square(u) + square(v)) - self.length(b)


@dataclass(frozen=True, slots=True)
class Dot:
    """A disc; also the end of a stroke."""

    x: float
    y: float
    radius: float = PEN

    def ends(self) -> list[Point]:
        """The end points of the stroke, at which a disc may be needed."""
        return []

    def covers(self, _: Point) -> bool:
        """Whether the point is on the stroke and not an end of it."""
        return False

    def body(self, sheet: Sheet, dx: float, dy: float) -> Expr:
        """The field of the stroke without its ends, moved by (dx, dy)."""
        return sheet.ellipse((self.x + dx, self.y + dy), self.radius, self.radius)


@dataclass(frozen=True, slots=True)
class Line:
    x0: float
    y0: float
    x1: float
    y1: float

    def ends(self) -> list[Point]:
        return [(self.x0, self.y0), (self.x1, self.y1)]

    def covers(self, point: Point) -> bool:
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        px, py = point[0] - self.x0, point[1] - self.y0
        squared = dx * dx + dy * dy  # not the square of a rounded root, which could be larger
        beside = abs(dx * py - dy * px) < NEAR * math.sqrt(squared)
        return beside and 0 < dx * px + dy * py < squared

    def body(self, sheet: Sheet, dx: float, dy: float) -> Expr:
        width, height = self.x1 - self.x0, self.y1 - self.y0
        length = math.sqrt(width * width + height * height)
        c, s = width / length, height / length
        middle = (self.x0 + self.x1) / 2 + dx, (self.y0 + self.y1) / 2 + dy
        return maximum(sheet.band(-s, c, middle, PEN), sheet.band(c, s, middle, length / 2))


@dataclass(frozen=True, slots=True)
class Arc:
    """Part of an ellipse, counter-clockwise from one angle to another, in degrees; or all of it."""

    x: float
    y: float
    a: float
    b: float
    start: float = 0
    stop: float = 360

    def turns(self) -> list[Point]:
        """Cosine and sine of both angles; none for a full ellipse."""
        if self.stop - self.start == 360:
            return []
        angles = math.radians(self.start), math.radians(self.stop)
        return [(short(math.cos(angle)), short(math.sin(angle))) for angle in angles]

    def ends(self) -> list[Point]:
        return [(self.x + self.a * c, self.y + self.b * s) for c, s in self.turns()]

    def covers(self, point: Point) -> bool:
        u, v = (point[0] - self.x) / self.a, (point[1] - self.y) / self.b
        turn = (math.degrees(math.atan2(v, u)) - self.start) % 360
        miss = abs(math.sqrt(u * u + v * v) - 1) * self.b
        return miss < NEAR and 1 < turn < self.stop - self.start - 1

    def body(self, sheet: Sheet, dx: float, dy: float) -> Expr:
        centre = self.x + dx, self.y + dy
        if self.a == self.b:
            ring = absolute(sheet.ellipse(centre, self.a, self.b)) - sheet.length(PEN)
        else:
            outer = sheet.ellipse(centre, self.a + PEN, self.b + PEN)
            inner = sheet.ellipse(centre, self.a - PEN, self.b - PEN)
            ring = maximum(outer, -inner)
        cuts = []
        for (c, s), (x, y), sign in zip(self.turns(), self.ends(), (-1, 1), strict=False):
            length = sign * math.sqrt((self.a * s) ** 2 + (self.b * c) ** 2)
            across = -self.a * s / length, self.b * c / length
            cuts.append(sheet.along(*across, (x + dx, y + dy)))
        sweep = self.stop - self.start
        if not cuts:
            return ring
        if sweep == 180:  # both cuts are equal
            return maximum(ring, cuts[0])
        return maximum(ring, (minimum if sweep > 180 else maximum)(*cuts))


Stroke = Dot | Line | Arc


def circle(x: float, y: float, radius: float, start: float = 0, stop: float = 360) -> Arc:
    """A circle, or an arc of it."""
    return Arc(x, y, radius, radius, start, stop)


def bare_ends(strokes: Sequence[Stroke]) -> list[Dot]:
    """A disc for each end that no other stroke covers."""
    ends = {end: None for stroke in strokes for end in stroke.ends()}
    return [Dot(x, y) for x, y in ends if not any(s.covers((x, y)) for s in strokes)]
