"""Shapes: fields that are negative inside, to be combined, moved and drawn.

``from intervalvm import shapes`` imports them; ``intervalvm.shapes`` does when first used.

x points right, y up and z at the viewer; a picture is the slice at one z, by default 0. Lengths
have the unit of the axes. Angles are degrees, counter-clockwise from the x axis or about another
axis (right-hand rule). Shapes are centred on the origin. Widths and heights are full, radii half. A
flat shape is the same at every z.

Parameters are numbers or expressions, such as ``ivm.var("r", 0.5)``; counts and corners of polygons
are numbers. A number out of range raises OptionError, another type ArgumentTypeError.

The end of a docstring says what the field measures besides its sign:

the distance
    the Euclidean distance to the boundary, negative inside
the distance outside, or inside
    the distance on that side, a bound on the other
a bound
    at most the distance in absolute value, with slope at most 1
the sign
    nothing else
"""

import sys
from typing import TYPE_CHECKING

from intervalvm.environment import all_in_default_environment, default_environment
from intervalvm.hints import SHAPES, missing

with default_environment():  # in which Python reads the numbers of a module that it compiles
    from intervalvm.shapes.polygons import polygon, star
    from intervalvm.shapes.surfaces import gyroid, iwp, neovius, schwarz_d, schwarz_p
    from intervalvm.shapes.text import text
    from intervalvm.shapes.text.font import Font

from intervalvm.shapes.primitives import (
    arc,
    box,
    capsule,
    circle,
    cone,
    cylinder,
    ellipse,
    half_plane,
    half_space,
    rectangle,
    ring,
    rounded_box,
    rounded_rectangle,
    segment,
    sphere,
    torus,
)
from intervalvm.shapes.shape import (
    Shape,
    difference,
    intersection,
    smooth_difference,
    smooth_intersection,
    smooth_union,
    union,
)

__all__ = [
    "Font", "Shape", "arc", "box", "capsule", "circle", "cone", "cylinder", "difference", "ellipse",
    "gyroid", "half_plane", "half_space", "intersection", "iwp", "neovius", "polygon", "rectangle",
    "ring", "rounded_box", "rounded_rectangle", "schwarz_d", "schwarz_p", "segment",
    "smooth_difference", "smooth_intersection", "smooth_union", "sphere", "star", "text", "torus",
    "union",
]  # fmt: skip

all_in_default_environment(sys.modules[__name__], __all__)


if not TYPE_CHECKING:  # mypy would accept every name

    def __getattr__(name):
        raise AttributeError(missing(f"module {__name__!r}", name, SHAPES, __all__))
