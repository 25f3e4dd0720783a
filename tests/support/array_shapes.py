"""Shapes of arrays that broadcast, for evaluators."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (0,), (2, 3), (2, 1), (3, 2, 3)]
"""Each broadcasts with some of the others."""


def fitting(whole: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    """Those of ``SHAPES`` that broadcast to ``whole``, which is one of them."""
    return st.sampled_from([shape for shape in SHAPES if _fits(shape, whole)])


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False
