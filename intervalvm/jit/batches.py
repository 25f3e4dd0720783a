"""Leaves that are evaluated elsewhere: the compiled walk collects them, and draws what comes back.

A *batch* is a list of blocks of up to 16 x 16 pixels, and the records of their programs. A block
(``BLOCK_WORDS`` int32, see ``layout``) says which records are its own and which pixels; the blocks
of one leaf share its records. Its results are the 256 bits of a truth, row by row, or 256 values.
Where a block is smaller, the results beyond its pixels mean nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types

from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import (
    copy_bytes,
    int32_at,
    int64_at,
    jit,
    pointer_to,
    uint8_at,
    uint16_at,
    write_row,
)
from intervalvm.jit.layout import AREA, BLOCK, TRUTH_BYTES, block_bytes


@jit
def collect_rows(ctx):
    """Append up to 16 rows of the noted leaf to the batch; False if that has no room for them."""
    n, left, right = ctx[c.LEAF_COUNT], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
    count = ctx[c.BATCH_COUNT]
    records = 0 if ctx[c.LEAF_AT] >= 0 else n
    if (
        count + (right - left + BLOCK - 1) // BLOCK > ctx[c.BATCH_MOST_BLOCKS]
        or ctx[c.BATCH_USED] + records > ctx[c.BATCH_MOST_RECORDS]
    ):
        ctx[c.BATCH_IS_FULL] = 1
        return False
    if records > 0:
        ctx[c.LEAF_AT] = ctx[c.BATCH_USED]
        out = ctx[c.BATCH_RECORDS] + RECORD_BYTES * ctx[c.BATCH_USED]
        copy_bytes(out, ctx[c.LEAF_RECORDS], RECORD_BYTES * n)
        ctx[c.BATCH_USED] += n
    top = ctx[c.LEAF_ROW]
    rows = min(BLOCK, ctx[c.LEAF_BOTTOM] - top)
    for column in range(left, right, BLOCK):
        block = int32_at(ctx[c.BATCH_BLOCKS] + 4 * c.BLOCK_WORDS * count)
        block[c.BLOCK_FIRST], block[c.BLOCK_LENGTH] = np.int32(ctx[c.LEAF_AT]), np.int32(n)
        block[c.BLOCK_RESULT] = np.int32(ctx[c.LEAF_RESULT])
        block[c.BLOCK_LEFT], block[c.BLOCK_TOP] = np.int32(column), np.int32(top)
        block[c.BLOCK_COLUMNS] = np.int32(min(BLOCK, right - column))
        block[c.BLOCK_ROWS] = np.int32(rows)
        count += 1
    ctx[c.BATCH_COUNT] = count
    ctx[c.LEAF_ROW] = top + rows
    int64_at(ctx[c.STATS])[c.EVALUATED_PX] += rows * (right - left)
    return True


def build_merge(dtype: str) -> Any:
    """The kernel ``merge(address of a context)``: a batch's results into the image."""
    itemsize = np.dtype(dtype).itemsize
    floats_at = pointer_to(types.float32 if dtype == "float32" else types.float64)
    points_bytes = block_bytes(dtype, AREA, "point")

    @jit
    def merge_values(ctx, place, result, columns, rows):
        """Returns how many are below 0."""
        inside = 0
        for row in range(rows):
            values = floats_at(result + row * BLOCK * itemsize)
            pixels = floats_at(ctx[c.IMAGE] + (place + row * ctx[c.WIDTH_PX]) * itemsize)
            for k in range(columns):
                inside += values[k] < 0
                pixels[k] = values[k]
        return inside

    @jit
    def merge_truths(ctx, place, result, columns, rows):
        """Returns how many hold."""
        inside, bits = 0, uint16_at(result)
        for row in range(rows):
            address = ctx[c.IMAGE] + place + row * ctx[c.WIDTH_PX]
            if columns == BLOCK:
                inside += write_row(address, np.int64(bits[row]))
            else:
                out = uint8_at(address)
                for k in range(columns):
                    bit = (np.int64(bits[row]) >> k) & 1
                    inside += int(bit)
                    out[k] = np.uint8(255 * bit)
        return inside

    def merge(address):
        ctx = int64_at(address)
        inside = 0
        for i in range(ctx[c.MERGE_COUNT]):
            block = int32_at(ctx[c.MERGE_BLOCKS] + 4 * c.BLOCK_WORDS * i)
            columns, rows = np.int64(block[c.BLOCK_COLUMNS]), np.int64(block[c.BLOCK_ROWS])
            place = block[c.BLOCK_TOP] * ctx[c.WIDTH_PX] + block[c.BLOCK_LEFT]
            if ctx[c.IS_VALUE]:
                result = ctx[c.MERGE_RESULTS] + i * points_bytes
                inside += merge_values(ctx, place, result, columns, rows)
            else:
                result = ctx[c.MERGE_RESULTS] + i * TRUTH_BYTES
                inside += merge_truths(ctx, place, result, columns, rows)
        int64_at(ctx[c.STATS])[c.INSIDE_PX] += inside
        return 0

    return merge
