"""Small fonts made by the tests themselves, and where glyphs are by another way than ours.

The font of ``made`` has: ``O``, curves and a hole; ``T``, two bars that overlap; ``X``, crossing
bars; ``L``, a corner with level and upright edges; ``@``, an island in a hole; ``C``, a composite
of O (scaled) and T (moved); ``S``, a contour of off-curve points alone; ``_``, which has no ink.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.basePen import BasePen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EM = 1000
NAMES = {" ": "space", "_": "blank", "@": "at", **{c: c for c in "OTXLCSV"}}
ADVANCES = {"space": 300, "blank": 0, "O": 700, "T": 600, "X": 640, "L": 500, "at": 900, "C": 1200,
            "S": 600, "V": 500}  # fmt: skip
FEATURES = """
languagesystem DFLT dflt;
feature kern {
    pos T O -80;
    pos [O S] [T V] -40;
} kern;
"""


def oval(pen: Any, x: float, y: float, a: float, b: float, *, hole: bool = False) -> None:
    """Four quadratic curves, clockwise; anticlockwise for a hole."""
    corners = [(x - a, y), (x - a, y + b), (x, y + b), (x + a, y + b), (x + a, y), (x + a, y - b),
               (x, y - b), (x - a, y - b), (x - a, y)]  # fmt: skip
    points = corners[::-1] if hole else corners
    pen.moveTo(points[0])
    for control, point in zip(points[1::2], points[2::2], strict=True):
        pen.qCurveTo(control, point)
    pen.closePath()


def polygon(pen: Any, *points: tuple[float, float]) -> None:
    pen.moveTo(points[0])
    for point in points[1:]:
        pen.lineTo(point)
    pen.closePath()


def draw(name: str, pen: Any) -> None:
    if name == "O":
        oval(pen, 350, 350, 320, 360)
        oval(pen, 350, 350, 220, 250, hole=True)
    elif name == "T":
        polygon(pen, (20, 620), (20, 700), (580, 700), (580, 620))
        polygon(pen, (260, 0), (260, 680), (340, 680), (340, 0))
    elif name == "X":
        polygon(pen, (20, 0), (520, 700), (620, 700), (120, 0))
        polygon(pen, (520, 0), (20, 700), (120, 700), (620, 0))
    elif name == "L":
        polygon(pen, (60, 0), (60, 700), (160, 700), (160, 90), (460, 90), (460, 0))
    elif name == "at":
        oval(pen, 450, 300, 420, 400)
        oval(pen, 450, 300, 340, 330, hole=True)
        oval(pen, 450, 300, 200, 150)
    elif name == "C":
        pen.addComponent("O", (0.8, 0.1, 0, 0.8, 0, 20))
        pen.addComponent("T", (1, 0, 0, 1, 580, -50))
    elif name == "S":
        pen.qCurveTo((40, 40), (40, 600), (560, 600), (560, 40), None)
        pen.closePath()
    elif name == "V":
        polygon(pen, (0, 700), (100, 700), (250, 120), (400, 700), (500, 700), (300, 0), (200, 0))


def made(path: Any, *, kern: bool = True, variable: bool = False) -> str:
    """Write the TrueType font; returns its path."""
    names = [".notdef", *NAMES.values()]
    glyphs: dict[str, Any] = {}
    for name in names:
        pen = TTGlyphPen(glyphs)
        draw(name, pen)
        glyphs[name] = pen.glyph()
    builder = _builder(names, is_truetype=True)
    builder.setupGlyf(glyphs)
    _metrics(builder, names)
    if variable:
        builder.setupFvar([("wght", 400, 400, 700, "Weight")], [])
        builder.setupGvar({"L": [_wider_stem()]})
    if kern:
        addOpenTypeFeaturesFromString(builder.font, FEATURES)
    builder.save(path)
    return str(path)


def _wider_stem() -> Any:
    """At the heaviest, the stem of L is 100 wider."""
    from fontTools.ttLib.tables.TupleVariation import TupleVariation

    moves = [(0, 0)] * 2 + [(100, 0)] * 2 + [(0, 0)] * 6
    return TupleVariation({"wght": (0, 1, 1)}, moves)


def made_cubic(path: Any) -> str:
    """An OpenType font with cubic curves: a ring as O, and no other glyph."""
    names = [".notdef", "space", "O"]
    strings = {}
    for name in names:
        pen = T2CharStringPen(700, None)
        if name == "O":
            for radius, turn in ((340, 1), (240, -1)):
                k = 0.5523 * radius
                x, y = 350, 350
                pen.moveTo((x + radius, y))
                for dx, dy in ((1, 0), (0, turn), (-1, 0), (0, -turn)):
                    nx, ny = -dy * turn, dx * turn
                    pen.curveTo(
                        (x + radius * dx + k * nx, y + radius * dy + k * ny),
                        (x + radius * nx + k * dx, y + radius * ny + k * dy),
                        (x + radius * nx, y + radius * ny),
                    )
                pen.closePath()
        strings[name] = pen.getCharString()
    builder = _builder(names, is_truetype=False)
    builder.setupCFF("Rings", {"FullName": "Rings"}, strings, {})
    _metrics(builder, names)
    builder.save(path)
    return str(path)


def boxes(
    path: Any,
    chars: str,
    features: str = "",
    *,
    spare: int = 0,
    axis: bool = False,
    edit: Callable[[TTFont], object] = lambda font: None,
) -> str:
    """A font whose i-th character is a box of its own width, 100 + i, on an advance of 500.

    Glyphs are ``g0``, ``g1``, ...; ``spare`` more have no character. With ``axis`` it has weights
    from 400 to 900. ``edit`` has the last word.
    """
    names = [".notdef", *(f"g{i}" for i in range(len(chars) + spare))]
    glyphs: dict[str, Any] = {}
    for i, name in enumerate(names):
        pen = TTGlyphPen(glyphs)
        if name[1:] and not (name[1:].isdigit() and chars[int(name[1:]) :][:1] == " "):
            polygon(pen, (50, 0), (50, 700), (149 + i, 700), (149 + i, 0))
        glyphs[name] = pen.glyph()
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(char): f"g{i}" for i, char in enumerate(chars)})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200, lineGap=100)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    if axis:
        builder.setupFvar([("wght", 400, 400, 900, "Weight")], [])
        builder.setupGvar({})
    addOpenTypeFeaturesFromString(builder.font, features)
    edit(builder.font)
    builder.save(path)
    return str(path)


def raw_table(tag: str, data: bytes) -> Callable[[TTFont], None]:
    """Puts a table into a font as it stands."""

    def edit(font: TTFont) -> None:
        table = DefaultTable(tag)
        table.data = data
        font[tag] = table

    return edit


def kern_pairs(*pairs: tuple[int, int, int]) -> bytes:
    """The pairs of a subtable of ``kern``, format 0: left, right and value."""
    body = struct.pack(">HHHH", len(pairs), 0, 0, 0)
    return body + b"".join(struct.pack(">HHh", *pair) for pair in sorted(pairs))


def kern_table(*subtables: tuple[int, bytes]) -> bytes:
    """A ``kern`` table of OpenType: format and flags (0x0001: horizontal), and the body of each."""
    found = struct.pack(">HH", 0, len(subtables))
    for coverage, body in subtables:
        found += struct.pack(">HHH", 0, 6 + len(body), coverage) + body
    return found


def apple_kern_table(*subtables: tuple[int, bytes]) -> bytes:
    """A ``kern`` table of Apple: flags (0x8000: vertical) and format, and the body of each."""
    found = struct.pack(">II", 0x00010000, len(subtables))
    for coverage, body in subtables:
        found += struct.pack(">IHH", 8 + len(body), coverage, 0) + body
    return found


def kern_classes(left: int, right: int, value: int, header: int) -> bytes:
    """A subtable of ``kern``, format 2, for one pair; offsets count the header's bytes."""
    row, start = 4, header + 8  # two classes on the right: any other glyph, and this one
    array = start + 12
    classes = struct.pack(">HHH", left, 1, array + row) + struct.pack(">HHH", right, 1, 2)
    values = struct.pack(">4h", 0, 0, 0, value)
    return struct.pack(">HHHH", row, start, start + 6, array) + classes + values


