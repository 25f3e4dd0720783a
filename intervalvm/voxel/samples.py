"""The means of several samples a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def means(
    fine: NDArray[np.uint8], samples: int, seen: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """uint8[h, w, 3], the rounded means of blocks of ``samples`` x ``samples`` colours.

    With ``seen``, uint8[h, w, 4]: the means of the colours that are seen, and as alpha how much of
    the block they are; 0 where none is.
    """
    if seen is None:
        if samples == 1:
            return fine
        return rounded_mean(_sums(fine, samples), np.int64(samples**2))
    count = _sums(seen[..., None], samples)
    total = _sums(fine * seen[..., None], samples)
    alpha = rounded_mean(255 * count, np.int64(samples**2))
    return np.concatenate([rounded_mean(total, np.maximum(count, 1)), alpha], axis=2)


def _sums(fine: NDArray[Any], samples: int) -> NDArray[np.int64]:
    height, width, channels = fine.shape
    parts = fine.reshape(height // samples, samples, width // samples, samples, channels)
    found: NDArray[np.int64] = parts.sum(axis=(1, 3), dtype=np.int64)
    return found


def rounded_mean(total: NDArray[np.int64], count: Any) -> NDArray[np.uint8]:
    """The quotients of sums and counts, halves rounded up."""
    found: NDArray[np.uint8] = ((2 * total + count) // (2 * count)).astype(np.uint8)
    return found
