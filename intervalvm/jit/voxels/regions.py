"""Regions of the walk: their children, which of them are hidden, bounds over those that are not.

While a region is split, ``enter_children`` has noted its children's edges.
"""

from __future__ import annotations

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit.children import NO_CHILD, ONE
from intervalvm.jit.interpreter import Loop
from intervalvm.jit.intrinsics import (
    call_of,
    count_bits,
    fill_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    uint64_at,
)
from intervalvm.jit.leaves import edge
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.drawing import Drawing, Nearer
from intervalvm.jit.voxels.placing import Regions

ALL_LANES = np.uint64(2**64 - 1)
SIZES = c.WIDTH_PX, c.HEIGHT_PX, v.LAYERS
evaluate_regions = call_of(Loop("region", "float32", True))  # the symbol of any dtype's
place_regions = call_of(Regions("float32"))
draw_voxels, nearer_than = call_of(Drawing()), call_of(Nearer())


@jit
def bits_along(ctx, stack, step, axis):
    """The levels that a split takes along an axis: none across a flat region."""
    if axis == v.AXES - 1 and stack[v.FLAT]:
        return np.int64(0)
    return int64_at(ctx[v.SPLITS])[v.SPLIT_WORDS * step + v.BITS + axis]


@jit
def cell_of(step_shape, axis, child):
    """The number of a lane's child along an axis."""
    low = np.int64(0)
    for k in range(axis):
        low += v.SHAPES[step_shape][k]
    return (child >> low) & ((1 << v.SHAPES[step_shape][axis]) - 1)


@jit
def shape_of(ctx, step):
    return int64_at(ctx[v.SPLITS])[v.SPLIT_WORDS * step + v.SHAPE]


@jit
def pattern(ctx, shape, axis, cell):
    """The mask of the lanes with a number along an axis."""
    return uint64_at(ctx[v.PATTERNS])[(v.AXES * shape + axis) * v.MOST_CELLS + cell]


@jit
def edges_along(ctx, axis):
    """The edges of the children along an axis: see ``enter_children``."""
    return int64_at(ctx[v.CHILD_EDGES] + 8 * v.EDGES * axis)


@jit
def first_child(ctx, stack, step, axis):
    """The node of the first child along an axis."""
    level, cell = stack[v.LEVELS + axis], stack[v.CELL + axis]
    return ((1 << level) + cell) << bits_along(ctx, stack, step, axis)


@jit
def enter_children(ctx, stack, step):
    """Note the edges of the children of the region that is to be split; returns their lanes."""
    shape, valid = shape_of(ctx, step), ALL_LANES
    for axis in range(v.AXES):
        bits, lanes, edges = bits_along(ctx, stack, step, axis), NO_CHILD, edges_along(ctx, axis)
        level, first = stack[v.LEVELS + axis] + bits, stack[v.CELL + axis] << bits
        for cell in range(1 << bits):
            edges[cell] = edge(first + cell, level, ctx[SIZES[axis]])
            lanes |= pattern(ctx, shape, axis, cell)
        edges[1 << bits] = edge(first + (1 << bits), level, ctx[SIZES[axis]])
        valid &= lanes
    return valid


@jit
def leaves_along(ctx, stack, step, axis, cell):
    """The first leaf of the children with a number along an axis, and how many they have."""
    bits = bits_along(ctx, stack, step, axis)
    deeper = ctx[v.LEAF_LEVELS + axis] - stack[v.LEVELS + axis] - bits
    return ((stack[v.CELL + axis] << bits) + cell) << deeper, 1 << deeper


@jit
def leaf_line(ctx, line):
    """The least depths of the leaves in a line of them."""
    return int32_at(ctx[v.LEAST] + 4 * (line << ctx[v.LEAF_LEVELS]))


@jit
def least_depth(ctx, column, columns, line, lines):
    """The least depth of the pixels of some columns and lines of leaves."""
    found = np.int32(2**31 - 1)
    for j in range(line, line + lines):
        row = leaf_line(ctx, j)
        for i in range(column, column + columns):
            found = min(found, row[i])
    return found


@jit
def visible_leaves(ctx, stack, step):
    """The leaves of a region, children of the last split, that nothing drawn so far hides."""
    column, _ = leaves_along(ctx, stack, step, 0, 0)
    line, _ = leaves_along(ctx, stack, step, 1, 0)
    at, stride = ctx[v.LEAST] + 4 * ((line << ctx[v.LEAF_LEVELS]) + column), ctx[v.LEAF_LEVELS]
    edges, found = edges_along(ctx, 2), NO_CHILD
    for k in range(1 << bits_along(ctx, stack, step, 2)):
        layer = nearer_than(at, 4 << stride, ctx[v.LAYERS] - edges[k])
        found |= np.uint64(layer) << np.uint64(v.TILE * v.TILE * k)
    return found


@jit
def visible(ctx, stack, step, valid):
    """Those of the children that nothing drawn so far hides."""
    shape, edges = shape_of(ctx, step), edges_along(ctx, 2)
    farthest = (1 << bits_along(ctx, stack, step, 2)) - 1
    if step == ctx[c.STEPS] - 1:
        return valid & visible_leaves(ctx, stack, step)
    for j in range(1 << bits_along(ctx, stack, step, 1)):
        line, lines = leaves_along(ctx, stack, step, 1, j)
        for i in range(1 << bits_along(ctx, stack, step, 0)):
            column, columns = leaves_along(ctx, stack, step, 0, i)
            least, k = least_depth(ctx, column, columns, line, lines), farthest
            while k >= 0 and ctx[v.LAYERS] - edges[k] <= least:
                hidden = pattern(ctx, shape, 0, i) & pattern(ctx, shape, 1, j)
                valid &= ~(hidden & pattern(ctx, shape, 2, k))
                k -= 1
    return valid


