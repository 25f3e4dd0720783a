"""The walk over voxels in numba: from the nearest region to the farthest, depth by depth.

As in the plane (see ``jit.kernels``) a split bounds up to 64 children in one pass. Those inside are
drawn; each ambiguous one gets a shorter program when its turn comes, so those that are hidden by
then cost nothing. The children of the last split are leaves of up to 4 x 4 x 4 voxels, which the
region's program evaluates, four leaves together.

The picture has for each pixel the depth of the nearest voxel inside: the number of layers for one
in the nearest layer, 1 in the farthest, 0 where there is none.

A region whose program reads nothing that moves from layer to layer is *flat*: all its layers are
alike, so it is not cut across, and of its leaves only the nearest layer is evaluated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit.children import NO_CHILD, ONE, find_children, write_program
from intervalvm.jit.interpreter import Loop
from intervalvm.jit.intrinsics import (
    call_of,
    count_bits,
    fill_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    publish,
    published,
    take_next,
    uint64_at,
)
from intervalvm.jit.kernels import MOST_POLLS, await_others
from intervalvm.jit.layout import LANES, TRUTH_BYTES
from intervalvm.jit.leaves import edge
from intervalvm.jit.numbers import read_number, write_number
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.placing import Regions, Voxels
from intervalvm.words import Meaning

Linked = Loop | Regions | Voxels
ALL_LANES = np.uint64(2**64 - 1)
LAYER_LANES = np.uint64(0xFFFF)
"""The lanes of a leaf's nearest layer."""
SIZES = c.WIDTH_PX, c.HEIGHT_PX, v.LAYERS
evaluate_regions = call_of(Loop("region", "float32", True))  # the symbol of any dtype's
evaluate_voxels = call_of(Loop("sample", "float32", True))
place_regions, place_voxels = call_of(Regions("float32")), call_of(Voxels("float32"))


