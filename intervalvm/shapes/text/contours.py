"""The contours of a font's glyphs, drawn by HarfBuzz, with quadratic curves for cubic ones.

HarfBuzz silently leaves out what it cannot draw. So the result is compared with the font's tables,
and an incomplete glyph raises FileError.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from intervalvm.errors import FileError
from intervalvm.shapes.text.outline import Point, Segment

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


class Contours:
    """The contours of the glyphs of a HarfBuzz font; ``name`` appears in errors."""

    def __init__(self, font: Any, name: str) -> None:
        self._font, self._name = font, name
        tables = font.face
        self._parts = Parts(tables) if {"glyf", "loca"} <= set(tables.table_tags) else None

    def segments(self, glyph: int) -> list[Segment]:
        """The closed contours of a glyph, one after the other.

        Raises FileError for a glyph that HarfBuzz cannot draw whole.
        """
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
    found: list[Segment] = []
    for control, after in zip(controls, [*controls[1:], None], strict=True):
        # half way from one control point to the next, as TrueType has it
        end = stop if after is None else ((control[0] + after[0]) / 2, (control[1] + after[1]) / 2)
        found.append((start, control, end))
        start = end
    return found


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
