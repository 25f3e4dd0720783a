"""TrueType and OpenType fonts, read with HarfBuzz, as a ``Face``."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, Self

from intervalvm.arguments import brief, mapping, path_name
from intervalvm.errors import ArgumentTypeError, FileError, OptionError
from intervalvm.expr import Expr, absolute, maximum, minimum
from intervalvm.shapes import values as v
from intervalvm.shapes.text.harfbuzz import Contours, harfbuzz, is_rtl, shape
from intervalvm.shapes.text.layout import Metrics, Pen, Placed, Row, SetLine
from intervalvm.shapes.text.outline import Outline, outline
from intervalvm.shapes.text.outline_field import glyph_pen

NEEDED = {"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4, "cmap": 4}
"""Required tables, and their least sizes in bytes."""
OUTLINES = {"glyf", "CFF ", "CFF2"}
PLAIN = (b"\0\1\0\0", b"OTTO", b"true", b"ttcf")
"""First bytes of a font file and a collection."""
PACKED = (b"wOFF", b"wOF2")
"""First bytes of WOFF, versions 1 and 2."""
REACH = 0.3
FOLD = 64.0
"""The slope between lines in ``folded``."""
SLACK = 2.0**-10
"""How far the band of a line extends beyond its ink, in ems."""


class Font:
    """A font file: its outlines, shaped by HarfBuzz. Threads may share it.

    Quadratic outlines are exact; cubic ones are replaced by quadratic curves within 2^-11 em. There
    is no hinting. Simple scripts such as Latin have no ligatures. A pickle holds the path, and
    needs the unchanged file.

    Parameters
    ----------
    path : str or path-like
        A ``.ttf``, ``.otf``, ``.ttc`` or ``.woff`` file.
    number : int
        The font of a collection.
    location : dict of str to float, optional
        Values of a variable font's axes, such as ``{"wght": 700}``.

    Raises
    ------
    BackendError
        If HarfBuzz is not installed.
    FileError
        If the file cannot be read, is damaged or has no outlines.
    OptionError
        If the font has no such number or axis.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        number: int = 0,
        location: Mapping[str, float] | None = None,
    ) -> None:
        self.name = path_name(path)
        file = Path(self.name)
        try:
            data = file.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise FileError(f"cannot read the font {file}: {why}") from error
        self._number, self._crc = v.whole("number", number, 0), zlib.crc32(data)
        places = mapping("location", location, "{'wght': 700}")
        try:
            face = _checked_face(data, self._number, self.name)
            self._location = _checked_location(face, places, self.name)
        except UnicodeDecodeError as error:  # of the name of a table or an axis
            raise FileError(f"{self.name} is not a font that can be read: {error}") from error
        self._font = harfbuzz().Font(face)
        self._font.set_variations(self._location)
        self._contours = Contours(self._font, self.name)
        self._outlines: dict[int, Outline] = {}
        self.em = float(face.upem)
        extents = self._font.get_font_extents("ltr")
        self.ascent, self.descent = float(extents.ascender), float(extents.descender)
        leading = self.ascent - self.descent + float(extents.line_gap)
        self.leading = leading if leading > 0 else self.em
        self.overhang = 0.0
        self.reach = REACH * self.em

    def __repr__(self) -> str:
        number = f", number={self._number}" if self._number else ""
        location = f", location={self._location}" if self._location else ""
        return f"Font({self.name!r}{number}{location})"

    def __reduce__(self) -> tuple[Any, ...]:
        path = self.name
        with suppress(OSError):  # the working folder may be gone
            path = str(Path(path).absolute())
        return self._again, (path, self._number, self._location, self._crc)

    @classmethod
    def _again(cls, path: str, number: int, location: dict[str, float], crc: int) -> Self:
        """Unpickle; raises FileError if the file has changed."""
        font = cls(path, number=number, location=location)
        if font._crc != crc:
            raise FileError(f"{path} is not the file any more that the Font was made of")
        return font

    def missing(self, line: str) -> tuple[int, str] | None:
        """The place and text of the first character of a line without a glyph, or None."""
        lacking = [glyph.cluster for glyph in shape(self._font, line) if glyph.glyph == 0]
        if not lacking:
            return None
        at = min(lacking)
        while self._font.get_nominal_glyph(ord(line[at])) and at + 1 < len(line):
            at += 1  # to the mark, of a letter with marks
        return at, line[at]

    def set(self, line: str, tracking: float) -> SetLine:
        """The placed glyphs of a line, in font units; ``tracking`` is added between clusters."""
        placed = []
        at, last = 0.0, None
        for glyph in shape(self._font, line):
            if last not in (None, glyph.cluster):
                at += tracking
            last, stop = glyph.cluster, at + glyph.advance
            ink = bool(self.outline(glyph.glyph).spans)
            placed.append(Placed(glyph.glyph, at + glyph.dx, float(glyph.dy), at, stop, ink))
            at = stop
        to_left = is_rtl(line)
        return SetLine(placed, at if to_left else 0.0, to_left)

    def metrics(self, char: str) -> Metrics | None:
        """The metrics of a single character in font units; None if the font lacks it."""
        if self.missing(_one(char)) is not None:
            return None
        glyphs = shape(self._font, char)
        width = float(sum(glyph.advance for glyph in glyphs))
        return Metrics(0.0, width, 0.0, any(self.outline(glyph.glyph).spans for glyph in glyphs))

    def kerning(self, left: str, right: str) -> float:
        """The kerning of two characters in font units; 0 if the font lacks one."""
        pair = _one(left) + _one(right)
        if self.missing(pair) is not None:
            return 0.0
        kerned, plain = (
            sum(glyph.advance for glyph in shape(self._font, pair, kern=kern))
            for kern in (True, False)
        )
        return float(kerned - plain)

    def glyph(self, char: str) -> int | None:
        """The index of the nominal glyph of a character; None if the font lacks it."""
        found: int | None = self._font.get_nominal_glyph(ord(_one(char)))
        return found

    def outline(self, glyph: int) -> Outline:
        """The outline of a glyph in font units; a blank one has no spans.

        Raises FileError for a damaged glyph, OptionError for one of too many parts.
        """
        if glyph not in self._outlines:
            segments = self._contours.segments(glyph)
            try:
                self._outlines[glyph] = outline(segments, self.em)
            except OptionError as error:
                raise OptionError(f"glyph {glyph} of {self.name}: {error}") from None
        return self._outlines[glyph]

    def pens(self, x: Expr, y: Expr, unit: float, rows: Sequence[Row]) -> list[Pen]:
        """A pen for each row; pens of every other row share the curves of a glyph.

        The height over the baseline is *folded*: measured from the nearest of every other row (of
        every n-th if rows overlap). So the curves of a glyph, functions of that height, occur twice
        for any number of copies. A row is clipped to the band of its ink.
        """
        used = {(int(glyph.key), glyph.y) for row in rows for word in row.words for glyph in word}
        heights = [(h + up) * unit for key, up in used for h in self.outline(key).heights]
        middle, half = (max(heights) + min(heights)) / 2, (max(heights) - min(heights)) / 2
        lines = [row.baseline * unit for row in rows]
        nearest = min((a - b for a, b in pairwise(lines)), default=math.inf)
        count = min(len(lines), 1 + math.ceil(2 * half / nearest))
        folds = [folded(y, lines[start::count][::-1], middle) for start in range(count)]
        pens: dict[tuple[int, float, int], Callable[[float], Expr]] = {}

        def pen_for(row: int) -> Pen:
            band = absolute(y - (lines[row] + middle)) - (half + SLACK * self.em * unit)
            fold = row % count

            def pen(glyph: Placed) -> Expr:
                key = int(glyph.key), glyph.y, fold
                if key not in pens:
                    height = folds[fold] - glyph.y * unit if glyph.y else folds[fold]
                    pens[key] = glyph_pen(self.outline(key[0]), x, height, self.em, unit)
                return maximum(band, pens[key](glyph.x * unit))

            return pen

        return [pen_for(row) for row in range(len(rows))]


