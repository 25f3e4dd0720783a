"""Numbers in memory of either dtype: their size is an argument, so numba compiles this once."""

from __future__ import annotations

import numpy as np

from intervalvm.jit.intrinsics import (
    DOUBLE_BYTES,
    float32_at,
    float64_at,
    int32_at,
    int64_at,
    jit,
)
from intervalvm.jit.request import GROUP


@jit
def read_number(address, itemsize):
    """A number as a float64."""
    if itemsize == DOUBLE_BYTES:
        return float64_at(address)[0]
    return np.float64(float32_at(address)[0])


@jit
def write_number(out, number, itemsize):
    """Write a float64 that is one of the dtype."""
    if itemsize == DOUBLE_BYTES:
        float64_at(out)[0] = number
    else:
        float32_at(out)[0] = np.float32(number)


@jit
def fill_group(out, number, itemsize):
    """Write a number 16 times."""
    for lane in range(GROUP):
        write_number(out + itemsize * lane, number, itemsize)


@jit
def read_group(out, source, step, first, end, itemsize):
    """Copy 16 numbers; from the end on the last one."""
    if itemsize == DOUBLE_BYTES:
        wide, given_wide = int64_at(out), int64_at(source)
        for lane in range(GROUP):
            wide[lane] = given_wide[step * min(first + lane, end - 1)]
    else:
        written, given = int32_at(out), int32_at(source)
        for lane in range(GROUP):
            written[lane] = given[step * min(first + lane, end - 1)]


@jit
def scatter(out, order, source, count, itemsize):
    """Copy number ``i`` to place ``order[i]``, an int32 at the address ``order``."""
    places = int32_at(order)
    if itemsize == DOUBLE_BYTES:
        wide, given_wide = int64_at(out), int64_at(source)
        for i in range(count):
            wide[places[i]] = given_wide[i]
    else:
        written, given = int32_at(out), int32_at(source)
        for i in range(count):
            written[places[i]] = given[i]
