"""The compiled leaves of proofs: every pixel a region of its own, inside, outside or neither."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from intervalvm.jit import context as c
from intervalvm.jit.intrinsics import copy_block_of, count_bits, int64_at, jit, uint8_at, uint16_at
from intervalvm.jit.lanes import I1, POINTER
from intervalvm.jit.layout import BLOCK, TRUTH_BYTES, block_bytes
from intervalvm.jit.layout import UNPROVEN as GREY

UNPROVEN = int(GREY)
"""A Python number: an eight-bit one would make numba compute in eight bits."""


def verdict_rows(dtype: str, evaluate_pixels: Any) -> Any:
    """``leaf_rows(ctx)``, see there."""
    itemsize = np.dtype(dtype).itemsize
    axis_bytes = block_bytes(dtype, BLOCK, "pixels")
    copy_block = copy_block_of(dtype)

    @jit
    def enter(slot, lows, highs):
        """Write the sides of 16 columns or rows; what is beyond the image does not count."""
        copy_block(slot, lows)
        copy_block(slot + BLOCK * itemsize, highs)
        int64_at(slot + 2 * BLOCK * itemsize)[0] = 0

    @jit
    def leaf_rows(ctx):
        """Judge up to 16 rows of the noted leaf pixel by pixel; returns records x lanes."""
        n = ctx[c.LEAF_COUNT]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows, inside, proven = min(BLOCK, ctx[c.LEAF_BOTTOM] - top), 0, 0
        for column in range(left, right, BLOCK):
            x, y = column * itemsize, top * itemsize
            enter(axis, ctx[c.X] + x, ctx[c.X_UPPER] + x)
            enter(axis + axis_bytes, ctx[c.Y] + y, ctx[c.Y_UPPER] + y)
            evaluate_pixels(ctx[c.LEAF_RECORDS], n, full, axis, truth, ctx[c.NUMBERS], 0)
            always = uint16_at(truth + 2 * TRUTH_BYTES * ctx[c.LEAF_RESULT])
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
                    out[k] = 255 if is_inside & bit else 0 if is_outside & bit else UNPROVEN
        ctx[c.LEAF_ROW] = top + rows
        stats = int64_at(ctx[c.STATS])
        stats[c.INSIDE_PX] += inside
        stats[c.EVALUATED_PX] += rows * (right - left)
        stats[c.UNPROVEN_PX] += rows * (right - left) - proven
        return n * (right - left) * BLOCK

    return leaf_rows


@intrinsic
def write_verdicts(typingctx, out, inside, outside):
    """16 bytes: 255 for each bit of ``inside``, 0 for one of ``outside``, UNPROVEN for the rest."""

    def codegen(context, builder, signature, args):
        row = ir.VectorType(ir.IntType(8), BLOCK)
        words = [builder.trunc(bits, ir.IntType(BLOCK)) for bits in args[1:]]
        is_inside, is_outside = (builder.bitcast(w, ir.VectorType(I1, BLOCK)) for w in words)
        white, grey, black = (ir.Constant(row, [shade] * BLOCK) for shade in (255, UNPROVEN, 0))
        pixels = builder.select(is_inside, white, builder.select(is_outside, black, grey))
        builder.store(pixels, builder.inttoptr(args[0], POINTER), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen
