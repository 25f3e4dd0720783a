"""The kernel of one step: a region's program over its children, and the programs they are left with.

A block takes half of a region, 32 children, which are the lanes of each of its warps. The records
of a wave are shared out among the warps:

1. forwards, every record over every child; what is proven goes to the map of verdicts;
2. backwards, which children need each record (words of 32 bits, wave by wave);
3. each child's records are numbered, room for them is taken from the arena of the next step, and
   they are written, with what was proven left out.

Children for which there is no room are noted, with their region, to be done later.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    CONSTANT_CHOICE,
    INPUTS,
    LEFT_PLACE,
    NUMBER,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
    TO_FULL,
    Variant,
)
from intervalvm.evaluate.records import both, either
from intervalvm.gpu import layout as c
from intervalvm.gpu.rules import rules
from intervalvm.gpu.target import FULL, device, vote

COPY_FULL, COPY_AXIS = (
    NUMBER[variant] | variant.flags
    for variant in (Variant("copy", "k", "f"), Variant("copy", "k", "a"))
)
OR = NUMBER[Variant("or", "tt", "t")]
SIDES = 3
assert (RIGHT_PLACE, THIRD_PLACE) == (LEFT_PLACE << 1, LEFT_PLACE << 2), "one flag a side, in order"
either, both = device(either), device(both)
OFFSETS, ROOMS = c.MOST_WARPS * c.LANES, c.LANES
(VALID_MARK, INSIDE_MARK, OUTSIDE_MARK, FITTING_MARK, LISTED_MARK, MARKS) = range(6)


@device
def edge(cell, level, pixels):
    """The first pixel of a cell, when ``pixels`` are cut into 2**level cells."""
    return (cell * pixels) >> level


@device
def has(word, lane):
    return (np.int64(word) >> lane) & 1 != 0


@device
def rank(words, w, places, segment, offsets, index, lane):
    """How many records before ``index`` the lane's child keeps."""
    chunk = index >> 5
    kept = np.int64(words[w + c.BITS_AT * (places + c.LANES) + chunk * c.LANES + lane])
    before = np.int64(words[w + c.RANKS_AT * (places + c.LANES) + chunk * c.LANES + lane])
    below = kept & ((1 << (index & 31)) - 1)
    return before + offsets[chunk // segment * c.LANES + lane] + cuda.popc(below)


@device
def number_of(place, programs, at, words, w, places, segment, offsets, lane):
    """A place as the lane's child numbers it; what a choice has decided is the operand it chose."""
    while place >= INPUTS and not has(words[w + c.NEEDED * places + place], lane):
        record = at + c.WORDS * (place - INPUTS)
        if has(words[w + c.LEFT * places + place], lane):
            place = np.int64(programs[record + 1])
        else:
            place = np.int64(programs[record + 2])
    if place < INPUTS:
        return place
    return INPUTS + rank(words, w, places, segment, offsets, place - INPUTS, lane)


@device
def combine(programs, record, place, words, w, places):
    """A truth of two truths, for all children."""
    left, right = np.int64(programs[record + 1]), np.int64(programs[record + 2])
    always_a, never_a = words[w + left], words[w + c.NEVER * places + left]
    always_b, never_b = words[w + right], words[w + c.NEVER * places + right]
    if np.int64(programs[record]) & c.VARIANT == OR:
        always, never, left_only, right_only = either(always_a, never_a, always_b, never_b)
    else:
        always, never, left_only, right_only = both(always_a, never_a, always_b, never_b)
    words[w + place] = always
    words[w + c.NEVER * places + place] = never
    words[w + c.LEFT * places + place] = left_only
    words[w + c.RIGHT * places + place] = right_only


@device
def find_needed(programs, at, waves, wave_count, words, w, places, thread, threads):
    """Backwards through the waves: which children need each record, and do not see it decided.

    The result's word is set. A record whose choice is decided hands its need on to the operand that
    was chosen; it stays only where that is a constant, of which it becomes a copy.
    """
    for wave in range(wave_count - 1, -1, -1):
        end = np.int64(programs[waves + wave]) >> 1
        start = np.int64(0)
        if wave > 0:
            start = np.int64(programs[waves + wave - 1]) >> 1
        for i in range(start + thread, end, threads):
            place, record = i + INPUTS, at + c.WORDS * i
            need = np.int64(words[w + c.NEEDED * places + place])
            if need != 0:
                first = np.int64(programs[record])
                left_only = np.int64(words[w + c.LEFT * places + place])
                right_only = np.int64(words[w + c.RIGHT * places + place])
                for side in range(SIDES):
                    if first & (LEFT_PLACE << side):
                        other = right_only if side == 0 else left_only if side == 1 else np.int64(0)
                        operand = np.int64(programs[record + 1 + side])
                        wanted = np.uint32(need & ~other & FULL)
                        cuda.atomic.or_(words, w + c.NEEDED * places + operand, wanted)
                decided = left_only | right_only
                if first & CONSTANT_CHOICE:
                    if not first & LEFT_PLACE:
                        decided = decided & ~left_only
                    if not first & RIGHT_PLACE:
                        decided = decided & ~right_only
                words[w + c.NEEDED * places + place] = np.uint32(need & ~decided & FULL)
        cuda.syncthreads()


@device
def count_kept(words, w, places, n, segment, offsets, lane, warp, warps):
    """Number the records that each child keeps: for each 32 of them their bits, and how many before.

    Each warp counts in a segment of its own; ``offsets`` are then those before each segment.
    """
    chunks = n // c.LANES + 1
    running = np.int64(0)
    for chunk in range(segment * warp, min(segment * (warp + 1), chunks)):
        kept = np.int64(0)
        first = c.LANES * chunk
        for k in range(min(c.LANES, n - first)):
            word = np.int64(words[w + c.NEEDED * places + INPUTS + first + k])
            kept |= ((word >> lane) & 1) << k
        words[w + c.BITS_AT * (places + c.LANES) + first + lane] = np.uint32(kept)
        words[w + c.RANKS_AT * (places + c.LANES) + first + lane] = np.uint32(running)
        running += cuda.popc(kept)
    offsets[warp * c.LANES + lane] = running
    cuda.syncthreads()
    if warp == 0:
        running = np.int64(0)
        for other in range(warps):
            found = offsets[other * c.LANES + lane]
            offsets[other * c.LANES + lane] = running
            running += found
    cuda.syncthreads()


@device
def write_records(programs, at, words, w, places, n, segment, offsets, start, lane, warp):
    """Write the lane's child's program from ``start``, those of its records in the warp's segment."""
    chunks = n // c.LANES + 1
    for chunk in range(segment * warp, min(segment * (warp + 1), chunks)):
        kept = np.int64(words[w + c.BITS_AT * (places + c.LANES) + c.LANES * chunk + lane])
        while kept != 0:
            i = c.LANES * chunk + cuda.ffs(kept) - 1
            kept &= kept - 1
            place, record = i + INPUTS, at + c.WORDS * i
            out = start + c.WORDS * rank(words, w, places, segment, offsets, i, lane)
            first = np.int64(programs[record])
            is_left = has(words[w + c.LEFT * places + place], lane)
            if is_left or has(words[w + c.RIGHT * places + place], lane):
                # decided and kept: a copy of the constant
                copied = programs[record + 1] if is_left else programs[record + 2]
                first = np.int64(COPY_AXIS) if first & TO_AXIS else np.int64(COPY_FULL)
                programs[out + 1] = copied
                programs[out + 2] = 0
                programs[out + 3] = programs[record + 3]
            else:
                for side in range(SIDES):
                    operand = np.int64(programs[record + 1 + side])
                    if first & (LEFT_PLACE << side):
                        operand = number_of(
                            operand, programs, at, words, w, places, segment, offsets, lane
                        )
                    programs[out + 1 + side] = np.uint32(operand)
            programs[out] = np.uint32(first)


@device
def write_waves(programs, waves, wave_count, words, w, places, segment, offsets, out, lane):
    """Write the lane's child's table of waves to ``out``; returns how many it has."""
    written, before = np.int64(0), np.int64(0)
    for wave in range(wave_count):
        entry = np.int64(programs[waves + wave])
        end = rank(words, w, places, segment, offsets, entry >> 1, lane)
        if end > before:
            programs[out + written] = np.uint32(2 * end + (entry & 1))
            written += 1
        before = end
    return written


@lru_cache
def build(dtype: str, *, tame: bool, is_bitmap: bool) -> Any:
    """The kernel ``split`` for a dtype, careful or tame, for bitmaps or values."""
    made = rules(dtype, tame=tame)
    bounds, literal, constant = made.bounds, made.literal, made.constant

    @device
    def box_of(is_place, index, constants, values, v, words, w, lane):
        """An operand over the lane's child."""
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
            first & LEFT_PLACE != 0,
            np.int64(programs[record + 1]), constants, values, v, words, w, lane,
        )  # fmt: skip
        b_low, b_high, b_nan = box_of(
            first & RIGHT_PLACE != 0,
            np.int64(programs[record + 2]), constants, values, v, words, w, lane,
        )  # fmt: skip
        c_low, c_high, c_nan = box_of(
            first & THIRD_PLACE != 0,
            np.int64(programs[record + 3]), constants, values, v, words, w, lane,
        )  # fmt: skip
        variant = first & c.VARIANT
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

    def split(
        step, shortest, longest,
        control, coordinates, constants, programs, items, values, words, verdicts, limits,
    ):  # fmt: skip
        """Step ``step`` for its regions whose programs have more than ``shortest`` records, and up
        to ``longest``, for which each block has room in ``values`` and ``words``."""
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        lane, warp, warps = thread & 31, thread >> 5, threads >> 5
        offsets = cuda.shared.array(OFFSETS, np.int64)
        rooms = cuda.shared.array(ROOMS, np.int64)
        taken = cuda.shared.array(2, np.int64)
        marks = cuda.shared.array(MARKS, np.uint32)
        row = c.HEAD + c.ROW * step
        following = row + c.ROW
        bits, level = control[row + c.BITS], control[row + c.LEVEL]
        width, height, y_start = control[c.WIDTH], control[c.HEIGHT], control[c.Y]
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
            asked = items[item + c.VALID + part]
            n = items[item + c.LENGTH]
            if asked == 0 or n <= shortest or n > longest:
                continue
            at, result = items[item + c.PROGRAM], items[item + c.RESULT]
            waves, wave_count = items[item + c.WAVES], items[item + c.WAVE_COUNT]
            # --- the children
            child = c.LANES * part + lane
            column = (items[item + c.COLUMN] << bits) + (child & (side - 1))
            line = (items[item + c.LINE] << bits) + (child >> bits)
            left, right = edge(column, level, width), edge(column + 1, level, width)
            top, bottom = edge(line, level, height), edge(line + 1, level, height)
            if warp == 0:
                exists = child < side * side and right > left and bottom > top
                vote(marks, VALID_MARK, exists and has(asked, lane), lane)
                # a child without pixels gets some that there are, and nobody looks at it
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
            cuda.syncthreads()
            # --- what can be proven of them
            forwards(programs, at, waves, wave_count, constants, values, v, words, w, places)
            valid = np.int64(marks[VALID_MARK])
            lower, upper = values[v], values[v]
            if is_bitmap:
                inside = np.int64(words[w + result]) & valid
                outside = np.int64(words[w + c.NEVER * places + result]) & valid
            else:
                lower = values[v + 2 * c.LANES * result + lane]
                upper = values[v + 2 * c.LANES * result + c.LANES + lane]
                is_number = tame or not has(words[w + result], lane)
                if warp == 0:
                    vote(marks, INSIDE_MARK, upper < 0 and is_number, lane)
                    vote(marks, OUTSIDE_MARK, lower >= 0 and is_number, lane)
                cuda.syncthreads()
                inside = np.int64(marks[INSIDE_MARK]) & valid
                outside = np.int64(marks[OUTSIDE_MARK]) & valid
            ambiguous = valid & ~(inside | outside)
            if warp == 0 and has(valid, lane):
                cell = control[row + c.VERDICTS] + (line << level) + column
                verdict = c.AMBIGUOUS_CELL
                if has(inside, lane):
                    verdict = c.INSIDE_CELL
                    inside_px += (right - left) * (bottom - top)
                elif has(outside, lane):
                    verdict = c.OUTSIDE_CELL
                verdicts[cell] = verdict
                if not is_bitmap and verdict != c.AMBIGUOUS_CELL:
                    limits[cell] = upper if verdict == c.INSIDE_CELL else lower
            if thread == 0:
                cuda.atomic.add(control, row + c.REGIONS, cuda.popc(inside | outside))
                cuda.atomic.add(control, row + c.INSIDE, cuda.popc(inside))
                cuda.atomic.add(control, row + c.OUTSIDE, cuda.popc(outside))
            if ambiguous == 0:
                cuda.syncthreads()  # the marks have been read
                continue
            # --- what the others need
            for i in range(thread, n + INPUTS, threads):
                words[w + c.NEEDED * places + i] = 0
            cuda.syncthreads()
            if thread == 0:
                words[w + c.NEEDED * places + result] = np.uint32(ambiguous)
            cuda.syncthreads()
            find_needed(programs, at, waves, wave_count, words, w, places, thread, threads)
            segment = (n // c.LANES + warps) // warps  # of n // LANES + 1 chunks
            count_kept(words, w, places, n, segment, offsets, lane, warp, warps)
            # --- room for their programs, and in the list
            count = rank(words, w, places, segment, offsets, n, lane)
            is_asked = has(ambiguous, lane)
            table = np.int64(0) if is_last else min(wave_count, count)
            room = np.int64(0)
            if is_asked:
                room = (c.WORDS * count + table + c.WORDS - 1) // c.WORDS * c.WORDS
            if warp == 0:
                rooms[lane] = room
            cuda.syncthreads()
            start, total = np.int64(0), np.int64(0)
            for other in range(c.LANES):
                if other < lane:
                    start += rooms[other]
                total += rooms[other]
            if thread == 0:
                taken[0] = cuda.atomic.add(control, following + c.TOP, total)
            cuda.syncthreads()
            start += taken[0]
            if warp == 0:
                fits = is_asked and start + room <= control[following + c.END]
                vote(marks, FITTING_MARK, fits, lane)
            cuda.syncthreads()
            fitting = np.int64(marks[FITTING_MARK])
            if thread == 0:
                n_fitting = np.int64(cuda.popc(fitting))
                taken[1] = cuda.atomic.add(control, following + c.COUNT, n_fitting)
            cuda.syncthreads()
            slot = taken[1] + cuda.popc(fitting & ((1 << lane) - 1))
            is_listed = has(fitting, lane) and slot < control[following + c.CAPACITY]
            if warp == 0:
                vote(marks, LISTED_MARK, is_listed, lane)
                if is_listed:
                    out = start + c.WORDS * count
                    entry = control[following + c.ITEMS] + c.ITEM * slot
                    items[entry + c.PROGRAM] = start
                    items[entry + c.LENGTH] = count
                    items[entry + c.WAVES] = out
                    items[entry + c.WAVE_COUNT] = 0
                    if not is_last:
                        items[entry + c.WAVE_COUNT] = write_waves(
                            programs, waves, wave_count, words, w, places, segment, offsets,
                            out, lane,
                        )  # fmt: skip
                    items[entry + c.RESULT] = number_of(
                        result, programs, at, words, w, places, segment, offsets, lane
                    )
                    items[entry + c.COLUMN] = column
                    items[entry + c.LINE] = line
                    items[entry + c.VALID] = FULL
                    items[entry + c.VALID + 1] = FULL
                    cuda.atomic.max(control, following + c.LONGEST, count)
                    cuda.atomic.add(control, row + c.CLAUSES, count)
            cuda.syncthreads()
            listed = np.int64(marks[LISTED_MARK])
            if thread == 0:
                cuda.atomic.add(control, row + c.REGIONS, cuda.popc(listed))
                cuda.atomic.add(control, row + c.AMBIGUOUS, cuda.popc(listed))
                if listed != ambiguous:
                    later = control[row + c.DEFERRED] + c.ITEM * cuda.atomic.add(
                        control, row + c.DEFERRED_COUNT, 1
                    )
                    for field in range(c.ITEM):
                        items[later + field] = items[item + field]
                    items[later + c.VALID] = 0
                    items[later + c.VALID + 1] = 0
                    items[later + c.VALID + part] = ambiguous & ~listed
            if is_listed:
                write_records(
                    programs, at, words, w, places, n, segment, offsets, start, lane, warp
                )
            cuda.syncthreads()  # the workspace is free
        if inside_px != 0:
            cuda.atomic.add(control, row + c.INSIDE_PX, inside_px)

    return split
