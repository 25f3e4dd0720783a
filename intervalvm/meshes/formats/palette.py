"""The colours of a mesh as a list, and which of them each triangle has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.colours import Rgb


def palette(colours: NDArray[np.uint8]) -> tuple[list[Rgb], NDArray[np.intp]]:
    """Distinct colours in order, and the index of each row's."""
    red, green, blue = colours.astype(np.int32).T
    kept, index = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    return [(rgb >> 16, rgb >> 8 & 255, rgb & 255) for rgb in kept.tolist()], index


def hexadecimal(rgb: Rgb) -> str:
    """A colour as RRGGBB."""
    return "{:02X}{:02X}{:02X}".format(*rgb)
