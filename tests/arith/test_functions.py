"""The functions: as near to the real ones as is stated, and the same bits wherever they run."""

from __future__ import annotations

import math
import re
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support import scalar
from support.operations import (
    DTYPES,
    FUNCTIONS,
    assert_same_bits,
    careful_lanes,
    dense,
    numbers,
    tape_of,
)
from support.places import TOP

from intervalvm import evaluate, interval
from intervalvm.arith import arrays, elementary
from intervalvm.arith.arrays import Arrays
from intervalvm.arith.directed import ULPS
from intervalvm.arith.nearest import ERROR, TINY
from intervalvm.evaluate.boxes import REAL_RULES, bounds
from intervalvm.ops import OPS
from intervalvm.ops.row import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

ANGLES = ["sin", "cos", "tan"]
LARGEST = sys.float_info.max
N = 400


def by_numpy(name: str, *operands: Any) -> Any:
    with np.errstate(all="ignore"):
        return Arrays(np, np.dtype(np.float64)).call(KNOWN[name].compute, *operands)


# --- accuracy -------------------------------------------------------------------------------------


def inputs(name: str) -> Iterator[Any]:
    """Where a function is used, its edges, the whole range, and where its reduction is hard."""
    rng = np.random.default_rng(FUNCTIONS.index(name))
    yield numbers("float64")
    yield numbers("float32").astype(np.float64)
    yield rng.integers(0, 1 << 64, N, np.uint64).view(np.float64)
    yield rng.normal(0, 3, N)
    yield rng.uniform(-1, 1, N)
    yield np.exp(rng.uniform(-744, -700, N))
    if name in ANGLES:
        yield rng.uniform(-1, 1, N) * elementary.FAR
        yield elementary.FAR + np.arange(-20, 20)
        yield rng.integers(-40_000, 40_000, N) * (math.pi / 2)
        yield np.exp(rng.uniform(10, 709, N))
        yield NEAREST
    elif name in ("asin", "acos"):
        yield 1 - np.exp(rng.uniform(-37, 0, N))
    elif name == "atan":
        yield from (rng.uniform(0.33, 0.34, N), rng.uniform(0.9, 1.1, N), rng.uniform(2.9, 3.1, N))
    elif name == "exp":
        yield from (rng.uniform(-746, -700, N), rng.uniform(700, 710, N))
    elif name == "ln":
        yield from (
            1 + rng.normal(0, 1e-6, N),
            rng.uniform(0.7, 0.72, N),
            rng.uniform(1.4, 1.42, N),
        )


def assert_within(ulps: float, name: str, *operands: Any) -> None:
    """In units in the last place of the real value; exact where that is 0, infinite or NaN."""
    results = by_numpy(name, *operands).tolist()
    for result, *row in zip(results, *(o.tolist() for o in operands), strict=True):
        nearest = scalar.VALUE[name](*row, "float64")
        if nearest == 0 or not math.isfinite(nearest):
            # beside an overflow, or an underflow, the neighbour is as near as any other
            beside = {math.inf: LARGEST, 0.0: math.copysign(5e-324, nearest)}.get(nearest, nearest)
            same = np.array_equal([result], [nearest], equal_nan=True)
            assert same or result == beside, (row, result, nearest)
            if same:
                assert scalar.is_negative(result) == scalar.is_negative(nearest) or result != result
            continue
        value = scalar.real(name, *row)
        assert value is not None
        error = abs(Fraction(result) - value) / Fraction(math.ulp(nearest))
        assert error <= ulps, (row, result, nearest, float(error))


