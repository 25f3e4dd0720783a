"""The corners of cells: where they lie, and on which side they are."""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import CAPACITY, COUNT, PARENTS

SIDES = 32
"""The place in ``scratch`` of what is known of the 27 corners of children, 9 i + 3 j + k."""
LATTICE = 27
HIDDEN, ASKED = -1.0, 2.0
"""Of corners: it is not needed; its value is. A side is 1 inside, else 0."""


def write_corners(w: Any) -> None:
    """Write the points at which values are needed, ``COUNT`` of them.

    They are corners of children whose sides are open, of all parents ``cells``. There may be more
    than there is room for.
    """
    w.sizes[COUNT] = 0
    for k in range(w.sizes[PARENTS]):
        find_asked(w, w.cells[k])
        for corner in range(LATTICE):
            if w.scratch[SIDES + corner] == ASKED:
                write_corner(w, w.cells[k], corner)


def read_corners(w: Any) -> None:
    """Find the masks of these children from ``values`` at the points, which are kept."""
    n = 0
    for k in range(w.sizes[PARENTS]):
        node = w.cells[k]
        first, at = w.children[node], block_of(w.children[node])
        find_asked(w, node)
        for corner in range(LATTICE):
            if w.scratch[SIDES + corner] == ASKED:
                w.scratch[SIDES + corner] = 1.0 if w.values[n] < 0.0 else 0.0
                w.corners[at + corner] = w.values[n]
                n += 1
        for child in range(8):
            if w.is_open[first + child]:
                w.masks[first + child] = mask_of_child(w, child)


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


def mask_of_child(w: Any, child: int) -> int:
    """The mask of a child from the sides of the 27 corners."""
    found = 0
    for corner in range(8):
        if w.scratch[SIDES + corner_of(child, corner)] == 1.0:
            found |= 1 << corner
    return found


def find_asked(w: Any, node: int) -> None:
    """Mark the corners of open children; those on the frame's border are outside."""
    first, last = w.children[node], 2 << w.levels[node]
    for corner in range(LATTICE):
        w.scratch[SIDES + corner] = HIDDEN
    for child in range(8):
        if w.is_open[first + child]:
            for corner in range(8):
                w.scratch[SIDES + corner_of(child, corner)] = ASKED
    for corner in range(LATTICE):
        is_border = False
        for axis in range(3):
            number = place(w, node, corner, axis)
            is_border = is_border or number == 0 or number == last
        if is_border:
            w.scratch[SIDES + corner] = 0.0


def place(w: Any, node: int, corner: int, axis: int) -> int:
    """The number of a corner's lattice plane, in units of children."""
    by = corner // 9 if axis == 0 else (corner // 3 % 3 if axis == 1 else corner % 3)
    found: int = 2 * w.at[3 * node + axis] + by
    return found


def write_corner(w: Any, node: int, corner: int) -> None:
    """Write the coordinates of a corner: see ``cells.frame``."""
    n, room = w.sizes[COUNT], w.sizes[CAPACITY]
    w.sizes[COUNT] = n + 1
    if n < room:
        w.owners[n], share = w.blocks[node], 1.0 / (2 << w.levels[node])
        for axis in range(3):
            at = place(w, node, corner, axis) * share
            w.points[axis * room + n] = w.frame[axis] + w.frame[3 + axis] * at