def build_tame(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The walk of a program whose values cannot be NaN or infinite."""
    return walk, _linked(dtype, tame=True)


def build_careful(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The walk of any program."""
    return walk, _linked(dtype, tame=False)


def _linked(dtype: str, *, tame: bool) -> tuple[Linked, ...]:
    loops = Loop("region", dtype, tame), Loop("sample", dtype, tame)
    return (*loops, Regions(dtype), Voxels(dtype))


# --- regions --------------------------------------------------------------------------------------


@jit
def voxels_along(ctx, stack, axis):
    """The first voxel of a row's region along an axis, and that after its last."""
    size, cell, level = ctx[SIZES[axis]], stack[v.CELL + axis], stack[v.LEVELS + axis]
    return edge(cell, level, size), edge(cell + 1, level, size)


@jit
def bits_along(ctx, stack, step, axis):
    """The levels that a split takes along an axis: none across a flat region."""
    if axis == v.AXES - 1 and stack[v.FLAT]:
        return np.int64(0)
    return int64_at(ctx[v.SPLITS])[v.SPLIT_WORDS * step + v.BITS + axis]


@jit
def child_along(ctx, stack, step, axis, cell):
    """The first voxel of the children with a number along an axis, and that after the last."""
    bits = bits_along(ctx, stack, step, axis)
    level, size = stack[v.LEVELS + axis] + bits, ctx[SIZES[axis]]
    whole = (stack[v.CELL + axis] << bits) + cell
    return edge(whole, level, size), edge(whole + 1, level, size)


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
def enter_children(ctx, stack, step):
    """Write the terms of the children to the tables; returns those that have voxels."""
    size, shape, valid = ctx[c.ITEMSIZE], shape_of(ctx, step), ALL_LANES
    rows = v.ROWS if ctx[v.IS_PERSPECTIVE] else v.ROWS - 1
    for axis in range(v.AXES):
        lanes = NO_CHILD
        cells = 1 << bits_along(ctx, stack, step, axis)
        for cell in range(1 << v.SHAPES[shape][axis]):
            first, end = child_along(ctx, stack, step, axis, min(cell, cells - 1))
            if cell < cells and end > first:
                lanes |= pattern(ctx, shape, axis, cell)
            last = max(end - 1, first)
            for row in range(rows):
                terms = int64_at(ctx[v.TERMS])[v.AXES * row + axis]
                a = read_number(terms + size * first, size)
                b = read_number(terms + size * last, size)
                out = ctx[v.TABLES] + size * (v.TABLE * row + 2 * v.MOST_CELLS * axis + cell)
                write_number(out, min(a, b), size)
                write_number(out + size * v.MOST_CELLS, max(a, b), size)
        valid &= lanes
    return valid


@jit
def least_depth(ctx, left, right, top, bottom):
    """The least depth of the pixels of a rectangle."""
    found = np.int32(2**31 - 1)
    for line in range(top, bottom):
        row = int32_at(ctx[c.IMAGE] + 4 * (line * ctx[c.WIDTH_PX]))
        for column in range(left, right):
            found = min(found, row[column])
    return found


@jit
def visible(ctx, stack, step, valid):
    """Those of the children that nothing drawn so far hides."""
    shape = shape_of(ctx, step)
    layers = 1 << bits_along(ctx, stack, step, 2)
    for j in range(1 << bits_along(ctx, stack, step, 1)):
        top, bottom = child_along(ctx, stack, step, 1, j)
        line = pattern(ctx, shape, 1, j)
        for i in range(1 << bits_along(ctx, stack, step, 0)):
            left, right = child_along(ctx, stack, step, 0, i)
            column = line & pattern(ctx, shape, 0, i)
            if column & valid == NO_CHILD:
                continue
            least = least_depth(ctx, left, right, top, bottom)
            for k in range(layers - 1, -1, -1):
                near, _ = child_along(ctx, stack, step, 2, k)
                if ctx[v.LAYERS] - near > least:
                    break
                valid &= ~(column & pattern(ctx, shape, 2, k))
    return valid


@jit
def is_hidden(ctx, stack):
    """Whether what is drawn hides the region of a row."""
    near, _ = voxels_along(ctx, stack, 2)
    left, right = voxels_along(ctx, stack, 0)
    top, bottom = voxels_along(ctx, stack, 1)
    return least_depth(ctx, left, right, top, bottom) >= ctx[v.LAYERS] - near


@jit
def draw_child(ctx, stack, step, child):
    """Draw a child that is inside."""
    shape = shape_of(ctx, step)
    left, right = child_along(ctx, stack, step, 0, cell_of(shape, 0, child))
    top, bottom = child_along(ctx, stack, step, 1, cell_of(shape, 1, child))
    near, _ = child_along(ctx, stack, step, 2, cell_of(shape, 2, child))
    depth = np.int32(ctx[v.LAYERS] - near)
    for line in range(top, bottom):
        row = int32_at(ctx[c.IMAGE] + 4 * (line * ctx[c.WIDTH_PX]))
        for column in range(left, right):
            row[column] = max(row[column], depth)


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
    place_regions(shape_of(ctx, step), ctx[v.TABLES], ctx[c.FULL], ctx[v.IS_PERSPECTIVE])
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
        draw_child(ctx, stack, step, child)
        hidden = behind(ctx, step, child)
        stats[v.HIDDEN] += count_bits(hidden & left)
        inside &= ~hidden
        left &= ~hidden
    stats[v.AMBIGUOUS] += count_bits(left)
    return left


# --- leaves ---------------------------------------------------------------------------------------


@jit
def lanes_of_leaf(ctx, leaf):
    """The mask of a leaf's voxels: lanes beyond its ends are those of others."""
    found = ALL_LANES
    for axis in range(v.AXES):
        lanes = NO_CHILD
        for cell in range(leaf[v.AXES + axis] - leaf[axis]):
            lanes |= pattern(ctx, v.CUBE, axis, cell)
        found &= lanes
    return found


@jit
def enter_leaf(ctx, stack, step, child, place):
    """Make a child a leaf of the batch unless it is hidden; returns whether it is one."""
    leaf, shape = int64_at(ctx[v.BATCH_LEAVES] + 8 * 2 * v.AXES * place), shape_of(ctx, step)
    for axis in range(v.AXES):
        first, end = child_along(ctx, stack, step, axis, cell_of(shape, axis, child))
        leaf[axis], leaf[v.AXES + axis] = first, end
    if stack[v.FLAT]:
        leaf[2 * v.AXES - 1] = leaf[v.AXES - 1] + 1
    least = least_depth(ctx, leaf[0], leaf[v.AXES], leaf[1], leaf[v.AXES + 1])
    if least >= ctx[v.LAYERS] - leaf[2]:
        return 0
    place_voxels(ctx[v.TERMS], leaf[0], leaf[1], leaf[2], ctx[c.FULL], place,
                 ctx[v.IS_PERSPECTIVE])  # fmt: skip
    return 1


@jit
def draw_leaf(ctx, leaf, inside):
    """Draw the nearest of a leaf's voxels that are inside."""
    drawn, layer = NO_CHILD, leaf[2]
    while inside != NO_CHILD:
        found = inside & LAYER_LANES & ~drawn
        drawn |= found
        inside >>= np.uint64(v.TILE * v.TILE)
        depth = np.int32(ctx[v.LAYERS] - layer)
        layer += 1
        while found != NO_CHILD:
            lane = first_bit(found)
            found &= found - ONE
            line, column = leaf[1] + lane // v.TILE, leaf[0] + lane % v.TILE
            at = int32_at(ctx[c.IMAGE] + 4 * (line * ctx[c.WIDTH_PX] + column))
            at[0] = max(at[0], depth)


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
            leaf = int64_at(ctx[v.BATCH_LEAVES] + 8 * 2 * v.AXES * place)
            mask = lanes_of_leaf(ctx, leaf)
            stats[v.EVALUATED] += count_bits(mask)
            draw_leaf(ctx, leaf, words[place] & mask)
        stats[v.CALLS] += 1
        spent += n * v.BATCH * LANES
    return spent


# --- the walk -------------------------------------------------------------------------------------


@jit
def is_flat(ctx, child, moving):
    """Whether a child of the last split reads no input of the mask ``moving``."""
    live = uint64_at(ctx[c.LIVE])
    for place in range(v.AXES):
        if (moving >> place) & 1 and (live[place] >> np.uint64(child)) & ONE:
            return 0
    return 1


@jit
def enter_child(ctx, step, child, parent_ctx, parent):
    """Make a child of the row ``parent`` of another step the region of row ``step``; split it.

    Returns records x lanes.
    """
    row = ctx[c.STACK] + 8 * v.ROW * step
    stack, shape = int64_at(row), shape_of(ctx, step - 1)
    for axis in range(v.AXES):
        bits = bits_along(parent_ctx, parent, step - 1, axis)
        stack[v.LEVELS + axis] = parent[v.LEVELS + axis] + bits
        stack[v.CELL + axis] = (parent[v.CELL + axis] << bits) + cell_of(shape, axis, child)
    stats = int64_at(ctx[c.STATS] + 8 * v.COUNTS * (step - 1))
    if is_hidden(ctx, stack):
        stats[v.HIDDEN] += 1
        return LANES
    stack[v.FLAT] = parent[v.FLAT] | is_flat(parent_ctx, child, ctx[v.MOVING])
    address = ctx[c.ARENA] + ctx[v.PROGRAM_BYTES] * step
    write_program(parent_ctx, parent, child, ctx[c.PLACES], address, parent)
    stack[c.PROGRAM], stack[c.COUNT] = address, parent[c.CHILD_COUNT + child]
    stack[c.REGION_RESULT] = parent[c.CHILD_RESULT + child]
    stats[v.CLAUSES] += stack[c.COUNT]
    valid = visible(ctx, stack, step, enter_children(ctx, stack, step))
    ambiguous, remaining = split(ctx, stack, step, valid), uint64_at(row + 8 * c.REMAINING)
    remaining[0] = NO_CHILD
    spent = (stack[c.COUNT] + 1) * LANES
    if step == ctx[c.STEPS] - 1:
        return spent + evaluate_leaves(ctx, stack, step, ambiguous)
    if ambiguous != NO_CHILD:
        find_children(ctx, stack, ambiguous)
        remaining[0] = ambiguous
        ctx[c.DEPTH] = step
    return spent


@jit
def split_picture(ctx):
    """Split the whole picture; its ambiguous columns become the tasks, the longest first."""
    stack, shared = int64_at(ctx[c.STACK]), int64_at(ctx[c.SHARED])
    stack[c.PROGRAM], stack[c.COUNT] = ctx[c.RECORDS], ctx[c.LENGTH]
    stack[c.REGION_RESULT], stack[v.FLAT] = ctx[c.RESULT], ctx[v.IS_FLAT]
    for axis in range(v.AXES):
        stack[v.LEVELS + axis] = stack[v.CELL + axis] = 0
    first = np.int64(0)  # as a literal it would make numba compile a split of its own
    left, tasks = split(ctx, stack, first, enter_children(ctx, stack, first)), 0
    if left != NO_CHILD:
        find_children(ctx, stack, left)
    while left != NO_CHILD:
        child = first_bit(left)
        left &= left - ONE
        place = c.TASK_LIST + tasks
        while (
            place > c.TASK_LIST
            and stack[c.CHILD_COUNT + shared[place - 1]] < stack[c.CHILD_COUNT + child]
        ):
            shared[place] = shared[place - 1]
            place -= 1
        shared[place] = child
        tasks += 1
    publish(ctx[c.SHARED] + 8 * c.READY, tasks + 1)


def walk(address):
    """Walk tasks, after the split of the picture if DEPTH is -1; returns 1 if any may be left."""
    ctx = int64_at(address)
    image_ctx, shared = int64_at(ctx[c.IMAGE_CONTEXT]), int64_at(ctx[c.SHARED])
    if ctx[c.DEPTH] < 0:
        ctx[c.DEPTH] = 0
        split_picture(image_ctx)
    ready, polls = published(ctx[c.SHARED] + 8 * c.READY), 0
    while ready == 0:
        polls += 1
        if polls > MOST_POLLS:
            return 1  # the thread that splits it may be waiting for this processor
        ready = published(ctx[c.SHARED] + 8 * c.READY)
    if not ctx[c.HAS_STARTED]:
        ctx[c.HAS_STARTED] = 1
        take_next(ctx[c.SHARED] + 8 * c.STARTED)
    budget = ctx[c.BUDGET]
    while budget > 0:
        step = ctx[c.DEPTH]
        if step == 0:
            task = take_next(ctx[c.SHARED] + 8 * c.NEXT_TASK)
            if task >= ready - 1:
                is_caller = ctx[c.IS_CALLER]  # before what frees the frame's memory for another
                take_next(ctx[c.SHARED] + 8 * c.FINISHED)
                if is_caller:
                    ctx[c.ALL_FINISHED] = await_others(ctx)
                return 0
            parent = int64_at(image_ctx[c.STACK])
            child = shared[c.TASK_LIST + task]
            budget -= enter_child(ctx, np.int64(1), child, image_ctx, parent)
        else:
            row = ctx[c.STACK] + 8 * v.ROW * step
            remaining = uint64_at(row + 8 * c.REMAINING)
            if remaining[0] == NO_CHILD:
                ctx[c.DEPTH] = step - 1
                continue
            child = first_bit(remaining[0])
            remaining[0] &= remaining[0] - ONE
            use_step(ctx, step)
            budget -= enter_child(ctx, step + 1, child, ctx, int64_at(row))
    return 1
