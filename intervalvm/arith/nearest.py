"""Bounds made by arithmetic that rounds to nearest: of what floats compute, and of real numbers.

A *number system* bounds the results of operations over intervals, and is otherwise the namespace
``xp`` that it is made of. ``Nearest`` bounds what floats compute; ``NextFloat`` the real numbers,
by moving what was rounded to nearest to the next float outwards. Compiled lanes can run both.
``directed`` has the system of the same methods whose bounds of real numbers are the tightest.

A result rounded to nearest is off by half a unit in the last place, so the next float is beyond the
real one, also where it is subnormal, 0 or infinite; a sum that is 0 is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from intervalvm.arith.arrays import MAX_WIDE
from intervalvm.arith.directed import DOWN, DirectedArrays, Function

ERROR = 2.0**-50
"""Relative widening of the float64 result of a function: 8 units of 2**-53.

``docs/functions.md`` has the bounds: no result is off by more than 2.3 of these units, so the
result at a bound and that at a point differ by at most 4.6 in the wrong direction, and rounding the
widened bound may take back one.
"""
TINY = 2.0**-1060
"""Absolute widening, for results so small that their last place is not relative to the value."""


def remainder(xp: Any, a: Any, b: Any) -> Any:
    """Euclidean: ``0 <= r < abs(b)``, also where rounding ``r + abs(b)`` would reach ``abs(b)``."""
    size = xp.abs(b)
    r = xp.fmod(a, b)
    lifted = r + size
    return xp.where(r < 0.0, xp.where(lifted < size, lifted, xp.below(size)), r)


def below(xp: Any, value: Any) -> Any:
    """A function's float64 result, widened downwards. An overflow to infinity may not be one."""
    finite = xp.lesser(value, MAX_WIDE)
    return finite - _error(xp, finite)


def above(xp: Any, value: Any) -> Any:
    finite = xp.greater(value, -MAX_WIDE)
    return finite + _error(xp, finite)


def _error(xp: Any, value: Any) -> Any:
    return xp.abs(value) * (ERROR * xp.slack) + TINY * xp.slack


def _corners(xp: Any, values: Sequence[Any]) -> tuple[Any, Any]:
    """The minimum and the maximum of the values at the corners of a box.

    A NaN is 0 * inf or inf / inf. Near it the values are those of the adjacent corners and, where
    one operand is 0 (0 * inf) or the divisor is infinite, 0.
    """
    numbers = [xp.where(xp.isnan(value), 0.0, value) for value in values]
    low = high = numbers[0]
    for number in numbers[1:]:
        low, high = xp.lesser(low, number), xp.greater(high, number)
    return low, high


def _has_integer(xp: Any, low: Any, high: Any) -> Any:
    """Whether an integer may lie in [low, high], both off by a few ulps."""
    margin = (xp.abs(low) + xp.abs(high) + 1.0) * (2.0**-50 * xp.slack)
    return xp.floor(high + margin) >= low - margin


