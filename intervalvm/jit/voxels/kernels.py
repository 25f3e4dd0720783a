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
    first_bit,
    int64_at,
    jit,
    take_next,
    uint64_at,
)
from intervalvm.jit.kernels import await_tasks, leave_tasks, publish_tasks
from intervalvm.jit.layout import LANES
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.drawing import Drawing, Nearer
from intervalvm.jit.voxels.leaves import evaluate_leaves
from intervalvm.jit.voxels.placing import Regions, Voxels
from intervalvm.jit.voxels.regions import (
    bits_along,
    cell_of,
    enter_children,
    shape_of,
    split,
    use_step,
    visible,
)
from intervalvm.words import Meaning

Linked = Loop | Regions | Voxels | Drawing | Nearer


def build_tame(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The walk of a program whose values cannot be NaN or infinite."""
    return walk, _linked(dtype, tame=True)


def build_careful(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The walk of any program."""
    return walk, _linked(dtype, tame=False)


def _linked(dtype: str, *, tame: bool) -> tuple[Linked, ...]:
    regions, blocks = (Loop(each, dtype, tame, is_volume=True) for each in ("region", "sample"))
    return (regions, blocks, Regions(dtype), Voxels(dtype), Drawing(), Nearer())


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
    stack[v.FLAT] = parent[v.FLAT] | is_flat(parent_ctx, child, ctx[v.MOVING])
    valid = visible(ctx, stack, step, enter_children(ctx, stack, step))
    if valid == NO_CHILD:
        stats[v.HIDDEN] += 1
        return LANES
    address = ctx[c.ARENA] + ctx[v.PROGRAM_BYTES] * step
    write_program(parent_ctx, parent, child, ctx[c.PLACES], address, parent)
    stack[c.PROGRAM], stack[c.COUNT] = address, parent[c.CHILD_COUNT + child]
    stack[c.REGION_RESULT] = parent[c.CHILD_RESULT + child]
    stats[v.CLAUSES] += stack[c.COUNT]
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
    stack = int64_at(ctx[c.STACK])
    stack[c.PROGRAM], stack[c.COUNT] = ctx[c.RECORDS], ctx[c.LENGTH]
    stack[c.REGION_RESULT], stack[v.FLAT] = ctx[c.RESULT], ctx[v.IS_FLAT]
    for axis in range(v.AXES):
        stack[v.LEVELS + axis] = stack[v.CELL + axis] = 0
    first = np.int64(0)  # as a literal it would make numba compile a split of its own
    left = split(ctx, stack, first, enter_children(ctx, stack, first))
    if left != NO_CHILD:
        find_children(ctx, stack, left)
    publish_tasks(ctx, stack, left)


def walk(address):
    """Walk tasks, after the split of the picture if DEPTH is -1; returns 1 if any may be left."""
    ctx = int64_at(address)
    image_ctx, shared = int64_at(ctx[c.IMAGE_CONTEXT]), int64_at(ctx[c.SHARED])
    if ctx[c.DEPTH] < 0:
        ctx[c.DEPTH] = 0
        split_picture(image_ctx)
    ready = await_tasks(ctx)
    if ready == 0:
        return 1
    budget = ctx[c.BUDGET]
    while budget > 0:
        step = ctx[c.DEPTH]
        if step == 0:
            task = take_next(ctx[c.SHARED] + 8 * c.NEXT_TASK)
            if task >= ready - 1:
                leave_tasks(ctx)
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
