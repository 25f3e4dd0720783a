"""Units of length that files name: the length of one unit of a shape."""

from __future__ import annotations

from typing import Any

from intervalvm.arguments import brief, did_you_mean
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.words import Unit

METRES: dict[Unit, float] = {
    "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "in": 0.0254, "ft": 0.3048,
}  # fmt: skip
"""Metres in each unit."""


def check_unit(unit: Any) -> Unit:
    """The unit. Raises OptionError for an unknown one, ArgumentTypeError for another type."""
    if not isinstance(unit, str):
        raise ArgumentTypeError(f"unit={brief(unit)}: give a name, as in unit='mm'")
    for known in METRES:
        if unit == known:
            return known
    hint = did_you_mean(unit, METRES)
    raise OptionError(f"unit={brief(unit)} is none{hint}: choose {', '.join(METRES)}")
