"""The compiled leaves: a program at every pixel of a tile, in blocks of 16 x 16.

A value or a truth is that of the pixel's sample. In a proof every pixel is a region of its own:
inside, outside or neither.

With a leaf hook, a walk collects leaves for another device, and draws the results. A *batch* is a
list of blocks of up to 16 x 16 pixels, and the records of their programs. A block (``BLOCK_WORDS``
int32, see ``layout``) has its range of records and of pixels; the blocks of one leaf share records.
Its results are the 256 bits of a truth, row by row, or 256 values, undefined beyond its pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types

from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import (
    copy_block_of,
    copy_bytes,
    count_bits,
    int32_at,
    int64_at,
    jit,
    pointer_to,
    uint8_at,
    uint16_at,
    write_row,
    write_verdicts,
)
from intervalvm.jit.layout import AREA, BLOCK, SIDE, TRUTH_BYTES, UNPROVEN, block_bytes
from intervalvm.words import Meaning

edge = jit(c.edge)


@jit
def enter_leaf(ctx, step, child, parent):
    """Note child ``child`` of stack row ``parent`` as the leaf to evaluate next."""
    bits = int64_at(ctx[c.SPLIT_LEVELS_AT])[step]
    level = parent[c.LEVEL] + bits
    column = (parent[c.COLUMN] << bits) + (child & (SIDE - 1))
    line = (parent[c.LINE] << bits) + child // SIDE
    ctx[c.LEAF_RECORDS] = parent[c.CHILD_PROGRAM + child]
    ctx[c.LEAF_COUNT] = parent[c.CHILD_COUNT + child]
    ctx[c.LEAF_RESULT] = parent[c.CHILD_RESULT + child]
    ctx[c.LEAF_LEFT] = edge(column, level, ctx[c.WIDTH_PX])
    ctx[c.LEAF_RIGHT] = edge(column + 1, level, ctx[c.WIDTH_PX])
    ctx[c.LEAF_ROW] = edge(line, level, ctx[c.HEIGHT_PX])
    ctx[c.LEAF_BOTTOM] = edge(line + 1, level, ctx[c.HEIGHT_PX])
    ctx[c.LEAF_AT] = -1


def drawing(dtype: str) -> Any:
    """draw(ctx, place, values, truths, columns, rows): a block's results into the image.

    ``place`` is that of the first pixel; values or truths are drawn, as the image has them. Returns
    how many pixels are inside.
    """
    itemsize = np.dtype(dtype).itemsize
    floats_at = pointer_to(types.float32 if dtype == "float32" else types.float64)

    @jit
    def draw(ctx, place, values, truths, columns, rows):
        inside, bits = 0, uint16_at(truths)
        for row in range(rows):
            if ctx[c.IS_VALUE]:
                found = floats_at(values + row * BLOCK * itemsize)
                pixels = floats_at(ctx[c.IMAGE] + place * itemsize)
                for k in range(columns):
                    inside += found[k] < 0
                    pixels[k] = found[k]
            elif columns == BLOCK:
                inside += write_row(ctx[c.IMAGE] + place, np.int64(bits[row]))
            else:
                out = uint8_at(ctx[c.IMAGE] + place)
                for k in range(columns):
                    bit = (np.int64(bits[row]) >> k) & 1
                    inside += int(bit)
                    out[k] = np.uint8(255 * bit)
            place += ctx[c.WIDTH_PX]
        return inside

    return draw


def point_rows(dtype: str, evaluate_points: Any) -> Any:
    """``leaf_rows(ctx)``, see there."""
    itemsize = np.dtype(dtype).itemsize
    points_bytes, axis_bytes = (block_bytes(dtype, count, "sample") for count in (AREA, BLOCK))
    copy_block, draw = copy_block_of(dtype), drawing(dtype)

    @jit
    def leaf_rows(ctx):
        """Evaluate up to 16 rows of the noted leaf point by point; returns records x lanes."""
        n, result = ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows, inside = min(BLOCK, ctx[c.LEAF_BOTTOM] - top), 0
        for column in range(left, right, BLOCK):
            copy_block(axis, ctx[c.X] + column * itemsize)
            copy_block(axis + axis_bytes, ctx[c.Y] + top * itemsize)
            evaluate_points(ctx[c.LEAF_RECORDS], n, full, axis, truth, ctx[c.CONSTANTS], 0)
            place = top * ctx[c.WIDTH_PX] + column
            values, truths = full + result * points_bytes, truth + result * TRUTH_BYTES
            inside += draw(ctx, place, values, truths, min(BLOCK, right - column), rows)
        ctx[c.LEAF_ROW] = top + rows
        stats = int64_at(ctx[c.STATS])
        stats[c.INSIDE_PX] += inside
        stats[c.EVALUATED_PX] += rows * (right - left)
        return n * (right - left) * BLOCK

    return leaf_rows


def verdict_rows(dtype: str, evaluate_pixels: Any) -> Any:
    """``leaf_rows(ctx)``, see there."""
    itemsize = np.dtype(dtype).itemsize
    axis_bytes, pixel_truth_bytes = block_bytes(dtype, BLOCK, "pixel"), c.truth_bytes("pixel")
    lower_at, upper_at, nan_at = c.interval_offsets(dtype, BLOCK)
    copy_block = copy_block_of(dtype)
    unproven = int(UNPROVEN)  # an eight-bit number would make numba compute in eight bits

    @jit
    def enter(slot, lows, highs):
        """Write the sides of 16 columns or rows; what is beyond the image does not count."""
        copy_block(slot + lower_at, lows)
        copy_block(slot + upper_at, highs)
        int64_at(slot + nan_at)[0] = 0

    @jit
    def leaf_rows(ctx):
        """Prove up to 16 rows of the noted leaf pixel by pixel; returns records x lanes."""
        n = ctx[c.LEAF_COUNT]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows, inside, proven = min(BLOCK, ctx[c.LEAF_BOTTOM] - top), 0, 0
        for column in range(left, right, BLOCK):
            x, y = column * itemsize, top * itemsize
            enter(axis, ctx[c.X] + x, ctx[c.X_UPPER] + x)
            enter(axis + axis_bytes, ctx[c.Y] + y, ctx[c.Y_UPPER] + y)
            evaluate_pixels(ctx[c.LEAF_RECORDS], n, full, axis, truth, ctx[c.CONSTANTS], 0)
            always = uint16_at(truth + pixel_truth_bytes * ctx[c.LEAF_RESULT])
            columns = min(BLOCK, right - column)
            for row in range(rows):
                is_inside, is_outside = np.int64(always[row]), np.int64(always[BLOCK + row])
                place = ctx[c.IMAGE] + (top + row) * ctx[c.WIDTH_PX] + column
                within = (1 << columns) - 1
                inside += count_bits(np.uint64(is_inside & within))
                proven += count_bits(np.uint64((is_inside | is_outside) & within))
                if columns == BLOCK:
                    write_verdicts(place, is_inside, is_outside)
                    continue
                out = uint8_at(place)
                for k in range(columns):
                    bit = 1 << k
                    out[k] = 255 if is_inside & bit else 0 if is_outside & bit else unproven
        ctx[c.LEAF_ROW] = top + rows
        stats = int64_at(ctx[c.STATS])
        stats[c.INSIDE_PX] += inside
        stats[c.EVALUATED_PX] += rows * (right - left)
        stats[c.UNPROVEN_PX] += rows * (right - left) - proven
        return n * (right - left) * BLOCK

    return leaf_rows


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


def build_merge(dtype: str, _: Meaning) -> tuple[Any, tuple[()]]:
    """The kernel ``merge(address of a context)``: a batch's results into the image."""
    points_bytes, draw = block_bytes(dtype, AREA, "sample"), drawing(dtype)

    def merge(address):
        ctx = int64_at(address)
        inside = 0
        for i in range(ctx[c.MERGE_COUNT]):
            block = int32_at(ctx[c.MERGE_BLOCKS] + 4 * c.BLOCK_WORDS * i)
            columns, rows = np.int64(block[c.BLOCK_COLUMNS]), np.int64(block[c.BLOCK_ROWS])
            place = block[c.BLOCK_TOP] * ctx[c.WIDTH_PX] + block[c.BLOCK_LEFT]
            values = ctx[c.MERGE_RESULTS] + i * points_bytes
            truths = ctx[c.MERGE_RESULTS] + i * TRUTH_BYTES
            inside += draw(ctx, place, values, truths, columns, rows)
        int64_at(ctx[c.STATS])[c.INSIDE_PX] += inside
        return 0

    return merge, ()
