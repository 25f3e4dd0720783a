"""Bounds of derivatives over boxes: no derivative and no difference quotient escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.boxes import float_at, interval_of, place, ranges
from support.operations import DTYPES, OPERATIONS, tape_of
from support.strategies import tapes

from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

if TYPE_CHECKING:
    pass

BY = ("x", "y")


def inside(side: Any, part: int, dtype: str) -> float:
    """A float between the ends, which are left out where there is any between them."""
    first, last = place(side.low, dtype), place(side.high, dtype)
    if last - first < 2:
        return side.low
    return float_at(first + 1 + part % (last - first - 1), dtype)


@pytest.mark.parametrize("meaning", Meaning)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_slopes_enclose_all_gradients(dtype: str, meaning: Meaning, data: st.DataObject) -> None:
    tape = data.draw(st.sampled_from(OPERATIONS).map(tape_of) | tapes(max_clauses=15))
    x, y = (data.draw(ranges(dtype, nan=False)) for _ in BY)
    places = data.draw(st.lists(st.tuples(*[st.integers(0, 2**64)] * 2), min_size=8, max_size=8))
    points = [
        np.array([inside(side, part, dtype) for part in parts], dtype)
        for side, parts in zip((x, y), zip(*places, strict=True), strict=True)
    ]
    evaluator = NumpyEvaluator(tape, (*BY, "z"), np.dtype(dtype), meaning)
    sides = [interval_of([side], dtype) for side in (x, y)]
    zero = Interval(*np.zeros((2, 1), dtype), np.zeros(1, bool))
    found = evaluator.slope_bounds([*sides, zero], BY)
    assert not np.isnan([found.lower, found.upper]).any()
    with np.errstate(all="ignore"):
        value, *slopes = NumpyEvaluator(tape, (*BY, "z"), np.dtype(dtype)).gradients(
            [*points, np.zeros(8, dtype)], BY
        )
    for slope, low, high in zip(slopes, found.lower, found.upper, strict=True):
        known = np.isfinite(value) & ~np.isnan(slope)
        assert (low <= slope[known]).all(), (low, high, slope, points)
        assert (slope[known] <= high).all(), (low, high, slope, points)
