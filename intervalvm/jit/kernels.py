"""The compiled walk in numba: splits of regions, leaves, pixels.

The argument of a kernel is one int64 array, the *context* (see ``layout``): sizes, and addresses of
records, coordinates, image and workspace. Kernels allocate nothing and raise nothing, so their
object code runs without numba (``native`` compiles, caches and loads it).

``walk`` first splits the whole image, whose ambiguous children are the tasks. Further calls take
tasks by an atomic counter and walk each depth-first, until there is none or the budget is used up.

A split cuts a region into up to 8 x 8 children, the 64 lanes of one interval pass. Those inside are
filled; for the ambiguous ones a backward pass finds liveness (a uint64 mask of children per
clause), and then each child's program is written (see ``children``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.program import INPUTS, RECORD_BYTES, TO_AXIS, TO_FULL
from intervalvm.jit import layout as c
from intervalvm.jit.children import NO_CHILD, ONE, find_children, write_program, write_programs
from intervalvm.jit.interpreter import Loop, TameTest
from intervalvm.jit.intrinsics import (
    DOUBLE_BYTES,
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
    uint32_at,
    uint64_at,
    write_row,
)
from intervalvm.jit.layout import BLOCK, LANES, SIDE, Each
from intervalvm.jit.leaves import (
    collect_rows,
    edge,
    enter_leaf,
    interval_size,
    rows_of_leaf,
)
from intervalvm.words import Meaning

ALL_CHILDREN = np.uint64(2**64 - 1)
FIRST_LINE, FIRST_COLUMN = np.uint64(0xFF), np.uint64(0x0101010101010101)
Linked = tuple[Loop | TameTest, ...]
MOST_POLLS = 2_000
"""Polls for the split of the root before a return to Python: microseconds."""
MOST_END_POLLS = 100_000
"""Polls of the caller's thread for the end of the others: about 100 us."""


@jit
def publish_tasks(ctx, stack, left):
    """Let children of the whole image be the tasks, the longest first."""
    shared, tasks = int64_at(ctx[c.SHARED]), 0
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


@jit
def await_tasks(ctx):
    """Wait a little for the split of the whole image; returns 1 + the number of tasks.

    It is 0 if there is none yet: the thread that splits it may be waiting for this processor.
    """
    ready, polls = published(ctx[c.SHARED] + 8 * c.READY), 0
    while ready == 0 and polls < MOST_POLLS:
        polls += 1
        ready = published(ctx[c.SHARED] + 8 * c.READY)
    if ready != 0 and not ctx[c.HAS_STARTED]:
        ctx[c.HAS_STARTED] = 1
        take_next(ctx[c.SHARED] + 8 * c.STARTED)
    return ready


@jit
def leave_tasks(ctx):
    """Count this thread among those that have left no task."""
    is_caller = ctx[c.IS_CALLER]  # before what frees the frame's memory for another
    take_next(ctx[c.SHARED] + 8 * c.FINISHED)
    if is_caller:
        ctx[c.ALL_FINISHED] = await_others(ctx)


@jit
def await_others(ctx):
    """Wait a little for the threads that have started: waking from a sleep takes longer.

    Returns whether all of them have finished; then what they have drawn is seen, and those who
    start later will find no task.
    """
    for _ in range(MOST_END_POLLS):
        finished = published(ctx[c.SHARED] + 8 * c.FINISHED)  # first, since it is never more
        if finished == published(ctx[c.SHARED] + 8 * c.STARTED):
            return True
    return False


def build_tame(dtype: str, meaning: Meaning) -> tuple[Any, Linked]:
    """The walk of a program whose values cannot be NaN or infinite."""
    return _walk_with(dtype, meaning, tame=True)


def build_careful(dtype: str, meaning: Meaning) -> tuple[Any, Linked]:
    """The walk of any program. After the split of the image a tame one may be able to go on."""
    return _walk_with(dtype, meaning, tame=False)


def _walk_with(dtype: str, meaning: Meaning, *, tame: bool) -> tuple[Any, Linked]:
    """The walk with loops over regions and over the blocks of a leaf."""
    each: Each = "sample" if meaning is Meaning.FLOAT else "pixel"
    regions, blocks = Loop("region", dtype, tame, LANES, meaning), Loop(each, dtype, tame)
    linked = regions, blocks, TameTest(dtype, LANES), TameTest(dtype, SIDE)
    return _walk(*linked), linked


