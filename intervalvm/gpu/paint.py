"""The kernel that fills proven tiles: each pixel finds its tile in the maps of verdicts.

The maps have a cell for each child of each step, written where a region was split. A pixel searches
from the first step down, so it reads no cell that is not written: below an ambiguous cell the next
step has one, any other cell ends the search. Pixels of leaves are skipped. So each pixel is written
once, in order, whatever the sizes of the tiles, and no list of tiles is kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.gpu import layout as c

ALL_INSIDE = 2**64 - 1
"""Eight pixels of 255."""


@lru_cache
def build() -> Any:
    """The kernel ``paint``, for bitmaps: of values every pixel is one of a leaf."""

    def paint(control, columns, rows, verdicts, image, runs):
        """``runs`` are the same bytes as ``image``, eight at a time.

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

    return paint
