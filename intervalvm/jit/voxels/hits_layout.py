"""The context of the kernel of hits: fields beyond those of a frame (see ``layout``)."""

from __future__ import annotations

from intervalvm.jit.voxels import layout as v

(
    TASK,  # COLLECT or SPREAD
    LINES_FROM, LINES_TO,
    NORMALS,  # address of float32[lines, columns, 3]
    NEAR,  # address of float64[3]: the normal of the cut
    COORDINATES,  # int64[ROWS]: addresses of x, y, z and divisors
    ORDER,  # address of int32[hits]: their pixels
    GRADIENTS,  # address of the values, then of the slopes, of ``COUNT`` numbers each
    COUNT,
    FIELDS,
) = range(v.FRAME_END, v.FRAME_END + 10)  # fmt: skip
COLLECT, SPREAD = range(2)
TILE, BLOCK = 16, 64
"""Pixels a side of tiles within blocks: in their order neighbours are near each other."""
