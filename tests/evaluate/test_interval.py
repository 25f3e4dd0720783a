"""Intervals: no float result escapes them, in NumPy or in lanes, and they are no wider than stated.

Every property runs over every operation of the table and over random tapes. The points are compared
as the dense evaluator computes them, in the dtype of the bounds.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.boxes import (
    Case,
    Range,
    cases,
    float_at,
    interval_of,
    place,
    ranges,
    ranges_within,
)
from support.lane_kernels import LaneEvaluator
from support.operations import DTYPES, FUNCTIONS, OPERATIONS, bits, tape_of
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import OptionError, Tape, VariableError
from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler import pipeline
from intervalvm.compiler.plain import plain_program
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.evaluate.boxes import FLOAT_RULES, bounds
from intervalvm.ops import ROWS
from intervalvm.ops.row import Interval


def values_of(tape: Tape, case: Case, dtype: str) -> Any:
    x, y = np.array(case.points, dtype).T
    return ivm.evaluate(tape, x, y, dtype=dtype)


def numpy_bounds(tape: Tape, case: Case, dtype: str) -> Interval:
    boxes = [interval_of([side], dtype) for side in (case.x, case.y)]
    zero = interval_of([Range(0.0, 0.0)], dtype)
    axes = dict(zip(("var-x", "var-y", "var-z"), (*boxes, zero), strict=True))
    return bounds(tape, axes, (), np.dtype(dtype)).root


def lane_bounds(tape: Tape, case: Case, dtype: str, *, tame: bool = False) -> Interval:
    packed = plain_program(tape, np.dtype(dtype))
    boxes = [interval_of([side], dtype) for side in (case.x, case.y)]
    found = LaneEvaluator(dtype, tame=tame).interval(packed, *boxes)
    return Interval(found.lower[-1], found.upper[-1], found.maybe_nan[-1])


def assert_encloses(found: Interval, values: Any) -> None:
    (lower,), (upper,), (maybe_nan,) = found
    assert lower <= upper, "neither bound is NaN, and they are the right way round"
    nan = np.isnan(values)
    assert maybe_nan or not nan.any()
    assert ((lower <= values) & (values <= upper))[~nan].all(), (lower, upper, values)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
@given(data=st.data())
def test_interval_encloses_every_float_result(op: str, dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(dtype))
    values = values_of(tape_of(op), case, dtype)
    by_numpy = numpy_bounds(tape_of(op), case, dtype)
    by_lanes = lane_bounds(tape_of(op), case, dtype)
    assert_encloses(by_numpy, values)
    assert_encloses(by_lanes, values)
    if op in FUNCTIONS:  # which careful lanes widen more
        assert by_lanes.lower <= by_numpy.lower
        assert by_lanes.upper >= by_numpy.upper
        assert_array_equal(by_lanes.maybe_nan, by_numpy.maybe_nan)
        return
    # a zero may have either sign in a bound: it stands for both
    for mine, theirs in zip(by_numpy, by_lanes, strict=True):
        assert_array_equal(mine, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_interval_of_a_tape_encloses_every_float_result(dtype: str, data: st.DataObject) -> None:
    tape = data.draw(tapes(max_clauses=20))
    case = data.draw(cases(dtype, nan=False))
    values = values_of(tape, case, dtype)
    assert_encloses(numpy_bounds(tape, case, dtype), values)
    folded = pipeline.folded(tape, Floats(np.dtype(dtype)), {"var-z": 0.0})
    by_numpy = numpy_bounds(folded, case, dtype)
    by_lanes = lane_bounds(folded, case, dtype)
    assert_encloses(by_numpy, values)
    assert_encloses(by_lanes, values)
    if not {*FUNCTIONS} & set(tape.counts()):  # those are widened more in careful lanes
        for mine, theirs in zip(by_numpy, by_lanes, strict=True):
            assert_array_equal(mine, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["sin", "cos", "tan"])
@given(data=st.data())
def test_no_period_is_missed_at_large_arguments(op: str, dtype: str, data: st.DataObject) -> None:
    """A float32 cannot tell quadrants apart here; a box of few floats spans many turns or none."""
    info = np.finfo(dtype)
    size = data.draw(st.floats(100, float(info.max) / 2, width=info.bits))
    first = place(data.draw(st.sampled_from([size, -size])), dtype)
    assert_all_enclosed(op, [first + i for i in range(data.draw(st.integers(1, 30)))], dtype)


PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459")


@pytest.mark.parametrize("op", ["sin", "cos", "tan"])
@given(quarter=st.integers(-(2**50), 2**50), before=st.integers(0, 3), after=st.integers(0, 3))
def test_no_extreme_is_missed_beside_an_end(op: str, quarter: int, before: int, after: int) -> None:
    """Where the number of turns is rounded, the top may seem to lie beyond the end of the box."""
    middle = place(float(PI / 2 * quarter), "float64")
    assert_all_enclosed(op, list(range(middle - before, middle + after + 1)), "float64")


def assert_all_enclosed(op: str, places: list[int], dtype: str) -> None:
    """The box of some floats in a row encloses the values at all of them."""
    x = [float_at(where, dtype) for where in places]
    side = Range(x[0], x[-1])
    case = Case(side, side, [(value, 0.0) for value in x])
    values = values_of(tape_of(op), case, dtype)
    assert_encloses(numpy_bounds(tape_of(op), case, dtype), values)
    assert_encloses(lane_bounds(tape_of(op), case, dtype), values)


# Directions in which the value never decreases; the others' extremes lie elsewhere in a box.
MONOTONE = {
    "copy": (1,), "neg": (-1,), "floor": (1,), "ceil": (1,), "round": (1,), "sqrt": (1,),
    "add": (1, 1), "sub": (1, -1), "min": (1, 1), "max": (1, 1), "compare": (1, -1),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", MONOTONE)
@given(data=st.data())
def test_bounds_of_a_monotone_operation_are_attained_at_the_ends(
    op: str, dtype: str, data: st.DataObject
) -> None:
    case = data.draw(cases(dtype, nan=False))
    sides = case.x, case.y
    ends = [
        (side.low, side.high)[::way] for side, way in zip(sides, MONOTONE[op] * 2, strict=False)
    ]
    least, greatest = values_of(
        tape_of(op), Case(case.x, case.y, list(zip(*ends, strict=True))), dtype
    )
    found = numpy_bounds(tape_of(op), case, dtype)
    if not np.isnan(least):
        assert found.lower == least
    if not np.isnan(greatest):
        assert found.upper == greatest


@pytest.mark.parametrize(
    ("op", "way"), [("exp", 1), ("ln", 1), ("asin", 1), ("acos", -1), ("atan", 1)]
)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_bounds_of_a_monotone_function_are_a_few_ulps_from_its_ends(
    op: str, way: int, dtype: str, data: st.DataObject
) -> None:
    x = data.draw(ranges(dtype, nan=False))
    case = Case(x, x, [(end, 0.0) for end in (x.low, x.high)[::way]])
    values = values_of(tape_of(op), case, dtype)
    found = numpy_bounds(tape_of(op), case, dtype)
    ulps = 1 if dtype == "float32" else 32
    with np.errstate(invalid="ignore"):
        room = ulps * np.spacing(np.abs(values)) + 2.0**-1059
    for bound, value, space in zip((found.lower, found.upper), values, room, strict=True):
        assert not np.isfinite(value) or abs(float(bound[0]) - float(value)) <= space


@pytest.mark.parametrize(
    ("text", "x", "y", "expected"),
    [
        ("square x", (-1, 2), 0, "[0, 4]"),
        ("abs x", (-3, 2), 0, "[0, 3]"),
        ("recip x", (2, 4), 0, "[0.25, 0.5]"),
        ("recip x", (-1, 4), 0, "[-inf, inf]"),
        ("sqrt x", (-1, 4), 0, "[0, 2] or NaN"),
        ("mul x y", (-1, 2), (-3, 5), "[-6, 10]"),
        ("mul x y", (0, 1), (1, np.inf), "[0, inf] or NaN"),
        ("div x y", (1, 2), (4, 8), "[0.125, 0.5]"),
        ("div x y", (1, 2), (-4, 8), "[-inf, inf]"),
        ("div x y", (-1, 2), (-4, 8), "[-inf, inf] or NaN"),
        ("mod x y", (1, 2), (3, 3), "[1, 2]"),
        ("mod x y", (-2, -1), (3, 3), "[1, 2]"),
        ("mod x y", (2, 4), (3, 3), "[0, 3]"),
        ("mod x y", (2, 4), (-5, 3), "[0, 5] or NaN"),
        ("compare x y", (1, 2), (3, 4), "[-1, -1]"),
        ("compare x y", (1, 2), (2, 4), "[-1, 0]"),
        ("not x", (1, 2), 0, "[0, 0]"),
        ("not x", (-1, 2), 0, "[0, 1]"),
        ("and x y", (1, 2), (5, 6), "[5, 6]"),
        ("and x y", (0, 0), (5, 6), "[0, 0]"),
        ("or x y", (1, 2), (5, 6), "[1, 2]"),
        ("or x y", (0, 0), (5, 6), "[5, 6]"),
        ("min x y", (1, 4), (2, 3), "[1, 3]"),
        ("max x y", (1, 4), (2, 3), "[2, 4]"),
        ("sin x", (0, 4), 0, "[-0.756803, 1]"),
        ("cos x", (3, 4), 0, "[-1, -0.653643]"),
        ("sin x", (1e30, 1e31), 0, "[-1, 1]"),
        ("sin x", (0, np.inf), 0, "[-1, 1] or NaN"),
        ("tan x", (1, 2), 0, "[-inf, inf]"),
        ("tan x", (-1, 1), 0, "[-1.55741, 1.55741]"),
        ("asin x", (0, 2), 0, "[0, 1.5708] or NaN"),
        ("exp x", (-np.inf, 0), 0, "[0, 1]"),
        ("ln x", (0, 1), 0, "[-inf, 0]"),
        ("atan2 x y", (-1, 1), (1, 2), "[-0.785399, 0.785399]"),
        ("atan2 x y", (-1, 1), (-2, -1), "[-3.1416, 3.1416]"),
        ("rand x", (1, 1), 0, "[0.944264, 0.944265]"),
        ("rand x", (0, 0), 0, "[0, 1]"),
        ("mix x y", (1, 1), (2, 2), "[-3.22452e-31, -3.22451e-31]"),
        ("mix x y", (1, 1), (2, 3), "[-inf, inf] or NaN"),
    ],
)
def test_bounds_print(text: str, x: Any, y: Any, expected: str) -> None:
    tape = ivm.parse(f"x var-x\ny var-y\nv {text}")
    assert str(ivm.interval(tape, x=x, y=y)) == expected


def test_a_difference_of_infinities_is_unknown_and_may_be_nan() -> None:
    tape = ivm.parse("x var-x\ny var-y\na exp x\nb exp y\nv sub a b")
    box = ivm.interval(tape, x=(0, 300), y=(200, 300))
    assert str(box) == "[-inf, inf] or NaN"
    assert str(ivm.interval(tape, x=(0, 300), y=(200, 300), dtype="float64")) != str(box)


def test_a_box_may_have_a_third_side_and_bounded_variables() -> None:
    tape = ivm.parse("x var-x\nz var-z\nr var-r\na add x z\nv sub a r")
    assert str(ivm.interval(tape, x=(0, 1), y=0, z=(2, 3), variables={"r": (1, 2)})) == "[0, 3]"
    with pytest.raises(VariableError, match="'r' of the tape has no value"):
        ivm.interval(tape, x=(0, 1), y=0)


@pytest.mark.parametrize("x", [(1, 0), np.nan, (0, np.nan), (0, 1, 2), "left"])
def test_a_side_must_be_a_number_or_an_ordered_pair(x: Any) -> None:
    with pytest.raises(OptionError, match="x="):
        ivm.interval(ivm.parse("x var-x"), x=x, y=0)


# --- nested boxes -------------------------------------------------------------------------------


def assert_nested(tape: Tape, outer: Case, inner: Case, dtype: str) -> None:
    """If careful bounds show that nothing infinite arises, tame ones within the box agree."""
    wide = lane_bounds(tape, outer, dtype)
    limit = np.finfo(dtype).max / 4
    if wide.maybe_nan or not (wide.lower > -limit and wide.upper < limit):
        return
    narrow = lane_bounds(tape, inner, dtype, tame=True)
    assert wide.lower <= narrow.lower <= narrow.upper <= wide.upper


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
@given(data=st.data())
def test_a_box_inside_another_has_bounds_within_the_others(
    op: str, dtype: str, data: st.DataObject
) -> None:
    x = data.draw(ranges(dtype, nan=False, finite=True))
    y = data.draw(ranges(dtype, nan=False, finite=True))
    outer = Case(x, y, [])
    inner = Case(data.draw(ranges_within(x, dtype)), data.draw(ranges_within(y, dtype)), [])
    assert_nested(tape_of(op), outer, inner, dtype)


ULP = 2.0**-52


@pytest.mark.parametrize(
    ("op", "outer", "inner", "y"),
    [
        # equal remainders at both ends of a box that meets no end of a period
        ("mod", (-1.0, -(2.0**-60)), (-(2.0**-59), -(2.0**-60)), 3.0),
        ("mod", (-1.0, -(2.0**-30)), (-1.0, -1.0 + ULP), 4.495944499969482),
        # close to an extreme, but not at it: a widened bound went beyond 1
        ("sin", (1.5, 1.6), (1.5707963267949, 1.5707963267952), 0.0),
        ("cos", (-0.5, 0.5), (2.0**-30, 2.0**-29), 0.0),
        ("sin", (-1.6, -1.5), (-1.5707963267952, -1.5707963267949), 0.0),
        ("cos", (3.0, 3.5), (3.1415926535899, 3.1415926535902), 0.0),
    ],
)
def test_a_box_inside_another_keeps_to_its_bounds_also_here(
    op: str, outer: Any, inner: Any, y: float
) -> None:
    side = Range(y, y)
    for dtype in DTYPES:
        rounded = [Range(*np.array(pair, dtype).tolist()) for pair in (outer, inner)]
        side = Range(*[float(np.dtype(dtype).type(y))] * 2)
        assert_nested(tape_of(op), *(Case(x, side, []) for x in rounded), dtype)


# --- choices ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", [op.name for op in ROWS if op.has_choice])
@given(data=st.data())
def test_a_chosen_operand_is_the_result(op: str, dtype: str, data: st.DataObject) -> None:
    """Bit for bit; or, where only ``v < 0`` is asked, with the same answer."""
    case = data.draw(cases(dtype))
    values = values_of(tape_of(op), case, dtype)
    operands = np.array(case.points, dtype).T
    boxes = [interval_of([side], dtype) for side in (case.x, case.y)]
    for sign_only, choose in (
        (False, FLOAT_RULES.choices[op]),
        (True, FLOAT_RULES.sign_choices[op]),
    ):
        (left,), (right,) = choose(IntervalArrays(np.dtype(dtype)), *boxes)
        assert not (left and right)
        for chosen, operand in zip((left, right), operands, strict=True):
            if chosen and sign_only:
                assert_array_equal(operand < 0, values < 0)
                assert_array_equal(np.isnan(operand), np.isnan(values))
            elif chosen:
                assert_array_equal(bits(operand), bits(values))
        if not sign_only:
            program = plain_program(tape_of(op), np.dtype(dtype))
            found = LaneEvaluator(dtype).interval(program, *boxes)
            assert (found.left_only[-1, 0], found.right_only[-1, 0]) == (left, right)
