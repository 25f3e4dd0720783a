"""Constants as text, in and out: each is rounded once to float64 and once to float32."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from intervalvm.environment import in_default_environment


def as_single(text: str, wide: float) -> np.float32:
    """The float32 nearest to the number written in ``text``, whose nearest float64 is ``wide``.

    Rounding by way of float64 is wrong where ``wide`` falls on the middle of two float32 and the
    text does not; only there is the text itself compared.
    """
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(wide)
        if not np.isfinite(wide) or float(near) == wide:
            return near
        other = np.nextafter(near, np.float32(np.inf if wide > float(near) else -np.inf))
    if (_unbounded(near) + _unbounded(other)) / 2 != wide:
        return near
    exact, middle = Decimal(text), Decimal(wide)
    if exact == middle:
        return near
    return max(near, other) if exact > middle else min(near, other)


def _unbounded(single: np.float32) -> float:
    """Its value; infinity stands for 2**128, the float32 that would come after the largest."""
    return max(-(2.0**128), min(float(single), 2.0**128))


@in_default_environment
def constant_text(wide: float, single: np.float32) -> str:
    """The shortest text that reads back as both ``wide`` and ``single``."""
    text = repr(wide)
    if not np.isfinite(wide) or as_single(text, wide) == single:
        return text
    # The source was so near to the middle of two float32 that its float64 is that middle.
    exact = Decimal(wide)
    side = 1 if float(single) > wide else -1
    digits, exponent = exact.as_tuple().digits, exact.as_tuple().exponent
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits))) * 10**30 + (side if wide > 0 else -side)
    return f"{'-' if wide < 0 else ''}{mantissa}e{exponent - 30}"
