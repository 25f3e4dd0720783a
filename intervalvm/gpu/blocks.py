"""The kernels of the leaf batches: 16 x 16 threads evaluate a block of pixels by its own program.

All threads of a block read the same record at once and take the same arm of it, so they never part.
A thread keeps the value of each place (see ``compiler.program``) of its own pixel: in memory of its
own where a program is short, which nearly all are, else in a column of an array in the device's
memory. Terms of one axis have a value a thread, not one a row or column: it costs a GPU nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.gpu.leaves import interpreter
from intervalvm.gpu.target import WARP, device, vote
from intervalvm.render import context as c

SIDE = c.BLOCK_PX
POINTS = SIDE * SIDE
WORDS = RECORD_BYTES // 4
LOCAL_PLACES = 64
"""Places that a thread has memory of its own for."""
FIRST, LENGTH, RESULT = c.BLOCK_FIRST, c.BLOCK_LENGTH, c.BLOCK_RESULT
LEFT, TOP = c.BLOCK_LEFT, c.BLOCK_TOP


def source(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """A kernel as a Python function.

    It takes int32 ``blocks`` (see ``render.context``), flat uint32 ``records``, the pool of
    constants ``numbers``, which has two numbers at least, the coordinates ``x`` and ``y``, and
    writes flat ``results``: 8 words of bits a block, the lowest first, or 256 values. The kernel of
    short programs is launched with a block of threads for each of ``blocks``. That of long ones
    takes ``scratch`` too, where each of ``at_once`` blocks of threads has ``places`` times 256
    numbers; together they evaluate ``count`` of ``blocks``.
    """
    run, element = interpreter(dtype, tame=False), np.dtype(dtype).type

    @device
    def evaluate(values, base, stride, block, records, numbers, x, y):
        """The result of a block's program at this thread's pixel."""
        at_x, at_y = x[block[LEFT] + cuda.threadIdx.x], y[block[TOP] + cuda.threadIdx.y]
        first, length = WORDS * np.int64(block[FIRST]), np.int64(block[LENGTH])
        run(records, first, length, numbers, values, base, stride, at_x, at_y)
        return values[base + stride * np.int64(block[RESULT])]

    @device
    def keep_truth(results, i, value):
        thread = cuda.threadIdx.x + SIDE * cuda.threadIdx.y
        vote(results, i * (POINTS // WARP) + thread // WARP, value != 0, thread % WARP)

    @device
    def keep_value(results, i, value):
        results[i * POINTS + cuda.threadIdx.x + SIDE * cuda.threadIdx.y] = value

    keep = keep_truth if is_bitmap else keep_value

    def short_leaves(blocks, records, numbers, x, y, results):
        values = cuda.local.array(LOCAL_PLACES, element)
        i = np.int64(cuda.blockIdx.x)
        keep(results, i, evaluate(values, 0, 1, blocks[i], records, numbers, x, y))

    def long_leaves(blocks, records, numbers, x, y, results, scratch, count, at_once, places):
        thread = cuda.threadIdx.x + SIDE * cuda.threadIdx.y
        base = np.int64(cuda.blockIdx.x) * places * POINTS + thread
        for i in range(cuda.blockIdx.x, count, at_once):
            value = evaluate(scratch, base, POINTS, blocks[i], records, numbers, x, y)
            keep(results, np.int64(i), value)

    return long_leaves if is_long else short_leaves


@lru_cache
def kernel(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """A kernel, which numba compiles when it is first launched."""
    return cuda.jit(source(dtype, is_bitmap=is_bitmap, is_long=is_long))


def view(array: Any) -> Any:
    """A CuPy array as numba-cuda takes it; to make one takes longer than to launch a kernel."""
    return cuda.as_cuda_array(array, sync=False)


def stream_of(stream: Any) -> Any:
    """A stream of CuPy's as numba-cuda takes it."""
    return cuda.external_stream(stream.ptr)


def launch_short(dtype: str, is_bitmap: bool, count: int, stream: Any, arrays: Any) -> None:
    """Have ``count`` blocks evaluated whose programs have up to ``LOCAL_PLACES`` places.

    Arrays and streams are ``view``'s and ``stream_of``'s, ``arrays`` in the order of ``source``.
    """
    chosen = kernel(dtype, is_bitmap=is_bitmap, is_long=False)
    chosen[count, (SIDE, SIDE), stream](*arrays)


def launch_long(
    dtype: str, is_bitmap: bool, sizes: tuple[int, int, int], stream: Any, arrays: Any
) -> None:
    """The same for longer ones: ``sizes`` are count, at_once and places; scratch is the last."""
    count, at_once, places = sizes
    chosen = kernel(dtype, is_bitmap=is_bitmap, is_long=True)
    chosen[at_once, (SIDE, SIDE), stream](*arrays, count, at_once, places)
