"""Morton codes: the bits of numbers along the axes in turn, so that near cells have near codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def morton(numbers: Sequence[NDArray[Any]]) -> NDArray[np.uint64]:
    """uint64[m], the codes of whole numbers from 0 to 2**16 - 1, an array int[m] for each axis.

    The first axis has the lowest bit.
    """
    dimensions = len(numbers)
    spread = np.zeros(256, np.uint64)
    for bit in range(8):
        spread |= (np.arange(256, dtype=np.uint64) >> np.uint64(bit) & np.uint64(1)) << np.uint64(
            dimensions * bit
        )
    found = np.zeros(len(numbers[0]), np.uint64)
    for axis, number in enumerate(numbers):
        low, high = spread[number & 255], spread[number >> 8]
        found |= (low | high << np.uint64(8 * dimensions)) << np.uint64(axis)
    return found
