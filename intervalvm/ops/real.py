"""Bounds on the *real* function that a tape writes down, over all real points of a box.

The rules of ``interval`` bound what floats compute; these bound what the formula means, as IEEE
1788-2015 has it. A bound of infinity says that the values are unbounded on that side: no value is
infinite. An interval is cut to the domain of a function that is applied to it, and is empty where
nothing is left. ``decorated`` runs tapes by these rules, and tells what was cut and what jumps.

What a tape means in real numbers:

======================  ===========================================================================
``const``               the number that its float64 is; NaN and infinity are none
``div recip mod``       undefined where the divisor is 0; ``mod`` is a - abs(b) floor(a / abs(b))
``sqrt ln asin acos``   undefined off the domain; ``ln`` is undefined at 0
``tan atan2``           undefined at the poles, and at the origin; ``atan2(0, x < 0)`` is pi
``round``               half away from zero
``compare not and or``  as in ``ops``, for numbers: undefined where an operand is
``rand mix``            the hash of the nearest float32; zero has two, and either may be meant
======================  ===========================================================================

The empty interval is [inf, -inf]. Bounds of ``+ - * / sqrt square recip`` and of the exact
operations are the tightest; those of functions are ``directed.ULPS`` away, but exact where the
value is a float, and next to pi where it is a multiple of that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from intervalvm.arith.directed import DOWN, UP, Known, two_sum
from intervalvm.ops import OPS
from intervalvm.ops import bounds as nearest
from intervalvm.ops.choices import Interval

Rule = Callable[..., Interval]
EXACT = "copy neg abs floor ceil round compare not min max or"
RULES: dict[str, Rule] = {name: nearest.RULES[name] for name in EXACT.split()}
"""The rule of each operation: its operands are not empty, and ``maybe_nan`` of what it gives says
where they leave its domain. The exact operations have one rule for both meanings."""


def rule(name: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return register


def has_zero(a: Interval) -> Any:
    return (a.lower <= 0.0) & (a.upper >= 0.0)


def is_zero(a: Interval) -> Any:
    return (a.lower == 0.0) & (a.upper == 0.0)


def _is_unbounded(a: Interval) -> Any:
    return np.isinf(a.lower) | np.isinf(a.upper)


def _unless(xp: Any, empty: Any, lower: Any, upper: Any, leaves: Any) -> Interval:
    return Interval(np.where(empty, xp.inf, lower), np.where(empty, -xp.inf, upper), leaves)


# --- arithmetic -------------------------------------------------------------------------------


@rule("add")
def _add(xp: Any, a: Interval, b: Interval) -> Interval:
    return Interval(xp.add(DOWN, a.lower, b.lower), xp.add(UP, a.upper, b.upper), xp.no)


@rule("sub")
def _sub(xp: Any, a: Interval, b: Interval) -> Interval:
    return Interval(xp.add(DOWN, a.lower, -b.upper), xp.add(UP, a.upper, -b.lower), xp.no)


def _corners(operation: Callable[..., Any], a: Interval, b: Interval) -> tuple[Any, Any]:
    """NaN is 0 beside something unbounded, or divided by it: there the values come close to 0."""
    pairs = [(p, q) for p in a[:2] for q in b[:2]]
    lows, highs = ([operation(way, p, q) for p, q in pairs] for way in (DOWN, UP))
    least, most = (
        [np.where(np.isnan(value), 0.0, value).astype(value.dtype) for value in values]
        for values in (lows, highs)
    )
    return np.minimum.reduce(least), np.maximum.reduce(most)


@rule("mul")
def _mul(xp: Any, a: Interval, b: Interval) -> Interval:
    return Interval(*_corners(xp.multiply, a, b), xp.no)


@rule("square")
def _square(xp: Any, a: Interval) -> Interval:
    size = nearest.RULES["abs"](xp, a)
    low, high = (xp.multiply(w, s, s) for w, s in ((DOWN, size.lower), (UP, size.upper)))
    return Interval(low, high, xp.no)


@rule("div")
def _div(xp: Any, a: Interval, b: Interval) -> Interval:
    # an end that is 0 gets the sign of the numbers beside it, whose quotients are then bounded
    lower = xp.where(b.lower == 0.0, 0.0, b.lower)
    upper = xp.where(b.upper == 0.0, -0.0, b.upper)
    low, high = _corners(xp.divide, a, Interval(lower, upper, xp.no))
    both_sides = (b.lower < 0.0) & (b.upper > 0.0) & ~is_zero(a)
    low, high = np.where(both_sides, -xp.inf, low), np.where(both_sides, xp.inf, high)
    return _unless(xp, is_zero(b), low, high, has_zero(b))


@rule("recip")
def _recip(xp: Any, a: Interval) -> Interval:
    one = xp.dtype.type(1)
    return _div(xp, Interval(one, one, xp.no), a)


@rule("sqrt")
def _sqrt(xp: Any, a: Interval) -> Interval:
    low, high = (xp.root(w, np.maximum(s, 0.0)) for w, s in ((DOWN, a.lower), (UP, a.upper)))
    return _unless(xp, a.upper < 0.0, low, high, a.lower < 0.0)


@rule("mod")
def _mod(xp: Any, a: Interval, b: Interval) -> Interval:
    """[0, max(abs(b))], but where ``a`` stays within one period of a single ``b``."""
    size = nearest.RULES["abs"](xp, b)
    within = is_one_period(xp, a, b)
    low, high = (_remainder(xp, w, s, size.upper) for w, s in ((DOWN, a.lower), (UP, a.upper)))
    low, high = (
        xp.where(within, low, 0.0),
        np.where(within, np.minimum(high, size.upper), size.upper),
    )
    return _unless(xp, is_zero(b), low, high, has_zero(b))


def _remainder(xp: Any, way: int, a: Any, size: Any) -> Any:
    part = np.fmod(a, size)
    return np.where(part < 0.0, xp.add(way, part, size), part)


def is_one_period(xp: Any, a: Interval, b: Interval) -> Any:
    """Whether ``a`` stays in one period: it is narrower, and its remainder is not less at its end.

    ``fmod`` is exact, and is the remainder or, where it is negative, ``size`` less. Two of a kind
    are compared as they are; else the sum is rounded to nearest, which keeps a strict order.
    """
    size = np.abs(b.lower)
    first, last = np.fmod(a.lower, size), np.fmod(a.upper, size)
    alike = (first < 0.0) == (last < 0.0)
    lifted, other = (np.where(part < 0.0, part + size, part) for part in (first, last))
    grows = np.where(alike, first <= last, lifted < other)
    width, rest = two_sum(xp.wide(a.upper), -xp.wide(a.lower))
    narrow = (width < size) | ((width == size) & (rest < 0.0))
    return (b.lower == b.upper) & narrow & grows


@rule("and")
def _and(xp: Any, a: Interval, b: Interval) -> Interval:
    maybe, always = has_zero(a), is_zero(a)
    low, high = (
        np.where(maybe, cut(s, 0.0), s) for cut, s in ((np.minimum, b.lower), (np.maximum, b.upper))
    )
    return Interval(xp.where(always, 0.0, low), xp.where(always, 0.0, high), xp.no)


# --- functions -------------------------------------------------------------------------------

PI, HALF_PI = math.pi, math.pi / 2
"""The greatest float64 below pi, and its half: what they lack is a rest of +1."""
KNOWN: dict[str, dict[float, tuple[float, float]]] = {
    "sin": {0.0: (0.0, 0.0)},
    "cos": {0.0: (1.0, 0.0)},
    "tan": {0.0: (0.0, 0.0)},
    "asin": {0.0: (0.0, 0.0), 1.0: (HALF_PI, 1.0), -1.0: (-HALF_PI, -1.0)},
    "acos": {1.0: (0.0, 0.0), 0.0: (HALF_PI, 1.0), -1.0: (PI, 1.0)},
    "atan": {0.0: (0.0, 0.0), math.inf: (HALF_PI, 1.0), -math.inf: (-HALF_PI, -1.0)},
    "exp": {0.0: (1.0, 0.0), math.inf: (math.inf, 0.0), -math.inf: (0.0, 0.0)},
    "ln": {1.0: (0.0, 0.0), 0.0: (-math.inf, 0.0), math.inf: (math.inf, 0.0)},
}
"""Real values of functions, as (float64, sign of what it lacks), by argument; at an end of the
domain the limit."""

BENDS = {"sin": -1, "atan": -1, "tan": 1, "asin": 1}
"""Whether the function of 0 < x < pi / 2 is less than x or greater: near 0 it is next to x."""


def _at(xp: Any, way: int, name: str, x: Any) -> Any:
    known = [(x == at, *value) for at, value in KNOWN[name].items()]
    bound = xp.function(way, name, x, known=known)
    if name not in BENDS:
        return bound
    is_behind = (np.sign(x) * BENDS[name] == -way) & (np.abs(x) < 1.5)
    cut = np.maximum if way == DOWN else np.minimum
    return np.where(is_behind, cut(bound, xp.narrow(x)), bound)


def _ends(xp: Any, name: str, low: Any, high: Any) -> tuple[Any, Any]:
    """Bounds of an increasing function of wide numbers."""
    return _at(xp, DOWN, name, low), _at(xp, UP, name, high)


def _within(
    xp: Any, least: tuple[float, float], most: tuple[float, float], a: Interval
) -> Interval:
    """Bounds cut to the range of a function."""
    low, high = xp.towards(DOWN, *least), xp.towards(UP, *most)
    return a._replace(lower=np.maximum(a.lower, low), upper=np.minimum(a.upper, high))


def _wide_ends(xp: Any, a: Interval, low: float = -math.inf, high: float = math.inf) -> Any:
    """The ends of the part of ``a`` between two numbers; nonsense if there is none."""
    return (np.clip(xp.wide(end), low, high) for end in (a.lower, a.upper))


def _slopes(xp: Any, name: str, low: Any, high: Any) -> tuple[Any, Any, Any, Any]:
    """(turns more than once, more than twice, turns an odd number of times, slope at the low end).

    ``name`` is the derivative, which is 0 once in each stretch of pi. Its sign at a float is right,
    and it is 0 at no float but 0; so in a box narrower than pi it has a zero if its sign changes.
    A box that is wider, but narrower than 2 pi, has one more.
    """
    width, rest = two_sum(high, -low)
    once, twice = ((width > size) | ((width == size) & (rest > 0.0)) for size in (PI, 2 * PI))
    first, last = (xp.at(name, end) for end in (low, high))
    return once, twice, np.sign(first) * np.sign(last) < 0.0, first


def _wave(name: str, derivative: str, sign: int) -> Rule:
    """sin and cos; the slope is ``sign`` times ``derivative``."""

    def wave(xp: Any, a: Interval) -> Interval:
        endless = _is_unbounded(a)
        low, high = (np.where(endless, 0.0, xp.wide(end)) for end in (a.lower, a.upper))
        once, twice, odd, first = _slopes(xp, derivative, low, high)
        both = endless | twice | (once & ~odd)
        has_top, has_bottom = (
            both | (odd & (sign * first > 0.0)),
            both | (odd & (sign * first < 0.0)),
        )
        least = np.minimum(*(_at(xp, DOWN, name, end) for end in (low, high)))
        most = np.maximum(*(_at(xp, UP, name, end) for end in (low, high)))
        found = Interval(xp.where(has_bottom, -1.0, least), xp.where(has_top, 1.0, most), xp.no)
        return _within(xp, (-1.0, 0.0), (1.0, 0.0), found)

    return wave


RULES["sin"] = _wave("sin", "cos", 1)
RULES["cos"] = _wave("cos", "sin", -1)


@rule("tan")
def _tan(xp: Any, a: Interval) -> Interval:
    endless = _is_unbounded(a)
    low, high = (np.where(endless, 0.0, xp.wide(end)) for end in (a.lower, a.upper))
    once, _, odd, _ = _slopes(xp, "cos", low, high)
    pole = endless | once | odd
    lower, upper = _ends(xp, "tan", low, high)
    return Interval(np.where(pole, -xp.inf, lower), np.where(pole, xp.inf, upper), pole)


@rule("asin")
def _asin(xp: Any, a: Interval) -> Interval:
    low, high = _ends(xp, "asin", *_wide_ends(xp, a, -1.0, 1.0))
    found = _within(xp, (-HALF_PI, -1.0), (HALF_PI, 1.0), Interval(low, high, xp.no))
    return _cut_to_one(xp, a, found)


@rule("acos")
def _acos(xp: Any, a: Interval) -> Interval:
    high, low = _wide_ends(xp, a, -1.0, 1.0)
    found = Interval(*_ends(xp, "acos", low, high), xp.no)
    return _cut_to_one(xp, a, _within(xp, (0.0, 0.0), (PI, 1.0), found))


def _cut_to_one(xp: Any, a: Interval, found: Interval) -> Interval:
    outside = (a.lower > 1.0) | (a.upper < -1.0)
    return _unless(xp, outside, found.lower, found.upper, (a.lower < -1.0) | (a.upper > 1.0))


@rule("atan")
def _atan(xp: Any, a: Interval) -> Interval:
    found = Interval(*_ends(xp, "atan", *_wide_ends(xp, a)), xp.no)
    return _within(xp, (-HALF_PI, -1.0), (HALF_PI, 1.0), found)


@rule("exp")
def _exp(xp: Any, a: Interval) -> Interval:
    low, high = _ends(xp, "exp", *_wide_ends(xp, a))
    least, most = xp.where(a.lower >= 0.0, 1.0, 0.0), xp.where(a.upper <= 0.0, 1.0, math.inf)
    return Interval(np.maximum(low, least), np.minimum(high, most), xp.no)


@rule("ln")
def _ln(xp: Any, a: Interval) -> Interval:
    low, high = _ends(xp, "ln", *_wide_ends(xp, a, 0.0))
    return _unless(xp, a.upper <= 0.0, low, high, a.lower <= 0.0)


@rule("atan2")
def _atan2(xp: Any, y: Interval, x: Interval) -> Interval:
    """Of the part of the box that lies above the x axis or on it, and of the part below mirrored.

    In either the angle falls as x grows, and grows with y where x > 0.
    """
    # an end that is 0 gets the sign of the numbers beside it: on the axis the angle is theirs
    right = Interval(
        xp.where(x.lower == 0.0, 0.0, x.lower), xp.where(x.upper == 0.0, -0.0, x.upper), xp.no
    )
    above = Interval(np.maximum(y.lower, 0.0), np.maximum(y.upper, 0.0), xp.no)
    below = Interval(np.maximum(-y.upper, 0.0), np.maximum(-y.lower, 0.0), xp.no)
    has_above, has_below = (y.upper > 0.0) | ((y.upper == 0.0) & ~is_zero(x)), y.lower < 0.0
    low = np.where(has_below, -_most(xp, below, right), _least(xp, above, right))
    high = np.where(has_above, _most(xp, above, right), -_least(xp, below, right))
    found = _within(xp, (-PI, -1.0), (PI, 1.0), Interval(low, high, xp.no))
    empty = is_zero(y) & is_zero(x)
    return _unless(xp, empty, found.lower, found.upper, has_zero(y) & has_zero(x))


def _least(xp: Any, y: Interval, x: Interval) -> Any:
    return _angle(xp, DOWN, np.where(x.upper > 0.0, y.lower, y.upper), x.upper)


def _most(xp: Any, y: Interval, x: Interval) -> Any:
    return _angle(xp, UP, np.where(x.lower < 0.0, y.lower, y.upper), x.lower)


def _angle(xp: Any, way: int, y: Any, x: Any) -> Any:
    """A bound of the angle of a point with y >= 0, not both infinite."""
    on_axis = y == 0.0
    known: list[Known] = [
        ((on_axis & ~np.signbit(x)) | (x == np.inf), 0.0, 0.0),
        ((on_axis & np.signbit(x)) | (x == -np.inf), PI, 1.0),
        (((x == 0.0) & ~on_axis) | (y == np.inf), HALF_PI, 1.0),
    ]
    return xp.function(way, "atan2", xp.wide(y), xp.wide(x), known=known)


# --- hashes -----------------------------------------------------------------------------------


def hashed(xp: Any, a: Interval) -> tuple[Any, Any]:
    """The float32 nearest to the numbers, and whether they all have the same one, but not 0."""
    first, last = (np.asarray(end, np.float32) for end in (a.lower, a.upper))
    return first, (first == last) & (first != 0.0) & ~_is_unbounded(a)


@rule("rand")
def _rand(xp: Any, a: Interval) -> Interval:
    first, single = hashed(xp, a)
    value = OPS["rand"].point(xp, first)  # type: ignore[misc]
    return Interval(xp.where(single, value, 0.0), xp.where(single, value, 1.0), xp.no)


@rule("mix")
def _mix(xp: Any, a: Interval, b: Interval) -> Interval:
    (first, a_single), (second, b_single) = hashed(xp, a), hashed(xp, b)
    value = OPS["mix"].point(xp, first, second)  # type: ignore[misc]
    known = a_single & b_single & np.isfinite(value)
    return Interval(np.where(known, value, -xp.inf), np.where(known, value, xp.inf), ~known)


assert set(RULES) == set(nearest.RULES)
