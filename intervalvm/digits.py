"""Bounds for people: at most six digits, and what is printed encloses what is meant."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

DIGITS = 6


def shown(low: float, high: float) -> tuple[str, str]:
    """The greatest number of six digits that is not above ``low``, the least not below ``high``.

    They look as ``%g`` has them: ``0.5``, ``1e-09``. An end that has so few digits is itself.
    """
    return _rounded(low, ROUND_FLOOR), _rounded(high, ROUND_CEILING)


def _rounded(value: float, way: str) -> str:
    if not math.isfinite(value):
        return f"{value:g}"
    rounding = Context(prec=DIGITS, rounding=way)
    number = rounding.normalize(rounding.create_decimal_from_float(value + 0.0))
    power = number.adjusted()
    if -5 < power < DIGITS:
        return f"{number:f}"
    # not by way of a float: it would be rounded again among the subnormal numbers
    return f"{number.scaleb(-power, rounding):f}e{power:+03d}"
