"""``Slice``: the real function where some of its inputs have values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.ops.row import Interval

Boxes = Sequence[Interval]


def flat_sides(values: Sequence[Any]) -> list[Interval]:
    """Sides of boxes, for inputs with these values."""
    parts = [np.array([value], np.float64) for value in values]
    return [Interval(part, part, np.zeros(1, bool)) for part in parts]


class Slice:
    """An evaluator of the real function whose last inputs have the values ``settings``."""

    def __init__(self, evaluator: Any, settings: Sequence[float]) -> None:
        self.evaluator, self.sides = evaluator, flat_sides(settings)
        self.inputs = tuple(evaluator.inputs[: len(evaluator.inputs) - len(settings)])

    def bounds(self, boxes: Boxes) -> Interval:
        """Bounds over boxes of the other inputs."""
        found: Interval = self.evaluator.bounds([*boxes, *self.sides])
        return found

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> SlopeBounds:
        """Bounds of the value and of derivatives."""
        found: SlopeBounds = self.evaluator.slope_bounds([*boxes, *self.sides], by)
        return found

    def shorten(self, boxes: Boxes, *, sign_only: bool) -> Sequence[Any]:
        """An evaluator of all inputs for each box, of a shorter tape."""
        found: Sequence[Any] = self.evaluator.shorten([*boxes, *self.sides], sign_only=sign_only)
        return found
