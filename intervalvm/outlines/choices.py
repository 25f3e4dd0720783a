"""The check of a word against a table."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from intervalvm.arguments import brief, did_you_mean, is_word
from intervalvm.errors import OptionError


def chosen(name: str, word: Any, words: Collection[str]) -> str:
    """A word of a table. Raises OptionError for another one."""
    if is_word(word, words):
        return str(word)
    hint = did_you_mean(word, words) if isinstance(word, str) else ""
    raise OptionError(f"{name}={brief(word)} is none{hint}: choose {', '.join(words)}")
