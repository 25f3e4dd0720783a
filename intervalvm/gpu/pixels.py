"""The kernels of pixels, a thread each: leaves, proven tiles, and dense evaluation.

A leaf is a program at every pixel of a tile, in blocks of 16 x 16. The threads of a block read the
same record and take the same arm, so they do not diverge; each has its own values, by place (see
``compiler.program``). Terms of one axis are computed by every thread, which is free on a GPU.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import INPUTS, LEFT_PLACE, RIGHT_PLACE, THIRD_PLACE, VARIANT_MASK
from intervalvm.gpu import layout as c
from intervalvm.gpu.layout import LOCAL_PLACES
from intervalvm.gpu.rules import device_functions
from intervalvm.gpu.splits import edge
from intervalvm.gpu.target import WARP, device, vote
from intervalvm.jit import layout as host
from intervalvm.jit.layout import AREA, BLOCK

BLOCK_BITS = BLOCK.bit_length() - 1
ALL_INSIDE = 2**64 - 1
"""Eight pixels of 255."""


@lru_cache
def interpreter(dtype: str, *, tame: bool) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride, x, y): a program at a point.

    ``programs[at:]`` has ``count`` records of uint32. The value of place p, a truth as 1 or 0, is
    written to ``values[base + stride * p]``. ``constants`` has one number at least beyond the last
    that is used, since an operand that a record does not have is read too.
    """
    point = device_functions(dtype, tame=tame).point

    @device
    def evaluate(programs, at, count, constants, values, base, stride, x, y):
        values[base] = x
        values[base + stride] = y
        out = base + INPUTS * stride
        for i in range(count):
            record = at + c.WORDS * i
            first, left = np.int64(programs[record]), np.int64(programs[record + 1])
            right, third = np.int64(programs[record + 2]), np.int64(programs[record + 3])
            left_value = values[base + stride * left] if first & LEFT_PLACE else constants[left]
            right_value = values[base + stride * right] if first & RIGHT_PLACE else constants[right]
            third_value = values[base + stride * third] if first & THIRD_PLACE else constants[third]
            values[out] = point(first & VARIANT_MASK, left_value, right_value, third_value)
            out += stride

    return evaluate