def rows_of_the_page(cells: int) -> Iterator[tuple[list[str], list[str]]]:
    """The functions that are named in a row of so many cells, and the cells."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(row) == cells:
            yield re.findall(r"`(\w+)`", row[0]), row


PAGE = TOP / "docs" / "functions.md"
KNOWN = {op.name: op.function for op in OPS.values() if op.function is not None}
ARGUED = {name: function.error for name, function in KNOWN.items()}
WORST = {name: (most, place) for name, (most, *place) in ((n, f.worst) for n, f in KNOWN.items())}
"""The worst error that was found, and the operands."""


def test_the_page_argues_for_the_errors_that_the_table_has() -> None:
    """The greatest, where a function has two rows."""
    argued: dict[str, float] = {}
    for names, row in rows_of_the_page(5):
        argued |= {name: max(float(row[-1]), argued.get(name, 0)) for name in names}
    assert argued == {name: ARGUED[name] for name in argued}
    assert len(argued) == 9


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if OPS[name].arity == 1])
def test_results_are_as_near_as_is_argued(name: str) -> None:
    for values in inputs(name):
        assert_within(ARGUED[name], name, values)


def test_angles_of_points_are_as_near_as_is_argued() -> None:
    rng = np.random.default_rng(0)
    wide = np.exp(rng.uniform(-744, 709, (2, N)))
    edges = numbers("float64")[::3]
    for operands in (
        rng.normal(0, 1, (2, N)),
        wide,
        (wide[0], wide[0] * rng.normal(0, 1, N)),
        rng.integers(0, 1 << 64, (2, N), np.uint64).view(np.float64),
        [axis.ravel() for axis in np.meshgrid(edges, edges)],
    ):
        assert_within(ARGUED["atan2"], "atan2", *operands)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_worst_that_was_found_is_as_bad_as_the_page_says_and_no_worse(name: str) -> None:
    """And what proofs allow is more, by a margin: in units of the last place, and of the value."""
    most, place = WORST[name]
    (result,) = by_numpy(name, *(np.array([operand]) for operand in place)).tolist()
    value = scalar.real(name, *place)
    assert value is not None
    off = abs(Fraction(result) - value)
    ulps = off / Fraction(math.ulp(float(value)))
    assert most - 0.001 <= ulps <= most
    assert ulps < ARGUED[name] <= ULPS - 1
    # an interval takes an error at its end and one within, and may lose a unit by rounding
    assert 2 * off + abs(value) / 2**53 < abs(value) * Fraction(ERROR) + Fraction(TINY)


@pytest.mark.parametrize("rules", ["outward", "widened"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bounds_of_proofs_hold_at_the_worst_that_was_found(
    name: str, dtype: str, rules: str
) -> None:
    """In float32 at the finite numbers beside it."""
    most = float(np.finfo(dtype).max)
    place = [float(np.clip(operand, -most, most).astype(dtype)) for operand in WORST[name][1]]
    value = scalar.real(name, *place)
    assert value is not None
    if rules == "outward":
        x, y = place[0], place[-1]
        box = interval(tape_of(name), x=x, y=y, prove="area", dtype=dtype)
        low, high = box.lower, box.upper
    else:
        sides = [
            Interval(*[np.array([operand], dtype)] * 2, np.array([False])) for operand in place
        ]
        axes = dict(zip(("var-x", "var-y"), sides, strict=False))
        root = bounds(tape_of(name), axes, (), np.dtype(dtype), rules=REAL_RULES).root
        low, high = float(root.lower[0]), float(root.upper[0])
    assert Fraction(low) <= value <= Fraction(high)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_search_finds_no_error_beyond_what_is_argued(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's, on a small scale."""
    monkeypatch.syspath_prepend(Path(elementary.__file__).parents[1])
    bench = pytest.importorskip("bench.functions", reason="needs the folder bench")
    monkeypatch.setattr(bench, "SAMPLE", 4000)
    found, place = bench.worst(name, starts=1, rounds=2)
    assert 0.5 < found < ARGUED[name], place


@pytest.mark.parametrize("name", [name for name in KNOWN if KNOWN[name].single])
def test_the_shorter_way_for_float32_has_the_same_values(name: str) -> None:
    """At patterns of all exponents; ``bench.functions`` compares all 2**32 of them."""
    function, xp = KNOWN[name], Arrays(np, np.dtype(np.float64))
    some = [*range(0, 1 << 32, 1511), 0x80000000, 0x7F800000, 0xFF800000]
    patterns = np.array(some, np.uint32)
    inputs = patterns.view(np.float32)  # zeros and infinities among them
    with np.errstate(all="ignore"):
        for part in np.array_split(inputs.astype(np.float64), 64):
            short, whole = function.single(xp, part), function.compute(xp, part)
            assert_array_equal(short.astype(np.float32), whole.astype(np.float32))


