"""The area inside an outline, as the cells of its quadtree prove it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure
from intervalvm.ops.row import Interval
from intervalvm.outlines.field import BY
from intervalvm.outlines.quadtree import Leaves, Tally
from intervalvm.tape import Tape
from intervalvm.words import Meaning

Boxes = Sequence[Interval]


class Slice:
    """A tape's real function of x and y: further inputs are set to ``settings``."""

    inputs = BY

    def __init__(
        self,
        tape: Tape,
        make: Callable[[Tape, tuple[str, ...], Meaning], Any],
        inputs: tuple[str, ...],
        settings: Sequence[float],
    ) -> None:
        self._real = make(tape, inputs, Meaning.REAL)
        parts = [np.array([value]) for value in settings]
        self._sides = [Interval(part, part, np.zeros(1, bool)) for part in parts]

    def bounds(self, boxes: Boxes) -> Any:
        return self._real.bounds([*boxes, *self._sides])

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> Any:
        return self._real.slope_bounds([*boxes, *self._sides], by)

    def shorten(self, boxes: Boxes, *, sign_only: bool) -> Any:
        return self._real.shorten([*boxes, *self._sides], sign_only=sign_only)


def area_of(
    leaves: Leaves,
    tally: Tally,
    frame: Frame,
    region: Sequence[tuple[float, float]],
    tape: Tape,
    evaluator_of: Callable[[Tape], Slice],
) -> Measure:
    """The area inside a region."""
    return Measure(
        frame,
        tuple(region),
        np.array(tally.inside),
        leaves.at.astype(np.int32),
        leaves.level.astype(np.int8),
        tape,
        evaluator_of,
    )
