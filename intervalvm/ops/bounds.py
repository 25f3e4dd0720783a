"""The interval rule of every operation: bounds on all float results over a box.

A rule takes the bounds of the operands and gives bounds that hold for the *computed* value at every
float point of the box, in the tape's dtype. Rounding to nearest is monotone, so evaluating the end
points with the same rounding as the points does it for ``+ - * / sqrt`` and the exact operations;
functions, which are not correctly rounded, are widened (``ERROR``).

Like the point rules in ``ops`` these are written over a namespace ``xp`` and run on NumPy arrays
and in compiled lanes alike. Besides what ``ops`` lists, a namespace gives ``lesser`` and
``greater`` (minimum and maximum of bounds, which are never NaN), ``inf``, ``no`` (a false mask),
``wide``/``narrow`` (to float64 and back, rounding once) and ``slack``, see below.

Invariants: ``lower`` and ``upper`` are never NaN, and ``maybe_nan`` is set where some point of the
box may give NaN; the bounds then hold for the points that do not. A bound of 0 bounds both zeros.

A box inside another has bounds within the other's: the compiled walk proves once, for the whole
image, that no bound is infinite. A result of ``functions`` need not grow where the real function
does, so for these operations that holds where the other's namespace has four times the ``slack`` at
least.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from intervalvm.arith import elementary
from intervalvm.arith.arrays import MAX_WIDE
from intervalvm.ops import OPS, ROWS
from intervalvm.ops.choices import Interval, choose_and, choose_or, contains_zero

ERROR = 2.0**-50
"""Relative widening of the float64 result of a function: 8 units of 2**-53.

