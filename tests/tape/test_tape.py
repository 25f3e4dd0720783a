"""The tape: frozen arrays that print, compare and travel; constants rounded once."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.strategies import beside_a_middle, constants, tapes

from intervalvm.errors import OptionError, VariableError
from intervalvm.ops import CODE, ROWS
from intervalvm.tape import NONE, Tape, TapeBuilder, select
from intervalvm.tape.numbers import as_single, constant_text

ARRAYS = ("codes", "left", "right", "wide", "single")
LARGEST = float(np.finfo(np.float32).max)


def circle() -> Tape:
    """A circle of free radius: x*x + y*y - r."""
    tape = TapeBuilder()
    x2 = tape.clause("square", tape.clause("var-x"))
    y2 = tape.clause("square", tape.clause("var-y"))
    tape.clause("sub", tape.clause("add", x2, y2), tape.variable("r"))
    return tape.build().check()


def constant(wide: float, single: np.float32 | None = None) -> Tape:
    tape = TapeBuilder()
    tape.const(wide, single)
    return tape.build().check()


class TestValue:
    """A tape is a value: frozen, compared by content, safe to copy."""

    @pytest.mark.parametrize("name", ARRAYS)
    def test_arrays_are_read_only(self, name: str) -> None:
        with pytest.raises(ValueError, match="read-only"):
            getattr(circle(), name)[0] = 0

    @pytest.mark.parametrize("name", [*ARRAYS, "variables", "colour"])
    def test_attributes_cannot_be_set(self, name: str) -> None:
        with pytest.raises(AttributeError, match=f"a Tape is immutable: '{name}' cannot be set"):
            setattr(circle(), name, None)

    def test_arrays_are_copies_of_what_was_given(self) -> None:
        codes = np.array([CODE["var-x"]], np.uint8)
        tape = Tape(codes, [NONE], [NONE], [0.0], [0.0])
        codes[0] = CODE["var-y"]
        assert tape.axes == ("x",)
        assert codes.flags.writeable

    def test_arrays_have_the_stated_types(self) -> None:
        types = [getattr(circle(), name).dtype for name in ARRAYS]
        assert types == [np.uint8, np.int32, np.int32, np.float64, np.float32]

    @given(tapes(variables=("r", "s")))
    def test_equal_content_is_equal_and_hashes_alike(self, tape: Tape) -> None:
        other = Tape(*(getattr(tape, name) for name in ARRAYS), variables=tape.variables)
        assert other is not tape
        assert other == tape
        assert hash(other) == hash(tape)
        assert len({other, tape}) == 1

    @given(tapes(variables=("r", "s")))
    def test_survives_pickle_and_copy(self, tape: Tape) -> None:
        for twin in (pickle.loads(pickle.dumps(tape)), copy.copy(tape), copy.deepcopy(tape)):
            assert twin == tape
            assert hash(twin) == hash(tape)
            assert not twin.codes.flags.writeable

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (constant(0.0), constant(-0.0)),
            (constant(0.1), constant(0.1, np.float32(0.2))),
            (constant(1e-60), constant(1e-61)),
            (constant(1.0), constant(2.0)),
        ],
    )
    def test_any_bit_makes_a_difference(self, one: Tape, other: Tape) -> None:
        assert one != other

    def test_the_names_of_variables_make_a_difference(self) -> None:
        tape, other = TapeBuilder(), TapeBuilder()
        tape.variable("r")
        other.variable("s")
        assert tape.build() != other.build()

    def test_a_nan_is_one_value_whatever_its_sign(self) -> None:
        assert constant(-np.nan) == constant(np.nan)
        assert constant(float(-np.float64("nan")), -np.float32("nan")) == constant(np.nan)

    def test_is_not_equal_to_something_else(self) -> None:
        assert circle() != str(circle())

    def test_derived_is_made_once_and_does_not_change_the_tape(self) -> None:
        tape, made = circle(), []
        for _ in range(2):
            assert tape.derived("key", lambda: made.append(1) or "plan") == "plan"
        assert made == [1]
        assert tape == circle()
        assert pickle.loads(pickle.dumps(tape)).derived("key", lambda: "new") == "new"


class TestPrint:
    def test_str_is_vm_text(self) -> None:
        assert str(circle()) == (
            "_0 var-x\n_1 square _0\n_2 var-y\n_3 square _2\n_4 add _1 _3\n_5 var-r\n_6 sub _4 _5\n"
        )

    def test_names_are_hexadecimal(self) -> None:
        tape = TapeBuilder()
        for _ in range(27):
            tape.clause("var-x")
        tape.clause("add", 10, 26)
        assert tape.build().clause(27) == "_1b add _a _1a"

    def test_repr_fits_a_line(self) -> None:
        assert repr(circle()) == "<Tape of 7 clauses in x, y, variables=['r']>"
        assert repr(constant(1.0)) == "<Tape of 1 clauses in no axis>"

    @given(tapes())
    def test_has_one_line_a_clause(self, tape: Tape) -> None:
        assert str(tape).splitlines() == [tape.clause(i) for i in range(len(tape))]
        assert str(tape).endswith("\n")


class TestLookups:
    def test_axes_are_those_read(self) -> None:
        assert circle().axes == ("x", "y")
        assert constant(1.0).axes == ()

    def test_counts_are_sorted_by_frequency(self) -> None:
        expected = {"square": 2, "var-x": 1, "var-y": 1, "add": 1, "var": 1, "sub": 1}
        assert circle().counts() == expected
        assert next(iter(circle().counts())) == "square"

    def test_operands(self) -> None:
        found = [circle().operands(i) for i in range(7)]
        assert found == [(), (0,), (), (2,), (1, 3), (), (4, 5)]

    def test_constants_by_dtype(self) -> None:
        tape = constant(0.1)
        assert tape.constants(np.dtype("float64")) is tape.wide
        assert tape.constants(np.dtype("float32")) is tape.single
        assert tape.wide.tolist() == [0.1]
        assert tape.single.tolist() == [float(np.float32(0.1))]

    def test_constants_are_zero_elsewhere(self) -> None:
        assert not circle().wide.any()
        assert not circle().single.any()

    def test_a_constant_too_large_for_float32_is_infinite(self) -> None:
        assert constant(1e300).single.tolist() == [np.inf]


class TestSettings:
    def test_come_in_the_order_of_variables(self) -> None:
        tape = TapeBuilder()
        tape.variable("b")
        tape.variable("a")
        tape.variable("b")
        assert tape.build().variables == ("b", "a")
        assert tape.build().settings({"a": 1, "b": 2}) == (2, 1)

    def test_none_are_needed_without_variables(self) -> None:
        assert constant(1.0).settings(None) == constant(1.0).settings({}) == ()

    def test_a_missing_one_is_named_with_both_ways_to_set_it(self) -> None:
        with pytest.raises(VariableError) as raised:
            circle().settings(None)
        assert str(raised.value) == (
            "the free variable 'r' of the tape has no value: pass variables={'r': ...} "
            "(on the command line: --set r=VALUE)"
        )

    def test_an_unknown_one_is_named_beside_the_known(self) -> None:
        with pytest.raises(VariableError) as raised:
            circle().settings({"r": 1, "radius": 2})
        assert str(raised.value) == "the tape has no free variable 'radius'; it has 'r'"
        with pytest.raises(VariableError, match=r"variable 'rr' \(did you mean 'r'\?\); it"):
            circle().settings({"rr": 1})  # rather than that r has no value
        with pytest.raises(VariableError, match="no free variable 'r'; it has none"):
            constant(1.0).settings({"r": 1})

    @pytest.mark.parametrize("name", ["x", "y", "z"])
    def test_a_variable_is_not_named_like_a_coordinate(self, name: str) -> None:
        with pytest.raises(OptionError, match=f"^'{name}' is a coordinate: a free variable needs"):
            TapeBuilder().variable(name)

    @pytest.mark.parametrize("name", ["", " ", "two words", "line\n", "no\u00a0break"])
    def test_the_name_of_a_variable_is_one_word(self, name: str) -> None:
        with pytest.raises(OptionError, match="is not one word: a free variable needs another"):
            TapeBuilder().variable(name)


class TestCheck:
    @given(tapes(variables=("r", "s")))
    def test_returns_a_valid_tape(self, tape: Tape) -> None:
        assert tape.check() is tape

    @pytest.mark.parametrize(
        ("codes", "left", "right", "variables", "message"),
        [
            ([], [], [], (), "at least one clause"),
            ([len(ROWS)], [NONE], [NONE], (), f"clause 0: no operation {len(ROWS)}"),
            ([CODE["neg"]], [0], [NONE], (), "clause 0: operand 0 is not earlier"),
            ([CODE["neg"]], [NONE], [NONE], (), "clause 0: operand -1 is not earlier"),
            ([0, CODE["add"]], [NONE, 0], [NONE, 1], (), "clause 1: operand 1 is not earlier"),
            ([0, CODE["neg"]], [NONE, 0], [NONE, 0], (), "clause 1: neg takes 1 operands"),
            ([CODE["var-x"]], [0], [NONE], (), "clause 0: var-x takes 0 operands"),
            ([CODE["var"]], [0], [0], ("r",), "clause 0: var takes 0 operands"),
            ([CODE["var"]], [1], [NONE], ("r",), "clause 0: no such variable"),
            ([CODE["var"]], [NONE], [NONE], ("r",), "clause 0: no such variable"),
        ],
    )
    def test_refuses(
        self,
        codes: list[int],
        left: list[int],
        right: list[int],
        variables: tuple[str, ...],
        message: str,
    ) -> None:
        zeros = [0.0] * len(codes)
        with pytest.raises(AssertionError, match=message):
            Tape(codes, left, right, zeros, zeros, variables).check()


def nearest_single(text: str) -> np.float32:
    """The definition: of all float32 the nearest to the exact number, the even one on a tie."""
    exact = Fraction(text)
    size = abs(exact)
    if size >= 2**128 - 2**103:  # the middle of the largest float32 and of the one beyond
        return np.float32(np.inf if exact > 0 else -np.inf)
    # Positive float32 are ordered as their bit patterns are.
    low, high = 0, 0x7F7FFFFF
    while low < high:
        middle = (low + high + 1) // 2
        if Fraction(float(np.uint32(middle).view(np.float32))) <= size:
            low = middle
        else:
            high = middle - 1
    near = [low, min(low + 1, 0x7F7FFFFF)]
    pattern = min(
        near, key=lambda p: (abs(Fraction(float(np.uint32(p).view(np.float32))) - size), p & 1)
    )
    return np.copysign(np.uint32(pattern).view(np.float32), np.float32(-1 if exact < 0 else 1))


@st.composite
def number_texts(draw: st.DrawFn) -> str:
    """A number at, or beside by very little, the middle of two float32; or any float64."""
    wide, _ = draw(beside_a_middle() | constants().filter(lambda value: np.isfinite(value[0])))
    beside = draw(st.sampled_from([0, 1, -1]))
    tiny = Decimal(beside).scaleb(draw(st.integers(-1100, -400)))
    digits, offset = Decimal(wide), abs(tiny.adjusted()) + 400
    scaled = int(Fraction(digits) * 10**offset) + int(Fraction(tiny) * 10**offset)
    return f"{scaled}e-{offset}"


class TestRoundedOnce:
    """as_single: from the text to float32 in one rounding."""

    @given(number_texts())
    @example("3.4028235e38")  # a little over the largest float32
    @example("340282356779733661637539395458142568447.9")  # rounds to the largest, not to infinity
    @example("340282356779733661637539395458142568448")  # the first that rounds to infinity
    @example("-340282356779733661637539395458142568448")
    @example("7.006492321624085354618e-46")  # half of the smallest
    @example("7.006492321624085354618647916449580656401309709382578858785e-46")
    @example("-1e-400")
    @example("-0")
    def test_is_the_nearest_float32(self, text: str) -> None:
        assert_array_equal(as_single(text, float(text)), nearest_single(text), strict=True)

    @pytest.mark.parametrize(
        ("text", "single"),
        [
            ("1.000000059604644775390625", 1.0),  # a tie: to even
            ("1.0000000596046447753906250000000000001", 1.0 + 2**-23),
            ("1.0000000596046447753906249999999999999", 1.0),
            ("1.000000178813934326171875", 1.0 + 2**-22),  # a tie: to even
            ("1.0000001788139343261718749999999999999", 1.0 + 2**-23),
            ("-1.0000000596046447753906250000000000001", -1.0 - 2**-23),
            ("340282356779733661637539395458142568447.9", LARGEST),
        ],
    )
    def test_by_way_of_float64_would_be_wrong(self, text: str, single: float) -> None:
        result = as_single(text, float(text))
        assert isinstance(result, np.float32)
        assert float(result) == single

    @pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999999999", "-0", "1e-999999999"])
    def test_takes_what_is_no_decimal_number(self, text: str) -> None:
        assert_array_equal(as_single(text, float(text)), np.float32(text), strict=True)

    def test_whatever_the_state_of_numpy_errors(self) -> None:
        with np.errstate(all="raise"):
            for text in ("3.4028235e38", "1e300", "1e-46", "1e-40", "1.1e-45"):
                as_single(text, float(text))

    @given(constants())
    @example((1.0 + 2.0**-24, np.float32(1.0 + 2.0**-23)))
    @example((1.0 + 2.0**-24, np.float32(1.0)))
    @example((2.0**128 - 2.0**103, np.float32(LARGEST)))
    @example((2.0**128 - 2.0**103, np.float32(np.inf)))
    @example((2.0**-150, np.float32(0)))
    @example((-(2.0**-150), np.float32(-(2.0**-149))))
    def test_constant_text_reads_back_as_both(self, value: tuple[float, np.float32]) -> None:
        wide, single = value
        text = constant_text(wide, single)
        assert_array_equal(float(text), wide, strict=True)
        assert_array_equal(as_single(text, float(text)), single, strict=True)

    def test_constant_text_is_short_where_it_can_be(self) -> None:
        assert constant_text(0.1, np.float32(0.1)) == "0.1"
        assert constant_text(1e22, np.float32(1e22)) == "1e+22"
        assert constant_text(-0.0, np.float32(-0.0)) == "-0.0"


class TestSelect:
    def test_keeps_and_renumbers(self) -> None:
        tape = circle()
        kept = np.array([True, True, False, False, False, True, True])
        alias = np.arange(len(tape))
        alias[4] = 1  # x*x stands for the sum
        short = select(tape, kept, alias).check()
        assert str(short) == "_0 var-x\n_1 square _0\n_2 var-r\n_3 sub _1 _2\n"

    def test_keeps_constants(self) -> None:
        tape = TapeBuilder()
        tape.clause("var-x")
        tape.const(1.0 + 2.0**-24, np.float32(1.0 + 2.0**-23))
        tape.clause("neg", 1)
        short = select(tape.build(), np.array([False, True, True]), np.arange(3)).check()
        assert short == select(short, np.ones(2, bool), np.arange(2))
        assert short.wide.tolist() == [1.0 + 2.0**-24, 0.0]
        assert short.single.tolist() == [1.0 + 2.0**-23, 0.0]

    def test_keeps_all_variables_declared(self) -> None:
        tape = circle()
        kept = np.arange(len(tape)) < 2
        short = select(tape, kept, np.arange(len(tape))).check()
        assert str(short) == "_0 var-x\n_1 square _0\n"
        assert short.variables == ("r",)

    @given(tapes(variables=("r", "s")))
    def test_everything_is_the_same_tape(self, tape: Tape) -> None:
        assert select(tape, np.ones(len(tape), bool), np.arange(len(tape))) == tape
