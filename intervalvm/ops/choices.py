"""Operations with a choice: the value is that of one operand, and bounds may prove which."""

from __future__ import annotations

from typing import Any

from intervalvm.ops import rays, row
from intervalvm.ops.rays import Ray
from intervalvm.ops.rounding import zero_continuity
from intervalvm.ops.row import (
    Choice,
    Demand,
    Interval,
    Names,
    Op,
    Rule,
    Slope,
    Values,
    has_zero,
    is_zero,
)

# --- min and max --------------------------------------------------------------------------------


def _choose_min(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """A tie is the right operand. An operand that may be NaN is kept: NaN would be the result."""
    left_only = (a.upper < b.lower) & ~b.maybe_nan
    return left_only, (b.upper <= a.lower) & ~a.maybe_nan


def _choose_max(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    left_only = (a.lower > b.upper) & ~b.maybe_nan
    return left_only, (b.lower >= a.upper) & ~a.maybe_nan


def _choose_min_sign(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """For ``min(a, b) < 0`` an operand that is never below 0 does not matter."""
    left_only, right_only = _choose_min(xp, a, b)
    left_only = left_only | ((b.lower >= 0.0) & ~b.maybe_nan)
    return left_only, (right_only | ((a.lower >= 0.0) & ~a.maybe_nan)) & ~left_only


def _choose_max_sign(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """For ``max(a, b) < 0`` an operand that is always below 0 does not matter."""
    left_only, right_only = _choose_max(xp, a, b)
    left_only = left_only | ((b.upper < 0.0) & ~b.maybe_nan)
    return left_only, (right_only | ((a.upper < 0.0) & ~a.maybe_nan)) & ~left_only


def _min(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = a.maybe_nan | b.maybe_nan
    return Interval(xp.lesser(a.lower, b.lower), xp.lesser(a.upper, b.upper), nan)


def _max(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = a.maybe_nan | b.maybe_nan
    return Interval(xp.greater(a.lower, b.lower), xp.greater(a.upper, b.upper), nan)


# --- and and or ---------------------------------------------------------------------------------


def _choose_and(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """``a == 0 ? a : b``; NaN is not 0."""
    return is_zero(a) & ~a.maybe_nan, ~has_zero(a)


def _choose_or(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """``a != 0 ? a : b``; NaN is not 0."""
    return ~has_zero(a), is_zero(a) & ~a.maybe_nan


def _either(xp: Any, a: Interval, b: Interval, left_only: Any, right_only: Any) -> Interval:
    """Bounds of ``a`` or ``b``, whichever it is. A NaN of ``a`` counts; the caller takes it off."""
    low, high = xp.lesser(a.lower, b.lower), xp.greater(a.upper, b.upper)
    return Interval(
        xp.where(left_only, a.lower, xp.where(right_only, b.lower, low)),
        xp.where(left_only, a.upper, xp.where(right_only, b.upper, high)),
        a.maybe_nan | (b.maybe_nan & ~left_only),
    )


def _and(xp: Any, a: Interval, b: Interval) -> Interval:
    left_only, right_only = _choose_and(xp, a, b)
    return _either(xp, a._replace(maybe_nan=a.maybe_nan & xp.no), b, left_only, right_only)


def _or(xp: Any, a: Interval, b: Interval) -> Interval:
    return _either(xp, a, b, *_choose_or(xp, a, b))


def _and_reals(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    """0 or ``b``."""
    maybe, always = has_zero(a), is_zero(a)
    low = xp.where(maybe, xp.lesser(b.lower, 0.0), b.lower)
    high = xp.where(maybe, xp.greater(b.upper, 0.0), b.upper)
    return xp.where(always, 0.0, low), xp.where(always, 0.0, high)


def _and_ray(xp: Any, a: Ray, b: Ray) -> Ray:
    return rays.pick(xp, abs(rays.sign(xp, a)) - 0.5, a, b)


def _or_ray(xp: Any, a: Ray, b: Ray) -> Ray:
    return rays.pick(xp, 0.5 - abs(rays.sign(xp, a)), a, b)


def _row(
    name: str, value: str, edges: str, point: Rule, floats: Rule, reals: Rule, slope: Slope,
    choice: Choice, demand: Demand, names: Names, *, associates: bool = False,
) -> Op:  # fmt: skip
    jumps = slope.jumps is not None
    return Op(
        name=name, operands=("a", "b"), value=value, edges=edges, is_input=False, function=None,
        point=point, temporaries=1, floats=floats, reals=reals, domain=row.everywhere,
        continuity=zero_continuity if jumps else row.continuous,
        slope=slope, choice=choice, absorption=None, demand=demand,
        values=Values.TRUTH_OF_TRUTHS, names=names, commutes=False, associates=associates,
    )  # fmt: skip


_TIES = "NaN if either is NaN; b on a tie, and +0 and -0 tie"

ROWS = (
    _row(
        "min", "the lesser", _TIES, lambda xp, a, b: xp.minimum(a, b), _min, row.bounds_of(_min),
        Slope(None, rays.minimum, lambda a, b: a == b, None),
        Choice(
            choose=_choose_min, choose_sign=_choose_min_sign, takes_left=lambda a, b: a < b,
            taken=(lambda a, b: ~(a > b), lambda a, b: ~(b > a)),
        ),
        Demand.LESSER,
        Names(("minimum",), None, "minimum", "Min", "min"), associates=True,
    ),
    _row(
        "max", "the greater", _TIES, lambda xp, a, b: xp.maximum(a, b), _max, row.bounds_of(_max),
        Slope(None, rays.maximum, lambda a, b: a == b, None),
        Choice(
            choose=_choose_max, choose_sign=_choose_max_sign, takes_left=lambda a, b: a > b,
            taken=(lambda a, b: ~(a < b), lambda a, b: ~(b < a)),
        ),
        Demand.GREATER,
        Names(("maximum",), None, "maximum", "Max", "max"), associates=True,
    ),
    _row(
        "and", "a if a is 0, else b", "NaN counts as not 0: NaN gives b",
        lambda xp, a, b: xp.where(a == 0.0, a, b), _and, _and_reals,
        Slope(None, _and_ray, None, lambda xp, value, a, b: a == 0),
        Choice(
            choose=_choose_and, choose_sign=_choose_and, takes_left=lambda a, b: a == 0,
            taken=(lambda a, b: a == 0, lambda a, b: a != 0),
        ),
        Demand.BOTH,
        Names(("and_",), None, None, None, "and"),
    ),
    _row(
        "or", "a if a is not 0, else b", "NaN counts as not 0: NaN gives a",
        lambda xp, a, b: xp.where(a != 0.0, a, b), _or, row.bounds_of(_or),
        Slope(None, _or_ray, None, lambda xp, value, a, b: a == 0),
        Choice(
            choose=_choose_or, choose_sign=_choose_or, takes_left=lambda a, b: a != 0,
            taken=(lambda a, b: a != 0, lambda a, b: a == 0),
        ),
        Demand.EITHER,
        Names(("or_",), None, None, None, "or"),
    ),
)  # fmt: skip
