"""Checks of arguments that are one of some words, or a number of some kind."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from intervalvm.arguments import brief, did_you_mean, integer, is_word, real
from intervalvm.errors import OptionError


def check_word(what: str, word: Any, choices: Collection[str]) -> None:
    """Raise OptionError for an unknown word; ``what`` it names, as in "unit"."""
    if not is_word(word, choices):
        hint = did_you_mean(word, choices) if isinstance(word, str) else ""
        raise OptionError(f"no {what} {brief(word)}{hint}: choose {listed(choices)}")


def listed(words: Collection[str]) -> str:
    """``'a', 'b' or 'c'``."""
    *others, last = map(repr, words)
    return f"{', '.join(others)} or {last}" if others else last


def finite(name: str, value: Any) -> float:
    """A finite number. Raises what ``real`` does, and OptionError for another one."""
    number = real(name, value)
    if not math.isfinite(number):
        raise OptionError(f"{name}={brief(value)}: give a finite number")
    return number


def positive(name: str, value: Any) -> float:
    """A finite number above 0. Raises likewise."""
    number = finite(name, value)
    if not number > 0:
        raise OptionError(f"{name}={brief(value)}: give a number above 0")
    return number


def integer_within(name: str, value: Any, least: int, most: int) -> int:
    """An integer from ``least`` to ``most``. Raises OptionError."""
    try:
        number = integer(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        raise OptionError(f"{name}={brief(value)}: give an integer from {least} to {most}")
    return number
