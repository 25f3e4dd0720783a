"""Outlines from many threads at once: a pass reads nothing that was freed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import intervalvm as ivm
from intervalvm.shapes import circle, rectangle


def test_many_callers_find_the_same_curves() -> None:
    shape = rectangle(1.3, 0.9) - circle(0.4)
    alone = ivm.contour(shape, tolerance=1e-4)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ivm.contour(shape, tolerance=1e-4), range(24)))
    for outline in found:
        for curve, expected in zip(outline, alone, strict=True):
            np.testing.assert_array_equal(curve, expected)
