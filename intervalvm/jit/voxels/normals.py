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
from intervalvm.jit.thread_pool import Work
from intervalvm.jit.voxels import hits as h
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

    def turn(place: _Place) -> bool:
        try:
            first, end = todo.pop()
        except IndexError:
            return False
        _band(kernel, place.context, evaluator, free, found, (first, end))
        return True

    places = [_Place(frame, found, near) for _ in range(min(threads, len(bands)))]
    caller, *others = places
    work = Work(turn, others, lambda _: None)
    with work.under_way:
        running = thread_pool.current().call(work, len(others)) if others else []
        while turn(caller):
            if progress is not None:
                progress(len(bands) - len(todo), len(bands))
        work.wait(work.close(), running)
    return found


class _Place:
    """The context of a thread, and what it points to: a thread may outlive an interrupted call."""

    def __init__(self, frame: Frame, found: NDArray[np.float32], near: NDArray[np.float64]) -> None:
        self.memory = frame, found, near
        self.context = context = np.zeros(h.FIELDS, np.int64)
        context[: v.FRAME_END] = frame.words
        context[h.NORMALS], context[h.NEAR] = address_of(found), address_of(near)


def _band(
    kernel: native.Kernel,
    context: NDArray[np.int64],
    evaluator: CompiledEvaluator,
    free: Sequence[NDArray[Any]],
    found: NDArray[np.float32],
    band: tuple[int, int],
) -> None:
    """Write the normals of the lines of a band."""
    room = (band[1] - band[0]) * found.shape[1]
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
