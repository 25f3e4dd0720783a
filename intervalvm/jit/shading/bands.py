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
from intervalvm.jit.thread_pool import Work
from intervalvm.memory import address_of

BAND = 128
"""Rows, at most."""
LEAST_RING, MOST_RINGS = 2.5, 6
"""The least radius of a ring in pixels: nearer, whole voxels hide nothing; the most of them."""
OUTERMOST = 0.75
"""The radius of the last ring, of that of the occlusion: beyond, taps count for little."""

Arrays = Mapping[str, "NDArray[Any]"]


class Rings(NamedTuple):
    """Where the heights around a pixel are looked up: see ``occlusion``."""

    rings: NDArray[np.int64]
    reach: int
    """Rows and columns around a pixel that it depends on."""


def rings_of(radius: float) -> Rings:
    """The rings of an occlusion with a radius in pixels.

    Radii are geometric. Rings have taps along the axes and along the diagonals by turns, so that
    the occlusion of a mirrored picture is mirrored.
    """
    last = radius * OUTERMOST
    count = 0 if last < LEAST_RING else min(MOST_RINGS, 2 + int(math.log2(last / LEAST_RING)))
    rings: list[tuple[int, int, int, int]] = []
    halo = wider = 0
    for k in reversed(range(count)):
        length = last * (LEAST_RING / last) ** (1 - k / (count - 1))
        # as wide as taps are apart
        filters = int(math.log2(length))
        x, y = (round(length), 0) if k % 2 else (round(length * math.sqrt(0.5)),) * 2
        halo += sum(1 << level for level in range(filters, wider))
        halo, wider = max(halo, abs(x), abs(y)), filters
        rings.insert(0, (filters, halo, x, y))
    reach = halo + sum(1 << level for level in range(wider))
    return Rings(np.array(rings, np.int64).reshape(-1, c.RING), reach)


class _Place:
    """The memory of a thread."""

    def __init__(self, arrays: Arrays) -> None:
        own = self.sizes = arrays["sizes"].copy()
        rows, stride, margin = int(own[c.LAST]), int(own[c.STRIDE]), int(own[c.MARGIN])
        around, near = rows + 2 * int(own[c.REACH]), rows + 2 * margin
        lengths = dict.fromkeys(("heights", "squares", "heights_2", "squares_2"), around * stride)
        lengths |= dict.fromkeys(("raw_x", "raw_y", "raw_z"), near * stride)
        lengths |= dict.fromkeys(("x", "y", "z", "hidden", "line"), rows * stride)
        lengths |= {
            "light": 3 * stride,
            "shine": stride,
            "lit": stride,
            "row": stride,
            "bytes": 3 * stride,
        }
        given = {**arrays, "sizes": own}
        self.arrays = [
            given[name] if name in given else np.empty(lengths[name], dtype)
            for name, dtype in c.FIELDS.items()
        ]
        self.addresses = np.array([address_of(array) for array in self.arrays], np.int64)
        self.address = address_of(self.addresses)


def run(arrays: Arrays, *, threads: int, band: int = BAND, in_python: bool = False) -> None:
    """Shade a picture: fill ``out`` from the arrays of ``layout.FIELDS`` that are not scratch.

    ``sizes`` need not have the band, which is of ``band`` rows. ``in_python`` runs the source.
    """
    sizes = arrays["sizes"].copy()
    height = int(sizes[c.HEIGHT])
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
    caller, *others = places
    work = Work(turn, others, lambda _: None)
    with work.under_way:
        called = thread_pool.current().call(work, len(others)) if others else []
        while turn(caller):
            pass
        work.wait(work.close(), called)


def _compiled() -> Callable[[_Place], object]:
    kernel = native.kernel(PASS.name, "float32")
    return lambda place: kernel(place.address)


def _in_python(place: _Place) -> None:
    with np.errstate(all="ignore"):
        PASS.function(PASS.work(*place.arrays))
