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
    FIRST,
    LEVEL,
    LOWER,
    NEXT,
    SIDE,
    SIDE_ROOM,
    SIDES,
    SIGN_LEVEL,
    SIGN_ROW,
    UPPER,
)

UNKNOWN, INSIDE, OUTSIDE = range(3)
"""Signs of cells proven before."""
TINY = 2.0**-1022


def fill(w: Any) -> None:
    """Enter all that is known in empty tables."""
    for corner in range(w.sizes[CORNERS]):
        w.corner_table[corner_place(w, w.at[2 * corner], w.at[2 * corner + 1])] = corner + 1
    for side in range(w.sizes[SIDES]):
        enter(w, side)


def corner_place(w: Any, i: int, j: int) -> int:
    """The place of a corner in the table, or the empty one where it is to be."""
    place: int = hash_of(i << 31 ^ j) & w.sizes[CORNER_MASK]
    while w.corner_table[place] > 0:
        at = 2 * (w.corner_table[place] - 1)
        if w.at[at] == i and w.at[at + 1] == j:
            break
        place = (place + 1) & w.sizes[CORNER_MASK]
    return place


def coordinate(w: Any, axis: int, number: int) -> float:
    """A coordinate of the finest lattice, as ``cells.frame`` has it."""
    share = number * w.frame[4]
    found: float = w.frame[axis] + w.frame[2 + axis] * share
    return found


def corner_of(w: Any, i: int, j: int, part: int) -> int:
    """The number of a corner, which may be new."""
    place = corner_place(w, i, j)
    if w.corner_table[place] == 0:
        new = w.sizes[CORNERS]
        w.at[2 * new], w.at[2 * new + 1] = i, j
        w.depths[new], w.corner_parts[new] = 0, part
        w.places[new] = coordinate(w, 0, i)
        w.places[w.sizes[CORNER_ROOM] + new] = coordinate(w, 1, j)
        w.sizes[CORNERS] = w.corner_table[place] = new + 1
    found: int = w.corner_table[place]
    return found - 1


def enter(w: Any, side: int) -> None:
    """Put a side before those with the same lower corner and axis."""
    place = 2 * w.sides[SIDE * side + LOWER] + w.sides[SIDE * side + AXIS]
    w.sides[SIDE * side + NEXT] = w.side_table[place]
    w.side_table[place] = side + 1


def side_of(w: Any, lower: int, upper: int, axis: int, level: int, part: int) -> int:
    """The number of a side, which may be new."""
    found: int = w.side_table[2 * lower + axis] - 1
    while found >= 0 and w.sides[SIDE * found + LEVEL] != level:
        found = w.sides[SIDE * found + NEXT] - 1
    if found < 0:
        found = w.sizes[SIDES]
        at = SIDE * found
        w.sides[at + LOWER], w.sides[at + UPPER] = lower, upper
        w.sides[at + AXIS], w.sides[at + LEVEL] = axis, level
        w.side_parts[found] = part
        w.sizes[SIDES] = found + 1
        enter(w, found)
    return found


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


def take_values(w: Any) -> None:
    """Take values ``found`` of corners from ``FIRST`` on.

    A corner of a cell proven before is inside or outside, whatever rounding makes of its value.
    """
    for corner in range(w.sizes[FIRST], w.sizes[CORNERS]):
        value, sign = w.found[corner - w.sizes[FIRST]], 0
        if w.sizes[SIGN_ROW]:
            sign = sign_of(w, w.at[2 * corner], w.at[2 * corner + 1])
        if sign == INSIDE and not value < 0.0:
            value = -TINY
        elif sign == OUTSIDE and value < 0.0:
            value = 0.0
        w.values[corner] = value


def sign_of(w: Any, i: int, j: int) -> int:
    """The greatest sign of the cells around a corner; there is a cell more around the frame."""
    shift, row = w.sizes[FINEST] - w.sizes[SIGN_LEVEL], w.sizes[SIGN_ROW]
    left, right = (i - 1 >> shift) + 1, (i >> shift) + 1
    below, above = row * ((j - 1 >> shift) + 1), row * ((j >> shift) + 1)
    most: int = max(
        max(w.signs[below + left], w.signs[below + right]),
        max(w.signs[above + left], w.signs[above + right]),
    )
    return most


def crossed(w: Any) -> int:
    """Count the changes around cells, and find the sides of those with two.

    Returns 1 if there is no room for new sides.
    """
    for cell in range(w.sizes[CELLS]):
        if w.sizes[SIDES] + 2 > w.sizes[SIDE_ROOM]:
            return 1
        inside = 0
        for corner in range(4):
            if w.values[w.corners[4 * cell + corner]] < 0.0:
                inside |= 1 << corner
        changes = inside ^ (inside >> 1 | (inside & 1) << 3)  # a bit of each face
        w.changes[cell] = 0 if changes == 0 else 4 if changes == 15 else 2
        if w.changes[cell] == 2:
            for face in range(4):
                if changes >> face & 1:
                    w.pairs[2 * cell + 1 - (inside >> face & 1)] = face_side(w, cell, face)
    return 0


def face_side(w: Any, cell: int, face: int) -> int:
    """The side of a cell that runs along one of its faces."""
    a, b = w.corners[4 * cell + face], w.corners[4 * cell + (face + 1 & 3)]
    if face < 2:
        return side_of(w, a, b, face, w.levels[cell], w.parts[cell])
    return side_of(w, b, a, face - 2, w.levels[cell], w.parts[cell])
