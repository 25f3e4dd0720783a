"""``Why``: an explanation of one point of a picture, as text, tables and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intervalvm.api.bounds import Interval
from intervalvm.arguments import bounds_text
from intervalvm.environment import in_default_environment
from intervalvm.raster.stats import text_table

if TYPE_CHECKING:
    from intervalvm.tape import Tape

Ends = tuple[float, float]
SHOWN = 12
"""The most choices, and lines of a tape, that are printed."""
MOST_SENT = 200
"""The most of either in ``as_json``."""
MOST_LETTERS = 120
"""Of a line of a tape there."""


class Look(NamedTuple):
    """One tile around the point, and what the walk found there.

    Attributes
    ----------
    level : int
        The image is cut into 2**level tiles a side.
    pixels : (int, int)
        Columns and rows.
    x, y : (float, float)
        The samples from end to end.
    bounds : Interval
        Of the tape that was left in the tile above, so of a value with the same sign.
    verdict : str
        "inside", "outside" or "ambiguous".
    clauses : int
        The length of the tape that is left in this tile.
    """

    level: int
    pixels: tuple[int, int]
    x: Ends
    y: Ends
    bounds: Interval
    verdict: str
    clauses: int


class Choice(NamedTuple):
    """A ``min``, ``max``, ``and`` or ``or``, and which of its operands can matter in a tile.

    Attributes
    ----------
    clause : int
        Its index in the shape's tape.
    operation : str
    side : str
        "left", "right", or "both" if it is open.
    level : int
        That of the tile in which it was decided, or the last one.
    left, right : Interval
        Bounds of the operands over that tile.
    """

    clause: int
    operation: str
    side: str
    level: int
    left: Interval
    right: Interval


@dataclass(frozen=True, eq=False)
class Why:
    """Why a point is inside or outside: its value, the tiles around it, what is left of the tape.

    It prints as a report; a notebook shows tables.

    Attributes
    ----------
    x, y, z : float
        The point, rounded to ``dtype``.
    dtype : str
    value : float
        As ``evaluate`` computes it.
    proven : Interval
        Bounds of the real function at the point.
    bounds : Interval
        Bounds of the float program over the last tile.
    pixel : (int, int)
        The column and row of the nearest sample.
    chain : tuple of Look
        The tiles from the whole region down, which is cut before it is looked at. The last is a
        leaf, or proven.
    tape : Tape
        What the walk leaves of the shape's tape in the last tile: it has the sign of the value.
    value_tape : Tape
        What ``simplify`` leaves there, with the bits of the value.
    clauses : tuple of int
        The clauses of the shape's tape that are those of ``tape``.
    of : int
        The length of the shape's tape.
    choices : tuple of Choice
        Those met on the way from the root through all tiles, the last made first. In parts of the
        tape that an earlier choice dropped there are none.
    """

    x: float
    y: float
    z: float
    dtype: str
    value: float
    proven: Interval
    bounds: Interval
    pixel: tuple[int, int]
    chain: tuple[Look, ...]
    tape: Tape
    value_tape: Tape
    clauses: tuple[int, ...]
    of: int
    choices: tuple[Choice, ...]

    @property
    def inside(self) -> bool:
        """Whether the value is below 0."""
        return self.value < 0

    @property
    def tile(self) -> Look:
        """The last tile."""
        return self.chain[-1]

    @property
    def counts(self) -> dict[str, int]:
        """The number of choices of each side: "left", "right" and "both"."""
        found = dict.fromkeys(("left", "right", "both"), 0)
        for choice in self.choices:
            found[choice.side] += 1
        return found

    @in_default_environment
    def as_json(self) -> dict[str, Any]:
        """The same as lists, dicts, numbers and text, of bounded size.

        Bounds are [lower, upper, maybe_nan]; a number that is not finite is text. Of the choices
        and of the lines of the tape there are at most 200.
        """
        return {
            "point": [self.x, self.y, self.z],
            "value": _number(self.value),
            "inside": self.inside,
            "proven": _sent(self.proven),
            "bounds": _sent(self.bounds),
            "pixel": list(self.pixel),
            "verdict": self.tile.verdict,
            "clauses": len(self.tape),
            "of": self.of,
            "tape": "\n".join(
                line if len(line) <= MOST_LETTERS else line[:MOST_LETTERS] + "..."
                for line in _lines(self.tape, MOST_SENT)
            ),
            "chain": [_record(look) for look in self.chain],
            "counts": self.counts,
            "choices": [_record(choice) for choice in self.choices[:MOST_SENT]],
        }

    @in_default_environment
    def texts(self) -> dict[str, str]:
        """The parts of what it prints: "summary", "levels", "choices" and "tape"."""
        return {
            "summary": "\n".join(self._summary()),
            "levels": text_table(self._looks()),
            "choices": "\n".join([self._counted(), *self._choices_text()]),
            "tape": "\n".join([f"{len(self.tape)} clauses are left:", *_lines(self.tape, SHOWN)]),
        }

    @in_default_environment
    def __repr__(self) -> str:
        return f"<Why {self._point()}: {self._verdict()}>"

    @in_default_environment
    def __str__(self) -> str:
        return "\n\n".join(self.texts().values())

    @in_default_environment
    def _repr_html_(self) -> str:
        summary = "<br>".join(map(escape, self._summary()))
        choices = _html(self._choices()) if self.choices else ""
        tape = escape("\n".join(_lines(self.tape, MOST_SENT)))
        return (
            f"<div><p>{summary}</p>{_html(self._looks())}"
            f"<details><summary>{escape(self._counted())}</summary>{choices}</details>"
            f"<details><summary>{len(self.tape)} clauses are left</summary><pre>{tape}</pre>"
            "</details></div>"
        )

    def _point(self) -> str:
        place = ", ".join(map(self._digits, (self.x, self.y, self.z)))
        return f"({place.removesuffix(', 0')})"

    def _digits(self, value: float) -> str:
        """The shortest text that reads back as the number in its dtype."""
        return str(np.dtype(self.dtype).type(value)).removesuffix(".0")

    def _verdict(self) -> str:
        return f"{self._digits(self.value)}, {'inside' if self.inside else 'outside'}"

    def _summary(self) -> list[str]:
        tile, (column, line) = self.tile, self.pixel
        (width, height), (x, y) = tile.pixels, (_ends(tile.x), _ends(tile.y))
        return [
            f"{self._point()}: {self._verdict()}",
            f"the real value is in {_in_full(self.proven)}, computed in {self.dtype}",
            f"pixel {column}, {line} is in a tile of {width}x{height} pixels, x {x}, y {y}",
            f"the tile is {tile.verdict}: values are in {self.bounds}",
            f"{len(self.tape)} of {self.of} clauses are left for the sign, "
            f"{len(self.value_tape)} for the value",
        ]

    def _looks(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [
            ("level", "tile", "clauses", "bounds for the sign", "verdict")
        ]
        for look in self.chain:
            tile = f"{look.pixels[0]}x{look.pixels[1]}"
            rows.append((str(look.level), tile, str(look.clauses), str(look.bounds), look.verdict))
        return rows

    def _counted(self) -> str:
        left, right, both = self.counts.values()
        return f"choices: {left} of the left side, {right} of the right, {both} open"

    def _choices(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("clause", "operation", "level", "side", "left", "right")]
        for each in self.choices[:SHOWN]:
            name, sides = f"_{each.clause:x}", (str(each.left), str(each.right))
            rows.append((name, each.operation, str(each.level), each.side, *sides))
        return rows

    def _choices_text(self) -> list[str]:
        more = len(self.choices) - SHOWN
        table = [text_table(self._choices())] if self.choices else []
        return [*table, f"... and {more} more"] if more > 0 else table


def _ends(ends: Ends) -> str:
    return "..".join(bounds_text(*ends))


def _in_full(bounds: Interval) -> str:
    """As text with all digits, since rounding is what they are compared for."""
    if bounds.is_empty:
        return str(bounds)
    return f"[{bounds.lower!r}, {bounds.upper!r}]{' or NaN' if bounds.maybe_nan else ''}"


def _lines(tape: Tape, most: int) -> list[str]:
    """The tape as text; of a long one the last lines, which end in the root."""
    first = max(0, len(tape) - most)
    lines = [tape.clause(i) for i in range(first, len(tape))]
    return [f"... ({first} more)", *lines] if first else lines


def _html(rows: Sequence[Sequence[str]]) -> str:
    def line(words: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}>{escape(word)}</{tag}>" for word in words)

    body = "".join(f"<tr>{line(words, 'td')}</tr>" for words in rows[1:])
    return f"<table><thead><tr>{line(rows[0], 'th')}</tr></thead><tbody>{body}</tbody></table>"


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else f"{value:g}"


def _sent(bounds: Interval) -> list[Any]:
    return [_number(bounds.lower), _number(bounds.upper), bounds.maybe_nan]


def _record(record: Look | Choice) -> dict[str, Any]:
    return {
        name: _sent(part) if isinstance(part, Interval) else part
        for name, part in record._asdict().items()
    }
