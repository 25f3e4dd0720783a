"""Programs of records: what the assembler writes, and that it means the same as the tape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.programs import asked_of, neighbours, numbers, run, special, values_of
from support.strategies import tapes

from intervalvm import parse
from intervalvm.compiler import pipeline
from intervalvm.compiler.assemble import assemble
from intervalvm.compiler.fold import unfolded
from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import VARIANTS, Program
from intervalvm.evaluate.arithmetic import ClauseBounds, Floats
from intervalvm.ops import CODE, ROWS
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

DTYPES = [np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
XY = "x var-x\ny var-y\n"


def folded(text: str) -> Tape:
    return pipeline.folded(parse(text), Floats(np.dtype(np.float32)))


def value(text: str) -> str:
    return value_of(folded(text))


def value_of(tape: Tape) -> str:
    return str(program_of_value(tape, np.float32))


def program_of_value(tape: Tape, dtype: Any) -> Program:
    table, n = unfolded(tape, Floats(np.dtype(dtype))), len(tape)
    nothing = ClauseBounds(np.zeros(n), np.zeros(n), np.zeros(n, bool))
    return assemble(table, Question.VALUE, nothing, np.dtype(dtype), Meaning.FLOAT)


def bitmap(text: str, *, maybe_nan: bool = False, lower: float = -np.inf) -> str:
    """The program of a tape of whose values so much is known."""
    return str(program_of_bitmap(folded(text), np.float32, maybe_nan, lower))


def program_of_bitmap(
    tape: Tape, dtype: Any, maybe_nan: bool = True, lower: float = -np.inf
) -> Program:
    return asked_of(tape, dtype, lower, maybe_nan).program


# --- the assembler ----------------------------------------------------------------------------


def test_a_value_has_the_kind_of_what_it_depends_on() -> None:
    assert value(XY + "k const 2\na square x\nb add k y\nc add a b\nv exp c") == (
        "a3 = square a0\na4 = add 2.0 a1\nf5 = add x3 y4\nf6 = exp f5"
    )


def test_the_third_word_of_an_axis_term_is_its_axis() -> None:
    program = program_of_value(folded(XY + "a neg x\nb exp y\nv mul a b"), np.float32)
    assert program.records[:, 3].tolist() == [0, 1, 0]


def test_a_difference_of_axes_is_the_sum_with_a_negative_shared() -> None:
    assert value(XY + "a sub x y\nb square a\nc sub y x\nd sub x y\ne mul b c\nv mul e d") == (
        "a3 = neg a1\n"
        "f4 = add x0 y3\n"
        "f5 = square f4\n"
        "a6 = neg a0\n"
        "f7 = add y1 x6\n"
        "f8 = mul f5 f7\n"
        "f9 = mul f8 f4"
    )


@pytest.mark.parametrize("difference", ["sub y x", "add y n", "add n y"])
def test_a_difference_against_a_number_is_one_sum_whichever_axis_is_taken_away(
    difference: str,
) -> None:
    assert bitmap(f"{XY}n neg x\nk const 0.5\nd {difference}\nv sub d k") == (
        "a3 = neg a0\nt4 = sum_less x3 y1 0.5"
    )


def test_an_axis_term_is_spread_once() -> None:
    assert value(XY + "a square x\nb min a y\nc mod a y\nd max b c\ne max d a\nv sub e x") == (
        "a3 = square a0\n"
        "f4 = spread x3\n"
        "f5 = spread y1\n"
        "f6 = min f4 f5\n"
        "f7 = mod f4 f5\n"
        "f8 = max f6 f7\n"
        "f9 = max f8 f4\n"
        "f10 = spread x0\n"
        "f11 = sub f9 f10"
    )


def test_both_zeros_are_constants_of_their_own() -> None:
    text = "x var-x\nz const 0\nm const -0.0\na min x z\nb max x m\nc min b z\nv mul a c"
    pool = program_of_value(folded(text), np.float64).constants
    assert sorted(map(repr, pool.tolist())) == ["-0.0", "0.0"]


def test_all_nan_are_one_constant() -> None:
    text = "x var-x\nn const nan\nz const 0\nk div z z\na add x n\nb mul x k\nv min a b"
    pool = program_of_value(parse(text), np.float64).constants
    assert np.count_nonzero(np.isnan(pool)) == 1


def test_operations_on_constants_alone_are_written_too() -> None:
    """A tape that is not folded may have some."""
    assert value_of(parse("a const 2\nb const 3\nv add a b")) == "f3 = copy 2.0\nf4 = add f3 3.0"


def test_a_result_is_always_written_by_a_record() -> None:
    assert value("v const 3") == "f3 = copy 3.0"
    assert value("v var-x") == "f3 = spread x0"
    assert value("y var-y\nv neg y") == "a3 = neg a1\nf4 = spread y3"


def test_operations_with_a_choice_never_join_kinds() -> None:
    """An alias keeps its kind: the result of a choice has that of its operands."""
    for variant in VARIANTS:
        if variant.has_choice and variant.out != "t":
            assert set(variant.kinds) - {"k"} == {variant.out}


# --- programs of pictures ---------------------------------------------------------------------


def test_a_circle_is_one_sum_of_axis_terms() -> None:
    text = XY + "a square x\nb square y\nc add a b\nd sqrt c\nk const 0.5\nv sub d k"
    assert bitmap(text, lower=0.0) == (
        "a3 = square a0\n"  # the root is below 0.5 where its square is below 0.25
        "a4 = square a1\n"
        "t5 = sum_less x3 y4 0.25"
    )


def test_a_rectangle_is_four_comparisons() -> None:
    text = (
        XY + "k const 0.5\nm const -0.5\na sub x k\nb sub m x\nc sub y k\nd sub m y\n"
        "e max a b\nf max c d\nv max e f"
    )
    assert bitmap(text, maybe_nan=True) == (
        "t3 = less x0 0.5\n"
        "t4 = less -0.5 x0\n"
        "t5 = less y1 0.5\n"
        "t6 = less -0.5 y1\n"
        "t7 = and t3 t4\n"
        "t8 = and t5 t6\n"
        "t9 = and t7 t8"
    )


def test_a_shell_asks_for_both_sides() -> None:
    text = (
        XY + "a square x\nb square y\nc add a b\nd sqrt c\nr const 0.5\ne sub d r\n"
        "f abs e\nk const 0.125\nv sub f k"
    )
    assert bitmap(text, lower=0.0) == (
        "a3 = square a0\n"
        "a4 = square a1\n"
        "t5 = sum_less x3 y4 0.3906249701976776\n"  # 0.625 squared, less a rounding
        "t6 = sum_less 0.140625 x3 y4\n"
        "t7 = and t5 t6"
    )


@pytest.mark.parametrize("square", ["mul x x", "square x"])
def test_a_square_is_two_comparisons(square: str) -> None:
    text = f"x var-x\na {square}\nk const 0.25\n"
    assert bitmap(text + "v sub a k") == "t3 = less x0 0.5\nt4 = less -0.5 x0\nt5 = and t3 t4"
    assert bitmap(text + "v sub k a") == "t3 = less 0.5 x0\nt4 = less x0 -0.5\nt5 = or t3 t4"


def test_a_difference_below_zero_compares_its_operands() -> None:
    assert bitmap(XY + "v sub x y", maybe_nan=True) == "t3 = less x0 y1"
    assert bitmap(XY + "a sub x y\nv neg a", maybe_nan=True) == "t3 = less y1 x0"


def test_what_may_be_nan_stays_a_value() -> None:
    text = XY + "a sqrt x\nb sqrt y\nk const 2\nc min a b\nv sub c k"
    assert bitmap(text, maybe_nan=True) == (
        "a3 = sqrt a0\n"
        "a4 = sqrt a1\n"
        "f5 = spread x3\n"
        "f6 = spread y4\n"
        "f7 = min f5 f6\n"
        "t8 = less f7 2.0"
    )
    assert bitmap(text, lower=0.0) == "t3 = less x0 4.0\nt4 = less y1 4.0\nt5 = or t3 t4"


@pytest.mark.parametrize(
    ("text", "limit"), [("v const -1", "inf"), ("v const 0", "-inf"), ("v const nan", "-inf")]
)
def test_a_known_picture_is_one_comparison(text: str, limit: str) -> None:
    assert bitmap(text) == f"t3 = less x0 {limit}"


# --- programs mean what their tapes mean --------------------------------------------------------


def points(data: st.DataObject, dtype: Any) -> tuple[Any, Any]:
    along = neighbours([*special(dtype)[::2], data.draw(numbers(dtype))], dtype)
    along = along[np.isfinite(along)]  # coordinates are
    return along[:, None], along[None, :]


def drawn(data: st.DataObject, dtype: Any) -> Tape:
    inputs = {"const", "var-x", "var-y"}
    ops = {op.name for op in ROWS if op.arity} | inputs
    return pipeline.folded(data.draw(tapes(30, ops=ops)), Floats(np.dtype(dtype)))


def assert_same_bits(found: Any, expected: Any) -> None:
    found, expected = np.broadcast_arrays(found, expected)
    np.testing.assert_array_equal(found, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(expected[numbers]))


@dtypes
@given(data=st.data())
def test_value_programs_give_the_bits_of_the_tape(dtype: Any, data: st.DataObject) -> None:
    tape = drawn(data, dtype)
    x, y = points(data, dtype)
    program = program_of_value(tape, dtype)
    assert_same_bits(run(program, x, y), values_of(tape, x, y, dtype)[-1])


@dtypes
@given(data=st.data())
def test_plain_programs_give_the_bits_of_the_tape(dtype: Any, data: st.DataObject) -> None:
    tape = drawn(data, dtype)
    x, y = points(data, dtype)
    program = plain_program(tape, np.dtype(dtype))
    is_constant = tape.codes[-1] == CODE["const"]
    assert len(program) == sum(ROWS[code].arity > 0 for code in tape.codes) + is_constant
    if len(program):
        found = run(program, x, y, all_full=True)
        assert_same_bits(found, values_of(tape, x, y, dtype)[-1])


@dtypes
@given(data=st.data())
def test_a_plain_program_of_an_unfolded_tape_gives_its_bits(
    dtype: Any, data: st.DataObject
) -> None:
    inputs = {"const", "var-x", "var-y"}
    tape = data.draw(tapes(12, ops={op.name for op in ROWS if op.arity} | inputs))
    program = plain_program(tape, np.dtype(dtype))
    if len(program):
        x, y = points(data, dtype)
        found = run(program, x, y, all_full=True)
        assert_same_bits(found, values_of(tape, x, y, dtype)[-1])


@dtypes
@given(data=st.data())
def test_bitmap_programs_answer_for_the_tape(dtype: Any, data: st.DataObject) -> None:
    tape = drawn(data, dtype)
    x, y = points(data, dtype)
    with np.errstate(invalid="ignore"):
        expected = values_of(tape, x, y, dtype)[-1] < 0
    found = run(program_of_bitmap(tape, dtype), x, y)
    np.testing.assert_array_equal(*np.broadcast_arrays(found, expected))
