"""Intervals, and what they prove about choices: which operand of a ``min`` and the like can matter.

Written over a namespace ``xp``, as the rules of ``interval`` are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from intervalvm.ops import ROWS


class Interval(NamedTuple):
    """Bounds of a value over boxes, as arrays or lanes of one shape."""

    lower: Any
    upper: Any
    maybe_nan: Any


def contains_zero(a: Interval) -> Any:
    return (a.lower <= 0.0) & (a.upper >= 0.0)


def choose_min(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """A tie goes to the right. A NaN on the side that is dropped would have been the result."""
    left_only = (a.upper < b.lower) & ~b.maybe_nan
    return left_only, (b.upper <= a.lower) & ~a.maybe_nan


def choose_max(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    left_only = (a.lower > b.upper) & ~b.maybe_nan
    return left_only, (b.lower >= a.upper) & ~a.maybe_nan


def choose_and(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """``a == 0 ? a : b``: NaN is not 0, so it leads to ``b``."""
    zero = (a.lower == 0.0) & (a.upper == 0.0) & ~a.maybe_nan
    return zero, ~contains_zero(a)


def choose_or(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """``a != 0 ? a : b``: NaN is not 0, so it stays."""
    zero = (a.lower == 0.0) & (a.upper == 0.0) & ~a.maybe_nan
    return ~contains_zero(a), zero


def choose_min_sign(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """Where only ``min(a, b) < 0`` is asked, a side that is never below 0 does not matter."""
    left_only, right_only = choose_min(xp, a, b)
    left_only = left_only | ((b.lower >= 0.0) & ~b.maybe_nan)
    return left_only, (right_only | ((a.lower >= 0.0) & ~a.maybe_nan)) & ~left_only


def choose_max_sign(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """Where only ``max(a, b) < 0`` is asked, a side that is always below 0 does not matter."""
    left_only, right_only = choose_max(xp, a, b)
    left_only = left_only | ((b.upper < 0.0) & ~b.maybe_nan)
    return left_only, (right_only | ((a.upper < 0.0) & ~a.maybe_nan)) & ~left_only


Choose = Callable[..., tuple[Any, Any]]
CHOICES: dict[str, Choose] = {
    "min": choose_min,
    "max": choose_max,
    "and": choose_and,
    "or": choose_or,
}
"""(only the left operand matters, only the right one does), never both, for each choice."""
SIGN_CHOICES: dict[str, Choose] = CHOICES | {"min": choose_min_sign, "max": choose_max_sign}
"""The same where nothing but ``v < 0`` is asked of the result."""


assert set(CHOICES) == {op.name for op in ROWS if op.has_choice}
