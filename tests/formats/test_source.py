"""The Python text of an expression: it makes the same tape again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.compiler.truths import truths
from intervalvm.expr import Expr, axes, expression, var
from intervalvm.formats.write import LONGEST_INLINE
from intervalvm.tape import Tape

x, y, z = axes()


def run(source: str) -> Expr:
    """What the text says, with the names that it may use."""
    names: dict[str, Any] = {**vars(ivm), "x": x, "y": y, "z": z}
    *lines, last = source.split("\n")
    exec("\n".join(lines), names)
    made = eval(last, names)
    assert isinstance(made, Expr)
    return made


@given(tapes(40, variables=["r", "t1", "sqrt", "if", "a-b", "x2", "print"]))
def test_the_text_makes_the_same_tape(tape: Tape) -> None:
    shape = expression(tape)
    assert run(str(shape)).tape() == shape.tape()


@given(tapes(10), tapes(10), tapes(10))
def test_comparisons_and_choices_make_the_same_tape_too(one: Tape, two: Tape, last: Tape) -> None:
    a, b, c = map(expression, (one, two, last))
    shape = np.where((a < b) != (b >= c), np.where(a, a == c, c <= b), np.greater(a, 2) - b)
    assert run(str(shape)).tape() == shape.tape()


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (x - 1, "x - 1.0"),
        ((x - y) - z, "x - y - z"),
        (x - (y - z), "x - (y - z)"),
        ((x + y) * -z, "(x + y) * -z"),
        (-(x * y), "-(x * y)"),
        (-(x**2), "-x**2"),
        ((-x) ** 2, "(-x)**2"),
        ((x**2) ** 2, "(x**2)**2"),
        (x / (y / 2), "x / (y / 2.0)"),
        (x % 2 * 3, "x % 2.0 * 3.0"),
        (abs(x) - -0.0, "abs(x) - -0.0"),
        (2 - x, "2.0 - x"),
        (ivm.minimum(x, math.inf), "minimum(x, float('inf'))"),
        (x - -math.inf, "x - -float('inf')"),
        (x * math.nan, "x * float('nan')"),
        (ivm.constant(2), "constant(2.0)"),
        (ivm.constant(2) + 3, "constant(2.0) + 3.0"),
        (-ivm.constant(2), "-constant(2.0)"),
        (ivm.square(2), "square(2.0)"),
        (ivm.atan2(y, ivm.reciprocal(x)), "arctan2(y, reciprocal(x))"),
        (x - var("r", 0.5), "x - var('r', 0.5)"),
        (x * var("r") - var("r"), "x * var('r') - var('r')"),
        (x / x, "x / x"),
        (x < y, "x < y"),
        (x <= 1, "x <= 1.0"),
        (x > y + 1, "x > y + 1.0"),
        (x >= -y, "x >= -y"),
        (x == y, "x == y"),
        ((x < y) < z, "(x < y) < z"),
        (np.less(1, x), "constant(1.0) < x"),
        (np.where(x > 0, 1, -y), "where(x > 0.0, 1.0, -y)"),
        (np.where(x, y, z), "where(x, y, z)"),
        (ivm.not_(ivm.compare(x, y) + 2), "not_(compare(x, y) + 2.0)"),
    ],
)
def test_it_is_what_one_would_write(shape: Expr, text: str) -> None:
    assert str(shape) == text
    assert run(text).tape() == shape.tape()


def test_shared_parts_and_shared_variables_get_names() -> None:
    r, part = var("r", 0.5), x - 0.5
    assert str(ivm.sqrt(part**2 + r) + part * r) == (
        "t0 = x - 0.5\nr = var('r', 0.5)\nsqrt(t0**2 + r) + t0 * r"
    )


def test_a_long_expression_has_short_lines_and_a_deep_one_no_deep_parentheses() -> None:
    shape = x
    for i in range(2000):
        shape = ivm.sqrt(ivm.minimum(shape, y + i / 7)) if i % 2 else -shape
    text = str(shape)
    assert max(map(len, text.split("\n"))) < 2 * LONGEST_INLINE + 30
    assert run(text).tape() == shape.tape()


def test_a_defaults_value_comes_back() -> None:
    assert run(str(x - var("r", 0.25))).defaults == {"r": 0.25}


@given(tapes(40, variables=["r", "s"]))
def test_a_tape_of_an_expression_and_back_keeps_the_clauses(tape: Tape) -> None:
    listed = expression(tape).tape()
    assert expression(listed).tape() == listed
    assert len(listed) <= len(tape) + truths(tape)[-1], "of a truth a copy, drawn as the tape is"
    ours, theirs = (
        ivm.evaluate(t, 0.3, -0.7, 1.5, variables=dict.fromkeys(t.variables, 2), dtype="float64")
        for t in (listed, tape)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_a_tape_becomes_a_part_of_another_shape_at_other_coordinates() -> None:
    tape = (x * 2 + y - z).tape()
    assert expression(tape).tape() == tape
    assert expression(tape, x - 1, z=0.5).tape() == ((x - 1) * 2 + y - 0.5).tape()