def folded(y: Expr, lines: Sequence[float], middle: float) -> Expr:
    """The height of y over the nearest of ``lines``, which ascend.

    Nearest is in the distance of y from ``middle`` above a line. Between two lines the function
    returns continuously, with the slope -``FOLD``.
    """
    if len(lines) == 1:
        return y - lines[0]
    half = len(lines) // 2
    turn = (lines[half - 1] + lines[half]) / 2 + middle * (1 + 1 / FOLD)
    back = (turn - y) * FOLD
    return maximum(minimum(folded(y, lines[:half], middle), back), folded(y, lines[half:], middle))


def _one(char: str) -> str:
    if not isinstance(char, str):
        raise ArgumentTypeError(f"a character is a str, not {type(char).__name__!r}")
    if len(char) != 1:
        raise OptionError(f"{char!r} is not one character")
    return char


def _unpacked(data: bytes, name: str) -> bytes:
    """The font file in a WOFF file, which HarfBuzz does not read."""
    from fontTools.ttLib import TTFont

    plain = io.BytesIO()
    try:
        font = TTFont(io.BytesIO(data), recalcBBoxes=False, recalcTimestamp=False)
        font.flavor = None
        font.save(plain, reorderTables=None)
    except Exception as error:  # of zlib, struct, fontTools; ImportError where brotli is not there
        raise FileError(
            f"{name} is packed for the web (WOFF) and cannot be unpacked: {error}; take the .ttf "
            "or .otf of that font"
        ) from error
    return plain.getvalue()