def without(path: Any, *tables: str) -> bytes:
    """A font file but for some of its tables."""
    font = TTFont(path)
    for table in tables:
        del font[table]
    data = io.BytesIO()
    font.save(data)
    return data.getvalue()


def _builder(names: list[str], *, is_truetype: bool) -> FontBuilder:
    builder = FontBuilder(EM, isTTF=is_truetype)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): name for c, name in NAMES.items() if name in names})
    return builder


def _metrics(builder: FontBuilder, names: list[str]) -> None:
    outlines = builder.font.get("glyf", {})
    builder.setupHorizontalMetrics(
        {
            name: (ADVANCES.get(name, 500), getattr(outlines[name], "xMin", 0) if outlines else 0)
            for name in names
        }
    )
    builder.setupHorizontalHeader(ascent=800, descent=-200, lineGap=100)
    builder.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()


class _Rings(BasePen):
    """Contours as rings of many points."""

    STEPS = np.linspace(0, 1, 65)[1:, None]

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.rings: list[list[Any]] = []

    def _moveTo(self, point: Any) -> None:  # noqa: N802
        self.rings.append([point])

    def _lineTo(self, point: Any) -> None:  # noqa: N802
        self.rings[-1].append(point)

    def _qCurveToOne(self, *points: Any) -> None:  # noqa: N802
        start, control, point = np.array([self._getCurrentPoint(), *points], float)
        t = self.STEPS
        self.rings[-1].extend((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * point)

    def _curveToOne(self, *points: Any) -> None:  # noqa: N802
        start, a, b, point = np.array([self._getCurrentPoint(), *points], float)
        t = self.STEPS
        bends = 3 * t * (1 - t) ** 2 * a + 3 * t**2 * (1 - t) * b
        self.rings[-1].extend((1 - t) ** 3 * start + bends + t**3 * point)


def rings(path: str, char: str, location: dict[str, float] | None = None) -> list[NDArray[Any]]:
    """The contours of a glyph as fontTools draws them, each [n, 2] in font units."""
    font = TTFont(path)
    glyphs = font.getGlyphSet(location=location)
    pen = _Rings(glyphs)
    glyphs[font.getBestCmap()[ord(char)]].draw(pen)
    return [np.array(ring, float) for ring in pen.rings]


def filled(path: str, char: str, location: dict[str, float] | None = None) -> Any:
    """The inside of a glyph as a shapely geometry, by the non-zero winding rule.

    Contours are laid on each other, the largest first: one that runs as the largest does adds, one
    that runs the other way takes away. That is the rule where a hole lies in what it is cut from.
    """
    found = shapely.Polygon()
    polygons = [shapely.Polygon(ring) for ring in rings(path, char, location)]
    polygons.sort(key=lambda polygon: -polygon.area)
    for polygon in polygons:
        is_solid = polygon.exterior.is_ccw == polygons[0].exterior.is_ccw
        whole = polygon.buffer(0)
        found = found.union(whole) if is_solid else found.difference(whole)
    return found
