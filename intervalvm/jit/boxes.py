"""The kernels of an evaluator over boxes, in numba: bounds and slopes.

Like the walk they have one argument, the address of a context (see ``request``).

"boxes"    bounds of the value over boxes; the choices of the last ones stay in the workspace
"slopes"   bounds of the value, and of the derivatives along some inputs

They run a plain program over groups of 16 boxes (see ``groups`` and ``slopes``). Many
boxes are cut into runs, of neighbours in the array, through a tree like that of ``scatter``. The
hulls of up to 64 runs are the lanes of one interval pass, and each run gets a shorter program (see
``children``). So arrays are fast whose neighbours are near each other, and others little slower: a
run is cut if that is expected to cost less, see ``cells``. The results are the same bits.

A kernel returns when its budget is used up; it is called again until it returns 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.program import INPUTS
from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.cells import ALL_CELLS, INFINITY, best_bits, extremes, share_out
from intervalvm.jit.children import NO_CHILD, ONE, find_children
from intervalvm.jit.intrinsics import (
    call_of,
    copy_block,
    copy_bytes,
    fill_bytes,
    float64_at,
    int64_at,
    jit,
    uint8_at,
    uint16_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.numbers import fill_group, read_group, read_number, write_number
from intervalvm.jit.request import FIRST_SLOPE, GROUP
from intervalvm.jit.scatter import tree_walk
from intervalvm.jit.slopes import BoxLoop
from intervalvm.jit.sorting import Extremes
from intervalvm.words import Meaning

Linked = BoxLoop | Extremes
evaluate = call_of(BoxLoop("box", "float32"))  # the symbol of any dtype's, and of slopes
bound_hulls = call_of(BoxLoop("hull", "float32"))
ALL_SET = np.uint64(0x0101010101010101)
"""Eight flags."""


def build_boxes(dtype: str, meaning: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The kernel ``boxes(address of a context)`` for bounds of values."""
    return walk, (BoxLoop("box", dtype, meaning), BoxLoop("hull", dtype, meaning), Extremes(dtype))


def build_slopes(dtype: str, _: Meaning) -> tuple[Any, tuple[Linked, ...]]:
    """The kernel ``slopes(address of a context)`` for bounds of values and derivatives."""
    real = Meaning.REAL
    loops = BoxLoop("slope", dtype, real), BoxLoop("strict_hull", dtype, real)
    return walk, (*loops, Extremes(dtype))


# --- blocks of boxes ------------------------------------------------------------------------------


@jit
def box_row(ctx, k):
    return int64_at(ctx[r.INPUT_ROWS] + 8 * r.BOX_WORDS * k)


@jit
def read_flags(address, step, first, end):
    """The bits of 16 bytes that are 0 or 1; from the end on of the last one."""
    flags, word = uint8_at(address), np.int64(0)
    if step and first + GROUP <= end:
        words = uint64_at(address + first)
        if words[0] == words[1] and (words[0] == NO_CHILD or words[0] == ALL_SET):
            return np.int64(0xFFFF) if words[0] == ALL_SET else word
    for lane in range(GROUP):
        word |= np.int64(flags[step * min(first + lane, end - 1)] != 0) << lane
    return word


@jit
def read_ends(out, source, step, first, end, size):
    """Write 16 ends of sides; from the end on the last one."""
    if step and first + GROUP <= end:
        copy_block(out, source + size * first, size)
    elif step:
        read_group(out, source, step, first, end, size)
    else:
        fill_group(out, read_number(source, size), size)