def build_leaves(dtype: str, *, tame: bool, is_bitmap: bool) -> Any:
    """The kernel ``leaves``: the ambiguous regions of the last step, pixel by pixel."""
    evaluate = interpreter(dtype, tame=tame)

    def leaves(shortest, longest, control, coordinates, constants, programs, items, values, image):
        """For the leaves whose programs have more than ``shortest`` records, up to ``longest``.

        ``image`` has uint8, or the dtype; ``values`` room for ``longest`` records in each block.
        """
        thread = cuda.threadIdx.x
        row = c.HEAD + c.ROW * control[c.STEPS]
        width, height, level = control[c.WIDTH], control[c.HEIGHT], control[row + c.LEVEL]
        tiles_x = control[c.TILES_X]
        tiles = tiles_x * control[c.TILES_Y]
        stride = np.int64(AREA)
        base = cuda.blockIdx.x * stride * (longest + INPUTS) + thread
        units = min(control[row + c.COUNT], control[row + c.CAPACITY]) * tiles
        if control[row + c.LONGEST] <= shortest:
            units = np.int64(0)
        inside_px, evaluated_px = np.int64(0), np.int64(0)
        for unit in range(cuda.blockIdx.x, units, cuda.gridDim.x):
            item = control[row + c.ITEMS] + c.ITEM * (unit // tiles)
            n = items[item + c.LENGTH]
            if n <= shortest or n > longest:
                continue
            tile = unit % tiles
            column, line = items[item + c.COLUMN], items[item + c.LINE]
            x = edge(column, level, width) + BLOCK * (tile % tiles_x) + (thread & (BLOCK - 1))
            y = edge(line, level, height) + BLOCK * (tile // tiles_x) + (thread >> BLOCK_BITS)
            if x < edge(column + 1, level, width) and y < edge(line + 1, level, height):
                at = items[item + c.PROGRAM]
                evaluate(
                    programs, at, n, constants, values, base, stride,
                    coordinates[x], coordinates[control[c.Y] + y],
                )  # fmt: skip
                value = values[base + stride * items[item + c.RESULT]]
                if is_bitmap:
                    image[y * width + x] = 255 if value != 0 else 0
                    inside_px += 1 if value != 0 else 0
                else:
                    image[y * width + x] = value
                    inside_px += 1 if value < 0 else 0
                evaluated_px += 1
        if evaluated_px != 0:
            cuda.atomic.add(control, row + c.INSIDE_PX, inside_px)
            cuda.atomic.add(control, row + c.EVALUATED_PX, evaluated_px)

    return leaves


def build_batch(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """The kernels ``short`` and ``long`` of the leaf batches; all their arrays are flat.

    They take ``blocks`` (see ``jit.layout``), their ``records``, the pool of
    ``constants``, which has one more than are used, the coordinates ``x`` and ``y``, and write
    ``results``: 8 words of bits a block, the lowest first, or 256 values. ``short``
    is launched with a block of threads for each of ``blocks``, and keeps values in local memory.
    ``long`` takes ``scratch`` too, where each of ``at_once`` blocks of threads has ``places`` times
    256 numbers; together they evaluate ``count`` of ``blocks``.
    """
    run, element = interpreter(dtype, tame=False), np.dtype(dtype).type

    @device
    def evaluate(values, base, stride, i, blocks, records, constants, x, y):
        """The result of a block's program at this thread's pixel."""
        thread, block = cuda.threadIdx.x, host.BLOCK_WORDS * i
        at_x = x[blocks[block + host.BLOCK_LEFT] + thread % BLOCK]
        at_y = y[blocks[block + host.BLOCK_TOP] + thread // BLOCK]
        first = c.WORDS * np.int64(blocks[block + host.BLOCK_FIRST])
        length = np.int64(blocks[block + host.BLOCK_LENGTH])
        run(records, first, length, constants, values, base, stride, at_x, at_y)
        return values[base + stride * np.int64(blocks[block + host.BLOCK_RESULT])]

    @device
    def keep(results, i, value):
        thread = cuda.threadIdx.x
        if is_bitmap:
            vote(results, i * (AREA // WARP) + thread // WARP, value != 0, thread % WARP)
        else:
            results[i * AREA + thread] = value

    def short(blocks, records, constants, x, y, results):
        values = cuda.local.array(LOCAL_PLACES, element)
        i = np.int64(cuda.blockIdx.x)
        keep(results, i, evaluate(values, 0, 1, i, blocks, records, constants, x, y))

    def long(blocks, records, constants, x, y, results, scratch, count, at_once, places):
        base = np.int64(cuda.blockIdx.x) * places * AREA + cuda.threadIdx.x
        for i in range(np.int64(cuda.blockIdx.x), count, at_once):
            value = evaluate(scratch, base, AREA, i, blocks, records, constants, x, y)
            keep(results, i, value)

    return long if is_long else short


def paint(control, columns, rows, verdicts, image, runs):
    """The kernel that fills proven tiles: each pixel finds its tile in the maps of verdicts.

    The maps have a cell for each child of each step, written where a region was split. A pixel
    searches from the first step down, so it reads no cell that is not written: below an ambiguous
    cell the next step has one, any other cell ends the search. Pixels of leaves are skipped. So
    each pixel is written once, in order, whatever the sizes of the tiles, and no list of tiles is
    kept. For bitmaps: of values every pixel is one of a leaf.

    ``runs`` are the same bytes as ``image``, eight at a time.
    ``columns[s * width + x]`` and ``rows[s * height + y]`` are the cells of pixels in step s.
    """
    width, height, steps = control[c.WIDTH], control[c.HEIGHT], control[c.STEPS]
    per_row = (width + c.RUN - 1) // c.RUN
    is_whole = width % c.RUN == 0
    first = cuda.blockIdx.x * np.int64(cuda.blockDim.x) + cuda.threadIdx.x
    for run in range(first, per_row * height, cuda.gridDim.x * cuda.blockDim.x):
        y, x = run // per_row, c.RUN * (run % per_row)
        last = min(x + c.RUN, width) - 1
        while x <= last:
            # the pixels from x on in one cell
            verdict, end = np.int64(c.AMBIGUOUS_CELL), x
            for step in range(steps):
                row = c.HEAD + c.ROW * step
                column = columns[step * width + x]
                line = np.int64(rows[step * height + y]) << control[row + c.LEVEL]
                verdict = np.int64(verdicts[control[row + c.VERDICTS] + line + column])
                if verdict != c.AMBIGUOUS_CELL or step == steps - 1:
                    while end < last and columns[step * width + end + 1] == column:
                        end += 1
                    break
            if verdict != c.AMBIGUOUS_CELL:
                is_inside = verdict == c.INSIDE_CELL
                if is_whole and end - x == c.RUN - 1:
                    runs[run] = np.uint64(ALL_INSIDE) if is_inside else np.uint64(0)
                else:
                    for pixel in range(x, end + 1):
                        image[y * width + pixel] = 255 if is_inside else 0
            x = end + 1


def build_clause(dtype: str) -> Any:
    """The kernel ``clause``: each thread computes the operation ``variant`` once.

    A stride is 1, or 0 where the operand is one number. An operation of one operand takes ``a``.
    """
    point = device_functions(dtype, tame=False).point

    def clause(variant, count, out, a, a_stride, b, b_stride):
        i = np.int64(cuda.blockIdx.x) * c.THREADS + cuda.threadIdx.x
        if i < count:
            right = b[i * b_stride]
            out[i] = point(variant, a[i * a_stride], right, right)

    return clause


def inside(count, values, image):
    """The kernel of a bitmap: 255 where a value is below 0, else 0."""
    i = np.int64(cuda.blockIdx.x) * c.THREADS + cuda.threadIdx.x
    if i < count:
        image[i] = 255 if values[i] < 0 else 0


def convert(count, out, other):
    """The kernel of conversions: float32 as float64, or float64 rounded to float32."""
    i = np.int64(cuda.blockIdx.x) * c.THREADS + cuda.threadIdx.x
    if i < count:
        out[i] = other[i]
