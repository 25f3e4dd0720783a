"""The kernel of the leaf batches: 16 x 16 threads evaluate a block of pixels by its own program.

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

from intervalvm.compiler.program import (
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    VARIANT_BITS,
)
from intervalvm.gpu.rules import rules
from intervalvm.gpu.target import device, vote
from intervalvm.render import context as c

SIDE = c.BLOCK_PX
POINTS = SIDE * SIDE
WARP = 32
LOCAL_PLACES = 64
"""Places that a thread has memory of its own for."""
VARIANT = (1 << VARIANT_BITS) - 1
FIRST, LENGTH, RESULT, LEFT, TOP = (
    c.BLOCK_FIRST,
    c.BLOCK_LENGTH,
    c.BLOCK_RESULT,
    c.BLOCK_LEFT,
    c.BLOCK_TOP,
)


@device
def operand(values: Any, base: int, step: int, numbers: Any, is_place: int, at: int) -> Any:
    """The value at a place of this thread, or a constant."""
    if is_place:
        return values[base + at * step]
    return numbers[at]


def source(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """The kernel as a Python function.

    It takes int32 ``blocks``, uint32 ``records``, the coordinates ``x`` and ``y`` and the pool of
    constants ``numbers``, which has two numbers at least; ``scratch`` for ``at_once`` blocks of
    ``places`` values a thread, where ``is_long``; ``results``, flat: 8 words of bits a block, the
    first of each being that of the lowest bit, or 256 values. ``count`` blocks are evaluated by
    ``at_once`` blocks of threads.
    """
    point = rules(dtype, tame=False).point
    element = np.dtype(dtype).type

    @device
    def evaluate(
        values: Any, base: int, step: int, block: Any, records: Any, x: Any, y: Any, numbers: Any
    ) -> Any:
        """The result of a block's program at this thread's pixel."""
        values[base] = x[block[LEFT] + cuda.threadIdx.x]
        values[base + step] = y[block[TOP] + cuda.threadIdx.y]
        for i in range(block[LENGTH]):
            record = records[block[FIRST] + i]
            flags = np.int64(record[0])
            a = operand(values, base, step, numbers, flags & LEFT_PLACE, np.int64(record[1]))
            b = operand(values, base, step, numbers, flags & RIGHT_PLACE, np.int64(record[2]))
            third = operand(values, base, step, numbers, flags & THIRD_PLACE, np.int64(record[3]))
            values[base + (i + INPUTS) * step] = point(flags & VARIANT, a, b, third)
        return values[base + block[RESULT] * step]

    @device
    def keep(results: Any, i: int, value: Any) -> None:
        thread = cuda.threadIdx.x + SIDE * cuda.threadIdx.y
        vote(results, i * (POINTS // WARP) + thread // WARP, value != 0, thread % WARP)

    @device
    def keep_value(results: Any, i: int, value: Any) -> None:
        results[i * POINTS + cuda.threadIdx.x + SIDE * cuda.threadIdx.y] = value

    write = keep if is_bitmap else keep_value

    def short_leaves(
        blocks: Any,
        records: Any,
        numbers: Any,
        x: Any,
        y: Any,
        scratch: Any,
        results: Any,
        count: int,
        at_once: int,
        places: int,
    ) -> None:
        values = cuda.local.array(LOCAL_PLACES, element)
        i = cuda.blockIdx.x
        write(results, i, evaluate(values, 0, 1, blocks[i], records, x, y, numbers))

    def long_leaves(
        blocks: Any,
        records: Any,
        numbers: Any,
        x: Any,
        y: Any,
        scratch: Any,
        results: Any,
        count: int,
        at_once: int,
        places: int,
    ) -> None:
        thread = cuda.threadIdx.x + SIDE * cuda.threadIdx.y
        base = cuda.blockIdx.x * places * POINTS + thread
        for i in range(cuda.blockIdx.x, count, at_once):
            write(results, i, evaluate(scratch, base, POINTS, blocks[i], records, x, y, numbers))

    return long_leaves if is_long else short_leaves


@lru_cache
def kernel(dtype: str, *, is_bitmap: bool, is_long: bool) -> Any:
    """The kernel, which numba compiles when it is first launched."""
    return cuda.jit(source(dtype, is_bitmap=is_bitmap, is_long=is_long))


def view(array: Any) -> Any:
    """A CuPy array as numba-cuda takes it; to make one takes longer than to launch a kernel."""
    return cuda.as_cuda_array(array, sync=False)


def stream_of(stream: Any) -> Any:
    """A stream of CuPy's as numba-cuda takes it."""
    return cuda.external_stream(stream.ptr)


def launch(
    dtype: str, is_bitmap: bool, stream: Any, sizes: tuple[int, int, int], arrays: tuple[Any, ...]
) -> None:
    """Have a batch evaluated: ``sizes`` are count, at_once and places, ``arrays`` the rest.

    Streams and arrays are ``stream_of``'s and ``view``'s.
    """
    count, at_once, places = sizes
    chosen = kernel(dtype, is_bitmap=is_bitmap, is_long=places > LOCAL_PLACES)
    chosen[at_once, (SIDE, SIDE), stream](*arrays, count, at_once, places)
