"""The kernels "points" and "duals": a program at any points, through a tree of cells.

Many points are sorted into up to 64 cells, along the inputs that vary most. The bounding boxes of
the cells are the lanes of one interval pass, as the children of a region are in the walk, and each
cell gets a shorter program (see ``children``). Cells of many points are split again. Results are
written in the order of the caller. Any partition is right: a box is that of the points themselves.

A cell is split if that is expected to cost less than evaluating it: see ``best_bits``. So few
points, and tapes without choices, are evaluated straight.

As in the walk a kernel returns when its budget is used up; it is called again until it returns 0.
The context's fields are told in ``layout``, ``request`` and ``point_request``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types

from intervalvm.compiler.program import INPUTS, RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit import point_request as p
from intervalvm.jit import request as r
from intervalvm.jit.children import NO_CHILD, ONE, find_children, write_program
from intervalvm.jit.duals import DualLoop
from intervalvm.jit.groups import GroupLoop
from intervalvm.jit.intrinsics import (
    call_of,
    copy_block,
    copy_bytes,
    fill_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    pointer_to,
    uint8_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.request import GROUP
from intervalvm.jit.sorting import extremes_of, keys_of
from intervalvm.words import Meaning

float64_at = pointer_to(types.float64)
ALL_CELLS = np.uint64(2**64 - 1)

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
    groups, blocks = (points + (GROUP - 1)) // GROUP, points // p.BLOCK + 1
    return records * (costs[p.VALUE] * groups + costs[p.RECORD] * blocks)


@jit
def best_bits(ctx, points, records, rate):
    """How often to halve a cell: what is expected to cost least; 0 not at all.

    ``rate`` is the expected length of a program for each halving, in percent.
    """
    costs = float64_at(ctx[p.COSTS])
    best, least = 0, straight_cost(costs, float(points), float(records))
    for bits in range(2, ctx[p.MOST_BITS] + 1):
        cells = 1 << bits
        if 2 * cells > points:
            break
        groups = (cells + GROUP - 1) // GROUP
        each = costs[p.RECORD] + costs[p.BOUND] * groups + costs[p.LIVE]
        short = records * power(rate / 100, bits)
        child = costs[p.WRITE] * short + straight_cost(costs, points / cells, short)
        cost = records * each + costs[p.SORT] * points + cells * child
        if cost < least:
            best, least = bits, cost
    return best


@jit
def pays_to_write(ctx, points, records, parent_records):
    """Whether a program is worth writing for one evaluation at some points."""
    costs, points = float64_at(ctx[p.COSTS]), float(points)
    now = straight_cost(costs, points, float(parent_records))
    return costs[p.WRITE] * records + straight_cost(costs, points, float(records)) < now


def build_points(dtype: str, _: Meaning) -> tuple[Any, tuple[GroupLoop, ...]]:
    """The kernel ``points(address of a context)`` for values."""
    loops = GroupLoop("point", dtype), GroupLoop("box", dtype)
    return _build(dtype, loops, is_dual=False), loops


def build_duals(dtype: str, _: Meaning) -> tuple[Any, tuple[GroupLoop, ...]]:
    """The kernel ``duals(address of a context)`` for values and slopes."""
    loops = DualLoop("dual", dtype), DualLoop("strict_box", dtype)
    return _build(dtype, loops, is_dual=True), loops


def _build(dtype: str, loops: tuple[GroupLoop, ...], *, is_dual: bool) -> Any:
    size = np.dtype(dtype).itemsize
    floats_at = pointer_to(types.float32 if dtype == "float32" else types.float64)
    evaluate_leaf = leaf_of(call_of(loops[0]), floats_at, size, is_dual)
    split = split_of(dtype, call_of(loops[1]), floats_at, size)

    @jit
    def enter(ctx, depth, program, points):
        """Split the points of a cell as row ``depth``, or note them as a leaf; returns the cost."""
        records, count, result, rate = program
        first, end, side = points
        bits = 0
        if ctx[p.SPLITS] and depth < p.MOST_DEPTH and end - first <= ctx[p.ROOM]:
            bits = best_bits(ctx, end - first, count, rate)
        if bits > 0:
            if side < 0:
                sort_nothing(ctx, first, end, size)
                first, end, side = 0, end - first, 0
            row = int64_at(ctx[c.STACK] + 8 * p.ROW * depth)
            row[c.PROGRAM], row[c.COUNT], row[c.REGION_RESULT] = records, count, result
            row[c.BASE] = ctx[c.ARENA_TOP]
            if split(ctx, depth, first, end, side, bits):
                ctx[c.DEPTH] = depth + 1
                return count * LANES + (end - first)
        ctx[c.LEAF_RECORDS], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT] = records, count, result
        ctx[p.LEAF_FIRST], ctx[p.LEAF_END], ctx[p.LEAF_SIDE] = first, end, side
        return 1

    def walk(address):
        """Evaluate the points from FIRST to END; returns 1 if any may be left."""
        ctx = int64_at(address)
        budget = ctx[c.BUDGET]
        if ctx[c.DEPTH] < 0:
            ctx[c.DEPTH] = 0
            ctx[c.ARENA_TOP] = ctx[c.ARENA]
            program = (ctx[c.RECORDS], ctx[c.LENGTH], ctx[c.RESULT], ctx[p.RATE])
            first = np.int64(0)  # as a literal it would make numba compile it twice
            budget -= enter(ctx, first, program, (ctx[r.FIRST], ctx[r.END], np.int64(-1)))
            if ctx[c.DEPTH] > 0:
                ctx[p.RATE] = int64_at(ctx[c.STACK])[p.CELL_RATE]
        while budget > 0:
            depth = ctx[c.DEPTH]
            if ctx[p.LEAF_FIRST] < ctx[p.LEAF_END]:
                budget -= evaluate_leaf(ctx)
            elif depth == 0:
                return 0
            else:
                place = ctx[c.STACK] + 8 * p.ROW * (depth - 1)
                row, leaves = int64_at(place), uint64_at(place + 8 * c.REMAINING)
                deeper = uint64_at(place + 8 * c.DEFERRED)
                if leaves[0] != NO_CHILD:
                    leaves[0] = take_leaf(ctx, row, leaves[0])
                elif deeper[0] != NO_CHILD:
                    cell = first_bit(deeper[0])
                    deeper[0] &= deeper[0] - ONE
                    program = (
                        row[c.CHILD_PROGRAM + cell], row[c.CHILD_COUNT + cell],
                        row[c.CHILD_RESULT + cell], row[p.CELL_RATE],
                    )  # fmt: skip
                    points = (row[p.CELL_FIRST + cell], row[p.CELL_FIRST + cell + 1], row[p.SIDE])
                    budget -= enter(ctx, depth, program, points)
                else:
                    ctx[c.ARENA_TOP] = row[c.BASE]
                    ctx[c.DEPTH] = depth - 1
        return 1

    return walk


@jit
def input_row(ctx, k):
    return int64_at(ctx[r.INPUT_ROWS] + 8 * p.INPUT_WORDS * k)


@jit
def sort_nothing(ctx, first, end, size):
    """Copy the points to where they are sorted, in the order of the caller."""
    order = int32_at(ctx[p.ORDERS])
    for i in range(end - first):
        order[i] = np.int32(first + i)
    for k in range(ctx[r.INPUTS_READ]):
        row = input_row(ctx, k)
        if row[p.STEP]:
            copy_bytes(row[p.SORTED_0], row[p.ADDRESS] + size * first, size * (end - first))


@jit
def take_leaf(ctx, row, leaves):
    """Note the next cell of a row as the leaf to evaluate; returns the cells that are left.

    Neighbours that the parent's program evaluates are one leaf.
    """
    count = row[c.COUNT]
    cell = first_bit(leaves)
    first, end = row[p.CELL_FIRST + cell], row[p.CELL_FIRST + cell + 1]
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
            last = row[p.CELL_FIRST + cell + 1]
            if row[p.CELL_FIRST + cell] != end or pays_to_write(
                ctx, last - end, row[c.CHILD_COUNT + cell], count
            ):
                break
            end = last
            leaves &= leaves - ONE
    ctx[p.LEAF_FIRST], ctx[p.LEAF_END], ctx[p.LEAF_SIDE] = first, end, row[p.SIDE]
    return leaves


# --- splitting ------------------------------------------------------------------------------------


def split_of(dtype: str, bound: Any, floats_at: Any, size: int) -> Any:
    """``split``, see there."""
    extremes, write_keys = extremes_of(dtype), keys_of(dtype)
    span, largest = GROUP * size, float(np.finfo(dtype).max) / 4
    infinity = float("inf")

    @jit
    def measure(ctx, first, end, side):
        """Write the bounds of all inputs at some points."""
        for k in range(ctx[r.INPUTS_READ]):
            row = input_row(ctx, k)
            found = ctx[r.INPUT_ROWS] + 8 * (p.INPUT_WORDS * k + p.LOW)
            if row[p.STEP]:
                extremes(row[p.SORTED_0 + side] + size * first, end - first, found)

    @jit
    def choose_axes(ctx, bits):
        """Choose how often to halve along each input: always the longest side; returns the sum."""
        inputs, chosen = ctx[r.INPUTS_READ], 0
        for k in range(inputs):
            input_row(ctx, k)[p.BITS] = 0
        while chosen < bits:
            longest, best = 0.0, -1
            for k in range(inputs):
                row = input_row(ctx, k)
                if row[p.STEP]:
                    ends = float64_at(ctx[r.INPUT_ROWS] + 8 * (p.INPUT_WORDS * k + p.LOW))
                    low, high = max(ends[0], -largest), min(ends[1], largest)
                    side = (high - low) / (1 << row[p.BITS])
                    if side > longest:
                        longest, best = side, k
            if best < 0:
                break
            input_row(ctx, best)[p.BITS] += 1
            chosen += 1
        return chosen

    @jit
    def sort(ctx, row, first, end, side):
        """Sort points by cell, and note the first point of each; empty cells get no number."""
        keys, targets, is_first = uint8_at(ctx[p.KEYS]), int32_at(ctx[p.TARGETS]), 1
        for k in range(ctx[r.INPUTS_READ]):
            given = input_row(ctx, k)
            if given[p.STEP] and given[p.BITS]:
                ends = float64_at(ctx[r.INPUT_ROWS] + 8 * (p.INPUT_WORDS * k + p.LOW))
                low, high = max(ends[0], -largest), min(ends[1], largest)
                cells = 1 << given[p.BITS]
                source = given[p.SORTED_0 + side] + size * first
                write_keys(
                    source, end - first, ctx[p.KEYS], low, cells / (high - low), cells, is_first
                )
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
                row[p.CELL_FIRST + cells] = at
                cells += 1
            at += count
        row[p.CELL_FIRST + cells] = end
        for i in range(end - first):
            key = keys[i]
            targets[i] = np.int32(firsts[key])
            firsts[key] += 1
        old = int32_at(ctx[p.ORDERS] + 4 * (ctx[p.ROOM] * side + first))
        new = int32_at(ctx[p.ORDERS] + 4 * ctx[p.ROOM] * (1 - side))
        for i in range(end - first):
            new[targets[i]] = old[i]
        for k in range(ctx[r.INPUTS_READ]):
            given = input_row(ctx, k)
            if given[p.STEP]:
                source = floats_at(given[p.SORTED_0 + side] + size * first)
                target = floats_at(given[p.SORTED_1 - side])
                for i in range(end - first):
                    target[targets[i]] = source[i]
        return cells

    @jit
    def enter_boxes(ctx, row, cells, groups, stride):
        """Write the bounding boxes of cells to the inputs' slots."""
        for k in range(ctx[r.INPUTS_READ]):
            given, nans = input_row(ctx, k), NO_CHILD
            slot = ctx[r.SLOTS] + stride * (ctx[r.FIRST_INPUT] + k)
            found = ctx[r.INPUT_ROWS] + 8 * (p.INPUT_WORDS * k + p.LOW)
            ends = float64_at(found)
            if not given[p.STEP]:
                number = floats_at(given[p.ADDRESS])[0]
                ends[0], ends[1], ends[2] = number, number, 0.0
                if number != number:
                    ends[0], ends[1], ends[2] = -infinity, infinity, 1.0
            for lane in range(GROUP * groups):
                cell = min(lane, cells - 1)
                if given[p.STEP] and cell == lane:
                    first = row[p.CELL_FIRST + cell]
                    source = given[p.SORTED_0 + row[p.SIDE]] + size * first
                    extremes(source, row[p.CELL_FIRST + cell + 1] - first, found)
                    if ends[0] > ends[1]:  # nothing but NaN
                        ends[0], ends[1] = -infinity, infinity
                lower = floats_at(slot + 2 * span * (lane // GROUP))
                lower[lane % GROUP], lower[GROUP + lane % GROUP] = ends[0], ends[1]
                if ends[2] != 0.0:
                    nans |= ONE << np.uint64(lane)
            uint64_at(ctx[r.NANS])[ctx[r.FIRST_INPUT] + k] = nans

    @jit
    def share_out(ctx, row, cells, bits, depth, points):
        """Decide which cells are split again, and write their programs; the others are leaves."""
        count, deeper, top = row[c.COUNT], NO_CHILD, ctx[c.ARENA_TOP]
        total, rate = 0.0, 100
        for cell in range(cells):
            here = row[p.CELL_FIRST + cell + 1] - row[p.CELL_FIRST + cell]
            total += row[c.CHILD_COUNT + cell] * here
        while rate > 5 and power(rate / 100, bits) * points * count > total:
            rate -= 5
        row[p.CELL_RATE] = rate
        for cell in range(cells):
            here, short = (
                row[p.CELL_FIRST + cell + 1] - row[p.CELL_FIRST + cell],
                row[c.CHILD_COUNT + cell],
            )
            if depth + 1 >= p.MOST_DEPTH or best_bits(ctx, here, short, rate) == 0:
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
    def split(ctx, depth, first, end, side, bits):
        """Sort points into cells, and find what their programs are; False if all are in one."""
        place = ctx[c.STACK] + 8 * p.ROW * depth
        row = int64_at(place)
        measure(ctx, first, end, side)
        bits = choose_axes(ctx, bits)
        if bits == 0:
            return False
        cells = sort(ctx, row, first, end, side)
        row[p.CELLS], row[p.SIDE] = cells, 1 - side
        if cells < 2:
            row[p.CELL_FIRST + 1] = end
        groups = (cells + GROUP - 1) // GROUP
        stride, count = 2 * span * groups, row[c.COUNT]
        enter_boxes(ctx, row, cells, groups, stride)
        fill_bytes(ctx[c.CHOICES], c.CHOICE_BYTES * (count + INPUTS), 0)
        bound(
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

    return split


# --- leaves ---------------------------------------------------------------------------------------


def leaf_of(evaluate: Any, floats_at: Any, size: int, is_dual: bool) -> Any:
    """``evaluate_leaf``, see there."""
    span = GROUP * size
    parts = 1 + p.DIRECTIONS if is_dual else 1

    @jit
    def enter_points(ctx, first, count, groups, stride):
        """Write the inputs of a block to their slots."""
        side = ctx[p.LEAF_SIDE]
        for k in range(ctx[r.INPUTS_READ]):
            row = input_row(ctx, k)
            slot = ctx[r.SLOTS] + stride * (ctx[r.FIRST_INPUT] + k)
            source = row[p.ADDRESS] if side < 0 else row[p.SORTED_0 + side]
            for group in range(groups):
                out = slot + parts * span * group
                if not row[p.STEP]:
                    number, written = floats_at(row[p.ADDRESS])[0], floats_at(out)
                    for lane in range(GROUP):
                        written[lane] = number
                elif GROUP * (group + 1) <= count:
                    copy_block(out, source + size * (first + GROUP * group), size)
                else:  # the lanes beyond keep what they had
                    left = count - GROUP * group
                    copy_bytes(out, source + size * (first + GROUP * group), size * left)
                if is_dual:
                    for along in range(p.DIRECTIONS):
                        slope = 1.0 if (row[p.DIRECTION] >> along) & 1 else 0.0
                        written = floats_at(out + span * (along + 1))
                        for lane in range(GROUP):
                            written[lane] = slope
            if is_dual:
                uint64_at(ctx[r.NANS])[ctx[r.FIRST_INPUT] + k] = NO_CHILD

    @jit
    def write_values(ctx, first, count, result):
        """Write the values of a block to the caller's array."""
        if ctx[p.LEAF_SIDE] < 0:
            copy_bytes(ctx[r.OUT] + size * first, result, size * count)
            return
        order = int32_at(ctx[p.ORDERS] + 4 * (ctx[p.ROOM] * ctx[p.LEAF_SIDE] + first))
        out, values = floats_at(ctx[r.OUT]), floats_at(result)
        for i in range(count):
            out[order[i]] = values[i]

    @jit
    def write_duals(ctx, first, count, result, place):
        """Write values and slopes of a block, and the masks of points to settle."""
        side, words = ctx[p.LEAF_SIDE], uint64_at(ctx[r.NANS])
        order = int32_at(ctx[p.ORDERS] + 4 * (ctx[p.ROOM] * max(side, 0) + first))
        kinks, jumps = uint8_at(ctx[p.KINKS]), uint8_at(ctx[p.JUMPED])
        slopes = int64_at(ctx[p.SLOPES])
        for i in range(count):
            target = first + i if side < 0 else np.int64(order[i])
            part = floats_at(result + parts * span * (i // GROUP) + size * (i % GROUP))
            value = part[0]
            floats_at(ctx[r.OUT])[target] = value
            is_steep = 0
            for along in range(ctx[p.ALONG]):
                slope = part[GROUP * (along + 1)]
                floats_at(slopes[along])[target] = slope
                is_steep |= slope - slope != 0
            is_steep &= value == value
            kink = np.int64((words[place] >> np.uint64(i)) & ONE) | is_steep
            jump = np.int64((words[p.JUMPS] >> np.uint64(i)) & ONE)
            kinks[target] |= np.uint8(kink)
            jumps[target] |= np.uint8(jump)

    @jit
    def evaluate_leaf(ctx):
        """Evaluate a block of the noted leaf; returns records x lanes."""
        first, records, place = ctx[p.LEAF_FIRST], ctx[c.LEAF_COUNT], ctx[c.LEAF_RESULT]
        count = min(GROUP * ctx[r.GROUPS], ctx[p.LEAF_END] - first)
        groups = (count + GROUP - 1) // GROUP
        stride = parts * span * groups
        enter_points(ctx, first, count, groups, stride)
        if is_dual:
            uint64_at(ctx[r.NANS])[p.JUMPS] = NO_CHILD
        evaluate(
            ctx[c.LEAF_RECORDS], records, groups, stride, ctx[r.SLOTS], ctx[c.CONSTANTS],
            ctx[r.NANS], 0,
        )  # fmt: skip
        result = ctx[r.SLOTS] + stride * place
        if is_dual:
            write_duals(ctx, first, count, result, place)
        else:
            write_values(ctx, first, count, result)
        ctx[p.LEAF_FIRST] = first + count
        return (records + 1) * GROUP * groups * parts

    return evaluate_leaf
