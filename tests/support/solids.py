"""Random solids for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.tape import Tape


@st.composite
def solids(draw: st.DrawFn) -> Tape:
    """A tape that is a solid near the origin, or any tape."""
    if draw(st.integers(0, 4)) == 4:
        return draw(tapes(max_clauses=20))
    axes = ivm.axes()
    number = st.floats(-1, 1, width=16)

    def part() -> Any:
        x, y, z = (axis - draw(number) for axis in axes)
        size = abs(draw(number)) + 0.1
        kind = draw(st.sampled_from(["ball", "box", "slab", "waves", "prism", "blend"]))
        if kind == "ball":
            return np.sqrt(x * x + y * y + z * z) - size
        if kind == "box":
            return np.maximum(np.maximum(abs(x), abs(y)), abs(z)) - size
        if kind == "slab":
            return draw(st.sampled_from([x, y, z])) * draw(number) - size
        if kind == "waves":
            return np.sin(x * 5) * np.cos(y * 5) + np.sin(z * 5) - size
        if kind == "prism":
            return np.maximum(x * x + y * y - size, -draw(number))
        return -np.log(np.exp(-8 * (abs(x) - size)) + np.exp(-8 * (y * y + z * z - size)))

    found = part()
    for _ in range(draw(st.integers(0, 4))):
        join = draw(st.sampled_from([np.minimum, np.maximum, lambda a, b: np.maximum(a, -b)]))
        found = join(found, part())
    return found.tape()
