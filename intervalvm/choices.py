"""The check of an argument that is one of some words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from intervalvm.arguments import brief, did_you_mean, is_word
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