class Nearest:
    """The number system of what floats compute; see ``DirectedArrays`` for what methods give.

    Rounding to nearest is monotone, so the end points of a box, rounded as the points are, bound
    ``+ - * / sqrt``; functions, which are not correctly rounded, are widened (``ERROR``).
    """

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        return getattr(self.xp, name)

    def sum(self, a: Any, b: Any) -> tuple[Any, Any]:
        xp, low, high = self.xp, a.lower + b.lower, a.upper + b.upper
        return xp.where(xp.isnan(low), -xp.inf, low), xp.where(xp.isnan(high), xp.inf, high)

    def product(self, a: Any, b: Any) -> tuple[Any, Any]:
        return _corners(self.xp, [p * q for p in a[:2] for q in b[:2]])

    def quotient(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._beside_zero(b, *_corners(self.xp, [p / q for p in a[:2] for q in b[:2]]))

    def inverse(self, a: Any) -> tuple[Any, Any]:
        return self._beside_zero(a, 1.0 / a.upper, 1.0 / a.lower)

    def _beside_zero(self, b: Any, low: Any, high: Any) -> tuple[Any, Any]:
        """A bound of 0 may be either zero, so quotients by it may be either infinity."""
        xp, zero = self.xp, (b.lower <= 0.0) & (b.upper >= 0.0)
        return xp.where(zero, -xp.inf, low), xp.where(zero, xp.inf, high)

    def square(self, a: Any) -> tuple[Any, Any]:
        xp, low, high = self.xp, a.lower * a.lower, a.upper * a.upper
        zero = (a.lower <= 0.0) & (a.upper >= 0.0)
        return xp.where(zero, 0.0, xp.lesser(low, high)), xp.greater(low, high)

    def square_root(self, a: Any) -> tuple[Any, Any]:
        low, high = (self.xp.sqrt(self.xp.greater(end, 0.0)) for end in (a.lower, a.upper))
        return low, high

    def remainders(self, a: Any, b: Any) -> tuple[Any, Any, Any]:
        """No period ends inside if ``a`` is narrower than one and the remainder is greater at the
        upper end: each comparison of rounded values implies the exact one, since rounding is
        monotone. If ``a`` is narrower than half of one they may be equal: rounding does not make
        half a period of nothing.
        """
        xp, width = self.xp, a.upper - a.lower
        size = xp.lesser(xp.abs(b.lower), xp.abs(b.upper))
        first, last = remainder(xp, a.lower, b.lower), remainder(xp, a.upper, b.lower)
        within = ((width < size) & (first < last)) | (a.lower == a.upper)
        within = within | ((width + width < size) & (first == last))
        return (b.lower == b.upper) & within & (first <= last), first, last

    def increasing(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        xp, compute = self.xp, function.compute
        return (
            xp.narrow(below(xp, xp.call(compute, low))),
            xp.narrow(above(xp, xp.call(compute, high))),
        )

    def between(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        xp, ends = self.xp, (low, high)
        values = [self.xp.call(function.compute, end) for end in ends]
        return xp.narrow(below(xp, xp.lesser(*values))), xp.narrow(above(xp, xp.greater(*values)))

    def turns(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        assert function.turns is not None
        least, greatest = function.turns
        low, high = (end * (0.5 / math.pi) for end in (low, high))
        return (
            _has_integer(self.xp, low - least, high - least),
            _has_integer(self.xp, low - greatest, high - greatest),
        )

    def has_pole(self, _function: Function, low: Any, high: Any) -> Any:
        return _has_integer(self.xp, *(end * (1 / math.pi) - 0.5 for end in (low, high)))


class NextFloat(Nearest):
    """The number system of real numbers for any namespace with ``next_below``, ``next_above``."""

    def _outwards(self, low: Any, high: Any) -> tuple[Any, Any]:
        return self.xp.next_below(low), self.xp.next_above(high)

    def _not_negative(self, low: Any, high: Any) -> tuple[Any, Any]:
        return self.xp.greater(self.xp.next_below(low), 0.0), self.xp.next_above(high)

    def _signed(self, low: Any, high: Any, not_below: Any, not_above: Any) -> tuple[Any, Any]:
        """Where the result has a sign, so have its bounds, although it may be rounded to 0."""
        xp, (low, high) = self.xp, self._outwards(low, high)
        return (
            xp.where(not_below, xp.greater(low, 0.0), low),
            xp.where(not_above, xp.lesser(high, 0.0), high),
        )

    def _signs(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Whether a product, or a quotient, is not below 0, and not above."""
        (a_up, b_up), (a_down, b_down) = (
            [s.lower >= 0.0 for s in (a, b)],
            [s.upper <= 0.0 for s in (a, b)],
        )
        return (a_up & b_up) | (a_down & b_down), (a_up & b_down) | (a_down & b_up)

    def sum(self, a: Any, b: Any) -> tuple[Any, Any]:
        ends = super().sum(a, b)
        beyond = zip(ends, self._outwards(*ends), strict=True)
        low, high = (self.xp.where(end == 0.0, end, out) for end, out in beyond)
        return low, high

    def product(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._signed(*super().product(a, b), *self._signs(a, b))

    def quotient(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._signed(*super().quotient(a, b), *self._signs(a, b))

    def inverse(self, a: Any) -> tuple[Any, Any]:
        return self._signed(*super().inverse(a), a.lower > 0.0, a.upper < 0.0)

    def square(self, a: Any) -> tuple[Any, Any]:
        return self._not_negative(*super().square(a))

    def square_root(self, a: Any) -> tuple[Any, Any]:
        return self._not_negative(*super().square_root(a))

    def remainders(self, a: Any, b: Any) -> tuple[Any, Any, Any]:
        within, first, last = super().remainders(a, b)
        return within, *self._not_negative(first, last)

    def increasing(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        return self._outwards(*super().increasing(function, low, high))

    def between(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        return self._outwards(*super().between(function, low, high))

    def angle(self, way: int, function: Function, y: Any, x: Any) -> Any:
        xp = self.xp
        value = xp.call(function.compute, xp.wide(y), xp.wide(x))
        if way == DOWN:
            return xp.next_below(xp.narrow(below(xp, value)))
        return xp.next_above(xp.narrow(above(xp, value)))

    def limit(self, way: int, value: float, rest: float) -> float:
        return _limit("float32" if self.xp.itemsize == 4 else "float64", way, value, rest)


@cache
def _limit(dtype: str, way: int, value: float, rest: float) -> float:
    return float(DirectedArrays(np.dtype(dtype)).towards(way, np.float64(value), rest))
