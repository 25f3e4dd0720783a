"""The crossings around each leaf, on minimal sides, and how they are paired.

A side of a leaf is divided by all known corners on it. They are corners of cells, so that each of
the pieces is half as long as the one that it is a part of: it is halved as long as its middle is
known. A piece that is not is a *minimal side*.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.outlines.layout import (
    CELLS,
    DENTS,
    FINEST,
    ROUND_COUNT,
    SIDE_ROOM,
    SIDES,
)
from intervalvm.jit.outlines.tables import corner_place, side_of


def rounds(w: Any) -> int:
    """Write the rounds of all leaves, and ``met``; returns 1 if there is no room for sides."""
    w.sizes[ROUND_COUNT] = 0
    for side in range(w.sizes[SIDE_ROOM]):
        w.met[side] = 0
    for leaf in range(w.sizes[CELLS]):
        w.firsts[leaf] = w.sizes[ROUND_COUNT]
        for face in range(4):
            if along_face(w, leaf, face):
                return 1
    w.firsts[w.sizes[CELLS]] = w.sizes[ROUND_COUNT]
    return 0


def along_face(w: Any, leaf: int, face: int) -> int:
    """Write the rounds of a side of a leaf; returns 1 if there is no room for a side."""
    start, last = w.corners[4 * leaf + face], w.corners[4 * leaf + (face + 1 & 3)]
    whole = 1 << w.sizes[FINEST] - w.levels[leaf]
    axis, step = face & 1, 1 if face < 2 else -1
    i, j = w.at[2 * start], w.at[2 * start + 1]
    i_step, j_step = (step, 0) if axis == 0 else (0, step)
    done, size, level, end = 0, whole, w.levels[leaf], last
    while True:
        # a cell with the middle has an end too, or is in one that has
        while w.depths[start] > level or w.depths[end] > level:
            middle = known(w, i + i_step * (done + size // 2), j + j_step * (done + size // 2))
            if middle < 0:
                break
            size, level, end = size // 2, level + 1, middle
        if (w.values[start] < 0.0) != (w.values[end] < 0.0):
            if w.sizes[SIDES] >= w.sizes[SIDE_ROOM]:
                return 1
            lower, upper = (start, end) if step > 0 else (end, start)
            side = side_of(w, lower, upper, axis, level, w.parts[leaf])
            write(w, face, side, start)
        done += size
        if done == whole:
            return 0
        while done % (2 * size) == 0:  # it was the second half
            size, level = 2 * size, level - 1
        start, end = end, last
        if done + size < whole:
            end = known(w, i + i_step * (done + size), j + j_step * (done + size))


def known(w: Any, i: int, j: int) -> int:
    """The number of a corner, -1 if it is not known."""
    found: int = w.corner_table[corner_place(w, i, j)]
    return found - 1


def write(w: Any, face: int, side: int, start: int) -> None:
    """Write a round on a side, whose end ``start`` is met first."""
    count = w.sizes[ROUND_COUNT]
    w.round_sides[count], w.faces[count] = side, face
    w.ends[count] = 1 if w.values[start] < 0.0 else 0
    w.met[side] += 1
    w.sizes[ROUND_COUNT] = count + 1


def pairs(w: Any) -> None:
    """Join the sides of each leaf. ``follower`` is -1, and ``alone`` and ``dent_of`` are 0
    before.

    The inside is on the left: a piece goes from where inside ends, counter-clockwise around the
    leaf, to where it begins. Of more than two crossings those are paired between which is no
    inside if the middle of the leaf is inside, else those between which all is inside.
    """
    w.sizes[DENTS] = 0
    for leaf in range(w.sizes[CELLS]):
        first = w.firsts[leaf]
        count = w.firsts[leaf + 1] - first
        step = count - 1 if count > 2 and not w.middles[leaf] else 1
        for place in range(count):
            here, there = first + place, first + (place + step) % count
            if w.ends[here]:
                start = w.round_sides[here]
                w.follower[start], w.owner[start] = w.round_sides[there], leaf
                w.alone[start] = 1 if count == 2 else 0
                if w.faces[here] == w.faces[there]:
                    w.alone[start] = 0
                    w.dents[w.sizes[DENTS]] = here
                    w.sizes[DENTS] += 1
                    w.dent_of[start] = w.sizes[DENTS]
