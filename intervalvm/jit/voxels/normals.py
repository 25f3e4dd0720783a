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
BANDS = 4
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
    blocks = min(-(-lines // (BANDS * threads)), BAND_PX // columns) // h.BLOCK
    height = max(1, blocks) * h.BLOCK
    bands = list(pairwise([*range(0, lines, height), lines]))
    todo, kinks = list(reversed(bands)), list[_Hits]()

    # it owns what contexts point to: a thread may draw on after an exception of the caller's
    def turn(place: _Place) -> bool:
        try:
            band = todo.pop()
        except IndexError:
            return False
        place.enter(frame, found, near)
        kinks.extend(place.draw(band, evaluator, free))
        return True

    def report() -> None:
        if progress is not None:
            progress(len(bands) - len(todo), len(bands))

    room = min(height, lines) * columns
    places = [_Place(room, evaluator.dtype) for _ in range(min(threads, len(bands)))]
    thread_pool.share(turn, places, report)
    if kinks:
        order, *points = (np.concatenate(parts) for parts in zip(*kinks, strict=True))
        places[0].spread(order, evaluator.gradients([*points, *free], tuple(AXES)))
    return found


_Hits = tuple[NDArray[Any], ...]
"""Pixels int32[n] and their voxels' coordinates x, y, z."""


class _Place:
    """A thread's memory for the hits of a band of up to ``room`` pixels, and the kernel's context.

    Where branches meet, gradients are settled for all bands at once: for a few it takes as long.
    """

    def __init__(self, room: int, dtype: np.dtype[Any]) -> None:
        self.points = np.empty((v.ROWS, room + GROUP), dtype)
        self.order = np.empty(room, np.int32)
        self.gradients = np.empty((1 + v.AXES) * room, dtype)
        self.starts = np.array(list(map(address_of, self.points)), np.int64)
        self.context = context = np.zeros(h.FIELDS, np.int64)
        context[h.COORDINATES], context[h.ORDER] = map(address_of, (self.starts, self.order))
        self.kernel = native.kernel("hits", DTYPE_NAMES[dtype])

    def enter(self, frame: Frame, found: NDArray[np.float32], near: NDArray[np.float64]) -> None:
        """Make a frame that of the context."""
        self.context[: v.FRAME_END] = frame.words
        self.context[h.NORMALS], self.context[h.NEAR] = address_of(found), address_of(near)

    def draw(
        self, band: tuple[int, int], evaluator: CompiledEvaluator, free: Sequence[NDArray[Any]]
    ) -> list[_Hits]:
        """Write the normals of the lines of a band; returns the hits where branches meet."""
        self.context[[h.TASK, h.LINES_FROM, h.LINES_TO]] = h.COLLECT, *band
        count = self.kernel(address_of(self.context))
        if not count:
            return []
        points = [row[:count] for row in self.points[: v.AXES]]
        gradients = self.gradients[: (1 + v.AXES) * count].reshape(-1, count)
        kinks, jumps = evaluator.slopes([*points, *free], tuple(AXES), gradients, is_sorted=True)
        self.spread(self.order[:count], gradients)
        unsettled = kinks | jumps
        if not unsettled.any():
            return []
        return [(self.order[:count][unsettled], *(row[unsettled] for row in points))]

    def spread(self, order: NDArray[np.int32], gradients: NDArray[Any]) -> None:
        """Write normals from gradients to their pixels."""
        self.context[[h.TASK, h.COUNT]] = h.SPREAD, len(order)
        self.context[h.ORDER], self.context[h.GRADIENTS] = map(address_of, (order, gradients))
        self.kernel(address_of(self.context))
