"""A divided evaluator: bit for bit the values, slopes and bounds of the whole one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.operations import DTYPES, bits
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.jit import box_work
from intervalvm.jit.division import Division
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning

BY = "x", "y"
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
PART_BITS = 5
"""Parts are cells of a square cut so often along each axis."""
LOW, SIZE = -1.25, 2.5 / (1 << PART_BITS)


def evaluators(tape: Tape, dtype: str) -> tuple[CompiledEvaluator, CompiledEvaluator]:
    inputs = ("x", "y", *(name for name in (*tape.axes, *tape.variables) if name not in BY))
    floats, reals = (CompiledEvaluator(tape, inputs, np.dtype(dtype), each) for each in Meaning)
    return floats, reals


def codes_of(at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Morton codes of whole numbers [n, 2]."""
    found = np.zeros(len(at), np.int64)
    for bit in range(PART_BITS):
        for axis in (0, 1):
            found |= (at[:, axis] >> bit & 1) << 2 * bit + axis
    return found.astype(np.uint64)


def boxes_of(at: NDArray[np.int64], dtype: str, others: int) -> list[Interval]:
    """Cells of a square, and sides of other inputs, which are one number."""
    none = np.zeros(len(at), bool)
    lows = [(LOW + SIZE * at[:, axis]).astype(dtype) for axis in (0, 1)]
    highs = [(LOW + SIZE * (at[:, axis] + 1)).astype(dtype) for axis in (0, 1)]
    sides = [Interval(low, high, none) for low, high in zip(lows, highs, strict=True)]
    numbers = [np.array([0.25 + k], dtype) for k in range(others)]
    return [*sides, *(Interval(number, number, np.zeros(1, bool)) for number in numbers)]


def parts_of(count: int, seed: int) -> NDArray[np.int64]:
    """Numbers of some cells, in the order of their codes."""
    chosen = np.random.default_rng(seed).choice(1 << 2 * PART_BITS, count, replace=False)
    at = np.stack(np.divmod(chosen, 1 << PART_BITS), axis=-1)
    found: NDArray[np.int64] = at[np.argsort(codes_of(at))]
    return found


def divided(evaluator: CompiledEvaluator, at: NDArray[np.int64]) -> Division:
    boxes = boxes_of(at, evaluator.dtype.name, len(evaluator.inputs) - 2)
    return evaluator.divided(boxes, codes_of(at), 2 * PART_BITS, BY)


def within(parts: list[Interval], owners: NDArray[np.int32], seed: int) -> list[NDArray[Any]]:
    """A point in the box of each owner, some at its corners, and the numbers of other inputs."""
    rng, points = np.random.default_rng(seed), []
    for side in parts[:2]:
        low, high = side.lower[owners], side.upper[owners]
        share = rng.choice([0.0, 1.0, rng.random()], len(owners)).astype(low.dtype)
        points.append(np.clip(low + share * (high - low), low, high))
    return [*points, *(side.lower for side in parts[2:])]


def assert_same(found: NDArray[Any], expected: NDArray[Any]) -> None:
    np.testing.assert_array_equal(bits(found), bits(np.broadcast_to(expected, found.shape)))


def assert_divided(tape: Tape, dtype: str, count: int, points: int, seed: int) -> None:
    """Values, slopes and bounds are those of the whole evaluator."""
    floats, reals = evaluators(tape, dtype)
    whole = evaluators(tape, dtype)[0]
    at, rng = parts_of(count, seed), np.random.default_rng(seed)
    boxes = boxes_of(at, dtype, len(floats.inputs) - 2)
    owners = rng.integers(0, count, points).astype(np.int32)
    if seed % 2:
        owners.sort()
    some = within(boxes, owners, seed)
    division = divided(floats, at)
    assert_same(division.values(some, owners), whole.values(some))
    assert_same(floats.values(some), whole.values(some))
    expected = np.empty((3, points), dtype)
    whole.slopes(some, BY, expected)
    assert_same(division.slopes(some, owners), expected)
    others = within(boxes, owners, seed + 1)
    none = np.zeros(points, bool)
    inner = [
        Interval(np.minimum(a, b), np.maximum(a, b), none)
        for a, b in zip(some[:2], others[:2], strict=True)
    ]
    real = divided(reals, at)
    bounds = real.bounds([*inner, *boxes[2:]], owners)
    for found, other in zip(bounds, real.evaluator.bounds([*inner, *boxes[2:]]), strict=True):
        np.testing.assert_array_equal(found, other)
    slopes = real.slope_bounds([*inner, *boxes[2:]], owners)
    wanted = reals.slope_bounds([*inner, *boxes[2:]], BY)
    for found, other in zip(
        (*slopes.value, slopes.lower, slopes.upper),
        (*wanted.value, wanted.lower, wanted.upper),
        strict=True,
    ):
        np.testing.assert_array_equal(found, other)


@by_dtype
@given(data=st.data())
def test_parts_have_the_values_slopes_and_bounds_of_the_whole(
    data: st.DataObject, dtype: str
) -> None:
    tape = data.draw(tapes())
    count, points = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 400))
    assert_divided(tape, dtype, count, points, data.draw(st.integers(0, 1000)))


def many_discs() -> Tape:
    x, y, _ = ivm.axes()
    rng, found = np.random.default_rng(7), ivm.constant(1.0)
    for a, b in rng.uniform(-1, 1, (120, 2)):
        found = ivm.minimum(found, (x - a) ** 2 + (y - b) ** 2 - 0.003)
    return found.tape()


@by_dtype
def test_programs_get_shorter(dtype: str) -> None:
    floats, reals = evaluators(many_discs(), dtype)
    for evaluator in (floats, reals):
        lengths = divided(evaluator, parts_of(500, 3)).lengths
        assert lengths.max() < len(evaluator.tape) / 4
        assert lengths.mean() < len(evaluator.tape) / 20


def test_a_full_arena_leaves_longer_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of runs, or the whole: the results are the same."""
    tape = many_discs()
    whole = divided(evaluators(tape, "float64")[0], parts_of(500, 3)).lengths
    for records in (0, 100, 2000):
        monkeypatch.setattr(box_work, "MOST_ARENA", records)
        assert_divided(tape, "float64", 500, 3000, records)
        lengths = divided(evaluators(tape, "float64")[0], parts_of(500, 3)).lengths
        assert lengths.mean() > whole.mean()


def test_without_choices_all_parts_share_a_program() -> None:
    x, y, _ = ivm.axes()
    division = divided(evaluators((x * y + 1).tape(), "float64")[0], parts_of(9, 1))
    assert len(np.unique(division.lengths)) == 1
