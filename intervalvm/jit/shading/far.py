"""The pyramid of a picture: means of heights and of their squares, for occlusion from afar.

Its cells are 4 x 4 pixels. Level 0 has their means; each further level is filtered by the a-trous
kernel (1 2 1) x (1 2 1) / 16 with a step of 1, 2, 4, ... cells. Between the middles of cells values
are linear, so that those of a plane are what they are. Around the picture stand ``FAR_PAD`` cells
that are low.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.shading.floats import EIGHTH, FOUR, HALF, SIXTEENTH, Float, Floats
from intervalvm.jit.shading.layout import (
    FAR_LEVELS,
    FAR_PAD,
    FAR_ROWS,
    FAR_STRIDE,
    HEIGHT,
    LEFT,
    LOW,
    MIDDLE,
    RIGHT,
    WIDTH,
)


def make_pyramid(w: Any) -> None:
    """Make all levels, of the depth of a picture."""
    low, size = w.numbers[LOW], w.sizes[FAR_ROWS] * w.sizes[FAR_STRIDE]
    square = low * low
    for at in range(w.sizes[FAR_LEVELS] * size):
        w.far_heights[at] = low
        w.far_squares[at] = square
    pad = w.sizes[FAR_PAD]
    rows, columns = w.sizes[FAR_ROWS] - 2 * pad, w.sizes[FAR_STRIDE] - 2 * pad
    for row in range(rows):
        gather_row(w, row)
        at = (row + pad) * w.sizes[FAR_STRIDE] + pad
        join_columns(w.row, w.far_heights, at, columns)
        join_columns(w.row_2, w.far_squares, at, columns)
    for level in range(1, w.sizes[FAR_LEVELS]):
        step = 1 << (level - 1)
        for row in range(rows):
            at = level * size + (row + pad) * w.sizes[FAR_STRIDE] + pad
            filter_cells(w, w.far_heights, at - size, at, step, columns)
            filter_cells(w, w.far_squares, at - size, at, step, columns)


def gather_row(w: Any, row: int) -> None:
    """Sums over the four rows of pixels of a row of cells."""
    low, middle, width = w.numbers[LOW], w.numbers[MIDDLE], w.sizes[WIDTH]
    square = low * low
    for x in range(4 * (w.sizes[FAR_STRIDE] - 2 * w.sizes[FAR_PAD])):
        w.row[x] = FOUR * low
        w.row_2[x] = FOUR * square
    for y in range(4 * row, min(4 * row + 4, w.sizes[HEIGHT])):
        for x in range(width):
            depth = w.depth[y * width + x]
            height = Float(depth) - middle if depth > 0 else low
            w.row[x] += height - low
            w.row_2[x] += height * height - square


def join_columns(source: Floats, target: Floats, at: int, columns: int) -> None:
    """Means over four columns."""
    for x in range(columns):
        left, right = source[4 * x] + source[4 * x + 1], source[4 * x + 2] + source[4 * x + 3]
        target[at + x] = (left + right) * SIXTEENTH


def filter_cells(w: Any, cells: Floats, source: int, target: int, step: int, columns: int) -> None:
    """One row of a level, of those of the level before."""
    down = step * w.sizes[FAR_STRIDE]
    for x in range(-step, columns + step):
        here = cells[source + x]
        w.row[step + x] = (cells[source - down + x] + cells[source + down + x]) + (here + here)
    for x in range(columns):
        here = w.row[step + x]
        cells[target + x] = ((w.row[x] + w.row[2 * step + x]) + (here + here)) * SIXTEENTH


def refine_row(w: Any, level: int, y: int, to: int, reach: int) -> None:
    """Heights and squares at the pixels of a row, which may be outside of the picture.

    They stand from ``to`` on, the pixel of column x at 4 ``FAR_PAD`` - 2 + x: those in ``reach`` of
    the band's columns.
    """
    pad, stride = w.sizes[FAR_PAD], w.sizes[FAR_STRIDE]
    # the middle of the first row of cells is at row 1.5
    eighths = 2 * y - 3
    above = eighths >> 3
    part = Float(eighths - 8 * above) * EIGHTH
    at = level * w.sizes[FAR_ROWS] * stride + (above + pad) * stride
    first = (4 * pad - 2 + w.sizes[LEFT] - reach) >> 2
    last = ((4 * pad - 2 + w.sizes[RIGHT] + reach) >> 2) + 1
    refine(w.far_heights, w.row, w.fine_heights, at, stride, to, first, last, part)
    refine(w.far_squares, w.row, w.fine_squares, at, stride, to, first, last, part)


def refine(
    cells: Floats, row: Floats, target: Floats,
    at: int, stride: int, to: int, first: int, last: int, part: Float,
) -> None:  # fmt: skip
    """Four pixels a cell, from the middle of one to that of the next, between two rows of cells."""
    for x in range(first, last + 1):
        here = cells[at + x]
        row[x] = here + (cells[at + stride + x] - here) * part
    for x in range(first, last):
        here, half = row[x], (row[x + 1] - row[x]) * HALF
        quarter, eighth = half * HALF, half * HALF * HALF
        target[to + 4 * x] = here + eighth
        target[to + 4 * x + 1] = here + (quarter + eighth)
        target[to + 4 * x + 2] = here + (half + eighth)
        target[to + 4 * x + 3] = here + (half + (quarter + eighth))
