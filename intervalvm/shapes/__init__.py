"""Shapes in Python: fields that are negative inside, combined, moved and drawn like pictures.

Not imported with the package: ``from intervalvm import shapes``, or ``intervalvm.shapes`` when it
is first used.

A picture shows x to the right and y upwards, from -1 to 1 unless a region is given; z points at
the viewer, and a picture is the slice at one z, by default 0. Lengths are in the same unit, angles
in degrees, counter-clockwise from the x axis, or about another one (right-hand rule). Shapes stand
about the origin: move them. A width or a height is a full one, a radius a half. A flat shape
is the same at every z.

A parameter is a number or an expression, such as ``ivm.var("r", 0.5)``, but for counts and the
corners of polygons. Numbers are checked at the call: one that means nothing raises OptionError.

What a field measures beside its sign is the last thing a docstring says:

the distance
    the Euclidean distance to the boundary, negative inside
the distance outside, or inside
    the same on one side, and a bound on the other
a bound
    never farther from 0 than the distance is, and its slope is at most 1
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
    "Font",
    "Shape",
    "arc",
    "box",
    "capsule",
    "circle",
    "cone",
    "cylinder",
    "difference",
    "ellipse",
    "gyroid",
    "half_plane",
    "half_space",
    "intersection",
    "iwp",
    "neovius",
    "polygon",
    "rectangle",
    "ring",
    "rounded_box",
    "rounded_rectangle",
    "schwarz_d",
    "schwarz_p",
    "segment",
    "smooth_difference",
    "smooth_intersection",
    "smooth_union",
    "sphere",
    "star",
    "text",
    "torus",
    "union",
]

all_in_default_environment(sys.modules[__name__], __all__)


if not TYPE_CHECKING:  # which would take every name for one that there is

    def __getattr__(name):
        raise AttributeError(missing(f"module {__name__!r}", name, SHAPES, __all__))
