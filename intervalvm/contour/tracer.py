"""The tracer: from a field and a region to its curves."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.contour.chains import Loops, loops
from intervalvm.contour.field import Array, Field
from intervalvm.contour.quadtree import Leaves, Start, Tally, Watch, leaves_of


class Traced(NamedTuple):
    curves: list[Array]
    leaves: Leaves
    tally: Tally


def trace(field: Field, frame: Frame, tolerance: float, finest: int, start: Start, watch: Watch) -> Traced:
    tally = Tally()
    leaves, crossings = leaves_of(field, frame, tolerance, finest, start, tally, watch)
    found = loops(leaves, crossings)
    return Traced(curves_of(found), leaves, tally)


def curves_of(found: Loops) -> list[Array]:
    """float64[n, 2] each; the first point of a closed curve is repeated last."""
    points = np.ascontiguousarray(found.points.T)
    ends = np.append(found.starts[1:], len(points))
    curves = []
    for start, end, closed in zip(
        found.starts.tolist(), ends.tolist(), found.is_closed.tolist(), strict=True
    ):
        part = points[start:end]
        curves.append(np.concatenate([part, part[:1]]) if closed else part)
    return curves
