"""What to do instead: hints at words that a command line does not know, and options' own names."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from intervalvm.formats.foreign import is_picture

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

GUESSES = {
    "-o": "--out", "-q": "--quiet", "-s": "--size", "-j": "--threads",
    "--width": "--size", "--height": "--size", "--resolution": "--size",
}  # fmt: skip
"""Options of other programs, whose letters are no hint."""

NAMES = ("engine", "backend", "mode", "dtype", "threads", "depth", "grid", "crop", "size", "over")
ARGUMENT = re.compile(rf"\b({'|'.join(NAMES)})=('[\w-]*'|\[[^\]]*\]|\([^)]*\)|[+-]?\d+)")


def near(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is like ``word``, if one is."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1, cutoff=0.75)
    return f" (did you mean {found[0]!r}?)" if found else ""


def hint(
    words: Sequence[str], unknown: Sequence[str], known: Collection[str], commands: Iterable[str]
) -> str:
    """What to do about the words of a command line that were not understood, if it is plain."""
    if "--" in words:
        return " (what stands behind -- is no option: leave -- out)"
    for word in unknown:
        if word in commands:
            return f" (the command comes first: intervalvm {word} FILE)"
        if not word.startswith("-") and is_picture(word) and "--out" in known:
            return f" (--out {word} names the picture)"
        if found := near(GUESSES.get(word.split("=")[0], word.split("=")[0]), known):
            return found
    return ""


def misspelt(word: str, choices: Sequence[str]) -> str:
    """A hint at the choice that ``word`` behind an option was to be; "" for the name of a file."""
    return "" if word in choices or os.path.exists(word) else near(word, choices)


def in_own_words(message: str) -> str:
    """A message of the library, with its arguments as the command line's options."""

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        value = re.sub(r"[^\w. -]", "", value)
        return f"--proven {value}" if name == "over" else f"--{name} {value}"

    message = message.replace("rounding='outward'", "--proven")
    return ARGUMENT.sub(option, re.sub(r"\bmax_memory\b", "--max-memory", message))
