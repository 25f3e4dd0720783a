"""Bounds of derivatives over boxes: no derivative and no difference quotient escapes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reals
from support.boxes import Range, floats_within, interval_of, ranges
from support.evaluators import every_evaluator
from support.operations import DTYPES, OPERATIONS, tape_of
from support.real_points import FEW, PLACES, TRANSCENDENTAL, pairs, point_in, real_value
from support.strategies import shapes, tapes

import intervalvm as ivm
from intervalvm.evaluate import slopes
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.evaluate.slopes import Numbers
from intervalvm.expr import as_value_tape
from intervalvm.jit import box_work
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from intervalvm.evaluate.evaluator import SlopeBounds
    from intervalvm.tape import Tape

INPUTS = ("x", "y", "z")
INF = math.inf
x, y, z = ivm.axes()
some_tapes = st.sampled_from(OPERATIONS).map(tape_of) | tapes(max_clauses=15) | shapes()


def flat(value: float, dtype: str) -> Interval:
    end = np.array([value], dtype)
    return Interval(end, end, np.zeros(1, bool))


def slopes_over(
    tape: Tape, box: list[Range], dtype: str, meaning: Meaning, make: Any = NumpyEvaluator
) -> SlopeBounds:
    """By x and y, over a box in x and y with z = 0."""
    sides = [interval_of([side], dtype) for side in box]
    evaluator = make(tape, INPUTS, np.dtype(dtype), meaning)
    return evaluator.slope_bounds([*sides, flat(0.0, dtype)], ("x", "y"))


# --- what is enclosed -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_generalised_gradients_enclose_derivatives(dtype: str, data: st.DataObject) -> None:
    """As over a flat box: those of both sides of its border. Over others rounding may move a value
    onto a border that is a kink, where another branch is taken than beside it."""
    tape = data.draw(some_tapes)
    box = [data.draw(ranges(dtype, nan=False)) for _ in "xy"]
    points = [
        np.array([data.draw(floats_within(side, dtype)) for _ in range(8)], dtype) for side in box
    ]
    with patch.object(slopes, "Numbers", lambda xp, _: Numbers(xp, xp.no)):
        found = slopes_over(tape, box, dtype, Meaning.REAL)
    assert not np.isnan([found.lower, found.upper]).any()
    evaluator = NumpyEvaluator(tape, INPUTS, np.dtype(dtype))
    with np.errstate(all="ignore"):
        value, *along = evaluator.gradients([*points, np.zeros(8, dtype)], ("x", "y"))
    for slope, low, high in zip(along, found.lower, found.upper, strict=True):
        known = np.isfinite(value) & np.isfinite(slope)  # the root of -0 is steep downwards
        assert (low <= slope[known]).all(), (low, high, slope, points)
        assert (slope[known] <= high).all(), (low, high, slope, points)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_flat_boxes_enclose_derivatives(dtype: str, data: st.DataObject) -> None:
    tape = data.draw(some_tapes)
    ends = [data.draw(floats_within(Range(-INF, INF), dtype)) for _ in "xy"]
    found = slopes_over(tape, [Range(end, end) for end in ends], dtype, Meaning.REAL)
    evaluator = NumpyEvaluator(tape, INPUTS, np.dtype(dtype))
    points = [np.array([end], dtype) for end in (*ends, 0.0)]
    with np.errstate(all="ignore"):
        value, *along = evaluator.gradients(points, ("x", "y"))
    for slope, low, high in zip(along, found.lower, found.upper, strict=True):
        if np.isfinite(value) and np.isfinite(slope):
            assert low <= slope <= high


def assert_quotients_within(tape: Tape, box: list[Range], dtype: str, places: list[int]) -> None:
    """Numbers are exact or to 250 bits; the difference of two such that are near each other is
    less exact, so as many bits as they have in common are allowed to be wrong."""
    sides = [(side.low, side.high) for side in box]
    found = slopes_over(tape, box, dtype, Meaning.REAL)
    for k, (here, there) in enumerate(pairs(places)):
        at = k % 2
        first = [point_in(sides[0], here), point_in(sides[1], there), Fraction(0)]
        second = list(first)
        second[at] = point_in(sides[at], here // 7 + there)
        if first == second:
            continue
        values = [real_value(tape, point) for point in (first, second)]
        if None in values:
            continue
        low, high = float(found.lower[at][0]), float(found.upper[at][0])
        if all(isinstance(value, Fraction) for value in values):
            quotient: Any = (values[1] - values[0]) / (second[at] - first[at])
            assert reals.between(low, quotient, high), (low, float(quotient), high)
            continue
        with mpmath.workprec(reals.BITS):
            a, b = (
                mpmath.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v
                for v in values
            )
            step = second[at] - first[at]
            step = mpmath.mpf(step.numerator) / step.denominator
            error = (abs(a) + abs(b)) * mpmath.mpf(2) ** -(reals.BITS - 20) / abs(step)
            quotient = (b - a) / step
            assert low - error <= quotient <= high + error, (low, quotient, high)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
@FEW
@given(data=st.data())
def test_difference_quotients_of_each_operation(op: str, dtype: str, data: st.DataObject) -> None:
    box = [data.draw(ranges(dtype, nan=False, finite=True)) for _ in "xy"]
    small = [Range(max(side.low, -9.0), min(side.high, 9.0)) for side in box]
    chosen = small if all(side.low <= side.high for side in small) else box
    assert_quotients_within(tape_of(op), chosen, dtype, data.draw(PLACES))


@pytest.mark.parametrize("dtype", DTYPES)
@FEW
@given(data=st.data())
def test_difference_quotients_of_tapes(dtype: str, data: st.DataObject) -> None:
    rational = [op for op in reals.VALUE if op not in ("sqrt", "rand", "mix", *TRANSCENDENTAL)]
    tape = data.draw(tapes(max_clauses=12, ops=rational))
    box = [data.draw(ranges(dtype, nan=False, finite=True)) for _ in "xy"]
    assert_quotients_within(tape, box, dtype, data.draw(PLACES))


@every_evaluator
@FEW
@given(data=st.data())
def test_values_are_within_those_of_bounds(make: Any, data: st.DataObject) -> None:
    """Products of a clause with itself are squares here, and tighter."""
    tape, meaning = data.draw(some_tapes), data.draw(st.sampled_from(list(Meaning)))
    box = [data.draw(ranges("float64")) for _ in "xy"]
    found = slopes_over(tape, box, "float64", meaning, make).value
    sides = [*(interval_of([side], "float64") for side in box), flat(0.0, "float64")]
    bounds = make(tape, INPUTS, np.dtype("float64"), meaning).bounds(sides)
    assert bounds.lower <= found.lower
    assert found.upper <= bounds.upper
    assert found.maybe_nan <= bounds.maybe_nan


# --- examples -------------------------------------------------------------------------------------

DISTANCE = ivm.sqrt(x * x + ivm.square(y) + 4.0)


@every_evaluator
@pytest.mark.parametrize(
    ("field", "side", "other", "expected"),
    [
        (x + 2 * y, (0, 1), (0, 1), [(1, 1), (2, 2)]),
        (x * y, (2, 3), (-1, 4), [(-1, 4), (2, 3)]),
        (x * 0 + 7.0, (2, 3), (-1, 4), [(0, 0), (0, 0)]),
        # a branch that is proven, or both; on the border one side is in the box
        (ivm.minimum(x, 3 * y), (0, 1), (1, 2), [(1, 1), (0, 0)]),
        (ivm.minimum(x, y), (0, 1), (1, 2), [(1, 1), (0, 0)]),
        (ivm.minimum(x, 3 * y), (0, 4), (1, 2), [(0, 1), (0, 3)]),
        (ivm.maximum(x, y), (0, 1), (1, 2), [(0, 0), (1, 1)]),
        (abs(x), (0, 1), (0, 1), [(1, 1), (0, 0)]),
        (abs(x), (-2, 0), (0, 1), [(-1, -1), (0, 0)]),
        (abs(x), (-1, 1), (0, 1), [(-1, 1), (0, 0)]),
        (abs(x), (0, 0), (0, 1), [(-1, 1), (0, 0)]),
        # jumps
        (ivm.floor(x) + y, (0.25, 0.5), (0, 1), [(0, 0), (1, 1)]),
        (ivm.floor(x) + y, (0, 0.5), (0, 1), [(0, 0), (1, 1)]),
        (ivm.floor(x) + y, (0, 0), (0, 1), [(-INF, INF), (1, 1)]),
        (ivm.floor(x) + y, (0.25, 0.25), (0, 1), [(0, 0), (1, 1)]),
        (ivm.floor(x) + y, (0.5, 1), (0, 1), [(-INF, INF), (1, 1)]),
        (x % 1.0, (2.25, 2.5), (0, 1), [(1, 1), (0, 0)]),
        (x % 1.0, (2.25, 3.5), (0, 1), [(-INF, INF), (0, 0)]),
        (ivm.arctan2(y, x), (-2, -1), (-1, 1), [(-INF, INF), (-INF, INF)]),
        (ivm.compare(x, y), (0, 1), (2, 3), [(0, 0), (0, 0)]),
        # undefined, or steep
        (1 / x, (-1, 1), (0, 1), [(-INF, INF), (0, 0)]),
        (1 / x, (1, 2), (0, 1), [(-1, -0.25), (0, 0)]),
        (ivm.sqrt(x), (0, 1), (0, 1), [(0, INF), (0, 0)]),
        (ivm.sqrt(x), (0.25, 1), (0, 1), [(0.5, 1), (0, 0)]),
        (ivm.sqrt(ivm.maximum(x, 0)), (-2, -1), (0, 1), [(0, 0), (0, 0)]),
        # distances
        (ivm.sqrt(x * x + y * y), (-1, 1), (-1, 1), [(-1, 1), (-1, 1)]),
        (ivm.sqrt(ivm.square(3 * x) + y * y), (0, 0), (0, 0), [(-3, 3), (-1, 1)]),
        (DISTANCE, (-1, 1), (0, 1), [(-0.5, 0.5), (0, 0.5)]),
    ],
)  # fmt: skip
def test_slopes_over_a_box(
    make: Any, field: Any, side: Any, other: Any, expected: list[tuple[float, float]]
) -> None:
    """Numbers are exact but for outward rounding."""
    box = [Range(float(low), float(high)) for low, high in (side, other)]
    found = slopes_over(as_value_tape(field), box, "float64", Meaning.REAL, make)
    for low, high, (least, most) in zip(found.lower, found.upper, expected, strict=True):
        np.testing.assert_allclose([low[0], high[0]], [least, most], rtol=1e-14)
        assert low[0] <= least
        assert most <= high[0]


# --- both back ends -------------------------------------------------------------------------------


@pytest.fixture
def cut_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays of boxes are cut into runs as often as they can be."""
    costs = dict.fromkeys(box_work.COSTS, np.array([100.0, 1.0, 0.0, 0.0, 0.01, 0.0]))
    monkeypatch.setattr(box_work, "COSTS", costs)