``docs/functions.md`` has the bounds: no result is off by more than 2.3 of these units, so the
result at a bound and that at a point differ by at most 4.6 in the wrong direction, and rounding the
widened bound may take back one.
"""
TINY = 2.0**-1060
"""Absolute widening, for results so small that their last place is not relative to the value."""

Rule = Callable[..., Interval]
RULES: dict[str, Rule] = {}
"""The rule of each operation that has operands, by name."""


def rule(name: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        assert OPS[name].arity > 0
        RULES[name] = function
        return function

    return register


def constant(xp: Any, lower: Any, upper: Any) -> Interval:
    """The interval of a number between two floats; both are NaN if it is."""
    nan = xp.isnan(lower)
    return Interval(xp.where(nan, -xp.inf, lower), xp.where(nan, xp.inf, upper), nan)


def _infinite(xp: Any, a: Interval) -> Any:
    return xp.isinf(a.lower) | xp.isinf(a.upper)


# --- exact and correctly rounded operations ---------------------------------------------------


@rule("copy")
def _copy(xp: Any, a: Interval) -> Interval:
    return a


@rule("neg")
def _neg(xp: Any, a: Interval) -> Interval:
    return Interval(-a.upper, -a.lower, a.maybe_nan)


@rule("abs")
def _abs(xp: Any, a: Interval) -> Interval:
    low, high = xp.abs(a.lower), xp.abs(a.upper)
    nearest = xp.where(contains_zero(a), 0.0, xp.lesser(low, high))
    return Interval(nearest, xp.greater(low, high), a.maybe_nan)


@rule("square")
def _square(xp: Any, a: Interval) -> Interval:
    low, high = a.lower * a.lower, a.upper * a.upper
    nearest = xp.where(contains_zero(a), 0.0, xp.lesser(low, high))
    return Interval(nearest, xp.greater(low, high), a.maybe_nan)


@rule("sqrt")
def _sqrt(xp: Any, a: Interval) -> Interval:
    low, high = (xp.sqrt(xp.greater(bound, 0.0)) for bound in (a.lower, a.upper))
    return Interval(low, high, a.maybe_nan | (a.lower < 0.0))


@rule("recip")
def _recip(xp: Any, a: Interval) -> Interval:
    # A bound of 0 may stand for either zero, so 1/0 may be either infinity.
    zero = contains_zero(a)
    low, high = 1.0 / a.upper, 1.0 / a.lower
    return Interval(xp.where(zero, -xp.inf, low), xp.where(zero, xp.inf, high), a.maybe_nan)


def _piecewise(name: str) -> Rule:
    point = OPS[name].point
    assert point is not None

    def never_decreasing(xp: Any, a: Interval) -> Interval:
        return Interval(point(xp, a.lower), point(xp, a.upper), a.maybe_nan)

    return never_decreasing


for _name in ("floor", "ceil", "round"):
    RULES[_name] = _piecewise(_name)


@rule("add")
def _add(xp: Any, a: Interval, b: Interval) -> Interval:
    low, high = a.lower + b.lower, a.upper + b.upper
    nan = xp.isnan(a.lower + b.upper) | xp.isnan(a.upper + b.lower)
    return Interval(
        xp.where(xp.isnan(low), -xp.inf, low),
        xp.where(xp.isnan(high), xp.inf, high),
        a.maybe_nan | b.maybe_nan | nan,
    )


@rule("sub")
def _sub(xp: Any, a: Interval, b: Interval) -> Interval:
    return _add(xp, a, _neg(xp, b))


def _corners(xp: Any, values: Sequence[Any]) -> tuple[Any, Any]:
    """The least and the greatest of the values at the corners of a box.

    NaN at a corner is 0 * inf or inf / inf. Near it the values are those of the corners beside it
    and, where one operand is 0 (0 * inf) or the divisor is infinite, 0.
    """
    numbers = [xp.where(xp.isnan(value), 0.0, value) for value in values]
    low = high = numbers[0]
    for number in numbers[1:]:
        low, high = xp.lesser(low, number), xp.greater(high, number)
    return low, high


@rule("mul")
def _mul(xp: Any, a: Interval, b: Interval) -> Interval:
    low, high = _corners(xp, [p * q for p in a[:2] for q in b[:2]])
    nan = (contains_zero(a) & _infinite(xp, b)) | (contains_zero(b) & _infinite(xp, a))
    return Interval(low, high, a.maybe_nan | b.maybe_nan | nan)


@rule("div")
def _div(xp: Any, a: Interval, b: Interval) -> Interval:
    low, high = _corners(xp, [p / q for p in a[:2] for q in b[:2]])
    zero = contains_zero(b)
    nan = (zero & contains_zero(a)) | (_infinite(xp, a) & _infinite(xp, b))
    return Interval(
        xp.where(zero, -xp.inf, low),
        xp.where(zero, xp.inf, high),
        a.maybe_nan | b.maybe_nan | nan,
    )


@rule("mod")
def _mod(xp: Any, a: Interval, b: Interval) -> Interval:
    """[0, max(abs(b))], but where ``a`` stays within one period of a single ``b``.

    There the remainder never decreases, so it is bounded by its values at the ends. No period ends
    inside if ``a`` is narrower than one and the remainder is greater at the upper end: each
    comparison of rounded values implies the exact one, since rounding is monotone. If ``a`` is
    narrower than half of one they may be equal: rounding does not make half a period of nothing.
    """
    point = OPS["mod"].point
    assert point is not None
    size, width = _abs(xp, b), a.upper - a.lower
    first, last = point(xp, a.lower, b.lower), point(xp, a.upper, b.lower)
    one_period = ((width < size.lower) & (first < last)) | (a.lower == a.upper)
    one_period = one_period | ((width + width < size.lower) & (first == last))
    within = (b.lower == b.upper) & one_period & (first <= last)
    nan = a.maybe_nan | b.maybe_nan | contains_zero(b) | _infinite(xp, a)
    return Interval(xp.where(within, first, 0.0), xp.where(within, last, size.upper), nan)


# --- comparisons and choices ------------------------------------------------------------------


@rule("compare")
def _compare(xp: Any, a: Interval, b: Interval) -> Interval:
    low = xp.where(a.lower < b.upper, -1.0, xp.where(a.lower > b.upper, 1.0, 0.0))
    high = xp.where(a.upper > b.lower, 1.0, xp.where(a.upper < b.lower, -1.0, 0.0))
    return Interval(low, high, a.maybe_nan | b.maybe_nan)


@rule("not")
def _not(xp: Any, a: Interval) -> Interval:
    always = (a.lower == 0.0) & (a.upper == 0.0) & ~a.maybe_nan
    return Interval(
        xp.where(always, 1.0, 0.0), xp.where(contains_zero(a), 1.0, 0.0), xp.no & a.maybe_nan
    )


@rule("min")
def _min(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = a.maybe_nan | b.maybe_nan
    return Interval(xp.lesser(a.lower, b.lower), xp.lesser(a.upper, b.upper), nan)


@rule("max")
def _max(xp: Any, a: Interval, b: Interval) -> Interval:
    nan = a.maybe_nan | b.maybe_nan
    return Interval(xp.greater(a.lower, b.lower), xp.greater(a.upper, b.upper), nan)


def _either(xp: Any, a: Interval, b: Interval, left_only: Any, right_only: Any) -> Interval:
    """Bounds of ``a`` or ``b``, whichever it is. A NaN of ``a`` counts; the caller takes it off."""
    low, high = xp.lesser(a.lower, b.lower), xp.greater(a.upper, b.upper)
    return Interval(
        xp.where(left_only, a.lower, xp.where(right_only, b.lower, low)),
        xp.where(left_only, a.upper, xp.where(right_only, b.upper, high)),
        a.maybe_nan | (b.maybe_nan & ~left_only),
    )


@rule("and")
def _and(xp: Any, a: Interval, b: Interval) -> Interval:
    left_only, right_only = choose_and(xp, a, b)
    return _either(xp, a._replace(maybe_nan=a.maybe_nan & xp.no), b, left_only, right_only)


@rule("or")
def _or(xp: Any, a: Interval, b: Interval) -> Interval:
    return _either(xp, a, b, *choose_or(xp, a, b))


# --- functions --------------------------------------------------------------------------------


def _below(xp: Any, value: Any) -> Any:
    """A function's float64 result, widened downwards. An overflow to infinity may not be one."""
    finite = xp.lesser(value, MAX_WIDE)
    return finite - _error(xp, finite)