@cache
def nearest_to_a_quarter_turn(exponent: int) -> tuple[float, Any]:
    """Of the integers m < 2**53, the m * 2**exponent nearest to a multiple of pi/2; how near it is.

    The best approximations of a number by fractions are those of its continued fraction.
    """
    with mpmath.workprec(1400):
        ratio = mpmath.mpf(2) ** exponent * 2 / mpmath.pi
        rest, before, m = ratio, 0, 1
        while True:
            rest = 1 / (rest - mpmath.floor(rest))
            before, following = m, int(mpmath.floor(rest)) * m + before
            if following >= 2**53:
                break
            m = following
        return math.ldexp(m, exponent), abs(m * ratio - mpmath.nint(m * ratio)) * mpmath.pi / 2


NEAREST = np.array([nearest_to_a_quarter_turn(e)[0] for e in range(-40, 971)])


def test_no_float_is_nearer_to_a_quarter_turn_than_the_reductions_allow() -> None:
    """A smaller exponent leaves numbers below pi/4 only, if m has 53 bits: they are not reduced."""
    for exponent in range(-53, 971):
        value, distance = nearest_to_a_quarter_turn(exponent)
        if value > 0.5:
            assert distance > mpmath.mpf(2) ** (-61 if value <= elementary.FAR else -62)


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_a_wave_stays_within_one(name: str) -> None:
    quarters = np.arange(-2000, 2000) * (math.pi / 2)
    beside = [np.nextafter(quarters, way) for way in (-np.inf, np.inf)]
    for values in (quarters, *beside, np.linspace(-1e-7, 1e-7, 1001), NEAREST):
        assert np.abs(by_numpy(name, values)).max() <= 1.0


# --- the same everywhere --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_lanes_have_the_bits_of_numpy(name: str, dtype: str, data: st.DataObject) -> None:
    floats = st.floats(width=np.finfo(dtype).bits)
    rows = data.draw(st.lists(st.tuples(*[floats] * OPS[name].arity), min_size=1, max_size=80))
    operands = tuple(np.array(column, dtype) for column in zip(*rows, strict=True))
    assert_same_bits(careful_lanes(name, dtype, operands), dense(name, dtype, operands), operands)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_result_depends_on_its_operands_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on the block, nor on whether a neighbour takes the way of huge angles."""
    axes = [numbers("float64")[None, :], numbers("float64")[::5, None]][: OPS[name].arity]
    axes = (axes * 2)[:2]
    whole = evaluate(tape_of(name), *axes, dtype="float64")
    monkeypatch.setattr(arrays, "CALL_BLOCK", 7)
    assert_array_equal(evaluate(tape_of(name), *axes, dtype="float64"), whole)
    rows = [row.ravel() for row in np.broadcast_arrays(*axes)]
    for place in range(0, whole.size, 97):
        single = evaluate(tape_of(name), *(float(row[place]) for row in rows), dtype="float64")
        assert_array_equal(single, whole.ravel()[place])


# --- constants ------------------------------------------------------------------------------------


def test_the_constants_are_what_their_formulas_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(elementary.__file__).parents[1])
    from bench import coefficients

    for fit in coefficients.FITS:
        found = fit.coefficients()
        assert tuple(found) == getattr(elementary, fit.name)
        assert fit.worst(found) < mpmath.mpf(2) ** (-49 if "SINGLE" in fit.name else -57)
    half_pi, ln_2 = mpmath.pi / 2, mpmath.log(2)
    assert coefficients.pieces(half_pi, 38, 38) == [*elementary.HALF_PI_PIECES]
    assert coefficients.pieces(half_pi, 53) != [elementary.HALF_PI, 0.0]
    assert coefficients.pieces(ln_2, 42) == [*elementary.LN_2_PIECES]
    assert coefficients.words_of_two_over_pi(40) == [*elementary.WORDS]
    for name, value in (("HALF_PI", half_pi), ("PI", mpmath.pi), ("ATAN_HALF", mpmath.atan(0.5))):
        high, low = getattr(elementary, name), getattr(elementary, f"{name}_LOW")
        assert high == float(value)
        assert low == float(value - high)
    assert float(2 / mpmath.pi) == elementary.TWO_OVER_PI
    assert float(1 / ln_2) == elementary.ONE_OVER_LN_2
    assert int(np.float64(0.5**0.5).view(np.uint64)) == elementary.ROOT_HALF
