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
    int32_at,
    int64_at,
    jit,
    uint64_at,
)
from intervalvm.jit.layout import LANES, TRUTH_BYTES
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.drawing import Drawing
from intervalvm.jit.voxels.placing import Voxels
from intervalvm.jit.voxels.regions import (
    ALL_LANES,
    cell_of,
    edges_along,
    leaf_line,
    leaves_along,
    shape_of,
)

EACH_LINE, EACH_LAYER = np.uint64(0x1111111111111111), np.uint64(0x0001000100010001)
"""The first column, and the first line and column, of a leaf of 4 x 4 x 4 voxels."""
evaluate_voxels = call_of(Loop("sample", "float32", True))  # the symbol of any dtype's
place_voxels, draw_voxels = call_of(Voxels("float32")), call_of(Drawing())


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
def enter_leaf(ctx, stack, step, child, place):
    """Make a child a leaf of the batch unless it is hidden; returns whether it is one."""
    leaf, shape = int64_at(ctx[v.BATCH_LEAVES] + 8 * v.LEAF_WORDS * place), shape_of(ctx, step)
    i, j, k = cell_of(shape, 0, child), cell_of(shape, 1, child), cell_of(shape, 2, child)
    column, _ = leaves_along(ctx, stack, step, 0, i)
    line, _ = leaves_along(ctx, stack, step, 1, j)
    columns, lines, layers = edges_along(ctx, 0), edges_along(ctx, 1), edges_along(ctx, 2)
    if leaf_line(ctx, line)[column] >= ctx[v.LAYERS] - layers[k]:
        return 0
    leaf[v.FIRST], leaf[v.FIRST + 1], leaf[v.FIRST + 2] = columns[i], lines[j], layers[k]
    leaf[v.COUNTS_AT] = columns[i + 1] - columns[i]
    leaf[v.COUNTS_AT + 1] = lines[j + 1] - lines[j]
    leaf[v.COUNTS_AT + 2] = 1 if stack[v.FLAT] else layers[k + 1] - layers[k]
    leaf[v.LEAST_AT] = ctx[v.LEAST] + 4 * ((line << ctx[v.LEAF_LEVELS]) + column)
    place_voxels(ctx[v.TERMS], columns[i], lines[j], layers[k], ctx[c.FULL], place,
                 ctx[v.IS_PERSPECTIVE])  # fmt: skip
    return 1


@jit
def draw_leaf(ctx, leaf, inside):
    """Draw the nearest of a leaf's voxels that are inside."""
    at = ctx[c.IMAGE] + 4 * (leaf[v.FIRST + 1] * ctx[c.WIDTH_PX] + leaf[v.FIRST])
    depth = ctx[v.LAYERS] - leaf[v.FIRST + 2]
    least = draw_voxels(at, 4 * ctx[c.WIDTH_PX], np.int64(inside), depth, leaf[v.COUNTS_AT],
                        leaf[v.COUNTS_AT + 1])  # fmt: skip
    int32_at(leaf[v.LEAST_AT])[0] = np.int32(least)


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
            count += enter_leaf(ctx, stack, step, child, count)
        if count == 0:
            break
        evaluate_voxels(
            stack[c.PROGRAM], n, ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH], ctx[c.CONSTANTS],
            ctx[c.CHOICES],
        )  # fmt: skip
        words = uint64_at(ctx[c.TRUTH] + TRUTH_BYTES * stack[c.REGION_RESULT])
        for place in range(count):
            leaf = int64_at(ctx[v.BATCH_LEAVES] + 8 * v.LEAF_WORDS * place)
            mask = lanes_of_leaf(leaf)
            stats[v.EVALUATED] += count_bits(mask)
            if words[place] & mask:
                draw_leaf(ctx, leaf, words[place] & mask)
        stats[v.CALLS] += 1
        spent += n * v.BATCH * LANES
    return spent
