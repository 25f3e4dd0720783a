"""Cells of points: sorted, bounded, and given their programs; and what that is expected to cost."""

from __future__ import annotations

import numpy as np

from intervalvm.compiler.program import INPUTS, RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.children import NO_CHILD, ONE, find_children, write_program
from intervalvm.jit.groups import GroupLoop
from intervalvm.jit.intrinsics import (
    DOUBLE_BYTES,
    call_of,
    copy_bytes,
    fill_bytes,
    float64_at,
    int32_at,
    int64_at,
    jit,
    uint8_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.numbers import read_number, scatter, write_number
from intervalvm.jit.request import GROUP
from intervalvm.jit.sorting import Extremes, Keys

ALL_CELLS, INFINITY = np.uint64(2**64 - 1), float("inf")
LARGEST_SINGLE, LARGEST_DOUBLE = (float(np.finfo(name).max) / 4 for name in ("float32", "float64"))
extremes, write_keys = call_of(Extremes), call_of(Keys)
bound_boxes = call_of(GroupLoop("box", "float32"))  # the symbol of any dtype's


@jit
def input_row(ctx, k):
    return int64_at(ctx[r.INPUT_ROWS] + 8 * r.INPUT_WORDS * k)


# --- what pays ------------------------------------------------------------------------------------


@jit
def power(base, exponent):
    """A float to a small whole power."""
    found = 1.0
    for _ in range(exponent):
        found *= base
    return found


@jit
def straight_cost(costs, points, records):
    """The expected time of evaluating a program at points."""
    groups, blocks = (points + (GROUP - 1)) // GROUP, points // r.BLOCK + 1
    return records * (costs[r.VALUE] * groups + costs[r.RECORD] * blocks)


@jit
def best_bits(ctx, points, records, rate):
    """How often to halve a cell: what is expected to cost least; 0 not at all.

    ``rate`` is the expected length of a program for each halving, in percent.
    """
    costs = float64_at(ctx[r.COSTS])
    best, least = 0, straight_cost(costs, float(points), float(records))
    for bits in range(2, ctx[r.MOST_BITS] + 1):
        cells = 1 << bits
        if 2 * cells > points:
            break
        groups = (cells + GROUP - 1) // GROUP
        each = costs[r.RECORD] + costs[r.BOUND] * groups + costs[r.LIVE]
        short = records * power(rate / 100, bits)
        child = costs[r.WRITE] * short + straight_cost(costs, points / cells, short)
        cost = records * each + costs[r.SORT] * points + cells * child
        if cost < least:
            best, least = bits, cost
    return best


@jit
def pays_to_write(ctx, points, records, parent_records):
    """Whether a program is worth writing for one evaluation at some points."""
    costs, points = float64_at(ctx[r.COSTS]), float(points)
    now = straight_cost(costs, points, float(parent_records))
    return costs[r.WRITE] * records + straight_cost(costs, points, float(records)) < now


# --- splitting ------------------------------------------------------------------------------------


@jit
def limited(ctx, ends):
    """Bounds that are finite, and whose difference is."""
    largest = LARGEST_DOUBLE if ctx[c.ITEMSIZE] == DOUBLE_BYTES else LARGEST_SINGLE
    return max(ends[0], -largest), min(ends[1], largest)


@jit
def points_of(row, side):
    """The address of an input's points: the caller's for side -1."""
    return row[r.ADDRESS] if side < 0 else row[r.SORTED_0 + side]


@jit
def measure(ctx, first, end, side):
    """Write the bounds of all inputs at some points."""
    size = ctx[c.ITEMSIZE]
    for k in range(ctx[r.INPUTS_READ]):
        row = input_row(ctx, k)
        found = ctx[r.INPUT_ROWS] + 8 * (r.INPUT_WORDS * k + r.LOW)
        if row[r.STEP]:
            extremes(row[r.SORTED_0 + side] + size * first, end - first, found)


@jit
def choose_axes(ctx, bits):
    """Choose how often to halve along each input: always the longest side; returns the sum."""
    inputs, chosen = ctx[r.INPUTS_READ], 0
    for k in range(inputs):
        input_row(ctx, k)[r.BITS] = 0
    while chosen < bits:
        longest, best = 0.0, -1
        for k in range(inputs):
            row = input_row(ctx, k)
            if row[r.STEP]:
                ends = float64_at(ctx[r.INPUT_ROWS] + 8 * (r.INPUT_WORDS * k + r.LOW))
                low, high = limited(ctx, ends)
                side = (high - low) / (1 << row[r.BITS])
                if side > longest:
                    longest, best = side, k
        if best < 0:
            break
        input_row(ctx, best)[r.BITS] += 1
        chosen += 1
    return chosen


@jit
def sort(ctx, row, first, end, side):
    """Sort points by cell, and note the first point of each; empty cells get no number."""
    keys, targets, size = uint8_at(ctx[r.KEYS]), int32_at(ctx[r.TARGETS]), ctx[c.ITEMSIZE]
    is_first = 1
    for k in range(ctx[r.INPUTS_READ]):
        given = input_row(ctx, k)
        if given[r.STEP] and given[r.BITS]:
            ends = float64_at(ctx[r.INPUT_ROWS] + 8 * (r.INPUT_WORDS * k + r.LOW))
            low, high = limited(ctx, ends)
            cells = 1 << given[r.BITS]
            source = given[r.SORTED_0 + side] + size * first
            write_keys(source, end - first, ctx[r.KEYS], low, cells / (high - low), cells, is_first)
            is_first = 0
    firsts = int64_at(ctx[c.ROWS_LIVE])  # not in use yet
    for cell in range(LANES):
        firsts[cell] = 0
    for i in range(end - first):
        firsts[keys[i]] += 1
    cells, at = 0, first
    for cell in range(LANES):
        count = firsts[cell]
        firsts[cell] = at
        if count:
            row[r.CELL_FIRST + cells] = at
            cells += 1
        at += count
    row[r.CELL_FIRST + cells] = end
    for i in range(end - first):
        key = keys[i]
        targets[i] = np.int32(firsts[key])
        firsts[key] += 1
    old = int32_at(ctx[r.ORDERS] + 4 * (ctx[r.ROOM] * side + first))
    new = int32_at(ctx[r.ORDERS] + 4 * ctx[r.ROOM] * (1 - side))
    for i in range(end - first):
        new[targets[i]] = old[i]
    for k in range(ctx[r.INPUTS_READ]):
        given = input_row(ctx, k)
        if given[r.STEP]:
            source = given[r.SORTED_0 + side] + size * first
            scatter(given[r.SORTED_1 - side], ctx[r.TARGETS], source, end - first, size)
    return cells


@jit
def enter_boxes(ctx, row, cells, groups, stride):
    """Write the bounding boxes of cells to the inputs' slots."""
    size = ctx[c.ITEMSIZE]
    span = GROUP * size
    for k in range(ctx[r.INPUTS_READ]):
        given, nans = input_row(ctx, k), NO_CHILD
        slot = ctx[r.SLOTS] + stride * (ctx[r.FIRST_INPUT] + k)
        found = ctx[r.INPUT_ROWS] + 8 * (r.INPUT_WORDS * k + r.LOW)
        ends = float64_at(found)
        if not given[r.STEP]:
            number = read_number(given[r.ADDRESS], size)
            ends[0], ends[1], ends[2] = number, number, 0.0
            if number != number:
                ends[0], ends[1], ends[2] = -INFINITY, INFINITY, 1.0
        for lane in range(GROUP * groups):
            cell = min(lane, cells - 1)
            if given[r.STEP] and cell == lane:
                first = row[r.CELL_FIRST + cell]
                source = points_of(given, row[r.SIDE]) + size * first
                extremes(source, row[r.CELL_FIRST + cell + 1] - first, found)
                if ends[0] > ends[1]:  # nothing but NaN
                    ends[0], ends[1] = -INFINITY, INFINITY
            lower = slot + 2 * span * (lane // GROUP) + size * (lane % GROUP)
            write_number(lower, ends[0], size)
            write_number(lower + span, ends[1], size)
            if ends[2] != 0.0:
                nans |= ONE << np.uint64(lane)
        uint64_at(ctx[r.NANS])[ctx[r.FIRST_INPUT] + k] = nans


@jit
def share_out(ctx, row, cells, bits, depth, points):
    """Decide which cells are split again, and write their programs; the others are leaves."""
    count, deeper, top = row[c.COUNT], NO_CHILD, ctx[c.ARENA_TOP]
    total, rate = 0.0, 100
    for cell in range(cells):
        here = row[r.CELL_FIRST + cell + 1] - row[r.CELL_FIRST + cell]
        total += row[c.CHILD_COUNT + cell] * here
    while rate > 5 and power(rate / 100, bits) * points * count > total:
        rate -= 5
    row[r.CELL_RATE] = rate
    for cell in range(cells):
        here, short = (
            row[r.CELL_FIRST + cell + 1] - row[r.CELL_FIRST + cell],
            row[c.CHILD_COUNT + cell],
        )
        if depth + 1 >= r.MOST_DEPTH or best_bits(ctx, here, short, rate) == 0:
            continue
        if not pays_to_write(ctx, here, short, count):
            row[c.CHILD_PROGRAM + cell] = row[c.PROGRAM]
            row[c.CHILD_COUNT + cell], row[c.CHILD_RESULT + cell] = count, row[c.REGION_RESULT]
        elif top + (short + count + 2) * RECORD_BYTES > ctx[c.ARENA_END]:
            continue
        else:
            write_program(ctx, row, cell, ctx[c.PLACES], top, row)
            top += row[c.CHILD_COUNT + cell] * RECORD_BYTES
        deeper |= ONE << np.uint64(cell)
    ctx[c.ARENA_TOP] = top
    return deeper


@jit
def cut(row, first, end, bits):
    """Cut points that are sorted into cells of as many; returns their number."""
    cells = 1 << bits
    for cell in range(cells + 1):
        row[r.CELL_FIRST + cell] = first + (((end - first) * cell) >> bits)
    return cells


@jit
def split(ctx, depth, first, end, side, bits):
    """Sort points into cells, and find what their programs are; False if all are in one."""
    place = ctx[c.STACK] + 8 * r.ROW * depth
    row = int64_at(place)
    if side < 0:
        cells, row[r.SIDE] = cut(row, first, end, bits), side
    else:
        measure(ctx, first, end, side)
        bits = choose_axes(ctx, bits)
        if bits == 0:
            return False
        cells, row[r.SIDE] = sort(ctx, row, first, end, side), 1 - side
    row[r.CELLS] = cells
    if cells < 2:
        row[r.CELL_FIRST + 1] = end
    groups = (cells + GROUP - 1) // GROUP
    stride, count = 2 * GROUP * ctx[c.ITEMSIZE] * groups, row[c.COUNT]
    enter_boxes(ctx, row, cells, groups, stride)
    fill_bytes(ctx[c.CHOICES], c.CHOICE_BYTES * (count + INPUTS), 0)
    bound_boxes(
        row[c.PROGRAM], count, groups, stride, ctx[r.SLOTS], ctx[c.CONSTANTS],
        ctx[r.NANS], ctx[c.CHOICES],
    )  # fmt: skip
    valid = ALL_CELLS >> np.uint64(LANES - cells)
    find_children(ctx, row, valid)
    deeper = NO_CHILD
    if cells > 1:
        deeper = share_out(ctx, row, cells, bits, depth, end - first)
    uint64_at(place + 8 * c.REMAINING)[0] = valid & ~deeper
    uint64_at(place + 8 * c.DEFERRED)[0] = deeper
    return True


@jit
def sort_nothing(ctx, first, end):
    """Copy the points to where they are sorted, in the order of the caller."""
    order, size = int32_at(ctx[r.ORDERS]), ctx[c.ITEMSIZE]
    for i in range(end - first):
        order[i] = np.int32(i)
    for k in range(ctx[r.INPUTS_READ]):
        row = input_row(ctx, k)
        if row[r.STEP]:
            copy_bytes(row[r.SORTED_0], row[r.ADDRESS] + size * first, size * (end - first))