@jit
def read_boxes(ctx, first, end, groups, stride):
    """Write the inputs of a block to their slots."""
    size, parts = ctx[c.ITEMSIZE], ctx[r.PARTS]
    span = GROUP * size
    for k in range(ctx[r.INPUTS_READ]):
        row = box_row(ctx, k)
        place, step = ctx[r.FIRST_INPUT] + k, row[r.BOX_STEP]
        slot, bits = ctx[r.SLOTS] + stride * place, uint16_at(ctx[r.NANS] + 8 * place)
        for group in range(groups):
            start, at = first + GROUP * group, slot + parts * span * group
            read_ends(at, row[r.BOX_LOWER], step, start, end, size)
            read_ends(at + span, row[r.BOX_UPPER], step, start, end, size)
            bits[group] = np.uint16(read_flags(row[r.BOX_NAN], step, start, end))
            if parts > FIRST_SLOPE:
                for along in range(r.DIRECTIONS):
                    slope = float((row[r.BOX_DIRECTION] >> along) & 1)
                    fill_group(at + span * (FIRST_SLOPE + 2 * along), slope, size)
                    fill_group(at + span * (FIRST_SLOPE + 2 * along + 1), slope, size)
    if parts > FIRST_SLOPE:
        solid = uint16_at(ctx[r.NANS] + 8 * r.SOLID)
        for group in range(groups):
            start = first + GROUP * group
            solid[group] = np.uint16(read_flags(ctx[r.SOLID_FLAGS], 1, start, end))


@jit
def write_bounds(ctx, first, count, result, place):
    """Write the bounds of the result, and of its slopes."""
    size, parts, slopes = ctx[c.ITEMSIZE], ctx[r.PARTS], int64_at(ctx[r.SLOPES])
    nan, out_nan = uint64_at(ctx[r.NANS])[place], uint8_at(ctx[r.OUT_NAN])
    for lane in range(0, count, GROUP):
        n, at = size * min(GROUP, count - lane), size * (first + lane)
        found = result + parts * size * lane
        copy_bytes(ctx[r.OUT] + at, found, n)
        copy_bytes(ctx[r.OUT_UPPER] + at, found + GROUP * size, n)
        for end in range(2 * ctx[r.ALONG]):
            copy_bytes(slopes[end] + at, found + GROUP * size * (FIRST_SLOPE + end), n)
    if nan == NO_CHILD:
        fill_bytes(ctx[r.OUT_NAN] + first, count, 0)
    else:
        for lane in range(count):
            out_nan[first + lane] = (nan >> np.uint64(lane)) & ONE


@jit
def evaluate_leaf(ctx):
    """Evaluate a block of the noted leaf; returns records x lanes."""
    first, records, place = ctx[r.LEAF_FIRST], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT]
    count, parts = min(GROUP * ctx[r.GROUPS], ctx[r.LEAF_END] - first), ctx[r.PARTS]
    groups = (count + GROUP - 1) // GROUP
    stride = parts * GROUP * ctx[c.ITEMSIZE] * groups
    read_boxes(ctx, first, first + count, groups, stride)
    evaluate(
        ctx[c.LEAF_RECORDS], records, groups, stride, ctx[r.SLOTS], ctx[c.CONSTANTS],
        ctx[r.NANS], ctx[r.LEAF_CHOICES],
    )  # fmt: skip
    write_bounds(ctx, first, count, ctx[r.SLOTS] + stride * place, place)
    ctx[r.LEAF_FIRST] = first + count
    return (records + 1) * GROUP * groups * parts


# --- runs of boxes --------------------------------------------------------------------------------


@jit
def cut(row, first, end, bits):
    """Cut boxes into runs of whole groups, about as many in each; returns their number."""
    runs, groups = 1 << bits, (end - first + GROUP - 1) // GROUP
    for run in range(runs):
        row[r.CELL_FIRST + run] = first + GROUP * ((groups * run) >> bits)
    row[r.CELL_FIRST + runs] = end
    return runs


@jit
def least_end(source, first, end, sign, size, scratch):
    """The least lower end of some boxes, or, for a sign of -1, the greatest upper end; NaN if any
    is."""
    whole = (end - first) // GROUP * GROUP
    ends = float64_at(scratch)
    extremes(source + size * first, whole, scratch)
    found, is_nan = (ends[0] if sign > 0 else ends[1]), ends[2] != 0.0
    for i in range(first + whole, end):
        number = read_number(source + size * i, size)
        is_nan |= number != number
        if sign * number < sign * found:
            found = number
    return np.nan if is_nan else found


