"""Shares of half-planes and half-spaces against rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.halfspaces import exact

from intervalvm.cells.halfspaces import ERROR, LEAST, share

NEAR = [0.0, 1.0, -1.0, 0.5, 3.0, 1.0 + 2.0**-52, 1.0 - 2.0**-53, 2.0**-30, -(2.0**-60), 2.0**-200]
numbers = st.sampled_from(NEAR) | st.floats(-4.0, 4.0)


def found_share(value: float, steps: list[float]) -> float:
    return float(share(np.array([value]), [np.array([step]) for step in steps])[0])


@settings(max_examples=1000)
@given(value=numbers, steps=st.lists(numbers, min_size=2, max_size=3))
@example(value=-1.0, steps=[1.0, 1.0])
@example(value=-1.5, steps=[1.0, 1.0, 1.0])
@example(value=-1.0, steps=[1.0, 2.0**-1000, 2.0**-1020])
@example(value=-1.0, steps=[1e-9, 1.0, 1.0])
@example(value=-1.0 - 1e-9, steps=[1e-9, 1.0, 1.0 + 2.0**-52])
@example(value=5e-324, steps=[1.0, -1.0, 0.0])
def test_a_share_is_that_of_rational_arithmetic(value: float, steps: list[float]) -> None:
    check(value, steps)


def check(value: float, steps: list[float]) -> None:
    found = found_share(value, steps)
    if max(map(abs, steps)) < LEAST:
        assert math.isnan(found)
    else:
        assert abs(Fraction(found) - exact(Fraction(value), list(map(Fraction, steps)))) < ERROR


@given(
    share_of_way=st.floats(-0.1, 1.1),
    steps=st.lists(numbers.filter(bool), min_size=2, max_size=3),
    power=st.integers(-800, 1000),
)
def test_a_share_at_each_place_and_scale(
    share_of_way: float, steps: list[float], power: int
) -> None:
    """From where the box's lowest corner is at the border to where its highest is."""
    high, low = (sum(max(sign * step, 0.0) for step in steps) for sign in (1, -1))
    value = low - share_of_way * (high + low)
    check(math.ldexp(value, power), [math.ldexp(step, power) for step in steps])


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("steps", [[1.0, np.inf], [np.nan, 1.0], [0.0, 0.0], [1e-300, -1e-310, 0]])
def test_nothing_is_known_of_what_is_no_slope(value: float, steps: list[float]) -> None:
    assert math.isnan(found_share(value, steps))


def test_nothing_is_known_of_a_value_that_is_not_finite() -> None:
    assert all(math.isnan(found_share(value, [1.0, 1.0])) for value in (np.nan, np.inf, -np.inf))
