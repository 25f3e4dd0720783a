"""The normals of a depth picture: the gradients at its voxels, band by band, on threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.jit import native, thread_pool
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.jit.request import GROUP
from intervalvm.jit.voxels import hits_layout as h
from intervalvm.jit.voxels import layout as v
from intervalvm.jit.voxels.walk import Frame
from intervalvm.memory import address_of
from intervalvm.ops import AXES

BAND_PX = 1 << 19
"""The most pixels of a band, if that is more than a block of lines: memory for its hits."""
BANDS = 2
"""Bands a thread."""


def normals(
    frame: Frame,
    evaluator: CompiledEvaluator,
    free: Sequence[NDArray[Any]],
    near: NDArray[np.float64],
    *,
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """The unit normal of each pixel, float32[lines, columns, 3], 0 where there is none.

    ``evaluator`` has the inputs x, y, z and then free variables, whose values are ``free``. Voxels
    of the nearest layer have the normal ``near``.
    """
    lines, columns = frame.pixels.shape
    found = np.zeros((lines, columns, v.AXES), np.float32)
    kernel = native.kernel("hits", DTYPE_NAMES[evaluator.dtype])
    blocks = min(-(-lines // (BANDS * threads)), BAND_PX // columns) // h.BLOCK
    height = max(1, blocks) * h.BLOCK
    bands = list(pairwise([*range(0, lines, height), lines]))
    todo = list(reversed(bands))

    # it owns what contexts point to: a thread may draw on after an exception of the caller's
    def turn(context: NDArray[np.int64]) -> bool:
        try:
            band = todo.pop()
        except IndexError:
            return False
        context[: v.FRAME_END] = frame.words
        context[h.NORMALS], context[h.NEAR] = address_of(found), address_of(near)
        _band(kernel, context, evaluator, free, columns, band)
        return True

    def report() -> None:
        if progress is not None:
            progress(len(bands) - len(todo), len(bands))

    contexts = np.zeros((min(threads, len(bands)), h.FIELDS), np.int64)
    thread_pool.share(turn, list(contexts), report)
    return found


def _band(
    kernel: native.Kernel,
    context: NDArray[np.int64],
    evaluator: CompiledEvaluator,
    free: Sequence[NDArray[Any]],
    columns: int,
    band: tuple[int, int],
) -> None:
    """Write the normals of the lines of a band."""
    room = (band[1] - band[0]) * columns
    points = np.empty((v.ROWS, room + GROUP), evaluator.dtype)
    order = np.empty(room, np.int32)
    starts = np.array(list(map(address_of, points)), np.int64)
    context[[h.TASK, h.LINES_FROM, h.LINES_TO]] = h.COLLECT, *band
    context[h.COORDINATES], context[h.ORDER] = address_of(starts), address_of(order)
    count = kernel(address_of(context))
    if count:
        inputs = [*(row[:count] for row in points[: v.AXES]), *free]
        gradients = evaluator.gradients(inputs, tuple(AXES), is_sorted=True)
        context[[h.TASK, h.COUNT]] = h.SPREAD, count
        context[h.GRADIENTS] = address_of(gradients)
        kernel(address_of(context))
