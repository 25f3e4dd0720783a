"""What is printed of bounds encloses them: decimal text and floats are compared as fractions."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import shapes

import intervalvm as ivm
from intervalvm import Decoration, Interval, Tape
from intervalvm.arguments import bounds_text
from intervalvm.cli.inspect import _bounds_text

FLOATS = st.floats(allow_nan=False)
NUMBER = r"-?(?:inf|\d[\d.]*(?:e[+-]\d+)?)"


def encloses(texts: Any, low: float, high: float) -> bool:
    first, last = (float(text) if "inf" in text else Fraction(text) for text in map(str, texts))
    return bool(first <= exact(low) and exact(high) <= last)


def exact(end: float) -> Any:
    return Fraction(end) if math.isfinite(end) else end


@given(FLOATS, FLOATS)
@example(5e-324, 5e-324)
@example(-5e-324, 1.7976931348623157e308)
@example(0.99999999, 1.0000001192092896)
@example(-0.0, 999999.5)
def test_six_digits_enclose_and_are_near(first: float, second: float) -> None:
    low, high = min(first, second), max(first, second)
    texts = bounds_text(low, high)
    assert encloses(texts, low, high)
    for text, end in zip(texts, (low, high), strict=True):
        assert len(text.split("e")[0].lstrip("-0.").replace(".", "")) <= 6
        if math.isfinite(end):
            assert abs(Fraction(text) - Fraction(end)) <= abs(Fraction(end)) / 10**5


@given(st.integers(-(10**6) + 1, 10**6 - 1), st.sampled_from([0.5, 0.25, 1.0, 8.0, 1024.0]))
def test_what_has_few_digits_prints_as_it_is(number: int, unit: float) -> None:
    """As ``%g`` prints it: a whole number, 0.5."""
    value = number * unit
    if Fraction(f"{value:g}") == Fraction(value):
        assert bounds_text(value, value) == (f"{value + 0.0:g}",) * 2


@pytest.mark.parametrize("text", ["0", "1", "-2", "0.5", "100000", "1e+06", "-1e+22", "inf"])
def test_text_is_that_of_a_float(text: str) -> None:
    assert bounds_text(float(text), float(text)) == (text, text)


@given(FLOATS, FLOATS, st.sampled_from([None, *Decoration]))
def test_a_box_prints_bounds(first: float, second: float, decoration: Decoration | None) -> None:
    box = Interval(min(first, second), max(first, second), maybe_nan=False, decoration=decoration)
    assert encloses(re.findall(NUMBER, str(box).split("_")[0]), box.lower, box.upper)
    assert f"lower={box.lower!r}, upper={box.upper!r}, " in repr(box)


def test_one_float_above_one_is_seen() -> None:
    box = ivm.interval(ivm.axes()[0] + 1e-30, x=1, y=0, prove="area")
    assert str(box) == "[1, 1.00001]"
    assert str(ivm.interval(ivm.parse("x var-x"), x=(0.5, 2), y=0)) == "[0.5, 2]"


@given(FLOATS, FLOATS)
def test_info_prints_bounds(first: float, second: float) -> None:
    low, high = min(first, second), max(first, second)
    bounds = {"maybe_nan": False, "lower": low, "upper": high}
    ends = {key: None if value in (math.inf, -math.inf) else value for key, value in bounds.items()}
    text = _bounds_text({"bounds": ends, "variables": []})
    printed = re.fullmatch(rf"({NUMBER})\.\.({NUMBER}) for x and y in -1\.\.1", text)
    assert printed is not None, text
    if math.isfinite(low) and math.isfinite(high):
        assert encloses(printed.groups(), low, high)


@given(
    tape=shapes(most=3), x=st.floats(-10, 10), y=st.floats(-1e-3, 1e-3),
    width=st.floats(1e-9, 10), dtype=st.sampled_from(["float32", "float64"]),
)  # fmt: skip
def test_a_proof_prints_bounds_of_its_region(
    tape: Tape, x: float, y: float, width: float, dtype: str
) -> None:
    """Area and place are enclosed; the region is that of the proof to the last digit."""
    region = ivm.Region((x, float(np.nextafter(x + width, 99))), (y, y + 1))
    found = ivm.prove(tape, region=region, resolution=4, dtype=dtype, engine="dense")
    numbers = re.findall(NUMBER, str(found).replace("..", " ").replace("4x4", ""))
    sides, (least, most, whole), place = numbers[:4], numbers[4:7], numbers[7:]
    assert [float(text) for text in sides] == [*found.region.x, *found.region.y]
    assert encloses((least, most), *found.area)
    assert Fraction(most) <= Fraction(whole)
    for texts, side in zip((place[:2], place[2:]), found.bounds or (), strict=False):
        assert encloses(texts, *side)
    assert bool(place) == (found.bounds is not None)
    assert repr(found) == f"<Proof {str(found).splitlines()[0]}>"
