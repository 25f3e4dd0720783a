"""The root finder of meshes, a step at a time: it ends at a change of sign, whatever is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intervalvm.jit.brackets import POINT, start
from intervalvm.jit.meshes.roots import LENGTH, ROOT, narrowed

Function = Callable[[float], tuple[float, float]]
NEAR = 2.0**-9
MOST = 200
"""Steps; by halving alone there are 10, and as many of Newton's before each."""


def root(function: Function, first: float, second: float, near: float = NEAR) -> float:
    """The root on a segment from 0 to 1, of a function of values and slopes."""
    w: Any = SimpleNamespace(roots=np.zeros(ROOT), limits=np.array([near, 2.0**-12]))
    w.roots[LENGTH] = 1.0
    w.roots[POINT] = point = start(w, 0, 0.0, 1.0, first, second)
    for _ in range(MOST):
        with np.errstate(all="ignore"):
            point, is_done = narrowed(w, 0, *function(point))
        w.roots[POINT] = point
        if is_done:
            return point
    raise AssertionError(f"no end after {MOST} steps")


outside = st.sampled_from([0.0, 1e-300, 1e300, math.inf, math.nan]) | st.floats(0, 9)
inside = st.sampled_from([-1e-300, -1e300, -math.inf]) | st.floats(-9, -1e-9)


@given(seed=st.integers(0, 2**32 - 1), ends=st.tuples(inside, outside), turned=st.booleans())
def test_a_search_ends_whatever_is_found(
    seed: int, ends: tuple[float, float], turned: bool
) -> None:
    rng = np.random.default_rng(seed)
    odd = [0.0, -1e-300, 1e300, math.inf, -math.inf, math.nan]

    def anything(_: float) -> tuple[float, float]:
        value, slope = (
            float(rng.choice(odd)) if rng.random() < 0.3 else float(rng.normal()) for _ in range(2)
        )
        return value, slope

    first, second = reversed(ends) if turned else ends
    assert 0.0 <= root(anything, first, second) <= 1.0


@given(at=st.floats(0.01, 0.99), scale=st.sampled_from([1.0, 1e-200, 1e200]))
@example(at=0.53, scale=1.0)
def test_the_value_beyond_may_be_nan(at: float, scale: float) -> None:
    """NaN is outside; Newton's steps come to a point just inside, and stay there."""

    def below(point: float) -> tuple[float, float]:
        return -1e-17 * scale if point >= at - 1e-15 else (point - at) * scale, scale

    def values(point: float) -> tuple[float, float]:
        return below(point) if point <= at + 1e-15 else (math.nan, math.nan)

    assert abs(root(values, -at * scale, math.nan) - at) <= 2 * NEAR


@pytest.mark.parametrize("at", [0.1, 0.5, 0.77])
def test_a_jump_is_found(at: float) -> None:
    found = root(lambda point: (-1.0 if point < at else 1.0, 0.0), -1.0, 1.0)
    assert abs(found - at) <= 2 * NEAR
