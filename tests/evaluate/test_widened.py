"""The bounds that proofs use: no real value escapes, in NumPy and in the lanes, bit for bit alike.

``test_outward`` holds the tightest bounds against exact values; these are held against those.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.boxes import Case, cases, interval_of
from support.lane_kernels import LaneEvaluator
from support.operations import DTYPES, FUNCTIONS, OPERATIONS, tape_of
from support.strategies import tapes

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.arith.directed import DOWN, UP, DirectedArrays
from intervalvm.compiler.pipeline import prepared
from intervalvm.compiler.plain import plain_program
from intervalvm.evaluate import decorated
from intervalvm.evaluate.arithmetic import Reals
from intervalvm.evaluate.boxes import REAL_RULES, Bounds, bounds
from intervalvm.evaluate.decorated import DEF, Real
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

HALF = settings(max_examples=settings().max_examples // 2)
"""A hunt takes more here too: pytest --hypothesis-profile=thorough."""


def boxes_of(case: Case, dtype: str) -> list[Interval]:
    return [interval_of([side], dtype) for side in (case.x, case.y)]


def widened(tape: Tape, case: Case, dtype: str) -> Bounds:
    x, y = boxes_of(case, dtype)
    return bounds(tape, {"var-x": x, "var-y": y}, (), np.dtype(dtype), rules=REAL_RULES)


def tightest(tape: Tape, case: Case, dtype: str) -> Real:
    xp = DirectedArrays(np.dtype(dtype))
    with np.errstate(over="ignore"):
        x, y = (
            decorated.given(xp, np.float64(s.low), np.float64(s.high)) for s in (case.x, case.y)
        )
    return decorated.bounds(tape, {"var-x": x, "var-y": y}, (), np.dtype(dtype))[-1]


def by_lanes(tape: Tape, case: Case, dtype: str, *, tame: bool = False) -> Any:
    ends = np.where(np.isfinite(tape.wide), tape.wide, np.nan)
    reals = Reals(np.dtype(dtype))
    pool = np.stack([reals.rounded(ends, DOWN), reals.rounded(ends, UP)], axis=1)
    program = plain_program(tape, np.dtype(dtype), pool)
    lanes = LaneEvaluator(dtype, tame=tame, meaning=Meaning.REAL)
    return lanes.interval(program, *boxes_of(case, dtype))


def assert_encloses(found: Interval, real: Real) -> None:
    (lower,), (upper,), (maybe_nan,) = found
    assert lower <= upper
    assert maybe_nan or real.decoration >= DEF
    if not real.is_empty:
        assert lower <= real.lower
        assert upper >= real.upper


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
@HALF
@given(data=st.data())
def test_bounds_enclose_the_tightest(op: str, dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(dtype, nan=False).filter(has_real_numbers))
    tape = tape_of(op)
    found, real = widened(tape, case, dtype).root, tightest(tape, case, dtype)
    assert_encloses(found, real)
    lanes = by_lanes(tape, case, dtype)
    assert_encloses(Interval(lanes.lower[-1], lanes.upper[-1], lanes.maybe_nan[-1]), real)
    if op not in FUNCTIONS:  # which careful lanes widen more
        for mine, theirs in zip(found, (lanes.lower, lanes.upper, lanes.maybe_nan), strict=True):
            assert_array_equal(mine, theirs[-1])


def has_real_numbers(case: Case) -> bool:
    return all(side.low < np.inf and side.high > -np.inf for side in (case.x, case.y))


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_bounds_of_a_tape_enclose_the_tightest(dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(dtype, nan=False).filter(has_real_numbers))
    drawn = data.draw(tapes(max_clauses=20))
    tape = prepared(drawn, Reals(np.dtype(dtype)), {"var-z": 0.0}).tape()
    assert_encloses(widened(tape, case, dtype).root, tightest(tape, case, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", [op.name for op in ROWS if op.has_choice])
@given(data=st.data())
def test_what_a_choice_drops_is_defined(op: str, dtype: str, data: st.DataObject) -> None:
    """Or the result would be defined where the operation is not; and what is kept is the result."""
    case = data.draw(cases(dtype))
    boxes = boxes_of(case, dtype)
    xp = IntervalArrays(np.dtype(dtype))
    (left,), (right,) = REAL_RULES.choices[op](xp, *boxes)
    assert not (left and right)
    for chosen, kept, dropped in ((left, 0, 1), (right, 1, 0)):
        if chosen:
            assert not boxes[dropped].maybe_nan[0]
            with np.errstate(all="ignore"):
                whole = REAL_RULES.intervals[op](xp, *boxes)
            assert whole.lower <= boxes[kept].lower
            assert whole.upper >= boxes[kept].upper
    lanes = LaneEvaluator(dtype, meaning=Meaning.REAL)
    found = lanes.interval(plain_program(tape_of(op), np.dtype(dtype)), *boxes)
    assert (found.left_only[-1, 0], found.right_only[-1, 0]) == (left, right)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_next_float_is_that_of_numpy(dtype: str) -> None:
    """In the lanes by their bits: at zeros, at the ends of the subnormal and of all numbers."""
    info = np.finfo(dtype)
    sizes = [0.0, info.smallest_subnormal, info.tiny, 1.0, info.max, np.inf]
    numbers = np.array([*sizes, *(-np.array(sizes, dtype))], dtype)
    xp = IntervalArrays(np.dtype(dtype))
    never = np.zeros(len(numbers), bool)
    box = Interval(numbers, numbers, never)
    one = Interval(np.ones_like(numbers), np.ones_like(numbers), never)
    lanes = LaneEvaluator(dtype, meaning=Meaning.REAL)
    found = lanes.interval(plain_program(tape_of("mul"), np.dtype(dtype)), box, one)
    with np.errstate(all="ignore"):
        expected = REAL_RULES.intervals["mul"](xp, box, one)
    assert_array_equal(found.lower[-1], expected.lower)
    assert_array_equal(found.upper[-1], expected.upper)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
def test_bounds_are_in_order_also_where_nothing_is_defined(op: str, dtype: str) -> None:
    ends = np.array([(0, 0), (-0.0, 0), (-4, -1), (2, 3), (-np.inf, -2), (-1, 1), (-1, 0)], dtype)
    first, second = (part.ravel() for part in np.meshgrid(*[np.arange(len(ends))] * 2))
    never = np.zeros(len(first), bool)
    boxes = [Interval(*ends[which].T, never) for which in (first, second)]
    with np.errstate(all="ignore"):
        found = REAL_RULES.intervals[op](IntervalArrays(np.dtype(dtype)), *boxes[: OPS[op].arity])
    assert (found.lower <= found.upper).all()
