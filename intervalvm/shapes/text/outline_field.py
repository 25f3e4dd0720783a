"""Outlines of glyphs as fields: from ``outline`` to expressions.

A chain is x = F(y), with the predicate x - F(y) < 0. F depends on y alone, so it is evaluated once
for a row of pixels, and bounds of x - F(y) are exact: a tile is ambiguous only if the curve crosses
it. All copies of a glyph on a line share F. Where pieces or slabs meet, the field is continuous and
the set has no seam.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from intervalvm.expr import Expr, constant, maximum, minimum, sqrt, square
from intervalvm.shapes.base import balanced
from intervalvm.shapes.text.outline import Chain, Outline, Piece
from intervalvm.shapes.values import clamp

BENT = 1 / 64
"""A coordinate whose curvature is below this part of its run counts as nearly linear."""
STEEP = 4096.0
"""Slope dx/dy of the line between two pieces of a chain, above that of all but flat curves."""
OVERLAP = 2.0**-20
"""Overlap of the slabs at a cut, in ems: more than the float32 rounding error of a height."""


@dataclass(frozen=True, slots=True)
class Curve:
    """x = ``offset`` + ``value``, or ``offset`` - ``value`` if ``sign`` is -1."""

    value: Expr
    offset: float
    sign: int = 1

    def expr(self) -> Expr:
        if self.sign < 0:
            return self.offset - self.value
        return self.value + self.offset if self.offset else self.value

    def passed(self, x: Expr) -> Expr:
        """The distance of ``x`` to the right of the curve, plus the offset."""
        return x - self.value if self.sign > 0 else x + self.value


def piece_curve(
    piece: Piece, y: Expr, unit: float, ends: tuple[float, float] | None = None
) -> Curve:
    """A piece scaled by ``unit``, as a function of the height ``y``.

    y(t) and x(t) are quadratic: t = (s - b) / a with a square root s, and x = a' (t + c)^2 + d. So
    y occurs once, and bounds on x are exact. For small a or a' those cancel, and other forms are
    used: t = e / (b + sqrt(b*b + a*e)) and x = t (a' t + 2 b').

    The function is constant beyond the heights ``ends``, by default the ends of the piece; then a
    straight piece is extended.
    """
    x0, y0 = piece.x0 * unit, piece.y0 * unit
    low, high = (end * unit for end in ends or (piece.y0, piece.y2))
    ax, ay = (a * unit for a in piece.bend)
    bx, by = (piece.x1 - piece.x0) * unit, (piece.y1 - piece.y0) * unit
    if piece.is_straight:
        slope = bx / by
        level = clamp(y, low, high) if ends else y
        return Curve(level * slope if slope else constant(0.0), x0 - slope * y0)
    if abs(ay) <= BENT * 2 * by:
        up = clamp(y - y0, low - y0, high - y0)
        root, scale, shift = up / (sqrt(up * ay + by * by) + by), 1.0, 0.0
    else:
        top = y0 - by * by / ay  # the vertex of y(t)
        sides = sorted((abs(low - top), abs(high - top)))
        root = sqrt(clamp(y - top if ay > 0 else top - y, *sides))
        scale, shift = math.copysign(abs(ay) ** -0.5, ay), -by / ay
    # t = root * scale + shift
    if abs(ax) <= BENT * abs(2 * bx + ax):
        t = root if scale == 1 else root * scale
        t = t + shift if shift else t
        return Curve(t * (t * ax + 2 * bx) if ax else t * (2 * bx), x0)
    size = abs(ax) ** 0.5
    squared = square(root * (size * scale) + size * (shift + bx / ax))
    return Curve(squared, x0 - bx * bx / ax, 1 if ax > 0 else -1)


def chain_curve(chain: Chain, y: Expr, unit: float) -> Curve:
    """The pieces of a chain, joined to one function.

    Each piece is constant beyond its ends and monotone between them. At a local maximum of x the
    two parts are joined by ``min``, at a minimum by ``max``. Where x is monotone through the joint,
    the upper part is first clipped by a steep line through it. So a part above a joint is pruned
    below it, and bounds of a tile with the joint are not widened.
    """
    count = len(chain.pieces)
    if count == 1:
        return piece_curve(chain.pieces[0], y, unit)
    heights = [chain.pieces[0].y0, *chain.joints, chain.pieces[-1].y2]
    places = [piece.x_at(height) for piece, height in zip(chain.pieces, heights, strict=False)]
    places.append(chain.pieces[-1].x2)

    def joined(start: int, stop: int) -> Expr:
        if stop - start == 1:
            ends = heights[start], heights[stop]
            return piece_curve(chain.pieces[start], y, unit, ends).expr()
        for i in sorted(range(start + 1, stop), key=lambda i: abs(2 * i - start - stop)):
            under, x, over = places[start:i], places[i], places[i + 1 : stop + 1]
            rises = {min(under) >= x: -1, max(under) <= x: 1}.get(True, 0)
            goes_on = {max(over) <= x: -1, min(over) >= x: 1}.get(True, 0)
            if rises and goes_on:
                break
        lower, upper = joined(start, i), joined(i, stop)
        if not (rises and goes_on):
            return lower + (upper - x * unit)
        if rises == goes_on:
            steep = STEEP * rises
            side = y * steep + (x - steep * heights[i]) * unit
            upper = minimum(upper, side) if rises > 0 else maximum(upper, side)
        return maximum(lower, upper) if goes_on > 0 else minimum(lower, upper)

    return Curve(joined(0, count), 0.0)


Pen = Callable[[float], Expr]
"""The field of a glyph whose origin is at the given x."""


def glyph_pen(outline: Outline, x: Expr, y: Expr, em: float, unit: float) -> Pen:
    """A function that draws copies of an outline, scaled by ``unit``, on the baseline ``y = 0``.

    The field is negative inside and continuous; its value is a distance along x or y.
    """
    curves = [chain_curve(chain, y, unit) for chain in outline.chains]
    passed = [curve.passed(x) for curve in curves]
    overlap = OVERLAP * em * unit
    cuts = [(h * unit - overlap - y, y - h * unit) for h in outline.heights]

    def pen(at: float) -> Expr:
        places = [curve.offset + at for curve in curves]
        lefts = {i: places[i] - passed[i] for row in outline.spans for i, _ in row}
        rights = {i: passed[i] - places[i] for row in outline.spans for _, i in row}
        rows = [
            balanced(minimum, [maximum(lefts[left], rights[right]) for left, right in row])
            if row
            else None
            for row in outline.spans
        ]
        found = _slabs([None, *rows, None], cuts)
        assert found is not None, "an outline without an inside has no pen"
        return found

    return pen


def _slabs(rows: Sequence[Expr | None], cuts: Sequence[tuple[Expr, Expr]]) -> Expr | None:
    """The union of ``rows``, ascending, between ``cuts``: pairs of the height below and above one.

    Slabs overlap by ``OVERLAP``, so that there is no seam. None is an empty row.
    """
    if len(rows) == 1:
        return rows[0]
    middle = len(rows) // 2
    over, under = cuts[middle - 1]
    lower, upper = _slabs(rows[:middle], cuts[: middle - 1]), _slabs(rows[middle:], cuts[middle:])
    if lower is None:
        return None if upper is None else maximum(over, upper)
    if upper is None:
        return maximum(under, lower)
    return minimum(maximum(over, upper), maximum(under, lower))
