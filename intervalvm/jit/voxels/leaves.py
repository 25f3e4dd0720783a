"""Leaves of the walk: a program at each voxel, of four leaves together; the nearest are drawn."""

from __future__ import annotations

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit.children import NO_CHILD, ONE
from intervalvm.jit.interpreter import Loop
from intervalvm.jit.intrinsics import (
    call_of,
    count_bits,
    first_bit,
    int64_at,
    jit,
    uint64_at,
)
from intervalvm.jit.layout import LANES, TRUTH_BYTES
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.placing import Voxels
from intervalvm.jit.voxels.regions import ALL_LANES, draw_leaf, enter_leaf, leaf_at

EACH_LINE, EACH_LAYER = np.uint64(0x1111111111111111), np.uint64(0x0001000100010001)
"""The first column, and the first line and column, of a leaf of 4 x 4 x 4 voxels."""
evaluate_voxels = call_of(Loop("sample", "float32", True))  # the symbol of any dtype's
place_voxels = call_of(Voxels("float32"))


@jit
def lanes_of_leaf(leaf):
    """The mask of a leaf's voxels: lanes beyond its ends are those of others."""
    columns, lines, layers = leaf[v.COUNTS_AT], leaf[v.COUNTS_AT + 1], leaf[v.COUNTS_AT + 2]
    return (
        (ALL_LANES >> np.uint64(LANES - columns)) * EACH_LINE
        & (ALL_LANES >> np.uint64(LANES - v.TILE * lines)) * EACH_LAYER
        & ALL_LANES >> np.uint64(LANES - v.TILE * v.TILE * layers)
    )


@jit
def evaluate_leaves(ctx, stack, step, ambiguous):
    """Evaluate the ambiguous children of a region by its program; returns records x lanes."""
    stats, n = int64_at(ctx[c.STATS] + 8 * v.COUNTS * step), stack[c.COUNT]
    spent = 0
    while ambiguous != NO_CHILD:
        count = 0
        while count < v.BATCH and ambiguous != NO_CHILD:
            child = first_bit(ambiguous)
            ambiguous &= ambiguous - ONE
            if enter_leaf(ctx, stack, step, child, count):
                leaf = leaf_at(ctx, count)
                place_voxels(ctx[v.TERMS], leaf[v.FIRST], leaf[v.FIRST + 1], leaf[v.FIRST + 2],
                             ctx[c.FULL], count, ctx[v.IS_PERSPECTIVE])  # fmt: skip
                count += 1
        if count == 0:
            break
        evaluate_voxels(
            stack[c.PROGRAM], n, ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH], ctx[c.CONSTANTS],
            ctx[c.CHOICES],
        )  # fmt: skip
        words = uint64_at(ctx[c.TRUTH] + TRUTH_BYTES * stack[c.REGION_RESULT])
        for place in range(count):
            leaf = leaf_at(ctx, place)
            mask = lanes_of_leaf(leaf)
            stats[v.EVALUATED] += count_bits(mask)
            if words[place] & mask:
                draw_leaf(ctx, leaf, words[place] & mask)
        spent += n * v.BATCH * LANES
    return spent
