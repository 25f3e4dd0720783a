"""Text as a shape."""

from __future__ import annotations

import math
from os import PathLike
from typing import Literal, get_args

from intervalvm.errors import OptionError
from intervalvm.expr import Expr, minimum
from intervalvm.shapes.font import Font
from intervalvm.shapes.layout import Face, Row, Spacing, lay_out
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.stroke_font import StrokeFont
from intervalvm.shapes.tree import union

Align = Literal["left", "center", "right"]
VAlign = Literal["top", "middle", "baseline", "bottom"]


def text(
    string: str,
    /,
    *,
    size: float = 0.2,
    align: Align = "center",
    valign: VAlign = "middle",
    tracking: float = 0.0,
    leading: float | None = None,
    width: float | None = None,
    font: str | PathLike[str] | Font | None = None,
) -> Shape:
    """The glyphs of a string; "\\n" begins a new line.

    ``size`` is the em: the ascent of the font and its descent are about that together. ``align``
    puts the left end, the middle or the right end of each line at x = 0; ``valign`` puts at y = 0
    the top of the first line (the font's ascent), the middle, the first base line, or the bottom of
    the last line (the font's descent). ``tracking`` is added between glyphs, and ``leading`` is the
    distance of base lines; both are in ems, and the font's own leading is the default. With
    ``width``, lines are broken at spaces so as to be no wider, if no word is.

    ``font`` is a ``Font``, the path of one, or None for the package's own stroke font.

    The field is continuous and its sign is right; its value is no distance, but grows with it. Ends
    of lines are those of the ink in the stroke font, and those of the advance widths in others.

    Raises OptionError for a string without ink, for a glyph that the font lacks, and for numbers
    that are not finite or that must be above 0; what ``Font`` raises for a path.
    """
    if not isinstance(string, str):
        raise TypeError(f"a text is a str, not {type(string).__name__!r}")
    if not string.strip():
        raise OptionError("the text is empty: it has no shape")
    size = _number("size", size)
    _one_of("align", align, get_args(Align))
    _one_of("valign", valign, get_args(VAlign))
    face = _face(font)
    unit = size / face.em
    spacing = Spacing(
        align,
        valign,
        _number("tracking", tracking, above=-math.inf) * face.em,
        face.leading if leading is None else _number("leading", leading) * face.em,
        None if width is None else _number("width", width) / unit,
    )
    rows = lay_out(string, face, spacing)
    if not rows:
        raise OptionError(f"the text has no ink in {face.name}: it has no shape")
    return Shape(lambda x, y, _: _field(rows, face, unit, x, y))


def _field(rows: list[Row], face: Face, unit: float, x: Expr, y: Expr) -> Expr:
    """The union of all glyphs: a balanced tree of lines, words and glyphs.

    A word reaches only so far, so over a small region almost all of the text drops out in a few
    steps, also where values are asked for.
    """
    reach = float(f"{face.reach * unit:.6g}")
    pens = face.pens(x, y, unit, rows)
    return union(
        [
            union(
                [minimum(union([pen(char, at) for char, at in word]), reach) for word in row.words]
            )
            for row, pen in zip(rows, pens, strict=True)
        ]
    )


def _face(font: object) -> Face:
    if font is None:
        return StrokeFont()
    if isinstance(font, Font):
        return font
    if isinstance(font, (str, PathLike)):
        return Font(font)
    raise TypeError(f"a font is a path or a Font, not {type(font).__name__!r}")


def _number(name: str, value: float, *, above: float = 0.0) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > above):
        above_0 = " above 0" if above == 0 else ""
        raise OptionError(f"{name} must be a finite number{above_0}, not {value!r}")
    return number


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"no {name} {value!r}: choose one of {', '.join(choices)}")
