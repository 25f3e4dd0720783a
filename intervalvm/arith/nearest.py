"""Bounds made by arithmetic that rounds to nearest: of what floats compute, and of real numbers.

The functions give bounds of computed values over intervals (of three parts: lower, upper,
maybe_nan). ``NextFloat`` is the number system of real bounds that compiled lanes can run too: what
was rounded to nearest is moved to the next float outwards. ``directed`` has the system of the same
methods whose bounds are the tightest, in NumPy.

Sources of what is used: a result rounded to nearest is off by half a unit in the last place, so the
next float is beyond the real one, also where it is subnormal, 0 or infinite; a sum that is 0 is
exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from intervalvm.arith.arrays import MAX_WIDE
from intervalvm.arith.directed import DOWN, UP, DirectedArrays, Function

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


def remainders(xp: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Whether ``a`` stays within one period of a single ``b``, and the remainders of its ends.

    There the remainder never decreases. No period ends inside if ``a`` is narrower than one and the
    remainder is greater at the upper end: each comparison of rounded values implies the exact one,
    since rounding is monotone. If ``a`` is narrower than half of one they may be equal: rounding
    does not make half a period of nothing.
    """
    size, width = xp.lesser(xp.abs(b.lower), xp.abs(b.upper)), a.upper - a.lower
    first, last = remainder(xp, a.lower, b.lower), remainder(xp, a.upper, b.lower)
    within = ((width < size) & (first < last)) | (a.lower == a.upper)
    within = within | ((width + width < size) & (first == last))
    return (b.lower == b.upper) & within & (first <= last), first, last


def corners(xp: Any, values: Sequence[Any]) -> tuple[Any, Any]:
    """The least and the greatest of the values at the corners of a box.

    NaN at a corner is 0 * inf or inf / inf. Near it the values are those of the corners beside it
    and, where one operand is 0 (0 * inf) or the divisor is infinite, 0.
    """
    numbers = [xp.where(xp.isnan(value), 0.0, value) for value in values]
    low = high = numbers[0]
    for number in numbers[1:]:
        low, high = xp.lesser(low, number), xp.greater(high, number)
    return low, high


