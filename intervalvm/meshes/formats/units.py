"""Units of length that files of meshes name: what a coordinate of 1 is."""

from __future__ import annotations

from typing import Any, NamedTuple

from intervalvm.arguments import brief, did_you_mean, is_word
from intervalvm.errors import OptionError


class Unit(NamedTuple):
    """A unit in metres, and its name in 3MF."""

    metres: float
    threemf: str


UNITS = {
    "um": Unit(1e-6, "micron"),
    "mm": Unit(1e-3, "millimeter"),
    "cm": Unit(1e-2, "centimeter"),
    "m": Unit(1.0, "meter"),
    "in": Unit(0.0254, "inch"),
    "ft": Unit(0.3048, "foot"),
}


def check_unit(unit: Any) -> None:
    """Raise OptionError unless it is the name of a unit."""
    if not is_word(unit, UNITS):
        hint = did_you_mean(unit, UNITS) if isinstance(unit, str) else ""
        raise OptionError(f"unit={brief(unit)}{hint}: choose {', '.join(UNITS)}")
