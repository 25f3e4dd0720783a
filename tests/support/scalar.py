"""What each operation is worth at one point, written anew from the format's table.

What is listed here owes the package nothing. A finite number is a ``Fraction`` and is rounded once,
in integers, to the format asked for; so neither the processor's arithmetic nor NumPy's is trusted.
Functions such as sin come from mpmath; of one that is not listed here mpmath is given the formula
of its row, and what else is not listed has no other definition than its own.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

from intervalvm.arith.arrays import Arrays
from intervalvm.ops import OPS

FORMATS = {"float32": (24, -126, 127), "float64": (53, -1022, 1023)}
"""Bits of the mantissa, the least and the greatest exponent of a normal number."""
NAN, INF = math.nan, math.inf


def rounded(exact: Fraction, dtype: str, *, negative_zero: bool = False) -> float:
    """The nearest float, ties to even; what rounds to 0 keeps its sign."""
    precision, least, greatest = FORMATS[dtype]
    if exact == 0:
        return -0.0 if negative_zero else 0.0
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    quantum = Fraction(2) ** (max(exponent, least) - precision + 1)
    nearest = round(size / quantum) * quantum  # Python rounds a half to even
    value = INF if nearest >= Fraction(2) ** (greatest + 1) else float(nearest)
    return -value if exact < 0 else value


def narrowed(value: float, dtype: str) -> float:
    """A float64 rounded to ``dtype``."""
    if not math.isfinite(value):
        return value
    return rounded(Fraction(value), dtype, negative_zero=is_negative(value))


def is_negative(value: float) -> bool:
    return math.copysign(1.0, value) < 0


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def _add(a: float, b: float, dtype: str) -> float:
    if not _finite(a, b):
        return a + b
    both_negative = is_negative(a) and is_negative(b)
    return rounded(Fraction(a) + Fraction(b), dtype, negative_zero=both_negative)


def _mul(a: float, b: float, dtype: str) -> float:
    if not _finite(a, b):
        return a * b
    unlike = is_negative(a) != is_negative(b)
    return rounded(Fraction(a) * Fraction(b), dtype, negative_zero=unlike)


def _div(a: float, b: float, dtype: str) -> float:
    unlike = is_negative(a) != is_negative(b)
    sign = -1.0 if unlike else 1.0
    if math.isnan(a) or math.isnan(b) or (math.isinf(a) and math.isinf(b)):
        return NAN
    if math.isinf(a):
        return sign * INF
    if math.isinf(b):
        return sign * 0.0
    if b == 0:
        return NAN if a == 0 else sign * INF
    return rounded(Fraction(a) / Fraction(b), dtype, negative_zero=unlike)


def _sqrt(a: float, dtype: str) -> float:
    if math.isnan(a) or a < 0:
        return NAN
    if a == 0 or math.isinf(a):
        return a
    # Scaled up, the root has far more bits than are kept; one more bit says whether it is exact.
    shift = 4 * 1100
    scaled = Fraction(a) * 2**shift
    assert scaled.denominator == 1
    root = math.isqrt(scaled.numerator)
    sticky = root * root != scaled.numerator
    return rounded(Fraction(2 * root + sticky, 2 ** (shift // 2 + 1)), dtype)


def _whole(choose: Callable[[Fraction], int]) -> Callable[[float, str], float]:
    def whole(a: float, dtype: str) -> float:
        if not _finite(a):
            return a
        return rounded(Fraction(choose(Fraction(a))), dtype, negative_zero=is_negative(a))

    return whole


def _half_away(a: Fraction) -> int:
    return math.floor(a + Fraction(1, 2)) if a > 0 else math.ceil(a - Fraction(1, 2))


def _below(size: float, dtype: str) -> float:
    """The largest float under a positive one: its bit pattern, read as an integer, is one less."""
    kind, word = ("f", "I") if dtype == "float32" else ("d", "Q")
    bits = struct.unpack(word, struct.pack(kind, size))[0]
    below: float = struct.unpack(kind, struct.pack(word, bits - 1))[0]
    return below


def _mod(a: float, b: float, dtype: str) -> float:
    """Euclidean. A remainder of 0 has the sign of ``a``, as that of C's ``fmod`` has."""
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or b == 0:
        return NAN
    if math.isinf(b):  # the remainder of a negative number is infinite, but it must be below b
        return a if a >= 0 else _below(INF, dtype)
    size = abs(Fraction(b))
    exact = Fraction(a) - size * math.floor(Fraction(a) / size)
    value = rounded(exact, dtype, negative_zero=is_negative(a))
    return value if value < size else _below(abs(b), dtype)


def _compare(a: float, b: float, dtype: str) -> float:
    if math.isnan(a) or math.isnan(b):
        return NAN
    return float((a > b) - (a < b))


def _min(a: float, b: float, dtype: str) -> float:
    if math.isnan(a) or math.isnan(b):
        return NAN
    return a if a < b else b


def _max(a: float, b: float, dtype: str) -> float:
    if math.isnan(a) or math.isnan(b):
        return NAN
    return a if a > b else b


def single_bits(value: float) -> int:
    """The bit pattern of the float32; every NaN has the same."""
    if math.isnan(value):
        return 0x7FC00000
    word: int = struct.unpack("<I", struct.pack("<f", narrowed(value, "float32")))[0]
    return word


def _from_bits(word: int) -> float:
    value: float = struct.unpack("<f", struct.pack("<I", word))[0]
    return value


def _hash(v: int) -> int:
    s = (v * 747796405 + 2891336453) % 2**32
    w = ((s >> ((s >> 28) + 4)) ^ s) * 277803737 % 2**32
    return (w >> 22) ^ w


def _rand(a: float, dtype: str) -> float:
    return _from_bits(_hash(single_bits(a)) >> 9 | 0x3F800000) - 1.0


