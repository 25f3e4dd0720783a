"""HarfBuzz: the glyphs of a line with their positions, and the contours of a glyph.

A line is cut into runs of one script and direction. A line with left-to-right and right-to-left
letters is refused: its order depends on the nesting, which a short text does not determine.
Numbers run left to right in every line.

Contours have quadratic curves for cubic ones. HarfBuzz silently leaves out what it cannot draw. So
the result is compared with the font's tables, and an incomplete glyph raises FileError.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Any
from unicodedata import bidirectional

import numpy as np

from intervalvm.errors import BackendError, FileError, OptionError, install_line
from intervalvm.shapes.text.outline import Point, Segment

TO_LEFT = {"R", "AL"}
"""Right-to-left classes of UAX 9, "Unicode bidirectional algorithm"."""
EXPLICIT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Classes of explicit directional formatting."""
SIMPLE = {"Latn", "Grek", "Cyrl", "Armn", "Geor", "Hani", "Hira", "Kana", "Bopo"}
"""Scripts in which ligatures are optional: they are switched off."""
NO_LIGATURES = {"liga": False, "clig": False, "calt": False}
NUMBERS = re.compile("(?:t*E(?:[sc]?E)*t*|A(?:c?A)*)+")
"""A number by the classes of its characters: rules W4 to W7 of UAX 9 in a right-to-left line. E and
A are digits, s and c separators, t terminators such as the percent sign."""
CLASSES = {"EN": "E", "AN": "A", "ES": "s", "CS": "c", "ET": "t"}
CUBIC_TOLERANCE = 2.0**-11
"""The largest distance of the quadratic curves from a cubic one, in ems."""
FARTHEST = 2.0**20
"""A bound on coordinates in font units; a file holds numbers up to 2^15."""
DEEPEST = 64
"""Levels of components in components."""
MORE, WORDS = 0x20, 0x01
"""Flags of a component, as in the OpenType specification, "glyf: glyph data": another one follows;
its offset is in words, not bytes."""
SCALES = {0x08: 2, 0x40: 4, 0x80: 8}
"""Flags of a scaled component, and the bytes of the scale."""


def harfbuzz() -> Any:
    """uharfbuzz. Raises BackendError if it or fontTools is not installed."""
    try:
        import fontTools.cu2qu  # noqa: F401
        import uharfbuzz
    except ModuleNotFoundError as error:
        raise BackendError(
            "fonts are read with uharfbuzz and fontTools, and one is not installed: "
            + install_line("fonts")
        ) from error
    return uharfbuzz


@dataclass(frozen=True, slots=True)
class Shaped:
    """A glyph: its index, offset and advance, and the index of its first character in the line."""

    glyph: int
    dx: int
    dy: int
    advance: int
    cluster: int


def is_rtl(line: str) -> bool:
    """Whether a line is right-to-left. Raises OptionError for a line of both directions."""
    classes = {bidirectional(char) for char in line}
    if classes & EXPLICIT or (classes & TO_LEFT and "L" in classes):
        raise OptionError(
            f"{line!r} runs both to the right and to the left, and the order of its parts is not "
            "known: make a text of each direction, without marks of direction, and move them"
        )
    return bool(classes & TO_LEFT)


def shape(font: Any, line: str, **features: bool) -> list[Shaped]:
    """The glyphs of a line from left to right.

    In a right-to-left line each run is placed before the earlier ones, but a run that continues a
    number, in digits of another script, after the number so far.
    """
    hb, to_left = harfbuzz(), is_rtl(line)
    found: list[Shaped] = []
    number = 0  # glyphs so far of the current number in a right-to-left line
    for start, stop, script, is_number in _runs(line, to_left):
        buffer = hb.Buffer()
        buffer.add_str(line, start, stop - start)  # with its context
        buffer.script, buffer.direction = script, "rtl" if to_left and not is_number else "ltr"
        buffer.language = "und"  # not that of the process
        hb.shape(font, buffer, features | (NO_LIGATURES if script in SIMPLE else {}))
        run = [
            Shaped(info.codepoint, at.x_offset, at.y_offset, at.x_advance, info.cluster)
            for info, at in zip(buffer.glyph_infos, buffer.glyph_positions or [], strict=True)
        ]
        at = (number if is_number else 0) if to_left else len(found)
        found[at:at] = run
        number = at + len(run) if is_number else 0
    return found


def _runs(line: str, to_left: bool) -> Iterator[tuple[int, int, str, bool]]:
    """Start, stop and script of each run, and whether it is a number in a right-to-left line."""
    numbers = _numbers(line) if to_left else [False] * len(line)
    start = 0
    for (script, is_number), run in groupby(zip(_scripts(line), numbers, strict=True)):
        stop = start + len([*run])
        yield start, stop, script, is_number
        start = stop


def _scripts(line: str) -> list[str]:
    """The script of each character; that of marks and spaces is the preceding letter's, or else the
    first letter's."""
    found = [_script(char) for char in line]
    last = next((script for script in found if script), "Latn")
    scripts = []
    for script in found:
        last = script or last
        scripts.append(last)
    return scripts


@lru_cache(4096)
def _script(char: str) -> str | None:
    buffer = harfbuzz().Buffer()
    buffer.language = "und"
    buffer.add_str(char)
    buffer.guess_segment_properties()
    script: str | None = buffer.script
    return script