def _walk(regions: Loop, blocks: Loop, full_test: TameTest, axis_test: TameTest) -> Any:
    """``walk(address of a context)``, the same code for all dtypes and meanings."""
    evaluate_regions, leaf_rows = call_of(regions), rows_of_leaf(call_of(blocks))
    full_is_tame, axis_is_tame = call_of(full_test), call_of(axis_test)

    @jit
    def copy_number(out, source, itemsize):
        if itemsize == DOUBLE_BYTES:
            int64_at(out)[0] = int64_at(source)[0]
        else:
            int32_at(out)[0] = int32_at(source)[0]

    @jit
    def enter_children(ctx, stack, bits):
        """Write the children's x and y into places 0 and 1; returns those that have pixels."""
        samples = ctx[c.SAMPLES]
        level, count, itemsize = stack[c.LEVEL] + bits, 1 << bits, ctx[c.ITEMSIZE]
        columns, lines = NO_CHILD, NO_CHILD
        for axis in range(2):
            pixels = ctx[c.HEIGHT_PX] if axis else ctx[c.WIDTH_PX]
            lows = ctx[c.Y] if axis else ctx[c.X]
            highs = ctx[c.Y_UPPER] if axis else ctx[c.X_UPPER]
            lower = ctx[c.AXIS] + axis * interval_size(SIDE, itemsize)
            upper = lower + SIDE * itemsize
            uint64_at(upper + SIDE * itemsize)[0] = NO_CHILD
            cell = stack[c.LINE if axis else c.COLUMN] << bits
            for k in range(SIDE):
                first = samples * edge(cell + min(k, count - 1), level, pixels)
                end = samples * edge(cell + min(k, count - 1) + 1, level, pixels)
                last = max(end - 1, first)
                if k < count and end > first:
                    if axis:
                        lines |= FIRST_LINE << np.uint64(SIDE * k)
                    else:
                        columns |= FIRST_COLUMN << np.uint64(k)
                # x runs to the right, y upwards: the last row has the least
                low, high = (last, first) if axis else (first, last)
                copy_number(lower + k * itemsize, lows + low * itemsize, itemsize)
                copy_number(upper + k * itemsize, highs + high * itemsize, itemsize)
        return columns & lines

    @jit
    def fill(ctx, stack, bits, child):
        """Fill a child that is inside with 255; returns its number of samples."""
        level = stack[c.LEVEL] + bits
        column = (stack[c.COLUMN] << bits) + (child & (SIDE - 1))
        line = (stack[c.LINE] << bits) + child // SIDE
        left, right = edge(column, level, ctx[c.WIDTH_PX]), edge(column + 1, level, ctx[c.WIDTH_PX])
        top, bottom = edge(line, level, ctx[c.HEIGHT_PX]), edge(line + 1, level, ctx[c.HEIGHT_PX])
        for row in range(top, bottom):
            out = ctx[c.IMAGE] + row * ctx[c.WIDTH_PX] + left
            if right - left == BLOCK:
                write_row(out, -1)
            else:
                fill_bytes(out, right - left, 255)
        return (right - left) * (bottom - top) * ctx[c.SAMPLES] ** 2

    @jit
    def note(ctx, step, child, column, line, found):
        """Write what is known of a child into the map of a step, if maps are asked for."""
        if ctx[c.TILES]:
            bits = int64_at(ctx[c.SPLIT_LEVELS_AT])[step]
            stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
            x, y = (column << bits) + (child & (SIDE - 1)), (line << bits) + child // SIDE
            tiles = int32_at(int64_at(ctx[c.TILES])[step])
            tiles[(y << (stack[c.LEVEL] + bits)) + x] = np.int32(found)

    @jit
    def note_proven(ctx, stack, step, children, found):
        """The same for a mask of children."""
        if ctx[c.TILES]:
            while children != NO_CHILD:
                child = first_bit(children)
                children &= children - ONE
                note(ctx, step, child, stack[c.COLUMN], stack[c.LINE], found)

    @jit
    def all_tame(ctx, stack):
        """Whether all bounds of a split are finite, with a margin, and none may be NaN."""
        records, itemsize = uint32_at(stack[c.PROGRAM]), ctx[c.ITEMSIZE]
        full_bytes, axis_bytes = interval_size(LANES, itemsize), interval_size(SIDE, itemsize)
        tame_so_far = axis_is_tame(ctx[c.AXIS]) & axis_is_tame(ctx[c.AXIS] + axis_bytes)
        for i in range(stack[c.COUNT]):
            flags = np.int64(records[4 * i])
            if flags & TO_FULL:
                tame_so_far &= full_is_tame(ctx[c.FULL] + (i + INPUTS) * full_bytes)
            elif flags & TO_AXIS:
                tame_so_far &= axis_is_tame(ctx[c.AXIS] + (i + INPUTS) * axis_bytes)
        return tame_so_far

    @jit
    def split(ctx, step, valid):
        """Bound the children of the region of stack row ``step``, and fill those inside.

        ``valid`` is the mask of children; returns that of ambiguous ones, with their liveness.
        """
        stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
        stats = int64_at(ctx[c.STATS] + 8 * c.COUNTS * step)
        bits = int64_at(ctx[c.SPLIT_LEVELS_AT])[step]
        n, choices = stack[c.COUNT], ctx[c.CHOICES]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        valid &= enter_children(ctx, stack, bits)
        fill_bytes(choices, c.CHOICE_BYTES * (n + INPUTS), 0)
        evaluate_regions(stack[c.PROGRAM], n, full, axis, truth, ctx[c.CONSTANTS], choices)
        if step == 0 and not ctx[c.TAME]:
            ctx[c.TAME] = all_tame(ctx, stack)
        inside, outside = NO_CHILD, NO_CHILD
        if not ctx[c.IS_VALUE]:  # of a value no bound will do: each pixel gets its own
            words = uint64_at(truth + c.REGION_TRUTH_BYTES * stack[c.REGION_RESULT])
            inside, outside = words[0] & valid, words[1] & valid
        proven, ambiguous = inside | outside, valid & ~(inside | outside)
        stats[c.REGIONS] += count_bits(proven)
        stats[c.REGIONS_INSIDE] += count_bits(inside)
        stats[c.REGIONS_OUTSIDE] += count_bits(outside)
        note_proven(ctx, stack, step, inside, c.TILE_INSIDE)
        note_proven(ctx, stack, step, outside, c.TILE_OUTSIDE)
        while inside != NO_CHILD:  # the pixels outside are 0 already
            child = first_bit(inside)
            inside &= inside - ONE
            stats[c.INSIDE_PX] += fill(ctx, stack, bits, child)
        if ambiguous != NO_CHILD:
            find_children(ctx, stack, ambiguous)
        return ambiguous

    @jit
    def split_to_programs(ctx, step, valid):
        """Split the region of a stack row, and write its children's programs."""
        row = ctx[c.STACK] + 8 * c.ROW * step
        stack = int64_at(row)
        ambiguous, fitting = split(ctx, step, valid), NO_CHILD
        stack[c.BASE] = ctx[c.ARENA_TOP]
        if ambiguous != NO_CHILD:
            fitting = write_programs(ctx, stack, ambiguous, ctx[c.STEPS] - 1 - step)
        uint64_at(row + 8 * c.REMAINING)[0] = fitting
        uint64_at(row + 8 * c.DEFERRED)[0] = ambiguous & ~fitting
        stats = int64_at(ctx[c.STATS] + 8 * c.COUNTS * step)
        stats[c.REGIONS] += count_bits(fitting)
        stats[c.AMBIGUOUS] += count_bits(fitting)
        while fitting != NO_CHILD:
            child = first_bit(fitting)
            count = stack[c.CHILD_COUNT + child]
            stats[c.CLAUSES] += count
            note(ctx, step, child, stack[c.COLUMN], stack[c.LINE], count)
            fitting &= fitting - ONE

    @jit
    def enter_child(ctx, step, child, parent):
        """Make child ``child`` of stack row ``parent`` the region of row ``step`` and split it.

        Returns records x lanes.
        """
        stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
        bits = int64_at(ctx[c.SPLIT_LEVELS_AT])[step - 1]
        stack[c.LEVEL] = parent[c.LEVEL] + bits
        stack[c.COLUMN] = (parent[c.COLUMN] << bits) + (child & (SIDE - 1))
        stack[c.LINE] = (parent[c.LINE] << bits) + child // SIDE
        stack[c.PROGRAM] = parent[c.CHILD_PROGRAM + child]
        stack[c.COUNT] = parent[c.CHILD_COUNT + child]
        stack[c.REGION_RESULT] = parent[c.CHILD_RESULT + child]
        split_to_programs(ctx, step, ALL_CHILDREN)
        ctx[c.DEPTH] = step
        return stack[c.COUNT] * LANES

    @jit
    def split_image(ctx):
        """Split the whole image; its ambiguous children become the tasks, the longest first."""
        stack = int64_at(ctx[c.STACK])
        stack[c.PROGRAM], stack[c.COUNT] = ctx[c.RECORDS], ctx[c.LENGTH]
        stack[c.REGION_RESULT] = ctx[c.RESULT]
        stack[c.LEVEL] = stack[c.COLUMN] = stack[c.LINE] = 0
        first = np.int64(0)  # as a literal it would make numba compile a split of its own
        left = split(ctx, first, ALL_CHILDREN)
        stats = int64_at(ctx[c.STATS])
        stats[c.REGIONS] += count_bits(left)
        stats[c.AMBIGUOUS] += count_bits(left)
        publish_tasks(ctx, stack, left)

    @jit
    def take_task(ctx, image_ctx, child):
        """Write the program of a child of the whole image to this thread's memory."""
        stack, image = int64_at(ctx[c.STACK]), int64_at(image_ctx[c.STACK])
        write_program(image_ctx, image, child, ctx[c.PLACES], ctx[c.ARENA], stack)
        count = stack[c.CHILD_COUNT + child]
        ctx[c.ARENA_TOP] = ctx[c.ARENA] + RECORD_BYTES * count
        int64_at(ctx[c.STATS])[c.CLAUSES] += count
        first = np.int64(0)
        note(ctx, first, child, first, first, count)
        return stack

    def walk(address):
        """Walk tasks, after the split of the image if DEPTH is -1; returns 1 if any may be left."""
        ctx = int64_at(address)
        image_ctx, shared = int64_at(ctx[c.IMAGE_CONTEXT]), int64_at(ctx[c.SHARED])
        if ctx[c.DEPTH] < 0:
            ctx[c.DEPTH] = 0
            was_tame = image_ctx[c.TAME]
            split_image(image_ctx)
            if not was_tame:
                return 1  # the tame kernel may be able to go on
        ready = await_tasks(ctx)
        if ready == 0:
            return 1
        last, budget = ctx[c.STEPS] - 1, ctx[c.BUDGET]
        while budget > 0:
            step = ctx[c.DEPTH]
            if ctx[c.LEAF_ROW] < ctx[c.LEAF_BOTTOM]:
                if ctx[c.BATCH_BLOCKS] == 0:
                    budget -= leaf_rows(ctx)
                elif collect_rows(ctx):
                    budget -= LANES
                else:
                    return 1  # for an empty batch
            elif step == 0:
                task = take_next(ctx[c.SHARED] + 8 * c.NEXT_TASK)
                if task >= ready - 1:
                    leave_tasks(ctx)
                    return 0
                child = shared[c.TASK_LIST + task]
                stack = take_task(ctx, image_ctx, child)
                budget -= 1 + stack[c.CHILD_COUNT + child]
                if last == 0:
                    enter_leaf(ctx, step, child, stack)
                else:
                    budget -= enter_child(ctx, step + 1, child, stack)
            else:
                row = ctx[c.STACK] + 8 * c.ROW * step
                stack = int64_at(row)
                remaining = uint64_at(row + 8 * c.REMAINING)
                deferred = uint64_at(row + 8 * c.DEFERRED)
                if remaining[0] != NO_CHILD:
                    child = first_bit(remaining[0])
                    remaining[0] &= remaining[0] - ONE
                    if step == last:
                        enter_leaf(ctx, step, child, stack)
                    else:
                        budget -= enter_child(ctx, step + 1, child, stack)
                else:
                    ctx[c.ARENA_TOP] = stack[c.BASE]
                    if deferred[0] != NO_CHILD:
                        split_to_programs(ctx, step, deferred[0])
                    else:
                        ctx[c.DEPTH] = step - 1
        return 1

    return walk