def products(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return corners(xp, [p * q for p in a[:2] for q in b[:2]])


def quotients(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """A bound of 0 may stand for either zero, so the quotients by it for either infinity."""
    low, high = corners(xp, [p / q for p in a[:2] for q in b[:2]])
    zero = (b.lower <= 0.0) & (b.upper >= 0.0)
    return xp.where(zero, -xp.inf, low), xp.where(zero, xp.inf, high)


def increasing(xp: Any, compute: Callable[..., Any], low: Any, high: Any) -> tuple[Any, Any]:
    """Bounds of an increasing function between wide numbers inside its domain."""
    return xp.narrow(below(xp, xp.call(compute, low))), xp.narrow(above(xp, xp.call(compute, high)))


def between(xp: Any, compute: Callable[..., Any], low: Any, high: Any) -> tuple[Any, Any]:
    """Bounds of a function's values at two wide numbers, and of what lies between them."""
    values = xp.call(compute, low), xp.call(compute, high)
    return xp.narrow(below(xp, xp.lesser(*values))), xp.narrow(above(xp, xp.greater(*values)))


def below(xp: Any, value: Any) -> Any:
    """A function's float64 result, widened downwards. An overflow to infinity may not be one."""
    finite = xp.lesser(value, MAX_WIDE)
    return finite - _error(xp, finite)


def above(xp: Any, value: Any) -> Any:
    finite = xp.greater(value, -MAX_WIDE)
    return finite + _error(xp, finite)


def _error(xp: Any, value: Any) -> Any:
    return xp.abs(value) * (ERROR * xp.slack) + TINY * xp.slack


def turns(xp: Any, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
    """Whether a wave may be least, and greatest, somewhere between two wide numbers."""
    assert function.turns is not None
    least, greatest = function.turns
    low, high = (end * (0.5 / math.pi) for end in (low, high))
    return (
        _has_integer(xp, low - least, high - least),
        _has_integer(xp, low - greatest, high - greatest),
    )


def has_pole(xp: Any, low: Any, high: Any) -> Any:
    """Whether the tangent may be infinite between two wide numbers."""
    return _has_integer(xp, *(end * (1 / math.pi) - 0.5 for end in (low, high)))


def _has_integer(xp: Any, low: Any, high: Any) -> Any:
    """Whether an integer may lie in [low, high], both off by a few ulps."""
    margin = (xp.abs(low) + xp.abs(high) + 1.0) * (2.0**-50 * xp.slack)
    return xp.floor(high + margin) >= low - margin


@cache
def _limit(dtype: str, way: int, value: float, rest: float) -> float:
    return float(DirectedArrays(np.dtype(dtype)).towards(way, np.float64(value), rest))


class NextFloat:
    """Real bounds over a namespace ``xp`` that rounds to nearest; the rest is that of ``xp``.

    See ``DirectedArrays`` for what the methods promise. A namespace gives ``next_below`` and
    ``next_above`` for them.
    """

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Any:
        return getattr(self.xp, name)

    def _outwards(self, low: Any, high: Any) -> tuple[Any, Any]:
        return self.xp.next_below(low), self.xp.next_above(high)

    def _next(self, way: int, value: Any) -> Any:
        return self.xp.next_below(value) if way == DOWN else self.xp.next_above(value)

    def _not_negative(self, way: int, value: Any) -> Any:
        found = self._next(way, value)
        return self.xp.greater(found, 0.0) if way == DOWN else found

    def limit(self, way: int, value: float, rest: float) -> float:
        return _limit("float32" if self.xp.itemsize == 4 else "float64", way, value, rest)

    def add(self, way: int, a: Any, b: Any) -> Any:
        total = a + b
        endless = -self.xp.inf if way == DOWN else self.xp.inf
        total = self.xp.where(self.xp.isnan(total), endless, total)
        return self.xp.where(total == 0.0, total, self._next(way, total))

    def square(self, way: int, size: Any) -> Any:
        return self._not_negative(way, size * size)

    def root(self, way: int, a: Any) -> Any:
        return self._not_negative(way, self.xp.sqrt(a))

    def product(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._signed(products(self.xp, a, b), a, b)

    def quotient(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._signed(quotients(self.xp, a, b), a, b)

    def _signed(self, found: tuple[Any, Any], a: Any, b: Any) -> tuple[Any, Any]:
        """Where the operands have signs, so has the result, although it may be rounded to 0."""
        xp, (low, high) = self.xp, self._outwards(*found)
        (a_up, b_up), (a_down, b_down) = (
            [s.lower >= 0.0 for s in (a, b)],
            [s.upper <= 0.0 for s in (a, b)],
        )
        return (
            xp.where((a_up & b_up) | (a_down & b_down), xp.greater(low, 0.0), low),
            xp.where((a_up & b_down) | (a_down & b_up), xp.lesser(high, 0.0), high),
        )

    def remainders(self, a: Any, b: Any) -> tuple[Any, Any, Any]:
        within, first, last = remainders(self.xp, a, b)
        return within, self._not_negative(DOWN, first), self._not_negative(UP, last)

    def increasing(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        return self._outwards(*increasing(self.xp, function.compute, low, high))

    def between(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        return self._outwards(*between(self.xp, function.compute, low, high))

    def turns(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        return turns(self.xp, function, low, high)

    def has_pole(self, _function: Function, low: Any, high: Any) -> Any:
        return has_pole(self.xp, low, high)

    def angle(self, way: int, function: Function, y: Any, x: Any) -> Any:
        xp = self.xp
        value = xp.call(function.compute, xp.wide(y), xp.wide(x))
        return self._next(way, xp.narrow((below if way == DOWN else above)(xp, value)))
