"""Proofs by the pruned engine: no verdict against the reference, the same for any way of working.

``test_verdicts`` holds every engine against exact values. Here the tapes are larger, and the parts
that proofs alone have are looked at one by one.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import reals
from support.boxes import float_at, floats_within, place, ranges
from support.real_points import FEW
from support.scenes import scenes
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.api.options import PROVES
from intervalvm.compiler.assembler import rounded
from intervalvm.compiler.pipeline import prepared
from intervalvm.compiler.thresholds import FROM_ZERO, MONOTONE, REAL, is_searched, limits_of
from intervalvm.evaluate.arithmetic import Reals
from intervalvm.jit import plan
from intervalvm.jit.layout import INSIDE, OUTSIDE, UNPROVEN
from intervalvm.ops import OPS
from intervalvm.raster.grid import GRIDS, coordinates, edges

X, Y, Z = ivm.axes()
DTYPES = ("float32", "float64")


def proven(tape: Any, prove: str, **options: Any) -> ivm.Image:
    return ivm.render(tape, prove=prove, **options)


def assert_no_contradiction(a: Any, b: Any) -> None:
    assert not ((a == INSIDE) & (b == OUTSIDE)).any()
    assert not ((a == OUTSIDE) & (b == INSIDE)).any()


@pytest.mark.parametrize("prove", PROVES)
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=40)
@given(data=st.data())
def test_engines_do_not_contradict(prove: str, dtype: str, data: st.DataObject) -> None:
    """Nor do a pixel's area and its sample; and every engine counts its pixels right."""
    tape = data.draw(scenes() | tapes(max_clauses=30))
    options: dict[str, Any] = {
        "size": (data.draw(st.integers(1, 70)), data.draw(st.integers(1, 70))),
        "grid": data.draw(st.sampled_from([*GRIDS])),
        "depth": data.draw(st.none() | st.integers(0, 6)),
        "dtype": dtype,
    }
    try:
        expected = proven(tape, prove, engine="dense", **options).pixels
    except ivm.OptionError:  # deeper than the size allows
        return
    of_sample = proven(tape, "point", engine="dense", **options).pixels
    for backend in ("numba", "numpy"):
        image = proven(tape, prove, backend=backend, **options)
        assert_no_contradiction(image.pixels, expected)
        assert_no_contradiction(image.pixels, of_sample)
        counts = [int((image.pixels == shade).sum()) for shade in (INSIDE, UNPROVEN, OUTSIDE)]
        assert sum(counts) == image.pixels.size
        assert [image.stats.pixels[name] for name in ("inside", "unproven")] == counts[:2]


