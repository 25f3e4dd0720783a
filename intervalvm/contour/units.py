"""Units of length: what a coordinate of 1 is in a file."""

from __future__ import annotations

from typing import Any, NamedTuple

from intervalvm.arguments import brief, did_you_mean, is_word
from intervalvm.errors import OptionError


class Unit(NamedTuple):
    """A unit in millimetres, the one of CSS that SVG measures it in and how many of these it is,
    and its number in DXF, if it has one."""

    mm: float
    css: str
    css_units: float = 1.0
    dxf: int | None = None
    is_metric: bool = True


UNITS = {
    "mm": Unit(1.0, "mm", dxf=4),
    "cm": Unit(10.0, "cm", dxf=5),
    "m": Unit(1000.0, "mm", 1000.0, dxf=6),
    "in": Unit(25.4, "in", dxf=1, is_metric=False),
    "ft": Unit(304.8, "in", 12.0, dxf=2, is_metric=False),
    "pt": Unit(25.4 / 72, "pt"),
    "px": Unit(25.4 / 96, "px"),
}


def unit_of(word: Any) -> Unit:
    """The unit that a word names. Raises OptionError."""
    return UNITS[chosen("unit", word, UNITS)]


def chosen(name: str, word: Any, words: Any) -> str:
    """A word of a table. Raises OptionError for another one."""
    if is_word(word, words):
        return str(word)
    hint = did_you_mean(word, words) if isinstance(word, str) else ""
    raise OptionError(f"{name}={brief(word)}{hint}: choose {', '.join(words)}")
