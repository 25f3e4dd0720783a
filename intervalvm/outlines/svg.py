"""SVG: a path for each part of an outline, in real units, with y upwards.

The numbers of a path are coordinates with y negated, which is exact. They have as many digits as a
thousandth of the tolerance needs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.checks import check_word, positive
from intervalvm.colours import Rgb, colour
from intervalvm.outlines.segments import Floats, Segments
from intervalvm.units import MM
from intervalvm.words import PlaneUnit

if TYPE_CHECKING:
    from intervalvm.outlines.outline import Outline


NOT_OF_CSS = {"um": (1e-3, "mm"), "m": (100, "cm"), "ft": (12, "in")}
"""What units that CSS does not have are in others."""
BLACK = 0, 0, 0
HAIRLINE_MM = 0.01
"""The width of a line that is to be cut: lasers cut what is at most 0.001 inches wide."""
FINER = 3
"""Digits beyond those of the tolerance."""
MOST_DIGITS = 15
WIDEST = math.tan(math.radians(120) / 4)
"""The largest bulge of an arc. Its height, found from the radius, is exact to the radius' digits;
near half a circle it would lose half of them."""
CLOSE = 1e-9
"""Relative errors of angles that do not count."""
SHOWN_PX = 480
"""The longer side of a picture in a notebook."""


class Style(NamedTuple):
    """Attributes of a path; a fill or a stroke without colour has the part's."""

    is_filled: bool
    fill: Rgb | None
    is_stroked: bool
    stroke: Rgb | None
    stroke_width: float

    def attributes(self, part: Rgb | None) -> str:
        """The text of the attributes."""
        words = f'fill="{hexadecimal(self.fill or part or BLACK) if self.is_filled else "none"}"'
        if self.is_filled:
            words += ' fill-rule="evenodd"'
        if self.is_stroked:
            width = _number(self.stroke_width)
            words += f' stroke="{hexadecimal(self.stroke or part or BLACK)}" stroke-width="{width}"'
        return words


def style_of(outline: Outline, hairline: float, fill: Any, stroke: Any, stroke_width: Any) -> Style:
    """Filled, unless a stroke or its width is given; open curves and several levels are lines.

    ``hairline`` is the width by default. Raises OptionError.
    """
    fill = None if fill is None else colour(fill, "fill")
    stroke = None if stroke is None else colour(stroke, "stroke")
    width = hairline
    if stroke_width is not None:
        width = positive("stroke_width", stroke_width)
    lines = not outline.is_closed.all() or len(np.unique(outline.levels)) > 1
    is_stroked = stroke is not None or stroke_width is not None or (lines and fill is None)
    return Style(fill is not None or not is_stroked, fill, is_stroked, stroke, width)


def svg(
    outline: Outline,
    *,
    unit: PlaneUnit = "mm",
    fill: Any = None,
    stroke: Any = None,
    stroke_width: Any = None,
) -> str:
    """The outline as the text of an SVG file. Raises as ``Outline.save`` does."""
    check_word("unit", unit, MM)
    style = style_of(outline, HAIRLINE_MM / MM[unit], fill, stroke, stroke_width)
    many, css = NOT_OF_CSS.get(unit, (1, unit))
    width, height = (f"{_number(side * many)}{css}" for side in _size(outline))
    return _document(outline, style, width, height)


def shown(outline: Outline) -> str:
    """The same as a picture of ``SHOWN_PX`` pixels."""
    size = _size(outline)
    pixel = max(size) / SHOWN_PX
    style = style_of(outline, pixel, None, None, None)
    width, height = (_number(round(side / pixel, 1)) for side in size)
    return _document(outline, style, width, height)


def _size(outline: Outline) -> tuple[float, float]:
    (x0, x1), (y0, y1) = outline.bounds
    return x1 - x0, y1 - y0


