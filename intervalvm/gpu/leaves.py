"""The leaves: a program at every pixel of a tile, one thread a pixel.

A block takes 16 x 16 pixels. Its threads read the same records and have their own values, so no
thread waits for another.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    VARIANT_MASK,
)
from intervalvm.gpu import layout as c
from intervalvm.gpu.rules import rules
from intervalvm.gpu.splits import edge
from intervalvm.gpu.target import device
from intervalvm.jit.layout import AREA, BLOCK

BLOCK_BITS = BLOCK.bit_length() - 1


@lru_cache
def interpreter(dtype: str, *, tame: bool) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride, x, y): a program at a point.

    ``programs[at:]`` has ``count`` records of uint32. The value of place p, a truth as 1 or 0, is
    written to ``values[base + stride * p]``. ``constants`` has one number at least beyond the last
    that is used, since an operand that a record does not have is read too.
    """
    point = rules(dtype, tame=tame).point

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


@lru_cache
def build(dtype: str, *, tame: bool, is_bitmap: bool) -> Any:
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
