"""The border of a region: a shape that reaches it is cut there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.cells.subdivision import Evaluator
from intervalvm.expr import Expr, axes, expression, maximum
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape

PARTS = 32
"""Parts a side into which the border is cut for bounds."""


def cut(
    tape: Tape, evaluator: Evaluator, region: Sequence[tuple[float, float]], frame: Frame
) -> Tape:
    """The tape cut by a region's sides; the same tape if nothing is inside between it and a frame.

    ``evaluator`` has bounds of the real function.
    """
    if _is_clear(evaluator, region, frame):
        return tape
    away: Expr | None = None
    for axis, (low, high) in zip(axes(), region, strict=False):
        for side in (low - axis, axis - high):
            away = side if away is None else maximum(away, side)
    assert away is not None
    return maximum(expression(tape), away).tape()


def _is_clear(evaluator: Evaluator, region: Sequence[tuple[float, float]], frame: Frame) -> bool:
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
