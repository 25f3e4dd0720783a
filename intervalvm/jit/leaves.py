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

from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import (
    DOUBLE_BYTES,
    copy_block,
    copy_bytes,
    count_bits,
    float32_at,
    float64_at,
    int32_at,
    int64_at,
    jit,
    uint8_at,
    uint16_at,
    uint64_at,
    write_row,
    write_verdicts,
)
from intervalvm.jit.layout import AREA, BLOCK, SIDE, TRUTH_BYTES, UNPROVEN

FOUR_BY_FOUR = np.uint64(0x000F000F000F000F)
"""The first four samples of four rows of a block."""
UNPROVEN_BYTE = int(UNPROVEN)  # an eight-bit number would make numba compute in eight bits
edge, interval_size = jit(c.edge), jit(c.interval_size)


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
    samples = ctx[c.SAMPLES]
    ctx[c.LEAF_LEFT] = samples * edge(column, level, ctx[c.WIDTH_PX])
    ctx[c.LEAF_RIGHT] = samples * edge(column + 1, level, ctx[c.WIDTH_PX])
    ctx[c.LEAF_ROW] = samples * edge(line, level, ctx[c.HEIGHT_PX])
    ctx[c.LEAF_BOTTOM] = samples * edge(line + 1, level, ctx[c.HEIGHT_PX])
    ctx[c.LEAF_AT] = -1


@jit
def draw_values(out, values, count, itemsize):
    """Draw numbers into the image; returns how many are below 0."""
    inside = 0
    if itemsize == DOUBLE_BYTES:
        doubles, double_pixels = float64_at(values), float64_at(out)
        for k in range(count):
            inside += doubles[k] < 0
            double_pixels[k] = doubles[k]
    else:
        singles, single_pixels = float32_at(values), float32_at(out)
        for k in range(count):
            inside += singles[k] < 0
            single_pixels[k] = singles[k]
    return inside


@jit
def draw(ctx, place, values, truths, columns, rows):
    """Draw a block's results into the image; returns how many pixels are inside.

    ``place`` is that of the first pixel; values or truths are drawn, as the image has them.
    """
    image, width, itemsize, inside = ctx[c.IMAGE], ctx[c.WIDTH_PX], ctx[c.ITEMSIZE], 0
    if ctx[c.IS_VALUE]:
        for row in range(rows):
            out, found = image + (place + row * width) * itemsize, values + row * BLOCK * itemsize
            inside += draw_values(out, found, columns, itemsize)
        return inside
    bits, out = uint16_at(truths), image + place
    for row in range(rows):
        if columns == BLOCK:
            inside += write_row(out, np.int64(bits[row]))
        else:
            pixels = uint8_at(out)
            for k in range(columns):
                bit = (np.int64(bits[row]) >> k) & 1
                inside += int(bit)
                pixels[k] = np.uint8(255 * bit)
        out += width
    return inside


@jit
def draw_fours(row, width, truths, shades, columns, rows):
    """``draw_coverage`` where a pixel has 4 x 4 samples: a word has four rows of samples."""
    words, inside = uint64_at(truths), 0
    for k in range(rows >> 2):
        word, pixels = words[k], uint8_at(row + k * width)
        if columns == BLOCK:
            for q in range(4):
                pixels[q] = shades[count_bits((word >> np.uint64(4 * q)) & FOUR_BY_FOUR)]
            inside += count_bits(word)
        else:
            for q in range(columns >> 2):
                count = count_bits((word >> np.uint64(4 * q)) & FOUR_BY_FOUR)
                pixels[q] = shades[count]
                inside += count
    return inside


