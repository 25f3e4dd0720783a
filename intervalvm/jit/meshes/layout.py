"""The arrays of the passes over an octree, and the fields of their records.

A cell is a leaf of the octree, named by its node. A *minimal edge* is an edge of a cell without a
finer one on it; so is a *minimal face*. Around a minimal edge along axis d there are four quadrants
in counter-clockwise order, seen against d; their sides along b = d + 1 and c = d + 2 (modulo 3) are
those of ``side_b`` and ``side_c``. A cell may take two of them. The corner (i, j, k) of a cell, and
the child there, has the number 4 i + 2 j + k, and a bit of the cell's ``masks``: 1 if it is inside.
"""

from __future__ import annotations

(
    CHILDREN, JUDGE, MARK_SIMPLE, FIND_BLOCKS, WRITE_CORNERS, READ_CORNERS, WALK, REDUCE, SEGMENTS,
    START_ROOTS, STEP_ROOTS, RINGS, SUM, JOIN, SOLVE, SETTLE, FLIP, TRIANGLES, THIN, NUMBER,
) = range(20)  # fmt: skip
"""Tasks, see ``tasks``."""

(
    TASK,
    NODES, DEPTH,  # DEPTH is the level whose units coordinates of edges have
    EDGES,  # their number
    CAPACITY,  # room for edges
    FACES, SLOTS, TEMPLATES, PARENTS,
    COUNT,  # of what was written, or of points that are evaluated
    BLOCKS,
    ROOM,  # for points that are evaluated
    VERTICES, TRIANGLE_COUNT,
    DIMENSIONS, LEVEL,
    SIZES,
) = range(17)  # fmt: skip
"""Fields of ``sizes``."""
TOLERANCE, SLACK = 6, 7
"""Places in ``frame``, after three lows and three sides."""

(
    AXIS,
    LOWER_IS_INSIDE,  # the end with the lower coordinate
    AROUND, _, _, _,  # the cells of the quadrants
    AT, _, _,  # the lower end
    LENGTH,
    SMALLEST,  # the smallest cell around it, or one of them
    EDGE,
) = range(12)  # fmt: skip
"""Fields of a minimal edge that crosses the surface."""

START, STEP, V_START, V_END, SEGMENT = 0, 3, 6, 7, 8
"""Fields of a segment that crosses the surface: its first end, the way to the other, and the values
at both, of which one is inside and the other not."""

(
    LOWER, UPPER,  # the cells
    ACROSS,  # the axis
    OWNER,  # the smaller one of the cells
    CROSSINGS,  # the number of its sides that cross the surface
    FIRST, _, _, _,  # their edges: first and second are joined, and third and fourth
    STATE,
    FACE,
) = range(11)  # fmt: skip
"""Fields of a minimal face with crossings on its border."""
PLAIN, FLIPPED, TANGLED, TORN = range(4)
"""States of a face: joined by chords; by the segment between its cells' points; joined in no way
that is known, so that its cells are to be split; with an odd number of crossings, which shows that
signs disagree."""

XX, XY, XZ, YY, YZ, ZZ, BX, BY, BZ, BB, MX, MY, MZ, WEIGHT, QEF = range(15)
"""Sums of a cell over planes n . x = n . p through points p: of n n^T, of n (n . p), of (n . p)^2,
of p, and their number."""

FIELDS = {
    "sizes": "int64", "frame": "float64",  # three lows and three sides, and two distances
    # of nodes
    "levels": "int8", "at": "int32", "children": "int32", "masks": "uint8", "active": "uint8",
    "loops": "int32",  # the closed curves in which the surface meets a cell's border
    "slots": "int32",  # the place of a cell with one loop, or of a template; -1
    "is_open": "uint8",  # whether no side is proven
    "before": "int32",  # the first child of a cell of joined ones; -1
    "roots_of": "int32",  # the cell of joined ones that a node is in; -1
    "corners": "float64",  # values at the 27 corners of children, by their parent, where known
    "stack": "int32",
    # of edges, faces, and incidences of a cell and an edge
    "edges": "int32", "faces": "int32",
    "face_of": "int32",  # 1 + the face, by node and side; 0
    "edge_faces": "int32",  # the face between each quadrant and the next; -1
    "parents": "int32",
    # of the cells of a level, see ``cells``
    "lower": "float64", "upper": "float64", "maybe_nan": "uint8", "verdicts": "uint8",
    "parents_at": "int32", "boxes": "float64", "keys": "int64", "parent_keys": "int64",
    # of segments, see ``roots``; points to evaluate, and values and gradients there
    "ends": "float64", "segments": "float64", "roots": "float64", "limits": "float64",
    "left": "int32", "asked": "float64", "duals": "float64",
    "blocks": "int32",  # by node, or by segment: the block that it is in
    "owners": "int32",  # of points to evaluate: the block
    # of crossings, and of slots
    "values": "float64", "points": "float64", "normals": "float64", "sums": "float64",
    "cells": "int32",  # by slot
    "stages": "uint8",  # see ``settling``
    "box": "float64",  # lows and highs of a cell, shrunk
    "found": "float64",  # a point, and the sum of squares there
    "scratch": "float64",
    # of templates
    "template_edges": "int32", "cases": "int32", "starts": "int32", "table": "int32",
    "triangles": "int32",
    # of corners of triangles, and of vertices
    "vertices": "float64", "alive": "uint8",
    "heads": "int32", "tails": "int32", "nexts": "int32", "stamps": "int32", "numbers": "int32",
    "states": "uint8",  # of a vertex, see ``thinning``
    "ring": "int32", "sides": "int32",  # of one vertex
}  # fmt: skip
"""Arrays of the passes, by name; arrays of records are flat."""