def _mix(a: float, b: float, dtype: str) -> float:
    return _from_bits(_hash((single_bits(a) + _hash(single_bits(b))) % 2**32))


def real(name: str, *operands: float) -> Fraction | None:
    """A function of numbers to 200 bits; None where it is infinite or outside the domain.

    So small a value that float64 holds nothing like it counts as 0.
    """
    a = operands[0]
    if name == "atan2":
        operands = _legs(*operands)
    if name not in VALUE:
        return formula(name, *map(Fraction, operands))
    if (name == "ln" and a <= 0) or (name in ("asin", "acos") and abs(a) > 1):
        return None
    if name == "exp" and abs(a) > 800:
        return None if a > 0 else Fraction(0)
    with mpmath.workprec(200):
        value = getattr(mpmath, name)(*map(mpmath.mpf, operands))
        sign, mantissa, exponent, _ = value._mpf_
    if exponent < -2000:
        return Fraction(0)
    if name == "atan2" and is_negative(a):
        sign = 1
    found: Fraction = (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent
    return found


def _legs(y: float, x: float) -> tuple[float, float]:
    """A point in the same direction, mirrored upwards: without infinities, and not the origin."""
    up, right = abs(y), abs(x)
    if math.isinf(up) or math.isinf(right):
        up, right = float(math.isinf(up)), float(math.isinf(right))
    if up == right == 0:
        right = 1.0
    return up, -right if is_negative(x) else right


def _function(name: str) -> Callable[[float, str], float]:
    """Correctly rounded, which the package's functions only nearly are."""
    at_infinity = {"exp": (0.0, INF), "ln": (NAN, INF), "atan": (-math.pi / 2, math.pi / 2)}

    def call(a: float, dtype: str) -> float:
        if math.isinf(a):
            return narrowed(at_infinity.get(name, (NAN, NAN))[a > 0], dtype)
        if math.isnan(a) or (value := real(name, a)) is None:
            return {"ln": -INF if a == 0 else NAN, "exp": INF}.get(name, NAN) if a == a else NAN
        return rounded(value, dtype, negative_zero=is_negative(a) and name != "exp")

    return call


def _atan2(y: float, x: float, dtype: str) -> float:
    if math.isnan(y) or math.isnan(x):
        return NAN
    value = real("atan2", y, x)
    assert value is not None
    return rounded(value, dtype, negative_zero=is_negative(y))


def formula(name: str, *operands: Fraction) -> Fraction | None:
    """The formula of an operation's row in 250 bits; None where it is infinite or undefined."""
    function = OPS[name].function
    assert function is not None, f"{name} has no definition besides its own"
    value = _by_mpmath(function.formula, *operands)
    if not isinstance(value, mpmath.mpf) or not mpmath.isfinite(value):
        return None
    sign, mantissa, exponent, _ = value._mpf_
    found: Fraction = (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** exponent
    return found


def _by_mpmath(formula: str, *operands: Fraction | float) -> Any:
    with mpmath.workprec(250):
        numbers = [
            mpmath.mpf(n.numerator) / n.denominator if isinstance(n, Fraction) else mpmath.mpf(n)
            for n in operands
        ]
        try:
            return eval(formula, vars(mpmath), dict(zip("ab", numbers, strict=False)))
        except (ValueError, ZeroDivisionError):
            return None


def _unlisted(name: str) -> Callable[..., float]:
    """An operation that is not listed: by its formula, or by its own definition."""
    op = OPS[name]

    def by_formula(*operands_and_dtype: Any) -> float:
        *operands, dtype = operands_and_dtype
        assert op.function is not None
        if any(map(math.isnan, operands)):
            return NAN
        if _finite(*operands) and (exact := formula(name, *map(Fraction, operands))) is not None:
            negative = len(operands) == 1 and is_negative(operands[0])
            return rounded(exact, dtype, negative_zero=negative)
        value = _by_mpmath(op.function.formula, *operands)
        return narrowed(float(value), dtype) if isinstance(value, mpmath.mpf) else NAN

    def by_itself(*operands_and_dtype: Any) -> float:
        *operands, dtype = operands_and_dtype
        kind = np.dtype(dtype)
        with np.errstate(all="ignore"):
            return float(op.point(Arrays(np, kind), *(np.array(v, kind) for v in operands)))

    return by_itself if op.function is None else by_formula


class _Values(dict[str, Callable[..., float]]):
    def __missing__(self, name: str) -> Callable[..., float]:
        return _unlisted(name)


VALUE = _Values({
    "copy": lambda a, dtype: a,
    "neg": lambda a, dtype: -a,
    "abs": lambda a, dtype: math.fabs(a),
    "square": lambda a, dtype: _mul(a, a, dtype),
    "sqrt": _sqrt,
    "recip": lambda a, dtype: _div(1.0, a, dtype),
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "round": _whole(_half_away),
    "sin": _function("sin"),
    "cos": _function("cos"),
    "tan": _function("tan"),
    "asin": _function("asin"),
    "acos": _function("acos"),
    "atan": _function("atan"),
    "exp": _function("exp"),
    "ln": _function("ln"),
    "not": lambda a, dtype: 1.0 if a == 0 else 0.0,
    "rand": _rand,
    "add": _add,
    "sub": lambda a, b, dtype: _add(a, -b, dtype),
    "mul": _mul,
    "div": _div,
    "min": _min,
    "max": _max,
    "atan2": _atan2,
    "mod": _mod,
    "compare": _compare,
    "and": lambda a, b, dtype: a if a == 0 else b,
    "or": lambda a, b, dtype: a if a != 0 else b,
    "mix": _mix,
})  # fmt: skip
"""``VALUE[op](*operands, dtype)``: the value, for operands that ``dtype`` holds."""
