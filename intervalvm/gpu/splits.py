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

from intervalvm.compiler.program import INPUTS
from intervalvm.gpu import layout as c
from intervalvm.gpu.forwards import build_forwards
from intervalvm.gpu.programs import MARKS, OFFSETS, ROOMS, VALID_MARK, give_programs, has
from intervalvm.gpu.target import device, vote
from intervalvm.jit.layout import edge

edge = device(edge)


@lru_cache
def build(dtype: str, *, tame: bool, is_bitmap: bool) -> Any:
    """The kernel ``split`` for a dtype, careful or tame, for bitmaps or values."""
    forwards = build_forwards(dtype, tame=tame)

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
        lane, warp = thread & 31, thread >> 5
        # one a line, since the simulator tells them apart by that
        offsets = cuda.shared.array(OFFSETS, np.int64)
        rooms = cuda.shared.array(ROOMS, np.int64)
        taken = cuda.shared.array(2, np.int64)
        marks = cuda.shared.array(MARKS, np.uint32)
        row = c.HEAD + c.ROW * step
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
            give_programs(
                control, row, items, item, part, programs, words, w, places, ambiguous, is_last,
                column, line, thread, threads, offsets, rooms, taken, marks,
            )  # fmt: skip
        if inside_px != 0:
            cuda.atomic.add(control, row + c.INSIDE_PX, inside_px)

    return split
