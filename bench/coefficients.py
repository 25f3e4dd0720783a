"""The constants of intervalvm.arith.elementary, computed anew.

Each polynomial interpolates its function at the Chebyshev nodes of its interval, in 80 digits, and
is rounded to float64 afterwards. Such a polynomial is within a factor of 3 of the best one
(Trefethen, *Approximation Theory and Approximation Practice*, chapter 16); the error that is
printed is what the rounded one leaves of the function it serves, relative to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath

mpmath.mp.dps = 80
MARGIN = 1 + mpmath.mpf(2) ** -20
"""The reduced arguments may lie a little outside, by the rounding of the reduction."""


@dataclass(frozen=True)
class Fit:
    """A polynomial ``p`` of ``terms`` terms for ``function`` on [``low``, ``high``].

    ``error`` is, of an argument and the error of ``p`` there, the relative error of the result.
    """

    name: str
    function: Callable[[Any], Any]
    low: Any
    high: Any
    terms: int
    error: Callable[[Any, Any], Any]

    def coefficients(self) -> list[float]:
        """From the constant term up."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        turns = [mpmath.pi * (2 * i + 1) / (2 * self.terms) for i in range(self.terms)]
        nodes = [middle + half * mpmath.cos(turn) for turn in turns]
        powers = mpmath.matrix([[node**power for power in range(self.terms)] for node in nodes])
        values = mpmath.matrix([self.function(node) for node in nodes])
        return [float(c) for c in mpmath.lu_solve(powers, values)]

    def worst(self, coefficients: list[float], *, points: int = 998) -> Any:
        """The greatest relative error of the result at evenly spaced points."""
        step = (self.high - self.low) / points
        places = [self.low + step * (i + mpmath.mpf(1) / 2) for i in range(points)]
        return max(
            abs(self.error(x, mpmath.polyval(coefficients[::-1], x) - self.function(x)))
            for x in places
        )


def _odd(function: Callable[[Any], Any], first: int) -> Callable[[Any], Any]:
    """``p`` of ``function(t) = first * t + t * z * p(z)`` with ``z = t * t``."""

    def remainder(z: Any) -> Any:
        t = mpmath.sqrt(z)
        return (function(t) / t - first) / z

    return remainder


FITS = (
    Fit(
        "SIN",
        _odd(mpmath.sin, 1),
        mpmath.mpf(0),
        (mpmath.pi / 4) ** 2 * MARGIN,
        7,
        lambda z, e: e * z * mpmath.sqrt(z) / mpmath.sin(mpmath.sqrt(z)),
    ),
    Fit(
        "COS",
        lambda z: (mpmath.cos(mpmath.sqrt(z)) - 1 + z / 2) / z**2,
        mpmath.mpf(0),
        (mpmath.pi / 4) ** 2 * MARGIN,
        6,
        lambda z, e: e * z**2 / mpmath.cos(mpmath.sqrt(z)),
    ),
    Fit(
        "ATAN",
        _odd(mpmath.atan, 1),
        mpmath.mpf(0),
        mpmath.mpf(1) / 9 * MARGIN,
        11,
        lambda z, e: e * z * mpmath.sqrt(z) / mpmath.atan(mpmath.sqrt(z)),
    ),
    Fit(
        "EXP",
        lambda r: mpmath.hyp1f1(1, 3, r) / 2,  # (e**r - 1 - r) / r**2, at 0 too
        -mpmath.log(2) / 2 * MARGIN,
        mpmath.log(2) / 2 * MARGIN,
        11,
        lambda r, e: e * r**2 / mpmath.exp(r),
    ),
    Fit(
        "EXP_SINGLE",
        lambda r: mpmath.hyp1f1(1, 3, r) / 2,
        -mpmath.log(2) / 2 * MARGIN,
        mpmath.log(2) / 2 * MARGIN,
        9,
        lambda r, e: e * r**2 / mpmath.exp(r),
    ),
    Fit(
        "LN",
        _odd(lambda s: 2 * mpmath.atanh(s), 2),
        mpmath.mpf(0),
        (3 - 2 * mpmath.sqrt(2)) ** 2 * MARGIN,
        7,
        lambda z, e: e * z * mpmath.sqrt(z) / (2 * mpmath.atanh(mpmath.sqrt(z))),
    ),
)


def pieces(number: Any, *bits: int) -> list[float]:
    """``number`` cut into floats of so many bits, and what is left, rounded, as the last."""
    found = []
    for count in bits:
        unit = mpmath.mpf(2) ** (mpmath.floor(mpmath.log(abs(number), 2)) + 1 - count)
        found.append(float(mpmath.floor(number / unit) * unit))
        number -= found[-1]
    return [*found, float(number)]


def words_of_two_over_pi(count: int) -> list[int]:
    """The bits of 2 / pi in words of 32, after two words of zeros."""
    with mpmath.workprec(32 * count + 64):
        whole = int(mpmath.floor(mpmath.mpf(2) ** (32 * (count - 2)) * 2 / mpmath.pi))
    return [whole >> 32 * (count - 1 - i) & 0xFFFFFFFF for i in range(count)]


def main(words: list[str]) -> int:
    """Print them as they stand in the source."""
    argparse.ArgumentParser(prog="python -m bench coefficients", description=__doc__).parse_args(
        words
    )
    for fit in FITS:
        coefficients = fit.coefficients()
        worst = fit.worst(coefficients)
        print(f"{fit.name} = (  # error 2**{float(mpmath.log(worst, 2)):.1f}")
        for coefficient in coefficients:
            print(f"    {coefficient!r},")
        print(")")
    print("HALF_PI =", pieces(mpmath.pi / 2, 38, 38))
    print("HALF_PI, LOW =", pieces(mpmath.pi / 2, 53))
    print("LN_2 =", pieces(mpmath.log(2), 42))
    print("ATAN_HALF =", pieces(mpmath.atan(0.5), 53))
    bits = words_of_two_over_pi(40)
    for start in range(0, len(bits), 6):
        print("   ", ", ".join(f"0x{word:08X}" for word in bits[start : start + 6]) + ",")
    return 0
