"""The evaluator that meshes are made with: of x, y and z, in float64, on threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.jit import thread_pool
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

Points = Sequence[NDArray[np.float64]]
T = TypeVar("T")
LEAST = 1 << 12
"""Points or boxes that are worth a part of their own."""
PARTS = 4
"""Parts a thread: threads are not equally fast, nor are parts."""


class Sampler:
    """A tape with its variables set to ``settings``, in order."""

    def __init__(
        self, tape: Tape, settings: Sequence[float], meaning: Meaning, threads: int
    ) -> None:
        inputs = (*AXES, *tape.variables)
        self._evaluator = CompiledEvaluator(tape.bare(), inputs, np.dtype(np.float64), meaning)
        self._free = [np.array([value]) for value in settings]
        flag = np.zeros(1, bool)
        self._sides = [Interval(value, value, flag) for value in self._free]
        self._threads = threads
        self.inputs = tuple(AXES)

    def shorten(self, boxes: Sequence[Interval], *, sign_only: bool) -> Sequence[CompiledEvaluator]:
        """An evaluator for each box, of a shorter tape."""
        return self._evaluator.shorten([*boxes, *self._sides], sign_only=sign_only)

    def values(self, points: Points) -> NDArray[np.float64]:
        """The values at points."""
        points = [np.ascontiguousarray(part) for part in points]
        found = np.empty(len(points[0]))

        def some(part: slice) -> None:
            given = [array[part] for array in points]
            self._evaluator.values([*given, *self._free], found[part])

        self._shared(len(found), some)
        return found

    def slopes(self, points: Points, out: NDArray[np.float64]) -> None:
        """Write the values and the gradients at points to [4, n], whose rows are contiguous; where
        branches meet, the gradient of one of them."""

        def some(part: slice) -> None:
            given = [array[part] for array in points]
            self._evaluator.slopes([*given, *self._free], self.inputs, out[:, part])

        self._shared(out.shape[1], some)

    def bounds(self, boxes: Sequence[Interval]) -> Interval:
        """Bounds over boxes."""
        parts = self._shared(
            len(boxes[0].lower),
            lambda part: self._evaluator.bounds([*_cut(boxes, part), *self._sides]),
        )
        return _joined(parts)

    def slope_bounds(self, boxes: Sequence[Interval], by: Sequence[str]) -> SlopeBounds:
        """Bounds of the value and of derivatives over boxes."""
        parts = self._shared(
            len(boxes[0].lower),
            lambda part: self._evaluator.slope_bounds([*_cut(boxes, part), *self._sides], by),
        )
        if len(parts) == 1:
            return parts[0]
        return SlopeBounds(
            _joined([part.value for part in parts]),
            np.concatenate([part.lower for part in parts], axis=1),
            np.concatenate([part.upper for part in parts], axis=1),
        )

    def _shared(self, count: int, some: Callable[[slice], T]) -> list[T]:
        """The results of the parts of arrays, in order, found by the threads."""
        size = max(LEAST, -(-count // (PARTS * self._threads)))
        if self._threads == 1 or size >= count:
            return [some(slice(None))]
        starts = range(0, count, size)
        found: dict[int, T] = {}
        todo = list(reversed(starts))

        def turn(_: int) -> bool:
            try:
                start = todo.pop()
            except IndexError:
                return False
            found[start] = some(slice(start, start + size))
            return True

        thread_pool.share(turn, range(min(self._threads, len(starts))))
        return [found[start] for start in starts]


def _cut(boxes: Sequence[Interval], part: slice) -> list[Interval]:
    return [Interval(*(array[part] for array in side)) for side in boxes]


def _joined(parts: Sequence[Interval]) -> Interval:
    if len(parts) == 1:
        return parts[0]
    return Interval(*map(np.concatenate, zip(*parts, strict=True)))
