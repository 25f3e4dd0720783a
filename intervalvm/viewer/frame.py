"""The frame of a plane's view: exact numbers of a page, and where its pixels are in floats.

A page's centre and scale are decimal text, so that a view may be moved and zoomed far beyond what
its own numbers hold. Here they are fractions; the ends of the region are rounded once, to float64.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from intervalvm.arguments import brief
from intervalvm.errors import OptionError
from intervalvm.raster.region import Region

MOST_CHARACTERS = 400
"""Of a number as text."""
MOST_EXPONENT = 400
DECIMAL = re.compile(r"[+-]?(?=\.?[0-9])[0-9]*(?:\.[0-9]*)?(?:[eE]([+-]?[0-9]{1,4}))?", re.ASCII)
FARTHEST = 1e300
"""The largest coordinate, so that lengths are finite too."""
ENOUGH = 64
"""Pixels are drawn in float32 if they are as many of its ulps apart: a field's own rounding errors
are some of these."""


def decimal(name: str, text: Any) -> Fraction:
    """The exact value of decimal text. Raises OptionError."""
    found = DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if found is None or len(text) > MOST_CHARACTERS or abs(int(found[1] or 0)) > MOST_EXPONENT:
        raise OptionError(
            f"{name}={brief(text)}: give a decimal number as text, as in '-0.25', of at most "
            f"{MOST_CHARACTERS} characters, with an exponent to {MOST_EXPONENT}"
        )
    return Fraction(Decimal(text))


@dataclass(frozen=True)
class Frame:
    """What a picture of the plane shows: ``scale`` is half its shorter side.

    Pixels are equal squares, and samples their middles.
    """

    center: tuple[Fraction, Fraction]
    scale: Fraction

    def region(self, size: tuple[int, int]) -> Region:
        """The rectangle of a picture, with ends in float64. Raises OptionError beyond them.

        Ends that are one number are told apart by an ulp.
        """
        shorter = min(size)
        x, y = (
            _ends(middle, self.scale * n / shorter)
            for middle, n in zip(self.center, size, strict=True)
        )
        return Region(x, y)

    def dtype(self, size: tuple[int, int]) -> str:
        """The arithmetic for a picture: float32 where its pixels are well apart in it."""
        return "float32" if self._ulps(size, np.float32) >= ENOUGH else "float64"

    def is_beyond(self, size: tuple[int, int]) -> bool:
        """Whether pixels are nearer to each other than float64 numbers are there."""
        return self._ulps(size, np.float64) < 1

    def _ulps(self, size: tuple[int, int], dtype: Any) -> Fraction:
        """How many ulps of the farthest coordinate are between pixels."""
        region = self.region(size)
        farthest = max(map(abs, (*region.x, *region.y)))
        with np.errstate(over="ignore"):
            ulp = float(np.spacing(dtype(farthest)))
        step = 2 * self.scale / min(size)
        return step / Fraction(ulp) if math.isfinite(ulp) else Fraction(0)


def _ends(middle: Fraction, half: Fraction) -> tuple[float, float]:
    """The ends of a side."""
    try:
        low, high = float(middle - half), float(middle + half)
    except OverflowError:
        low, high = -math.inf, math.inf
    if max(-low, high) > FARTHEST:
        raise OptionError(f"the view reaches beyond {FARTHEST:g}: move or zoom it back")
    return low, high if low < high else math.nextafter(low, math.inf)
