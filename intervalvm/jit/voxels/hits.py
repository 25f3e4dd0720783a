"""The kernel of hits: the model coordinates of a depth picture's voxels, and their normals.

``COLLECT`` writes the coordinates of the voxels that are drawn in some lines, but those in the
nearest layer, which are cut and get the normal of the cut. ``SPREAD`` writes the normalised
gradients at those voxels to their pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import DOUBLE_BYTES, float32_at, float64_at, int32_at, int64_at, jit
from intervalvm.jit.numbers import read_number, write_number
from intervalvm.jit.voxels import layout as v
from intervalvm.words import Meaning

(
    TASK,  # COLLECT or SPREAD
    LINES_FROM, LINES_TO,
    NORMALS,  # address of float32[lines, columns, 3]
    NEAR,  # address of float64[3]: the normal of the cut
    COORDINATES,  # int64[3]: addresses of x, y, z
    ORDER,  # address of int32[hits]: their pixels
    GRADIENTS,  # address of the values, then of the slopes, of ``COUNT`` numbers each
    COUNT,
    FIELDS,
) = range(v.FRAME_END, v.FRAME_END + 10)  # fmt: skip
COLLECT, SPREAD = range(2)


def build_hits(_dtype: str, _: Meaning) -> tuple[Any, tuple[()]]:
    """The kernel ``hits(address of a context)``, the same of any dtype."""
    return hits, ()


@jit
def rounded(number, itemsize):
    """A float64 rounded to the dtype: sums and quotients of two float32 are rounded as once."""
    if itemsize == DOUBLE_BYTES:
        return number
    return np.float64(np.float32(number))


@jit
def row_at(ctx, row, column, line, layer):
    """A coordinate of a voxel, or the divisor: the sum of its terms."""
    size, terms = ctx[c.ITEMSIZE], int64_at(ctx[v.TERMS] + 8 * v.AXES * row)
    a = read_number(terms[0] + size * column, size)
    a = rounded(a + read_number(terms[1] + size * line, size), size)
    return rounded(a + read_number(terms[2] + size * layer, size), size)


@jit
def collect(ctx):
    """Write coordinates and pixels of hits; returns their number."""
    size, width, layers, n = ctx[c.ITEMSIZE], ctx[c.WIDTH_PX], ctx[v.LAYERS], 0
    out, order = int64_at(ctx[COORDINATES]), int32_at(ctx[ORDER])
    depth, near = int32_at(ctx[c.IMAGE]), float64_at(ctx[NEAR])
    normals = float32_at(ctx[NORMALS])
    for line in range(ctx[LINES_FROM], ctx[LINES_TO]):
        for column in range(width):
            pixel = line * width + column
            found = np.int64(depth[pixel])
            if found == layers:
                for k in range(v.AXES):
                    normals[3 * pixel + k] = np.float32(near[k])
            elif found > 0:
                divisor = 1.0
                if ctx[v.IS_PERSPECTIVE]:
                    divisor = row_at(ctx, v.AXES, column, line, layers - found)
                for row in range(v.AXES):
                    number = row_at(ctx, row, column, line, layers - found)
                    if ctx[v.IS_PERSPECTIVE]:
                        number /= divisor
                    write_number(out[row] + size * n, number, size)
                order[n] = pixel
                n += 1
    return n


@jit
def spread(ctx):
    """Write the normals of hits."""
    size, count, order = ctx[c.ITEMSIZE], ctx[COUNT], int32_at(ctx[ORDER])
    slopes, normals = ctx[GRADIENTS] + size * count, float32_at(ctx[NORMALS])
    for i in range(count):
        x = read_number(slopes + size * i, size)
        y = read_number(slopes + size * (count + i), size)
        z = read_number(slopes + size * (2 * count + i), size)
        most = max(abs(x), max(abs(y), abs(z)))
        # false for NaN in any of them, and for infinity
        if most > 0.0 and x - x == 0.0 and y - y == 0.0 and z - z == 0.0:
            x, y, z = x / most, y / most, z / most
            length = math.sqrt((x * x + y * y) + z * z)
            at = 3 * np.int64(order[i])
            normals[at] = np.float32(x / length)
            normals[at + 1] = np.float32(y / length)
            normals[at + 2] = np.float32(z / length)


def hits(address):
    """Carry out the context's task; returns the number of hits."""
    ctx = int64_at(address)
    if ctx[TASK] == COLLECT:
        return collect(ctx)
    spread(ctx)
    return ctx[COUNT]
