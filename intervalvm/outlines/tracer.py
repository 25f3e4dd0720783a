"""The tracer: from a field and a region to its curves."""

from __future__ import annotations

from typing import NamedTuple

from intervalvm.cells.frame import Frame
from intervalvm.outlines.bends import SHARE
from intervalvm.outlines.chains import loops
from intervalvm.outlines.field import Array, Field
from intervalvm.outlines.merging import merged
from intervalvm.outlines.quadtree import Leaves, Tally, Watch, leaves_of
from intervalvm.outlines.start import Start


class Traced(NamedTuple):
    curves: list[Array]
    leaves: Leaves
    tally: Tally


def trace(field: Field, frame: Frame, tolerance: float, finest: int, start: Start, watch: Watch) -> Traced:
    tally = Tally()
    leaves, crossings = leaves_of(field, frame, tolerance, finest, start, tally, watch)
    found = loops(leaves, crossings)
    curves = merged(found, frame, finest, tolerance, (1.0 - SHARE) * tolerance)
    return Traced(curves, leaves, tally)
