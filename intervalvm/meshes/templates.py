"""Templates of cells of the finest level that the surface meets in several loops.

The cell is cut into tetrahedra of its centre and of triangles on its faces, whose corners are those
of the cell and the crossings of its edges. The centre has a side; on the way from it to each corner
of the other side the surface is crossed once. This is marching tetrahedra: the surface is a
manifold without self-intersections, in the interior of the cell but for the loops themselves.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes.triangles import CORNER
from intervalvm.jit.meshes.walk import weight

CASES = 512
"""By the bits of corners that are inside, plus 256 if the centre is inside."""


@cache
def templates() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where the triangles of each case start, and the vertices of all: edges, then corners."""
    starts, table = [0], list[tuple[int, int, int]]()
    for case in range(CASES):
        table += _triangles(case & 255, centre_is_inside=case >= 256)
        starts.append(len(table))
    return np.array(starts, np.int32), np.array(table, np.int32)


@cache
def loops_of_masks() -> NDArray[np.int32]:
    """int32[256], the loops of a cell by its corners that are inside, if no neighbour is finer."""
    return np.array([_loops(mask) for mask in range(256)], np.int32)


def _loops(mask: int) -> int:
    """The closed curves of chords between crossings: see ``jit.meshes.rings``."""
    after = {}
    for face in _faces():
        is_inside = [bool(mask >> corner & 1) for corner in face]
        # a chord goes around the corners that are inside, from where they begin to where they end
        for k in range(4):
            if is_inside[k] and not is_inside[k - 1]:
                end = k
                while is_inside[(end + 1) % 4]:
                    end += 1
                begin = edge_between(face[k - 1], face[k])
                after[begin] = edge_between(face[end % 4], face[(end + 1) % 4])
    count = 0
    while after:
        count, (start, at) = count + 1, after.popitem()
        while at != start:
            at = after.pop(at)
    return count


def _faces() -> list[list[int]]:
    """The corners of each face, counter-clockwise seen from outside."""
    found = []
    for axis in range(3):
        b, c = weight((axis + 1) % 3), weight((axis + 2) % 3)
        ring = [0, b, b + c, c]
        found.append(ring[::-1])
        found.append([corner + weight(axis) for corner in ring])
    return found


def edge_between(a: int, b: int) -> int:
    """The number of an edge of a cell: 4 by its axis, 2 by its side along b, 1 by that along c."""
    axis = next(axis for axis in range(3) if weight(axis) == a ^ b)
    sides = [int(bool(a & weight((axis + turn) % 3))) for turn in (1, 2)]
    return 4 * axis + 2 * sides[0] + sides[1]


def _triangles(mask: int, *, centre_is_inside: bool) -> list[tuple[int, int, int]]:
    """The triangles that part the corners of one side from a centre of the other."""
    found = []
    for face in _faces():
        is_capped = [bool(mask >> corner & 1) != centre_is_inside for corner in face]
        for polygon in _polygons(face, is_capped, joined=centre_is_inside):
            first, *others = polygon
            for b, c in pairwise(others):
                # in front is what is outside: the centre, or the face
                found.append((first, b, c) if centre_is_inside else (first, c, b))
    return found


def _polygons(face: list[int], is_capped: list[bool], *, joined: bool) -> list[list[int]]:
    """The parts of a face of the corners that are capped; each starts with a corner.

    Two opposite corners that are inside are apart; then those that are outside are ``joined``.
    """
    ring: list[int] = []
    for k in range(4):
        turned = (k + 1) % 4
        if is_capped[k]:
            ring.append(CORNER + face[k])
        if is_capped[k] != is_capped[turned]:
            ring.append(edge_between(face[k], face[turned]))
    corners = [k for k, vertex in enumerate(ring) if vertex >= CORNER]
    if not corners:
        return []
    if len(ring) == 6 and len(corners) == 2 and not joined:
        return [[ring[k], ring[(k + 1) % 6], ring[k - 1]] for k in corners]
    return [ring[corners[0] :] + ring[: corners[0]]]
