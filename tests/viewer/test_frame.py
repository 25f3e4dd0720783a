"""Exact views: numbers as text, the ends of regions, and the arithmetic that pixels need."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intervalvm.errors import OptionError
from intervalvm.viewer.frame import ENOUGH, MOST_CHARACTERS, Frame, decimal

SIZES = st.tuples(st.integers(1, 4096), st.integers(1, 4096))


@pytest.mark.parametrize(
    "text", ["0", "-0", "1.", ".5", "-.5e-3", "+12.25E+7", "1e-400", "9" * MOST_CHARACTERS]
)
def test_decimal_text_is_exact(text: str) -> None:
    assert decimal("center", text) == Fraction(Decimal(text))


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "e5", "nan", "inf", "-Infinity", "1_0", " 1", "1\n", "0x1", "1e401", "1e-401"),
        *("1e99999999999", "1,5", "١", "1" * (MOST_CHARACTERS + 1), None, 1, 1.5, ["1"], {}),
    ],
)
def test_other_text_is_refused(text: object) -> None:
    with pytest.raises(OptionError, match="center"):
        decimal("center", text)


@given(
    st.fractions(-1000, 1000, max_denominator=10**30),
    st.fractions(-1000, 1000, max_denominator=10**30),
    st.fractions(Fraction(1, 10**25), 1000, max_denominator=10**30),
    SIZES,
)
def test_ends_are_the_exact_ones_rounded_once(
    x: Fraction, y: Fraction, scale: Fraction, size: tuple[int, int]
) -> None:
    region = Frame((x, y), scale).region(size)
    for middle, n, (low, high) in zip((x, y), size, (region.x, region.y), strict=True):
        half = scale * n / min(size)
        assert low == float(middle - half)
        assert high in (float(middle + half), math.nextafter(low, math.inf))
        assert low < high


@given(st.integers(-(10**18), 10**18), st.integers(1, 300), SIZES)
def test_a_view_moved_by_a_pixel_has_moved_by_one(
    x: int, exponent: int, size: tuple[int, int]
) -> None:
    """At any depth, by exact numbers, to the last bit of float64."""
    scale = Fraction(1, 10**exponent)
    step = 2 * scale / min(size)
    here, there = (Frame((Fraction(x) + i * step, Fraction(0)), scale) for i in (0, 1))
    moved = Fraction(there.region(size).x[0]) - Fraction(here.region(size).x[0])
    ulp = Fraction(math.ulp(max(map(abs, here.region(size).x))))
    assert abs(moved - step) <= ulp


@pytest.mark.parametrize(
    ("center", "scale", "dtype", "is_beyond"),
    [
        ("0", "1", "float32", False),
        ("0", "1e-12", "float32", False),  # near 0 its numbers are dense
        ("1", "1e-3", "float64", False),
        ("1", "1e-14", "float64", True),
        ("0.333333333333333333333333333", "1e-30", "float64", True),
        ("1e39", "1e37", "float64", False),  # float32 has no such numbers
    ],
)
def test_arithmetic_by_distance_of_pixels(
    center: str, scale: str, dtype: str, is_beyond: bool
) -> None:
    frame = Frame((decimal("center", center), Fraction(0)), decimal("scale", scale))
    assert frame.dtype((800, 600)) == dtype
    assert frame.is_beyond((800, 600)) == is_beyond


@given(st.fractions(-10, 10), st.integers(-40, 3), SIZES)
def test_pixels_in_float32_are_apart(x: Fraction, exponent: int, size: tuple[int, int]) -> None:
    frame = Frame((x, Fraction(0)), Fraction(10) ** exponent)
    region = frame.region(size)
    farthest = max(map(abs, (*region.x, *region.y)))
    step = 2 * frame.scale / min(size)
    is_apart = step >= ENOUGH * Fraction(float(np.spacing(np.float32(farthest))))
    assert (frame.dtype(size) == "float32") == is_apart


@pytest.mark.parametrize("center", ["1e301", "-1e301", "1e400"])
def test_views_beyond_float64_are_refused(center: str) -> None:
    with pytest.raises(OptionError, match="reaches beyond"):
        Frame((decimal("center", center), Fraction(0)), Fraction(1)).region((10, 10))