def _above(xp: Any, value: Any) -> Any:
    finite = xp.greater(value, -MAX_WIDE)
    return finite + _error(xp, finite)


def _error(xp: Any, value: Any) -> Any:
    return xp.abs(value) * (ERROR * xp.slack) + TINY * xp.slack


def _increasing(xp: Any, function: Any, low: Any, high: Any, nan: Any) -> Interval:
    """The interval of an increasing function, given wide bounds inside its domain."""
    return Interval(
        xp.narrow(_below(xp, xp.call(function, low))),
        xp.narrow(_above(xp, xp.call(function, high))),
        nan,
    )


def _has_integer(xp: Any, low: Any, high: Any) -> Any:
    """Whether an integer may lie in [low, high], both off by a few ulps."""
    margin = (xp.abs(low) + xp.abs(high) + 1.0) * (2.0**-50 * xp.slack)
    return xp.floor(high + margin) >= low - margin


def _wave(function: Any, top: float, bottom: float) -> Rule:
    """sin and cos: +1 at ``top`` turns and -1 at ``bottom`` turns, plus whole ones."""

    def bounds(xp: Any, a: Interval) -> Interval:
        low, high = xp.wide(a.lower), xp.wide(a.upper)
        ends = [xp.call(function, low), xp.call(function, high)]
        turns_low, turns_high = (bound * (0.5 / math.pi) for bound in (low, high))
        endless = _infinite(xp, a)
        has_top = endless | _has_integer(xp, turns_low - top, turns_high - top)
        has_bottom = endless | _has_integer(xp, turns_low - bottom, turns_high - bottom)
        least = xp.narrow(_below(xp, xp.lesser(*ends)))
        greatest = xp.narrow(_above(xp, xp.greater(*ends)))
        return Interval(
            xp.where(has_bottom, -1.0, xp.greater(least, -1.0)),
            xp.where(has_top, 1.0, xp.lesser(greatest, 1.0)),
            a.maybe_nan | endless,
        )

    return bounds


RULES["sin"] = _wave(elementary.sin, 0.25, -0.25)
RULES["cos"] = _wave(elementary.cos, 0.0, 0.5)


