"""Shading: what a picture of a solid looks like, made from its depth and normals.

In order: normals are turned into view space and smoothed; edges are found; heights around a pixel
hide light from it; lights add up on the material; the background is drawn, with a shadow on the
ground. Lengths are in halves of the picture's shorter side, as in view space. Everything depends on
the picture alone, and bytes are the same on any number of threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.colours import colour
from intervalvm.jit.shading import bands
from intervalvm.jit.shading import layout as c
from intervalvm.voxel import ground
from intervalvm.voxel.style import Light, Shading, two_colours

BLACK = 0, 0, 0
SLACK = 1.03125
"""More than two heights of a plane, each a whole voxel, can be off it together."""
RANGE = 2.0
"""What stands this many radii before a surface hides half as much of it."""
CONTRAST = 6.0
"""Chosen by eye: of the light that occlusion of strength 1 takes away."""
MODES = {"shaded": c.SHADED, "normals": c.NORMALS, "heightmap": c.HEIGHTMAP,
         "occlusion": c.OCCLUSION}  # fmt: skip


def shade(
    depth: NDArray[np.int32],
    normals: NDArray[np.float32],
    volume_depth: int,
    matrix: NDArray[np.float64],
    style: Shading,
    colours: NDArray[np.uint8] | None = None,
    threads: int = 1,
    *,
    band: int | None = None,
    in_python: bool = False,
) -> NDArray[np.uint8]:
    """The pixels, uint8 [h, w, 3], of a picture of a solid.

    Parameters
    ----------
    depth : int32 [h, w]
        The nearest inside voxel of each column, counted from 1, the farthest; 0 where none.
    normals : float32 [h, w, 3]
        The unit normals there in model space, or 0.
    volume_depth : int
        The voxels of a column.
    matrix : float64 [4, 4]
        From view space to homogeneous model space. In view space the middle of the volume is 0, and
        a voxel is 2 / min(w, h) long.
    style : Shading
    colours : uint8 [h, w, 3], optional
        The colour of the solid at each pixel, instead of the material's.
    threads : int
    band : int, optional
        Rows that are shaded at a time; the pixels do not depend on it.
    in_python : bool
        Whether Python runs the passes instead of compiled code, slowly, with the same result.
    """
    height, width = depth.shape
    pixels = np.empty((height, width, 3), np.uint8)
    if not pixels.size:
        return pixels
    mode = MODES[style.mode]
    is_shaded = mode == c.SHADED
    hides = style.occlusion > 0 and mode in (c.SHADED, c.OCCLUSION)
    radius = style.radius * min(height, width) / 2
    rings = bands.rings_of(radius if hides else 0.0)
    margin = max(1, style.smooth)
    reach = max(rings.reach, margin)
    pad = bands.in_lines(reach)
    far_rows, far_stride = (-(-side // bands.CELL) + 2 * rings.far_pad for side in depth.shape)
    shadow = ground.shadow_of(depth) if style.shadow and is_shaded else ground.NONE
    sizes = np.zeros(c.SIZES, np.int64)
    for field, size in {
        c.WIDTH: width, c.HEIGHT: height, c.VOLUME: volume_depth, c.PAD: pad,
        c.STRIDE: bands.in_lines(width + 2 * pad), c.REACH: reach, c.MARGIN: margin,
        c.SMOOTH: style.smooth, c.RINGS: len(rings.rings), c.LIGHTS: len(style.lights),
        c.MODE: mode, c.NEEDS_SURFACE: mode != c.HEIGHTMAP, c.HAS_COLOURS: colours is not None,
        c.HAS_EDGES: is_shaded and style.edges > 0, c.HAS_PERSPECTIVE: matrix[3, :3].any(),
        c.SHADOW_ROWS: len(shadow.dark), c.FAR_LEVELS: rings.far_levels,
        c.FAR_PAD: rings.far_pad, c.FAR_STRIDE: far_stride, c.FAR_ROWS: far_rows,
    }.items():  # fmt: skip
        sizes[field] = size
    far = np.empty((2, rings.far_levels * far_rows * far_stride), np.float32)
    arrays = {
        "sizes": sizes,
        "numbers": _numbers(style, 4 * len(rings.rings), radius, volume_depth, shadow),
        "matrix": _in_pixels(matrix, 2 / min(height, width)),
        "lights": np.array([_terms(light) for light in style.lights], np.float32),
        "rings": rings.rings,
        "depth": depth,
        "normals": normals,
        "colours": np.empty(0, np.uint8) if colours is None else colours,
        "shadow": shadow.dark,
        "far_heights": far[0],
        "far_squares": far[1],
        "out": pixels,
    }
    flat = {
        name: np.ascontiguousarray(array, c.FIELDS[name]).reshape(-1)
        for name, array in arrays.items()
    }
    bands.run(flat, threads=threads, band=band, in_python=in_python)
    return pixels


def _numbers(
    style: Shading, taps: int, radius: float, volume_depth: int, shadow: ground.Shadow
) -> NDArray[np.float64]:
    middle = volume_depth // 2
    found = np.zeros(c.NUMBERS)
    # a power of two: sums and squares of it are exact
    found[c.LOW] = -(2.0 ** math.ceil(math.log2(middle + 2 * radius + 1)))
    found[c.MIDDLE], found[c.SLACK] = middle, SLACK
    found[c.NEARNESS] = 1 / (RANGE * radius) ** 2
    found[c.OCCLUDED] = CONTRAST * style.occlusion / max(taps, 1)
    found[c.EDGE], found[c.PER_BYTE] = style.edges, 1 / 255
    found[c.SHADOW] = style.shadow
    found[c.SHADOW_TOP], found[c.SHADOW_STEP] = shadow.top, shadow.step
    top, bottom = two_colours(style.background) or (BLACK, BLACK)
    for at, of in ((c.SKY, style.sky), (c.FLOOR, style.floor), (c.MATERIAL, style.material)):
        found[at : at + 3] = _linear(of)
    for at, of in ((c.TOP, top), (c.BOTTOM, bottom)):
        found[at : at + 3] = np.divide(of, 255)
    return found


def _terms(light: Light) -> NDArray[np.float64]:
    found = np.zeros(c.LIGHT)
    way = np.array(light.direction) / math.hypot(*light.direction)
    half = way + np.array([0.0, 0.0, 1.0])
    length = math.hypot(*half)
    found[c.LIGHT_X : c.LIGHT_X + 3] = way
    # a light from right behind has no highlights
    found[c.HALF_X : c.HALF_X + 3] = half / length if length > 0 else 0.0
    found[c.WRAP], found[c.UNWRAP], found[c.GLOSS] = light.wrap, 1 / (1 + light.wrap), light.gloss
    found[c.RED : c.RED + 3] = light.strength * _linear(light.colour)
    return found


def _in_pixels(matrix: NDArray[np.float64], pitch: float) -> NDArray[np.float64]:
    """The matrix from view space in pixels, scaled to float32's range: normals have no length."""
    if matrix[3, :3].any():
        found = matrix * [pitch, pitch, pitch, 1.0]
    else:  # neither the pitch nor where the solid stands has an effect
        found = matrix * [1.0, 1.0, 1.0, 0.0]
    scaled: NDArray[np.float64] = found / np.abs(found).max()
    return scaled


def _linear(of: Any) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.divide(colour(of), 255) ** 2
    return found
