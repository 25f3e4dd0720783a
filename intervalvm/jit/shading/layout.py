"""The arrays of a band: the fields of its pass, and the places of its sizes and numbers.

A *band* is the rows from ``FIRST`` to before ``LAST`` of a picture. Lengths are in pixels, which
are as long as voxels; in view space x points right, y up and z towards the viewer. Scratch rows
have ``STRIDE`` floats: ``PAD`` before and after those of the picture's columns.
"""

from __future__ import annotations

(
    WIDTH, HEIGHT, VOLUME,  # of the picture, and the voxels in depth
    FIRST, LAST,  # the band's rows
    LEFT, RIGHT,  # columns with all hits of the band and its margin; written by the pass
    WIDE_LEFT, WIDE_RIGHT,  # those of all rows in reach
    PAD, STRIDE,  # of scratch rows
    REACH,  # rows above and below the band that have heights
    MARGIN,  # rows above and below the band that have normals
    SMOOTH,  # half the window of smoothing, less the middle
    RINGS, LIGHTS, MODE, STAGE,
    FAR_PAD, FAR_STRIDE, FAR_ROWS, FAR_LEVELS,  # of the pyramid: see ``far``
    NEEDS_SURFACE, HAS_COLOURS, HAS_EDGES, HAS_PERSPECTIVE,
    SHADOW_ROWS,  # of its map, 0 if there is none
    SIZES,
) = range(28)  # fmt: skip
"""Fields of ``sizes``."""
PYRAMID, BAND = range(2)
"""Values of ``STAGE``: make the pyramid of the picture, or shade a band."""
SHADED, NORMALS, HEIGHTMAP, OCCLUSION = range(4)
"""Values of ``MODE``."""

(
    LOW,  # the height of what is not hit
    MIDDLE,  # the depth of height 0
    SLACK,  # of a height above a plane, since heights are whole voxels
    NEARNESS,  # 1 / the square of the occlusion's radius
    OCCLUDED,  # the strength of the occlusion, over the number of taps
    EDGE,  # the strength of lines
    PER_BYTE,  # 1 / 255
    SHADOW,  # its strength
    SHADOW_TOP, SHADOW_STEP,  # the row of the picture of its map's first, and its rows a row
    SKY, _, _, FLOOR, _, _,  # light from all sides, from above and from below
    TOP, _, _, BOTTOM, _, _,  # the background's first and last row
    MATERIAL, _, _,  # the colour of a solid without colours
    NUMBERS,
) = range(26)  # fmt: skip
"""Fields of ``numbers``; of three, red comes first. Colours are linear, from 0 to 1."""

(
    LIGHT_X, LIGHT_Y, LIGHT_Z,  # the unit vector towards the light
    HALF_X, HALF_Y, HALF_Z,  # that between the light and the viewer
    WRAP, UNWRAP,  # how far light reaches round, and 1 / (1 + WRAP)
    GLOSS,  # of the highlight
    RED, GREEN, BLUE,
    LIGHT,
) = range(13)  # fmt: skip
"""Fields of one light in ``lights``."""

RING_LEVEL, RING_IS_FAR, RING_HALO, RING_X, RING_Y, RING = range(6)
"""Fields of one ring in ``rings``: how often heights are filtered before, or the level of the
pyramid; rows above and below the band whose filtered heights are still used; one of its four taps,
which are turned by quarters."""

FIELDS = {
    "sizes": "int64", "numbers": "float32",
    # rows of 4: from view space in pixels to homogeneous model space, of any scale
    "matrix": "float32",
    "lights": "float32", "rings": "int64",
    # the picture
    "depth": "int32", "normals": "float32", "colours": "uint8", "shadow": "float32", "out": "uint8",
    # the pyramid
    "far_heights": "float32", "far_squares": "float32",
    # scratch rows: REACH around the band
    "heights": "float32", "squares": "float32", "heights_2": "float32", "squares_2": "float32",
    # MARGIN around it
    "raw_x": "float32", "raw_y": "float32", "raw_z": "float32",
    # the band's own
    "x": "float32", "y": "float32", "z": "float32", "hidden": "float32", "line": "float32",
    # one row each: of what is filtered, of highlights, and of one light or the shadow
    "row": "float32", "row_2": "float32", "shine": "float32", "lit": "float32",
    # three rows each, of red, green and blue
    "light": "float32", "bytes": "uint8",
    # three rows of the pyramid, as fine as the picture
    "fine_heights": "float32", "fine_squares": "float32",
}  # fmt: skip
"""Arrays of the pass, by name."""
