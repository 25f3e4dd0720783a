"""The protocol: what every evaluator of points and boxes does, and its definition in NumPy.

An evaluator is a tape prepared for one dtype and meaning, with its inputs in an order: "x", "y",
"z" and names of variables. The tape may read fewer. It checks nothing and may be shared by threads.
All evaluators of a tape agree bit for bit, but for the payload of a NaN and the sign of a bound
that is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from operator import and_
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.evaluate.boxes import RULES, Bounds, bounds
from intervalvm.evaluate.points import Points, run
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.shorten import Trace, simplify
from intervalvm.words import Meaning

Arrays = Sequence[NDArray[Any]]
"""One of each input, of the evaluator's dtype; their shapes broadcast."""
Boxes = Sequence[Interval]
"""The sides by each input: arrays whose shapes broadcast."""
TOGETHER = 1 << 10
"""Boxes whose bounds are computed together: few enough for the cache."""


@dataclass(frozen=True)
class SlopeBounds:
    """Bounds of values and of derivatives over boxes."""

    value: Interval
    """As of ``bounds``, or tighter: a product of a clause with itself is a square."""
    lower: NDArray[Any]
    """[len(by), *shape]: of the derivative by each input; never NaN, infinite if none is known."""
    upper: NDArray[Any]


class Evaluator(Protocol):
    """A tape, its inputs, and how it is evaluated.

    Of the real function there are only ``bounds``, ``slope_bounds`` and ``shorten``.
    """

    @property
    def tape(self) -> Tape: ...

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def meaning(self) -> Meaning: ...

    def values(self, points: Arrays, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The values, an array of the broadcast shape; it is ``out``, contiguous, if given."""
        ...

    def gradients(
        self, points: Arrays, by: Sequence[str], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The values, then the derivative by each input of ``by``: [1 + len(by), *shape]."""
        ...

    def bounds(self, boxes: Boxes) -> Interval:
        """Bounds of the values: three arrays of the broadcast shape."""
        ...

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> SlopeBounds:
        """Bounds of the values, and of the derivatives by each input of ``by``.

        The derivatives are those of the real function in both meanings: see ``evaluate.slopes``.
        """
        ...

    def shorten(
        self, boxes: Boxes, *, sign_only: bool = False, also: Sequence[tuple[Any, Boxes]] = ()
    ) -> Sequence[Evaluator]:
        """An evaluator for each box, in C order, of the tape without what cannot matter there.

        With ``sign_only`` it keeps only whether a value is below 0. A choice must also be proven by
        each evaluator of ``also``, of the same kind and tape in another dtype, over its boxes.
        """
        ...


@dataclass(frozen=True)
class NumpyEvaluator:
    """The definition: clause by clause on arrays."""

    tape: Tape
    inputs: tuple[str, ...]
    dtype: np.dtype[Any]
    meaning: Meaning = Meaning.FLOAT

    def values(self, points: Arrays, out: NDArray[Any] | None = None) -> NDArray[Any]:
        found = np.asarray(run(self._points(points)))
        if out is None:
            return found
        np.copyto(out, found)
        return out

    def gradients(
        self, points: Arrays, by: Sequence[str], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        # a picture has no use for it
        from intervalvm.evaluate import gradients

        given = self._points(points)
        parts, kinks, jumps = gradients.run(given, by)
        found = np.empty((1 + len(by), *given.shape), self.dtype) if out is None else out
        rows = [found[k, ...] for k in range(1 + len(by))]
        for row, part in zip(rows, parts, strict=True):
            row[...] = self.dtype.type(0) if part is None else part
        gradients.settle_all(given, by, kinks, jumps, rows)
        return found

    def bounds(self, boxes: Boxes) -> Interval:
        shape, flat = flattened(boxes)
        parts = [part.root for part in self._traced(flat)]
        whole = (np.concatenate(ends).reshape(shape) for ends in zip(*parts, strict=True))
        return Interval(*whole)

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> SlopeBounds:
        # a picture has no use for it
        from intervalvm.evaluate import slopes

        shape, flat = flattened(boxes)
        ends = np.empty((2, 1 + len(by), *shape), self.dtype)
        rows, maybe_nan = ends.reshape(2, 1 + len(by), -1), np.empty(shape, np.bool_)
        for some, sides in self._parts(flat):
            value, found = slopes.bounds(self.tape, sides, by, self.dtype)
            maybe_nan.reshape(-1)[some] = value.maybe_nan
            for k, pair in enumerate(((value.lower, value.upper), *found)):
                for row, end in zip(rows, pair, strict=True):
                    row[k, some] = end
        value = Interval(ends[0, 0], ends[1, 0], maybe_nan)
        if self.meaning is Meaning.FLOAT:
            value = replace(self, tape=slopes.with_squares(self.tape)).bounds(boxes)
        return SlopeBounds(value, ends[0, 1:], ends[1, 1:])

    def shorten(
        self, boxes: Boxes, *, sign_only: bool = False, also: Sequence[tuple[Any, Boxes]] = ()
    ) -> list[NumpyEvaluator]:
        traced = (each.traces(sides, sign_only) for each, sides in [(self, boxes), *also])
        tapes = chain.from_iterable(_shortened(self.tape, parts) for parts in zip(*traced))  # noqa: B905
        return [NumpyEvaluator(tape, self.inputs, self.dtype, self.meaning) for tape in tapes]

    def traces(self, boxes: Boxes, sign_only: bool) -> Iterator[tuple[int, Trace]]:
        """The choices over up to ``TOGETHER`` boxes at a time, and how many those are."""
        for part in self._traced(flattened(boxes)[1], sign_only):
            yield len(part.root.lower), part.trace

    def _points(self, arrays: Arrays) -> Points:
        return Points.of(self.tape, dict(zip(self.inputs, arrays, strict=True)), self.dtype)

    def _traced(self, flat: Boxes, sign_only: bool = False) -> Iterator[Bounds]:
        rules = RULES[self.meaning]
        for _, sides in self._parts(flat):
            axes = {op: sides[axis] for axis, op in AXES.items() if axis in sides}
            free = [sides.get(name, NOTHING) for name in self.tape.variables]
            yield bounds(
                self.tape, axes, free, self.dtype, sign_only=sign_only, rules=rules, keep=False
            )

    def _parts(self, flat: Boxes) -> Iterator[tuple[slice, dict[str, Interval]]]:
        """Up to ``TOGETHER`` boxes at a time: where they are, and their sides by input."""
        count = len(flat[0].lower) if flat else 1
        for start in range(0, max(count, 1), TOGETHER):
            some = slice(start, start + TOGETHER)
            yield (
                some,
                {
                    name: Interval(*(part[some] for part in side))
                    for name, side in zip(self.inputs, flat, strict=True)
                },
            )


NOTHING = Interval(np.zeros(1), np.zeros(1), np.zeros(1, bool))
"""The side of a variable that is declared, not read and no input."""


def _shortened(tape: Tape, parts: Iterable[tuple[int, Trace]]) -> Iterator[Tape]:
    counts, traces = zip(*parts, strict=True)
    trace = reduce(and_, traces)
    return (simplify(tape, trace, k) for k in range(counts[0]))


def flattened(boxes: Boxes) -> tuple[tuple[int, ...], list[Interval]]:
    """The broadcast shape of boxes, and their sides as arrays of one dimension."""
    shape = np.broadcast_shapes(*(np.shape(side.lower) for side in boxes))
    return shape, [
        Interval(*(np.broadcast_to(part, shape).reshape(-1) for part in side)) for side in boxes
    ]
