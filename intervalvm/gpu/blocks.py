"""The kernels of the leaf batches: 256 threads evaluate a block of 16 x 16 pixels by its program.

All threads of a block read the same record and take the same arm, so they do not diverge. A thread
keeps the values of its pixel by place (see ``compiler.program``): in local memory for a short
program, as nearly all are, else in a column of an array in global memory. Terms of one axis are
computed by every thread, which is free on a GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from intervalvm.gpu.layout import WORDS
from intervalvm.gpu.leaves import interpreter
from intervalvm.gpu.target import WARP, device, vote
from intervalvm.jit import layout as c
from intervalvm.jit.layout import AREA, BLOCK

LOCAL_PLACES = 64
"""Places in a thread's local memory."""


def build(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """A kernel as a Python function; all its arrays are flat.

    It takes ``blocks`` (see ``jit.layout``), their ``records``, the pool of constants
    ``numbers``, which has one more than are used, the coordinates ``x`` and ``y``, and writes
    ``results``: 8 words of bits a block, the lowest first, or 256 values. The kernel of short
    programs is launched with a block of threads for each of ``blocks``. That of long ones takes
    ``scratch`` too, where each of ``at_once`` blocks of threads has ``places`` times 256 numbers;
    together they evaluate ``count`` of ``blocks``.
    """
    run, element = interpreter(dtype, tame=False), np.dtype(dtype).type

    @device
    def evaluate(values, base, stride, block, blocks, records, numbers, x, y):
        """The result of a block's program at this thread's pixel."""
        thread = cuda.threadIdx.x
        at_x = x[blocks[block + c.BLOCK_LEFT] + thread % BLOCK]
        at_y = y[blocks[block + c.BLOCK_TOP] + thread // BLOCK]
        first = WORDS * np.int64(blocks[block + c.BLOCK_FIRST])
        length = np.int64(blocks[block + c.BLOCK_LENGTH])
        run(records, first, length, numbers, values, base, stride, at_x, at_y)
        return values[base + stride * np.int64(blocks[block + c.BLOCK_RESULT])]

    @device
    def keep_truth(results, i, value):
        thread = cuda.threadIdx.x
        vote(results, i * (AREA // WARP) + thread // WARP, value != 0, thread % WARP)

    @device
    def keep_value(results, i, value):
        results[i * AREA + cuda.threadIdx.x] = value

    keep = keep_truth if is_bitmap else keep_value

    def short(blocks, records, numbers, x, y, results):
        values = cuda.local.array(LOCAL_PLACES, element)
        i = np.int64(cuda.blockIdx.x)
        keep(results, i, evaluate(values, 0, 1, c.BLOCK_WORDS * i, blocks, records, numbers, x, y))

    def long(blocks, records, numbers, x, y, results, scratch, count, at_once, places):
        base = np.int64(cuda.blockIdx.x) * places * AREA + cuda.threadIdx.x
        for i in range(np.int64(cuda.blockIdx.x), count, at_once):
            value = evaluate(scratch, base, AREA, c.BLOCK_WORDS * i, blocks, records, numbers, x, y)
            keep(results, i, value)

    return long if is_long else short
