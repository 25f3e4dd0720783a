"""The evaluator that meshes are made with: of x, y and z, in float64, on threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.slices import flat_sides
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.jit import thread_pool
from intervalvm.jit.division import Division, Owners
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
        self._sides = flat_sides(settings)
        self._threads = threads
        self.inputs = tuple(AXES)

    def shorten(self, boxes: Sequence[Interval], *, sign_only: bool) -> Sequence[CompiledEvaluator]:
        """An evaluator for each box, of a shorter tape."""
        return self._evaluator.shorten([*boxes, *self._sides], sign_only=sign_only)

    def bounds(self, boxes: Sequence[Interval]) -> Interval:
        """Bounds over boxes."""
        parts = self.shared(
            len(boxes[0].lower),
            lambda part: self._evaluator.bounds([*_cut(boxes, part), *self._sides]),
        )
        return _joined(parts)

    def slope_bounds(self, boxes: Sequence[Interval], by: Sequence[str]) -> SlopeBounds:
        """Bounds of the value and of derivatives over boxes."""
        parts = self.shared(
            len(boxes[0].lower),
            lambda part: self._evaluator.slope_bounds([*_cut(boxes, part), *self._sides], by),
        )
        return _joined_slopes(parts)

    def divided(
        self, boxes: Sequence[Interval], keys: NDArray[np.uint64], bits: int, by: tuple[str, ...]
    ) -> Blocks:
        """A shorter program for each box: see ``jit.division``."""
        division = self._evaluator.divided([*boxes, *self._sides], keys, bits, by)
        return Blocks(self, division, self._sides, self._free)

    def shared(self, count: int, some: Callable[[slice], T]) -> list[T]:
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


@dataclass(frozen=True)
class Blocks:
    """A sampler with a shorter program for each of many boxes: see ``jit.division``."""

    sampler: Sampler
    division: Division
    sides: Sequence[Interval]
    free: Sequence[NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.division.lengths)

    def values(self, points: Points, owners: Owners) -> NDArray[np.float64]:
        """The values at points."""
        parts = self.sampler.shared(
            len(owners),
            lambda part: self.division.values(
                [*(array[part] for array in points), *self.free], owners[part]
            ),
        )
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def slopes(self, points: Points, owners: Owners, out: NDArray[np.float64]) -> None:
        """Write the values and the gradients at points to [4, n], whose rows are contiguous; where
        branches meet, the gradient of one of them."""
        self.sampler.shared(
            len(owners),
            lambda part: self.division.slopes(
                [*(array[part] for array in points), *self.free], owners[part], out[:, part]
            ),
        )

    def bounds(self, boxes: Sequence[Interval], owners: Owners) -> Interval:
        """Bounds over boxes."""
        parts = self.sampler.shared(
            len(owners),
            lambda part: self.division.bounds([*_cut(boxes, part), *self.sides], owners[part]),
        )
        return _joined(parts)

    def slope_bounds(self, boxes: Sequence[Interval], owners: Owners) -> SlopeBounds:
        """Bounds over boxes of the value, and of derivatives."""
        parts = self.sampler.shared(
            len(owners),
            lambda part: self.division.slope_bounds(
                [*_cut(boxes, part), *self.sides], owners[part]
            ),
        )
        return _joined_slopes(parts)


def _cut(boxes: Sequence[Interval], part: slice) -> list[Interval]:
    return [Interval(*(array[part] for array in side)) for side in boxes]


def _joined(parts: Sequence[Interval]) -> Interval:
    if len(parts) == 1:
        return parts[0]
    return Interval(*map(np.concatenate, zip(*parts, strict=True)))


def _joined_slopes(parts: Sequence[SlopeBounds]) -> SlopeBounds:
    if len(parts) == 1:
        return parts[0]
    return SlopeBounds(
        _joined([part.value for part in parts]),
        np.concatenate([part.lower for part in parts], axis=1),
        np.concatenate([part.upper for part in parts], axis=1),
    )
