"""Shades a picture band by band, by the kernel on a thread pool or by Python.

A band needs nothing of another, so bytes do not depend on threads. Its scratch memory is that of
its thread, and does not grow with the height of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit import native, thread_pool
from intervalvm.jit.shading import layout as c
from intervalvm.jit.shading.band import PASS
from intervalvm.memory import address_of, aligned

LEAST_BAND, BAND = 16, 64
"""Rows of a band: many enough to hide what is done again for those around it, few for the cache."""
LEAST_RING, MOST_RINGS = 2.5, 6
"""The least radius of a ring in pixels: nearer, whole voxels hide nothing; the most of them."""
MOST_FILTERS, CELL = 2, 4
"""The most filters of full resolution: the next level is that of cells, once filtered."""
LINE = 16
"""Floats of a line of a cache."""
OUTERMOST = 0.75
"""The radius of the last ring, of that of the occlusion: beyond, taps count for little."""

Arrays = Mapping[str, "NDArray[Any]"]


def in_lines(count: int) -> int:
    """At least ``count`` floats that fill lines of a cache, so that rows begin with one."""
    return -(-count // LINE) * LINE


class Rings(NamedTuple):
    """Where the heights around a pixel are looked up: see ``occlusion``."""

    rings: NDArray[np.int64]
    reach: int
    """Rows and columns around a pixel whose heights it uses."""
    far_levels: int
    """Levels of the pyramid."""
    far_pad: int
    """Cells that stand around it."""


def rings_of(radius: float) -> Rings:
    """The rings of an occlusion with a radius in pixels.

    Radii are geometric. Rings have taps along the axes and along the diagonals by turns, so that
    the occlusion of a mirrored picture is mirrored.
    """
    last = radius * OUTERMOST
    count = 0 if last < LEAST_RING else min(MOST_RINGS, 2 + int(math.log2(last / LEAST_RING)))
    rings: list[tuple[int, int, int, int, int]] = []
    reach = wider = far_levels = far_pad = 0
    for k in reversed(range(count)):
        length = last * (LEAST_RING / last) ** (1 - k / (count - 1))
        x, y = (round(length), 0) if k % 2 else (round(length * math.sqrt(0.5)),) * 2
        filters = int(math.log2(length))  # as wide as taps are apart
        if filters > MOST_FILTERS:
            level = filters - MOST_FILTERS
            far_levels = max(far_levels, level + 1)
            far_pad = max(far_pad, x // CELL + 3, 1 << level)
            rings.insert(0, (level, True, 0, x, y))
            continue
        reach += sum(1 << level for level in range(filters, wider))
        reach, wider = max(reach, x), filters
        rings.insert(0, (filters, False, reach, x, y))
    reach += sum(1 << level for level in range(wider))
    return Rings(np.array(rings, np.int64).reshape(-1, c.RING), reach, far_levels, far_pad)


class _Place:
    """The memory of a thread."""

    def __init__(self, arrays: Arrays) -> None:
        own = self.sizes = arrays["sizes"].copy()
        rows, stride, margin = (int(own[field]) for field in (c.LAST, c.STRIDE, c.MARGIN))
        around, near = rows + 2 * int(own[c.REACH]), rows + 2 * margin
        cells = CELL * int(own[c.FAR_STRIDE])
        row = max(stride, cells)
        lengths = {
            **dict.fromkeys(("heights", "squares", "heights_2", "squares_2"), around * stride),
            **dict.fromkeys(("raw_x", "raw_y", "raw_z"), near * stride),
            **dict.fromkeys(("x", "y", "z", "hidden", "line"), rows * stride),
            **dict.fromkeys(("row", "row_2", "shine", "lit"), row),
            **dict.fromkeys(("light", "bytes"), 3 * stride),
            **dict.fromkeys(("fine_heights", "fine_squares"), 3 * cells),
        }
        given = {**arrays, "sizes": own}
        scratch = aligned(sum(4 * in_lines(length) for length in lengths.values()))
        self.arrays, at = [], 0
        for name, dtype in c.FIELDS.items():
            if name not in given:
                length = lengths[name]
                given[name] = scratch[at : at + 4 * length].view(dtype)[:length]
                at += 4 * in_lines(length)
            self.arrays.append(given[name])
        self.addresses = np.array([address_of(array) for array in self.arrays], np.int64)
        self.address = address_of(self.addresses)


def run(arrays: Arrays, *, threads: int, band: int | None = None, in_python: bool = False) -> None:
    """Shade a picture: fill ``out`` from the arrays of ``layout.FIELDS`` that are not scratch.

    ``sizes`` need not have the band, which is of ``band`` rows. ``in_python`` runs the source.
    """
    sizes = arrays["sizes"].copy()
    height = int(sizes[c.HEIGHT])
    if band is None:  # two each: threads are not equally fast, nor are bands
        band = max(LEAST_BAND, min(BAND, -(-height // (2 * threads))))
    sizes[c.FIRST], sizes[c.LAST] = 0, min(band, height)
    bands, shade = count(), _in_python if in_python else _compiled()

    def turn(place: _Place) -> bool:
        first = next(bands) * band
        if first >= height:
            return False
        place.sizes[c.FIRST], place.sizes[c.LAST] = first, min(first + band, height)
        shade(place)
        return True

    places = [_Place({**arrays, "sizes": sizes}) for _ in range(min(threads, -(-height // band)))]
    if sizes[c.FAR_LEVELS]:
        places[0].sizes[c.STAGE] = c.PYRAMID
        shade(places[0])
    for place in places:
        place.sizes[c.STAGE] = c.BAND
    thread_pool.share(turn, places)


def _compiled() -> Callable[[_Place], object]:
    kernel = native.kernel(PASS.name, "float32")
    return lambda place: kernel(place.address)


def _in_python(place: _Place) -> None:
    with np.errstate(all="ignore"):
        PASS.function(PASS.work(*place.arrays))
