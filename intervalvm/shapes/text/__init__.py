"""Text as a shape."""

from __future__ import annotations

from functools import partial
from os import PathLike
from typing import Literal, get_args

from intervalvm.checks import check_word
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.expr import Expr, minimum
from intervalvm.hints import hinted
from intervalvm.memory import no_search_for_cycles
from intervalvm.shapes import values as v
from intervalvm.shapes.base import balanced
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.text.font import Font
from intervalvm.shapes.text.layout import SPACES, Face, Row, Spacing, lay_out
from intervalvm.shapes.text.stroke_font import StrokeFont

Align = Literal["left", "center", "right"]
VAlign = Literal["top", "middle", "baseline", "bottom"]
MOST_EMS = 1e9
LEAST_SIZE = 1e-30


@hinted
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
    """The glyphs of a string; ``"\\n"`` begins a new line.

    Parameters
    ----------
    string : str
    size : float
        The em, about the ascent plus the descent.
    align : {"left", "center", "right"}
        The part of each line at x = 0. Lines of the package's font end at their ink, those of other
        fonts at their advance widths.
    valign : {"top", "middle", "baseline", "bottom"}
        The part at y = 0: the ascent of the first line, the middle, the first baseline, or the
        descent of the last line.
    tracking : float
        Extra space between glyphs, in ems.
    leading : float, optional
        The distance of baselines, in ems; by default the font's.
    width : float, optional
        Lines are wrapped at spaces to this width; a longer word has its own line.
    font : str, path-like or Font, optional
        By default the package's own font.

    Raises
    ------
    OptionError
        For a text without ink, a character without a glyph, a line of both directions, or a number
        out of range.
    FileError
        For a damaged glyph; a path also raises what ``Font`` does.

    Notes
    -----
    Formula: derived in the modules ``strokes`` and ``outline_field`` of ``intervalvm.shapes.text``.
    Field: the sign; beside it, a length that grows with the distance up to about a third of the em,
    and stays there.
    """
    if not isinstance(string, str):
        raise ArgumentTypeError(f"a text is a str, not {type(string).__name__!r}")
    if not string.strip(SPACES + "\n"):
        raise OptionError("the text is empty: it has no shape")
    for name, word, words in ("align", align, Align), ("valign", valign, VAlign):
        check_word(name, word, get_args(words))
    em = v.number("size", v.positive("size", size))
    if em < LEAST_SIZE:
        raise OptionError(f"size={size!r} is too small for a glyph: give at least {LEAST_SIZE:g}")
    face = _face(font)
    spacing = Spacing(
        align,
        valign,
        tracking=_ems("tracking", tracking) * face.em,
        leading=face.leading if leading is None else _size("leading", leading) * face.em,
        width=None if width is None else _size("width", width, em) * face.em,
    )
    rows = lay_out(string, face, spacing)
    if not rows:
        raise OptionError(f"the text has no ink in {face.name}: it has no shape")
    return Shape._of(lambda x, y, _: _field(rows, face, em / face.em, x, y))


@no_search_for_cycles()
def _field(rows: list[Row], face: Face, unit: float, x: Expr, y: Expr) -> Expr:
    """The union of all glyphs: a balanced tree of lines, words and glyphs.

    The field of a word is constant beyond ``reach``, so a small region prunes other words even for
    values.
    """
    reach = float(f"{face.reach * unit:.6g}")
    union = partial(balanced, minimum)
    return union(
        [
            union([minimum(union([pen(glyph) for glyph in word]), reach) for word in row.words])
            for row, pen in zip(rows, face.pens(x, y, unit, rows), strict=True)
        ]
    )


def _face(font: object) -> Face:
    if font is None:
        return StrokeFont()
    if isinstance(font, Font):
        return font
    if isinstance(font, (str, PathLike)):
        return Font(font)
    raise ArgumentTypeError(f"a font is a path or a Font, not {type(font).__name__!r}")


def _size(name: str, given: float, unit: float = 1.0) -> float:
    return _ems(name, v.number(name, v.positive(name, given)) / unit)


def _ems(name: str, given: float) -> float:
    """A number of ems in range."""
    ems = v.number(name, given)
    if abs(ems) > MOST_EMS:
        raise OptionError(f"{name} is {ems:g} ems: give at most {MOST_EMS:g}")
    return ems
