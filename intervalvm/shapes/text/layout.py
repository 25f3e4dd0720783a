"""Where the glyphs of a text stand: lines, words, alignment, in the units of a font.

In: a string and a ``Face``, which sets one line. Out: rows of words of placed glyphs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from intervalvm.errors import OptionError
from intervalvm.expr import Expr

SPACES = " \N{NO-BREAK SPACE}"
"""What has no ink in any font; lines are broken at the first of these, not at the second."""
NO_GLYPHS = {
    "Cc": "a control character",
    "Cs": "half a character",
    "Zl": "an end of line",
    "Zp": "an end of line",
}
"""Categories of characters that no font draws, and what they are."""

DIRECTION_MARKS = {"R": "\N{RIGHT-TO-LEFT MARK}", "AL": "\N{ARABIC LETTER MARK}"}
"""For the classes of letters that run to the left, a character of that class without a glyph."""

Key = str | int
"""What a face knows a glyph by."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The room that a glyph takes: ``width`` from its origin on, and what it wants on both sides.

    The room on the sides counts between two glyphs, but not at the ends of a line. A glyph without
    ``ink`` parts words.
    """

    before: float
    width: float
    after: float
    ink: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A glyph whose origin is at (x, y) of its line. Its room on the line is ``start`` to ``stop``:
    a mark is drawn elsewhere, over the letter before it."""

    key: Key
    x: float
    y: float
    start: float
    stop: float
    ink: bool


@dataclass(frozen=True, slots=True)
class SetLine:
    """The glyphs of a line from the left to the right, which begins or, right to left, ends at
    ``origin``."""

    glyphs: list[Placed]
    origin: float = 0.0
    is_rtl: bool = False

    def ends(self) -> tuple[float, float]:
        """Where the line begins and ends, at the left and at the right; blanks at its end do not
        count."""
        inked = [glyph for glyph in self.glyphs if glyph.ink]
        if not inked:
            return self.origin, self.origin
        return (inked[0].start, self.origin) if self.is_rtl else (self.origin, inked[-1].stop)


Word = list[Placed]
Pen = Callable[[Placed], Expr]
"""The field of a glyph where it is placed, in font units."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with ink: the y of its base line, and its words."""

    baseline: float
    words: list[Word]


class Face(Protocol):
    """A font, as the layout and the drawing of a text need it; lengths are in its units.

    ``name`` is for messages. ``descent`` is below 0. Ink goes beyond the metrics by ``overhang``. A
    word farther off than ``reach`` has the same value everywhere.
    """

    name: str
    em: float
    ascent: float
    descent: float
    leading: float
    overhang: float
    reach: float

    def missing(self, line: str) -> tuple[int, str] | None:
        """The first of a line's characters that have no glyph, and where it is in the line."""

    def set(self, line: str, tracking: float) -> SetLine:
        """The glyphs of a line that has them all."""

    def pens(self, x: Expr, y: Expr, unit: float, rows: Sequence[Row]) -> list[Pen]:
        """A pen for each row; ``unit`` is the length of a font unit."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """How a text is set, in font units: see ``text``."""

    align: str
    valign: str
    tracking: float
    leading: float
    width: float | None


def lay_out(string: str, face: Face, spacing: Spacing) -> list[Row]:
    """The rows of a text, from the top down; those without ink are left out.

    Raises OptionError for a character that the font lacks, and for one that is no glyph.
    """
    lines = string.replace("\r\n", "\n").split("\n")
    for row, line in enumerate(lines, 1):
        _check_glyphs(row, line, face)
    if spacing.width is not None:
        lines = [part for line in lines for part in _wrapped(line, face, spacing)]
    height = spacing.leading * (len(lines) - 1)
    baseline = {
        "top": -face.ascent,
        "middle": (height - face.ascent - face.descent) / 2,
        "baseline": 0.0,
        "bottom": height - face.descent,
    }[spacing.valign]
    rows = []
    for text in lines:
        line_set = _set(text, face, spacing)
        left, right = line_set.ends()
        shift = {
            "left": face.overhang - left,
            "center": round(-(left + right) / 2),  # so that places are short numbers
            "right": -right - face.overhang,
        }[spacing.align]
        words = [
            [replace(glyph, x=shift + glyph.x) for glyph in word]
            for ink, word in groupby(line_set.glyphs, lambda glyph: glyph.ink)
            if ink
        ]
        if words:
            rows.append(Row(baseline, words))
        baseline -= spacing.leading
    return rows


def _check_glyphs(row: int, line: str, face: Face) -> None:
    for column, char in enumerate(line, 1):
        if kind := NO_GLYPHS.get(unicodedata.category(char)):
            raise OptionError(
                f"{kind}, {char!r} (U+{ord(char):04X}), line {row}, column {column} of the text, "
                "has no glyph: write spaces, or \\n for the end of a line"
            )
    if found := face.missing(line):
        at, char = found
        code = ", ".join(f"U+{ord(part):04X}" for part in char)
        raise OptionError(
            f"{face.name} has no glyph for {char!r} ({code}), "
            f"line {row}, column {at + 1} of the text: take another font"
        )


def _set(line: str, face: Face, spacing: Spacing) -> SetLine:
    """A line without the spaces at its end, which would be kerned with what stands before them."""
    return face.set(line.rstrip(SPACES), spacing.tracking)


def _wrapped(line: str, face: Face, spacing: Spacing) -> list[str]:
    """The line in parts no wider than asked for, if no single word is wider.

    The spaces between two parts are in neither.
    """
    assert spacing.width is not None
    first, *rest = re.split("( +)", line.rstrip(" "))
    parts = [first]
    for gap, word in zip(rest[::2], rest[1::2], strict=True):
        longer = parts[-1] + gap + word
        left, right = _set(longer, face, spacing).ends()
        if right - left + 2 * face.overhang > spacing.width and parts[-1]:
            parts.append(_direction(parts[-1]) + word)
        else:
            parts[-1] = longer
    return parts


def _direction(before: str) -> str:
    """A mark for what follows a line that runs to the left, so that it does, be it all numbers."""
    classes = map(unicodedata.bidirectional, reversed(before))
    return next((DIRECTION_MARKS[kind] for kind in classes if kind in DIRECTION_MARKS), "")
