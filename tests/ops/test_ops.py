"""Every operation, in every evaluator, against a definition that owes the package nothing.

The expected values come from ``scalar``. All evaluators must agree with it bit for bit (any NaN is
as good as another). The functions have no other definition than their own sequence of operations:
the evaluators must agree on them bit for bit, and ``test_functions`` says how near they are.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import scalar
from support.lane_kernels import LaneEvaluator
from support.operations import (
    DTYPES,
    FUNCTIONS,
    OPERATIONS,
    assert_same_bits,
    careful_lanes,
    dense,
    numbers,
    tape_of,
)

from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import VARIANTS, Variant
from intervalvm.evaluate.boxes import bounds
from intervalvm.ops import OPS
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape, TapeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

EXACT = [name for name in OPERATIONS if name not in FUNCTIONS]
NAN, INF = math.nan, math.inf
ONE_BELOW = object()
"""Stands for the largest float below 1, whatever the dtype."""


@cache
def operands_of(op: str, dtype: str) -> tuple[Any, ...]:
    """Operands to try: all numbers, or all pairs of them; and random bit patterns."""
    edges, arity = numbers(dtype), OPS[op].arity
    tried = np.meshgrid(*[edges] * arity, indexing="ij")
    random = np.random.default_rng(OPERATIONS.index(op))
    noise = random.integers(0, 256, (arity, 2000 * edges.itemsize), np.uint8).view(dtype)
    small = random.normal(0, 3, (arity, 2000)).astype(dtype)
    return tuple(
        np.concatenate((axis.ravel(), *more))
        for axis, *more in zip(tried, noise, small, strict=True)
    )


@cache
def expected_of(op: str, dtype: str) -> Any:
    """What ``scalar`` says; of a function, what the dense evaluator does."""
    if op in FUNCTIONS:
        return dense(op, dtype, operands_of(op, dtype))
    value = scalar.VALUE[op]
    rows = zip(*(operand.tolist() for operand in operands_of(op, dtype)), strict=True)
    return np.array([value(*row, dtype) for row in rows], dtype)


def with_constant(variant: Variant, value: Any) -> Tape:
    """The operation on x and y, with a constant instead where the variant has one."""
    tape = TapeBuilder()
    with np.errstate(over="ignore", under="ignore"):
        single = np.float32(value)
    operands = [
        tape.const(float(value), single) if kind == "k" else tape.clause(name)
        for name, kind in zip(("var-x", "var-y"), variant.kinds, strict=True)
    ]
    tape.clause(variant.op, *operands)
    return tape.build().check()


def tame_lanes(op: str, dtype: str, operands: tuple[Any, ...]) -> Any:
    packed = plain_program(tape_of(op), np.dtype(dtype))
    return LaneEvaluator(dtype, tame=True).points(packed, *(*operands, 0.0)[:2])


EVALUATORS = [dense, careful_lanes, tame_lanes]


def tried_by(evaluator: Any, op: str, dtype: str) -> tuple[tuple[Any, ...], Any]:
    """Operands that the evaluator takes, and what is expected: tame lanes promise finite ones."""
    operands, expected = operands_of(op, dtype), expected_of(op, dtype)
    if evaluator is tame_lanes:
        kept = np.isfinite(expected)
        for operand in operands:
            kept &= np.isfinite(operand)
        operands, expected = tuple(operand[kept] for operand in operands), expected[kept]
        assert len(expected) > 100
    return operands, expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("op", OPERATIONS)
def test_value_has_the_bits_of_the_definition(
    op: str, evaluator: Callable[..., Any], dtype: str
) -> None:
    operands, expected = tried_by(evaluator, op, dtype)
    assert_same_bits(evaluator(op, dtype, operands), expected, operands)


EXAMPLES = [
    # as the format states them; the hashes were printed by the program that they come from
    ("rand", (0.0,), 0.030199885368347168),
    ("rand", (1.0,), 0.9442640542984009),
    ("rand", (-0.0,), 0.13194501399993896),
    ("mix", (1.0, 2.0), np.uint32(0x8CD1485F).view(np.float32)),
    ("mix", (2.0, 1.0), np.uint32(0x467BBA2A).view(np.float32)),
    ("min", (0.0, -0.0), -0.0),
    ("min", (-0.0, 0.0), 0.0),
    ("max", (0.0, -0.0), -0.0),
    ("max", (-0.0, 0.0), 0.0),
    ("min", (NAN, 1.0), NAN),
    ("min", (1.0, NAN), NAN),
    ("max", (NAN, INF), NAN),
    ("sqrt", (-1.0,), NAN),
    ("sqrt", (-0.0,), -0.0),
    ("recip", (-0.0,), -INF),
    ("div", (1.0, -0.0), -INF),
    ("div", (0.0, 0.0), NAN),
    ("square", (-0.0,), 0.0),
    ("round", (0.5,), 1.0),
    ("round", (-2.5,), -3.0),
    ("round", (0.49999997,), 0.0),
    ("round", (-0.25,), -0.0),
    ("floor", (-0.0,), -0.0),
    ("ceil", (-0.25,), -0.0),
    ("mod", (-7.0, 3.0), 2.0),
    ("mod", (-7.0, -3.0), 2.0),
    ("mod", (7.0, -3.0), 1.0),
    ("mod", (-1e-20, 1.0), ONE_BELOW),
    ("mod", (1.0, 0.0), NAN),
    ("mod", (INF, 1.0), NAN),
    ("mod", (1.0, -INF), 1.0),
    ("compare", (INF, INF), 0.0),
    ("compare", (-0.0, 0.0), 0.0),
    ("compare", (NAN, 0.0), NAN),
    ("compare", (0.0, NAN), NAN),
    ("compare", (-INF, 3.0), -1.0),
    ("and", (-0.0, 2.0), -0.0),
    ("and", (NAN, 2.0), 2.0),
    ("and", (3.0, NAN), NAN),
    ("or", (-0.0, 2.0), 2.0),
    ("or", (NAN, 2.0), NAN),
    ("or", (3.0, NAN), 3.0),
    ("not", (-0.0,), 1.0),
    ("not", (NAN,), 0.0),
    ("ln", (0.0,), -INF),
    ("ln", (-0.0,), -INF),
    ("ln", (-1.0,), NAN),
    ("asin", (1.5,), NAN),
    ("acos", (-1.5,), NAN),
    ("sin", (INF,), NAN),
    ("exp", (-INF,), 0.0),
    ("exp", (1000.0,), INF),
    ("atan", (INF,), math.pi / 2),
    ("atan2", (0.0, 1.0), 0.0),
    ("atan2", (-0.0, 1.0), -0.0),
    ("atan2", (0.0, -1.0), math.pi),
    ("atan2", (-0.0, -1.0), -math.pi),
    ("atan2", (0.0, -0.0), math.pi),
    ("atan2", (-0.0, -0.0), -math.pi),
    ("atan2", (0.0, 0.0), 0.0),
    ("atan2", (1.0, 0.0), math.pi / 2),
    ("atan2", (1.0, -INF), math.pi),
    ("atan2", (-1.0, INF), -0.0),
    ("atan2", (INF, INF), math.pi / 4),
    ("atan2", (-INF, -INF), -3 * math.pi / 4),
    ("atan2", (NAN, 1.0), NAN),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("op", "operands", "value"), EXAMPLES)
def test_value_is_the_one_that_the_format_states(
    op: str, operands: tuple[float, ...], value: Any, dtype: str
) -> None:
    """In the definition that the others are held to as well: these values are its own check."""
    if value is ONE_BELOW:
        value = np.nextafter(np.dtype(dtype).type(1), np.dtype(dtype).type(0))
    operands = tuple(float(np.dtype(dtype).type(operand)) for operand in operands)
    expected = np.array([value], dtype)
    defined = np.array([scalar.VALUE[op](*operands, dtype)], dtype)
    assert_same_bits(defined, expected, tuple([o] for o in operands))
    for evaluator in (dense, careful_lanes):
        arrays = tuple(np.array([operand], dtype) for operand in operands)
        assert_same_bits(evaluator(op, dtype, arrays), expected, arrays)


def test_every_operation_has_a_definition_here() -> None:
    assert set(scalar.VALUE) == set(OPERATIONS)


CONSTANT_VARIANTS = [v for v in VARIANTS if v.out == "f" and "k" in v.kinds and len(v.kinds) == 2]


@pytest.mark.parametrize("tame", [False, True], ids=["careful", "tame"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("variant", CONSTANT_VARIANTS, ids=str)
def test_lanes_take_an_operand_from_the_pool_of_constants(
    variant: Variant, dtype: str, tame: bool
) -> None:
    """Every variant of a step, against the step that reads both operands from slots."""
    op, edges = variant.op, numbers(dtype)
    lanes = LaneEvaluator(dtype, tame=tame)
    if tame:
        edges = edges[np.isfinite(edges)]
    for value in edges[:: len(edges) // 12]:
        packed = plain_program(with_constant(variant, value), np.dtype(dtype))
        assert str(packed).startswith(f"f3 = {op} ")
        operands = tuple(np.full_like(edges, value) if k == "k" else edges for k in variant.kinds)
        expected = (careful_lanes, tame_lanes)[tame](op, dtype, operands)
        finite = np.isfinite(expected) if tame else np.full(edges.shape, True)
        actual = np.broadcast_to(lanes.points(packed, edges, edges), edges.shape)
        assert_same_bits(actual[finite], expected[finite], tuple(o[finite] for o in operands))


def interval_of(dtype: str, values: Any) -> Interval:
    """Each value as a box of its own; NaN may be anything."""
    nan = np.isnan(values)
    return Interval(np.where(nan, -np.inf, values), np.where(nan, np.inf, values), nan)


def numpy_interval(op: str, dtype: str, operands: tuple[Any, ...]) -> Interval:
    boxes = [interval_of(dtype, operand) for operand in operands]
    axes = dict(zip(("var-x", "var-y"), (*boxes, *boxes), strict=False))
    return bounds(tape_of(op), axes, (), np.dtype(dtype)).root


def lane_interval(op: str, dtype: str, operands: tuple[Any, ...]) -> Interval:
    packed, lanes = plain_program(tape_of(op), np.dtype(dtype)), LaneEvaluator(dtype)
    parts = []
    for start in range(0, len(operands[0]), 64):
        boxes = [interval_of(dtype, operand[start : start + 64]) for operand in operands]
        found = lanes.interval(packed, *(*boxes, *boxes)[:2])
        parts.append((found.lower[-1], found.upper[-1], found.maybe_nan[-1]))
    return Interval(*map(np.concatenate, zip(*parts, strict=True)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("evaluator", [numpy_interval, lane_interval])
@pytest.mark.parametrize("op", OPERATIONS)
def test_interval_of_a_single_point_is_its_value(
    op: str, evaluator: Callable[..., Interval], dtype: str
) -> None:
    """Exactly, but where a bound of 0 stands for both zeros, and for functions."""
    operands = operands_of(op, dtype)
    values = dense(op, dtype, operands)
    lower, upper, maybe_nan = evaluator(op, dtype, operands)
    assert not np.isnan([lower, upper]).any()
    assert maybe_nan[np.isnan(values)].all()
    inside = np.isnan(values) | ((lower <= values) & (values <= upper))
    wrong = np.flatnonzero(~inside)[:5]
    assert inside.all(), [(*(o[i] for o in operands), values[i], lower[i], upper[i]) for i in wrong]
    if op in EXACT:
        plain = ~np.isnan(values)
        for operand in operands:
            plain &= np.isfinite(operand) & (operand != 0)
        assert_array_equal(lower[plain], values[plain])
        assert_array_equal(upper[plain], values[plain])
        assert not maybe_nan[plain].any()
