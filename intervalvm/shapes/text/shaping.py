"""Shaping: the glyphs of a line and their positions, by HarfBuzz.

A line is cut into runs of one script and direction. A line with left-to-right and right-to-left
letters is refused: its order depends on the nesting, which a short text does not determine.
Numbers run left to right in every line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any
from unicodedata import bidirectional

from intervalvm.errors import BackendError, OptionError, install_line

TO_LEFT = {"R", "AL"}
"""Right-to-left classes of UAX 9, "Unicode bidirectional algorithm"."""
EXPLICIT = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Classes of explicit directional formatting."""
SIMPLE = {"Latn", "Grek", "Cyrl", "Armn", "Geor", "Hani", "Hira", "Kana", "Bopo"}
"""Scripts in which ligatures are optional: they are switched off."""
NO_LIGATURES = {"liga": False, "clig": False, "calt": False}
NUMBERS = re.compile("(?:t*E(?:[sc]?E)*t*|A(?:c?A)*)+")
"""A number by the classes of its characters: rules W4 to W7 of UAX 9 in a right-to-left line. E and
A are digits, s and c separators, t terminators such as the percent sign."""
CLASSES = {"EN": "E", "AN": "A", "ES": "s", "CS": "c", "ET": "t"}


def harfbuzz() -> Any:
    """uharfbuzz. Raises BackendError if it or fontTools is not installed."""
    try:
        import fontTools.cu2qu  # noqa: F401
        import uharfbuzz
    except ModuleNotFoundError as error:
        raise BackendError(
            "fonts are read with uharfbuzz and fontTools, and one is not installed: "
            + install_line("fonts")
        ) from error
    return uharfbuzz


@dataclass(frozen=True, slots=True)
class Shaped:
    """A glyph: its index, offset and advance, and the index of its first character in the line."""

    glyph: int
    dx: int
    dy: int
    advance: int
    cluster: int


def is_rtl(line: str) -> bool:
    """Whether a line is right-to-left. Raises OptionError for a line of both directions."""
    classes = {bidirectional(char) for char in line}
    if classes & EXPLICIT or (classes & TO_LEFT and "L" in classes):
        raise OptionError(
            f"{line!r} runs both to the right and to the left, and the order of its parts is not "
            "known: make a text of each direction, without marks of direction, and move them"
        )
    return bool(classes & TO_LEFT)


def shape(font: Any, line: str, **features: bool) -> list[Shaped]:
    """The glyphs of a line from left to right.

    In a right-to-left line each run is placed before the earlier ones, but a run that continues a
    number, in digits of another script, after the number so far.
    """
    to_left = is_rtl(line)
    found: list[Shaped] = []
    number = 0  # glyphs so far of the current number in a right-to-left line
    for start, stop, script, is_number in _runs(line, to_left):
        run = _shaped(font, line, start, stop, script, to_left and not is_number, features)
        at = (number if is_number else 0) if to_left else len(found)
        found[at:at] = run
        number = at + len(run) if is_number else 0
    return found


def _runs(line: str, to_left: bool) -> Iterator[tuple[int, int, str, bool]]:
    """Start, stop and script of each run, and whether it is a number in a right-to-left line."""
    numbers = _numbers(line) if to_left else [False] * len(line)
    start = 0
    for (script, is_number), run in groupby(zip(_scripts(line), numbers, strict=True)):
        stop = start + len([*run])
        yield start, stop, script, is_number
        start = stop


def _scripts(line: str) -> list[str]:
    """The script of each character; that of marks and spaces is the preceding letter's, or else the
    first letter's."""
    found = [_script(char) for char in line]
    last = next((script for script in found if script), "Latn")
    scripts = []
    for script in found:
        last = script or last
        scripts.append(last)
    return scripts


@lru_cache(4096)
def _script(char: str) -> str | None:
    buffer = harfbuzz().Buffer()
    buffer.language = "und"
    buffer.add_str(char)
    buffer.guess_segment_properties()
    script: str | None = buffer.script
    return script


def _numbers(line: str) -> list[bool]:
    """Which characters of a right-to-left line belong to numbers."""
    classes: list[str] = []
    last, letter = "o", ""
    for char in line:
        kind = bidirectional(char)
        if kind in TO_LEFT:
            letter = kind
        if kind not in ("NSM", "BN"):  # which take the class before them
            last = "A" if kind == "EN" and letter == "AL" else CLASSES.get(kind, "o")
        classes.append(last)
    found = [False] * len(line)
    for match in NUMBERS.finditer("".join(classes)):
        found[match.start() : match.end()] = [True] * len(match.group())
    return found


def _shaped(
    font: Any,
    line: str,
    start: int,
    stop: int,
    script: str,
    to_left: bool,
    features: dict[str, bool],
) -> list[Shaped]:
    buffer = harfbuzz().Buffer()
    buffer.add_str(line, start, stop - start)  # with its context
    buffer.script, buffer.direction = script, "rtl" if to_left else "ltr"
    buffer.language = "und"  # not that of the process
    harfbuzz().shape(font, buffer, features | (NO_LIGATURES if script in SIMPLE else {}))
    infos: Sequence[Any] = buffer.glyph_infos
    return [
        Shaped(info.codepoint, at.x_offset, at.y_offset, at.x_advance, info.cluster)
        for info, at in zip(infos, buffer.glyph_positions or [], strict=True)
    ]
