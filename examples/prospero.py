"""Prospero's farewell to magic (The Tempest, V.1) as one shape: how ``prospero.vm`` was made.

A glyph is a few strokes, lines and elliptic arcs of one width with round ends. A stroke is an
intersection of bands, rings and half-planes, and a disc at each end; the text is the union of all.

Every part measures a distance, so an interval can tell near parts from far ones. The union is a
balanced tree of lines, words, glyphs and strokes, and a word reaches only so far, so over a small
region almost all of it drops out in a few steps.

    python examples/prospero.py [FILE.vm]
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import intervalvm as ivm

TEXT = """\
But this rough magic I
here abjure, and when
I have required some
heavenly music, which even
now I do, to work mine
end upon their senses that
this airy charm is for, I'll
break my staff, bury it
certain fathoms in the
earth, and deeper than did
ever plummet sound
I'll drown my book.
"""

UNIT = 0.00102  # the font and the layout count in this; the picture is 2 across
PEN = 6.5  # half the width of a stroke
LEADING = 155
ASCENT, DESCENT = 98, -38
SPACE = 45
REACH = 40  # farther off than this, a word has the same value everywhere
NEAR = 0.05  # how far strokes may miss each other where they meet: too little to be seen

X, Y, _ = ivm.axes()
Point = tuple[float, float]


def grid(value: float) -> float:
    """A short number, the same whatever the last bits of a platform's sine are."""
    return round(value, 5) + 0.0


