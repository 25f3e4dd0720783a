"""The kernel of a split: a region's program over its children, and their shorter programs.

A block takes half of a region, 32 children, which are the lanes of each of its warps. The records
of a wave are distributed over the warps:

1. forward, every record over every child; verdicts go to the map;
2. backward liveness (masks of 32 children, wave by wave);
3. each child's live records are numbered, allocated in the arena of the next step, and written (see
   ``programs``).

Children that do not fit are deferred with their region.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    FIRST_WORD,
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
    TO_FULL,
    VARIANT_MASK,
)
from intervalvm.compiler.records import both, either
from intervalvm.gpu import layout as c
from intervalvm.gpu.programs import (
    LISTED_MARK,
    MARKS,
    VALID_MARK,
    count_kept,
    find_needed,
    has,
    note_later,
    number_of,
    rank,
    take_room,
    write_records,
    write_waves,
)
from intervalvm.gpu.rules import device_functions
from intervalvm.gpu.target import FULL, device, vote
from intervalvm.jit.layout import edge

OR = FIRST_WORD["or", "tt", "t"] & VARIANT_MASK
OFFSETS, ROOMS = c.MOST_WARPS * c.LANES, c.LANES
edge, either, both = device(edge), device(either), device(both)


@device
def combine(programs, record, place, words, w, places):
    """A truth of two truths, for all children."""
    left, right = np.int64(programs[record + 1]), np.int64(programs[record + 2])
    always_a, never_a = words[w + left], words[w + c.NEVER * places + left]
    always_b, never_b = words[w + right], words[w + c.NEVER * places + right]
    if np.int64(programs[record]) & VARIANT_MASK == OR:
        always, never, left_only, right_only = either(always_a, never_a, always_b, never_b)
    else:
        always, never, left_only, right_only = both(always_a, never_a, always_b, never_b)
    words[w + place] = always
    words[w + c.NEVER * places + place] = never
    words[w + c.LEFT * places + place] = left_only
    words[w + c.RIGHT * places + place] = right_only


@lru_cache
def build(dtype: str, *, tame: bool, is_bitmap: bool) -> Any:
    """The kernel ``split`` for a dtype, careful or tame, for bitmaps or values."""
    made = device_functions(dtype, tame=tame)
    bounds, literal, constant = made.bounds, made.literal, made.constant

    @device
    def box_of(is_place, index, constants, values, v, words, w, lane):
        """An operand over the lane's child."""
        index = np.int64(index)
        if is_place:
            lower = values[v + 2 * c.LANES * index + lane]
            upper = values[v + 2 * c.LANES * index + c.LANES + lane]
            may_be_nan = False
            if not tame:
                may_be_nan = has(words[w + index], lane)
        else:
            lower, upper, may_be_nan = constant(constants[index])
        return lower, upper, may_be_nan

    @device
    def evaluate(programs, record, place, constants, values, v, words, w, places, lane):
        """A value or a literal over the lane's child."""
        first = np.int64(programs[record])
        a_low, a_high, a_nan = box_of(
            first & LEFT_PLACE != 0, programs[record + 1], constants, values, v, words, w, lane
        )
        b_low, b_high, b_nan = box_of(
            first & RIGHT_PLACE != 0, programs[record + 2], constants, values, v, words, w, lane
        )
        c_low, c_high, c_nan = box_of(
            first & THIRD_PLACE != 0, programs[record + 3], constants, values, v, words, w, lane
        )
        variant = first & VARIANT_MASK
        if first & (TO_FULL | TO_AXIS):
            lower, upper, may_be_nan, left_only, right_only = bounds(
                variant, a_low, a_high, a_nan, b_low, b_high, b_nan, c_low, c_high, c_nan
            )
            values[v + 2 * c.LANES * place + lane] = lower
            values[v + 2 * c.LANES * place + c.LANES + lane] = upper
            if not tame:
                vote(words, w + place, may_be_nan, lane)
            vote(words, w + c.LEFT * places + place, left_only, lane)
            vote(words, w + c.RIGHT * places + place, right_only, lane)
        else:
            always, never = literal(
                variant, a_low, a_high, a_nan, b_low, b_high, b_nan, c_low, c_high, c_nan
            )
            vote(words, w + place, always, lane)
            vote(words, w + c.NEVER * places + place, never, lane)
            if lane == 0:
                words[w + c.LEFT * places + place] = 0
                words[w + c.RIGHT * places + place] = 0

    @device
    def forwards(programs, at, waves, wave_count, constants, values, v, words, w, places):
        """Every record of a program over every child."""
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        lane, warp, warps = thread & 31, thread >> 5, threads >> 5
        start = np.int64(0)
        for wave in range(wave_count):
            entry = np.int64(programs[waves + wave])
            end = entry >> 1
            if entry & 1:
                for i in range(start + thread, end, threads):
                    combine(programs, at + c.WORDS * i, i + INPUTS, words, w, places)
            else:
                for i in range(start + warp, end, warps):
                    record = at + c.WORDS * i
                    evaluate(
                        programs, record, i + INPUTS, constants, values, v, words, w, places, lane
                    )
            start = end
            cuda.syncthreads()

    @device
    def enter_children(control, coordinates, values, v, words, w, left, right, top, bottom, lane):
        """The x and y of the lane's child; those of one without pixels are not used."""
        width, height, y_start = control[c.WIDTH], control[c.HEIGHT], control[c.Y]
        x_first, y_first = min(left, width - 1), min(top, height - 1)
        x_last = min(max(right - 1, x_first), width - 1)
        y_last = min(max(bottom - 1, y_first), height - 1)
        # x runs to the right, y upwards: the last row has the least
        values[v + lane] = coordinates[x_first]
        values[v + c.LANES + lane] = coordinates[x_last]
        values[v + 2 * c.LANES + lane] = coordinates[y_start + y_last]
        values[v + 3 * c.LANES + lane] = coordinates[y_start + y_first]
        if lane < INPUTS:
            words[w + lane] = 0

    @device
    def proven(words, w, places, result, valid):
        """The masks of inside and outside among the ``valid`` children, by the result's bounds.

        With values there are none: each pixel has its own.
        """
        inside, outside = np.int64(0), np.int64(0)
        if is_bitmap:
            inside = np.int64(words[w + result])
            outside = np.int64(words[w + c.NEVER * places + result])
        return inside & valid, outside & valid

    @device
    def give_verdict(verdicts, cell, inside, outside, lane):
        """Write the verdict of the lane's child; returns whether it is inside."""
        is_inside, is_outside = has(inside, lane), has(outside, lane)
        verdicts[cell] = (
            c.INSIDE_CELL if is_inside else c.OUTSIDE_CELL if is_outside else c.AMBIGUOUS_CELL
        )
        return is_inside

    def split(
        step, shortest, longest,
        control, coordinates, constants, programs, items, values, words, verdicts,
    ):  # fmt: skip
        """Step ``step`` for its regions whose programs have more than ``shortest`` records, and up
        to ``longest``, for which each block has room in ``values`` and ``words``."""
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        lane, warp, warps = thread & 31, thread >> 5, threads >> 5
        # one a line, since the simulator tells them apart by that
        offsets = cuda.shared.array(OFFSETS, np.int64)
        rooms = cuda.shared.array(ROOMS, np.int64)
        taken = cuda.shared.array(2, np.int64)
        marks = cuda.shared.array(MARKS, np.uint32)
        row = c.HEAD + c.ROW * step
        following = row + c.ROW
        bits, level = control[row + c.SPLIT_LEVELS], control[row + c.LEVEL]
        is_last = step + 1 == control[c.STEPS]
        side = 1 << bits
        parts = (side * side + c.LANES - 1) // c.LANES
        places = longest + INPUTS
        v = cuda.blockIdx.x * np.int64(2 * c.LANES) * places
        w = cuda.blockIdx.x * np.int64(c.WORKSPACE_WORDS) * (places + c.LANES)
        units = min(control[row + c.COUNT], control[row + c.CAPACITY]) * parts
        if control[row + c.LONGEST] <= shortest:
            units = np.int64(0)
        inside_px = np.int64(0)
        for unit in range(cuda.blockIdx.x, units, cuda.gridDim.x):
            item = control[row + c.ITEMS] + c.ITEM * (unit // parts)
            part = unit % parts
            asked, n = items[item + c.VALID + part], items[item + c.LENGTH]
            if asked == 0 or n <= shortest or n > longest:
                continue
            at, result = items[item + c.PROGRAM], items[item + c.RESULT]
            waves, wave_count = items[item + c.WAVES], items[item + c.WAVE_COUNT]
            child = c.LANES * part + lane
            column = (items[item + c.COLUMN] << bits) + (child & (side - 1))
            line = (items[item + c.LINE] << bits) + (child >> bits)
            left = edge(column, level, control[c.WIDTH])
            right = edge(column + 1, level, control[c.WIDTH])
            top = edge(line, level, control[c.HEIGHT])
            bottom = edge(line + 1, level, control[c.HEIGHT])
            if warp == 0:
                exists = child < side * side and right > left and bottom > top
                vote(marks, VALID_MARK, exists and has(asked, lane), lane)
                enter_children(
                    control, coordinates, values, v, words, w, left, right, top, bottom, lane
                )
            cuda.syncthreads()
            forwards(programs, at, waves, wave_count, constants, values, v, words, w, places)
            valid = np.int64(marks[VALID_MARK])
            inside, outside = proven(words, w, places, result, valid)
            ambiguous = valid & ~(inside | outside)
            if warp == 0 and has(valid, lane):
                cell = control[row + c.VERDICTS] + (line << level) + column
                if give_verdict(verdicts, cell, inside, outside, lane):
                    inside_px += (right - left) * (bottom - top)
            if thread == 0:
                cuda.atomic.add(control, row + c.REGIONS, cuda.popc(inside | outside))
                cuda.atomic.add(control, row + c.INSIDE, cuda.popc(inside))
                cuda.atomic.add(control, row + c.OUTSIDE, cuda.popc(outside))
            if ambiguous == 0:
                cuda.syncthreads()  # the marks have been read
                continue
            for i in range(thread, n + INPUTS, threads):
                words[w + c.NEEDED * places + i] = 0
            cuda.syncthreads()
            if thread == 0:
                words[w + c.NEEDED * places + result] = np.uint32(ambiguous)
            cuda.syncthreads()
            find_needed(programs, at, waves, wave_count, words, w, places, thread, threads)
            segment = (n // c.LANES + warps) // warps  # of n // LANES + 1 chunks
            count_kept(words, w, places, n, segment, offsets, lane, warp, warps)
            count = rank(words, w, places, segment, offsets, n, lane)
            tables = np.int64(0) if is_last else wave_count
            start, slot, is_listed = take_room(
                control, following, ambiguous, tables, count, lane, warp, thread,
                rooms, taken, marks,
            )  # fmt: skip
            if warp == 0 and is_listed:
                entry = control[following + c.ITEMS] + c.ITEM * slot
                items[entry + c.PROGRAM], items[entry + c.LENGTH] = start, count
                items[entry + c.COLUMN], items[entry + c.LINE] = column, line
                items[entry + c.VALID] = items[entry + c.VALID + 1] = FULL
                items[entry + c.RESULT] = number_of(
                    result, programs, at, words, w, places, segment, offsets, lane
                )
                items[entry + c.WAVES] = start + c.WORDS * count
                items[entry + c.WAVE_COUNT] = 0
                if not is_last:
                    items[entry + c.WAVE_COUNT] = write_waves(
                        programs, waves, wave_count, words, w, places, segment, offsets,
                        start + c.WORDS * count, lane,
                    )  # fmt: skip
                cuda.atomic.max(control, following + c.LONGEST, count)
                cuda.atomic.add(control, row + c.CLAUSES, count)
            cuda.syncthreads()
            listed = np.int64(marks[LISTED_MARK])
            if thread == 0:
                cuda.atomic.add(control, row + c.REGIONS, cuda.popc(listed))
                cuda.atomic.add(control, row + c.AMBIGUOUS, cuda.popc(listed))
                if listed != ambiguous:
                    note_later(control, row, items, item, part, ambiguous & ~listed)
            if is_listed:
                write_records(
                    programs, at, words, w, places, n, segment, offsets, start, lane, warp
                )
            cuda.syncthreads()  # the workspace is free
        if inside_px != 0:
            cuda.atomic.add(control, row + c.INSIDE_PX, inside_px)

    return split