@st.composite
def many_boxes(draw: st.DrawFn, dtype: str) -> list[Interval]:
    """Boxes whose neighbours are near each other, some of them flat, some odd ones among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.sampled_from([129, 600, 5000]))
    boxes = []
    for _ in INPUTS:
        low = np.sort(rng.uniform(-3, 3, count)) if draw(st.booleans()) else np.zeros(count)
        low = np.round(low, draw(st.sampled_from([0, 1, 9])))
        high = low + draw(st.sampled_from([0.0, 1e-3, 0.5])) * rng.integers(0, 2, count)
        for at in rng.integers(0, count, draw(st.integers(0, 3))):
            side = draw(ranges(dtype, nan=False))
            low[at], high[at] = side.low, side.high
        maybe_nan = rng.random(count) < draw(st.sampled_from([0.0, 0.01]))
        boxes.append(Interval(low.astype(dtype), high.astype(dtype), maybe_nan))
    return boxes


def assert_same_interval(found: Interval, expected: Interval) -> None:
    """The sign of a bound that is 0 may differ."""
    for part, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, other)


@pytest.mark.usefixtures("cut_always")
@pytest.mark.parametrize("dtype", DTYPES)
@FEW
@given(data=st.data())
def test_runs_of_boxes_with_shorter_programs_have_the_same_bits(
    dtype: str, data: st.DataObject
) -> None:
    tape = data.draw(shapes(most=20) | tapes(max_clauses=30))
    meaning, boxes = data.draw(st.sampled_from(list(Meaning))), data.draw(many_boxes(dtype))
    numpy, compiled = (
        make(tape, INPUTS, np.dtype(dtype), meaning) for make in (NumpyEvaluator, CompiledEvaluator)
    )
    assert_same_interval(compiled.bounds(boxes), numpy.bounds(boxes))
    by = data.draw(st.permutations(INPUTS).map(lambda names: names[: data.draw(st.integers(0, 3))]))
    found, expected = (evaluator.slope_bounds(boxes, by) for evaluator in (compiled, numpy))
    assert_same_interval(found.value, expected.value)
    np.testing.assert_array_equal(found.lower, expected.lower)
    np.testing.assert_array_equal(found.upper, expected.upper)


@pytest.mark.parametrize("meaning", Meaning)
@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_both_back_ends_have_the_same_bits(
    dtype: str, meaning: Meaning, data: st.DataObject
) -> None:
    tape = data.draw(some_tapes)
    box = [data.draw(ranges(dtype)) for _ in "xy"]
    found, expected = (
        slopes_over(tape, box, dtype, meaning, make) for make in (CompiledEvaluator, NumpyEvaluator)
    )
    assert_same_interval(found.value, expected.value)
    np.testing.assert_array_equal(found.lower, expected.lower)
    np.testing.assert_array_equal(found.upper, expected.upper)


@every_evaluator
def test_shapes_broadcast_and_may_be_empty(make: Any) -> None:
    evaluator = make(as_value_tape(x * y), ("x", "y"), np.dtype("float32"), Meaning.REAL)
    low = np.zeros((3, 1), np.float32)
    wide = Interval(low, low + np.float32(1), np.zeros((3, 1), np.bool_))
    low = np.ones(4, np.float32)
    narrow = Interval(low, low * np.float32(2), np.zeros(4, np.bool_))
    found = evaluator.slope_bounds([wide, narrow], ("y", "x", "y"))
    assert found.value.lower.shape == found.value.maybe_nan.shape == (3, 4)
    assert found.lower.shape == found.upper.shape == (3, 3, 4)
    assert found.lower.dtype == np.float32
    assert (found.upper[1] >= 2).all()
    np.testing.assert_array_equal(found.upper[0], found.upper[2])
    nothing = Interval(*(part[:0] for part in narrow))
    found = evaluator.slope_bounds([nothing, nothing], ("x",))
    assert found.value.lower.shape == (0,)
    assert found.lower.shape == found.upper.shape == (1, 0)
    one = Interval(*(part[0] for part in narrow))
    assert evaluator.slope_bounds([one, one], ()).lower.shape == (0,)


@every_evaluator
def test_slopes_by_more_inputs_than_a_program_has_and_by_those_not_read(make: Any) -> None:
    a, b = ivm.var("a"), ivm.var("b")
    names = ("x", "y", "z", "a", "b", "c")
    evaluator = make(as_value_tape(x + a - b), names, np.dtype("float64"), Meaning.REAL)
    sides = [Interval(np.array(0.0), np.array(1.0), np.array(False))] * len(names)
    found = evaluator.slope_bounds(sides, names)
    np.testing.assert_array_equal(found.lower, [1, 0, 0, 1, -1, 0])
    np.testing.assert_array_equal(found.upper, [1, 0, 0, 1, -1, 0])


@every_evaluator
@pytest.mark.parametrize("meaning", Meaning)
def test_what_may_be_nan_or_unbounded_has_infinite_slopes(make: Any, meaning: Meaning) -> None:
    found = slopes_over(
        as_value_tape(x * x + y), [Range(1, 2, True), Range(0, INF)], "float64", meaning, make
    )
    assert found.value.maybe_nan
    assert (found.lower == -INF).all()
    assert (found.upper == INF).all()
    found = slopes_over(
        as_value_tape(x * y), [Range(1, 2), Range(0, INF)], "float64", meaning, make
    )
    assert found.upper[0] == INF
    assert found.lower[1] <= 1
    assert 2 <= found.upper[1] < 2.1
