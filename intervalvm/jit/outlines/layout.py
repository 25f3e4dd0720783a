"""The arrays of the passes over the leaves of a quadtree, and the fields of their records.

A *corner* of cells has whole numbers (i, j) at the finest level. A *side* of cells of a level is
named by its lower corner, its axis and the level. Both are numbered as they are found, and are
looked up in tables of numbers + 1, of which 0 is an empty place: a hash table of corners, and of
each corner and axis the first of a list of sides.

A cell's corners, and its sides from one of them to the next, are counter-clockwise from its lowest
corner on. A *round* is a crossing on the border of a leaf; those of a leaf are counter-clockwise.
"""

from __future__ import annotations

(
    FILL, BOXES, JUDGE, CORNERS_OF, VALUES, CROSSED, START_ROOTS, STEP_ROOTS, START_BENDS,
    STEP_BENDS, ROUNDS, PAIRS, CHAIN, VERTICES, MERGE,
) = range(15)  # fmt: skip
"""Tasks, see ``tasks``."""

(
    TASK,
    FINEST,  # the level
    CELLS,
    CORNERS, CORNER_ROOM, CORNER_MASK,
    SIDES, SIDE_ROOM,
    ROUND_COUNT,
    CURVES,
    COUNT,  # of vertices, of points to evaluate for roots or pieces, or of cells that are inside
    PIECES,  # those that wait for points
    FIRST,  # the first corner without a value, or side whose crossing is to be found
    ROUND,  # the number of the step
    CELL_LEVEL,  # where all cells have the same
    SIGN_ROW, SIGN_LEVEL,  # of ``signs``: their number in a row, 0 for none, and the cells' level
    SIZES,
) = range(18)  # fmt: skip
"""Fields of ``sizes``."""

LOWER, UPPER, AXIS, LEVEL, NEXT, SIDE = range(6)
"""Fields of a side: its corners, the axis that it runs along, its level, and the next one of its
list, as in the table; their number."""

FOLLOWER, OWNER, ALONE, DENT, PIECE = range(5)
"""Fields of the piece that begins on a side: the side where it ends, -1 for none; its leaf, whether
it is alone there; the number of its dent + 1, 0 for none."""

X, Y, LOW, HIGH, ACROSS, ALONG_X, ALONG_Y, CROWDED, VERTEX = range(9)
"""Fields of a vertex: the point; the ends between which a chord may cross its side, and that side's
axis, ``NOWHERE`` for a point within a leaf; of the piece that goes on from it the direction of all
its chords, 0 where these are two at most; how many pieces before it are not alone in their leaf."""
NOWHERE = 2

FIELDS = {
    "sizes": "int64",
    "at": "int64",  # i and j of each corner
    "values": "float64",  # of corners
    "signs": "uint8",  # of cells proven before, see ``tables``
    "frame": "float64",  # its low corner, its sides, and a finest cell's as a share of these
    "depths": "uint8",  # the finest level of a known cell with that corner
    # in which part of the plane each corner, side and cell is: see ``jit.division``
    "corner_parts": "int32", "side_parts": "int32", "parts": "int32",
    "corner_table": "int32", "side_table": "int32",
    "sides": "int32",
    # x of all, and y, of corners and of sides; the gradients there
    "places": "float64", "crossings": "float64", "slopes": "float64",
    # of roots, see ``roots``, the points to evaluate, and values and gradients there
    "roots": "float64", "asked": "float64", "found": "float64",
    # of pieces, see ``bends``; of points to evaluate the piece
    "bends": "float64", "stages": "uint8", "asked_for": "int32",
    "is_one": "uint8",  # whether no other piece is in the cell
    "near": "uint8", "cornered": "uint8",  # whether chords are near the curve, by way of a corner
    "met": "uint8",  # the number of leaves that a crossed side is on the border of
    # of cells
    "cells": "int64",  # i and j
    "levels": "int64",
    "boxes": "float64",
    "value_low": "float64", "value_high": "float64", "value_maybe_nan": "uint8",
    "slope_low": "float64", "slope_high": "float64",  # by x of all, and by y
    "verdicts": "uint8",  # see ``judging``
    "corners": "int32",  # 4 of each
    "changes": "uint8",  # the number of sides of which one end is inside
    "pairs": "int32",  # where there are two: the one where inside ends, and the other
    # of rounds
    "firsts": "int32",  # the first round of each leaf, and their number
    "round_sides": "int32",
    "faces": "uint8",  # of the four sides of the leaf
    "ends": "uint8",  # whether inside ends there, counter-clockwise
    "middles": "uint8",  # whether the middle of a leaf is inside
    "way": "int32",  # which points the only piece in a leaf goes by, -1 for none
    "ways": "float64",  # those of ``outlines.bends``
    "pieces": "int32",  # of sides
    "dent_points": "float64",
    "order": "int32", "starts": "int32", "is_closed": "uint8",
    "limits": "float64",  # see ``outlines.lattice``
    "loop": "float64",  # the vertices of a curve
    "vertices": "float64",
    # of vertices: whether they stay; the ends of a chord that could not take its place; those left
    "kept": "uint8", "failed": "int32", "left": "int32",
    "points": "float64",  # of those that stay
    "may_be": "float64",  # how far pieces may be from the curve, and vertices from a chord
}  # fmt: skip
"""Arrays of the passes, by name; arrays of records are flat."""
