"""TrueType and OpenType fonts, read with fontTools, as a ``Face``."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

from intervalvm.arguments import mapping, path_name, real
from intervalvm.errors import BackendError, FileError, OptionError
from intervalvm.expr import Expr, absolute, maximum, minimum
from intervalvm.shapes.kerning import Kerning
from intervalvm.shapes.layout import SPACES, Metrics, Pen, Row
from intervalvm.shapes.outline import Outline, Point, Segment, outline
from intervalvm.shapes.outline_field import glyph_pen

NEEDED = ("head", "hhea", "maxp", "hmtx", "cmap")
"""Tables without which there is no text."""
CUBIC_TOLERANCE = 2.0**-11
"""How far the quadratic curves may lie from a cubic one, as a part of the em."""
REACH = 0.3
FOLD = 64.0
"""Slope of the way back from over one line to under the next: see ``folded``."""
SLACK = 2.0**-10
"""How far the band of a line goes beyond its ink, as a part of the em."""


class Font:
    """The outlines, advance widths and kerning of a font file: ``.ttf``, ``.otf``, ``.ttc``.

    ``number`` picks a font of a collection, and ``location`` a place among a variable font's axes,
    such as ``{"wght": 700}``. Quadratic outlines are taken as they are; cubic ones are replaced by
    quadratic curves no farther off than ``CUBIC_TOLERANCE`` of the em. Hinting is left out, and so
    are ligatures and other substitutions.

    Raises BackendError if fontTools is not installed, FileError for a file that cannot be read,
    that is no font or that has no outlines, and OptionError for a number or an axis it lacks.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        number: int = 0,
        location: Mapping[str, float] | None = None,
    ) -> None:
        self.name = path_name(path)
        self._tables = _read(Path(self.name), number)
        self._location = _checked(self._tables, dict(mapping("location", location)), self.name)
        self._glyphs = self._tables.getGlyphSet(location=self._location or None)
        self._names: dict[int, str] = self._tables.getBestCmap() or {}
        self._outlines: dict[str, Outline] = {}
        hhea = self._tables["hhea"]
        self.em = float(self._tables["head"].unitsPerEm)
        self.ascent, self.descent = float(hhea.ascent), float(hhea.descent)
        self.leading = self.ascent - self.descent + float(hhea.lineGap)
        self.overhang = 0.0
        self.reach = REACH * self.em

    def __repr__(self) -> str:
        return f"Font({self.name!r})"

    @cached_property
    def _kerning(self) -> Kerning:
        return Kerning(self._tables)

    def _name(self, char: str) -> str | None:
        found = self._names.get(ord(char))
        return self._names.get(ord(" ")) if found is None and char in SPACES else found

    def metrics(self, char: str) -> Metrics | None:
        name = self._name(char)
        if name is None:
            return None
        ink = bool(self.outline(char).spans)
        return Metrics(0.0, float(self._glyphs[name].width), 0.0, ink)

    def kerning(self, left: str, right: str) -> float:
        return self._kerning.between(self._name(left), self._name(right))

    def outline(self, char: str) -> Outline:
        """The outline of a character that the font has, in its units; without a span if blank."""
        name = self._name(char)
        assert name is not None, "checked by the layout"
        if name not in self._outlines:
            segments = _segments(self._glyphs, name, CUBIC_TOLERANCE * self.em)
            self._outlines[name] = outline(segments, self.em)
        return self._outlines[name]

    def pens(self, x: Expr, y: Expr, unit: float, rows: Sequence[Row]) -> list[Pen]:
        """Pens that share all that depends on y, between every other line.

        The height over the base line is *folded*: it is that over the nearest of every other line
        (of every n-th, where lines are set so tight that they overlap), so a glyph's curves are
        there twice however often it is drawn. Each line keeps to itself by a band around it.
        """
        used = {char for row in rows for word in row.words for char, _ in word}
        heights = [h * unit for char in used for h in self.outline(char).heights]
        middle, half = (max(heights) + min(heights)) / 2, (max(heights) - min(heights)) / 2
        lines = [row.baseline * unit for row in rows]
        nearest = min((a - b for a, b in pairwise(lines)), default=math.inf)
        count = min(len(lines), 1 + math.ceil(2 * half / nearest))
        folds = [folded(y, lines[start::count][::-1], middle) for start in range(count)]
        pens: dict[tuple[str, int], Callable[[float], Expr]] = {}

        def pen_for(row: int) -> Pen:
            band = absolute(y - (lines[row] + middle)) - (half + SLACK * self.em * unit)
            fold = row % count

            def pen(char: str, at: float) -> Expr:
                if (char, fold) not in pens:
                    found = self.outline(char)
                    pens[char, fold] = glyph_pen(found, x, folds[fold], self.em, unit)
                return maximum(band, pens[char, fold](at * unit))

            return pen

        return [pen_for(row) for row in range(len(rows))]


