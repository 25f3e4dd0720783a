"""Passes over tapes: simplify and fold. They change no bit, and what they do is printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.boxes import (
    Range,
    any_float,
    points_in,
    ranges,
    ranges_within,
    values_at,
)
from support.operations import DTYPES, bits
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import OptionError, Tape, VariableError
from intervalvm.compiler import pipeline
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.tape.shorten import Trace, sign_demanded

VARIABLES = ("r", "s")


def tape(*lines: str) -> Tape:
    return ivm.parse("\n".join(lines)).check()


def shown(result: Tape) -> list[str]:
    return str(result.check()).splitlines()


# --- simplify -----------------------------------------------------------------------------------

# Ends that both dtypes hold, so that a box is the same in both.
sides = ranges("float32", nan=False)


def box_of(found: dict[str, Range]) -> dict[str, tuple[float, float]]:
    return {name: (side.low, side.high) for name, side in found.items()}


@given(tape=tapes(max_clauses=30), x=sides, y=sides, z=sides, data=st.data())
def test_simplified_tape_has_the_same_bits_in_its_box(
    tape: Tape, x: Range, y: Range, z: Range, data: st.DataObject
) -> None:
    box = {"x": x, "y": y, "z": z}
    short = ivm.simplify(tape, **box_of(box)).check()
    assert len(short) <= len(tape)
    for dtype in DTYPES:
        points = points_in(data, box, dtype)
        whole, part = values_at(tape, points, dtype), values_at(short, points, dtype)
        assert bits(whole).tolist() == bits(part).tolist()


@given(tape=tapes(max_clauses=30), x=sides, y=sides, data=st.data())
def test_tape_simplified_for_the_sign_answers_alike_in_its_box(
    tape: Tape, x: Range, y: Range, data: st.DataObject
) -> None:
    box = {"x": x, "y": y}
    short = ivm.simplify(tape, **box_of(box), keep="sign").check()
    assert len(short) <= len(tape)
    for dtype in DTYPES:
        points = points_in(data, box, dtype)
        whole, part = values_at(tape, points, dtype), values_at(short, points, dtype)
        assert (whole < 0).tolist() == (part < 0).tolist()


@pytest.mark.parametrize("keep", ["value", "sign"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(tape=tapes(max_clauses=30, variables=VARIABLES), x=sides, y=sides, data=st.data())
def test_tape_simplified_for_a_dtype_is_the_same_in_it(
    tape: Tape, keep: str, dtype: str, x: Range, y: Range, data: st.DataObject
) -> None:
    bounded = {name: data.draw(sides) for name in tape.variables if data.draw(st.booleans())}
    options: dict[str, Any] = {"keep": keep, "dtype": dtype, "variables": box_of(bounded)}
    short = ivm.simplify(tape, **box_of({"x": x, "y": y}), **options).check()
    assert len(short) <= len(tape)
    assert short.variables == tape.variables
    points = points_in(data, {"x": x, "y": y, **bounded}, dtype)
    for name in tape.variables:
        if name not in bounded:
            free = st.lists(any_float(dtype) | st.just(np.nan), min_size=8, max_size=8)
            points[name] = np.array(data.draw(free), dtype)
    whole, part = values_at(tape, points, dtype), values_at(short, points, dtype)
    if keep == "value":
        assert bits(whole).tolist() == bits(part).tolist()
    else:
        assert (whole < 0).tolist() == (part < 0).tolist()


@given(tape=tapes(max_clauses=30), x=sides, y=sides, data=st.data())
def test_simplifying_again_for_a_box_inside_changes_no_bit(
    tape: Tape, x: Range, y: Range, data: st.DataObject
) -> None:
    inner = {
        "x": data.draw(ranges_within(x, "float32")),
        "y": data.draw(ranges_within(y, "float32")),
    }
    outer = ivm.simplify(tape, **box_of({"x": x, "y": y}))
    again = ivm.simplify(outer, **box_of(inner)).check()
    assert len(again) <= len(outer)
    for dtype in DTYPES:
        points = points_in(data, inner, dtype)
        whole, part = values_at(tape, points, dtype), values_at(again, points, dtype)
        assert bits(whole).tolist() == bits(part).tolist()


@given(tape=tapes(max_clauses=20, variables=VARIABLES), x=sides, data=st.data())
def test_free_variables_may_be_anything_or_are_bounded(
    tape: Tape, x: Range, data: st.DataObject
) -> None:
    bounded = {name: data.draw(sides) for name in tape.variables if data.draw(st.booleans())}
    short = ivm.simplify(tape, x=(x.low, x.high), y=0.5, variables=box_of(bounded)).check()
    assert short.variables == tape.variables
    for dtype in DTYPES:
        points = points_in(data, {"x": x, "y": Range(0.5, 0.5), **bounded}, dtype)
        for name in tape.variables:
            if name not in bounded:
                free = st.lists(any_float(dtype) | st.just(np.nan), min_size=8, max_size=8)
                points[name] = np.array(data.draw(free), dtype)
        whole, part = values_at(tape, points, dtype), values_at(short, points, dtype)
        assert bits(whole).tolist() == bits(part).tolist()


def test_simplify_drops_what_cannot_matter() -> None:
    shape = tape("x var-x", "y var-y", "s add x y", "m min s x", "c max m y")
    assert shown(ivm.simplify(shape, x=(0, 1), y=(2, 3))) == ["_0 var-y"]
    assert shown(ivm.simplify(shape, x=(2, 3), y=(0, 1))) == [
        "_0 var-x",
        "_1 var-y",
        "_2 add _0 _1",
        "_3 min _2 _0",
    ]
    assert ivm.simplify(shape, x=(-1, 1), y=(-1, 1)) == shape


def test_simplify_follows_copies() -> None:
    shape = tape("x var-x", "a copy x", "y var-y", "m min a y", "b copy m")
    assert shown(ivm.simplify(shape, x=(0, 1), y=(2, 3))) == ["_0 var-x"]


def test_simplify_for_the_sign_drops_what_is_never_inside() -> None:
    shape = tape("x var-x", "y var-y", "m min x y")
    assert len(ivm.simplify(shape, x=(-1, 4), y=(2, 3))) == 3
    assert shown(ivm.simplify(shape, x=(-1, 4), y=(2, 3), keep="sign")) == ["_0 var-x"]


@pytest.mark.parametrize("op", ["and", "or"])
def test_simplify_for_the_sign_takes_every_choice_at_the_root(op: str) -> None:
    shape = tape("x var-x", "y var-y", f"v {op} x y")
    assert shown(ivm.simplify(shape, x=(1, 2), y=(3, 4), keep="sign")) in (
        ["_0 var-x"],
        ["_0 var-y"],
    )
    assert ivm.simplify(shape, x=(-1, 1), y=(3, 4), keep="sign") == shape


@pytest.mark.parametrize(
    ("dtype", "limit"), [("float32", "0.1818181872367859"), ("float64", "0.18181818181818182")]
)
def test_simplify_for_the_sign_in_a_dtype_finds_exact_thresholds(dtype: str, limit: str) -> None:
    shape = tape("x var-x", "k const 5.5", "a mul x k", "o const 1", "v sub a o")
    options: dict[str, Any] = {"x": (-1, 1), "y": 0, "keep": "sign"}
    assert ivm.simplify(shape, **options) == shape
    short = ivm.simplify(shape, **options, dtype=dtype)
    assert shown(short) == ["_0 var-x", f"_1 const {limit}", "_2 sub _0 _1"]


def test_simplify_for_the_sign_in_a_dtype_keeps_what_may_be_nan() -> None:
    shape = tape("x var-x", "a sqrt x", "k const 0.5", "b sub a k", "c const -1", "v min b c")
    short = ivm.simplify(shape, x=(-1, 1), y=0, keep="sign", dtype="float32")
    points = np.array([-1, -0.5, 0, 0.5, 1], np.float32)
    assert (short(points, 0) < 0).tolist() == [False, False, True, True, True]
    short = ivm.simplify(shape, x=(0.5, 1), y=0, keep="sign", dtype="float32")
    assert shown(short) == ["_0 const -1.0"]


def test_simplify_for_the_sign_in_a_dtype_may_ask_whether_a_value_is_finite() -> None:
    """The square of the radius is not a float32, and infinity less infinity is NaN."""
    shape = ivm.parse(
        "x var-x\ny var-y\ns square x\nc const 2\nb add y c\na add s b\nr sqrt a\n"
        "k const 8.8e26\nd sub r k\nv min d y"
    )
    box = {"x": (-1e27, 1e27), "y": (-0.7, 0.2)}
    short = ivm.simplify(shape, **box, keep="sign", dtype="float32")
    x, y = np.meshgrid(np.linspace(-1e27, 1e27, 9, dtype=np.float32), np.float32([-0.7, 0.2]))
    assert_array_equal(ivm.evaluate(short, x, y) < 0, ivm.evaluate(shape, x, y) < 0)


def test_a_choice_of_one_dtype_alone_is_not_taken() -> None:
    """In float32 x + 1e-9 is x, a tie that goes right; in float64 the left one is greater."""
    shape = tape("x var-x", "e const 1e-9", "s add x e", "m max s x")
    assert ivm.simplify(shape, x=1, y=0) == shape


def test_simplify_checks_its_options() -> None:
    shape = tape("x var-x", "r var-r", "v sub x r")
    with pytest.raises(OptionError, match="keep='area' is neither 'value' nor 'sign'"):
        ivm.simplify(shape, x=0, y=0, keep="area")
    with pytest.raises(VariableError, match="no free variable 'q'"):
        ivm.simplify(shape, x=0, y=0, variables={"q": 1})
    with pytest.raises(OptionError, match="lower one first"):
        ivm.simplify(shape, x=(1, 0), y=0)


def test_trace_prints() -> None:
    assert str(Trace([0, 1, 2], [0, 0, 1])) == "2 choices decided in some region"


def test_only_what_min_and_max_hand_on_is_asked_for_its_sign() -> None:
    shape = tape("x var-x", "y var-y", "m min x y", "a abs m", "n max m a", "v neg n", "w max a v")
    assert sign_demanded(shape).tolist() == [False, False, False, False, False, True, True]
    assert sign_demanded(tape("x var-x", "y var-y", "m min x y", "n max m x")).all()


def test_both_dtypes_are_bounded_alike_where_one_of_them_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = tape("x var-x", "y var-y", "a max x y", "b min a y")
    wanted = ivm.simplify(found, x=(2, 3), y=(0, 1), backend="numpy")
    monkeypatch.setattr("intervalvm.api.dispatch.pays", lambda kind, dtype, *_: dtype == np.float32)
    assert ivm.simplify(found, x=(2, 3), y=(0, 1)) == wanted


# --- fold ---------------------------------------------------------------------------------------


def folded(found: Tape, dtype: str = "float32", **settings: float) -> Tape:
    return pipeline.folded(found, Floats(np.dtype(dtype)), settings).check()


@pytest.mark.parametrize("dtype", DTYPES)
@given(tape=tapes(max_clauses=40, variables=VARIABLES), data=st.data())
def test_folded_tape_has_the_same_bits(tape: Tape, dtype: str, data: st.DataObject) -> None:
    settings = {
        name: data.draw(any_float("float64") | st.just(np.nan))
        for name in ("var-z", *VARIABLES)
        if data.draw(st.booleans())
    }
    short = folded(tape, dtype, **settings)
    assert len(short) <= len(tape)
    assert not {"copy", *(["var-z"] if "var-z" in settings else [])} & set(short.counts())
    everything = Range(-np.inf, np.inf)
    points = points_in(data, dict.fromkeys(["x", "y", "z", *VARIABLES], everything), dtype)
    with np.errstate(over="ignore", under="ignore"):
        for name, value in settings.items():
            points[name.removeprefix("var-")] = np.array(value, dtype)
    whole, part = values_at(tape, points, dtype), values_at(short, points, dtype)
    assert (bits(whole) == bits(part)).all()
    assert shown(folded(short, dtype)) == shown(short), "nothing is left to fold"


def test_fold_shares_equal_clauses() -> None:
    shape = tape(
        "x var-x",
        "y var-y",
        "x2 var-x",
        "a add x y",
        "b add x2 y",
        "c add y x",
        "m mul a b",
        "n mul m c",
    )
    assert shown(folded(shape)) == [
        "_0 var-x",
        "_1 var-y",
        "_2 add _0 _1",  # in either order
        "_3 square _2",  # the same bits as the product, and a threshold of its own
        "_4 mul _3 _2",
    ]


def test_fold_computes_constants_in_the_dtype() -> None:
    shape = tape("a const 0.1", "b const 0.2", "s add a b", "x var-x", "v sub x s")
    assert shown(folded(shape, "float64")) == [
        "_0 const 0.30000000000000004",
        "_1 var-x",
        "_2 sub _1 _0",
    ]
    assert shown(folded(shape, "float32"))[0] == "_0 const 0.30000001192092896"


def test_fold_leaves_no_copy_and_no_choice_between_the_same() -> None:
    shape = tape("x var-x", "c copy x", "m min x c", "n or m x", "o and n c", "p max o x")
    assert shown(folded(shape)) == ["_0 var-x"]


def test_fold_tells_zeros_apart_but_not_nans() -> None:
    shape = tape("a const 0", "b const -0", "x var-x", "p atan2 a x", "q atan2 b x", "v sub p q")
    assert folded(shape).counts()["const"] == 2
    shape = tape("a const nan", "b const nan", "x var-x", "p mix a x", "q mix b x", "v sub p q")
    assert folded(shape).counts() == {"const": 1, "var-x": 1, "mix": 1, "sub": 1}


def test_fold_drops_what_nobody_reads() -> None:
    shape = tape("x var-x", "y var-y", "s sin y", "v neg x")
    assert shown(folded(shape)) == ["_0 var-x", "_1 neg _0"]


def test_fold_sets_inputs() -> None:
    shape = tape("z var-z", "r var-r", "x var-x", "a mul z r", "v add x a")
    assert shown(folded(shape, **{"var-z": 2.0})) == [
        "_0 const 2.0", "_1 var-r", "_2 var-x", "_3 mul _0 _1", "_4 add _2 _3",
    ]  # fmt: skip
    assert shown(folded(shape, **{"var-z": 2.0, "r": 3.0})) == [
        "_0 var-x", "_1 const 6.0", "_2 add _0 _1",
    ]  # fmt: skip
