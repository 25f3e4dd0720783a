"""A few points at a time, which are copied to where a kernel reads them.

For one point finding the addresses of arrays and filling a context would take longer than a
thousand records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit import request as r
from intervalvm.memory import address_of

MOST_FEW = 128
"""Points that are copied; they are never sorted."""


class Few:
    """The numbers and values of up to ``MOST_FEW`` points, and a context of the kernel "points".

    ``context`` is that of a workspace, whose slots are used.
    """

    def __init__(
        self, context: NDArray[np.int64], records: int, groups: int, inputs: int, dtype: Any
    ) -> None:
        numbers = np.zeros((inputs, MOST_FEW), dtype)
        self.numbers, self.found = list(numbers), np.empty(MOST_FEW, dtype)
        self.rows = np.zeros((inputs, r.INPUT_WORDS), np.int64)
        self.rows[:, r.ADDRESS] = address_of(numbers) + numbers.strides[0] * np.arange(inputs)
        self.rows[:, r.STEP] = 1
        self.context = context.copy()
        self.context[[c.RECORDS, r.GROUPS, r.FIRST]] = records, groups, 0
        self.context[[r.SPLITS, r.ALONG, r.PARTS, r.OWNERS]] = 0, 0, 1, 0
        self.context[c.BUDGET] = np.iinfo(np.int64).max
        self.context[[r.INPUT_ROWS, r.OUT]] = address_of(self.rows), address_of(self.found)
        self.address = address_of(self.context)
        self.kernel = native.kernel("points", DTYPE_NAMES[dtype])

    def values(
        self,
        points: Sequence[NDArray[Any]],
        shape: tuple[int, ...],
        count: int,
        out: NDArray[Any],
    ) -> None:
        """Write the values at ``count`` points, which broadcast to ``shape``."""
        for row, array in zip(self.numbers, points, strict=True):
            if not shape:
                row[0] = array
            elif len(shape) == 1:
                row[:count] = array
            else:
                row[:count].reshape(shape)[...] = array
        self.context[r.END] = count
        self.context[c.DEPTH] = -1  # to begin
        self.kernel(self.address)
        out[...] = self.found[:count].reshape(shape)
