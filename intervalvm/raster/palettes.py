"""Values as colours: palettes, and lines where a field has equal values.

All is worked out in float64, rows at a time. A pixel's distance to a line is the difference of the
values over the slope, which is found from the pixels around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, did_you_mean, parts_of, real
from intervalvm.colours import Colour, colour
from intervalvm.errors import ArgumentTypeError, OptionError

NAN_SHOWN, LOW_SHOWN, HIGH_SHOWN = (255, 0, 255), (0, 255, 255), (0, 255, 0)
"""What is shown of NaN, -inf and inf. No palette here has these colours."""
LINE, ZERO_LINE = 1.0, 2.2
"""Widths in pixels."""
DARKER, ZERO_DARKER = 0.55, 0.9
"""How much of the colour below a line takes away."""
CROWDED = 3.0, 8.0
"""Pixels between lines: those that are nearer than the first are left out, from the second on they
are as dark as can be."""
BAND_PX = 1 << 18
"""The pixels of a band of rows, so that its arrays fit the cache."""
MOST_COLOURS = 64
"""Of a palette that is given as colours."""


@dataclass(frozen=True)
class Palette:
    """Colours from the least to the greatest value, at equal distances.

    A diverging palette has two rows of colours, each from 0 outwards, and changes at 0.
    """

    stops: tuple[Colour, ...]
    below: tuple[Colour, ...] = ()

    @property
    def diverges(self) -> bool:
        return bool(self.below)


PALETTES = {
    "distance": Palette(("#fbead2", "#e9a35a", "#8c4a1c"), ("#dcecf7", "#5b9fd0", "#173f68")),
    "sea": Palette(("#1b1145", "#243b7a", "#1f6f8b", "#2f9e7f", "#8fcb5c", "#f6e96b")),
    "grey": Palette(("#000000", "#ffffff")),
    "heat": Palette(("#0b0611", "#5b1049", "#b3273c", "#ee6a24", "#fbbf3b", "#fffbe0")),
}
"""Our own, by name."""


def palette_of(value: Any) -> Palette:
    """A palette by its name, or of colours. Raises OptionError or ArgumentTypeError."""
    if isinstance(value, str):
        if value in PALETTES:
            return PALETTES[value]
        hint = did_you_mean(value, PALETTES)
        known = ", ".join(PALETTES)
        raise OptionError(f"palette={brief(value)}: choose {known}, or give colours{hint}")
    try:
        parts = parts_of("palette", value, MOST_COLOURS)
    except ArgumentTypeError:
        raise ArgumentTypeError(
            f"palette={brief(value)}: give a name, such as 'distance', or colours"
        ) from None
    if not 2 <= len(parts) <= MOST_COLOURS:
        raise OptionError(f"palette={brief(value)}: give 2 to {MOST_COLOURS} colours")
    return Palette(tuple(colour(part, "palette") for part in parts))


def spacing_of(value: Any) -> float | None:
    """The distance between lines; None for none. Raises OptionError or ArgumentTypeError."""
    if value is None:
        return None
    found = real("isolines", value)
    if not 0 < found < np.inf:
        raise OptionError(f"isolines={brief(value)}: give a number above 0, or None")
    return found


def limits_of(value: Any, values: NDArray[Any], *, around_0: bool) -> tuple[float, float]:
    """The values at the ends of a palette: as given, or those of all finite values."""
    if value is not None:
        return _given(value, around_0=around_0)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if around_0:
        high = max(abs(low), abs(high))
        low = -high
    return (low, high) if low < high else (low - 1.0, high + 1.0)


def _given(value: Any, *, around_0: bool) -> tuple[float, float]:
    try:
        low, high = (real("limits", part) for part in parts_of("limits", value))
    except ValueError:
        raise OptionError(f"limits={brief(value)}: give two numbers, the lower first") from None
    if not -np.inf < low < high < np.inf:
        raise OptionError(f"limits={brief(value)}: give two finite numbers, the lower first")
    if around_0 and not low < 0 < high:
        raise OptionError(f"limits={brief(value)}: the palette changes at 0, so give one below 0")
    return low, high


def coloured(
    values: NDArray[Any], palette: Palette, spacing: float | None, limits: tuple[float, float]
) -> NDArray[np.uint8]:
    """uint8[height, width, 3]: the colours of values, with lines ``spacing`` apart."""
    height, width = values.shape
    shown = np.empty((height, width, 3), np.uint8)
    rows = max(1, BAND_PX // width)
    with np.errstate(all="ignore"):
        for top in range(0, height, rows):
            band = slice(top, min(height, top + rows))
            # the slope of a row takes those above and below
            first = max(0, top - 1)
            around = values[first : band.stop + 1].astype(np.float64)
            mine = slice(top - first, band.stop - first)
            slope = _slopes(around)[mine]
            shown[band] = _rows(around[mine], slope, palette, spacing, limits)
    return shown


def _slopes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much the value changes from a pixel to the next, whichever way it changes most."""
    squares = np.zeros_like(values)
    for axis in (0, 1):
        if values.shape[axis] > 1:
            squares += np.square(np.gradient(values, axis=axis))
    found: NDArray[np.float64] = np.sqrt(squares)
    return found


def _rows(
    values: NDArray[np.float64],
    slope: NDArray[np.float64],
    palette: Palette,
    spacing: float | None,
    limits: tuple[float, float],
) -> NDArray[np.uint8]:
    low, high = limits
    if palette.diverges:
        above = _at(palette.stops, values / high)
        # a pixel at the border has both colours, by how much of it is on each side
        share = np.clip(np.where(values == 0, 0.5, values / slope + 0.5), 0, 1)
        share = np.where(np.isnan(share), values > 0, share)[..., None]
        found = above * share + _at(palette.below, values / low) * (1 - share)
    else:
        # halves, since the difference of two finite numbers may overflow
        found = _at(palette.stops, (values / 2 - low / 2) / (high / 2 - low / 2))
    if spacing is not None:
        found *= 1 - _darkness(values, slope, spacing)[..., None]
    shown: NDArray[np.uint8] = np.rint(np.nan_to_num(found)).astype(np.uint8)
    shown[np.isnan(values)] = NAN_SHOWN
    shown[values == -np.inf] = LOW_SHOWN
    shown[values == np.inf] = HIGH_SHOWN
    return shown


def _darkness(
    values: NDArray[np.float64], slope: NDArray[np.float64], spacing: float
) -> NDArray[np.float64]:
    """How much of the light the lines take away, 0 to 1."""
    nearest = np.rint(values / spacing) * spacing
    fewest, enough = CROWDED
    apart = np.clip((spacing / slope - fewest) / (enough - fewest), 0, 1)
    lines = DARKER * apart * _covered(values - nearest, slope, LINE)
    zero = ZERO_DARKER * _covered(values, slope, ZERO_LINE)
    # where the slope is 0, or not finite, there is no line
    return np.fmax(np.fmax(lines, zero), 0.0)


def _covered(
    difference: NDArray[np.float64], slope: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """How much of a pixel a line covers, whose value differs by so much from the pixel's."""
    return np.clip(width / 2 + 0.5 - np.abs(difference) / slope, 0, 1)


def _at(stops: Sequence[Colour], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours at places from 0 to 1, and beyond them those of the ends."""
    channels = zip(*(colour(stop) for stop in stops), strict=True)
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(place, at, channel) for channel in channels], axis=-1)