@jit
def draw_child(ctx, stack, step, child):
    """Draw a child that is inside."""
    shape = shape_of(ctx, step)
    i, j, k = cell_of(shape, 0, child), cell_of(shape, 1, child), cell_of(shape, 2, child)
    depth = np.int32(ctx[v.LAYERS] - edges_along(ctx, 2)[k])
    columns, lines = edges_along(ctx, 0), edges_along(ctx, 1)
    first, count = leaves_along(ctx, stack, step, 0, i)
    top, deep = leaves_along(ctx, stack, step, 1, j)
    for line in range(lines[j], lines[j + 1]):
        row = int32_at(ctx[c.IMAGE] + 4 * (line * ctx[c.WIDTH_PX]))
        for column in range(columns[i], columns[i + 1]):
            row[column] = max(row[column], depth)
    for line in range(top, top + deep):
        row = leaf_line(ctx, line)
        for column in range(first, first + count):
            row[column] = max(row[column], depth)


@jit
def leaf_at(ctx, place):
    """A leaf of the batch."""
    return int64_at(ctx[v.BATCH_LEAVES] + 8 * v.LEAF_WORDS * place)


@jit
def enter_leaf(ctx, stack, step, child, place):
    """Make a child of the last split a leaf of the batch, unless it is hidden.

    Returns whether it is one.
    """
    i, j, k = child % v.TILE, (child // v.TILE) % v.TILE, child // (v.TILE * v.TILE)
    columns, lines, layers = edges_along(ctx, 0), edges_along(ctx, 1), edges_along(ctx, 2)
    column, _ = leaves_along(ctx, stack, step, 0, i)
    line, _ = leaves_along(ctx, stack, step, 1, j)
    at = ctx[v.LEAST] + 4 * ((line << ctx[v.LEAF_LEVELS]) + column)
    if int32_at(at)[0] >= ctx[v.LAYERS] - layers[k]:
        return 0
    leaf = leaf_at(ctx, place)
    leaf[v.FIRST], leaf[v.FIRST + 1], leaf[v.FIRST + 2] = columns[i], lines[j], layers[k]
    leaf[v.COUNTS_AT] = columns[i + 1] - columns[i]
    leaf[v.COUNTS_AT + 1] = lines[j + 1] - lines[j]
    leaf[v.COUNTS_AT + 2] = 1 if stack[v.FLAT] else layers[k + 1] - layers[k]
    leaf[v.LEAST_AT] = at
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
def behind(ctx, step, child):
    """The lanes with the columns and lines of a child, and a layer behind it."""
    shape = shape_of(ctx, step)
    column = pattern(ctx, shape, 0, cell_of(shape, 0, child))
    line = pattern(ctx, shape, 1, cell_of(shape, 1, child))
    upward = ALL_LANES << np.uint64(child)
    return column & line & (upward << ONE)


@jit
def use_step(ctx, step):
    """Let the masks of a split be those of a step."""
    places = ctx[v.STEP_PLACES] * step
    ctx[c.CHOICES] = ctx[v.STEP_CHOICES] + c.CHOICE_BYTES * places
    ctx[c.LIVE], ctx[c.ROWS_LIVE] = ctx[v.STEP_LIVE] + 8 * places, ctx[v.STEP_ROWS] + 8 * places


@jit
def split(ctx, stack, step, valid):
    """Bound those of ``valid`` children of a row's region; returns the ambiguous ones."""
    stats, n = int64_at(ctx[c.STATS] + 8 * v.COUNTS * step), stack[c.COUNT]
    use_step(ctx, step)
    fill_bytes(ctx[c.CHOICES], c.CHOICE_BYTES * (n + v.AXES), 0)
    place_regions(
        shape_of(ctx, step), ctx[v.BOUNDS], first_child(ctx, stack, step, 0),
        first_child(ctx, stack, step, 1), first_child(ctx, stack, step, 2), ctx[c.FULL],
        ctx[v.IS_PERSPECTIVE],
    )  # fmt: skip
    evaluate_regions(
        stack[c.PROGRAM], n, ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH], ctx[c.CONSTANTS],
        ctx[c.CHOICES],
    )  # fmt: skip
    words = uint64_at(ctx[c.TRUTH] + c.REGION_TRUTH_BYTES * stack[c.REGION_RESULT])
    inside, outside = words[0] & valid, words[1] & valid
    left = valid & ~(inside | outside)
    stats[v.REGIONS] += count_bits(valid)
    stats[v.INSIDE] += count_bits(inside)
    stats[v.OUTSIDE] += count_bits(outside)
    while inside != NO_CHILD:
        child = first_bit(inside)
        inside &= inside - ONE
        if step < ctx[c.STEPS] - 1:
            draw_child(ctx, stack, step, child)
        elif enter_leaf(ctx, stack, step, child, 0):
            draw_leaf(ctx, leaf_at(ctx, 0), ALL_LANES)
        hidden = behind(ctx, step, child)
        stats[v.HIDDEN] += count_bits(hidden & left)
        inside &= ~hidden
        left &= ~hidden
    stats[v.AMBIGUOUS] += count_bits(left)
    return left
