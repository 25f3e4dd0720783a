"""``Blocks``: near parts of pieces together, and the field by a program of its own for each block.

Parts that lie in one square of a grid are a block: of some sixteen parts, as many boxes as are
evaluated side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.morton import morton
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.ops.row import Interval
from intervalvm.outlines.bands import Band
from intervalvm.outlines.field import Field
from intervalvm.outlines.segments import Floats, Indices

Mask = NDArray[np.bool_]
MANY = 16
"""Squares are about as many parts wide."""
MOST_LEVEL = 15
"""Squares are no smaller than this share of the plane, as a power of 1/2."""


@dataclass(frozen=True)
class Blocks:
    """The field near parts of pieces, in blocks: their boxes have corners ``low`` and ``high``."""

    field: Field
    low: Floats
    high: Floats

    @classmethod
    def about(cls, field: Field, band: Band, tolerance: float) -> tuple[Blocks, Indices]:
        """Blocks of parts with such bands, and the block of each.

        They have room for parts of the parts, whose bands lean out, and for discs at ends.
        """
        room = (2 * tolerance + 2 * band.height)[:, None]
        low, high = band.low - room, band.high + room
        if not len(low):
            return cls(field, low, high), np.zeros(0, np.int64)
        least, most = band.middle.min(axis=0), band.middle.max(axis=0)
        extent = max(float((most - least).max()), tolerance)
        wide = MANY * 2 * max(float(np.median(band.length)), tolerance)
        level = int(np.clip(np.ceil(np.log2(extent / wide)), 0, MOST_LEVEL))
        share = (band.middle - least) / extent * (1 << level)
        square = np.minimum(share.astype(np.int64), (1 << level) - 1)
        key = morton([square[:, 0], square[:, 1]])
        order = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[order], prepend=key[order[:1]] + np.uint64(1)))
        lows = np.minimum.reduceat(low[order], first)
        highs = np.maximum.reduceat(high[order], first)
        block = np.empty(len(low), np.int64)
        block[order] = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(low))))
        divided = field.divided(boxes_of(lows, highs), key[order[first]], 2 * level)
        return cls(divided, lows, highs), block

    def bounds(self, low: Floats, high: Floats, block: Indices) -> tuple[Floats, Floats]:
        """Bounds of the field over boxes; infinite where it may be undefined, and for boxes beyond
        their block."""
        value = self.field.bounds(*boxes_of(low, high), block.astype(np.int32))
        known = self._hold(block, low, high) & ~value.maybe_nan
        return np.where(known, value.lower, -np.inf), np.where(known, value.upper, np.inf)

    def slopes(self, low: Floats, high: Floats, block: Indices) -> tuple[SlopeBounds, Mask]:
        """Bounds of the slopes in boxes, and whether these lie in their blocks."""
        found = self.field.slopes(*boxes_of(low, high), block.astype(np.int32))
        return found, self._hold(block, low, high)

    def _hold(self, block: Indices, low: Floats, high: Floats) -> Mask:
        return np.asarray(((low >= self.low[block]) & (high <= self.high[block])).all(axis=-1))


def boxes_of(low: Floats, high: Floats) -> tuple[Interval, Interval]:
    """Boxes by their corners [n, 2]."""
    never = np.zeros(len(low), bool)
    x, y = (Interval(low[:, k].copy(), high[:, k].copy(), never) for k in (0, 1))
    return x, y
