"""Bounds of what lies beyond a cube, against bounds at points there."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import shapes, tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.proof.far import Far, Monomial, Span, constant, far_bounds

X, Y, Z = ivm.axes()
ONE = np.ones(1)
radii = st.integers(-4, 40)
share = st.floats(-1, 1)


def ray(low: float, high: float) -> Span:
    """A coordinate from ``low`` to ``high`` times the distance."""
    return Span(Monomial(np.array([low]), ONE), Monomial(np.array([high]), ONE))


def found(tape: Any, radius: int, **axes: Span) -> Span:
    return far_bounds(tape.tape() if hasattr(tape, "tape") else tape, Far(radius), axes, {"z": 0.0})


def at(end: Monomial, r: float) -> Any:
    m, p = float(end.m[0]), float(end.p[0])
    return mpmath.mpf(m) * (mpmath.mpf(r) ** mpmath.mpf(p) if m and p else 1)


@pytest.mark.parametrize(
    ("formula", "lower", "upper"),
    [
        (X - Y, (0.5, 1), (0.75, 1)),
        (X * 2 - 1, (1.998046875, 1), (2, 1)),  # at r = 2**10 the 1 is 2**-10 of r
        (ivm.sqrt(X * X + Y * Y), (1.03, 1), (1.12, 1)),
        (ivm.minimum(X, 3.0), (3, 0), (3, 0)),
        (ivm.maximum(3.0 - X, 0.0), (0, 0), (0, 0)),
        (ivm.square(X) / X, (1, 1), (1, 1)),
        (1 / X, (1, -1), (1, -1)),
        (ivm.sin(X), (-1, 0), (1, 0)),
        (ivm.atan2(Y, X), (0.244, 0), (0.464, 0)),  # the angle is that of the ray
        (ivm.absolute(Y - X), (0.5, 1), (0.75, 1)),
    ],
    ids=str,
)
def test_powers_of_the_distance(formula: Any, lower: Any, upper: Any) -> None:
    span = found(formula, 10, x=ray(1, 1), y=ray(0.25, 0.5))
    for end, (m, p) in zip(span, (lower, upper), strict=True):
        assert float(end.m[0]) == pytest.approx(m, abs=0.02)  # rounded outwards, root of a box
        assert float(end.p[0]) == p or m == 0


@pytest.mark.parametrize("source", [shapes(), tapes(max_clauses=12)], ids=["shapes", "tapes"])
@given(data=st.data(), radius=radii, sides=st.tuples(share, share), main=st.sampled_from([-1, 1]))
def test_bounds_enclose_the_values_along_rays(
    source: st.SearchStrategy[Tape], data: st.DataObject, radius: int, sides: Any, main: int
) -> None:
    """A point between two rays has a real value between the monomials: its own bounds say so."""
    tape, (low, high) = data.draw(source), sorted(sides)
    span = found(tape, radius, x=ray(main, main), y=ray(low, high), z=constant(0.5, 0.5))
    r = 2.0**radius * data.draw(st.sampled_from([1.0, 1.5, 7.0, 2.0**20, 2.0**300]))
    y = (low + (high - low) * data.draw(st.floats(0, 1))) * r
    if not Fraction(low) <= Fraction(y) / Fraction(r) <= Fraction(high):  # rounded
        return
    value = ivm.interval(tape, x=main * r, y=y, z=0.5, prove="area", dtype="float64")
    if not value.is_empty:
        with mpmath.workprec(200):
            assert value.upper >= at(span.lower, r)
            assert value.lower <= at(span.upper, r)
