"""Shares of half-planes and half-spaces in rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations


def exact(value: Fraction, steps: list[Fraction]) -> Fraction:
    """The share of the unit box below 0, by inclusion and exclusion over its corners.

    Barrow and Smith, "Spline notation applied to a volume problem", Amer. Math. Monthly 86, 1979.
    """
    weights = [abs(step) for step in steps if step]
    q = -value - sum(min(step, Fraction(0)) for step in steps)
    if not weights:
        return Fraction(int(q > 0))
    n, total = len(weights), Fraction(0)
    for k in range(n + 1):
        for corner in combinations(weights, k):
            total += (-1) ** k * max(q - sum(corner), Fraction(0)) ** n
    return total / (math.factorial(n) * math.prod(weights))
