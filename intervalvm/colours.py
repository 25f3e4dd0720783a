"""Colours as a caller gives them: text or three integers, read into (red, green, blue)."""

from __future__ import annotations

import re
from typing import Any

from intervalvm.arguments import brief, did_you_mean, integer, parts_of
from intervalvm.errors import ArgumentTypeError, OptionError

Rgb = tuple[int, int, int]
"""Red, green and blue in sRGB, each 0 to 255."""
Colour = str | Rgb
"""What ``colour`` reads."""
HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)
TRANSPARENT = ("none", "transparent")
"""What a paper may be said to be, in place of a colour."""
WAYS = 'give "#c84", "#cc8844", a name of CSS such as "teal", or three integers from 0 to 255'


def colour(value: Any, name: str = "colour") -> Rgb:
    """A colour given as "#rgb", "#rrggbb", a name of CSS or three integers from 0 to 255.

    Letters may be of either case; ``name`` is the argument's in messages. Raises OptionError for
    another text or numbers out of range, ArgumentTypeError for another type.
    """
    if isinstance(value, str):
        return _of_text(value, name)
    try:
        parts = [integer(part) for part in parts_of(name, value)]
    except (ArgumentTypeError, TypeError):
        raise ArgumentTypeError(f"{name}={brief(value)} is not a colour: {WAYS}") from None
    if len(parts) != 3 or not all(0 <= part <= 255 for part in parts):
        raise OptionError(f"{name}={brief(value)} is not a colour: {WAYS}")
    red, green, blue = parts
    return red, green, blue


def paper_colour(value: Any, name: str = "paper") -> Rgb | None:
    """The colour of what lies behind a picture, or None for "none" and "transparent".

    Raises as ``colour`` does.
    """
    if isinstance(value, str) and value.strip().lower() in TRANSPARENT:
        return None
    try:
        return colour(value, name)
    except (OptionError, ArgumentTypeError) as error:
        raise type(error)(f'{error}, or "none" for a transparent {name}') from None


def is_dark(rgb: Rgb) -> bool:
    """Whether white shows better on a colour than black does."""
    red, green, blue = rgb
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128  # luma, as of BT.601


def _of_text(text: str, name: str) -> Rgb:
    word = text.strip().lower()
    if HEX.fullmatch(word):
        width = len(word) // 3  # "#c84" is short for "#cc8844"
        digits = (word[at : at + width] * (3 - width) for at in range(1, len(word), width))
        red, green, blue = (int(each, 16) for each in digits)
        return red, green, blue
    from PIL import ImageColor

    if word in ImageColor.colormap:
        red, green, blue = ImageColor.getrgb(word)[:3]
        return red, green, blue
    hint = did_you_mean(word, ImageColor.colormap)
    raise OptionError(f"{name}={brief(text)} is not a colour{hint}: {WAYS}")
