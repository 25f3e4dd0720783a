"""Colours of a band: lights on a material, a background, a shadow on the ground; other modes.

Light adds up in linear colours, of which the square roots are stored: sRGB within 2 %, by an
operation that rounds alike everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.jit.shading.floats import HALF, ONE, ZERO, Float, at_most_one, positive, root
from intervalvm.jit.shading.layout import (
    BOTTOM,
    FIRST,
    FLOOR,
    GLOSS,
    HALF_X,
    HALF_Y,
    HALF_Z,
    HAS_COLOURS,
    HEIGHT,
    HEIGHTMAP,
    LAST,
    LEFT,
    LIGHT,
    LIGHT_X,
    LIGHT_Y,
    LIGHT_Z,
    LIGHTS,
    MATERIAL,
    MODE,
    NORMALS,
    OCCLUDED,
    OCCLUSION,
    PAD,
    PER_BYTE,
    RED,
    RIGHT,
    SHADOW,
    SHADOW_ROWS,
    SHADOW_STEP,
    SHADOW_TOP,
    SKY,
    STRIDE,
    TOP,
    UNWRAP,
    VOLUME,
    WIDTH,
    WRAP,
)

BYTE = Float(255.0)
LEAST_GREY, GREYS = Float(0.125), Float(0.875)
"""Of a height map: the farthest voxel's, and what the nearest one's is above it."""


def colour_band(w: Any) -> None:
    """Write the pixels of a band."""
    mode = w.sizes[MODE]
    for y in range(w.sizes[FIRST], w.sizes[LAST]):
        own = (y - w.sizes[FIRST]) * w.sizes[STRIDE] + w.sizes[PAD]
        uncover_row(w, own)
        if mode == NORMALS:
            show_normals(w, own)
        elif mode == HEIGHTMAP:
            show_heights(w, y)
        elif mode == OCCLUSION:
            show_occlusion(w, own)
        else:
            light_row(w, own)
            paint_row(w, y, own)
        write_row(w, y)


def uncover_row(w: Any, own: int) -> None:
    """Make of what is hidden of a row what is left."""
    strength = w.numbers[OCCLUDED]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        w.hidden[own + x] = ONE / (ONE + strength * w.hidden[own + x])


def show_normals(w: Any, own: int) -> None:
    """Normals as colours."""
    green, blue = w.sizes[WIDTH], 2 * w.sizes[WIDTH]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        w.light[x] = HALF + HALF * w.x[own + x]
        w.light[green + x] = HALF + HALF * w.y[own + x]
        w.light[blue + x] = HALF + HALF * w.z[own + x]


def show_heights(w: Any, y: int) -> None:
    """Heights as greys, brighter where nearer."""
    width, start, scale = w.sizes[WIDTH], y * w.sizes[WIDTH], GREYS / Float(w.sizes[VOLUME])
    for part in range(3):
        for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
            w.light[part * width + x] = LEAST_GREY + scale * Float(w.depth[start + x])


def show_occlusion(w: Any, own: int) -> None:
    """What is not hidden as greys."""
    for part in range(3):
        at = part * w.sizes[WIDTH]
        for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
            w.light[at + x] = w.hidden[own + x]


def light_row(w: Any, own: int) -> None:
    """The light on a row, and its highlights."""
    width = w.sizes[WIDTH]
    for part in range(3):
        sky, floor = w.numbers[SKY + part], w.numbers[FLOOR + part]
        for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
            above = HALF + HALF * w.y[own + x]
            w.light[part * width + x] = w.hidden[own + x] * (floor + (sky - floor) * above)
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        w.shine[x] = ZERO
    for light in range(w.sizes[LIGHTS]):
        add_light(w, own, light * LIGHT)
        for part in range(3):
            colour, at = w.lights[light * LIGHT + RED + part], part * width
            for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
                w.light[at + x] += colour * w.lit[x]


def add_light(w: Any, own: int, at: int) -> None:
    """How far one light lights each pixel of a row, half hidden by what is around; highlights.

    A power of 32 of the cosine between the normal and the half vector (Blinn, 1977).
    """
    a, b, c = w.lights[at + LIGHT_X], w.lights[at + LIGHT_Y], w.lights[at + LIGHT_Z]
    wrap, unwrap = w.lights[at + WRAP], w.lights[at + UNWRAP]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        facing = (w.x[own + x] * a + w.y[own + x] * b) + w.z[own + x] * c
        lit = positive((facing + wrap) * unwrap)
        w.lit[x] = lit * (HALF + HALF * w.hidden[own + x])
    gloss = w.lights[at + GLOSS]
    if gloss > ZERO:
        a, b, c = w.lights[at + HALF_X], w.lights[at + HALF_Y], w.lights[at + HALF_Z]
        for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
            one = positive((w.x[own + x] * a + w.y[own + x] * b) + w.z[own + x] * c)
            two = one * one
            four = two * two
            eight = four * four
            sixteen = eight * eight
            w.shine[x] += (gloss * w.hidden[own + x]) * (sixteen * sixteen)


def paint_row(w: Any, y: int, own: int) -> None:
    """The colours of a row: of the material or given ones, under its light and lines."""
    width, start, unit = w.sizes[WIDTH], 3 * y * w.sizes[WIDTH], w.numbers[PER_BYTE]
    for part in range(3):
        at, material = part * width, w.numbers[MATERIAL + part]
        if w.sizes[HAS_COLOURS]:
            for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
                colour = Float(w.colours[start + 3 * x + part]) * unit
                w.light[at + x] *= colour * colour
        else:
            for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
                w.light[at + x] *= material
        for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
            value = (w.light[at + x] + w.shine[x]) * (ONE - w.line[own + x])
            w.light[at + x] = root(at_most_one(value))


def write_row(w: Any, y: int) -> None:
    """Write a row's bytes, with the background where nothing is hit."""
    width, start = w.sizes[WIDTH], y * w.sizes[WIDTH]
    cast_shadow(w, y)
    down = (Float(y) + HALF) / Float(w.sizes[HEIGHT])
    for part in range(3):
        top, at = w.numbers[TOP + part], part * width
        behind = top + (w.numbers[BOTTOM + part] - top) * down
        for x in range(width):
            value = w.light[at + x] if w.depth[start + x] > 0 else behind * w.lit[x]
            w.light[at + x] = BYTE * value + HALF
        for x in range(width):
            w.bytes[at + x] = np.uint8(w.light[at + x])
    green, blue = width, 2 * width
    for x in range(width):
        w.out[3 * (start + x)] = w.bytes[x]
        w.out[3 * (start + x) + 1] = w.bytes[green + x]
        w.out[3 * (start + x) + 2] = w.bytes[blue + x]


def cast_shadow(w: Any, y: int) -> None:
    """How bright the ground is behind a row, between two rows of the map of the shadow."""
    width, strength = w.sizes[WIDTH], w.numbers[SHADOW]
    row = (Float(y) - w.numbers[SHADOW_TOP]) * w.numbers[SHADOW_STEP]
    if row >= ZERO and row < Float(w.sizes[SHADOW_ROWS] - 1):
        at = int(row)
        part, at = row - Float(at), at * width
        for x in range(width):
            dark = w.shadow[at + x] + (w.shadow[at + width + x] - w.shadow[at + x]) * part
            w.lit[x] = ONE - strength * dark
    else:
        for x in range(width):
            w.lit[x] = ONE