@jit
def draw_coverage(ctx, place, truths, columns, rows):
    """Draw a block of whole pixels, each of n x n samples; returns how many samples are inside.

    ``columns`` and ``rows`` are samples.
    """
    n, width, inside = ctx[c.SAMPLES], ctx[c.WIDTH_PX], 0
    bits, shades, row = uint16_at(truths), uint8_at(ctx[c.SHADES]), ctx[c.IMAGE] + place
    if n == 4:
        return draw_fours(row, width, truths, shades, columns, rows)
    first = (np.uint64(1) << np.uint64(n)) - np.uint64(1)
    for top in range(0, rows, n):
        pixels = uint8_at(row)
        for left in range(0, columns, n):
            count, mask = 0, first << np.uint64(left)
            for k in range(top, top + n):
                count += count_bits(np.uint64(bits[k]) & mask)
            pixels[left // n] = shades[count]
            inside += count
        row += width
    return inside


@jit
def draw_verdicts(ctx, place, truths, columns, rows):
    """Draw a block of a proof; returns how many pixels are inside, and how many are proven."""
    inside, proven, always, within = 0, 0, uint16_at(truths), (1 << columns) - 1
    out, width = ctx[c.IMAGE] + place, ctx[c.WIDTH_PX]
    for row in range(rows):
        is_inside, is_outside = np.int64(always[row]), np.int64(always[BLOCK + row])
        inside += count_bits(np.uint64(is_inside & within))
        proven += count_bits(np.uint64((is_inside | is_outside) & within))
        if columns == BLOCK:
            write_verdicts(out, is_inside, is_outside)
        else:
            pixels = uint8_at(out)
            for k in range(columns):
                bit = 1 << k
                pixels[k] = 255 if is_inside & bit else 0 if is_outside & bit else UNPROVEN_BYTE
        out += width
    return inside, proven


@jit
def enter_sides(slot, lows, highs, itemsize):
    """Write the sides of 16 columns or rows of pixels; what is beyond the image does not count."""
    copy_block(slot, lows, itemsize)
    copy_block(slot + BLOCK * itemsize, highs, itemsize)
    int64_at(slot + 2 * BLOCK * itemsize)[0] = 0


def rows_of_leaf(evaluate: Any) -> Any:
    """leaf_rows(ctx), where ``evaluate`` is the loop over a block's points or pixels."""

    @jit
    def leaf_rows(ctx):
        """Evaluate up to 16 rows of the noted leaf, or prove them; returns records x lanes."""
        n, itemsize, is_proof = ctx[c.LEAF_COUNT], ctx[c.ITEMSIZE], ctx[c.IS_PROOF]
        samples = ctx[c.SAMPLES]
        side = BLOCK // samples * samples  # whole pixels
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows, inside, proven = min(side, ctx[c.LEAF_BOTTOM] - top), 0, 0
        axis_bytes = interval_size(BLOCK, itemsize) if is_proof else BLOCK * itemsize
        for column in range(left, right, side):
            columns, place = min(side, right - column), top * ctx[c.WIDTH_PX] + column
            x, y = column * itemsize, top * itemsize
            if is_proof:
                enter_sides(axis, ctx[c.X] + x, ctx[c.X_UPPER] + x, itemsize)
                enter_sides(axis + axis_bytes, ctx[c.Y] + y, ctx[c.Y_UPPER] + y, itemsize)
            else:
                copy_block(axis, ctx[c.X] + x, itemsize)
                copy_block(axis + axis_bytes, ctx[c.Y] + y, itemsize)
            evaluate(ctx[c.LEAF_RECORDS], n, full, axis, truth, ctx[c.CONSTANTS], 0)
            if is_proof:
                truths = truth + 2 * TRUTH_BYTES * ctx[c.LEAF_RESULT]
                found = draw_verdicts(ctx, place, truths, columns, rows)
                inside, proven = inside + found[0], proven + found[1]
            else:
                values = full + ctx[c.LEAF_RESULT] * AREA * itemsize
                truths = truth + ctx[c.LEAF_RESULT] * TRUTH_BYTES
                if samples > 1:
                    pixel = top // samples * ctx[c.WIDTH_PX] + column // samples
                    inside += draw_coverage(ctx, pixel, truths, columns, rows)
                    continue
                inside += draw(ctx, place, values, truths, columns, rows)
        ctx[c.LEAF_ROW] = top + rows
        stats = int64_at(ctx[c.STATS])
        stats[c.INSIDE_PX] += inside
        stats[c.EVALUATED_PX] += rows * (right - left)
        if is_proof:
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


def build_merge(*_: Any) -> tuple[Any, tuple[()]]:
    """The kernel ``merge(address of a context)``: a batch's results into the image."""

    def merge(address):
        ctx = int64_at(address)
        inside = 0
        for i in range(ctx[c.MERGE_COUNT]):
            block = int32_at(ctx[c.MERGE_BLOCKS] + 4 * c.BLOCK_WORDS * i)
            columns, rows = np.int64(block[c.BLOCK_COLUMNS]), np.int64(block[c.BLOCK_ROWS])
            place = block[c.BLOCK_TOP] * ctx[c.WIDTH_PX] + block[c.BLOCK_LEFT]
            values = ctx[c.MERGE_RESULTS] + i * AREA * ctx[c.ITEMSIZE]
            truths = ctx[c.MERGE_RESULTS] + i * TRUTH_BYTES
            inside += draw(ctx, place, values, truths, columns, rows)
        int64_at(ctx[c.STATS])[c.INSIDE_PX] += inside
        return 0

    return merge, ()
