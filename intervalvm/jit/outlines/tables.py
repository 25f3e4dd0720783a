"""Corners and sides of cells, each found once."""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.passes import hash_of
from intervalvm.jit.outlines.layout import (
    AXIS,
    CELLS,
    CORNER_MASK,
    CORNER_ROOM,
    CORNERS,
    FINEST,
    LEVEL,
    LOWER,
    SIDE,
    SIDE_MASK,
    SIDE_ROOM,
    SIDES,
    UPPER,
)


def fill(w: Any) -> None:
    """Enter all that is known in empty tables."""
    for corner in range(w.sizes[CORNERS]):
        w.corner_table[corner_place(w, w.at[2 * corner], w.at[2 * corner + 1])] = corner + 1
    for side in range(w.sizes[SIDES]):
        at = SIDE * side
        place = side_place(w, w.sides[at + LOWER], w.sides[at + AXIS], w.sides[at + LEVEL])
        w.side_table[place] = side + 1


def corner_place(w: Any, i: int, j: int) -> int:
    """The place of a corner in the table, or the empty one where it is to be."""
    place: int = hash_of(i << 31 ^ j) & w.sizes[CORNER_MASK]
    while w.corner_table[place] > 0:
        at = 2 * (w.corner_table[place] - 1)
        if w.at[at] == i and w.at[at + 1] == j:
            break
        place = (place + 1) & w.sizes[CORNER_MASK]
    return place


def corner_of(w: Any, i: int, j: int, part: int) -> int:
    """The number of a corner, which may be new."""
    place = corner_place(w, i, j)
    if w.corner_table[place] == 0:
        new = w.sizes[CORNERS]
        w.at[2 * new], w.at[2 * new + 1] = i, j
        w.depths[new], w.corner_parts[new] = 0, part
        w.sizes[CORNERS] = w.corner_table[place] = new + 1
    found: int = w.corner_table[place]
    return found - 1


def side_place(w: Any, lower: int, axis: int, level: int) -> int:
    """The place of a side in the table, or the empty one where it is to be."""
    place: int = hash_of(lower << 6 | level << 1 | axis) & w.sizes[SIDE_MASK]
    while w.side_table[place] > 0:
        at = SIDE * (w.side_table[place] - 1)
        is_same = w.sides[at + LOWER] == lower and w.sides[at + AXIS] == axis
        if is_same and w.sides[at + LEVEL] == level:
            break
        place = (place + 1) & w.sizes[SIDE_MASK]
    return place


def side_of(w: Any, lower: int, upper: int, axis: int, level: int, part: int) -> int:
    """The number of a side, which may be new."""
    place = side_place(w, lower, axis, level)
    if w.side_table[place] == 0:
        new = w.sizes[SIDES]
        at = SIDE * new
        w.sides[at + LOWER], w.sides[at + UPPER] = lower, upper
        w.sides[at + AXIS], w.sides[at + LEVEL] = axis, level
        w.side_parts[new] = part
        w.sizes[SIDES] = w.side_table[place] = new + 1
    found: int = w.side_table[place]
    return found - 1


def corners_of(w: Any) -> int:
    """Find the corners of cells; returns 1 if there is no room for new ones."""
    for cell in range(w.sizes[CELLS]):
        if w.sizes[CORNERS] + 4 > w.sizes[CORNER_ROOM]:
            return 1
        shift = w.sizes[FINEST] - w.levels[cell]
        i, j, size = w.cells[2 * cell] << shift, w.cells[2 * cell + 1] << shift, 1 << shift
        part = w.parts[cell]
        w.corners[4 * cell] = corner_of(w, i, j, part)
        w.corners[4 * cell + 1] = corner_of(w, i + size, j, part)
        w.corners[4 * cell + 2] = corner_of(w, i + size, j + size, part)
        w.corners[4 * cell + 3] = corner_of(w, i, j + size, part)
        for corner in range(4 * cell, 4 * cell + 4):
            if w.depths[w.corners[corner]] < w.levels[cell]:
                w.depths[w.corners[corner]] = w.levels[cell]
    return 0


def crossed(w: Any) -> int:
    """Count the changes around cells, and find the sides of those with two.

    Returns 1 if there is no room for new sides.
    """
    for cell in range(w.sizes[CELLS]):
        if w.sizes[SIDES] + 2 > w.sizes[SIDE_ROOM]:
            return 1
        changes = 0
        for face in range(4):
            changes += 1 if is_crossed(w, cell, face) else 0
        w.changes[cell] = changes
        if changes == 2:
            for face in range(4):
                if is_crossed(w, cell, face):
                    last = 0 if w.values[w.corners[4 * cell + face]] < 0.0 else 1
                    w.pairs[2 * cell + last] = face_side(w, cell, face)
    return 0


def is_crossed(w: Any, cell: int, face: int) -> bool:
    a, b = w.corners[4 * cell + face], w.corners[4 * cell + (face + 1 & 3)]
    found: bool = (w.values[a] < 0.0) != (w.values[b] < 0.0)
    return found


def face_side(w: Any, cell: int, face: int) -> int:
    """The side of a cell that runs along one of its faces."""
    a, b = w.corners[4 * cell + face], w.corners[4 * cell + (face + 1 & 3)]
    if face < 2:
        return side_of(w, a, b, face, w.levels[cell], w.parts[cell])
    return side_of(w, b, a, face - 2, w.levels[cell], w.parts[cell])
