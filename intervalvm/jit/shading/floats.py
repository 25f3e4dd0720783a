"""What the passes use on float32: the same in Python and compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = np.float32
Floats = NDArray[np.float32]
ZERO, HALF, ONE, FOUR = Float(0.0), Float(0.5), Float(1.0), Float(4.0)
EIGHTH, SIXTEENTH = Float(0.125), Float(0.0625)


def root(value: Float) -> Float:
    """The square root, which a compiler replaces by an instruction."""
    found: Float = np.sqrt(value)
    return found


def positive(value: Float) -> Float:
    """The value, or 0 if it is less."""
    return value if value > ZERO else ZERO


def at_most_one(value: Float) -> Float:
    """The value, or 1 if it is more."""
    return value if value < ONE else ONE
