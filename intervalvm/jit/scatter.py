"""The kernels "points" and "duals": a program at any points, through a tree of cells.

Many points are sorted into up to 64 cells, along the inputs that vary most. The bounding boxes of
the cells are the lanes of one interval pass, as the children of a region are in the walk, and each
cell gets a shorter program (see ``children``). Cells of many points are split again. Results are
written in the order of the caller. Any partition is right: a box is that of the points themselves.

A cell is split if that is expected to cost less than evaluating it: see ``cells``. So few
points, and tapes without choices, are evaluated straight.

The code is the same for both kernels and all dtypes: what is linked to it differs, and the context
tells the size of a number and of a slot.

As in the walk a kernel returns when its budget is used up; it is called again until it returns 0.
The context's fields are told in ``layout`` and ``request``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.cells import (
    best_bits,
    input_row,
    pays_to_write,
    points_of,
    sort_nothing,
    split,
)
from intervalvm.jit.children import NO_CHILD, ONE, write_program
from intervalvm.jit.duals import DualLoop, Steep
from intervalvm.jit.groups import GroupLoop
from intervalvm.jit.intrinsics import (
    call_of,
    copy_block,
    copy_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    uint8_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.numbers import fill_group, read_number, scatter
from intervalvm.jit.request import GROUP
from intervalvm.jit.sorting import Extremes, Keys
from intervalvm.words import Meaning

Linked = GroupLoop | Extremes | Keys | Steep
evaluate = call_of(GroupLoop("point", "float32"))  # the symbol of any dtype's, and of duals
steep_of = call_of(Steep)


def build_points(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The kernel ``points(address of a context)`` for values."""
    return walk, (GroupLoop("point", dtype), GroupLoop("box", dtype), *_helpers(dtype))


def build_duals(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The kernel ``duals(address of a context)`` for values and slopes."""
    return walk, (DualLoop("dual", dtype), DualLoop("strict_box", dtype), *_helpers(dtype))


def _helpers(dtype: str) -> tuple[Linked, ...]:
    return Extremes(dtype), Keys(dtype), Steep(dtype)


# --- leaves ---------------------------------------------------------------------------------------


@jit
def enter_points(ctx, first, count, groups, stride):
    """Write the inputs of a block to their slots."""
    side, size, parts = ctx[r.LEAF_SIDE], ctx[c.ITEMSIZE], ctx[r.PARTS]
    span = GROUP * size
    for k in range(ctx[r.INPUTS_READ]):
        row = input_row(ctx, k)
        slot = ctx[r.SLOTS] + stride * (ctx[r.FIRST_INPUT] + k)
        source = points_of(row, side)
        for group in range(groups):
            out = slot + parts * span * group
            if not row[r.STEP]:
                fill_group(out, read_number(row[r.ADDRESS], size), size)
            elif GROUP * (group + 1) <= count:
                copy_block(out, source + size * (first + GROUP * group), size)
            else:  # the lanes beyond keep what they had
                left = count - GROUP * group
                copy_bytes(out, source + size * (first + GROUP * group), size * left)
            for part in range(1, parts):
                slope = float((row[r.DIRECTION] >> (part - 1)) & 1)
                fill_group(out + span * part, slope, size)
        if parts > 1:
            uint64_at(ctx[r.NANS])[ctx[r.FIRST_INPUT] + k] = NO_CHILD


@jit
def write_values(ctx, first, count, result):
    """Write the values of a block to the caller's array."""
    size = ctx[c.ITEMSIZE]
    if ctx[r.LEAF_SIDE] < 0:
        copy_bytes(ctx[r.OUT] + size * first, result, size * count)
    else:
        order = ctx[r.ORDERS] + 4 * (ctx[r.ROOM] * ctx[r.LEAF_SIDE] + first)
        scatter(ctx[r.OUT] + size * ctx[r.FIRST], order, result, count, size)


@jit
def write_duals(ctx, first, count, result, place):
    """Write values and slopes of a block, and the masks of points to settle."""
    side, size, words = ctx[r.LEAF_SIDE], ctx[c.ITEMSIZE], uint64_at(ctx[r.NANS])
    order_at = ctx[r.ORDERS] + 4 * (ctx[r.ROOM] * max(side, 0) + first)
    order, span, slopes = int32_at(order_at), GROUP * size, int64_at(ctx[r.SLOPES])
    kinks, jumps = uint8_at(ctx[r.KINKS]), uint8_at(ctx[r.JUMPED])
    for lane in range(0, count, GROUP):
        some = min(GROUP, count - lane)
        found = result + ctx[r.PARTS] * size * lane
        for part in range(1 + ctx[r.ALONG]):
            out = slopes[part - 1] if part else ctx[r.OUT]
            if side < 0:
                copy_bytes(out + size * (first + lane), found + span * part, size * some)
            else:
                out += size * ctx[r.FIRST]
                scatter(out, order_at + 4 * lane, found + span * part, some, size)
        steep = steep_of(found)
        kink = np.int64(words[place] >> np.uint64(lane)) | steep
        jump = np.int64(words[r.JUMPS] >> np.uint64(lane))
        for i in range(some):
            target = first + lane + i if side < 0 else ctx[r.FIRST] + order[lane + i]
            kinks[target] |= np.uint8((kink >> i) & 1)
            jumps[target] |= np.uint8((jump >> i) & 1)


@jit
def evaluate_leaf(ctx):
    """Evaluate a block of the noted leaf; returns records x lanes."""
    first, records, place = ctx[r.LEAF_FIRST], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT]
    count, parts = min(GROUP * ctx[r.GROUPS], ctx[r.LEAF_END] - first), ctx[r.PARTS]
    groups = (count + GROUP - 1) // GROUP
    stride = parts * GROUP * ctx[c.ITEMSIZE] * groups
    enter_points(ctx, first, count, groups, stride)
    if parts > 1:
        uint64_at(ctx[r.NANS])[r.JUMPS] = NO_CHILD
    evaluate(
        ctx[c.LEAF_RECORDS], records, groups, stride, ctx[r.SLOTS], ctx[c.CONSTANTS],
        ctx[r.NANS], 0,
    )  # fmt: skip
    result = ctx[r.SLOTS] + stride * place
    if parts > 1:
        write_duals(ctx, first, count, result, place)
    else:
        write_values(ctx, first, count, result)
    ctx[r.LEAF_FIRST] = first + count
    return (records + 1) * GROUP * groups * parts


