"""Where floats absorb an operand: the rule of sums and differences, at its edges and at random."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.boxes import Range, any_float, floats_within, interval_of, ranges, ranges_within
from support.lane_kernels import LaneEvaluator
from support.operations import DTYPES, bits, numbers, tape_of

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import ABSORBS
from intervalvm.evaluate.boxes import FLOAT_RULES, REAL_RULES
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.row import Interval

ABSORBING = [op.name for op in ROWS if op.absorption is not None]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
ops = pytest.mark.parametrize("op", ABSORBING)


def masks(op: str, a: Interval, b: Interval) -> tuple[Any, Any]:
    """Where only the left, only the right operand is the result."""
    xp = IntervalArrays(a.lower.dtype)
    with np.errstate(all="ignore"):
        left, right = FLOAT_RULES.absorptions[op](xp, a, b)
    return tuple(np.broadcast_to(mask, a.lower.shape) for mask in (left, right))  # type: ignore[return-value]


def values(op: str, a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        return OPS[op].point(IntervalArrays(a.dtype), a, b)


def exactly(numbers: Any) -> Interval:
    return Interval(numbers, numbers, np.isnan(numbers))


def no_minus_zero(numbers: Any) -> Any:
    return np.where(numbers == 0, np.abs(numbers), numbers)


def test_sums_absorb_floats_alone() -> None:
    assert ABSORBING == ["add", "sub"]
    assert not REAL_RULES.absorptions


@dtypes
@ops
def test_no_bit_is_changed_at_any_edge(op: str, dtype: str) -> None:
    """All pairs of peculiar floats, and each beside all that is near its last place."""
    sizes = no_minus_zero(numbers(dtype))
    sizes = sizes[~np.isnan(sizes)]
    shifts = np.arange(-np.finfo(dtype).nmant - 5, -np.finfo(dtype).nmant + 2)
    with np.errstate(all="ignore"):
        near = (sizes[:, None] * 2.0**shifts).astype(dtype).ravel()
        near = np.concatenate([near, *(np.nextafter(near, np.array(way, dtype))
                                       for way in (-np.inf, np.inf))])  # fmt: skip
    near = no_minus_zero(near)
    a = np.concatenate([np.repeat(sizes, len(sizes)), np.tile(np.repeat(sizes, len(shifts)), 3)])
    b = np.concatenate([np.tile(sizes, len(sizes)), near])
    for first, second in ((a, b), (a, -b), (b, a), (-b, a)):
        first, second = map(no_minus_zero, (first, second))
        left, right = masks(op, exactly(first), exactly(second))
        found = values(op, first, second)
        assert_array_equal(bits(found[left]), bits(first[left]))
        assert_array_equal(bits(found[right]), bits(second[right]))
        assert not (left & right).any()


@dtypes
@ops
def test_the_limit_is_the_greatest_power_of_2_for_all_normal_floats(op: str, dtype: str) -> None:
    """Just below half of the smaller distance beside a power of 2 all is absorbed, above not."""
    info = np.finfo(dtype)
    a = np.array([1.0, 2.0**30, -(2.0**-20), 1.5, info.tiny * 2.0**60, info.max], dtype)
    limit = np.abs(a) * np.array(2.0 ** -(info.nmant + 2), dtype)
    inwards = -np.sign(a) if op == "add" else np.sign(a)
    below = np.nextafter(limit, np.array(0, dtype)) * inwards
    above = np.nextafter(limit, np.array(np.inf, dtype)) * inwards
    assert masks(op, exactly(a), exactly(below))[0].all()
    assert not masks(op, exactly(a), exactly(limit * inwards))[0].any(), "a tie is none"
    powers = np.abs(np.frexp(a)[0]) == 0.5
    assert (values(op, a, above) != a)[powers].all()
    if op == "add":
        assert masks(op, exactly(below), exactly(a))[1].all()
    else:
        assert not masks(op, exactly(below), exactly(a))[1].any(), "it would be the negative"


@dtypes
@ops
def test_zeros_and_nan(op: str, dtype: str) -> None:
    zero, tiny = np.zeros(1, dtype), np.array([np.finfo(dtype).smallest_subnormal])
    nan = np.array([np.nan], dtype)
    assert masks(op, exactly(tiny), exactly(zero))[0].all()
    assert masks(op, exactly(zero), exactly(zero))[0].all()
    assert not masks(op, exactly(zero), exactly(tiny))[0].any()
    assert not masks(op, exactly(tiny), exactly(tiny))[0].any()
    may_be_nan = replace_nan(exactly(zero))
    assert not masks(op, exactly(tiny), may_be_nan)[0].any()
    assert masks(op, replace_nan(exactly(tiny)), exactly(zero))[0].all(), "so is the sum"
    assert np.isnan(values(op, nan, zero)).all()


def replace_nan(of: Interval) -> Interval:
    return of._replace(maybe_nan=np.ones(of.lower.shape, bool))


@st.composite
def pairs(draw: st.DrawFn, dtype: str) -> tuple[Range, Range]:
    """Two ranges of which one is often about as small as the last place of the other."""
    a = draw(ranges(dtype))
    nmant = np.finfo(dtype).nmant
    if draw(st.booleans()):
        size = draw(st.sampled_from([abs(a.low), abs(a.high)]))
        with np.errstate(all="ignore"):
            most = float(np.array(size * 2.0 ** draw(st.integers(-nmant - 4, -nmant)), dtype))
        b = draw(ranges_within(Range(-most, most), dtype))
        b = replace(b, maybe_nan=draw(st.integers(0, 7)) == 7)
    else:
        b = draw(ranges(dtype))
    return draw(st.permutations([a, b]))  # type: ignore[return-value]


@dtypes
@ops
@given(data=st.data())
def test_over_boxes_no_bit_is_changed(op: str, dtype: str, data: st.DataObject) -> None:
    a, b = data.draw(pairs(dtype))
    found = masks(op, *(interval_of([side], dtype) for side in (a, b)))
    points = [np.array(data.draw(st.lists(floats_within(side, dtype), min_size=4, max_size=4)),
                       dtype) for side in (a, b)]  # fmt: skip
    first, second = map(no_minus_zero, points)
    for mask, kept in zip(found, (first, second), strict=True):
        if mask.all():
            assert_array_equal(bits(values(op, first, second)), bits(kept))
    if op == "sub" and found[0].all():  # of the left operand -0 too
        assert_array_equal(bits(values(op, points[0], second)), bits(points[0]))


@dtypes
@pytest.mark.parametrize("tame", [False, True], ids=["careful", "tame"])
@ops
@given(data=st.data())
def test_lanes_absorb_what_numpy_absorbs(
    op: str, tame: bool, dtype: str, data: st.DataObject
) -> None:
    sides = data.draw(pairs(dtype))
    if tame:
        sides = tuple(tame_range(side, dtype) for side in sides)  # type: ignore[assignment]
    a, b = (interval_of([side], dtype) for side in sides)
    program = plain_program(tape_of(op), np.dtype(dtype))
    lanes = LaneEvaluator(dtype, tame=tame)
    assert not lanes.interval(program, a, b).left_only.any(), "it is not asked"
    program.records[:, 0] |= ABSORBS
    found = lanes.interval(program, a, b)
    assert_array_equal((found.left_only[-1], found.right_only[-1]), masks(op, a, b))


def tame_range(side: Range, dtype: str) -> Range:
    limit = float(np.finfo(dtype).max) / 8
    low, high = (min(max(end, -limit), limit) for end in (side.low, side.high))
    return Range(low, high)


@dtypes
@given(data=st.data())
def test_a_power_of_2_is_pulled_down_by_less(dtype: str, data: st.DataObject) -> None:
    """The rule by half of the greater distance alone would be wrong here."""
    a = np.array([data.draw(any_float(dtype).filter(np.isfinite))], dtype)
    with np.errstate(all="ignore"):
        power = np.array(2.0 ** (np.frexp(a)[1] - 1.0), dtype)
        b = -np.array(power * 2.0 ** -(np.finfo(dtype).nmant + 1.5), dtype)
    left, _ = masks("add", exactly(power), exactly(b))
    if (values("add", power, b) != power).any():
        assert not left.any()
