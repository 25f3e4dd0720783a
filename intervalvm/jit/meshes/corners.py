"""The corners of cells: where they lie, and on which side they are.

The 27 corners of a cell's children have the numbers 9 i + 3 j + k, and a bit each of a *set*.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import CAPACITY, COUNT, PARENTS

LATTICE = 27
CELL = 0b11011000011011
"""The set of the first child's corners."""
FIRST_X, FIRST_Y, FIRST_Z = 0x1FF, 0o7007007, 0o111111111
"""The sets of corners on the lower side, by axis."""


def write_corners(w: Any) -> None:
    """Write the points at which values are needed, ``COUNT`` of them.

    They are corners of children whose sides are open, of all parents ``cells``. There may be more
    than there is room for: then none is written.
    """
    w.sizes[COUNT] = 0
    for k in range(w.sizes[PARENTS]):
        asked = asked_of(w, w.cells[k])
        while asked:
            asked &= asked - 1
            w.sizes[COUNT] += 1
    if w.sizes[COUNT] > w.sizes[CAPACITY]:
        return
    w.sizes[COUNT] = 0
    for k in range(w.sizes[PARENTS]):
        asked = asked_of(w, w.cells[k])
        for corner in range(LATTICE):
            if asked >> corner & 1:
                write_corner(w, w.cells[k], corner)


def read_corners(w: Any) -> None:
    """Find the masks of these children from ``values`` at the points, which are kept."""
    n = 0
    for k in range(w.sizes[PARENTS]):
        first, inside = w.children[w.cells[k]], 0
        asked, at = asked_of(w, w.cells[k]), block_of(first)
        for corner in range(LATTICE):
            w.corners[at + corner] = math.nan
            if asked >> corner & 1:
                w.corners[at + corner] = w.values[n]
                inside |= (1 if w.values[n] < 0.0 else 0) << corner
                n += 1
        for child in range(8):
            if w.is_open[first + child]:
                bits = inside >> shift_of(child)
                mask = (bits & 3) | (bits >> 3 & 3) << 2 | (bits >> 9 & 3) << 4
                w.masks[first + child] = mask | (bits >> 12 & 3) << 6


def shift_of(child: int) -> int:
    """The number of a child's lowest corner."""
    return 9 * (child >> 2) + 3 * (child >> 1 & 1) + (child & 1)


def asked_of(w: Any, node: int) -> int:
    """The corners of open children; those on the frame's border are outside."""
    first, last, found = w.children[node], (1 << w.levels[node]) - 1, 0
    for child in range(8):
        if w.is_open[first + child]:
            found |= CELL << shift_of(child)
    x, y, z = w.at[3 * node], w.at[3 * node + 1], w.at[3 * node + 2]
    found &= ~((FIRST_X if x == 0 else 0) | (FIRST_X << 18 if x == last else 0))
    found &= ~((FIRST_Y if y == 0 else 0) | (FIRST_Y << 6 if y == last else 0))
    found &= ~((FIRST_Z if z == 0 else 0) | (FIRST_Z << 2 if z == last else 0))
    return found


def write_corner(w: Any, node: int, corner: int) -> None:
    """Write the coordinates of a corner: see ``cells.frame``."""
    n, room = w.sizes[COUNT], w.sizes[CAPACITY]
    w.sizes[COUNT] = n + 1
    w.owners[n], share = w.blocks[node], 1.0 / (2 << w.levels[node])
    for axis in range(3):
        by = corner // 9 if axis == 0 else (corner // 3 % 3 if axis == 1 else corner % 3)
        number = 2 * w.at[3 * node + axis] + by
        w.points[axis * room + n] = w.frame[axis] + w.frame[3 + axis] * (number * share)


def block_of(child: int) -> int:
    """The place in ``corners`` of a child and its siblings: nodes after the root come in eights."""
    return LATTICE * ((child - 1) >> 3)


def corner_value(w: Any, node: int, corner: int) -> float:
    """The value at a corner of a cell; infinite where only the side is known."""
    is_inside = w.masks[node] >> corner & 1
    while w.before[node] >= 0:
        node = w.before[node] + corner
    found: float = w.corners[block_of(node) + corner_of((node - 1) & 7, corner)]
    if found < 0.0:
        return found if is_inside else math.inf
    return found if found >= 0.0 and not is_inside else (-math.inf if is_inside else math.inf)


def corner_of(child: int, corner: int) -> int:
    """The number of a child's corner among the 27."""
    i = (child >> 2) + (corner >> 2)
    j = (child >> 1 & 1) + (corner >> 1 & 1)
    return 9 * i + 3 * j + (child & 1) + (corner & 1)
