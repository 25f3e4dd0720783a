"""Boxes and the floats in them, for Hypothesis: a float is drawn as its place in their order.

The order runs from -inf through -0 and +0 to +inf, so that every float between two others is as
likely as any, and a box may end at either zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.strategies import INTERESTING

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval

WORD = {"float32": np.int32, "float64": np.int64}


def place(value: Any, dtype: str) -> int:
    """Where a float stands in the order; 0 is +0, -1 is -0."""
    word = int(np.array(value, dtype).view(WORD[dtype]))
    return word if word >= 0 else -(word & np.iinfo(WORD[dtype]).max) - 1


def float_at(where: int, dtype: str) -> float:
    bits = where if where >= 0 else (-where - 1) + int(np.iinfo(WORD[dtype]).min)
    return float(np.array(bits, WORD[dtype]).view(dtype))


@dataclass(frozen=True)
class Range:
    """The floats from ``low`` to ``high``; and NaN, if ``maybe_nan``."""

    low: float
    high: float
    maybe_nan: bool = False


def floats_within(found: Range, dtype: str) -> st.SearchStrategy[float]:
    low, high = place(found.low, dtype), place(found.high, dtype)
    between = st.sampled_from([low, high]) | st.integers(low, high)
    points = between.map(lambda where: float_at(where, dtype))
    return points | st.just(np.nan) if found.maybe_nan else points


def any_float(dtype: str) -> st.SearchStrategy[float]:
    with np.errstate(over="ignore", under="ignore"):
        edges = np.array(INTERESTING, dtype)
    edges = edges[~np.isnan(edges)].tolist()
    small = st.floats(-8, 8, width=16)
    return st.sampled_from(edges) | small | st.floats(width=np.finfo(dtype).bits, allow_nan=False)


@st.composite
def ranges(draw: st.DrawFn, dtype: str, *, nan: bool = True, finite: bool = False) -> Range:
    """Between any two floats, or some floats wide, or of one float."""
    info = np.finfo(dtype)
    least, most = place(-np.inf, dtype), place(np.inf, dtype)
    if finite:
        least, most = place(-info.max / 8, dtype), place(info.max / 8, dtype)
    first = place(draw(any_float(dtype)), dtype)
    kind = draw(st.sampled_from(["any", "few", "one"]))
    last = first
    if kind == "any":
        last = place(draw(any_float(dtype)), dtype)
    elif kind == "few":
        last = first + draw(st.integers(0, 100) | st.integers(0, 2**info.nmant))
    low, high = sorted(min(max(where, least), most) for where in (first, last))
    maybe_nan = nan and draw(st.integers(0, 7)) == 7
    return Range(float_at(low, dtype), float_at(high, dtype), maybe_nan)


@st.composite
def ranges_within(draw: st.DrawFn, outer: Range, dtype: str) -> Range:
    low, high = place(outer.low, dtype), place(outer.high, dtype)
    ends = st.sampled_from([low, high]) | st.integers(low, high)
    if draw(st.booleans()):
        near = draw(ends)
        ends = st.integers(max(low, near - 20), min(high, near + 20))
    first, last = sorted((draw(ends), draw(ends)))
    return Range(float_at(first, dtype), float_at(last, dtype))


def interval_of(ranges: list[Range], dtype: str) -> Interval:
    """Ranges side by side, as the evaluators take them."""
    return Interval(
        np.array([found.low for found in ranges], dtype),
        np.array([found.high for found in ranges], dtype),
        np.array([found.maybe_nan for found in ranges]),
    )


@dataclass(frozen=True)
class Case:
    """A box and points in it, NaN among them where the box allows it."""

    x: Range
    y: Range
    points: list[tuple[float, float]]


@st.composite
def cases(draw: st.DrawFn, dtype: str, *, nan: bool = True) -> Case:
    x = draw(ranges(dtype, nan=nan))
    # Equal or touching ranges are where choices and comparisons go wrong.
    y = draw(st.just(x) | ranges(dtype, nan=nan) | ranges_within(x, dtype))
    pair = st.tuples(floats_within(x, dtype), floats_within(y, dtype))
    return Case(x, y, draw(st.lists(pair, min_size=1, max_size=8)))


def points_in(
    data: st.DataObject, box: dict[str, Range], dtype: str, count: int = 8
) -> dict[str, Any]:
    """An array of ``count`` floats of ``dtype`` for each side of a box."""
    return {
        name: np.array(
            data.draw(st.lists(floats_within(side, dtype), min_size=count, max_size=count)), dtype
        )
        for name, side in box.items()
    }


def values_at(found: Tape, points: dict[str, Any], dtype: str) -> Any:
    axes = [points.get(axis, 0.0) for axis in AXES]
    free = {name: points[name] for name in found.variables}
    return ivm.evaluate(found, *axes, variables=free, dtype=dtype)