def _document(outline: Outline, style: Style, width: str, height: str) -> str:
    (x0, _), (_, y1) = outline.bounds
    box = " ".join(map(_number, (x0, -y1, *_size(outline))))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{box}">'
    ]
    for name, part in outline.layers.items():
        path = f'<path {style.attributes(part.colours[0] if part.colours else None)} d="'
        lines += [f'<g id="{name}">', f'{path}{_path(part)}"/>', "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _path(outline: Outline) -> str:
    """The commands of all curves."""
    digits = _digits(outline)
    if outline.bulges is not None:
        return _arcs(outline, digits)
    curves = (_lines(curve, digits) for curve in outline.curves)
    ends = ("Z" if is_closed else "" for is_closed in outline.is_closed.tolist())
    return "".join(f"M{line}{end}" for line, end in zip(curves, ends, strict=True) if line)


def _lines(curve: Floats, digits: int | None) -> str:
    """The points of a curve; those that rounding makes the same are one."""
    points = _rounded(curve, digits)
    points = points[np.append(True, (points[1:] != points[:-1]).any(1))]
    if (points[0] == points[-1]).all():
        points = points[:-1]
    return _numbers(points) if len(points) > 1 else ""


def _arcs(outline: Outline, digits: int | None) -> str:
    """The commands of curves with arcs, which are divided where they are wide."""
    bulge = np.abs(outline.segments.bulge)
    parts = np.ceil(np.arctan(bulge) / math.atan(WIDEST) - CLOSE).astype(np.intp)
    counts = np.where(_is_half(outline.segments), 1, np.maximum(parts, 1))
    exact = outline.segments.divided(counts)
    segments = Segments(_rounded(exact.start, digits), _rounded(exact.stop, digits), exact.bulge)
    radii = _radii(exact, segments, digits)
    commands = [
        f"L{_number(x)} {_number(y)}" if b == 0
        else f"A{_number(r)} {_number(r)} 0 0 {int(b < 0)} {_number(x)} {_number(y)}"
        for (x, y), r, b in zip(segments.stop.tolist(), radii, exact.bulge.tolist(), strict=True)
    ]  # fmt: skip
    stays = (segments.start == segments.stop).all(1)
    stops = np.cumsum(np.append(0, counts))[outline.first]
    text = ""
    for first, stop, is_closed in zip(
        stops[:-1].tolist(), stops[1:].tolist(), outline.is_closed.tolist(), strict=True
    ):
        end = stop - 1 if is_closed and exact.bulge[stop - 1] == 0 else stop
        drawn = "".join(commands[k] for k in range(first, end) if not stays[k])
        if drawn:
            x, y = map(_number, segments.start[first].tolist())
            text += f"M{x} {y}{drawn}{'Z' if is_closed else ''}"
    return text


def _is_half(segments: Segments) -> NDArray[np.bool_]:
    """Which arcs are half a circle: a radius too small for the chord is enlarged to fit it."""
    found: NDArray[np.bool_] = np.abs(np.abs(segments.bulge) - 1) < CLOSE
    return found


def _radii(exact: Segments, rounded: Segments, digits: int | None) -> list[float]:
    """The radii of arcs; those of half circles are no longer than half of the rounded chord."""
    radii, half = exact.radii(), np.hypot(*rounded.chord.T) / 2
    if digits is None:
        half = np.nextafter(half, 0)
    else:
        scale = 10.0**digits
        radii, half = np.round(radii, digits), np.maximum(np.floor(half * scale), 1.0) / scale
    found: list[float] = np.where(_is_half(exact), half, radii).tolist()
    return found


def _digits(outline: Outline) -> int | None:
    """The decimal places of coordinates; None for all digits of float64."""
    if outline.stats is None or not outline.stats.tolerance > 0:
        return None
    (x0, x1), (y0, y1) = outline.bounds
    largest = max(map(abs, (x0, x1, y0, y1)))
    digits = max(FINER - math.floor(math.log10(outline.stats.tolerance)), 0)
    return digits if digits + math.log10(largest or 1.0) < MOST_DIGITS else None


def _rounded(points: Floats, digits: int | None) -> Floats:
    """Points of the file, with y downwards."""
    turned = points * (1.0, -1.0) + 0.0  # + 0.0: no -0
    return turned if digits is None else np.round(turned, digits) + 0.0


def _numbers(points: Floats) -> str:
    """Coordinates as text: the shortest that reads as the same float64."""
    return (" ".join(map(repr, points.ravel().tolist())) + " ").replace(".0 ", " ")[:-1]


def _number(value: float) -> str:
    return repr(value + 0.0).removesuffix(".0")


def hexadecimal(rgb: Rgb) -> str:
    """A colour as "#cc8844"."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)
