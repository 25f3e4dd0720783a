"""The arrays of the passes over the leaves of a quadtree, and the fields of their records.

A *corner* of cells has whole numbers (i, j) at the finest level. A *side* of cells of a level is
named by its lower corner, its axis and the level. Both are numbered as they are found, and are
looked up in tables: hash tables of numbers + 1, of which 0 is an empty place.

A cell's corners, and its sides from one of them to the next, are counter-clockwise from its lowest
corner on. A *round* is a crossing on the border of a leaf; those of a leaf are counter-clockwise.
"""

from __future__ import annotations

FILL, CORNERS_OF, CROSSED, START_ROOTS, STEP_ROOTS, ROUNDS, PAIRS, CHAIN, VERTICES, MERGE = range(
    10
)
"""Tasks, see ``tasks``."""

(
    TASK,
    FINEST,  # the level
    CELLS,
    CORNERS, CORNER_ROOM, CORNER_MASK,
    SIDES, SIDE_ROOM, SIDE_MASK,
    ROUND_COUNT,
    DENTS,  # pieces between crossings of one side of a leaf
    CURVES,
    COUNT,  # of vertices, or of roots that are not found
    FIRST,  # the first side whose crossing is to be found
    ROUND,  # the number of the step
    SIZES,
) = range(16)  # fmt: skip
"""Fields of ``sizes``."""

LOWER, UPPER, AXIS, LEVEL, SIDE = range(5)
"""Fields of a side: its corners, the axis that it runs along, its level; their number."""

X, Y, LOW_X, LOW_Y, HIGH_X, HIGH_Y, ALONG_X, ALONG_Y, ALONE, VERTEX = range(10)
"""Fields of a vertex: the point; the box in which a chord may pass it, infinite for a point within
a leaf; and of the piece of its leaf that goes on from it the direction of all its chords, 0 where
these are two at most, and whether it is the only one there."""

FIELDS = {
    "sizes": "int64",
    "at": "int64",  # i and j of each corner
    "values": "float64",  # of corners
    "depths": "uint8",  # the finest level of a known cell with that corner
    # in which part of the plane each corner, side and cell is: see ``jit.division``
    "corner_parts": "int32", "side_parts": "int32", "parts": "int32",
    "corner_table": "int32", "side_table": "int32",
    "sides": "int32",
    # x of all, and y, of corners and of sides; the gradients there
    "places": "float64", "crossings": "float64", "slopes": "float64",
    # of roots, see ``roots``, the points to evaluate, and values and gradients there
    "roots": "float64", "asked": "float64", "found": "float64",
    "met": "uint8",  # the number of leaves that a crossed side is on the border of
    # of cells
    "cells": "int64",  # i and j
    "levels": "int64",
    "corners": "int32",  # 4 of each
    "changes": "uint8",  # the number of sides of which one end is inside
    "pairs": "int32",  # where there are two: the one where inside ends, and the other
    # of rounds
    "firsts": "int32",  # the first round of each leaf, and their number
    "round_sides": "int32",
    "faces": "uint8",  # of the four sides of the leaf
    "ends": "uint8",  # whether inside ends there, counter-clockwise
    "middles": "uint8",  # whether the middle of a leaf is inside
    "ways": "float64",  # the points of ``outlines.bends`` of each leaf
    "dents": "int32",  # rounds
    "dent_points": "float64",
    # of sides: of the piece that begins there the next side, the leaf, whether it is alone, and
    # the number of its dent + 1
    "follower": "int32", "owner": "int32", "alone": "uint8", "dent_of": "int32",
    "order": "int32", "starts": "int32", "is_closed": "uint8",
    "limits": "float64",  # see ``outlines.lattice``
    "loop": "float64",  # the vertices of a curve
    "vertices": "float64",
    # of vertices
    "fixed": "uint8", "kept": "uint8", "crowded": "int32", "failed": "int32", "left": "int32",
    "may_be": "float64",
}  # fmt: skip
"""Arrays of the passes, by name; arrays of records are flat."""
