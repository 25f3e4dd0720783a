"""Values of options: from text to what the library takes."""

from __future__ import annotations

import argparse
import re

from intervalvm.errors import OptionError
from intervalvm.memory import MOST, bytes_in


def size(text: str) -> int | tuple[int, int]:
    if found := re.fullmatch(r"\s*([+-]?\d+)(?:[xX×]([+-]?\d+))?", text):
        width, height = found.groups()
        return int(width) if height is None else (int(width), int(height))
    raise argparse.ArgumentTypeError(f"{text!r} is not a size: give 1024 or 1920x1080")


def volume(text: str) -> int | tuple[int, ...]:
    if re.fullmatch(r"\s*[+-]?\d+(?:[xX×][+-]?\d+){0,2}", text):
        sides = tuple(map(int, re.split("[xX×]", text)))
        return sides if len(sides) > 1 else sides[0]
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a size: give 512, 640x480 or 640x480x512, in voxels"
    )


def colours(text: str) -> str | tuple[str, ...]:
    """One colour, or several with commas between them."""
    several = tuple(text.split(","))
    return several if len(several) > 1 else text


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
