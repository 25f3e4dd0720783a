"""NumPy arithmetic with directed rounding: down (way = -1) or up (way = +1).

Every result is computed to nearest in float64, with the sign of the rounding error (``rest``),
which decides whether to step to the adjacent float. So bounds are tight, also for subnormal and
overflowing results, and no processor's rounding mode is changed. float32 results are float64 ones
that ``towards`` rounds once, in the direction.

Methods: Dekker, *A floating-point technique for extending the available precision* (1971), for the
errors of sums and products (with Veltkamp's splitting); products and quotients are computed on
mantissas, without overflow or underflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arith.arrays import MAX_WIDE, IntervalArrays

DOWN, UP = -1, 1
ULPS = 3
"""By how many units in its last place a float64 result of ``elementary`` may be off: the bound that
``docs/functions.md`` argues for is below it, and so is the worst that a search has found."""
SPLIT = 2.0**27 + 1
Summed = tuple[Any, Any]
"""A float64 and the sign of its rounding error, the *rest*, as any number of that sign. NaN is no
error: a result that is exact or unbounded."""
ExactValue = tuple[Any, float, float]
"""(where, value, rest): a function's real value where it is known."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A real function, for its bounds."""

    compute: Callable[..., Any]
    """Its float64 values, within ``ULPS`` and of the right sign, as ``elementary`` has functions.
    Compiled code knows it by its name."""
    formula: str
    """The real function, in the words of mpmath: of ``a``, or of ``a`` and ``b``."""
    known: Mapping[float, tuple[float, float]]
    """Real values as (float64, sign of (exact - float64)), by argument; at an end of the domain the
    limit."""
    bend: int
    """+1 if f(x) > x on (0, pi/2), -1 if f(x) < x there, and f(x) is next to x near 0. Else 0."""
    slope: tuple[Callable[..., Any], int] | None
    """Of a periodic function its derivative, or the reciprocal of that, and a sign; that is 0 once
    in each stretch of pi. Its sign at a float is right, and it is 0 at no float but 0."""
    turns: tuple[float, float] | None
    """The arguments of minimum and maximum of a wave, divided by 2 pi."""
    error: float
    """By how many units in the last place a value may be off, as ``docs/functions.md`` argues."""
    worst: tuple[float, ...]
    """The greatest error that a search has found, rounded up, and the operands."""
    single: Callable[..., Any] | None
    """A shorter way for float32 operands, if there is one: as float32 its values are the same."""

    def __post_init__(self) -> None:
        assert self.worst[0] < self.error <= ULPS - 1
        assert self.compute.__name__.isidentifier()


PI, HALF_PI = math.pi, math.pi / 2
"""The greatest float64 below pi, and its half: the exact numbers are greater, a rest of +1."""


def two_sum(a: Any, b: Any) -> Summed:
    """Fast2Sum: if the sum does not overflow nothing does, and if it does the rest is infinite."""
    swapped = np.abs(a) < np.abs(b)
    large, small = np.where(swapped, b, a), np.where(swapped, a, b)
    total = large + small
    return total, small - (total - large)


def two_product(a: Any, b: Any) -> Summed:
    """For factors between 1/4 and 2 in absolute value, or 0."""
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


def square_root(a: Any) -> Summed:
    part, power = np.frexp(a)
    part = np.where(power & 1, part + part, part)
    near = np.sqrt(part)
    square, rest = two_product(near, near)
    return np.sqrt(a), (part - square) - rest


