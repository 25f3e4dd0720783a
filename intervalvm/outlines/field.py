"""``Field``: the function whose outline is traced, a tape's, cut by the region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops.row import Interval
from intervalvm.tape import Tape

Array = NDArray[np.float64]
Owners = NDArray[np.int32] | None
"""Of points or boxes, in which box of the division each is; None if that is not known."""
BY = "x", "y"


class Slopes(NamedTuple):
    """Bounds over n boxes: of the value, and of its derivatives float64[2, n]."""

    value: Interval
    lower: Array
    upper: Array


class Evaluator(Protocol):
    """A tape's: see ``evaluate.evaluator``."""

    @property
    def tape(self) -> Tape: ...
    def values(self, points: Any) -> Any: ...
    def gradients(self, points: Any, by: Any) -> Any: ...
    def bounds(self, boxes: Any) -> Any: ...
    def shorten(self, boxes: Any) -> Any: ...
    def slope_bounds(self, boxes: Any, by: Any) -> Any: ...
    def divided(self, boxes: Any, keys: Any, bits: int, by: Any) -> Any: ...


@dataclass(frozen=True)
class Field:
    """A function of x and y: a tape's, cut by ``clip``.

    ``points`` evaluates the float program, ``real`` bounds the real function. Both have the inputs
    x, y and then those of ``settings``, arrays of one number. ``clip`` is the box (x0, x1, y0, y1)
    outside which nothing is inside: the field is the greater of the values and of the distances
    beyond the box's sides. ``division`` are those of ``points`` and of ``real``.
    """

    points: Evaluator
    real: Evaluator
    settings: Sequence[Array] = ()
    clip: tuple[float, float, float, float] | None = None
    division: tuple[Any, Any] | None = None

    def values(self, x: Array, y: Array, owners: Owners = None) -> Array:
        """The values; infinite where undefined, which is outside."""
        given = [x, y, *self.settings]
        if self.division is None or owners is None:
            found: Array = self.points.values(given)
        else:
            found = self.division[0].values(given, owners)
        with np.errstate(all="ignore"):
            if self.clip is not None:
                for side in self._beyond(x, y):
                    found = np.maximum(found, side)
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
        with np.errstate(all="ignore"):
            if self.clip is not None:
                for side, normal in zip(self._beyond(x, y), NORMALS, strict=True):
                    is_side = side > found[0]
                    found[0, is_side] = side[is_side]
                    found[1:, is_side] = np.array(normal)[:, None]
        found[0, np.isnan(found[0])] = np.inf
        found[1:][~np.isfinite(found[1:])] = 0.0
        return found

    def _beyond(self, x: Array, y: Array) -> tuple[Array, ...]:
        assert self.clip is not None
        x0, x1, y0, y1 = self.clip
        return x0 - x, x - x1, y0 - y, y - y1

    def divided(self, boxes: Sequence[Interval], keys: NDArray[np.uint64], bits: int) -> Field:
        """The same field, prepared for points and boxes of which is known in which of ``boxes``
        they are: see ``jit.division``."""
        sides = [*boxes, *self._sides()]
        made = [of.divided(sides, keys, bits, BY) for of in (self.points, self.real)]
        return replace(self, division=(made[0], made[1]))

    def bounds(self, x: Interval, y: Interval) -> Interval:
        """Bounds of the real function over boxes."""
        found = self.real.bounds([x, y, *self._sides()])
        none = np.zeros((2, len(x.lower)))
        return self._cut(Slopes(found, none, none), x, y).value

    def shortened(self, x: Interval, y: Interval) -> list[Field]:
        """For each box the same function, of a tape that is right there alone."""
        shorter = self.real.shorten([x, y, *self._sides()])
        return [replace(self, real=real) for real in shorter]

    def _sides(self) -> list[Interval]:
        return [Interval(part, part, np.zeros(1, bool)) for part in self.settings]

    def slopes(self, x: Interval, y: Interval, owners: Owners = None) -> Slopes:
        """Bounds of the real function and of its slopes over boxes."""
        boxes = [x, y, *self._sides()]
        if self.division is None or owners is None:
            found = self.real.slope_bounds(boxes, BY)
            value, lower, upper = found.value, found.lower, found.upper
        else:
            value, (lower, upper) = self.division[1].slope_bounds(boxes, owners)
        return self._cut(Slopes(value, lower, upper), x, y)

    def _cut(self, found: Slopes, x: Interval, y: Interval) -> Slopes:
        """Those of the field, which is cut: others where a side of the box may be the greater."""
        if self.clip is None:
            return found
        x0, x1, y0, y1 = self.clip
        with np.errstate(all="ignore"):
            most = np.maximum(
                np.maximum(x0 - x.lower, x.upper - x1), np.maximum(y0 - y.lower, y.upper - y1)
            )
            some = np.flatnonzero(~(np.nextafter(most, np.inf) < found.value.lower))
        if not len(some):
            return found
        own = Interval(*(part[some] for part in found.value))
        boxes = (Interval(*(part[some] for part in side)) for side in (x, y))
        cut = self._greater(Slopes(own, found.lower[:, some], found.upper[:, some]), *boxes)
        value, lower, upper = Interval(*map(np.array, found.value)), *map(np.array, found[1:])
        for part, new in zip(
            (*value, lower, upper), (*cut.value, cut.lower, cut.upper), strict=True
        ):
            part[..., some] = new
        return Slopes(value, lower, upper)

    def _greater(self, found: Slopes, x: Interval, y: Interval) -> Slopes:
        """Those of the greater one of the function and the distances beyond the box."""
        assert self.clip is not None
        (low, high, maybe_nan), lower, upper = found
        with np.errstate(all="ignore"):
            x0, x1, y0, y1 = self.clip
            ends = [
                (x0 - x.upper, x0 - x.lower), (x.lower - x1, x.upper - x1),
                (y0 - y.upper, y0 - y.lower), (y.lower - y1, y.upper - y1),
            ]  # fmt: skip
            ends = [(np.nextafter(a, -np.inf), np.nextafter(b, np.inf)) for a, b in ends]
            most = np.maximum.reduce([low, *(a for a, _ in ends)])
            slopes = [(high, lower, upper)]
            for (_, b), normal in zip(ends, NORMALS, strict=True):
                whole = np.broadcast_to(np.array(normal)[:, None], lower.shape)
                slopes.append((b, whole, whole))
            # a part that is below another over all of the box is not seen
            lower = np.minimum.reduce([np.where(b >= most, s, np.inf) for b, s, _ in slopes])
            upper = np.maximum.reduce([np.where(b >= most, s, -np.inf) for b, _, s in slopes])
            high = np.maximum.reduce([high, *(b for _, b in ends)])
        return Slopes(Interval(most, high, maybe_nan), lower, upper)


NORMALS = (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)
"""The gradients of the distances beyond a box's sides."""
