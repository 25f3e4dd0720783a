"""``fit``: few lines and arcs along outlines of many points, proven by bounds of the field.

Points of the outline are on the edge of the shape, so lines and arcs between some of them are
fitted to those that they skip:

1. Corners are points where the outline turns by more than a smooth curve sampled to the tolerance.
2. A closed curve without corners whose points are on a circle becomes two half circles.
3. Between corners each piece in turn gets as many points as fit (``longest``): all curves at once,
   in parts of ``CHUNK`` points, which are joined afterwards where that fits as well.
4. Pieces that bounds of the field do not prove (``proofs``) are halved, down to lines between
   neighbours in the outline. What is still not proven is counted.
5. Pieces that may touch others (``crossings``) give way to the outline's own lines.

The bulge of an arc through p and q that also passes s is tan(w / 2), where w is the angle from
s - p to q - s. Moved along its normal there by d, it changes by d h (1 + b^2) / (|s - p| |q - s|),
h being half the chord. So each skipped point bounds the bulge, and of the bulges that all allow the
piece gets the one that is best by least squares, or 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from intervalvm.outlines.pieces import Floats
from intervalvm.outlines.proofs import Field, Mask, prove

FIT = 0.5
"""How far points may be from a piece, in tolerances: the rest is for the edge between them."""
CORNER = 0.25
"""The turn, in radians, below which no point is a corner."""
SHARP = 32.0
"""Where shorter side times turn is above so many tolerances, it is one: eight times that at which
the sagitta of a smooth curve were the tolerance."""
ALONE = 3.0
"""And where it turns so much more than its neighbours."""
CHUNK = 256
MOST_BULGE = 1.5
"""Arcs are of at most 225 degrees: half circles with room for points beside them."""


@dataclass(frozen=True)
class FitReport:
    """What was fitted.

    ``lines``, ``arcs`` and ``circles`` are counts, circles being curves that are not among the
    arcs. ``proven`` and ``unproven`` count pieces, a circle having two. ``kept`` counts pieces that
    were given up since they came too near to others, ``parts`` what bounds were asked about.
    ``is_proven`` has for each curve bool[k - 1], its pieces.
    """

    lines: int
    arcs: int
    circles: int
    proven: int
    unproven: int
    kept: int
    parts: int
    is_proven: tuple[Mask, ...]


Fitted = tuple[tuple[Floats, ...], tuple[Floats, ...]]
"""Of each curve the vertices float64[k, 2], the first repeated, and the bulges float64[k - 1]."""


def fit(curves: Sequence[Floats], field: Field, tolerance: float) -> tuple[Fitted, FitReport]:
    """Lines and arcs along curves.

    Parameters
    ----------
    curves : sequence of float64[n, 2]
        Points on the edge of the shape, which is to the left, corners among them. A closed curve
        ends with its first point. Points and the lines between them are on the edge to the
        tolerance; the closer, the fewer are the pieces.
    field : Field
        The real field, below 0 in the shape.
    tolerance : float
        Each point of a proven piece has a point of the edge within this distance; where no end of a
        piece is as near, the edge within this distance is a graph over the piece: see ``proofs``.
        Each point of a curve is within it of the fitted curve.

    Returns
    -------
    fitted : tuple of (vertices, bulges)
        Of each curve, in order. All vertices but those of circles are points of the curve. Curves
        cross neither each other nor themselves if those given do not. At joints that are no corners
        tangents differ by no more than the tolerance asks for, but they differ.
    report : FitReport
    """
    outline = Outline.of(curves)
    corner = _corners(outline, tolerance)
    asked = 0
    circle, pieces = _circles(outline, corner, FIT * tolerance)
    if len(circle):
        after = np.arange(len(pieces)) ^ 1
        proof = prove(pieces, after, np.arange(len(pieces)), field, tolerance)
        asked += proof.parts
        raise NotImplementedError
    return None