@settings(max_examples=10)
@given(tape=scenes(), prove=st.sampled_from(PROVES))
def test_neither_threads_nor_room_nor_a_renderer_change_a_verdict(tape: Tape, prove: str) -> None:
    options: dict[str, Any] = {"size": (200, 120), "region": ivm.Region.around((0.1, 0.2), 0.7)}
    whole = proven(tape, prove, threads=1, **options).pixels
    assert_array_equal(proven(tape, prove, threads=3, **options).pixels, whole)
    renderer = ivm.Renderer(tape, prove=prove, **options)
    assert_no_contradiction(renderer.render().pixels, whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MOST_ARENA", 0)
        again = ivm.parse(str(tape))  # with no workspace kept from before
        assert_array_equal(proven(again, prove, threads=1, **options).pixels, whole)


@pytest.mark.parametrize("prove", PROVES)
def test_where_nothing_is_undefined_or_so_large_the_careful_walk_agrees(prove: str) -> None:
    tape = ivm.sqrt(X * X + Y * Y) - 0.7
    wild = ivm.minimum(tape, 1 / (X - 5) + 1e30)  # undefined at x = 5 alone, and nowhere less
    found = proven(wild, prove, size=100)
    assert_no_contradiction(found.pixels, proven(tape, prove, size=100).pixels)
    assert found.stats.pixels["unproven"] <= proven(tape, prove, size=100).pixels.size // 20


def test_the_challenge_is_proven_but_for_next_to_nothing() -> None:
    tape = ivm.load("prospero.vm")
    exact = ivm.render(tape, size=512)
    for dtype in DTYPES:
        found = proven(tape, "point", size=512, dtype=dtype)
        assert found.stats.pixels["unproven"] < 10
        assert_no_contradiction(found.pixels, exact.pixels)
    areas = proven(tape, "area", size=512)
    assert_no_contradiction(areas.pixels, found.pixels)
    assert areas.stats.pixels["unproven"] < 0.12 * 512**2


def test_a_constant_that_the_dtype_does_not_hold_is_between_two_floats() -> None:
    """At x = float32(0.1) the sign of x - 0.1 is that of the rounding, which float32 cannot see."""
    (x,) = np.array([0.1], np.float32)
    region = ivm.Region((float(x), float(np.nextafter(x, 1))), (0, 1))
    assert float(x) > 0.1
    image = proven(X - 0.1, "point", size=(2, 1), region=region)
    assert_array_equal(image.pixels, [[OUTSIDE, OUTSIDE]])
    assert (ivm.render(X - 0.1, size=(2, 1), region=region).pixels == 0).all()
    image = proven(0.1 - X, "point", size=(2, 1), region=region)
    assert_array_equal(image.pixels, [[INSIDE, INSIDE]])
    assert ivm.render(0.1 - X, size=(2, 1), region=region).pixels.tolist() == [[0, 255]]


@pytest.mark.parametrize("prove", PROVES)
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=25)
@given(
    c=st.floats(0.01, 0.99),
    shift=st.integers(-2, 2),
    share=st.floats(-1, 1),
    sign=st.sampled_from([-1, 1]),
)
def test_a_sum_beside_its_threshold_is_not_rounded_over_it(
    prove: str, dtype: str, c: float, shift: int, share: float, sign: int
) -> None:
    """x + y comes within parts of a float of c + d: as a float it may be on the other side."""
    x = np.array(float_at(place(float(np.array(c, dtype)), dtype) + shift, dtype), dtype)
    step = float(np.spacing(x))
    region, d = ivm.Region((float(x), float(np.nextafter(x, x + x))), (-step, step)), share * step
    tape = sign * ((X + Y) - c - d)
    image = proven(tape, prove, size=(2, 40), region=region, dtype=dtype)
    xs, ys = (edges if prove == "area" else coordinates)(region, 2, 40, "linspace", dtype)
    for row, column in np.ndindex(*image.pixels.shape):
        ends = (column, column + 1) if prove == "area" else (column,)
        levels = (row, row + 1) if prove == "area" else (row,)
        for i, j in itertools.product(ends, levels):
            value = sign * (
                Fraction(float(xs[i])) + Fraction(float(ys[j])) - Fraction(c) - Fraction(d)
            )
            assert image.pixels[row, column] != (OUTSIDE if value < 0 else INSIDE)


MAYBE = "a const 0.1\nb const 0.2\nc const 0.3\nd const 1e-17\ne add a b\nf sub e c\nu sub f d\n"
"""In real numbers u is 1.8e-17, but its bounds lie around 0."""


@pytest.mark.parametrize(
    "rest",
    [
        "r sqrt u\nv neg r",
        "v ln u",
        "x var-x\nr recip u\nn neg r\nk const 2\ns sub x k\nv max n s",
        "x var-x\nr sqrt u\nn neg r\nm max n x\nk const 5\nv sub m k",
    ],
)
def test_a_constant_that_may_be_defined_proves_nothing(rest: str) -> None:
    """It is, and the shape is the whole region."""
    tape = ivm.parse(MAYBE + rest)
    for prove in PROVES:
        assert (proven(tape, prove, size=4).pixels != OUTSIDE).all()
    assert ivm.prove(tape, resolution=4).verdict in ("full", "undecided")


# --- the tape made ready --------------------------------------------------------------------------


def test_only_exact_results_are_folded() -> None:
    tape = ivm.parse("a const 0.1\nb const 0.2\nc add a b\nd const 0.5\ne mul d d\nx var-x\n"
                     "f add x c\ng add f e")  # fmt: skip
    table = prepared(tape, Reals(np.dtype(np.float64)))
    held = set(zip(table.low.tolist(), table.high.tolist(), strict=True))
    assert (0.25, 0.25) in held
    (low, high) = next(pair for pair in held if pair[0] < pair[1])
    exact = Fraction(0.1) + Fraction(0.2)
    assert low < exact < high == float(np.nextafter(low, 1))
    assert table.tape().counts()["add"] == 2


@pytest.mark.parametrize("text", ["k const 0\nx var-x\na recip x\nv and k a",
                                  "k const 1\nx var-x\na recip x\nv or k a"])  # fmt: skip
def test_what_may_be_undefined_is_not_dropped(text: str) -> None:
    folded = prepared(ivm.parse(text), Reals(np.dtype(np.float64))).tape()
    assert folded.counts()["recip"] == 1


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("op", ["and", "or"])
def test_a_constant_that_is_no_number_is_not_dropped(op: str, number: str) -> None:
    tape = ivm.parse(f"k const {number}\nx var-x\nv {op} k x")
    folded = prepared(tape, Reals(np.dtype(np.float64))).tape()
    assert folded.counts()[op] == 1
    assert not (proven(tape, "point", size=8).pixels == INSIDE).any()


