"""The area inside an outline, as the cells of its quadtree prove it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure
from intervalvm.ops.row import Interval
from intervalvm.outlines.field import BY, Array, Evaluator
from intervalvm.outlines.quadtree import DECIDED, Leaves, Tally


class Slice:
    """The real function of x and y: an evaluator whose other inputs are set to ``settings``."""

    inputs = BY

    def __init__(self, real: Callable[[], Evaluator], settings: Sequence[Array]) -> None:
        self._real = real()
        self._sides = [Interval(part, part, np.zeros(1, bool)) for part in settings]

    def bounds(self, boxes: Sequence[Interval]) -> Any:
        return self._real.bounds([*boxes, *self._sides])

    def slope_bounds(self, boxes: Sequence[Interval], by: Sequence[str]) -> Any:
        return self._real.slope_bounds([*boxes, *self._sides], by)


def area_of(
    leaves: Leaves,
    tally: Tally,
    frame: Frame,
    region: Sequence[tuple[float, float]],
    real: Callable[[], Evaluator],
    settings: Sequence[Array],
) -> Measure:
    """The area inside a region. ``real`` makes the evaluator of the real function, not cut."""
    is_open = leaves.kind != DECIDED
    return Measure(
        frame,
        tuple(region),
        np.array(tally.inside),
        leaves.at[is_open].astype(np.int32),
        leaves.level[is_open].astype(np.int8),
        partial(Slice, real, settings),
    )
