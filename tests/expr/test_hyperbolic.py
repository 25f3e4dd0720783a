"""The hyperbolic functions against multiple precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import intervalvm as ivm
from intervalvm.expr.functions import ULPS

mpmath = pytest.importorskip("mpmath")
x, y, z = ivm.axes()
INVERSE = {"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"}
NAMES = ["sinh", "cosh", "tanh", *INVERSE]
DTYPES = [np.float32, np.float64]


def check(name: str, dtype: Any, numbers: Any) -> None:
    """Within ULPS of the real function; infinite where that is too large, NaN off the domain."""
    info = np.finfo(dtype)
    numbers = np.array(numbers, dtype)
    values = ivm.evaluate(getattr(np, name)(x), numbers, 0.0, dtype=dtype)
    exact = getattr(mpmath, INVERSE.get(name, name))
    with mpmath.workprec(300):
        for number, value in zip(numbers.tolist(), values, strict=True):
            if (name == "arccosh" and number < 1) or (name == "arctanh" and abs(number) > 1):
                assert np.isnan(value), number
                continue
            expected = exact(mpmath.mpf(number))
            if abs(expected) >= float(info.max):
                assert np.isinf(value), number
                assert (value > 0) == (expected > 0)
            elif expected == 0 or abs(expected) >= float(info.tiny):
                ulp = float(np.spacing(dtype(abs(float(expected)))))
                assert abs(mpmath.mpf(float(value)) - expected) <= ULPS * ulp, (number, value)
            else:
                assert abs(value) <= info.tiny * (1 + info.eps * ULPS), number


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_values_are_near_the_real_function(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    info = np.finfo(dtype)
    top = float(np.log(float(info.max)))
    numbers = np.concatenate([
        10 ** rng.uniform(-30, np.log10(top), 200), rng.uniform(0, 3, 200),
        rng.uniform(0.2, 0.3, 200), rng.uniform(0.9, 1.1, 200), 1 + 10 ** rng.uniform(-15, -1, 100),
        10 ** rng.uniform(0, np.log10(float(info.max)), 100), top + np.linspace(-0.1, 0.6, 50),
        [0.0, 0.25, 0.255, 1.0, 2.0**28, float(info.max), float(info.tiny)],
    ])  # fmt: skip
    check(name, dtype, np.concatenate([numbers, -numbers]))


@pytest.mark.parametrize("name", NAMES)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_float(name: str, number: float) -> None:
    check(name, np.float64, [number])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_edges_are_numpys(name: str, dtype: Any) -> None:
    numbers = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(numbers)
    values = ivm.evaluate(getattr(np, name)(x), numbers, 0.0, dtype=dtype)
    special = np.isin(expected, [0.0, 1.0, -1.0]) | ~np.isfinite(expected)
    np.testing.assert_array_equal(values[special], expected[special])
    if name != "arccosh":
        np.testing.assert_array_equal(np.signbit(values[:2]), np.signbit(expected[:2]))


@pytest.mark.parametrize("name", ["sinh", "tanh", "arcsinh", "arctanh"])
def test_they_are_defined_and_small_about_0(name: str) -> None:
    box = ivm.interval(getattr(np, name)(x), x=(-1e-9, 1e-9), y=0, decoration=True)
    assert not box.maybe_nan
    assert -1.1e-9 < box.lower < box.upper < 1.1e-9
    wide = ivm.interval(getattr(np, name)(x), x=(-0.9, 0.9), y=0, decoration=True)
    assert not wide.maybe_nan


def test_they_are_proven_where_numbers_are_large() -> None:
    for name in NAMES[:-1]:
        shape = abs(getattr(np, name)(x + 700)) > 0.5
        region = ivm.Region((-1.0, 1.0), (-1.0, 1.0))
        assert ivm.prove(shape, region=region, resolution=4).verdict == "full", name