@pytest.mark.parametrize("dtype", DTYPES)
@given(tape=tapes(ops=["add", "sub", "mul", "div", "sqrt", "neg", "ln", "sin"], variables=("a",)))
def test_constants_are_enclosed(dtype: str, tape: Tape) -> None:
    reals = Reals(np.dtype(dtype))
    table = prepared(tape, reals, {"var-z": 0.1, "a": -0.3})
    assert not set(table.tape().counts()) & {"var", "var-z"}
    rounded = reals.rounded(table.low, -1), reals.rounded(table.high, 1)
    sides = (side.tolist() for side in (*rounded, table.low, table.high))
    for low, high, wide_low, wide_high in zip(*sides, strict=True):
        assert low <= wide_low <= wide_high <= high or (np.isnan(low) and np.isnan(wide_low))


@pytest.mark.parametrize("dtype", DTYPES)
@given(number=st.floats(allow_nan=False), way=st.sampled_from([-1, 1]))
def test_rounded_is_the_next_float_on_that_side(dtype: str, number: float, way: int) -> None:
    (found,) = Reals(np.dtype(dtype)).rounded(np.array([number]), way).tolist()
    assert found * way >= number * way
    if np.isfinite(found) and found != number:
        with np.errstate(over="ignore", under="ignore"):
            back = float(np.nextafter(np.array(found, dtype), np.array(-way * np.inf, dtype)))
        assert back * way < number * way


# --- thresholds -----------------------------------------------------------------------------------

POSITIVE = st.floats(2.0**-500, 2.0**500)


SEARCHED = [code for code, op in MONOTONE.items() if is_searched(op, REAL)]


@pytest.mark.parametrize("code", SEARCHED, ids=[MONOTONE[code].name for code in SEARCHED])
@given(data=st.data())
def test_a_threshold_answers_for_real_numbers(code: int, data: st.DataObject) -> None:
    """What is asked of the operand says yes or no only where the real result does."""
    greater, name = data.draw(st.booleans()), MONOTONE[code].name
    t = tuple(sorted(data.draw(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2))))
    k = data.draw(POSITIVE | st.sampled_from([1.0, 0.1, 3.0]))
    *limit, reach = limits_of(REAL, code, int(code in FROM_ZERO), (k, k), t, int(greater))
    for v in data.draw(near((limit[0], limit[1]), code in FROM_ZERO)):
        operands = (Fraction(v), Fraction(k))[: 1 if OPS[name].arity == 1 else 2]
        value = reals.VALUE[name](*operands)
        below, above = real_order(value, t[0]), real_order(value, t[1])
        yes = above > 0 if greater else below < 0
        no = below <= 0 if greater else above >= 0
        if reach:
            assert no if greater == (reach < 0) else yes, (v, limit)
        elif (v > limit[1]) if greater else (v < limit[0]):
            assert yes, (v, limit)
        elif (v <= limit[0]) if greater else (v >= limit[1]):
            assert no, (v, limit)


def real_order(value: Any, t: float) -> int:
    """The sign of ``value - t``; the value is a Fraction, or bounds of an irrational number."""
    return (value > t) - (value < t)


@st.composite
def near(draw: st.DrawFn, limit: tuple[float, float], from_zero: bool) -> list[float]:
    """Floats beside the limits, and some."""
    found = [draw(st.floats(-1e6, 1e6)) for _ in range(3)]
    for end in limit:
        middle = place(min(max(end, -1e300), 1e300), "float64")
        found += [float_at(middle + step, "float64") for step in (-2, -1, 0, 1, 2)]
    return [abs(v) if from_zero else v for v in found]


@FEW
@given(side=ranges("float32", nan=False), data=st.data())
def test_a_literal_is_exact_for_floats(side: Any, data: st.DataObject) -> None:
    """Rounding the threshold to the dtype changes no answer about a float of it."""
    t = tuple(sorted(data.draw(st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=2))))
    v = data.draw(floats_within(side, "float32"))
    low, high = (rounded(REAL, 1, end, 1) for end in t)
    assert (v < low) == (v < t[0])
    assert (v >= high) == (v >= t[1])
    low, high = (rounded(REAL, 1, end, 0) for end in t)
    assert (v > high) == (v > t[1])
    assert (v <= low) == (v <= t[0])
