"""The crossings around each leaf, on minimal sides, and how they are paired.

A side of a leaf is divided by all known corners on it. They are corners of cells, so that each of
the pieces is half as long as the one that it is a part of: it is halved as long as its middle is
known. A piece that is not is a *minimal side*.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import (
    ALONE,
    CELLS,
    CORNER_ROOM,
    DENT,
    FINEST,
    FOLLOWER,
    OWNER,
    PIECE,
    ROUND_COUNT,
    SIDE_ROOM,
    SIDES,
)
from intervalvm.jit.outlines.tables import corner_place, side_of

DEPTH = 2.0**-6
"""How far a piece between two crossings of one side goes into its leaf, in its lengths."""


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
    """Write the pieces of each leaf.

    The inside is on the left: a piece goes from where inside ends, counter-clockwise around the
    leaf, to where it begins. Of more than two crossings those are paired between which is no
    inside if the middle of the leaf is inside, else those between which all is inside.
    """
    dents = 0
    for side in range(w.sizes[SIDES]):
        at = PIECE * side
        w.pieces[at + FOLLOWER], w.pieces[at + OWNER] = -1, 0
        w.pieces[at + ALONE], w.pieces[at + DENT] = 0, 0
    for leaf in range(w.sizes[CELLS]):
        first = w.firsts[leaf]
        count = w.firsts[leaf + 1] - first
        step, before = count - 1 if count > 2 and not w.middles[leaf] else 1, dents
        for place in range(count):
            here, there = first + place, first + (place + step) % count
            if w.ends[here]:
                at = PIECE * w.round_sides[here]
                is_dent = w.faces[here] == w.faces[there]
                dents += 1 if is_dent else 0
                w.pieces[at + FOLLOWER], w.pieces[at + OWNER] = w.round_sides[there], leaf
                w.pieces[at + ALONE] = 1 if count == 2 and not is_dent else 0
                w.pieces[at + DENT] = dents if is_dent else 0
        if dents > before:
            for here in range(first, first + count):
                if w.ends[here] and w.pieces[PIECE * w.round_sides[here] + DENT]:
                    write_dent(w, leaf, here)


def write_dent(w: Any, leaf: int, here: int) -> None:
    """Write a point by which a piece between two crossings of one side goes into the leaf.

    It is nearer to the middle of the crossings than any other chord, which has both on one side,
    and nearer than a quarter of their distance from the leaf's corners: so pieces do not meet.
    """
    side, face = w.round_sides[here], w.faces[here]
    end, axis = w.pieces[PIECE * side + FOLLOWER], face & 1
    many, room = w.sizes[SIDE_ROOM], w.sizes[CORNER_ROOM]
    a, b = w.crossings[many * axis + side], w.crossings[many * axis + end]
    x = 0.5 * (w.crossings[side] + w.crossings[end])
    y = 0.5 * (w.crossings[many + side] + w.crossings[many + end])
    low = w.places[room * axis + w.corners[4 * leaf]]
    high = w.places[room * axis + w.corners[4 * leaf + 2]]
    nearest = min(min(a - low, b - low), min(high - a, high - b))
    reach = min(abs(b - a) * DEPTH, nearest * 0.25)
    for rival in range(w.firsts[leaf], w.firsts[leaf + 1]):
        if w.ends[rival] and rival != here:
            reach = min(reach, 0.5 * chord_distance(w, w.round_sides[rival], x, y))
    inwards = reach if face == 0 or face == 3 else -reach
    at = 2 * (w.pieces[PIECE * side + DENT] - 1)
    w.dent_points[at], w.dent_points[at + 1] = x, y
    w.dent_points[at + 1 - axis] += inwards


def chord_distance(w: Any, side: int, x: float, y: float) -> float:
    """The distance of a point from the chord of the piece that begins on a side."""
    end, many = w.pieces[PIECE * side + FOLLOWER], w.sizes[SIDE_ROOM]
    ax, ay = w.crossings[side], w.crossings[many + side]
    x_along, y_along = w.crossings[end] - ax, w.crossings[many + end] - ay
    size, share = x_along * x_along + y_along * y_along, 0.0
    if size > 0.0:
        share = ((x - ax) * x_along + (y - ay) * y_along) / size
    share = min(max(share, 0.0), 1.0)
    x_apart, y_apart = ax + share * x_along - x, ay + share * y_along - y
    return math.sqrt(x_apart * x_apart + y_apart * y_apart)
