"""The kernels of dense evaluation: one operation, or the predicate v < 0, at every point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from intervalvm.gpu.rules import rules

THREADS = 256
"""Threads of a block."""


def build_clause(dtype: str) -> Any:
    """``clause``: each thread computes the operation ``variant`` of ``compiler.program`` once.

    A step is 1, or 0 where the operand is one number. An operation of one operand takes ``a``.
    """
    point = rules(dtype, tame=False).point

    def clause(variant, count, out, a, a_step, b, b_step):
        i = np.int64(cuda.blockIdx.x) * THREADS + cuda.threadIdx.x
        if i < count:
            right = b[i * b_step]
            out[i] = point(variant, a[i * a_step], right, right)

    return clause


def build_inside() -> Any:
    """``inside``: 255 where a value is below 0, else 0."""

    def inside(count, values, image):
        i = np.int64(cuda.blockIdx.x) * THREADS + cuda.threadIdx.x
        if i < count:
            image[i] = 255 if values[i] < 0 else 0

    return inside
