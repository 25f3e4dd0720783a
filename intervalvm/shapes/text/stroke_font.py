"""The package's own font: printable ASCII and punctuation, in strokes of one width.

Accented letters are composed of a letter and marks, as Unicode decomposes them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from intervalvm.expr import Expr, minimum
from intervalvm.shapes.base import balanced
from intervalvm.shapes.text.layout import SPACES, Metrics, Pen, Placed, Row, SetLine
from intervalvm.shapes.text.strokes import (
    PEN,
    Arc,
    Dot,
    Line,
    Sheet,
    Stroke,
    bare_ends,
    circle,
)

SIDES = {"S": 16, "R": 12, "O": 10, "V": 8}
"""The side bearing of a straight, round, open or slanted side."""
SPACE = 45

# Both sides, the width, the centre lines of strokes. The baseline is 0, the x-height 56, the cap
# height 92. A line and an arc that continues it overlap by 1, which hides the seam without a disc.
GLYPHS: dict[str, tuple[str, float, *tuple[Stroke, ...]]] = {
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
    "x": ("VV", 44, Line(0, 0, 44, 56), Line(0, 56, 44, 0)),
    "y": ("VV", 48, Line(0, 56, 24, 0), Line(48, 56, 24 * 18 / 56, -38)),
    "z": ("OO", 42, Line(0, 56, 42, 56), Line(42, 56, 0, 0), Line(0, 0, 42, 0)),
    "A": ("VV", 76, Line(0, 0, 38, 92), Line(38, 92, 76, 0),
          Line(38 * 30 / 92, 30, 76 - 38 * 30 / 92, 30)),
    "B": ("SR", 49, Line(0, 0, 0, 92), Line(0, 92, 22, 92), Line(0, 50, 24, 50), Line(0, 0, 24, 0),
          circle(22, 71, 21, -90, 90), circle(24, 25, 25, -90, 90)),
    "C": ("RO", 78.5, circle(46, 46, 46, 45, 315)),
    "D": ("SR", 68, Line(0, 0, 0, 92), Line(0, 92, 23, 92), Line(0, 0, 23, 0),
          circle(22, 46, 46, -90, 90)),
    "E": ("SO", 48, Line(0, 0, 0, 92), Line(0, 92, 48, 92), Line(0, 48, 42, 48), Line(0, 0, 48, 0)),
    "F": ("SO", 46, Line(0, 0, 0, 92), Line(0, 92, 46, 92), Line(0, 46, 40, 46)),
    "G": ("RR", 92, circle(46, 46, 46, 45, 360), Line(54, 46, 92, 46)),
    "H": ("SS", 64, Line(0, 0, 0, 92), Line(64, 0, 64, 92), Line(0, 48, 64, 48)),
    "I": ("OO", 30, Line(0, 0, 30, 0), Line(0, 92, 30, 92), Line(15, 0, 15, 92)),
    "J": ("OS", 42, Line(42, 92, 42, 21), circle(21, 22, 22, 200, 360)),
    "K": ("SV", 60, Line(0, 0, 0, 92), Line(0, 34, 58, 92), Line(20, 54, 60, 0)),
    "L": ("SO", 46, Line(0, 0, 0, 92), Line(0, 0, 46, 0)),
    "M": ("SS", 84, Line(0, 0, 0, 92), Line(0, 92, 42, 26), Line(42, 26, 84, 92),
          Line(84, 92, 84, 0)),
    "N": ("SS", 68, Line(0, 0, 0, 92), Line(0, 92, 68, 0), Line(68, 0, 68, 92)),
    "O": ("RR", 92, circle(46, 46, 46)),
    "P": ("SR", 51, Line(0, 0, 0, 92), Line(0, 92, 27, 92), Line(0, 42, 27, 42),
          circle(26, 67, 25, -90, 90)),
    "Q": ("RR", 92, circle(46, 46, 46), Line(58, 28, 88, -8)),
    "R": ("SV", 54, Line(0, 0, 0, 92), Line(0, 92, 27, 92), Line(0, 42, 27, 42),
          circle(26, 67, 25, -90, 90), Line(24, 42, 54, 0)),
    "S": ("OR", 54, Arc(27, 70, 25, 22, 30, 270), Arc(27, 24, 27, 24, -150, 90)),
    "T": ("OO", 64, Line(0, 92, 64, 92), Line(32, 0, 32, 92)),
    "U": ("SS", 64, Line(0, 92, 0, 31), circle(32, 32, 32, 180, 360), Line(64, 92, 64, 31)),
    "V": ("VV", 76, Line(0, 92, 38, 0), Line(38, 0, 76, 92)),
    "W": ("VV", 112, Line(0, 92, 28, 0), Line(28, 0, 56, 92), Line(56, 92, 84, 0),
          Line(84, 0, 112, 92)),
    "X": ("VV", 66, Line(0, 0, 66, 92), Line(0, 92, 66, 0)),
    "Y": ("VV", 68, Line(0, 92, 34, 44), Line(34, 44, 68, 92), Line(34, 44, 34, 0)),
    "Z": ("OO", 60, Line(0, 92, 60, 92), Line(60, 92, 0, 0), Line(0, 0, 60, 0)),
    "0": ("RR", 54, Arc(27, 46, 27, 46)),
    "1": ("OS", 24, Line(24, 0, 24, 92), Line(24, 92, 0, 74)),
    "2": ("OO", 50, circle(25, 67, 25, -40.92, 165), Line(0, 0, 44.55, 51.38), Line(0, 0, 50, 0)),
    "3": ("OR", 49, circle(25, 70, 22, -90, 150), circle(25, 24, 24, -150, 90)),
    "4": ("VO", 56, Line(42, 0, 42, 92), Line(42, 92, 0, 26), Line(0, 26, 56, 26)),
    "5": ("OR", 55, circle(25, 30, 30, -145, 130), Line(5.716, 52.981, 10, 92),
          Line(10, 92, 48, 92)),
    "6": ("RR", 54, circle(27, 27, 27), Line(4.98, 42.62, 40, 92)),
    "7": ("OO", 50, Line(0, 92, 50, 92), Line(50, 92, 16, 0)),
    "8": ("RR", 52, circle(26, 70, 22), Arc(26, 24, 26, 24)),
    "9": ("RR", 54, circle(27, 65, 27), Line(14, 0, 49.02, 49.38)),
    ",": ("OS", 8, Line(6, 1, 0, -17)),
    ".": ("OS", 8, Dot(4, 2, 8.5)),
    "'": ("SR", 0, Line(0, 98, 0, 80)),
    '"': ("SS", 22, Line(0, 98, 0, 80), Line(22, 98, 22, 80)),
    "!": ("SS", 0, Line(0, 92, 0, 30), Dot(0, 2, 8.5)),
    "?": ("OO", 44, circle(22, 70, 22, -90, 165), Line(22, 48, 22, 30), Dot(22, 2, 8.5)),
    ":": ("OS", 8, Dot(4, 2, 8.5), Dot(4, 54, 8.5)),
    ";": ("OS", 8, Line(6, 1, 0, -17), Dot(4, 54, 8.5)),
    "-": ("OO", 28, Line(0, 34, 28, 34)),
    "_": ("OO", 56, Line(0, -20, 56, -20)),
    "(": ("OO", 29, circle(80, 36.9, 80, 130.3, 229.7)),
    ")": ("OO", 29, circle(-51, 36.9, 80, -49.7, 49.7)),
    "[": ("SO", 22, Line(0, -22, 0, 98), Line(0, 98, 22, 98), Line(0, -22, 22, -22)),
    "]": ("OS", 22, Line(22, -22, 22, 98), Line(0, 98, 22, 98), Line(0, -22, 22, -22)),
    "{": ("OO", 28, circle(28, 84, 14, 90, 180), Line(14, 85, 14, 51), circle(0, 52, 14, 270, 360),
          circle(0, 24, 14, 0, 90), Line(14, 25, 14, -9), circle(28, -8, 14, 180, 270)),
    "}": ("OO", 28, circle(0, 84, 14, 0, 90), Line(14, 85, 14, 51), circle(28, 52, 14, 180, 270),
          circle(28, 24, 14, 90, 180), Line(14, 25, 14, -9), circle(0, -8, 14, 270, 360)),
    "/": ("VV", 44, Line(0, -12, 44, 98)),
    "\\": ("VV", 44, Line(0, 98, 44, -12)),
    "|": ("SS", 0, Line(0, -24, 0, 98)),
    "+": ("OO", 56, Line(0, 40, 56, 40), Line(28, 12, 28, 68)),
    "=": ("OO", 56, Line(0, 53, 56, 53), Line(0, 27, 56, 27)),
    "<": ("OO", 50, Line(50, 66, 0, 40), Line(0, 40, 50, 14)),
    ">": ("OO", 50, Line(0, 66, 50, 40), Line(50, 40, 0, 14)),
    "~": ("OO", 56, Arc(14, 38, 14, 10, 0, 180), Arc(42, 38, 14, 10, 180, 360)),
    "^": ("OO", 44, Line(0, 62, 22, 92), Line(22, 92, 44, 62)),
    "`": ("OO", 15, Line(0, 96, 15, 80)),
    "*": ("OO", 36, Line(18, 52, 18, 92), Line(0.68, 62, 35.32, 82), Line(0.68, 82, 35.32, 62)),
    "#": ("OO", 62, Line(13, 4, 23, 88), Line(39, 4, 49, 88), Line(2, 62, 62, 62),
          Line(0, 30, 60, 30)),
    "$": ("OR", 54, Arc(27, 70, 25, 22, 30, 270), Arc(27, 24, 27, 24, -150, 90),
          Line(27, -8, 27, 98)),
    "%": ("RR", 86, circle(17, 75, 17), circle(69, 17, 17), Line(70, 92, 16, 0)),
    "&": ("RV", 66, circle(30, 74, 18), Line(39.93, 58.98, 11.87, 40.35),
          circle(24, 22, 22, 123.5, 325), Line(42.02, 9.38, 63.8, 40.48),
          Line(15.93, 62.77, 66, 0)),
    "@": ("RR", 104, circle(52, 34, 20), Line(72, 54, 72, 27), circle(87.825, 28, 15.825, 180, 360),
          circle(52, 34, 52, -6.6, 305)),
    "\N{LEFT SINGLE QUOTATION MARK}": ("OO", 7, Line(0, 98, 7, 80)),
    "\N{RIGHT SINGLE QUOTATION MARK}": ("OO", 7, Line(7, 98, 0, 80)),
    "\N{SINGLE LOW-9 QUOTATION MARK}": ("OO", 7, Line(6, 1, 0, -17)),
    "\N{LEFT DOUBLE QUOTATION MARK}": ("OO", 31, Line(0, 98, 7, 80), Line(24, 98, 31, 80)),
    "\N{RIGHT DOUBLE QUOTATION MARK}": ("OO", 31, Line(7, 98, 0, 80), Line(31, 98, 24, 80)),
    "\N{DOUBLE LOW-9 QUOTATION MARK}": ("OO", 30, Line(6, 1, 0, -17), Line(30, 1, 24, -17)),
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}": (
        "OO", 16, Line(16, 54, 0, 34), Line(0, 34, 16, 14)),
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}": (
        "OO", 16, Line(0, 54, 16, 34), Line(16, 34, 0, 14)),
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}": (
        "OO", 42, Line(16, 54, 0, 34), Line(0, 34, 16, 14), Line(42, 54, 26, 34),
        Line(26, 34, 42, 14)),
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}": (
        "OO", 42, Line(0, 54, 16, 34), Line(16, 34, 0, 14), Line(26, 54, 42, 34),
        Line(42, 34, 26, 14)),
    "\N{EN DASH}": ("OO", 56, Line(0, 34, 56, 34)),
    "\N{EM DASH}": ("OO", 112, Line(0, 34, 112, 34)),
    "\N{HORIZONTAL ELLIPSIS}": ("OS", 72, Dot(4, 2, 8.5), Dot(36, 2, 8.5), Dot(68, 2, 8.5)),
    "\N{BULLET}": ("OO", 28, Dot(14, 38, 17)),
    "\N{MIDDLE DOT}": ("OO", 8, Dot(4, 34, 8.5)),
    "\N{DEGREE SIGN}": ("OO", 28, circle(14, 82, 14)),
    "\N{INVERTED EXCLAMATION MARK}": ("SS", 0, Line(0, -36, 0, 26), Dot(0, 54, 8.5)),
    "\N{INVERTED QUESTION MARK}": (
        "OO", 44, circle(22, -14, 22, 90, 345), Line(22, 8, 22, 26), Dot(22, 54, 8.5)),
    "\N{MINUS SIGN}": ("OO", 56, Line(0, 40, 56, 40)),
    "\N{PLUS-MINUS SIGN}": ("OO", 56, Line(0, 46, 56, 46), Line(28, 20, 28, 72), Line(0, 0, 56, 0)),
    "\N{MULTIPLICATION SIGN}": ("OO", 42, Line(0, 19, 42, 61), Line(0, 61, 42, 19)),
    "\N{DIVISION SIGN}": ("OO", 56, Line(0, 40, 56, 40), Dot(28, 66, 8.5), Dot(28, 14, 8.5)),
    "\N{LATIN SMALL LETTER DOTLESS I}": ("SS", 0, Line(0, 0, 0, 56)),
    "\N{LATIN SMALL LETTER DOTLESS J}": (
        "SS", 0, Line(0, 56, 0, -21), circle(-18, -20, 18, 250, 360)),
}  # fmt: skip

# Centred on x = 0, over a small letter; higher over a capital.
MARKS: dict[str, tuple[Stroke, ...]] = {
    "\N{COMBINING GRAVE ACCENT}": (Line(-8, 92, 5, 78),),
    "\N{COMBINING ACUTE ACCENT}": (Line(8, 92, -5, 78),),
    "\N{COMBINING CIRCUMFLEX ACCENT}": (Line(-12, 78, 0, 91), Line(0, 91, 12, 78)),
    "\N{COMBINING CARON}": (Line(-12, 91, 0, 78), Line(0, 78, 12, 91)),
    "\N{COMBINING TILDE}": (Arc(-9, 83, 9, 7, 0, 180), Arc(9, 83, 9, 7, 180, 360)),
    "\N{COMBINING DIAERESIS}": (Dot(-13, 82, 8.5), Dot(13, 82, 8.5)),
    "\N{COMBINING RING ABOVE}": (circle(0, 84, 10),),
    "\N{COMBINING MACRON}": (Line(-13, 82, 13, 82),),
    "\N{COMBINING CEDILLA}": (Line(2, -1, 2, -14), circle(-7, -14, 9, 230, 360)),
}  # fmt: skip
OVER_CAPITALS = 34
BELOW = {"\N{COMBINING CEDILLA}"}
DOTLESS = {"i": "\N{LATIN SMALL LETTER DOTLESS I}", "j": "\N{LATIN SMALL LETTER DOTLESS J}"}
SAME = {"\N{HYPHEN}": "-", "\N{NON-BREAKING HYPHEN}": "-"}


def moved(stroke: Stroke, dx: float, dy: float) -> Stroke:
    if isinstance(stroke, Line):
        return Line(stroke.x0 + dx, stroke.y0 + dy, stroke.x1 + dx, stroke.y1 + dy)
    return replace(stroke, x=stroke.x + dx, y=stroke.y + dy)


@dataclass(frozen=True, slots=True)
class Glyph:
    metrics: Metrics
    strokes: tuple[Stroke, ...]


@cache
def glyph(char: str) -> Glyph | None:
    """The glyph of a character; None if there is none. A space has no stroke."""
    if char in SPACES:
        return Glyph(Metrics(0, SPACE, 0, ink=False), ())
    letter = unicodedata.normalize("NFD", SAME.get(char, char))
    base, marks = letter[0], letter[1:]
    if base not in GLYPHS or not MARKS.keys() >= set(marks):
        return None
    if set(marks) - BELOW:
        base = DOTLESS.get(base, base)
    sides, width, *strokes = GLYPHS[base]
    for mark in marks:
        up = OVER_CAPITALS if base.isupper() and mark not in BELOW else 0
        strokes += [moved(stroke, width / 2, up) for stroke in MARKS[mark]]
    metrics = Metrics(SIDES[sides[0]], width, SIDES[sides[1]])
    return Glyph(metrics, (*strokes, *bare_ends(strokes)))


class StrokeFont:
    """The font of this module, as a ``Face``."""

    name = "the stroke font"
    em = 136.0
    ascent, descent = 98.0, -38.0
    leading = 155.0
    overhang = PEN
    reach = 40.0

    def missing(self, line: str) -> tuple[int, str] | None:
        at = 0
        for letter in letters(line):
            if glyph(letter) is None:
                return at, letter
            at += len(letter)
        return None

    def set(self, line: str, tracking: float) -> SetLine:
        placed: list[Placed] = []
        at = 0.0
        for letter in letters(line):
            found = glyph(letter)
            assert found is not None, "checked by the layout"
            room = found.metrics
            if placed:
                at += room.before + tracking
            placed.append(Placed(letter, at, 0.0, at, at + room.width, room.ink))
            at += room.width + room.after
        return SetLine(placed)

    def pens(self, x: Expr, y: Expr, unit: float, rows: Sequence[Row]) -> list[Pen]:
        sheet = Sheet(x, y, unit)

        def pen_for(baseline: float) -> Pen:
            def pen(placed: Placed) -> Expr:
                found = glyph(str(placed.key))
                assert found is not None, "checked by the layout"
                bodies = [stroke.body(sheet, placed.x, baseline) for stroke in found.strokes]
                return balanced(minimum, bodies)

            return pen

        return [pen_for(row.baseline) for row in rows]


def letters(line: str) -> list[str]:
    """The characters of a line, each with the marks that follow it."""
    found: list[str] = []
    for char in line:
        if found and unicodedata.category(char).startswith("M"):
            found[-1] += char
        else:
            found.append(char)
    return found
