"""``Division``: an evaluator with a shorter program for each of many boxes, made once.

An evaluator finds shorter programs anew in each call, from the whole tape on: that pays for many
points. Who evaluates few at a time, but often, and knows in which box they are, divides it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.jit import request as r
from intervalvm.jit.box_work import Boxes, broadcast
from intervalvm.jit.points import Arrays, Parts
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from intervalvm.jit.evaluator import CompiledEvaluator

Owners = NDArray[np.int32]
"""Of each point or box the number of the box that it lies in. It may be on its border. Where many
are in one box they should be neighbours."""


class Division:
    """Programs of an evaluator for boxes, and what is evaluated by them: the same bits.

    ``boxes`` have Morton codes ``keys`` of ``bits`` bits, in their order. Slopes are those by the
    inputs ``by``, ``DIRECTIONS`` at most. That of floats evaluates points, that of the real
    function bounds boxes.
    """

    def __init__(
        self,
        evaluator: CompiledEvaluator,
        boxes: Boxes,
        keys: NDArray[np.uint64],
        bits: int,
        by: tuple[str, ...],
    ) -> None:
        self.evaluator, self.by, prunes = evaluator, by, evaluator.has_choices
        if evaluator.meaning is Meaning.REAL:
            self.records = evaluator.slope_records(by)
        else:
            reads = dict(zip(evaluator.inputs, evaluator.points.reads, strict=True))
            dual = evaluator.points.dual(tuple(name for name in by if reads[name]))
            # where clauses may jump is not asked for: so they need not be kept for that
            self.records = dual.records
        with evaluator.workspace() as work, work.entered(boxes):
            found = work.divide(self.records, keys, bits if prunes else 0)
        # the arena and the records hold the programs
        self._programs, self._arena = found

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The records of each box's program."""
        found: NDArray[np.int64] = self._programs[:, r.PART_COUNT]
        return found

    def values(self, points: Arrays, owners: Owners) -> NDArray[Any]:
        """The values at points."""
        shape = broadcast(point.shape for point in points)
        found = np.empty(shape, self.evaluator.dtype)
        self.evaluator.points.values(points, shape, found, Parts(self._programs, owners))
        return found

    def slopes(
        self, points: Arrays, owners: Owners, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The values, and the derivatives [1 + len(by), *shape]; where branches meet, of one.

        They are written to ``out`` if given, of contiguous rows.
        """
        shape = broadcast(point.shape for point in points)
        found = np.empty((1 + len(self.by), *shape), self.evaluator.dtype) if out is None else out
        parts = Parts(self._programs, owners)
        self.evaluator.points.duals(points, shape, self.by, found, parts=parts)
        return found

    def bounds(self, boxes: Sequence[Interval], owners: Owners) -> Interval:
        """Bounds of the values over boxes."""
        with self.evaluator.workspace() as work, work.entered(boxes) as found:
            work.bound(Parts(self._programs, owners))
        return found

    def slope_bounds(self, boxes: Sequence[Interval], owners: Owners) -> SlopeBounds:
        """Bounds of the values, and of the derivatives by the inputs ``by``, over boxes."""
        parts = Parts(self._programs, owners)
        return self.evaluator.bound_slopes(boxes, self.by, parts)
