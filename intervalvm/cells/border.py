"""The border of a region: a shape that reaches it is cut there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.ops import AXES, CODE
from intervalvm.ops.row import Interval
from intervalvm.tape import NONE, Tape

PARTS = 32
"""Parts a side into which the border is cut for bounds."""


class Bounding(Protocol):
    """Bounds of the real function over boxes."""

    def bounds(self, boxes: Any) -> Interval: ...


def cut(
    tape: Tape, evaluator: Bounding, region: Sequence[tuple[float, float]], frame: Frame
) -> Tape:
    """The tape cut by a region's sides; the same tape if nothing is inside between it and a frame.

    ``evaluator`` has bounds of the real function.
    """
    if _is_clear(evaluator, region, frame):
        return tape
    codes, left, right = (part.tolist() for part in (tape.codes, tape.left, tape.right))
    wide, single = tape.wide.tolist(), tape.single.tolist()

    def clause(op: str, a: int = NONE, b: int = NONE, number: float = 0.0) -> int:
        for array, value in zip((codes, left, right), (CODE[op], a, b), strict=True):
            array.append(value)
        wide.append(number)
        single.append(number)
        return len(codes) - 1

    found = len(tape) - 1
    for op, (low, high) in zip(AXES.values(), region, strict=False):
        axis = clause(op)
        for a, b in (
            (clause("const", number=low), axis),
            (axis, clause("const", number=high)),
        ):
            found = clause("max", found, clause("sub", a, b))
    with np.errstate(over="ignore", under="ignore"):
        return Tape(codes, left, right, wide, np.array(single, np.float32), tape.variables)


def _is_clear(evaluator: Bounding, region: Sequence[tuple[float, float]], frame: Frame) -> bool:
    """Whether it is proven that nothing is inside in a frame beyond its region."""
    count = frame.dimensions
    whole = [(low, low + side) for low, side in zip(frame.low, frame.sides, strict=True)]
    lows, highs = [], []
    steps = np.arange(PARTS + 1) / PARTS
    for axis in range(count):
        for beyond in ((whole[axis][0], region[axis][0]), (region[axis][1], whole[axis][1])):
            ends = [low + (high - low) * steps for low, high in whole]
            ends[axis] = np.array(beyond)
            starts = np.meshgrid(*(end[:-1] for end in ends), indexing="ij")
            stops = np.meshgrid(*(end[1:] for end in ends), indexing="ij")
            lows.append(np.stack([part.reshape(-1) for part in starts]))
            highs.append(np.stack([part.reshape(-1) for part in stops]))
    low, high = np.concatenate(lows, axis=1), np.concatenate(highs, axis=1)
    flags = np.zeros(low.shape[1], bool)
    bounds = evaluator.bounds([Interval(low[k], high[k], flags) for k in range(count)])
    return bool((bounds.lower >= 0.0).all())
