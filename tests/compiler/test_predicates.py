"""Questions pushed down a tape have the answer of ``v < 0``, at every float."""

from __future__ import annotations

import math
import operator as op
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.programs import asked_of, neighbours, numbers, special, truth_of, values_of
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.compiler import pipeline
from intervalvm.compiler.nodes import MOST_DEMANDS
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.expr import as_expr, axes
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.row import Demand
from intervalvm.tape import Tape, TapeBuilder

DTYPES = [np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])


# --- every operation that a question is pushed through ----------------------------------------


def check(tape: Tape, points: list[float], dtype: Any, *, y: list[float] | None = None) -> None:
    """The predicates answer ``v < 0`` at all pairs of points, and at the floats beside thresholds.

    Asked twice: about regions of which nothing is known, and about just those points.
    """
    folded = pipeline.folded(tape, Floats(np.dtype(dtype)))
    worst = asked_of(folded, dtype)
    along_x = neighbours(points + worst.limits()[:12], dtype)[:, None]
    along_y = neighbours(points if y is None else y, dtype)[None, :]
    values = values_of(folded, along_x, along_y, dtype)
    with np.errstate(invalid="ignore"):
        expected = values[-1] < 0
    np.testing.assert_array_equal(
        np.broadcast_to(truth_of(worst, values), expected.shape), expected
    )

    nan = np.array([np.isnan(v).any() for v in values])
    lower = np.array([np.min(v, where=~np.isnan(v), initial=np.inf) for v in values], dtype)
    known = asked_of(folded, dtype, lower, nan)
    np.testing.assert_array_equal(
        np.broadcast_to(truth_of(known, values), expected.shape), expected
    )


def asked(builder: TapeBuilder, v: int, t: float, *, greater: bool) -> Tape:
    """A tape that is below 0 where clause ``v`` is below (above) ``t``."""
    limit = builder.const(t)
    builder.clause("sub", *((limit, v) if greater else (v, limit)))
    return builder.build()


def rounded(k: float) -> tuple[float, np.float32]:
    with np.errstate(over="ignore", under="ignore"):
        return k, np.float32(k)


def question(data: st.DataObject, dtype: Any) -> tuple[float, bool]:
    return data.draw(numbers(dtype), label="t"), data.draw(st.booleans(), label="greater")


STEPS = [op.name for op in ROWS if op.demand is not Demand.VALUE]
UNARY, BINARY = ([name for name in STEPS if OPS[name].arity == arity] for arity in (1, 2))


@dtypes
@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_a_question_goes_through_an_operation_of_one(
    name: str, dtype: Any, data: st.DataObject
) -> None:
    t, greater = question(data, dtype)
    builder = TapeBuilder()
    v = builder.clause(name, builder.clause("var-x"))
    points = [*special(dtype), t, data.draw(numbers(dtype))]
    check(asked(builder, v, t, greater=greater), points, dtype, y=[0.0])


@dtypes
@pytest.mark.parametrize("is_left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_a_question_goes_through_an_operation_with_a_constant(
    name: str, is_left: bool, dtype: Any, data: st.DataObject
) -> None:
    t, greater = question(data, dtype)
    k = data.draw(numbers(dtype) | st.sampled_from([np.inf, -np.inf, np.nan]), label="k")
    builder = TapeBuilder()
    x, constant = builder.clause("var-x"), builder.const(k)
    v = builder.clause(name, *((constant, x) if is_left else (x, constant)))
    points = [*special(dtype), t, k, data.draw(numbers(dtype))]
    check(asked(builder, v, t, greater=greater), points, dtype, y=[0.0])


@dtypes
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_a_question_goes_through_an_operation_of_two(
    name: str, dtype: Any, data: st.DataObject
) -> None:
    t, greater = question(data, dtype)
    builder = TapeBuilder()
    v = builder.clause(name, builder.clause("var-x"), builder.clause("var-y"))
    check(asked(builder, v, t, greater=greater), [*special(dtype), t], dtype)


@dtypes
@pytest.mark.parametrize("name", ["min", "max"])
@pytest.mark.parametrize("greater", [False, True])
def test_nan_on_one_side_of_a_choice_answers_no(name: str, greater: bool, dtype: Any) -> None:
    builder = TapeBuilder()
    root = builder.clause("sqrt", builder.clause("var-x"))
    v = builder.clause(name, root, builder.clause("neg", builder.clause("var-y")))
    check(asked(builder, v, 1.0, greater=greater), special(dtype), dtype)


