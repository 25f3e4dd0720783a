"""The pass over a band of a picture: all steps of shading, in order.

Before the first band it makes the pyramid of the picture.
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.passes import Pass
from intervalvm.jit.shading.far import make_pyramid
from intervalvm.jit.shading.layout import FIELDS, NEEDS_SURFACE, PYRAMID, STAGE
from intervalvm.jit.shading.light import colour_band
from intervalvm.jit.shading.occlusion import occlude
from intervalvm.jit.shading.surface import (
    draw_lines,
    load_heights,
    smooth_normals,
    turn_normals,
)


def shade_band(w: Any) -> int:
    """Make the pyramid of a picture, or shade a band."""
    if w.sizes[STAGE] == PYRAMID:
        make_pyramid(w)
        return 0
    load_heights(w)
    if w.sizes[NEEDS_SURFACE]:
        turn_normals(w)
        smooth_normals(w)
        draw_lines(w)
    occlude(w)
    colour_band(w)
    return 0


PASS = Pass("shade", shade_band, FIELDS)
