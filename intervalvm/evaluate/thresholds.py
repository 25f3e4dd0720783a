"""Exact thresholds: the least float at which an operation reaches a target.

For a nondecreasing f ``f(v) < t`` is ``v < t'``, where t' is the least float with ``f(t') >= t``.
It is found by bisection on the floats, which is exact without an analysis of rounding errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import ROWS
from intervalvm.ops.row import Op


def _of_one(op: Op) -> Callable[..., Any]:
    return lambda xp, k, v: op.point(xp, *(v, k)[: op.arity])


MONOTONE = [op for op in ROWS if op.demand.is_monotone]
FUNCTIONS: dict[str, Callable[..., Any]] = {op.name: _of_one(op) for op in MONOTONE}
"""Functions of v, and of a positive or added constant k, nondecreasing where searched."""
FROM_ZERO = frozenset(op.name for op in MONOTONE if op.demand.from_zero)
"""Those that are searched for v >= 0 only."""


def least_float(
    function: Callable[[Any], Any], t: Any, greater: Any, from_zero: bool
) -> tuple[Any, NDArray[np.bool_]]:
    """For each element the least float v with ``function(v) >= t`` (``> t`` where ``greater``).

    ``function`` works on arrays and is nondecreasing, from -inf (or from 0) to inf. Bisection in
    the order of floats: 32 steps for float32, 64 for float64. Returns the floats, inf if there is
    none, and whether there is one.
    """
    dtype = t.dtype

    def reaches(v: Any) -> Any:
        value = function(v)
        return np.where(greater, value > t, value >= t)

    top = _ordinal(np.full(t.shape, np.inf, dtype))
    low = _ordinal(np.full(t.shape, 0 if from_zero else -np.inf, dtype))
    high = top.copy()
    found = reaches(_float(high, dtype))
    for _ in range(8 * dtype.itemsize):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)  # no overflow
        is_high = reaches(_float(middle, dtype))
        high = np.where(is_high, middle, high)
        low = np.where(is_high | (low >= high), low, np.minimum(middle + 1, high))
    return _float(np.where(found, high, top), dtype), found


def previous_float(v: Any) -> Any:
    """The float before v in the order of floats, in which -0 comes before +0; -inf stays."""
    bottom = _ordinal(np.full(v.shape, -np.inf, v.dtype))
    return _float(np.maximum(_ordinal(v) - 1, bottom), v.dtype)


def _ordinal(v: Any) -> Any:
    """Floats as integers in the same order, with -0 one before +0."""
    bits = v.view(np.int32 if v.dtype == np.float32 else np.int64)
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits - 1, bits)


def _float(ordinal: Any, dtype: np.dtype[Any]) -> Any:
    bits = np.where(ordinal < 0, np.iinfo(ordinal.dtype).min - ordinal - 1, ordinal)
    return bits.astype(ordinal.dtype).view(dtype)