# --- runs of points whose programs are known ------------------------------------------------------


@jit
def take_run(ctx):
    """Note the next points, or boxes, in a part of a division as a leaf; False if none is left."""
    first = ctx[r.FIRST]
    if ctx[r.OWNERS] == 0 or first >= ctx[r.END]:
        return False
    owners, programs = int32_at(ctx[r.OWNERS]), int64_at(ctx[r.PROGRAMS])
    at, end = r.PROGRAM_WORDS * owners[first], first + 1
    records = programs[at + r.PART_RECORDS]
    while end < ctx[r.END] and programs[r.PROGRAM_WORDS * owners[end] + r.PART_RECORDS] == records:
        end += 1
    ctx[c.LEAF_RECORDS], ctx[c.LEAF_COUNT] = records, programs[at + r.PART_COUNT]
    ctx[c.LEAF_RESULT] = programs[at + r.PART_RESULT]
    ctx[r.LEAF_FIRST], ctx[r.LEAF_END], ctx[r.LEAF_SIDE] = first, end, -1
    ctx[r.FIRST] = end
    return True


# --- the walk through the tree --------------------------------------------------------------------


@jit
def take_leaf(ctx, row, leaves):
    """Note the next cell of a row as the leaf to evaluate; returns the cells that are left.

    Neighbours that the parent's program evaluates are one leaf.
    """
    count = row[c.COUNT]
    cell = first_bit(leaves)
    first, end = row[r.CELL_FIRST + cell], row[r.CELL_FIRST + cell + 1]
    leaves &= leaves - ONE
    ctx[c.LEAF_RECORDS], ctx[c.LEAF_COUNT] = row[c.PROGRAM], count
    ctx[c.LEAF_RESULT] = row[c.REGION_RESULT]
    if pays_to_write(ctx, end - first, row[c.CHILD_COUNT + cell], count):
        write_program(ctx, row, cell, ctx[c.PLACES], ctx[c.ARENA_TOP], row)
        ctx[c.LEAF_RECORDS] = ctx[c.ARENA_TOP]
        ctx[c.LEAF_COUNT] = row[c.CHILD_COUNT + cell]
        ctx[c.LEAF_RESULT] = row[c.CHILD_RESULT + cell]
    else:
        while leaves != NO_CHILD:
            cell = first_bit(leaves)
            last = row[r.CELL_FIRST + cell + 1]
            if row[r.CELL_FIRST + cell] != end or pays_to_write(
                ctx, last - end, row[c.CHILD_COUNT + cell], count
            ):
                break
            end = last
            leaves &= leaves - ONE
    ctx[r.LEAF_FIRST], ctx[r.LEAF_END], ctx[r.LEAF_SIDE] = first, end, row[r.SIDE]
    return leaves


