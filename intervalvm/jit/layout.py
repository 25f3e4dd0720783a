"""Sizes that machine code, what calls it and what reads its results agree on.

A slot of memory holds the result of one record: bounds over regions, values at the points of a
block, or, in a proof, bounds over its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from intervalvm.evaluate.evaluators import Meaning

SPLIT_LEVELS = 3
"""A split takes up to three levels of the quadtree: 8 x 8 children."""
SIDE, LANES = 8, 64
"""Children of a region: lane 8*r + q is column q, row r. What depends on one axis alone has 8."""
BLOCK = 16
"""Points a side of the blocks in which a leaf is evaluated."""
AREA = BLOCK * BLOCK
TRUTH_BYTES = AREA // 8
INSIDE, OUTSIDE, UNPROVEN = np.uint8(255), np.uint8(0), np.uint8(128)
"""Pixels. The third is that of a proven image, where neither of the others could be proven."""


def interval_bytes(dtype: Any, width: int) -> int:
    """The size of an interval slot: lower bounds, upper bounds, a mask of maybe-NaN."""
    return 2 * width * int(np.dtype(dtype).itemsize) + 64


def block_bytes(dtype: Any, count: int, over: str) -> int:
    """The size of a slot of ``count`` values of a block, over "points" or "pixels"."""
    values = count * int(np.dtype(dtype).itemsize)
    return values if over == "points" else interval_bytes(dtype, count)


@dataclass(frozen=True)
class Slots:
    """The bytes of a record's result, the larger of an interval's and of the points' of a leaf."""

    full: int
    axis: int
    truth: int


@lru_cache
def slots_of(dtype: np.dtype[Any], meaning: Meaning) -> Slots:
    """The slots of a walk; one about the real function has the bounds of pixels in its leaves."""
    proves = meaning == "real"
    over = "pixels" if proves else "points"
    return Slots(
        full=max(interval_bytes(dtype, LANES), block_bytes(dtype, AREA, over)),
        axis=max(interval_bytes(dtype, SIDE), block_bytes(dtype, BLOCK, over)),
        truth=2 * TRUTH_BYTES if proves else TRUTH_BYTES,
    )


@dataclass
class Counts:
    """What one split of the walk did, over all regions it was made for."""

    regions: int = 0
    inside: int = 0
    outside: int = 0
    ambiguous: int = 0
    clauses: int = 0  # of the ambiguous ones' tapes, inputs and constants left out
    inside_px: int = 0  # in filled tiles and in leaves
    evaluated_px: int = 0
    unproven_px: int = 0  # of a proof, among those evaluated


def split_levels(depth: int) -> list[int]:
    """The levels that each split takes: three, but the first what is left over.

    The first has the fewest regions to look at, so lanes that stay empty there cost least.
    """
    first = depth % SPLIT_LEVELS
    head = [first] if first or not depth else []
    return head + [SPLIT_LEVELS] * (depth // SPLIT_LEVELS)
