"""The kernels of points that are sorted into cells, whose programs are shorter.

The box of all points is divided as a picture is: a step makes 64 children of a region, cells of
equal size along up to three inputs. A cell's number has six bits a step, those of its place in each
region. Only cells with points are divided further.

1. ``extremes``: the least and greatest number of an input;
2. ``find_cells``: each point's cell, and how many came before it there;
3. ``sort``: the points of a cell side by side;
4. ``divide``, step by step: the programs of the cells, as ``splits`` makes those of a picture;
5. ``cell_values`` or ``cell_duals``: each point by its cell's program.

A point that is in no cell, such as one with NaN, counts to one beyond the last, whose program is
the whole one. Their arrays:

==============  ===================================================================================
``x y z``       [count]: the points, in the order of the caller
``edges``       the edges between cells, of one axis after the other
``frames``      float64[6]: of each axis the least number, and how many cells there are to 1
``cells``       int32[count]: each point's cell; ``ranks`` how many came before it there
``counts``      int32[cells + 1]: the points of each cell
``starts``      int32[cells + 2]: where each cell's points start in ``order``
``order``       int64[count]: the points by cell, a word each
``leaf_items``  int32[cells + 1]: where in ``items`` each cell is, or -1: its children were deferred
==============  ===================================================================================
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import INPUTS
from intervalvm.gpu import layout as c
from intervalvm.gpu.forwards import build_forwards
from intervalvm.gpu.layout import LOCAL_PLACES
from intervalvm.gpu.points import DUAL_PARTS, dual_ends, dual_interpreter, value_interpreter
from intervalvm.gpu.programs import MARKS, OFFSETS, ROOMS, VALID_MARK, give_programs, has
from intervalvm.gpu.target import device, vote

POINT_BITS = 32
"""A sorted point is one word: its cell, above its number."""
POINT_MASK = (1 << POINT_BITS) - 1


def extremes(count, axis, numbers, ends):
    """The least and the greatest of the finite ``numbers``: ``ends[2 * axis:]``, which start as inf
    and -inf."""
    low, high = ends[2 * axis], ends[2 * axis + 1]
    first = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
    for i in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
        number = numbers[i]
        if -np.inf < number < np.inf:
            low, high = min(low, number), max(high, number)
    if low < ends[2 * axis]:
        cuda.atomic.min(ends, 2 * axis, low)
    if high > ends[2 * axis + 1]:
        cuda.atomic.max(ends, 2 * axis + 1, high)


@device
def index_along(number, edges, at, count, low, scale):
    """In which of ``count`` ranges between ``edges[at:]`` a number is; -1 for none.

    ``scale`` tells about where to look.
    """
    if not -np.inf < number < np.inf:
        return np.int64(-1)
    guess = (np.float64(number) - low) * scale
    index = np.int64(min(max(guess, 0.0), count - 1.0))
    while index > 0 and number < edges[at + index]:
        index -= 1
    while index < count - 1 and number > edges[at + index + 1]:
        index += 1
    if edges[at + index] <= number <= edges[at + index + 1]:
        return index
    return np.int64(-1)


@device
def bits_of(index, level, bits):
    """The bits of an index along an axis that count at a step, of which ``level`` follow."""
    return (index >> level * bits) & ((1 << bits) - 1)


def find_cells(count, outside, control, edges, frames, x, y, z, cells, ranks, counts):
    """Each point's cell and its rank there, and the points of each cell. Those in no cell are in
    ``outside``."""
    x_bits, y_bits, z_bits = control[c.BITS_X], control[c.BITS_Y], control[c.BITS_Z]
    y_at, z_at, steps = control[c.EDGES_Y], control[c.EDGES_Z], control[c.STEPS]
    x_count, y_count, z_count = 1 << x_bits * steps, 1 << y_bits * steps, 1 << z_bits * steps
    first = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
    for i in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
        column = index_along(x[i], edges, 0, x_count, frames[0], frames[1])
        line = index_along(y[i], edges, y_at, y_count, frames[2], frames[3])
        plane = index_along(z[i], edges, z_at, z_count, frames[4], frames[5])
        cell = np.int64(outside)
        if column >= 0 and line >= 0 and plane >= 0:
            cell = np.int64(0)
            for level in range(steps - 1, -1, -1):
                child = bits_of(plane, level, z_bits) << y_bits | bits_of(line, level, y_bits)
                child = child << x_bits | bits_of(column, level, x_bits)
                cell = cell << c.CHILD_BITS | child
        cells[i] = cell
        ranks[i] = cuda.atomic.add(counts, cell, 1)


def sort(count, cells, ranks, starts, order):
    """The points sorted by cell, as words."""
    first = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
    for i in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
        cell = np.int64(cells[i])
        order[np.int64(starts[cell]) + ranks[i]] = cell << POINT_BITS | i


@lru_cache
def build_divide(dtype: str, *, strict: bool) -> Any:
    """The kernel ``divide``; if ``strict`` by choices that hold for slopes too."""
    forwards = build_forwards(dtype, tame=False, strict=strict)

    @device
    def enter_axis(place, cell, step, shift, bits, at, steps, edges, values, v, lane):
        """The range of the lane's child along an axis, whose bits of a child start at ``shift``."""
        index = np.int64(0)
        for level in range(step, -1, -1):
            child = cell >> c.CHILD_BITS * level
            index = index << bits | bits_of(child >> shift, 0, bits)
        finer = bits * (steps - 1 - step)
        values[v + 2 * c.LANES * place + lane] = edges[at + (index << finer)]
        values[v + 2 * c.LANES * place + c.LANES + lane] = edges[at + (index + 1 << finer)]

    def divide(
        step, shortest, longest,
        control, edges, starts, constants, programs, items, values, words, leaf_items,
    ):  # fmt: skip
        """Step ``step`` for its regions whose programs have more than ``shortest`` records, and up
        to ``longest``, for which each block has room in ``values`` and ``words``. The last step
        fills ``leaf_items``."""
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        lane, warp = thread & 31, thread >> 5
        # one a line, since the simulator tells them apart by that
        offsets = cuda.shared.array(OFFSETS, np.int64)
        rooms = cuda.shared.array(ROOMS, np.int64)
        taken = cuda.shared.array(2, np.int64)
        marks = cuda.shared.array(MARKS, np.uint32)
        row, steps = c.HEAD + c.ROW * step, control[c.STEPS]
        is_last = step + 1 == steps
        x_bits, y_bits, z_bits = control[c.BITS_X], control[c.BITS_Y], control[c.BITS_Z]
        y_at, z_at = control[c.EDGES_Y], control[c.EDGES_Z]
        finer = c.CHILD_BITS * (steps - 1 - step)
        places = longest + INPUTS
        v = cuda.blockIdx.x * np.int64(2 * c.LANES) * places
        w = cuda.blockIdx.x * np.int64(c.WORKSPACE_WORDS) * (places + c.LANES)
        units = min(control[row + c.COUNT], control[row + c.CAPACITY]) * c.CELL_PARTS
        if control[row + c.LONGEST] <= shortest:
            units = np.int64(0)
        for unit in range(cuda.blockIdx.x, units, cuda.gridDim.x):
            item = control[row + c.ITEMS] + c.ITEM * (unit // c.CELL_PARTS)
            part = unit % c.CELL_PARTS
            asked, n = items[item + c.VALID + part], items[item + c.LENGTH]
            if asked == 0 or n <= shortest or n > longest:
                continue
            child = c.LANES * part + lane
            cell = items[item + c.COLUMN] << c.CHILD_BITS | child
            if warp == 0:
                has_points = starts[cell + 1 << finer] > starts[cell << finer]
                vote(marks, VALID_MARK, has_points and has(asked, lane), lane)
                enter_axis(0, cell, step, 0, x_bits, 0, steps, edges, values, v, lane)
                enter_axis(1, cell, step, x_bits, y_bits, y_at, steps, edges, values, v, lane)
                shift = x_bits + y_bits
                enter_axis(2, cell, step, shift, z_bits, z_at, steps, edges, values, v, lane)
                if lane < INPUTS:
                    words[w + lane] = 0
            cuda.syncthreads()
            valid = np.int64(marks[VALID_MARK])
            if valid == 0:
                cuda.syncthreads()  # the marks have been read
                continue
            at, waves = items[item + c.PROGRAM], items[item + c.WAVES]
            wave_count = items[item + c.WAVE_COUNT]
            forwards(programs, at, waves, wave_count, constants, values, v, words, w, places)
            entry = give_programs(
                control, row, items, item, part, programs, words, w, places, valid, is_last,
                cell, np.int64(0), thread, threads, offsets, rooms, taken, marks,
            )  # fmt: skip
            if is_last and entry >= 0:
                leaf_items[cell] = entry

    return divide


@device
def first_of(shortest, count, outside, control, starts):
    """The first point of this thread, or ``count`` if no program is so long."""
    row = c.HEAD + c.ROW * control[c.STEPS]
    if control[row + c.LONGEST] <= shortest and starts[outside] == count:
        return np.int64(count)
    return cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x


@lru_cache
def build_cell_values(dtype: str, *, is_long: bool) -> Any:
    """The kernels ``cell_values`` and ``cell_values_long``.

    They evaluate the points whose cell has a program of more than ``shortest`` records, up to
    ``longest``. The first keeps values in local memory; ``values`` has room for ``longest`` records
    in each block of the other.
    """
    evaluate, element = value_interpreter(dtype, INPUTS), np.dtype(dtype).type

    @device
    def run(
        word, shortest, longest, leaf_items, items, constants, programs, x, y, z,
        values, base, stride, out,
    ):  # fmt: skip
        """The value of a sorted point."""
        item = np.int64(leaf_items[word >> POINT_BITS])
        if item >= 0:
            n, i = items[item + c.LENGTH], word & POINT_MASK
            if shortest < n <= longest:
                values[base] = x[i]
                values[base + stride] = y[i]
                values[base + 2 * stride] = z[i]
                at = items[item + c.PROGRAM]
                evaluate(programs, at, n, constants, values, base, stride)
                out[i] = values[base + stride * items[item + c.RESULT]]

    def cell_values(
        shortest, longest, count, outside,
        control, starts, order, leaf_items, items, constants, programs, x, y, z, out,
    ):  # fmt: skip
        values = cuda.local.array(LOCAL_PLACES, element)
        first = first_of(shortest, count, outside, control, starts)
        for k in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
            run(
                order[k], shortest, longest, leaf_items, items, constants, programs, x, y, z,
                values, 0, 1, out,
            )  # fmt: skip

    def cell_values_long(
        shortest, longest, count, outside,
        control, starts, order, leaf_items, items, constants, programs, x, y, z, out, values,
    ):  # fmt: skip
        stride = np.int64(cuda.blockDim.x)
        base = cuda.blockIdx.x * stride * (longest + INPUTS) + cuda.threadIdx.x
        first = first_of(shortest, count, outside, control, starts)
        for k in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
            run(
                order[k], shortest, longest, leaf_items, items, constants, programs, x, y, z,
                values, base, stride, out,
            )  # fmt: skip

    return cell_values_long if is_long else cell_values


@lru_cache
def build_cell_duals(dtype: str) -> Any:
    """The kernel ``cell_duals``: the same over duals, after cells of ``divide_strict``.

    See ``points.dual_ends`` for what it writes; ``x_along`` and the others are bits of directions.
    """
    evaluate, (enter_dual, write_dual) = dual_interpreter(dtype, INPUTS), dual_ends(dtype)

    def cell_duals(
        shortest, longest, count, outside,
        control, starts, order, leaf_items, items, constants, programs, x, y, z, out, values,
        marks, start, total, row_0, row_1, row_2, x_along, y_along, z_along,
    ):  # fmt: skip
        stride = np.int64(cuda.blockDim.x)
        base = cuda.blockIdx.x * stride * (DUAL_PARTS * (longest + INPUTS)) + cuda.threadIdx.x
        first = first_of(shortest, count, outside, control, starts)
        for k in range(first, count, cuda.gridDim.x * cuda.blockDim.x):
            word = order[k]
            item = np.int64(leaf_items[word >> POINT_BITS])
            if item >= 0:
                n, i = items[item + c.LENGTH], word & POINT_MASK
                if shortest < n <= longest:
                    enter_dual(x[i], x_along, values, base, stride)
                    enter_dual(y[i], y_along, values, base + stride * DUAL_PARTS, stride)
                    enter_dual(z[i], z_along, values, base + stride * (2 * DUAL_PARTS), stride)
                    at, result = items[item + c.PROGRAM], items[item + c.RESULT]
                    jumps = evaluate(programs, at, n, constants, values, base, stride)
                    write_dual(
                        values, base + stride * (DUAL_PARTS * result), stride, jumps, out, marks,
                        start + i, total, row_0, row_1, row_2,
                    )  # fmt: skip

    return cell_duals