@rule("tan")
def _tan(xp: Any, a: Interval) -> Interval:
    low, high = xp.wide(a.lower), xp.wide(a.upper)
    endless = _infinite(xp, a)
    pole = endless | _has_integer(xp, low * (1 / math.pi) - 0.5, high * (1 / math.pi) - 0.5)
    inner = _increasing(xp, elementary.tan, low, high, a.maybe_nan | endless)
    return Interval(
        xp.where(pole, -xp.inf, inner.lower), xp.where(pole, xp.inf, inner.upper), inner.maybe_nan
    )


def _clipped(xp: Any, a: Interval) -> tuple[Any, Any, Any]:
    """The part of ``a`` within [-1, 1], wide, and whether some of it is outside."""
    low, high = (xp.wide(xp.lesser(xp.greater(bound, -1.0), 1.0)) for bound in (a.lower, a.upper))
    return low, high, a.maybe_nan | (a.lower < -1.0) | (a.upper > 1.0)


@rule("asin")
def _asin(xp: Any, a: Interval) -> Interval:
    return _increasing(xp, elementary.asin, *_clipped(xp, a))


@rule("acos")
def _acos(xp: Any, a: Interval) -> Interval:
    low, high, nan = _clipped(xp, a)
    return _increasing(xp, elementary.acos, high, low, nan)


@rule("atan")
def _atan(xp: Any, a: Interval) -> Interval:
    return _increasing(xp, elementary.atan, xp.wide(a.lower), xp.wide(a.upper), a.maybe_nan)


@rule("exp")
def _exp(xp: Any, a: Interval) -> Interval:
    inner = _increasing(xp, elementary.exp, xp.wide(a.lower), xp.wide(a.upper), a.maybe_nan)
    return inner._replace(lower=xp.greater(inner.lower, 0.0))


@rule("ln")
def _ln(xp: Any, a: Interval) -> Interval:
    low, high = (xp.wide(xp.greater(bound, 0.0)) for bound in (a.lower, a.upper))
    return _increasing(xp, elementary.ln, low, high, a.maybe_nan | (a.lower < 0.0))


@rule("atan2")
def _atan2(xp: Any, y: Interval, x: Interval) -> Interval:
    """The extreme angles of a box are at its corners, unless it meets the cut at x <= 0, y = 0."""
    angles = [xp.call(elementary.atan2, xp.wide(p), xp.wide(q)) for p in y[:2] for q in x[:2]]
    low = xp.lesser(xp.lesser(angles[0], angles[1]), xp.lesser(angles[2], angles[3]))
    high = xp.greater(xp.greater(angles[0], angles[1]), xp.greater(angles[2], angles[3]))
    cut = contains_zero(y) & (x.lower <= 0.0)
    return Interval(
        xp.narrow(_below(xp, xp.where(cut, -math.pi, low))),
        xp.narrow(_above(xp, xp.where(cut, math.pi, high))),
        y.maybe_nan | x.maybe_nan,
    )


# --- hashes -----------------------------------------------------------------------------------


def _is_single(xp: Any, a: Interval) -> Any:
    """Whether only one bit pattern is possible: 0 is not, since it may be either zero."""
    return (a.lower == a.upper) & (a.lower != 0.0) & ~a.maybe_nan


@rule("rand")
def _rand(xp: Any, a: Interval) -> Interval:
    single, value = _is_single(xp, a), OPS["rand"].point(xp, a.lower)  # type: ignore[misc]
    return Interval(xp.where(single, value, 0.0), xp.where(single, value, 1.0), a.maybe_nan & xp.no)


@rule("mix")
def _mix(xp: Any, a: Interval, b: Interval) -> Interval:
    value = OPS["mix"].point(xp, a.lower, b.lower)  # type: ignore[misc]
    known = _is_single(xp, a) & _is_single(xp, b) & ~xp.isnan(value)
    return Interval(xp.where(known, value, -xp.inf), xp.where(known, value, xp.inf), ~known)


assert set(RULES) == {op.name for op in ROWS if op.arity}, "every operation has an interval rule"
