"""The children's programs: liveness for 32 children in parallel, then output.

Device functions of the kernel in ``splits``, in the order of its calls, by all threads of a block.
``w`` is the start of the block's workspace in ``words``, and a lane is a child.
"""

from __future__ import annotations

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    CONSTANT_CHOICE,
    FIRST_WORD,
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
)
from intervalvm.gpu import layout as c
from intervalvm.gpu.target import FULL, device, vote

COPY_FULL, COPY_AXIS = FIRST_WORD["copy", "k", "f"], FIRST_WORD["copy", "k", "a"]
SIDES = 3
assert (RIGHT_PLACE, THIRD_PLACE) == (LEFT_PLACE << 1, LEFT_PLACE << 2), "one flag a side, in order"
(VALID_MARK, FITTING_MARK, LISTED_MARK, MARKS) = range(4)
"""Words shared by a block's threads, with a bit for each child."""
OFFSETS, ROOMS = c.MOST_WARPS * c.LANES, c.LANES
"""Numbers that they share: see ``count_kept`` and ``take_room``."""


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
    """A place in the numbering of the lane's child; a decided choice is its chosen operand."""
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
def find_needed(programs, at, waves, wave_count, words, w, places, thread, threads):
    """Backward liveness by waves: the children in which each record is live and not decided.

    The result's word is set. A record whose choice is decided forwards its liveness to the chosen
    operand; it stays only if that is a constant, as a copy of it.
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
    """Number the records that each child keeps: for each 32 a mask and the count before them.

    Each warp counts in its own segment; ``offsets`` are the counts before each segment.
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
    """Write the warp's segment of the program of the lane's child, which begins at ``start``."""
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


@device
def take_room(control, following, asked, tables, count, lane, warp, thread, rooms, taken, marks):
    """Room for the programs of the children in ``asked``, and in the list of the next step.

    ``count`` are the records of the lane's child, ``tables`` the most entries of its table of
    waves. Returns the start of its program, its place in the list, and whether both fit; the
    children that fit are in ``LISTED_MARK`` after the next barrier. A block's allocation is
    contiguous, so the first of a pass, with an empty arena, has room for one child at least.
    """
    is_asked = has(asked, lane)
    room = np.int64(0)
    if is_asked:
        most = c.WORDS * count + min(tables, count)
        room = (most + c.WORDS - 1) // c.WORDS * c.WORDS
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
        vote(marks, FITTING_MARK, is_asked and start + room <= control[following + c.END], lane)
    cuda.syncthreads()
    fitting = np.int64(marks[FITTING_MARK])
    if thread == 0:
        fitting_count = np.int64(cuda.popc(fitting))
        taken[1] = cuda.atomic.add(control, following + c.COUNT, fitting_count)
    cuda.syncthreads()
    slot = taken[1] + cuda.popc(fitting & ((1 << lane) - 1))
    is_listed = has(fitting, lane) and slot < control[following + c.CAPACITY]
    if warp == 0:
        vote(marks, LISTED_MARK, is_listed, lane)
    return start, slot, is_listed


@device
def note_later(control, row, items, item, part, children):
    """Defer the children of a region for which there is no room; for one thread of the block."""
    later = control[row + c.DEFERRED] + c.ITEM * cuda.atomic.add(control, row + c.DEFERRED_COUNT, 1)
    for field in range(c.ITEM):
        items[later + field] = items[item + field]
    items[later + c.VALID] = 0
    items[later + c.VALID + 1] = 0
    items[later + c.VALID + part] = children


@device
def give_programs(
    control, row, items, item, part, programs, words, w, places, ambiguous, is_last, column, line,
    thread, threads, offsets, rooms, taken, marks,
):  # fmt: skip
    """Give the children in ``ambiguous``, of which there are some, their programs.

    They enter the list of the next step with a column and a line, a lane each; a lane of the first
    warp gets its place in ``items``, others and those that are deferred -1.
    """
    lane, warp, warps = thread & 31, thread >> 5, threads >> 5
    following, entry = row + c.ROW, np.int64(-1)
    at, n, result = items[item + c.PROGRAM], items[item + c.LENGTH], items[item + c.RESULT]
    waves, wave_count = items[item + c.WAVES], items[item + c.WAVE_COUNT]
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
        control, following, ambiguous, tables, count, lane, warp, thread, rooms, taken, marks
    )
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
        write_records(programs, at, words, w, places, n, segment, offsets, start, lane, warp)
    cuda.syncthreads()  # the workspace is free
    return entry
