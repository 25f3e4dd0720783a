"""NumPy arithmetic that rounds in a direction: the least float above a real result, or the greatest
below it.

Every result is computed to nearest in float64, together with the sign of what the rounding took
off (``rest``); a float is stepped over only where that sign asks for it. So bounds are the tightest
there are, for subnormal and overflowing results too, and no processor's rounding mode is touched.
float32 goes the same way: its numbers are float64's, and ``towards`` rounds once, in the direction.

Methods: Dekker, *A floating-point technique for extending the available precision* (1971), for the
rests of sums and products (the latter with Veltkamp's splitting); products and quotients are
computed on mantissas, where nothing overflows or underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from intervalvm.arith import elementary
from intervalvm.arith.arrays import MAX_WIDE, IntervalArrays

DOWN, UP = -1, 1
ULPS = 3
"""By how many units in its last place a float64 result of ``functions`` may be off: the bound that
``docs/functions.md`` argues for is below it, and so is the worst that a search has found."""
SPLIT = 2.0**27 + 1
Summed = tuple[Any, Any]
"""A float64 and something next to nothing beside it, of which only the sign counts: the two
together are a real number. NaN stands for no rest: a result that is exact or unbounded."""
Known = tuple[Any, float, float]
"""(where, value, rest): a function's real value where it is known."""


def two_sum(a: Any, b: Any) -> Summed:
    """Fast2Sum: if the sum does not overflow nothing does, and if it does the rest is infinite."""
    swapped = np.abs(a) < np.abs(b)
    large, small = np.where(swapped, b, a), np.where(swapped, a, b)
    total = large + small
    return total, small - (total - large)


def two_product(a: Any, b: Any) -> Summed:
    """Of numbers between 1/4 and 2 in size, or 0."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    rest = a_high * b_high - product
    return product, ((rest + a_high * b_low) + a_low * b_high) + a_low * b_low


def _halves(a: Any) -> tuple[Any, Any]:
    """26 bits and the rest."""
    scaled = SPLIT * a
    high = scaled - (scaled - a)
    return high, a - high


def product(a: Any, b: Any) -> Summed:
    (a_part, a_power), (b_part, b_power) = np.frexp(a), np.frexp(b)
    exact, rest = two_product(a_part, b_part)
    return _beside(a * b, exact, rest, a_power + b_power)


def quotient(a: Any, b: Any) -> Summed:
    (a_part, a_power), (b_part, b_power) = np.frexp(a), np.frexp(b)
    near = a_part / b_part
    back, rest = two_product(near, b_part)
    return _beside(a / b, near, ((a_part - back) - rest) / b_part, a_power - b_power)


def _beside(value: Any, near: Any, rest: Any, power: Any) -> Summed:
    """``value`` is the float nearest to ``(near + rest) * 2**power``, and may be subnormal, 0 or
    infinite. What differs between it and ``near`` is a multiple of the last place of ``near``.
    """
    return value, (near - np.ldexp(value, -power)) + rest


def root(a: Any) -> Summed:
    part, power = np.frexp(a)
    part = np.where(power & 1, part + part, part)
    near = np.sqrt(part)
    square, rest = two_product(near, near)
    return np.sqrt(a), (part - square) - rest


class DirectedArrays(IntervalArrays):
    """The namespace of the rules of ``outward``: each operation takes the way to round first."""

    def towards(self, way: int, value: Any, rest: Any) -> Any:
        """The nearest number of the dtype that is not before ``value + rest``, seen along ``way``.

        A result that overflows in the other direction is the largest finite number.
        """
        near = self.narrow(value)
        back = self.wide(near)
        if way == DOWN:
            short = (back > value) | ((back == value) & (rest < 0.0))
        else:
            short = (back < value) | ((back == value) & (rest > 0.0))
        return np.where(short, np.nextafter(near, way * self.inf), near)

    def add(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *two_sum(self.wide(a), self.wide(b)))

    def multiply(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *product(self.wide(a), self.wide(b)))

    def divide(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *quotient(self.wide(a), self.wide(b)))

    def root(self, way: int, a: Any) -> Any:
        return self.towards(way, *root(self.wide(a)))

    def at(self, name: str, *operands: Any) -> Any:
        """An operation's function of float64 numbers: within ``ULPS``, and of the right sign."""
        return self.call(getattr(elementary, name), *operands)

    def function(self, way: int, name: str, *operands: Any, known: Sequence[Known] = ()) -> Any:
        """A bound of the real function of an operation, ``ULPS`` from the computed result.

        Where the real value is known it is what is rounded. Zero is not crossed.
        """
        value = self.at(name, *operands)
        finite = np.clip(value, -MAX_WIDE, MAX_WIDE)
        # an ulp is that of the real value, which may lie beyond a power of 2
        size = np.abs(finite) + ULPS * np.spacing(np.abs(finite))
        last_place = np.fmin(np.spacing(size), 2.0**971)  # at MAX_WIDE NumPy's is not finite
        total, rest = two_sum(finite, way * ULPS * last_place)
        crossed = (np.sign(value) == -way) & (np.sign(total) != -way)
        total, rest = np.where(crossed, 0.0, total), np.where(crossed, np.nan, rest)
        for where, exact, beyond in known:
            total, rest = np.where(where, exact, total), np.where(where, beyond, rest)
        return self.towards(way, total, rest)
