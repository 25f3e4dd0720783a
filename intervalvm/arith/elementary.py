"""sin, cos, tan, asin, acos, atan, atan2, exp and ln, each a fixed sequence of basic operations.

The sequence is the definition: it runs on a namespace ``xp`` of float64 (see ``ops``) and uses
nothing but operations that IEEE 754 rounds correctly, bits and choices. So NumPy arrays, compiled
vectors and whatever else has them give the same bits. Bounds and proofs count on each result to be
within ``directed.ULPS`` units in the last place of the real function; ``docs/functions.md`` argues
for less than two, and has the worst that a search has found.

Arguments are reduced first, then a polynomial in a small argument is added to an exact leading
term; what the reduction rounds off is carried along as a second number (``_low``). The constants
come from ``bench.coefficients``. Besides what ``ops`` lists, a namespace gives

=================================  ===============================================================
``bits64``, ``from_bits64``        float64 to its uint64 bit pattern, and back
``uint64(n)``                      an integer constant; integer arithmetic wraps
``take(table, places)``            the words of a tuple at uint64 places, as uint64
``call(function, *operands)``      ``function(xp, *operands)``, its code not repeated at each use
``rarely(mask, compute, other)``   ``compute()`` where ``mask``, else ``other``; often not computed
=================================  ===============================================================

Methods: Dekker, *A floating-point technique for extending the available precision* (1971), for sums
and products with their errors; Cody and Waite, *Software Manual for the Elementary Functions*
(1980), for the reductions; Payne and Hanek, *Radian reduction for trigonometric functions* (1983),
for huge angles; Estrin (1960) for the order in which a polynomial is summed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

SIN = (
    -0.16666666666666666,
    0.008333333333333331,
    -0.00019841269841265065,
    2.755731921933915e-06,
    -2.505210623244143e-08,
    1.605853161801165e-10,
    -7.586697060262238e-13,
)
"""(sin t / t - 1) / z in powers of z = t * t, for t in [0, pi/4]."""
COS = (
    0.041666666666666664,
    -0.0013888888888887398,
    2.4801587298765676e-05,
    -2.755731727172422e-07,
    2.0876146267241254e-09,
    -1.1382632341807706e-11,
)
"""(cos t - 1 + z / 2) / (z * z), likewise."""
ATAN = (
    -0.3333333333333333,
    0.19999999999999923,
    -0.14285714285686563,
    0.1111111110720304,
    -0.09090908807763083,
    0.07692295690312298,
    -0.06666348195936743,
    0.05876890689626596,
    -0.052022973406595834,
    0.04331394668135639,
    -0.025316818335235036,
)
"""(atan t / t - 1) / z in powers of z = t * t, for t in [0, 1/3]."""
EXP = (
    0.5,
    0.1666666666666667,
    0.04166666666666667,
    0.008333333333326141,
    0.0013888888888883752,
    0.00019841269874800683,
    2.4801587325533502e-05,
    2.75572554255029e-06,
    2.7557273661174726e-07,
    2.5105206475334834e-08,
    2.091467944897855e-09,
)
"""(e**r - 1 - r) / (r * r), for r within ln 2 / 2 of 0."""
EXP_SINGLE = (
    0.5,
    0.16666666666648303,
    0.041666666666651364,
    0.008333333353717274,
    0.0013888888905871442,
    0.00019841208756759125,
    2.4801536408869822e-05,
    2.7625102134822924e-06,
    2.7613795662346626e-07,
)
"""The same, near enough for float32."""
LN = (
    0.666666666666667,
    0.39999999999899505,
    0.2857142862597575,
    0.22222211134751835,
    0.18182889128412458,
    0.15331721495826012,
    0.1461645097955211,
)
"""(2 atanh s / s - 2) / z in powers of z = s * s, for s in [0, 3 - sqrt 8]."""

HALF_PI_PIECES = (1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23)
"""pi / 2; the first two have 38 bits, so that their products with 15 bits are exact."""
HALF_PI, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17
PI, PI_LOW = 2.0 * HALF_PI, 2.0 * HALF_PI_LOW
TWO_OVER_PI = 0.6366197723675814
FAR = 2.0**15
"""Beyond it an angle is reduced with as many bits of 2 / pi as its size asks for."""
WORDS = (
    *(0x00000000, 0x00000000, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599),
    *(0x3C439041, 0xFE5163AB, 0xDEBBC561, 0xB7246E3A, 0x424DD2E0, 0x06492EEA, 0x09D1921C),
    *(0xFE1DEB1C, 0xB129A73E, 0xE88235F5, 0x2EBB4484, 0xE99C7026, 0xB45F7E41, 0x3991D639),
    *(0x835339F4, 0x9C845F8B, 0xBDF9283B, 0x1FF897FF, 0xDE05980F, 0xEF2F118B, 0x5A0A6D1F),
    *(0x6D367ECF, 0x27CB09B7, 0x4F463F66, 0x9E5FEA2D, 0x7527BAC7, 0xEBE5F17B, 0x3D0739F7),
    *(0x8A5292EA, 0x6BFB5FB1, 0x1F8D5D08, 0x56033046, 0xFC7B6BAB),
)
"""64 zero bits and then those of 2 / pi behind the point, in words of 32."""
LN_2_PIECES = (0.6931471805598903, 5.497923018708371e-14)
"""ln 2; the first has 42 bits, so that its products with 11 bits are exact."""
ONE_OVER_LN_2 = 1.4426950408889634
ATAN_HALF, ATAN_HALF_LOW = 0.4636476090008061, 2.2698777452961687e-17

MANTISSA = 2**52 - 1
ONE = 1023 << 52
"""The bits of 1.0."""
ROOT_HALF = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2)."""
TOP_26 = 2**64 - 2**27
WORD = 2**32 - 1


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    """The sum of ``coefficients[i] * x**i``, by pairs: half as long a chain of operations."""
    terms: list[Any] = list(coefficients)
    while len(terms) > 1:
        pairs = [low + x * high for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = [*pairs, terms[-1]] if len(terms) % 2 else pairs
        x = x * x
    return terms[0]


def _sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b and its rounding error, exactly, where abs(a) >= abs(b) or a is 0 (Dekker)."""
    total = a + b
    return total, (a - total) + b


def _halves(xp: Any, a: Any) -> tuple[Any, Any]:
    """The upper 26 bits and the lower 27 bits of ``a``, whose sum it is."""
    upper = xp.from_bits64(xp.bits64(a) & xp.uint64(TOP_26))
    return upper, a - upper


def _product(xp: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """a * b and its rounding error, to 2**-105 of the product, if nothing underflows (Dekker)."""
    total = a * b
    (a1, a2), (b1, b2) = _halves(xp, a), _halves(xp, b)
    return total, (((a1 * b1 - total) + a1 * b2) + a2 * b1) + a2 * b2


def _quotient(xp: Any, a: Any, a_low: Any, b: Any, b_low: Any) -> tuple[Any, Any]:
    """(a + a_low) / (b + b_low) to about 100 bits, if nothing under- or overflows."""
    quotient = a / b
    total, error = _product(xp, quotient, b)
    return quotient, (((a - total) - error) + (a_low - quotient * b_low)) / b


# --- exponential and logarithm --------------------------------------------------------------------


def exp(xp: Any, a: Any) -> Any:
    """2**k * e**r. The sum 1 + r + r*r*p(r) is rounded once, but for the smallest term.

    Beyond the clamps it is 0 or infinite. 2**k is multiplied in two parts, each of which is a
    normal number; only the last product may overflow, or round a subnormal result.
    """
    a = xp.where(a > 710.0, 710.0, xp.where(a < -746.0, -746.0, a))
    k = xp.floor(a * ONE_OVER_LN_2 + 0.5)
    # the first product is exact, and so is the difference: the operands are near each other
    r, r_low = _difference(a - k * LN_2_PIECES[0], k * LN_2_PIECES[1])
    total, error = _sum(1.0, r)
    total = total + (error + (r_low + (r * r) * _polynomial(r, EXP)))
    half = xp.floor(k * 0.5)
    return (total * _power_of_two(xp, half)) * _power_of_two(xp, k - half)


def exp_single(xp: Any, a: Any) -> Any:
    """``exp`` of a float32, near enough for its value in float32 to be that of ``exp``.

    That was compared for every float32: see ``bench.functions``. What is added to the exponent's
    product rounds it to a whole k, whose power of two the lowest bits are.
    """
    a = xp.where(a > 150.0, 150.0, xp.where(a < -150.0, -150.0, a))
    rounded = a * ONE_OVER_LN_2 + (1.5 * 2.0**52 + 1023.0)
    k = rounded - (1.5 * 2.0**52 + 1023.0)
    r = (a - k * LN_2_PIECES[0]) - k * LN_2_PIECES[1]
    series = EXP_SINGLE[-1]
    for coefficient in EXP_SINGLE[-2::-1]:
        series = coefficient + r * series
    total = 1.0 + (r + (r * r) * series)
    return total * xp.from_bits64(xp.bits64(rounded) << xp.uint64(52))


def _difference(a: Any, b: Any) -> tuple[Any, Any]:
    """a - b and its rounding error, exactly (Knuth's sum, which asks for no order)."""
    total = a - b
    part = total - a
    return total, (a - (total - part)) - (b + part)


def _power_of_two(xp: Any, k: Any) -> Any:
    """2**k for a whole k in [-1022, 1023]: the lowest bits of 2**52 + n are those of n."""
    biased = xp.bits64(k + (2.0**52 + 1023.0))
    return xp.from_bits64(biased << xp.uint64(52))


def ln(xp: Any, a: Any) -> Any:
    """k ln 2 + ln m with m in [sqrt 1/2, sqrt 2), and ln m = 2 atanh s, s = (m - 1) / (m + 1).

    With f = m - 1 that is f - (f*f/2 - s * (f*f/2 + z p(z))): the leading term is exact.
    """
    tiny = a < 2.0**-1022
    bits = xp.bits64(xp.where(tiny, a * 2.0**54, a)) + xp.uint64(ONE - ROOT_HALF)
    m = xp.from_bits64((bits & xp.uint64(MANTISSA)) + xp.uint64(ROOT_HALF))
    # an integer below 2**52 in the lowest bits of 2**52 is added to it
    biased = xp.from_bits64((bits >> xp.uint64(52)) | xp.uint64(1075 << 52))
    k = biased - xp.where(tiny, 2.0**52 + 1023.0 + 54.0, 2.0**52 + 1023.0)
    f = m - 1.0
    s, square = f / (m + 1.0), (0.5 * f) * f
    z = s * s
    total, error = _sum(k * LN_2_PIECES[0], f)
    correction = s * (square + z * _polynomial(z, LN)) + k * LN_2_PIECES[1]
    value = total + (error - (square - correction))
    special = xp.where(a == 0.0, -xp.inf, xp.where(a > 0.0, a, xp.nan))
    return xp.where((a > 0.0) & (a < xp.inf), value, special)


# --- angles to numbers ----------------------------------------------------------------------------


def sin(xp: Any, a: Any) -> Any:
    quarter, r, r_low = _reduced(xp, a)
    (s, s_low), (c, c_low) = _sine(r, r_low), _cosine(r, r_low)
    odd = (quarter == 1.0) | (quarter == 3.0)
    value = xp.where(odd, c + c_low, s + s_low)
    # the sum of -0 and a correction of +0 would be +0
    return xp.where(a == 0.0, a, xp.where(quarter >= 2.0, -value, value))


def cos(xp: Any, a: Any) -> Any:
    quarter, r, r_low = _reduced(xp, a)
    (s, s_low), (c, c_low) = _sine(r, r_low), _cosine(r, r_low)
    odd = (quarter == 1.0) | (quarter == 3.0)
    value = xp.where(odd, s + s_low, c + c_low)
    return xp.where((quarter == 1.0) | (quarter == 2.0), -value, value)


def tan(xp: Any, a: Any) -> Any:
    """sin / cos, or -cos / sin in the odd quarters, each with its low part."""
    quarter, r, r_low = _reduced(xp, a)
    s, s_low = _sum(*_sine(r, r_low))
    c, c_low = _sum(*_cosine(r, r_low))
    odd = (quarter == 1.0) | (quarter == 3.0)
    above, above_low = xp.where(odd, -c, s), xp.where(odd, -c_low, s_low)
    below, below_low = xp.where(odd, s, c), xp.where(odd, s_low, c_low)
    value, low = _quotient(xp, above, above_low, below, below_low)
    return xp.where(xp.abs(a) < 2.0**-30, a, value + low)


def _sine(r: Any, r_low: Any) -> tuple[Any, Any]:
    """sin(r + r_low) as a leading term and a correction, for abs(r) up to about pi / 4."""
    z = r * r
    return r, (r * z) * _polynomial(z, SIN) + r_low * (1.0 - 0.5 * z)


def _cosine(r: Any, r_low: Any) -> tuple[Any, Any]:
    z = r * r
    half = 0.5 * z
    leading = 1.0 - half
    return leading, ((1.0 - leading) - half) + ((z * z) * _polynomial(z, COS) - r * r_low)


def _reduced(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    """``a`` in quarter turns, modulo 4, and what remains of at most half a quarter, in two parts.

    Up to ``FAR``, a - k * pi/2 with pi/2 in three pieces: two products are exact, and so is the
    first difference. No float64 there is nearer to a multiple of pi/2 than 2**-61 (but 0 is), and
    the error is below 2**-114: half a unit in the last place of even such a remainder.
    """
    k = xp.floor(a * TWO_OVER_PI + 0.5)
    r, r_low = _difference(a - k * HALF_PI_PIECES[0], k * HALF_PI_PIECES[1])
    r, r_low = _sum(r, r_low - k * HALF_PI_PIECES[2])
    near = (k - 4.0 * xp.floor(k * 0.25), r, r_low)
    size = xp.abs(a)
    far = (size > FAR) & (size < xp.inf)

    def from_bits() -> Any:
        return xp.call(_reduced_far, xp.where(far, a, 2.0 * FAR), results=3, rare=True)

    quarter, r, r_low = xp.rarely(far, from_bits, near)
    return quarter, r, r_low


def _reduced_far(xp: Any, a: Any) -> tuple[Any, Any, Any]:
    """The same for ``FAR`` < abs(a) < inf, from 192 bits of 2 / pi (Payne and Hanek).

    abs(a) is an integer ``m`` times 2**e. Of 2/pi * 2**e the bits worth 4 and more make whole turns
    only; the 192 bits below are multiplied by ``m`` in integers, modulo 4 quarters, and the error
    is below 2**-137 of a quarter. The nearest that a float64 comes to a multiple is above 2**-62.
    """
    bits = xp.bits64(xp.abs(a))
    m = (bits & xp.uint64(MANTISSA)) | xp.uint64(MANTISSA + 1)
    first = (bits >> xp.uint64(52)) - xp.uint64(1013)  # the place of the bit that is worth 2
    quarters = _times(xp, _words_from(xp, first), m)
    top = quarters[0]
    negative = (top >> xp.uint64(29)) & xp.uint64(1)  # half a quarter or more: round up
    quarter = _float(xp, ((top >> xp.uint64(30)) + negative) & xp.uint64(3))
    # A fraction f of half and more becomes 1 - f, by inverting its bits.
    flip = negative * xp.uint64(WORD)
    parts = [(top ^ flip) & xp.uint64(2**30 - 1), *(word ^ flip for word in quarters[1:4])]
    scales = (2.0**-30, 2.0**-62, 2.0**-94, 2.0**-126)
    p0, p1, p2, p3 = (_float(xp, p) * scale for p, scale in zip(parts, scales, strict=True))
    (f, f_low), (tail, tail_low) = _sum(p0, p1), _sum(p2, p3)
    f, f_low = _sum(f, f_low + tail)
    r, error = _product(xp, f, xp.copysign(HALF_PI, f))
    r, r_low = _sum(r, error + (f * HALF_PI_LOW + (f_low + tail_low) * HALF_PI))
    upside = xp.where(_float(xp, negative) == 1.0, -1.0, 1.0)
    turned = a < 0.0
    upside = xp.where(turned, -upside, upside)
    quarter = xp.where(turned & (quarter > 0.0), 4.0 - quarter, quarter)
    return quarter, r * upside, r_low * upside


def _words_from(xp: Any, first: Any) -> list[Any]:
    """Six words of 2 / pi from bit ``first`` of ``WORDS``."""
    place, shift = first >> xp.uint64(5), xp.uint64(32) - (first & xp.uint64(31))
    stored = [xp.take(WORDS, place + xp.uint64(i)) for i in range(7)]
    return [
        (((high << xp.uint64(32)) | low) >> shift) & xp.uint64(WORD)
        for high, low in pairwise(stored)
    ]


def _times(xp: Any, words: list[Any], m: Any) -> list[Any]:
    """``m`` < 2**53 times a number of 32-bit words, the greatest first, as many words of it."""
    word, down = xp.uint64(WORD), xp.uint64(32)
    m0, m1 = m & word, m >> down
    zero = m & xp.uint64(0)
    # of each word w: w * m0 and w * m1, whose halves go to four places
    by_m0, by_m1 = ([w * part for w in reversed(words)] + [zero, zero] for part in (m0, m1))
    carry, found = zero, []
    for i in range(len(words)):
        total = carry + (by_m0[i] & word) + (by_m0[i - 1] >> down)
        total = total + (by_m1[i - 1] & word) + (by_m1[i - 2] >> down)
        found.append(total & word)
        carry = total >> down
    return found[::-1]


def _float(xp: Any, n: Any) -> Any:
    """An integer below 2**52 as a float64."""
    return xp.from_bits64(n | xp.uint64(1075 << 52)) - 2.0**52


# --- numbers to angles ----------------------------------------------------------------------------


def atan(xp: Any, a: Any) -> Any:
    # beyond 2**64 the result is that of infinity
    size = xp.abs(a)
    size = xp.where(size > 2.0**64, 2.0**64, size)
    one = xp.copysign(1.0, size)
    return xp.copysign(_angle(xp, size, 0.0, one, 0.0, size < 0.0), a)


def asin(xp: Any, a: Any) -> Any:
    """The angle of the point (sqrt(1 - a*a), a)."""
    size = xp.abs(a)
    return xp.copysign(_angle(xp, size, 0.0, *_other_leg(xp, a), size < 0.0), a)


def acos(xp: Any, a: Any) -> Any:
    """The angle of the point (a, sqrt(1 - a*a))."""
    return _angle(xp, *_other_leg(xp, a), xp.abs(a), 0.0, a < 0.0)


def atan2(xp: Any, y: Any, x: Any) -> Any:
    """IEEE 754's table: infinities are two equal legs or a leg of nothing, so are zeros."""
    up, right = xp.abs(y), xp.abs(x)
    endless = (up == xp.inf) | (right == xp.inf)
    up_leg = xp.where(endless, xp.where(up == xp.inf, 1.0, 0.0), up)
    right_leg = xp.where(endless, xp.where(right == xp.inf, 1.0, 0.0), right)
    right_leg = xp.where((up == 0.0) & (right == 0.0), 1.0, right_leg)
    # so that no sum overflows, and the product of a quotient by its divisor does not underflow
    longer = xp.where(up_leg > right_leg, up_leg, right_leg)
    scale = xp.where(longer > 2.0**1000, 2.0**-10, xp.where(longer < 2.0**-500, 2.0**500, 1.0))
    behind = xp.copysign(1.0, x) < 0.0
    angle = _angle(xp, up_leg * scale, 0.0, right_leg * scale, 0.0, behind)
    return xp.where(xp.isnan(y) | xp.isnan(x), xp.nan, xp.copysign(angle, y))


def _other_leg(xp: Any, a: Any) -> tuple[Any, Any]:
    """sqrt(1 - a*a) in two parts; NaN where abs(a) > 1."""
    square, square_low = _product(xp, a, a)
    rest, rest_low = _sum(1.0, -square)
    rest_low = rest_low - square_low
    root = xp.sqrt(rest)
    total, error = _product(xp, root, root)
    low = (((rest - total) - error) + rest_low) / (root + root)
    return root, xp.where(root == 0.0, 0.0, low)


def _angle(xp: Any, y: Any, y_low: Any, x: Any, x_low: Any, behind: Any) -> Any:
    """The angle in [0, pi] of the point (x, y), x and y >= 0, or (-x, y) where ``behind``.

    It is start + or - (base + atan t). Swapping the legs where the point is ``steep`` leaves a
    quotient in [0, 1], and where that is above 1/3, turning by the angle ``base`` of (2, 1) one of
    at most 1/3: n/d becomes (n - d/2) / (d + n/2), whose numerator is exact.
    """
    steep = y > x
    n, n_low = xp.where(steep, x, y), xp.where(steep, x_low, y_low)
    d, d_low = xp.where(steep, y, x), xp.where(steep, y_low, x_low)
    # where the products of halves underflow; the quotient alone is good enough then
    tiny = n < 2.0**-900
    wide = n > d * 0.3333333333333333
    turned, error = _sum(d, 0.5 * n)
    n, n_low = xp.where(wide, n - 0.5 * d, n), xp.where(wide, n_low - 0.5 * d_low, n_low)
    d_low = xp.where(wide, error + (d_low + 0.5 * n_low), d_low)
    d = xp.where(wide, turned, d)
    t, t_low = _quotient(xp, n, n_low, d, d_low)
    t_low = xp.where(tiny, 0.0, t_low)
    z = t * t
    tail = (t * z) * _polynomial(z, ATAN) + t_low * (1.0 - z)
    start = xp.where(steep, HALF_PI, xp.where(behind, PI, 0.0))
    start_low = xp.where(steep, HALF_PI_LOW, xp.where(behind, PI_LOW, 0.0))
    base, base_low = xp.where(wide, ATAN_HALF, 0.0), xp.where(wide, ATAN_HALF_LOW, 0.0)
    side = xp.where(steep ^ behind, -1.0, 1.0)
    total, error = _sum(start, side * base)
    total, error_t = _sum(total, side * t)
    return total + (error_t + (error + (start_low + side * (base_low + tail))))