@dtypes
@given(data=st.data())
def test_chains_of_operations_answer_as_their_value_does(dtype: Any, data: st.DataObject) -> None:
    constants = numbers(dtype).map(rounded)
    tape = data.draw(tapes(12, ops={*STEPS, "const", "var-x", "var-y"}, values=constants))
    check(tape, [*special(dtype)[::3], data.draw(numbers(dtype))], dtype)


def truths(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Comparisons of coordinates, values and what is NaN or infinite; what joins them."""
    x, y, _ = axes()
    sides = st.sampled_from([x, y, ivm.sqrt(x), x / y, x * 2 - 1, abs(y) + 1]) | values
    compared = st.builds(
        lambda compare, a, b: compare(as_expr(a), b),
        st.sampled_from([op.lt, op.le, op.gt, op.ge, op.eq, op.ne]), sides, sides,
    )  # fmt: skip
    joins = st.sampled_from(
        [op.and_, op.or_, op.xor, op.mul, ivm.minimum, ivm.maximum, ivm.and_, ivm.or_]
    )
    return st.recursive(
        compared,
        lambda inner: (
            st.builds(op.invert, inner)
            | st.builds(ivm.where, inner, inner, inner)
            | st.builds(lambda join, a, b: join(a, b), joins, inner, inner)
        ),
        max_leaves=6,
    )


@dtypes
@given(data=st.data())
def test_truths_answer_as_their_value_does(dtype: Any, data: st.DataObject) -> None:
    truth = data.draw(truths(numbers(dtype) | st.sampled_from([math.inf, -math.inf, math.nan])))
    field = data.draw(st.sampled_from([truth, 0.5 - ~truth, -(0.5 - truth), truth - 1, -truth]))
    check(field.tape(), [*special(dtype)[::3], data.draw(numbers(dtype))], dtype)


@dtypes
@pytest.mark.parametrize(
    ("truth", "records"),
    [
        (lambda x, y: x < y, "less"),
        (lambda x, y: x * x + y * y < 0.25, "square square sum_less"),
        (lambda x, y: x * x + y * y <= 0.25, "square square sum_less"),
        (lambda x, y: ~(x * x + y * y > 0.25), "square square sum_less"),
        (lambda x, y: (x < 0.25) & (y >= 0.5), "less less and"),
        (lambda x, y: (x < 0.25) | ~(y > 0.5), "less less or"),
        (lambda x, y: ivm.where(x < 0, y < 0, y > 1), "less less less less and and or"),
    ],
)
def test_a_truth_asks_no_more_than_a_field_would(truth: Any, records: str, dtype: Any) -> None:
    x, y, _ = axes()
    tape = pipeline.folded(truth(x, y).tape(), Floats(np.dtype(dtype)))
    asked = asked_of(tape, dtype, maybe_nan=False)
    lines = str(asked.program).splitlines()
    assert " ".join(line.split()[2] for line in lines) == records


@dtypes
@given(data=st.data())
def test_random_tapes_answer_as_their_value_does(dtype: Any, data: st.DataObject) -> None:
    tape = data.draw(tapes(24))
    if "var-z" not in str(tape):
        check(tape, [*special(dtype)[::2], data.draw(numbers(dtype))], dtype)


# --- growth -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shells", [10, 40, 400])
def test_questions_about_many_thresholds_stop_being_pushed(shells: int) -> None:
    """Each shell asks its inside twice, so without a bound there would be 2**shells questions."""
    builder = TapeBuilder()
    v = builder.clause("add", builder.clause("var-x"), builder.clause("var-y"))
    for i in range(shells):
        v = builder.clause("sub", builder.clause("abs", v), builder.const(1 / (i + 2)))
    tape = builder.build()
    n, found = len(tape), asked_of(tape, np.float32)
    most = MOST_DEMANDS * n + 64
    assert len(found.nodes) <= most + 3
    assert len(found.program) <= n + most + 3
    check(tape, [0.0, 0.3, -0.7], np.float32)
