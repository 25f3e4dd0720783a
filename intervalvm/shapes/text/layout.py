"""The layout of a text: from a string to rows of words of placed glyphs, in font units."""

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
"""Characters without ink; lines break at the first of these."""
NO_GLYPHS = {
    "Cc": "a control character",
    "Cs": "half a character",
    "Zl": "an end of line",
    "Zp": "an end of line",
}
"""Categories of characters without a glyph."""

DIRECTION_MARKS = {"R": "\N{RIGHT-TO-LEFT MARK}", "AL": "\N{ARABIC LETTER MARK}"}
"""Invisible characters of the right-to-left classes."""

Key = str | int
"""A glyph of a face."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The width of a glyph from its origin, and its side bearings, which lines omit at their ends.

    A glyph without ``ink`` separates words.
    """

    before: float
    width: float
    after: float
    ink: bool = True


@dataclass(frozen=True, slots=True)
class Placed:
    """A glyph with its origin at (x, y) of the line, and its advance from ``start`` to ``stop``."""

    key: Key
    x: float
    y: float
    start: float
    stop: float
    ink: bool


@dataclass(frozen=True, slots=True)
class SetLine:
    """The glyphs of a line from left to right; ``origin`` is the start of the text."""

    glyphs: list[Placed]
    origin: float = 0.0
    is_rtl: bool = False

    def ends(self) -> tuple[float, float]:
        """The left and right end of the line without trailing blanks."""
        inked = [glyph for glyph in self.glyphs if glyph.ink]
        if not inked:
            return self.origin, self.origin
        return (inked[0].start, self.origin) if self.is_rtl else (self.origin, inked[-1].stop)


Word = list[Placed]
Pen = Callable[[Placed], Expr]
"""The field of a glyph where it is placed, in font units."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text with ink: the y of its baseline, and its words."""

    baseline: float
    words: list[Word]


class Face(Protocol):
    """A font: what layout and drawing need of it, in font units.

    ``name`` appears in errors. ``descent`` is negative. Ink extends beyond the metrics by
    ``overhang``. The field of a word is constant beyond ``reach``.
    """

    name: str
    em: float
    ascent: float
    descent: float
    leading: float
    overhang: float
    reach: float

    def missing(self, line: str) -> tuple[int, str] | None:
        """The index and text of a line's first character without a glyph, or None."""

    def set(self, line: str, tracking: float) -> SetLine:
        """The glyphs of a line; ``tracking`` is added between them."""

    def pens(self, x: Expr, y: Expr, unit: float, rows: Sequence[Row]) -> list[Pen]:
        """A pen for each row; ``unit`` is the length of a font unit."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """The options of ``text``, in font units."""

    align: str
    valign: str
    tracking: float
    leading: float
    width: float | None


def lay_out(string: str, face: Face, spacing: Spacing) -> list[Row]:
    """The rows with ink, from the top down. Raises OptionError for a character without a glyph."""
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
        line_set = face.set(text.rstrip(SPACES), spacing.tracking)  # a last space would be kerned
        left, right = line_set.ends()
        shift = {
            "left": face.overhang - left,
            "center": round(-(left + right) / 2),  # short numbers in the tape
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


def _wrapped(line: str, face: Face, spacing: Spacing) -> list[str]:
    """The line wrapped to the width at spaces, which are removed; longer words are kept whole."""
    assert spacing.width is not None
    first, *rest = re.split("( +)", line.rstrip(" "))
    parts = [first]
    for gap, word in zip(rest[::2], rest[1::2], strict=True):
        longer = parts[-1] + gap + word
        left, right = face.set(longer.rstrip(SPACES), spacing.tracking).ends()
        if right - left + 2 * face.overhang > spacing.width and parts[-1]:
            parts.append(_direction(parts[-1]) + word)
        else:
            parts[-1] = longer
    return parts


def _direction(before: str) -> str:
    """A mark that keeps the continuation of a right-to-left line right-to-left."""
    classes = map(unicodedata.bidirectional, reversed(before))
    return next((DIRECTION_MARKS[kind] for kind in classes if kind in DIRECTION_MARKS), "")
