"""Intervals between critical floats: every box, with and without NaN, and every point in it.

Random boxes meet infinity divided by infinity, or a tie of zeros, too rarely. Here all boxes
between a few floats are taken at once, for every operation, in NumPy and in lanes.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.lane_kernels import LaneEvaluator
from support.operations import DTYPES, FUNCTIONS, OPERATIONS, bits, dense, tape_of

import intervalvm as ivm
from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.plain import plain_program
from intervalvm.evaluate.boxes import FLOAT_RULES, bounds
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.row import Interval

CHOOSING = [op.name for op in ROWS if op.has_choice]


class Edges:
    """All boxes between critical floats, as arrays over pairs of boxes; and the points in them."""

    def __init__(self, op: str, dtype: str) -> None:
        tiny = float(np.finfo(dtype).smallest_subnormal)
        self.points = np.array([-np.inf, -3, -1, -tiny, -0.0, 0.0, tiny, 1, 3, np.inf], dtype)
        n = len(self.points)
        ends = [(i, j, nan) for i in range(n) for j in range(i, n) for nan in (False, True)]
        pairs = list(product(ends, ends)) if OPS[op].arity == 2 else [(end, end) for end in ends]
        self.sides = [self._interval([pair[side] for pair in pairs]) for side in (0, 1)]
        # NaN is a point of the boxes that may hold it.
        self.points = np.append(self.points, np.array(np.nan, dtype))
        self.within = [self._holds([pair[side] for pair in pairs]) for side in (0, 1)]
        self.operands = [grid.ravel() for grid in np.meshgrid(self.points, self.points)]
        left, right = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
        self.inside = self.within[0][:, left.ravel()] & self.within[1][:, right.ravel()]
        self.values = dense(op, dtype, tuple(self.operands[: OPS[op].arity]))

    def _interval(self, ends: list[tuple[int, int, bool]]) -> Interval:
        low, high, nan = (np.array(part) for part in zip(*ends, strict=True))
        return Interval(self.points[low], self.points[high], nan)

    def _holds(self, ends: list[tuple[int, int, bool]]) -> Any:
        low, high, nan = (np.array(part) for part in zip(*ends, strict=True))
        places = np.arange(len(self.points) - 1)
        numbers = (low[:, None] <= places) & (places <= high[:, None])
        return np.column_stack([numbers, nan])

    def in_lanes(self, op: str, dtype: str) -> list[Any]:
        """Bounds, may be NaN, and both choices."""
        program = plain_program(tape_of(op), np.dtype(dtype))
        lanes, parts = LaneEvaluator(dtype), []
        for start in range(0, len(self.sides[0].lower), 64):
            boxes = [Interval(*(part[start : start + 64] for part in side)) for side in self.sides]
            found = lanes.interval(program, *boxes)
            last = (found.lower, found.upper, found.maybe_nan, found.left_only, found.right_only)
            parts.append([part[-1] for part in last])
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def first(self, wrong: Any) -> str:
        """Where something is wrong, in words."""
        box, point = np.argwhere(wrong)[0]
        boxes = [tuple(part[box].item() for part in side) for side in self.sides]
        operands = [operand[point].item() for operand in self.operands]
        return f"boxes {boxes}, operands {operands}, value {self.values[point].item()}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATIONS)
def test_interval_encloses_every_result_at_the_edges(op: str, dtype: str) -> None:
    edges = Edges(op, dtype)
    axes = dict(zip(("var-x", "var-y"), edges.sides, strict=True))
    by_numpy = bounds(tape_of(op), axes, (), np.dtype(dtype)).root
    by_lanes = Interval(*edges.in_lanes(op, dtype)[:3])
    nan = np.isnan(edges.values)
    for lower, upper, maybe_nan in (by_numpy, by_lanes):
        assert (lower <= upper).all()
        missed = edges.inside & nan & ~maybe_nan[:, None]
        assert not missed.any(), edges.first(missed)
        between = (lower[:, None] <= edges.values) & (edges.values <= upper[:, None])
        escaped = edges.inside & ~nan & ~between
        assert not escaped.any(), edges.first(escaped)
    if op not in FUNCTIONS:
        for mine, theirs in zip(by_numpy, by_lanes, strict=True):
            assert_array_equal(mine, theirs)


@pytest.mark.parametrize("sign_only", [False, True], ids=["value", "sign"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", CHOOSING)
def test_a_chosen_operand_is_the_result_at_the_edges(op: str, dtype: str, sign_only: bool) -> None:
    edges = Edges(op, dtype)
    choose = (FLOAT_RULES.sign_choices if sign_only else FLOAT_RULES.choices)[op]
    chosen = choose(IntervalArrays(np.dtype(dtype)), *edges.sides)
    assert not (chosen[0] & chosen[1]).any()
    for only, operand in zip(chosen, edges.operands, strict=True):
        if sign_only:
            same = (operand < 0) == (edges.values < 0)
            same &= np.isnan(operand) == np.isnan(edges.values)
        else:
            same = bits(operand) == bits(edges.values)
        wrong = edges.inside & only[:, None] & ~same
        assert not wrong.any(), edges.first(wrong)
    if not sign_only:
        for mine, theirs in zip(chosen, edges.in_lanes(op, dtype)[3:], strict=True):
            assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        ("min a y", {(3, 4): "left", (2, 3): "", (0, 1): "right", (0, 1.5): ""}),
        ("max a y", {(3, 4): "right", (2, 3): "right", (0, 1): "", (0, 0.5): "left"}),
        ("and a y", {(0, 1): "right"}),
        ("or a y", {(0, 1): "left"}),
        ("min nan y", {(4, 5): "left", (0, 1): "", (-2, -1): ""}),
        ("max nan y", {(4, 5): "", (0, 0.5): "left"}),
        ("min y nan", {(4, 5): "right", (0, 1): "", (0, 0.5): ""}),
        ("and nan y", {(0, 1): "right"}),
        ("or nan y", {(0, 1): "left"}),
        ("and zero y", {(0, 1): "left"}),
        ("or zero y", {(0, 1): "right"}),
    ],
)
def test_a_choice_is_decided_where_it_can_be(text: str, decided: dict[Any, str]) -> None:
    """Over ranges of y, where ``a`` is 1..2 and ``nan`` is 1..3 or NaN."""
    tape = ivm.parse(
        "x var-x\ny var-y\na var-z\none const 1\nzero const 0\n"
        f"root sqrt x\nnan add root one\nv {text}"
    )
    operations = {"a": "var-z", "y": "var-y", "nan": "add", "zero": "const"}
    sides = {
        operations[name]: side
        for name, side in zip(text.split()[1:], ["left", "right"], strict=True)
    }
    for y, expected in decided.items():
        short = ivm.simplify(tape, x=(-1, 4), y=y, z=(1, 2))
        last = str(short).splitlines()[-1].split()[1]
        assert sides.get(last, "") == expected, (y, str(short))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_remainder_is_not_bounded_by_its_ends_where_rounding_hides_a_period(dtype: str) -> None:
    kind = np.dtype(dtype).type
    three = kind(3)
    ulp = np.spacing(three)
    for low, high in (
        (kind(0.55) * ulp, three + ulp),  # a little wider than a period, but rounded to one
        (-ulp / kind(1000), three - ulp),  # both ends' remainders round to the same
    ):
        tape = ivm.parse("x var-x\nb const 3\nv mod x b")
        box = ivm.interval(tape, x=(low, high), y=0, dtype=dtype)
        assert (box.lower, box.upper) == (0.0, 3.0)
