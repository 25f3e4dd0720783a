"""Sizes and offsets of the walk over voxels: what its context has beyond that of the plane.

A region is a box of voxels: columns x, lines y from the top, and *layers*, counted from the nearest
(0) to the farthest. A split cuts it into up to 64 children, the lanes of one interval pass, by a
*shape*: how many bits of a lane's number are its column, line and layer, from the lowest on. So
lanes are in order from front to back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit import layout as c
from intervalvm.jit.layout import LANES

SHAPES = (3, 3, 0), (2, 2, 2), (1, 1, 4)
"""Bits of column, line and layer: 8 x 8 whole columns, 4 x 4 x 4, 2 x 2 x 16."""
COLUMNS, CUBE, DEEP = range(len(SHAPES))
TILE = 4
"""Voxels a side of the leaves: their 64 voxels are lanes in the order of ``CUBE``."""
BATCH = 4
"""Leaves that are evaluated together, 256 voxels."""
AXES, ROWS = 3, 4
"""Column, line, layer; the coordinates x, y, z and the divisor of a perspective view."""
MOST_CELLS = 16
"""Of a split along an axis."""
EDGES = MOST_CELLS + 1
"""Numbers of the edges of cells along an axis: the first voxel of each, and that after the last."""

# --- fields of the context -----------------------------------------------------------------------

# The frame, the same for every thread.
(
    LAYERS,  # voxels along the line of sight
    TERMS,  # int64[ROWS, AXES]: addresses of the terms by column, line and layer; padded by TILE
    BOUNDS,  # int64[ROWS, AXES, 2]: addresses of the least and of the greatest term of each node
    LEAST,  # address of int32[lines, columns] of leaves: the least depth of each one's pixels
    LEAF_LEVELS,  # levels of the leaves along columns,
    LEAF_LINE_LEVELS,  # and along lines
    IS_PERSPECTIVE,
    MOVING,  # the mask of inputs x, y, z that vary from layer to layer
    SPLITS,  # int64[steps, SPLIT_WORDS]
    PATTERNS,  # uint64[shapes, AXES, MOST_CELLS]: the lanes of each cell
    IS_FLAT,  # whether the program of the tape reads nothing that is moving
    FRAME_END,
    # A thread's own workspace
    CHILD_EDGES,  # int64[AXES, EDGES]: those of the children of the region that is split
    STEP_CHOICES, STEP_LIVE, STEP_ROWS,  # addresses of each step's masks, see ``c.CHOICES``
    STEP_PLACES,  # places that there is room for, a step
    PROGRAM_BYTES,  # of the arena, a step: a row of the stack owns the program of its region
    BATCH_LEAVES,  # int64[BATCH, LEAF_WORDS]
    FIELDS,
) = range(c.FIELDS, c.FIELDS + 20)  # fmt: skip

BITS, SHAPE, SPLIT_WORDS = 0, AXES, AXES + 1
"""A split: levels along each axis, and its shape."""

# A leaf: its first voxel by axis, the numbers of its columns, lines and layers, the address of its
# least depth.
FIRST, COUNTS_AT, LEAST_AT = 0, AXES, 2 * AXES
LEAF_WORDS = LEAST_AT + 1

# A row of the stack, one a step, beyond that of ``layout``.
LEVELS = c.ROW  # of the region's cell, by axis
CELL = LEVELS + AXES
FLAT = CELL + AXES  # whether its program reads nothing that is moving
ROW = FLAT + 1

# A row of the statistics, one a step.
(
    REGIONS, INSIDE, OUTSIDE, AMBIGUOUS,
    HIDDEN,  # children that something in front hides
    CLAUSES, EVALUATED,
    COUNTS,
) = range(8)  # fmt: skip


def patterns() -> NDArray[np.uint64]:
    """uint64[shapes, AXES, MOST_CELLS]: by shape and axis the mask of each cell's lanes."""
    found = np.zeros((len(SHAPES), AXES, MOST_CELLS), np.uint64)
    lanes = np.arange(LANES)
    for k, bits in enumerate(SHAPES):
        low = 0
        for axis, count in enumerate(bits):
            cells = lanes >> low & (1 << count) - 1
            for cell in range(1 << count):
                found[k, axis, cell] = sum(1 << int(lane) for lane in lanes[cells == cell])
            low += count
    return found


def cells_of(count: int, levels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """By node the first and the last voxel, of ``count`` cut into up to 2**levels cells.

    Cell i of level k is node 2**k + i, so that the children of a node are neighbours. No cell is
    empty. Beyond the end there is room to read the cells of a split.
    """
    nodes = np.arange(1, 2 << levels)
    level = np.frexp(nodes)[1] - 1
    cell = nodes - (1 << level)
    first, end = c.edge(cell, level, count), c.edge(cell + 1, level, count)
    room = (1, MOST_CELLS)
    return np.pad(first, room), np.pad(end - 1, room)


def splits(size: tuple[int, int, int]) -> NDArray[np.int64]:
    """int64[steps, SPLIT_WORDS]: the splits from columns, lines and layers down to leaves.

    First whole columns, which are the tasks of threads; then thick ones are cut across, so that
    regions become cubes.
    """
    left = [max(-(-n // TILE) - 1, 0).bit_length() for n in size]
    first = [min(have, most) for have, most in zip(left, SHAPES[COLUMNS], strict=True)]
    left = [a - b for a, b in zip(left, first, strict=True)]
    cubes: list[list[int]] = []
    deep: list[list[int]] = []
    while any(left) or not cubes:
        is_deep = bool(cubes) and left[2] >= max(left[:2]) + 2
        most = SHAPES[DEEP if is_deep else CUBE]
        bits = [min(have, part) for have, part in zip(left, most, strict=True)]
        left = [a - b for a, b in zip(left, bits, strict=True)]
        if is_deep:
            deep.insert(0, [*bits, DEEP])
        else:
            cubes.insert(0, [*bits, CUBE])
    return np.array([[*first, COLUMNS], *deep, *cubes], np.int64)
