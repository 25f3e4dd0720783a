"""``Field``: the function whose outline is traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.slices import flat_sides
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.late import cached_property
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape

Array = NDArray[np.float64]
Owners = NDArray[np.int32] | None
"""Of points or boxes, in which box of the division each is; None if that is not known."""
BY = "x", "y"


class Evaluator(Protocol):
    """A tape's: see ``evaluate.evaluator``."""

    @property
    def tape(self) -> Tape: ...
    def values(self, points: Any) -> Any: ...
    def gradients(self, points: Any, by: Any) -> Any: ...
    def bounds(self, boxes: Any) -> Any: ...
    def shorten(self, boxes: Any) -> Any: ...
    def slope_bounds(self, boxes: Any, by: Any) -> Any: ...


@dataclass(frozen=True)
class Field:
    """A tape as a function of x and y.

    ``points`` evaluates the float program, ``real`` bounds the real function. Both have the inputs
    x, y and then those of ``settings``, arrays of one number. ``division`` are those of ``points``
    and of ``real``.
    """

    points: Evaluator
    real: Evaluator
    settings: Sequence[Array] = ()
    division: tuple[Any, Any] | None = None

    def values(self, x: Array, y: Array, owners: Owners = None) -> Array:
        """The values; infinite where undefined, which is outside."""
        given = [x, y, *self.settings]
        if self.division is None or owners is None:
            found: Array = self.points.values(given)
        else:
            found = self.division[0].values(given, owners)
        return np.where(np.isnan(found), np.inf, found)

    def gradients(self, x: Array, y: Array, owners: Owners = None) -> Array:
        """Values and both derivatives: float64[3, n]. A derivative that is not finite is 0."""
        given = [x, y, *self.settings]
        unsettled = getattr(self.points, "slopes", None)
        if self.division is not None and owners is not None:
            found: Array = self.division[0].slopes(given, owners)
        elif unsettled is None:
            found = self.points.gradients(given, BY)
        else:  # at kinks either branch will do
            found = np.empty((3, len(x)))
            unsettled(given, BY, found)
        found[0, np.isnan(found[0])] = np.inf
        found[1:][~np.isfinite(found[1:])] = 0.0
        return found

    def divided(self, boxes: Sequence[Interval], keys: NDArray[np.uint64], bits: int) -> Field:
        """The same field, prepared for points and boxes of which is known in which of ``boxes``
        they are: see ``jit.division``. NumPy's evaluators are not divided."""
        if not hasattr(self.real, "divided"):
            return self
        evaluators: tuple[Any, Any] = self.points, self.real
        points, real = (of.divided([*boxes, *self._sides], keys, bits, BY) for of in evaluators)
        return replace(self, division=(points, real))

    def bounds(self, x: Interval, y: Interval, owners: Owners = None) -> Interval:
        """Bounds of the real function over boxes."""
        boxes = [x, y, *self._sides]
        if self.division is None or owners is None:
            found: Interval = self.real.bounds(boxes)
        else:
            found = self.division[1].bounds(boxes, owners)
        return found

    def shortened(self, x: Interval, y: Interval) -> list[Field]:
        """For each box the same function, of a tape that is right there alone."""
        shorter = self.real.shorten([x, y, *self._sides])
        return [replace(self, real=real) for real in shorter]

    @cached_property
    def _sides(self) -> list[Interval]:
        return flat_sides([part.item() for part in self.settings])

    def slopes(self, x: Interval, y: Interval, owners: Owners = None) -> SlopeBounds:
        """Bounds of the real function and of its slopes [2, n] over boxes."""
        boxes = [x, y, *self._sides]
        if self.division is None or owners is None:
            found: SlopeBounds = self.real.slope_bounds(boxes, BY)
        else:
            found = self.division[1].slope_bounds(boxes, owners)
        return found