def union(parts: list[ivm.Expr]) -> ivm.Expr:
    """The minimum as a balanced tree, neighbours first."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return ivm.minimum(union(parts[:half]), union(parts[half:]))


def along(c: float, s: float, point: Point) -> ivm.Expr:
    """How far a place lies from ``point`` in the direction (c, s), one of unit length."""
    c, s = grid(c), grid(s)
    at = (c * point[0] + s * point[1]) * UNIT
    back = (c, s) < (0, 0)
    if back:  # so that opposite directions share their field
        c, s, at = -c, -s, -at
    field = X if s == 0 else Y if c == 0 else c * X + s * Y
    return grid(at) - field if back else field - grid(at)


def band(c: float, s: float, middle: Point, half: float) -> ivm.Expr:
    """The places within ``half`` of ``middle`` in the direction (c, s) or its opposite."""
    return abs(along(*max((c, s), (-c, -s)), middle)) - grid(half * UNIT)


def ellipse(centre: Point, a: float, b: float) -> ivm.Expr:
    """The inside of an ellipse with half axes ``a``, ``b``; a distance where it is a circle."""
    u, v = along(1, 0, centre), along(0, 1, centre)
    if a != b:
        u = u * grid(b / a)
    return ivm.sqrt(ivm.square(u) + ivm.square(v)) - grid(b * UNIT)


@dataclass(frozen=True)
class Dot:
    """A disc, and what a stroke ends in."""

    x: float
    y: float
    radius: float = PEN

    def ends(self) -> list[Point]:
        return []

    def covers(self, _: Point) -> bool:
        return False

    def body(self, dx: float, dy: float) -> ivm.Expr:
        """The shape of the stroke without its ends, moved by (dx, dy); so for all strokes."""
        return ellipse((self.x + dx, self.y + dy), self.radius, self.radius)


@dataclass(frozen=True)
class Line:
    """A straight stroke between two points."""

    x0: float
    y0: float
    x1: float
    y1: float

    def ends(self) -> list[Point]:
        return [(self.x0, self.y0), (self.x1, self.y1)]

    def covers(self, point: Point) -> bool:
        """Is the point on the line, but not one of its ends?"""
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        px, py = point[0] - self.x0, point[1] - self.y0
        length = math.sqrt(dx * dx + dy * dy)
        return abs(dx * py - dy * px) < NEAR * length and 0 < dx * px + dy * py < length * length

    def body(self, dx: float, dy: float) -> ivm.Expr:
        width, height = self.x1 - self.x0, self.y1 - self.y0
        length = math.sqrt(width * width + height * height)
        c, s = width / length, height / length
        middle = (self.x0 + self.x1) / 2 + dx, (self.y0 + self.y1) / 2 + dy
        return ivm.maximum(band(-s, c, middle, PEN), band(c, s, middle, length / 2))


@dataclass(frozen=True)
class Arc:
    """Part of an ellipse, anticlockwise from one angle to another, in degrees; or all of it."""

    x: float
    y: float
    a: float
    b: float
    start: float = 0
    stop: float = 360

    def turns(self) -> list[Point]:
        """Cosine and sine of both angles; none if the ellipse is whole."""
        if self.stop - self.start == 360:
            return []
        angles = math.radians(self.start), math.radians(self.stop)
        return [(grid(math.cos(angle)), grid(math.sin(angle))) for angle in angles]

    def ends(self) -> list[Point]:
        return [(self.x + self.a * c, self.y + self.b * s) for c, s in self.turns()]

    def covers(self, point: Point) -> bool:
        """Is the point on the arc, but not one of its ends?"""
        u, v = (point[0] - self.x) / self.a, (point[1] - self.y) / self.b
        turn = (math.degrees(math.atan2(v, u)) - self.start) % 360
        miss = abs(math.sqrt(u * u + v * v) - 1) * self.b
        return miss < NEAR and 1 < turn < self.stop - self.start - 1

    def body(self, dx: float, dy: float) -> ivm.Expr:
        centre = self.x + dx, self.y + dy
        if self.a == self.b:
            ring = abs(ellipse(centre, self.a, self.b)) - grid(PEN * UNIT)
        else:
            outer = ellipse(centre, self.a + PEN, self.b + PEN)
            inner = ellipse(centre, self.a - PEN, self.b - PEN)
            ring = ivm.maximum(outer, -inner)
        cuts = []
        for (c, s), (x, y), sign in zip(self.turns(), self.ends(), (-1, 1), strict=False):
            length = sign * math.sqrt((self.a * s) ** 2 + (self.b * c) ** 2)
            cuts.append(along(-self.a * s / length, self.b * c / length, (x + dx, y + dy)))
        sweep = self.stop - self.start
        if not cuts:
            return ring
        if sweep == 180:  # both cuts are the same
            return ivm.maximum(ring, cuts[0])
        return ivm.maximum(ring, (ivm.minimum if sweep > 180 else ivm.maximum)(*cuts))


Stroke = Dot | Line | Arc


def circle(x: float, y: float, radius: float, start: float = 0, stop: float = 360) -> Arc:
    return Arc(x, y, radius, radius, start, stop)


SIDES = {"S": 16, "R": 12, "O": 10, "V": 8}
"""The room beside a glyph whose side is straight, round, open or slanted."""

# Both sides, the width between them, the strokes, all by the middle of the pen: the base line is at
# 0, small letters reach to 56, capitals to 92. Where a line goes on as an arc, they overlap by 1:
# that hides the seam and saves a disc.
FONT: dict[str, tuple[str, float, *tuple[Stroke, ...]]] = {
    "a": ("RS", 56, circle(28, 28, 28), Line(56, 0, 56, 56)),
    "b": ("SR", 56, Line(0, 0, 0, 98), circle(28, 28, 28)),
    "c": ("RO", 49, circle(28, 28, 28, 42, 318)),
    "d": ("RS", 56, circle(28, 28, 28), Line(56, 0, 56, 98)),
    "e": ("RR", 56, Line(0, 28, 56, 28), circle(28, 28, 28, 0, 318)),
    "f": ("OR", 33, Line(13, 0, 13, 81), circle(31, 80, 18, 70, 180), Line(0, 56, 31, 56)),
    "g": ("RS", 56, circle(28, 28, 28), Line(56, 56, 56, -11), circle(28, -10, 28, 215, 360)),
    "h": ("SS", 46, Line(0, 0, 0, 98), circle(23, 33, 23, 0, 180), Line(46, 34, 46, 0)),
    "i": ("SS", 0, Line(0, 0, 0, 56), Dot(0, 82, 8.5)),
    "j": ("SS", 0, Line(0, 56, 0, -21), circle(-18, -20, 18, 250, 360), Dot(0, 82, 8.5)),
    "k": ("SV", 38, Line(0, 0, 0, 98), Line(0, 21, 35, 56), Line(14, 35, 38, 0)),
    "l": ("SS", 0, Line(0, 0, 0, 98)),
    "m": ("SS", 84, Line(0, 0, 0, 56), circle(21, 35, 21, 0, 180), Line(42, 36, 42, 0),
          circle(63, 35, 21, 0, 180), Line(84, 36, 84, 0)),
    "n": ("SS", 46, Line(0, 0, 0, 56), circle(23, 33, 23, 0, 180), Line(46, 34, 46, 0)),
    "o": ("RR", 56, circle(28, 28, 28)),
    "p": ("SR", 56, Line(0, -38, 0, 56), circle(28, 28, 28)),
    "q": ("RS", 56, circle(28, 28, 28), Line(56, -38, 56, 56)),
    "r": ("SO", 33, Line(0, 0, 0, 56), circle(22, 34, 22, 60, 180)),
    "s": ("OR", 38, Arc(19, 42, 18, 14, 30, 270), Arc(19, 14, 19, 14, -150, 90)),
    "t": ("OO", 33, Line(13, 15, 13, 84), circle(29, 16, 16, 180, 290), Line(0, 56, 31, 56)),
    "u": ("SS", 46, Line(0, 56, 0, 22), circle(23, 23, 23, 180, 360), Line(46, 56, 46, 0)),
    "v": ("VV", 46, Line(0, 56, 23, 0), Line(23, 0, 46, 56)),
    "w": ("VV", 76, Line(0, 56, 19, 0), Line(19, 0, 38, 56), Line(38, 56, 57, 0),
          Line(57, 0, 76, 56)),
    "y": ("VV", 48, Line(0, 56, 24, 0), Line(48, 56, 24 * 18 / 56, -38)),
    "B": ("SR", 49, Line(0, 0, 0, 92), Line(0, 92, 22, 92), Line(0, 50, 24, 50), Line(0, 0, 24, 0),
          circle(22, 71, 21, -90, 90), circle(24, 25, 25, -90, 90)),
    "I": ("OO", 30, Line(0, 0, 30, 0), Line(0, 92, 30, 92), Line(15, 0, 15, 92)),
    ",": ("OS", 8, Line(6, 1, 0, -17)),
    ".": ("OS", 8, Dot(4, 2, 8.5)),
    "'": ("SR", 0, Line(0, 98, 0, 80)),
}  # fmt: skip


def draw(glyph: str, dx: float, dy: float) -> ivm.Expr:
    """The strokes of a glyph, and a disc at each end that no other stroke covers."""
    _, _, *strokes = FONT[glyph]
    ends = {end: None for stroke in strokes for end in stroke.ends()}
    bare = [end for end in ends if not any(stroke.covers(end) for stroke in strokes)]
    parts = [*strokes, *(Dot(x, y) for x, y in bare)]
    return union([part.body(dx, dy) for part in parts])


def words(line: str) -> tuple[list[list[tuple[str, float]]], float]:
    """The glyphs of each word of a line with their places, and the width of the line."""
    found: list[list[tuple[str, float]]] = []
    at = width = 0.0
    for word in line.split():
        found.append([])
        for glyph in word:
            sides, advance, *_ = FONT[glyph]
            at += SIDES[sides[0]] if width else 0.0
            found[-1].append((glyph, at))
            width = at + advance
            at = width + SIDES[sides[1]]
        at += SPACE
    return found, width


def build() -> ivm.Tape:
    """The tape of the whole text, its lines centred."""
    lines = TEXT.splitlines()
    y = (LEADING * (len(lines) - 1) - ASCENT - DESCENT) / 2
    rows = []
    for line in lines:
        found, width = words(line)
        x = round(-width / 2)
        shapes = [union([draw(glyph, x + at, y) for glyph, at in word]) for word in found]
        rows.append(union([ivm.minimum(shape, grid(REACH * UNIT)) for shape in shapes]))
        y -= LEADING
    return union(rows).tape()


def main() -> None:
    """Write the tape beside the folder of this script, or where the command line says."""
    default = Path(__file__).resolve().parent.parent / "prospero.vm"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    header = "# Prospero's farewell (The Tempest, V.1), made by examples/prospero.py\n"
    path.write_text(header + str(build()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