def folded(y: Expr, lines: Sequence[float], middle: float) -> Expr:
    """How far y lies over the nearest of ``lines``, which stand from the lowest up.

    Nearest is meant for a place that is ``middle`` over its line. Half way from one to the next the
    function goes back, continuously but steeply.
    """
    if len(lines) == 1:
        return y - lines[0]
    half = len(lines) // 2
    turn = (lines[half - 1] + lines[half]) / 2 + middle * (1 + 1 / FOLD)
    back = (turn - y) * FOLD
    return maximum(minimum(folded(y, lines[:half], middle), back), folded(y, lines[half:], middle))


def _read(path: Path, number: int) -> Any:
    try:
        from fontTools.ttLib import TTFont, TTLibFileIsCollectionError
    except ModuleNotFoundError as error:
        raise BackendError(
            "fonts are read with fontTools, which is not installed: pip install 'intervalvm[fonts]'"
        ) from error
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read the font {path}: {reason}") from error
    try:
        tables = TTFont(io.BytesIO(data), fontNumber=number, lazy=True)
        outlines = {"glyf", "CFF ", "CFF2"} & set(tables.keys())
        for tag in (*NEEDED, *outlines):
            tables[tag]
    except TTLibFileIsCollectionError as error:
        raise OptionError(f"{path} has no font of the number {number}") from error
    except Exception as error:  # fontTools raises whatever a damaged table leads to
        raise FileError(f"{path} is not a font that can be read: {error!r}") from error
    if not outlines:
        raise FileError(f"{path} has no outlines, only bitmaps or nothing: take another font")
    return tables


def _checked(tables: Any, location: dict[str, float], name: str) -> dict[str, float]:
    axes = {axis.axisTag: axis for axis in tables["fvar"].axes} if "fvar" in tables else {}
    for tag, value in location.items():
        if tag not in axes:
            there = ", ".join(axes) or "none: it is not variable"
            raise OptionError(f"{name} has no axis {tag!r}; its axes are {there}")
        low, high = axes[tag].minValue, axes[tag].maxValue
        if not low <= real(f"location[{tag!r}]", value) <= high:
            raise OptionError(f"{tag} of {name} is {low:g} to {high:g}, not {value!r}")
    return location


def _segments(glyphs: Any, name: str, tolerance: float) -> list[Segment]:
    """The closed contours of a glyph and its components, cubic curves replaced."""
    from fontTools.cu2qu import curve_to_quadratic
    from fontTools.pens.basePen import BasePen, decomposeQuadraticSegment

    found: list[Segment] = []

    class Collector(BasePen):  # type: ignore[misc]
        def _moveTo(self, point: Point) -> None:  # noqa: N802
            self.first = point

        def _lineTo(self, point: Point) -> None:  # noqa: N802
            found.append((self._getCurrentPoint(), point))

        def _qCurveToOne(self, control: Point, point: Point) -> None:  # noqa: N802
            found.append((self._getCurrentPoint(), control, point))

        def _curveToOne(self, *points: Point) -> None:  # noqa: N802
            start, *spline = curve_to_quadratic((self._getCurrentPoint(), *points), tolerance)
            for control, point in decomposeQuadraticSegment(spline):
                found.append((start, control, point))
                start = point

        def _closePath(self) -> None:  # noqa: N802
            if self._getCurrentPoint() != self.first:
                found.append((self._getCurrentPoint(), self.first))

        def _endPath(self) -> None:  # noqa: N802
            self._closePath()  # an open contour is filled as if it were closed

    glyphs[name].draw(Collector(glyphs))
    return found