def _numbers(line: str) -> list[bool]:
    """Which characters of a right-to-left line belong to numbers."""
    classes: list[str] = []
    last, letter = "o", ""
    for char in line:
        kind = bidirectional(char)
        if kind in TO_LEFT:
            letter = kind
        if kind not in ("NSM", "BN"):  # which take the class before them
            last = "A" if kind == "EN" and letter == "AL" else CLASSES.get(kind, "o")
        classes.append(last)
    found = [False] * len(line)
    for match in NUMBERS.finditer("".join(classes)):
        found[match.start() : match.end()] = [True] * len(match.group())
    return found


class Contours:
    """The contours of the glyphs of a HarfBuzz font; ``name`` appears in errors."""

    def __init__(self, font: Any, name: str) -> None:
        self._font, self._name = font, name
        tables = font.face
        self._parts = Parts(tables) if {"glyf", "loca"} <= set(tables.table_tags) else None

    def segments(self, glyph: int) -> list[Segment]:
        """The closed contours of a glyph. Raises FileError if HarfBuzz cannot draw it whole."""
        pen = _Pen()
        self._font.draw_glyph_with_pen(glyph, pen)
        self._check(glyph, pen)
        tolerance = CUBIC_TOLERANCE * self._font.face.upem
        found: list[Segment] = []
        for (first,), *rest in pen.contours:
            at = first
            for points in rest:
                match points:
                    case (end,):
                        found.append((at, end))
                    case control, end:
                        found.append((at, control, end))
                    case _:
                        found += _quadratic((at, *points), tolerance)
                at = points[-1]
            if at != first:
                found.append((at, first))
        return found

    def _check(self, glyph: int, pen: _Pen) -> None:
        points = [point for contour in pen.contours for part in contour for point in part]
        if not all(abs(x) < FARTHEST and abs(y) < FARTHEST for x, y in points):
            raise self._damaged(glyph, "it has a point that is too far away")
        if self._font.get_glyph_extents(glyph) is None:
            raise self._damaged(glyph, "its outline cannot be read")
        if self._parts is not None:
            try:
                has_contours = self._parts.have_contours(glyph)
            except (struct.error, IndexError) as error:
                raise self._damaged(glyph, "it is not whole") from error
            except RecursionError as error:
                raise self._damaged(glyph, "it is a part of itself, or of too many") from error
            if has_contours and not pen.contours:
                raise self._damaged(glyph, "its outline cannot be read, or it has too many parts")

    def _damaged(self, glyph: int, why: str) -> FileError:
        return FileError(f"{self._name} is damaged, in glyph {glyph}: {why}; take another font")


def _quadratic(cubic: tuple[Point, ...], tolerance: float) -> list[Segment]:
    from fontTools.cu2qu import curve_to_quadratic

    start, *controls, stop = curve_to_quadratic(cubic, tolerance)
    # they meet half way from one control point to the next, as TrueType has it
    joints = (((a + c) / 2, (b + d) / 2) for (a, b), (c, d) in pairwise(controls))
    ends = [start, *joints, stop]
    return [*zip(ends[:-1], controls, ends[1:], strict=True)]


class _Pen:
    """Records each contour: its first point, then the points of its lines and curves.

    It never raises: HarfBuzz would ignore that.
    """

    def __init__(self) -> None:
        self.contours: list[list[tuple[Point, ...]]] = []

    def moveTo(self, point: Point) -> None:  # noqa: N802
        self.contours.append([(point,)])

    def lineTo(self, *points: Point) -> None:  # noqa: N802
        self.contours[-1].append(points)

    qCurveTo = curveTo = lineTo  # noqa: N815

    def closePath(self) -> None:  # noqa: N802
        pass


class Parts:
    """The components of glyphs in the table ``glyf``. Raises struct.error or IndexError if it is
    truncated, and RecursionError for a cycle."""

    def __init__(self, face: Any) -> None:
        (is_long,) = struct.unpack_from(">h", face.reference_table("head").data, 50)
        size, unit = (4, 1) if is_long else (2, 2)
        loca = face.reference_table("loca").data
        places = np.frombuffer(loca[: len(loca) // size * size], f">u{size}")
        self._places = places.astype(np.int64) * unit
        self._data: bytes = face.reference_table("glyf").data
        self._known: dict[int, bool] = {}

    def have_contours(self, glyph: int, level: int = 0) -> bool:
        """Whether a glyph or one of its components has contours."""
        if glyph not in self._known:
            if level > DEEPEST:
                raise RecursionError
            own, parts = self._read(glyph)
            inked = [self.have_contours(part, level + 1) for part in parts]
            self._known[glyph] = own > 0 or any(inked)
        return self._known[glyph]

    def _read(self, glyph: int) -> tuple[int, list[int]]:
        """The number of a glyph's own contours, and its components."""
        data = self._data[self._places[glyph] : self._places[glyph + 1]]
        if not data:
            return 0, []
        (own,) = struct.unpack_from(">h", data)
        if own >= 0:
            return own, []
        found = []
        at, flags = 10, MORE
        while flags & MORE:
            flags, part = struct.unpack_from(">HH", data, at)
            found.append(part)
            at += 8 if flags & WORDS else 6
            at += next((size for flag, size in SCALES.items() if flags & flag), 0)
        return 0, found
