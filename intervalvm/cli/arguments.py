"""Values of a command line, and hints for invalid ones."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from intervalvm.errors import OptionError
from intervalvm.files import is_picture
from intervalvm.memory import MOST, bytes_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

GUESSES = {
    "-o": "--out", "-q": "--quiet", "-s": "--size", "-j": "--threads",
    "--width": "--size", "--height": "--size", "--resolution": "--size",
    "--proven": "--prove", "--rounding": "--prove", "--over": "--prove",
}  # fmt: skip
"""Options of other programs without similar names."""

NAMES = ("engine", "backend", "mode", "dtype", "threads", "depth", "grid", "crop", "size", "prove")
ARGUMENT = re.compile(rf"\b({'|'.join(NAMES)})=('[\w-]*'|\[[^\]]*\]|\([^)]*\)|[+-]?\d+)")


def near(word: str, known: Iterable[str]) -> str:
    """A suggestion of a similar known word, or ""."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1, cutoff=0.75)
    return f" (did you mean {found[0]!r}?)" if found else ""


def hint(
    words: Sequence[str], unknown: Sequence[str], known: Collection[str], commands: Iterable[str]
) -> str:
    """A hint for unknown words of a command line, or ""."""
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


def in_own_words(message: str) -> str:
    """A message of the library, with arguments written as options of the command line."""

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        value = re.sub(r"[^\w. -]", "", value)
        return f"--{name} {value}"

    return ARGUMENT.sub(option, re.sub(r"\bmax_memory\b", "--max-memory", message))


def size(text: str) -> int | tuple[int, int]:
    if found := re.fullmatch(r"\s*([+-]?\d+)(?:[xX×]([+-]?\d+))?", text):
        width, height = found.groups()
        return int(width) if height is None else (int(width), int(height))
    raise argparse.ArgumentTypeError(f"{text!r} is not a size: give 1024 or 1920x1080")


def setting(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if name and equals:
            return name.strip(), float(value)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"{text.strip()!r} is not NAME=VALUE: give a number, as in r=0.5"
    )


def amount_of_bytes(text: str) -> int:
    try:
        amount = bytes_in(text.strip())
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if amount == MOST:
        raise argparse.ArgumentTypeError("no machine has so much memory: give 4G or 500M")
    return amount


def clauses(text: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,18}", text):
        raise argparse.ArgumentTypeError(f"{text.strip()[:40]!r} is not a number of clauses from 1")
    return int(text)
