"""Thresholds: floats in their order, and the least that reaches a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.programs import numbers, special

from intervalvm.arith.arrays import Arrays
from intervalvm.compiler.thresholds import (
    ALL,
    DOUBLE,
    FROM_ZERO,
    MONOTONE,
    NONE,
    SINGLE,
    float_at,
    float_bits,
    is_searched,
    least_float,
    limits_of,
    next_float,
    previous_float,
)
from intervalvm.ops import OPS
from intervalvm.ops.row import Demand

SYSTEMS = [SINGLE, DOUBLE]
DTYPES = {SINGLE: np.float32, DOUBLE: np.float64}
systems = pytest.mark.parametrize("system", SYSTEMS, ids=["float32", "float64"])
SEARCHED = [
    (system, code) for system in SYSTEMS for code, op in MONOTONE.items() if is_searched(op, system)
]
searches = pytest.mark.parametrize(
    ("system", "code"),
    SEARCHED,
    ids=[f"{MONOTONE[code].name} {np.dtype(DTYPES[system])}" for system, code in SEARCHED],
)


def any_float(data: st.DataObject, system: int) -> float:
    return data.draw(numbers(DTYPES[system]) | st.sampled_from([np.inf, -np.inf]))


@systems
@given(st.data())
def test_bits_are_those_of_the_float(system: int, data: st.DataObject) -> None:
    v, dtype = any_float(data, system), DTYPES[system]
    bits = np.array(v, dtype).view(np.int32 if system == SINGLE else np.int64)
    assert float_bits(system, v) == bits
    assert repr(float_at(system, int(bits))) == repr(v)


@systems
@given(st.data())
def test_previous_float_is_the_one_before(system: int, data: st.DataObject) -> None:
    """-0 comes before +0, and -inf stays."""
    v, dtype = any_float(data, system), DTYPES[system]
    with np.errstate(all="ignore"):
        expected = float(np.nextafter(dtype(v), dtype(-np.inf)))
    is_zero = v == 0 and not np.signbit(v)
    assert repr(previous_float(system, v)) == ("-0.0" if is_zero else repr(expected))


@systems
@given(st.data(), st.booleans())
def test_next_float_is_that_of_numpy(system: int, data: st.DataObject, up: bool) -> None:
    v, dtype = data.draw(numbers(DTYPES[system])), DTYPES[system]
    with np.errstate(all="ignore"):
        expected = float(np.nextafter(dtype(v), dtype(np.inf if up else -np.inf)))
    assert repr(next_float(system, v, int(up))) == repr(expected)


def constant(data: st.DataObject, code: int, dtype: Any) -> float:
    """Constants of a product are above 0, those of a sum anything finite."""
    k = data.draw(numbers(dtype))
    return k if MONOTONE[code].demand in (Demand.SUM, Demand.DIFFERENCE) else abs(k) or 1.0


@searches
@given(data=st.data())
def test_the_least_float_reaches_and_the_one_before_does_not(
    code: int, system: int, data: st.DataObject
) -> None:
    dtype, op = DTYPES[system], MONOTONE[code]
    xp, k = Arrays(np, np.dtype(dtype)), constant(data, code, dtype)
    t = data.draw(numbers(dtype) | st.sampled_from([v for v in special(dtype) if v == v]))
    greater, from_zero = data.draw(st.booleans()), code in FROM_ZERO

    def reaches(v: float) -> bool:
        value = op.point(xp, *(dtype(v), dtype(k))[: op.arity])
        return bool(value > dtype(t) if greater else value >= dtype(t))

    least, reach = least_float(system, 0, code, int(from_zero), (k, k), t, int(greater))
    with np.errstate(all="ignore"):
        assert (reach == NONE) == (not reaches(np.inf))
        if reach == NONE:
            assert least == np.inf
            return
        assert reaches(least)
        bottom = 0.0 if from_zero else -np.inf
        assert (reach == ALL) == (least == bottom)
        assert reach == ALL or not reaches(previous_float(system, least))


@searches
@given(data=st.data())
def test_a_threshold_answers_for_the_value(code: int, system: int, data: st.DataObject) -> None:
    """At the floats beside it, and at any other."""
    dtype, op = DTYPES[system], MONOTONE[code]
    xp, k = Arrays(np, np.dtype(dtype)), constant(data, code, dtype)
    t, greater, from_zero = data.draw(numbers(dtype)), data.draw(st.booleans()), code in FROM_ZERO
    limit, _, reach = limits_of(system, code, int(from_zero), (k, k), (t, t), int(greater))
    v = np.array([limit, previous_float(system, limit), *special(dtype)], dtype)
    with np.errstate(all="ignore"):
        v = np.append(v, np.nextafter(dtype(limit), dtype(np.inf)))
        v = v[(v >= 0) if from_zero else ~np.isnan(v)]
        value = op.point(xp, *(v, dtype(k))[: op.arity])
        expected = value > dtype(t) if greater else value < dtype(t)
    known = np.full(len(v), greater == (reach == ALL))
    found = known if reach else v > dtype(limit) if greater else v < dtype(limit)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["exp", "ln"])
@given(bits=st.integers(0, 0x7F800000 - 2**12), is_negative=st.booleans())
def test_functions_never_fall_in_float32(name: str, bits: int, is_negative: bool) -> None:
    """Over 4,096 floats in a row: all of them were tried once."""
    sign = -1 if is_negative and name == "exp" else 1
    v = np.arange(bits, bits + 2**12, dtype=np.uint32).view(np.float32)[::sign] * np.float32(sign)
    with np.errstate(all="ignore"):
        value = OPS[name].point(Arrays(np, np.dtype(np.float32)), v)
    assert (value[1:] >= value[:-1]).all()