@jit
def enter(ctx, depth, program, points):
    """Split the points of a cell as row ``depth``, or note them as a leaf; returns the cost."""
    records, count, result, rate = program
    first, end, side = points
    bits = 0
    if ctx[r.SPLITS] and depth < r.MOST_DEPTH and (ctx[r.IS_SORTED] or end - first <= ctx[r.ROOM]):
        bits = best_bits(ctx, end - first, count, rate)
    if bits > 0:
        if side < 0 and not ctx[r.IS_SORTED]:
            sort_nothing(ctx, first, end)
            first, end, side = 0, end - first, 0
        row = int64_at(ctx[c.STACK] + 8 * r.ROW * depth)
        row[c.PROGRAM], row[c.COUNT], row[c.REGION_RESULT] = records, count, result
        row[c.BASE] = ctx[c.ARENA_TOP]
        if split(ctx, depth, first, end, side, bits):
            ctx[c.DEPTH] = depth + 1
            return count * LANES + (end - first)
    ctx[c.LEAF_RECORDS], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT] = records, count, result
    ctx[r.LEAF_FIRST], ctx[r.LEAF_END], ctx[r.LEAF_SIDE] = first, end, side
    return 1


def tree_walk(enter, evaluate_leaf):
    """The kernel that walks a tree of points, or of boxes, from FIRST to END.

    ``enter`` splits what is in a cell or notes it as a leaf, ``evaluate_leaf`` a part of that one.
    """

    def walk(address):
        """Evaluate points or boxes; returns 1 if any may be left."""
        ctx = int64_at(address)
        budget = ctx[c.BUDGET]
        if ctx[c.DEPTH] < 0:
            ctx[c.DEPTH] = 0
            ctx[c.ARENA_TOP] = ctx[c.ARENA]
            program = (ctx[c.RECORDS], ctx[c.LENGTH], ctx[c.RESULT], ctx[r.RATE])
            first = np.int64(0)  # as a literal it would make numba compile it twice
            if ctx[r.OWNERS] == 0:
                budget -= enter(ctx, first, program, (ctx[r.FIRST], ctx[r.END], np.int64(-1)))
            if ctx[c.DEPTH] > 0:
                ctx[r.RATE] = int64_at(ctx[c.STACK])[r.CELL_RATE]
        while budget > 0:
            depth = ctx[c.DEPTH]
            if ctx[r.LEAF_FIRST] < ctx[r.LEAF_END]:
                budget -= evaluate_leaf(ctx)
            elif depth == 0:
                if not take_run(ctx):
                    return 0
            else:
                place = ctx[c.STACK] + 8 * r.ROW * (depth - 1)
                row, leaves = int64_at(place), uint64_at(place + 8 * c.REMAINING)
                deeper = uint64_at(place + 8 * c.DEFERRED)
                if leaves[0] != NO_CHILD:
                    leaves[0] = take_leaf(ctx, row, leaves[0])
                elif deeper[0] != NO_CHILD:
                    cell = first_bit(deeper[0])
                    deeper[0] &= deeper[0] - ONE
                    program = (
                        row[c.CHILD_PROGRAM + cell], row[c.CHILD_COUNT + cell],
                        row[c.CHILD_RESULT + cell], row[r.CELL_RATE],
                    )  # fmt: skip
                    points = (row[r.CELL_FIRST + cell], row[r.CELL_FIRST + cell + 1], row[r.SIDE])
                    budget -= enter(ctx, depth, program, points)
                else:
                    ctx[c.ARENA_TOP] = row[c.BASE]
                    ctx[c.DEPTH] = depth - 1
        return 1

    return walk


walk = tree_walk(enter, evaluate_leaf)
