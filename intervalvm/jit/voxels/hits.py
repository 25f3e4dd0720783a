"""The kernel of hits: the model coordinates of a depth picture's voxels, and their normals.

``COLLECT`` writes the coordinates of the voxels that are drawn in some lines, but those in the
nearest layer, which are cut and get the normal of the cut. ``SPREAD`` writes the normalised
gradients at those voxels to their pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.core import types

from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import emitted, float32_at, float64_at, int32_at, int64_at, jit
from intervalvm.jit.lanes import DOUBLE, I64
from intervalvm.jit.voxels import hits_layout as h
from intervalvm.jit.voxels import layout as v
from intervalvm.words import Meaning

MANTISSA_BITS, OPPOSITE = 52, 2045
"""Of float64; the sum of the exponents, as they are stored, of 2^(e - 1) and of 2^-e."""
NUMBERS_AT = {"float32": float32_at, "float64": float64_at}


@emitted(types.float64, types.float64)
def scale_of(builder, most):
    """A power of 2 by which a finite number above 0 is about 1: see ``voxel.linear``.

    By bits: ``math.ldexp`` would call a function of numba's, which need not be there.
    """
    exponent = builder.lshr(builder.bitcast(most, I64), I64(MANTISSA_BITS))
    opposite = builder.sub(I64(OPPOSITE), exponent)
    is_normal = builder.icmp_signed(">", opposite, I64(1))
    found = builder.shl(builder.select(is_normal, opposite, I64(1)), I64(MANTISSA_BITS))
    return builder.bitcast(found, DOUBLE)


def build_hits(dtype: str, _: Meaning) -> tuple[Any, tuple[()]]:
    """The kernel ``hits(address of a context)``."""
    collect, spread = _collect(dtype), _spread(dtype)

    def hits(address):
        """Carry out the context's task; returns the number of hits."""
        ctx = int64_at(address)
        if ctx[h.TASK] == h.COLLECT:
            return collect(ctx)
        spread(ctx)
        return ctx[h.COUNT]

    return hits, ()


def _collect(dtype: str) -> Any:
    numbers_at = NUMBERS_AT[dtype]

    @jit
    def terms_of(ctx, row, axis):
        return numbers_at(int64_at(ctx[v.TERMS])[v.AXES * row + axis])

    @jit
    def write_row(ctx, row, line, left, right, n):
        """Write a coordinate, or the divisor, of the hits of a line; returns the next place."""
        columns, lines, layers = terms_of(ctx, row, 0), terms_of(ctx, row, 1), terms_of(ctx, row, 2)
        first, nearest = line * ctx[c.WIDTH_PX], ctx[v.LAYERS]
        depth, out = int32_at(ctx[c.IMAGE]), numbers_at(int64_at(ctx[h.COORDINATES])[row])
        for column in range(left, right):
            found = np.int64(depth[first + column])
            if 0 < found < nearest:
                out[n] = (columns[column] + lines[line]) + layers[nearest - found]
                n += 1
        return n

    @jit
    def write_line(ctx, line, left, right, n):
        """Write the coordinates and pixels of the hits of a line; returns the next place."""
        depth, order, first = int32_at(ctx[c.IMAGE]), int32_at(ctx[h.ORDER]), line * ctx[c.WIDTH_PX]
        near, normals = float64_at(ctx[h.NEAR]), float32_at(ctx[h.NORMALS])
        end = write_row(ctx, 0, line, left, right, n)
        write_row(ctx, 1, line, left, right, n)
        write_row(ctx, 2, line, left, right, n)
        if ctx[v.IS_PERSPECTIVE]:
            write_row(ctx, v.AXES, line, left, right, n)
            starts = int64_at(ctx[h.COORDINATES])
            divisors = numbers_at(starts[v.AXES])
            for row in range(v.AXES):
                out = numbers_at(starts[row])
                for i in range(n, end):
                    out[i] /= divisors[i]
        for column in range(left, right):
            found = np.int64(depth[first + column])
            if found == ctx[v.LAYERS]:
                for k in range(v.AXES):
                    normals[3 * (first + column) + k] = np.float32(near[k])
            elif found > 0:
                order[n] = np.int32(first + column)
                n += 1
        return n

    @jit
    def collect(ctx):
        """Write coordinates and pixels of hits, tile by tile; returns their number."""
        n = 0
        for block in range(ctx[h.LINES_FROM], ctx[h.LINES_TO], h.BLOCK):
            for start in range(0, ctx[c.WIDTH_PX], h.BLOCK):
                for top in range(block, min(block + h.BLOCK, ctx[h.LINES_TO]), h.TILE):
                    for left in range(start, min(start + h.BLOCK, ctx[c.WIDTH_PX]), h.TILE):
                        right = min(left + h.TILE, ctx[c.WIDTH_PX])
                        for line in range(top, min(top + h.TILE, ctx[h.LINES_TO])):
                            n = write_line(ctx, line, left, right, n)
        return n

    return collect


def _spread(dtype: str) -> Any:
    numbers_at = NUMBERS_AT[dtype]
    is_wide = dtype == "float64"

    @jit
    def spread(ctx):
        """Write the normals of hits: see ``voxel.linear.normalised``."""
        count, order = ctx[h.COUNT], int32_at(ctx[h.ORDER])
        slopes, normals = numbers_at(ctx[h.GRADIENTS]), float32_at(ctx[h.NORMALS])
        for i in range(count):
            x = np.float64(slopes[count + i])
            y = np.float64(slopes[2 * count + i])
            z = np.float64(slopes[3 * count + i])
            if is_wide:
                most = max(abs(x), max(abs(y), abs(z)))
                scale = scale_of(most) if 0.0 < most < math.inf else 0.0
                x, y, z = x * scale, y * scale, z * scale
            square, at = (x * x + y * y) + z * z, 3 * np.int64(order[i])
            # false for NaN, and for infinity
            if square > 0.0 and square - square == 0.0:
                length = math.sqrt(square)
                normals[at] = np.float32(x / length)
                normals[at + 1] = np.float32(y / length)
                normals[at + 2] = np.float32(z / length)
            else:
                normals[at] = normals[at + 1] = normals[at + 2] = np.float32(0.0)

    return spread
