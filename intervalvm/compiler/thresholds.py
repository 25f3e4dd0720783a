"""Exact thresholds: the least float at which an operation reaches a target.

For a nondecreasing f ``f(v) < t`` is ``v < t'``, where t' is the least float with ``f(t') >= t``.
The floats of one sign are counted that do not reach the target, digit by digit of the count: as
many of them as a digit has values are tried at once. This is exact without an analysis of rounding
errors. Near a guess one trial of neighbours is enough.

``limits_of`` and what it calls are parts of a pass (see ``passes``). A *number system* is
``SINGLE`` or ``DOUBLE``, floats, or ``REAL``: the real function, whose numbers are pairs of float64
(low, high) that enclose a real number.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from intervalvm.arith.arrays import Arrays, IntervalArrays
from intervalvm.evaluate.boxes import REAL_RULES
from intervalvm.ops import ROWS
from intervalvm.ops.row import Demand, Interval, Op

SINGLE, DOUBLE, REAL = range(3)
NONE, SOME, ALL = -1, 0, 1
"""Which floats reach a target."""
INF = math.inf
SINGLE_BITS, DOUBLE_BITS = 31, 63
"""Those of a float without its sign: a whole number, in the order of sizes."""
SINGLE_INFINITY, DOUBLE_INFINITY = 0xFF << 23, 0x7FF << 52

MONOTONE = {code: op for code, op in enumerate(ROWS) if op.demand.is_monotone}
"""The functions, by code: of v, and of a positive or added constant k, nondecreasing where
searched."""
FROM_ZERO = frozenset(code for code, op in MONOTONE.items() if op.demand.from_zero)
"""Those that are searched for v >= 0 only."""
ADDED, SCALED, DIVIDED = range(1, 4)


def is_searched(op: Op, system: int) -> bool:
    """Whether an operation is known to be monotone in a number system.

    One rounded correctly is in each; other functions are of float32 (see ``ops.functions``).
    """
    return op.demand.is_monotone and (op.function is None or system == SINGLE)


GUESSES = tuple(
    {Demand.SUM: ADDED, Demand.PRODUCT: SCALED, Demand.QUOTIENT: DIVIDED}.get(op.demand, 0)
    for op in ROWS
)
"""Functions whose threshold is near that of real numbers, by code."""


def limits_of(
    system: int, code: int, from_zero: int, k: tuple[float, float], t: tuple[float, float],
    greater: int,
) -> tuple[float, float, int]:  # fmt: skip
    """The threshold (low, high) of v for a threshold t of f(v), and which v reach t.

    f is the operation of ``code``, of v and k if it has two operands. For ``v < t'`` t' is the
    least v with ``f(v) >= t``, for ``v > t'`` the one before the least with ``f(v) > t``. Of the
    real function a comparison holds if it does for the upper bound of f(v), and fails if it does
    for the lower one. Last comes ``ALL``, ``NONE`` or ``SOME``.
    """
    low, reach_low = least_float(system, 1, code, from_zero, k, t[0], greater)
    if system != REAL:
        low = previous_float(system, low) if greater else low
        return low, low, reach_low
    high, reach_high = least_float(system, 0, code, from_zero, k, t[1], greater)
    reach = (1 if reach_high == ALL else 0) - (1 if reach_low == NONE else 0)
    return _end(low, reach_low, greater), _end(high, reach_high, greater), reach


def _end(least: float, reach: int, greater: int) -> float:
    if reach == ALL:
        return -INF
    return previous_float(REAL, least) if greater and reach == SOME else least


def least_float(
    system: int, side: int, code: int, from_zero: int, k: tuple[float, float], t: float,
    greater: int,
) -> tuple[float, int]:  # fmt: skip
    """The least float v with ``f(v) >= t`` (``> t`` if ``greater``), from 0 or -inf to inf.

    ``side`` is that of the bounds of a real function. The float is inf if there is none.
    """
    infinity = SINGLE_INFINITY if system == SINGLE else DOUBLE_INFINITY
    bits = SINGLE_BITS if system == SINGLE else DOUBLE_BITS
    if GUESSES[code]:
        near, is_found = beside_guess(system, side, code, k, t, greater)
        if is_found:
            return near, SOME
    negative = 0
    if not from_zero and count_floats(system, side, code, k[0], k[1], t, greater, 1, 0, 0):
        negative = 1  # -0 reaches the target
    # floats are counted from 0: those that reach it below 0, and that do not above
    count, shift = 0, bits // digit_bits() * digit_bits()
    while shift >= 0:
        digit = count_floats(system, side, code, k[0], k[1], t, greater, negative, count, shift)
        count += digit << shift
        shift -= digit_bits()
    if negative:
        return -float_at(system, count - 1), ALL if count > infinity else SOME
    if count > infinity:
        return INF, NONE
    return float_at(system, count), ALL if from_zero and count == 0 else SOME


def beside_guess(
    system: int, side: int, code: int, k: tuple[float, float], t: float, greater: int
) -> tuple[float, int]:
    """``least_float`` if it is one of the floats beside a guess, and whether it is."""
    guess = t - k[0] if GUESSES[code] == ADDED else t * k[0]
    if GUESSES[code] == SCALED:
        guess = t / k[0]
    largest = float_at(system, (SINGLE_INFINITY if system == SINGLE else DOUBLE_INFINITY) - 1)
    if not -largest <= guess <= largest:
        return 0.0, 0
    negative = 1 if guess < 0.0 else 0
    size = float_bits(system, -guess if negative else guess)
    most = 1 << digit_bits()
    first = max(size - most // 2, 0)
    count = count_floats(system, side, code, k[0], k[1], t, greater, negative, first, 0)
    if count == 0 or count == most:
        return 0.0, 0
    if negative:
        return -float_at(system, first + count - 1), 1
    return float_at(system, first + count), 1


def previous_float(system: int, v: float) -> float:
    """The float before v in the order of floats, in which -0 comes before +0; -inf stays."""
    bits = float_bits(system, v)
    if bits >= 0:
        return float_at(system, bits - 1) if bits else -0.0
    return v if v == -INF else -float_at(system, float_bits(system, -v) + 1)


def next_float(system: int, v: float, up: int) -> float:
    """The next float after a finite v, upwards or downwards."""
    if v == 0.0:
        least = float_at(system, 1)
        return least if up else -least
    if v < 0.0:
        return -next_size(system, -v, 1 - up)
    return next_size(system, v, up)


def next_size(system: int, v: float, up: int) -> float:
    """``next_float`` of v > 0."""
    return float_at(system, float_bits(system, v) + (1 if up else -1))


# --- what a compiler replaces by instructions -----------------------------------------------------


def digit_bits() -> int:
    """The bits of a digit of a count, of which NumPy tries more at a time than a few lanes."""
    return 8


def float_bits(system: int, v: float) -> int:
    """The bits of a float, below 0 for one with a sign."""
    of, to = ("<f", "<i") if system == SINGLE else ("<d", "<q")
    found: int = struct.unpack(to, struct.pack(of, v))[0]
    return found


def float_at(system: int, bits: int) -> float:
    """The float of these bits."""
    of, to = ("<i", "<f") if system == SINGLE else ("<q", "<d")
    found: float = struct.unpack(to, struct.pack(of, bits))[0]
    return found


def count_floats(
    system: int, side: int, code: int, k_low: float, k_high: float, t: float, greater: int,
    negative: int, first: int, shift: int,
) -> int:  # fmt: skip
    """A digit of a count of floats.

    Of the floats with the bits ``first + (j << shift) - 1``, for j from 1 to a digit's end, and of
    the sign ``negative``, how many reach the target if negative, and do not if positive.
    """
    tried = np.uint64(first) + (
        np.arange(1, 1 + (1 << digit_bits()), dtype=np.uint64) << np.uint64(shift)
    )
    bits = tried - np.uint64(1)
    if system == SINGLE:
        v, infinity = bits.astype(np.uint32).view(np.float32), SINGLE_INFINITY
    else:
        v, infinity = bits.view(np.float64), DOUBLE_INFINITY
    with np.errstate(all="ignore"):
        value = FUNCTIONS[system](MONOTONE[code], -v if negative else v, k_low, k_high, side)
    reaches = value > v.dtype.type(t) if greater else value >= v.dtype.type(t)
    return int(np.count_nonzero((reaches == bool(negative)) & (bits <= infinity)))


def _point_of(dtype: Any) -> Callable[..., Any]:
    xp = Arrays(np, np.dtype(dtype))

    def value(op: Op, v: Any, k_low: float, _k_high: float, _side: int) -> Any:
        return op.point(xp, *(v, xp.scalar(k_low))[: op.arity])

    return value


def _bound_of_reals() -> Callable[..., Any]:
    xp = IntervalArrays(np.dtype(np.float64))

    def value(op: Op, v: Any, k_low: float, k_high: float, side: int) -> Any:
        ends = np.float64(k_low), np.float64(k_high)
        operands = (Interval(v, v, xp.no), Interval(*ends, xp.no))[: op.arity]
        return REAL_RULES.intervals[op.name](xp, *operands)[side]

    return value


FUNCTIONS = (_point_of(np.float32), _point_of(np.float64), _bound_of_reals())
"""f(v) by number system."""
