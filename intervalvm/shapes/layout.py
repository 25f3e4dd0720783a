"""Where the glyphs of a text stand: lines, words, alignment, in the units of a font.

In: a string and a ``Face``. Out: rows of words of placed glyphs. Left to right only; a glyph for a
character, no ligatures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from intervalvm.errors import OptionError
from intervalvm.expr import Expr

SPACES = " \N{NO-BREAK SPACE}"
"""What has no ink in any font; lines are broken at the first alone."""

Word = list[tuple[str, float]]
"""Characters and the x of their origins."""
Pen = Callable[[str, float], Expr]
"""The field of the glyph of a character whose origin is at the given x, in font units."""


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

    def metrics(self, char: str) -> Metrics | None:
        """The metrics of a character, None if the font has no glyph for it."""

    def kerning(self, left: str, right: str) -> float:
        """What is added to the distance of two neighbours."""

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

    Raises OptionError for a character that the font lacks.
    """
    lines = string.replace("\r\n", "\n").split("\n")
    _check_glyphs(lines, face)
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
    for line in lines:
        words, right = _set(line, face, spacing.tracking)
        shift = {
            "left": face.overhang,
            "center": round(-right / 2),  # so that places are short numbers
            "right": -right - face.overhang,
        }[spacing.align]
        if words:
            placed = [[(char, shift + at) for char, at in word] for word in words]
            rows.append(Row(baseline, placed))
        baseline -= spacing.leading
    return rows


def _check_glyphs(lines: Sequence[str], face: Face) -> None:
    for row, line in enumerate(lines, 1):
        for column, char in enumerate(line, 1):
            if face.metrics(char) is None:
                raise OptionError(
                    f"{face.name} has no glyph for {char!r} (U+{ord(char):04X}), "
                    f"line {row}, column {column} of the text"
                )


def _set(line: str, face: Face, tracking: float) -> tuple[list[Word], float]:
    """The words of a line, whose first glyph has its origin at 0, and where its last one ends."""
    words: list[Word] = [[]]
    at = right = 0.0
    before = ""
    for char in line:
        metrics = face.metrics(char)
        assert metrics is not None, "checked before"
        if before:
            at += metrics.before + tracking + face.kerning(before, char)
        before = char
        if metrics.ink:
            words[-1].append((char, at))
            right = at + metrics.width
        elif words[-1]:
            words.append([])
        at += metrics.width + metrics.after
    return [word for word in words if word], right


def _wrapped(line: str, face: Face, spacing: Spacing) -> list[str]:
    """The line in parts no wider than asked for, if no single word is wider."""
    assert spacing.width is not None
    parts = [""]
    for i, word in enumerate(line.split(" ")):
        longer = f"{parts[-1]} {word}" if i else word
        right = _set(longer, face, spacing.tracking)[1] + 2 * face.overhang
        if right > spacing.width and parts[-1].strip():
            parts.append(word)
        else:
            parts[-1] = longer
    return parts