def _checked_face(data: bytes, number: int, name: str) -> Any:
    """A HarfBuzz face. HarfBuzz takes damaged tables for empty, so each is checked."""
    hb = harfbuzz()
    if data[:4] in PACKED:
        data = _unpacked(data, name)
    blob = hb.Blob(data)
    face = hb.Face(blob)
    if 0 < face.count <= number:
        raise OptionError(f"{name} has no font of the number {brief(number)}: it has {face.count}")
    if face.count:
        face = hb.Face(blob, number)
    sizes = {tag: len(face.reference_table(tag)) for tag in face.table_tags}
    short = [tag for tag, size in NEEDED.items() if sizes.get(tag, 0) < size]
    if not short:
        short = [tag for tag, size in _directory(data, number) if sizes.get(tag, 0) < size]
    if short or not face.glyph_count:
        why = f"{', '.join(short)} cut short or not there" if short else "it has no glyph"
        if not sizes and data[:4] not in PLAIN:
            why = "give a .ttf, .otf, .ttc or .woff file"
        raise FileError(f"{name} is not a font that can be read: {why}")
    if not any(sizes.get(tag) for tag in OUTLINES):
        raise FileError(f"{name} has no outlines, only bitmaps or nothing: take another font")
    (em,) = struct.unpack_from(">H", face.reference_table("head").data, 18)
    read = {
        "head": face.upem == em,
        "GPOS": face.has_layout_positioning,
        "GSUB": face.has_layout_substitution,
        "fvar": face.has_var_data,
    }
    for tag, is_read in read.items():
        if sizes.get(tag) and not is_read:
            raise FileError(f"{name} is damaged, in its table {tag}: take another font")
    return face


def _directory(data: bytes, number: int) -> Iterator[tuple[str, int]]:
    """The tables listed by a font file, and their sizes in bytes."""
    start = struct.unpack_from(">I", data, 12 + 4 * number)[0] if data[:4] == b"ttcf" else 0
    (count,) = struct.unpack_from(">H", data, start + 4)
    for at in range(start + 12, start + 12 + 16 * count, 16):
        tag, _, _, size = struct.unpack_from(">4sIII", data, at)
        yield tag.decode("latin-1"), size


def _checked_location(face: Any, location: Mapping[str, float], name: str) -> dict[str, float]:
    axes = {axis.tag: axis for axis in face.axis_infos}
    found = {}
    for tag, given in location.items():
        if tag not in axes:
            there = f"its axes are {', '.join(axes)}" if axes else "it is not a variable font"
            raise OptionError(f"{name} has no axis {tag!r}; {there}")
        low, high = axes[tag].min_value, axes[tag].max_value
        found[tag] = v.number(tag, given)
        if not low <= found[tag] <= high:
            raise OptionError(f"{tag} of {name} is {low:g} to {high:g}, not {given!r}")
    return found
