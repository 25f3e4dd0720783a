"""Cells are joined where the point of their parent describes the surface as well.

That is where all crossings of the finest cells lie within a tolerance of the tangent planes there,
and no side changes twice between neighbouring corners: so edges of the surface stay, and flat parts
are told by few cells. The topological rule is that of Ju and others (2002).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes import layout as c
from intervalvm.meshes.octree import BITS, CORNERS_OF, LATTICE, Octree
from intervalvm.meshes.planes import Planes, solved

_AT = {tuple(point): k for k, point in enumerate(LATTICE.tolist())}
MIDDLES = [
    (k, [_AT[corner] for corner in _AT if all(
        a == 2 * (b // 2) or b == 1 for a, b in zip(corner, point, strict=True)
    ) and 1 not in corner])
    for point, k in _AT.items()
    if 1 in point
]  # fmt: skip
"""Of each lattice point that is no corner of the parent: the corners around it."""
OWNERS = [(int(np.argwhere(k == CORNERS_OF)[0][0]), int(np.argwhere(k == CORNERS_OF)[0][1]))
          for k in range(27)]  # fmt: skip
"""A child that has a lattice point as a corner, and the corner's number."""


def collapse(
    octree: Octree, planes: Planes, loops: NDArray[np.int32], tolerance: float
) -> NDArray[np.int32]:
    """Make parents of leaves leaves, level by level; returns the first children that they had.

    That array, int32[nodes], is -1 where nothing was changed.
    """
    before = np.full(len(octree), -1, np.int32)
    is_single = loops <= 1
    for level in range(octree.depth - 1, -1, -1):
        parents = np.flatnonzero((octree.level == level) & (octree.children >= 0))
        kids = octree.children[parents][:, None] + np.arange(8)
        can = (octree.children[kids] < 0).all(axis=1) & is_single[kids].all(axis=1)
        parents, kids = parents[can], kids[can]
        inside = np.stack(
            [octree.masks[kids[:, kid]] >> corner & 1 for kid, corner in OWNERS], axis=1
        ).astype(bool)
        can = _is_steady(inside)
        parents, kids, inside = parents[can], kids[can], inside[can]
        sums = planes.of(kids).sum(axis=1)
        some = sums[:, c.WEIGHT] > 0
        parents, inside, sums = parents[some], inside[some], sums[some]
        if not len(parents):
            continue
        good = solved(octree, parents, sums)[:, 3] <= tolerance * tolerance
        parents, inside, sums = parents[good], inside[good], sums[good]
        before[parents] = octree.children[parents]
        octree.children[parents] = -1
        corners = [_AT[point] for point in _AT if 1 not in point]
        octree.masks[parents] = (inside[:, corners] * BITS).sum(axis=1, dtype=np.uint8)
        planes.add(parents, sums)
    return before


def _is_steady(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each point of a lattice has the side of a corner of the edge, face or cell that it
    is the middle of."""
    found = np.ones(len(inside), bool)
    for middle, corners in MIDDLES:
        found &= (inside[:, corners] == inside[:, [middle]]).any(axis=1)
    return found