class DirectedArrays(IntervalArrays):
    """The number system of real bounds that are the tightest, but for functions.

    A method takes intervals, or wide numbers, and gives two bounds, or with ``way`` the one on that
    side. Those of functions are ``ULPS`` away, but exact where the value is known.
    """

    def towards(self, way: int, value: Any, rest: Any) -> Any:
        """``value + rest`` rounded down (way = -1) or up (way = +1) to the dtype.

        A result that overflows in the other direction is the largest finite number.
        """
        near = self.narrow(value)
        back = self.wide(near)
        if way == DOWN:
            short = (back > value) | ((back == value) & (rest < 0.0))
        else:
            short = (back < value) | ((back == value) & (rest > 0.0))
        return np.where(short, np.nextafter(near, way * self.inf), near)

    limit = towards

    def sum(self, a: Any, b: Any) -> tuple[Any, Any]:
        return self._add(DOWN, a.lower, b.lower), self._add(UP, a.upper, b.upper)

    def _add(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *two_sum(self.wide(a), self.wide(b)))

    def _multiply(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *product(self.wide(a), self.wide(b)))

    def _divide(self, way: int, a: Any, b: Any) -> Any:
        return self.towards(way, *quotient(self.wide(a), self.wide(b)))

    def square(self, a: Any) -> tuple[Any, Any]:
        low, high = np.abs(a.lower), np.abs(a.upper)
        zero = (a.lower <= 0.0) & (a.upper >= 0.0)
        least, most = self.where(zero, 0.0, np.minimum(low, high)), np.maximum(low, high)
        return self._multiply(DOWN, least, least), self._multiply(UP, most, most)

    def square_root(self, a: Any) -> tuple[Any, Any]:
        """The square root of the part from 0 upwards."""
        low, high = (square_root(self.wide(np.maximum(end, 0.0))) for end in (a.lower, a.upper))
        return self.towards(DOWN, *low), self.towards(UP, *high)

    def product(self, a: Any, b: Any) -> tuple[Any, Any]:
        return _corners(self._multiply, a[:2], b[:2])

    def quotient(self, a: Any, b: Any) -> tuple[Any, Any]:
        """By the numbers of ``b`` that are not 0."""
        return self._quotients(a[:2], b)

    def _quotients(self, a: tuple[Any, Any], b: Any) -> tuple[Any, Any]:
        # an end that is 0 gets the sign of the numbers beside it, whose quotients are then bounded
        lower = self.where(b.lower == 0.0, 0.0, b.lower)
        upper = self.where(b.upper == 0.0, -0.0, b.upper)
        low, high = _corners(self._divide, a, (lower, upper))
        is_zero = (a[0] == 0.0) & (a[1] == 0.0)
        both_sides = (b.lower < 0.0) & (b.upper > 0.0) & ~is_zero
        return np.where(both_sides, -self.inf, low), np.where(both_sides, self.inf, high)

    def inverse(self, a: Any) -> tuple[Any, Any]:
        one = self.scalar(1.0)
        return self._quotients((one, one), a)

    def remainders(self, a: Any, b: Any) -> tuple[Any, Any, Any]:
        """Whether ``a`` stays in one period of a single ``b``, and bounds of its remainders if so.

        It is narrower than one, and its remainder is not less at its end. ``fmod`` is exact, and is
        the remainder or, where it is negative, ``size`` less. Two of a kind are compared as they
        are; else the sum is rounded to nearest, which keeps a strict order.
        """
        size = np.abs(b.lower)
        first, last = np.fmod(a.lower, size), np.fmod(a.upper, size)
        alike = (first < 0.0) == (last < 0.0)
        lifted, other = (np.where(part < 0.0, part + size, part) for part in (first, last))
        grows = np.where(alike, first <= last, lifted < other)
        width, rest = two_sum(self.wide(a.upper), -self.wide(a.lower))
        narrow = (width < size) | ((width == size) & (rest < 0.0))
        low, high = (
            np.where(part < 0.0, self._add(way, part, size), part)
            for way, part in ((DOWN, first), (UP, last))
        )
        return (b.lower == b.upper) & narrow & grows, low, high

    def increasing(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        """Of an increasing function between wide numbers inside its domain."""
        return self._at(DOWN, function, low), self._at(UP, function, high)

    def between(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        """Of a function's values at two wide numbers, and of what lies between them."""
        ends = (low, high)
        least = np.minimum(*(self._at(DOWN, function, end) for end in ends))
        return least, np.maximum(*(self._at(UP, function, end) for end in ends))

    def turns(self, function: Function, low: Any, high: Any) -> tuple[Any, Any]:
        """Whether a wave has a minimum, and a maximum, at a real number between wide ones."""
        once, twice, odd, first = self._slopes(function, low, high)
        both = twice | (once & ~odd)
        return both | (odd & (first < 0.0)), both | (odd & (first > 0.0))

    def has_pole(self, function: Function, low: Any, high: Any) -> Any:
        once, _, odd, _ = self._slopes(function, low, high)
        return once | odd

    def _slopes(self, function: Function, low: Any, high: Any) -> tuple[Any, Any, Any, Any]:
        """(turns more than once, more than twice, an odd number of times, slope at the low end).

        In a box narrower than pi the slope has a zero if its sign changes. A box that is wider, but
        narrower than 2 pi, has one more.
        """
        assert function.slope is not None
        compute, sign = function.slope
        width, rest = two_sum(high, -low)
        once, twice = ((width > size) | ((width == size) & (rest > 0.0)) for size in (PI, 2 * PI))
        first, last = (self.call(compute, end) for end in (low, high))
        return once, twice, np.sign(first) * np.sign(last) < 0.0, sign * first

    def _at(self, way: int, function: Function, x: Any) -> Any:
        known = [(x == at, *value) for at, value in function.known.items()]
        bound = self._bound(way, function, x, known=known)
        if not function.bend:
            return bound
        is_behind = (np.sign(x) * function.bend == -way) & (np.abs(x) < 1.5)
        cut = np.maximum if way == DOWN else np.minimum
        return np.where(is_behind, cut(bound, self.narrow(x)), bound)

    def angle(self, way: int, function: Function, y: Any, x: Any) -> Any:
        """The angle of a point with y >= 0, not both infinite; a zero x has a sign."""
        on_axis = y == 0.0
        known: list[ExactValue] = [
            ((on_axis & ~np.signbit(x)) | (x == np.inf), 0.0, 0.0),
            ((on_axis & np.signbit(x)) | (x == -np.inf), PI, 1.0),
            (((x == 0.0) & ~on_axis) | (y == np.inf), HALF_PI, 1.0),
        ]
        return self._bound(way, function, self.wide(y), self.wide(x), known=known)

    def _bound(
        self, way: int, function: Function, *operands: Any, known: Sequence[ExactValue]
    ) -> Any:
        """A bound of a real function, ``ULPS`` from the computed result without crossing 0.

        A known real value is rounded instead.
        """
        value = self.call(function.compute, *operands)
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


def _corners(operation: Callable[..., Any], a: Any, b: Any) -> tuple[Any, Any]:
    """NaN is 0 beside something unbounded, or divided by it: there the values come close to 0."""
    pairs = [(p, q) for p in a for q in b]
    lows, highs = ([operation(way, p, q) for p, q in pairs] for way in (DOWN, UP))
    least, most = (
        [np.where(np.isnan(value), 0.0, value).astype(value.dtype) for value in values]
        for values in (lows, highs)
    )
    return np.minimum.reduce(least), np.maximum.reduce(most)
