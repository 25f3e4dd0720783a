"""The leaves: a program at every pixel of a tile, one thread a pixel.

A block takes 16 x 16 pixels. Its threads read each record together and have values of their own, so
nothing waits for another thread.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    VARIANT_BITS,
)
from intervalvm.gpu.rules import rules
from intervalvm.gpu.target import device

VARIANT = (1 << VARIANT_BITS) - 1
WORDS = 4
"""Words of a record."""


@lru_cache
def interpreter(dtype: str, *, tame: bool) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride, x, y): a program at a point.

    ``programs[at:]`` has ``count`` records of uint32. The value of place p, a truth as 1 or 0, is
    written to ``values[base + stride * p]``. ``constants`` has one number at least beyond the last
    that is used, since an operand that a record does not have is read too.
    """
    point = rules(dtype, tame=tame).point

    @device
    def evaluate(programs, at, count, constants, values, base, stride, x, y):
        values[base] = x
        values[base + stride] = y
        out = base + INPUTS * stride
        for i in range(count):
            record = at + WORDS * i
            first, left = np.int64(programs[record]), np.int64(programs[record + 1])
            right, third = np.int64(programs[record + 2]), np.int64(programs[record + 3])
            a = values[base + stride * left] if first & LEFT_PLACE else constants[left]
            b = values[base + stride * right] if first & RIGHT_PLACE else constants[right]
            c = values[base + stride * third] if first & THIRD_PLACE else constants[third]
            values[out] = point(first & VARIANT, a, b, c)
            out += stride

    return evaluate
