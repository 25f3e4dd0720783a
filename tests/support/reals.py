"""What each operation means in real numbers, at a point: the oracle of outward rounding.

What is listed here owes the package nothing. Numbers are ``Fraction``; functions that leave the
rationals are computed by mpmath to 250 bits, which is exact where a result is rational, and else
far nearer to the real value than that is to a float.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from support import scalar

BITS = 250
ROUNDED = frozenset({"add", "sub", "mul", "div", "recip", "square"})
"""Operations whose exact value is rational, and may need rounding."""


def _mpmath(name: str, domain: Callable[..., bool]) -> Callable[..., Any]:
    def value(*operands: Fraction) -> Any:
        if not domain(*operands):
            return None
        with mpmath.workprec(BITS):
            numbers = [mpmath.mpf(a.numerator) / a.denominator for a in operands]
            return getattr(mpmath, name)(*numbers)

    return value


def _always(*operands: Fraction) -> bool:
    return True


def _in_one(a: Fraction) -> bool:
    return abs(a) <= 1


def _mod(a: Fraction, b: Fraction) -> Fraction | None:
    return None if b == 0 else a - abs(b) * math.floor(a / abs(b))


def _round(a: Fraction) -> Fraction:
    return Fraction(math.floor(abs(a) + Fraction(1, 2))) * (1 if a > 0 else -1)


def _sqrt(a: Fraction) -> Any:
    """A root that is rational is a Fraction."""
    if a < 0:
        return None
    over, under = math.isqrt(a.numerator), math.isqrt(a.denominator)
    if over * over == a.numerator and under * under == a.denominator:
        return Fraction(over, under)
    with mpmath.workprec(BITS):
        return mpmath.sqrt(mpmath.mpf(a.numerator) / a.denominator)


def _single(a: Fraction) -> float:
    return scalar.rounded(a, "float32")


def _mix(a: Fraction, b: Fraction) -> Fraction | None:
    value = scalar.VALUE["mix"](_single(a), _single(b), "float32")
    return Fraction(value) if math.isfinite(value) else None


class _Values(dict[str, Callable[..., Any]]):
    def __missing__(self, name: str) -> Callable[..., Any]:
        """By the formula of the row."""
        return functools.partial(scalar.formula, name)


VALUE = _Values({
    "copy": lambda a: a,
    "neg": lambda a: -a,
    "abs": abs,
    "square": lambda a: a * a,
    "sqrt": _sqrt,
    "recip": lambda a: None if a == 0 else 1 / a,
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "round": _round,
    "sin": _mpmath("sin", _always),
    "cos": _mpmath("cos", _always),
    "tan": _mpmath("tan", _always),
    "asin": _mpmath("asin", _in_one),
    "acos": _mpmath("acos", _in_one),
    "atan": _mpmath("atan", _always),
    "exp": _mpmath("exp", _always),
    "ln": _mpmath("log", lambda a: a > 0),
    "not": lambda a: Fraction(int(a == 0)),
    "rand": lambda a: Fraction(scalar.VALUE["rand"](_single(a), "float32")),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: None if b == 0 else a / b,
    "min": min,
    "max": max,
    "atan2": _mpmath("atan2", lambda y, x: (y, x) != (0, 0)),
    "mod": _mod,
    "compare": lambda a, b: Fraction((a > b) - (a < b)),
    "and": lambda a, b: a if a == 0 else b,
    "or": lambda a, b: a if a != 0 else b,
    "mix": _mix,
})  # fmt: skip
"""``VALUE[op](*operands)``: a Fraction or a number of mpmath; None where it is undefined."""


def between(lower: float, value: Any, upper: float) -> bool:
    """Whether a real value lies between two floats, compared exactly."""
    if isinstance(value, Fraction):
        low, high = (Fraction(e) if math.isfinite(e) else e for e in (lower, upper))
        return bool(low <= value <= high)
    return bool(mpmath.mpf(lower) <= value <= mpmath.mpf(upper))


def directed(value: Any, dtype: str, way: int) -> float:
    """The float next to a real value on one side, or the value."""
    if not isinstance(value, Fraction):
        man, exp = int(value.man) * (-1 if value < 0 else 1), int(value.exp)
        value = Fraction(man) * Fraction(2) ** exp
    near = scalar.rounded(value, dtype)
    exact = math.isfinite(near) and Fraction(near) == value
    beyond = near > value if math.isinf(near) else Fraction(near) > value
    if exact or beyond == (way > 0):
        return near
    with np.errstate(over="ignore"):
        return float(np.nextafter(np.array(near, dtype), np.array(way * np.inf, dtype)))