@jit
def hull_of(row, first, end, size, scratch):
    """The hull of the sides of some boxes, and whether any may be NaN."""
    flags, maybe_nan = uint8_at(row[r.BOX_NAN]), np.uint8(0)
    if row[r.BOX_STEP]:
        low = least_end(row[r.BOX_LOWER], first, end, 1.0, size, scratch)
        high = least_end(row[r.BOX_UPPER], first, end, -1.0, size, scratch)
        for i in range(first, end):
            maybe_nan |= flags[i]
    else:
        low, high = read_number(row[r.BOX_LOWER], size), read_number(row[r.BOX_UPPER], size)
        maybe_nan = flags[0]
    if not low <= high:
        low, high, maybe_nan = -INFINITY, INFINITY, np.uint8(1)
    return low, high, maybe_nan


@jit
def enter_hulls(ctx, row, runs, groups, stride):
    """Write the hulls of runs to the inputs' slots."""
    size = ctx[c.ITEMSIZE]
    span = GROUP * size
    for k in range(ctx[r.INPUTS_READ]):
        given, nans = box_row(ctx, k), NO_CHILD
        slot = ctx[r.SLOTS] + stride * (ctx[r.FIRST_INPUT] + k)
        low, high, maybe_nan = 0.0, 0.0, np.uint8(0)
        for lane in range(GROUP * groups):
            if lane < runs:
                first, end = row[r.CELL_FIRST + lane], row[r.CELL_FIRST + lane + 1]
                low, high, maybe_nan = hull_of(given, first, end, size, ctx[c.ROWS_LIVE])
            lower = slot + 2 * span * (lane // GROUP) + size * (lane % GROUP)
            write_number(lower, low, size)
            write_number(lower + span, high, size)
            if maybe_nan:
                nans |= ONE << np.uint64(lane)
        uint64_at(ctx[r.NANS])[ctx[r.FIRST_INPUT] + k] = nans


@jit
def bound_runs(ctx, row, runs):
    """Bound the hulls of runs, and find what their programs are; returns the mask of runs."""
    groups = (runs + GROUP - 1) // GROUP
    stride, count = 2 * GROUP * ctx[c.ITEMSIZE] * groups, row[c.COUNT]
    enter_hulls(ctx, row, runs, groups, stride)
    fill_bytes(ctx[c.CHOICES], c.CHOICE_BYTES * (count + INPUTS), 0)
    bound_hulls(
        row[c.PROGRAM], count, groups, stride, ctx[r.SLOTS], ctx[c.CONSTANTS],
        ctx[r.NANS], ctx[c.CHOICES],
    )  # fmt: skip
    valid = ALL_CELLS >> np.uint64(LANES - runs)
    find_children(ctx, row, valid)
    return valid


@jit
def split(ctx, depth, first, end, bits):
    """Cut boxes into runs, and find what their programs are."""
    place = ctx[c.STACK] + 8 * r.ROW * depth
    row = int64_at(place)
    runs = cut(row, first, end, bits)
    row[r.CELLS], row[r.SIDE] = runs, -1
    valid = bound_runs(ctx, row, runs)
    deeper = share_out(ctx, row, runs, bits, depth, end - first)
    uint64_at(place + 8 * c.REMAINING)[0] = valid & ~deeper
    uint64_at(place + 8 * c.DEFERRED)[0] = deeper


@jit
def enter(ctx, depth, program, boxes):
    """Cut a run of boxes as row ``depth``, or note it as a leaf; returns the cost."""
    records, count, result, rate = program
    first, end, _ = boxes
    bits = 0
    if ctx[r.SPLITS] and depth < r.MOST_DEPTH:
        bits = best_bits(ctx, end - first, count, rate)
    while bits > 0 and (GROUP << bits) > end - first:
        bits -= 1
    if bits > 0:
        row = int64_at(ctx[c.STACK] + 8 * r.ROW * depth)
        row[c.PROGRAM], row[c.COUNT], row[c.REGION_RESULT] = records, count, result
        row[c.BASE] = ctx[c.ARENA_TOP]
        split(ctx, depth, first, end, bits)
        ctx[c.DEPTH] = depth + 1
        return count * LANES + (end - first)
    ctx[c.LEAF_RECORDS], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT] = records, count, result
    ctx[r.LEAF_FIRST], ctx[r.LEAF_END], ctx[r.LEAF_SIDE] = first, end, -1
    return 1


walk = tree_walk(enter, evaluate_leaf)
